/* The port map as a plain value. */

#include <config.h>
#include "netpol/portmap.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

const char *
np_port_role_name(enum np_port_role role)
{
    switch (role) {
    case NP_PORT_UNKNOWN:
        return "unknown";
    case NP_PORT_POD:
        return "pod";
    case NP_PORT_NODE:
        return "node";
    case NP_PORT_UPLINK:
        return "uplink";
    case NP_PORT_TUNNEL:
        return "tunnel";
    }
    OVS_NOT_REACHED();
}

static size_t
text_size(const char *s)
{
    return s ? strlen(s) + 1 : 0;
}

static size_t
port_size(const struct np_bridge_port *p)
{
    return (text_size(p->name) + text_size(p->pod_namespace)
            + text_size(p->pod_name) + text_size(p->pod_uid)
            + text_size(p->error) + p->n_addrs * sizeof *p->addrs);
}

/* Copies SIZE bytes to '*AT', which moves behind them. */
static void *
put(char **at, const void *data, size_t size)
{
    void *copy = *at;

    if (!data || !size) {
        return NULL;
    }
    memcpy(copy, data, size);
    *at += size;
    return copy;
}

static char *
put_text(char **at, const char *s)
{
    return put(at, s, text_size(s));
}

struct np_bridge_port *
np_bridge_port_clone(const struct np_bridge_port *src)
{
    struct np_bridge_port *p = xmalloc(sizeof *p + port_size(src));
    char *at = (char *) (p + 1);

    *p = *src;
    p->addrs = put(&at, p->addrs, p->n_addrs * sizeof *p->addrs);
    p->name = put_text(&at, p->name);
    p->pod_namespace = put_text(&at, p->pod_namespace);
    p->pod_name = put_text(&at, p->pod_name);
    p->pod_uid = put_text(&at, p->pod_uid);
    p->error = put_text(&at, p->error);
    return p;
}

void
np_portmap_clear(struct np_portmap *map)
{
    for (size_t i = 0; i < map->n; i++) {
        struct np_bridge_port *p = &map->v[i];

        free(p->name);
        free(p->pod_namespace);
        free(p->pod_name);
        free(p->pod_uid);
        free(p->addrs);
        free(p->error);
    }
    free(map->v);
    memset(map, 0, sizeof *map);
}

static bool
addrs_equal(const struct np_bridge_port *a, const struct np_bridge_port *b)
{
    if (a->n_addrs != b->n_addrs) {
        return false;
    }
    for (size_t i = 0; i < a->n_addrs; i++) {
        if (!np_prefix_equal(&a->addrs[i], &b->addrs[i])) {
            return false;
        }
    }
    return true;
}

bool
np_bridge_port_equal(const struct np_bridge_port *a,
                     const struct np_bridge_port *b)
{
    return !strcmp(a->name, b->name)
           && a->ofport == b->ofport
           && a->role == b->role
           && nullable_string_is_equal(a->pod_namespace, b->pod_namespace)
           && nullable_string_is_equal(a->pod_name, b->pod_name)
           && nullable_string_is_equal(a->pod_uid, b->pod_uid)
           && a->has_mac == b->has_mac
           && (!a->has_mac || eth_addr_equals(a->mac, b->mac))
           && nullable_string_is_equal(a->error, b->error)
           && addrs_equal(a, b);
}

bool
np_portmap_equal(const struct np_portmap *a, const struct np_portmap *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!np_bridge_port_equal(&a->v[i], &b->v[i])) {
            return false;
        }
    }
    return true;
}

size_t
np_portmap_count_changes(const struct np_portmap *a,
                         const struct np_portmap *b)
{
    size_t i = 0, j = 0, n = 0;

    while (i < a->n && j < b->n) {
        int cmp = strcmp(a->v[i].name, b->v[j].name);

        n += cmp || !np_bridge_port_equal(&a->v[i], &b->v[j]);
        i += cmp <= 0;
        j += cmp >= 0;
    }
    return n + (a->n - i) + (b->n - j);
}

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

void
np_portmap_clone(struct np_portmap *dst, const struct np_portmap *src)
{
    dst->n = src->n;
    dst->v = src->n ? xmemdup(src->v, src->n * sizeof *src->v) : NULL;
    for (size_t i = 0; i < dst->n; i++) {
        struct np_bridge_port *p = &dst->v[i];

        p->name = xstrdup(p->name);
        p->pod_namespace = nullable_xstrdup(p->pod_namespace);
        p->pod_name = nullable_xstrdup(p->pod_name);
        p->pod_uid = nullable_xstrdup(p->pod_uid);
        p->error = nullable_xstrdup(p->error);
        p->addrs = (p->n_addrs
                    ? xmemdup(p->addrs, p->n_addrs * sizeof *p->addrs) : NULL);
    }
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

static bool
port_equal(const struct np_bridge_port *a, const struct np_bridge_port *b)
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
        if (!port_equal(&a->v[i], &b->v[i])) {
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

        n += cmp || !port_equal(&a->v[i], &b->v[j]);
        i += cmp <= 0;
        j += cmp >= 0;
    }
    return n + (a->n - i) + (b->n - j);
}

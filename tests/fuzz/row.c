/* external_ids of an Interface and its Port: strings that end with a NUL, keys
 * and values in turn.  A key that starts with "p." is the Port's; "=mac" and
 * "=ofport" are columns of the Interface.  Then the port meets another one,
 * which is right, in a cluster of two pods. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "netpol/cache.h"
#include "netpol/compile.h"
#include "netpol/manifest.h"
#include "openvswitch/dynamic-string.h"
#include "ovsdb/row.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

static char *
next_string(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *nul = memchr(*p, 0, end - *p);
    const uint8_t *stop = nul ? nul : end;
    char *s = xmemdup0((const char *) *p, stop - *p);

    *p = nul ? nul + 1 : end;
    return s;
}

static void
read_ids(const uint8_t *data, size_t size, struct smap *iface,
         struct smap *port)
{
    const uint8_t *end = data + size;

    while (data < end) {
        char *key = next_string(&data, end);
        char *value = next_string(&data, end);

        if (!strncmp(key, "p.", 2)) {
            smap_replace(port, key + 2, value);
        } else {
            smap_replace(iface, key, value);
        }
        free(key);
        free(value);
    }
}

static void
check(const struct np_bridge_port *port)
{
    ovs_assert(!strcmp(port->name, "veth0"));
    ovs_assert(port->has_mac || eth_addr_is_zero(port->mac));
    ovs_assert(port->role == NP_PORT_POD || !port->pod_name);
    ovs_assert(!port->pod_name == !port->pod_namespace);
    fuzz_check_printable(port->pod_namespace);
    fuzz_check_printable(port->pod_name);
    fuzz_check_printable(port->error);
    for (size_t i = 0; i < port->n_addrs; i++) {
        ovs_assert(port->addrs[i].len == np_prefix_max_len(&port->addrs[i]));
        ovs_assert(!i || np_prefix_compare(&port->addrs[i - 1],
                                           &port->addrs[i]) < 0);
    }
    if (port->role == NP_PORT_POD) {
        ovs_assert(!port->has_mac || !eth_addr_is_multicast(port->mac));
        ovs_assert(port->error || port->pod_uid || port->pod_name);
    }
}

static const char objects[] =
    "apiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: x, uid: u1}\n"
    "status: {podIP: 10.0.0.1}\n---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: y, uid: u2}\n"
    "status: {podIP: 10.0.0.2}\n";

/* Whoever gets the pods, nothing is had twice, and nothing is had by a port
 * with a mistake in it. */
static void
check_binding(const struct np_binding *b)
{
    for (size_t i = 0; i < b->n_locals; i++) {
        const struct np_local *l = b->locals[i];

        ovs_assert(!l->port->error && l->port->has_mac && l->port->ofport);
        fuzz_check_printable(l->note);
        for (size_t j = 0; j < i; j++) {
            const struct np_local *m = b->locals[j];

            ovs_assert(l->entry != m->entry && l->port != m->port);
            ovs_assert(!eth_addr_equals(l->port->mac, m->port->mac));
            for (size_t k = 0; k < l->n_addrs * m->n_addrs; k++) {
                ovs_assert(!np_prefix_equal(&l->addrs[k / m->n_addrs],
                                            &m->addrs[k % m->n_addrs]));
            }
        }
    }
    for (size_t i = 0; i < b->n_places; i++) {
        fuzz_check_printable(b->places[i]->problem);
    }
}

static void
meet(const struct np_portmap *ports)
{
    struct np_manifest m = { .n = 0 };
    struct np_changes changes = { NULL, 0, 0 };
    struct np_cache_delta delta = { NULL, 0, 0 };
    struct np_binding_delta places = { .n = 0 };
    struct np_binding binding;
    struct np_cache cache;

    np_manifest_decode(&m, "fuzz", objects, strlen(objects));
    np_cache_init(&cache);
    for (size_t i = 0; i < m.n; i++) {
        np_changes_add(&changes, NULL, m.objects[i]);
    }
    np_cache_apply(&cache, &changes, &delta);
    np_binding_init(&binding);
    np_binding_apply(&binding, ports, &cache, &delta, "node", &places);
    check_binding(&binding);
    np_binding_settle(&binding, &places);
    np_cache_settle(&cache, &delta);
    np_binding_destroy(&binding);
    np_cache_destroy(&cache);
    np_changes_clear(&changes);
    np_manifest_clear(&m);
}

static void
read_ports(struct np_port_row *row, struct np_portmap *map)
{
    struct smap iface = SMAP_INITIALIZER(&iface);
    struct np_port_row other = {
        .bridge = "br-int", .name = "veth1", .type = "", .ofport = 8,
        .iface_ids = &iface, .port_ids = &iface,
    };

    smap_add(&iface, "iface-id", "a_y");
    smap_add(&iface, "attached-mac", "0a:58:00:00:00:02");
    map->v = xcalloc(2, sizeof *map->v);
    map->n = 2;
    np_port_from_row(row, &map->v[0]);
    np_port_from_row(&other, &map->v[1]);
    smap_destroy(&iface);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "", "system", "patch", "vxlan" };
    struct smap iface = SMAP_INITIALIZER(&iface);
    struct smap ids = SMAP_INITIALIZER(&ids);
    struct np_port_row row = {
        .bridge = "br-int", .name = "veth0", .iface_ids = &iface,
        .port_ids = &ids,
    };
    struct np_portmap map = { .n = 0 };

    if (!size) {
        return 0;
    }
    row.type = types[data[0] % ARRAY_SIZE(types)];
    read_ids(data + 1, size - 1, &iface, &ids);
    row.mac_in_use = smap_get_def(&iface, "=mac", "0a:58:00:00:00:01");
    row.ofport = smap_get_int(&iface, "=ofport", 7);
    read_ports(&row, &map);
    check(&map.v[0]);
    ovs_assert(np_portmap_equal(&map, &map));
    meet(&map);

    np_portmap_clear(&map);
    smap_destroy(&iface);
    smap_destroy(&ids);
    return 0;
}

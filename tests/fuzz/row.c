/* external_ids of an Interface and its Port: strings that end with a NUL, keys
 * and values in turn.  A key that starts with "p." is the Port's. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "ovsdb/row.h"
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
    ovs_assert(port->name);
    for (size_t i = 0; i < port->n_addrs; i++) {
        ovs_assert(port->addrs[i].len == np_prefix_max_len(&port->addrs[i]));
    }
    if (port->role == NP_PORT_POD && !port->error) {
        ovs_assert(port->pod_uid || (port->pod_namespace && port->pod_name));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "", "system", "patch", "vxlan" };
    struct smap iface = SMAP_INITIALIZER(&iface);
    struct smap ids = SMAP_INITIALIZER(&ids);
    struct np_portmap map = { .n = 1 };
    struct np_port_row row = {
        .bridge = "br-int", .name = "veth0", .ofport = 7,
        .mac_in_use = "0a:58:00:00:00:01", .iface_ids = &iface,
        .port_ids = &ids,
    };

    if (!size) {
        return 0;
    }
    row.type = types[data[0] % ARRAY_SIZE(types)];
    read_ids(data + 1, size - 1, &iface, &ids);
    map.v = xzalloc(sizeof *map.v);
    np_port_from_row(&row, &map.v[0]);
    check(&map.v[0]);

    np_portmap_clear(&map);
    smap_destroy(&iface);
    smap_destroy(&ids);
    return 0;
}

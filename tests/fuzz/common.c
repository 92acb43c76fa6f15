#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "netpol/cache.h"
#include "netpol/compile.h"
#include "netpol/manifest.h"
#include "netpol/policy.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* No two objects with one key may reach the cache; the source sees to that, and
 * here this does. */
static size_t
drop_duplicates(const struct np_meta **v, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        size_t j;

        for (j = 0; j < kept; j++) {
            if (v[j]->kind == v[i]->kind && !strcmp(v[j]->name, v[i]->name)
                && nullable_string_is_equal(v[j]->namespace,
                                            v[i]->namespace)) {
                break;
            }
        }
        if (j == kept) {
            v[kept++] = v[i];
        }
    }
    return kept;
}

/* A node with a port for each pod, so that its policies become flows. */
static void
fill_ports(struct np_portmap *ports, const struct np_cache *cache)
{
    ports->v = xcalloc(cache->n[NP_POD] + 1, sizeof *ports->v);
    for (size_t i = 0; i < cache->n[NP_POD] && i < 200; i++) {
        const struct np_meta *pod = cache->v[NP_POD][i];
        struct np_bridge_port *port = &ports->v[ports->n++];

        port->name = xasprintf("veth%"PRIuSIZE, i);
        port->ofport = i + 1;
        port->role = NP_PORT_POD;
        port->pod_namespace = xstrdup(pod->namespace);
        port->pod_name = xstrdup(pod->name);
        port->has_mac = true;
        port->mac = (struct eth_addr) ETH_ADDR_C(0a,58,00,00,00,00);
        port->mac.ea[4] = i >> 8;
        port->mac.ea[5] = i;
    }
}

/* To flows: slow, because the whole pipeline is made each time. */
static void
compile(const struct np_policies *policies, const struct np_cache *cache)
{
    struct np_compile_config config = { .ct_zone = 64000 };
    struct np_compiler *compiler = np_compiler_create(&config);
    struct np_portmap ports = { .n = 0 };
    struct np_binding binding;
    struct np_flow_set flows;
    struct ds s = DS_EMPTY_INITIALIZER;

    np_flow_set_init(&flows);
    fill_ports(&ports, cache);
    np_binding_build(&binding, &ports, cache, "node");
    np_compiler_rebuild(compiler, policies, cache, &binding, &ports, &flows);
    np_compiler_dump(compiler, &s);

    ds_destroy(&s);
    np_flow_set_destroy(&flows);
    np_compiler_destroy(compiler);
    np_binding_clear(&binding);
    np_portmap_clear(&ports);
}

/* Everything to rules, and one policy in eight to flows. */
static void
use(const struct np_meta *const *objects, size_t n, size_t size)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_policies policies;
    struct np_cache cache;

    np_cache_init(&cache);
    np_policies_init(&policies);
    np_cache_rebuild(&cache, objects, n);
    np_policies_rebuild(&policies, &cache);
    np_policies_dump(&policies, &s);
    if (cache.n[NP_NETPOL] && size % 8 == 0) {
        compile(&policies, &cache);
    }
    ds_destroy(&s);
    np_policies_destroy(&policies);
    np_cache_destroy(&cache);
}

void
fuzz_manifest_text(const char *text, size_t size)
{
    struct np_manifest m = { .n = 0 };
    const struct np_meta **objects;

    np_manifest_decode(&m, "fuzz", text, size);
    for (size_t i = 0; i < m.errors.n; i++) {
        ovs_assert(m.errors.v[i].line >= 0 && m.errors.v[i].reason);
    }
    objects = xmalloc((m.n + 1) * sizeof *objects);
    for (size_t i = 0; i < m.n; i++) {
        ovs_assert(np_object_equal(m.objects[i], m.objects[i]));
        ovs_assert(m.objects[i]->line > 0);
        objects[i] = m.objects[i];
    }
    use(objects, drop_duplicates(objects, m.n), size);
    free(objects);
    np_manifest_clear(&m);
}

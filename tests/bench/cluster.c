/* Clusters in memory. */

#include <config.h>
#include "bench/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "netpol/manifest.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

static void
check(const struct np_manifest *m)
{
    if (m->errors.n) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_error_format(&m->errors.v[0], &s);
        ovs_fatal(0, "the generator made a bad manifest: %s", ds_cstr(&s));
    }
}

struct np_meta *
np_bench_decode(const struct ds *text)
{
    struct np_manifest m = { .n = 0 };
    struct np_meta *object;

    np_manifest_decode(&m, "bench", text->string, text->length);
    check(&m);
    ovs_assert(m.n == 1);
    object = m.objects[0];
    m.n = 0;
    np_manifest_clear(&m);
    return object;
}

static void
index_objects(struct np_bench_cluster *c)
{
    size_t n_pods = 0, n_namespaces = 0;

    c->pods = xcalloc(c->gen.n_pods, sizeof *c->pods);
    c->namespaces = xcalloc(c->gen.n_namespaces, sizeof *c->namespaces);
    c->policies = xcalloc(c->gen.size.policies, sizeof *c->policies);
    for (size_t i = 0; i < c->n_objects; i++) {
        switch ((int) c->objects[i]->kind) {
        case NP_POD: c->pods[n_pods++] = i; break;
        case NP_NAMESPACE: c->namespaces[n_namespaces++] = i; break;
        case NP_NETPOL: c->policies[c->n_policies++] = i; break;
        default: break;
        }
    }
    ovs_assert(n_pods == c->gen.n_pods
               && n_namespaces == c->gen.n_namespaces
               && c->n_policies == c->gen.size.policies);
}

void
np_bench_cluster_init(struct np_bench_cluster *c,
                      const struct np_bench_size *size, uint32_t seed)
{
    memset(c, 0, sizeof *c);
    c->pool = np_pool_create();
    np_bench_gen_init(&c->gen, size, seed);
    for (uint32_t i = 0; i < c->gen.n_namespaces; i++) {
        struct np_manifest m = { .pool = c->pool };
        struct ds text = DS_EMPTY_INITIALIZER;

        np_bench_list_json(&c->gen, i, &text);
        np_manifest_decode(&m, c->gen.namespaces[i].name, text.string,
                           text.length);
        check(&m);
        c->objects = xrealloc(c->objects, (c->n_objects + m.n)
                                          * sizeof *c->objects);
        memcpy(&c->objects[c->n_objects], m.objects,
               m.n * sizeof *c->objects);
        c->n_objects += m.n;
        m.n = 0;
        np_manifest_clear(&m);
        ds_destroy(&text);
    }
    index_objects(c);
    np_bench_ports(&c->gen, &c->ports);
}

void
np_bench_cluster_destroy(struct np_bench_cluster *c)
{
    for (size_t i = 0; i < c->n_objects; i++) {
        np_object_destroy(c->objects[i]);
    }
    np_pool_destroy(c->pool);
    free(c->objects);
    free(c->pods);
    free(c->namespaces);
    free(c->policies);
    np_portmap_clear(&c->ports);
    np_bench_gen_destroy(&c->gen);
}

void
np_bench_cluster_changes(const struct np_bench_cluster *c,
                         struct np_changes *changes)
{
    for (size_t i = 0; i < c->n_objects; i++) {
        np_changes_add(changes, NULL, c->objects[i]);
    }
}

static struct eth_addr
mac_of(uint32_t addr)
{
    /* As ovn-kubernetes makes them of addresses. */
    return (struct eth_addr) { .ea = { 0x0a, 0x58, addr >> 24, addr >> 16,
                                       addr >> 8, addr } };
}

/* A new element, in its place by name. */
static struct np_bridge_port *
insert(struct np_portmap *ports, char *name)
{
    size_t i = ports->n;

    ports->v = xrealloc(ports->v, (ports->n + 1) * sizeof *ports->v);
    for (; i && strcmp(ports->v[i - 1].name, name) > 0; i--) {
        ports->v[i] = ports->v[i - 1];
    }
    ports->n++;
    ports->v[i] = (struct np_bridge_port) { .name = name };
    return &ports->v[i];
}

static void
set_addr(struct np_bridge_port *port, uint32_t addr)
{
    port->has_mac = true;
    port->mac = mac_of(addr);
    port->addrs = xmalloc(sizeof *port->addrs);
    port->addrs[0] = np_prefix_v4(htonl(addr), 32);
    port->n_addrs = 1;
}

void
np_bench_ports_add(const struct np_bench_gen *g,
                   const struct np_bench_pod *pod, uint32_t ofport,
                   struct np_portmap *ports)
{
    const struct np_bench_workload *w = &g->workloads[pod->workload];
    struct np_bridge_port *port
        = insert(ports, xasprintf("pod%05"PRIu32, ofport));

    port->ofport = ofport;
    port->role = NP_PORT_POD;
    port->pod_namespace = xstrdup(g->namespaces[w->ns].name);
    port->pod_name = np_bench_pod_name(g, pod);
    port->pod_uid = np_bench_pod_uid(g, pod);
    set_addr(port, pod->addr);
}

/* PORTS is a copy, so there is nothing to be freed. */
void
np_bench_ports_remove(struct np_portmap *ports, uint32_t ofport)
{
    for (size_t i = 0; i < ports->n; i++) {
        if (ports->v[i].ofport == ofport) {
            ports->n--;
            memmove(&ports->v[i], &ports->v[i + 1],
                    (ports->n - i) * sizeof *ports->v);
            return;
        }
    }
}

void
np_bench_ports(const struct np_bench_gen *g, struct np_portmap *ports)
{
    struct np_bridge_port *port;
    uint32_t ofport = 1;

    memset(ports, 0, sizeof *ports);
    for (uint32_t i = 0; i < g->n_pods; i++) {
        if (!g->pods[i].node) {
            np_bench_ports_add(g, &g->pods[i], ofport++, ports);
        }
    }
    port = insert(ports, xstrdup("br-int"));
    port->ofport = NP_OFPORT_LOCAL;
    port->role = NP_PORT_NODE;
    set_addr(port, NP_BENCH_GATEWAY);
    port = insert(ports, xstrdup("uplink"));
    port->ofport = NP_BENCH_UPLINK;
    port->role = NP_PORT_UPLINK;
}

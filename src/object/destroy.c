/* What objects own, what they have a share in, and how it is freed. */

#include <config.h>
#include "netpol/object.h"

#include <stdlib.h>

#include "netpol/pool.h"
#include "util.h"

static void
destroy_optional_selector(struct np_selector *s)
{
    if (s) {
        np_selector_destroy(s);
        free(s);
    }
}

static void
destroy_rule(struct np_netpol_rule *rule)
{
    for (size_t i = 0; i < rule->n_peers; i++) {
        struct np_peer *peer = &rule->peers[i];

        destroy_optional_selector(peer->pods);
        destroy_optional_selector(peer->namespaces);
        if (peer->block) {
            free(peer->block->except);
            free(peer->block);
        }
    }
    free(rule->peers);
    for (size_t i = 0; i < rule->n_ports; i++) {
        free(rule->ports[i].name);
    }
    free(rule->ports);
}

static void
destroy_netpol(struct np_netpol *netpol)
{
    np_selector_destroy(&netpol->pods);
    for (size_t d = 0; d < 2; d++) {
        for (size_t i = 0; i < netpol->n_rules[d]; i++) {
            destroy_rule(&netpol->rules[d][i]);
        }
        free(netpol->rules[d]);
    }
}

static void
put_port_names(const struct np_container_port *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        np_pool_put(v[i].name);
    }
}

void
np_pod_share_ports(struct np_pod *pod, struct np_pool *pool,
                   const struct np_container_port *v, size_t n)
{
    bool shared;

    pod->n_ports = n;
    if (n) {
        pod->ports = np_pool_get(pool, v, n * sizeof *v, &shared);
        if (shared) {
            put_port_names(v, n);       /* It has them. */
        }
    }
}

static void
destroy_pod(struct np_pod *pod)
{
    np_pool_put(pod->node_name);
    free(pod->addrs);
    if (pod->ports && np_pool_is_last(pod->ports)) {
        put_port_names(pod->ports, pod->n_ports);
    }
    np_pool_put(pod->ports);
}

static void
destroy_body(struct np_meta *meta)
{
    switch (meta->kind) {
    case NP_POD:
        destroy_pod((struct np_pod *) meta);
        return;
    case NP_NODE:
        free(((struct np_node *) meta)->addrs);
        return;
    case NP_NETPOL:
        destroy_netpol((struct np_netpol *) meta);
        return;
    case NP_NAMESPACE:
        return;
    case NP_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}

void
np_object_destroy(struct np_meta *meta)
{
    if (meta) {
        destroy_body(meta);
        np_pool_put(meta->namespace);
        free(meta->name);
        free(meta->uid);
        np_labels_destroy(&meta->labels);
        np_pool_put(meta->file);
        free(meta);
    }
}

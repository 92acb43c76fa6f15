/* Equality of objects.
 *
 * Used to tell that a file which was written again says the same as before.
 * It looks at what was decoded, without defaults: two spellings of one meaning
 * may count as different, which costs a recomputation, but never the other way
 * round. */

#include <config.h>
#include "netpol/object.h"

#include <string.h>

#include "util.h"

static bool
strings_equal(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool
meta_equal(const struct np_meta *a, const struct np_meta *b)
{
    return a->kind == b->kind && strings_equal(a->namespace, b->namespace)
           && strings_equal(a->name, b->name) && strings_equal(a->uid, b->uid)
           && np_labels_equal(&a->labels, &b->labels);
}

static bool
prefixes_equal(const struct np_prefix *a, size_t n_a,
               const struct np_prefix *b, size_t n_b)
{
    return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof *a));
}

static bool
pod_equal(const struct np_pod *a, const struct np_pod *b)
{
    if (a->host_network != b->host_network || a->phase != b->phase
        || !strings_equal(a->node_name, b->node_name)
        || !prefixes_equal(a->addrs, a->n_addrs, b->addrs, b->n_addrs)
        || a->n_ports != b->n_ports) {
        return false;
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        const struct np_container_port *p = &a->ports[i];
        const struct np_container_port *q = &b->ports[i];

        if (!strings_equal(p->name, q->name) || p->port != q->port
            || p->has_protocol != q->has_protocol
            || (p->has_protocol && p->protocol != q->protocol)) {
            return false;
        }
    }
    return true;
}

static bool
node_equal(const struct np_node *a, const struct np_node *b)
{
    return prefixes_equal(a->addrs, a->n_addrs, b->addrs, b->n_addrs);
}

static bool
optional_selectors_equal(const struct np_selector *a,
                         const struct np_selector *b)
{
    return a && b ? np_selector_equal(a, b) : a == b;
}

static bool
ipblocks_equal(const struct np_ipblock *a, const struct np_ipblock *b)
{
    if (!a || !b) {
        return a == b;
    }
    return np_prefix_equal(&a->cidr, &b->cidr)
           && prefixes_equal(a->except, a->n_except, b->except, b->n_except);
}

static bool
peer_equal(const struct np_peer *a, const struct np_peer *b)
{
    return optional_selectors_equal(a->pods, b->pods)
           && optional_selectors_equal(a->namespaces, b->namespaces)
           && ipblocks_equal(a->block, b->block);
}

static bool
port_equal(const struct np_port *a, const struct np_port *b)
{
    return a->has_protocol == b->has_protocol
           && (!a->has_protocol || a->protocol == b->protocol)
           && strings_equal(a->name, b->name)
           && a->has_port == b->has_port
           && (!a->has_port || a->port == b->port)
           && a->has_end == b->has_end
           && (!a->has_end || a->end == b->end);
}

static bool
rule_equal(const struct np_netpol_rule *a, const struct np_netpol_rule *b)
{
    if (a->n_peers != b->n_peers || a->n_ports != b->n_ports) {
        return false;
    }
    for (size_t i = 0; i < a->n_peers; i++) {
        if (!peer_equal(&a->peers[i], &b->peers[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        if (!port_equal(&a->ports[i], &b->ports[i])) {
            return false;
        }
    }
    return true;
}

static bool
netpol_equal(const struct np_netpol *a, const struct np_netpol *b)
{
    if (a->unreadable != b->unreadable
        || !np_selector_equal(&a->pods, &b->pods)) {
        return false;
    }
    for (size_t d = 0; d < 2; d++) {
        if (a->types[d] != b->types[d] || a->n_rules[d] != b->n_rules[d]) {
            return false;
        }
        for (size_t i = 0; i < a->n_rules[d]; i++) {
            if (!rule_equal(&a->rules[d][i], &b->rules[d][i])) {
                return false;
            }
        }
    }
    return true;
}

bool
np_object_equal(const struct np_meta *a, const struct np_meta *b)
{
    if (!meta_equal(a, b)) {
        return false;
    }
    switch (a->kind) {
    case NP_POD:
        return pod_equal((const struct np_pod *) a, (const struct np_pod *) b);
    case NP_NODE:
        return node_equal((const struct np_node *) a,
                          (const struct np_node *) b);
    case NP_NETPOL:
        return netpol_equal((const struct np_netpol *) a,
                            (const struct np_netpol *) b);
    case NP_NAMESPACE:
        return true;
    case NP_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}

/* Which port is which pod's.
 *
 * The database has claims: this row says that it is pod x's.  Here they meet
 * the pods themselves and each port ends up as one pod's, or as one that
 * carries nothing, with the reason.  A mistake must not let two ports share a
 * pod's identity, or one port two; so each pod, MAC and address is given away
 * once, and who comes too late carries nothing.
 *
 * Built anew whenever a port changed, or a pod that a port names, or this
 * node's object: it is as large as the node, not as the cluster. */

#include <config.h>
#include <stdarg.h>
#include <stdlib.h>
#include "compile/claim.h"
#include "hash.h"
#include "netpol/error.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "packets.h"
#include "util.h"

/* A pod's address that has been given away. */
struct taken {
    struct hmap_node node;
    struct np_prefix addr;
};

/* The best claim on one pod. */
struct best {
    struct hmap_node node;
    const struct np_entry *entry;
    const struct np_bridge_port *port;
};

struct binder {
    struct np_binding *b;
    struct hmap best;           /* struct best. */
    struct best *bests;         /* All of them, one for each port at most. */
    struct hmap taken;          /* struct taken: pods' and the node's. */
    struct taken *takens;       /* All of them. */
};

static void OVS_PRINTF_FORMAT(3, 4)
refuse(struct binder *binder, const struct np_bridge_port *port,
       const char *format, ...)
{
    struct np_bad_port *bad = &binder->b->bad[binder->b->n_bad++];
    va_list args;
    char *reason;

    va_start(args, format);
    reason = xvasprintf(format, args);
    va_end(args);
    bad->port = port;
    bad->reason = np_printable(reason);     /* A UID may be anything. */
    free(reason);
}

/* Returns false if ADDR is someone else's already. */
static bool
take(struct binder *binder, const struct np_prefix *addr)
{
    uint32_t hash = np_prefix_hash(addr, 0);
    struct taken *t;

    HMAP_FOR_EACH_WITH_HASH (t, node, hash, &binder->taken) {
        if (np_prefix_equal(&t->addr, addr)) {
            return false;
        }
    }
    t = &binder->takens[hmap_count(&binder->taken)];
    t->addr = *addr;
    hmap_insert(&binder->taken, &t->node, hash);
    return true;
}

/* Does the row name another incarnation of the pod? */
static bool
stale_claim(const struct np_bridge_port *port, const struct np_pod *pod)
{
    return (port->pod_uid && pod->meta.uid
            && strcmp(port->pod_uid, pod->meta.uid));
}

/* Of two claims on POD: the one whose UID is the pod's, else the port that the
 * switch numbered last, which is most likely the newer sandbox's. */
static bool
better_claim(const struct np_bridge_port *a, const struct np_bridge_port *b,
             const struct np_pod *pod)
{
    bool a_exact = a->pod_uid && pod->meta.uid && !stale_claim(a, pod);
    bool b_exact = b->pod_uid && pod->meta.uid && !stale_claim(b, pod);

    return a_exact != b_exact ? a_exact : a->ofport > b->ofport;
}

/* Tells, as far as the row alone can, why PORT cannot be a pod's port; NULL if
 * it can. */
static char *
row_problem(const struct np_bridge_port *port)
{
    if (port->error) {
        return xstrdup(port->error);
    } else if (port->role == NP_PORT_UNKNOWN) {
        return xstrdup("no key says what this port is");
    } else if (port->ofport == NP_OFPORT_NONE) {
        return xstrdup("has no OpenFlow port number (ofport -1)");
    } else if (!port->has_mac) {
        return xstrdup("its row has no attached-mac");
    } else if (eth_addr_is_multicast(port->mac)
               || eth_addr_is_zero(port->mac)) {
        return xstrdup("its attached-mac is not a unicast address");
    }
    return NULL;
}

static char *
pod_problem(const struct np_bridge_port *port, const struct np_pod *pod)
{
    if (!pod) {
        return (port->pod_name
                ? xasprintf("no pod %s/%s is known", port->pod_namespace,
                            port->pod_name)
                : xasprintf("no pod with UID %s is known", port->pod_uid));
    } else if (stale_claim(port, pod)) {
        return xasprintf("iface-id-ver %s is not the UID of pod %s/%s, %s",
                         port->pod_uid, pod->meta.namespace, pod->meta.name,
                         pod->meta.uid);
    } else if (!np_pod_counts(pod)) {
        return xasprintf("pod %s/%s %s", pod->meta.namespace, pod->meta.name,
                         pod->host_network ? "uses the host's network"
                                           : "has finished");
    }
    return NULL;
}

static struct best *
best_claim(const struct binder *binder, const struct np_entry *entry)
{
    struct best *best;

    HMAP_FOR_EACH_WITH_HASH (best, node, hash_pointer(entry, 0),
                             &binder->best) {
        if (best->entry == entry) {
            return best;
        }
    }
    return NULL;
}

/* Enters CLAIM if it is the best so far. */
static void
weigh_claim(struct binder *binder, const struct np_claim *claim)
{
    const struct np_bridge_port *port = claim->port;
    const struct np_entry *entry = claim->entry;
    char *problem = row_problem(port);
    struct best *best;

    if (entry && !problem && port->role == NP_PORT_POD
        && !stale_claim(port, np_entry_pod(entry))) {
        best = best_claim(binder, entry);
        if (!best) {
            best = &binder->bests[hmap_count(&binder->best)];
            best->entry = entry;
            best->port = NULL;
            hmap_insert(&binder->best, &best->node, hash_pointer(entry, 0));
        }
        if (!best->port
            || better_claim(port, best->port, np_entry_pod(entry))) {
            best->port = port;
        }
    }
    free(problem);
}

/* RFC 4291 appendix A: the link-local address that a MAC gives. */
static struct np_prefix
link_local(const struct eth_addr mac)
{
    struct in6_addr addr;

    in6_generate_lla(mac, &addr);
    return np_prefix_v6(&addr, 128);
}

static bool
contains(const struct np_prefix *addrs, size_t n, const struct np_prefix *addr)
{
    for (size_t i = 0; i < n; i++) {
        if (np_prefix_equal(&addrs[i], addr)) {
            return true;
        }
    }
    return false;
}

static bool
same_addrs(const struct np_prefix *a, size_t n_a,
           const struct np_prefix *b, size_t n_b)
{
    for (size_t i = 0; i < n_a; i++) {
        if (!contains(b, n_b, &a[i])) {
            return false;
        }
    }
    return n_a == n_b;
}

static void
format_addrs(const struct np_prefix *addrs, size_t n, struct ds *s)
{
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(s, i ? "," : "");
        np_prefix_format(&addrs[i], s);
    }
}

static char *
differing_addrs(const struct np_bridge_port *port, const struct np_pod *pod)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (!port->n_addrs || !pod->n_addrs
        || same_addrs(port->addrs, port->n_addrs, pod->addrs, pod->n_addrs)) {
        return NULL;
    }
    ds_put_cstr(&s, "the row's addresses ");
    format_addrs(port->addrs, port->n_addrs, &s);
    ds_put_cstr(&s, " hold, not status.podIPs ");
    format_addrs(pod->addrs, pod->n_addrs, &s);
    return ds_steal_cstr(&s);
}

static void
bind_port(struct binder *binder, const struct np_bridge_port *port,
          struct np_entry *entry)
{
    const struct np_pod *pod = np_entry_pod(entry);
    const struct np_prefix *addrs = port->n_addrs ? port->addrs : pod->addrs;
    size_t n = port->n_addrs ? port->n_addrs : pod->n_addrs;
    struct np_prefix lla = link_local(port->mac);
    struct np_local local = { .port = port, .entry = entry };

    if (!n) {
        refuse(binder, port, "has no address, neither in its row nor in the "
               "pod's status.podIPs");
        return;
    }
    /* Equal link-local addresses are equal MACs. */
    if (!take(binder, &lla)) {
        refuse(binder, port, "another pod's port has its MAC "ETH_ADDR_FMT,
               ETH_ADDR_ARGS(port->mac));
        return;
    }
    local.addrs = xmalloc((n + 1) * sizeof *local.addrs);
    for (size_t i = 0; i < n; i++) {
        if (np_prefix_equal(&addrs[i], &lla)
            || contains(local.addrs, local.n_addrs, &addrs[i])) {
            continue;
        }
        if (!take(binder, &addrs[i])) {
            struct ds s = DS_EMPTY_INITIALIZER;

            np_prefix_format(&addrs[i], &s);
            refuse(binder, port, "%s is another port's address", ds_cstr(&s));
            ds_destroy(&s);
            free(local.addrs);
            return;
        }
        local.addrs[local.n_addrs++] = addrs[i];
    }
    local.addrs[local.n_addrs++] = lla;
    local.note = differing_addrs(port, pod);
    binder->b->locals[binder->b->n_locals++] = local;
}

static void
consider_claim(struct binder *binder, const struct np_claim *claim)
{
    const struct np_bridge_port *port = claim->port;
    struct np_entry *entry = claim->entry;
    const struct np_pod *pod = entry ? np_entry_pod(entry) : NULL;
    const struct np_bridge_port *best;
    char *problem = row_problem(port);

    if (!problem) {
        problem = pod_problem(port, pod);
    }
    if (problem) {
        refuse(binder, port, "%s", problem);
        free(problem);
        return;
    }
    best = best_claim(binder, entry)->port;
    if (best != port) {
        refuse(binder, port, "pod %s/%s is on port %s", pod->meta.namespace,
               pod->meta.name, best->name);
        return;
    }
    bind_port(binder, port, entry);
}

static int
compare_prefixes(const void *a, const void *b)
{
    return np_prefix_compare(a, b);
}

/* The node's own addresses: its object's, and its ports'.  They are taken
 * before any pod's. */
static void
collect_node_addrs(struct binder *binder, const struct np_portmap *ports,
                   const struct np_node *node)
{
    struct np_binding *b = binder->b;
    size_t n = node ? node->n_addrs : 0;

    for (size_t i = 0; i < ports->n; i++) {
        n += ports->v[i].n_addrs;
    }
    b->node_addrs = xmalloc(n * sizeof *b->node_addrs);
    for (size_t i = 0; node && i < node->n_addrs; i++) {
        if (take(binder, &node->addrs[i])) {
            b->node_addrs[b->n_node_addrs++] = node->addrs[i];
        }
    }
    for (size_t i = 0; i < ports->n; i++) {
        const struct np_bridge_port *port = &ports->v[i];

        for (size_t j = 0; port->role == NP_PORT_NODE && j < port->n_addrs;
             j++) {
            if (take(binder, &port->addrs[j])) {
                b->node_addrs[b->n_node_addrs++] = port->addrs[j];
            }
        }
    }
    qsort(b->node_addrs, b->n_node_addrs, sizeof *b->node_addrs,
          compare_prefixes);
}

/* The ports' own words lie side by side; the objects are all over memory. */
static int
compare_locals(const void *a_, const void *b_)
{
    const struct np_local *a = a_;
    const struct np_local *b = b_;
    int cmp;

    if (a->port->pod_name && b->port->pod_name) {
        cmp = strcmp(a->port->pod_namespace, b->port->pod_namespace);
        return cmp ? cmp : strcmp(a->port->pod_name, b->port->pod_name);
    }
    cmp = strcmp(a->entry->object->namespace, b->entry->object->namespace);
    return cmp ? cmp : strcmp(a->entry->object->name, b->entry->object->name);
}

static const struct np_node *
find_node(const struct np_cache *cache, const char *name)
{
    const struct np_entry *entry = np_cache_find(cache, NP_NODE, NULL, name);

    return entry ? (const struct np_node *) entry->object : NULL;
}

/* The most addresses that can be taken; a pod's port has a link-local one as
 * well. */
static size_t
count_addrs(const struct np_binding *b, const struct np_node *node)
{
    size_t n = node ? node->n_addrs : 0;

    for (size_t i = 0; i < b->n_ports; i++) {
        const struct np_claim *claim = &b->claims[i];
        size_t n_pod = claim->entry ? np_entry_pod(claim->entry)->n_addrs : 0;

        n += 1 + MAX(claim->port->n_addrs, n_pod);
    }
    return n;
}

/* After the claims were collected. */
static void
binder_init(struct binder *binder, const struct np_node *node)
{
    const struct np_binding *b = binder->b;

    hmap_init(&binder->taken);
    hmap_init(&binder->best);
    binder->bests = xmalloc((b->n_ports + 1) * sizeof *binder->bests);
    binder->takens = xmalloc((count_addrs(b, node) + 1)
                             * sizeof *binder->takens);
}

static void
binder_destroy(struct binder *binder)
{
    hmap_destroy(&binder->taken);
    hmap_destroy(&binder->best);
    free(binder->bests);
    free(binder->takens);
}

void
np_binding_init(struct np_binding *b)
{
    memset(b, 0, sizeof *b);
    hmap_init(&b->by_entry);
    hmap_init(&b->by_claim);
}

void
np_binding_build(struct np_binding *b, const struct np_portmap *ports,
                 const struct np_cache *cache, const char *node,
                 const struct np_binding *old)
{
    const struct np_node *self = find_node(cache, node);
    struct binder binder = { .b = b };

    np_binding_init(b);
    b->locals = xmalloc((ports->n + 1) * sizeof *b->locals);
    b->bad = xmalloc((ports->n + 1) * sizeof *b->bad);
    b->by_port = xcalloc(ports->n + 1, sizeof *b->by_port);
    b->ports = ports->v;
    b->n_ports = ports->n;
    np_claims_collect(b, ports, cache, old);
    binder_init(&binder, self);

    collect_node_addrs(&binder, ports, self);
    for (size_t i = 0; i < ports->n; i++) {
        weigh_claim(&binder, &b->claims[i]);
    }
    for (size_t i = 0; i < ports->n; i++) {
        if (ports->v[i].role == NP_PORT_POD
            || ports->v[i].role == NP_PORT_UNKNOWN) {
            consider_claim(&binder, &b->claims[i]);
        }
    }
    binder_destroy(&binder);

    qsort(b->locals, b->n_locals, sizeof *b->locals, compare_locals);
    for (size_t i = 0; i < b->n_locals; i++) {
        hmap_insert(&b->by_entry, &b->locals[i].node,
                    hash_pointer(b->locals[i].entry, 0));
        b->by_port[b->locals[i].port - ports->v] = &b->locals[i];
    }
}

void
np_binding_destroy(struct np_binding *b)
{
    for (size_t i = 0; i < b->n_locals; i++) {
        free(b->locals[i].addrs);
        free(b->locals[i].note);
    }
    for (size_t i = 0; i < b->n_bad; i++) {
        free(b->bad[i].reason);
    }
    free(b->locals);
    free(b->bad);
    free(b->node_addrs);
    free(b->by_port);
    free(b->claims);
    hmap_destroy(&b->by_entry);
    hmap_destroy(&b->by_claim);
}

void
np_binding_dump(const struct np_binding *b, struct ds *s)
{
    for (size_t i = 0; i < b->n_node_addrs; i++) {
        ds_put_cstr(s, "node ");
        np_prefix_format(&b->node_addrs[i], s);
        ds_put_char(s, '\n');
    }
    for (size_t i = 0; i < b->n_locals; i++) {
        const struct np_local *local = &b->locals[i];

        ds_put_format(s, "local %s/%s at %s:", local->entry->object->namespace,
                      local->entry->object->name, local->port->name);
        for (size_t j = 0; j < local->n_addrs; j++) {
            ds_put_char(s, ' ');
            np_prefix_format(&local->addrs[j], s);
        }
        ds_put_format(s, "%s%s\n", local->note ? "; " : "",
                      local->note ? local->note : "");
    }
    for (size_t i = 0; i < b->n_bad; i++) {
        ds_put_format(s, "refused %s: %s\n", b->bad[i].port->name,
                      b->bad[i].reason);
    }
}

void
np_binding_swap(struct np_binding *a, struct np_binding *b)
{
    struct np_binding tmp = *a;

    *a = *b;
    *b = tmp;
    hmap_moved(&a->by_entry);
    hmap_moved(&b->by_entry);
    hmap_moved(&a->by_claim);
    hmap_moved(&b->by_claim);
}

const struct np_local *
np_binding_find(const struct np_binding *b, const struct np_entry *entry)
{
    const struct np_local *local;

    HMAP_FOR_EACH_WITH_HASH (local, node, hash_pointer(entry, 0),
                             &b->by_entry) {
        if (local->entry == entry) {
            return local;
        }
    }
    return NULL;
}

const struct np_local *
np_binding_at(const struct np_binding *b, const struct np_bridge_port *port)
{
    return b->by_port[port - b->ports];
}

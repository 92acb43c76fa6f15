/* IP clauses, as Antrea and others make them.
 *
 * A rule is a conjunction of up to three clauses: the addresses of its peers,
 * the addresses of the pods of this node that it applies to, and its ports.
 * One flow for each address or port; flows with the same match are merged and
 * name several conjunctions.  `except` is subtracted from its block.  A named
 * port makes a conjunction for each number that it stands for.  Only policies
 * that apply to a pod of this node are compiled.
 *
 * This reads the objects by itself and shares nothing with the compiler but
 * the selectors.  The pipeline around the clauses is the shortest that does
 * the same for IPv4: source check, conntrack, what is established goes on,
 * egress, ingress, commit, forward. */

#include <config.h>
#include "bench/ipclause.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "netpol/portrange.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"

enum { T_IN = 0, T_CT = 10, T_STATE = 11, T_EGRESS = 20,
       T_EGRESS_DEFAULT = 25, T_INGRESS = 30, T_INGRESS_DEFAULT = 35,
       T_COMMIT = 50, T_FORWARD = 60 };

struct ip_local {
    const struct np_pod *pod;
    const struct np_bridge_port *port;
    bool isolated[2];           /* By np_direction. */
};

struct ip_build {
    const struct np_bench_cluster *c;
    FILE *stream;
    struct np_bench_ip_count count;
    struct shash namespaces;    /* To struct np_namespace. */
    struct ip_local *locals;
    size_t n_locals;
    uint32_t conj;              /* Last id. */
    struct shash clauses[2];    /* By direction: match to actions, struct
                                 * ds. */
};

/* Addresses or ports, as matches. */
struct dimension {
    char **v;
    size_t n, allocated;
    bool any;
};

static void
dimension_add(struct dimension *d, char *match)
{
    if (d->n >= d->allocated) {
        d->v = x2nrealloc(d->v, &d->allocated, sizeof *d->v);
    }
    d->v[d->n++] = match;
}

static void
dimension_destroy(struct dimension *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->v[i]);
    }
    free(d->v);
}

static void OVS_PRINTF_FORMAT(3, 4)
put(struct ip_build *b, size_t *count, const char *format, ...)
{
    va_list args;

    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    ++*count;
    if (count == &b->count.policy) {
        b->count.policy_bytes += strlen(text);
    }
    if (b->stream) {
        fprintf(b->stream, "%s\n", text);
    }
    free(text);
}

static char *
addr_match(bool src, const struct np_prefix *p)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, src ? "ip,nw_src=" : "ip,nw_dst=");
    np_prefix_format(p, &s);
    return ds_steal_cstr(&s);
}

/* P without what EXCEPT covers: halves, until one is outside all of them. */
static void
subtract(struct dimension *d, bool src, struct np_prefix p,
         const struct np_ipblock *block)
{
    bool overlaps = false;

    for (size_t i = 0; i < block->n_except; i++) {
        if (np_prefix_contains(&block->except[i], &p)) {
            return;
        }
        overlaps = overlaps || np_prefix_contains(&p, &block->except[i]);
    }
    if (!overlaps) {
        dimension_add(d, addr_match(src, &p));
        return;
    }
    struct np_prefix half = p;
    half.len++;
    subtract(d, src, half, block);
    half.bytes[p.len / 8] |= 0x80 >> p.len % 8;
    subtract(d, src, half, block);
}

static bool
peer_matches(const struct ip_build *b, const struct np_peer *peer,
             const char *home, const struct np_pod *pod)
{
    const struct np_namespace *ns = shash_find_data(&b->namespaces,
                                                    pod->meta.namespace);

    return (!peer->block && np_pod_counts(pod)
            && (peer->namespaces
                ? np_selector_matches(peer->namespaces, &ns->meta.labels)
                : !strcmp(home, pod->meta.namespace))
            && (!peer->pods
                || np_selector_matches(peer->pods, &pod->meta.labels)));
}

/* The number that POD gives the port NAME, or 0. */
static uint16_t
resolve(const struct np_pod *pod, const struct np_port *port)
{
    enum np_proto proto = port->has_protocol ? port->protocol : NP_TCP;

    for (size_t i = 0; i < pod->n_ports; i++) {
        const struct np_container_port *p = &pod->ports[i];

        if (p->name && !strcmp(p->name, port->name)
            && (p->has_protocol ? p->protocol : NP_TCP) == proto) {
            return p->port;
        }
    }
    return 0;
}

/* What one conjunction is made of. */
struct ip_rule {
    const struct np_netpol *policy;
    const struct np_netpol_rule *rule;
    enum np_direction direction;
    const struct np_port *named;        /* The only port, if it has a name,
                                         * and the number it stands for. */
    uint16_t number;
};

static bool
serves(const struct ip_rule *r, const struct np_pod *pod)
{
    return !r->named || resolve(pod, r->named) == r->number;
}

static void
add_peers(struct ip_build *b, const struct ip_rule *r, struct dimension *d)
{
    bool src = r->direction == NP_INGRESS;

    d->any = !r->rule->n_peers && !(r->named && !src);
    for (size_t i = 0; i < b->c->n_objects && !d->any; i++) {
        const struct np_pod *pod = (const void *) b->c->objects[i];
        bool in = false;

        if (pod->meta.kind != NP_POD || !pod->n_addrs) {
            continue;
        }
        for (size_t j = 0; j < r->rule->n_peers && !in; j++) {
            in = peer_matches(b, &r->rule->peers[j],
                              r->policy->meta.namespace, pod);
        }
        if (in && (src || serves(r, pod))) {
            dimension_add(d, addr_match(src, &pod->addrs[0]));
        }
    }
    for (size_t j = 0; j < r->rule->n_peers; j++) {
        const struct np_ipblock *block = r->rule->peers[j].block;

        if (block && block->cidr.family == 4 && !(r->named && !src)) {
            subtract(d, src, block->cidr, block);
        }
    }
}

static bool
applies(const struct np_netpol *policy, const struct np_pod *pod)
{
    return (!strcmp(policy->meta.namespace, pod->meta.namespace)
            && np_selector_matches(&policy->pods, &pod->meta.labels));
}

static void
add_applied(struct ip_build *b, const struct ip_rule *r, struct dimension *d)
{
    bool in = r->direction == NP_INGRESS;

    for (size_t i = 0; i < b->n_locals; i++) {
        if (applies(r->policy, b->locals[i].pod)
            && (!in || serves(r, b->locals[i].pod))) {
            dimension_add(d, addr_match(!in, &b->locals[i].port->addrs[0]));
        }
    }
}

static void
add_range(struct dimension *d, const struct np_port *port, uint16_t lo,
          uint16_t hi)
{
    static const char *const names[] = { "tcp", "udp", "sctp" };
    enum np_proto proto = port->has_protocol ? port->protocol : NP_TCP;
    const char *name = names[proto == NP_TCP ? 0 : proto == NP_UDP ? 1 : 2];
    struct np_port_mask masks[NP_PORT_MASKS_MAX];
    size_t n = np_port_masks(lo, hi, masks);

    for (size_t i = 0; i < n; i++) {
        dimension_add(d, (masks[i].mask
                          ? xasprintf("%s,tp_dst=0x%x/0x%x", name,
                                      masks[i].value, masks[i].mask)
                          : xstrdup(name)));
    }
}

static void
add_services(const struct ip_rule *r, struct dimension *d)
{
    d->any = !r->rule->n_ports;
    for (size_t i = 0; i < r->rule->n_ports; i++) {
        const struct np_port *port = &r->rule->ports[i];

        if (r->named) {
            if (port == r->named) {
                add_range(d, port, r->number, r->number);
            }
        } else if (!port->name) {
            add_range(d, port, port->has_port ? port->port : 0,
                      port->has_end ? port->end
                      : port->has_port ? port->port : UINT16_MAX);
        }
    }
}

/* The flows of dimension K of N of the conjunction that was begun last. */
static void
add_clauses(struct ip_build *b, const struct ip_rule *r,
            const struct dimension *d, int k, int n)
{
    struct shash *clauses = &b->clauses[r->direction];

    for (size_t i = 0; i < d->n; i++) {
        struct ds *actions = shash_find_data(clauses, d->v[i]);

        if (!actions) {
            actions = xzalloc(sizeof *actions);
            shash_add_nocopy(clauses, xstrdup(d->v[i]), actions);
        }
        ds_put_format(actions, "%sconjunction(%"PRIu32",%d/%d)",
                      actions->length ? "," : "", b->conj, k, n);
    }
}

static void
add_conjunction(struct ip_build *b, const struct ip_rule *r)
{
    bool in = r->direction == NP_INGRESS;
    struct dimension d[3] = { { .n = 0 } };
    int n = 0, k = 0;
    bool empty = false;

    add_peers(b, r, &d[0]);
    add_applied(b, r, &d[1]);
    add_services(r, &d[2]);
    for (int i = 0; i < 3; i++) {
        n += !d[i].any;
        empty = empty || (!d[i].any && !d[i].n);
    }
    if (!empty) {
        b->conj++;
        for (int i = 0; i < 3; i++) {
            /* A lone dimension is still one of two: the switch wants two. */
            if (!d[i].any) {
                add_clauses(b, r, &d[i], ++k, MAX(n, 2));
            }
        }
        if (n == 1) {
            struct dimension all = { .n = 0 };

            dimension_add(&all, xstrdup("ip"));
            add_clauses(b, r, &all, 2, 2);
            dimension_destroy(&all);
        }
        put(b, &b->count.policy, "table=%d,priority=200,conj_id=%"PRIu32
            ",ip,actions=resubmit(,%d)", in ? T_INGRESS : T_EGRESS, b->conj,
            in ? T_COMMIT : T_INGRESS);
    }
    for (int i = 0; i < 3; i++) {
        dimension_destroy(&d[i]);
    }
}

/* A conjunction for each number that PORT stands for, on pods that serve: of
 * this node for ingress, anywhere for egress. */
static void
add_named(struct ip_build *b, struct ip_rule *r, const struct np_port *port)
{
    bool seen[UINT16_MAX + 1] = { false };

    r->named = port;
    for (size_t i = 0; i < b->c->n_objects; i++) {
        const struct np_pod *pod = (const void *) b->c->objects[i];

        if (pod->meta.kind == NP_POD) {
            uint16_t number = resolve(pod, port);

            if (number && !seen[number]) {
                seen[number] = true;
                r->number = number;
                add_conjunction(b, r);
            }
        }
    }
    r->named = NULL;
}

static void
add_rules(struct ip_build *b, const struct np_netpol *policy,
          enum np_direction direction)
{
    for (size_t i = 0; i < policy->n_rules[direction]; i++) {
        const struct np_netpol_rule *rule = &policy->rules[direction][i];
        struct ip_rule r = { .policy = policy, .rule = rule,
                             .direction = direction };
        size_t n_named = 0;

        for (size_t j = 0; j < rule->n_ports; j++) {
            if (rule->ports[j].name) {
                n_named++;
                add_named(b, &r, &rule->ports[j]);
            }
        }
        if (!n_named || n_named < rule->n_ports) {
            add_conjunction(b, &r);
        }
    }
}

static void
add_policy(struct ip_build *b, const struct np_netpol *policy)
{
    bool types[2] = { policy->types[0], policy->types[1] };
    bool any = false;

    if (!types[NP_INGRESS] && !types[NP_EGRESS]) {
        types[NP_INGRESS] = true;
        types[NP_EGRESS] = policy->n_rules[NP_EGRESS];
    }
    for (size_t i = 0; i < b->n_locals; i++) {
        if (applies(policy, b->locals[i].pod)) {
            any = true;
            for (int dir = 0; dir < 2; dir++) {
                if (types[dir]) {
                    b->locals[i].isolated[dir] = true;
                }
            }
        }
    }
    for (int dir = 0; dir < 2 && any; dir++) {
        if (types[dir]) {
            add_rules(b, policy, dir);
        }
    }
}

static void
find_objects(struct ip_build *b)
{
    struct shash pods = SHASH_INITIALIZER(&pods);

    for (size_t i = 0; i < b->c->n_objects; i++) {
        struct np_meta *meta = b->c->objects[i];

        if (meta->kind == NP_NAMESPACE) {
            shash_add(&b->namespaces, meta->name, meta);
        } else if (meta->kind == NP_POD && meta->uid) {
            shash_add(&pods, meta->uid, meta);
        }
    }
    b->locals = xcalloc(b->c->ports.n, sizeof *b->locals);
    for (size_t i = 0; i < b->c->ports.n; i++) {
        const struct np_bridge_port *port = &b->c->ports.v[i];

        if (port->role == NP_PORT_POD) {
            b->locals[b->n_locals++] = (struct ip_local) {
                .pod = shash_find_data(&pods, port->pod_uid), .port = port,
            };
        }
    }
    shash_destroy(&pods);
}

static void
put_clauses(struct ip_build *b, enum np_direction direction)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &b->clauses[direction]) {
        struct ds *actions = node->data;

        put(b, &b->count.policy, "table=%d,priority=200,%s,actions=%s",
            direction == NP_INGRESS ? T_INGRESS : T_EGRESS, node->name,
            ds_cstr(actions));
        ds_destroy(actions);
    }
    shash_destroy_free_data(&b->clauses[direction]);
}

/* What belongs to one pod of this node. */
static void
put_local(struct ip_build *b, const struct ip_local *local)
{
    const struct np_bridge_port *port = local->port;
    struct ds addr = DS_EMPTY_INITIALIZER;

    np_prefix_format(&port->addrs[0], &addr);
    if (local->isolated[NP_EGRESS]) {
        put(b, &b->count.policy, "table=%d,priority=200,ip,nw_src=%s,"
            "actions=drop", T_EGRESS_DEFAULT, ds_cstr(&addr));
    }
    if (local->isolated[NP_INGRESS]) {
        put(b, &b->count.policy, "table=%d,priority=200,ip,nw_dst=%s,"
            "actions=drop", T_INGRESS_DEFAULT, ds_cstr(&addr));
    }
    put(b, &b->count.other, "table=%d,priority=200,in_port=%"PRIu32
        ",ip,dl_src="ETH_ADDR_FMT",nw_src=%s,actions=resubmit(,%d)", T_IN,
        port->ofport, ETH_ADDR_ARGS(port->mac), ds_cstr(&addr), T_CT);
    put(b, &b->count.other, "table=%d,priority=200,ip,nw_dst=%s,"
        "actions=mod_dl_dst:"ETH_ADDR_FMT",output:%"PRIu32, T_FORWARD,
        ds_cstr(&addr), ETH_ADDR_ARGS(port->mac), port->ofport);
    ds_destroy(&addr);
}

static void
put_pipeline(struct ip_build *b)
{
    static const char *const flows[] = {
        "table=0,priority=100,arp,actions=NORMAL",
        "table=0,priority=150,in_port=LOCAL,ip,actions=resubmit(,10)",
        "table=0,priority=150,in_port=1000,ip,actions=resubmit(,10)",
        "table=0,priority=0,actions=drop",
        "table=10,priority=0,ip,actions=ct(table=11,zone=64000)",
        "table=11,priority=200,ct_state=+inv+trk,actions=drop",
        "table=11,priority=190,ct_state=+est+trk,ip,actions=resubmit(,60)",
        "table=11,priority=190,ct_state=+rel+trk,ip,actions=resubmit(,60)",
        "table=11,priority=190,ct_state=+new+trk,ip,actions=resubmit(,20)",
        "table=20,priority=0,actions=resubmit(,25)",
        "table=25,priority=0,actions=resubmit(,30)",
        "table=30,priority=300,in_port=LOCAL,ip,actions=resubmit(,50)",
        "table=30,priority=0,actions=resubmit(,35)",
        "table=35,priority=0,actions=resubmit(,50)",
        "table=50,priority=0,ip,actions=ct(commit,zone=64000),resubmit(,60)",
        "table=60,priority=0,actions=NORMAL",
    };

    BUILD_ASSERT(NP_BENCH_UPLINK == 1000);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        put(b, &b->count.other, "%s", flows[i]);
    }
}

struct np_bench_ip_count
np_bench_ip_clauses(const struct np_bench_cluster *c, FILE *stream)
{
    struct ip_build b = { .c = c, .stream = stream };

    shash_init(&b.namespaces);
    shash_init(&b.clauses[0]);
    shash_init(&b.clauses[1]);
    find_objects(&b);
    put_pipeline(&b);
    for (size_t i = 0; i < c->n_policies; i++) {
        add_policy(&b, (const void *) c->objects[c->policies[i]]);
    }
    put_clauses(&b, NP_INGRESS);
    put_clauses(&b, NP_EGRESS);
    for (size_t i = 0; i < b.n_locals; i++) {
        put_local(&b, &b.locals[i]);
    }
    shash_destroy(&b.namespaces);
    free(b.locals);
    return b.count;
}

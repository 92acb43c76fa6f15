/* The book of denials.
 *
 * It has two sides: what the switch has flows for now, as it was read last,
 * and what flows had counted when they ended.  A flow that ends changes
 * sides, so each packet is in one of them.  Only if there was no connection
 * when it ended does nobody tell; then what was read last is what is kept.
 *
 * The packet from which the switch learned a flow is not among those that the
 * flow counted: each stands for one more. */

#include <config.h>
#include "netpol/observe.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "hash.h"
#include "netpol/openflow.h"
#include "openvswitch/match.h"
#include "util.h"

/* A flow's age is told in seconds, and some time passes until we hear it. */
enum { SAME_FLOW = 3000 };      /* Milliseconds. */

struct counter {
    uint64_t total;
    uint64_t n_packets;         /* Of the flow, when it was read last. */
    uint32_t duration;
};

struct np_denials {
    uint8_t table_base;
    struct hmap ended;          /* struct np_denial. */
    struct hmap live;           /* The same. */
    struct counter reasons[NP_N_DENY_REASONS];
    uint64_t overflow_ended;    /* Packets of overflows that ended, */
    uint64_t overflowed;        /* and of all: never less than it was. */
    uint64_t forgotten;
};

struct np_denials *
np_denials_create(uint8_t table_base)
{
    struct np_denials *d = xzalloc(sizeof *d);

    d->table_base = table_base;
    hmap_init(&d->ended);
    hmap_init(&d->live);
    return d;
}

static void
clear(struct hmap *denials)
{
    struct np_denial *denial;

    HMAP_FOR_EACH_POP (denial, node, denials) {
        free(denial);
    }
}

void
np_denials_destroy(struct np_denials *d)
{
    if (d) {
        clear(&d->ended);
        clear(&d->live);
        hmap_destroy(&d->ended);
        hmap_destroy(&d->live);
        free(d);
    }
}

size_t
np_denials_tables(uint8_t table_base, uint8_t tables[NP_DENIALS_N_TABLES])
{
    tables[0] = table_base + NP_T_DENY;
    tables[1] = table_base + NP_T_QUIET;
    tables[2] = table_base + NP_T_DENIED;
    return NP_DENIALS_N_TABLES;
}

static uint32_t
hash_denial(const struct np_denial *d)
{
    uint32_t hash = hash_2words((uint32_t) d->port << 16 | d->proto << 8
                                | d->reason << 1 | d->reply, d->in_port);

    return np_prefix_hash(&d->dst, np_prefix_hash(&d->src, hash));
}

static struct np_denial *
find(const struct hmap *denials, const struct np_denial *d)
{
    struct np_denial *other;

    HMAP_FOR_EACH_WITH_HASH (other, node, hash_denial(d), denials) {
        if (other->reason == d->reason && other->reply == d->reply
            && other->proto == d->proto && other->port == d->port
            && other->in_port == d->in_port
            && np_prefix_equal(&other->src, &d->src)
            && np_prefix_equal(&other->dst, &d->dst)) {
            return other;
        }
    }
    return NULL;
}

/* Adds what D counted to what is known of it. */
static void
add(struct hmap *denials, const struct np_denial *d)
{
    struct np_denial *known = find(denials, d);

    if (known) {
        known->n_packets += d->n_packets;
        known->first = MIN(known->first, d->first);
        known->last = MAX(known->last, d->last);
    } else {
        known = xmemdup(d, sizeof *d);
        hmap_insert(denials, &known->node, hash_denial(d));
    }
}

static void
take_out(struct hmap *denials, struct np_denial *d)
{
    hmap_remove(denials, &d->node);
    free(d);
}

static void
forget_oldest(struct np_denials *d)
{
    struct np_denial *oldest = NULL;
    struct np_denial *denial;

    HMAP_FOR_EACH (denial, node, &d->ended) {
        if (!oldest || denial->last < oldest->last) {
            oldest = denial;
        }
    }
    d->forgotten += oldest->n_packets;
    take_out(&d->ended, oldest);
}

static void
keep(struct np_denials *d, const struct np_denial *denial)
{
    add(&d->ended, denial);
    if (!denial->reason) {
        d->overflow_ended += denial->n_packets;
    }
    if (hmap_count(&d->ended) > NP_DENIALS_MAX) {
        forget_oldest(d);
    }
}

/* For a moment, between the last read and its end, a flow may be on neither
 * side. */
static void
count_overflow(struct np_denials *d)
{
    uint64_t n = d->overflow_ended;
    const struct np_denial *denial;

    HMAP_FOR_EACH (denial, node, &d->live) {
        n += denial->reason ? 0 : denial->n_packets;
    }
    d->overflowed = MAX(d->overflowed, n);
}

/* What a flow in table "denied" matches. */
static void
read_denied(const struct flow *flow, struct np_denial *denial)
{
    bool is_v4 = flow->dl_type == htons(ETH_TYPE_IP);

    denial->reason = flow->regs[9];
    denial->reply = flow->regs[10] == 1;
    denial->src = (is_v4 ? np_prefix_v4(flow->nw_src, 32)
                   : np_prefix_v6(&flow->ipv6_src, 128));
    denial->dst = (is_v4 ? np_prefix_v4(flow->nw_dst, 32)
                   : np_prefix_v6(&flow->ipv6_dst, 128));
    denial->proto = flow->nw_proto;
    denial->port = flow->regs[7];
}

/* And one in table "quiet": the sender's port, or also for whom it was. */
static void
read_quiet(const struct match *match, struct np_denial *denial)
{
    const struct flow *flow = &match->flow;

    if (!match->wc.masks.dl_type) {
        denial->in_port = ofp_to_u16(flow->in_port.ofp_port);
    } else {
        denial->dst = (flow->dl_type == htons(ETH_TYPE_IP)
                       ? np_prefix_v4(flow->nw_dst, 32)
                       : np_prefix_v6(&flow->ipv6_dst, 128));
    }
}

/* False if this is not about a denial. */
static bool
read_flow(const struct np_denials *d, const struct np_flow_stats *stats,
          long long int now, struct np_denial *denial)
{
    const struct np_flow *flow = stats->flow;
    uint8_t table = flow->table - d->table_base;
    uint32_t idle = stats->idle == UINT32_MAX ? 0 : stats->idle;
    struct match match;

    if (np_cookie_kind(flow->cookie) != NP_FLOW_LEARNED
        || (table != NP_T_DENIED && table != NP_T_QUIET)) {
        return false;
    }
    *denial = (struct np_denial) {
        .first = now - stats->duration * 1000LL,
        .n_packets = (stats->n_packets == UINT64_MAX
                      ? 1 : stats->n_packets + 1),
    };
    denial->last = MAX(denial->first, now - idle * 1000LL);
    np_flow_expand(flow, &match);
    if (table == NP_T_DENIED) {
        read_denied(&match.flow, denial);
        return (denial->reason == NP_DENY_EGRESS
                || denial->reason == NP_DENY_INGRESS);
    }
    read_quiet(&match, denial);
    return true;
}

void
np_denials_ended(struct np_denials *d, const struct np_flow_stats *stats,
                 long long int now)
{
    struct np_denial denial;
    struct np_denial *live;

    if (!read_flow(d, stats, now, &denial)) {
        return;
    }
    keep(d, &denial);
    live = find(&d->live, &denial);
    /* Unless it was learned anew meanwhile. */
    if (live && live->first < denial.first + SAME_FLOW) {
        take_out(&d->live, live);
    }
    count_overflow(d);
}

/* The counters of table "deny", one a reason. */
static void
count_reason(struct np_denials *d, const struct np_flow_stats *stats)
{
    struct match match;
    uint32_t reason;

    np_flow_expand(stats->flow, &match);
    reason = match.flow.regs[9];
    if (match.wc.masks.regs[9] == UINT32_MAX && reason
        && reason < NP_N_DENY_REASONS && stats->n_packets != UINT64_MAX) {
        struct counter *c = &d->reasons[reason];
        bool reset = (stats->n_packets < c->n_packets
                      || stats->duration < c->duration);

        c->total += stats->n_packets - (reset ? 0 : c->n_packets);
        c->n_packets = stats->n_packets;
        c->duration = stats->duration;
    }
}

void
np_denials_take(struct np_denials *d, const struct np_flow_dump *dump,
                bool first, long long int now)
{
    struct hmap live = HMAP_INITIALIZER(&live);
    struct np_denial *old;
    struct np_denial denial;

    for (size_t i = 0; i < dump->n; i++) {
        const struct np_flow_stats *stats = &dump->stats[i];

        if (read_flow(d, stats, now, &denial)) {
            add(&live, &denial);
        } else if (stats->flow->table == d->table_base + NP_T_DENY) {
            count_reason(d, stats);
        }
    }
    HMAP_FOR_EACH_SAFE (old, node, &d->live) {
        const struct np_denial *same = find(&live, old);

        if (first && (!same || same->n_packets < old->n_packets
                      || same->first >= old->first + SAME_FLOW)) {
            keep(d, old);
        }
        take_out(&d->live, old);
    }
    hmap_swap(&d->live, &live);
    hmap_destroy(&live);
    count_overflow(d);
}

static int
compare(const void *a_, const void *b_)
{
    const struct np_denial *a = a_;
    const struct np_denial *b = b_;
    int order;

    if (a->last != b->last) {
        return a->last > b->last ? -1 : 1;
    }
    order = np_prefix_compare(&a->src, &b->src);
    order = order ? order : np_prefix_compare(&a->dst, &b->dst);
    order = order ? order : a->proto - b->proto;
    return order ? order : a->port - b->port;
}

struct np_denial *
np_denials_sort(const struct np_denials *d, size_t *n)
{
    struct hmap all = HMAP_INITIALIZER(&all);
    struct np_denial *v;
    struct np_denial *denial;

    HMAP_FOR_EACH (denial, node, &d->ended) {
        add(&all, denial);
    }
    HMAP_FOR_EACH (denial, node, &d->live) {
        add(&all, denial);
    }
    v = xmalloc((hmap_count(&all) + 1) * sizeof *v);
    *n = 0;
    HMAP_FOR_EACH_POP (denial, node, &all) {
        v[(*n)++] = *denial;
        free(denial);
    }
    hmap_destroy(&all);
    qsort(v, *n, sizeof *v, compare);
    return v;
}

uint64_t
np_denials_total(const struct np_denials *d, enum np_deny_reason reason)
{
    return d->reasons[reason].total;
}

size_t
np_denials_count(const struct np_denials *d)
{
    return hmap_count(&d->ended) + hmap_count(&d->live);
}

uint64_t
np_denials_overflowed(const struct np_denials *d)
{
    return d->overflowed;
}

uint64_t
np_denials_forgotten(const struct np_denials *d)
{
    return d->forgotten;
}

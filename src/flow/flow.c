/* The flow: one value that crosses every seam, from the compiler to the
 * switch and back to the tools.
 *
 * Its key is table, priority and match, because that is what a switch takes
 * for the same flow.  A flow does not change after it was made: whoever
 * wants other actions makes another flow. */

#include <config.h>

#include "flow-private.h"

#include <stdlib.h>
#include <string.h>

#include "byte-order.h"
#include "flow.h"
#include "hash.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_flow);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

const char *
np_flow_kind_name(enum np_flow_kind kind)
{
    switch (kind) {
    case NP_FLOW_STATIC: return "static";
    case NP_FLOW_PORT: return "port";
    case NP_FLOW_IDENTITY: return "identity";
    case NP_FLOW_CLAUSE: return "clause";
    case NP_FLOW_RULE: return "rule";
    case NP_FLOW_DEFAULT: return "default";
    case NP_FLOW_LEARNED: return "learned";
    }
    return "unknown";
}

/* 'data' is what flows point to. */
struct np_actions {
    unsigned int n_refs;
    unsigned int len : 31;      /* Bytes in 'data'. */
    bool canonical : 1;         /* Otherwise OpenFlow cannot say them. */
    struct ofpact data[] __attribute__((aligned(8)));
};

struct np_actions *
np_actions_wrap(const struct ofpact *actions, size_t len, bool canonical)
{
    struct np_actions *a = NULL;

    if (len) {
        a = xmalloc(sizeof *a + len);
        a->n_refs = 1;
        a->len = len;
        a->canonical = canonical;
        memcpy(a->data, actions, len);
    }
    return a;
}

bool
np_actions_is_plain(const struct np_actions *a)
{
    return !a || (a->canonical && a->len < UINT16_MAX / 4);
}

bool
np_actions_is(const struct np_actions *a, const struct ofpact *actions,
              size_t len)
{
    return a->canonical && a->len == len && !memcmp(a->data, actions, len);
}

struct np_actions *
np_actions_ref(struct np_actions *a)
{
    if (a) {
        a->n_refs++;
    }
    return a;
}

struct np_actions *
np_actions_create(const struct ofpact *actions, size_t len)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct np_actions *a;
    size_t size;

    a = (np_canon_actions(actions, len, &acts, &size)
         ? np_actions_wrap(acts.data, acts.size, true)
         : np_actions_wrap(actions, len, false));
    ofpbuf_uninit(&acts);
    return a;
}

static struct np_actions *
actions_of(const struct np_flow *flow)
{
    return (flow->actions
            ? CONTAINER_OF(flow->actions, struct np_actions, data[0]) : NULL);
}

void
np_actions_unref(struct np_actions *a)
{
    if (a && !--a->n_refs) {
        free(a);
    }
}

static void
set_actions(struct np_flow *flow, struct np_actions *a)
{
    if (a) {
        flow->actions = np_actions_ref(a)->data;
        flow->actions_len = a->len;
    }
}

/* The two HALF bytes of a match, adjacent as minimatch's functions want them,
 * follow the flow itself. */
static void
place_match(struct np_flow *flow, size_t half)
{
    flow->match.flow = (struct miniflow *) (flow + 1);
    flow->match.mask = (struct minimask *) ((char *) (flow + 1) + half);
}

/* A flow without anything but MATCH. */
static struct np_flow *
alloc_flow(const struct match *match)
{
    struct miniflow shape;
    struct np_flow *flow;
    size_t half;

    miniflow_map_init(&shape, &match->wc.masks);
    half = sizeof shape
           + MINIFLOW_VALUES_SIZE(miniflow_n_values(&shape));
    flow = xzalloc(sizeof *flow + 2 * half);
    place_match(flow, half);
    flow->match.flow->map = shape.map;
    flow->match.mask->masks.map = shape.map;
    miniflow_init(flow->match.flow, &match->flow);
    minimask_init(flow->match.mask, &match->wc);
    flow->match.tun_md = tun_metadata_allocation_clone(&match->tun_md);
    return flow;
}

struct np_flow *
np_flow_assemble(uint8_t table, uint16_t priority, uint64_t cookie,
                 const struct match *match, struct np_actions *actions)
{
    struct np_flow *flow = alloc_flow(match);

    flow->table = table;
    flow->priority = priority;
    flow->cookie = cookie;
    set_actions(flow, actions);
    flow->node.hash = hash_2words(minimatch_hash(&flow->match, table),
                                  priority);
    return flow;
}

struct np_flow *
np_flow_create_as_is(uint8_t table, uint16_t priority, uint64_t cookie,
                     const struct match *match, const struct ofpact *actions,
                     size_t len)
{
    struct np_actions *a = np_actions_wrap(actions, len, true);
    struct np_flow *flow = np_flow_assemble(table, priority, cookie, match, a);

    np_actions_unref(a);
    return flow;
}

struct np_flow *
np_flow_create__(uint8_t table, uint16_t priority, uint64_t cookie,
                 const struct match *match, const struct ofpact *actions,
                 size_t len, bool *exact)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    size_t match_size, acts_size;
    struct np_flow *flow;
    struct match canon;

    if (np_canon_match(match, &canon, &match_size, exact)
        && np_canon_actions(actions, len, &acts, &acts_size)
        && match_size + acts_size <= NP_CANON_MAX) {
        match = &canon;
        actions = acts.data;
        len = acts.size;
    } else {
        *exact = false;
    }
    flow = np_flow_create_as_is(table, priority, cookie, match, actions, len);
    ofpbuf_uninit(&acts);
    return flow;
}

/* Whoever asked for it got another flow: a mistake of the caller, and one that
 * may open what should be closed. */
void
np_flow_warn_inexact(uint8_t table, uint16_t priority,
                     const struct match *match)
{
    if (!VLOG_DROP_WARN(&rl)) {
        char *s = match_to_string(match, NULL, priority);
        VLOG_WARN("table %"PRIu8": OpenFlow cannot say this flow as it is: "
                  "%s", table, s);
        free(s);
    }
}

struct np_flow *
np_flow_create(uint8_t table, uint16_t priority, uint64_t cookie,
               const struct match *match, const struct ofpact *actions,
               size_t len)
{
    bool exact;
    struct np_flow *flow = np_flow_create__(table, priority, cookie, match,
                                            actions, len, &exact);

    if (!exact) {
        np_flow_warn_inexact(table, priority, match);
    }
    return flow;
}

/* Does a message have room for it, with a match of MATCH_SIZE? */
static bool
fits(const struct np_actions *a, size_t match_size)
{
    /* Encoded actions are at most about twice as large as decoded ones, and no
     * match is larger than 16 KB. */
    return (!a || a->len < UINT16_MAX / 4
            || match_size + np_canon_actions_size(a->data, a->len)
               <= NP_CANON_MAX);
}

struct np_flow *
np_flow_create_shared(uint8_t table, uint16_t priority, uint64_t cookie,
                      const struct match *match, struct np_actions *actions)
{
    struct match canon;
    bool exact;
    size_t size;

    bool ok = (np_canon_match(match, &canon, &size, &exact)
               && (!actions || actions->canonical) && fits(actions, size));
    if (!ok || !exact) {
        np_flow_warn_inexact(table, priority, match);
    }
    return np_flow_assemble(table, priority, cookie, ok ? &canon : match,
                            actions);
}

struct np_flow *
np_flow_clone(const struct np_flow *src)
{
    size_t size = (sizeof *src
                   + 2 * (sizeof *src->match.flow
                          + MINIFLOW_VALUES_SIZE(
                              miniflow_n_values(src->match.flow))));
    struct np_flow *flow = xmemdup(src, size);

    place_match(flow, (size - sizeof *flow) / 2);
    flow->match.tun_md = tun_metadata_allocation_clone(src->match.tun_md);
    set_actions(flow, actions_of(src));
    return flow;
}

void
np_flow_destroy(struct np_flow *flow)
{
    if (flow) {
        np_actions_unref(actions_of(flow));
        free(flow->match.tun_md);
        free(flow);
    }
}

bool
np_flow_same_key(const struct np_flow *a, const struct np_flow *b)
{
    return (a->node.hash == b->node.hash
            && a->table == b->table
            && a->priority == b->priority
            && minimatch_equal(&a->match, &b->match));
}

bool
np_flow_same_body(const struct np_flow *a, const struct np_flow *b)
{
    return (a->cookie == b->cookie
            && (a->actions == b->actions
                || ofpacts_equal(a->actions, a->actions_len,
                                 b->actions, b->actions_len)));
}

bool
np_flow_equal(const struct np_flow *a, const struct np_flow *b)
{
    return np_flow_same_body(a, b) && np_flow_same_key(a, b);
}

#define COMPARE(A, B) ((A) < (B) ? -1 : (A) > (B))

/* Most pieces are addresses and ports in network byte order; registers are
 * pairs of numbers in host byte order. */
uint64_t
np_flow_piece_key(size_t idx, uint64_t piece)
{
    const size_t first_reg = offsetof(struct flow, regs) / sizeof piece;
    uint32_t reg[2];

    if (idx - first_reg < FLOW_N_REGS / 2) {
        memcpy(reg, &piece, sizeof reg);
        return (uint64_t) reg[0] << 32 | reg[1];
    }
    return ntohll((OVS_FORCE ovs_be64) piece);
}

static int
compare_piece(size_t idx, uint64_t a, uint64_t b)
{
    return (a == b ? 0
            : np_flow_piece_key(idx, a) < np_flow_piece_key(idx, b) ? -1 : 1);
}

static int
compare_matches(const struct minimatch *a, const struct minimatch *b)
{
    const struct flowmap am = a->flow->map, bm = b->flow->map;
    size_t idx;

    /* The fields first, so that flows of one shape stand together. */
    for (size_t i = 0; i < FLOWMAP_UNITS; i++) {
        if (am.bits[i] != bm.bits[i]) {
            return COMPARE(am.bits[i], bm.bits[i]);
        }
    }
    FLOWMAP_FOR_EACH_INDEX (idx, am) {
        int cmp = compare_piece(idx, miniflow_get(&b->mask->masks, idx),
                                miniflow_get(&a->mask->masks, idx));
        if (cmp) {
            return cmp;
        }
    }
    FLOWMAP_FOR_EACH_INDEX (idx, am) {
        int cmp = compare_piece(idx, miniflow_get(a->flow, idx),
                                miniflow_get(b->flow, idx));
        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

int
np_flow_compare(const struct np_flow *a, const struct np_flow *b)
{
    return (a->table != b->table ? COMPARE(a->table, b->table)
            : a->priority != b->priority ? COMPARE(b->priority, a->priority)
            : compare_matches(&a->match, &b->match));
}

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

/* Actions, with how many flows have them. */
struct shared_actions {
    unsigned int n_refs;
    struct ofpact data[] __attribute__((aligned(8)));
};

static struct ofpact *
actions_create(const struct ofpact *actions, size_t len)
{
    struct shared_actions *a;

    if (!len) {
        return NULL;
    }
    a = xmalloc(sizeof *a + len);
    a->n_refs = 1;
    memcpy(a->data, actions, len);
    return a->data;
}

static struct ofpact *
actions_ref(struct ofpact *actions)
{
    if (actions) {
        CONTAINER_OF(actions, struct shared_actions, data[0])->n_refs++;
    }
    return actions;
}

static void
actions_unref(struct ofpact *actions)
{
    if (actions) {
        struct shared_actions *a = CONTAINER_OF(actions,
                                                struct shared_actions,
                                                data[0]);

        if (!--a->n_refs) {
            free(a);
        }
    }
}

/* A flow without anything but MATCH, whose two halves, adjacent as minimatch's
 * functions want them, follow the flow itself. */
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
    flow->match.flow = (struct miniflow *) (flow + 1);
    flow->match.mask = (struct minimask *) ((char *) (flow + 1) + half);
    flow->match.flow->map = shape.map;
    flow->match.mask->masks.map = shape.map;
    miniflow_init(flow->match.flow, &match->flow);
    minimask_init(flow->match.mask, &match->wc);
    flow->match.tun_md = tun_metadata_allocation_clone(&match->tun_md);
    return flow;
}

struct np_flow *
np_flow_create_as_is(uint8_t table, uint16_t priority, uint64_t cookie,
                     const struct match *match, const struct ofpact *actions,
                     size_t len)
{
    struct np_flow *flow = alloc_flow(match);

    flow->table = table;
    flow->priority = priority;
    flow->cookie = cookie;
    flow->actions = actions_create(actions, len);
    flow->actions_len = len;
    flow->node.hash = hash_2words(minimatch_hash(&flow->match, table),
                                  priority);
    return flow;
}

struct np_flow *
np_flow_create__(uint8_t table, uint16_t priority, uint64_t cookie,
                 const struct match *match, const struct ofpact *actions,
                 size_t len, bool *exact)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct np_flow *flow;
    struct match canon;

    if (np_flow_canonize(match, actions, len, &canon, &acts, exact)) {
        match = &canon;
        actions = acts.data;
        len = acts.size;
    }
    flow = np_flow_create_as_is(table, priority, cookie, match, actions, len);
    ofpbuf_uninit(&acts);
    return flow;
}

struct np_flow *
np_flow_create(uint8_t table, uint16_t priority, uint64_t cookie,
               const struct match *match, const struct ofpact *actions,
               size_t len)
{
    bool exact;
    struct np_flow *flow = np_flow_create__(table, priority, cookie, match,
                                            actions, len, &exact);

    /* Whoever asked for it got another flow: a mistake of the caller, and
     * one that may open what should be closed. */
    if (!exact && !VLOG_DROP_WARN(&rl)) {
        char *s = match_to_string(match, NULL, priority);
        VLOG_WARN("table %"PRIu8": OpenFlow cannot say this flow as it is: "
                  "%s", table, s);
        free(s);
    }
    return flow;
}

struct np_flow *
np_flow_clone(const struct np_flow *src)
{
    struct np_flow *flow;
    struct match match;

    minimatch_expand(&src->match, &match);
    flow = alloc_flow(&match);
    flow->node.hash = src->node.hash;
    flow->table = src->table;
    flow->priority = src->priority;
    flow->cookie = src->cookie;
    flow->actions = actions_ref(src->actions);
    flow->actions_len = src->actions_len;
    return flow;
}

void
np_flow_share_actions(struct np_flow *flow, const struct np_flow *other)
{
    if (flow->actions != other->actions
        && ofpacts_equal(flow->actions, flow->actions_len,
                         other->actions, other->actions_len)) {
        actions_unref(flow->actions);
        flow->actions = actions_ref(other->actions);
    }
}

void
np_flow_destroy(struct np_flow *flow)
{
    if (flow) {
        actions_unref(flow->actions);
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
np_flow_equal(const struct np_flow *a, const struct np_flow *b)
{
    return (a->cookie == b->cookie
            && (a->actions == b->actions
                || ofpacts_equal(a->actions, a->actions_len,
                                 b->actions, b->actions_len))
            && np_flow_same_key(a, b));
}

#define COMPARE(A, B) ((A) < (B) ? -1 : (A) > (B))

/* Orders two 64-bit pieces of a flow.  Most are addresses and ports in
 * network byte order; registers are pairs of numbers in host byte order. */
static int
compare_piece(size_t idx, uint64_t a, uint64_t b)
{
    const size_t first_reg = offsetof(struct flow, regs) / sizeof a;

    if (a == b) {
        return 0;
    } else if (idx - first_reg < FLOW_N_REGS / 2) {
        uint32_t x[2], y[2];

        memcpy(x, &a, sizeof x);
        memcpy(y, &b, sizeof y);
        return x[0] != y[0] ? COMPARE(x[0], y[0]) : COMPARE(x[1], y[1]);
    } else {
        return memcmp(&a, &b, sizeof a);
    }
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

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

/* Which bits of a packet are compared.  The values follow in the same block. */
struct np_mask {
    unsigned int n_refs;
    uint32_t hash;
    struct tun_metadata_allocation *tun_md;     /* NULL but for a few. */
    struct minimask bits;
};

static struct np_mask *
mask_create(const struct match *match, size_t n_values)
{
    size_t values_size = MINIFLOW_VALUES_SIZE(n_values);
    struct np_mask *mask = xmalloc(sizeof *mask + values_size);

    mask->n_refs = 1;
    mask->tun_md = tun_metadata_allocation_clone(&match->tun_md);
    miniflow_map_init(&mask->bits.masks, &match->wc.masks);
    minimask_init(&mask->bits, &match->wc);
    mask->hash = hash_bytes(&mask->bits, sizeof mask->bits + values_size, 0);
    return mask;
}

struct np_mask *
np_mask_ref(struct np_mask *mask)
{
    mask->n_refs++;
    return mask;
}

void
np_mask_unref(struct np_mask *mask)
{
    if (mask && !--mask->n_refs) {
        free(mask->tun_md);
        free(mask);
    }
}

uint32_t
np_flow_mask_hash(const struct np_flow *flow)
{
    return flow->mask->hash;
}

const struct miniflow *
np_flow_value(const struct np_flow *flow)
{
    return (const struct miniflow *) (flow + 1);
}

struct minimatch
np_flow_match(const struct np_flow *flow)
{
    return (struct minimatch) {
        .flow = CONST_CAST(struct miniflow *, np_flow_value(flow)),
        .mask = &flow->mask->bits,
        .tun_md = flow->mask->tun_md,
    };
}

void
np_flow_expand(const struct np_flow *flow, struct match *match)
{
    struct minimatch mini = np_flow_match(flow);

    minimatch_expand(&mini, match);
}

struct np_flow *
np_flow_assemble(uint8_t table, uint16_t priority, uint64_t cookie,
                 const struct match *match, struct np_actions *actions,
                 struct np_mask *mask)
{
    struct miniflow shape, *value;
    struct np_flow *flow;

    miniflow_map_init(&shape, &match->wc.masks);
    size_t n_values = miniflow_n_values(&shape);
    size_t size = sizeof *value + MINIFLOW_VALUES_SIZE(n_values);
    flow = xzalloc(sizeof *flow + size);
    flow->table = table;
    flow->priority = priority;
    flow->cookie = cookie;
    flow->mask = mask ? np_mask_ref(mask) : mask_create(match, n_values);
    set_actions(flow, actions);
    value = (struct miniflow *) (flow + 1);
    value->map = shape.map;
    miniflow_init(value, &match->flow);
    flow->node.hash = hash_bytes(value, size,
                                 hash_2words(table << 16 | priority,
                                             flow->mask->hash));
    return flow;
}

struct np_flow *
np_flow_create_as_is(uint8_t table, uint16_t priority, uint64_t cookie,
                     const struct match *match, const struct ofpact *actions,
                     size_t len)
{
    struct np_actions *a = np_actions_wrap(actions, len, true);
    struct np_flow *flow = np_flow_assemble(table, priority, cookie, match, a,
                                            NULL);

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
                            actions, NULL);
}

struct np_flow *
np_flow_clone(const struct np_flow *src)
{
    const struct miniflow *value = np_flow_value(src);
    struct np_flow *flow = xmemdup(
        src, sizeof *src + sizeof *value
             + MINIFLOW_VALUES_SIZE(miniflow_n_values(value)));

    np_mask_ref(flow->mask);
    np_actions_ref(actions_of(flow));
    return flow;
}

void
np_flow_destroy(struct np_flow *flow)
{
    if (flow) {
        np_actions_unref(actions_of(flow));
        np_mask_unref(flow->mask);
        free(flow);
    }
}

bool
np_flow_same_mask(const struct np_flow *a, const struct np_flow *b)
{
    return (a->mask == b->mask
            || minimask_equal(&a->mask->bits, &b->mask->bits));
}

bool
np_flow_same_key(const struct np_flow *a, const struct np_flow *b)
{
    return (a->node.hash == b->node.hash
            && a->table == b->table
            && a->priority == b->priority
            && np_flow_same_mask(a, b)
            && miniflow_equal(np_flow_value(a), np_flow_value(b)));
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
compare_matches(const struct np_flow *a, const struct np_flow *b)
{
    const struct miniflow *av = np_flow_value(a), *bv = np_flow_value(b);
    const struct flowmap am = av->map, bm = bv->map;
    size_t idx;

    /* The fields first, so that flows of one shape stand together. */
    for (size_t i = 0; i < FLOWMAP_UNITS; i++) {
        if (am.bits[i] != bm.bits[i]) {
            return COMPARE(am.bits[i], bm.bits[i]);
        }
    }
    FLOWMAP_FOR_EACH_INDEX (idx, am) {
        int cmp = compare_piece(idx,
                                miniflow_get(&b->mask->bits.masks, idx),
                                miniflow_get(&a->mask->bits.masks, idx));
        if (cmp) {
            return cmp;
        }
    }
    FLOWMAP_FOR_EACH_INDEX (idx, am) {
        int cmp = compare_piece(idx, miniflow_get(av, idx),
                                miniflow_get(bv, idx));
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
            : compare_matches(a, b));
}

/* What each action does to the packet.
 *
 * Fields are read and written by libopenvswitch, which also keeps account of
 * the bits that were looked at.  The order of cases is that of
 * do_xlate_actions() in ofproto/ofproto-dpif-xlate.c, which is what they were
 * held against.  Flows come here in the form that OpenFlow 1.5 gives them
 * (np_flow_create()), so `load` and most of `mod_` are set_field by now. */

#include <config.h>

#include "interp-private.h"

#include <stdlib.h>

#include "byte-order.h"
#include "flow.h"
#include "learn.h"
#include "multipath.h"
#include "netpol/flow.h"
#include "nx-match.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-flow.h"
#include "packets.h"
#include "util.h"

static void
unknown(struct np_interp_ctx *ctx, const struct ofpact *a)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpact_format_params fp = { .s = &s };

    ofpacts_format(a, OFPACT_ALIGN(a->len), &fp);
    np_interp_fail(ctx, NP_INTERP_UNKNOWN,
                   "table %"PRIu8": %s: cannot be interpreted", ctx->table,
                   ds_cstr(&s));
    ds_destroy(&s);
}

static void
output_to(struct np_interp_ctx *ctx, ofp_port_t port)
{
    np_interp_todo(ctx, NP_EFFECT_OUTPUT)->effect.port = port;
}

static void
output(struct np_interp_ctx *ctx, const struct ofpact *a, ofp_port_t port)
{
    ofp_port_t in_port = ctx->packet.in_port.ofp_port;

    switch (port) {
    case OFPP_IN_PORT:
        output_to(ctx, in_port);
        break;
    case OFPP_NORMAL:
        np_interp_todo(ctx, NP_EFFECT_NORMAL);
        break;
    case OFPP_FLOOD:
        np_interp_todo(ctx, NP_EFFECT_FLOOD);
        break;
    case OFPP_ALL:
        np_interp_todo(ctx, NP_EFFECT_ALL);
        break;
    case OFPP_CONTROLLER:
        np_interp_todo(ctx, NP_EFFECT_CONTROLLER)->effect.id = 0;
        break;
    case OFPP_NONE:
        break;
    case OFPP_TABLE:
        unknown(ctx, a);
        break;
    case OFPP_LOCAL:
    default:
        /* Never back to where it came from: that takes IN_PORT. */
        if (port != in_port) {
            output_to(ctx, port);
        }
        break;
    }
}

static void
output_reg(struct np_interp_ctx *ctx, const struct ofpact_output_reg *a)
{
    uint64_t port = mf_get_subfield(&a->src, &ctx->packet);
    union mf_subvalue ones;

    memset(&ones, 0xff, sizeof ones);
    mf_write_subfield_flow(&a->src, &ones, &ctx->wc.masks);
    if (port <= UINT16_MAX) {
        output(ctx, &a->ofpact, u16_to_ofp(port));
    }
}

static void
set_field(struct np_interp_ctx *ctx, const struct ofpact_set_field *a)
{
    const union mf_value *mask = ofpact_set_field_mask(a);

    /* A packet that does not have the field stays as it is. */
    if (mf_are_prereqs_ok(a->field, &ctx->packet, &ctx->wc)) {
        mf_set_mask_l3_prereqs(a->field, &ctx->packet, &ctx->wc);
        mf_mask_field_masked(a->field, mask, &ctx->wc);
        mf_set_flow_value_masked(a->field, a->value, mask, &ctx->packet);
    }
}

static void
write_metadata(struct np_interp_ctx *ctx, const struct ofpact_metadata *a)
{
    ctx->packet.metadata &= ~a->mask;
    ctx->packet.metadata |= a->metadata & a->mask;
}

static void
push_vlan(struct np_interp_ctx *ctx, const struct ofpact_push_vlan *a)
{
    flow_push_vlan_uninit(&ctx->packet, &ctx->wc);
    ctx->packet.vlans[0].tpid = a->ethertype;
    ctx->packet.vlans[0].tci = htons(VLAN_CFI);
}

static void
set_ttl(struct np_interp_ctx *ctx, uint8_t ttl)
{
    if (is_ip_any(&ctx->packet)) {
        WC_MASK_FIELD(&ctx->wc, nw_ttl);
        WC_MASK_FIELD(&ctx->wc, nw_proto);
        ctx->packet.nw_ttl = ttl;
    }
}

/* Returns false if the time is up: then the rest of the list, but only of
 * this list, is skipped. */
static bool
dec_ttl(struct np_interp_ctx *ctx, const struct ofpact_cnt_ids *a)
{
    if (!is_ip_any(&ctx->packet)) {
        return true;
    }
    WC_MASK_FIELD(&ctx->wc, nw_ttl);
    WC_MASK_FIELD(&ctx->wc, nw_proto);
    if (ctx->packet.nw_ttl > 1) {
        ctx->packet.nw_ttl--;
        return true;
    }
    for (size_t i = 0; i < a->n_controllers; i++) {
        np_interp_todo(ctx, NP_EFFECT_CONTROLLER)->effect.id = a->cnt_ids[i];
    }
    return false;
}

static void
resubmit(struct np_interp_ctx *ctx, const struct ofpact_resubmit *a)
{
    if (a->with_ct_orig) {
        unknown(ctx, &a->ofpact);
        return;
    }
    np_interp_enter(ctx,
                    (a->in_port == OFPP_IN_PORT
                     ? ctx->packet.in_port.ofp_port : a->in_port),
                    a->table_id == 255 ? ctx->table : a->table_id);
}

/* The flow with the key of FLOW among the first N todos, which will be in the
 * tables soon, or else in the tables. */
static const struct np_flow *
find_learned(const struct np_interp_ctx *ctx, size_t n,
             const struct np_flow *flow)
{
    while (n-- > 0) {
        const struct np_effect *e = &ctx->todos[n].effect;

        if (e->type == NP_EFFECT_LEARN && np_flow_same_key(e->learned, flow)) {
            return e->learned;
        }
    }
    return np_interp_find(ctx->interp, flow);
}

/* Is there room for FLOW?  What is there already, exactly so, needs none. */
static bool
may_learn(const struct np_interp_ctx *ctx, const struct np_flow *flow,
          uint32_t limit)
{
    const struct np_flow *old = find_learned(ctx, ctx->n_todos, flow);

    if (!limit || (old && np_flow_equal(old, flow))) {
        return true;
    }
    size_t n = np_interp_count(ctx->interp, flow->table, flow->cookie);
    for (size_t i = 0; i < ctx->n_todos; i++) {
        const struct np_effect *e = &ctx->todos[i].effect;

        n += (e->type == NP_EFFECT_LEARN && e->learned->table == flow->table
              && e->learned->cookie == flow->cookie
              && !find_learned(ctx, i, e->learned));
    }
    return n < limit;
}

static void
learn(struct np_interp_ctx *ctx, const struct ofpact_learn *a)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_mod fm;
    struct match match;

    learn_mask(a, &ctx->wc);
    learn_execute(a, &ctx->packet, &fm, &actions);
    minimatch_expand(&fm.match, &match);
    struct np_flow *flow = np_flow_create(fm.table_id, fm.priority,
                                          ntohll(fm.new_cookie), &match,
                                          fm.ofpacts, fm.ofpacts_len);
    bool success = may_learn(ctx, flow, a->limit);
    if (success) {
        np_interp_todo(ctx, NP_EFFECT_LEARN)->effect.learned = flow;
    } else {
        np_flow_destroy(flow);
    }
    if (a->flags & NX_LEARN_F_WRITE_RESULT) {
        nxm_reg_load(&a->result_dst, success, &ctx->packet, &ctx->wc);
    }
    minimatch_destroy(&fm.match);
    ofpbuf_uninit(&actions);
}

/* Does a switch make a real copy for a clone of A?  Otherwise it puts back the
 * packet's fields afterwards, and only these: what is cleared in there then
 * counts as untracked, though its fields still say otherwise, and a second
 * ct_clear does nothing. */
static bool
needs_copy(const struct ofpact_nest *nest)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, nest->actions, ofpact_nest_get_action_len(nest)) {
        if (a->type == OFPACT_CT || a->type == OFPACT_METER) {
            return true;
        }
    }
    return false;
}

/* The packet is one's own again at the end, except that `exit` inside means
 * all of the pass. */
static void
clone(struct np_interp_ctx *ctx, const struct ofpact_nest *a)
{
    struct flow packet = ctx->packet;
    bool conntracked = ctx->conntracked;
    struct ofpbuf stack = ctx->stack;

    ofpbuf_init(&ctx->stack, 0);
    ofpbuf_put(&ctx->stack, stack.data, stack.size);
    np_interp_actions(ctx, a->actions, ofpact_nest_get_action_len(a));
    ofpbuf_uninit(&ctx->stack);
    ctx->stack = stack;
    ctx->packet = packet;
    if (needs_copy(a)) {
        ctx->conntracked = conntracked;
    }
}

static uint16_t
ct_zone(struct np_interp_ctx *ctx, const struct ofpact_conntrack *a)
{
    union mf_subvalue ones;

    if (!a->zone_src.field) {
        return a->zone_imm;
    }
    memset(&ones, 0xff, sizeof ones);
    mf_write_subfield_flow(&a->zone_src, &ones, &ctx->wc.masks);
    return mf_get_subfield(&a->zone_src, &ctx->packet);
}

static void
clear_conntrack(struct np_interp_ctx *ctx)
{
    flow_clear_conntrack(&ctx->packet);
    ctx->conntracked = false;
}

/* A copy of the packet goes to connection tracking, and perhaps on from
 * there; the packet at hand is untracked afterwards. */
static void
conntrack(struct np_interp_ctx *ctx, const struct ofpact_conntrack *a)
{
    uint32_t old_mark_mask = ctx->wc.masks.ct_mark;
    ovs_u128 old_label_mask = ctx->wc.masks.ct_label;
    struct np_interp_ct ct = {
        .zone = ct_zone(ctx, a),
        .commit = a->flags & NX_CT_F_COMMIT,
        .force = a->flags & NX_CT_F_FORCE,
        .recirculate = a->recirc_table != NX_CT_RECIRC_NONE,
        .table = a->recirc_table,
        .alg = a->alg,
    };

    /* What exec() writes shows in the bits that it "looked at". */
    ctx->wc.masks.ct_mark = 0;
    ctx->wc.masks.ct_label = OVS_U128_ZERO;
    np_interp_actions(ctx, a->actions, ofpact_ct_get_action_len(a));
    ct.mark = ctx->packet.ct_mark & ctx->wc.masks.ct_mark;
    ct.mark_mask = ctx->wc.masks.ct_mark;
    ct.label = ovs_u128_and(ctx->packet.ct_label, ctx->wc.masks.ct_label);
    ct.label_mask = ctx->wc.masks.ct_label;
    ctx->wc.masks.ct_mark = old_mark_mask;
    ctx->wc.masks.ct_label = old_label_mask;

    if (ctx->status != NP_INTERP_OK) {
        return;
    }
    struct np_interp_todo *todo = np_interp_todo(ctx, NP_EFFECT_CT);
    todo->effect.ct = ct;
    if (ctx->stack.size) {
        todo->stack = xmemdup(ctx->stack.data, ctx->stack.size);
        todo->stack_len = ctx->stack.size;
    }
    clear_conntrack(ctx);
}

/* Actions that decide where the packet goes; false if A is none of them. */
static bool
do_forwarding(struct np_interp_ctx *ctx, const struct ofpact *a)
{
    switch (a->type) {
    case OFPACT_OUTPUT:
        output(ctx, a, ofpact_get_OUTPUT(a)->port);
        return true;
    case OFPACT_OUTPUT_REG:
        output_reg(ctx, ofpact_get_OUTPUT_REG(a));
        return true;
    case OFPACT_GROUP:
        np_interp_todo(ctx, NP_EFFECT_GROUP)->effect.id
            = ofpact_get_GROUP(a)->group_id;
        return true;
    case OFPACT_METER:
        np_interp_todo(ctx, NP_EFFECT_METER)->effect.id
            = ofpact_get_METER(a)->meter_id;
        return true;
    case OFPACT_CONTROLLER:
        /* With `pause`, the rest waits for what the controller says. */
        if (ofpact_get_CONTROLLER(a)->pause) {
            return false;
        }
        np_interp_todo(ctx, NP_EFFECT_CONTROLLER)->effect.id
            = ofpact_get_CONTROLLER(a)->controller_id;
        return true;
    case OFPACT_RESUBMIT:
        resubmit(ctx, ofpact_get_RESUBMIT(a));
        return true;
    case OFPACT_GOTO_TABLE:
        np_interp_enter(ctx, ctx->packet.in_port.ofp_port,
                        ofpact_get_GOTO_TABLE(a)->table_id);
        return true;
    case OFPACT_CLONE:
        clone(ctx, ofpact_get_CLONE(a));
        return true;
    case OFPACT_CT:
        conntrack(ctx, ofpact_get_CT(a));
        return true;
    case OFPACT_LEARN:
        learn(ctx, ofpact_get_LEARN(a));
        return true;
    case OFPACT_EXIT:
        ctx->exit = true;
        return true;
    default:
        return false;
    }
}

/* Actions that change the packet, or nothing; false if A is none of them. */
static bool
do_change(struct np_interp_ctx *ctx, const struct ofpact *a)
{
    const struct ofpact_reg_move *move;

    switch (a->type) {
    case OFPACT_SET_FIELD:
        set_field(ctx, ofpact_get_SET_FIELD(a));
        return true;
    case OFPACT_REG_MOVE:
        move = ofpact_get_REG_MOVE(a);
        mf_subfield_copy(&move->src, &move->dst, &ctx->packet, &ctx->wc);
        return true;
    case OFPACT_STACK_PUSH:
        nxm_execute_stack_push(ofpact_get_STACK_PUSH(a), &ctx->packet,
                               &ctx->wc, &ctx->stack);
        return true;
    case OFPACT_STACK_POP:
        /* Of an empty stack: changes nothing. */
        nxm_execute_stack_pop(ofpact_get_STACK_POP(a), &ctx->packet,
                              &ctx->wc, &ctx->stack);
        return true;
    case OFPACT_STRIP_VLAN:
        flow_pop_vlan(&ctx->packet, &ctx->wc);
        return true;
    case OFPACT_PUSH_VLAN:
        push_vlan(ctx, ofpact_get_PUSH_VLAN(a));
        return true;
    case OFPACT_SET_IP_TTL:
        set_ttl(ctx, ofpact_get_SET_IP_TTL(a)->ttl);
        return true;
    case OFPACT_MULTIPATH:
        multipath_execute(ofpact_get_MULTIPATH(a), &ctx->packet, &ctx->wc);
        return true;
    case OFPACT_WRITE_METADATA:
        write_metadata(ctx, ofpact_get_WRITE_METADATA(a));
        return true;
    case OFPACT_CT_CLEAR:
        if (ctx->conntracked) {
            clear_conntrack(ctx);
        }
        return true;
    case OFPACT_NOTE:
    case OFPACT_CONJUNCTION:
    case OFPACT_FIN_TIMEOUT:
        return true;
    default:
        return false;
    }
}

void
np_interp_actions(struct np_interp_ctx *ctx, const struct ofpact *actions,
                  size_t len)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, actions, len) {
        if (ctx->status != NP_INTERP_OK || ctx->exit) {
            break;
        } else if (a->type == OFPACT_DEC_TTL) {
            if (!dec_ttl(ctx, ofpact_get_DEC_TTL(a))) {
                break;
            }
        } else if (!do_forwarding(ctx, a) && !do_change(ctx, a)) {
            unknown(ctx, a);
        }
    }
}

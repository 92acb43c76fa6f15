/* What should be in the flow table, and what becomes of it.
 *
 * A wish is a whole set of flows with a number.  The newest one wins: one
 * that comes while a bundle is under way waits as 'next', and replaces any
 * other that waits there.  When its turn comes it is 'sending', and once a
 * barrier has confirmed it, it is what is installed.  When that is in doubt,
 * after a lost connection or a refusal, it goes back to 'next', unless there
 * is something newer.
 *
 * A patch says only what changes in the newest wish.  If that one waits as
 * 'next', it is changed there.  Otherwise patches gather in 'patch' until it
 * is their turn, and then exactly they are sent, so that a change costs what
 * it changes and not a look at the table.  After a refusal the same is tried
 * once more when something is added to it, and when there is doubt about what
 * is installed, what is there and the patches become a whole wish again.
 *
 * Some flows cannot be installed and are set aside as 'skipped': one that is
 * too large for an OpenFlow message, one without our cookie, and one whose
 * key belongs to a flow that is not ours, which it would replace.  Everything
 * else of the wish is installed (an old table would be worse: it lets through
 * what was revoked), but the wish is not confirmed, so that nobody takes a
 * pod for protected that is not, and the table is read again from time to
 * time to see whether the other flow has gone. */

#include <config.h>

#include "installer.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "coverage.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_wish);

COVERAGE_DEFINE(np_installer_patch_merged);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

void
np_installer_error(struct np_installer *inst, char *error)
{
    VLOG_WARN_RL(&rl, "%s: %s", inst->name, error);
    free(inst->last_error);
    inst->last_error = error;
    inst->n_errors++;
    inst->seqno++;
}

static void
clear_error(struct np_installer *inst)
{
    free(inst->last_error);
    inst->last_error = NULL;
}

static void
move_all(struct np_flow_set *from, struct np_flow_set *to)
{
    struct np_flow *flow;

    HMAP_FOR_EACH_SAFE (flow, node, &from->flows) {
        np_flow_set_remove(from, flow);
        np_flow_destroy(np_flow_set_put(to, flow));
    }
}

/* Makes SET, of wish NO, with all that was said after it, the whole wish that
 * is next, unless there is one already. */
static void
wish_again(struct np_installer *inst, struct np_flow_set *set, uint64_t no)
{
    if (inst->have_next) {
        return;
    }
    np_flow_set_swap(&inst->next, set);
    np_flow_patch_apply(&inst->sending_patch, &inst->next);
    move_all(&inst->skipped, &inst->next);
    np_flow_patch_apply(&inst->patch, &inst->next);
    inst->next_no = inst->have_patch ? inst->patch_no : no;
    inst->have_next = true;
    inst->have_patch = inst->patch_refused = false;
}

/* What was installed, or was to be, is again only wished. */
void
np_wish_take_back(struct np_installer *inst)
{
    if (inst->busy && !inst->bundle.flush && !inst->patching) {
        wish_again(inst, &inst->sending, inst->sending_no);
    } else if (inst->installed_no) {
        wish_again(inst, &inst->rb.ours,
                   inst->patching ? inst->sending_no : inst->installed_no);
    }
    if (inst->busy) {
        np_bundle_destroy(&inst->bundle);
        inst->busy = false;
    }
    np_flow_set_clear(&inst->sending);
    np_flow_patch_clear(&inst->sending_patch);
    inst->patching = false;
    np_flow_set_clear(&inst->skipped);
    np_readback_clear(&inst->rb);
    inst->installed_no = 0;
    inst->known = false;
    inst->flush_done = false;
}

/* A whole wish, or a flush, waits for its turn. */
bool
np_wish_pending(const struct np_installer *inst)
{
    return inst->flushed ? !inst->flush_done : inst->have_next;
}

/* Why FLOW cannot be installed, or NULL. */
static const char *
obstacle(const struct np_installer *inst, const struct np_flow *flow)
{
    if (np_flow_set_find(&inst->rb.foreign, flow)) {
        return "would replace a flow that is not ours";
    } else if (!np_cookie_is_ours(flow->cookie)
               || np_cookie_kind(flow->cookie) == NP_FLOW_LEARNED) {
        /* It would be somebody else's when read back. */
        return "not under a cookie of ours";
    } else if (!np_of_fits(flow)) {
        return "too large for an OpenFlow message";
    }
    return NULL;
}

/* Moves FLOW from SET to what is skipped. */
static void
skip(struct np_installer *inst, struct np_flow_set *set, struct np_flow *flow,
     const char *reason)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s: ", reason);
    np_of_format_flow(flow, &inst->namer, &s);
    np_installer_error(inst, ds_steal_cstr(&s));
    np_flow_set_remove(set, flow);
    np_flow_destroy(np_flow_set_put(&inst->skipped, flow));
}

/* What is said once the flows to be sent are known: false if that is nothing;
 * then the wish is done. */
static bool
is_something(struct np_installer *inst, struct np_flow_delta *delta)
{
    if (!delta->n_put && !delta->n_del) {
        np_flow_delta_destroy(delta);
        np_wish_done(inst);
        return false;
    }
    return true;
}

/* Makes 'next' what is sent.  False if it is there already; then it is done,
 * else *DELTA is what has to be said. */
bool
np_wish_start(struct np_installer *inst, struct np_flow_delta *delta)
{
    struct np_flow *flow;

    np_flow_set_swap(&inst->sending, &inst->next);
    inst->sending_no = MAX(inst->next_no, inst->resume_no);
    inst->have_next = false;
    np_flow_set_clear(&inst->skipped);
    inst->installed_no = 0;
    HMAP_FOR_EACH_SAFE (flow, node, &inst->sending.flows) {
        const char *reason = obstacle(inst, flow);

        if (reason) {
            skip(inst, &inst->sending, flow, reason);
        }
    }
    np_flow_set_diff(&inst->rb.ours, &inst->sending, delta);
    return is_something(inst, delta);
}

/* Takes in what changes in the newest wish. */
void
np_wish_patch(struct np_installer *inst, struct np_flow_patch *patch)
{
    bool empty = np_flow_patch_is_empty(patch);

    ovs_assert(inst->have_next || inst->installed_no
               || (inst->busy && !inst->bundle.flush));
    if (inst->have_next || inst->have_patch) {
        COVERAGE_INC(np_installer_patch_merged);
    }
    inst->last_no++;
    np_addr_list_move(&inst->forget, &patch->forget);
    if (inst->have_next) {
        np_flow_patch_apply(patch, &inst->next);
        inst->next_no = inst->last_no;
    } else {
        np_flow_patch_join(&inst->patch, patch);
        inst->patch_no = inst->last_no;
        inst->have_patch = true;
    }

    /* Perhaps it is right now, but a stream of changes that are refused must
     * not cost a table each. */
    if (inst->have_next && inst->retry_at && !empty) {
        inst->retry_at = MIN(inst->retry_at, np_wish_patch_at(inst));
        inst->reread = false;
    }
    inst->patch_refused = inst->patch_refused && empty;
}

bool
np_wish_patch_pending(const struct np_installer *inst)
{
    return inst->have_patch && !inst->patch_refused && !inst->flushed;
}

/* When a patch may be sent, its pace aside; in time_msec(). */
long long int
np_wish_patch_at(const struct np_installer *inst)
{
    return inst->refused_at ? inst->refused_at + NP_OF_MIN_BACKOFF : 0;
}

static void
forget(struct np_flow_set *set, const struct np_flow *key)
{
    struct np_flow *flow = np_flow_set_find(set, key);

    if (flow) {
        np_flow_set_remove(set, flow);
        np_flow_destroy(flow);
    }
}

/* Brings 'skipped' to what it is with 'sending_patch', and takes what cannot
 * be installed out of this. */
static void
skip_in_patch(struct np_installer *inst)
{
    struct np_flow_patch *patch = &inst->sending_patch;
    struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &patch->del.flows) {
        forget(&inst->skipped, flow);
    }
    HMAP_FOR_EACH_SAFE (flow, node, &patch->put.flows) {
        const char *reason = obstacle(inst, flow);

        forget(&inst->skipped, flow);
        if (reason) {
            skip(inst, &patch->put, flow, reason);
            /* What it should have replaced is no longer wished. */
            np_flow_destroy(np_flow_set_put(&patch->del,
                                            np_flow_clone(flow)));
        }
    }
}

/* Makes 'patch' what is sent.  As np_wish_start(). */
bool
np_wish_start_patch(struct np_installer *inst, struct np_flow_delta *delta)
{
    np_flow_patch_swap(&inst->sending_patch, &inst->patch);
    inst->sending_no = MAX(inst->patch_no, inst->resume_no);
    inst->have_patch = false;
    inst->patching = true;
    skip_in_patch(inst);

    np_flow_patch_diff(&inst->sending_patch, &inst->rb.ours, delta);
    return is_something(inst, delta);
}

static void
succeed(struct np_installer *inst, uint64_t no)
{
    inst->realized = no;
    inst->backoff = NP_OF_MIN_BACKOFF;
    inst->retry_at = inst->refused_at = 0;
    inst->reread = false;
    inst->seqno++;
    clear_error(inst);
}

static void
back_off(struct np_installer *inst)
{
    inst->retry_at = time_msec() + inst->backoff;
    inst->backoff = MIN(2 * inst->backoff, NP_OF_MAX_BACKOFF);
    inst->reread = true;
    inst->seqno++;
}

static void
forget_address(struct np_installer *inst, const struct np_prefix *addr,
               uint8_t proto)
{
    int version = rconn_get_version(inst->rconn);

    for (int i = 0; i < 4 && inst->zones[i & 1]; i++) {
        rconn_send(inst->rconn,
                   np_of_ct_flush(version, inst->next_xid++,
                                  inst->zones[i & 1], addr, i & 2, proto),
                   NULL);
    }
}

/* Connections of addresses that are another pod's now.  Of IPv6 one protocol
 * after the other, without ICMPv6: ovs-vswitchd 3.1.0 aborts when the userspace
 * datapath is to forget an ICMPv6 "connection", because it looks for the type
 * of its answers among those of ICMP (tuple_to_conn_key() in
 * lib/conntrack.c). */
static void
forget_connections(struct np_installer *inst)
{
    static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

    for (size_t i = 0; i < inst->forget.n; i++) {
        const struct np_prefix *addr = &inst->forget.v[i];

        if (addr->family == 4) {
            forget_address(inst, addr, 0);
            continue;
        }
        for (size_t j = 0; j < ARRAY_SIZE(protos); j++) {
            forget_address(inst, addr, protos[j]);
        }
    }
    np_addr_list_clear(&inst->forget);
}

/* What was sent is installed. */
void
np_wish_done(struct np_installer *inst)
{
    forget_connections(inst);
    if (inst->patching) {
        np_flow_patch_apply(&inst->sending_patch, &inst->rb.ours);
        inst->patching = false;
    } else {
        np_flow_set_swap(&inst->rb.ours, &inst->sending);
        np_flow_set_clear(&inst->sending);
    }
    inst->installed_no = inst->sending_no;
    if (!inst->flushed && !inst->have_next && !inst->have_patch) {
        /* A flush that ended before it was its turn. */
        inst->installed_no = MAX(inst->installed_no, inst->resume_no);
    }
    inst->refused_at = 0;
    if (!np_flow_set_count(&inst->skipped)) {
        succeed(inst, inst->installed_no);
    } else if (!inst->reread) {
        back_off(inst);
    }
}

/* 'sending_patch' waits again, in front of what has gathered meanwhile. */
static void
patch_failed(struct np_installer *inst)
{
    struct np_flow_patch *patch = &inst->sending_patch;
    struct np_flow *flow;

    inst->patching = false;
    if (inst->have_next) {
        np_flow_patch_clear(patch);
        return;
    }
    /* Whether these can be installed will be asked again. */
    HMAP_FOR_EACH_SAFE (flow, node, &inst->skipped.flows) {
        np_flow_set_remove(&inst->skipped, flow);
        np_flow_patch_put(patch, flow);
    }
    np_flow_patch_join(patch, &inst->patch);
    np_flow_patch_swap(patch, &inst->patch);
    if (!inst->have_patch) {
        inst->patch_no = inst->sending_no;
    }
    inst->have_patch = inst->patch_refused = true;
}

/* What was sent was refused: nothing has changed. */
void
np_wish_failed(struct np_installer *inst)
{
    if (inst->patching) {
        patch_failed(inst);
    } else if (!inst->bundle.flush) {
        wish_again(inst, &inst->sending, inst->sending_no);
        np_flow_set_clear(&inst->sending);
        np_flow_set_clear(&inst->skipped);
    }
    inst->refused_at = time_msec();
    back_off(inst);
}

/* None of our flows is there any more; what was wished before waits for the
 * end of the flush. */
void
np_wish_flushed(struct np_installer *inst)
{
    if (inst->installed_no) {
        wish_again(inst, &inst->rb.ours, inst->installed_no);
    }
    np_flow_set_clear(&inst->rb.ours);
    np_flow_set_clear(&inst->skipped);
    inst->rb.n_learned = 0;
    inst->installed_no = 0;
    inst->flush_done = true;
    succeed(inst, inst->flush_no);
}

/* What should be in the flow table, and what becomes of it.
 *
 * A wish is a whole set of flows with a number.  The newest one wins: one
 * that comes while a bundle is under way waits as 'next', and replaces any
 * other that waits there.  When its turn comes it is 'sending', and once a
 * barrier has confirmed it, it is what is installed.  When that is in doubt,
 * after a lost connection or a refusal, it goes back to 'next', unless there
 * is something newer.
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

#include <stdlib.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_wish);

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

/* What was installed, or was to be, is again only wished. */
void
np_wish_take_back(struct np_installer *inst)
{
    if (inst->busy && !inst->bundle.flush && !inst->have_next) {
        np_flow_set_swap(&inst->next, &inst->sending);
        move_all(&inst->skipped, &inst->next);
        inst->next_no = inst->sending_no;
        inst->have_next = true;
    } else if (inst->installed_no && !inst->have_next) {
        np_flow_set_swap(&inst->next, &inst->rb.ours);
        move_all(&inst->skipped, &inst->next);
        inst->next_no = inst->installed_no;
        inst->have_next = true;
    }
    if (inst->busy) {
        np_bundle_destroy(&inst->bundle);
        inst->busy = false;
    }
    np_flow_set_clear(&inst->sending);
    np_flow_set_clear(&inst->skipped);
    np_readback_clear(&inst->rb);
    inst->installed_no = 0;
    inst->known = false;
    inst->flush_done = false;
}

bool
np_wish_pending(const struct np_installer *inst)
{
    return inst->flushed ? !inst->flush_done : inst->have_next;
}

static void
skip(struct np_installer *inst, struct np_flow *flow, const char *reason)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s: ", reason);
    np_flow_format(flow, NULL, &s);
    np_installer_error(inst, ds_steal_cstr(&s));
    np_flow_set_remove(&inst->sending, flow);
    np_flow_destroy(np_flow_set_put(&inst->skipped, flow));
}

static void
skip_what_cannot_be(struct np_installer *inst)
{
    const struct np_flow *foreign;
    struct np_flow *flow;

    HMAP_FOR_EACH (foreign, node, &inst->rb.foreign.flows) {
        flow = np_flow_set_find(&inst->sending, foreign);
        if (flow) {
            skip(inst, flow, "would replace a flow that is not ours");
        }
    }
    HMAP_FOR_EACH_SAFE (flow, node, &inst->sending.flows) {
        if (!np_cookie_is_ours(flow->cookie)
            || np_cookie_kind(flow->cookie) == NP_FLOW_LEARNED) {
            /* It would be somebody else's when read back. */
            skip(inst, flow, "not under a cookie of ours");
        } else if (!np_of_fits(flow)) {
            skip(inst, flow, "too large for an OpenFlow message");
        }
    }
}

/* Makes 'next' what is sent.  False if it is there already; then it is done,
 * else *DELTA is what has to be said. */
bool
np_wish_start(struct np_installer *inst, struct np_flow_delta *delta)
{
    np_flow_set_swap(&inst->sending, &inst->next);
    inst->sending_no = MAX(inst->next_no, inst->resume_no);
    inst->have_next = false;
    np_flow_set_clear(&inst->skipped);
    inst->installed_no = 0;
    skip_what_cannot_be(inst);

    np_flow_set_diff(&inst->rb.ours, &inst->sending, delta);
    if (!delta->n_put && !delta->n_del) {
        np_flow_delta_destroy(delta);
        np_wish_done(inst);
        return false;
    }
    return true;
}

static void
succeed(struct np_installer *inst, uint64_t no)
{
    inst->realized = no;
    inst->backoff = NP_OF_MIN_BACKOFF;
    inst->retry_at = 0;
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

/* What was sent is installed. */
void
np_wish_done(struct np_installer *inst)
{
    np_flow_set_swap(&inst->rb.ours, &inst->sending);
    np_flow_set_clear(&inst->sending);
    inst->installed_no = inst->sending_no;
    if (!inst->flushed && !inst->have_next) {
        /* A flush that ended before it was its turn. */
        inst->installed_no = MAX(inst->installed_no, inst->resume_no);
    }
    if (np_flow_set_count(&inst->skipped)) {
        back_off(inst);
    } else {
        succeed(inst, inst->installed_no);
    }
}

/* What was sent was refused: nothing has changed. */
void
np_wish_failed(struct np_installer *inst)
{
    if (!inst->bundle.flush && !inst->have_next) {
        np_flow_set_swap(&inst->next, &inst->sending);
        move_all(&inst->skipped, &inst->next);
        inst->next_no = inst->sending_no;
        inst->have_next = true;
    }
    np_flow_set_clear(&inst->sending);
    np_flow_set_clear(&inst->skipped);
    back_off(inst);
}

/* None of our flows is there any more; what was wished before waits for the
 * end of the flush. */
void
np_wish_flushed(struct np_installer *inst)
{
    if (inst->installed_no && !inst->have_next) {
        np_flow_set_swap(&inst->next, &inst->rb.ours);
        move_all(&inst->skipped, &inst->next);
        inst->next_no = inst->installed_no;
        inst->have_next = true;
    }
    np_flow_set_clear(&inst->rb.ours);
    np_flow_set_clear(&inst->skipped);
    inst->rb.n_learned = 0;
    inst->installed_no = 0;
    inst->flush_done = true;
    succeed(inst, inst->flush_no);
}

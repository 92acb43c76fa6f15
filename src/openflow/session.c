/* The installer's connection to the switch.
 *
 *              connected
 *   DISCONNECTED ─────► READING ─────► IDLE ◄──────────────┐
 *        ▲                              │ a wish differs   │ barrier,
 *        │ connection lost,             ▼                  │ or refused:
 *        │ in any state              SENDING               │ retry later
 *        │                              │ all queued       │
 *        └──────────────────────────    ▼                  │
 *                                   CHECKING ──► COMMITTING┘
 *                                     barrier
 *
 * Every connection begins by reading back the whole table, so nothing that
 * happened while there was none, a restart of the switch included, needs a
 * case of its own.  Nothing is sent before the first wish: a daemon that does
 * not know yet what it wants must not take anything away.
 *
 * What makes a bundle go out: a new wish; a patch of it, when the pace allows;
 * the read-back of a new connection that differs from the wish; a look at the
 * table (watch.c) that finds it changed; the end of a hold or a flush; and
 * time, after a refusal or while a flow is skipped. */

#include <config.h>

#include "installer.h"

#include <errno.h>
#include <stdlib.h>

#include "coverage.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_installer);

COVERAGE_DEFINE(np_installer_read);
COVERAGE_DEFINE(np_installer_bundle);
COVERAGE_DEFINE(np_installer_flow_mod);
COVERAGE_DEFINE(np_installer_patch);
COVERAGE_DEFINE(np_installer_refused);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

/* Messages taken in one turn of the main loop. */
enum { TURN_MAX = 50 };
/* A switch that commits a very large bundle answers nothing meanwhile. */
enum { PROBE_IDLE = 5, PROBE_BUSY = 60 };

static void
set_state(struct np_installer *inst, enum np_of_state state)
{
    inst->state = state;
    inst->seqno++;
    rconn_set_probe_interval(inst->rconn,
                             state == NP_OF_IDLE ? PROBE_IDLE : PROBE_BUSY);
}

static void
request_flows(struct np_installer *inst)
{
    COVERAGE_INC(np_installer_read);
    inst->read_xid = inst->next_xid++;
    rconn_send(inst->rconn,
               np_of_flow_request(rconn_get_version(inst->rconn),
                                  inst->read_xid, OFPTT_ALL), NULL);
    np_watch_read_begins(inst);
    set_state(inst, NP_OF_READING);
}

static void
start_reading(struct np_installer *inst)
{
    np_wish_take_back(inst);
    inst->reread = false;
    request_flows(inst);
}

static void
set_config(struct np_installer *inst)
{
    rconn_send(inst->rconn,
               np_of_set_config(rconn_get_version(inst->rconn), 0), NULL);
    inst->configured = true;
}

/* Reads what should be what is wished, or nothing.  Fragment handling can only
 * be said again. */
static void
start_look(struct np_installer *inst)
{
    if (inst->configured) {
        set_config(inst);
    }
    if (np_flow_set_count(&inst->skipped)
        || !(inst->flushed ? inst->flush_done : inst->installed_no)) {
        start_reading(inst);
        return;
    }
    inst->looking = true;
    request_flows(inst);
}

static void
stop_look(struct np_installer *inst)
{
    inst->looking = false;
    np_readback_clear(&inst->look);
}

/* If it is something else, that is now what is known, and the rest follows
 * from there. */
static void
finish_look(struct np_installer *inst)
{
    struct np_flow_delta delta;

    np_flow_set_diff(&inst->look.ours, &inst->rb.ours, &delta);
    if (delta.n_put || delta.n_del) {
        np_watch_report(inst, &delta);
        np_wish_take_back(inst);
        inst->known = true;
        np_flow_set_swap(&inst->rb.ours, &inst->look.ours);
    }
    np_flow_delta_destroy(&delta);
    np_flow_set_swap(&inst->rb.foreign, &inst->look.foreign);
    inst->rb.n_learned = inst->look.n_learned;
    stop_look(inst);
    set_state(inst, NP_OF_IDLE);
}

static void
finish_reading(struct np_installer *inst)
{
    np_watch_read_ended(inst);
    if (inst->looking) {
        finish_look(inst);
        return;
    }
    np_readback_end(&inst->rb);
    inst->known = true;
    inst->foreign_flows = np_flow_set_count(&inst->rb.foreign) > 0;
    VLOG_DBG("%s: %"PRIuSIZE" flows of ours, %"PRIuSIZE" learned, %"PRIuSIZE
             " foreign", inst->name, np_flow_set_count(&inst->rb.ours),
             inst->rb.n_learned, np_flow_set_count(&inst->rb.foreign));
    set_state(inst, NP_OF_IDLE);
}

/* The switch says what cannot be understood: start afresh. */
static void
give_up_reading(struct np_installer *inst, int error)
{
    np_installer_error(inst, xasprintf("cannot read flows back (%s)",
                                       ofperr_to_string(error)));
    rconn_reconnect(inst->rconn);
}

static void
handle_flow_stats(struct np_installer *inst, struct ofpbuf *msg)
{
    const struct ofp_header *oh = msg->data;
    bool more = ofpmp_more(oh);

    if (inst->state != NP_OF_READING || ntohl(oh->xid) != inst->read_xid) {
        return;
    }
    np_watch_read_answered(inst);
    int error = np_readback_add(inst->looking ? &inst->look : &inst->rb, msg);
    if (error) {
        give_up_reading(inst, error);
    } else if (!more) {
        finish_reading(inst);
    }
}

static void
end_bundle(struct np_installer *inst)
{
    np_bundle_destroy(&inst->bundle);
    inst->busy = false;
    set_state(inst, NP_OF_IDLE);
}

/* The switch refused something, or we are not to go on. */
static void
abandon_bundle(struct np_installer *inst)
{
    if (inst->state != NP_OF_COMMITTING) {
        np_bundle_discard(&inst->bundle, inst->rconn, &inst->next_xid);
    }
    if (inst->bundle.error) {
        COVERAGE_INC(np_installer_refused);
        np_installer_error(inst, inst->bundle.error);
        inst->bundle.error = NULL;
        np_wish_failed(inst);
    } else {
        np_wish_failed(inst);
        inst->retry_at = 0;
        inst->refused_at = 0;
        inst->patch_refused = false;
    }
    end_bundle(inst);
}

static void
finish_bundle(struct np_installer *inst)
{
    COVERAGE_INC(np_installer_bundle);
    COVERAGE_ADD(np_installer_flow_mod, inst->bundle.n);
    inst->n_bundles++;
    inst->n_flow_mods += inst->bundle.n;
    VLOG_DBG("%s: %"PRIuSIZE" flow-mods committed", inst->name,
             inst->bundle.n);
    if (inst->bundle.flush) {
        np_wish_flushed(inst);
    } else {
        np_wish_done(inst);
    }
    end_bundle(inst);
}

static void
handle_barrier(struct np_installer *inst, const struct ofp_header *oh)
{
    struct np_bundle *b = &inst->bundle;

    if (!inst->busy || ntohl(oh->xid) != b->barrier_xid) {
        return;
    }
    if (inst->state == NP_OF_CHECKING && !b->error) {
        np_bundle_commit(b, inst->rconn, &inst->next_xid);
        set_state(inst, NP_OF_COMMITTING);
    } else if (inst->state == NP_OF_COMMITTING && !b->error && b->committed) {
        finish_bundle(inst);
    } else {
        if (!b->error) {
            b->error = xstrdup("bundle was not committed");
        }
        abandon_bundle(inst);
    }
}

static void
handle_error(struct np_installer *inst, const struct ofp_header *oh)
{
    if (inst->busy && np_bundle_error(&inst->bundle, oh, &inst->namer)) {
        /* After a commit the barrier follows; before, there is no use in
         * going on. */
        if (inst->state != NP_OF_COMMITTING) {
            abandon_bundle(inst);
        }
    } else if (inst->state == NP_OF_READING
               && ntohl(oh->xid) == inst->read_xid) {
        give_up_reading(inst, ofperr_decode_msg(oh, NULL));
    } else if (!np_watch_error(inst, oh)) {
        VLOG_DBG_RL(&rl, "%s: %s", inst->name,
                    ofperr_to_string(ofperr_decode_msg(oh, NULL)));
    }
}

static void
handle_message(struct np_installer *inst, struct ofpbuf *msg)
{
    const struct ofp_header *oh = msg->data;
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        VLOG_DBG_RL(&rl, "%s: message that cannot be decoded", inst->name);
        return;
    }
    switch ((int) type) {
    case OFPTYPE_ECHO_REQUEST:
        rconn_send(inst->rconn, ofputil_encode_echo_reply(oh), NULL);
        break;
    case OFPTYPE_FLOW_STATS_REPLY:
        handle_flow_stats(inst, msg);
        break;
    case OFPTYPE_FLOW_MONITOR_STATS_REPLY:
        np_watch_update(inst, msg);
        break;
    case OFPTYPE_FLOW_MONITOR_PAUSED:
        break;
    case OFPTYPE_FLOW_MONITOR_RESUMED:      /* As in np_watch_update(). */
        np_watch_alarm(inst);
        break;
    case OFPTYPE_BUNDLE_CONTROL:
        if (inst->busy) {
            np_bundle_reply(&inst->bundle, oh);
        }
        break;
    case OFPTYPE_BARRIER_REPLY:
        handle_barrier(inst, oh);
        break;
    case OFPTYPE_ERROR:
        handle_error(inst, oh);
        break;
    default:
        VLOG_DBG_RL(&rl, "%s: %s ignored", inst->name,
                    ofptype_get_name(type));
        break;
    }
}

/* On a new connection, also one that was lost and is back between two
 * turns. */
static void
check_connection(struct np_installer *inst)
{
    unsigned int seqno = rconn_get_connection_seqno(inst->rconn);

    if (seqno == inst->conn_seqno) {
        return;
    }
    inst->conn_seqno = seqno;
    inst->configured = false;
    inst->realized = 0;
    stop_look(inst);
    np_wish_take_back(inst);
    if (rconn_is_connected(inst->rconn)) {
        inst->retry_at = 0;
        np_watch_connected(inst);
        start_reading(inst);
    } else {
        set_state(inst, NP_OF_DISCONNECTED);
    }
}

static void
check_conn_error(struct np_installer *inst)
{
    char *s = np_of_conn_error(inst->rconn);

    if (!nullable_string_is_equal(s, inst->conn_error)) {
        inst->seqno++;
    }
    free(inst->conn_error);
    inst->conn_error = s;
}

static bool
may_start(const struct np_installer *inst)
{
    return inst->state == NP_OF_IDLE && !inst->hold;
}

static void
open_bundle(struct np_installer *inst, struct np_flow_delta *delta)
{
    np_bundle_init(&inst->bundle, delta);
    inst->busy = true;
    np_bundle_open(&inst->bundle, inst->rconn, &inst->next_xid);
    set_state(inst, NP_OF_SENDING);
}

static void
start_whole(struct np_installer *inst)
{
    struct np_flow_delta delta;

    if (!inst->configured) {
        set_config(inst);
    }
    if (inst->flushed) {
        open_bundle(inst, NULL);
    } else if (np_wish_start(inst, &delta)) {
        open_bundle(inst, &delta);
    }
}

static void
start_patch(struct np_installer *inst)
{
    bool paced = !np_flow_patch_is_empty(&inst->patch);
    struct np_flow_delta delta;

    if (paced && !token_bucket_withdraw(&inst->pace, NP_OF_PACE_COST)) {
        return;
    }
    if (np_wish_start_patch(inst, &delta)) {
        open_bundle(inst, &delta);
        COVERAGE_INC(np_installer_patch);
    } else if (paced) {
        inst->pace.tokens += NP_OF_PACE_COST;
    }
}

static void
start(struct np_installer *inst)
{
    long long int now = time_msec();

    if (!may_start(inst)) {
        return;
    }
    if (inst->reread && now >= inst->retry_at) {
        start_reading(inst);
    } else if (np_wish_pending(inst)) {
        if (now >= inst->retry_at) {
            start_whole(inst);
        }
    } else if (now >= np_watch_at(inst)) {
        start_look(inst);
    } else if (np_wish_patch_pending(inst)
               && now >= np_wish_patch_at(inst)) {
        start_patch(inst);
    }
}

static void
start_wait(struct np_installer *inst)
{
    if (!may_start(inst)) {
        return;
    }
    if (inst->reread || np_wish_pending(inst)) {
        poll_timer_wait_until(inst->retry_at);
    } else {
        poll_timer_wait_until(np_watch_at(inst));
    }
    if (np_wish_patch_pending(inst)) {
        if (time_msec() < np_wish_patch_at(inst)) {
            poll_timer_wait_until(np_wish_patch_at(inst));
        } else {
            token_bucket_wait(&inst->pace, NP_OF_PACE_COST);
        }
    }
}

static void
go_on(struct np_installer *inst)
{
    if (inst->hold && (inst->state == NP_OF_SENDING
                       || inst->state == NP_OF_CHECKING)) {
        abandon_bundle(inst);
    } else if (inst->state == NP_OF_SENDING
               && np_bundle_send(&inst->bundle, inst->rconn, inst->queued)) {
        np_bundle_barrier(&inst->bundle, inst->rconn, &inst->next_xid);
        set_state(inst, NP_OF_CHECKING);
    }
}

void
np_installer_run(struct np_installer *inst)
{
    struct ofpbuf *msg;

    inst->poked = false;
    np_of_knock_run(&inst->knock, inst->rconn);
    rconn_run(inst->rconn);
    check_connection(inst);
    for (int i = 0; i < TURN_MAX && (msg = rconn_recv(inst->rconn)); i++) {
        handle_message(inst, msg);
        ofpbuf_delete(msg);
    }
    check_connection(inst);
    check_conn_error(inst);
    start(inst);
    go_on(inst);
    np_noflood_run(inst->noflood, inst->hold);
}

void
np_installer_wait(struct np_installer *inst)
{
    rconn_run_wait(inst->rconn);
    rconn_recv_wait(inst->rconn);
    np_of_knock_wait(&inst->knock, inst->rconn);
    np_noflood_wait(inst->noflood);
    if (inst->poked) {
        poll_immediate_wake();
    }
    start_wait(inst);
    if (inst->state == NP_OF_SENDING) {
        np_bundle_wait(&inst->bundle, inst->queued);
    }
}

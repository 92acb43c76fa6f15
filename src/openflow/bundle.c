/* One change of the flow table, as an OpenFlow bundle.
 *
 *     OPEN, ADD, ADD, …, BARRIER      → all of it is in the bundle?
 *     COMMIT, BARRIER                 → and now in force
 *
 * The first barrier is there because a switch that cannot take one ADD says
 * so and keeps the others: a COMMIT sent blindly behind them would install
 * half of the change.  The flow-mods have ascending xids, so that an error
 * leads to the flow that it is about.
 *
 * Messages are encoded only when there is room in the connection's queue: a
 * large bundle exists as a list of pointers, never as one pile of
 * messages. */

#include <config.h>

#include "openflow-private.h"

#include <stdlib.h>

#include "openflow/openflow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "util.h"

/* Queued bytes beyond which no more is encoded, and flow-mods in a turn of
 * the main loop, so that other work gets its turn. */
enum { QUEUE_MAX = 1024 * 1024, TURN_MAX = 10000 };

void
np_bundle_init(struct np_bundle *b, struct np_flow_delta *delta)
{
    *b = (struct np_bundle) { .flush = !delta };
    if (delta) {
        b->delta = *delta;
        *delta = (struct np_flow_delta) { .n_put = 0 };
        b->n = b->delta.n_put + b->delta.n_del;
    } else {
        b->n = 1;
    }
}

void
np_bundle_destroy(struct np_bundle *b)
{
    np_flow_delta_destroy(&b->delta);
    free(b->error);
    *b = (struct np_bundle) { .n = 0 };
}

/* The verb and flow of the flow-mod with index I: deletions come first. */
static enum np_of_verb
nth(const struct np_bundle *b, size_t i, const struct np_flow **flow)
{
    if (b->flush) {
        *flow = NULL;
        return NP_OF_FLUSH;
    } else if (i < b->delta.n_del) {
        *flow = b->delta.del[i];
        return NP_OF_DELETE;
    } else {
        *flow = b->delta.put[i - b->delta.n_del];
        return NP_OF_PUT;
    }
}

void
np_bundle_open(struct np_bundle *b, struct rconn *rconn, uint32_t *next_xid)
{
    b->id = b->control_xid = (*next_xid)++;
    b->first_xid = *next_xid;
    *next_xid += b->n;
    rconn_send(rconn,
               np_of_bundle_control(rconn_get_version(rconn), b->control_xid,
                                    b->id, OFPBCT_OPEN_REQUEST), NULL);
}

bool
np_bundle_send(struct np_bundle *b, struct rconn *rconn,
               struct rconn_packet_counter *counter)
{
    int version = rconn_get_version(rconn);

    for (int i = 0; i < TURN_MAX && b->n_sent < b->n; i++) {
        const struct np_flow *flow;
        enum np_of_verb verb = nth(b, b->n_sent, &flow);

        if (rconn_packet_counter_n_bytes(counter) >= QUEUE_MAX) {
            break;
        }
        struct ofpbuf *msg = np_of_bundle_add(version,
                                              b->first_xid + b->n_sent,
                                              b->id, verb, flow);
        if (!msg) {
            /* Not reached with flows that np_of_fits(). */
            b->error = xstrdup("flow too large for an OpenFlow message");
            return false;
        }
        rconn_send(rconn, msg, counter);
        b->n_sent++;
    }
    return b->n_sent == b->n;
}

void
np_bundle_wait(const struct np_bundle *b,
               const struct rconn_packet_counter *counter)
{
    if (b->n_sent < b->n
        && rconn_packet_counter_n_bytes(counter) < QUEUE_MAX) {
        poll_immediate_wake();
    }
}

void
np_bundle_barrier(struct np_bundle *b, struct rconn *rconn,
                  uint32_t *next_xid)
{
    b->barrier_xid = (*next_xid)++;
    rconn_send(rconn, np_of_barrier(rconn_get_version(rconn),
                                    b->barrier_xid), NULL);
}

void
np_bundle_commit(struct np_bundle *b, struct rconn *rconn, uint32_t *next_xid)
{
    b->control_xid = (*next_xid)++;
    rconn_send(rconn,
               np_of_bundle_control(rconn_get_version(rconn), b->control_xid,
                                    b->id, OFPBCT_COMMIT_REQUEST), NULL);
    np_bundle_barrier(b, rconn, next_xid);
}

void
np_bundle_discard(struct np_bundle *b, struct rconn *rconn,
                  uint32_t *next_xid)
{
    rconn_send(rconn,
               np_of_bundle_control(rconn_get_version(rconn), (*next_xid)++,
                                    b->id, OFPBCT_DISCARD_REQUEST), NULL);
}

bool
np_bundle_error(struct np_bundle *b, const struct ofp_header *oh,
                const struct np_of_namer *namer)
{
    uint32_t xid = ntohl(oh->xid);
    bool flow_mod = xid - b->first_xid < b->n;

    if (!flow_mod && xid != b->control_xid
        && (!b->barrier_xid || xid != b->barrier_xid)) {
        return false;
    }
    /* A refused flow-mod is followed by errors of what depends on it. */
    if (!b->error) {
        struct ds s = DS_EMPTY_INITIALIZER;
        const struct np_flow *flow = NULL;

        ds_put_cstr(&s, ofperr_to_string(ofperr_decode_msg(oh, NULL)));
        if (flow_mod) {
            nth(b, xid - b->first_xid, &flow);
        }
        if (flow) {
            ds_put_cstr(&s, ": ");
            np_of_format_flow(flow, namer, &s);
        }
        b->error = ds_steal_cstr(&s);
    }
    return true;
}

void
np_bundle_reply(struct np_bundle *b, const struct ofp_header *oh)
{
    struct ofputil_bundle_ctrl_msg bc;

    if (ntohl(oh->xid) == b->control_xid
        && !ofputil_decode_bundle_ctrl(oh, &bc)
        && bc.bundle_id == b->id && bc.type == OFPBCT_COMMIT_REPLY) {
        b->committed = true;
    }
}

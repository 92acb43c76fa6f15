/* What flows have counted, and the end of those that the switch learned.
 *
 * The installer's connection is none for this: a management connection is told
 * of a flow's end only if it asks for messages that nobody asked for, and a
 * flood of answers must not come between a bundle and its barrier.  So there
 * is another, which asks for nothing but the ends of flows.
 *
 * A read is one question a table; it is done when the last is answered.  What
 * the switch tells of its own is bounded by what it may learn, and only so
 * much of it is taken in at a time. */

#include <config.h>

#include "netpol/learned.h"
#include "openflow-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "byte-order.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_learned);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

/* Messages taken in one turn of the main loop. */
enum { TURN_MAX = 50 };
enum { PROBE_SECONDS = 5, MAX_BACKOFF_SECONDS = 2 };

struct np_learned {
    struct rconn *rconn;
    struct np_of_knock knock;
    char *target;
    unsigned int conn_seqno;
    uint32_t next_xid;
    uint8_t tables[NP_LEARNED_MAX_TABLES];
    size_t n_tables;
    const struct np_learned_class *class;
    void *aux;

    uint64_t wanted;            /* Newest read that was asked for, */
    uint64_t reading;           /* that is under way (0: none), */
    uint64_t done;              /* and that is done. */
    bool first;                 /* None was done on this connection. */
    uint32_t last_xid;          /* Of the last of its questions. */
    struct np_flow_dump dump;   /* What was answered. */
    struct np_flow_maker *maker;        /* While a read is under way. */
};

struct np_learned *
np_learned_create(const uint8_t *tables, size_t n,
                  const struct np_learned_class *class, void *aux)
{
    struct np_learned *l = xzalloc(sizeof *l);

    ovs_assert(n && n <= NP_LEARNED_MAX_TABLES);
    l->rconn = rconn_create(PROBE_SECONDS, MAX_BACKOFF_SECONDS, 0,
                            NP_OF_VERSIONS);
    l->conn_seqno = rconn_get_connection_seqno(l->rconn);
    l->next_xid = 1;
    memcpy(l->tables, tables, n);
    l->n_tables = n;
    l->class = class;
    l->aux = aux;
    np_flow_dump_init(&l->dump);
    return l;
}

/* Forgets what was read so far. */
static void
end_read(struct np_learned *l)
{
    np_flow_maker_destroy(l->maker);
    l->maker = NULL;
    np_flow_dump_destroy(&l->dump);
    np_flow_dump_init(&l->dump);
    l->reading = 0;
}

void
np_learned_destroy(struct np_learned *l)
{
    if (l) {
        end_read(l);
        np_flow_dump_destroy(&l->dump);
        rconn_destroy(l->rconn);
        free(l->target);
        free(l);
    }
}

void
np_learned_set_target(struct np_learned *l, const char *target)
{
    if (nullable_string_is_equal(l->target, target)) {
        return;
    }
    free(l->target);
    l->target = nullable_xstrdup(target);
    rconn_disconnect(l->rconn);
    if (target) {
        char *bridge = np_of_name(target);
        char *name = xasprintf("%s (learned)", bridge);

        rconn_connect(l->rconn, target, name);
        free(name);
        free(bridge);
    }
}

bool
np_learned_is_connected(const struct np_learned *l)
{
    return rconn_is_connected(l->rconn);
}

uint64_t
np_learned_read(struct np_learned *l)
{
    return ++l->wanted;
}

uint64_t
np_learned_done(const struct np_learned *l)
{
    return l->done;
}

/* A management connection hears nothing that it did not ask for unless its
 * miss_send_len is not zero; packets would come with it. */
static void
configure(struct np_learned *l)
{
    int version = rconn_get_version(l->rconn);
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;

    async.primary[OAM_FLOW_REMOVED] = ((1u << OFPRR_IDLE_TIMEOUT)
                                       | (1u << OFPRR_HARD_TIMEOUT)
                                       | (1u << OFPRR_DELETE));
    rconn_send(l->rconn,
               ofputil_encode_set_async_config(&async,
                                               (1u << OAM_N_TYPES) - 1,
                                               version), NULL);
    rconn_send(l->rconn, np_of_set_config(version, 64), NULL);
}

static void
check_connection(struct np_learned *l)
{
    unsigned int seqno = rconn_get_connection_seqno(l->rconn);

    if (seqno != l->conn_seqno) {
        l->conn_seqno = seqno;
        end_read(l);
        if (rconn_is_connected(l->rconn)) {
            configure(l);
            l->first = true;
            np_learned_read(l);
        }
    }
}

static void
start_read(struct np_learned *l)
{
    if (l->reading || l->wanted <= l->done
        || !rconn_is_connected(l->rconn)) {
        return;
    }
    l->reading = l->wanted;
    l->maker = np_flow_maker_create();
    for (size_t i = 0; i < l->n_tables; i++) {
        l->last_xid = l->next_xid++;
        rconn_send(l->rconn,
                   np_of_flow_request(rconn_get_version(l->rconn),
                                      l->last_xid, l->tables[i]), NULL);
    }
}

static void
finish_read(struct np_learned *l)
{
    bool first = l->first;

    np_of_dump_sort(&l->dump);
    l->first = false;
    l->done = l->reading;
    l->class->read(&l->dump, first, l->aux);
    end_read(l);
}

/* The switch says what cannot be understood: start afresh. */
static void
give_up(struct np_learned *l, int error)
{
    VLOG_WARN_RL(&rl, "%s: cannot read counters (%s)",
                 rconn_get_name(l->rconn), ofperr_to_string(error));
    rconn_reconnect(l->rconn);
}

static bool
is_ours(const struct np_learned *l, const struct ofp_header *oh)
{
    return l->reading && l->last_xid - ntohl(oh->xid) < l->n_tables;
}

static void
handle_flow_stats(struct np_learned *l, struct ofpbuf *msg)
{
    const struct ofp_header *oh = msg->data;
    bool last = ntohl(oh->xid) == l->last_xid && !ofpmp_more(oh);
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_stats fs;
    int error;

    if (!is_ours(l, oh)) {
        return;
    }
    memset(stub, 0, sizeof stub);
    while (!(error = ofputil_decode_flow_stats_reply(&fs, msg, false,
                                                     &ofpacts))) {
        if (np_cookie_is_ours(ntohll(fs.cookie))) {
            np_of_dump_add(&l->dump, l->maker, &fs);
        }
        memset(ofpacts.data, 0, ofpacts.size);
    }
    ofpbuf_uninit(&ofpacts);
    if (error != EOF) {
        give_up(l, error);
    } else if (last) {
        finish_read(l);
    }
}

static void
handle_flow_removed(struct np_learned *l, const struct ofp_header *oh)
{
    struct ofputil_flow_removed fr;
    int error = ofputil_decode_flow_removed(&fr, oh);

    if (error) {
        VLOG_WARN_RL(&rl, "%s: end of a flow that cannot be decoded (%s)",
                     rconn_get_name(l->rconn), ofperr_to_string(error));
        return;
    }
    if (!np_cookie_is_ours(ntohll(fr.cookie))) {
        return;
    }
    struct np_flow *flow = np_flow_create(fr.table_id, fr.priority,
                                          ntohll(fr.cookie), &fr.match, NULL,
                                          0);
    struct np_flow_stats stats = {
        .flow = flow,
        .n_packets = fr.packet_count,
        .n_bytes = fr.byte_count,
        .duration = fr.duration_sec,
        .idle = fr.reason == OFPRR_IDLE_TIMEOUT ? fr.idle_timeout : 0,
    };
    l->class->ended(&stats, l->aux);
    np_flow_destroy(flow);
}

static void
handle_message(struct np_learned *l, struct ofpbuf *msg)
{
    const struct ofp_header *oh = msg->data;
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        VLOG_DBG_RL(&rl, "message that cannot be decoded");
    } else if (type == OFPTYPE_ECHO_REQUEST) {
        rconn_send(l->rconn, ofputil_encode_echo_reply(oh), NULL);
    } else if (type == OFPTYPE_FLOW_STATS_REPLY) {
        handle_flow_stats(l, msg);
    } else if (type == OFPTYPE_FLOW_REMOVED) {
        handle_flow_removed(l, oh);
    } else if (type == OFPTYPE_ERROR) {
        enum ofperr error = ofperr_decode_msg(oh, NULL);

        if (is_ours(l, oh)) {
            give_up(l, error);
        } else {
            VLOG_INFO_RL(&rl, "%s: %s", rconn_get_name(l->rconn),
                         ofperr_to_string(error));
        }
    }
}

void
np_learned_run(struct np_learned *l)
{
    struct ofpbuf *msg;

    np_of_knock_run(&l->knock, l->rconn);
    rconn_run(l->rconn);
    check_connection(l);
    for (int i = 0; i < TURN_MAX && (msg = rconn_recv(l->rconn)); i++) {
        handle_message(l, msg);
        ofpbuf_delete(msg);
    }
    check_connection(l);
    start_read(l);
}

void
np_learned_wait(struct np_learned *l)
{
    rconn_run_wait(l->rconn);
    rconn_recv_wait(l->rconn);
    np_of_knock_wait(&l->knock, l->rconn);
    if (!l->reading && l->wanted > l->done
        && rconn_is_connected(l->rconn)) {
        poll_immediate_wake();
    }
}

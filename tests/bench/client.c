/* A client with an open connection and nothing to think about.
 *
 * It encodes with the functions that the installer encodes with, so that
 * messages are the same byte by byte, and uses the same library for the
 * connection. */

#include <config.h>
#include "bench/client.h"

#include <stdio.h>
#include <string.h>

#include "netpol/flow.h"
#include "openflow/openflow-private.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vconn.h"
#include "util.h"

void
np_bench_client_open(struct np_bench_client *c, const char *target)
{
    int error = vconn_open_block(target, NP_OF_VERSIONS, 0, -1, &c->vconn);

    if (error) {
        ovs_fatal(error, "%s", target);
    }
    c->version = vconn_get_version(c->vconn);
    c->xid = 1;
}

void
np_bench_client_close(struct np_bench_client *c)
{
    vconn_close(c->vconn);
}

static void
say(struct np_bench_client *c, struct ofpbuf *msg)
{
    int error = vconn_send_block(c->vconn, msg);

    if (error) {
        ovs_fatal(error, "send");
    }
}

static struct ofpbuf *
hear(struct np_bench_client *c, enum ofptype *type)
{
    struct ofpbuf *msg;
    int error = vconn_recv_block(c->vconn, &msg);

    if (error) {
        ovs_fatal(error, "receive");
    }
    ovs_assert(!ofptype_decode(type, msg->data));
    if (*type == OFPTYPE_ERROR) {
        ovs_fatal(0, "the switch refused: %s",
                  ofperr_to_string(ofperr_decode_msg(msg->data, NULL)));
    } else if (*type == OFPTYPE_ECHO_REQUEST) {
        say(c, ofputil_encode_echo_reply(msg->data));
    }
    return msg;
}

static void
barrier(struct np_bench_client *c)
{
    uint32_t xid = c->xid++;
    bool done = false;

    say(c, np_of_barrier(c->version, xid));
    while (!done) {
        enum ofptype type;
        struct ofpbuf *msg = hear(c, &type);
        const struct ofp_header *oh = msg->data;

        done = type == OFPTYPE_BARRIER_REPLY && ntohl(oh->xid) == xid;
        ofpbuf_delete(msg);
    }
}

static void
control(struct np_bench_client *c, uint32_t bundle, uint16_t what)
{
    say(c, np_of_bundle_control(c->version, c->xid++, bundle, what));
}

void
np_bench_client_send(struct np_bench_client *c,
                     const struct np_flow_patch *patch,
                     enum np_bench_bundle how)
{
    uint32_t bundle = c->xid;
    const struct np_flow *flow;

    control(c, bundle, OFPBCT_OPEN_REQUEST);
    HMAP_FOR_EACH (flow, node, &patch->del.flows) {
        say(c, np_of_bundle_add(c->version, c->xid++, bundle, NP_OF_DELETE,
                                flow));
    }
    HMAP_FOR_EACH (flow, node, &patch->put.flows) {
        say(c, np_of_bundle_add(c->version, c->xid++, bundle, NP_OF_PUT,
                                flow));
    }
    if (how == NP_BENCH_CHECKED) {
        barrier(c);
    }
    control(c, bundle, OFPBCT_COMMIT_REQUEST);
    barrier(c);
}

void
np_bench_client_flush(struct np_bench_client *c)
{
    uint32_t bundle = c->xid;

    control(c, bundle, OFPBCT_OPEN_REQUEST);
    say(c, np_of_bundle_add(c->version, c->xid++, bundle, NP_OF_FLUSH, NULL));
    control(c, bundle, OFPBCT_COMMIT_REQUEST);
    barrier(c);
}

static size_t
decode_stats(struct ofpbuf *reply)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_stats fs;
    size_t n = 0;
    int error;

    while (!(error = ofputil_decode_flow_stats_reply(&fs, reply, false,
                                                     &ofpacts))) {
        n++;
    }
    ofpbuf_uninit(&ofpacts);
    ovs_assert(error == EOF);
    return n;
}

size_t
np_bench_client_dump(struct np_bench_client *c)
{
    size_t n = 0;
    bool more = true;

    say(c, np_of_flow_request(c->version, c->xid++, UINT8_MAX));
    while (more) {
        enum ofptype type;
        struct ofpbuf *msg = hear(c, &type);

        if (type == OFPTYPE_FLOW_STATS_REPLY) {
            more = ofpmp_more(msg->data);
            n += decode_stats(msg);
        }
        ofpbuf_delete(msg);
    }
    return n;
}

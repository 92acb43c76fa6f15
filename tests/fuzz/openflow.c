/* A message from the switch: what is installed, a bundle's answer, an error.
 *
 * The first byte chooses the version; length and version in the header are put
 * right, as the connection would have it.  Everything else is as it comes. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "netpol/observe.h"
#include "openflow/openflow-private.h"
#include "openflow/openflow.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

static void
read_flows(struct ofpbuf *msg)
{
    const struct np_flow **sorted;
    struct np_flow_delta delta;
    struct np_readback rb;

    np_readback_init(&rb);
    np_readback_add(&rb, msg);
    sorted = np_flow_set_sort(&rb.ours);
    for (size_t i = 0; i < np_flow_set_count(&rb.ours); i++) {
        struct np_flow *copy;
        struct match match;

        np_flow_expand(sorted[i], &match);
        copy = np_flow_create(sorted[i]->table, sorted[i]->priority,
                              sorted[i]->cookie, &match, sorted[i]->actions,
                              sorted[i]->actions_len);
        ovs_assert(np_flow_equal(sorted[i], copy));
        np_flow_destroy(copy);
    }
    free(sorted);
    np_flow_set_diff(&rb.ours, &rb.ours, &delta);
    ovs_assert(!delta.n_put && !delta.n_del);
    np_flow_delta_destroy(&delta);
    np_readback_destroy(&rb);
}

/* A bundle of two flows, somewhere under way. */
static void
answer_bundle(const struct ofp_header *oh, bool error)
{
    struct np_flow_set from, to;
    struct np_flow_delta delta;
    const struct np_of_namer namer = { NULL, NULL };
    struct np_bundle bundle;
    struct np_flow *flow;

    np_flow_set_init(&from);
    np_flow_set_init(&to);
    free(np_flow_parse("table=1,priority=1,ip,actions=drop", NULL, &flow));
    np_flow_set_put(&from, flow);
    free(np_flow_parse("table=2,priority=2,ipv6,actions=drop", NULL, &flow));
    np_flow_set_put(&to, flow);
    np_flow_set_diff(&from, &to, &delta);
    np_bundle_init(&bundle, &delta);
    bundle.id = bundle.control_xid = 1;
    bundle.first_xid = 2;
    bundle.barrier_xid = 4;
    if (error) {
        ovs_assert(!np_bundle_error(&bundle, oh, &namer) || bundle.error);
        fuzz_check_printable(bundle.error);
    } else {
        np_bundle_reply(&bundle, oh);
    }
    np_bundle_destroy(&bundle);
    np_flow_set_destroy(&from);
    np_flow_set_destroy(&to);
}

/* The end of a flow, taken for one of those that tell of denials. */
static void
end_flow(const struct ofp_header *oh)
{
    struct np_denials *book = np_denials_create(0);
    struct ofputil_flow_removed fr;
    size_t n;

    if (!ofputil_decode_flow_removed(&fr, oh)) {
        uint64_t cookie = np_cookie(NP_FLOW_LEARNED, fr.priority);
        uint8_t table = fr.table_id % 2 ? NP_T_QUIET : NP_T_DENIED;
        struct np_flow *flow = np_flow_create(table, fr.priority, cookie,
                                              &fr.match, NULL, 0);
        const struct np_flow_stats stats = {
            .flow = flow, .n_packets = fr.packet_count,
            .duration = fr.duration_sec, .idle = fr.idle_timeout,
        };

        np_denials_ended(book, &stats, 1000000000000LL);
        np_flow_destroy(flow);
    }
    free(np_denials_sort(book, &n));
    ovs_assert(n <= 1);
    np_denials_destroy(book);
}

static void
handle(struct ofpbuf *msg)
{
    enum ofptype type;

    if (ofptype_decode(&type, msg->data)) {
        return;
    }
    switch ((int) type) {
    case OFPTYPE_FLOW_STATS_REPLY:
        ofpmp_more(msg->data);
        read_flows(msg);
        break;
    case OFPTYPE_BUNDLE_CONTROL:
        answer_bundle(msg->data, false);
        break;
    case OFPTYPE_FLOW_REMOVED:
        end_flow(msg->data);
        break;
    case OFPTYPE_ERROR:
        answer_bundle(msg->data, true);
        break;
    default:
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ofpbuf *msg;
    struct ofp_header *oh;

    if (size < sizeof *oh || size > UINT16_MAX) {
        return 0;
    }
    msg = ofpbuf_clone_data(data, size);
    oh = msg->data;
    oh->version = OFP13_VERSION + data[0] % 3;
    oh->length = htons(size);
    handle(msg);
    ofpbuf_delete(msg);
    return 0;
}

/* The OpenFlow messages that the installer sends.
 *
 * One place knows how a flow becomes a flow-mod.  What an existing flow is
 * replaced by goes out as ADD without RESET_COUNTS, so that it keeps its
 * counters and its place; deletions are strict and carry our owner cookie
 * and its mask, so that they cannot hit anybody else's flow even if ours has
 * meanwhile been replaced by it. */

#include <config.h>

#include "openflow-private.h"

#include <string.h>

#include "byte-order.h"
#include "openflow/openflow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-ct.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "packets.h"
#include "util.h"

enum { BUNDLE_FLAGS = OFPBF_ATOMIC | OFPBF_ORDERED };

/* A bundle-add's header in front of the flow-mod. */
enum { FLOW_MOD_MAX = UINT16_MAX - sizeof(struct ofp_header)
                      - sizeof(struct ofp14_bundle_ctrl_msg) };

static struct ofpbuf *
with_xid(struct ofpbuf *msg, uint32_t xid)
{
    struct ofp_header *oh = msg->data;

    oh->xid = htonl(xid);
    return msg;
}

char *
np_of_name(const char *target)
{
    const char *slash = strrchr(target, '/');
    const char *base = slash ? slash + 1 : target;
    size_t len = strlen(base);

    return (len > 5 && !strcmp(base + len - 5, ".mgmt")
            ? xmemdup0(base, len - 5) : xstrdup(target));
}

void
np_of_format_flow(const struct np_flow *flow, const struct np_of_namer *namer,
                  struct ds *s)
{
    struct ds object = DS_EMPTY_INITIALIZER;

    np_flow_format(flow, NULL, s);
    if (namer->cb && namer->cb(flow, &object, namer->aux)) {
        ds_put_format(s, " (%s)", ds_cstr(&object));
    }
    ds_destroy(&object);
}

char *
np_of_conn_error(const struct rconn *rconn)
{
    int error = rconn_get_last_error(rconn);

    return (rconn_is_alive(rconn) && !rconn_is_connected(rconn) && error
            ? xasprintf("%s: connection failed (%s)", rconn_get_name(rconn),
                        ovs_retval_to_string(error))
            : NULL);
}

/* Fragments must be visible to the flows (ip_frag): without nx-match, ports
 * of later fragments would be matched as 0. */
struct ofpbuf *
np_of_set_config(int version, uint16_t miss_send_len)
{
    struct ofputil_switch_config config = {
        .frag = OFPUTIL_FRAG_NX_MATCH,
        .invalid_ttl_to_controller = -1,
        .miss_send_len = miss_send_len,
    };
    return ofputil_encode_set_config(&config, version);
}

struct ofpbuf *
np_of_flow_request(int version, uint32_t xid, uint8_t table)
{
    struct ofputil_flow_stats_request fsr = {
        .table_id = table,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
    };
    match_init_catchall(&fsr.match);
    return with_xid(ofputil_encode_flow_stats_request(
                        &fsr, ofputil_protocol_from_ofp_version(version)),
                    xid);
}

/* What we change ourselves is told in short, by its xid alone. */
struct ofpbuf *
np_of_monitor_request(int version, uint32_t xid, uint8_t table)
{
    struct ofputil_flow_monitor_request fmr = {
        .id = table,
        .command = OFPFMC_ADD,
        .flags = OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = table,
    };
    struct ofpbuf *msg = ofpbuf_new(0);

    match_init_catchall(&fmr.match);
    ofputil_append_flow_monitor_request(
        &fmr, msg, ofputil_protocol_from_ofp_version(version));
    ofpmsg_update_length(msg);
    return with_xid(msg, xid);
}

struct ofpbuf *
np_of_ct_flush(int version, uint32_t xid, uint16_t zone,
               const struct np_prefix *addr, bool serves, uint8_t proto)
{
    struct ofp_ct_match match = {
        .ip_proto = proto,
        .l3_type = addr->family == 4 ? AF_INET : AF_INET6,
    };
    struct in6_addr *side = (serves ? &match.tuple_orig.dst
                             : &match.tuple_orig.src);
    struct ofpbuf *msg;

    if (addr->family == 4) {
        ovs_be32 v4;

        memcpy(&v4, addr->bytes, sizeof v4);
        in6_addr_set_mapped_ipv4(side, v4);
    } else {
        memcpy(side, addr->bytes, sizeof *side);
    }
    msg = ofp_ct_match_encode(&match, &zone, version);
    ofpmsg_update_length(msg);
    return with_xid(msg, xid);
}

struct ofpbuf *
np_of_barrier(int version, uint32_t xid)
{
    return with_xid(ofputil_encode_barrier_request(version), xid);
}

struct ofpbuf *
np_of_bundle_control(int version, uint32_t xid, uint32_t bundle,
                     uint16_t control)
{
    struct ofputil_bundle_ctrl_msg bc = {
        .bundle_id = bundle,
        .type = control,
        .flags = BUNDLE_FLAGS,
    };
    return with_xid(ofputil_encode_bundle_ctrl_request(version, &bc), xid);
}

static struct ofpbuf *
encode_flow_mod(int version, enum np_of_verb verb, const struct np_flow *flow)
{
    struct ofputil_flow_mod fm = {
        .table_id = OFPTT_ALL,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
    };
    struct minimatch all;

    minimatch_init_catchall(&all);
    fm.match = all;
    if (flow) {
        fm.match = np_flow_match(flow);
        fm.priority = flow->priority;
        fm.table_id = flow->table;
    }
    if (verb == NP_OF_PUT) {
        fm.command = OFPFC_ADD;
        fm.new_cookie = htonll(flow->cookie);
        fm.ofpacts = flow->actions;
        fm.ofpacts_len = flow->actions_len;
    } else {
        fm.command = verb == NP_OF_FLUSH ? OFPFC_DELETE : OFPFC_DELETE_STRICT;
        fm.new_cookie = OVS_BE64_MAX;
        fm.cookie = htonll(NP_COOKIE_OWNER << 48);
        fm.cookie_mask = htonll(NP_COOKIE_OWNER_MASK);
    }
    struct ofpbuf *msg = ofputil_encode_flow_mod(
        &fm, ofputil_protocol_from_ofp_version(version));
    minimatch_destroy(&all);
    return msg;
}

struct ofpbuf *
np_of_bundle_add(int version, uint32_t xid, uint32_t bundle,
                 enum np_of_verb verb, const struct np_flow *flow)
{
    struct ofpbuf *fm = with_xid(encode_flow_mod(version, verb, flow), xid);
    struct ofpbuf *msg = NULL;

    if (fm->size <= FLOW_MOD_MAX) {
        struct ofputil_bundle_add_msg bam = {
            .bundle_id = bundle,
            .flags = BUNDLE_FLAGS,
            .msg = fm->data,
        };
        msg = ofputil_encode_bundle_add(version, &bam);
    }
    ofpbuf_delete(fm);
    return msg;
}

bool
np_of_fits(const struct np_flow *flow)
{
    /* Encoded actions are at most about twice as large as decoded ones. */
    if (flow->actions_len < UINT16_MAX / 4) {
        return true;
    }
    struct ofpbuf *fm = encode_flow_mod(OFP15_VERSION, NP_OF_PUT, flow);
    bool fits = fm->size <= FLOW_MOD_MAX;
    ofpbuf_delete(fm);
    return fits;
}

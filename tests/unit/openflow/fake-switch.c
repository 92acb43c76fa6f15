#include <config.h>
#include "../unit.h"
#include "fake-switch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "byte-order.h"
#include "flow.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-ct.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vconn.h"
#include "packets.h"
#include "util.h"

enum { VERSIONS = (1u << OFP10_VERSION) | (1u << OFP13_VERSION)
                  | (1u << OFP14_VERSION) | (1u << OFP15_VERSION) };

void
fake_switch_init(struct fake_switch *sw, const char *dir)
{
    *sw = (struct fake_switch) {
        .path = xasprintf("%s/br-fake.mgmt", dir),
        .versions = VERSIONS,
        .n_packets = 7,
        .refuse_add = -1, .refuse_commit = -1, .drop_at_add = -1,
    };
    sw->target = xasprintf("unix:%s", sw->path);
    np_flow_set_init(&sw->flows);
    ds_init(&sw->log);
    ds_init(&sw->port_log);
    for (int i = 0; i < FAKE_CONNS; i++) {
        ovs_list_init(&sw->conns[i].txq);
        ovs_list_init(&sw->conns[i].bundle);
    }
    char *listen = xasprintf("punix:%s", sw->path);
    assert_int_equal(pvconn_open(listen, VERSIONS, 0, &sw->pvconn), 0);
    free(listen);
}

static void
close_conn(struct fake_conn *conn)
{
    vconn_close(conn->vconn);
    conn->vconn = NULL;
    conn->bundle_open = conn->monitors = conn->wants_ends = false;
    ofpbuf_list_delete(&conn->txq);
    ofpbuf_list_delete(&conn->bundle);
}

void
fake_switch_destroy(struct fake_switch *sw)
{
    fake_switch_drop(sw, true);
    pvconn_close(sw->pvconn);
    unlink(sw->path);
    free(sw->path);
    free(sw->target);
    np_flow_set_destroy(&sw->flows);
    ds_destroy(&sw->log);
    ds_destroy(&sw->port_log);
}

void
fake_switch_drop(struct fake_switch *sw, bool forget)
{
    for (int i = 0; i < FAKE_CONNS; i++) {
        close_conn(&sw->conns[i]);
    }
    for (int i = 0; forget && i < FAKE_PORTS; i++) {
        sw->ports[i].no_flood = false;
    }
    if (forget) {
        np_flow_set_clear(&sw->flows);
    }
}

static void
reply(struct fake_conn *conn, struct ofpbuf *msg)
{
    ovs_list_push_back(&conn->txq, &msg->list_node);
}

static void
reply_error(struct fake_conn *conn, enum ofperr error,
            const struct ofp_header *oh)
{
    reply(conn, ofperr_encode_reply(error, oh));
}

static void
handle_read(struct fake_switch *sw, struct fake_conn *conn,
            const struct ofp_header *oh)
{
    struct ofputil_flow_stats_request fsr;
    struct ovs_list replies;
    const struct np_flow *flow;

    assert_int_equal(ofputil_decode_flow_stats_request(&fsr, oh, NULL, NULL),
                     0);
    ds_put_cstr(&sw->log, "read ");
    if (fsr.table_id != OFPTT_ALL) {
        ds_put_format(&sw->log, "%"PRIu8" ", fsr.table_id);
    }
    if (sw->refuse_read) {
        reply_error(conn, OFPERR_OFPBRC_EPERM, oh);
        return;
    }
    ofpmp_init(&replies, oh);
    HMAP_FOR_EACH (flow, node, &sw->flows.flows) {
        struct ofputil_flow_stats fs = {
            .cookie = htonll(flow->cookie),
            .table_id = flow->table,
            .priority = flow->priority,
            .packet_count = sw->n_packets,
            .byte_count = 700,
            .duration_sec = 5,
            .idle_age = 3,
            .ofpacts = flow->actions,
            .ofpacts_len = flow->actions_len,
        };
        if (fsr.table_id != OFPTT_ALL && fsr.table_id != flow->table) {
            continue;
        }
        np_flow_expand(flow, &fs.match);
        ofputil_append_flow_stats_reply(&fs, &replies, NULL);
    }
    ovs_list_push_back_all(&conn->txq, &replies);
}

/* Does to TABLE what the flow-mod in MSG says. */
static void
apply(struct fake_switch *sw, const struct ofp_header *msg, bool really)
{
    uint64_t stub[4096 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_mod fm;
    struct match match;

    assert_int_equal(ofputil_decode_flow_mod(
        &fm, msg, ofputil_protocol_from_ofp_version(msg->version), NULL, NULL,
        &ofpacts, u16_to_ofp(OFPP_MAX), 255), 0);
    minimatch_expand(&fm.match, &match);
    struct np_flow *flow = np_flow_create(fm.table_id, fm.priority,
                                          ntohll(fm.new_cookie), &match,
                                          fm.ofpacts, fm.ofpacts_len);
    if (fm.command == OFPFC_ADD) {
        if (really) {
            np_flow_destroy(np_flow_set_put(&sw->flows, flow));
            flow = NULL;
        } else {
            ds_put_format(&sw->log, "add %d ", fm.priority);
        }
    } else if (!really) {
        ds_put_format(&sw->log, fm.command == OFPFC_DELETE_STRICT
                      ? "delete %d " : "flush ", fm.priority);
    } else {
        struct np_flow *f;

        HMAP_FOR_EACH_SAFE (f, node, &sw->flows.flows) {
            if (!((htonll(f->cookie) ^ fm.cookie) & fm.cookie_mask)
                && (fm.command == OFPFC_DELETE
                    || np_flow_same_key(f, flow))) {
                np_flow_set_remove(&sw->flows, f);
                np_flow_destroy(f);
            }
        }
    }
    np_flow_destroy(flow);
    minimatch_destroy(&fm.match);
    ofpbuf_uninit(&ofpacts);
}

static int
priority_of(const struct ofp_header *flow_mod)
{
    const struct ofp11_flow_mod *ofm = ofpmsg_body(flow_mod);

    return ofm->command == OFPFC_ADD ? ntohs(ofm->priority) : -2;
}

static void
handle_bundle_add(struct fake_switch *sw, struct fake_conn *conn,
                  const struct ofp_header *oh)
{
    struct ofputil_bundle_add_msg bam;

    assert_int_equal(ofputil_decode_bundle_add(oh, &bam, NULL), 0);
    apply(sw, bam.msg, false);
    if (priority_of(bam.msg) == sw->drop_at_add) {
        sw->drop_at_add = -1;
        close_conn(conn);
    } else if (priority_of(bam.msg) == sw->refuse_add) {
        /* The others stay in the bundle, as in Open vSwitch. */
        reply_error(conn, OFPERR_OFPBAC_BAD_OUT_PORT, oh);
    } else {
        struct ofpbuf *copy = ofpbuf_clone_data(oh, ntohs(oh->length));
        ovs_list_push_back(&conn->bundle, &copy->list_node);
    }
}

static void
commit(struct fake_switch *sw, struct fake_conn *conn,
       const struct ofp_header *oh, struct ofputil_bundle_ctrl_msg *bc)
{
    struct ofputil_bundle_add_msg bam;
    struct ofpbuf *msg;
    bool refused = false;

    ds_put_cstr(&sw->log, "commit ");
    LIST_FOR_EACH (msg, list_node, &conn->bundle) {
        assert_int_equal(ofputil_decode_bundle_add(msg->data, &bam, NULL), 0);
        if (priority_of(bam.msg) == sw->refuse_commit) {
            reply_error(conn, OFPERR_OFPFMFC_TABLE_FULL, msg->data);
            reply_error(conn, OFPERR_OFPBFC_MSG_FAILED, oh);
            refused = true;
            break;
        }
    }
    LIST_FOR_EACH_POP (msg, list_node, &conn->bundle) {
        assert_int_equal(ofputil_decode_bundle_add(msg->data, &bam, NULL), 0);
        if (!refused) {
            apply(sw, bam.msg, true);
        }
        ofpbuf_delete(msg);
    }
    if (!refused) {
        bc->type = OFPBCT_COMMIT_REPLY;
        reply(conn, ofputil_encode_bundle_ctrl_reply(oh, bc));
    }
}

static void
handle_bundle_control(struct fake_switch *sw, struct fake_conn *conn,
                      const struct ofp_header *oh)
{
    struct ofputil_bundle_ctrl_msg bc;

    assert_int_equal(ofputil_decode_bundle_ctrl(oh, &bc), 0);
    assert_int_equal(bc.flags, OFPBF_ATOMIC | OFPBF_ORDERED);
    if (bc.type == OFPBCT_OPEN_REQUEST) {
        ds_put_cstr(&sw->log, "open ");
        assert_false(conn->bundle_open);
        bc.type = OFPBCT_OPEN_REPLY;
        reply(conn, ofputil_encode_bundle_ctrl_reply(oh, &bc));
        conn->bundle_open = true;
        return;
    }
    assert_true(conn->bundle_open);
    conn->bundle_open = false;
    if (bc.type == OFPBCT_COMMIT_REQUEST) {
        commit(sw, conn, oh, &bc);
    } else {
        assert_int_equal(bc.type, OFPBCT_DISCARD_REQUEST);
        ds_put_cstr(&sw->log, "discard ");
        ofpbuf_list_delete(&conn->bundle);
        bc.type = OFPBCT_DISCARD_REPLY;
        reply(conn, ofputil_encode_bundle_ctrl_reply(oh, &bc));
    }
}

static struct ofputil_phy_port
phy_port(const struct fake_switch *sw, int i)
{
    struct ofputil_phy_port pp = {
        .port_no = u16_to_ofp(i),
        .hw_addr = ETH_ADDR_C(0a,00,00,00,00,00),
        .config = sw->ports[i].no_flood ? OFPUTIL_PC_NO_FLOOD : 0,
    };
    pp.hw_addr.ea[5] = i;
    snprintf(pp.name, sizeof pp.name, "p%d", i);
    return pp;
}

static void
handle_port_desc(struct fake_switch *sw, struct fake_conn *conn,
                 const struct ofp_header *oh)
{
    struct ovs_list replies;

    ofpmp_init(&replies, oh);
    for (int i = 0; i < FAKE_PORTS; i++) {
        if (sw->ports[i].exists) {
            struct ofputil_phy_port pp = phy_port(sw, i);
            ofputil_append_port_desc_stats_reply(&pp, &replies);
        }
    }
    ovs_list_push_back_all(&conn->txq, &replies);
}

static void
handle_port_mod(struct fake_switch *sw, const struct ofp_header *oh)
{
    struct ofputil_port_mod pm;

    assert_int_equal(ofputil_decode_port_mod(oh, &pm, false), 0);
    uint16_t i = ofp_to_u16(pm.port_no);
    assert_in_range(i, 1, FAKE_PORTS - 1);
    assert_int_equal(pm.hw_addr.ea[5], i);
    assert_int_equal(pm.mask, OFPUTIL_PC_NO_FLOOD);
    assert_true(sw->ports[i].exists);
    sw->ports[i].no_flood = pm.config & OFPUTIL_PC_NO_FLOOD;
    ds_put_format(&sw->port_log, "%s %d ",
                  sw->ports[i].no_flood ? "no-flood" : "flood", i);
}

/* Nobody asks for packets. */
static void
handle_async(struct fake_conn *conn, const struct ofp_header *oh)
{
    struct ofputil_async_cfg basis
        = ofputil_async_cfg_default(oh->version);
    struct ofputil_async_cfg ac;

    assert_int_equal(ofputil_decode_set_async_config(oh, false, &basis, &ac),
                     0);
    assert_int_equal(ac.primary[OAM_PACKET_IN], 0);
    conn->wants_ends = ac.primary[OAM_FLOW_REMOVED] != 0;
    assert_int_not_equal(conn->wants_ends,
                         ac.primary[OAM_PORT_STATUS] != 0);
}

static void
handle_config(struct fake_switch *sw, const struct fake_conn *conn,
              const struct ofp_header *oh)
{
    struct ofputil_switch_config config;

    assert_int_equal(ofputil_decode_set_config(oh, &config), 0);
    assert_int_equal(config.frag, OFPUTIL_FRAG_NX_MATCH);
    if (oh->version == OFP10_VERSION || conn->wants_ends) {
        /* A switch sends nothing of its own without it. */
        assert_int_not_equal(config.miss_send_len, 0);
    } else {
        assert_int_equal(config.miss_send_len, 0);
        ds_put_cstr(&sw->log, "config ");
    }
}

static void
handle_monitor(struct fake_switch *sw, struct fake_conn *conn,
               const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_flow_monitor_request fmr;
    struct ovs_list replies;

    assert_int_equal(ofputil_decode_flow_monitor_request(&fmr, &b), 0);
    ds_put_format(&sw->log, "monitor %d ", fmr.table_id);
    if (sw->refuse_monitor) {
        reply_error(conn, OFPERR_OFPBRC_BAD_TYPE, oh);
        return;
    }
    conn->monitors = true;
    ofpmp_init(&replies, oh);
    ovs_list_push_back_all(&conn->txq, &replies);
}

static void
handle_ct_flush(struct fake_switch *sw, struct fake_conn *conn,
                const struct ofp_header *oh)
{
    struct ofp_ct_match match = { .ip_proto = 0 };
    bool with_zone = false;
    uint16_t zone;

    if (sw->no_ct_flush) {
        reply_error(conn, OFPERR_OFPBRC_BAD_TYPE, oh);
        return;
    }
    assert_int_equal(ofp_ct_match_decode(&match, &with_zone, &zone, oh), 0);
    assert_true(with_zone);
    ds_put_format(&sw->log, "forget %d/%d ", zone, match.ip_proto);
    ipv6_format_mapped(&match.tuple_orig.src, &sw->log);
    ds_put_char(&sw->log, '>');
    ipv6_format_mapped(&match.tuple_orig.dst, &sw->log);
    ds_put_char(&sw->log, ' ');
    assert_true(ofp_ct_tuple_is_zero(&match.tuple_reply, 0));
}

static void
handle_message(struct fake_switch *sw, struct fake_conn *conn,
               const struct ofp_header *oh)
{
    enum ofptype type;

    assert_int_equal(ofptype_decode(&type, oh), 0);
    switch ((int) type) {
    case OFPTYPE_HELLO:
    case OFPTYPE_ECHO_REPLY:
        break;
    case OFPTYPE_SET_ASYNC_CONFIG:
        handle_async(conn, oh);
        break;
    case OFPTYPE_ECHO_REQUEST:
        reply(conn, ofputil_encode_echo_reply(oh));
        break;
    case OFPTYPE_SET_CONFIG:
        handle_config(sw, conn, oh);
        break;
    case OFPTYPE_FLOW_STATS_REQUEST:
        handle_read(sw, conn, oh);
        break;
    case OFPTYPE_BUNDLE_CONTROL:
        handle_bundle_control(sw, conn, oh);
        break;
    case OFPTYPE_BUNDLE_ADD_MESSAGE:
        handle_bundle_add(sw, conn, oh);
        break;
    case OFPTYPE_BARRIER_REQUEST:
        ds_put_cstr(&sw->log, "barrier ");
        reply(conn, ofpraw_alloc_reply(OFPRAW_OFPT11_BARRIER_REPLY, oh, 0));
        break;
    case OFPTYPE_FLOW_MONITOR_STATS_REQUEST:
        handle_monitor(sw, conn, oh);
        break;
    case OFPTYPE_CT_FLUSH:
        handle_ct_flush(sw, conn, oh);
        break;
    case OFPTYPE_PORT_DESC_STATS_REQUEST:
        handle_port_desc(sw, conn, oh);
        break;
    case OFPTYPE_PORT_MOD:
        handle_port_mod(sw, oh);
        break;
    default:
        fail_msg("unexpected %s", ofptype_get_name(type));
    }
}

static void
run_conn(struct fake_switch *sw, struct fake_conn *conn)
{
    struct ofpbuf *msg;
    int error = 0;

    vconn_run(conn->vconn);
    if (!vconn_connect(conn->vconn)) {
        while (conn->vconn && !sw->mute
               && !(error = vconn_recv(conn->vconn, &msg))) {
            handle_message(sw, conn, msg->data);
            ofpbuf_delete(msg);
        }
    }
    while (conn->vconn && !ovs_list_is_empty(&conn->txq)) {
        msg = ofpbuf_from_list(ovs_list_front(&conn->txq));
        struct ovs_list *next = msg->list_node.next;
        if (vconn_send(conn->vconn, msg)) {
            break;
        }
        /* The sent message is no more. */
        conn->txq.next = next;
        next->prev = &conn->txq;
    }
    if (conn->vconn && ((error && error != EAGAIN)
                        || vconn_get_status(conn->vconn))) {
        close_conn(conn);
    }
}

void
fake_switch_run(struct fake_switch *sw)
{
    for (int i = 0; i < FAKE_CONNS; i++) {
        struct fake_conn *conn = &sw->conns[i];

        if (!conn->vconn) {
            struct vconn *vconn;

            if (!pvconn_accept(sw->pvconn, &vconn)) {
                conn->vconn = vconn;
                vconn_set_allowed_versions(vconn, sw->versions);
            }
        }
        if (conn->vconn) {
            run_conn(sw, conn);
        }
    }
}

void
fake_switch_wait(struct fake_switch *sw)
{
    pvconn_wait(sw->pvconn);
    for (int i = 0; i < FAKE_CONNS; i++) {
        struct fake_conn *conn = &sw->conns[i];

        if (conn->vconn) {
            vconn_run_wait(conn->vconn);
            if (!sw->mute) {
                vconn_recv_wait(conn->vconn);
            }
            if (!ovs_list_is_empty(&conn->txq)) {
                vconn_send_wait(conn->vconn);
            }
        }
    }
}

static void
send_all(struct fake_switch *sw, bool of10, struct ofpbuf *msg)
{
    for (int i = 0; i < FAKE_CONNS; i++) {
        struct fake_conn *conn = &sw->conns[i];

        if (conn->vconn
            && (vconn_get_version(conn->vconn) == OFP10_VERSION) == of10) {
            reply(conn, ofpbuf_clone(msg));
        }
    }
    ofpbuf_delete(msg);
}

void
fake_switch_port(struct fake_switch *sw, uint32_t ofport, bool exists)
{
    struct ofputil_port_status ps = {
        .reason = exists ? OFPPR_ADD : OFPPR_DELETE,
    };

    sw->ports[ofport].exists = exists;
    sw->ports[ofport].no_flood = false;
    ps.desc = phy_port(sw, ofport);
    send_all(sw, true, ofputil_encode_port_status(&ps, OFPUTIL_P_OF10_STD));
}

static void
tell(struct fake_switch *sw, struct ofputil_flow_update *fu)
{
    for (int i = 0; i < FAKE_CONNS; i++) {
        struct fake_conn *conn = &sw->conns[i];
        struct ovs_list updates = OVS_LIST_INITIALIZER(&updates);

        if (conn->vconn && conn->monitors) {
            ofputil_start_flow_update(&updates,
                                      ofputil_protocol_from_ofp_version(
                                          vconn_get_version(conn->vconn)));
            ofputil_append_flow_update(fu, &updates, NULL);
            ovs_list_push_back_all(&conn->txq, &updates);
        }
    }
}

void
fake_switch_edit(struct fake_switch *sw, const char *text, bool del,
                 bool tell_)
{
    struct np_flow *flow, *old;
    struct ofputil_flow_update fu = {
        .event = del ? OFPFME_REMOVED : OFPFME_ADDED,
    };

    assert_null(np_flow_parse(text, NULL, &flow));
    old = np_flow_set_find(&sw->flows, flow);
    fu.reason = del ? OFPRR_DELETE : 0;
    fu.table_id = flow->table;
    fu.priority = flow->priority;
    fu.cookie = htonll(del ? old->cookie : flow->cookie);
    np_flow_expand(flow, &fu.match);
    if (tell_) {
        tell(sw, &fu);
    }
    if (del) {
        np_flow_set_remove(&sw->flows, old);
        np_flow_destroy(old);
        np_flow_destroy(flow);
    } else {
        np_flow_destroy(np_flow_set_put(&sw->flows, flow));
    }
}

void
fake_switch_resume_monitor(struct fake_switch *sw)
{
    for (int i = 0; i < 2; i++) {
        send_all(sw, false, ofputil_encode_flow_monitor_pause(
                     i ? OFPFME_RESUMED : OFPFME_PAUSED,
                     OFPUTIL_P_OF15_OXM));
    }
}

void
fake_switch_end(struct fake_switch *sw, struct np_flow *flow,
                uint64_t n_packets, bool idle)
{
    struct ofputil_flow_removed fr = {
        .cookie = htonll(flow->cookie),
        .priority = flow->priority,
        .reason = idle ? OFPRR_IDLE_TIMEOUT : OFPRR_DELETE,
        .table_id = flow->table,
        .duration_sec = 60,
        .idle_timeout = 20,
        .packet_count = n_packets,
        .byte_count = 100 * n_packets,
    };

    np_flow_expand(flow, &fr.match);
    for (int i = 0; i < FAKE_CONNS; i++) {
        struct fake_conn *conn = &sw->conns[i];

        if (conn->vconn && conn->wants_ends) {
            int version = vconn_get_version(conn->vconn);
            reply(conn, ofputil_encode_flow_removed(
                            &fr, ofputil_protocol_from_ofp_version(version)));
        }
    }
    np_flow_destroy(flow);
}

void
fake_switch_send_noise(struct fake_switch *sw)
{
    /* A barrier reply and an error that belong to nothing. */
    struct ofpbuf *barrier = ofputil_encode_barrier_request(OFP15_VERSION);
    struct ofp_header *oh = barrier->data;

    oh->xid = htonl(0xffffff00);
    send_all(sw, false, ofperr_encode_reply(OFPERR_OFPBRC_EPERM, oh));
    send_all(sw, false, ofpraw_alloc_reply(OFPRAW_OFPT11_BARRIER_REPLY, oh,
                                           0));
    /* A message of a type that nobody knows. */
    oh->type = 99;
    send_all(sw, false, ofpbuf_clone(barrier));
    ofpbuf_delete(barrier);
}

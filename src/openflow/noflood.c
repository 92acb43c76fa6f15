/* Ports that must not receive flooded frames.
 *
 * The action NORMAL floods what it has not learned to every port, and a pod's
 * port must receive by our flows alone.  The flag for it, OFPPC_NO_FLOOD,
 * exists in OpenFlow 1.0 only: later versions can neither set nor show it.
 * So there is a second connection, speaking 1.0, once there is a port to
 * flag.  A switch forgets the flag when it restarts, and a port that is
 * re-added has a new one, so both are looked at again: the connection's
 * first question is for all ports, and afterwards the switch tells changes.
 *
 * A flag is cleared again only where it was seen on a port of the set while
 * it was in the set: an administrator's own are left alone. */

#include <config.h>

#include "openflow-private.h"

#include <stdlib.h>

#include "flow.h"
#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_noflood);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

/* Messages taken in one turn of the main loop. */
enum { TURN_MAX = 50 };
enum { PROBE_SECONDS = 5, MAX_BACKOFF_SECONDS = 2 };

struct port {
    struct hmap_node node;      /* By number. */
    uint32_t ofport;
    bool wanted;                /* In the set. */
    bool ours;                  /* The flag is there because of us. */
    bool present;               /* On the switch; the rest is known. */
    struct eth_addr hw_addr;
    enum ofputil_port_config config;
};

struct np_noflood {
    struct rconn *rconn;
    char *target;
    unsigned int seqno;
    struct np_of_knock knock;
    bool connected;
    bool configured;            /* Asked for ports and their changes. */
    char *error;
    struct hmap ports;          /* Contains "struct port"s. */
};

struct np_noflood *
np_noflood_create(void)
{
    struct np_noflood *nf = xzalloc(sizeof *nf);

    nf->rconn = rconn_create(PROBE_SECONDS, MAX_BACKOFF_SECONDS, 0,
                             1u << OFP10_VERSION);
    nf->seqno = rconn_get_connection_seqno(nf->rconn);
    hmap_init(&nf->ports);
    return nf;
}

static struct port *
find_port(const struct np_noflood *nf, uint32_t ofport)
{
    struct port *p;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash_int(ofport, 0), &nf->ports) {
        if (p->ofport == ofport) {
            return p;
        }
    }
    return NULL;
}

static struct port *
get_port(struct np_noflood *nf, uint32_t ofport)
{
    struct port *p = find_port(nf, ofport);

    if (!p) {
        p = xzalloc(sizeof *p);
        p->ofport = ofport;
        hmap_insert(&nf->ports, &p->node, hash_int(ofport, 0));
    }
    return p;
}

/* Forgets what the switch said, and ports that nothing is left to do for. */
static void
forget_ports(struct np_noflood *nf)
{
    struct port *p;

    HMAP_FOR_EACH_SAFE (p, node, &nf->ports) {
        p->present = false;
        if (!p->wanted && !p->ours) {
            hmap_remove(&nf->ports, &p->node);
            free(p);
        }
    }
}

void
np_noflood_destroy(struct np_noflood *nf)
{
    struct port *p;

    if (nf) {
        HMAP_FOR_EACH_POP (p, node, &nf->ports) {
            free(p);
        }
        hmap_destroy(&nf->ports);
        rconn_destroy(nf->rconn);
        free(nf->target);
        free(nf->error);
        free(nf);
    }
}

void
np_noflood_set_target(struct np_noflood *nf, const char *target)
{
    struct port *p;

    rconn_disconnect(nf->rconn);
    free(nf->target);
    nf->target = nullable_xstrdup(target);
    HMAP_FOR_EACH (p, node, &nf->ports) {
        p->ours = false;
    }
    forget_ports(nf);
}

void
np_noflood_set_ports(struct np_noflood *nf, const uint32_t *ofports, size_t n)
{
    struct port *p;

    HMAP_FOR_EACH (p, node, &nf->ports) {
        p->wanted = false;
    }
    for (size_t i = 0; i < n; i++) {
        get_port(nf, ofports[i])->wanted = true;
    }
}

static bool
has_work(const struct np_noflood *nf)
{
    const struct port *p;

    HMAP_FOR_EACH (p, node, &nf->ports) {
        if (p->wanted || p->ours) {
            return true;
        }
    }
    return false;
}

static void
configure(struct np_noflood *nf)
{
    /* A management connection is told of port changes only with a nonzero
     * miss_send_len; packets would come with it, and are switched off. */
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;

    async.primary[OAM_PORT_STATUS] = ((1u << OFPPR_ADD) | (1u << OFPPR_DELETE)
                                      | (1u << OFPPR_MODIFY));
    uint32_t types = ((1u << OAM_PACKET_IN) | (1u << OAM_PORT_STATUS)
                      | (1u << OAM_FLOW_REMOVED));
    rconn_send(nf->rconn,
               ofputil_encode_set_async_config(&async, types, OFP10_VERSION),
               NULL);
    rconn_send(nf->rconn, np_of_set_config(OFP10_VERSION, 64), NULL);
    rconn_send(nf->rconn,
               ofputil_encode_port_desc_stats_request(OFP10_VERSION,
                                                      OFPP_ANY), NULL);
    nf->configured = true;
}

static void
update_port(struct np_noflood *nf, const struct ofputil_phy_port *pp)
{
    struct port *p = get_port(nf, ofp_to_u16(pp->port_no));

    p->present = true;
    p->hw_addr = pp->hw_addr;
    p->config = pp->config;
}

static void
handle_port_desc(struct np_noflood *nf, const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_phy_port pp;

    ofpraw_pull_assert(&b);
    while (!ofputil_pull_phy_port(oh->version, &b, &pp)) {
        update_port(nf, &pp);
    }
}

static void
handle_port_status(struct np_noflood *nf, const struct ofp_header *oh)
{
    struct ofputil_port_status ps;
    struct port *p;

    if (ofputil_decode_port_status(oh, &ps)) {
        return;
    } else if (ps.reason != OFPPR_DELETE) {
        update_port(nf, &ps.desc);
    } else if ((p = find_port(nf, ofp_to_u16(ps.desc.port_no)))) {
        p->present = p->ours = false;
    }
}

static void
handle_message(struct np_noflood *nf, const struct ofp_header *oh)
{
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        VLOG_DBG_RL(&rl, "message that cannot be decoded");
    } else if (type == OFPTYPE_ECHO_REQUEST) {
        rconn_send(nf->rconn, ofputil_encode_echo_reply(oh), NULL);
    } else if (type == OFPTYPE_PORT_DESC_STATS_REPLY) {
        handle_port_desc(nf, oh);
    } else if (type == OFPTYPE_PORT_STATUS) {
        handle_port_status(nf, oh);
    } else if (type == OFPTYPE_ERROR) {
        /* Most often a port that has gone, which we are told anyway. */
        VLOG_INFO_RL(&rl, "%s: %s", rconn_get_name(nf->rconn),
                     ofperr_to_string(ofperr_decode_msg(oh, NULL)));
    }
}

static void
send_port_mod(struct np_noflood *nf, struct port *p, bool no_flood)
{
    struct ofputil_port_mod pm = {
        .port_no = u16_to_ofp(p->ofport),
        .hw_addr = p->hw_addr,
        .config = no_flood ? OFPUTIL_PC_NO_FLOOD : 0,
        .mask = OFPUTIL_PC_NO_FLOOD,
    };

    rconn_send(nf->rconn, ofputil_encode_port_mod(&pm, OFPUTIL_P_OF10_STD),
               NULL);
    p->config = (p->config & ~OFPUTIL_PC_NO_FLOOD) | pm.config;
}

static void
apply(struct np_noflood *nf)
{
    struct port *p;

    HMAP_FOR_EACH (p, node, &nf->ports) {
        bool has = p->present && p->config & OFPUTIL_PC_NO_FLOOD;

        if (p->present && p->wanted) {
            if (!has) {
                send_port_mod(nf, p, true);
            }
            p->ours = true;
        } else if (p->present && p->ours) {
            if (has) {
                send_port_mod(nf, p, false);
            }
            p->ours = false;
        }
    }
}

static void
check_connection(struct np_noflood *nf)
{
    unsigned int seqno = rconn_get_connection_seqno(nf->rconn);

    if (seqno != nf->seqno) {
        nf->seqno = seqno;
        nf->connected = rconn_is_connected(nf->rconn);
        nf->configured = false;
        forget_ports(nf);
    }
}

void
np_noflood_run(struct np_noflood *nf, bool hold)
{
    if (!rconn_is_alive(nf->rconn) && nf->target && has_work(nf)) {
        char *bridge = np_of_name(nf->target);
        char *name = xasprintf("%s (no-flood)", bridge);
        rconn_connect(nf->rconn, nf->target, name);
        rconn_set_probe_interval(nf->rconn, PROBE_SECONDS);
        free(name);
        free(bridge);
    }
    np_of_knock_run(&nf->knock, nf->rconn);
    rconn_run(nf->rconn);
    check_connection(nf);
    free(nf->error);
    nf->error = np_of_conn_error(nf->rconn);

    struct ofpbuf *msg;
    for (int i = 0; i < TURN_MAX && (msg = rconn_recv(nf->rconn)); i++) {
        handle_message(nf, msg->data);
        ofpbuf_delete(msg);
    }
    if (nf->connected && !hold) {
        if (!nf->configured) {
            configure(nf);
        }
        apply(nf);
    }
}

const char *
np_noflood_error(const struct np_noflood *nf)
{
    return nf->error;
}

void
np_noflood_wait(struct np_noflood *nf)
{
    rconn_run_wait(nf->rconn);
    rconn_recv_wait(nf->rconn);
    np_of_knock_wait(&nf->knock, nf->rconn);
}

/* One case: what the rules say, what the flows do.
 *
 * The expectation is not always the verdict on (opener, server, port)
 * alone:  this node enforces only its own pods' sides, and a packet that is
 * no reply of an admitted connection may still be one that its sender may
 * open.  Each such step is written down here as people would explain it. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/icmp6.h>
#include "flow.h"
#include "netpol/object.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "prop/judge.h"
#include "util.h"

enum {
    OPENER_PORT = 40000,
    HOLE_PORT = 40001,
    UPLINK = 1,
};

static const struct eth_addr router_mac = ETH_ADDR_C(02,00,00,00,00,fe);
static const struct eth_addr outside_mac = ETH_ADDR_C(02,00,00,00,00,99);
static const struct eth_addr node_mac = ETH_ADDR_C(0a,58,0a,f4,00,01);

static void
set_addrs(struct flow *flow, const struct np_prefix *src,
          const struct np_prefix *dst)
{
    if (src->family == 4) {
        flow->dl_type = htons(ETH_TYPE_IP);
        memcpy(&flow->nw_src, src->bytes, 4);
        memcpy(&flow->nw_dst, dst->bytes, 4);
    } else {
        flow->dl_type = htons(ETH_TYPE_IPV6);
        memcpy(&flow->ipv6_src, src->bytes, 16);
        memcpy(&flow->ipv6_dst, dst->bytes, 16);
    }
}

/* A packet from SRC to DST, as its sender's interface would send it. */
static void
make_packet(struct flow *flow, const struct np_end *src,
            const struct np_end *dst)
{
    memset(flow, 0, sizeof *flow);
    flow->packet_type = htonl(PT_ETH);
    flow->in_port.ofp_port = (src->local ? u16_to_ofp(src->local->port->ofport)
                              : src->node ? OFPP_LOCAL : u16_to_ofp(UPLINK));
    flow->dl_src = (src->local ? src->local->port->mac
                    : src->node ? node_mac : outside_mac);
    flow->dl_dst = router_mac;
    flow->nw_ttl = 64;
    set_addrs(flow, &src->eval.addr, &dst->eval.addr);
}

static void
set_service(struct flow *flow, uint8_t proto, uint16_t src_port,
            uint16_t dst_port)
{
    bool v6 = flow->dl_type == htons(ETH_TYPE_IPV6);

    flow->nw_proto = proto;
    if (proto == IPPROTO_ICMP) {
        flow->nw_proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
        flow->tp_src = htons(v6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST);
    } else if (proto == NP_TCP || proto == NP_UDP || proto == NP_SCTP) {
        flow->tp_src = htons(src_port);
        flow->tp_dst = htons(dst_port);
    }
}

/* What the rules say of A opening PORT of B, where only this node's pods'
 * policies are enforced here; and whether a rule says so explicitly. */
static bool
verdict(struct np_court *c, const struct np_end *a, const struct np_end *b,
        struct np_service_case service, bool *explicit, bool *both_isolated)
{
    struct np_eval_query query = {
        .opener = a->eval, .server = b->eval,
        .proto = service.proto, .port = service.port,
    };
    struct np_eval_verdict v;
    const struct np_eval_direction *out = &v.direction[NP_EGRESS];
    const struct np_eval_direction *in = &v.direction[NP_INGRESS];
    bool allowed;

    np_eval(&c->world, &query, &v);
    allowed = (!a->local || out->allowed) && (!b->local || in->allowed);
    *explicit = allowed && ((a->local && out->n_isolating && !out->exempt)
                            || (b->local && in->n_isolating && !in->exempt));
    *both_isolated = (a->local && b->local && out->n_isolating
                      && in->n_isolating);
    np_eval_verdict_destroy(&v);
    return allowed;
}

/* Does RESULT bring the packet to DST, and nowhere else? */
static bool
arrives(const struct np_interp_result *result, const struct np_end *dst,
        bool *stray)
{
    size_t n = 0;

    *stray = result->status != NP_INTERP_OK;
    for (size_t i = 0; i < result->n_effects; i++) {
        const struct np_effect *e = &result->effects[i];

        if (e->type == NP_EFFECT_CT || e->type == NP_EFFECT_LEARN) {
            continue;
        }
        n++;
        if (dst->local) {
            *stray |= (e->type != NP_EFFECT_OUTPUT
                       || ofp_to_u16(e->port) != dst->local->port->ofport
                       || !eth_addr_equals(e->packet.dl_dst,
                                           dst->local->port->mac));
        } else {
            *stray |= e->type != NP_EFFECT_NORMAL;
        }
    }
    *stray |= n > 1;
    return n > 0;
}

static void
explain(const struct np_court *c, const struct np_case *cs,
        const struct np_interp_result *result, struct np_outcome *outcome)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_table_names names;

    np_pipeline_names(0, &names);
    np_case_format(c, cs, &s);
    ds_put_format(&s, "\nthe rules say: %s; the flows %s it:\n",
                  outcome->expected ? "allow" : "deny",
                  outcome->seen ? "let pass (or stray)" : "drop");
    np_interp_result_format(result, &names, &s);
    free(outcome->why);
    outcome->why = ds_steal_cstr(&s);
}

/* Runs PACKET to DST; a stray frame is a difference, whatever was expected. */
static void
run(struct np_court *c, const struct np_case *cs, struct np_ct_model *model,
    const struct flow *packet, struct np_outcome *outcome)
{
    const struct np_end *to = (cs->phase == NP_CASE_NEW
                               ? &c->ends[cs->server] : &c->ends[cs->opener]);
    struct np_interp_env env = {
        .ct = np_ct_model_run, .ct_aux = model,
    };
    struct np_interp_result result;
    bool stray;

    np_interp_result_init(&result);
    np_interp_run(c->interp, &env, packet, &result);
    outcome->seen = arrives(&result, to, &stray);
    if (stray) {
        outcome->seen = !outcome->expected;
    }
    if (outcome->seen != outcome->expected) {
        explain(c, cs, &result, outcome);
    }
    np_interp_result_destroy(&result);
}

/* Once A's packet to B was admitted, its association is remembered: puts the
 * learned flow into the tables; NULL if there was none. */
static struct np_flow *
learn(struct np_court *c, const struct flow *opening)
{
    struct np_interp_env env = { .ct = np_ct_new };
    struct np_interp_result result;
    struct np_flow *learned = NULL;

    np_interp_result_init(&result);
    np_interp_run(c->interp, &env, opening, &result);
    for (size_t i = 0; i < result.n_effects && !learned; i++) {
        if (result.effects[i].type == NP_EFFECT_LEARN) {
            learned = result.effects[i].learned;
            result.effects[i].learned = NULL;
        }
    }
    np_interp_result_destroy(&result);
    if (learned) {
        np_interp_add(c->interp, learned);
    }
    return learned;
}

static void
unlearn(struct np_court *c, struct np_flow *learned)
{
    if (learned) {
        np_interp_remove(c->interp, learned);
        np_flow_destroy(learned);
    }
}

/* A packet from the server's port to PORT of the opener. */
static void
judge_backward(struct np_court *c, const struct np_case *cs,
               const struct flow *opening, uint16_t port, bool admitted,
               struct np_outcome *outcome)
{
    const struct np_end *opener = &c->ends[cs->opener];
    const struct np_end *server = &c->ends[cs->server];
    struct np_service_case back = { cs->service.proto, port };
    struct np_ct_tuple tuple = np_ct_tuple_of(opening, false);
    struct np_ct_model model = { .n = 0 };
    struct np_flow *learned = NULL;
    bool explicit, ignored, reverse;
    struct flow packet;

    np_ct_model_add(&model, c->fixture.config.ct_zone, NP_CT_REPLY, &tuple);
    make_packet(&packet, server, opener);
    set_service(&packet, cs->service.proto, cs->service.port, port);
    if (packet.nw_proto == IPPROTO_ICMP) {
        packet.tp_src = htons(ICMP4_ECHO_REPLY);
    } else if (packet.nw_proto == IPPROTO_ICMPV6) {
        packet.tp_src = htons(ICMP6_ECHO_REPLY);
    }

    reverse = verdict(c, server, opener, back, &explicit, &ignored);
    if (cs->service.proto == NP_SCTP) {
        /* A reply of an association that is known, or a packet like any
         * other. */
        learned = admitted ? learn(c, opening) : NULL;
        outcome->expected = (cs->phase == NP_CASE_REPLY && admitted
                             ? true : reverse);
    } else {
        /* What is no reply of an admitted connection passes only if a rule
         * lets its sender open just that. */
        outcome->expected = admitted || (reverse && explicit);
    }
    run(c, cs, &model, &packet, outcome);
    unlearn(c, learned);
}

static void
judge_related(struct np_court *c, const struct np_case *cs,
              const struct flow *opening, struct np_outcome *outcome)
{
    struct np_ct_tuple tuple = np_ct_tuple_of(opening, false);
    struct np_ct_model model = { .n = 0 };
    struct flow packet;

    np_ct_model_add(&model, c->fixture.config.ct_zone, NP_CT_RELATED_REPLY,
                    &tuple);
    make_packet(&packet, &c->ends[cs->server], &c->ends[cs->opener]);
    if (packet.dl_type == htons(ETH_TYPE_IP)) {
        packet.nw_proto = IPPROTO_ICMP;
        packet.tp_src = htons(ICMP4_DST_UNREACH);
        packet.tp_dst = htons(3);
    } else {
        packet.nw_proto = IPPROTO_ICMPV6;
        packet.tp_src = htons(1);
        packet.tp_dst = htons(4);
    }
    run(c, cs, &model, &packet, outcome);
}

void
np_court_judge(struct np_court *c, const struct np_case *cs,
               struct np_outcome *outcome)
{
    const struct np_end *opener = &c->ends[cs->opener];
    const struct np_end *server = &c->ends[cs->server];
    bool to_itself = opener->local && opener->local == server->local;
    struct np_ct_model model = { .n = 0 };
    bool explicit, admitted;
    struct flow opening;

    memset(outcome, 0, sizeof *outcome);
    outcome->skipped = (cs->opener == cs->server
                        || opener->eval.addr.family
                           != server->eval.addr.family
                        || (!opener->local && !server->local)
                        || (to_itself && cs->phase != NP_CASE_NEW)
                        || (cs->phase == NP_CASE_SCTP_HOLE
                            && cs->service.proto != NP_SCTP));
    if (outcome->skipped) {
        return;
    }

    admitted = verdict(c, opener, server, cs->service, &explicit,
                       &outcome->both_isolated);
    make_packet(&opening, opener, server);
    set_service(&opening, cs->service.proto, OPENER_PORT, cs->service.port);
    opening.tcp_flags = (cs->service.proto == NP_TCP
                         ? htons(TCP_SYN) : htons(0));
    outcome->expected = admitted;
    switch (cs->phase) {
    case NP_CASE_NEW:
        run(c, cs, &model, &opening, outcome);
        break;
    case NP_CASE_REPLY:
        judge_backward(c, cs, &opening, OPENER_PORT, admitted, outcome);
        break;
    case NP_CASE_SCTP_HOLE:
        judge_backward(c, cs, &opening, HOLE_PORT, admitted, outcome);
        break;
    case NP_CASE_RELATED:
        judge_related(c, cs, &opening, outcome);
        break;
    case NP_N_CASES:
        OVS_NOT_REACHED();
    }
}

static void
format_end(const struct np_end *end, struct ds *s)
{
    np_prefix_format(&end->eval.addr, s);
    if (end->eval.pod) {
        ds_put_cstr(s, " (");
        np_object_format_key(&end->eval.pod->meta, s);
        ds_put_cstr(s, end->local ? ", local)" : ")");
    } else if (end->node) {
        ds_put_cstr(s, " (node)");
    }
}

void
np_case_format(const struct np_court *c, const struct np_case *cs,
               struct ds *s)
{
    static const char *const phases[] = {
        [NP_CASE_NEW] = "first packet", [NP_CASE_REPLY] = "reply",
        [NP_CASE_RELATED] = "ICMP error",
        [NP_CASE_SCTP_HOLE] = "from the served port to another",
    };

    format_end(&c->ends[cs->opener], s);
    ds_put_cstr(s, " -> ");
    format_end(&c->ends[cs->server], s);
    ds_put_format(s, " protocol %d port %d, %s", cs->service.proto,
                  cs->service.port, phases[cs->phase]);
}

/* Flows that follow from the ports: who may say what on each, and how frames
 * reach a pod. */

#include <config.h>
#include <stdlib.h>
#include "compile/build.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "flow.h"
#include "packets.h"
#include "util.h"

/* Templates are numbered so that the layout can hash them all. */
enum port_template {
    T_CLASSIFY,
    T_GUARD_V4, T_GUARD_ARP, T_GUARD_ARP_PROBE,
    T_GUARD_V6, T_GUARD_NS, T_GUARD_NS_DAD, T_GUARD_NA,
    T_FOREIGN_V4, T_FOREIGN_ARP, T_FOREIGN_V6, T_FOREIGN_NA,
    T_LINK_ARP, T_LINK_ARP_OWN,
    T_LINK_NS, T_LINK_NS_OWN, T_LINK_ND_TO_POD, T_LINK_ARP_NODE,
    T_SELF, T_CONNTRACK,
    T_RELATED_V4_SRC, T_RELATED_V4_DST, T_RELATED_V6_SRC, T_RELATED_V6_DST,
    T_LEARN_V4, T_LEARN_V6, T_FORWARD, T_OUT_POD_MAC,
    T_RECORD_FROM_V4, T_RECORD_FROM_V6, T_RECORD_TO_V4, T_RECORD_TO_V6,
    T_OUT_NORMAL, T_OUT_TABLE,
    T_OUT_NODE, T_OUT_FROM_PORT, T_OUT_ALL, T_OUT_PORT,
};

const char *const np_port_templates[] = {
    [T_CLASSIFY] = "table=classify,priority=100,in_port={port},"
        "actions=load:{role}->NXM_NX_REG0[],load:{layout}->NXM_NX_REG12[],"
        "load:{zone}->NXM_NX_REG13[0..15],resubmit(,spoof_guard)",

    /* A pod speaks with its own MAC and addresses. */
    [T_GUARD_V4] = "table=spoof_guard,priority=100,in_port={port},"
        "dl_src={mac},ip,nw_src={addr},actions=resubmit(,l2)",
    [T_GUARD_ARP] = "table=spoof_guard,priority=100,in_port={port},"
        "dl_src={mac},arp,arp_sha={mac},arp_spa={addr},actions=resubmit(,l2)",
    /* Is my address free? (RFC 5227) */
    [T_GUARD_ARP_PROBE] = "table=spoof_guard,priority=100,in_port={port},"
        "dl_src={mac},arp,arp_op=1,arp_sha={mac},arp_spa=0.0.0.0,"
        "arp_tpa={addr},actions=resubmit(,l2)",
    [T_GUARD_V6] = "table=spoof_guard,priority=100,in_port={port},"
        "dl_src={mac},ipv6,ipv6_src={addr},actions=resubmit(,l2)",
    /* {lladdr}: the option is the pod's MAC or absent. */
    [T_GUARD_NS] = "table=spoof_guard,priority=120,in_port={port},"
        "dl_src={mac},icmp6,ipv6_src={addr},icmp_type=135,icmp_code=0,"
        "nd_sll={lladdr},actions=resubmit(,l2)",
    /* Is my address free? (RFC 4862) */
    [T_GUARD_NS_DAD] = "table=spoof_guard,priority=120,in_port={port},"
        "dl_src={mac},icmp6,ipv6_src=::,icmp_type=135,icmp_code=0,"
        "nd_target={addr},nd_sll=00:00:00:00:00:00,actions=resubmit(,l2)",
    [T_GUARD_NA] = "table=spoof_guard,priority=120,in_port={port},"
        "dl_src={mac},icmp6,ipv6_src={addr},icmp_type=136,icmp_code=0,"
        "nd_target={target},nd_tll={lladdr},actions=resubmit(,l2)",

    /* Nobody out there has an address of this node or its pods. */
    [T_FOREIGN_V4] = "table=spoof_guard,priority=90,reg0=4/4,ip,"
        "nw_src={addr},actions={deny:spoofed}",
    [T_FOREIGN_ARP] = "table=spoof_guard,priority=90,reg0=4/4,arp,"
        "arp_spa={addr},actions={deny:spoofed}",
    [T_FOREIGN_V6] = "table=spoof_guard,priority=90,reg0=4/4,ipv6,"
        "ipv6_src={addr},actions={deny:spoofed}",
    [T_FOREIGN_NA] = "table=spoof_guard,priority=90,reg0=4/4,icmp6,"
        "icmp_type=136,icmp_code=0,nd_target={addr},actions={deny:spoofed}",

    [T_LINK_ARP] = "table=link,priority=100,arp,arp_tpa={addr},"
        "actions=output:{port}",
    [T_LINK_ARP_OWN] = "table=link,priority=110,in_port={port},arp,"
        "arp_tpa={addr},actions=resubmit(,out)",
    [T_LINK_NS] = "table=link,priority=100,icmp6,icmp_type=135,icmp_code=0,"
        "nw_ttl=255,nd_target={addr},actions=output:{port}",
    [T_LINK_NS_OWN] = "table=link,priority=110,in_port={port},icmp6,"
        "icmp_type=135,icmp_code=0,nw_ttl=255,nd_target={addr},"
        "actions=resubmit(,out)",
    [T_LINK_ND_TO_POD] = "table=link,priority=100,icmp6,ipv6_dst={addr},"
        "icmp_type={type},nw_ttl=255,actions=output:{port}",
    [T_LINK_ARP_NODE] = "table=link,priority=60,reg0=2,arp,arp_spa={addr},"
        "arp_tpa={addr},actions=resubmit(,every_pod),resubmit(,out)",

    /* A pod always reaches itself.  Its source address is proven here. */
    [T_SELF] = "table=conntrack,priority=110,in_port={port},{ip},"
        "{ip_dst}={addr},actions=mod_dl_dst:{mac},in_port",
    [T_CONNTRACK] = "table=conntrack,priority=90,{ip},{ip_dst}={addr},"
        "actions=ct(zone=NXM_NX_REG13[0..15],table=resume)",

    /* An error that a pod sends quotes a connection of its own. */
    [T_RELATED_V4_SRC] = "table=related,priority=30,in_port={port},"
        "ct_state=+rel-inv+trk,ip,ct_nw_src={addr},actions=resubmit(,quoted)",
    [T_RELATED_V4_DST] = "table=related,priority=30,in_port={port},"
        "ct_state=+rel-inv+trk,ip,ct_nw_dst={addr},actions=resubmit(,quoted)",
    [T_RELATED_V6_SRC] = "table=related,priority=30,in_port={port},"
        "ct_state=+rel-inv+trk,ipv6,ct_ipv6_src={addr},"
        "actions=resubmit(,quoted)",
    [T_RELATED_V6_DST] = "table=related,priority=30,in_port={port},"
        "ct_state=+rel-inv+trk,ipv6,ct_ipv6_dst={addr},"
        "actions=resubmit(,quoted)",

    /* The associations that a pod opens count against its own limit. */
    [T_LEARN_V4] = "table=commit,priority=45,in_port={port},reg10=0,sctp,"
        "actions=learn({association_v4},cookie={learn_cookie},limit=1024),"
        "load:2->NXM_NX_REG10[],resubmit(,commit)",
    [T_LEARN_V6] = "table=commit,priority=45,in_port={port},reg10=0,sctp6,"
        "actions=learn({association_v6},cookie={learn_cookie},limit=1024),"
        "load:2->NXM_NX_REG10[],resubmit(,commit)",

    /* By IP address, which is what was judged; the MAC may say anything. */
    [T_FORWARD] = "table=forward,priority=100,{ip},{ip_dst}={addr},"
        "actions=mod_dl_dst:{mac},output:{port}",
    [T_OUT_POD_MAC] = "table=out,priority=100,dl_dst={mac},"
        "actions={deny:mac}",

    /* Denials by policy, of what the pod sent and of what was for it. */
    [T_RECORD_FROM_V4] = "table=record,priority=100,in_port={port},ip,"
        "actions=learn({denied_v4},cookie={learn_cookie},limit=64),"
        "resubmit(,overflow)",
    [T_RECORD_FROM_V6] = "table=record,priority=100,in_port={port},ipv6,"
        "actions=learn({denied_v6},cookie={learn_cookie},limit=64),"
        "resubmit(,overflow)",
    [T_RECORD_TO_V4] = "table=record,priority=90,ip,nw_dst={addr},"
        "actions=learn({denied_v4},cookie={learn_cookie},limit=64),"
        "resubmit(,overflow)",
    [T_RECORD_TO_V6] = "table=record,priority=90,ipv6,ipv6_dst={addr},"
        "actions=learn({denied_v6},cookie={learn_cookie},limit=64),"
        "resubmit(,overflow)",

    [T_OUT_NORMAL] = "table=out,priority=10,actions=normal",
    [T_OUT_TABLE] = "table=out,priority=10,actions=resubmit(,{table})",
    /* One way out by name: the node's MACs to the node, what came in by the
     * way out to the node as well, all else out. */
    [T_OUT_NODE] = "table=out,priority=50,dl_dst={mac},actions=output:{port}",
    [T_OUT_FROM_PORT] = "table=out,priority=40,in_port={port},"
        "actions={nodes}",
    [T_OUT_ALL] = "table=out,priority=20,"
        "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,"
        "actions=output:{port},{nodes}",
    [T_OUT_PORT] = "table=out,priority=10,actions=output:{port}",
    NULL,
};

static void
add(struct np_build *b, const struct np_bridge_port *port,
    enum port_template t, const struct np_var *vars)
{
    np_build_flow(b, port ? NP_FLOW_PORT : NP_FLOW_STATIC,
                  port ? port->ofport : 0, np_port_templates[t], vars);
}

static char *
prefix_to_string(const struct np_prefix *p)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_prefix_format(p, &s);
    return ds_steal_cstr(&s);
}

static char *
ofport_to_string(uint32_t ofport)
{
    return (ofport == NP_OFPORT_LOCAL ? xstrdup("local")
            : xasprintf("%"PRIu32, ofport));
}

/* ND that a pod may send from ADDR: NS, and NA for each of its addresses, the
 * link-layer option being its MAC or absent. */
static void
guard_nd(struct np_build *b, const struct np_local *local, struct np_var *vars)
{
    static const char *const absent = "00:00:00:00:00:00";
    const char *lladdrs[] = { vars[1].value, absent };
    struct np_var nd[] = {
        vars[0], vars[1], vars[2],
        { "lladdr", NULL }, { "target", NULL }, { NULL, NULL },
    };

    for (int i = 0; i < ARRAY_SIZE(lladdrs); i++) {
        nd[3].value = lladdrs[i];
        add(b, local->port, T_GUARD_NS, nd);
        for (size_t j = 0; j < local->n_addrs; j++) {
            if (local->addrs[j].family == 6) {
                char *target = prefix_to_string(&local->addrs[j]);

                nd[4].value = target;
                add(b, local->port, T_GUARD_NA, nd);
                free(target);
            }
        }
    }
}

static void
link_nd(struct np_build *b, const struct np_local *local, struct np_var *vars)
{
    /* Router advertisement, neighbour advertisement, redirect: to the pod. */
    static const char *const types[] = { "134", "136", "137" };
    struct np_var nd[] = {
        vars[0], vars[1], vars[2], { "type", NULL }, { NULL, NULL },
    };

    for (int i = 0; i < ARRAY_SIZE(types); i++) {
        nd[3].value = types[i];
        add(b, local->port, T_LINK_ND_TO_POD, nd);
    }
}

static void
add_local_addr(struct np_build *b, const struct np_local *local,
               const struct np_prefix *addr, struct np_var *vars)
{
    static const enum port_template v4[] = {
        T_GUARD_V4, T_GUARD_ARP, T_GUARD_ARP_PROBE, T_FOREIGN_V4,
        T_FOREIGN_ARP, T_LINK_ARP, T_LINK_ARP_OWN, T_SELF, T_CONNTRACK,
        T_RELATED_V4_SRC, T_RELATED_V4_DST, T_FORWARD, T_RECORD_TO_V4,
    };
    static const enum port_template v6[] = {
        T_GUARD_V6, T_GUARD_NS_DAD, T_FOREIGN_V6, T_FOREIGN_NA, T_LINK_NS,
        T_LINK_NS_OWN, T_SELF, T_CONNTRACK, T_RELATED_V6_SRC,
        T_RELATED_V6_DST, T_FORWARD, T_RECORD_TO_V6,
    };
    bool is_v4 = addr->family == 4;
    const enum port_template *t = is_v4 ? v4 : v6;
    size_t n = is_v4 ? ARRAY_SIZE(v4) : ARRAY_SIZE(v6);

    for (size_t i = 0; i < n; i++) {
        add(b, local->port, t[i], vars);
    }
    if (!is_v4) {
        guard_nd(b, local, vars);
        link_nd(b, local, vars);
    }
}

static void
add_learn(struct np_build *b, const struct np_bridge_port *port,
          const char *ofport, const char *learn_cookie)
{
    struct np_var vars[] = { { "port", ofport },
                             { "learn_cookie", learn_cookie },
                             { NULL, NULL } };

    add(b, port, T_LEARN_V4, vars);
    add(b, port, T_LEARN_V6, vars);
    add(b, port, T_RECORD_FROM_V4, vars);
    add(b, port, T_RECORD_FROM_V6, vars);
}

static void
add_classify(struct np_build *b, const struct np_bridge_port *port, int role_)
{
    char *ofport = ofport_to_string(port->ofport);
    char *role = xasprintf("%d", role_);
    struct np_var vars[] = { { "port", ofport }, { "role", role },
                             { NULL, NULL } };

    add(b, port, T_CLASSIFY, vars);
    free(ofport);
    free(role);
}

static void
add_pod_mac(struct np_build *b, const struct np_bridge_port *port)
{
    char *mac = xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(port->mac));

    add(b, port, T_OUT_POD_MAC, (struct np_var[]) { { "mac", mac },
                                                    { NULL, NULL } });
    free(mac);
}

void
np_build_local(struct np_build *b, const struct np_local *local)
{
    char *port = ofport_to_string(local->port->ofport);
    char *mac = xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(local->port->mac));
    char *learn_cookie = xasprintf("0x%"PRIx64,
                                   np_cookie(NP_FLOW_LEARNED,
                                             local->port->ofport));

    for (size_t i = 0; i < local->n_addrs; i++) {
        const struct np_prefix *addr = &local->addrs[i];
        bool is_v4 = addr->family == 4;
        char *text = prefix_to_string(addr);
        struct np_var vars[] = {
            { "port", port }, { "mac", mac }, { "addr", text },
            { "ip", is_v4 ? "ip" : "ipv6" },
            { "ip_dst", is_v4 ? "nw_dst" : "ipv6_dst" },
            { "learn_cookie", learn_cookie },
            { NULL, NULL },
        };

        add_local_addr(b, local, addr, vars);
        free(text);
    }
    add_learn(b, local->port, port, learn_cookie);
    add_classify(b, local->port, NP_ROLE_POD);
    add_pod_mac(b, local->port);

    free(port);
    free(mac);
    free(learn_cookie);
}

/* The role that traffic of PORT gets, 0 for none.  Pods' ports get theirs only
 * when a pod is bound to them. */
static int
port_role(const struct np_build *b, const struct np_bridge_port *port)
{
    if (port->ofport == NP_OFPORT_NONE) {
        return 0;
    }
    switch (port->role) {
    case NP_PORT_NODE: return NP_ROLE_NODE;
    case NP_PORT_UPLINK: return NP_ROLE_UPLINK;
    case NP_PORT_TUNNEL: return NP_ROLE_TUNNEL;
    case NP_PORT_UNKNOWN: return b->config->foreign_pass ? NP_ROLE_UPLINK : 0;
    case NP_PORT_POD:
    default: return 0;
    }
}

static void
add_node_addr(struct np_build *b, const struct np_prefix *addr)
{
    char *text = prefix_to_string(addr);
    struct np_var vars[] = { { "addr", text }, { NULL, NULL } };

    if (addr->family == 4) {
        add(b, NULL, T_FOREIGN_V4, vars);
        add(b, NULL, T_FOREIGN_ARP, vars);
        add(b, NULL, T_LINK_ARP_NODE, vars);
    } else {
        add(b, NULL, T_FOREIGN_V6, vars);
        add(b, NULL, T_FOREIGN_NA, vars);
    }
    free(text);
}

/* An explicit choice between the node's ports and one port out. */
static void
add_way_out_port(struct np_build *b)
{
    const struct np_bridge_port *out = NULL;
    struct ds nodes = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < b->binding->n_places; i++) {
        const struct np_bridge_port *port = b->binding->places[i]->row;

        if (!strcmp(port->name, b->config->out_port) && port_role(b, port)) {
            out = port;
        } else if (port_role(b, port) == NP_ROLE_NODE) {
            char *ofport = ofport_to_string(port->ofport);

            ds_put_format(&nodes, "%soutput:%s", nodes.length ? "," : "",
                          ofport);
            free(ofport);
        }
    }
    if (!nodes.length) {
        ds_put_cstr(&nodes, "output:local");
    }
    if (out) {
        char *ofport = ofport_to_string(out->ofport);
        struct np_var vars[] = { { "port", ofport },
                                 { "nodes", ds_cstr(&nodes) },
                                 { NULL, NULL } };

        add(b, out, T_OUT_FROM_PORT, vars);
        add(b, out, T_OUT_ALL, vars);
        add(b, out, T_OUT_PORT, vars);
        free(ofport);
    }
    ds_destroy(&nodes);
}

static void
add_way_out_node(struct np_build *b, const struct np_bridge_port *port)
{
    char *ofport = ofport_to_string(port->ofport);
    char *mac = xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(port->mac));
    struct np_var vars[] = { { "port", ofport }, { "mac", mac },
                             { NULL, NULL } };

    add(b, port, T_OUT_NODE, vars);
    free(ofport);
    free(mac);
}

/* Of the node's ports: a gateway may share the bridge's MAC. */
static bool
is_node_port(const struct np_bridge_port *port, const void *b_)
{
    const struct np_build *b = b_;

    return port_role(b, port) == NP_ROLE_NODE;
}

static void
add_way_out(struct np_build *b)
{
    char *table;

    switch (b->config->way_out) {
    case NP_OUT_NORMAL:
        add(b, NULL, T_OUT_NORMAL, NULL);
        break;
    case NP_OUT_TABLE:
        table = xasprintf("%d", b->config->out_table);
        add(b, NULL, T_OUT_TABLE, (struct np_var[]) { { "table", table },
                                                      { NULL, NULL } });
        free(table);
        break;
    case NP_OUT_PORT:
        add_way_out_port(b);
        for (size_t i = 0; i < b->binding->n_places; i++) {
            const struct np_place *place = b->binding->places[i];

            if (is_node_port(place->row, b) && place->row->has_mac
                && np_binding_first_with_mac(b->binding, place, is_node_port,
                                             b)) {
                add_way_out_node(b, place->row);
            }
        }
        break;
    }
}

/* Nothing goes the way out to a pod's MAC: NORMAL has learned it, and would
 * pass on what was not judged.  Ports that carry nothing are among them,
 * because they may have been a pod's a moment ago.  Of several ports with one
 * MAC the first has the flow, and none if it is the node's. */
static bool
guards_mac(const struct np_bridge_port *port, const void *b_)
{
    const struct np_build *b = b_;

    return port->role == NP_PORT_NODE || !port_role(b, port);
}

bool
np_build_owns_mac(const struct np_build *b, const struct np_place *place)
{
    const struct np_bridge_port *port = place->row;

    return (port && port->has_mac && port->role != NP_PORT_NODE
            && guards_mac(port, b)
            && np_binding_first_with_mac(b->binding, place, guards_mac, b));
}

void
np_build_port(struct np_build *b, const struct np_bridge_port *port,
              const struct np_local *local, bool owns_mac)
{
    if (local) {
        np_build_like_model(b, local, owns_mac);
        return;
    }
    if (port_role(b, port)) {
        add_classify(b, port, port_role(b, port));
    }
    if (owns_mac) {
        add_pod_mac(b, port);
    }
}

void
np_build_rest(struct np_build *b)
{
    for (size_t i = 0; i < b->binding->n_node_addrs; i++) {
        add_node_addr(b, &b->binding->node_addrs[i]);
    }
    add_way_out(b);
}

void
np_build_list(struct np_build *b, enum np_table table,
              const struct ofpbuf *actions)
{
    struct match match;

    match_init_catchall(&match);
    np_build_match(b, table, 0, np_cookie(NP_FLOW_STATIC, 0), &match,
                   actions);
}

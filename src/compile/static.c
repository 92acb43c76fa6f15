/* The pipeline that every node has, as text.
 *
 * It reads from the top as a packet passes.  Three rules hold everywhere:
 *
 * - Every table's last flow is ours.  A reserved table passes on, a table that
 *   is called and returns (identities, quoted ports) ends in nothing, all
 *   others deny.  "Open" is always a flow that says so, so a table that
 *   somebody emptied denies.
 * - What a packet may do is judged anew for every packet, replies and errors
 *   included, always as seen from the one who opened the connection.
 * - After identities are loaded nothing goes through conntrack and back
 *   without loading them again: identity numbers are this build's. */

#include <config.h>
#include "compile/build.h"
#include "util.h"

const char *const np_static_templates[] = {
    /* Only untagged frames pass. */
    "table=classify,priority=300,vlan_tci=0x1000/0x1000,"
        "actions={deny:vlan}",
    "table=classify,priority=0,actions={deny:unknown_port}",

    /* Pods' own addresses are per-port flows.  What no pod may send, whoever
     * it says it is: router advertisements, redirects, and ND that those
     * flows did not admit. */
    "table=spoof_guard,priority=130,reg0=1,icmp6,icmp_type=134,"
        "actions={deny:spoofed}",
    "table=spoof_guard,priority=130,reg0=1,icmp6,icmp_type=137,"
        "actions={deny:spoofed}",
    "table=spoof_guard,priority=130,reg0=1,icmp,icmp_type=5,"
        "actions={deny:spoofed}",
    "table=spoof_guard,priority=110,reg0=1,icmp6,icmp_type=135,"
        "actions={deny:spoofed}",
    "table=spoof_guard,priority=110,reg0=1,icmp6,icmp_type=136,"
        "actions={deny:spoofed}",
    "table=spoof_guard,priority=10,reg0=2,ip,actions=resubmit(,l2)",
    "table=spoof_guard,priority=10,reg0=2,ipv6,actions=resubmit(,l2)",
    "table=spoof_guard,priority=10,reg0=2,arp,actions=resubmit(,l2)",
    "table=spoof_guard,priority=10,reg0=4/4,ip,actions=resubmit(,l2)",
    "table=spoof_guard,priority=10,reg0=4/4,ipv6,actions=resubmit(,l2)",
    "table=spoof_guard,priority=10,reg0=4/4,arp,actions=resubmit(,l2)",
    "table=spoof_guard,priority=1,ip,actions={deny:spoofed}",
    "table=spoof_guard,priority=1,ipv6,actions={deny:spoofed}",
    "table=spoof_guard,priority=1,arp,actions={deny:spoofed}",
    "table=spoof_guard,priority=0,actions={deny:ethertype}",

    /* Link traffic never goes through conntrack, which knows no ARP and takes
     * ND for invalid.  130-132 and 143 are MLD (RFC 2710, 3810), 133-137 ND
     * (RFC 4861). */
    "table=l2,priority=20,icmp6,icmp_type=130,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=131,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=132,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=133,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=134,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=135,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=136,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=137,actions=resubmit(,link)",
    "table=l2,priority=20,icmp6,icmp_type=143,actions=resubmit(,link)",
    "table=l2,priority=20,arp,actions=resubmit(,link)",
    "table=l2,priority=10,ip,actions=resubmit(,service)",
    "table=l2,priority=10,ipv6,actions=resubmit(,service)",
    "table=l2,priority=0,actions={deny:ethertype}",

    /* News for everybody, when a router or the node is the one to tell:
     * gratuitous ARP replies, router advertisements, unsolicited NA. */
    "table=link,priority=60,reg0=2,arp,arp_op=2,dl_dst=ff:ff:ff:ff:ff:ff,"
        "actions=resubmit(,every_pod),resubmit(,out)",
    "table=link,priority=60,reg0=4/4,arp,arp_op=2,dl_dst=ff:ff:ff:ff:ff:ff,"
        "actions=resubmit(,every_pod),resubmit(,out)",
    "table=link,priority=60,reg0=2,icmp6,ipv6_dst=ff02::1,icmp_type=134,"
        "actions=resubmit(,every_pod),resubmit(,out)",
    "table=link,priority=60,reg0=4/4,icmp6,ipv6_dst=ff02::1,icmp_type=134,"
        "actions=resubmit(,every_pod),resubmit(,out)",
    "table=link,priority=60,reg0=2,icmp6,ipv6_dst=ff02::1,icmp_type=136,"
        "actions=resubmit(,every_pod),resubmit(,out)",
    "table=link,priority=60,reg0=4/4,icmp6,ipv6_dst=ff02::1,icmp_type=136,"
        "actions=resubmit(,every_pod),resubmit(,out)",
    "table=link,priority=10,arp,actions=resubmit(,out)",
    /* No policy is asked here, so nothing may pass but what stays on the
     * link: ND has hop limit 255, which no router leaves as it is (RFC 4861);
     * the rest, MLD and router solicitations, is multicast. */
    "table=link,priority=10,icmp6,icmp_type=134,nw_ttl=255,"
        "actions=resubmit(,out)",
    "table=link,priority=10,icmp6,icmp_type=135,nw_ttl=255,"
        "actions=resubmit(,out)",
    "table=link,priority=10,icmp6,icmp_type=136,nw_ttl=255,"
        "actions=resubmit(,out)",
    "table=link,priority=10,icmp6,icmp_type=137,nw_ttl=255,"
        "actions=resubmit(,out)",
    "table=link,priority=9,icmp6,ipv6_dst=ff00::/8,actions=resubmit(,out)",
    "table=link,priority=1,icmp6,actions={deny:invalid}",
    "table=link,priority=0,actions={deny:ethertype}",

    "table=service,priority=0,actions=resubmit(,conntrack)",

    /* Loopback addresses are no destination of a pod's frame.  A node that
     * routes them (route_localnet, as kube-proxy may set it) would serve what
     * listens there for itself alone. */
    "table=conntrack,priority=120,ip,nw_dst=127.0.0.0/8,"
        "actions={deny:spoofed}",
    "table=conntrack,priority=120,ipv6,ipv6_dst=::1,actions={deny:spoofed}",
    "table=conntrack,priority=100,reg0=1,ip,"
        "actions=ct(zone=NXM_NX_REG13[0..15],table=resume)",
    "table=conntrack,priority=100,reg0=1,ipv6,"
        "actions=ct(zone=NXM_NX_REG13[0..15],table=resume)",
    "table=conntrack,priority=10,ip,actions=resubmit(,forward)",
    "table=conntrack,priority=10,ipv6,actions=resubmit(,forward)",
    "table=conntrack,priority=0,actions={deny:ethertype}",

    /* A packet whose megaflow was made by another pipeline comes back here
     * with that one's registers: it starts again. */
    "table=resume,priority=20,reg12={layout},reg11=2,"
        "actions=resubmit(,committed)",
    "table=resume,priority=10,reg12={layout},actions=resubmit(,direction)",
    "table=resume,priority=0,actions={clear}resubmit(,classify)",

    /* In the second zone a packet of the direction that was denied is of use
     * only as a reply; reg9 still says why it was denied in the first. */
    "table=direction,priority=60,reg11=1,ct_state=-rpl+trk,"
        "actions=resubmit(,deny)",
    "table=direction,priority=50,ct_state=+inv+trk,actions={deny:invalid}",
    "table=direction,priority=45,ct_state=+new+rel+trk,"
        "actions={deny:invalid}",
    "table=direction,priority=40,ct_state=+rel+trk,ip,"
        "actions=resubmit(,related)",
    "table=direction,priority=40,ct_state=+rel+trk,ipv6,"
        "actions=resubmit(,related)",
    /* Only a datagram's first fragment has ports and is judged.  The others
     * go the same way: the reassembler lets none out unless its first one got
     * as far as its ct(commit). */
    "table=direction,priority=35,ct_state=-inv+trk,ip,ip_frag=later,"
        "actions={to_committed}"
        "ct(commit,zone=NXM_NX_REG13[0..15],table=resume)",
    "table=direction,priority=35,ct_state=-inv+trk,ipv6,ip_frag=later,"
        "actions={to_committed}"
        "ct(commit,zone=NXM_NX_REG13[0..15],table=resume)",
    "table=direction,priority=20,ct_state=+trk,ip,actions={judge}",
    "table=direction,priority=20,ct_state=+trk,ipv6,actions={judge}",
    "table=direction,priority=0,actions={deny:invalid}",

    "table=related,priority=20,reg0=1,actions={deny:related}",
    "table=related,priority=10,ct_state=+rel-inv+trk,ip,"
        "actions=resubmit(,quoted)",
    "table=related,priority=10,ct_state=+rel-inv+trk,ipv6,"
        "actions=resubmit(,quoted)",
    "table=related,priority=0,actions={deny:related}",

    /* The quoted connection's addresses take the place of the packet's own
     * for as long as the identities are looked up.  ct_nw_src opened it, so
     * there is nothing to orient.  They are pushed and popped, not moved: an
     * error that goes in the connection's own direction ("too big", about what
     * the server sent) has no state but "related", and then "move" finds its
     * prerequisites wanting and does nothing (is_ct_valid() in lib/flow.h). */
    "table=quoted,priority=10,ct_state=+rel-inv+trk,ip,actions="
        "push:NXM_OF_IP_SRC[],push:NXM_OF_IP_DST[],"
        "push:NXM_NX_CT_NW_SRC[],pop:NXM_OF_IP_SRC[],"
        "push:NXM_NX_CT_NW_DST[],pop:NXM_OF_IP_DST[],"
        "resubmit(,src_identity),resubmit(,dst_identity),"
        "pop:NXM_OF_IP_DST[],pop:NXM_OF_IP_SRC[],"
        "resubmit(,quoted_port),resubmit(,egress_admin)",
    "table=quoted,priority=10,ct_state=+rel-inv+trk,ipv6,actions="
        "push:NXM_NX_IPV6_SRC[],push:NXM_NX_IPV6_DST[],"
        "push:NXM_NX_CT_IPV6_SRC[],pop:NXM_NX_IPV6_SRC[],"
        "push:NXM_NX_CT_IPV6_DST[],pop:NXM_NX_IPV6_DST[],"
        "resubmit(,src_identity),resubmit(,dst_identity),"
        "pop:NXM_NX_IPV6_DST[],pop:NXM_NX_IPV6_SRC[],"
        "resubmit(,quoted_port),resubmit(,egress_admin)",
    "table=quoted,priority=0,actions={deny:related}",
    "table=quoted_port,priority=10,ct_state=+rel-inv+trk,ip,ct_nw_proto=6,"
        "actions=load:6->NXM_NX_REG6[],"
        "push:NXM_NX_CT_TP_DST[],pop:NXM_NX_REG7[0..15]",
    "table=quoted_port,priority=10,ct_state=+rel-inv+trk,ip,ct_nw_proto=17,"
        "actions=load:17->NXM_NX_REG6[],"
        "push:NXM_NX_CT_TP_DST[],pop:NXM_NX_REG7[0..15]",
    "table=quoted_port,priority=10,ct_state=+rel-inv+trk,ip,ct_nw_proto=132,"
        "actions=load:132->NXM_NX_REG6[],"
        "push:NXM_NX_CT_TP_DST[],pop:NXM_NX_REG7[0..15]",
    "table=quoted_port,priority=10,ct_state=+rel-inv+trk,ipv6,ct_nw_proto=6,"
        "actions=load:6->NXM_NX_REG6[],"
        "push:NXM_NX_CT_TP_DST[],pop:NXM_NX_REG7[0..15]",
    "table=quoted_port,priority=10,ct_state=+rel-inv+trk,ipv6,ct_nw_proto=17,"
        "actions=load:17->NXM_NX_REG6[],"
        "push:NXM_NX_CT_TP_DST[],pop:NXM_NX_REG7[0..15]",
    "table=quoted_port,priority=10,ct_state=+rel-inv+trk,ipv6,ct_nw_proto=132,"
        "actions=load:132->NXM_NX_REG6[],"
        "push:NXM_NX_CT_TP_DST[],pop:NXM_NX_REG7[0..15]",
    "table=quoted_port,priority=0,actions=drop",

    "table=src_identity,priority=0,actions=drop",
    "table=dst_identity,priority=0,actions=drop",
    /* The userspace datapath's conntrack knows no SCTP ports: to it, all SCTP
     * between two addresses is one connection, and once a may reach one port
     * of b, anything from that port to any of a's would be a reply.  So for
     * SCTP it is not asked; each association that was admitted leaves a
     * learned flow that knows its replies. */
    "table=orient,priority=20,ct_state=+trk,sctp,"
        "actions=resubmit(,association),resubmit(,oriented)",
    "table=orient,priority=20,ct_state=+trk,sctp6,"
        "actions=resubmit(,association),resubmit(,oriented)",
    "table=orient,priority=10,ct_state=+rpl+trk,"
        "actions=load:1->NXM_NX_REG10[],resubmit(,oriented)",
    "table=orient,priority=10,ct_state=-rpl+trk,"
        "actions=resubmit(,oriented)",
    "table=orient,priority=0,actions={deny:invalid}",
    "table=association,priority=0,actions=drop",
    "table=oriented,priority=10,reg10=1,"
        "actions={swap}resubmit(,egress_admin)",
    "table=oriented,priority=10,reg10=0,actions=resubmit(,egress_admin)",
    "table=oriented,priority=0,actions={deny:invalid}",

    "table=egress_admin,priority=0,actions=resubmit(,egress)",
    "table=egress,priority=0,actions=resubmit(,egress_default)",
    "table=egress,priority=60000,reg3=0x10/0x11,"
        "actions=resubmit(,egress_default)",
    "table=egress_default,priority=10,reg3=0x10/0x11,"
        "actions=resubmit(,egress_baseline)",
    "table=egress_default,priority=0,actions={deny:egress}",
    "table=egress_baseline,priority=0,actions=resubmit(,egress_staged)",
    "table=egress_staged,priority=0,actions=resubmit(,ingress_admin)",

    "table=ingress_admin,priority=0,actions=resubmit(,ingress)",
    /* The node always reaches its own pods. */
    "table=ingress,priority=60001,reg3=0x14/0x14,actions=resubmit(,commit)",
    "table=ingress,priority=60000,reg4=0x10/0x12,"
        "actions=resubmit(,ingress_default)",
    "table=ingress,priority=0,actions=resubmit(,ingress_default)",
    "table=ingress_default,priority=10,reg4=0x10/0x12,"
        "actions=resubmit(,ingress_baseline)",
    "table=ingress_default,priority=0,actions={deny:ingress}",
    "table=ingress_baseline,priority=0,actions=resubmit(,ingress_staged)",
    "table=ingress_staged,priority=0,actions=resubmit(,commit)",

    "table=commit,priority=50,reg13={zone2},reg5=0,reg8=0,"
        "actions={deny:second_zone}",
    /* Associations that somebody outside opens; pods have their own flows,
     * each with a limit of its own. */
    "table=commit,priority=44,reg10=0,sctp,"
        "actions=learn({association_v4},cookie={learn_cookie},limit=4096),"
        "load:2->NXM_NX_REG10[],resubmit(,commit)",
    "table=commit,priority=44,reg10=0,sctp6,"
        "actions=learn({association_v6},cookie={learn_cookie},limit=4096),"
        "load:2->NXM_NX_REG10[],resubmit(,commit)",
    "table=commit,priority=40,ip,ip_frag=first,actions={commit}",
    "table=commit,priority=40,ipv6,ip_frag=first,actions={commit}",
    "table=commit,priority=30,ct_state=+new+trk,tcp,tcp_flags=+syn-ack,"
        "actions={commit}",
    "table=commit,priority=30,ct_state=+new+trk,tcp6,tcp_flags=+syn-ack,"
        "actions={commit}",
    /* In the midst of a connection that conntrack does not know, the server
     * may be the first to speak: unless a rule says that the sender may open
     * connections like this one, it must not be taken for the opener. */
    "table=commit,priority=25,ct_state=+new+trk,tcp,reg5=0,reg8=0,"
        "actions=resubmit(,forward)",
    "table=commit,priority=25,ct_state=+new+trk,tcp6,reg5=0,reg8=0,"
        "actions=resubmit(,forward)",
    "table=commit,priority=20,ct_state=+new+trk,ip,actions={commit}",
    "table=commit,priority=20,ct_state=+new+trk,ipv6,actions={commit}",
    "table=commit,priority=10,ip,actions=resubmit(,forward)",
    "table=commit,priority=10,ipv6,actions=resubmit(,forward)",
    "table=commit,priority=0,actions={deny:invalid}",

    /* Where a packet goes is settled before its ct(commit), but what comes out
     * may be another packet: the userspace datapath puts fragments that it
     * waited for in vain, or that a batch had no room for, into whatever
     * batch is at a ct() just then (OVS 3.1, lib/ipf.c).  Without this table
     * they would go that batch's way, past all judgement.  Registers are the
     * batch's, but pkt_mark is the packet's own, and says that it was at the
     * commit itself. */
    "table=committed,priority=10,pkt_mark={layout},ct_state=-inv+trk,"
        "actions=load:0->NXM_NX_PKT_MARK[],resubmit(,forward)",
    "table=committed,priority=0,actions={deny:invalid}",

    /* Pods that no policy isolates hear multicast and broadcast; the others
     * could be reached past their policies that way. */
    "table=forward,priority=60,ip,nw_dst=224.0.0.0/4,"
        "actions=resubmit(,open_pods),resubmit(,out)",
    "table=forward,priority=60,ip,nw_dst=255.255.255.255,"
        "actions=resubmit(,open_pods),resubmit(,out)",
    "table=forward,priority=60,ipv6,ipv6_dst=ff00::/8,"
        "actions=resubmit(,open_pods),resubmit(,out)",
    "table=forward,priority=10,ip,actions=resubmit(,out)",
    "table=forward,priority=10,ipv6,actions=resubmit(,out)",
    "table=forward,priority=0,actions={deny:ethertype}",

    "table=out,priority=0,actions={deny:mac}",
    NULL,
};

/* --allow-to-node */
static const char allow_to_node[] = "table=egress,priority=50000,"
    "reg4=0x14/0x14,actions=resubmit(,ingress_admin)";

/* --established=keep; commit passes what is not new, and first fragments must
 * get that far. */
static const char *const keep_established[] = {
    "table=direction,priority=30,ct_state=+est-rel-inv+trk,ip,"
        "actions=resubmit(,commit)",
    "table=direction,priority=30,ct_state=+est-rel-inv+trk,ipv6,"
        "actions=resubmit(,commit)",
    /* "Established" says nothing about the ports of SCTP. */
    "table=direction,priority=31,ct_state=+est-rel-inv+trk,sctp,"
        "actions={judge}",
    "table=direction,priority=31,ct_state=+est-rel-inv+trk,sctp6,"
        "actions={judge}",
};

void
np_build_static(struct np_build *b)
{
    char learn_cookie[32];

    snprintf(learn_cookie, sizeof learn_cookie, "0x%"PRIx64,
             np_cookie(NP_FLOW_LEARNED, 0));

    const struct np_var vars[] = { { "learn_cookie", learn_cookie },
                                   { NULL, NULL } };

    for (const char *const *t = np_static_templates; *t; t++) {
        np_build_flow(b, NP_FLOW_STATIC, 0, *t, vars);
    }
    for (const char *const *t = np_denied_templates; *t; t++) {
        np_build_flow(b, NP_FLOW_STATIC, 0, *t, vars);
    }
    if (b->config->allow_to_node) {
        np_build_flow(b, NP_FLOW_STATIC, 0, allow_to_node, NULL);
    }
    if (b->config->keep_established) {
        for (int i = 0; i < ARRAY_SIZE(keep_established); i++) {
            np_build_flow(b, NP_FLOW_STATIC, 0, keep_established[i], NULL);
        }
    }
}

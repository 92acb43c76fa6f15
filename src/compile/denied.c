/* The end of the pipeline: what is denied, counted and remembered.
 *
 * Table deny counts by reason.  What policies denied is remembered as well,
 * by the switch itself: the first packet of a kind leaves a learned flow that
 * counts all that come after it, and tells of its end.  So counts are exact,
 * and however many packets are denied, the daemon hears of a denial once.
 *
 *   deny ─► quiet ─► denied ─► record ─► overflow
 *             ▲         ▲        │          │
 *             │         └─ learn ┘          │ its account is full
 *             └──────────────────── learn ──┘
 *
 * Each pod has an account of 64 flows in "denied", so a storm hides the
 * storming pod's own denials at most.  When it is full, one flow in "quiet"
 * drops all of the pod's until ten seconds passed without any: to learn takes
 * the switch far longer than to drop. */

#include <config.h>
#include "compile/build.h"

const char *const np_denied_templates[] = {
    /* A packet that policies deny in its connection's direction may still be
     * one of a connection that its sender may open: both ends use the same
     * port, say.  It is judged once more in a zone of its own, where it
     * passes only if a rule allows just that. */
    "table=deny,priority=100,reg9=8/0xfffffffe,reg13={zone},"
        "ct_state=+rpl-rel+trk,ip,actions={second_zone}"
        "ct(zone=NXM_NX_REG13[0..15],table=resume)",
    "table=deny,priority=100,reg9=8/0xfffffffe,reg13={zone},"
        "ct_state=+rpl-rel+trk,ipv6,actions={second_zone}"
        "ct(zone=NXM_NX_REG13[0..15],table=resume)",
    "table=deny,priority=100,reg9=8/0xfffffffe,reg13={zone},"
        "ct_state=+est-rpl-rel+trk,ip,actions={second_zone}"
        "load:1->NXM_NX_REG11[],ct(zone=NXM_NX_REG13[0..15],table=resume)",
    "table=deny,priority=100,reg9=8/0xfffffffe,reg13={zone},"
        "ct_state=+est-rpl-rel+trk,ipv6,actions={second_zone}"
        "load:1->NXM_NX_REG11[],ct(zone=NXM_NX_REG13[0..15],table=resume)",
    /* What the second zone denied as well was denied for the reason that the
     * first had. */
    "table=deny,priority=50,reg13={zone2},reg7=8/0xfffe,actions="
        "move:NXM_NX_REG7[0..15]->NXM_NX_REG9[0..15],"
        "move:NXM_NX_REG7[16..31]->NXM_NX_REG10[0..15],"
        "load:0->NXM_NX_REG7[],resubmit(,deny)",
    "table=deny,priority=10,reg9=1,actions=drop",
    "table=deny,priority=10,reg9=2,actions=drop",
    "table=deny,priority=10,reg9=3,actions=drop",
    "table=deny,priority=10,reg9=4,actions=drop",
    "table=deny,priority=10,reg9=5,actions=drop",
    "table=deny,priority=10,reg9=6,actions=drop",
    "table=deny,priority=10,reg9=7,actions=drop",
    "table=deny,priority=10,reg9=8,actions=resubmit(,quiet)",
    "table=deny,priority=10,reg9=9,actions=resubmit(,quiet)",
    "table=deny,priority=10,reg9=10,actions=drop",
    "table=deny,priority=0,actions=drop",

    /* From here on everything is dropped; it is about who was denied what.
     * Whoever is denied too many things at once has a learned flow of
     * priority 100 here, ahead of all that looks at ports: its storm costs a
     * few megaflows and no learning.
     *
     * What a denial is about is the server's port, which a reply has as its
     * source, or the type and code of an ICMP message. */
    "table=quiet,priority=20,tcp,reg10=1,actions="
        "move:NXM_OF_TCP_SRC[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=20,tcp6,reg10=1,actions="
        "move:NXM_OF_TCP_SRC[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=20,udp,reg10=1,actions="
        "move:NXM_OF_UDP_SRC[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=20,udp6,reg10=1,actions="
        "move:NXM_OF_UDP_SRC[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=20,sctp,reg10=1,actions="
        "move:OXM_OF_SCTP_SRC[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=20,sctp6,reg10=1,actions="
        "move:OXM_OF_SCTP_SRC[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=10,tcp,actions="
        "move:NXM_OF_TCP_DST[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=10,tcp6,actions="
        "move:NXM_OF_TCP_DST[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=10,udp,actions="
        "move:NXM_OF_UDP_DST[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=10,udp6,actions="
        "move:NXM_OF_UDP_DST[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=10,sctp,actions="
        "move:OXM_OF_SCTP_DST[]->NXM_NX_REG7[0..15],{look_up}",
    "table=quiet,priority=10,sctp6,actions="
        "move:OXM_OF_SCTP_DST[]->NXM_NX_REG7[0..15],{look_up}",
    /* An error goes the way of replies if it is for who opened what it
     * quotes. */
    "table=quiet,priority=20,ct_state=+rel+rpl+trk,icmp,actions="
        "load:1->NXM_NX_REG10[],move:NXM_OF_ICMP_TYPE[]->NXM_NX_REG7[8..15],"
        "move:NXM_OF_ICMP_CODE[]->NXM_NX_REG7[0..7],{look_up}",
    "table=quiet,priority=20,ct_state=+rel+rpl+trk,icmp6,actions="
        "load:1->NXM_NX_REG10[],"
        "move:NXM_NX_ICMPV6_TYPE[]->NXM_NX_REG7[8..15],"
        "move:NXM_NX_ICMPV6_CODE[]->NXM_NX_REG7[0..7],{look_up}",
    "table=quiet,priority=10,icmp,actions="
        "move:NXM_OF_ICMP_TYPE[]->NXM_NX_REG7[8..15],"
        "move:NXM_OF_ICMP_CODE[]->NXM_NX_REG7[0..7],{look_up}",
    "table=quiet,priority=10,icmp6,actions="
        "move:NXM_NX_ICMPV6_TYPE[]->NXM_NX_REG7[8..15],"
        "move:NXM_NX_ICMPV6_CODE[]->NXM_NX_REG7[0..7],{look_up}",
    "table=quiet,priority=0,actions=load:0->NXM_NX_REG7[],{look_up}",

    /* A learned flow of each denial that is known is all that there is here;
     * it counts and ends.  What is not known is recorded on account of the pod
     * that sent it or, if none did, of the pod that it is for. */
    "table=denied,priority=0,actions=resubmit(,record)",
    "table=record,priority=0,actions=drop",

    /* reg6: was it learned?  If not, the account is full. */
    "table=overflow,priority=20,reg6=1,actions=drop",
    "table=overflow,priority=10,reg0=1,actions="
        "learn({quiet},cookie={learn_cookie},NXM_OF_IN_PORT[])",
    "table=overflow,priority=5,ip,actions="
        "learn({quiet},cookie={learn_cookie},NXM_OF_IN_PORT[],"
        "eth_type=0x800,NXM_OF_IP_DST[])",
    "table=overflow,priority=5,ipv6,actions="
        "learn({quiet},cookie={learn_cookie},NXM_OF_IN_PORT[],"
        "eth_type=0x86dd,NXM_NX_IPV6_DST[])",
    "table=overflow,priority=0,actions=drop",
    NULL,
};

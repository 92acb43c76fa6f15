/* The tables: their numbers, names, and what each is for.
 *
 * Numbers are spaced so that a table can be added without renumbering, and
 * shifted together by a base so that the pipeline can live beside another.
 * A table that matches addresses has prefix tries for them
 * (Flow_Table:prefixes in ovs-vswitchd.conf.db(5), at most three): without,
 * each address that passes would get a megaflow of its own. */

#include <config.h>
#include "netpol/compile.h"
#include "util.h"

static const struct np_table_info tables[] = {
    { NP_T_CLASSIFY, "classify", NULL,
      "where a frame comes from: pod, node, uplink or tunnel" },
    { NP_T_SPOOF_GUARD, "spoof_guard", "ip_src ipv6_src",
      "senders are who they say they are" },
    { NP_T_L2, "l2", NULL,
      "IP goes on; ARP, ND and other link traffic to a table of its own" },
    { NP_T_LINK, "link", "ip_dst ipv6_dst",
      "ARP and ND: a pod gets what asks for its own addresses" },
    { NP_T_EVERY_POD, "every_pod", NULL,
      "the list of all local pods' ports" },
    { NP_T_SERVICE, "service", NULL,
      "reserved: Service translation comes before policy" },
    { NP_T_CONNTRACK, "conntrack", "ip_dst ipv6_dst",
      "connection tracking for what comes from or goes to a local pod" },
    { NP_T_RESUME, "resume", NULL,
      "back from connection tracking: is this still the same pipeline?" },
    { NP_T_DIRECTION, "direction", NULL,
      "invalid, related, fragment, or a packet to be judged" },
    { NP_T_RELATED, "related", NULL,
      "errors: a pod may only quote its own connections" },
    { NP_T_QUOTED, "quoted", NULL,
      "errors: identities of the connection that is quoted" },
    { NP_T_QUOTED_PORT, "quoted_port", NULL,
      "errors: protocol and port of the connection that is quoted" },
    { NP_T_SRC_IDENTITY, "src_identity", "ip_src ipv6_src",
      "source address to identity and isolation" },
    { NP_T_DST_IDENTITY, "dst_identity", "ip_dst ipv6_dst",
      "destination address to identity and isolation" },
    { NP_T_ORIENT, "orient", NULL, "opening packet or reply?" },
    { NP_T_ASSOCIATION, "association", NULL,
      "learned: which SCTP packets are replies", true },
    { NP_T_ORIENTED, "oriented", NULL,
      "a reply is judged as what it replies to" },
    { NP_T_EGRESS_ADMIN, "egress_admin", NULL, "reserved" },
    { NP_T_EGRESS, "egress", NULL, "egress rules of NetworkPolicies" },
    { NP_T_EGRESS_DEFAULT, "egress_default", NULL,
      "what no rule allowed, of pods that policies isolate for egress" },
    { NP_T_EGRESS_BASELINE, "egress_baseline", NULL, "reserved" },
    { NP_T_EGRESS_STAGED, "egress_staged", NULL, "reserved" },
    { NP_T_INGRESS_ADMIN, "ingress_admin", NULL, "reserved" },
    { NP_T_INGRESS, "ingress", NULL, "ingress rules of NetworkPolicies" },
    { NP_T_INGRESS_DEFAULT, "ingress_default", NULL,
      "what no rule allowed, to pods that policies isolate for ingress" },
    { NP_T_INGRESS_BASELINE, "ingress_baseline", NULL, "reserved" },
    { NP_T_INGRESS_STAGED, "ingress_staged", NULL, "reserved" },
    { NP_T_COMMIT, "commit", NULL,
      "new connections are remembered with the rules that allowed them" },
    { NP_T_COMMITTED, "committed", NULL,
      "out of the commit comes what went into it" },
    { NP_T_FORWARD, "forward", "ip_dst ipv6_dst",
      "to a local pod by its IP address, else the way out" },
    { NP_T_OPEN_PODS, "open_pods", NULL,
      "the list of the ports that no policy isolates for ingress" },
    { NP_T_OUT, "out", NULL,
      "the way out for what is not a local pod's" },
    { NP_T_DENY, "deny", NULL, "counts denied frames by reason" },
    { NP_T_QUIET, "quiet", "ip_dst ipv6_dst",
      "learned: whose denials are too many to look at", true },
    { NP_T_DENIED, "denied", NULL,
      "learned: denials by policy, each with its count", true },
    { NP_T_RECORD, "record", "ip_dst ipv6_dst",
      "a denial that is new is remembered on a pod's account" },
    { NP_T_OVERFLOW, "overflow", NULL,
      "whose account is full is dropped without a look for a while" },
};

const struct np_table_info *
np_pipeline_tables(size_t *n)
{
    *n = ARRAY_SIZE(tables);
    return tables;
}

void
np_pipeline_names(uint8_t base, struct np_table_names *names)
{
    memset(names, 0, sizeof *names);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        names->name[tables[i].table + base] = tables[i].name;
    }
}

const char *
np_deny_reason_name(enum np_deny_reason reason)
{
    switch (reason) {
    case NP_DENY_UNKNOWN_PORT: return "unknown_port";
    case NP_DENY_VLAN: return "vlan";
    case NP_DENY_ETHERTYPE: return "ethertype";
    case NP_DENY_SPOOFED: return "spoofed";
    case NP_DENY_INVALID: return "invalid";
    case NP_DENY_RELATED: return "related";
    case NP_DENY_SECOND_ZONE: return "second_zone";
    case NP_DENY_EGRESS: return "egress";
    case NP_DENY_INGRESS: return "ingress";
    case NP_DENY_MAC: return "mac";
    case NP_N_DENY_REASONS:
    default: return "?";
    }
}

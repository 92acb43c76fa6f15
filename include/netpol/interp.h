#ifndef NETPOL_INTERP_H
#define NETPOL_INTERP_H 1

/* A switch on paper: what would Open vSwitch do with this packet?
 *
 * Runs one packet (a struct flow: header fields, registers, conntrack state)
 * through a set of flows, as ofproto/ofproto-dpif-xlate.c of Open vSwitch
 * 3.1 and ovs-actions(7) have it, and says what leaves the tables and by
 * which flows.  It knows nothing of policies or of who made the flows.
 *
 * What it does not know it says: an action outside its repertoire ends the run
 * with NP_INTERP_UNKNOWN, never with a guess.  Left to the caller are what
 * ports exist and what NORMAL, FLOOD, groups and meters do.  Fragments are
 * matched as they are ("nx-match"); a table miss drops.
 *
 * The tables are libopenvswitch's classifiers, which free memory by RCU: each
 * call of np_interp_create(), _add(), _remove() and _destroy() may pass a
 * quiescent state of the calling thread (lib/ovs-rcu.h). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/flow.h"
#include "openvswitch/types.h"

struct ds;
struct np_flow;
struct np_flow_set;
struct np_table_names;

struct np_interp;

/* Builds tables of the flows of a set, which stay the set's and must outlive
 * the interpreter.  Whoever changes the set afterwards tells it by
 * np_interp_add() and np_interp_remove(). */
struct np_interp *np_interp_create(const struct np_flow_set *);
void np_interp_destroy(struct np_interp *);
/* Adds FLOW, which stays the caller's, until it is removed or the
 * interpreter destroyed.  Returns the flow of the same key whose place it
 * took, or NULL. */
const struct np_flow *np_interp_add(struct np_interp *,
                                    const struct np_flow *flow);
/* Takes out the flow with the key of FLOW, and returns it, or NULL. */
const struct np_flow *np_interp_remove(struct np_interp *,
                                       const struct np_flow *flow);

/* A ct() action: ovs-actions(7), "The ct Action". */
struct np_interp_ct {
    uint16_t zone;
    bool commit, force;
    bool recirculate;           /* A copy of the packet goes on ... */
    uint8_t table;              /* ... in this table. */
    uint16_t alg;               /* Port of the helper's protocol, or 0. */
    uint32_t mark, mark_mask;   /* What exec() writes into the connection; */
    ovs_u128 label, label_mask; /* bits outside the masks are as they were. */
};

/* Stands for connection tracking.  Called at each ct(), in the order in which
 * a datapath comes to them.  PACKET is the one that was sent there, with what
 * an earlier ct() said of it in ct_state and ct_zone; to be replaced by what
 * this one says: ct_state, ct_zone, ct_mark, ct_label and, for what is
 * tracked and valid, the tuple of the connection's opener in ct_nw_src ...
 * ct_tp_dst.  What it writes is seen only if the ct() recirculates. */
typedef void np_interp_ct_func(const struct np_interp_ct *,
                               struct flow *packet, void *aux);

struct np_interp_env {
    uint8_t first_table;
    np_interp_ct_func *ct;      /* NULL: np_ct_new(). */
    void *ct_aux;
    /* Flows that learn() makes go into the tables when the pass that made them
     * ends, and stay, as in a switch.  Otherwise they are reported only. */
    bool learn;
};

/* How a run ended. */
enum np_interp_status {
    NP_INTERP_OK,
    NP_INTERP_ABORTED,  /* A pass went over one of the switch's own limits, so
                         * the switch does nothing of what that pass would
                         * have done, and goes on with others. */
    NP_INTERP_UNKNOWN,  /* Something here cannot be interpreted; what was
                         * done before that is reported. */
};

/* The limits: MAX_DEPTH and MAX_RESUBMITS of ofproto-dpif-xlate.c, and
 * MAX_RECIRC_DEPTH of dpif-netdev.c. */
enum {
    NP_INTERP_MAX_DEPTH = 64,
    NP_INTERP_MAX_RESUBMITS = 4096,
    NP_INTERP_MAX_RECIRCULATIONS = 6,
};

/* A pass: from the packet's arrival, or its return from ct(), to the end of
 * that list of actions.  In a switch each pass makes one megaflow. */
struct np_interp_pass {
    uint8_t table;              /* Where it began. */
    size_t parent;              /* The effect, a ct(), that sent it here;
                                 * SIZE_MAX for the first. */
    struct flow packet;         /* As it began, */
    struct flow end;            /* and as it ended, registers and all. */
    struct flow_wildcards wc;   /* Which bits of 'packet' were looked at.  Any
                                 * packet with the same values in these passes
                                 * the same flows. */
};

/* A lookup in a table. */
struct np_interp_step {
    size_t pass;
    const struct np_flow *flow; /* What matched, or NULL for a miss. */
    uint8_t table;
    uint8_t depth;              /* Nested resubmits; 0 for a pass's first. */
};

enum np_effect_type {
    NP_EFFECT_OUTPUT,           /* port: a number, or OFPP_LOCAL. */
    NP_EFFECT_NORMAL,
    NP_EFFECT_FLOOD,
    NP_EFFECT_ALL,
    NP_EFFECT_CONTROLLER,       /* id: the controller's. */
    NP_EFFECT_CT,               /* ct. */
    NP_EFFECT_LEARN,            /* learned; owned by the result. */
    NP_EFFECT_GROUP,            /* id.  What its buckets do is not known. */
    NP_EFFECT_METER,            /* id.  The packet is taken to pass. */
};

/* What is done with the packet, or because of it. */
struct np_effect {
    enum np_effect_type type;
    size_t step;                /* Where the action stood. */
    struct flow packet;         /* As it was sent; of a ct(), with the ct_mark
                                 * and ct_label that exec() made.  (A switch
                                 * writes no IP header of protocol 0.) */
    union {
        ofp_port_t port;
        uint32_t id;
        struct np_interp_ct ct;
        struct np_flow *learned; /* Timeouts are lost. */
    };
};

/* Initialise with np_interp_result_init(); a result may be used for any number
 * of runs, each of which replaces what was there.  Pointers to flows are
 * valid as long as the interpreter and the set are. */
struct np_interp_result {
    enum np_interp_status status;
    char *error;                /* Why not NP_INTERP_OK, else NULL. */
    struct np_interp_pass *passes;
    size_t n_passes, allocated_passes;
    struct np_interp_step *steps;
    size_t n_steps, allocated_steps;
    struct np_effect *effects;  /* In the order in which a datapath comes to
                                 * them: a pass that a ct() sends on is run
                                 * before what stands behind that ct(). */
    size_t n_effects, allocated_effects;
};

/* Runs PACKET.  Its in_port must be set; its conntrack fields are what it
 * arrives with, usually none. */
void np_interp_run(struct np_interp *, const struct np_interp_env *,
                   const struct flow *packet, struct np_interp_result *);

void np_interp_result_init(struct np_interp_result *);
void np_interp_result_destroy(struct np_interp_result *);
/* Is the packet sent out by OFPORT, and by an output of its own?  What NORMAL
 * and FLOOD would do there does not count. */
bool np_interp_result_delivers(const struct np_interp_result *,
                               ofp_port_t ofport);
/* Does something of that kind happen? */
bool np_interp_result_has(const struct np_interp_result *,
                          enum np_effect_type);
/* Does nothing leave, whatever NORMAL, groups and controllers do?  Not if the
 * run ended with NP_INTERP_UNKNOWN: then nobody can say. */
bool np_interp_result_drops(const struct np_interp_result *);
/* Appends the way and the effects, a line each, names of tables from NAMES
 * (may be NULL). */
void np_interp_result_format(const struct np_interp_result *,
                             const struct np_table_names *names, struct ds *);

/* Connection tracking for one packet: what it is to each zone. */

enum np_ct_relation {
    NP_CT_NEW,                  /* Of no connection yet. */
    NP_CT_ESTABLISHED,          /* From the opener, after a reply. */
    NP_CT_REPLY,                /* To the opener. */
    NP_CT_RELATED,              /* An ICMP error in the opener's direction. */
    NP_CT_RELATED_REPLY,        /* An ICMP error that goes to the opener. */
    NP_CT_INVALID,
};

/* What the opener sends.  Of ICMP, ports are type and code. */
struct np_ct_tuple {
    ovs_be32 nw_src, nw_dst;    /* For IPv4, */
    struct in6_addr ipv6_src, ipv6_dst;         /* for IPv6. */
    ovs_be16 tp_src, tp_dst;
    uint8_t nw_proto;
};

struct np_ct_entry {
    uint16_t zone;
    enum np_ct_relation relation;
    struct np_ct_tuple opener;
    uint32_t mark;
    ovs_u128 label;
};

/* Zones without an entry take a packet for new.  Marks and labels change as
 * ct(commit) says, so that a second ct() in the same zone sees them. */
struct np_ct_model {
    struct np_ct_entry entries[8];
    size_t n;
};

/* The tuple of a packet's own addresses and ports, or, if REPLY, of those of
 * the packet to which it is an answer. */
struct np_ct_tuple np_ct_tuple_of(const struct flow *packet, bool reply);
/* Says that in ZONE a packet is in RELATION to the connection that OPENER
 * opened.  There is room for 8 zones. */
struct np_ct_entry *np_ct_model_add(struct np_ct_model *, uint16_t zone,
                                    enum np_ct_relation,
                                    const struct np_ct_tuple *opener);
/* The bits of ct_state that stand for RELATION (lib/packets.h, CS_*). */
uint8_t np_ct_state(enum np_ct_relation);
/* For np_interp_env: MODEL is a struct np_ct_model. */
void np_ct_model_run(const struct np_interp_ct *, struct flow *packet,
                     void *model);
/* The same where every zone is empty; AUX is not used. */
void np_ct_new(const struct np_interp_ct *, struct flow *packet, void *aux);

#endif /* netpol/interp.h */

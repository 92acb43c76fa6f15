#ifndef NETPOL_COMPILE_H
#define NETPOL_COMPILE_H 1

/* From rules and ports to flows. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/binding.h"
#include "netpol/cache.h"
#include "netpol/flow.h"
#include "netpol/policy.h"

struct ds;
struct shash;

/* Where frames go that are not for a pod of this node. */
enum np_way_out { NP_OUT_NORMAL, NP_OUT_PORT, NP_OUT_TABLE };

struct np_compile_config {
    uint8_t table_base;         /* Added to every table number. */
    uint16_t ct_zone;           /* 1...65534; the next one is used as well. */
    enum np_way_out way_out;
    const char *out_port;       /* NP_OUT_PORT: the interface's name. */
    uint8_t out_table;          /* NP_OUT_TABLE: not shifted by the base. */
    bool allow_to_node;         /* A pod's traffic to its node is allowed. */
    bool keep_established;      /* Judge only the first packet. */
    bool foreign_pass;          /* Ports we do not know count as uplinks. */
};

/* The tables.  Numbers are before 'table_base'; the one of NP_T_RESUME must
 * never change: packets of an older build's pipeline come back there. */
enum np_table {
    NP_T_CLASSIFY = 0,
    NP_T_SPOOF_GUARD = 5,
    NP_T_L2 = 10,
    NP_T_LINK = 11,
    NP_T_EVERY_POD = 12,
    NP_T_SERVICE = 15,
    NP_T_CONNTRACK = 20,
    NP_T_RESUME = 24,
    NP_T_DIRECTION = 25,
    NP_T_RELATED = 26,
    NP_T_QUOTED = 27,
    NP_T_QUOTED_PORT = 28,
    NP_T_SRC_IDENTITY = 30,
    NP_T_DST_IDENTITY = 35,
    NP_T_ORIENT = 40,
    NP_T_ASSOCIATION = 41,
    NP_T_ORIENTED = 42,
    NP_T_EGRESS_ADMIN = 50,
    NP_T_EGRESS = 55,
    NP_T_EGRESS_DEFAULT = 60,
    NP_T_EGRESS_BASELINE = 65,
    NP_T_EGRESS_STAGED = 70,
    NP_T_INGRESS_ADMIN = 80,
    NP_T_INGRESS = 85,
    NP_T_INGRESS_DEFAULT = 90,
    NP_T_INGRESS_BASELINE = 95,
    NP_T_INGRESS_STAGED = 100,
    NP_T_COMMIT = 110,
    NP_T_COMMITTED = 112,
    NP_T_FORWARD = 120,
    NP_T_OPEN_PODS = 122,
    NP_T_OUT = 125,
    NP_T_DENY = 130,
    NP_T_QUIET = 131,
    NP_T_DENIED = 132,
    NP_T_RECORD = 133,
    NP_T_OVERFLOW = 134,
};
#define NP_TABLE_BASE_MAX (253 - NP_T_OVERFLOW)

struct np_table_info {
    uint8_t table;              /* Before 'table_base'. */
    const char *name;
    const char *prefixes;       /* For Flow_Table:prefixes, or NULL. */
    const char *does;           /* One line for people. */
    bool learns;                /* Its flows come and go by themselves. */
};
/* All tables in pipeline order; '*n' gets their number. */
const struct np_table_info *np_pipeline_tables(size_t *n);
/* Fills in the names of tables with BASE added. */
void np_pipeline_names(uint8_t base, struct np_table_names *);

/* Why frames are dropped; the flows of table deny count by these. */
enum np_deny_reason {
    NP_DENY_UNKNOWN_PORT = 1,
    NP_DENY_VLAN,
    NP_DENY_ETHERTYPE,
    NP_DENY_SPOOFED,
    NP_DENY_INVALID,
    NP_DENY_RELATED,
    NP_DENY_SECOND_ZONE,
    NP_DENY_EGRESS = 8,         /* The policies' two are one masked match. */
    NP_DENY_INGRESS = 9,
    NP_DENY_MAC,
    NP_N_DENY_REASONS,
};
const char *np_deny_reason_name(enum np_deny_reason);   /* "egress_policy" */

/* The stage. */
struct np_compiler;
struct np_compiler *np_compiler_create(const struct np_compile_config *);
void np_compiler_destroy(struct np_compiler *);
const struct np_compile_config *np_compiler_config(const struct np_compiler *);
/* Takes over the numbers of the identities in INSTALLED, a table of an earlier
 * run, before the first apply, so that the same input gives the same table. */
void np_compiler_adopt(struct np_compiler *, const struct np_flow_set *);

/* One change, as the stages below have it. */
struct np_compile_input {
    const struct np_groups *groups;
    const struct np_policies *policies;
    const struct np_cache_delta *objects;
    const struct np_group_delta *profiles;
    const struct np_policy_delta *rules;
    const struct np_binding *binding;
    const struct np_binding_delta *places;
};
/* Adds to OUT what must change in the switch. */
void np_compiler_apply(struct np_compiler *, const struct np_compile_input *,
                       struct np_flow_patch *out);
/* How much of what there is. */
struct np_compile_counts {
    size_t rules;               /* That apply to a pod of this node. */
    size_t sets;                /* That these rules name. */
    size_t points;
    size_t identities;
    size_t conjunctions;
    size_t clauses;
};
void np_compiler_count(const struct np_compiler *, struct np_compile_counts *);
/* Appends what identity number ID stands for ("production/backend-0, …;
 * in: …"), and what rule ID does; false if there is none. */
bool np_compiler_format_identity(const struct np_compiler *, uint32_t id,
                                 struct ds *);
bool np_compiler_format_rule(const struct np_compiler *, uint32_t id,
                             struct ds *);
/* Calls CB for each identity and each rule that flows refer to. */
void np_compiler_for_each_name(const struct np_compiler *,
                               void (*cb)(enum np_flow_kind, uint32_t id,
                                          const char *text, void *aux),
                               void *aux);
void np_compiler_dump(const struct np_compiler *, struct ds *);

#endif /* netpol/compile.h */

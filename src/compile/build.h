#ifndef COMPILE_BUILD_H
#define COMPILE_BUILD_H 1

/* Writing flows down: what all files of this room use to fill a flow set. */

#include "netpol/compile.h"
#include "openvswitch/meta-flow.h"

struct ofpbuf;

struct np_build {
    const struct np_compile_config *config;
    const struct np_binding *binding;
    struct np_table_names names;
    const struct np_flow_parser *parser;        /* With these names. */
    struct np_flow_maker *maker;
    struct np_models *models;
    uint32_t layout;            /* Changes when flows of one build could not
                                 * finish what those of another began. */
    struct np_flow_set *out;    /* Where flows go; if NULL, to 'patch', */
    struct np_flow_patch *patch;
    bool del;                   /* as flows to delete. */
};

/* Registers, from the first table on.  Templates name them by number:
 *
 *   reg0   role of the port that the frame came in by (NP_ROLE_*)
 *   reg1   identity of the opener     reg2   identity of the server
 *   reg3   flags of the opener        reg4   flags of the server (NP_ID_*)
 *   reg5   egress rule that allowed   reg8   ingress rule that allowed
 *   reg6   protocol, and reg7 port, of the connection that an error quotes;
 *          of what was denied: whether it was learned, and the server's port;
 *          in the second zone, reg7: reg9 and reg10 of the first
 *   reg9   why the frame is denied (enum np_deny_reason)
 *   reg10  1: a reply; 2: not one, and its association is remembered
 *   reg11  1: judged again in the second zone, where it must be a reply
 *   reg12  the layout               reg13  conntrack zone */

enum {
    NP_ROLE_POD = 1,
    NP_ROLE_NODE = 2,
    NP_ROLE_OUTSIDE = 4,        /* This bit alone: */
    NP_ROLE_UPLINK = 4,
    NP_ROLE_TUNNEL = 5,
};

enum {
    NP_ID_ISOLATED_EGRESS = 0x1,
    NP_ID_ISOLATED_INGRESS = 0x2,
    NP_ID_NODE = 0x4,           /* This node's own address. */
    NP_ID_LOCAL = 0x8,          /* A pod of this node. */
    NP_ID_KNOWN = 0x10,         /* Always: a packet without it met an identity
                                 * table that somebody emptied. */
};

/* A template's variable. */
struct np_var {
    const char *name;
    const char *value;
};

/* Adds the flow that TEMPLATE describes in ovs-ofctl(8)'s syntax, tables by
 * name.  "{name}" is replaced by the value in VARS (ended by a NULL name, may
 * be NULL) or by one that all templates know:
 *
 *   {zone} {zone2}   conntrack zones
 *   {layout}         the build's layout
 *   {judge}          load both identities and go on to the policies
 *   {commit}         ct(commit,…) with the rules in ct_label, then forward
 *   {swap}           exchange opener and server
 *   {look_up}        is this denial known?
 *   {deny:REASON}    count and drop */
void np_build_flow(struct np_build *, enum np_flow_kind, uint32_t id,
                   const char *template, const struct np_var *vars);
/* Adds a flow from parts; takes nothing over. */
void np_build_match(struct np_build *, uint8_t table, uint16_t priority,
                    uint64_t cookie, const struct match *,
                    const struct ofpbuf *actions);

/* Appends "load:VALUE->REG[]" to ACTIONS. */
void np_put_load(struct ofpbuf *actions, enum mf_field_id reg,
                 uint32_t value);

/* Adds FLOW, which it takes. */
void np_build_put(struct np_build *, struct np_flow *flow);

/* The pipeline itself. */
void np_build_static(struct np_build *);
/* All flows that a port has for itself, whose row is PORT and whose pod is
 * LOCAL or NULL. */
void np_build_port(struct np_build *, const struct np_bridge_port *port,
                   const struct np_local *local, bool owns_mac);
/* Those that the node's and other ports have together. */
void np_build_rest(struct np_build *);
/* Does nothing go to the MAC of PLACE by the way out, and is it PLACE that has
 * the flow which says so? */
bool np_build_owns_mac(const struct np_build *, const struct np_place *);
/* The flows of a pod of this node: from the templates, and after the model of a
 * pod like it; then without the one for its MAC, unless it OWNS_MAC. */
void np_build_local(struct np_build *, const struct np_local *);
void np_build_like_model(struct np_build *, const struct np_local *,
                         bool owns_mac);
struct np_models *np_models_create(void);
void np_models_destroy(struct np_models *);
/* The one flow of TABLE, a list of ports. */
void np_build_list(struct np_build *, enum np_table,
                   const struct ofpbuf *actions);

/* A number for what packets on their way depend on; never 0. */
uint32_t np_build_layout(const struct np_compile_config *);
extern const char *const np_static_templates[];
extern const char *const np_denied_templates[];
extern const char *const np_port_templates[];

#endif /* compile/build.h */

#ifndef NETPOL_INTERP_PRIVATE_H
#define NETPOL_INTERP_PRIVATE_H 1

#include "netpol/interp.h"

#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"

/* Tables (table.c). */

/* The flow that PACKET matches, or NULL.  Adds the bits that the lookup
 * depended on to *WC. */
const struct np_flow *np_interp_lookup(const struct np_interp *, uint8_t table,
                                       struct flow *packet,
                                       struct flow_wildcards *wc);
/* The flow with the key of FLOW, or NULL. */
const struct np_flow *np_interp_find(const struct np_interp *,
                                     const struct np_flow *flow);
/* How many flows TABLE has with COOKIE. */
size_t np_interp_count(const struct np_interp *, uint8_t table,
                       uint64_t cookie);
/* Adds a copy of FLOW, which the interpreter keeps as long as it lives. */
void np_interp_learn(struct np_interp *, const struct np_flow *flow);

/* Something that a pass decided; it is done when the pass has ended well. */
struct np_interp_todo {
    struct np_effect effect;
    void *stack;                /* Of a ct(): what push has left; owned. */
    size_t stack_len;
};

/* A pass that is under way. */
struct np_interp_ctx {
    struct np_interp *interp;
    const struct np_interp_env *env;
    struct np_interp_result *result;

    struct flow packet;
    struct flow_wildcards wc;
    struct ofpbuf stack;        /* Of push and pop. */
    bool conntracked;           /* Are there conntrack fields to clear? */
    bool exit;                  /* By the action of that name. */
    enum np_interp_status status;
    char *error;                /* With a status that is not OK. */

    size_t pass, step;          /* Indexes of the present ones. */
    uint8_t table;
    unsigned int depth;         /* Resubmits to this or an earlier table. */
    unsigned int nested;        /* Resubmits to whatever table. */
    unsigned int resubmits;
    unsigned int recirculations;

    struct np_interp_todo *todos;
    size_t n_todos, allocated_todos;
};

/* Looks the packet up in TABLE as if it had come in by IN_PORT, and executes
 * what it finds (interp.c). */
void np_interp_enter(struct np_interp_ctx *, ofp_port_t in_port,
                     uint8_t table);
/* Ends the pass. */
void np_interp_fail(struct np_interp_ctx *, enum np_interp_status,
                    const char *format, ...) OVS_PRINTF_FORMAT(3, 4);
/* Appends a todo with the packet as it is now. */
struct np_interp_todo *np_interp_todo(struct np_interp_ctx *,
                                      enum np_effect_type);

/* Executes a list of actions (action.c). */
void np_interp_actions(struct np_interp_ctx *, const struct ofpact *,
                       size_t len);

/* Growing a result (result.c): each returns the index of the new element. */
void np_interp_result_clear(struct np_interp_result *);
size_t np_interp_add_pass(struct np_interp_result *);
size_t np_interp_add_step(struct np_interp_result *);
size_t np_interp_add_effect(struct np_interp_result *,
                            const struct np_effect *);

#endif /* interp-private.h */

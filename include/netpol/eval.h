#ifndef NETPOL_EVAL_H
#define NETPOL_EVAL_H 1

/* The judge of the objects: may this packet pass?
 *
 * It reads the objects as the API's documentation reads, one packet at a time,
 * and shares nothing with the compiler beyond the objects themselves: neither
 * its sets nor its way to match labels or to apply defaults.  Slow and obvious
 * is right; its use is to be agreed with. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/addr.h"
#include "netpol/object.h"

/* What is known, borrowed. */
struct np_eval_world {
    const struct np_meta *const *objects;
    size_t n;
    /* The addresses of the node on which the server's pod runs: what comes
     * from them always reaches it. */
    const struct np_prefix *node_addrs;
    size_t n_node_addrs;
};

/* One end of a connection. */
struct np_eval_end {
    struct np_prefix addr;      /* Full length; both ends of one family.  All
                                 * zeros if not known: no block covers it. */
    const struct np_pod *pod;   /* Whose address it is, or NULL. */
};

struct np_eval_query {
    struct np_eval_end opener;
    struct np_eval_end server;
    uint8_t proto;              /* IANA's number. */
    uint16_t port;              /* Host byte order; of TCP, UDP and SCTP. */
};

/* Why a direction allows; a rule without peers or ports has -1 there. */
struct np_eval_reason {
    const struct np_netpol *policy;
    int rule, peer, port;       /* Indexes in the object. */
};

/* A direction's judgement: egress of the opener's pod or ingress of the
 * server's. */
struct np_eval_direction {
    bool allowed;
    bool exempt;                /* Allowed whatever policies say: a pod to
                                 * itself, the node to its pods. */
    const struct np_netpol **isolating; /* Owned by the verdict. */
    size_t n_isolating;
    struct np_eval_reason reason;       /* If isolated and allowed. */
};

struct np_eval_verdict {
    bool allowed;               /* In both directions. */
    struct np_eval_direction direction[2];      /* By np_direction. */
};

/* Judges QUERY.  Free with np_eval_verdict_destroy(). */
void np_eval(const struct np_eval_world *, const struct np_eval_query *,
             struct np_eval_verdict *);
void np_eval_verdict_destroy(struct np_eval_verdict *);

/* The pod that counts and has ADDR, or NULL; of several a running one. */
const struct np_pod *np_eval_pod_at(const struct np_eval_world *,
                                    const struct np_prefix *addr);

#endif /* netpol/eval.h */

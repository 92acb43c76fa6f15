#ifndef TESTS_PROP_JUDGE_H
#define TESTS_PROP_JUDGE_H 1

/* One cluster before both judges: the objects', and the compiled flows'. */

#include "netpol/eval.h"
#include "netpol/interp.h"
#include "prop/gen.h"
#include "unit/compile/fixture.h"

/* Someone who may open connections or serve them. */
struct np_end {
    struct np_eval_end eval;
    const struct np_local *local;       /* A pod of this node, or NULL. */
    bool node;                  /* This node itself. */
};

struct np_service_case {
    uint8_t proto;
    uint16_t port;
};

struct np_court {
    struct np_fixture fixture;
    const struct np_binding *binding;
    struct np_interp *interp;
    struct np_eval_world world;
    struct np_end *ends;
    size_t n_ends, allocated_ends;
    size_t first_local, n_local;        /* Of 'ends': the local pods'. */
    struct np_service_case *services;
    size_t n_services, allocated_services;
    size_t n_identities;
};

/* What is asked of both. */
enum np_case_phase {
    NP_CASE_NEW,               /* The first packet. */
    NP_CASE_REPLY,             /* What comes back. */
    NP_CASE_RELATED,           /* An ICMP error about it. */
    NP_CASE_SCTP_HOLE,         /* From the served port to another one. */
    NP_N_CASES,
};

struct np_case {
    size_t opener, server;      /* Of 'ends'. */
    struct np_service_case service;
    enum np_case_phase phase;
};

struct np_outcome {
    bool expected, seen;
    bool both_isolated;         /* Policies on both sides had a say. */
    bool skipped;               /* Nothing to ask. */
    char *why;                  /* If they differ: what happened; owned. */
};

/* Returns false, with the errors printed, if the manifest is refused: then the
 * generator is wrong. */
bool np_court_init(struct np_court *, const struct np_gen *);
/* A court over FLOWS that an engine keeps for WORLD, which BINDING has the
 * ports of: with the configuration of a fixture.  All must live as long. */
void np_court_init_live(struct np_court *, const struct np_eval_world *world,
                        const struct np_binding *binding,
                        const struct np_flow_set *flows);
void np_court_destroy(struct np_court *);
void np_court_judge(struct np_court *, const struct np_case *,
                    struct np_outcome *);
/* Appends "10.0.0.1 (a/pod0) -> 10.0.0.2:80/TCP, reply". */
void np_case_format(const struct np_court *, const struct np_case *,
                    struct ds *);
/* Finds the end with ADDR; SIZE_MAX for none. */
size_t np_court_find_end(const struct np_court *, const struct np_prefix *);

#endif /* tests/prop/judge.h */

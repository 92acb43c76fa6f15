#ifndef COMPILE_CLAUSE_H
#define COMPILE_CLAUSE_H 1

/* Rules as conjunctions of who opens, who serves and what service. */

#include "compile/build.h"
#include "compile/identity.h"

/* What one rule became: one conjunction, and one more for each number that a
 * named port of it stands for. */
struct np_conj {
    uint32_t id;                /* Conjunction's and rule's; never 0. */
    char *key;                  /* "ns/name ingress[0]", and for a named port
                                 * " http=8080/TCP". */
    const struct np_rule *rule;
    const struct np_idset *openers;     /* Identities; NULL: any. */
    const struct np_idset *servers;     /* Identities; NULL: any. */
    struct np_service *services;        /* Numeric; none: any. */
    size_t n_services;
};

struct np_conjs {
    struct np_conj *v;          /* By key. */
    size_t n;
    size_t allocated;
};

/* All rules of POLICIES that apply on this node and can match at all. */
void np_conjs_build(struct np_conjs *, const struct np_policies *,
                    const struct np_points *, const struct np_identities *);
void np_conjs_destroy(struct np_conjs *);
/* Adds the flows of the egress and ingress tables. */
void np_build_clauses(struct np_build *, const struct np_conjs *);

#endif /* compile/clause.h */

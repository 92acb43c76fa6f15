#ifndef CLI_CHECK_H
#define CLI_CHECK_H 1

/* The answer of `netpolctl check`: worked out once, printed in two forms. */

#include "cli/query.h"
#include "netpol/eval.h"

/* What decided a direction. */
enum check_why {
    WHY_NO_POD,                 /* That end is no pod. */
    WHY_HOST_NETWORK,           /* It is its node's address. */
    WHY_FINISHED,               /* It has Succeeded or Failed. */
    WHY_NOT_ISOLATED,
    WHY_SELF,                   /* A pod may always reach itself, */
    WHY_NODE,                   /* and a node its own pods. */
    WHY_RULE,                   /* A rule allows it. */
    WHY_NO_RULE,                /* None does. */
};

struct check_pair {
    const struct np_prefix *src, *dst;  /* Of one family; that of an end whose
                                         * address is not known is 0. */
    struct np_eval_verdict verdict;
    enum check_why why[2];      /* By np_direction. */
};

struct check_answer {
    const struct cli_query *query;
    struct check_pair *pairs;
    size_t n;
    bool allowed;               /* All of them. */
};

/* 4, 6, or 0 if no address is known. */
int check_family(const struct check_pair *);
/* Do both get the same answer for the same reasons? */
bool check_pairs_alike(const struct check_pair *, const struct check_pair *);
/* "no-pod"..., part of the JSON's form. */
const char *check_why_name(enum check_why);

void check_print_text(const struct check_answer *, bool colour);
void check_print_json(const struct check_answer *);

#endif /* cli/check.h */

#ifndef TESTS_BENCH_IPCLAUSE_H
#define TESTS_BENCH_IPCLAUSE_H 1

/* The same policies as most controllers compile them: each peer's address in
 * the clause of each rule.  For comparison only. */

#include <stddef.h>
#include <stdio.h>
#include "bench/cluster.h"

struct np_bench_ip_count {
    size_t policy;              /* Of rules and default denials. */
    size_t other;               /* To get packets there and on. */
    size_t policy_bytes;        /* Of the former's text. */
};
/* Writes the flows to STREAM, unless it is NULL, as ovs-ofctl(8) takes
 * them. */
struct np_bench_ip_count np_bench_ip_clauses(const struct np_bench_cluster *,
                                             FILE *stream);

#endif /* tests/bench/ipclause.h */

#ifndef TESTS_BENCH_CONTROL_H
#define TESTS_BENCH_CONTROL_H 1

/* What the parts of the control-plane bench share. */

#include "bench/cluster.h"

struct np_bench_options {
    struct np_bench_size size;
    uint32_t seed;
    const char *target;         /* "unix:…/br-int.mgmt", or NULL. */
    const char *file;           /* To write to, or NULL. */
    unsigned int repetitions;
    int space;                  /* Milliseconds between two changes. */
    char *scale;                /* "M, 110 local pods" */
};

/* part-sync.c */
void np_bench_cold(const struct np_bench_options *);
void np_bench_start(const struct np_bench_options *);
/* part-change.c */
void np_bench_changes(const struct np_bench_options *);
void np_bench_burst(const struct np_bench_options *);
void np_bench_engine(const struct np_bench_options *);
/* part-size.c */
void np_bench_memory(const struct np_bench_options *);
void np_bench_flows(const struct np_bench_options *);
void np_bench_emit(const struct np_bench_options *);
void np_bench_emit_ip_clauses(const struct np_bench_options *);

#endif /* tests/bench/control.h */

#ifndef TESTS_BENCH_ITEMS_H
#define TESTS_BENCH_ITEMS_H 1

/* How many items the stages have touched, by their coverage counters. */

#include "bench/measure.h"

enum { NP_BENCH_N_STAGES = 4 };

struct np_bench_items {
    struct np_bench_series stages[NP_BENCH_N_STAGES];
};

void np_bench_items_begin(void);
/* What was touched since the beginning. */
void np_bench_items_add(struct np_bench_items *);
/* "cache 1, group 2 (1-3), …": medians, least and most; to be freed. */
char *np_bench_items_format(struct np_bench_items *);
void np_bench_items_destroy(struct np_bench_items *);

#endif /* tests/bench/items.h */

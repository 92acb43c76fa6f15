#ifndef TESTS_BENCH_ITEMS_H
#define TESTS_BENCH_ITEMS_H 1

/* How many items the stages have touched since the last call: the sum of all
 * coverage counters of ours. */
double np_bench_items(void);

#endif /* tests/bench/items.h */

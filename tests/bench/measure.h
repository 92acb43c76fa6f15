#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H 1

/* Series of measurements, and rows of the one table that all parts fill. */

#include <stddef.h>

struct ds;

struct np_bench_series {
    double *v;
    size_t n, allocated;
};

void np_bench_series_add(struct np_bench_series *, double);
void np_bench_series_destroy(struct np_bench_series *);
/* The value that a share Q (0...1) of the series is not above. */
double np_bench_quantile(struct np_bench_series *, double q);

/* A row, see README.md.  Absent parts are NULL or 0. */
struct np_bench_row {
    const char *what;           /* "pod add" */
    const char *scale;          /* "M, 110 local pods" */
    const char *unit;           /* "us" */
    struct np_bench_series *ours;
    struct np_bench_series *floor;
    const char *floor_is;
    double limit, limit_p99;    /* What the ratios may be; 0: anything, and
                                 * none of the p99s. */
    const char *note;
};
/* Prints one line of JSON. */
void np_bench_row_print(const struct np_bench_row *);

#endif /* tests/bench/measure.h */

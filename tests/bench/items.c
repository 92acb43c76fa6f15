/* Coverage counters, read one by one.
 *
 * libopenvswitch can print all of its counters but not give one back, so the
 * Makefile writes the names of ours into counters.inc. */

#include <config.h>
#include "bench/items.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define COUNTER(NAME) extern struct coverage_counter counter_##NAME;
#include "counters.inc"
#undef COUNTER

#define COUNTER(NAME) &counter_##NAME,
static struct coverage_counter *const counters[] = {
#include "counters.inc"
    NULL
};
#undef COUNTER

/* The second word of the counters' names. */
static const char *const stages[NP_BENCH_N_STAGES] = {
    "cache", "group", "policy", "compile",
};

/* Counting makes a counter 0. */
static void
count(double n[NP_BENCH_N_STAGES])
{
    memset(n, 0, NP_BENCH_N_STAGES * sizeof *n);
    for (int i = 0; counters[i]; i++) {
        const char *word = counters[i]->name + strlen("np_");
        double items = counters[i]->count();

        for (int j = 0; j < NP_BENCH_N_STAGES; j++) {
            size_t len = strlen(stages[j]);

            if (!strncmp(word, stages[j], len) && word[len] == '_') {
                n[j] += items;
            }
        }
    }
}

void
np_bench_items_begin(void)
{
    double n[NP_BENCH_N_STAGES];

    count(n);
}

void
np_bench_items_add(struct np_bench_items *items)
{
    double n[NP_BENCH_N_STAGES];

    count(n);
    for (int i = 0; i < NP_BENCH_N_STAGES; i++) {
        np_bench_series_add(&items->stages[i], n[i]);
    }
}

char *
np_bench_items_format(struct np_bench_items *items)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < NP_BENCH_N_STAGES; i++) {
        struct np_bench_series *series = &items->stages[i];
        double min = np_bench_quantile(series, 0);
        double max = np_bench_quantile(series, 1);

        ds_put_format(&s, "%s%s %.0f", i ? ", " : "", stages[i],
                      np_bench_quantile(series, 0.5));
        if (min < max) {
            ds_put_format(&s, " (%.0f-%.0f)", min, max);
        }
    }
    return ds_steal_cstr(&s);
}

void
np_bench_items_destroy(struct np_bench_items *items)
{
    for (int i = 0; i < NP_BENCH_N_STAGES; i++) {
        np_bench_series_destroy(&items->stages[i]);
    }
}

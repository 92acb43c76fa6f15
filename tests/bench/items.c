/* Coverage counters, read one by one.
 *
 * libopenvswitch can print all of its counters but not give one back, so the
 * Makefile writes the names of ours into counters.inc. */

#include <config.h>
#include "bench/items.h"

#include "coverage.h"

#define COUNTER(NAME) extern struct coverage_counter counter_##NAME;
#include "counters.inc"
#undef COUNTER

#define COUNTER(NAME) &counter_##NAME,
static struct coverage_counter *const counters[] = {
#include "counters.inc"
    NULL
};
#undef COUNTER

double
np_bench_items(void)
{
    double n = 0;

    for (int i = 0; counters[i]; i++) {
        n += counters[i]->count();
    }
    return n;
}

#ifndef TESTS_BENCH_RIG_H
#define TESTS_BENCH_RIG_H 1

/* What is measured: engine and installer on a real switch, joined as the
 * daemon joins them. */

#include "daemon/engine.h"
#include "netpol/change.h"
#include "netpol/flow.h"
#include "netpol/openflow.h"
#include "netpol/portmap.h"

struct np_bench_rig {
    struct np_engine engine;
    struct np_installer *installer;     /* NULL: no switch. */
};

/* Without a TARGET there is no switch. */
void np_bench_rig_init(struct np_bench_rig *, const char *target);
void np_bench_rig_destroy(struct np_bench_rig *);

/* How long parts took, in microseconds. */
struct np_bench_times {
    double read;                /* Connect and read back; the first only. */
    double engine;
    double sync;                /* From then to the barrier. */
    double total;
};
/* Connects, reads back, and brings the switch to what OBJECTS and PORTS want;
 * what it has is taken over first.  Call it once, before the next.  PATCH is
 * as for the next. */
struct np_bench_times np_bench_rig_first(struct np_bench_rig *,
                                         const struct np_changes *objects,
                                         const struct np_portmap *ports,
                                         struct np_flow_patch *patch);
/* One change, to the barrier.  PORTS is NULL if they are the same.  PATCH,
 * which must be empty, gets a copy of what is sent; the clock stands while it
 * is made.  It may be NULL. */
struct np_bench_times np_bench_rig_change(struct np_bench_rig *,
                                          const struct np_changes *,
                                          const struct np_portmap *ports,
                                          struct np_flow_patch *patch);
/* Lets time pass, as a daemon that has nothing to do. */
void np_bench_rig_idle(struct np_bench_rig *, int msec);

void np_bench_patch_copy(struct np_flow_patch *dst,
                         const struct np_flow_patch *src);
double np_bench_now(void);      /* Microseconds. */

#endif /* tests/bench/rig.h */

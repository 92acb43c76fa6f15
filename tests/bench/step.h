#ifndef TESTS_BENCH_STEP_H
#define TESTS_BENCH_STEP_H 1

/* Single changes of a cluster, there and back. */

#include "bench/cluster.h"

enum np_bench_kind {
    NP_BENCH_POD,               /* A pod of another node comes, and goes. */
    NP_BENCH_RELABEL,           /* A pod becomes another app's, and back. */
    NP_BENCH_NEW_IP,            /* A pod has another address, and back. */
    NP_BENCH_POLICY,            /* A policy comes, and goes. */
    NP_BENCH_EDIT,              /* Another port in a policy, and back. */
    NP_BENCH_NAMESPACE,         /* A namespace changes to another team and
                                 * environment, and back. */
    NP_BENCH_PORT,              /* A pod of ours loses its port, and has it
                                 * again. */
    NP_BENCH_BURST,             /* 1,000 changes of pods at once, a quarter of
                                 * each: come, go, relabel, new address; and
                                 * their opposite. */
    NP_BENCH_N_KINDS,
};
/* What the table calls the way there and the way back; the same if the kind is
 * symmetric. */
const char *np_bench_kind_name(enum np_bench_kind, bool back);
bool np_bench_kind_is_symmetric(enum np_bench_kind);

/* One change that can be done and undone any number of times. */
struct np_bench_step {
    struct np_changes there, back;
    struct np_portmap ports;    /* Without the port, for NP_BENCH_PORT. */
    bool has_ports;
    struct np_meta **own;       /* Objects that are not the cluster's. */
    size_t n_own;
};
/* Chooses at random, from the cluster as it is in the model. */
void np_bench_step_init(struct np_bench_step *, struct np_bench_cluster *,
                        enum np_bench_kind);
void np_bench_step_destroy(struct np_bench_step *);

#endif /* tests/bench/step.h */

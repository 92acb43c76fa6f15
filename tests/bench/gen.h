#ifndef TESTS_BENCH_GEN_H
#define TESTS_BENCH_GEN_H 1

/* The generator of clusters for the benchmarks: see README.md for what they
 * are like, and why.
 *
 * A cluster is a small model; what is asked for of it is written as the JSON
 * text that the API server would give, one object at a time.  Everything
 * follows from the seed: the same size and seed are the same text, byte by
 * byte. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds;

struct np_bench_size {
    const char *name;           /* "M" */
    uint32_t pods;
    uint32_t policies;
    uint32_t local;             /* Pods on our node. */
    bool no_everybody;          /* No policy names all pods of the cluster. */
};
/* S, M or L with LOCAL pods (0: 110; S has all of its pods here).  False if
 * there is no such size. */
bool np_bench_size_find(const char *name, uint32_t local,
                        struct np_bench_size *);

struct np_bench_namespace {
    char *name;
    uint32_t team;              /* Number of the team that owns it. */
    const char *env;
    const char *phase;          /* Another label, one that nobody selects, or
                                 * NULL. */
    uint32_t first, n;          /* Its workloads. */
    uint32_t n_policies;
};

/* A Deployment or a StatefulSet. */
struct np_bench_workload {
    uint32_t ns;
    char *name;
    const char *tier;
    bool stateful;
    uint32_t version;
    uint16_t port;              /* Its containers' port, named "http". */
    uint32_t first, n;          /* Its pods. */
};

struct np_bench_pod {
    uint32_t workload;
    uint32_t ordinal;           /* Among the workload's. */
    uint32_t serial;            /* Unlike any other pod's, ever. */
    uint32_t node;              /* 0 is ours. */
    uint32_t addr;              /* IPv4, host byte order. */
    const char *app;            /* Value of label "app"; NULL: the
                                 * workload's. */
};

struct np_bench_gen {
    struct np_bench_size size;
    uint32_t seed;
    uint32_t n_nodes, n_teams;
    uint32_t node_size;         /* Addresses of a node. */
    struct np_bench_namespace *namespaces;
    uint32_t n_namespaces;
    struct np_bench_workload *workloads;
    uint32_t n_workloads;
    struct np_bench_pod *pods;  /* By workload. */
    uint32_t n_pods;
    uint32_t serial;            /* The last one given out. */
    uint32_t state;             /* Of the random numbers. */
};

void np_bench_gen_init(struct np_bench_gen *, const struct np_bench_size *,
                       uint32_t seed);
void np_bench_gen_destroy(struct np_bench_gen *);

/* Random numbers, from STATE on. */
uint32_t np_bench_random(uint32_t *state);
uint32_t np_bench_below(uint32_t *state, uint32_t n);

/* A pod that is not in the model yet: one replica more of WORKLOAD, on
 * NODE. */
struct np_bench_pod np_bench_new_pod(struct np_bench_gen *, uint32_t workload,
                                     uint32_t node);
/* A free address of NODE. */
uint32_t np_bench_new_addr(struct np_bench_gen *, uint32_t node);

/* All append one object, on one line. */
void np_bench_namespace_json(const struct np_bench_gen *,
                             const struct np_bench_namespace *, struct ds *);
void np_bench_node_json(const struct np_bench_gen *, uint32_t node,
                        struct ds *);
void np_bench_pod_json(const struct np_bench_gen *,
                       const struct np_bench_pod *, struct ds *);
/* Policy number INDEX of namespace NS; one with an INDEX of n_policies or
 * more is one that is not in the model.  EDITION 0 is how it is in the model;
 * others have another port in the same place. */
void np_bench_policy_json(const struct np_bench_gen *, uint32_t ns,
                          uint32_t index, uint32_t edition, struct ds *);
/* "NAMESPACE", all of its objects as one List, its nodes with the first. */
void np_bench_list_json(const struct np_bench_gen *, uint32_t ns, struct ds *);

/* The words of an object that others need too; to be freed. */
char *np_bench_pod_name(const struct np_bench_gen *,
                        const struct np_bench_pod *);
char *np_bench_pod_uid(const struct np_bench_gen *,
                       const struct np_bench_pod *);

#define NP_BENCH_NODE "node-0"          /* Ours. */
#define NP_BENCH_GATEWAY 0x0a000001     /* Our node's on the pods' link. */
#define NP_BENCH_UPLINK 1000            /* OpenFlow port. */

#endif /* tests/bench/gen.h */

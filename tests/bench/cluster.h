#ifndef TESTS_BENCH_CLUSTER_H
#define TESTS_BENCH_CLUSTER_H 1

/* A generated cluster in memory: its objects as the decoder makes them, and
 * the ports of our node. */

#include "bench/gen.h"
#include "netpol/change.h"
#include "netpol/object.h"
#include "netpol/portmap.h"

struct np_bench_cluster {
    struct np_bench_gen gen;
    struct np_pool *pool;       /* Of the objects. */
    struct np_meta **objects;   /* All, owned; never NULL. */
    size_t n_objects;
    size_t *pods;               /* Index in 'objects', by the model's. */
    size_t *namespaces;
    size_t *policies;           /* Namespace by namespace. */
    size_t n_policies;
    struct np_portmap ports;
};

void np_bench_cluster_init(struct np_bench_cluster *,
                           const struct np_bench_size *, uint32_t seed);
void np_bench_cluster_destroy(struct np_bench_cluster *);
/* All objects as ones that came; they stay the cluster's. */
void np_bench_cluster_changes(const struct np_bench_cluster *,
                              struct np_changes *);

/* The one object in TEXT; the caller's. */
struct np_meta *np_bench_decode(const struct ds *text);

/* The ports of our node: its pods', its own and an uplink. */
void np_bench_ports(const struct np_bench_gen *, struct np_portmap *);
/* Adds the port that POD would have, with number OFPORT. */
void np_bench_ports_add(const struct np_bench_gen *,
                        const struct np_bench_pod *, uint32_t ofport,
                        struct np_portmap *);
/* Takes the port with this number out; nothing if there is none. */
void np_bench_ports_remove(struct np_portmap *, uint32_t ofport);

#endif /* tests/bench/cluster.h */

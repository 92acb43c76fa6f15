/* The model of a cluster: namespaces, workloads, pods and where they run. */

#include <config.h>
#include "bench/gen.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "util.h"

/* Pods of a namespace and of a Deployment, on the average. */
enum { NAMESPACE_PODS = 200, REPLICAS = 20 };
/* Those that all clusters have, before the users'. */
enum { KUBE_SYSTEM, MONITORING, FIRST_USER };

bool
np_bench_size_find(const char *name, uint32_t local,
                   struct np_bench_size *size)
{
    static const struct np_bench_size sizes[] = {
        { "S", 100, 20, 100 },
        { "M", 10000, 1000, 110 },
        { "L", 100000, 10000, 110 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (!strcmp(sizes[i].name, name)) {
            *size = sizes[i];
            size->local = MIN(size->pods, local ? local : size->local);
            return true;
        }
    }
    return false;
}

uint32_t
np_bench_random(uint32_t *state)
{
    /* xorshift32: good enough to choose, and the same everywhere. */
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

uint32_t
np_bench_below(uint32_t *state, uint32_t n)
{
    return np_bench_random(state) % n;
}

static struct np_bench_workload *
add_workload(struct np_bench_gen *g, uint32_t ns, char *name, uint32_t n)
{
    struct np_bench_namespace *home = &g->namespaces[ns];
    struct np_bench_workload *w;

    if (!(g->n_workloads & (g->n_workloads - 1))) {
        g->workloads = xrealloc(g->workloads, MAX(2 * g->n_workloads, 1)
                                              * sizeof *w);
    }
    home->first = home->n ? home->first : g->n_workloads;
    home->n++;
    w = &g->workloads[g->n_workloads++];
    *w = (struct np_bench_workload) {
        .ns = ns, .name = name, .tier = "platform", .port = 8080,
        .version = 1 + np_bench_below(&g->state, 9),
        .first = g->n_pods, .n = n,
    };
    g->n_pods += n;
    return w;
}

static void
add_platform(struct np_bench_gen *g)
{
    add_workload(g, KUBE_SYSTEM, xstrdup("coredns"),
                 2 + MIN(g->n_nodes / 16, 60))->port = 53;
    add_workload(g, KUBE_SYSTEM, xstrdup("metrics-server"), 2);
    add_workload(g, MONITORING, xstrdup("prometheus"), 2)->stateful = true;
    add_workload(g, MONITORING, xstrdup("grafana"), 2)->port = 3000;
}

/* One workload of a user's namespace that has room for LEFT pods. */
static void
add_user_workload(struct np_bench_gen *g, uint32_t ns, uint32_t replicas,
                  uint32_t left)
{
    static const struct {
        const char *name, *tier;
        uint16_t port;
    } kinds[] = {
        { "web", "frontend", 8080 }, { "api", "backend", 8080 },
        { "postgres", "data", 5432 }, { "worker", "backend", 9000 },
        { "cart", "backend", 8080 }, { "auth", "backend", 8443 },
        { "redis", "data", 6379 }, { "search", "backend", 9200 },
        { "gateway", "frontend", 8443 }, { "billing", "backend", 8080 },
        { "kafka", "data", 9092 }, { "mailer", "backend", 2525 },
    };
    uint32_t i = g->namespaces[ns].n, kind = i % ARRAY_SIZE(kinds);
    bool stateful = !strcmp(kinds[kind].tier, "data");
    uint32_t n = (stateful ? MIN(3 + np_bench_below(&g->state, 5), replicas)
                  : replicas / 2 + np_bench_below(&g->state, replicas + 1));
    char *name = (i < ARRAY_SIZE(kinds) ? xstrdup(kinds[kind].name)
                  : xasprintf("%s-%"PRIuSIZE, kinds[kind].name,
                              i / ARRAY_SIZE(kinds)));
    /* A workload of one or two that is left over goes with this one. */
    n = MIN(MAX(n, 1), left);
    struct np_bench_workload *w
        = add_workload(g, ns, name, left - n < 3 ? left : n);

    w->tier = kinds[kind].tier;
    w->port = kinds[kind].port;
    w->stateful = stateful;
}

static void
add_namespaces(struct np_bench_gen *g)
{
    static const char *const envs[] = { "prod", "prod", "staging", "prod",
                                        "dev", "prod", "staging" };
    uint32_t users = MAX(g->size.pods / NAMESPACE_PODS, 4);

    g->n_teams = MAX(users / 5, 3);
    g->n_namespaces = FIRST_USER + users;
    g->namespaces = xcalloc(g->n_namespaces, sizeof *g->namespaces);
    for (uint32_t i = 0; i < g->n_namespaces; i++) {
        struct np_bench_namespace *ns = &g->namespaces[i];

        ns->team = i % g->n_teams;
        ns->env = i < FIRST_USER ? "prod" : envs[i % ARRAY_SIZE(envs)];
        ns->name = (i == KUBE_SYSTEM ? xstrdup("kube-system")
                    : i == MONITORING ? xstrdup("monitoring")
                    : xasprintf("team-%"PRIu32"-%s-%"PRIu32, ns->team,
                                ns->env, i));
        if (i >= FIRST_USER) {
            ns->n_policies = (g->size.policies / users
                              + (i - FIRST_USER < g->size.policies % users));
        }
    }
}

static void
add_workloads(struct np_bench_gen *g)
{
    uint32_t users = g->n_namespaces - FIRST_USER;
    uint32_t all, replicas;

    add_platform(g);
    all = g->size.pods - g->n_pods;
    replicas = MIN(REPLICAS, MAX(all / users / 4, 1));
    for (uint32_t i = 0; i < users; i++) {
        uint32_t end = g->n_pods + all / users + (i < all % users);

        while (g->n_pods < end) {
            add_user_workload(g, FIRST_USER + i, replicas, end - g->n_pods);
        }
    }
}

/* The scheduler: our node gets as many pods as the size says, the others the
 * same number each, and no workload prefers a node. */
static void
spread(struct np_bench_gen *g)
{
    uint32_t *nodes = xmalloc(g->n_pods * sizeof *nodes);
    uint32_t *used = xcalloc(g->n_nodes, sizeof *used);

    for (uint32_t i = 0; i < g->n_pods; i++) {
        uint32_t j = np_bench_below(&g->state, i + 1);

        nodes[i] = nodes[j];
        nodes[j] = (i < g->size.local || g->n_nodes == 1
                    ? 0 : 1 + i % (g->n_nodes - 1));
    }
    for (uint32_t i = 0; i < g->n_workloads; i++) {
        const struct np_bench_workload *w = &g->workloads[i];

        for (uint32_t j = 0; j < w->n; j++) {
            uint32_t node = nodes[w->first + j];

            g->pods[w->first + j] = (struct np_bench_pod) {
                .workload = i, .ordinal = j, .serial = ++g->serial,
                .node = node,
                .addr = NP_BENCH_GATEWAY + node * g->node_size
                        + 1 + used[node]++,
            };
        }
    }
    free(used);
    free(nodes);
}

void
np_bench_gen_init(struct np_bench_gen *g, const struct np_bench_size *size,
                  uint32_t seed)
{
    uint32_t rest = size->pods - size->local;

    memset(g, 0, sizeof *g);
    g->size = *size;
    g->seed = seed;
    g->state = hash_finish(seed, 4) | 1;
    g->n_nodes = 1 + DIV_ROUND_UP(rest, size->local);
    /* Half of a node's addresses are free. */
    for (g->node_size = 256; g->node_size < 2 * size->local + 2; ) {
        g->node_size *= 2;
    }
    add_namespaces(g);
    add_workloads(g);
    g->pods = xcalloc(g->n_pods, sizeof *g->pods);
    spread(g);
}

void
np_bench_gen_destroy(struct np_bench_gen *g)
{
    for (uint32_t i = 0; i < g->n_namespaces; i++) {
        free(g->namespaces[i].name);
    }
    for (uint32_t i = 0; i < g->n_workloads; i++) {
        free(g->workloads[i].name);
    }
    free(g->namespaces);
    free(g->workloads);
    free(g->pods);
    memset(g, 0, sizeof *g);
}

uint32_t
np_bench_new_addr(struct np_bench_gen *g, uint32_t node)
{
    /* From the half of the node that no pod of the model has; numbers come
     * again late. */
    uint32_t half = g->node_size / 2;

    return NP_BENCH_GATEWAY + node * g->node_size + half
           + ++g->serial % (half - 2);
}

struct np_bench_pod
np_bench_new_pod(struct np_bench_gen *g, uint32_t workload, uint32_t node)
{
    uint32_t addr = np_bench_new_addr(g, node);

    g->serial++;
    return (struct np_bench_pod) {
        .workload = workload,
        .ordinal = g->workloads[workload].n + g->serial % 100000,
        .serial = g->serial, .node = node, .addr = addr,
    };
}

/* The policies of a cluster.
 *
 * Each namespace begins with what is recommended for every namespace: it is
 * closed, may be monitored and may resolve names.  The rest are policies of
 * its workloads, whose kinds are drawn by weight.  A policy depends on nothing
 * but the seed, its namespace and its number, so that one can be written again
 * alone, or differently. */

#include <config.h>
#include "bench/gen.h"

#include <stdlib.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

struct draft {
    const struct np_bench_gen *g;
    const struct np_bench_namespace *ns;
    uint32_t rng;
    uint32_t edition;
    struct ds *out;
};

static const struct np_bench_workload *
pick_workload(struct draft *d)
{
    return &d->g->workloads[d->ns->first
                            + np_bench_below(&d->rng, d->ns->n)];
}

/* A user's namespace. */
static const struct np_bench_namespace *
pick_namespace(struct draft *d)
{
    return &d->g->namespaces[2 + np_bench_below(&d->rng,
                                                d->g->n_namespaces - 2)];
}

/* "spec" up to its rules: POLICY applies to APP, NULL for all pods. */
static void
begin(struct draft *d, const char *app, const char *types)
{
    ds_put_cstr(d->out, "\"podSelector\":{");
    if (app) {
        ds_put_format(d->out, "\"matchLabels\":{\"app\":\"%s\"}", app);
    }
    ds_put_format(d->out, "},\"policyTypes\":[%s]", types);
}

/* One rule, of one peer.  PEERS are without brackets, PORTS too; either may be
 * empty. */
static void
rule(struct draft *d, const char *side, const char *peers, const char *ports)
{
    bool in = side[0] == 'i';

    ds_put_format(d->out, ",\"%s\":[{", side);
    if (*peers) {
        ds_put_format(d->out, "\"%s\":[%s]%s", in ? "from" : "to", peers,
                      *ports ? "," : "");
    }
    if (*ports) {
        ds_put_format(d->out, "\"ports\":[%s]", ports);
    }
    ds_put_cstr(d->out, "}]");
}

/* The port of W: by name in one case out of four, else by number. */
static char *
port_of(struct draft *d, const struct np_bench_workload *w)
{
    if (!np_bench_below(&d->rng, 4) && w->port != 53 && !d->edition) {
        return xstrdup("{\"protocol\":\"TCP\",\"port\":\"http\"}");
    }
    return xasprintf("{\"protocol\":\"TCP\",\"port\":%"PRIu32"}",
                     w->port + d->edition);
}

static char *
peer_app(const char *app)
{
    return xasprintf("{\"podSelector\":{\"matchLabels\":{\"app\":\"%s\"}}}",
                     app);
}

/* The kinds.  Each appends the inside of "spec". */

static void
default_deny(struct draft *d)
{
    bool both = hash_string(d->ns->name, d->g->seed) & 1;

    begin(d, NULL, both ? "\"Ingress\",\"Egress\"" : "\"Ingress\"");
}

static void
monitoring(struct draft *d)
{
    begin(d, NULL, "\"Ingress\"");
    rule(d, "ingress", "{\"namespaceSelector\":{},\"podSelector\":"
         "{\"matchLabels\":{\"app\":\"prometheus\"}}}",
         "{\"protocol\":\"TCP\",\"port\":\"metrics\"}");
}

static void
dns(struct draft *d)
{
    begin(d, NULL, "\"Egress\"");
    rule(d, "egress", "{\"namespaceSelector\":{\"matchLabels\":"
         "{\"kubernetes.io/metadata.name\":\"kube-system\"}},"
         "\"podSelector\":{\"matchLabels\":{\"k8s-app\":\"kube-dns\"}}}",
         "{\"protocol\":\"UDP\",\"port\":53},"
         "{\"protocol\":\"TCP\",\"port\":53}");
}

static void
same_namespace(struct draft *d)
{
    begin(d, NULL, "\"Ingress\",\"Egress\"");
    rule(d, "ingress", "{\"podSelector\":{}}", "");
    rule(d, "egress", "{\"podSelector\":{}}", "");
}

static void
app_to_app(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    char *port = port_of(d, w);
    char *a = peer_app(pick_workload(d)->name);
    char *b = peer_app(pick_workload(d)->name);
    char *both = xasprintf("%s,%s", a, b);

    begin(d, w->name, "\"Ingress\"");
    rule(d, "ingress", np_bench_below(&d->rng, 3) ? a : both, port);
    free(both);
    free(b);
    free(a);
    free(port);
}

static void
app_egress(struct draft *d)
{
    const struct np_bench_workload *from = pick_workload(d);
    const struct np_bench_workload *to = pick_workload(d);
    char *port = port_of(d, to);
    char *peer = peer_app(to->name);

    begin(d, from->name, "\"Egress\"");
    rule(d, "egress", peer, port);
    free(peer);
    free(port);
}

/* Another team's workload, by labels of its namespace and its own. */
static void
other_team(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    const struct np_bench_namespace *ns = pick_namespace(d);
    const struct np_bench_workload *peer
        = &d->g->workloads[ns->first + np_bench_below(&d->rng, ns->n)];
    char *port = port_of(d, w);
    char *from = xasprintf("{\"namespaceSelector\":{\"matchLabels\":"
                           "{\"team\":\"team-%"PRIu32"\"}},"
                           "\"podSelector\":{\"matchLabels\":"
                           "{\"app\":\"%s\"}}}", ns->team, peer->name);

    begin(d, w->name, "\"Ingress\"");
    rule(d, "ingress", from, port);
    free(from);
    free(port);
}

/* All pods of the namespaces with a label: a team's, seldom a whole
 * environment's. */
static void
namespaces(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    const struct np_bench_namespace *ns = pick_namespace(d);
    char *port = port_of(d, w);
    char *from = (np_bench_below(&d->rng, 6)
                  ? xasprintf("{\"namespaceSelector\":{\"matchLabels\":"
                              "{\"team\":\"team-%"PRIu32"\"}}}", ns->team)
                  : xasprintf("{\"namespaceSelector\":{\"matchLabels\":"
                              "{\"env\":\"%s\"}}}", ns->env));

    begin(d, w->name, "\"Ingress\"");
    rule(d, "ingress", from, port);
    free(from);
    free(port);
}

/* All pods of the cluster. */
static void
everybody(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    char *port = port_of(d, w);

    begin(d, w->name, "\"Ingress\"");
    rule(d, "ingress", "{\"namespaceSelector\":{}}", port);
    free(port);
}

static void
internet(struct draft *d)
{
    begin(d, pick_workload(d)->name, "\"Egress\"");
    ds_put_format(d->out, ",\"egress\":[{\"to\":[{\"ipBlock\":{"
                  "\"cidr\":\"0.0.0.0/0\",\"except\":[\"10.0.0.0/8\","
                  "\"172.16.0.0/12\",\"192.168.0.0/16\"]}}],"
                  "\"ports\":[{\"protocol\":\"TCP\",\"port\":%"PRIu32"}]}]",
                  443 + d->edition);
}

/* An office, or a database that is not in the cluster. */
static void
narrow_block(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    bool in = np_bench_below(&d->rng, 2);
    uint32_t site = np_bench_below(&d->rng, 200);
    char *block = xasprintf("{\"ipBlock\":{\"cidr\":\"198.51.%"PRIu32
                            ".%"PRIu32"/%d\"}}", site,
                            in ? 0 : 1 + np_bench_below(&d->rng, 200),
                            in ? 24 : 32);
    char *port = xasprintf("{\"protocol\":\"TCP\",\"port\":%"PRIu32"}",
                           (in ? w->port : 5432) + d->edition);

    begin(d, w->name, in ? "\"Ingress\"" : "\"Egress\"");
    rule(d, in ? "ingress" : "egress", block, port);
    free(port);
    free(block);
}

static void
port_range(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    char *peer = peer_app(pick_workload(d)->name);
    uint32_t lo = 30000 + 100 * np_bench_below(&d->rng, 20);
    char *ports = xasprintf("{\"protocol\":\"TCP\",\"port\":%"PRIu32","
                            "\"endPort\":%"PRIu32"}", lo + d->edition,
                            lo + 49 + np_bench_below(&d->rng, 1000));

    begin(d, w->name, "\"Ingress\"");
    rule(d, "ingress", peer, ports);
    free(ports);
    free(peer);
}

static void
expressions(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    char *port = port_of(d, w);

    begin(d, w->name, "\"Ingress\"");
    rule(d, "ingress",
         (np_bench_below(&d->rng, 2)
          ? "{\"podSelector\":{\"matchExpressions\":[{\"key\":\"tier\","
            "\"operator\":\"In\",\"values\":[\"frontend\",\"backend\"]}]}}"
          : "{\"podSelector\":{\"matchExpressions\":[{\"key\":\"tier\","
            "\"operator\":\"NotIn\",\"values\":[\"data\"]},"
            "{\"key\":\"pod-template-hash\",\"operator\":\"Exists\"}]}}"),
         port);
    free(port);
}

/* One replica of a StatefulSet, by the label that its controller gives it. */
static void
one_replica(struct draft *d)
{
    const struct np_bench_workload *w = pick_workload(d);
    char *port = port_of(d, w);
    char *peer = xasprintf("{\"podSelector\":{\"matchLabels\":"
                           "{\"statefulset.kubernetes.io/pod-name\":"
                           "\"%s-0\"}}}", w->name);

    begin(d, w->name, "\"Ingress\"");
    rule(d, "ingress", peer, port);
    free(peer);
    free(port);
}

static const struct kind {
    const char *name;
    void (*write)(struct draft *);
    uint32_t weight;            /* 0: one for each namespace. */
} kinds[] = {
    { "default-deny", default_deny, 0 },
    { "monitoring", monitoring, 0 },
    { "dns", dns, 0 },
    { "app-to-app", app_to_app, 44 },
    { "app-egress", app_egress, 10 },
    { "other-team", other_team, 11 },
    { "namespaces", namespaces, 7 },
    { "internet", internet, 7 },
    { "same-namespace", same_namespace, 5 },
    { "narrow-block", narrow_block, 5 },
    { "expressions", expressions, 5 },
    { "port-range", port_range, 3 },
    { "one-replica", one_replica, 2 },
    { "everybody", everybody, 1 },
};

/* Kinds without a weight come first, then app-to-app, which stands for what
 * may not be. */
enum { APP_TO_APP = 3 };

static const struct kind *
pick_kind(struct draft *d, uint32_t index)
{
    uint32_t n = APP_TO_APP, total = 0;

    if (index < n) {
        return &kinds[index];
    }
    for (uint32_t i = n; i < ARRAY_SIZE(kinds); i++) {
        total += kinds[i].weight;
    }
    total = np_bench_below(&d->rng, total);
    while (total >= kinds[n].weight) {
        total -= kinds[n++].weight;
    }
    if (d->g->size.no_everybody && kinds[n].write == everybody) {
        n = APP_TO_APP;
    }
    return &kinds[n];
}

void
np_bench_policy_json(const struct np_bench_gen *g, uint32_t ns,
                     uint32_t index, uint32_t edition, struct ds *out)
{
    struct draft d = {
        .g = g, .ns = &g->namespaces[ns], .edition = edition, .out = out,
        .rng = hash_2words(hash_2words(g->seed, ns), index) | 1,
    };
    const struct kind *kind = pick_kind(&d, index);

    ds_put_format(out, "{\"apiVersion\":\"networking.k8s.io/v1\","
                  "\"kind\":\"NetworkPolicy\",\"metadata\":{"
                  "\"namespace\":\"%s\",\"name\":\"%s-%"PRIu32"\"},"
                  "\"spec\":{", d.ns->name, kind->name, index);
    kind->write(&d);
    ds_put_cstr(out, "}}");
}

/* The objects of a cluster as text. */

#include <config.h>
#include "bench/gen.h"

#include <stdlib.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define ADDR_FMT "%u.%u.%u.%u"
#define ADDR_ARGS(A) (A) >> 24, (A) >> 16 & 255, (A) >> 8 & 255, (A) & 255

void
np_bench_namespace_json(const struct np_bench_gen *g OVS_UNUSED,
                        const struct np_bench_namespace *ns, struct ds *out)
{
    ds_put_format(out, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
                  "\"metadata\":{\"name\":\"%s\",\"labels\":{"
                  "\"kubernetes.io/metadata.name\":\"%s\","
                  "\"team\":\"team-%"PRIu32"\",\"env\":\"%s\"",
                  ns->name, ns->name, ns->team, ns->env);
    if (ns->phase) {
        ds_put_format(out, ",\"phase\":\"%s\"", ns->phase);
    }
    ds_put_cstr(out, "}}}");
}

void
np_bench_node_json(const struct np_bench_gen *g OVS_UNUSED, uint32_t node,
                   struct ds *out)
{
    uint32_t addr = 0xc0a80000 + 10 + node;     /* 192.168.0.10 and up. */

    ds_put_format(out, "{\"apiVersion\":\"v1\",\"kind\":\"Node\","
                  "\"metadata\":{\"name\":\"node-%"PRIu32"\",\"labels\":{"
                  "\"kubernetes.io/hostname\":\"node-%"PRIu32"\","
                  "\"kubernetes.io/os\":\"linux\"}},"
                  "\"status\":{\"addresses\":[{\"type\":\"InternalIP\","
                  "\"address\":\""ADDR_FMT"\"}]}}",
                  node, node, ADDR_ARGS(addr));
}

/* Five letters that look like those of kube-controller-manager. */
static void
put_suffix(uint32_t number, int n, struct ds *out)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    uint32_t hash = hash_finish(number, 4);

    while (n--) {
        ds_put_char(out, letters[hash % (sizeof letters - 1)]);
        hash /= sizeof letters - 1;
    }
}

static void
put_template_hash(const struct np_bench_gen *g, uint32_t workload,
                  struct ds *out)
{
    put_suffix(g->seed + 7 * workload, 6, out);
    put_suffix(g->seed + 7 * workload + 1, 4, out);
}

char *
np_bench_pod_name(const struct np_bench_gen *g, const struct np_bench_pod *pod)
{
    const struct np_bench_workload *w = &g->workloads[pod->workload];
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, w->name);
    if (w->stateful) {
        ds_put_format(&s, "-%"PRIu32, pod->ordinal);
    } else {
        ds_put_char(&s, '-');
        put_template_hash(g, pod->workload, &s);
        ds_put_char(&s, '-');
        put_suffix(pod->serial, 6, &s);
    }
    return ds_steal_cstr(&s);
}

char *
np_bench_pod_uid(const struct np_bench_gen *g, const struct np_bench_pod *pod)
{
    uint32_t a = hash_2words(g->seed, pod->serial);
    uint32_t b = hash_2words(a, pod->serial);

    return xasprintf("%08"PRIx32"-%04"PRIx32"-4%03"PRIx32"-8%03"PRIx32
                     "-%04"PRIx32"%08"PRIx32, pod->serial, a >> 16,
                     a & 0xfff, b >> 20, b & 0xffff, a ^ b);
}

static void
put_label(const char *key, const char *value, struct ds *out)
{
    ds_put_format(out, "\"%s\":\"%s\",", key, value);
}

/* What a Helm chart gives its pods, and what the controller adds. */
static void
put_labels(const struct np_bench_gen *g, const struct np_bench_pod *pod,
           const char *name, struct ds *out)
{
    const struct np_bench_workload *w = &g->workloads[pod->workload];
    const struct np_bench_namespace *ns = &g->namespaces[w->ns];

    put_label("app", pod->app ? pod->app : w->name, out);
    if (w->port == 53) {
        put_label("k8s-app", "kube-dns", out);
    }
    put_label("tier", w->tier, out);
    put_label("app.kubernetes.io/name", w->name, out);
    put_label("app.kubernetes.io/part-of", ns->name, out);
    put_label("app.kubernetes.io/managed-by", "Helm", out);
    ds_put_format(out, "\"app.kubernetes.io/instance\":\"%s-%s\","
                  "\"app.kubernetes.io/version\":\"1.%"PRIu32".0\","
                  "\"version\":\"v%"PRIu32"\",\"team\":\"team-%"PRIu32"\",",
                  ns->name, w->name, w->version, w->version, ns->team);
    if (w->stateful) {
        put_label("statefulset.kubernetes.io/pod-name", name, out);
        ds_put_format(out, "\"apps.kubernetes.io/pod-index\":\"%"PRIu32"\"",
                      pod->ordinal);
    } else {
        ds_put_cstr(out, "\"pod-template-hash\":\"");
        put_template_hash(g, pod->workload, out);
        ds_put_char(out, '"');
    }
}

static void
put_ports(const struct np_bench_workload *w, struct ds *out)
{
    if (w->port == 53) {
        ds_put_cstr(out, "{\"name\":\"dns\",\"protocol\":\"UDP\","
                    "\"containerPort\":53},{\"name\":\"dns-tcp\","
                    "\"protocol\":\"TCP\",\"containerPort\":53},");
    } else {
        ds_put_format(out, "{\"name\":\"http\",\"protocol\":\"TCP\","
                      "\"containerPort\":%u},", w->port);
    }
    ds_put_cstr(out, "{\"name\":\"metrics\",\"protocol\":\"TCP\","
                "\"containerPort\":9153}");
}

void
np_bench_pod_json(const struct np_bench_gen *g,
                  const struct np_bench_pod *pod, struct ds *out)
{
    const struct np_bench_workload *w = &g->workloads[pod->workload];
    char *name = np_bench_pod_name(g, pod);
    char *uid = np_bench_pod_uid(g, pod);

    ds_put_format(out, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
                  "\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\","
                  "\"uid\":\"%s\",\"labels\":{",
                  g->namespaces[w->ns].name, name, uid);
    put_labels(g, pod, name, out);
    ds_put_format(out, "}},\"spec\":{\"nodeName\":\"node-%"PRIu32"\","
                  "\"containers\":[{\"name\":\"main\","
                  "\"image\":\"registry.example/%s:1.%"PRIu32".0\","
                  "\"ports\":[", pod->node, w->name, w->version);
    put_ports(w, out);
    ds_put_format(out, "]}]},\"status\":{\"phase\":\"Running\","
                  "\"podIP\":\""ADDR_FMT"\","
                  "\"podIPs\":[{\"ip\":\""ADDR_FMT"\"}]}}",
                  ADDR_ARGS(pod->addr), ADDR_ARGS(pod->addr));
    free(uid);
    free(name);
}

static void
next_item(struct ds *out)
{
    ds_put_cstr(out, ",\n");
}

void
np_bench_list_json(const struct np_bench_gen *g, uint32_t ns, struct ds *out)
{
    const struct np_bench_namespace *home = &g->namespaces[ns];

    ds_put_cstr(out, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n");
    np_bench_namespace_json(g, home, out);
    for (uint32_t i = 0; !ns && i < g->n_nodes; i++) {
        next_item(out);
        np_bench_node_json(g, i, out);
    }
    for (uint32_t i = 0; i < home->n; i++) {
        const struct np_bench_workload *w = &g->workloads[home->first + i];

        for (uint32_t j = 0; j < w->n; j++) {
            next_item(out);
            np_bench_pod_json(g, &g->pods[w->first + j], out);
        }
    }
    for (uint32_t i = 0; i < home->n_policies; i++) {
        next_item(out);
        np_bench_policy_json(g, ns, i, 0, out);
    }
    ds_put_cstr(out, "\n]}\n");
}

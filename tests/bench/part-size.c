/* Sizes: memory and flows. */

#include <config.h>
#include "bench/control.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ipclause.h"
#include "bench/measure.h"
#include "bench/rig.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* A field of /proc/self/status, in bytes. */
static double
proc_status(const char *field)
{
    FILE *stream = fopen("/proc/self/status", "r");
    size_t len = strlen(field);
    char line[256];
    double value = 0;

    while (stream && fgets(line, sizeof line, stream)) {
        if (!strncmp(line, field, len) && line[len] == ':') {
            value = strtod(line + len + 1, NULL) * 1024;
        }
    }
    if (stream) {
        fclose(stream);
    }
    return value;
}

static void
print_bytes(const struct np_bench_options *o, const char *what, double value,
            const char *note)
{
    struct np_bench_series s = { .n = 0 };

    np_bench_series_add(&s, value);
    np_bench_row_print(&(struct np_bench_row) {
        .what = what, .scale = o->scale, .unit = "bytes", .ours = &s,
        .note = note });
    np_bench_series_destroy(&s);
}

/* Everything that grew since BEFORE. */
static double
grown(double before)
{
    malloc_trim(0);
    return proc_status("VmRSS") - before;
}

/* Two clusters in one process would share what the allocator has kept: the
 * process makes one and ends. */
void
np_bench_memory(const struct np_bench_options *o)
{
    double before = grown(0), objects, stages;
    struct np_changes changes = { .n = 0 };
    struct np_bench_cluster c;
    struct np_bench_rig rig;

    np_bench_cluster_init(&c, &o->size, o->seed);
    objects = grown(before);
    np_bench_rig_init(&rig, NULL);
    np_bench_cluster_changes(&c, &changes);
    np_bench_rig_first(&rig, &changes, &c.ports, NULL);
    np_changes_clear(&changes);
    stages = grown(before + objects);
    print_bytes(o, "memory: objects", objects,
                "with the generator's own, about 30 bytes a pod");
    print_bytes(o, "memory: engine", stages, NULL);
    np_bench_rig_destroy(&rig);
    np_bench_cluster_destroy(&c);
}

/* The whole table, in OUT, which is empty. */
static void
compile(const struct np_bench_cluster *c, struct np_flow_patch *out)
{
    struct np_changes changes = { .n = 0 };
    struct np_bench_rig rig;

    np_bench_rig_init(&rig, NULL);
    np_bench_cluster_changes(c, &changes);
    np_bench_rig_first(&rig, &changes, &c->ports, out);
    np_changes_clear(&changes);
    np_bench_rig_destroy(&rig);
}

/* What policies cost on this node, in flows and in text. */
struct flow_count {
    size_t kinds[NP_FLOW_LEARNED + 1];
    size_t all, policy, policy_bytes;
};

static void
count_flows(const struct np_flow_set *set, struct flow_count *count)
{
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &set->flows) {
        enum np_flow_kind kind = np_cookie_kind(flow->cookie);

        count->kinds[kind]++;
        count->all++;
        if (kind == NP_FLOW_IDENTITY || kind == NP_FLOW_CLAUSE
            || kind == NP_FLOW_RULE || kind == NP_FLOW_DEFAULT) {
            struct ds s = DS_EMPTY_INITIALIZER;

            np_flow_format(flow, NULL, &s);
            count->policy++;
            count->policy_bytes += s.length;
            ds_destroy(&s);
        }
    }
}

void
np_bench_flows(const struct np_bench_options *o)
{
    struct np_bench_series ours = { .n = 0 }, clauses = { .n = 0 };
    struct flow_count n = { .all = 0 };
    struct np_bench_ip_count ip;
    struct np_bench_cluster c;
    struct np_flow_patch all;

    np_bench_cluster_init(&c, &o->size, o->seed);
    np_flow_patch_init(&all);
    compile(&c, &all);
    count_flows(&all.put, &n);
    ip = np_bench_ip_clauses(&c, NULL);
    np_bench_series_add(&ours, n.policy);
    np_bench_series_add(&clauses, ip.policy);

    char *note = xasprintf("%"PRIuSIZE" of identities, %"PRIuSIZE" of "
                           "clauses, %"PRIuSIZE" of rules; as text %"PRIuSIZE
                           " kB against %"PRIuSIZE" kB; with the pipelines "
                           "%"PRIuSIZE" against %"PRIuSIZE,
                           n.kinds[NP_FLOW_IDENTITY], n.kinds[NP_FLOW_CLAUSE],
                           n.kinds[NP_FLOW_RULE], n.policy_bytes / 1000,
                           ip.policy_bytes / 1000, n.all,
                           ip.policy + ip.other);
    np_bench_row_print(&(struct np_bench_row) {
        .what = (o->size.no_everybody ? "same, none for all of the cluster"
                 : "flows of policies on a node"),
        .scale = o->scale, .unit = "flows", .ours = &ours, .floor = &clauses,
        .floor_is = "IP clauses for the same policies", .note = note });
    free(note);
    np_bench_series_destroy(&ours);
    np_bench_series_destroy(&clauses);
    np_flow_patch_destroy(&all);
    np_bench_cluster_destroy(&c);
}

static FILE *
open_file(const char *name)
{
    FILE *stream = fopen(name, "w");

    if (!stream) {
        ovs_fatal(errno, "%s", name);
    }
    return stream;
}

void
np_bench_emit(const struct np_bench_options *o)
{
    FILE *stream = open_file(o->file);
    struct np_bench_cluster c;
    struct np_flow_patch all;
    const struct np_flow *flow;

    np_bench_cluster_init(&c, &o->size, o->seed);
    np_flow_patch_init(&all);
    compile(&c, &all);
    HMAP_FOR_EACH (flow, node, &all.put.flows) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_flow_format(flow, NULL, &s);
        fprintf(stream, "%s\n", ds_cstr(&s));
        ds_destroy(&s);
    }
    fclose(stream);
    np_flow_patch_destroy(&all);
    np_bench_cluster_destroy(&c);
}

void
np_bench_emit_ip_clauses(const struct np_bench_options *o)
{
    FILE *stream = open_file(o->file);
    struct np_bench_cluster c;

    np_bench_cluster_init(&c, &o->size, o->seed);
    np_bench_ip_clauses(&c, stream);
    fclose(stream);
    np_bench_cluster_destroy(&c);
}

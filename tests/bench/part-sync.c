/* Whole tables: a cold sync, and a start over a table that is right. */

#include <config.h>
#include "bench/control.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/client.h"
#include "bench/measure.h"
#include "bench/rig.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

extern char **environ;

/* Of ours. */
struct parts {
    struct np_bench_series total, read, engine, sync;
};

static void
parts_add(struct parts *p, const struct np_bench_times *t)
{
    np_bench_series_add(&p->total, t->total);
    np_bench_series_add(&p->read, t->read);
    np_bench_series_add(&p->engine, t->engine);
    np_bench_series_add(&p->sync, t->sync);
}

static char *
parts_note(struct parts *p, const char *rest)
{
    return xasprintf("connect and read %.0f us, engine %.0f us, difference "
                     "and bundle %.0f us (medians); %s",
                     np_bench_quantile(&p->read, 0.5),
                     np_bench_quantile(&p->engine, 0.5),
                     np_bench_quantile(&p->sync, 0.5), rest);
}

static void
parts_destroy(struct parts *p)
{
    np_bench_series_destroy(&p->total);
    np_bench_series_destroy(&p->read);
    np_bench_series_destroy(&p->engine);
    np_bench_series_destroy(&p->sync);
}

/* ovs-ofctl(8) as a user would run it; what it prints goes nowhere. */
static double
run_ofctl(char *const argv[])
{
    posix_spawn_file_actions_t actions;
    double start = np_bench_now();
    int status, error;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    if (error) {
        ovs_fatal(error, "ovs-ofctl");
    }
    posix_spawn_file_actions_destroy(&actions);
    while (waitpid(pid, &status, 0) < 0) {
        ovs_assert(errno == EINTR);
    }
    if (status) {
        ovs_fatal(0, "ovs-ofctl failed");
    }
    return np_bench_now() - start;
}

static double
add_flows(const char *target, const char *file)
{
    char *argv[] = { "ovs-ofctl", "-O", "OpenFlow15", "--bundle", "add-flows",
                     CONST_CAST(char *, target), CONST_CAST(char *, file),
                     NULL };

    return run_ofctl(argv);
}

static double
dump_flows(const char *target)
{
    char *argv[] = { "ovs-ofctl", "-O", "OpenFlow15", "dump-flows",
                     CONST_CAST(char *, target), NULL };

    return run_ofctl(argv);
}

static void
write_flows(const char *file, const struct np_flow_set *set)
{
    FILE *stream = fopen(file, "w");
    const struct np_flow *flow;

    if (!stream) {
        ovs_fatal(errno, "%s", file);
    }
    HMAP_FOR_EACH (flow, node, &set->flows) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_flow_format(flow, NULL, &s);
        fprintf(stream, "%s\n", ds_cstr(&s));
        ds_destroy(&s);
    }
    if (fclose(stream)) {
        ovs_fatal(errno, "%s", file);
    }
}

/* INSTALLED, which may be NULL, gets a copy of all flows. */
static struct np_bench_times
sync_once(const struct np_bench_options *o, const struct np_changes *objects,
          const struct np_portmap *ports, struct np_flow_patch *installed,
          uint64_t *n_flow_mods)
{
    struct np_installer_status status;
    struct np_bench_times t;
    struct np_bench_rig rig;

    np_bench_rig_init(&rig, o->target);
    t = np_bench_rig_first(&rig, objects, ports, installed);
    np_installer_get_status(rig.installer, &status);
    *n_flow_mods = status.n_flow_mods;
    np_bench_rig_destroy(&rig);
    return t;
}

static void
print_cold(const struct np_bench_options *o, struct parts *ours,
           struct np_bench_series *ofctl, struct np_bench_series *bare,
           size_t n_flows)
{
    char *rest = xasprintf("%"PRIuSIZE" flows; the same flows as a bare "
                           "bundle on an open connection: %.0f us",
                           n_flows, np_bench_quantile(bare, 0.5));
    char *note = parts_note(ours, rest);

    np_bench_row_print(&(struct np_bench_row) {
        .what = "cold sync", .scale = o->scale, .unit = "us",
        .ours = &ours->total, .floor = ofctl,
        .floor_is = "ovs-ofctl --bundle add-flows", .limit = 1.3,
        .note = note });
    free(note);
    free(rest);
    parts_destroy(ours);
    np_bench_series_destroy(ofctl);
    np_bench_series_destroy(bare);
}

/* An empty table, and a switch that has done with the old one: it frees flows
 * after it has answered, which would count for whoever comes next. */
static void
empty(struct np_bench_client *client)
{
    np_bench_client_flush(client);
    xnanosleep(500 * 1000 * 1000);
}

void
np_bench_cold(const struct np_bench_options *o)
{
    struct np_bench_series ofctl = { .n = 0 }, bare = { .n = 0 };
    struct np_bench_cluster cluster;
    struct np_bench_client client;
    struct np_changes objects = { .n = 0 };
    struct np_flow_patch flows;
    struct parts ours = { .total = { .n = 0 } };
    uint64_t n;

    np_bench_cluster_init(&cluster, &o->size, o->seed);
    np_bench_cluster_changes(&cluster, &objects);
    np_bench_client_open(&client, o->target);
    np_flow_patch_init(&flows);
    empty(&client);
    sync_once(o, &objects, &cluster.ports, &flows, &n);
    write_flows(o->file, &flows.put);
    for (unsigned int i = 0; i < o->repetitions; i++) {
        struct np_bench_times t;
        double start;

        empty(&client);
        np_bench_series_add(&ofctl, add_flows(o->target, o->file));
        empty(&client);
        t = sync_once(o, &objects, &cluster.ports, NULL, &n);
        parts_add(&ours, &t);
        empty(&client);
        start = np_bench_now();
        np_bench_client_send(&client, &flows, NP_BENCH_BARE);
        np_bench_series_add(&bare, np_bench_now() - start);
    }
    print_cold(o, &ours, &ofctl, &bare, np_flow_set_count(&flows.put));
    np_flow_patch_destroy(&flows);
    np_bench_client_flush(&client);
    np_bench_client_close(&client);
    np_changes_clear(&objects);
    np_bench_cluster_destroy(&cluster);
}

/* Connects, reads and decodes. */
static double
dump_once(const char *target, size_t *n)
{
    double start = np_bench_now();
    struct np_bench_client client;

    np_bench_client_open(&client, target);
    *n = np_bench_client_dump(&client);
    start = np_bench_now() - start;
    np_bench_client_close(&client);
    return start;
}

void
np_bench_start(const struct np_bench_options *o)
{
    struct np_bench_series dump = { .n = 0 }, bare = { .n = 0 };
    struct np_bench_cluster cluster;
    struct np_bench_client client;
    struct np_changes objects = { .n = 0 };
    struct parts ours = { .total = { .n = 0 } };
    size_t n_flows = 0;
    uint64_t n;

    np_bench_cluster_init(&cluster, &o->size, o->seed);
    np_bench_cluster_changes(&cluster, &objects);
    np_bench_client_open(&client, o->target);
    np_bench_client_flush(&client);
    sync_once(o, &objects, &cluster.ports, NULL, &n);
    for (unsigned int i = 0; i < o->repetitions; i++) {
        struct np_bench_times t;

        np_bench_series_add(&dump, dump_flows(o->target));
        np_bench_series_add(&bare, dump_once(o->target, &n_flows));
        t = sync_once(o, &objects, &cluster.ports, NULL, &n);
        if (n) {
            ovs_fatal(0, "%"PRIu64" flow-mods were sent to a table that was "
                      "right", n);
        }
        parts_add(&ours, &t);
    }

    char *note = xasprintf("%"PRIuSIZE" flows, 0 flow-mods; a bare client "
                           "that connects, reads and decodes: %.0f us",
                           n_flows, np_bench_quantile(&bare, 0.5));
    char *all = parts_note(&ours, note);
    np_bench_row_print(&(struct np_bench_row) {
        .what = "start over a right table", .scale = o->scale, .unit = "us",
        .ours = &ours.total, .floor = &dump,
        .floor_is = "ovs-ofctl dump-flows", .limit = 1.5, .note = all });
    free(all);
    free(note);
    parts_destroy(&ours);
    np_bench_series_destroy(&dump);
    np_bench_series_destroy(&bare);
    np_bench_client_flush(&client);
    np_bench_client_close(&client);
    np_changes_clear(&objects);
    np_bench_cluster_destroy(&cluster);
}

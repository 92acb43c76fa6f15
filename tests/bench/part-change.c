/* Changes: one to the barrier, many at once, and the engine alone.
 *
 * A change is done and undone by us, and then the flow-mods that this took
 * are done and undone by the bare client: the table is the same afterwards,
 * and both have sent the same to the same table.  Changes that concern no
 * flow of this node are not among these, as there is nothing to send; the
 * engine alone is measured with all. */

#include <config.h>
#include "bench/control.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/client.h"
#include "bench/items.h"
#include "bench/measure.h"
#include "bench/rig.h"
#include "bench/step.h"
#include "util.h"

/* What was measured of one way. */
struct way {
    struct np_bench_series ours, engine, bare, checked, mods;
    struct np_bench_items items;
};

struct run {
    const struct np_bench_options *o;
    struct np_bench_cluster cluster;
    struct np_bench_client client;
    struct np_bench_rig rig;
};

static void
run_init(struct run *run, const struct np_bench_options *o, bool with_switch)
{
    struct np_changes objects = { .n = 0 };

    run->o = o;
    np_bench_cluster_init(&run->cluster, &o->size, o->seed);
    np_bench_cluster_changes(&run->cluster, &objects);
    if (with_switch) {
        np_bench_client_open(&run->client, o->target);
        np_bench_client_flush(&run->client);
    }
    np_bench_rig_init(&run->rig, with_switch ? o->target : NULL);
    np_bench_rig_first(&run->rig, &objects, &run->cluster.ports, NULL);
    np_changes_clear(&objects);
}

static void
run_destroy(struct run *run)
{
    if (run->rig.installer) {
        np_bench_client_flush(&run->client);
        np_bench_client_close(&run->client);
    }
    np_bench_rig_destroy(&run->rig);
    np_bench_cluster_destroy(&run->cluster);
}

static void
way_destroy(struct way *w)
{
    np_bench_series_destroy(&w->ours);
    np_bench_series_destroy(&w->engine);
    np_bench_series_destroy(&w->bare);
    np_bench_series_destroy(&w->checked);
    np_bench_series_destroy(&w->mods);
    np_bench_items_destroy(&w->items);
}

static const struct np_portmap *
ports_of(struct run *run, const struct np_bench_step *step, bool back)
{
    return (!step->has_ports ? NULL
            : back ? &run->cluster.ports : &step->ports);
}

static size_t
count(const struct np_flow_patch *patch)
{
    return (np_flow_set_count(&patch->put) + np_flow_set_count(&patch->del));
}

static struct np_bench_times
do_ours(struct run *run, const struct np_bench_step *step, bool back,
        struct np_flow_patch *patch)
{
    np_flow_patch_init(patch);
    return np_bench_rig_change(&run->rig, back ? &step->back : &step->there,
                               ports_of(run, step, back), patch);
}

static void
do_floor(struct run *run, const struct np_flow_patch *patch,
         enum np_bench_bundle how, struct np_bench_series *series)
{
    double start;

    np_bench_rig_idle(&run->rig, run->o->space);
    start = np_bench_now();
    np_bench_client_send(&run->client, patch, how);
    np_bench_series_add(series, np_bench_now() - start);
}

/* There and back: ways[0] and ways[1]. */
static void
measure_step(struct run *run, const struct np_bench_step *step,
             struct way *ways[2])
{
    struct np_flow_patch patch[2];

    for (int i = 0; i < 2; i++) {
        struct np_bench_times t;

        np_bench_rig_idle(&run->rig, run->o->space);
        t = do_ours(run, step, i, &patch[i]);
        np_bench_series_add(&ways[i]->ours, t.total);
        np_bench_series_add(&ways[i]->engine, t.engine);
        np_bench_series_add(&ways[i]->mods, count(&patch[i]));
    }
    for (int i = 0; i < 4; i++) {
        do_floor(run, &patch[i & 1], i & 2 ? NP_BENCH_CHECKED : NP_BENCH_BARE,
                 i & 2 ? &ways[i & 1]->checked : &ways[i & 1]->bare);
    }
    np_flow_patch_destroy(&patch[0]);
    np_flow_patch_destroy(&patch[1]);
}

/* Does STEP change flows, there and back? */
static bool
concerns_us(struct run *run, const struct np_bench_step *step)
{
    bool ok = true;

    for (int i = 0; i < 2; i++) {
        struct np_flow_patch patch;

        do_ours(run, step, i, &patch);
        ok = ok && count(&patch);
        np_flow_patch_destroy(&patch);
    }
    return ok;
}

/* Most changes of a large cluster concern nothing on this node: chooses N that
 * do, all before the first is measured, so that none is fresh in a cache. */
static struct np_bench_step *
choose(struct run *run, enum np_bench_kind kind, unsigned int n)
{
    struct np_bench_step *steps = xcalloc(n, sizeof *steps);
    unsigned int found = 0;

    for (unsigned int i = 0; found < n; i++) {
        np_bench_step_init(&steps[found], &run->cluster, kind);
        if (concerns_us(run, &steps[found])) {
            found++;
        } else if (i < 10000 + 1000 * n) {
            np_bench_step_destroy(&steps[found]);
        } else {
            ovs_fatal(0, "%s: hardly any concerns this node",
                      np_bench_kind_name(kind, false));
        }
    }
    return steps;
}

static void
print_way(struct run *run, struct way *w, const char *what, bool one)
{
    char *note = xasprintf("%.0f flow-mods (%.0f to %.0f), engine %.1f us; "
                           "with a barrier before the commit, as we have "
                           "one, the floor is p50 %.0f, p99 %.0f us",
                           np_bench_quantile(&w->mods, 0.5),
                           np_bench_quantile(&w->mods, 0),
                           np_bench_quantile(&w->mods, 1),
                           np_bench_quantile(&w->engine, 0.5),
                           np_bench_quantile(&w->checked, 0.5),
                           np_bench_quantile(&w->checked, 0.99));

    np_bench_row_print(&(struct np_bench_row) {
        .what = what, .scale = run->o->scale, .unit = "us",
        .ours = &w->ours, .floor = &w->bare,
        .floor_is = "the same flow-mods as a bare bundle",
        .limit = 1.5, .limit_p99 = one ? 3.0 : 0, .note = note });
    free(note);
}

static void
measure_kind(struct run *run, enum np_bench_kind kind, unsigned int n)
{
    struct np_bench_step *steps = choose(run, kind, n);
    struct way way[2] = { { .ours = { .n = 0 } } };
    /* Where both ways are the same kind of thing, all go into one. */
    struct way *ways[2] = {
        &way[0], np_bench_kind_is_symmetric(kind) ? &way[0] : &way[1],
    };

    /* So that the installer may send its burst of bundles again. */
    np_bench_rig_idle(&run->rig, 1000);
    for (unsigned int i = 0; i < n; i++) {
        measure_step(run, &steps[i], ways);
        np_bench_step_destroy(&steps[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (way[i].ours.n) {
            print_way(run, &way[i], np_bench_kind_name(kind, i),
                      kind != NP_BENCH_BURST);
        }
        way_destroy(&way[i]);
    }
    free(steps);
}

void
np_bench_changes(const struct np_bench_options *o)
{
    struct run run;

    run_init(&run, o, true);
    for (int kind = 0; kind < NP_BENCH_BURST; kind++) {
        measure_kind(&run, kind, o->repetitions);
    }
    run_destroy(&run);
}

void
np_bench_burst(const struct np_bench_options *o)
{
    struct run run;

    run_init(&run, o, true);
    measure_kind(&run, NP_BENCH_BURST, o->repetitions);
    run_destroy(&run);
}

static void
print_engine(struct run *run, struct way *w, const char *kind)
{
    char *what = xasprintf("engine alone: %s", kind);
    char *items = np_bench_items_format(&w->items);
    char *note = xasprintf("%.0f flow-mods (%.0f to %.0f); items touched: %s",
                           np_bench_quantile(&w->mods, 0.5),
                           np_bench_quantile(&w->mods, 0),
                           np_bench_quantile(&w->mods, 1), items);

    np_bench_row_print(&(struct np_bench_row) {
        .what = what, .scale = run->o->scale, .unit = "us",
        .ours = &w->engine, .note = note });
    free(note);
    free(items);
    free(what);
}

/* One kind, whether it concerns this node or not. */
static void
measure_engine(struct run *run, enum np_bench_kind kind)
{
    struct way way[2] = { { .ours = { .n = 0 } } };

    for (unsigned int i = 0; i < run->o->repetitions; i++) {
        struct np_bench_step step;

        np_bench_step_init(&step, &run->cluster, kind);
        for (int j = 0; j < 2; j++) {
            struct way *w = &way[np_bench_kind_is_symmetric(kind) ? 0 : j];
            struct np_flow_patch patch;
            struct np_bench_times t;

            np_bench_items_begin();
            t = do_ours(run, &step, j, &patch);
            np_bench_items_add(&w->items);
            np_bench_series_add(&w->engine, t.engine);
            np_bench_series_add(&w->mods, count(&patch));
            np_flow_patch_destroy(&patch);
        }
        np_bench_step_destroy(&step);
    }
    for (int j = 0; j < 2; j++) {
        if (way[j].engine.n) {
            print_engine(run, &way[j], np_bench_kind_name(kind, j));
        }
        way_destroy(&way[j]);
    }
}

void
np_bench_engine(const struct np_bench_options *o)
{
    struct run run;

    run_init(&run, o, false);
    for (int kind = 0; kind < NP_BENCH_N_KINDS; kind++) {
        measure_engine(&run, kind);
    }
    run_destroy(&run);
}

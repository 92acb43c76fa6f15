/* Engine and installer, as one thing to be timed. */

#include <config.h>
#include "bench/rig.h"

#include <string.h>
#include <time.h>

#include "bench/gen.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

static const struct np_compile_config config = { .ct_zone = 64000 };

double
np_bench_now(void)
{
    struct timespec ts;

    /* Not time_usec(): libopenvswitch's clock may be cached for a turn. */
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

void
np_bench_rig_init(struct np_bench_rig *rig, const char *target)
{
    np_engine_init(&rig->engine, &config, NP_BENCH_NODE);
    rig->installer = NULL;
    if (target) {
        rig->installer = np_installer_create();
        np_installer_set_target(rig->installer, target);
    }
}

void
np_bench_rig_destroy(struct np_bench_rig *rig)
{
    np_installer_destroy(rig->installer);
    np_engine_destroy(&rig->engine);
}

static void
turn(struct np_bench_rig *rig)
{
    np_installer_wait(rig->installer);
    poll_block();
    np_installer_run(rig->installer);
}

static void
wait_for(struct np_bench_rig *rig, uint64_t wish)
{
    np_installer_run(rig->installer);
    while (np_installer_realized(rig->installer) < wish) {
        struct np_installer_status status;

        np_installer_get_status(rig->installer, &status);
        if (status.last_error) {
            ovs_fatal(0, "%s", status.last_error);
        }
        turn(rig);
    }
}

void
np_bench_rig_idle(struct np_bench_rig *rig, int msec)
{
    long long int end = time_msec() + msec;

    while (time_msec() < end) {
        if (rig->installer) {
            np_installer_run(rig->installer);
            np_installer_wait(rig->installer);
        }
        poll_timer_wait_until(end);
        poll_block();
    }
}

/* As in the daemon, whose source takes longer than a connection. */
static void
connect_and_ask(struct np_bench_rig *rig)
{
    struct np_installer_status status;

    np_installer_run(rig->installer);
    np_installer_get_status(rig->installer, &status);
    while (!strcmp(status.state, "connecting")) {
        turn(rig);
        np_installer_get_status(rig->installer, &status);
    }
}

struct np_bench_times
np_bench_rig_first(struct np_bench_rig *rig, const struct np_changes *objects,
                   const struct np_portmap *ports, struct np_flow_patch *copy)
{
    struct np_bench_times t = { 0 };
    const struct np_flow_set *installed = NULL;
    struct np_flow_patch patch;
    double start = np_bench_now(), then;

    np_flow_patch_init(&patch);
    if (rig->installer) {
        connect_and_ask(rig);
    }
    then = np_bench_now();
    np_engine_apply(&rig->engine, objects, ports, NULL);
    t.engine = np_bench_now() - then;
    while (rig->installer
           && !(installed = np_installer_installed(rig->installer))) {
        turn(rig);
    }
    then = np_bench_now();
    np_engine_start(&rig->engine, installed, &patch);
    t.engine += np_bench_now() - then;
    t.read = np_bench_now() - start - t.engine;
    if (copy) {
        np_bench_patch_copy(copy, &patch);
    }
    then = np_bench_now();
    if (rig->installer) {
        wait_for(rig, np_installer_set_desired(rig->installer, &patch.put));
    }
    t.sync = np_bench_now() - then;
    t.total = t.read + t.engine + t.sync;
    np_flow_patch_destroy(&patch);
    return t;
}

static void
copy_set(struct np_flow_set *dst, const struct np_flow_set *src)
{
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &src->flows) {
        np_flow_set_put(dst, np_flow_clone(flow));
    }
}

void
np_bench_patch_copy(struct np_flow_patch *dst, const struct np_flow_patch *src)
{
    copy_set(&dst->put, &src->put);
    copy_set(&dst->del, &src->del);
}

struct np_bench_times
np_bench_rig_change(struct np_bench_rig *rig, const struct np_changes *changes,
                    const struct np_portmap *ports,
                    struct np_flow_patch *copy)
{
    struct np_bench_times t = { 0 };
    struct np_flow_patch patch;
    double start;

    np_flow_patch_init(&patch);
    start = np_bench_now();
    np_engine_apply(&rig->engine, changes, ports, &patch);
    t.engine = np_bench_now() - start;
    if (copy) {
        np_bench_patch_copy(copy, &patch);
    }
    if (rig->installer && !np_flow_patch_is_empty(&patch)) {
        start = np_bench_now();
        wait_for(rig, np_installer_patch(rig->installer, &patch));
        t.sync = np_bench_now() - start;
    }
    t.total = t.engine + t.sync;
    np_flow_patch_destroy(&patch);
    return t;
}

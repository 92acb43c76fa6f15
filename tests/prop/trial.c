/* One step of the law, and its test. */

#include <config.h>
#include "prop/trial.h"

#include <stdlib.h>

#include "util.h"

void
np_trial_init(struct np_trial *t, const struct np_compile_config *config)
{
    t->config = config;
    ds_init(&t->wrong);
    np_flow_set_init(&t->flows);
    np_engine_init(&t->engine, t->config, "node");
}

void
np_trial_destroy(struct np_trial *t)
{
    np_engine_destroy(&t->engine);
    np_flow_set_destroy(&t->flows);
    ds_destroy(&t->wrong);
}

static void
list_flows(struct ds *s, const char *what, const struct np_flow *const *v,
           size_t n)
{
    struct np_table_names names;

    np_pipeline_names(0, &names);
    for (size_t i = 0; i < n && i < 12; i++) {
        ds_put_format(s, "%s ", what);
        np_flow_format(v[i], &names, s);
        ds_put_char(s, '\n');
    }
}

static void
check_needed(struct np_trial *t, const struct np_flow_patch *patch)
{
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &patch->put.flows) {
        const struct np_flow *old = np_flow_set_find(&t->flows, flow);

        if (old && np_flow_equal(old, flow)) {
            list_flows(&t->wrong, "put though it is there:", &flow, 1);
        }
    }
    HMAP_FOR_EACH (flow, node, &patch->del.flows) {
        if (!np_flow_set_find(&t->flows, flow)) {
            list_flows(&t->wrong, "deleted though it is not there:", &flow,
                       1);
        }
    }
}

static void
check_flows(struct np_trial *t)
{
    struct np_flow_delta delta;
    struct np_flow_set fresh;

    np_flow_set_init(&fresh);
    np_engine_rebuild(&t->engine, &t->flows, &fresh);
    np_flow_set_diff(&t->flows, &fresh, &delta);
    list_flows(&t->wrong, "should not be:", delta.del, delta.n_del);
    list_flows(&t->wrong, "should be:", delta.put, delta.n_put);
    np_flow_delta_destroy(&delta);
    np_flow_set_destroy(&fresh);
}

void
np_trial_change(struct np_trial *t, const struct np_changes *changes,
                const struct np_portmap *ports, bool start)
{
    struct np_flow_patch patch;

    np_flow_patch_init(&patch);
    np_engine_apply(&t->engine, changes, ports, &patch);
    if (start) {
        np_engine_start(&t->engine, NULL, &patch);
    }
    check_needed(t, &patch);
    np_flow_patch_apply(&patch, &t->flows);
    np_flow_patch_destroy(&patch);
    if (t->engine.started) {
        check_flows(t);
    }
}

void
np_trial_restart(struct np_trial *t, const struct np_changes *objects,
                 const struct np_portmap *ports)
{
    struct np_flow_patch patch;

    np_engine_destroy(&t->engine);
    np_engine_init(&t->engine, t->config, "node");
    np_flow_patch_init(&patch);
    np_engine_apply(&t->engine, objects, ports, NULL);
    np_engine_start(&t->engine, &t->flows, &patch);
    np_flow_set_clear(&t->flows);
    np_flow_patch_apply(&patch, &t->flows);
    np_flow_patch_destroy(&patch);
    check_flows(t);
}

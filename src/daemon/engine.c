/* cache → group, policy → binding → compile.
 *
 * One change runs through the stages in that order, each handing on what it
 * changed; and is settled in the opposite order, when whoever might point to
 * what went has been told. */

#include <config.h>
#include "daemon/engine.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

COVERAGE_DEFINE(np_engine_apply);

void
np_engine_init(struct np_engine *e, const struct np_compile_config *config,
               const char *node)
{
    memset(e, 0, sizeof *e);
    e->node = node;
    np_cache_init(&e->cache);
    np_groups_init(&e->groups);
    np_policies_init(&e->policies, &e->groups);
    np_binding_init(&e->binding);
    e->compiler = np_compiler_create(config);
}

void
np_engine_destroy(struct np_engine *e)
{
    np_compiler_destroy(e->compiler);
    np_binding_destroy(&e->binding);
    np_policies_destroy(&e->policies);
    np_groups_destroy(&e->groups);
    np_cache_destroy(&e->cache);
}

/* One change under way. */
struct pass {
    struct np_cache_delta objects;
    struct np_group_delta profiles;
    struct np_policy_delta rules;
    struct np_binding_delta places;
};

static void
compile(struct np_engine *e, const struct pass *pass,
        struct np_flow_patch *out)
{
    const struct np_compile_input in = {
        .groups = &e->groups,
        .policies = &e->policies,
        .objects = &pass->objects,
        .profiles = &pass->profiles,
        .rules = &pass->rules,
        .binding = &e->binding,
        .places = &pass->places,
    };

    np_compiler_apply(e->compiler, &in, out);
}

static void
settle(struct np_engine *e, struct pass *pass)
{
    np_policies_settle(&e->policies, &pass->rules);
    np_group_delta_clear(&pass->profiles);
    np_binding_settle(&e->binding, &pass->places);
    np_cache_settle(&e->cache, &pass->objects);
}

void
np_engine_apply(struct np_engine *e, const struct np_changes *changes,
                const struct np_portmap *ports, struct np_flow_patch *out)
{
    struct pass pass = { .objects = { .n = 0 } };

    COVERAGE_INC(np_engine_apply);
    np_cache_apply(&e->cache, changes, &pass.objects);
    np_groups_apply(&e->groups, &pass.objects, &pass.profiles);
    np_policies_apply(&e->policies, &pass.objects, &pass.rules);
    np_binding_apply(&e->binding, ports, &e->cache, &pass.objects, e->node,
                     &pass.places);
    e->n_bindings += !np_binding_delta_is_empty(&pass.places);
    if (e->started) {
        compile(e, &pass, out);
    }
    settle(e, &pass);
}

void
np_engine_start(struct np_engine *e, const struct np_flow_set *installed,
                struct np_flow_patch *out)
{
    struct pass pass = { .objects = { .n = 0 } };

    if (installed) {
        np_compiler_adopt(e->compiler, installed);
    }
    np_cache_everything(&e->cache, &pass.objects);
    np_binding_everything(&e->binding, &pass.places);
    np_policies_everything(&e->policies, &pass.rules);
    compile(e, &pass, out);
    e->started = true;
    settle(e, &pass);
}

/* The ports as they are, to be looked at. */
static struct np_portmap
view_ports(const struct np_binding *b)
{
    struct np_portmap ports = { xcalloc(b->n_places + 1, sizeof *ports.v),
                                b->n_places };

    for (size_t i = 0; i < ports.n; i++) {
        ports.v[i] = *b->places[i]->row;
    }
    return ports;
}

void
np_engine_rebuild(const struct np_engine *e,
                  const struct np_flow_set *installed,
                  struct np_flow_set *out)
{
    struct np_portmap ports = view_ports(&e->binding);
    struct np_changes changes = { NULL, 0, 0 };
    const struct np_entry *entry;
    struct np_flow_patch patch;
    struct np_engine fresh;

    np_engine_init(&fresh, np_compiler_config(e->compiler), e->node);
    HMAP_FOR_EACH (entry, key_node, &e->cache.by_key) {
        np_changes_add(&changes, NULL, entry->object);
    }
    np_flow_patch_init(&patch);
    np_engine_apply(&fresh, &changes, &ports, NULL);
    np_engine_start(&fresh, installed, &patch);
    np_flow_patch_apply(&patch, out);
    np_flow_patch_destroy(&patch);
    np_changes_clear(&changes);
    np_engine_destroy(&fresh);
    free(ports.v);
}

void
np_engine_dump(const struct np_engine *e, struct ds *s)
{
    np_cache_dump(&e->cache, s);
    np_policies_dump(&e->policies, s);
    np_binding_dump(&e->binding, s);
}

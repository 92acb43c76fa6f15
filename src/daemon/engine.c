/* cache → group, policy → binding → compile.
 *
 * One change runs through the stages in that order, each handing on what it
 * changed; and is settled in the opposite order, when whoever might point to
 * what went has been told.
 *
 * The binding is as large as the node and is built anew when something that it
 * depends on has changed; the compiler is given the old and the new one. */

#include <config.h>
#include "daemon/engine.h"

#include <string.h>

#include "coverage.h"
#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

COVERAGE_DEFINE(np_engine_apply);
COVERAGE_DEFINE(np_engine_binding);

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
    np_portmap_clear(&e->ports);
    np_policies_destroy(&e->policies);
    np_groups_destroy(&e->groups);
    np_cache_destroy(&e->cache);
}

/* One change under way. */
struct pass {
    struct np_cache_delta objects;
    struct np_group_delta profiles;
    struct np_policy_delta rules;
    struct np_binding old_binding;
    struct np_portmap old_ports;        /* If there are others now. */
    bool rebound;
    bool other_ports;
};

static bool
must_rebind(const struct np_engine *e, const struct np_cache_delta *objects)
{
    for (size_t i = 0; i < objects->n; i++) {
        if (np_binding_depends(&e->binding, &objects->v[i], e->node)) {
            return true;
        }
    }
    return false;
}

static void
rebind(struct np_engine *e, const struct np_portmap *ports, struct pass *pass)
{
    COVERAGE_INC(np_engine_binding);
    pass->rebound = true;
    e->n_bindings++;
    if (ports) {
        pass->other_ports = true;
        pass->old_ports = e->ports;
        np_portmap_clone(&e->ports, ports);
    }
    np_binding_init(&pass->old_binding);
    np_binding_swap(&pass->old_binding, &e->binding);
    np_binding_build(&e->binding, &e->ports, &e->cache, e->node,
                     &pass->old_binding);
}

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
        .old_binding = pass->rebound ? &pass->old_binding : &e->binding,
        .binding = &e->binding,
        .old_ports = pass->other_ports ? &pass->old_ports : &e->ports,
        .ports = &e->ports,
    };

    np_compiler_apply(e->compiler, &in, out);
}

static void
settle(struct np_engine *e, struct pass *pass)
{
    if (pass->rebound) {
        np_binding_destroy(&pass->old_binding);
    }
    if (pass->other_ports) {
        np_portmap_clear(&pass->old_ports);
    }
    np_policies_settle(&e->policies, &pass->rules);
    np_group_delta_clear(&pass->profiles);
    np_cache_settle(&e->cache, &pass->objects);
}

void
np_engine_apply(struct np_engine *e, const struct np_changes *changes,
                const struct np_portmap *ports, struct np_flow_patch *out)
{
    struct pass pass = { .rebound = false };

    COVERAGE_INC(np_engine_apply);
    np_cache_apply(&e->cache, changes, &pass.objects);
    np_groups_apply(&e->groups, &pass.objects, &pass.profiles);
    np_policies_apply(&e->policies, &pass.objects, &pass.rules);
    if (ports || must_rebind(e, &pass.objects)) {
        rebind(e, ports, &pass);
    }
    if (e->started) {
        compile(e, &pass, out);
    }
    settle(e, &pass);
}

void
np_engine_start(struct np_engine *e, const struct np_flow_set *installed,
                struct np_flow_patch *out)
{
    struct pass pass = { .rebound = true, .other_ports = true };

    if (installed) {
        np_compiler_adopt(e->compiler, installed);
    }
    np_binding_init(&pass.old_binding);
    np_cache_everything(&e->cache, &pass.objects);
    np_policies_everything(&e->policies, &pass.rules);
    compile(e, &pass, out);
    e->started = true;
    settle(e, &pass);
}

void
np_engine_rebuild(const struct np_engine *e,
                  const struct np_flow_set *installed,
                  struct np_flow_set *out)
{
    struct np_changes changes = { NULL, 0, 0 };
    const struct np_entry *entry;
    struct np_flow_patch patch;
    struct np_engine fresh;

    np_engine_init(&fresh, np_compiler_config(e->compiler), e->node);
    HMAP_FOR_EACH (entry, key_node, &e->cache.by_key) {
        np_changes_add(&changes, NULL, entry->object);
    }
    np_flow_patch_init(&patch);
    np_engine_apply(&fresh, &changes, &e->ports, NULL);
    np_engine_start(&fresh, installed, &patch);
    np_flow_patch_apply(&patch, out);
    np_flow_patch_destroy(&patch);
    np_changes_clear(&changes);
    np_engine_destroy(&fresh);
}

void
np_engine_dump(const struct np_engine *e, struct ds *s)
{
    np_cache_dump(&e->cache, s);
    np_policies_dump(&e->policies, s);
    np_binding_dump(&e->binding, s);
}

/* From rules and ports to flows: the stage.
 *
 *   policies, binding ──► points ──► identities ──► identity tables
 *                           │            │
 *                           └──► conjunctions ──► egress, ingress
 *   ports, binding ──► classify, spoof_guard, link, conntrack, forward, out
 *   configuration  ──► everything else
 *
 * Rebuilt when: anything that its inputs are rebuilt for.  What outlives a
 * rebuild is the memory of identity numbers; the points, identities and
 * conjunctions of the last one are kept to give them names. */

#include <config.h>
#include <stdlib.h>
#include "compile/build.h"
#include "compile/clause.h"
#include "compile/identity.h"
#include "compile/stage.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

struct np_compiler *
np_compiler_create(const struct np_compile_config *config)
{
    struct np_compiler *c = xzalloc(sizeof *c);

    c->config = *config;
    c->out_port = nullable_xstrdup(config->out_port);
    c->config.out_port = c->out_port;
    c->numbers = np_numbers_create();
    return c;
}

static void
forget_last(struct np_compiler *c)
{
    if (c->built) {
        np_conjs_destroy(&c->conjs);
        np_identities_destroy(&c->identities);
        np_points_destroy(&c->points);
        c->built = false;
    }
}

void
np_compiler_destroy(struct np_compiler *c)
{
    if (c) {
        forget_last(c);
        np_numbers_destroy(c->numbers);
        free(c->out_port);
        free(c);
    }
}

void
np_compiler_adopt(struct np_compiler *c, const struct np_flow_set *installed)
{
    np_numbers_adopt(c->numbers, installed,
                     NP_T_SRC_IDENTITY + c->config.table_base);
}

/* Lists of ports as actions: all pods hear the news of the link, and those
 * that no policy isolates hear multicast. */
static void
list_ports(const struct np_binding *binding,
           const struct np_policies *policies, struct ds *all, struct ds *open)
{
    for (size_t i = 0; i < binding->n_locals; i++) {
        const struct np_local *local = &binding->locals[i];

        ds_put_format(all, "output:%"PRIu32",", local->port->ofport);
        if (!np_policies_isolate(policies, local->pod, NP_INGRESS)) {
            ds_put_format(open, "output:%"PRIu32",", local->port->ofport);
        }
    }
}

void
np_compiler_rebuild(struct np_compiler *c, const struct np_policies *policies,
                    const struct np_cache *cache,
                    const struct np_binding *binding,
                    const struct np_portmap *ports, struct np_flow_set *out)
{
    struct ds all = DS_EMPTY_INITIALIZER;
    struct ds open = DS_EMPTY_INITIALIZER;
    struct np_build b = {
        .config = &c->config, .binding = binding, .ports = ports,
        .layout = np_build_layout(&c->config), .out = out,
    };

    np_pipeline_names(c->config.table_base, &b.names);
    list_ports(binding, policies, &all, &open);
    np_build_static(&b, ds_cstr(&all), ds_cstr(&open));
    np_build_ports(&b, ds_cstr(&all));
    ds_destroy(&all);
    ds_destroy(&open);

    forget_last(c);
    np_points_build(&c->points, policies, cache, binding);
    np_identities_build(&c->identities, &c->points, c->numbers);
    np_conjs_build(&c->conjs, policies, &c->points, &c->identities);
    c->policies = policies;
    c->built = true;
    np_build_identities(&b, &c->identities);
    np_build_clauses(&b, &c->conjs);
}

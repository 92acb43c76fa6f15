/* From rules and ports to flows: the stage.
 *
 *   objects, binding ──► points ──► identities ──► identity tables
 *                          ▲            │
 *   rules ──► sets that count ──► conjunctions ──► egress, ingress
 *   ports, binding ──► classify, spoof_guard, link, conntrack, forward, out
 *   configuration  ──► everything else
 *
 * A change marks the points of the address space that it may concern.  Those
 * are judged again, each with the sets that it is in; where a class of
 * addresses came, went or changed its sets, the conjunctions that name these
 * sets follow; and every flow that says something else than before goes into
 * the patch.  From nothing, with everything as a change, this is the
 * rebuild. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

struct np_compiler *
np_compiler_create(const struct np_compile_config *config)
{
    struct np_compiler *c = xzalloc(sizeof *c);

    c->config = *config;
    c->out_port = nullable_xstrdup(config->out_port);
    c->config.out_port = c->out_port;
    c->n_shards[NP_INGRESS] = c->n_shards[NP_EGRESS] = 1;
    hmap_init(&c->hints);
    hmap_init(&c->named);
    hmap_init(&c->uses);
    hmap_init(&c->locals);
    hmap_init(&c->ghosts);
    ovs_list_init(&c->ghosts_by_age);
    hmap_init(&c->identities);
    hmap_init(&c->conjs);
    hmap_init(&c->clauses);
    np_flow_set_init(&c->rest);
    np_flow_set_init(&c->lists);
    c->build.config = &c->config;
    c->build.layout = np_build_layout(&c->config);
    np_pipeline_names(c->config.table_base, &c->build.names);
    c->build.models = np_models_create();
    c->build.maker = np_flow_maker_create();
    c->build.parser = c->parser = np_flow_parser_create(&c->build.names);
    np_points_init(c);
    return c;
}

void
np_compiler_destroy(struct np_compiler *c)
{
    if (!c) {
        return;
    }
    np_clauses_destroy(c);
    np_uses_destroy(c);
    hmap_destroy(&c->conjs);
    np_named_destroy_all(c);
    np_identities_destroy(c);
    np_csets_destroy(c);
    np_points_destroy(c);
    np_clocal_destroy_all(c);
    np_ghosts_destroy(c);
    np_hints_forget(c);
    hmap_destroy(&c->hints);
    np_flow_set_destroy(&c->rest);
    np_flow_set_destroy(&c->lists);
    np_list_clear(&c->dirty);
    np_flow_parser_destroy(c->parser);
    np_flow_maker_destroy(c->build.maker);
    np_models_destroy(c->build.models);
    free(c->out_port);
    free(c);
}

const struct np_compile_config *
np_compiler_config(const struct np_compiler *c)
{
    return &c->config;
}

void
np_compiler_count(const struct np_compiler *c, struct np_compile_counts *n)
{
    *n = (struct np_compile_counts) {
        .rules = hmap_count(&c->uses),
        .sets = c->csets.n - c->csets.n_free,
        .points = np_space_count(c->points),
        .identities = hmap_count(&c->identities),
        .conjunctions = hmap_count(&c->conjs),
        .clauses = hmap_count(&c->clauses),
    };
}

void
np_compiler_adopt(struct np_compiler *c, const struct np_flow_set *installed)
{
    np_hints_adopt(c, installed);
}

/* Sets that nobody names any more, and that no identity is in by now. */
static void
drop_faded(struct np_compiler *c)
{
    for (size_t i = 0; i < c->fading.n; i++) {
        struct np_cset *cset = c->fading.v[i];

        cset->fading = false;
        if (cset->numbers.n) {
            continue;
        } else if (cset->key) {
            np_named_drop_port(c, cset);
        } else {
            np_cset_destroy(c, cset);
        }
    }
    np_list_clear(&c->fading);
}

/* Makes OLD, the flows that are out, what NEW is. */
static void
replace_flows(struct np_compiler *c, struct np_flow_set *old,
              struct np_flow_set *new)
{
    np_flow_patch_add_diff(c->build.patch, old, new);
    np_flow_set_swap(old, new);
    np_flow_set_clear(new);
}

/* A set of flows to build into. */
static struct np_build
build_into(const struct np_compiler *c, struct np_flow_set *out)
{
    struct np_build build = c->build;

    np_flow_set_init(out);
    build.out = out;
    return build;
}

static void
add_clones(struct np_flow_set *dst, const struct np_flow_set *src)
{
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &src->flows) {
        np_flow_set_put(dst, np_flow_clone(flow));
    }
}

/* Only pods' ports, which are most, have no part in what the ports have
 * together. */
static bool
concerns_rest(const struct np_binding_delta *places)
{
    for (size_t i = 0; i < places->n; i++) {
        const struct np_bridge_port *old = places->v[i].old_row;
        const struct np_bridge_port *new = places->v[i].place->row;

        if (old != new && ((old && old->role != NP_PORT_POD)
                           || (new && new->role != NP_PORT_POD))) {
            return true;
        }
    }
    return places->other_node_addrs;
}

static void
sync_place(const struct np_place_change *change, struct np_build *before,
           struct np_build *after)
{
    struct np_place *place = change->place;
    bool owns_mac = np_build_owns_mac(after, place);

    if (change->old_row) {
        np_build_port(before, change->old_row, change->old_local,
                      place->owns_mac);
    }
    if (place->row) {
        np_build_port(after, place->row, place->local, owns_mac);
    }
    place->owns_mac = owns_mac;
}

/* Ports may exchange their numbers, and a port's address may become the
 * node's or the other way round, which is one flow's match: so all flows that
 * change are collected first, and then compared. */
static void
sync_ports(struct np_compiler *c)
{
    struct np_flow_set old, new, rest;
    struct np_build before = build_into(c, &old);
    struct np_build after = build_into(c, &new);
    struct np_build build = build_into(c, &rest);

    for (size_t i = 0; i < c->in->places->n; i++) {
        sync_place(&c->in->places->v[i], &before, &after);
    }
    if (!c->started || concerns_rest(c->in->places)) {
        np_build_rest(&build);
        add_clones(&old, &c->rest);
        add_clones(&new, &rest);
        np_flow_set_swap(&c->rest, &rest);
    }
    np_flow_patch_take_diff(c->build.patch, &old, &new);
    np_flow_set_destroy(&old);
    np_flow_set_destroy(&new);
    np_flow_set_destroy(&rest);
}

static void
put_port(struct ofpbuf *actions, const struct np_bridge_port *port)
{
    ofpact_put_OUTPUT(actions)->port = u16_to_ofp(port->ofport);
}

/* The flows that list ports: all pods', and those of pods that are open. */
static void
sync_lists(struct np_compiler *c)
{
    struct np_flow_set set;
    struct np_build build = build_into(c, &set);
    struct ofpbuf every, open;

    ofpbuf_init(&every, 64);
    ofpbuf_init(&open, 64);
    for (size_t i = 0; i < c->binding->n_locals; i++) {
        const struct np_local *local = c->binding->locals[i];

        put_port(&every, local->port);
        if (local->open) {
            put_port(&open, local->port);
        }
    }
    np_build_list(&build, NP_T_EVERY_POD, &every);
    np_build_list(&build, NP_T_OPEN_PODS, &open);
    ofpbuf_uninit(&every);
    ofpbuf_uninit(&open);
    replace_flows(c, &c->lists, &set);
    np_flow_set_destroy(&set);
}

static void
begin(struct np_compiler *c, const struct np_compile_input *in,
      struct np_flow_patch *out)
{
    c->in = in;
    c->groups = in->groups;
    c->policies = in->policies;
    c->binding = in->binding;
    c->build.binding = in->binding;
    c->build.patch = out;
}

/* All pods whose groups changed. */
static void
mark_profiles(struct np_compiler *c)
{
    const struct np_group_delta *profiles = c->in->profiles;

    for (size_t i = 0; c->started && i < profiles->n; i++) {
        const struct np_entry *entry;

        LIST_FOR_EACH (entry, profile_node, &profiles->v[i]->pods) {
            np_mark_pod(c, entry);
        }
    }
}

void
np_compiler_apply(struct np_compiler *c, const struct np_compile_input *in,
                  struct np_flow_patch *out)
{
    begin(c, in, out);
    if (!c->started) {
        np_build_static(&c->build);
    }
    if (!c->started || !np_binding_delta_is_empty(in->places)) {
        sync_ports(c);
    }
    np_locals_apply(c);
    np_uses_apply(c, in->rules);
    mark_profiles(c);
    np_identities_apply(c);
    drop_faded(c);
    np_conjs_apply(c);
    np_clauses_flush(c);
    if (!c->started || c->stale_lists) {
        sync_lists(c);
        c->stale_lists = false;
    }
    np_hints_forget(c);
    c->started = true;
    c->in = NULL;
    c->build.patch = NULL;
}

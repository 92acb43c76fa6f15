/* Identities: why the table is small.
 *
 * Addresses that belong to exactly the same sets are one class; its number is
 * loaded into a register by the longest prefix that contains the address, and
 * rules match the number.  So a rule costs as many flows as it has classes,
 * whatever the number of pods, and a pod that comes costs one flow in each of
 * the two identity tables, whatever the number of rules.
 *
 * A point inside a longer stretch of its own class needs no flow: the flow of
 * the stretch says the same. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>

#include "coverage.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_identity);

/* The class of what is in SETS, which it takes over. */
static struct np_identity *
identity_of(struct np_compiler *c, uint32_t flags, struct np_idset *sets,
            struct np_list *fresh)
{
    uint32_t hash = np_idset_hash(sets, flags);
    struct np_identity *id;

    HMAP_FOR_EACH_WITH_HASH (id, node, hash, &c->identities) {
        if (id->flags == flags && np_idset_equal(&id->sets, sets)) {
            np_idset_clear(sets);
            return id;
        }
    }
    COVERAGE_INC(np_compile_identity);
    id = xzalloc(sizeof *id);
    id->flags = flags;
    id->sets = *sets;
    hmap_insert(&c->identities, &id->node, hash);
    np_list_add(fresh, id);
    return id;
}

static void
identity_destroy(struct np_identity *id)
{
    np_actions_unref(id->actions[0]);
    np_actions_unref(id->actions[1]);
    np_idset_clear(&id->sets);
    free(id);
}

static int
compare_points(const void *a_, const void *b_)
{
    const struct np_point *a = *(const struct np_point *const *) a_;
    const struct np_point *b = *(const struct np_point *const *) b_;

    return np_prefix_compare(&a->prefix, &b->prefix);
}

/* Puts what may be around others to the front, outer ones first. */
static void
sort_dirty(struct np_list *dirty)
{
    size_t n_stretches = 0;

    for (size_t i = 0; i < dirty->n; i++) {
        struct np_point *point = dirty->v[i];

        if (point->prefix.len < np_prefix_max_len(&point->prefix)) {
            dirty->v[i] = dirty->v[n_stretches];
            dirty->v[n_stretches++] = point;
        }
    }
    if (n_stretches) {
        qsort(dirty->v, n_stretches, sizeof *dirty->v, compare_points);
    }
}

static struct np_judged
judge(struct np_compiler *c, struct np_point *point, struct np_list *fresh)
{
    struct np_judged j = { .point = point, .old = point->identity };

    if (np_point_is_void(point)) {
        np_space_remove(c->points, point);
    } else {
        struct np_idset sets = { NULL, 0, 0 };
        uint32_t flags;

        j.around = np_space_around(c->points, &point->prefix);
        flags = np_content(c, point, j.around, &sets);
        j.new = identity_of(c, flags, &sets, fresh);
        j.new->n_points++;
    }
    if (j.old) {
        j.old->n_points--;
    }
    return j;
}

/* To which class each dirty point belongs now. */
static struct np_judged *
judge_all(struct np_compiler *c, struct np_list *fresh)
{
    struct np_judged *judged = xmalloc((c->dirty.n + 1) * sizeof *judged);

    sort_dirty(&c->dirty);
    for (size_t i = 0; i < c->dirty.n; i++) {
        judged[i] = judge(c, c->dirty.v[i], fresh);
    }
    return judged;
}

static void
match_prefix(struct match *match, const struct np_prefix *p, bool source)
{
    match_init_catchall(match);
    if (p->family == 4) {
        ovs_be32 mask = be32_prefix_mask(p->len);
        ovs_be32 addr;

        memcpy(&addr, p->bytes, sizeof addr);
        match_set_dl_type(match, htons(ETH_TYPE_IP));
        if (source) {
            match_set_nw_src_masked(match, addr, mask);
        } else {
            match_set_nw_dst_masked(match, addr, mask);
        }
    } else {
        struct in6_addr mask = ipv6_create_mask(p->len);
        struct in6_addr addr;

        memcpy(&addr, p->bytes, sizeof addr);
        match_set_dl_type(match, htons(ETH_TYPE_IPV6));
        if (source) {
            match_set_ipv6_src_masked(match, &addr, &mask);
        } else {
            match_set_ipv6_dst_masked(match, &addr, &mask);
        }
    }
}

/* What the flows of ID do, in the source's or the destination's table. */
static struct np_actions *
actions_of(struct np_build *b, struct np_identity *id, bool source)
{
    if (!id->actions[source]) {
        uint64_t stub[128 / 8];
        struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);

        np_put_load(&actions, source ? MFF_REG1 : MFF_REG2, id->number);
        np_put_load(&actions, source ? MFF_REG3 : MFF_REG4, id->flags);
        id->actions[source] = np_flow_maker_actions(b->maker, actions.data,
                                                    actions.size);
        ofpbuf_uninit(&actions);
    }
    return id->actions[source];
}

static void
build_flow(struct np_build *b, const struct np_prefix *p,
           struct np_identity *id, bool source)
{
    uint8_t table = source ? NP_T_SRC_IDENTITY : NP_T_DST_IDENTITY;
    struct match match;

    /* One above the length: the table's own last flow is at 0. */
    match_prefix(&match, p, source);
    np_build_put(b, np_flow_maker_make(b->maker, table + b->config->table_base,
                                       p->len + 1,
                                       np_cookie(NP_FLOW_IDENTITY, id->number),
                                       &match, actions_of(b, id, source)));
}

static void
build_flows(struct np_compiler *c, const struct np_point *point,
            struct np_identity *id, bool del)
{
    c->build.del = del;
    build_flow(&c->build, &point->prefix, id, true);
    build_flow(&c->build, &point->prefix, id, false);
    c->build.del = false;
}

static void
put_flows(struct np_compiler *c, const struct np_judged *j)
{
    struct np_point *point = j->point;
    /* Unless the stretch around it says already what its own flow would. */
    bool wants = j->new && !(j->around && j->around->identity == j->new);

    if (point->has_flow && !wants) {
        build_flows(c, point, j->old, true);
    } else if (wants && (!point->has_flow || j->old->number != j->new->number
                         || j->old->flags != j->new->flags)) {
        build_flows(c, point, j->new, false);
    }
    point->has_flow = wants;
}

/* Number NUMBER was in the sets of OLD and is now in those of NEW; either may
 * be NULL. */
static void
change_sets(struct np_compiler *c, uint32_t number,
            const struct np_identity *old, const struct np_identity *new)
{
    for (size_t i = 0; new && i < new->sets.n; i++) {
        if (!old || !np_idset_contains(&old->sets, new->sets.v[i])) {
            np_conjs_number(c, np_cset(c, new->sets.v[i]), number, true);
        }
    }
    for (size_t i = 0; old && i < old->sets.n; i++) {
        if (!new || !np_idset_contains(&new->sets, old->sets.v[i])) {
            np_conjs_number(c, np_cset(c, old->sets.v[i]), number, false);
        }
    }
}

/* Identities without a point, each once. */
static void
collect_dead(const struct np_judged *judged, size_t n, struct np_list *dead)
{
    for (size_t i = 0; i < n; i++) {
        struct np_identity *old = judged[i].old;

        if (old && !old->n_points && !old->dead) {
            old->dead = true;
            np_list_add(dead, old);
        }
    }
}

static void
bury(struct np_compiler *c, const struct np_list *dead)
{
    for (size_t i = 0; i < dead->n; i++) {
        struct np_identity *id = dead->v[i];

        change_sets(c, id->number, id, id->heir);
        if (!id->heir) {
            np_idset_remove(&c->numbers, id->number);
        }
        hmap_remove(&c->identities, &id->node);
        identity_destroy(id);
    }
}

void
np_identities_apply(struct np_compiler *c)
{
    struct np_list fresh = { NULL, 0, 0 };
    struct np_list dead = { NULL, 0, 0 };
    size_t n = c->dirty.n;
    struct np_judged *judged;

    if (!n) {
        return;
    }
    judged = judge_all(c, &fresh);
    collect_dead(judged, n, &dead);
    np_numbers_assign(c, &fresh, judged, n);
    for (size_t i = 0; i < n; i++) {
        judged[i].point->identity = judged[i].new;
        put_flows(c, &judged[i]);
    }
    for (size_t i = 0; i < fresh.n; i++) {
        struct np_identity *id = fresh.v[i];

        if (!id->is_heir) {
            change_sets(c, id->number, NULL, id);
        }
    }
    bury(c, &dead);
    for (size_t i = 0; i < n; i++) {
        judged[i].point->dirty = false;
        if (!judged[i].new) {
            np_point_destroy(judged[i].point);
        }
    }
    np_list_clear(&c->dirty);
    np_list_clear(&fresh);
    np_list_clear(&dead);
    free(judged);
}

void
np_identities_destroy(struct np_compiler *c)
{
    struct np_identity *id;

    HMAP_FOR_EACH_POP (id, node, &c->identities) {
        identity_destroy(id);
    }
    hmap_destroy(&c->identities);
    np_idset_clear(&c->numbers);
}

/* Points of the address space, and the sets that each belongs to.
 *
 * Two kinds of membership meet here.  A pod is in a set because a selector
 * matches it: that holds for its addresses alone.  An address is in a set
 * because an IP block covers it: that holds for whole stretches, ends where an
 * exception begins, and includes the addresses of pods and nodes.
 *
 * Block membership is computed in one walk over the sorted points, where each
 * prefix comes right before what it contains: what is inside a point is what
 * is inside the point around it, plus the blocks that begin here, less those
 * that except it. */

#include <config.h>
#include <stdlib.h>
#include "compile/build.h"
#include "compile/point.h"
#include "hash.h"
#include "util.h"

struct walk {
    struct np_points *points;
    const struct np_policies *policies;
    const struct np_cache *cache;
    const struct np_binding *binding;
    bool *set_used;             /* By id. */
    const struct np_set **block_set;    /* Of each block, by its id here. */
    size_t n_blocks;
    const struct np_rule **named;       /* Used rules with a named port. */
    size_t n_named;
};

static struct np_point *
point_at(struct np_points *points, const struct np_prefix *prefix)
{
    uint32_t hash = np_prefix_hash(prefix, 0);
    struct np_point *point;

    HMAP_FOR_EACH_WITH_HASH (point, node, hash, &points->by_prefix) {
        if (np_prefix_equal(&point->prefix, prefix)) {
            return point;
        }
    }
    point = xzalloc(sizeof *point);
    point->prefix = *prefix;
    point->flags = NP_ID_KNOWN;
    hmap_insert(&points->by_prefix, &point->node, hash);
    return point;
}

static bool
pod_is_better(const struct np_pod *a, const struct np_pod *b)
{
    return a->phase == NP_RUNNING && b->phase != NP_RUNNING;
}

/* Two live pods may show one address for a moment, when it moves.  A local
 * pod's port decides; else the one that runs. */
static struct np_point *
point_of_pod(struct np_points *points, const struct np_prefix *addr,
             const struct np_pod *pod)
{
    struct np_point *point = point_at(points, addr);

    if (point->pod == pod) {
        return point;
    }
    if (point->flags & (NP_ID_LOCAL | NP_ID_NODE)
        || (point->pod && !pod_is_better(pod, point->pod))) {
        return NULL;
    }
    np_idset_clear(&point->own);
    point->pod = pod;
    return point;
}

static void
add_fixed_points(struct walk *w)
{
    const struct np_prefix any[] = { { .family = 4 }, { .family = 6 } };
    const struct np_binding *b = w->binding;

    point_at(w->points, &any[0]);
    point_at(w->points, &any[1]);
    for (size_t i = 0; i < b->n_node_addrs; i++) {
        point_at(w->points, &b->node_addrs[i])->flags |= NP_ID_NODE;
    }
    for (size_t i = 0; i < b->n_locals; i++) {
        for (size_t j = 0; j < b->locals[i].n_addrs; j++) {
            struct np_point *point = point_at(w->points,
                                              &b->locals[i].addrs[j]);

            point->pod = b->locals[i].pod;
            point->flags |= NP_ID_LOCAL;
        }
    }
}

/* Does SET have a member among this node's pods? */
static bool
has_local_member(const struct np_set *set, const struct np_binding *binding)
{
    for (size_t i = 0; i < set->n_groups; i++) {
        for (size_t j = 0; j < set->groups[i]->n_members; j++) {
            if (np_binding_find(binding, set->groups[i]->members[j])) {
                return true;
            }
        }
    }
    return false;
}

/* Only rules that apply to a pod of this node matter, and only their sets. */
static void
find_used(struct walk *w)
{
    const struct np_policies *p = w->policies;
    bool *has_local = xzalloc(p->n_sets + 1);

    for (size_t i = 0; i < p->n_sets; i++) {
        const struct np_set *set = p->set_by_id[i];

        has_local[i] = set->applied && has_local_member(set, w->binding);
    }
    w->named = xmalloc((p->n_rules + 1) * sizeof *w->named);
    for (size_t i = 0; i < p->n_rules; i++) {
        const struct np_rule *rule = &p->rules[i];
        bool named = false;

        if (!has_local[rule->applied->id]) {
            continue;
        }
        w->points->rule_used[i] = true;
        w->set_used[rule->applied->id] = true;
        if (rule->peers) {
            w->set_used[rule->peers->id] = true;
        }
        for (size_t j = 0; j < rule->n_services; j++) {
            named = named || rule->services[j].name;
        }
        if (named) {
            w->named[w->n_named++] = rule;
        }
    }
    free(has_local);
}

/* Gives each address of POD a point and, if SET is nonnull, puts it there. */
static void
add_pod(struct walk *w, const struct np_set *set, const struct np_pod *pod)
{
    const struct np_local *local = np_binding_find(w->binding, pod);
    const struct np_prefix *addrs = local ? local->addrs : pod->addrs;
    size_t n = local ? local->n_addrs : pod->n_addrs;

    if (set && set->applied && !local) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct np_point *point = point_of_pod(w->points, &addrs[i], pod);

        if (point && set) {
            np_idset_add(&point->own, set->id);
        }
    }
}

/* A pod with a port of some name can be told from its neighbours where a rule
 * uses that name, even if only an IP block or "any" covers it. */
static void
add_named_pods(struct walk *w, const struct np_service *service)
{
    for (size_t i = 0; i < w->cache->n[NP_POD]; i++) {
        const struct np_pod *pod
            = (const struct np_pod *) w->cache->v[NP_POD][i];

        if (np_pod_counts(pod)
            && np_pod_resolve_port(pod, service->proto, service->name)) {
            add_pod(w, NULL, pod);
        }
    }
}

static void
add_block(struct walk *w, const struct np_set *set,
          const struct np_ipblock *block)
{
    uint32_t id = w->n_blocks++;

    w->block_set[id] = set;
    np_idset_add(&point_at(w->points, &block->cidr)->begins, id);
    for (size_t i = 0; i < block->n_except; i++) {
        np_idset_add(&point_at(w->points, &block->except[i])->ends, id);
    }
}

static void
add_sets(struct walk *w)
{
    const struct np_policies *p = w->policies;
    size_t n_blocks = 0;

    for (size_t i = 0; i < p->n_sets; i++) {
        n_blocks += p->set_by_id[i]->n_blocks;
    }
    w->block_set = xmalloc((n_blocks + 1) * sizeof *w->block_set);
    for (size_t i = 0; i < p->n_sets; i++) {
        const struct np_set *set = p->set_by_id[i];

        if (!w->set_used[i]) {
            continue;
        }
        for (size_t j = 0; j < set->n_groups; j++) {
            const struct np_group *group = set->groups[j];

            for (size_t k = 0; k < group->n_members; k++) {
                add_pod(w, set, group->members[k]);
            }
        }
        for (size_t j = 0; j < set->n_blocks; j++) {
            add_block(w, set, set->blocks[j]);
        }
    }
    for (size_t i = 0; i < w->n_named; i++) {
        const struct np_rule *rule = w->named[i];

        for (size_t j = 0; j < rule->n_services; j++) {
            if (rule->direction == NP_EGRESS && rule->services[j].name) {
                add_named_pods(w, &rule->services[j]);
            }
        }
    }
}

/* A policy isolates the pods that it applies to, on this node, in the
 * directions that it governs. */
static void
add_isolation(struct walk *w)
{
    for (size_t i = 0; i < w->policies->n_isolations; i++) {
        const struct np_isolation *isolation = &w->policies->isolations[i];
        const struct np_group *group = isolation->applied->groups[0];
        uint32_t flag = (isolation->direction == NP_EGRESS
                         ? NP_ID_ISOLATED_EGRESS : NP_ID_ISOLATED_INGRESS);

        for (size_t j = 0; j < group->n_members; j++) {
            const struct np_local *local
                = np_binding_find(w->binding, group->members[j]);

            for (size_t k = 0; local && k < local->n_addrs; k++) {
                point_at(w->points, &local->addrs[k])->flags |= flag;
            }
        }
    }
}

static int
compare_points(const void *a_, const void *b_)
{
    const struct np_point *a = *(const struct np_point *const *) a_;
    const struct np_point *b = *(const struct np_point *const *) b_;

    return np_prefix_compare(&a->prefix, &b->prefix);
}

static void
sort_points(struct np_points *points)
{
    struct np_point *point;

    points->sorted = xmalloc(hmap_count(&points->by_prefix)
                             * sizeof *points->sorted);
    HMAP_FOR_EACH (point, node, &points->by_prefix) {
        points->sorted[points->n++] = point;
    }
    qsort(points->sorted, points->n, sizeof *points->sorted, compare_points);
}

/* Blocks that are active inside a point of the walk, so that they need not be
 * found again for each address in it. */
struct level {
    const struct np_point *point;
    struct np_idset blocks;
};

static void
enter_point(struct walk *w, struct np_point *point, const struct level *around,
            struct level *level)
{
    level->point = point;
    memset(&level->blocks, 0, sizeof level->blocks);
    if (around) {
        np_idset_clone(&level->blocks, &around->blocks);
        point->parent = around->point;
    }
    np_idset_union(&level->blocks, &point->begins);
    for (size_t i = 0; i < point->ends.n; i++) {
        np_idset_remove(&level->blocks, point->ends.v[i]);
    }

    np_idset_clone(&point->sets, &point->own);
    for (size_t i = 0; i < level->blocks.n; i++) {
        np_idset_add(&point->sets, w->block_set[level->blocks.v[i]]->id);
    }
}

static void
walk_blocks(struct walk *w)
{
    struct level stack[129];    /* A prefix of each length, at most. */
    int depth = 0;

    for (size_t i = 0; i < w->points->n; i++) {
        struct np_point *point = w->points->sorted[i];

        while (depth && !np_prefix_contains(&stack[depth - 1].point->prefix,
                                            &point->prefix)) {
            np_idset_clear(&stack[--depth].blocks);
        }
        enter_point(w, point, depth ? &stack[depth - 1] : NULL,
                    &stack[depth]);
        depth++;
    }
    while (depth) {
        np_idset_clear(&stack[--depth].blocks);
    }
}

static uint32_t
named_hash(const struct np_set *set, const struct np_service *service,
           uint16_t port)
{
    return hash_string(service->name,
                       hash_2words(set ? set->id + 1 : 0,
                                   (uint32_t) service->proto << 16 | port));
}

const struct np_named_set *
np_points_find_named(const struct np_points *points, const struct np_set *set,
                     const struct np_service *service, uint16_t port)
{
    const struct np_named_set *named;

    HMAP_FOR_EACH_WITH_HASH (named, node, named_hash(set, service, port),
                             &points->named) {
        if (named->set == set && named->proto == service->proto
            && named->port == port && !strcmp(named->name, service->name)) {
            return named;
        }
    }
    return NULL;
}

static uint32_t
intern_named(struct np_points *points, const struct np_set *set,
             const struct np_service *service, uint16_t port)
{
    const struct np_named_set *old = np_points_find_named(points, set,
                                                          service, port);
    struct np_named_set *named;

    if (old) {
        return old->id;
    }
    named = xzalloc(sizeof *named);
    named->id = points->next_id++;
    named->set = set;
    named->proto = service->proto;
    named->name = service->name;
    named->port = port;
    hmap_insert(&points->named, &named->node, named_hash(set, service, port));
    return named->id;
}

/* A named port is resolved by the pod that serves it: the one the policy
 * applies to for ingress, the peer for egress. */
static void
resolve_named(struct walk *w, const struct np_rule *rule)
{
    const struct np_set *server = (rule->direction == NP_INGRESS
                                   ? rule->applied : rule->peers);

    for (size_t i = 0; i < rule->n_services; i++) {
        const struct np_service *service = &rule->services[i];

        for (size_t j = 0; service->name && j < w->points->n; j++) {
            struct np_point *point = w->points->sorted[j];
            uint16_t port;

            if (!point->pod
                || (server && !np_idset_contains(&point->sets, server->id))) {
                continue;
            }
            port = np_pod_resolve_port(point->pod, service->proto,
                                       service->name);
            if (port) {
                np_idset_add(&point->sets, intern_named(w->points, server,
                                                        service, port));
            }
        }
    }
}

void
np_points_build(struct np_points *points, const struct np_policies *policies,
                const struct np_cache *cache,
                const struct np_binding *binding)
{
    struct walk w = {
        .points = points, .policies = policies, .cache = cache,
        .binding = binding,
    };

    memset(points, 0, sizeof *points);
    hmap_init(&points->by_prefix);
    hmap_init(&points->named);
    points->next_id = policies->n_sets;
    points->rule_used = xzalloc(policies->n_rules + 1);
    w.set_used = xzalloc(policies->n_sets + 1);

    add_fixed_points(&w);
    find_used(&w);
    add_sets(&w);
    add_isolation(&w);
    sort_points(points);
    walk_blocks(&w);
    for (size_t i = 0; i < w.n_named; i++) {
        resolve_named(&w, w.named[i]);
    }

    free(w.set_used);
    free(w.block_set);
    free(w.named);
}

void
np_points_destroy(struct np_points *points)
{
    struct np_named_set *named;
    struct np_point *point;

    HMAP_FOR_EACH_POP (point, node, &points->by_prefix) {
        np_idset_clear(&point->own);
        np_idset_clear(&point->begins);
        np_idset_clear(&point->ends);
        np_idset_clear(&point->sets);
        free(point);
    }
    hmap_destroy(&points->by_prefix);
    HMAP_FOR_EACH_POP (named, node, &points->named) {
        free(named);
    }
    hmap_destroy(&points->named);
    free(points->sorted);
    free(points->rule_used);
}

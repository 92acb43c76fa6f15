/* Which rules matter on this node.
 *
 * Ten thousand policies apply to a hundred thousand pods, and a hundred of
 * those are here.  A rule is in use while a pod of this node is in its applied
 * set; only the sets of such rules count, and only they make identities. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_rule);

static struct np_use *
find_use(const struct np_compiler *c, const struct np_rule *rule)
{
    struct np_use *use;

    HMAP_FOR_EACH_WITH_HASH (use, node, hash_pointer(rule, 0), &c->uses) {
        if (use->rule == rule) {
            return use;
        }
    }
    return NULL;
}

/* Counts one more (1) or one less (-1) pod of this node in the applied set with
 * ID. */
static void
count_local(struct np_compiler *c, uint32_t id, int sign)
{
    struct np_by_set *s = np_by_set(c, id);

    if (!s->n_local_changed) {
        s->n_local_changed = true;
        s->was_local = s->n_local > 0;
        np_list_add(&c->changed_sets, c->policies->set_by_id.v[id]);
    }
    s->n_local += sign;
}

void
np_clocal_leave(struct np_compiler *c, struct np_clocal *l)
{
    for (size_t i = 0; i < l->applied.n; i++) {
        count_local(c, l->applied.v[i], -1);
    }
    np_idset_clear(&l->applied);
}

/* The sets that policies in force apply by and that L is in. */
static void
find_applied(const struct np_compiler *c, const struct np_clocal *l,
             struct np_idset *applied)
{
    const struct np_profile *profile = l->entry->profile;

    for (size_t i = 0; profile && i < profile->groups.n; i++) {
        const struct np_set *set = np_groups_get(c->groups,
                                                 profile->groups.v[i])->applied;

        if (set && (set->n_isolations[NP_INGRESS]
                    || set->n_isolations[NP_EGRESS])) {
            np_idset_add(applied, set->id);
        }
    }
}

static void
sync_open(struct np_compiler *c, struct np_clocal *l)
{
    bool open = true;

    for (size_t i = 0; i < l->applied.n; i++) {
        const struct np_set *set = c->policies->set_by_id.v[l->applied.v[i]];

        open &= !set->n_isolations[NP_INGRESS];
    }
    c->stale_lists |= open != l->local->open;
    l->local->open = open;
}

/* Whoever has L looked at sees to it that its points are judged again. */
static void
sync_applied(struct np_compiler *c, struct np_clocal *l)
{
    struct np_idset now = { NULL, 0, 0 };

    find_applied(c, l, &now);
    if (np_idset_equal(&now, &l->applied)) {
        np_idset_clear(&now);
        return;
    }
    for (size_t i = 0; i < now.n; i++) {
        if (!np_idset_contains(&l->applied, now.v[i])) {
            count_local(c, now.v[i], 1);
        }
    }
    for (size_t i = 0; i < l->applied.n; i++) {
        if (!np_idset_contains(&now, l->applied.v[i])) {
            count_local(c, l->applied.v[i], -1);
        }
    }
    np_idset_clear(&l->applied);
    l->applied = now;
    sync_open(c, l);
}

/* Whether SET isolates its members, and how, is different now. */
static void
sync_members(struct np_compiler *c, const struct np_set *set)
{
    uint32_t group = set->groups[0]->id;
    struct np_clocal *l;

    HMAP_FOR_EACH (l, node, &c->locals) {
        const struct np_profile *profile = l->entry->profile;

        if (profile && np_idset_contains(&profile->groups, group)) {
            sync_applied(c, l);
            sync_open(c, l);
            np_mark_pod(c, l->entry);
        }
    }
}

static bool
has_name(const struct np_rule *rule)
{
    for (size_t i = 0; i < rule->n_services; i++) {
        if (rule->services[i].name) {
            return true;
        }
    }
    return false;
}

static struct np_cset *
server_of(const struct np_use *use)
{
    return use->rule->direction == NP_INGRESS ? use->applied : use->peers;
}

static void
begin_use(struct np_compiler *c, const struct np_rule *rule,
          struct np_list *begun)
{
    struct np_use *use;

    if (find_use(c, rule)) {
        return;
    }
    COVERAGE_INC(np_compile_rule);
    use = xzalloc(sizeof *use);
    use->rule = rule;
    ovs_list_init(&use->conjs);
    use->applied = np_cset_ref(c, rule->applied);
    use->peers = rule->peers ? np_cset_ref(c, rule->peers) : NULL;
    hmap_insert(&c->uses, &use->node, hash_pointer(rule, 0));
    np_list_add(begun, use);
}

static void
end_use(struct np_compiler *c, const struct np_rule *rule,
        struct np_list *ended)
{
    struct np_use *use = find_use(c, rule);
    struct np_conj *conj;

    if (!use) {
        return;
    }
    COVERAGE_INC(np_compile_rule);
    if (has_name(rule)) {
        np_named_remove(c, use, server_of(use));
    }
    LIST_FOR_EACH_SAFE (conj, rule_node, &use->conjs) {
        np_conj_destroy(c, conj);
    }
    hmap_remove(&c->uses, &use->node);
    np_list_add(ended, use);
}

/* Begins with the sets and ends with them, so that a set that both old and new
 * rules name is there all the time; in between conjunctions end before others
 * begin, because an edited rule's has the same name, and so the same id. */
static void
change_uses(struct np_compiler *c, const struct np_list *to_begin,
            const struct np_list *to_end)
{
    struct np_list begun = { NULL, 0, 0 };
    struct np_list ended = { NULL, 0, 0 };

    for (size_t i = 0; i < to_begin->n; i++) {
        begin_use(c, to_begin->v[i], &begun);
    }
    for (size_t i = 0; i < to_end->n; i++) {
        end_use(c, to_end->v[i], &ended);
    }
    for (size_t i = 0; i < begun.n; i++) {
        struct np_use *use = begun.v[i];

        np_conj_add_rule(c, use);
        if (has_name(use->rule)) {
            np_named_add(c, use, server_of(use));
        }
    }
    for (size_t i = 0; i < ended.n; i++) {
        struct np_use *use = ended.v[i];

        np_cset_unref(c, use->applied);
        if (use->peers) {
            np_cset_unref(c, use->peers);
        }
        free(use);
    }
    np_list_clear(&begun);
    np_list_clear(&ended);
}

static void
sync_entry(struct np_compiler *c, const struct np_entry *entry)
{
    struct np_clocal *l = np_clocal_find(c, entry);

    if (l) {
        sync_applied(c, l);
    }
}

/* All pods of this node to whom other policies may apply than before. */
static void
sync_changed(struct np_compiler *c)
{
    const struct np_binding_delta *places = c->in->places;
    const struct np_cache_delta *objects = c->in->objects;
    const struct np_group_delta *profiles = c->in->profiles;
    const struct np_policy_delta *rules = c->in->rules;
    const struct np_entry *entry;

    for (size_t i = 0; i < objects->n; i++) {
        sync_entry(c, objects->v[i].entry);
    }
    for (size_t i = 0; i < profiles->n; i++) {
        LIST_FOR_EACH (entry, profile_node, &profiles->v[i]->pods) {
            sync_entry(c, entry);
        }
    }
    for (size_t i = 0; i < rules->n_isolating; i++) {
        sync_members(c, rules->isolating[i]);
    }
    for (size_t i = 0; i < places->n; i++) {
        const struct np_local *local = places->v[i].place->local;

        if (local) {
            sync_entry(c, local->entry);
        }
    }
}

static void
sync_all(struct np_compiler *c)
{
    struct np_clocal *l;

    HMAP_FOR_EACH (l, node, &c->locals) {
        sync_applied(c, l);
    }
}

void
np_uses_apply(struct np_compiler *c, const struct np_policy_delta *delta)
{
    struct np_list to_begin = { NULL, 0, 0 };
    struct np_list to_end = { NULL, 0, 0 };

    if (c->started) {
        sync_changed(c);
    } else {
        sync_all(c);
    }
    for (size_t i = 0; i < c->changed_sets.n; i++) {
        const struct np_set *set = c->changed_sets.v[i];
        struct np_by_set *s = np_by_set(c, set->id);
        const struct np_rule *rule;

        s->n_local_changed = false;
        if (s->was_local == (s->n_local > 0)) {
            continue;
        }
        LIST_FOR_EACH (rule, applied_node, &set->rules) {
            np_list_add(s->n_local ? &to_begin : &to_end,
                        CONST_CAST(struct np_rule *, rule));
        }
    }
    for (size_t i = 0; i < delta->n_added; i++) {
        if (np_by_set(c, delta->added[i]->applied->id)->n_local) {
            np_list_add(&to_begin, delta->added[i]);
        }
    }
    for (size_t i = 0; i < delta->n_removed; i++) {
        np_list_add(&to_end, delta->removed[i]);
    }
    change_uses(c, &to_begin, &to_end);
    np_list_clear(&to_begin);
    np_list_clear(&to_end);
    np_list_clear(&c->changed_sets);
}

void
np_uses_destroy(struct np_compiler *c)
{
    struct np_use *use;

    HMAP_FOR_EACH_POP (use, node, &c->uses) {
        struct np_conj *conj;

        LIST_FOR_EACH_SAFE (conj, rule_node, &use->conjs) {
            np_conj_free(c, conj);
        }
        free(use);
    }
    hmap_destroy(&c->uses);
}

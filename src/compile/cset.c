/* Sets that count, because a rule of this node names them.
 *
 * While a set counts, the groups and blocks that it consists of point to it,
 * so that an address finds its sets; who comes into a set or leaves it is
 * found by asking its members' points again. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_set);

void
np_list_add(struct np_list *list, void *item)
{
    if (list->n >= list->allocated) {
        list->v = x2nrealloc(list->v, &list->allocated, sizeof *list->v);
    }
    list->v[list->n++] = item;
}

void
np_list_clear(struct np_list *list)
{
    free(list->v);
    *list = (struct np_list) { NULL, 0, 0 };
}

struct np_by_set *
np_by_set(struct np_compiler *c, uint32_t id)
{
    if (id >= c->n_by_set) {
        size_t n = MAX(2 * c->n_by_set, (size_t) id + 1);

        c->by_set = xrealloc(c->by_set, n * sizeof *c->by_set);
        memset(c->by_set + c->n_by_set, 0,
               (n - c->n_by_set) * sizeof *c->by_set);
        c->n_by_set = n;
    }
    return &c->by_set[id];
}

static struct np_idset *
by_group(struct np_compiler *c, uint32_t id)
{
    if (id >= c->n_by_group) {
        size_t n = MAX(2 * c->n_by_group, (size_t) id + 1);

        c->by_group = xrealloc(c->by_group, n * sizeof *c->by_group);
        memset(c->by_group + c->n_by_group, 0,
               (n - c->n_by_group) * sizeof *c->by_group);
        c->n_by_group = n;
    }
    return &c->by_group[id];
}

static void
mark_group(struct np_compiler *c, const struct np_group *group)
{
    for (size_t i = 0; i < group->profiles.n; i++) {
        const struct np_profile *profile
            = np_groups_profile(c->groups, group->profiles.v[i]);
        const struct np_entry *entry;

        LIST_FOR_EACH (entry, profile_node, &profile->pods) {
            np_mark_pod(c, entry);
        }
    }
}

static void
mark_applied(struct np_compiler *c, const struct np_set *set)
{
    const struct np_clocal *l;

    HMAP_FOR_EACH (l, node, &c->locals) {
        if (np_idset_contains(&l->applied, set->id)) {
            np_mark_pod(c, l->entry);
        }
    }
}

void
np_cset_mark_members(struct np_compiler *c, const struct np_cset *cset)
{
    const struct np_set *set = cset->set;

    if (!c->started) {
        return;
    } else if (set->applied) {
        mark_applied(c, set);
        return;
    }
    for (size_t i = 0; i < set->n_groups; i++) {
        mark_group(c, set->groups[i]);
    }
    for (size_t i = 0; i < set->n_blocks; i++) {
        np_points_mark_block(c, cset->blocks[i]);
    }
}

const char *
np_cset_key(const struct np_cset *cset)
{
    return cset->set ? cset->set->key : cset->key;
}

void
np_cset_fade(struct np_compiler *c, struct np_cset *cset)
{
    if (!cset->fading) {
        cset->fading = true;
        np_list_add(&c->fading, cset);
    }
}

/* Makes the parts of CSET's set point to it. */
static void
begin(struct np_compiler *c, struct np_cset *cset)
{
    const struct np_set *set = cset->set;

    COVERAGE_INC(np_compile_set);
    if (!set->applied) {
        for (size_t i = 0; i < set->n_groups; i++) {
            np_idset_add(by_group(c, set->groups[i]->id), cset->id);
        }
    }
    cset->blocks = xmalloc((set->n_blocks + 1) * sizeof *cset->blocks);
    for (size_t i = 0; i < set->n_blocks; i++) {
        struct np_cblock *block = xmalloc(sizeof *block);

        *block = (struct np_cblock) { cset, &set->blocks[i] };
        cset->blocks[i] = np_slots_put(&c->blocks, block);
        np_points_add_block(c, cset->blocks[i]);
    }
    np_cset_mark_members(c, cset);
}

static void
end(struct np_compiler *c, struct np_cset *cset)
{
    const struct np_set *set = cset->set;

    COVERAGE_INC(np_compile_set);
    np_cset_mark_members(c, cset);
    if (!set->applied) {
        for (size_t i = 0; i < set->n_groups; i++) {
            np_idset_remove(by_group(c, set->groups[i]->id), cset->id);
        }
    }
    for (size_t i = 0; i < set->n_blocks; i++) {
        np_points_remove_block(c, cset->blocks[i]);
        free(c->blocks.v[cset->blocks[i]]);
        np_slots_remove(&c->blocks, cset->blocks[i]);
    }
    free(cset->blocks);
    cset->blocks = NULL;
    np_by_set(c, set->id)->cset = NULL;
    cset->set = NULL;
    np_cset_fade(c, cset);
}

struct np_cset *
np_cset_ref(struct np_compiler *c, const struct np_set *set)
{
    struct np_cset *cset = np_by_set(c, set->id)->cset;

    if (!cset) {
        cset = xzalloc(sizeof *cset);
        cset->set = set;
        cset->id = np_slots_put(&c->csets, cset);
        np_by_set(c, set->id)->cset = cset;
        begin(c, cset);
    }
    cset->n_rules++;
    return cset;
}

/* What is left of CSET goes when no identity is in it any more. */
void
np_cset_unref(struct np_compiler *c, struct np_cset *cset)
{
    if (!--cset->n_rules) {
        end(c, cset);
    }
}

void
np_cset_destroy(struct np_compiler *c, struct np_cset *cset)
{
    ovs_assert(!cset->n_conjs && !cset->numbers.n);
    np_slots_remove(&c->csets, cset->id);
    np_idset_clear(&cset->numbers);
    free(cset->conjs);
    free(cset->key);
    free(cset);
}

void
np_cset_add_conj(struct np_cset *cset, struct np_conj *conj)
{
    if (cset->n_conjs >= cset->allocated_conjs) {
        cset->conjs = x2nrealloc(cset->conjs, &cset->allocated_conjs,
                                 sizeof *cset->conjs);
    }
    cset->conjs[cset->n_conjs++] = conj;
}

void
np_cset_remove_conj(struct np_cset *cset, struct np_conj *conj)
{
    for (size_t i = 0; i < cset->n_conjs; i++) {
        if (cset->conjs[i] == conj) {
            cset->conjs[i] = cset->conjs[--cset->n_conjs];
            return;
        }
    }
}

void
np_csets_destroy(struct np_compiler *c)
{
    for (size_t i = 0; i < c->csets.n; i++) {
        struct np_cset *cset = c->csets.v[i];

        if (cset) {
            np_idset_clear(&cset->numbers);
            free(cset->conjs);
            free(cset->blocks);
            free(cset->key);
            free(cset);
        }
    }
    np_slots_destroy(&c->csets);
    for (size_t i = 0; i < c->blocks.n; i++) {
        free(c->blocks.v[i]);
    }
    np_slots_destroy(&c->blocks);
    for (size_t i = 0; i < c->n_by_group; i++) {
        np_idset_clear(&c->by_group[i]);
    }
    free(c->by_group);
    free(c->by_set);
}

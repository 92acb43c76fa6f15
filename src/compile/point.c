/* Points of the address space at which something changes.
 *
 * A point goes when nothing is there any more; it is looked at once more then,
 * to take its flow away. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

struct np_point *
np_point_find(const struct np_compiler *c, const struct np_prefix *prefix)
{
    return np_space_get(c->points, prefix);
}

struct np_point *
np_point_at(struct np_compiler *c, const struct np_prefix *prefix)
{
    struct np_point *point = np_point_find(c, prefix);

    if (!point) {
        point = xzalloc(sizeof *point);
        point->prefix = *prefix;
        np_space_add(c->points, point);
        np_point_mark(c, point);
    }
    return point;
}

void
np_point_mark(struct np_compiler *c, struct np_point *point)
{
    if (!point->dirty) {
        point->dirty = true;
        np_list_add(&c->dirty, point);
    }
}

bool
np_point_is_void(const struct np_point *point)
{
    return !point->n_claims && !point->node && !point->ends && !point->fixed;
}

/* A local pod's port decides; else the one that runs; else the first. */
static bool
claims_better(const struct np_compiler *c, const struct np_entry *a,
              const struct np_entry *b)
{
    bool a_local = np_binding_find(c->binding, a);
    bool b_local = np_binding_find(c->binding, b);
    bool a_runs = np_entry_pod(a)->phase == NP_RUNNING;
    bool b_runs = np_entry_pod(b)->phase == NP_RUNNING;
    int cmp;

    if (a_local != b_local || a_runs != b_runs) {
        return a_local != b_local ? a_local : a_runs;
    }
    cmp = strcmp(a->object->namespace, b->object->namespace);
    return (cmp ? cmp : strcmp(a->object->name, b->object->name)) < 0;
}

struct np_entry *
np_point_owner(const struct np_compiler *c, const struct np_point *point)
{
    struct np_entry *const *v = (point->n_claims == 1 ? &point->claims.one
                                 : point->claims.more);
    struct np_entry *best = NULL;

    for (size_t i = 0; i < point->n_claims; i++) {
        if (!best || claims_better(c, v[i], best)) {
            best = v[i];
        }
    }
    return point->node && best && !np_binding_find(c->binding, best) ? NULL
           : best;
}

static size_t
find_claim(const struct np_point *point, const struct np_entry *pod)
{
    struct np_entry *const *v = (point->n_claims == 1 ? &point->claims.one
                                 : point->claims.more);
    size_t i = 0;

    while (i < point->n_claims && v[i] != pod) {
        i++;
    }
    return i;
}

void
np_point_claim(struct np_compiler *c, const struct np_prefix *prefix,
               struct np_entry *pod)
{
    struct np_point *point = np_point_at(c, prefix);
    size_t n = point->n_claims;

    if (find_claim(point, pod) < n) {
        return;
    }
    np_point_mark(c, point);
    if (!n) {
        point->claims.one = pod;
    } else {
        struct np_entry **more = xmalloc((n + 1) * sizeof *more);

        memcpy(more, n == 1 ? &point->claims.one : point->claims.more,
               n * sizeof *more);
        more[n] = pod;
        if (n > 1) {
            free(point->claims.more);
        }
        point->claims.more = more;
    }
    point->n_claims++;
    pod->point = pod->n_points++ ? NULL : point;
}

void
np_point_unclaim(struct np_compiler *c, const struct np_prefix *prefix,
                 struct np_entry *pod)
{
    struct np_point *point = np_point_find(c, prefix);
    size_t i = point ? find_claim(point, pod) : 0;

    if (!point || i >= point->n_claims) {
        return;
    }
    np_point_mark(c, point);
    pod->n_points--;
    pod->point = NULL;
    if (point->pod == pod) {
        point->pod = NULL;
    }
    if (--point->n_claims) {
        struct np_entry **more = point->claims.more;

        more[i] = more[point->n_claims];
        if (point->n_claims == 1) {
            point->claims.one = more[0];
            free(more);
        }
    }
}

void
np_point_set_node(struct np_compiler *c, const struct np_prefix *prefix,
                  bool node)
{
    struct np_point *point = np_point_at(c, prefix);

    point->node = node;
    np_point_mark(c, point);
}

static struct np_ends *
ends_at(struct np_compiler *c, const struct np_prefix *prefix)
{
    struct np_point *point = np_point_at(c, prefix);

    np_point_mark(c, point);
    if (!point->ends) {
        point->ends = xzalloc(sizeof *point->ends);
    }
    return point->ends;
}

static void
ends_destroy(struct np_ends *ends)
{
    np_idset_clear(&ends->begins);
    np_idset_clear(&ends->ends);
    np_idset_clear(&ends->inside);
    free(ends);
}

static void
drop_ends_if_void(struct np_compiler *c, const struct np_prefix *prefix)
{
    struct np_point *point = np_point_find(c, prefix);

    np_point_mark(c, point);
    if (!point->ends->begins.n && !point->ends->ends.n && !point->fixed) {
        ends_destroy(point->ends);
        point->ends = NULL;
    }
}

void
np_points_add_block(struct np_compiler *c, uint32_t id)
{
    const struct np_cblock *block = c->blocks.v[id];
    const struct np_ipblock *b = block->block;

    np_idset_add(&ends_at(c, &b->cidr)->begins, id);
    for (size_t i = 0; i < b->n_except; i++) {
        np_idset_add(&ends_at(c, &b->except[i])->ends, id);
    }
}

void
np_points_remove_block(struct np_compiler *c, uint32_t id)
{
    const struct np_cblock *block = c->blocks.v[id];
    const struct np_ipblock *b = block->block;

    /* An exception may stand there twice. */
    for (size_t i = 0; i < b->n_except; i++) {
        struct np_point *point = np_point_find(c, &b->except[i]);

        if (point && point->ends) {
            np_idset_remove(&point->ends->ends, id);
            drop_ends_if_void(c, &b->except[i]);
        }
    }
    np_idset_remove(&np_point_find(c, &b->cidr)->ends->begins, id);
    drop_ends_if_void(c, &b->cidr);
}

struct marking {
    struct np_compiler *c;
    uint32_t id;
};

static bool
mark_inside(struct np_point *point, void *marking_)
{
    const struct marking *m = marking_;

    np_point_mark(m->c, point);
    return !point->ends || !np_idset_contains(&point->ends->ends, m->id);
}

void
np_points_mark_block(struct np_compiler *c, uint32_t id)
{
    const struct np_cblock *block = c->blocks.v[id];
    struct marking m = { c, id };

    np_space_for_each(c->points, &block->block->cidr, mark_inside, &m);
}

void
np_point_destroy(struct np_point *point)
{
    if (point->n_claims > 1) {
        free(point->claims.more);
    }
    if (point->ends) {
        ends_destroy(point->ends);
    }
    free(point);
}

static const struct np_prefix any[] = { { .family = 4 }, { .family = 6 } };

/* What is nobody's has an identity as well. */
void
np_points_init(struct np_compiler *c)
{
    c->points = np_space_create();
    for (int i = 0; i < 2; i++) {
        struct np_point *point = np_point_at(c, &any[i]);

        point->fixed = true;
        point->ends = xzalloc(sizeof *point->ends);
    }
}

static bool
destroy_point(struct np_point *point, void *aux OVS_UNUSED)
{
    np_point_destroy(point);
    return true;
}

void
np_points_destroy(struct np_compiler *c)
{
    for (int i = 0; i < 2; i++) {
        np_space_for_each(c->points, &any[i], destroy_point, NULL);
    }
    np_space_destroy(c->points);
}

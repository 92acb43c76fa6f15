/* What an address belongs to.
 *
 * Two kinds of membership meet here.  A pod is in a set because a selector
 * matches it: that holds for its addresses alone.  An address is in a set
 * because an IP block covers it: that holds for whole stretches, ends where an
 * exception begins, and includes the addresses of pods and nodes.  What is
 * inside a point is what is inside the point around it, plus the blocks that
 * begin here, less those that except it. */

#include <config.h>
#include "compile/stage.h"

#include "coverage.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_point);

static void
add_pod_sets(struct np_compiler *c, const struct np_entry *pod,
             struct np_idset *sets)
{
    const struct np_profile *profile = pod->profile;

    for (size_t i = 0; profile && i < profile->groups.n; i++) {
        uint32_t group = profile->groups.v[i];

        if (group < c->n_by_group) {
            np_idset_union(sets, &c->by_group[group]);
        }
    }
}

/* The applied sets that a pod of this node is in, and how they isolate it. */
static uint32_t
add_applied_sets(struct np_compiler *c, const struct np_clocal *l,
                 struct np_idset *sets)
{
    uint32_t flags = NP_ID_LOCAL;

    for (size_t i = 0; i < l->applied.n; i++) {
        uint32_t id = l->applied.v[i];
        const struct np_set *set = c->policies->set_by_id.v[id];
        const struct np_cset *cset = np_by_set(c, id)->cset;

        if (cset) {
            np_idset_add(sets, cset->id);
        }
        if (set->n_isolations[NP_EGRESS]) {
            flags |= NP_ID_ISOLATED_EGRESS;
        }
        if (set->n_isolations[NP_INGRESS]) {
            flags |= NP_ID_ISOLATED_INGRESS;
        }
    }
    return flags;
}

/* The blocks that cover what is inside POINT, or POINT itself if it is too
 * small to have an inside. */
static const struct np_idset *
blocks_at(struct np_point *point, const struct np_point *around)
{
    static const struct np_idset none;
    const struct np_idset *inside = around ? &around->ends->inside : &none;
    struct np_ends *ends = point->ends;

    if (!ends) {
        return inside;
    }
    np_idset_clear(&ends->inside);
    np_idset_clone(&ends->inside, inside);
    np_idset_union(&ends->inside, &ends->begins);
    for (size_t i = 0; i < ends->ends.n; i++) {
        np_idset_remove(&ends->inside, ends->ends.v[i]);
    }
    return &ends->inside;
}

uint32_t
np_content(struct np_compiler *c, struct np_point *point,
           const struct np_point *around, struct np_idset *sets)
{
    uint32_t flags = NP_ID_KNOWN | (point->node ? NP_ID_NODE : 0);
    const struct np_idset *blocks = blocks_at(point, around);

    COVERAGE_INC(np_compile_point);
    point->pod = np_point_owner(c, point);
    if (point->pod) {
        const struct np_clocal *l = np_clocal_find(c, point->pod);

        add_pod_sets(c, point->pod, sets);
        if (l) {
            flags |= add_applied_sets(c, l, sets);
        }
    }
    for (size_t i = 0; i < blocks->n; i++) {
        const struct np_cblock *block = c->blocks.v[blocks->v[i]];

        np_idset_add(sets, block->cset->id);
    }
    if (point->pod) {
        np_named_resolve(c, np_entry_pod(point->pod), sets);
    }
    return flags;
}

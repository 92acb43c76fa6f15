/* Sets of flows and the difference of two of them.
 *
 * What should be installed and what is installed are two sets; what has to
 * be said to the switch is their difference.  Everything that leaves a set
 * as a list is sorted, so that equal sets give equal text and equal
 * messages. */

#include <config.h>

#include "flow-private.h"

#include <stdlib.h>

#include "util.h"

void
np_flow_set_init(struct np_flow_set *set)
{
    hmap_init(&set->flows);
}

void
np_flow_set_destroy(struct np_flow_set *set)
{
    if (set) {
        np_flow_set_clear(set);
        hmap_destroy(&set->flows);
    }
}

void
np_flow_set_clear(struct np_flow_set *set)
{
    struct np_flow *flow;

    HMAP_FOR_EACH_SAFE (flow, node, &set->flows) {
        hmap_remove(&set->flows, &flow->node);
        np_flow_destroy(flow);
    }
    hmap_shrink(&set->flows);
}

void
np_flow_set_swap(struct np_flow_set *a, struct np_flow_set *b)
{
    hmap_swap(&a->flows, &b->flows);
}

size_t
np_flow_set_count(const struct np_flow_set *set)
{
    return hmap_count(&set->flows);
}

struct np_flow *
np_flow_set_put(struct np_flow_set *set, struct np_flow *flow)
{
    struct np_flow *old = np_flow_set_find(set, flow);

    if (old) {
        hmap_remove(&set->flows, &old->node);
    }
    hmap_insert(&set->flows, &flow->node, flow->node.hash);
    return old;
}

struct np_flow *
np_flow_set_find(const struct np_flow_set *set, const struct np_flow *flow)
{
    struct np_flow *f;

    HMAP_FOR_EACH_WITH_HASH (f, node, flow->node.hash, &set->flows) {
        if (np_flow_same_key(f, flow)) {
            return f;
        }
    }
    return NULL;
}

void
np_flow_set_remove(struct np_flow_set *set, struct np_flow *flow)
{
    hmap_remove(&set->flows, &flow->node);
}

const struct np_flow **
np_flow_set_sort(const struct np_flow_set *set)
{
    const struct np_flow **flows;
    const struct np_flow *flow;
    size_t n = 0;

    flows = xmalloc(MAX(1, np_flow_set_count(set)) * sizeof *flows);
    HMAP_FOR_EACH (flow, node, &set->flows) {
        flows[n++] = flow;
    }
    np_flows_sort(flows, n);
    return flows;
}

/* The flows of FROM whose key is not in TO. */
static void
collect_deletions(const struct np_flow_set *from, const struct np_flow_set *to,
                  struct np_flow_delta *delta)
{
    const struct np_flow *flow;
    size_t allocated = 0;

    HMAP_FOR_EACH (flow, node, &from->flows) {
        if (!np_flow_set_find(to, flow)) {
            if (delta->n_del >= allocated) {
                delta->del = x2nrealloc(delta->del, &allocated,
                                        sizeof *delta->del);
            }
            delta->del[delta->n_del++] = flow;
        }
    }
}

void
np_flow_set_diff(const struct np_flow_set *from, const struct np_flow_set *to,
                 struct np_flow_delta *delta)
{
    size_t allocated = 0, n_common = 0;
    const struct np_flow *flow;

    *delta = (struct np_flow_delta) { .n_put = 0 };
    HMAP_FOR_EACH (flow, node, &to->flows) {
        const struct np_flow *old = np_flow_set_find(from, flow);

        n_common += old != NULL;
        if (old && np_flow_same_body(old, flow)) {
            continue;
        }
        if (delta->n_put >= allocated) {
            delta->put = x2nrealloc(delta->put, &allocated,
                                    sizeof *delta->put);
        }
        delta->put[delta->n_put++] = flow;
        delta->n_new += !old;
    }
    /* Mostly there is none, and a look at each flow costs. */
    if (n_common < np_flow_set_count(from)) {
        collect_deletions(from, to, delta);
    }
    np_flows_sort(delta->put, delta->n_put);
    np_flows_sort(delta->del, delta->n_del);
}

void
np_flow_delta_destroy(struct np_flow_delta *delta)
{
    if (delta) {
        free(delta->put);
        free(delta->del);
        *delta = (struct np_flow_delta) { .n_put = 0 };
    }
}

/* Changes of a flow set that are known without comparing two whole ones. */

#include <config.h>

#include "flow-private.h"

#include <string.h>

#include "util.h"

void
np_flow_patch_init(struct np_flow_patch *patch)
{
    np_flow_set_init(&patch->put);
    np_flow_set_init(&patch->del);
    memset(&patch->forget, 0, sizeof patch->forget);
}

void
np_flow_patch_destroy(struct np_flow_patch *patch)
{
    if (patch) {
        np_flow_set_destroy(&patch->put);
        np_flow_set_destroy(&patch->del);
        np_addr_list_clear(&patch->forget);
    }
}

void
np_flow_patch_clear(struct np_flow_patch *patch)
{
    np_flow_set_clear(&patch->put);
    np_flow_set_clear(&patch->del);
    np_addr_list_clear(&patch->forget);
}

void
np_flow_patch_swap(struct np_flow_patch *a, struct np_flow_patch *b)
{
    struct np_addr_list forget;

    np_flow_set_swap(&a->put, &b->put);
    np_flow_set_swap(&a->del, &b->del);
    forget = a->forget;
    a->forget = b->forget;
    b->forget = forget;
}

bool
np_flow_patch_is_empty(const struct np_flow_patch *patch)
{
    return (hmap_is_empty(&patch->put.flows)
            && hmap_is_empty(&patch->del.flows));
}

/* Frees the flow of SET that has the key of FLOW, if there is one. */
static void
drop(struct np_flow_set *set, const struct np_flow *flow)
{
    struct np_flow *old = np_flow_set_find(set, flow);

    if (old) {
        np_flow_set_remove(set, old);
        np_flow_destroy(old);
    }
}

void
np_flow_patch_put(struct np_flow_patch *patch, struct np_flow *flow)
{
    drop(&patch->del, flow);
    np_flow_destroy(np_flow_set_put(&patch->put, flow));
}

void
np_flow_patch_del(struct np_flow_patch *patch, struct np_flow *flow)
{
    drop(&patch->put, flow);
    np_flow_destroy(np_flow_set_put(&patch->del, flow));
}

void
np_flow_patch_join(struct np_flow_patch *patch, struct np_flow_patch *next)
{
    struct np_flow *flow;

    HMAP_FOR_EACH_SAFE (flow, node, &next->del.flows) {
        np_flow_set_remove(&next->del, flow);
        np_flow_patch_del(patch, flow);
    }
    HMAP_FOR_EACH_SAFE (flow, node, &next->put.flows) {
        np_flow_set_remove(&next->put, flow);
        np_flow_patch_put(patch, flow);
    }
    np_addr_list_move(&patch->forget, &next->forget);
}

void
np_flow_patch_diff(const struct np_flow_patch *patch,
                   const struct np_flow_set *set, struct np_flow_delta *delta)
{
    const struct np_flow *flow;

    *delta = (struct np_flow_delta) {
        .put = xmalloc(MAX(1, np_flow_set_count(&patch->put))
                       * sizeof *delta->put),
        .del = xmalloc(MAX(1, np_flow_set_count(&patch->del))
                       * sizeof *delta->del),
    };
    HMAP_FOR_EACH (flow, node, &patch->put.flows) {
        const struct np_flow *old = np_flow_set_find(set, flow);

        if (!old || !np_flow_same_body(old, flow)) {
            delta->put[delta->n_put++] = flow;
            delta->n_new += !old;
        }
    }
    HMAP_FOR_EACH (flow, node, &patch->del.flows) {
        if (np_flow_set_find(set, flow)) {
            delta->del[delta->n_del++] = flow;
        }
    }
    np_flows_sort(delta->put, delta->n_put);
    np_flows_sort(delta->del, delta->n_del);
}

void
np_flow_patch_apply(struct np_flow_patch *patch, struct np_flow_set *set)
{
    struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &patch->del.flows) {
        drop(set, flow);
    }
    np_flow_set_clear(&patch->del);
    HMAP_FOR_EACH_SAFE (flow, node, &patch->put.flows) {
        np_flow_set_remove(&patch->put, flow);
        np_flow_destroy(np_flow_set_put(set, flow));
    }
}

void
np_flow_patch_add_diff(struct np_flow_patch *patch,
                       const struct np_flow_set *from,
                       const struct np_flow_set *to)
{
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &from->flows) {
        if (!np_flow_set_find(to, flow)) {
            np_flow_patch_del(patch, np_flow_clone(flow));
        }
    }
    HMAP_FOR_EACH (flow, node, &to->flows) {
        const struct np_flow *old = np_flow_set_find(from, flow);

        if (!old || !np_flow_same_body(old, flow)) {
            np_flow_patch_put(patch, np_flow_clone(flow));
        }
    }
}

void
np_flow_patch_take_diff(struct np_flow_patch *patch, struct np_flow_set *from,
                        struct np_flow_set *to)
{
    struct np_flow *flow, *new;

    HMAP_FOR_EACH_SAFE (flow, node, &from->flows) {
        np_flow_set_remove(from, flow);
        new = np_flow_set_find(to, flow);
        if (!new) {
            np_flow_patch_del(patch, flow);
            continue;
        }
        if (np_flow_same_body(flow, new)) {
            np_flow_set_remove(to, new);
            np_flow_destroy(new);
        }
        np_flow_destroy(flow);
    }
    HMAP_FOR_EACH_SAFE (flow, node, &to->flows) {
        np_flow_set_remove(to, flow);
        np_flow_patch_put(patch, flow);
    }
}

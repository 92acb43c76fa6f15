/* Flows in np_flow_compare() order, many at a time.
 *
 * That order looks at table and priority, at which fields are matched and
 * with which masks, and at the values last.  A large table has few sorts of
 * flows that differ in anything but values, so these sorts are put in order
 * first, by a flow of each.  Within one, two flows mostly differ already in
 * the first eight bytes that are not the same in all: those are gathered
 * beside the pointers, and comparing two flows does not mean a look at both
 * of them somewhere in memory. */

#include <config.h>

#include "flow-private.h"

#include <stdlib.h>

#include "flow.h"
#include "hash.h"
#include "util.h"

/* Fewer flows than this are not worth it. */
enum { FEW = 64 };

/* All flows with the same table, priority and mask. */
struct sort {
    struct hmap_node node;
    const struct np_flow *first;
    size_t n;
    size_t start;               /* Place of its next flow. */
};

struct entry {
    uint64_t key;
    const struct np_flow *flow;
};

static int
compare_pointers(const void *a, const void *b)
{
    return np_flow_compare(*(const struct np_flow *const *) a,
                           *(const struct np_flow *const *) b);
}

static int
compare_sorts(const void *a_, const void *b_)
{
    const struct sort *const *a = a_, *const *b = b_;

    return np_flow_compare((*a)->first, (*b)->first);
}

static int
compare_entries(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;

    return (a->key != b->key ? (a->key < b->key ? -1 : 1)
            : np_flow_compare(a->flow, b->flow));
}

static bool
same_sort(const struct np_flow *a, const struct np_flow *b)
{
    return (a->table == b->table && a->priority == b->priority
            && np_flow_same_mask(a, b));
}

static struct sort *
find_sort(struct hmap *sorts, const struct np_flow *flow)
{
    uint32_t hash = hash_2words(np_flow_mask_hash(flow),
                                flow->table << 16 | flow->priority);
    struct sort *sort;

    HMAP_FOR_EACH_WITH_HASH (sort, node, hash, sorts) {
        if (same_sort(sort->first, flow)) {
            return sort;
        }
    }
    sort = xzalloc(sizeof *sort);
    sort->first = flow;
    hmap_insert(sorts, &sort->node, hash);
    return sort;
}

/* Gives each of SORTS its place in the whole. */
static void
place_sorts(struct hmap *sorts)
{
    struct sort **array = xmalloc(hmap_count(sorts) * sizeof *array);
    size_t n = 0, start = 0;
    struct sort *sort;

    HMAP_FOR_EACH (sort, node, sorts) {
        array[n++] = sort;
    }
    qsort(array, n, sizeof *array, compare_sorts);
    for (size_t i = 0; i < n; i++) {
        array[i]->start = start;
        start += array[i]->n;
    }
    free(array);
}

/* The first piece of a match in which the N ENTRIES, of one sort, differ, as
 * a number among the pieces that it has; or SIZE_MAX. */
static size_t
first_difference(const struct entry *entries, size_t n)
{
    const struct miniflow *first = np_flow_value(entries[0].flow);
    size_t best = SIZE_MAX;

    for (size_t i = 1; i < n; i++) {
        const struct miniflow *other = np_flow_value(entries[i].flow);
        size_t n_values = MIN(miniflow_n_values(first), best);

        for (size_t j = 0; j < n_values; j++) {
            if (miniflow_get_values(first)[j]
                != miniflow_get_values(other)[j]) {
                best = j;
                break;
            }
        }
    }
    return best;
}

/* The place in struct flow, in 64-bit pieces, of the one with number NTH among
 * those that MAP has. */
static size_t
piece_index(struct flowmap map, size_t nth)
{
    size_t idx;

    FLOWMAP_FOR_EACH_INDEX (idx, map) {
        if (!nth--) {
            return idx;
        }
    }
    OVS_NOT_REACHED();
}

/* Orders N ENTRIES, all of one sort. */
static void
order_entries(struct entry *entries, size_t n)
{
    size_t nth = n > 1 ? first_difference(entries, n) : SIZE_MAX;

    if (nth == SIZE_MAX) {
        return;
    }
    size_t idx = piece_index(np_flow_value(entries[0].flow)->map, nth);
    for (size_t i = 0; i < n; i++) {
        const struct miniflow *values = np_flow_value(entries[i].flow);

        entries[i].key = np_flow_piece_key(idx,
                                           miniflow_get_values(values)[nth]);
    }
    qsort(entries, n, sizeof *entries, compare_entries);
}

static void
order_sorts(const struct hmap *sorts, struct entry *entries)
{
    const struct sort *sort;

    HMAP_FOR_EACH (sort, node, sorts) {
        /* 'start' is behind its last flow by now. */
        order_entries(&entries[sort->start - sort->n], sort->n);
    }
}

static void
sort_many(const struct np_flow **flows, size_t n)
{
    struct entry *entries = xmalloc(n * sizeof *entries);
    struct sort **of = xmalloc(n * sizeof *of);
    struct hmap sorts = HMAP_INITIALIZER(&sorts);
    struct sort *sort = NULL;

    for (size_t i = 0; i < n; i++) {
        if (!sort || !same_sort(sort->first, flows[i])) {
            sort = find_sort(&sorts, flows[i]);
        }
        sort->n++;
        of[i] = sort;
    }
    place_sorts(&sorts);
    for (size_t i = 0; i < n; i++) {
        entries[of[i]->start++].flow = flows[i];
    }
    order_sorts(&sorts, entries);
    for (size_t i = 0; i < n; i++) {
        flows[i] = entries[i].flow;
    }
    HMAP_FOR_EACH_POP (sort, node, &sorts) {
        free(sort);
    }
    hmap_destroy(&sorts);
    free(of);
    free(entries);
}

void
np_flows_sort(const struct np_flow **flows, size_t n)
{
    if (n >= FEW) {
        sort_many(flows, n);
    } else if (n > 1) {
        qsort(flows, n, sizeof *flows, compare_pointers);
    }
}

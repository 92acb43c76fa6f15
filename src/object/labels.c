/* Labels: a sorted array of keys with their values, which all objects of one
 * pool that have the same labels share. */

#include <config.h>
#include "netpol/object.h"

#include <string.h>

#include "netpol/pool.h"

const char *
np_labels_get(const struct np_labels *labels, const char *key)
{
    size_t lo = 0;
    size_t hi = labels->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int cmp = strcmp(labels->v[mid].key, key);

        if (!cmp) {
            return labels->v[mid].value;
        } else if (cmp < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

bool
np_labels_equal(const struct np_labels *a, const struct np_labels *b)
{
    if (a->n != b->n) {
        return false;
    }
    if (a->v == b->v) {
        return true;            /* Of one pool. */
    }
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i].key, b->v[i].key)
            || strcmp(a->v[i].value, b->v[i].value)) {
            return false;
        }
    }
    return true;
}

static void
put_strings(const struct np_label *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        np_pool_put(v[i].key);
        np_pool_put(v[i].value);
    }
}

void
np_labels_destroy(struct np_labels *labels)
{
    if (labels->v && np_pool_is_last(labels->v)) {
        put_strings(labels->v, labels->n);
    }
    np_pool_put(labels->v);
    memset(labels, 0, sizeof *labels);
}

struct np_labels
np_labels_share(struct np_pool *pool, const struct np_label *v, size_t n)
{
    struct np_labels labels = { NULL, n };
    bool shared;

    if (n) {
        labels.v = np_pool_get(pool, v, n * sizeof *v, &shared);
        if (shared) {
            put_strings(v, n);  /* It has them. */
        }
    }
    return labels;
}

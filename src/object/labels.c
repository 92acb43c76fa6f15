/* Labels: a sorted array of keys with their values. */

#include <config.h>
#include "netpol/object.h"

#include <stdlib.h>
#include <string.h>

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
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i].key, b->v[i].key)
            || strcmp(a->v[i].value, b->v[i].value)) {
            return false;
        }
    }
    return true;
}

void
np_labels_destroy(struct np_labels *labels)
{
    for (size_t i = 0; i < labels->n; i++) {
        free(labels->v[i].key);
        free(labels->v[i].value);
    }
    free(labels->v);
    memset(labels, 0, sizeof *labels);
}

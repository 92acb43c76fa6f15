/* Sets of ids as sorted arrays.
 *
 * Most of our sets have a handful of members and are compared, hashed and
 * walked far more often than they change, so an array beats any tree. */

#include <config.h>
#include "netpol/idset.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "util.h"

/* The index of the first member that is not below ID. */
static size_t
lower_bound(const struct np_idset *set, uint32_t id)
{
    size_t lo = 0;
    size_t hi = set->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (set->v[mid] < id) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

bool
np_idset_add(struct np_idset *set, uint32_t id)
{
    /* Sets are mostly filled in rising order. */
    size_t i = set->n && set->v[set->n - 1] < id ? set->n
                                                 : lower_bound(set, id);

    if (i < set->n && set->v[i] == id) {
        return false;
    }
    if (set->n >= set->allocated) {
        set->v = x2nrealloc(set->v, &set->allocated, sizeof *set->v);
    }
    memmove(set->v + i + 1, set->v + i, (set->n - i) * sizeof *set->v);
    set->v[i] = id;
    set->n++;
    return true;
}

bool
np_idset_remove(struct np_idset *set, uint32_t id)
{
    size_t i = lower_bound(set, id);

    if (i >= set->n || set->v[i] != id) {
        return false;
    }
    set->n--;
    memmove(set->v + i, set->v + i + 1, (set->n - i) * sizeof *set->v);
    return true;
}

bool
np_idset_contains(const struct np_idset *set, uint32_t id)
{
    size_t i = lower_bound(set, id);

    return i < set->n && set->v[i] == id;
}

bool
np_idset_equal(const struct np_idset *a, const struct np_idset *b)
{
    return a->n == b->n
           && (!a->n || !memcmp(a->v, b->v, a->n * sizeof *a->v));
}

int
np_idset_compare(const struct np_idset *a, const struct np_idset *b)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (a->v[i] != b->v[i]) {
            return a->v[i] < b->v[i] ? -1 : 1;
        }
    }
    return 0;
}

uint32_t
np_idset_hash(const struct np_idset *set, uint32_t basis)
{
    return hash_words(set->v, set->n, basis);
}

void
np_idset_clone(struct np_idset *dst, const struct np_idset *src)
{
    dst->n = dst->allocated = src->n;
    dst->v = src->n ? xmemdup(src->v, src->n * sizeof *src->v) : NULL;
}

void
np_idset_union(struct np_idset *dst, const struct np_idset *src)
{
    size_t max = dst->n + src->n;
    uint32_t *v;
    size_t i = 0, j = 0, n = 0;

    if (!src->n) {
        return;
    }
    v = xmalloc(max * sizeof *v);
    while (i < dst->n || j < src->n) {
        if (j >= src->n || (i < dst->n && dst->v[i] < src->v[j])) {
            v[n++] = dst->v[i++];
        } else {
            if (i < dst->n && dst->v[i] == src->v[j]) {
                i++;
            }
            v[n++] = src->v[j++];
        }
    }
    free(dst->v);
    dst->v = v;
    dst->n = n;
    dst->allocated = max;
}

void
np_idset_clear(struct np_idset *set)
{
    free(set->v);
    memset(set, 0, sizeof *set);
}

#ifndef NETPOL_IDSET_H
#define NETPOL_IDSET_H 1

/* Small sorted sets of 32-bit ids. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorted, without duplicates.  All zeros is the empty set. */
struct np_idset {
    uint32_t *v;
    size_t n;
    size_t allocated;
};

/* Returns true if ID was not yet there. */
bool np_idset_add(struct np_idset *, uint32_t id);
/* Returns true if ID was there. */
bool np_idset_remove(struct np_idset *, uint32_t id);
bool np_idset_contains(const struct np_idset *, uint32_t id);
bool np_idset_equal(const struct np_idset *, const struct np_idset *);
/* Orders by size, then by the first id that differs. */
int np_idset_compare(const struct np_idset *, const struct np_idset *);
uint32_t np_idset_hash(const struct np_idset *, uint32_t basis);
void np_idset_clone(struct np_idset *dst, const struct np_idset *src);
/* Adds all of SRC to DST. */
void np_idset_union(struct np_idset *dst, const struct np_idset *src);
void np_idset_clear(struct np_idset *);

#endif /* netpol/idset.h */

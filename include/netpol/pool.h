#ifndef NETPOL_POOL_H
#define NETPOL_POOL_H 1

/* Values that many objects share, each kept once.
 *
 * A value is some bytes that never change.  It counts who has it, so it can be
 * given back without its pool; and a value that was made without a pool is one
 * that nobody else has, to be given back in the same way. */

#include <stdbool.h>
#include <stddef.h>

struct np_pool;

struct np_pool *np_pool_create(void);
/* Values may live on; with the last of them goes what is left of the pool.
 * NULL is allowed. */
void np_pool_destroy(struct np_pool *);

/* Returns a value equal to the SIZE bytes at DATA, aligned for anything, to be
 * given back by np_pool_put().  From one POOL, equal values are one pointer;
 * POOL may be NULL.  '*shared' tells whether somebody else has it already;
 * SHARED may be NULL. */
const void *np_pool_get(struct np_pool *, const void *data, size_t size,
                        bool *shared);
/* The same for a string with its null.  NULL gives NULL. */
const char *np_pool_string(struct np_pool *, const char *);
/* One more has VALUE, which may be NULL; returns it. */
const void *np_pool_ref(const void *value);
/* Has nobody else VALUE?  Then who gives it back must first give back what it
 * points to. */
bool np_pool_is_last(const void *value);
/* Gives VALUE back, which may be NULL. */
void np_pool_put(const void *value);
/* How many values are there? */
size_t np_pool_count(const struct np_pool *);

#endif /* netpol/pool.h */

#ifndef NETPOL_SLOTS_H
#define NETPOL_SLOTS_H 1

/* Small numbers for things that come and go: each gets one that is free, and
 * is found by it. */

#include <stddef.h>
#include <stdint.h>

/* All zeros is empty. */
struct np_slots {
    void **v;                   /* NULL where nothing is. */
    uint32_t n;                 /* Numbers are below this. */
    size_t allocated;
    uint32_t *free;             /* Numbers that are free again. */
    size_t n_free, allocated_free;
};

/* Puts THING, not NULL, in a slot and returns its number. */
uint32_t np_slots_put(struct np_slots *, void *thing);
void np_slots_remove(struct np_slots *, uint32_t number);
void np_slots_destroy(struct np_slots *);

#endif /* netpol/slots.h */

/* Numbers for things that come and go. */

#include <config.h>
#include "netpol/slots.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

uint32_t
np_slots_put(struct np_slots *slots, void *thing)
{
    uint32_t number;

    if (slots->n_free) {
        number = slots->free[--slots->n_free];
    } else {
        if (slots->n >= slots->allocated) {
            slots->v = x2nrealloc(slots->v, &slots->allocated,
                                  sizeof *slots->v);
        }
        number = slots->n++;
    }
    slots->v[number] = thing;
    return number;
}

void
np_slots_remove(struct np_slots *slots, uint32_t number)
{
    if (slots->n_free >= slots->allocated_free) {
        slots->free = x2nrealloc(slots->free, &slots->allocated_free,
                                 sizeof *slots->free);
    }
    slots->v[number] = NULL;
    slots->free[slots->n_free++] = number;
}

void
np_slots_destroy(struct np_slots *slots)
{
    free(slots->v);
    free(slots->free);
    memset(slots, 0, sizeof *slots);
}

/* A list of changes. */

#include <config.h>
#include "netpol/change.h"

#include <stdlib.h>

#include "util.h"

void
np_changes_add(struct np_changes *changes, const struct np_meta *old,
               const struct np_meta *new)
{
    ovs_assert(old || new);
    if (changes->n >= changes->allocated) {
        changes->v = x2nrealloc(changes->v, &changes->allocated,
                                sizeof *changes->v);
    }
    changes->v[changes->n++] = (struct np_change) { old, new };
}

void
np_changes_clear(struct np_changes *changes)
{
    free(changes->v);
    *changes = (struct np_changes) { NULL, 0, 0 };
}

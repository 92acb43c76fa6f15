#ifndef NETPOL_CHANGE_H
#define NETPOL_CHANGE_H 1

/* What happened to objects, as a list that one stage hands to the next. */

#include <stddef.h>
#include "netpol/object.h"

/* An object that came ('old' is NULL), went ('new' is NULL) or is another one
 * now.  Both have the same kind, namespace and name. */
struct np_change {
    const struct np_meta *old;
    const struct np_meta *new;
};

/* In the order in which they happened; all zeros is none.  The same key may
 * occur more than once, each time going on from where it was before. */
struct np_changes {
    struct np_change *v;
    size_t n;
    size_t allocated;
};

/* At most one of OLD and NEW may be NULL. */
void np_changes_add(struct np_changes *, const struct np_meta *old,
                    const struct np_meta *new);
/* Makes it empty; the objects are not touched. */
void np_changes_clear(struct np_changes *);

#endif /* netpol/change.h */

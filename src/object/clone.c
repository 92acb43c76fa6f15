/* Copies of parts of objects, for who keeps them longer than the object. */

#include <config.h>
#include "netpol/object.h"

#include <stdlib.h>

#include "netpol/pool.h"
#include "util.h"

void
np_labels_clone(struct np_labels *dst, const struct np_labels *src)
{
    *dst = (struct np_labels) { np_pool_ref(src->v), src->n };
}

void
np_selector_clone(struct np_selector *dst, const struct np_selector *src)
{
    dst->n = src->n;
    dst->v = src->n ? xmalloc(src->n * sizeof *dst->v) : NULL;
    for (size_t i = 0; i < src->n; i++) {
        const struct np_requirement *from = &src->v[i];
        struct np_requirement *to = &dst->v[i];

        to->key = xstrdup(from->key);
        to->op = from->op;
        to->n_values = from->n_values;
        to->values = (from->n_values
                      ? xmalloc(from->n_values * sizeof *to->values) : NULL);
        for (size_t j = 0; j < from->n_values; j++) {
            to->values[j] = xstrdup(from->values[j]);
        }
    }
}

/* What all sources have in common: how they are named, and lists of what they
 * have. */

#include <config.h>
#include "netpol/source.h"

#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "util.h"

struct np_source *
np_source_open(const char *spec, char **error)
{
    *error = NULL;
    if (!strncmp(spec, "dir:", 4)) {
        if (spec[4]) {
            return np_dir_open(spec, spec + 4);
        }
        *error = xasprintf("%s: the directory is missing", spec);
    } else {
        *error = xasprintf("%s: not a source, expected dir:PATH", spec);
    }
    return NULL;
}

void
np_last_good_init(struct np_last_good *last)
{
    memset(last, 0, sizeof *last);
    simap_init(&last->kept);
}

void
np_last_good_destroy(struct np_last_good *last)
{
    for (size_t i = 0; i < last->n; i++) {
        np_object_destroy(last->v[i]);
    }
    free(last->v);
    simap_destroy(&last->kept);
}

struct list {
    const struct np_meta **v;
    size_t n;
};

static void
add_to_list(const struct np_meta *object, void *list_)
{
    struct list *list = list_;

    list->v[list->n++] = object;
}

static int
compare_keys(const void *a_, const void *b_)
{
    const struct np_meta *const *a = a_;
    const struct np_meta *const *b = b_;

    return np_object_compare_keys(*a, *b);
}

const struct np_meta **
np_source_sort(const struct np_source *s)
{
    struct list list = { xmalloc((s->n_objects + 1) * sizeof *list.v), 0 };

    np_source_for_each(s, add_to_list, &list);
    ovs_assert(list.n == s->n_objects);
    qsort(list.v, list.n, sizeof *list.v, compare_keys);
    return list.v;
}

#ifndef NETPOL_SOURCE_H
#define NETPOL_SOURCE_H 1

/* Where objects come from.
 *
 * A source is a vtable: it is run in the poll loop, and says that it was read
 * whole at least once before anything of it is applied.  It hands out its
 * objects as one list that replaces the list before. */

#include <stdbool.h>
#include <stddef.h>
#include "netpol/error.h"
#include "netpol/object.h"

struct ds;
struct np_source;

struct np_source_class {
    /* Does what is due without blocking; returns true if the objects or the
     * state changed since the last call. */
    bool (*run)(struct np_source *);
    void (*wait)(struct np_source *);
    /* Reads again at once, without settle time: what netpol/wait asks for. */
    void (*refresh)(struct np_source *);
    void (*destroy)(struct np_source *);
};

/* What every source shows.  Read only for its users. */
struct np_source {
    const struct np_source_class *class;
    char *name;                 /* "dir:/etc/…", as the user wrote it. */
    bool complete;              /* Was read whole at least once. */
    bool lost;                  /* Was complete, cannot be read now: the
                                 * objects are its last good ones. */
    char *problem;              /* Why not complete or lost, or NULL. */
    const struct np_meta **objects;     /* Sorted by kind, namespace and name;
                                         * no two are the same.  The array is
                                         * borrowed until the next run() or
                                         * refresh(), each object in it until
                                         * the run() after the one that
                                         * returned true because it left. */
    size_t n_objects;
    struct np_errors errors;    /* Of the objects that were refused. */
    struct np_errors warnings;  /* What was accepted in spite of doubts. */
    size_t n_skipped;           /* Documents of other kinds. */
};

/* Opens "dir:PATH"; nothing is read before the first run().  Returns NULL and
 * sets '*error' (to be freed) if SPEC is malformed; a directory that is not
 * there yet is not an error. */
struct np_source *np_source_open(const char *spec, char **error);
static inline void
np_source_close(struct np_source *s)
{
    if (s) {
        s->class->destroy(s);
    }
}

#endif /* netpol/source.h */

#ifndef NETPOL_SOURCE_H
#define NETPOL_SOURCE_H 1

/* Where objects come from.
 *
 * A source is a vtable: it is run in the poll loop, and says that it was read
 * whole at least once before anything of it is applied.  What it hands out are
 * changes: they gather until its user says that all of them were taken in, so
 * a user who has no time misses nothing.
 *
 * What cannot be read, at all or in part, is in force as it was when it was
 * last good.  After a start, somebody else has to tell the source what that
 * was: whoever keeps it (netpol/saved.h). */

#include <stdbool.h>
#include <stddef.h>
#include "netpol/change.h"
#include "netpol/error.h"
#include "netpol/object.h"
#include "simap.h"

struct ds;
struct np_pool;
struct np_source;

/* What a source said when it was last good, or a part of that. */
struct np_last_good {
    struct np_meta **v;         /* Owned; all keys differ. */
    size_t n;
    struct simap kept;          /* As in struct np_source, then. */
    unsigned int as_of;         /* When that was, in seconds since 1970. */
};
void np_last_good_init(struct np_last_good *);
void np_last_good_destroy(struct np_last_good *);

struct np_source_class {
    /* Does what is due without blocking; returns true if the objects or the
     * state changed since the last call. */
    bool (*run)(struct np_source *);
    void (*wait)(struct np_source *);
    /* Reads again at once, without settle time: what netpol/wait asks for. */
    void (*refresh)(struct np_source *);
    /* See np_source_taken() and np_source_for_each(). */
    void (*taken)(struct np_source *);
    void (*for_each)(const struct np_source *,
                     void (*cb)(const struct np_meta *, void *aux),
                     void *aux);
    /* See np_source_lacks() and np_source_restore(). */
    bool (*lacks)(const struct np_source *, const char *file);
    void (*restore)(struct np_source *, struct np_last_good *);
    void (*destroy)(struct np_source *);
};

/* What every source shows.  Read only for its users. */
struct np_source {
    const struct np_source_class *class;
    char *name;                 /* "dir:/etc/…", as the user wrote it. */
    struct np_pool *pool;       /* Of its objects. */
    bool tried;                 /* To read it was tried once. */
    bool complete;              /* Was read whole at least once. */
    bool restored;              /* Not complete; the objects are those of
                                 * np_source_restore(). */
    bool lost;                  /* Was complete, cannot be read now: the
                                 * objects are its last good ones. */
    char *problem;              /* Why not complete or lost, or NULL. */
    unsigned int as_of;         /* If restored or lost: when the objects were
                                 * the source's, in seconds since 1970. */
    struct simap kept;          /* Files of which last good objects are in
                                 * force, whatever they say now, and since
                                 * when, as above. */
    struct np_changes changes;  /* Since the last np_source_taken(): all that
                                 * happened to the objects in force, in an
                                 * order that says nothing.  An object that
                                 * only moved is no change: its file and line
                                 * may become others at any time. */
    struct np_changes moves;    /* The same of those that are found in another
                                 * file now: 'old' is 'new'. */
    size_t n_objects;           /* In force. */
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

/* All of 'changes' was taken in: forgets them and 'moves', and frees the
 * objects that are 'old' in one of them.  Nobody may point to those any more.
 * Objects in force live on until a change that removes them was taken. */
static inline void
np_source_taken(struct np_source *s)
{
    s->class->taken(s);
}

/* Calls CB with each object in force, in any order; no two have the same
 * key. */
static inline void
np_source_for_each(const struct np_source *s,
                   void (*cb)(const struct np_meta *, void *aux), void *aux)
{
    s->class->for_each(s, cb, aux);
}

/* Does what FILE says ("" is what is in no file), or anything at all if that
 * is NULL, lack a good form that it may have had before the start?  To be
 * asked once it was tried to read the source, and before anything was taken
 * in. */
static inline bool
np_source_lacks(const struct np_source *s, const char *file)
{
    return s->class->lacks(s, file);
}

/* Those of the objects that the source lacks are LAST: puts them in force
 * where what it says cannot be read, just as if it had read them itself.
 * LAST's objects are taken, which may become changes. */
static inline void
np_source_restore(struct np_source *s, struct np_last_good *last)
{
    s->class->restore(s, last);
}

/* All objects in force, sorted by key.  The array is to be freed. */
const struct np_meta **np_source_sort(const struct np_source *);

#endif /* netpol/source.h */

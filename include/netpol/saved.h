#ifndef NETPOL_SAVED_H
#define NETPOL_SAVED_H 1

/* The last good objects of a source, in a file that survives the daemon.
 *
 * The file is a snapshot and, after it, a journal of what changed since.  It
 * is written while a source is read, and read when the next start finds that
 * the source, or a part of it, cannot be. */

#include <stdbool.h>

struct np_cache;
struct np_last_good;
struct np_source;

struct np_saved;

/* Reads from the file at PATH what SOURCE lacks into LAST, which must be
 * empty.  Returns false if there is nothing to read.  A file that is damaged,
 * or not one of this source's, is renamed to "PATH.bad", with one warning in
 * the log, and is nothing. */
bool np_saved_load(const char *path, const struct np_source *source,
                   struct np_last_good *last);

/* Whoever writes the file at PATH, for the source of that NAME.  Nothing
 * happens before the first np_saved_run(), which begins a new file; until that
 * is whole the one that is there stays. */
struct np_saved *np_saved_create(const char *path, const char *name);
/* Tells what happened to the objects of SOURCE, which is complete, before
 * np_source_taken() forgets it. */
void np_saved_note(struct np_saved *, const struct np_source *);
/* Does what is due: writes what was noted, and a part of a snapshot of CACHE,
 * which has the objects in force.  AS_OF is when they were the source's, in
 * seconds since 1970, or 0 if they are.  Takes a millisecond or so, and the
 * time of an fsync(2) after a snapshot. */
void np_saved_run(struct np_saved *, const struct np_cache *cache,
                  unsigned int as_of);
void np_saved_wait(const struct np_saved *);
/* Why objects cannot be saved, or NULL.  Valid until the next run. */
const char *np_saved_problem(const struct np_saved *);
/* Writes what is missing, as np_saved_run() would in the end, and frees all.
 * The struct may be NULL. */
void np_saved_close(struct np_saved *, const struct np_cache *cache,
                    unsigned int as_of);

#endif /* netpol/saved.h */

#ifndef NETPOL_DAEMON_KEEPER_H
#define NETPOL_DAEMON_KEEPER_H 1

/* Keeps the last good objects across restarts. */

#include <stdbool.h>

struct ds;
struct np_daemon;
struct np_saved;

struct np_keeper {
    char *path;
    struct np_saved *saved;
    bool asked;                 /* Whether the source lacks something. */
};

void np_keeper_init(struct np_daemon *);
/* Saves what was not saved yet. */
void np_keeper_destroy(struct np_daemon *);
/* To be called when the source was run, before anything of it is taken in: if
 * it could not be read, at all or in part, it gets what was saved of that. */
void np_keeper_restore(struct np_daemon *);
/* To be called before np_source_taken(). */
void np_keeper_note(struct np_daemon *);
void np_keeper_run(struct np_daemon *);
void np_keeper_wait(const struct np_daemon *);

/* Seconds between SINCE, in seconds since 1970, and now; not negative. */
unsigned int np_keeper_age(unsigned int since);
/* Appends "3 h". */
void np_keeper_format_age(unsigned int age, struct ds *);
/* "2026-12-01T12:00:00Z", to be freed. */
char *np_keeper_format_date(unsigned int since);
/* Appends "as of 2026-12-01T12:00:00Z (3 h ago)". */
void np_keeper_format_since(unsigned int since, struct ds *);

#endif /* daemon/keeper.h */

#ifndef NETPOL_DAEMON_PROGRESS_H
#define NETPOL_DAEMON_PROGRESS_H 1

/* Changes on their way into the switch: measured, and told in the log. */

#include <stdint.h>
#include "daemon/latency.h"

struct ds;
struct json;
struct np_daemon;

struct np_progress {
    struct np_latency latency;
    long long int turn;         /* When this turn began, time_usec(). */
    uint64_t n_port_changes;    /* Of the database's, taken in. */

    struct np_update untold;    /* Realised since the last line. */
    uint64_t n_bundles, n_flow_mods;    /* The installer's at that line. */
    long long int next_line;    /* Not before, time_msec(). */
};

void np_progress_init(struct np_progress *);
void np_progress_destroy(struct np_progress *);

/* To be called when a turn of the loop begins; */
void np_progress_turn(struct np_progress *);
/* before the source's changes are taken; */
void np_progress_take_in(struct np_daemon *);
/* and when all of this turn that goes to the switch has gone. */
void np_progress_run(struct np_daemon *);
void np_progress_wait(const struct np_progress *);

/* What netpol/latency says, to be destroyed; the same as text. */
struct json *np_progress_latency(const struct np_daemon *);
void np_progress_format_latency(const struct json *, struct ds *);

#endif /* daemon/progress.h */

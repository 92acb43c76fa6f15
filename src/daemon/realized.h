#ifndef NETPOL_DAEMON_REALIZED_H
#define NETPOL_DAEMON_REALIZED_H 1

/* Which pods have their policies in the switch, as told to the database. */

#include <stdbool.h>

struct np_daemon;

void np_realized_run(struct np_daemon *);
/* Is a set of flows that was confirmed before still what is in the switch? */
bool np_realized_holds(const struct np_daemon *);

#endif /* daemon/realized.h */

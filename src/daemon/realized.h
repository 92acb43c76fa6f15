#ifndef NETPOL_DAEMON_REALIZED_H
#define NETPOL_DAEMON_REALIZED_H 1

/* Which pods have their policies in the switch, as told to the database. */

struct np_daemon;

void np_realized_run(struct np_daemon *);

#endif /* daemon/realized.h */

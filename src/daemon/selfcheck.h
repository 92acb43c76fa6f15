#ifndef NETPOL_DAEMON_SELFCHECK_H
#define NETPOL_DAEMON_SELFCHECK_H 1

#include <stdbool.h>

struct ds;
struct np_daemon;

/* Computes everything from scratch and compares it with what is in the switch.
 * Appends what it found; returns false if there is a difference, or if it
 * cannot be told because changes are still under way. */
bool np_self_check(const struct np_daemon *, struct ds *);

#endif /* daemon/selfcheck.h */

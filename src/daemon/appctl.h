#ifndef NETPOL_DAEMON_APPCTL_H
#define NETPOL_DAEMON_APPCTL_H 1

/* A control command to another daemon, as ovs-appctl(8) sends it, without
 * blocking. */

#include <stdbool.h>

struct np_appctl;

/* Sends COMMAND without arguments to PROGRAM, found by its pidfile in OVS's
 * run directory.  Returns NULL and an error to be freed if it does not run. */
struct np_appctl *np_appctl_open(const char *program, const char *command,
                                 char **error);
void np_appctl_close(struct np_appctl *);

/* Returns true when the answer has come, or never will: then '*error' is what
 * went wrong, to be freed, or NULL. */
bool np_appctl_run(struct np_appctl *, char **error);
void np_appctl_wait(struct np_appctl *);

#endif /* daemon/appctl.h */

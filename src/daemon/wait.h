#ifndef NETPOL_DAEMON_WAIT_H
#define NETPOL_DAEMON_WAIT_H 1

/* Commands that are answered later. */

#include <stdbool.h>
#include <stdint.h>

struct np_daemon;
struct unixctl_conn;

/* Answers CONN once all that the source and the database hold now is in the
 * switch, with DATAPATH also in its datapath; with an error that tells what is
 * missing after SECONDS. */
void np_wait_for_all(struct np_daemon *, struct unixctl_conn *,
                     bool datapath, int seconds);
/* Answers CONN once the flush that was just asked for is done. */
void np_wait_for_flush(struct np_daemon *, struct unixctl_conn *,
                       uint64_t wish);

void np_waiters_run(struct np_daemon *);
void np_waiters_wait(struct np_daemon *);
/* Answers all that still wait. */
void np_waiters_destroy(struct np_daemon *);

#endif /* daemon/wait.h */

#ifndef NETPOL_DAEMON_DRYRUN_H
#define NETPOL_DAEMON_DRYRUN_H 1

struct np_options;

/* Prints the flows that would be installed, and returns the exit status. */
int np_dry_run(const struct np_options *);

#endif /* daemon/dryrun.h */

#ifndef NETPOL_DAEMON_NETPOLD_H
#define NETPOL_DAEMON_NETPOLD_H 1

/* The daemon: all rooms joined in one loop. */

#include <stdbool.h>
#include <stdint.h>
#include "daemon/denials.h"
#include "daemon/engine.h"
#include "daemon/gate.h"
#include "daemon/keeper.h"
#include "daemon/progress.h"
#include "openvswitch/list.h"
#include "smap.h"
#include "sset.h"

struct np_http;
struct np_installer;
struct np_options;
struct np_ovsdb;
struct np_source;

struct np_daemon {
    const struct np_options *options;
    struct np_source *source;
    struct np_ovsdb *ovsdb;
    struct np_installer *installer;
    struct np_engine engine;
    struct np_gate gate;
    struct np_keeper keeper;
    uint64_t wish;              /* The last set of flows, 0 before the first.
                                 */
    bool flushed;               /* By netpol/flush, until netpol/resume. */
    struct smap realized;       /* What the database was told last: interface
                                 * to value; */
    uint64_t realized_binding;  /* which holds all pods of this binding, or
                                 * 0. */
    struct sset told;           /* Of the source's mistakes, see news.c. */
    struct ovs_list waiters;    /* See wait.c. */
    struct np_progress progress;
    struct np_denial_desk denials;
    struct np_http *http;       /* NULL if nobody wants it. */
    bool exiting;
};

void np_daemon_init(struct np_daemon *, const struct np_options *);
void np_daemon_destroy(struct np_daemon *);
void np_daemon_run(struct np_daemon *);
void np_daemon_wait(struct np_daemon *);

/* To be called when the source was refreshed outside of a run. */
void np_daemon_take_in(struct np_daemon *);

/* Is all that is in force in the switch? */
bool np_daemon_is_confirmed(const struct np_daemon *);
/* The same, and is it what the source says? */
bool np_daemon_is_realized(const struct np_daemon *);
/* Tells in one sentence why not, to be freed; NULL if it is. */
char *np_daemon_missing(const struct np_daemon *);
/* Removes our flows and installs none; returns the number of the wish. */
uint64_t np_daemon_flush(struct np_daemon *);
void np_daemon_resume(struct np_daemon *);

/* The whole program, see ovs-netpold(8). */
int np_daemon_main(int argc, char *argv[]);

#endif /* daemon/netpold.h */

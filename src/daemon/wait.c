/* Commands that are answered later.
 *
 *   netpol/wait   SEEN ──► REALIZED ──► DATAPATH ×2 ──► answer
 *   netpol/flush           REALIZED ──► answer
 *
 * SEEN: the source was read again when the command came, and one round trip
 * to the database has ended since, so that what the daemon compiled last is at
 * least as new as the command.  REALIZED: a barrier has confirmed it.
 * DATAPATH: `revalidator/wait` of the switch, twice: the first may only end a
 * round that began before our change. */

#include <config.h>
#include "daemon/wait.h"

#include <stdlib.h>

#include "daemon/appctl.h"
#include "daemon/netpold.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "netpol/source.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

#define FLUSH_SECONDS 30
#define REVALIDATIONS 2

enum phase { SEEN, REALIZED, DATAPATH };

struct waiter {
    struct ovs_list node;       /* In struct np_daemon's 'waiters'. */
    struct unixctl_conn *conn;
    enum phase phase;
    bool datapath;
    int seconds;
    long long int deadline;     /* time_msec() */
    uint64_t sync;              /* np_ovsdb_sync() */
    uint64_t wish;              /* From REALIZED on. */
    int n_revalidations;        /* Done. */
    struct np_appctl *appctl;   /* One under way, or NULL. */
};

static struct waiter *
add_waiter(struct np_daemon *d, struct unixctl_conn *conn, enum phase phase,
           int seconds)
{
    struct waiter *w = xzalloc(sizeof *w);

    w->conn = conn;
    w->phase = phase;
    w->seconds = seconds;
    w->deadline = time_msec() + seconds * 1000LL;
    ovs_list_push_back(&d->waiters, &w->node);
    return w;
}

void
np_wait_for_all(struct np_daemon *d, struct unixctl_conn *conn,
                bool datapath, int seconds)
{
    struct waiter *w = add_waiter(d, conn, SEEN, seconds);

    w->datapath = datapath;
    w->sync = np_ovsdb_sync(d->ovsdb);
    d->source->class->refresh(d->source);
    np_daemon_take_in(d);
}

void
np_wait_for_flush(struct np_daemon *d, struct unixctl_conn *conn,
                  uint64_t wish)
{
    add_waiter(d, conn, REALIZED, FLUSH_SECONDS)->wish = wish;
}

/* Answers and forgets W; ERROR, if nonnull, is freed. */
static void
answer(struct waiter *w, char *error)
{
    if (error) {
        unixctl_command_reply_error(w->conn, error);
    } else {
        unixctl_command_reply(w->conn, NULL);
    }
    free(error);
    np_appctl_close(w->appctl);
    ovs_list_remove(&w->node);
    free(w);
}

/* What W still waits for, to be freed. */
static char *
missing(const struct np_daemon *d, const struct waiter *w)
{
    char *s = NULL;

    if (w->phase == DATAPATH) {
        return xstrdup("the datapath has not caught up with the flows");
    }
    if (w->phase == SEEN && np_ovsdb_synced(d->ovsdb) < w->sync) {
        struct np_bridge_state bridge;

        np_ovsdb_get_bridge(d->ovsdb, &bridge);
        return xstrdup(bridge.problem ? bridge.problem
                       : "the database has not answered");
    }
    if (w->phase == SEEN || !d->flushed) {
        s = np_daemon_missing(d);
    }
    return s ? s : xstrdup("the switch has not confirmed it");
}

/* Returns true when W was answered. */
static bool
run_datapath(struct waiter *w)
{
    char *error = NULL;

    if (w->appctl) {
        if (!np_appctl_run(w->appctl, &error)) {
            return false;
        }
        np_appctl_close(w->appctl);
        w->appctl = NULL;
        w->n_revalidations++;
    }
    if (!error && w->n_revalidations < REVALIDATIONS) {
        w->appctl = np_appctl_open("ovs-vswitchd", "revalidator/wait",
                                   &error);
        if (!error) {
            poll_immediate_wake();      /* To send it. */
            return false;
        }
    }
    answer(w, error);
    return true;
}

static void
run_waiter(struct np_daemon *d, struct waiter *w)
{
    if (w->phase == SEEN && d->wish && d->source->complete
        && np_ovsdb_synced(d->ovsdb) >= w->sync) {
        w->wish = d->wish;
        w->phase = REALIZED;
    }
    if (w->phase == REALIZED
        && np_installer_realized(d->installer) >= w->wish) {
        if (!w->datapath) {
            answer(w, NULL);
            return;
        }
        w->phase = DATAPATH;
    }
    if (w->phase == DATAPATH && run_datapath(w)) {
        return;
    }
    if (time_msec() >= w->deadline) {
        char *what = missing(d, w);

        answer(w, xasprintf("not after %d seconds: %s", w->seconds, what));
        free(what);
    }
}

void
np_waiters_run(struct np_daemon *d)
{
    struct waiter *w;

    LIST_FOR_EACH_SAFE (w, node, &d->waiters) {
        run_waiter(d, w);
    }
}

void
np_waiters_wait(struct np_daemon *d)
{
    struct waiter *w;

    LIST_FOR_EACH (w, node, &d->waiters) {
        poll_timer_wait_until(w->deadline);
        if (w->appctl) {
            np_appctl_wait(w->appctl);
        }
    }
}

void
np_waiters_destroy(struct np_daemon *d)
{
    struct waiter *w;

    LIST_FOR_EACH_SAFE (w, node, &d->waiters) {
        answer(w, xstrdup("the daemon exits"));
    }
}

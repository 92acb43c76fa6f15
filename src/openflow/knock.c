/* Connecting at once to a switch that has just come.
 *
 * rconn waits a second or more between two attempts, and a switch that starts
 * again, or a bridge that was made again, drops or floods meanwhile.  But both
 * leave a sign: the socket is another file.  So while there is no connection
 * the file is looked at, and when it is new rconn is made to try. */

#include <config.h>

#include "openflow-private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "timeval.h"
#include "util.h"

enum { EVERY = 50 };            /* Milliseconds. */
/* The file is there a little before anybody listens. */
enum { TIMES = 4 };

static bool
is_waiting(struct rconn *rconn)
{
    return (!strcmp(rconn_get_state(rconn), "BACKOFF")
            && !strncmp(rconn_get_target(rconn), "unix:", 5));
}

/* Is the socket another file than the last time? */
static bool
is_new(struct np_of_knock *k, const char *path)
{
    struct stat st;

    if (stat(path, &st)
        || (st.st_ino == k->ino && st.st_dev == k->dev
            && st.st_ctim.tv_sec == k->ctime.tv_sec
            && st.st_ctim.tv_nsec == k->ctime.tv_nsec)) {
        return false;
    }
    k->ino = st.st_ino;
    k->dev = st.st_dev;
    k->ctime = st.st_ctim;
    return true;
}

/* The socket of a connection that there was is not new. */
static void
remember(struct np_of_knock *k, struct rconn *rconn)
{
    unsigned int seqno = rconn_get_connection_seqno(rconn);

    if (seqno != k->seqno) {
        k->seqno = seqno;
        k->n_left = 0;
        is_new(k, rconn_get_target(rconn) + 5);
    }
}

void
np_of_knock_run(struct np_of_knock *k, struct rconn *rconn)
{
    char *target;

    if (rconn_is_connected(rconn)
        && !strncmp(rconn_get_target(rconn), "unix:", 5)) {
        remember(k, rconn);
    }
    if (!is_waiting(rconn) || time_msec() < k->at) {
        return;
    }
    k->at = time_msec() + EVERY;
    target = xstrdup(rconn_get_target(rconn));
    if (is_new(k, target + 5)) {
        k->n_left = TIMES;
    }
    if (k->n_left) {
        char *name = xstrdup(rconn_get_name(rconn));

        k->n_left--;
        rconn_connect(rconn, target, name);
        free(name);
    }
    free(target);
}

void
np_of_knock_wait(const struct np_of_knock *k, struct rconn *rconn)
{
    if (is_waiting(rconn)) {
        poll_timer_wait_until(k->at);
    }
}

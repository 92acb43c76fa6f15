/* Is the table still what we made of it?
 *
 * The switch is asked to tell when somebody else changes our tables, by a flow
 * monitor for each.  What it tells is an alarm and no more: the table is read,
 * held against what should be there, and the difference goes out in one
 * bundle.  So there is one way from any doubt to a right table, whatever was
 * told, lost or never asked for.
 *
 * A look takes as long as the table is large, so looks are paced; the first
 * one after a quiet time comes at once.  And from time to time there is one
 * without an alarm, for what no monitor tells: tables that learn are not
 * watched, because their own flows would be all that is heard of; a switch may
 * refuse to tell; and how it treats fragments is no flow. */

#include <config.h>

#include "installer.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "byte-order.h"
#include "coverage.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_watch);

COVERAGE_DEFINE(np_watch_alarm);
COVERAGE_DEFINE(np_watch_repair);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(12, 12);

/* Milliseconds in which what somebody changes in one go is gathered. */
enum { GATHER = 50 };
/* Alarms may make us look for a tenth of the time, and audits for a hundredth,
 * or much less if there are alarms. */
enum { ALARM_SHARE = 10, AUDIT_SHARE = 100, WATCHED_SHARE = 4000 };
enum { AUDIT_MIN = 5 * 1000, WATCHED_MIN = 300 * 1000 };  /* Milliseconds. */

void
np_watch_init(struct np_watch *w)
{
    *w = (struct np_watch) { .alarm_at = LLONG_MAX };
}

void
np_watch_destroy(struct np_watch *w)
{
    free(w->tables);
}

/* Asks for the monitors of a new connection. */
void
np_watch_connected(struct np_installer *inst)
{
    struct np_watch *w = &inst->watch;

    w->alarm_at = LLONG_MAX;
    w->refused = false;
    w->first_xid = inst->next_xid;
    for (size_t i = 0; i < w->n_tables; i++) {
        rconn_send(inst->rconn,
                   np_of_monitor_request(rconn_get_version(inst->rconn),
                                         inst->next_xid++, w->tables[i]),
                   NULL);
    }
}

/* Looks at an OFPT_ERROR: true if it is about a monitor. */
bool
np_watch_error(struct np_installer *inst, const struct ofp_header *oh)
{
    struct np_watch *w = &inst->watch;

    if (ntohl(oh->xid) - w->first_xid >= w->n_tables) {
        return false;
    }
    if (!w->refused) {
        w->refused = true;
        VLOG_INFO("%s: the switch does not tell who changes flows (%s): they "
                  "are looked at from time to time", inst->name,
                  ofperr_to_string(ofperr_decode_msg(oh, NULL)));
    }
    return true;
}

void
np_watch_alarm(struct np_installer *inst)
{
    struct np_watch *w = &inst->watch;

    if (w->alarm_at == LLONG_MAX) {
        COVERAGE_INC(np_watch_alarm);
        w->alarm_at = MAX(time_msec() + GATHER,
                          w->ended + ALARM_SHARE * w->took);
    }
}

/* May what FU says concern us?  It keeps account of others' flows. */
static bool
matters(struct np_installer *inst, const struct ofputil_flow_update *fu)
{
    uint64_t cookie = ntohll(fu->cookie);
    struct np_flow *key, *known;
    bool ours;

    if (fu->event == OFPFME_RESUMED) {
        return true;            /* Something may have been left out. */
    } else if (fu->event != OFPFME_ADDED && fu->event != OFPFME_MODIFIED
               && fu->event != OFPFME_REMOVED) {
        return false;
    } else if (np_cookie_is_ours(cookie)) {
        return np_cookie_kind(cookie) != NP_FLOW_LEARNED;
    }
    key = np_flow_create(fu->table_id, fu->priority, cookie, &fu->match,
                         NULL, 0);
    ours = np_flow_set_find(&inst->rb.ours, key) != NULL;
    known = np_flow_set_find(&inst->rb.foreign, key);
    if (known) {
        np_flow_set_remove(&inst->rb.foreign, known);
        np_flow_destroy(known);
    }
    if (fu->event == OFPFME_REMOVED) {
        np_flow_destroy(key);
        return false;
    }
    np_flow_set_put(&inst->rb.foreign, key);
    return ours;
}

/* Takes in one message of a monitor. */
void
np_watch_update(struct np_installer *inst, struct ofpbuf *msg)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_update fu;
    int error = 0;

    /* Once we are going to look, it is all the same. */
    while (inst->watch.alarm_at == LLONG_MAX
           && !(error = ofputil_decode_flow_update(&fu, msg, &ofpacts))) {
        if (matters(inst, &fu)) {
            np_watch_alarm(inst);
        }
    }
    if (error && error != EOF) {
        np_watch_alarm(inst);
    }
    ofpbuf_uninit(&ofpacts);
}

void
np_watch_read_begins(struct np_installer *inst)
{
    inst->watch.began = time_msec();
    inst->watch.answered = false;
}

/* What was told before the answer began is in the answer. */
void
np_watch_read_answered(struct np_installer *inst)
{
    if (!inst->watch.answered) {
        inst->watch.answered = true;
        inst->watch.alarm_at = LLONG_MAX;
    }
}

void
np_watch_read_ended(struct np_installer *inst)
{
    struct np_watch *w = &inst->watch;

    w->ended = time_msec();
    w->took = w->ended - w->began;
}

/* When to look next; in time_msec().  Who names no tables does not want it. */
long long int
np_watch_at(const struct np_installer *inst)
{
    const struct np_watch *w = &inst->watch;
    long long int audit = (w->refused
                           ? MAX(AUDIT_MIN, AUDIT_SHARE * w->took)
                           : MAX(WATCHED_MIN, WATCHED_SHARE * w->took));

    return w->n_tables ? MIN(w->alarm_at, w->ended + audit) : w->alarm_at;
}

/* Counts and says what was found to be different. */
void
np_watch_report(struct np_installer *inst, const struct np_flow_delta *delta)
{
    size_t n_changed = delta->n_put - delta->n_new;
    struct ds s = DS_EMPTY_INITIALIZER;

    COVERAGE_INC(np_watch_repair);
    inst->watch.n_repairs++;
    inst->watch.n_repaired += delta->n_put + delta->n_del;
    np_of_format_flow(delta->n_put ? delta->put[0] : delta->del[0],
                      &inst->namer, &s);
    VLOG_WARN_RL(&rl, "%s: somebody else has changed our flows, which are "
                 "repaired: %"PRIuSIZE" missing, %"PRIuSIZE" changed, "
                 "%"PRIuSIZE" too many; the first is %s", inst->name,
                 delta->n_new, n_changed, delta->n_del, ds_cstr(&s));
    ds_destroy(&s);
}

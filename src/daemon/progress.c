/* Changes on their way into the switch: measured, and told in the log.
 *
 * A change that is realised gets a line at once, so that somebody who changes
 * a policy and looks sees it.  In a storm there is a line a second with the
 * sums of what happened since the one before: each object, port, bundle and
 * flow-mod is in exactly one line.  Updates that needed no flow-mod are for
 * those who debug. */

#include <config.h>
#include "daemon/progress.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "daemon/netpold.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_progress);

COVERAGE_DEFINE(np_object_change);
COVERAGE_DEFINE(np_port_change);
COVERAGE_DEFINE(np_update);
COVERAGE_DEFINE(np_update_realized);

#define LINE_MS 1000

void
np_progress_init(struct np_progress *p)
{
    memset(p, 0, sizeof *p);
    np_latency_init(&p->latency);
    p->turn = time_usec();
}

void
np_progress_destroy(struct np_progress *p)
{
    np_latency_destroy(&p->latency);
}

void
np_progress_turn(struct np_progress *p)
{
    p->turn = time_usec();
}

void
np_progress_take_in(struct np_daemon *d)
{
    struct np_progress *p = &d->progress;
    uint64_t n_port_changes = np_ovsdb_n_port_changes(d->ovsdb);
    size_t n_ports = n_port_changes - p->n_port_changes;
    size_t n_objects = d->source->changes.n;

    p->n_port_changes = n_port_changes;
    if (n_objects || n_ports) {
        COVERAGE_INC(np_update);
        COVERAGE_ADD(np_object_change, n_objects);
        COVERAGE_ADD(np_port_change, n_ports);
        np_latency_begin(&p->latency, p->turn, n_objects, n_ports);
    }
}

static void
put_count(struct ds *s, uint64_t n, const char *what)
{
    ds_put_format(s, "%s%"PRIu64" %s%s", s->length ? ", " : "", n, what,
                  n == 1 ? "" : "s");
}

static void
tell(struct np_progress *p, const struct np_installer_status *st)
{
    const struct np_update *u = &p->untold;
    uint64_t n_flow_mods = st->n_flow_mods - p->n_flow_mods;
    uint64_t n_bundles = st->n_bundles - p->n_bundles;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (u->n_objects) {
        put_count(&s, u->n_objects, "object");
    }
    if (u->n_ports) {
        put_count(&s, u->n_ports, "port");
    }
    ds_put_format(&s, ": %"PRIu64" flow-mod%s in ", n_flow_mods,
                  n_flow_mods == 1 ? "" : "s");
    if (u->n > 1) {
        ds_put_format(&s, "%"PRIu64" bundle%s for %"PRIu64" updates, the "
                      "slowest in ", n_bundles, n_bundles == 1 ? "" : "s",
                      u->n);
    }
    ds_put_format(&s, "%lld.%lld ms", u->slowest / 1000,
                  u->slowest % 1000 / 100);
    VLOG(n_flow_mods ? VLL_INFO : VLL_DBG, "%s", ds_cstr(&s));
    ds_destroy(&s);

    memset(&p->untold, 0, sizeof p->untold);
    p->n_flow_mods = st->n_flow_mods;
    p->n_bundles = st->n_bundles;
    p->next_line = time_msec() + LINE_MS;
}

void
np_progress_run(struct np_daemon *d)
{
    struct np_progress *p = &d->progress;
    uint64_t n = p->latency.total.n;

    if (d->wish) {
        np_latency_wished(&p->latency, d->wish);
    }
    if (np_latency_end(&p->latency, time_usec(),
                       np_installer_realized(d->installer), &p->untold)) {
        COVERAGE_ADD(np_update_realized, p->latency.total.n - n);
    }
    if (p->untold.n && time_msec() >= p->next_line) {
        struct np_installer_status st;

        np_installer_get_status(d->installer, &st);
        tell(p, &st);
    }
}

void
np_progress_wait(const struct np_progress *p)
{
    if (p->untold.n) {
        poll_timer_wait_until(p->next_line);
    }
}

/* netpol/latency */

static struct json *
update_to_json(const struct np_update *u)
{
    struct json *o = json_object_create();

    json_object_put(o, "updates", json_integer_create(u->n));
    json_object_put(o, "objects", json_integer_create(u->n_objects));
    json_object_put(o, "ports", json_integer_create(u->n_ports));
    return o;
}

static struct json *
summary_to_json(const struct np_latency_summary *s)
{
    struct json *o = json_object_create();

    json_object_put(o, "updates", json_integer_create(s->n));
    json_object_put(o, "p50_us", json_integer_create(s->p50));
    json_object_put(o, "p90_us", json_integer_create(s->p90));
    json_object_put(o, "p99_us", json_integer_create(s->p99));
    json_object_put(o, "max_us", json_integer_create(s->max));
    return o;
}

struct json *
np_progress_latency(const struct np_daemon *d)
{
    const struct np_latency *l = &d->progress.latency;
    struct json *o = json_object_create();
    struct np_latency_summary summary;
    struct np_update pending;

    np_latency_pending(l, &pending);
    json_object_put(o, "pending", update_to_json(&pending));
    json_object_put(o, "realized", update_to_json(&l->total));
    np_latency_since_start(l, &summary);
    json_object_put(o, "since_start", summary_to_json(&summary));
    np_latency_recent(l, &summary);
    json_object_put(o, "recent", summary_to_json(&summary));
    return o;
}

static long long int
integer(const struct json *o, const char *name)
{
    return json_integer(shash_find_data(json_object(o), name));
}

static void
format_update(const struct json *all, const char *name, struct ds *s)
{
    const struct json *o = shash_find_data(json_object(all), name);

    ds_put_format(s, "%s: %lld updates with %lld objects and %lld ports\n",
                  name, integer(o, "updates"), integer(o, "objects"),
                  integer(o, "ports"));
}

static void
format_summary(const struct json *all, const char *name, const char *title,
               struct ds *s)
{
    static const char *const keys[] = { "p50", "p90", "p99", "max" };
    const struct json *o = shash_find_data(json_object(all), name);

    ds_put_format(s, "%s (%lld updates):", title, integer(o, "updates"));
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        char *key = xasprintf("%s_us", keys[i]);

        ds_put_format(s, " %s %.3f ms", keys[i], integer(o, key) / 1000.0);
        free(key);
    }
    ds_put_char(s, '\n');
}

void
np_progress_format_latency(const struct json *o, struct ds *s)
{
    ds_put_cstr(s, "from taken in to confirmed by the switch's barrier\n");
    format_summary(o, "recent", "the last", s);
    format_summary(o, "since_start", "since the start", s);
    format_update(o, "realized", s);
    format_update(o, "pending", s);
}

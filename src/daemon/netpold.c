/* The daemon: all rooms joined in one loop.
 *
 *   source ─┐
 *           ├─► engine (cache, policy, binding, compile) ─► installer
 *   ovsdb ──┘        ▲                                             ▲ │
 *     ▲              └── identity numbers of an earlier run ───────┘ │
 *     └── table names, fail_mode, netpol-realized ◄── confirmed ─────┘
 *
 * What the source and the database say has changed goes through as a change,
 * and a patch of the flow table comes out.  Nothing is installed before the
 * source was read whole once, or has what was saved of it (keeper.c), what the
 * switch has was read back, and the gate is open; after that, a source or a
 * database that is lost changes nothing. */

#include <config.h>
#include "daemon/netpold.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/metrics.h"
#include "daemon/news.h"
#include "daemon/options.h"
#include "daemon/realized.h"
#include "daemon/wait.h"
#include "netpol/http.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_daemon);

/* A clause that several rules use has no id of its own; one of them stands for
 * all. */
static uint32_t
first_conjunction(const struct np_flow *flow)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, flow->actions, flow->actions_len) {
        if (a->type == OFPACT_CONJUNCTION) {
            return ofpact_get_CONJUNCTION(a)->id;
        }
    }
    return 0;
}

static bool
format_port(const struct np_binding *b, uint32_t ofport, struct ds *s)
{
    for (size_t i = 0; i < b->n_places; i++) {
        if (b->places[i]->row->ofport == ofport) {
            ds_put_format(s, "port %s", b->places[i]->row->name);
            return true;
        }
    }
    return false;
}

/* What a flow is about, for the switch's refusals. */
static bool
name_flow(const struct np_flow *flow, struct ds *s, void *d_)
{
    const struct np_daemon *d = d_;
    uint32_t id = (uint32_t) flow->cookie;

    switch (np_cookie_kind(flow->cookie)) {
    case NP_FLOW_IDENTITY:
        return np_compiler_format_identity(d->engine.compiler, id, s);
    case NP_FLOW_CLAUSE:
        if (!id) {
            id = first_conjunction(flow);
        }
        /* Fall through. */
    case NP_FLOW_RULE:
        return np_compiler_format_rule(d->engine.compiler, id, s);
    case NP_FLOW_PORT:
        return format_port(&d->engine.binding, id, s);
    case NP_FLOW_STATIC:
    case NP_FLOW_DEFAULT:
    case NP_FLOW_LEARNED:
    default:
        return false;
    }
}

/* The tables in which nothing changes but by us. */
static void
watch_tables(struct np_daemon *d)
{
    size_t n, n_watched = 0;
    const struct np_table_info *tables = np_pipeline_tables(&n);
    uint8_t *watched = xmalloc(n);

    for (size_t i = 0; i < n; i++) {
        if (!tables[i].learns) {
            watched[n_watched++] = (tables[i].table
                                    + d->options->compile.table_base);
        }
    }
    np_installer_set_watched(d->installer, watched, n_watched);
    free(watched);
}

void
np_daemon_init(struct np_daemon *d, const struct np_options *options)
{
    char *error = NULL;

    memset(d, 0, sizeof *d);
    d->options = options;
    /* Both were found well-formed when the options were read. */
    d->source = np_source_open(options->source, &error);
    d->ovsdb = np_ovsdb_create(options->db, options->bridge, &error);
    if (!d->source || !d->ovsdb) {
        ovs_fatal(0, "%s", error);
    }
    d->installer = np_installer_create();
    np_installer_hold(d->installer, true);
    np_installer_set_namer(d->installer, name_flow, d);
    np_installer_set_zones(d->installer, options->compile.ct_zone,
                           options->compile.ct_zone + 1);
    watch_tables(d);
    np_engine_init(&d->engine, &options->compile, options->node);
    np_gate_init(&d->gate);
    np_keeper_init(d);
    smap_init(&d->realized);
    sset_init(&d->told);
    ovs_list_init(&d->waiters);
    np_progress_init(&d->progress);
    np_denial_desk_init(d);
    d->http = np_metrics_serve(d);
}

void
np_daemon_destroy(struct np_daemon *d)
{
    np_http_destroy(d->http);
    np_denial_desk_destroy(d);
    np_progress_destroy(&d->progress);
    np_waiters_destroy(d);
    sset_destroy(&d->told);
    smap_destroy(&d->realized);
    np_keeper_destroy(d);
    np_gate_destroy(&d->gate);
    np_engine_destroy(&d->engine);
    np_installer_destroy(d->installer);
    np_ovsdb_destroy(d->ovsdb);
    np_source_close(d->source);
}

/* The table names and prefixes of our bridge. */
static void
write_tables(struct np_daemon *d)
{
    size_t n;
    const struct np_table_info *tables = np_pipeline_tables(&n);
    struct np_table_setting *v = xcalloc(n, sizeof *v);

    for (size_t i = 0; i < n; i++) {
        v[i].table = tables[i].table + d->options->compile.table_base;
        v[i].name = tables[i].name;
        v[i].prefixes = tables[i].prefixes;
    }
    np_ovsdb_set_tables(d->ovsdb, v, n);
    free(v);
}

/* Ports that must not get what is flooded: pods have their own copies, and a
 * port that we do not know carries nothing. */
static void
set_no_flood(struct np_daemon *d)
{
    const struct np_binding *b = &d->engine.binding;
    uint32_t *ofports = xcalloc(b->n_places, sizeof *ofports);
    size_t n = 0;

    for (size_t i = 0; i < b->n_places; i++) {
        const struct np_bridge_port *p = b->places[i]->row;

        if (p->ofport != NP_OFPORT_NONE
            && (p->role == NP_PORT_POD
                || (p->role == NP_PORT_UNKNOWN
                    && !d->options->compile.foreign_pass))) {
            ofports[n++] = p->ofport;
        }
    }
    np_installer_set_no_flood(d->installer, ofports, n);
    free(ofports);
}

/* Are the source's objects to be in force?  Before it was read whole only if
 * they are those that were saved. */
static bool
has_objects(const struct np_daemon *d)
{
    return d->source->complete || d->source->restored;
}

/* The flows begin when there are objects and the switch has told what an
 * earlier run has left there, whose numbers are taken over. */
static void
start(struct np_daemon *d)
{
    const struct np_flow_set *installed
        = np_installer_installed(d->installer);
    struct np_flow_patch patch;

    if (d->engine.started || !installed || !has_objects(d)) {
        return;
    }
    VLOG_INFO("%"PRIuSIZE" flows of an earlier run found",
              np_flow_set_count(installed));
    np_flow_patch_init(&patch);
    np_engine_start(&d->engine, installed, &patch);
    set_no_flood(d);
    d->wish = np_installer_set_desired(d->installer, &patch.put);
    np_flow_patch_destroy(&patch);
}

static void
take_in(struct np_daemon *d, const struct np_portmap *ports)
{
    static const struct np_changes none;
    struct np_source *source = d->source;
    struct np_flow_patch patch;

    np_progress_take_in(d);
    np_flow_patch_init(&patch);
    np_engine_apply(&d->engine, has_objects(d) ? &source->changes : &none,
                    ports, &patch);
    if (has_objects(d)) {
        np_keeper_note(d);
        np_source_taken(source);
    }
    if (d->engine.started) {
        if (ports) {
            set_no_flood(d);
        }
        d->wish = np_installer_patch(d->installer, &patch);
    }
    np_flow_patch_destroy(&patch);
}

void
np_daemon_take_in(struct np_daemon *d)
{
    np_keeper_restore(d);
    take_in(d, NULL);
}

static void
run_bridge(struct np_daemon *d)
{
    bool was_open = d->gate.open;
    struct np_bridge_state bridge;

    np_ovsdb_get_bridge(d->ovsdb, &bridge);
    np_installer_set_target(d->installer, bridge.mgmt);
    np_installer_run(d->installer);
    np_gate_run(&d->gate, d->options, d->ovsdb, d->installer);
    if (d->gate.open && !was_open) {
        write_tables(d);
    }
    /* Its connection would set how the bridge takes fragments. */
    np_denial_desk_run(d, d->gate.open ? bridge.mgmt : NULL);
}

void
np_daemon_run(struct np_daemon *d)
{
    np_progress_turn(&d->progress);
    /* Both, always: their old contents are gone after a change. */
    bool objects = d->source->class->run(d->source);
    bool ports = np_ovsdb_run(d->ovsdb);

    np_keeper_restore(d);
    if (objects) {
        np_news_run(&d->told, d->source);
    }
    if (objects || ports) {
        take_in(d, ports ? np_ovsdb_ports(d->ovsdb) : NULL);
    }
    run_bridge(d);
    start(d);
    np_keeper_run(d);
    np_progress_run(d);
    np_realized_run(d);
    np_waiters_run(d);
    np_http_run(d->http);
}

void
np_daemon_wait(struct np_daemon *d)
{
    d->source->class->wait(d->source);
    np_keeper_wait(d);
    np_ovsdb_wait(d->ovsdb);
    np_installer_wait(d->installer);
    np_progress_wait(&d->progress);
    np_denial_desk_wait(d);
    np_waiters_wait(d);
    np_http_wait(d->http);
}

bool
np_daemon_is_confirmed(const struct np_daemon *d)
{
    return (d->wish && !d->flushed && d->gate.open
            && np_installer_realized(d->installer) >= d->wish);
}

bool
np_daemon_is_realized(const struct np_daemon *d)
{
    return d->source->complete && np_daemon_is_confirmed(d);
}

static char *
source_missing(const struct np_source *source)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "source %s was not read yet: %s", source->name,
                  source->problem ? source->problem : "reading");
    if (source->restored) {
        ds_put_cstr(&s, "; its objects are enforced ");
        np_keeper_format_since(source->as_of, &s);
    }
    return ds_steal_cstr(&s);
}

char *
np_daemon_missing(const struct np_daemon *d)
{
    struct np_installer_status st;
    struct np_bridge_state bridge;

    if (np_daemon_is_realized(d)) {
        return NULL;
    }
    np_ovsdb_get_bridge(d->ovsdb, &bridge);
    np_installer_get_status(d->installer, &st);
    if (!d->source->complete) {
        return source_missing(d->source);
    } else if (bridge.problem) {
        return xstrdup(bridge.problem);
    } else if (d->gate.reason) {
        return xstrdup(d->gate.reason);
    } else if (d->flushed) {
        return xstrdup("flushed by netpol/flush; netpol/resume installs "
                       "again");
    }
    return xasprintf("the switch (%s) has not confirmed the flows%s%s",
                     st.state, st.last_error ? ": " : "",
                     st.last_error ? st.last_error : "");
}

uint64_t
np_daemon_flush(struct np_daemon *d)
{
    d->flushed = true;
    return np_installer_flush(d->installer);
}

void
np_daemon_resume(struct np_daemon *d)
{
    if (d->flushed) {
        d->flushed = false;
        d->wish = np_installer_resume(d->installer);
    }
}

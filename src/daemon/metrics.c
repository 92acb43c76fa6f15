/* What Prometheus and a kubelet ask us for.
 *
 * Every metric has a row in docs/metrics.md.  Numbers are read where they are
 * kept when somebody asks; nothing is counted for the metrics alone. */

#include <config.h>
#include "daemon/metrics.h"

#include <string.h>
#include <sys/resource.h>

#include "daemon/expo.h"
#include "daemon/footprint.h"
#include "daemon/netpold.h"
#include "daemon/options.h"
#include "daemon/realized.h"
#include "daemon/status.h"
#include "netpol/http.h"
#include "netpol/observe.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "netpol/saved.h"
#include "netpol/source.h"
#include "timeval.h"
#include "util.h"

/* Is the switch at what we know, or at what we knew a moment ago? */
static bool
is_ready(const struct np_daemon *d)
{
    return (np_daemon_is_realized(d)
            || (d->source->complete && d->gate.open && np_realized_holds(d)));
}

static void
gauge(struct np_expo *e, const char *name, const char *help, double value)
{
    np_expo_single(e, NP_EXPO_GAUGE, name, help, value);
}

static void
counter(struct np_expo *e, const char *name, const char *help, double value)
{
    np_expo_single(e, NP_EXPO_COUNTER, name, help, value);
}

static void
put_state(struct np_expo *e, const struct np_daemon *d)
{
    struct np_installer_status st;
    struct np_bridge_state bridge;

    np_installer_get_status(d->installer, &st);
    np_ovsdb_get_bridge(d->ovsdb, &bridge);
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_build_info",
                   "Always 1; the version is a label.");
    np_expo_sample(e, 1, "version", PACKAGE_VERSION, NULL);
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_connected",
                   "Whether this peer can be read now.");
    np_expo_sample(e, st.connected, "peer", "switch", NULL);
    np_expo_sample(e, bridge.connected, "peer", "database", NULL);
    np_expo_sample(e, d->source->complete && !d->source->lost, "peer",
                   "source", NULL);
    gauge(e, "ovs_netpol_ready", "Whether /readyz says so.", is_ready(d));
    gauge(e, "ovs_netpol_realized", "Whether all that is known now is in the "
          "switch.", np_daemon_is_realized(d));
    gauge(e, "ovs_netpol_flushed", "Whether netpol/flush has removed the "
          "flows.", d->flushed);
}

/* How old is what is in force, and will it be there after a restart? */
static void
put_age(struct np_expo *e, const struct np_daemon *d)
{
    const struct np_source *source = d->source;
    const struct simap_node *node;
    unsigned int oldest = source->as_of ? np_keeper_age(source->as_of) : 0;

    SIMAP_FOR_EACH (node, &source->kept) {
        oldest = MAX(oldest, np_keeper_age(node->data));
    }
    gauge(e, "ovs_netpol_source_age_seconds", "Age of the oldest objects in "
          "force that the source does not confirm, or 0.", oldest);
    gauge(e, "ovs_netpol_source_kept_files", "Files of which last good "
          "objects are in force, whatever they say now.", simap_count(&source->kept));
    gauge(e, "ovs_netpol_save_failing", "Whether objects cannot be saved.",
          np_saved_problem(d->keeper.saved) != NULL);
}

static void
put_objects(struct np_expo *e, const struct np_daemon *d)
{
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_objects",
                   "Kubernetes objects in force.");
    for (int kind = 0; kind < NP_N_KINDS; kind++) {
        np_expo_sample(e, d->engine.cache.n[kind], "kind",
                       np_kind_name(kind), NULL);
    }
    gauge(e, "ovs_netpol_source_errors", "What is wrong with the source's "
          "objects, such as objects that were refused.",
          d->source->errors.n);
    gauge(e, "ovs_netpol_source_warnings", "Objects that were accepted in "
          "spite of doubts.", d->source->warnings.n);
    put_age(e, d);
}

static void
put_ports(struct np_expo *e, const struct np_daemon *d)
{
    const struct np_binding *b = &d->engine.binding;
    size_t n[NP_PORT_TUNNEL + 1] = { 0 };
    size_t n_refused = 0;

    for (size_t i = 0; i < b->n_places; i++) {
        n[b->places[i]->row->role]++;
        n_refused += np_status_port_problem(d, b->places[i]) != NULL;
    }
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_ports",
                   "Ports of the bridge.");
    for (int role = 0; role <= NP_PORT_TUNNEL; role++) {
        np_expo_sample(e, n[role], "role", np_port_role_name(role), NULL);
    }
    gauge(e, "ovs_netpol_ports_refused", "Ports that carry nothing, see "
          "netpol/status.", n_refused);
    gauge(e, "ovs_netpol_local_pods", "Pods that have a port here.",
          b->n_locals);
    gauge(e, "ovs_netpol_realized_pods", "Those of them whose policies are "
          "in the switch.", smap_count(&d->realized));
}

static void
put_flows(struct np_expo *e, const struct np_daemon *d)
{
    const struct np_flow_set *set = np_installer_installed(d->installer);
    size_t n[NP_FLOW_LEARNED + 1] = { 0 };
    const struct np_flow *flow;

    if (set) {
        HMAP_FOR_EACH (flow, node, &set->flows) {
            n[MIN(np_cookie_kind(flow->cookie), NP_FLOW_LEARNED)]++;
        }
    }
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_flows",
                   "Flows of ours in the switch, as far as is known.");
    for (int kind = NP_FLOW_STATIC; kind < NP_FLOW_LEARNED; kind++) {
        np_expo_sample(e, n[kind], "kind", np_flow_kind_name(kind), NULL);
    }
}

static void
put_switch(struct np_expo *e, const struct np_daemon *d)
{
    struct np_installer_status st;

    np_installer_get_status(d->installer, &st);
    counter(e, "ovs_netpol_bundles_total", "Bundles that the switch "
            "committed.", st.n_bundles);
    counter(e, "ovs_netpol_flow_mods_total", "Flow-mods in them.",
            st.n_flow_mods);
    counter(e, "ovs_netpol_switch_errors_total", "Refusals of the switch, "
            "and flows that cannot be installed.", st.n_errors);
    counter(e, "ovs_netpol_drift_repairs_total", "Times that others had "
            "changed flows of ours and that was undone.", st.n_repairs);
    counter(e, "ovs_netpol_drifted_flows_total", "Flows that were concerned.",
            st.n_repaired);
}

/* What was denied, as far as the switch was read. */
static void
put_denials(struct np_expo *e, const struct np_daemon *d)
{
    const struct np_denials *book = d->denials.book;

    np_expo_family(e, NP_EXPO_COUNTER, "ovs_netpol_denied_packets_total",
                   "Frames that were denied.");
    for (int reason = 1; reason < NP_N_DENY_REASONS; reason++) {
        np_expo_sample(e, np_denials_total(book, reason), "reason",
                       np_deny_reason_name(reason), NULL);
    }
    counter(e, "ovs_netpol_denials_overflow_packets_total", "Of those that "
            "policies denied, packets that were too many to tell apart.",
            np_denials_overflowed(book));
    counter(e, "ovs_netpol_denials_forgotten_packets_total", "Packets in "
            "denials that had to go from the list for newer ones.",
            np_denials_forgotten(book));
}

static void
put_updates(struct np_expo *e, const struct np_daemon *d)
{
    const struct np_latency *l = &d->progress.latency;
    struct np_update pending;

    np_latency_pending(l, &pending);
    np_expo_family(e, NP_EXPO_COUNTER, "ovs_netpol_changes_total",
                   "Objects and ports that came, went or changed.");
    np_expo_sample(e, l->n_objects, "of", "object", NULL);
    np_expo_sample(e, l->n_ports, "of", "port", NULL);
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_pending_changes",
                   "Those of them that the switch has not confirmed.");
    np_expo_sample(e, pending.n_objects, "of", "object", NULL);
    np_expo_sample(e, pending.n_ports, "of", "port", NULL);
    np_expo_family(e, NP_EXPO_HISTOGRAM, "ovs_netpol_update_latency_seconds",
                   "From changes taken in to the barrier that confirmed "
                   "them.");
    np_expo_histogram(e, np_latency_bounds, l->buckets, NP_LATENCY_N_BOUNDS,
                      l->sum / 1e6);
}

static void
put_part(const char *part, size_t n, void *e)
{
    np_expo_sample(e, n, "part", part, NULL);
}

static void
put_memory(struct np_expo *e, const struct np_daemon *d)
{
    struct np_footprint_process p;

    np_footprint_process(&p);
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_memory_bytes",
                   "Memory of the process.");
    np_expo_sample(e, p.resident, "of", "resident", NULL);
    np_expo_sample(e, p.peak, "of", "peak", NULL);
    np_expo_sample(e, p.heap, "of", "heap", NULL);
    np_expo_sample(e, p.heap_used, "of", "heap_used", NULL);
    np_expo_family(e, NP_EXPO_GAUGE, "ovs_netpol_memory_items",
                   "What is kept in memory.");
    np_footprint_for_each(d, put_part, e);
}

static void
put_process(struct np_expo *e)
{
    struct rusage usage;
    double cpu;

    getrusage(RUSAGE_SELF, &usage);
    cpu = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
           + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    counter(e, "ovs_netpol_cpu_seconds_total", "Processor time of the "
            "process.", cpu);
    gauge(e, "ovs_netpol_start_time_seconds", "When the process started, in "
          "seconds since 1970.",
          (time_wall_msec() - time_msec() + time_boot_msec()) / 1000);
}

static void
metrics_cb(struct np_http_reply *reply, void *d)
{
    struct np_expo e;

    reply->type = NP_EXPO_CONTENT_TYPE;
    np_expo_init(&e, &reply->body);
    put_state(&e, d);
    put_objects(&e, d);
    put_ports(&e, d);
    put_flows(&e, d);
    put_switch(&e, d);
    put_denials(&e, d);
    put_updates(&e, d);
    put_memory(&e, d);
    put_process(&e);
    np_expo_destroy(&e);
}

static void
healthz_cb(struct np_http_reply *reply, void *d OVS_UNUSED)
{
    ds_put_cstr(&reply->body, "ok");
}

static void
readyz_cb(struct np_http_reply *reply, void *d)
{
    if (is_ready(d)) {
        ds_put_cstr(&reply->body, "ok");
    } else {
        char *missing = np_daemon_missing(d);

        reply->status = 503;
        ds_put_format(&reply->body, "%s\n", missing);
        free(missing);
    }
}

struct np_http *
np_metrics_serve(struct np_daemon *d)
{
    static const struct np_http_page pages[] = {
        { "/healthz", healthz_cb },
        { "/metrics", metrics_cb },
        { "/readyz", readyz_cb },
    };

    return (strcmp(d->options->metrics, "none")
            ? np_http_create(d->options->metrics, pages, ARRAY_SIZE(pages), d)
            : NULL);
}

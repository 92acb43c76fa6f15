/* What is realised, what is not, and why: the facts.
 *
 * They are collected once, as JSON; the text for people is made from that
 * (status-text.c), so that the two cannot tell different stories. */

#include <config.h>
#include "daemon/status.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/netpold.h"
#include "daemon/options.h"
#include "netpol/http.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "netpol/saved.h"
#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "util.h"

/* Puts a string that may be NULL: then null. */
static void
put_string(struct json *o, const char *name, const char *value)
{
    json_object_put(o, name, value ? json_string_create(value)
                             : json_null_create());
}

/* The same for a string that is freed. */
static void
put_nocopy(struct json *o, const char *name, char *value)
{
    put_string(o, name, value);
    free(value);
}

static void
put_bool(struct json *o, const char *name, bool value)
{
    json_object_put(o, name, json_boolean_create(value));
}

static void
put_integer(struct json *o, const char *name, long long int value)
{
    json_object_put(o, name, json_integer_create(value));
}

/* Puts an empty array and returns it. */
static struct json *
put_array(struct json *o, const char *name)
{
    struct json *array = json_array_create_empty();

    json_object_put(o, name, array);
    return array;
}

static struct json *
put_object(struct json *o, const char *name)
{
    struct json *object = json_object_create();

    json_object_put(o, name, object);
    return object;
}

/* Appends an empty object to ARRAY and returns it. */
static struct json *
add_object(struct json *array)
{
    struct json *object = json_object_create();

    json_array_add(array, object);
    return object;
}

static void
put_meta(struct json *o, const struct np_meta *meta)
{
    if (meta->namespace) {
        put_string(o, "namespace", meta->namespace);
    }
    put_string(o, "name", meta->name);
}

static void
put_addrs(struct json *o, const struct np_prefix *addrs, size_t n)
{
    struct json *array = put_array(o, "addresses");

    for (size_t i = 0; i < n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_prefix_format(&addrs[i], &s);
        json_array_add(array, json_string_create_nocopy(ds_steal_cstr(&s)));
    }
}

/* "as_of" and "age", null and 0 if SINCE is 0. */
static void
put_age(struct json *o, unsigned int since)
{
    put_nocopy(o, "as_of", since ? np_keeper_format_date(since) : NULL);
    put_integer(o, "age", since ? np_keeper_age(since) : 0);
}

/* What is in force although the source does not say so. */
static void
put_kept(const struct np_source *source, struct json *array)
{
    const struct simap_node **nodes = simap_sort(&source->kept);

    for (size_t i = 0; i < simap_count(&source->kept); i++) {
        struct json *o = add_object(array);

        put_string(o, "file", nodes[i]->name);
        put_age(o, nodes[i]->data);
    }
    free(nodes);
}

static void
put_saved(const struct np_daemon *d, struct json *o)
{
    put_string(o, "file", d->keeper.path);
    put_string(o, "problem", np_saved_problem(d->keeper.saved));
}

static void
put_source(const struct np_daemon *d, struct json *o)
{
    const struct np_source *source = d->source;
    struct json *objects = put_object(o, "objects");
    struct json *refused = put_array(o, "refused");

    put_string(o, "name", source->name);
    put_bool(o, "complete", source->complete);
    put_bool(o, "lost", source->lost);
    put_bool(o, "restored", source->restored);
    put_string(o, "problem", source->problem);
    put_age(o, source->as_of);
    put_kept(source, put_array(o, "kept"));
    put_saved(d, put_object(o, "saved"));
    for (int kind = 0; kind < NP_N_KINDS; kind++) {
        put_integer(objects, np_kind_name(kind), d->engine.cache.n[kind]);
    }
    for (size_t i = 0; i < source->errors.n; i++) {
        const struct np_error *e = &source->errors.v[i];
        struct json *error = add_object(refused);

        put_string(error, "file", e->file);
        put_integer(error, "line", e->line);
        put_string(error, "object", e->object);
        put_string(error, "path", e->path);
        put_string(error, "reason", e->reason);
    }
}

/* Is the way out there?  To be freed; NULL if it is. */
static char *
forward_problem(const struct np_daemon *d)
{
    const struct np_portmap *ports = np_ovsdb_ports(d->ovsdb);
    const char *name = d->options->out_port;

    for (size_t i = 0; name && i < ports->n; i++) {
        if (!strcmp(ports->v[i].name, name)
            && ports->v[i].ofport != NP_OFPORT_NONE) {
            return NULL;
        }
    }
    return name ? xasprintf("port %s of --forward is not on the bridge: what "
                            "is not for a port of this node goes nowhere",
                            name) : NULL;
}

static void
put_bridge(const struct np_daemon *d, struct json *o)
{
    struct np_bridge_state state;

    np_ovsdb_get_bridge(d->ovsdb, &state);
    put_string(o, "name", d->options->bridge);
    put_string(o, "database", d->options->db);
    put_bool(o, "connected", state.connected);
    put_bool(o, "exists", state.exists);
    put_bool(o, "secure", state.secure);
    put_string(o, "datapath_type", state.datapath_type);
    put_string(o, "problem", state.problem);
    put_string(o, "warning", d->gate.warning);
    put_nocopy(o, "forward_problem", forward_problem(d));
}

static void
put_switch(const struct np_daemon *d, struct json *o)
{
    const struct np_flow_set *set = np_installer_installed(d->installer);
    struct json *kinds = put_object(o, "flows");
    size_t n[NP_FLOW_LEARNED + 1] = { 0 };
    struct np_installer_status st;
    const struct np_flow *flow;

    np_installer_get_status(d->installer, &st);
    put_string(o, "state", st.state);
    put_bool(o, "connected", st.connected);
    put_bool(o, "foreign_flows", st.foreign_flows);
    put_integer(o, "bundles", st.n_bundles);
    put_integer(o, "flow_mods", st.n_flow_mods);
    put_integer(o, "errors", st.n_errors);
    put_string(o, "last_error", st.last_error);
    put_bool(o, "watched", st.watched);
    put_integer(o, "drift_repairs", st.n_repairs);
    put_integer(o, "drifted_flows", st.n_repaired);
    put_integer(o, "installed", st.n_installed);
    if (set) {
        HMAP_FOR_EACH (flow, node, &set->flows) {
            n[MIN(np_cookie_kind(flow->cookie), NP_FLOW_LEARNED)]++;
        }
    }
    for (int kind = NP_FLOW_STATIC; kind < NP_FLOW_LEARNED; kind++) {
        put_integer(kinds, np_flow_kind_name(kind), n[kind]);
    }
}

static void
put_mac(struct json *o, const struct np_bridge_port *p)
{
    if (p->has_mac) {
        put_nocopy(o, "mac", xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(p->mac)));
    }
}

/* The pods that have a port here. */
static void
put_pods(const struct np_daemon *d, struct json *array)
{
    const struct np_binding *b = &d->engine.binding;

    for (size_t i = 0; i < b->n_locals; i++) {
        const struct np_local *local = b->locals[i];
        struct json *o = add_object(array);

        put_meta(o, local->entry->object);
        put_string(o, "port", local->port->name);
        put_integer(o, "ofport", local->port->ofport);
        put_mac(o, local->port);
        put_addrs(o, local->addrs, local->n_addrs);
        put_bool(o, "realized",
                 smap_get(&d->realized, local->port->name) != NULL);
        put_bool(o, "isolated_ingress",
                 np_policies_isolate(&d->engine.policies, local->entry,
                                     NP_INGRESS));
        put_bool(o, "isolated_egress",
                 np_policies_isolate(&d->engine.policies, local->entry,
                                     NP_EGRESS));
        put_string(o, "note", local->note);
    }
}

static const char *
why_no_port(const struct np_daemon *d, const struct np_pod *pod)
{
    const struct np_binding *b = &d->engine.binding;

    for (size_t i = 0; i < b->n_places; i++) {
        const struct np_bridge_port *p = b->places[i]->row;

        if (b->places[i]->problem
            && (p->pod_name
                ? (!strcmp(p->pod_name, pod->meta.name)
                   && !strcmp(p->pod_namespace, pod->meta.namespace))
                : (p->pod_uid && pod->meta.uid
                   && !strcmp(p->pod_uid, pod->meta.uid)))) {
            return b->places[i]->problem;
        }
    }
    return "no port of the bridge names it";
}

static bool
is_local(const struct np_daemon *d, const struct np_pod *pod)
{
    return np_binding_find(&d->engine.binding,
                           np_cache_find(&d->engine.cache, NP_POD,
                                         pod->meta.namespace,
                                         pod->meta.name)) != NULL;
}

/* The pods that should have a port here, by their spec.nodeName. */
static void
put_portless(const struct np_daemon *d, struct json *array)
{
    const struct np_cache *cache = &d->engine.cache;
    const struct np_meta **pods = np_cache_sort(cache, NP_POD);

    for (size_t i = 0; i < cache->n[NP_POD]; i++) {
        const struct np_pod *pod = (const struct np_pod *) pods[i];

        if (np_pod_counts(pod)
            && nullable_string_is_equal(pod->node_name, d->options->node)
            && !is_local(d, pod)) {
            struct json *o = add_object(array);

            put_meta(o, &pod->meta);
            put_string(o, "reason", why_no_port(d, pod));
        }
    }
    free(pods);
}

const char *
np_status_port_problem(const struct np_daemon *d,
                       const struct np_place *place)
{
    const struct np_bridge_port *port = place->row;

    if (place->problem) {
        return (port->role == NP_PORT_UNKNOWN
                && d->options->compile.foreign_pass
                ? NULL : place->problem);
    }
    return port->ofport == NP_OFPORT_NONE ? "has no OpenFlow port number"
           : port->error;
}

/* All ports, with what is wrong with them. */
static void
put_ports(const struct np_daemon *d, struct json *array)
{
    const struct np_binding *b = &d->engine.binding;

    for (size_t i = 0; i < b->n_places; i++) {
        const struct np_bridge_port *p = b->places[i]->row;
        struct json *o = add_object(array);

        put_string(o, "name", p->name);
        put_integer(o, "ofport", p->ofport);
        put_string(o, "role", np_port_role_name(p->role));
        put_mac(o, p);
        put_addrs(o, p->addrs, p->n_addrs);
        put_string(o, "problem", np_status_port_problem(d, b->places[i]));
    }
}

static struct json *
local_members(const struct np_daemon *d, const struct np_set *applied)
{
    const struct np_binding *b = &d->engine.binding;
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < b->n_locals; i++) {
        const struct np_entry *pod = b->locals[i]->entry;

        if (pod->profile && np_idset_contains(&pod->profile->groups,
                                              applied->groups[0]->id)) {
            json_array_add(array, json_string_create(pod->object->name));
        }
    }
    return array;
}

static void
put_policy(const struct np_daemon *d, const struct np_policy *policy,
           enum np_direction direction, struct json *array)
{
    struct json *pods = local_members(d, policy->applied);

    if (json_array(pods)->n) {
        const struct np_netpol *object
            = (const struct np_netpol *) policy->entry->object;
        struct json *o = add_object(array);

        put_meta(o, &object->meta);
        put_string(o, "direction", np_direction_name(direction));
        put_bool(o, "unreadable", object->unreadable);
        json_object_put(o, "pods", pods);
    } else {
        json_destroy(pods);
    }
}

/* The policies that isolate a pod of this node, and whom. */
static void
put_policies(const struct np_daemon *d, struct json *array)
{
    const struct np_policies *policies = &d->engine.policies;
    const struct np_policy **v = np_policies_sort(policies);

    for (size_t i = 0; i < hmap_count(&policies->by_entry); i++) {
        for (int dir = NP_INGRESS; dir <= NP_EGRESS; dir++) {
            if (v[i]->isolates[dir]) {
                put_policy(d, v[i], dir, array);
            }
        }
    }
    free(v);
}

static void
put_metrics(const struct np_daemon *d, struct json *o)
{
    put_string(o, "address", d->http ? d->options->metrics : NULL);
    put_string(o, "problem", d->http ? np_http_problem(d->http) : NULL);
}

struct json *
np_status_create(const struct np_daemon *d)
{
    struct json *o = json_object_create();

    put_string(o, "version", PACKAGE_VERSION);
    put_string(o, "node", d->options->node);
    put_bool(o, "node_known", np_cache_find(&d->engine.cache, NP_NODE, NULL,
                                            d->options->node) != NULL);
    put_bool(o, "realized", np_daemon_is_realized(d));
    put_nocopy(o, "missing", np_daemon_missing(d));
    put_bool(o, "flushed", d->flushed);
    put_integer(o, "waiting", ovs_list_size(&d->waiters));
    put_source(d, put_object(o, "source"));
    put_bridge(d, put_object(o, "bridge"));
    put_switch(d, put_object(o, "switch"));
    put_pods(d, put_array(o, "pods"));
    put_portless(d, put_array(o, "pods_without_port"));
    put_ports(d, put_array(o, "ports"));
    put_policies(d, put_array(o, "policies"));
    put_metrics(d, put_object(o, "metrics"));
    return o;
}

/* What is realised, what is not, and why: the text. */

#include <config.h>
#include "daemon/status.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/keeper.h"
#include "netpol/portmap.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"

static const struct json *
member(const struct json *o, const char *name)
{
    return shash_find_data(json_object(o), name);
}

/* NULL for null and for what is not there. */
static const char *
string(const struct json *o, const char *name)
{
    const struct json *j = member(o, name);

    return j && j->type == JSON_STRING ? json_string(j) : NULL;
}

static bool
boolean(const struct json *o, const char *name)
{
    return json_boolean(member(o, name));
}

static long long int
integer(const struct json *o, const char *name)
{
    return json_integer(member(o, name));
}

static const struct json_array *
array(const struct json *o, const char *name)
{
    return json_array(member(o, name));
}

/* "3 Pods, 1 Node": members that are not 0, by name. */
static void
put_counts(const struct json *o, bool plural, struct ds *s)
{
    const struct shash_node **nodes = shash_sort(json_object(o));
    bool any = false;

    for (size_t i = 0; i < shash_count(json_object(o)); i++) {
        long long int n = json_integer(nodes[i]->data);
        const char *name = nodes[i]->name;
        int len = strlen(name);

        if (!n) {
            continue;
        }
        ds_put_format(s, "%s%lld ", any ? ", " : "", n);
        if (plural && n != 1) {
            bool y = name[len - 1] == 'y';

            ds_put_format(s, "%.*s%s", len - y, name, y ? "ies" : "s");
        } else {
            ds_put_cstr(s, name);
        }
        any = true;
    }
    if (!any) {
        ds_put_cstr(s, "none");
    }
    free(nodes);
}

static void
put_key(const struct json *o, struct ds *s)
{
    const char *namespace = string(o, "namespace");

    ds_put_format(s, "%s%s%s", namespace ? namespace : "",
                  namespace ? "/" : "", string(o, "name"));
}

static void
put_addrs(const struct json *o, struct ds *s)
{
    const struct json_array *addrs = array(o, "addresses");

    for (size_t i = 0; i < addrs->n; i++) {
        ds_put_format(s, "%s%s", i ? "," : "", json_string(addrs->elems[i]));
    }
}

static void
put_error(const struct json *e, struct ds *s)
{
    const char *file = string(e, "file");
    const char *object = string(e, "object");
    const char *path = string(e, "path");
    long long int line = integer(e, "line");

    ds_put_cstr(s, "  refused: ");
    if (file) {
        ds_put_format(s, "%s:", file);
        if (line) {
            ds_put_format(s, "%lld:", line);
        }
        ds_put_char(s, ' ');
    }
    if (path) {
        ds_put_format(s, "%s: ", path);
    }
    ds_put_cstr(s, string(e, "reason"));
    if (object) {
        ds_put_format(s, " (%s)", object);
    }
    ds_put_char(s, '\n');
}

/* "as of DATE (3 h ago)" */
static void
put_age(const struct json *o, struct ds *s)
{
    ds_put_format(s, "as of %s (", string(o, "as_of"));
    np_keeper_format_age(integer(o, "age"), s);
    ds_put_cstr(s, " ago)");
}

static void
format_kept(const struct json *o, struct ds *s)
{
    const struct json_array *kept = array(o, "kept");
    const char *problem = string(member(o, "saved"), "problem");

    if (string(o, "as_of")) {
        ds_put_format(s, "  enforced: %s objects ",
                      boolean(o, "restored") ? "saved" : "its last");
        put_age(o, s);
        ds_put_char(s, '\n');
    }
    for (size_t i = 0; i < kept->n; i++) {
        ds_put_format(s, "  enforced: last good objects of %s ",
                      string(kept->elems[i], "file"));
        put_age(kept->elems[i], s);
        ds_put_char(s, '\n');
    }
    if (problem) {
        ds_put_format(s, "  NOT saved: %s\n", problem);
    }
}

static void
format_source(const struct json *o, struct ds *s)
{
    const struct json_array *refused = array(o, "refused");
    const char *problem = string(o, "problem");

    ds_put_format(s, "source %s: %s", string(o, "name"),
                  boolean(o, "lost") ? "LOST, its last objects stay in force"
                  : boolean(o, "complete") ? "complete" : "not read yet");
    if (problem) {
        ds_put_format(s, " (%s)", problem);
    }
    ds_put_cstr(s, "\n  objects: ");
    put_counts(member(o, "objects"), true, s);
    ds_put_char(s, '\n');
    format_kept(o, s);
    for (size_t i = 0; i < refused->n; i++) {
        put_error(refused->elems[i], s);
    }
}

static void
format_bridge(const struct json *o, struct ds *s)
{
    const char *type = string(o, "datapath_type");
    const char *problem = string(o, "problem");
    const char *warning = string(o, "warning");
    const char *forward = string(o, "forward_problem");

    ds_put_format(s, "bridge %s: ", string(o, "name"));
    if (problem) {
        ds_put_cstr(s, problem);
    } else {
        ds_put_format(s, "datapath %s, fail_mode %s",
                      type && *type ? type : "system",
                      boolean(o, "secure") ? "secure" : "not secure");
    }
    ds_put_format(s, "\n  database: %s, %s\n", string(o, "database"),
                  boolean(o, "connected") ? "connected" : "not connected");
    if (warning) {
        ds_put_format(s, "  warning: %s\n", warning);
    }
    if (forward) {
        ds_put_format(s, "  warning: %s\n", forward);
    }
}

static void
format_switch(const struct json *o, struct ds *s)
{
    const char *error = string(o, "last_error");

    ds_put_format(s, "switch: %s, %s%s\n  flows: %lld (",
                  boolean(o, "connected") ? "connected" : "not connected",
                  string(o, "state"),
                  boolean(o, "foreign_flows") ? ", has flows of others" : "",
                  integer(o, "installed"));
    put_counts(member(o, "flows"), false, s);
    ds_put_format(s, ")\n  sent: %lld flow-mods in %lld bundles, "
                  "%lld errors\n", integer(o, "flow_mods"),
                  integer(o, "bundles"), integer(o, "errors"));
    ds_put_format(s, "  changes by others: %s, %lld flows repaired in %lld "
                  "bundles\n", boolean(o, "watched") ? "watched"
                  : "looked for from time to time",
                  integer(o, "drifted_flows"), integer(o, "drift_repairs"));
    if (error) {
        ds_put_format(s, "  last error: %s\n", error);
    }
}

static void
format_pod(const struct json *o, struct ds *s)
{
    const char *note = string(o, "note");
    bool in = boolean(o, "isolated_ingress");
    bool out = boolean(o, "isolated_egress");

    ds_put_cstr(s, "  ");
    put_key(o, s);
    ds_put_format(s, ": %s, port %s (%lld), ",
                  boolean(o, "realized") ? "realized" : "NOT realized",
                  string(o, "port"), integer(o, "ofport"));
    put_addrs(o, s);
    ds_put_format(s, ", %s\n",
                  in && out ? "isolated both ways"
                  : in ? "isolated for ingress"
                  : out ? "isolated for egress" : "not isolated");
    if (note) {
        ds_put_format(s, "    note: %s\n", note);
    }
}

static void
format_pods(const struct json *status, struct ds *s)
{
    const struct json_array *pods = array(status, "pods");
    const struct json_array *portless = array(status, "pods_without_port");

    ds_put_format(s, "pods of this node (%s%s): %"PRIuSIZE"\n",
                  string(status, "node"),
                  boolean(status, "node_known") ? ""
                  : ", no such Node object is known", pods->n);
    for (size_t i = 0; i < pods->n; i++) {
        format_pod(pods->elems[i], s);
    }
    if (portless->n) {
        ds_put_format(s, "pods scheduled here without a port: %"PRIuSIZE"\n",
                      portless->n);
    }
    for (size_t i = 0; i < portless->n; i++) {
        ds_put_cstr(s, "  ");
        put_key(portless->elems[i], s);
        ds_put_format(s, ": %s\n", string(portless->elems[i], "reason"));
    }
}

static void
format_other_port(const struct json *o, struct ds *s)
{
    long long int ofport = integer(o, "ofport");

    ds_put_format(s, "  %s: %s", string(o, "name"), string(o, "role"));
    if (ofport == NP_OFPORT_LOCAL) {
        ds_put_cstr(s, ", port LOCAL");
    } else if (ofport != NP_OFPORT_NONE) {
        ds_put_format(s, ", port %lld", ofport);
    }
    if (array(o, "addresses")->n) {
        ds_put_cstr(s, ", ");
        put_addrs(o, s);
    }
    ds_put_char(s, '\n');
}

static bool
is_pods(const struct json *port)
{
    return !strcmp(string(port, "role"), "pod");
}

static void
format_ports(const struct json *status, struct ds *s)
{
    const struct json_array *ports = array(status, "ports");
    size_t n_bad = 0;

    ds_put_cstr(s, "other ports:\n");
    for (size_t i = 0; i < ports->n; i++) {
        bool bad = string(ports->elems[i], "problem") != NULL;

        n_bad += bad;
        if (!bad && !is_pods(ports->elems[i])) {
            format_other_port(ports->elems[i], s);
        }
    }
    if (n_bad) {
        ds_put_format(s, "ports that carry nothing: %"PRIuSIZE"\n", n_bad);
    }
    for (size_t i = 0; i < ports->n; i++) {
        const struct json *o = ports->elems[i];
        const char *problem = string(o, "problem");

        if (problem) {
            ds_put_format(s, "  %s: %s\n", string(o, "name"), problem);
        }
    }
}

static void
format_policies(const struct json *status, struct ds *s)
{
    const struct json_array *policies = array(status, "policies");

    if (policies->n) {
        ds_put_cstr(s, "policies that isolate pods of this node:\n");
    }
    for (size_t i = 0; i < policies->n; i++) {
        const struct json *o = policies->elems[i];
        const struct json_array *pods = array(o, "pods");

        ds_put_cstr(s, "  ");
        put_key(o, s);
        ds_put_format(s, " %s: ", string(o, "direction"));
        for (size_t j = 0; j < pods->n; j++) {
            ds_put_format(s, "%s%s", j ? ", " : "",
                          json_string(pods->elems[j]));
        }
        ds_put_format(s, "%s\n", boolean(o, "unreadable")
                      ? " (cannot be read: allows nothing)" : "");
    }
}

void
np_status_format(const struct json *status, struct ds *s)
{
    const char *missing = string(status, "missing");

    if (boolean(status, "realized")) {
        ds_put_cstr(s, "realized: everything that is known is in the "
                    "switch\n");
    } else {
        ds_put_format(s, "NOT realized: %s\n", missing ? missing : "unknown");
    }
    if (integer(status, "waiting")) {
        ds_put_format(s, "  %lld netpol/wait or netpol/flush unanswered\n",
                      integer(status, "waiting"));
    }
    format_source(member(status, "source"), s);
    format_bridge(member(status, "bridge"), s);
    format_switch(member(status, "switch"), s);
    format_pods(status, s);
    format_ports(status, s);
    format_policies(status, s);
    if (string(member(status, "metrics"), "problem")) {
        ds_put_format(s, "metrics: %s\n",
                      string(member(status, "metrics"), "problem"));
    }
}

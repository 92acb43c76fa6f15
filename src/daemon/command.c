/* What can be asked over the control socket. */

#include <config.h>
#include "daemon/command.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/denials.h"
#include "daemon/footprint.h"
#include "daemon/netpold.h"
#include "daemon/options.h"
#include "daemon/selfcheck.h"
#include "daemon/status.h"
#include "daemon/wait.h"
#include "netpol/ovsdb.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "unixctl.h"
#include "util.h"

#define WAIT_SECONDS 30
#define WAIT_SECONDS_MAX 86400

static void
wait_cb(struct unixctl_conn *conn, int argc, const char *argv[], void *d_)
{
    struct np_daemon *d = d_;
    int seconds = WAIT_SECONDS;
    bool datapath = false;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--datapath")) {
            datapath = true;
        } else if (!str_to_int(argv[i], 10, &seconds) || seconds < 0
                   || seconds > WAIT_SECONDS_MAX) {
            unixctl_command_reply_error(conn, "usage: netpol/wait "
                                        "[--datapath] [SECONDS]");
            return;
        }
    }
    if (d->flushed) {
        unixctl_command_reply_error(conn, "flushed by netpol/flush; "
                                    "netpol/resume installs again");
        return;
    }
    np_wait_for_all(d, conn, datapath, seconds);
}

/* A command that tells something, as text or as JSON. */
struct report {
    const char *name;
    struct json *(*create)(const struct np_daemon *);
    void (*format)(const struct json *, struct ds *);
};

static const struct report reports[] = {
    { "netpol/status", np_status_create, np_status_format },
    { "netpol/latency", np_progress_latency, np_progress_format_latency },
    { "netpol/memory", np_footprint_create, np_footprint_format },
};

static const struct report *
find_report(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
        if (!strcmp(reports[i].name, name)) {
            return &reports[i];
        }
    }
    OVS_NOT_REACHED();
}

static void
report_cb(struct unixctl_conn *conn, int argc, const char *argv[], void *d)
{
    const struct report *report = find_report(argv[0]);
    bool as_json = argc > 1 && !strcmp(argv[1], "json");
    struct ds s = DS_EMPTY_INITIALIZER;
    struct json *facts;

    if (argc > 1 && !as_json) {
        ds_put_format(&s, "usage: %s [json]", report->name);
        unixctl_command_reply_error(conn, ds_cstr(&s));
        ds_destroy(&s);
        return;
    }
    facts = report->create(d);
    if (as_json) {
        json_to_ds(facts, JSSF_SORT, &s);
    } else {
        report->format(facts, &s);
    }
    json_destroy(facts);
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
}

static void
denials_cb(struct unixctl_conn *conn, int argc, const char *argv[], void *d)
{
    bool as_json = argc > 1 && !strcmp(argv[1], "json");

    if (argc > 1 && !as_json) {
        unixctl_command_reply_error(conn, "usage: netpol/denials [json]");
    } else {
        np_denial_desk_ask(d, conn, as_json);
    }
}

static void
self_check_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *d)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (np_self_check(d, &s)) {
        unixctl_command_reply(conn, ds_cstr(&s));
    } else {
        unixctl_command_reply_error(conn, ds_cstr(&s));
    }
    ds_destroy(&s);
}

static void
flush_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
         const char *argv[] OVS_UNUSED, void *d)
{
    np_wait_for_flush(d, conn, np_daemon_flush(d));
}

static void
resume_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
          const char *argv[] OVS_UNUSED, void *d)
{
    np_daemon_resume(d);
    unixctl_command_reply(conn, NULL);
}

static void
add_name(enum np_flow_kind kind, uint32_t id, const char *text, void *names_)
{
    struct json **names = names_;
    char *key = xasprintf("%"PRIu32, id);

    json_object_put_nocopy(names[kind == NP_FLOW_RULE], key,
                           json_string_create(text));
}

/* "port veth1 (pod shop/web)" for each OpenFlow port number. */
static struct json *
port_names(const struct np_daemon *d)
{
    const struct np_portmap *ports = np_ovsdb_ports(d->ovsdb);
    const struct np_binding *b = &d->engine.binding;
    struct json *names = json_object_create();

    for (size_t i = 0; i < ports->n; i++) {
        const struct np_bridge_port *p = &ports->v[i];

        json_object_put_nocopy(names, xasprintf("%"PRIu32, p->ofport),
                               json_string_create_nocopy(
                                   xasprintf("%s (%s)", p->name,
                                             np_port_role_name(p->role))));
    }
    for (size_t i = 0; i < b->n_locals; i++) {
        const struct np_local *l = b->locals[i];

        json_object_put_nocopy(names, xasprintf("%"PRIu32, l->port->ofport),
                               json_string_create_nocopy(
                                   xasprintf("%s (pod %s/%s)", l->port->name,
                                             l->entry->object->namespace,
                                             l->entry->object->name)));
    }
    return names;
}

static void
names_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
         const char *argv[] OVS_UNUSED, void *d_)
{
    struct np_daemon *d = d_;
    struct json *names[2] = { json_object_create(), json_object_create() };
    struct json *all = json_object_create();
    char *s;

    np_compiler_for_each_name(d->engine.compiler, add_name, names);
    json_object_put(all, "identities", names[0]);
    json_object_put(all, "rules", names[1]);
    json_object_put(all, "ports", port_names(d));
    json_object_put_string(all, "bridge", d->options->bridge);
    json_object_put(all, "table_base",
                    json_integer_create(
                        d->options->compile.table_base));
    s = json_to_string(all, JSSF_SORT);
    json_destroy(all);
    unixctl_command_reply(conn, s);
    free(s);
}

static void
exit_cb(struct unixctl_conn *conn, int argc OVS_UNUSED,
        const char *argv[] OVS_UNUSED, void *d_)
{
    struct np_daemon *d = d_;

    d->exiting = true;
    unixctl_command_reply(conn, NULL);
}

void
np_commands_register(struct np_daemon *d)
{
    unixctl_command_register("netpol/wait", "[--datapath] [SECONDS]", 0, 2,
                             wait_cb, d);
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
        unixctl_command_register(reports[i].name, "[json]", 0, 1, report_cb,
                                 d);
    }
    unixctl_command_register("netpol/denials", "[json]", 0, 1, denials_cb,
                             d);
    unixctl_command_register("netpol/self-check", "", 0, 0, self_check_cb,
                             d);
    unixctl_command_register("netpol/flush", "", 0, 0, flush_cb, d);
    unixctl_command_register("netpol/resume", "", 0, 0, resume_cb, d);
    unixctl_command_register("netpol/names", "", 0, 0, names_cb, d);
    unixctl_command_register("exit", "", 0, 0, exit_cb, d);
}

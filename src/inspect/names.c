/* What the numbers in the flows stand for.
 *
 * The daemon answers netpol/names with one JSON object: `identities`, `rules`
 * and `ports`, each from number to words, its `bridge` and `table_base`.
 * Without a daemon there are no words, but the kind and the number of each
 * flow are still in its cookie. */

#include <config.h>
#include "inspect/names.h"

#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "dirs.h"
#include "jsonrpc.h"
#include "netpol/compile.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/shash.h"
#include "unixctl.h"
#include "util.h"

/* The path of the control socket of TARGET, to be freed; or NULL, and ERROR is
 * why. */
static char *
socket_of(const char *target, char **error)
{
    char *pidfile, *path = NULL;
    pid_t pid;

    if (target[0] == '/') {
        return xstrdup(target);
    }
    pidfile = xasprintf("%s/%s.pid", ovs_rundir(), target);
    pid = read_pidfile(pidfile);
    if (pid < 0) {
        *error = xasprintf("%s: %s", pidfile, ovs_strerror(-pid));
    } else {
        path = xasprintf("%s/%s.%ld.ctl", ovs_rundir(), target,
                         (long int) pid);
    }
    free(pidfile);
    return path;
}

char *
np_names_fetch(struct np_names *names, const char *target, const char *bridge)
{
    char *error = NULL, *answer = NULL, *refusal = NULL;
    char *path = socket_of(target, &error);
    struct jsonrpc *client;

    names->json = NULL;
    if (!path) {
        return error;
    }
    int retval = unixctl_client_create(path, &client);
    if (!retval) {
        retval = unixctl_client_transact(client, "netpol/names", 0, NULL,
                                         &answer, &refusal);
        jsonrpc_close(client);
    }
    if (retval) {
        error = xasprintf("%s: %s", path, ovs_retval_to_string(retval));
    } else if (refusal) {
        error = xasprintf("%s: %s", path, refusal);
    } else {
        error = np_names_parse(names, answer, bridge);
    }
    free(answer);
    free(refusal);
    free(path);
    return error;
}

static const struct json *
member(const struct json *o, const char *name, enum json_type type)
{
    const struct json *j = (o && o->type == JSON_OBJECT
                            ? shash_find_data(json_object(o), name) : NULL);

    return j && j->type == type ? j : NULL;
}

char *
np_names_parse(struct np_names *names, const char *text, const char *bridge)
{
    struct json *json = json_from_string(text);
    const struct json *of = member(json, "bridge", JSON_STRING);
    char *error = NULL;

    names->json = NULL;
    if (!of) {
        error = xstrdup("the answer to netpol/names cannot be understood");
    } else if (strcmp(json_string(of), bridge)) {
        error = xasprintf("the daemon is on bridge %s, not %s",
                          json_string(of), bridge);
    }
    if (error) {
        json_destroy(json);
    } else {
        names->json = json;
    }
    return error;
}

void
np_names_destroy(struct np_names *names)
{
    json_destroy(names->json);
    names->json = NULL;
}

const char *
np_names_find(const struct np_names *names, enum np_flow_kind kind,
              uint32_t id)
{
    const char *group = (kind == NP_FLOW_IDENTITY ? "identities"
                         : kind == NP_FLOW_PORT ? "ports" : "rules");
    const struct json *all = member(names->json, group, JSON_OBJECT);
    char key[16];
    const struct json *text;

    snprintf(key, sizeof key, "%"PRIu32, id);
    text = member(all, key, JSON_STRING);
    return text ? json_string(text) : NULL;
}

int
np_names_table_base(const struct np_names *names)
{
    const struct json *base = member(names->json, "table_base", JSON_INTEGER);

    return (base && json_integer(base) >= 0
            && json_integer(base) <= NP_TABLE_BASE_MAX
            ? json_integer(base) : -1);
}

static void
put_name(const struct np_names *names, enum np_flow_kind kind, uint32_t id,
         struct ds *s)
{
    const char *text = np_names_find(names, kind, id);

    if (text) {
        ds_put_cstr(s, text);
    } else {
        ds_put_format(s, "rule %"PRIu32, id);
    }
}

/* The rules whose conjunctions the flow has a part in. */
static void
put_conjunctions(const struct np_flow *flow, const struct np_names *names,
                 struct ds *s)
{
    const char *separator = " of ";
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, flow->actions, flow->actions_len) {
        if (a->type == OFPACT_CONJUNCTION) {
            ds_put_cstr(s, separator);
            put_name(names, NP_FLOW_RULE, ofpact_get_CONJUNCTION(a)->id, s);
            separator = ", ";
        }
    }
}

void
np_flow_describe(const struct np_flow *flow, const struct np_names *names,
                 struct ds *s)
{
    enum np_flow_kind kind = np_cookie_kind(flow->cookie);
    uint32_t id = flow->cookie;
    const char *text;

    if (!np_cookie_is_ours(flow->cookie)) {
        ds_put_format(s, "not ours, cookie 0x%"PRIx64, flow->cookie);
        return;
    } else if (kind < NP_FLOW_STATIC || kind > NP_FLOW_LEARNED) {
        ds_put_format(s, "kind %d, %"PRIu32, kind, id);
        return;
    }
    ds_put_cstr(s, np_flow_kind_name(kind));
    if (kind == NP_FLOW_CLAUSE) {
        put_conjunctions(flow, names, s);
    } else if (id) {
        ds_put_format(s, " %"PRIu32, id);
        text = np_names_find(names, kind, id);
        if (text) {
            ds_put_format(s, ": %s", text);
        }
    }
}

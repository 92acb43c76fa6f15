/* Who was denied what: the text. */

#include <config.h>
#include "daemon/denials.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"

enum { N_COLUMNS = 9 };

static const char *const titles[N_COLUMNS] = {
    "FROM", "TO", "PROTOCOL", "PORT", "DENIED", "COUNT", "FIRST SEEN",
    "LAST SEEN", "POLICIES",
};

static const struct json *
member(const struct json *o, const char *name)
{
    return shash_find_data(json_object(o), name);
}

static const char *
string(const struct json *o, const char *name)
{
    return json_string(member(o, name));
}

static long long int
integer(const struct json *o, const char *name)
{
    return json_integer(member(o, name));
}

/* "shop/web (10.244.0.5)"; POD may be null or NULL, ADDR may be NULL. */
static char *
name_end(const struct json *pod, const char *addr)
{
    if (!pod || pod->type != JSON_OBJECT) {
        return xstrdup(addr ? addr : "a port that is no pod's now");
    }
    return (addr
            ? xasprintf("%s/%s (%s)", string(pod, "namespace"),
                        string(pod, "pod_name"), addr)
            : xasprintf("%s/%s", string(pod, "namespace"),
                        string(pod, "pod_name")));
}

static char *
name_port(const struct json *fields)
{
    const struct json *port = member(fields, "destination_port");

    port = port ? port : member(fields, "source_port");
    if (port) {
        return xasprintf("%lld", (long long int) json_integer(port));
    } else if (member(fields, "type")) {
        return xasprintf("type %lld code %lld", integer(fields, "type"),
                         integer(fields, "code"));
    }
    return xstrdup("-");
}

/* "shop/deny-all, shop/web" */
static char *
name_policies(const struct json *denial)
{
    const struct json *policies = member(denial, "egress_denied_by");
    struct ds s = DS_EMPTY_INITIALIZER;
    const struct json_array *array;

    policies = policies ? policies : member(denial, "ingress_denied_by");
    array = json_array(policies);

    for (size_t i = 0; i < array->n; i++) {
        ds_put_format(&s, "%s%s/%s", i ? ", " : "",
                      string(array->elems[i], "namespace"),
                      string(array->elems[i], "name"));
    }
    return array->n ? ds_steal_cstr(&s) : xstrdup("none now");
}

static void
fill_row(const struct json *denial, char *row[N_COLUMNS])
{
    const struct json *ip = member(denial, "IP");
    const struct shash_node *l4
        = shash_first(json_object(member(denial, "l4")));
    bool egress = member(denial, "egress_denied_by") != NULL;

    row[0] = name_end(member(denial, "source"), string(ip, "source"));
    row[1] = name_end(member(denial, "destination"),
                      string(ip, "destination"));
    row[2] = xstrdup(l4->name);
    row[3] = name_port(l4->data);
    row[4] = xasprintf("%s%s", egress ? "egress" : "ingress",
                       json_boolean(member(denial, "is_reply"))
                       ? " (reply)" : "");
    row[5] = xasprintf("%lld", integer(denial, "count"));
    row[6] = xstrdup(string(denial, "first_seen"));
    row[7] = xstrdup(string(denial, "last_seen"));
    row[8] = name_policies(denial);
}

static void
put_row(const char *const row[N_COLUMNS], const size_t width[N_COLUMNS],
        struct ds *s)
{
    for (size_t i = 0; i < N_COLUMNS - 1; i++) {
        ds_put_format(s, "%-*s  ", (int) width[i], row[i]);
    }
    ds_put_format(s, "%s\n", row[N_COLUMNS - 1]);
}

static void
put_table(const struct json_array *denials, struct ds *s)
{
    char *(*rows)[N_COLUMNS] = xcalloc(denials->n + 1, sizeof *rows);
    size_t width[N_COLUMNS];

    for (size_t i = 0; i < N_COLUMNS; i++) {
        width[i] = strlen(titles[i]);
    }
    for (size_t i = 0; i < denials->n; i++) {
        fill_row(denials->elems[i], rows[i]);
        for (size_t j = 0; j < N_COLUMNS; j++) {
            width[j] = MAX(width[j], strlen(rows[i][j]));
        }
    }
    put_row(titles, width, s);
    for (size_t i = 0; i < denials->n; i++) {
        put_row((const char *const *) rows[i], width, s);
        for (size_t j = 0; j < N_COLUMNS; j++) {
            free(rows[i][j]);
        }
    }
    free(rows);
}

static void
put_overflow(const struct json *o, struct ds *s)
{
    const struct json *to = member(o, "destination_ip");
    char *pod = (to ? name_end(member(o, "destination"), json_string(to))
                 : name_end(member(o, "source"), NULL));

    ds_put_format(s, "%s %s: %lld packets from %s to %s\n",
                  to ? "to" : "from", pod, integer(o, "count"),
                  string(o, "first_seen"), string(o, "last_seen"));
    free(pod);
}

void
np_denials_format(const struct json *facts, struct ds *s)
{
    const struct json *packets = member(facts, "packets");
    const struct json_array *denials = json_array(member(facts, "denials"));
    const struct json_array *overflows
        = json_array(member(facts, "overflows"));
    const struct json *as_of = member(facts, "as_of");

    ds_put_format(s, "denied by policies: %lld packets egress, %lld ingress",
                  integer(packets, "egress"), integer(packets, "ingress"));
    if (as_of->type != JSON_STRING) {
        ds_put_cstr(s, " (the switch was not read yet)");
    } else if (!json_boolean(member(facts, "connected"))) {
        ds_put_format(s, " (as of %s: no connection to the switch)",
                      json_string(as_of));
    }
    ds_put_char(s, '\n');
    if (denials->n) {
        ds_put_char(s, '\n');
        put_table(denials, s);
    }
    if (overflows->n) {
        ds_put_cstr(s, "\ntoo many different denials to tell apart:\n");
    }
    for (size_t i = 0; i < overflows->n; i++) {
        put_overflow(overflows->elems[i], s);
    }
}

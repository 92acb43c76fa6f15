/* ovs-flows dump: the flows, table by table. */

#include <config.h>
#include "ovs-flows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "dirs.h"
#include "inspect/names.h"
#include "netpol/compile.h"
#include "netpol/openflow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* One dump on its way out. */
struct dump {
    const struct flows_options *options;
    const char *bridge;         /* Its name. */
    struct np_flow_dump flows;
    struct np_names names;
    struct np_table_names tables;
    int base;                   /* Of the pipeline's tables. */
};

/* The lowest table that has a flow of ours, which has to be the first. */
static int
find_base(const struct np_flow_dump *flows)
{
    int base = NP_TABLE_BASE_MAX + 1;

    for (size_t i = 0; i < flows->n; i++) {
        if (np_cookie_is_ours(flows->stats[i].flow->cookie)) {
            base = MIN(base, flows->stats[i].flow->table);
        }
    }
    return base > NP_TABLE_BASE_MAX ? 0 : base;
}

static void
read_all(struct dump *d, const char *arg)
{
    bool is_target = strchr(arg, ':') != NULL;
    char *target = (is_target ? xstrdup(arg)
                    : xasprintf("unix:%s/%s.mgmt", ovs_rundir(), arg));
    char *error = np_openflow_dump(target, d->options->all, &d->flows);

    free(target);
    if (error) {
        flows_fail("%s", error);
    }
    if (d->options->names) {
        /* Names are a help, not a need. */
        error = np_names_fetch(&d->names, d->options->target, d->bridge);
        if (error) {
            fprintf(stderr, "%s: no names: %s\n", program_name, error);
            free(error);
        }
    }
    d->base = d->options->table_base;
    if (d->base < 0) {
        d->base = np_names_table_base(&d->names);
    }
    if (d->base < 0) {
        d->base = find_base(&d->flows);
    }
    np_pipeline_names(d->base, &d->tables);
}

/* Match and actions: the text form after cookie and table. */
static void
format_flow(const struct dump *d, const struct np_flow *flow, struct ds *s)
{
    struct ds whole = DS_EMPTY_INITIALIZER;
    const char *actions, *text;

    np_flow_format(flow, &d->tables, &whole);
    text = strstr(ds_cstr(&whole), "priority=");
    actions = strstr(text, ",actions=");
    ds_put_format(s, "%.*s %s", (int) (actions - text), text, actions + 1);
    ds_destroy(&whole);
}

static void
print_flow(const struct dump *d, const struct np_flow_stats *st)
{
    const char *dim = d->options->colour ? "\033[2m" : "";
    const char *cyan = d->options->colour ? "\033[36m" : "";
    const char *plain = d->options->colour ? "\033[0m" : "";
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "  %spackets=%"PRIu64" bytes=%"PRIu64"%s ", dim,
                  st->n_packets, st->n_bytes, plain);
    format_flow(d, st->flow, &s);
    ds_put_format(&s, "  %s# ", cyan);
    np_flow_describe(st->flow, &d->names, &s);
    ds_put_cstr(&s, plain);
    puts(ds_cstr(&s));
    ds_destroy(&s);
}

static void
print_flow_json(const struct dump *d, const struct np_flow_stats *st,
                struct json *array)
{
    struct json *o = json_object_create();
    struct ds s = DS_EMPTY_INITIALIZER;
    const char *table = d->tables.name[st->flow->table];

    json_object_put(o, "table", json_integer_create(st->flow->table));
    json_object_put(o, "table_name", table ? json_string_create(table)
                    : json_null_create());
    json_object_put_format(o, "cookie", "0x%"PRIx64, st->flow->cookie);
    json_object_put(o, "packets", json_integer_create(st->n_packets));
    json_object_put(o, "bytes", json_integer_create(st->n_bytes));
    json_object_put(o, "seconds", json_integer_create(st->duration));
    np_flow_format(st->flow, &d->tables, &s);
    json_object_put_string(o, "flow", ds_cstr(&s));
    ds_clear(&s);
    np_flow_describe(st->flow, &d->names, &s);
    json_object_put_string(o, "stands_for", ds_cstr(&s));
    ds_destroy(&s);
    json_array_add(array, o);
}

static size_t
count_table(const struct dump *d, int table)
{
    size_t n = 0;

    for (size_t i = 0; i < d->flows.n; i++) {
        n += d->flows.stats[i].flow->table == table;
    }
    return n;
}

/* A heading and the flows of one table; nothing if there are none. */
static void
print_table(const struct dump *d, int table, const char *does)
{
    const char *bold = d->options->colour ? "\033[1m" : "";
    const char *plain = d->options->colour ? "\033[0m" : "";
    size_t n = count_table(d, table);
    const char *name;

    if (!n) {
        return;
    }
    name = d->tables.name[table] ? d->tables.name[table] : "not ours";
    printf("%stable %d %s%s: %s%s%"PRIuSIZE" flow%s\n", bold, table, name,
           plain, does ? does : "", does ? "; " : "", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < d->flows.n; i++) {
        if (d->flows.stats[i].flow->table == table) {
            print_flow(d, &d->flows.stats[i]);
        }
    }
}

/* In the order of the pipeline, then what is in other tables. */
static void
print_text(const struct dump *d)
{
    size_t n;
    const struct np_table_info *tables = np_pipeline_tables(&n);

    for (size_t i = 0; i < n; i++) {
        print_table(d, tables[i].table + d->base, tables[i].does);
    }
    for (int table = 0; table < 256; table++) {
        if (!d->tables.name[table]) {
            print_table(d, table, NULL);
        }
    }
    if (!d->flows.n) {
        printf("bridge %s has no flow%s\n", d->bridge,
               d->options->all ? "" : " of ovs-netpold");
    }
}

static void
print_json(const struct dump *d)
{
    struct json *array = json_array_create_empty();
    char *s;

    for (size_t i = 0; i < d->flows.n; i++) {
        print_flow_json(d, &d->flows.stats[i], array);
    }
    s = json_to_string(array, JSSF_PRETTY | JSSF_SORT);
    puts(s);
    free(s);
    json_destroy(array);
}

/* "br-int" for "unix:/run/openvswitch/br-int.mgmt". */
static char *
bridge_name(const char *arg)
{
    const char *slash = strrchr(arg, '/');
    const char *base = slash ? slash + 1 : arg;
    size_t n = strlen(base);

    return xmemdup0(base, n > 5 && !strcmp(base + n - 5, ".mgmt") ? n - 5 : n);
}

void
flows_dump(struct ovs_cmdl_context *ctx)
{
    const char *arg = ctx->argc > 1 ? ctx->argv[1] : "br-int";
    char *bridge = bridge_name(arg);
    struct dump d = { .options = ctx->pvt, .bridge = bridge };

    read_all(&d, arg);
    if (d.options->json) {
        print_json(&d);
    } else {
        print_text(&d);
    }
    np_names_destroy(&d.names);
    np_flow_dump_destroy(&d.flows);
    free(bridge);
}

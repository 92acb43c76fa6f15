/* --dry-run: what would be installed.
 *
 * The flows depend on the ports, so the database is asked for them; where none
 * answers, the flows are those of a node without pods. */

#include <config.h>
#include "daemon/dryrun.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine.h"
#include "daemon/options.h"
#include "netpol/flow.h"
#include "netpol/ovsdb.h"
#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

#define DATABASE_MSEC 3000

/* Returns false if the source cannot be read. */
static bool
read_source(struct np_source *source)
{
    while (!source->complete) {
        source->class->run(source);
        if (source->complete) {
            break;
        } else if (source->problem) {
            fprintf(stderr, "%s: %s: %s\n", program_name, source->name,
                    source->problem);
            return false;
        }
        source->class->wait(source);
        poll_block();
    }
    for (size_t i = 0; i < source->errors.n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_error_format(&source->errors.v[i], &s);
        fprintf(stderr, "%s: %s\n", program_name, ds_cstr(&s));
        ds_destroy(&s);
    }
    return true;
}

static void
read_ports(struct np_ovsdb *ovsdb)
{
    long long int deadline = time_msec() + DATABASE_MSEC;
    struct np_bridge_state state;

    for (;;) {
        np_ovsdb_run(ovsdb);
        np_ovsdb_get_bridge(ovsdb, &state);
        if (state.connected || time_msec() >= deadline) {
            break;
        }
        np_ovsdb_wait(ovsdb);
        poll_timer_wait_until(deadline);
        poll_block();
    }
    if (state.problem) {
        fprintf(stderr, "%s: no ports: %s\n", program_name, state.problem);
    }
}

static void
print_flows(const struct np_flow_set *set)
{
    const struct np_flow **flows = np_flow_set_sort(set);
    size_t n = np_flow_set_count(set);

    for (size_t i = 0; i < n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_flow_format(flows[i], NULL, &s);
        puts(ds_cstr(&s));
        ds_destroy(&s);
    }
    free(flows);
}

int
np_dry_run(const struct np_options *options)
{
    char *error = NULL;
    struct np_source *source = np_source_open(options->source, &error);
    struct np_ovsdb *ovsdb = np_ovsdb_create(options->db, options->bridge,
                                             &error);
    bool ok;

    if (!source || !ovsdb) {
        ovs_fatal(0, "%s", error);
    }
    ok = read_source(source);
    if (ok) {
        struct np_engine engine;
        struct np_flow_patch flows;

        read_ports(ovsdb);
        np_engine_init(&engine, &options->compile, options->node);
        np_flow_patch_init(&flows);
        np_engine_apply(&engine, &source->changes, np_ovsdb_ports(ovsdb),
                        NULL);
        np_engine_start(&engine, NULL, &flows);
        print_flows(&flows.put);
        np_flow_patch_destroy(&flows);
        np_engine_destroy(&engine);
    }
    np_ovsdb_destroy(ovsdb);
    np_source_close(source);
    return ok ? EXIT_SUCCESS : 2;
}

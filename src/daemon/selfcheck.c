/* Is the daemon's state what it would be, had it seen only the last state of
 * everything?
 *
 * It keeps everything by applying changes.  A mistake there would show only
 * much later, as a flow that should not be; this computes all of it anew, as a
 * restarted daemon would, and holds the flows against those that the switch
 * has confirmed.  The daemon does nothing else meanwhile. */

#include <config.h>
#include "daemon/selfcheck.h"

#include <stdlib.h>

#include "coverage.h"
#include "daemon/netpold.h"
#include "daemon/options.h"
#include "netpol/flow.h"
#include "netpol/openflow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_self_check);

COVERAGE_DEFINE(np_self_check);
COVERAGE_DEFINE(np_self_check_differs);

/* Differences that are shown; a mistake may have thousands. */
enum { MAX_LINES = 20 };

static void
put_flows(const struct np_daemon *d, char sign,
          const struct np_flow *const *flows, size_t n, struct ds *s)
{
    struct np_table_names names;

    np_pipeline_names(d->options->compile.table_base, &names);
    for (size_t i = 0; i < n && i < MAX_LINES; i++) {
        ds_put_format(s, "%c ", sign);
        np_flow_format(flows[i], &names, s);
        ds_put_char(s, '\n');
    }
    if (n > MAX_LINES) {
        ds_put_format(s, "%c and %"PRIuSIZE" more\n", sign, n - MAX_LINES);
    }
}

static bool
compare(const struct np_daemon *d, const struct np_flow_set *installed,
        const struct np_flow_set *fresh, struct ds *s)
{
    struct np_flow_delta delta;
    bool same;

    np_flow_set_diff(installed, fresh, &delta);
    same = !delta.n_put && !delta.n_del;
    if (same) {
        ds_put_format(s, "%"PRIuSIZE" flows, as computed from scratch\n",
                      np_flow_set_count(installed));
    } else {
        COVERAGE_INC(np_self_check_differs);
        VLOG_ERR("self-check: %"PRIuSIZE" flows should not be there, "
                 "%"PRIuSIZE" should be", delta.n_del, delta.n_put);
        put_flows(d, '-', delta.del, delta.n_del, s);
        put_flows(d, '+', delta.put, delta.n_put, s);
    }
    np_flow_delta_destroy(&delta);
    return same;
}

bool
np_self_check(const struct np_daemon *d, struct ds *s)
{
    const struct np_flow_set *installed
        = np_installer_installed(d->installer);
    char *missing = np_daemon_missing(d);
    struct np_flow_set fresh;
    bool same;

    COVERAGE_INC(np_self_check);
    if (missing || !installed) {
        ds_put_format(s, "cannot compare now: %s\n",
                      missing ? missing : "what the switch has is not known");
        free(missing);
        return false;
    }
    np_flow_set_init(&fresh);
    np_engine_rebuild(&d->engine, installed, &fresh);
    same = compare(d, installed, &fresh, s);
    np_flow_set_destroy(&fresh);
    return same;
}

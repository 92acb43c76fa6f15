/* What must be decided before the first flow goes to a bridge.
 *
 * A bridge that has flows of ours is ours: we came before, and go on.  On any
 * other bridge two questions come first.
 *
 *   Who else lives here?  Our pipeline drops what comes from ports that it
 *   does not know.  On a bridge that has such ports that would cut somebody's
 *   traffic, so the operator has to say what they may do (--foreign).
 *
 *   What happens without us?  A bridge in standalone mode forwards everything
 *   by itself when it has no flows, so it should be "secure".  But a switch
 *   that takes up a new fail_mode flushes all flows.  So it is written only
 *   when there is none, and the first of ours waits until the switch has taken
 *   it up.
 *
 * Once open, the gate stays open as long as the bridge exists: a port that
 * comes later and that we do not know carries nothing. */

#include <config.h>
#include "daemon/gate.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/options.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_gate);

void
np_gate_init(struct np_gate *g)
{
    memset(g, 0, sizeof *g);
}

void
np_gate_destroy(struct np_gate *g)
{
    free(g->reason);
    free(g->warning);
}

/* Names the unknown ports that are in the datapath; NULL if there is none. */
static char *
unknown_ports(const struct np_portmap *ports)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n = 0;

    for (size_t i = 0; i < ports->n; i++) {
        const struct np_bridge_port *p = &ports->v[i];

        if (p->role == NP_PORT_UNKNOWN && p->ofport != NP_OFPORT_NONE
            && n++ < 5) {
            ds_put_format(&s, "%s%s", s.length ? ", " : "", p->name);
        }
    }
    if (n > 5) {
        ds_put_format(&s, " and %"PRIuSIZE" more", n - 5);
    }
    return n ? ds_steal_cstr(&s) : NULL;
}

/* Why not to open, to be freed; NULL to open.  Sets '*undecided' if it is for
 * the operator to decide. */
static char *
judge(const struct np_options *options, const struct np_bridge_state *bridge,
      const struct np_installer *installer, struct np_ovsdb *ovsdb,
      bool *undecided)
{
    const struct np_flow_set *ours = np_installer_installed(installer);
    struct np_installer_status st;

    if (!bridge->exists) {
        return xstrdup(bridge->problem ? bridge->problem : "no bridge");
    } else if (!ours) {
        return xasprintf("waiting for bridge %s to answer at %s",
                         options->bridge, bridge->mgmt);
    } else if (np_flow_set_count(ours)) {
        return NULL;
    } else if (!options->foreign_given) {
        char *names = unknown_ports(np_ovsdb_ports(ovsdb));

        if (names) {
            char *s = xasprintf("bridge %s has ports of unknown kind (%s): "
                                "give --foreign=drop or --foreign=pass to say "
                                "what they may do, or name them by "
                                "external_ids:netpol-role",
                                options->bridge, names);

            *undecided = true;
            free(names);
            return s;
        }
    }
    np_installer_get_status(installer, &st);
    if (!bridge->secure && !st.foreign_flows) {
        np_ovsdb_want_secure(ovsdb);
        return xasprintf("waiting for the switch to take up "
                         "fail_mode=secure on bridge %s", options->bridge);
    }
    return NULL;
}

/* Replaces what '*S' says by NEW, and says that once in the log, unless it is
 * what the database room has said already. */
static void
set(char **s, char *new, const char *said, enum vlog_level level)
{
    if (new && !nullable_string_is_equal(*s, new)
        && !nullable_string_is_equal(said, new)) {
        VLOG(level, "%s", new);
    }
    free(*s);
    *s = new;
}

static char *
insecure(const struct np_options *options,
         const struct np_bridge_state *bridge)
{
    return (bridge->secure ? NULL
            : xasprintf("fail_mode of bridge %s is not secure: without our "
                        "flows it would forward everything; it is not written "
                        "now because that would flush the flows that are "
                        "there", options->bridge));
}

void
np_gate_run(struct np_gate *g, const struct np_options *options,
            struct np_ovsdb *ovsdb, struct np_installer *installer)
{
    struct np_bridge_state bridge;

    np_ovsdb_get_bridge(ovsdb, &bridge);
    if (!bridge.exists && bridge.connected) {
        g->open = false;        /* The next one is another bridge. */
    }
    if (!g->open) {
        g->undecided = false;
        char *reason = judge(options, &bridge, installer, ovsdb,
                             &g->undecided);

        set(&g->reason, reason, bridge.problem,
            g->undecided ? VLL_WARN : VLL_INFO);
        g->open = !reason;
    }
    set(&g->warning, g->open && bridge.exists ? insecure(options, &bridge)
        : NULL, NULL, VLL_WARN);
    np_installer_hold(installer, !g->open);
}

/* Which pods have their policies in the switch.
 *
 * `netpol-realized` on a pod's Interface is what a CNI plugin may wait for
 * before it lets the pod start, so it must not be there too early.  It appears
 * when a barrier has confirmed the first set of flows that knows the pod, be
 * it from the source or, as long as that cannot be read, from what was saved
 * of it (keeper.c).  It stays while newer sets are under way: until they are
 * confirmed the pod is under the policies before.  It goes
 *
 *   when the port loses its pod, or becomes another pod's;
 *   when the switch refused flows: some of the newest policies are not there;
 *   when the switch is lost, and with it the knowledge of its flows;
 *   after netpol/flush. */

#include <config.h>
#include "daemon/realized.h"

#include <stdlib.h>

#include "daemon/netpold.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "smap.h"
#include "util.h"

bool
np_realized_holds(const struct np_daemon *d)
{
    struct np_installer_status st;

    np_installer_get_status(d->installer, &st);
    return (!d->flushed && !st.last_error
            && np_installer_realized(d->installer));
}

static void
collect(const struct np_daemon *d, struct smap *now)
{
    bool all = np_daemon_is_confirmed(d);
    bool known = all || np_realized_holds(d);

    for (size_t i = 0; known && i < d->engine.binding.n_locals; i++) {
        const struct np_bridge_port *p = d->engine.binding.locals[i]->port;
        const char *value = p->pod_uid ? p->pod_uid : "true";
        const char *before = smap_get(&d->realized, p->name);

        if (all || nullable_string_is_equal(before, value)) {
            smap_add(now, p->name, value);
        }
    }
}

static void
tell(struct np_daemon *d)
{
    size_t n = smap_count(&d->realized);
    struct np_realized *v = xcalloc(n, sizeof *v);
    const struct smap_node *node;
    size_t i = 0;

    SMAP_FOR_EACH (node, &d->realized) {
        v[i++] = (struct np_realized) { node->key, node->value };
    }
    np_ovsdb_set_realized(d->ovsdb, v, n);
    free(v);
}

void
np_realized_run(struct np_daemon *d)
{
    struct smap now = SMAP_INITIALIZER(&now);

    /* While all pods are told, changes under way alter nothing. */
    if (d->realized_binding == d->engine.n_bindings
        && np_realized_holds(d)) {
        return;
    }
    collect(d, &now);
    if (!smap_equal(&now, &d->realized)) {
        smap_destroy(&d->realized);
        d->realized = now;
        hmap_moved(&d->realized.map);
        tell(d);
    } else {
        smap_destroy(&now);
    }
    d->realized_binding
        = (smap_count(&d->realized) == d->engine.binding.n_locals
           ? d->engine.n_bindings : 0);
}

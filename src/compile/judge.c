/* Who gets the pod.
 *
 * A mistake must not let two ports share a pod's identity, or one port two; so
 * each pod, MAC and address is given away once, to the node before all ports
 * and to these by name, and who comes too late carries nothing. */

#include <config.h>
#include "compile/claim.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "netpol/error.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Does the row name another incarnation of the pod? */
static bool
stale_claim(const struct np_bridge_port *port, const struct np_pod *pod)
{
    return (port->pod_uid && pod->meta.uid
            && strcmp(port->pod_uid, pod->meta.uid));
}

/* Of two claims on POD: the one whose UID is the pod's, else the port that the
 * switch numbered last, which is most likely the newer sandbox's. */
static bool
better_claim(const struct np_bridge_port *a, const struct np_bridge_port *b,
             const struct np_pod *pod)
{
    bool a_exact = a->pod_uid && pod->meta.uid && !stale_claim(a, pod);
    bool b_exact = b->pod_uid && pod->meta.uid && !stale_claim(b, pod);

    if (a_exact != b_exact || a->ofport != b->ofport) {
        return a_exact != b_exact ? a_exact : a->ofport > b->ofport;
    }
    return strcmp(a->name, b->name) < 0;
}

/* Tells, as far as the row alone can, why PORT cannot be a pod's port; NULL if
 * it can. */
static const char *
row_problem(const struct np_bridge_port *port)
{
    if (port->error) {
        return port->error;
    } else if (port->role == NP_PORT_UNKNOWN) {
        return "no key says what this port is";
    } else if (port->ofport == NP_OFPORT_NONE) {
        return "has no OpenFlow port number (ofport -1)";
    } else if (!port->has_mac) {
        return "its row has no attached-mac";
    } else if (eth_addr_is_multicast(port->mac)
               || eth_addr_is_zero(port->mac)) {
        return "its attached-mac is not a unicast address";
    }
    return NULL;
}

static char *
pod_problem(const struct np_bridge_port *port, const struct np_pod *pod)
{
    if (!pod) {
        return (port->pod_name
                ? xasprintf("no pod %s/%s is known", port->pod_namespace,
                            port->pod_name)
                : xasprintf("no pod with UID %s is known", port->pod_uid));
    } else if (stale_claim(port, pod)) {
        return xasprintf("iface-id-ver %s is not the UID of pod %s/%s, %s",
                         port->pod_uid, pod->meta.namespace, pod->meta.name,
                         pod->meta.uid);
    } else if (!np_pod_counts(pod)) {
        return xasprintf("pod %s/%s %s", pod->meta.namespace, pod->meta.name,
                         pod->host_network ? "uses the host's network"
                                           : "has finished");
    }
    return NULL;
}

struct contest {
    const struct np_entry *entry;
    const struct np_place *best;
};

static void
weigh_claim(struct np_place *place, void *contest_)
{
    struct contest *contest = contest_;
    const struct np_pod *pod = np_entry_pod(contest->entry);

    if (place->entry == contest->entry && !row_problem(place->row)
        && place->row->role == NP_PORT_POD
        && !stale_claim(place->row, pod)
        && (!contest->best
            || better_claim(place->row, contest->best->row, pod))) {
        contest->best = place;
    }
}

static char *
claim_problem(const struct np_binding *b, const struct np_place *place)
{
    struct contest contest = { place->entry, NULL };
    const struct np_pod *pod = np_entry_pod(place->entry);

    np_claim_for_each(b, &pod->meta, weigh_claim, &contest);
    return (contest.best == place ? NULL
            : xasprintf("pod %s/%s is on port %s", pod->meta.namespace,
                        pod->meta.name, contest.best->row->name));
}

static bool
is_node_addr(const struct np_binding *b, const struct np_prefix *addr)
{
    size_t low = 0, high = b->n_node_addrs;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int cmp = np_prefix_compare(addr, &b->node_addrs[middle]);

        if (!cmp) {
            return true;
        }
        *(cmp < 0 ? &high : &low) = middle + (cmp > 0);
    }
    return false;
}

/* Returns false if it is someone else's already. */
static bool
take(const struct np_binding *b, struct np_want *want)
{
    const struct np_want *w;

    if (is_node_addr(b, &want->addr)) {
        return false;
    }
    HMAP_FOR_EACH_WITH_HASH (w, node, want->node.hash, &b->wanted) {
        if (w->taken && np_prefix_equal(&w->addr, &want->addr)) {
            return false;
        }
    }
    want->taken = true;
    return true;
}

/* The MAC first: equal link-local addresses are equal MACs. */
static char *
take_all(const struct np_binding *b, struct np_place *place)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (!place->row->n_addrs && !np_entry_pod(place->entry)->n_addrs) {
        return xstrdup("has no address, neither in its row nor in the pod's "
                       "status.podIPs");
    }
    if (!take(b, &place->wants[place->n_wants - 1])) {
        return xasprintf("another pod's port has its MAC "ETH_ADDR_FMT,
                         ETH_ADDR_ARGS(place->row->mac));
    }
    for (size_t i = 0; i + 1 < place->n_wants; i++) {
        if (!take(b, &place->wants[i])) {
            np_prefix_format(&place->wants[i].addr, &s);
            ds_put_cstr(&s, " is another port's address");
            return ds_steal_cstr(&s);
        }
    }
    return NULL;
}

static char *
find_problem(const struct np_binding *b, struct np_place *place)
{
    const char *problem = row_problem(place->row);
    char *text;

    if (problem) {
        return xstrdup(problem);
    }
    text = pod_problem(place->row, (place->entry ? np_entry_pod(place->entry)
                                    : NULL));
    if (!text) {
        text = claim_problem(b, place);
    }
    return text ? text : take_all(b, place);
}

static bool
same_addrs(const struct np_prefix *a, size_t n_a,
           const struct np_prefix *b, size_t n_b)
{
    for (size_t i = 0; i < n_a; i++) {
        if (!np_addrs_contain(b, n_b, &a[i])) {
            return false;
        }
    }
    return n_a == n_b;
}

static void
format_addrs(const struct np_prefix *addrs, size_t n, struct ds *s)
{
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(s, i ? "," : "");
        np_prefix_format(&addrs[i], s);
    }
}

static char *
differing_addrs(const struct np_bridge_port *port, const struct np_pod *pod)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (!port->n_addrs || !pod->n_addrs
        || same_addrs(port->addrs, port->n_addrs, pod->addrs, pod->n_addrs)) {
        return NULL;
    }
    ds_put_cstr(&s, "the row's addresses ");
    format_addrs(port->addrs, port->n_addrs, &s);
    ds_put_cstr(&s, " hold, not status.podIPs ");
    format_addrs(pod->addrs, pod->n_addrs, &s);
    return ds_steal_cstr(&s);
}

static struct np_local *
make_local(const struct np_place *place)
{
    struct np_local *local = xzalloc(sizeof *local);

    local->port = place->row;
    local->entry = place->entry;
    local->addrs = xmalloc(place->n_wants * sizeof *local->addrs);
    local->n_addrs = place->n_wants;
    for (size_t i = 0; i < place->n_wants; i++) {
        local->addrs[i] = place->wants[i].addr;
    }
    local->note = differing_addrs(place->row, np_entry_pod(place->entry));
    return local;
}

void
np_claim_judge(struct np_binding *b, struct np_place *place)
{
    enum np_port_role role = place->row->role;
    char *problem;

    if (role != NP_PORT_POD && role != NP_PORT_UNKNOWN) {
        return;
    }
    problem = find_problem(b, place);
    if (problem) {
        place->problem = np_printable(problem); /* A UID may be anything. */
        free(problem);
    } else {
        place->local = make_local(place);
    }
}

/* Changes of one kind, chosen at random.
 *
 * The cluster's objects stay as they are: a step brings the objects of its
 * own, and after the way back the cluster's are in force again. */

#include <config.h>
#include "bench/step.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

enum { BURST = 1000 };

const char *
np_bench_kind_name(enum np_bench_kind kind, bool back)
{
    switch (kind) {
    case NP_BENCH_POD: return back ? "pod delete" : "pod add";
    case NP_BENCH_RELABEL: return "pod relabel";
    case NP_BENCH_NEW_IP: return "pod new IP";
    case NP_BENCH_POLICY: return back ? "policy delete" : "policy add";
    case NP_BENCH_EDIT: return "policy edit";
    case NP_BENCH_NAMESPACE: return "namespace relabel";
    case NP_BENCH_PORT: return back ? "port plugged" : "port unplugged";
    case NP_BENCH_BURST: return "1,000 pod changes at once";
    default: OVS_NOT_REACHED();
    }
}

bool
np_bench_kind_is_symmetric(enum np_bench_kind kind)
{
    return (kind != NP_BENCH_POD && kind != NP_BENCH_POLICY
            && kind != NP_BENCH_PORT);
}

/* From OLD, which may be NULL, to what TEXT says; and back. */
static void
change(struct np_bench_step *step, const struct np_meta *old,
       const struct ds *text)
{
    struct np_meta *new = NULL;

    if (text) {
        new = np_bench_decode(text);
        step->own = xrealloc(step->own, (step->n_own + 1)
                                        * sizeof *step->own);
        step->own[step->n_own++] = new;
    }
    np_changes_add(&step->there, old, new);
    np_changes_add(&step->back, new, old);
}

static uint32_t
pick_pod(struct np_bench_cluster *c)
{
    return np_bench_below(&c->gen.state, c->gen.n_pods);
}

static void
add_pod(struct np_bench_step *step, struct np_bench_cluster *c)
{
    struct np_bench_gen *g = &c->gen;
    uint32_t node = (g->n_nodes > 1
                     ? 1 + np_bench_below(&g->state, g->n_nodes - 1) : 0);
    struct np_bench_pod pod
        = np_bench_new_pod(g, g->pods[pick_pod(c)].workload, node);
    struct ds s = DS_EMPTY_INITIALIZER;

    np_bench_pod_json(g, &pod, &s);
    change(step, NULL, &s);
    ds_destroy(&s);
}

static uint32_t
pick_app(struct np_bench_cluster *c, const struct np_bench_pod *pod)
{
    const struct np_bench_namespace *ns
        = &c->gen.namespaces[c->gen.workloads[pod->workload].ns];

    return ns->first + np_bench_below(&c->gen.state, ns->n);
}

static void
relabel_pod(struct np_bench_step *step, struct np_bench_cluster *c,
            uint32_t index)
{
    struct np_bench_pod pod = c->gen.pods[index];
    struct ds s = DS_EMPTY_INITIALIZER;

    pod.app = c->gen.workloads[pick_app(c, &pod)].name;
    np_bench_pod_json(&c->gen, &pod, &s);
    change(step, c->objects[c->pods[index]], &s);
    ds_destroy(&s);
}

static void
copy_port(struct np_bench_step *step, const struct np_bridge_port *src)
{
    struct np_bridge_port *dst = &step->ports.v[step->ports.n++];

    *dst = *src;
    dst->name = xstrdup(src->name);
    dst->pod_namespace = nullable_xstrdup(src->pod_namespace);
    dst->pod_name = nullable_xstrdup(src->pod_name);
    dst->pod_uid = nullable_xstrdup(src->pod_uid);
    dst->addrs = xmemdup(src->addrs, src->n_addrs * sizeof *src->addrs);
}

/* The ports without number WITHOUT. */
static void
copy_ports(struct np_bench_step *step, const struct np_portmap *ports,
           uint32_t without)
{
    step->ports.v = xcalloc(ports->n, sizeof *step->ports.v);
    for (size_t i = 0; i < ports->n; i++) {
        if (ports->v[i].ofport != without) {
            copy_port(step, &ports->v[i]);
        }
    }
    step->has_ports = true;
}

/* A pod of ours has its address from its port. */
static void
readdress_port(struct np_bench_step *step, struct np_bench_cluster *c,
               const char *uid, uint32_t addr)
{
    copy_ports(step, &c->ports, NP_OFPORT_NONE);
    for (size_t i = 0; i < step->ports.n; i++) {
        struct np_bridge_port *port = &step->ports.v[i];

        if (nullable_string_is_equal(port->pod_uid, uid)) {
            port->addrs[0] = np_prefix_v4(htonl(addr), 32);
        }
    }
}

static void
readdress_pod(struct np_bench_step *step, struct np_bench_cluster *c,
              uint32_t index, bool alone)
{
    struct np_bench_pod pod = c->gen.pods[index];
    struct ds s = DS_EMPTY_INITIALIZER;

    pod.addr = np_bench_new_addr(&c->gen, pod.node);
    np_bench_pod_json(&c->gen, &pod, &s);
    change(step, c->objects[c->pods[index]], &s);
    if (alone && !pod.node) {
        readdress_port(step, c, c->objects[c->pods[index]]->uid, pod.addr);
    }
    ds_destroy(&s);
}

/* The policy that comes is one more of a namespace; an edit has another
 * port. */
static void
change_policy(struct np_bench_step *step, struct np_bench_cluster *c,
              bool edit)
{
    struct np_bench_gen *g = &c->gen;
    const struct np_bench_pod *pod;
    uint32_t ns, first = 0, index;
    struct ds s = DS_EMPTY_INITIALIZER;

    /* Where pods of this node are. */
    do {
        pod = &g->pods[pick_pod(c)];
        ns = g->workloads[pod->workload].ns;
    } while (pod->node || !g->namespaces[ns].n_policies);
    for (uint32_t i = 0; i < ns; i++) {
        first += g->namespaces[i].n_policies;
    }
    index = (edit ? np_bench_below(&g->state, g->namespaces[ns].n_policies)
             : 1000 + np_bench_below(&g->state, 1000000));
    np_bench_policy_json(g, ns, index, edit, &s);
    change(step, edit ? c->objects[c->policies[first + index]] : NULL, &s);
    ds_destroy(&s);
}

static void
change_namespace(struct np_bench_step *step, struct np_bench_cluster *c)
{
    struct np_bench_gen *g = &c->gen;
    uint32_t index = 2 + np_bench_below(&g->state, g->n_namespaces - 2);
    struct np_bench_namespace ns = g->namespaces[index];
    struct ds s = DS_EMPTY_INITIALIZER;

    ns.team = (ns.team + 1) % g->n_teams;
    ns.env = strcmp(ns.env, "prod") ? "prod" : "staging";
    np_bench_namespace_json(g, &ns, &s);
    change(step, c->objects[c->namespaces[index]], &s);
    ds_destroy(&s);
}

static void
unplug(struct np_bench_step *step, struct np_bench_cluster *c)
{
    copy_ports(step, &c->ports,
               1 + np_bench_below(&c->gen.state, c->gen.size.local));
}

/* No pod twice: pods that go, change their label or their address are taken
 * from three parts of the model. */
static void
burst(struct np_bench_step *step, struct np_bench_cluster *c)
{
    uint32_t n = MIN(BURST / 4, c->gen.n_pods / 4);
    uint32_t start = pick_pod(c), stride = c->gen.n_pods / (3 * n);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t pod[3];

        for (int j = 0; j < 3; j++) {
            pod[j] = (start + (3 * i + j) * stride) % c->gen.n_pods;
        }
        add_pod(step, c);
        change(step, c->objects[c->pods[pod[0]]], NULL);
        relabel_pod(step, c, pod[1]);
        readdress_pod(step, c, pod[2], false);
    }
}

static uint32_t
pick_remote(struct np_bench_cluster *c)
{
    uint32_t index;

    do {
        index = pick_pod(c);
    } while (!c->gen.pods[index].node && c->gen.n_nodes > 1);
    return index;
}

void
np_bench_step_init(struct np_bench_step *step, struct np_bench_cluster *c,
                   enum np_bench_kind kind)
{
    *step = (struct np_bench_step) { .n_own = 0 };
    switch (kind) {
    case NP_BENCH_POD: add_pod(step, c); break;
    case NP_BENCH_RELABEL: relabel_pod(step, c, pick_remote(c)); break;
    case NP_BENCH_NEW_IP:
        readdress_pod(step, c, pick_remote(c), true);
        break;
    case NP_BENCH_POLICY: change_policy(step, c, false); break;
    case NP_BENCH_EDIT: change_policy(step, c, true); break;
    case NP_BENCH_NAMESPACE: change_namespace(step, c); break;
    case NP_BENCH_PORT: unplug(step, c); break;
    case NP_BENCH_BURST: burst(step, c); break;
    default: OVS_NOT_REACHED();
    }
}

void
np_bench_step_destroy(struct np_bench_step *step)
{
    for (size_t i = 0; i < step->n_own; i++) {
        np_object_destroy(step->own[i]);
    }
    free(step->own);
    free(step->there.v);
    free(step->back.v);
    np_portmap_clear(&step->ports);
}

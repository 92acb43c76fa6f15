/* The judge of the objects.
 *
 * The text of the API (NetworkPolicySpec and what it refers to, in
 * networking.k8s.io/v1), line by line, for one packet: which policies select
 * the pod, do they govern this direction, does any of their rules allow the
 * other end and the port.  There are no sets, no indexes and no caches, and no
 * function that the compiler calls as well; where both are wrong in the same
 * way, it is because the same person read the same sentence. */

#include <config.h>
#include <string.h>
#include "netpol/eval.h"
#include "util.h"

/* Labels and selectors (metav1.LabelSelector). */

static const char *
label(const struct np_labels *labels, const char *key)
{
    for (size_t i = 0; i < labels->n; i++) {
        if (!strcmp(labels->v[i].key, key)) {
            return labels->v[i].value;
        }
    }
    return NULL;
}

static bool
is_among(const struct np_requirement *r, const char *value)
{
    for (size_t i = 0; i < r->n_values; i++) {
        if (!strcmp(r->values[i], value)) {
            return true;
        }
    }
    return false;
}

/* "NotIn" and "DoesNotExist" hold for a key that is not there. */
static bool
holds(const struct np_requirement *r, const char *value)
{
    switch (r->op) {
    case NP_IN: return value && is_among(r, value);
    case NP_NOT_IN: return !value || !is_among(r, value);
    case NP_EXISTS: return value != NULL;
    case NP_DOES_NOT_EXIST: return value == NULL;
    }
    OVS_NOT_REACHED();
}

static bool
selects(const struct np_selector *selector, const struct np_labels *labels)
{
    for (size_t i = 0; i < selector->n; i++) {
        const struct np_requirement *r = &selector->v[i];

        if (!holds(r, label(labels, r->key))) {
            return false;
        }
    }
    return true;
}

/* A namespace that no object declares has the one label that the API server
 * gives to each. */
static bool
selects_namespace(const struct np_eval_world *world,
                  const struct np_selector *selector, const char *name)
{
    struct np_label implied = {
        CONST_CAST(char *, "kubernetes.io/metadata.name"),
        CONST_CAST(char *, name),
    };
    struct np_labels labels = { &implied, 1 };

    for (size_t i = 0; i < world->n; i++) {
        const struct np_meta *object = world->objects[i];

        if (object->kind == NP_NAMESPACE && !strcmp(object->name, name)) {
            labels = object->labels;
        }
    }
    return selects(selector, &labels);
}

/* Pods. */

/* A pod on the host's network has the node's address, and a finished one's
 * address may be another's. */
static bool
is_subject(const struct np_pod *pod)
{
    return (pod && !pod->host_network && pod->phase != NP_SUCCEEDED
            && pod->phase != NP_FAILED);
}

static bool
has_addr(const struct np_pod *pod, const struct np_prefix *addr)
{
    for (size_t i = 0; i < pod->n_addrs; i++) {
        if (np_prefix_equal(&pod->addrs[i], addr)) {
            return true;
        }
    }
    return false;
}

const struct np_pod *
np_eval_pod_at(const struct np_eval_world *world, const struct np_prefix *addr)
{
    const struct np_pod *found = NULL;

    for (size_t i = 0; i < world->n; i++) {
        const struct np_pod *pod = (const struct np_pod *) world->objects[i];

        if (world->objects[i]->kind == NP_POD && is_subject(pod)
            && has_addr(pod, addr)
            && (!found || (found->phase != NP_RUNNING
                           && pod->phase == NP_RUNNING))) {
            found = pod;
        }
    }
    return found;
}

/* Rules. */

static bool
block_matches(const struct np_ipblock *block, const struct np_prefix *addr)
{
    if (!np_prefix_contains(&block->cidr, addr)) {
        return false;
    }
    for (size_t i = 0; i < block->n_except; i++) {
        if (np_prefix_contains(&block->except[i], addr)) {
            return false;
        }
    }
    return true;
}

/* NetworkPolicyPeer: a podSelector alone looks into the policy's namespace, a
 * namespaceSelector alone takes all pods there, both must hold together. */
static bool
peer_matches(const struct np_eval_world *world, const struct np_netpol *policy,
             const struct np_peer *peer, const struct np_eval_end *end)
{
    const struct np_pod *pod = end->pod;

    if (peer->block) {
        return block_matches(peer->block, &end->addr);
    }
    if (!is_subject(pod)) {
        return false;
    }
    if (peer->namespaces) {
        if (!selects_namespace(world, peer->namespaces,
                               pod->meta.namespace)) {
            return false;
        }
    } else if (strcmp(pod->meta.namespace, policy->meta.namespace)) {
        return false;
    }
    return !peer->pods || selects(peer->pods, &pod->meta.labels);
}

/* A named port is looked up in the pod that serves it, on its protocol; the
 * first one of that name counts. */
static bool
name_matches(const char *name, uint8_t proto, uint16_t number,
             const struct np_pod *pod)
{
    if (!is_subject(pod)) {
        return false;
    }
    for (size_t i = 0; i < pod->n_ports; i++) {
        const struct np_container_port *p = &pod->ports[i];
        int its_proto = p->has_protocol ? (int) p->protocol : (int) NP_TCP;

        if (p->name && !strcmp(p->name, name) && its_proto == proto) {
            return p->port == number;
        }
    }
    return false;
}

/* NetworkPolicyPort: no protocol is TCP, no port is all of them. */
static bool
port_matches(const struct np_port *port, const struct np_eval_query *query)
{
    int proto = port->has_protocol ? (int) port->protocol : (int) NP_TCP;

    if (proto != query->proto) {
        return false;
    }
    if (port->name) {
        return name_matches(port->name, query->proto, query->port,
                            query->server.pod);
    }
    if (!port->has_port) {
        return true;
    }
    return (query->port >= port->port
            && query->port <= (port->has_end ? port->end : port->port));
}

/* The index of the first peer that matches, -1 for "there are none, so any",
 * -2 for no match. */
static int
find_peer(const struct np_eval_world *world, const struct np_netpol *policy,
          const struct np_netpol_rule *rule, const struct np_eval_end *end)
{
    for (size_t i = 0; i < rule->n_peers; i++) {
        if (peer_matches(world, policy, &rule->peers[i], end)) {
            return i;
        }
    }
    return rule->n_peers ? -2 : -1;
}

static int
find_port(const struct np_netpol_rule *rule, const struct np_eval_query *query)
{
    for (size_t i = 0; i < rule->n_ports; i++) {
        if (port_matches(&rule->ports[i], query)) {
            return i;
        }
    }
    return rule->n_ports ? -2 : -1;
}

/* Policies. */

/* podSelector is of the policy's namespace, always. */
static bool
applies_to(const struct np_netpol *policy, const struct np_pod *pod)
{
    return (is_subject(pod)
            && !strcmp(policy->meta.namespace, pod->meta.namespace)
            && selects(&policy->pods, &pod->meta.labels));
}

/* policyTypes: "if this field is not specified, it will default based on the
 * existence of ingress or egress rules; policies that contain an egress
 * section are assumed to affect egress, and all policies (whether or not they
 * contain an ingress section) are assumed to affect ingress". */
static bool
affects(const struct np_netpol *policy, enum np_direction direction)
{
    bool specified = policy->types[NP_INGRESS] || policy->types[NP_EGRESS];

    if (policy->unreadable) {
        return true;
    } else if (specified) {
        return policy->types[direction];
    } else if (direction == NP_INGRESS) {
        return true;
    }
    return policy->n_rules[NP_EGRESS] > 0;
}

static bool
policy_allows(const struct np_eval_world *world,
              const struct np_netpol *policy, enum np_direction direction,
              const struct np_eval_query *query, struct np_eval_reason *reason)
{
    const struct np_eval_end *other = (direction == NP_INGRESS
                                       ? &query->opener : &query->server);

    for (size_t i = 0; !policy->unreadable && i < policy->n_rules[direction];
         i++) {
        const struct np_netpol_rule *rule = &policy->rules[direction][i];
        int peer = find_peer(world, policy, rule, other);
        int port = find_port(rule, query);

        if (peer != -2 && port != -2) {
            *reason = (struct np_eval_reason) { policy, i, peer, port };
            return true;
        }
    }
    return false;
}

static bool
is_node(const struct np_eval_world *world, const struct np_prefix *addr)
{
    for (size_t i = 0; i < world->n_node_addrs; i++) {
        if (np_prefix_equal(&world->node_addrs[i], addr)) {
            return true;
        }
    }
    return false;
}

static bool
is_exempt(const struct np_eval_world *world, const struct np_eval_query *query,
          enum np_direction direction)
{
    bool to_itself = (is_subject(query->opener.pod)
                      && query->opener.pod == query->server.pod);

    return (to_itself || (direction == NP_INGRESS
                          && is_node(world, &query->opener.addr)));
}

static void
judge(const struct np_eval_world *world, const struct np_eval_query *query,
      enum np_direction direction, struct np_eval_direction *d)
{
    const struct np_pod *pod = (direction == NP_INGRESS
                                ? query->server.pod : query->opener.pod);
    bool allows = false;

    d->isolating = xmalloc(world->n * sizeof *d->isolating);
    for (size_t i = 0; i < world->n; i++) {
        const struct np_netpol *policy
            = (const struct np_netpol *) world->objects[i];

        if (world->objects[i]->kind != NP_NETPOL || !applies_to(policy, pod)
            || !affects(policy, direction)) {
            continue;
        }
        d->isolating[d->n_isolating++] = policy;
        if (!allows) {
            allows = policy_allows(world, policy, direction, query,
                                   &d->reason);
        }
    }
    d->exempt = is_exempt(world, query, direction);
    d->allowed = d->exempt || allows || !d->n_isolating;
}

void
np_eval(const struct np_eval_world *world, const struct np_eval_query *query,
        struct np_eval_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    judge(world, query, NP_EGRESS, &verdict->direction[NP_EGRESS]);
    judge(world, query, NP_INGRESS, &verdict->direction[NP_INGRESS]);
    verdict->allowed = (verdict->direction[NP_EGRESS].allowed
                        && verdict->direction[NP_INGRESS].allowed);
}

void
np_eval_verdict_destroy(struct np_eval_verdict *verdict)
{
    free(verdict->direction[NP_INGRESS].isolating);
    free(verdict->direction[NP_EGRESS].isolating);
    memset(verdict, 0, sizeof *verdict);
}

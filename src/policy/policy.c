/* What the policies say: rules over address sets.
 *
 * This is the one place where the API's "absent" gets its meaning: policyTypes
 * that were left out, a protocol that was left out, peers or ports that are
 * empty.  Below, a rule is (applied set) × (peer set or any) × (services or
 * any), and nothing is ever absent by accident.
 *
 * Rules only add up and their order never matters, so the result is the sum of
 * what each policy gives by itself.
 *
 * A policy that was edited keeps the rules that still say the same, so that
 * its other rules' flows stay untouched. */

#include <config.h>
#include "netpol/policy.h"

#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "policy/set.h"
#include "util.h"

COVERAGE_DEFINE(np_policy_rule);

void
np_policies_init(struct np_policies *policies, struct np_groups *groups)
{
    memset(policies, 0, sizeof *policies);
    policies->groups = groups;
    hmap_init(&policies->by_entry);
    hmap_init(&policies->sets);
}

/* NetworkPolicySpec.policyTypes: if it was left out, a policy governs ingress,
 * and egress if it has any egress rule.  What cannot be read must not open
 * anything, so it governs both. */
static bool
governs(const struct np_netpol *policy, enum np_direction direction)
{
    if (policy->unreadable) {
        return true;
    }
    if (policy->types[NP_INGRESS] || policy->types[NP_EGRESS]) {
        return policy->types[direction];
    }
    return direction == NP_INGRESS || policy->n_rules[NP_EGRESS];
}

/* NetworkPolicyPort: no protocol is TCP; no port is every port; a name is
 * resolved later, for each pod that it may be a port of. */
static struct np_service
service_from_port(const struct np_port *port)
{
    struct np_service service = {
        .proto = port->has_protocol ? port->protocol : NP_TCP,
        .name = nullable_xstrdup(port->name),
        .lo = 0,
        .hi = UINT16_MAX,
    };

    if (port->has_port) {
        service.lo = port->port;
        service.hi = port->has_end ? port->end : port->port;
    }
    return service;
}

static void
destroy_rule(struct np_policies *policies, struct np_rule *rule)
{
    for (size_t i = 0; i < rule->n_services; i++) {
        free(rule->services[i].name);
    }
    np_set_unref(policies, rule->applied);
    np_set_unref(policies, rule->peers);
    free(rule->services);
    free(rule);
}

static void
destroy_policy(struct np_policy *policy)
{
    free(policy->rules);
    free(policy);
}

void
np_policies_destroy(struct np_policies *policies)
{
    struct np_policy *policy;

    if (!policies) {
        return;
    }
    HMAP_FOR_EACH_POP (policy, node, &policies->by_entry) {
        for (size_t i = 0; i < policy->n_rules; i++) {
            destroy_rule(policies, policy->rules[i]);
        }
        np_set_unref(policies, policy->applied);
        destroy_policy(policy);
    }
    hmap_destroy(&policies->by_entry);
    np_sets_destroy(policies);
}

static struct np_rule *
make_rule(struct np_policies *policies, const struct np_netpol *object,
          enum np_direction direction, unsigned int index)
{
    const struct np_netpol_rule *src = &object->rules[direction][index];
    struct np_rule *rule = xzalloc(sizeof *rule);

    COVERAGE_INC(np_policy_rule);
    rule->direction = direction;
    rule->index = index;
    rule->applied = np_set_ref_applied(policies, object);
    rule->peers = np_set_ref_peers(policies, object, src);
    rule->services = xmalloc((src->n_ports + 1) * sizeof *rule->services);
    rule->n_services = src->n_ports;
    for (size_t i = 0; i < src->n_ports; i++) {
        rule->services[i] = service_from_port(&src->ports[i]);
    }
    return rule;
}

static bool
same_service(const struct np_service *a, const struct np_service *b)
{
    return (a->proto == b->proto && a->lo == b->lo && a->hi == b->hi
            && nullable_string_is_equal(a->name, b->name));
}

static bool
same_rule(const struct np_rule *a, const struct np_rule *b)
{
    if (a->direction != b->direction || a->index != b->index
        || a->applied != b->applied || a->peers != b->peers
        || a->n_services != b->n_services) {
        return false;
    }
    for (size_t i = 0; i < a->n_services; i++) {
        if (!same_service(&a->services[i], &b->services[i])) {
            return false;
        }
    }
    return true;
}

/* All that OBJECT says, in a value of its own; its rules are not in the lists
 * of their sets yet. */
static struct np_policy *
make_policy(struct np_policies *policies, const struct np_entry *entry)
{
    const struct np_netpol *object = (const struct np_netpol *) entry->object;
    size_t max = object->n_rules[NP_INGRESS] + object->n_rules[NP_EGRESS];
    struct np_policy *policy = xzalloc(sizeof *policy);

    policy->entry = entry;
    policy->applied = np_set_ref_applied(policies, object);
    policy->rules = xmalloc((max + 1) * sizeof *policy->rules);
    for (int direction = NP_INGRESS; direction <= NP_EGRESS; direction++) {
        policy->isolates[direction] = governs(object, direction);
        for (size_t i = 0; (policy->isolates[direction] && !object->unreadable
                            && i < object->n_rules[direction]); i++) {
            policy->rules[policy->n_rules++] = make_rule(policies, object,
                                                         direction, i);
        }
    }
    return policy;
}

#define APPEND(DELTA, LIST, ITEM)                                          \
    do {                                                                   \
        if ((DELTA)->n_##LIST >= (DELTA)->allocated_##LIST) {              \
            (DELTA)->LIST = x2nrealloc((DELTA)->LIST,                      \
                                       &(DELTA)->allocated_##LIST,         \
                                       sizeof *(DELTA)->LIST);             \
        }                                                                  \
        (DELTA)->LIST[(DELTA)->n_##LIST++] = (ITEM);                       \
    } while (0)

/* Lets the rules of NEW that OLD has as well be OLD's, and says which are new
 * and which are no more. */
static void
merge_rules(struct np_policies *policies, struct np_policy *old,
            struct np_policy *new, struct np_policy_delta *delta)
{
    size_t j = 0;

    for (size_t i = 0; i < new->n_rules; i++) {
        struct np_rule *rule = new->rules[i];

        while (old && j < old->n_rules
               && (old->rules[j]->direction < rule->direction
                   || (old->rules[j]->direction == rule->direction
                       && old->rules[j]->index < rule->index))) {
            APPEND(delta, removed, old->rules[j++]);
        }
        if (old && j < old->n_rules && same_rule(old->rules[j], rule)) {
            destroy_rule(policies, rule);
            new->rules[i] = rule = old->rules[j++];
        } else {
            ovs_list_push_back(&rule->applied->rules, &rule->applied_node);
            policies->n_rules++;
            APPEND(delta, added, rule);
        }
        rule->policy = new;
    }
    while (old && j < old->n_rules) {
        APPEND(delta, removed, old->rules[j++]);
    }
}

/* Counts POLICY's isolations in (1) or out (-1). */
static void
count_isolations(const struct np_policy *policy, int sign,
                 struct np_policy_delta *delta)
{
    bool changed = false;

    for (int direction = NP_INGRESS; direction <= NP_EGRESS; direction++) {
        unsigned int *n = &policy->applied->n_isolations[direction];

        if (policy->isolates[direction]) {
            changed |= *n == (sign > 0 ? 0 : 1);
            *n += sign;
        }
    }
    if (changed) {
        APPEND(delta, isolating, policy->applied);
    }
}

static struct np_policy *
find_policy(const struct np_policies *policies, const struct np_entry *entry)
{
    struct np_policy *policy;

    HMAP_FOR_EACH_WITH_HASH (policy, node, hash_pointer(entry, 0),
                             &policies->by_entry) {
        if (policy->entry == entry) {
            return policy;
        }
    }
    return NULL;
}

static void
apply_policy(struct np_policies *policies, const struct np_entry *entry,
             struct np_policy_delta *delta)
{
    struct np_policy *old = find_policy(policies, entry);
    struct np_policy *new = entry->object ? make_policy(policies, entry)
                                          : NULL;

    if (new) {
        merge_rules(policies, old, new, delta);
        count_isolations(new, 1, delta);
        hmap_insert(&policies->by_entry, &new->node, hash_pointer(entry, 0));
    } else if (old) {
        for (size_t i = 0; i < old->n_rules; i++) {
            APPEND(delta, removed, old->rules[i]);
        }
    }
    if (old) {
        hmap_remove(&policies->by_entry, &old->node);
        count_isolations(old, -1, delta);
        APPEND(delta, gone, old);
    }
}

void
np_policies_apply(struct np_policies *policies,
                  const struct np_cache_delta *in,
                  struct np_policy_delta *delta)
{
    for (size_t i = 0; i < in->n; i++) {
        if (in->v[i].entry->key->kind == NP_NETPOL) {
            apply_policy(policies, in->v[i].entry, delta);
        }
    }
    /* Whoever looks at a set's rules from here on sees those in force. */
    for (size_t i = 0; i < delta->n_removed; i++) {
        ovs_list_remove(&delta->removed[i]->applied_node);
    }
}

void
np_policies_everything(const struct np_policies *policies,
                       struct np_policy_delta *delta)
{
    const struct np_policy *policy;

    HMAP_FOR_EACH (policy, node, &policies->by_entry) {
        APPEND(delta, isolating, policy->applied);
        for (size_t i = 0; i < policy->n_rules; i++) {
            APPEND(delta, added, policy->rules[i]);
        }
    }
}

void
np_policies_settle(struct np_policies *policies,
                   struct np_policy_delta *delta)
{
    for (size_t i = 0; i < delta->n_removed; i++) {
        policies->n_rules--;
        destroy_rule(policies, delta->removed[i]);
    }
    for (size_t i = 0; i < delta->n_gone; i++) {
        np_set_unref(policies, delta->gone[i]->applied);
        destroy_policy(delta->gone[i]);
    }
    free(delta->added);
    free(delta->removed);
    free(delta->isolating);
    free(delta->gone);
    memset(delta, 0, sizeof *delta);
}

bool
np_policies_isolate(const struct np_policies *policies,
                    const struct np_entry *pod, enum np_direction direction)
{
    const struct np_profile *profile = pod->profile;

    for (size_t i = 0; profile && i < profile->groups.n; i++) {
        const struct np_group *group = np_groups_get(policies->groups,
                                                     profile->groups.v[i]);

        if (group->applied && group->applied->n_isolations[direction]) {
            return true;
        }
    }
    return false;
}

static int
compare_policies(const void *a_, const void *b_)
{
    const struct np_meta *a = (*(struct np_policy *const *) a_)->entry->object;
    const struct np_meta *b = (*(struct np_policy *const *) b_)->entry->object;
    int cmp = strcmp(a->namespace, b->namespace);

    return cmp ? cmp : strcmp(a->name, b->name);
}

const struct np_policy **
np_policies_sort(const struct np_policies *policies)
{
    size_t n = hmap_count(&policies->by_entry);
    const struct np_policy **v = xmalloc((n + 1) * sizeof *v);
    const struct np_policy *policy;

    n = 0;
    HMAP_FOR_EACH (policy, node, &policies->by_entry) {
        v[n++] = policy;
    }
    qsort(v, n, sizeof *v, compare_policies);
    return v;
}

void
np_rule_format(const struct np_rule *rule, struct ds *ds)
{
    np_object_format_key(rule->policy->entry->key, ds);
    ds_put_format(ds, " %s[%u]", np_direction_name(rule->direction),
                  rule->index);
}

static void
format_service(const struct np_service *service, struct ds *ds)
{
    ds_put_format(ds, "%s/", np_proto_name(service->proto));
    if (service->name) {
        ds_put_cstr(ds, service->name);
    } else if (!service->lo && service->hi == UINT16_MAX) {
        ds_put_cstr(ds, "any");
    } else if (service->lo == service->hi) {
        ds_put_format(ds, "%"PRIu16, service->lo);
    } else {
        ds_put_format(ds, "%"PRIu16"-%"PRIu16, service->lo, service->hi);
    }
}

static void
dump_isolations(const struct np_policy *policy, struct ds *ds)
{
    for (int direction = NP_INGRESS; direction <= NP_EGRESS; direction++) {
        if (policy->isolates[direction]) {
            ds_put_cstr(ds, "isolate ");
            np_object_format_key(policy->entry->object, ds);
            ds_put_format(ds, " %s: %s\n", np_direction_name(direction),
                          policy->applied->key);
        }
    }
}

static void
dump_rule(const struct np_rule *rule, struct ds *ds)
{
    ds_put_cstr(ds, "rule ");
    np_rule_format(rule, ds);
    ds_put_format(ds, ": %s, peers %s, services", rule->applied->key,
                  rule->peers ? rule->peers->key : "any");
    for (size_t j = 0; j < rule->n_services; j++) {
        ds_put_char(ds, ' ');
        format_service(&rule->services[j], ds);
    }
    ds_put_cstr(ds, rule->n_services ? "\n" : " any\n");
}

void
np_policies_dump(const struct np_policies *policies, struct ds *ds)
{
    size_t n = hmap_count(&policies->by_entry);
    const struct np_policy **v = np_policies_sort(policies);

    for (size_t i = 0; i < n; i++) {
        dump_isolations(v[i], ds);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < v[i]->n_rules; j++) {
            dump_rule(v[i]->rules[j], ds);
        }
    }
    free(v);
    np_groups_dump(policies->groups, ds);
}

/* As kubelet and kube-proxy resolve a named port: the first one of that name
 * and protocol in the order of the containers. */
uint16_t
np_pod_resolve_port(const struct np_pod *pod, enum np_proto proto,
                    const char *name)
{
    for (size_t i = 0; i < pod->n_ports; i++) {
        const struct np_container_port *port = &pod->ports[i];

        if (port->name && !strcmp(port->name, name)
            && (port->has_protocol ? port->protocol : NP_TCP) == proto) {
            return port->port;
        }
    }
    return 0;
}

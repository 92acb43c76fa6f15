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
 * Rebuilt when: a NetworkPolicy changed, or anything that the groups below it
 * are rebuilt for. */

#include <config.h>
#include <stdlib.h>
#include "netpol/policy.h"
#include "openvswitch/dynamic-string.h"
#include "policy/set.h"
#include "util.h"

void
np_policies_init(struct np_policies *policies)
{
    memset(policies, 0, sizeof *policies);
    hmap_init(&policies->sets);
    np_groups_init(&policies->groups);
}

static void
policies_clear(struct np_policies *policies)
{
    for (size_t i = 0; i < policies->n_rules; i++) {
        free(policies->rules[i].services);
    }
    free(policies->rules);
    policies->rules = NULL;
    policies->n_rules = 0;

    free(policies->isolations);
    policies->isolations = NULL;
    policies->n_isolations = 0;

    np_sets_clear(policies);
    np_groups_destroy(&policies->groups);
}

void
np_policies_destroy(struct np_policies *policies)
{
    if (policies) {
        policies_clear(policies);
        hmap_destroy(&policies->sets);
    }
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
        .name = port->name,
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
add_rule(struct np_policies *policies, const struct np_netpol *policy,
         enum np_direction direction, unsigned int index,
         struct np_set *applied)
{
    const struct np_netpol_rule *src = &policy->rules[direction][index];
    struct np_rule *rule = &policies->rules[policies->n_rules++];

    rule->policy = policy;
    rule->direction = direction;
    rule->index = index;
    rule->applied = applied;
    rule->peers = np_set_intern_peers(policies, policy, src);
    rule->services = xmalloc(src->n_ports * sizeof *rule->services);
    rule->n_services = src->n_ports;
    for (size_t i = 0; i < src->n_ports; i++) {
        rule->services[i] = service_from_port(&src->ports[i]);
    }
}

static void
add_policy(struct np_policies *policies, const struct np_netpol *policy)
{
    struct np_set *applied = np_set_intern_applied(policies, policy);

    for (int direction = NP_INGRESS; direction <= NP_EGRESS; direction++) {
        if (!governs(policy, direction)) {
            continue;
        }
        policies->isolations[policies->n_isolations++]
            = (struct np_isolation) { policy, direction, applied };
        if (!policy->unreadable) {
            for (size_t i = 0; i < policy->n_rules[direction]; i++) {
                add_rule(policies, policy, direction, i, applied);
            }
        }
    }
}

void
np_policies_rebuild(struct np_policies *policies, const struct np_cache *cache)
{
    const struct np_meta *const *v = cache->v[NP_NETPOL];
    size_t n = cache->n[NP_NETPOL];
    size_t n_rules = 0;

    policies_clear(policies);
    np_groups_init(&policies->groups);
    for (size_t i = 0; i < n; i++) {
        const struct np_netpol *policy = (const struct np_netpol *) v[i];

        n_rules += policy->n_rules[NP_INGRESS] + policy->n_rules[NP_EGRESS];
    }
    policies->rules = xmalloc(n_rules * sizeof *policies->rules);
    policies->isolations = xmalloc(2 * n * sizeof *policies->isolations);
    for (size_t i = 0; i < n; i++) {
        add_policy(policies, (const struct np_netpol *) v[i]);
    }
    np_sets_number(policies);
    np_groups_rebuild(&policies->groups, cache);
}

static bool
is_member(const struct np_group *group, const struct np_pod *pod)
{
    for (size_t i = 0; i < group->n_members; i++) {
        if (group->members[i] == pod) {
            return true;
        }
    }
    return false;
}

bool
np_policies_isolate(const struct np_policies *policies,
                    const struct np_pod *pod, enum np_direction direction)
{
    for (size_t i = 0; i < policies->n_isolations; i++) {
        const struct np_isolation *isolation = &policies->isolations[i];

        if (isolation->direction == direction
            && is_member(isolation->applied->groups[0], pod)) {
            return true;
        }
    }
    return false;
}

void
np_rule_format(const struct np_rule *rule, struct ds *ds)
{
    np_object_format_key(&rule->policy->meta, ds);
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

void
np_policies_dump(const struct np_policies *policies, struct ds *ds)
{
    for (size_t i = 0; i < policies->n_isolations; i++) {
        const struct np_isolation *isolation = &policies->isolations[i];

        ds_put_cstr(ds, "isolate ");
        np_object_format_key(&isolation->policy->meta, ds);
        ds_put_format(ds, " %s: %s\n",
                      np_direction_name(isolation->direction),
                      isolation->applied->key);
    }
    for (size_t i = 0; i < policies->n_rules; i++) {
        const struct np_rule *rule = &policies->rules[i];

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
    np_groups_dump(&policies->groups, ds);
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

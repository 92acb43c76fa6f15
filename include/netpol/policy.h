#ifndef NETPOL_POLICY_H
#define NETPOL_POLICY_H 1

/* What the policies say, without a switch in mind: rules over address sets.
 *
 * A NetworkPolicy isolates the pods it applies to in each direction that it
 * governs, and becomes one rule for each of its ingress or egress entries.
 * Here the API's defaults (policyTypes, protocol, "empty is any") get their
 * meaning; below this room nothing is ever absent. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/cache.h"
#include "netpol/group.h"
#include "netpol/object.h"
#include "netpol/slots.h"

/* A set of addresses: the union of groups of pods and of IP blocks.  Kept once
 * however many rules name it. */
struct np_set {
    struct hmap_node node;      /* In struct np_policies, by 'key'. */
    uint32_t id;                /* In 'set_by_id'. */
    unsigned int n_refs;
    char *key;                  /* Its canonical text, unique. */
    bool applied;               /* Only this node's pods are members: it says
                                 * to whom policies apply. */
    unsigned int n_isolations[2];       /* If applied: policies that isolate
                                         * its members, by np_direction. */
    struct ovs_list rules;      /* If applied: struct np_rule. */
    struct np_group **groups;
    size_t n_groups;
    struct np_ipblock *blocks;
    size_t n_blocks;
};

/* A service that a rule opens.  A numeric one covers lo...hi; all ports of the
 * protocol are 0...65535. */
struct np_service {
    enum np_proto proto;
    char *name;                 /* Named port (resolved for each destination
                                 * pod), or NULL. */
    uint16_t lo, hi;
};

struct np_rule {
    const struct np_policy *policy;
    enum np_direction direction;
    unsigned int index;         /* In spec.ingress or spec.egress. */
    struct ovs_list applied_node;       /* In 'applied->rules'. */
    struct np_set *applied;
    struct np_set *peers;       /* NULL: any address. */
    struct np_service *services;
    size_t n_services;          /* 0: any protocol and port. */
};

struct np_policy {
    struct hmap_node node;      /* In struct np_policies, by 'entry'. */
    const struct np_entry *entry;
    struct np_set *applied;
    bool isolates[2];           /* By np_direction. */
    struct np_rule **rules;     /* By direction and index. */
    size_t n_rules;
};

struct np_policies {
    struct np_groups *groups;
    struct hmap by_entry;       /* struct np_policy. */
    struct hmap sets;
    struct np_slots set_by_id;
    size_t n_rules;
};

/* What one apply changed. */
struct np_policy_delta {
    struct np_rule **added;
    size_t n_added, allocated_added;
    struct np_rule **removed;   /* Still there until settled. */
    size_t n_removed, allocated_removed;
    struct np_set **isolating;  /* Applied sets of which one of 'n_isolations'
                                 * became 0 or is it no more. */
    size_t n_isolating, allocated_isolating;
    struct np_policy **gone;    /* Whose the removed rules may be. */
    size_t n_gone, allocated_gone;
};

/* GROUPS must live as long. */
void np_policies_init(struct np_policies *, struct np_groups *groups);
void np_policies_destroy(struct np_policies *);
/* To be called when GROUPS has taken the delta in. */
void np_policies_apply(struct np_policies *, const struct np_cache_delta *,
                       struct np_policy_delta *);
/* A delta in which all rules that are here were added. */
void np_policies_everything(const struct np_policies *,
                            struct np_policy_delta *);
/* To be called when the stages above have taken DELTA in: frees what was
 * removed, and the sets and groups that only it used; empties DELTA. */
void np_policies_settle(struct np_policies *, struct np_policy_delta *delta);
/* One line an isolation, set and rule. */
void np_policies_dump(const struct np_policies *, struct ds *);
/* Does any policy isolate POD in DIRECTION? */
bool np_policies_isolate(const struct np_policies *,
                         const struct np_entry *pod, enum np_direction);
/* The policies by namespace and name, hmap_count(&by_entry) of them; to be
 * freed. */
const struct np_policy **np_policies_sort(const struct np_policies *);
/* Appends "ns/name ingress[0]". */
void np_rule_format(const struct np_rule *, struct ds *);

/* The number that POD gives to the named port NAME of PROTO, or 0. */
uint16_t np_pod_resolve_port(const struct np_pod *, enum np_proto proto,
                             const char *name);

#endif /* netpol/policy.h */

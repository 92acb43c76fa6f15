#ifndef NETPOL_POLICY_H
#define NETPOL_POLICY_H 1

/* What the policies say, without a switch in mind: rules over address sets.
 *
 * A NetworkPolicy becomes, for each direction that it governs, one
 * isolation of the pods it applies to and one rule for each of its ingress
 * or egress entries.  Here the API's defaults (policyTypes, protocol,
 * "empty is any") get their meaning; below this room nothing is ever
 * absent. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/cache.h"
#include "netpol/group.h"
#include "netpol/object.h"

/* A set of addresses: the union of groups of pods and of IP blocks.  Kept once
 * however many rules name it. */
struct np_set {
    struct hmap_node node;      /* In struct np_policies, by 'key'. */
    uint32_t id;                /* Dense, in the order of 'key'. */
    char *key;                  /* Its canonical text, unique. */
    bool applied;               /* Only this node's pods are members: it says
                                 * to whom policies apply. */
    struct np_group **groups;
    size_t n_groups;
    const struct np_ipblock **blocks;   /* The policies'. */
    size_t n_blocks;
};

/* A service that a rule opens.  A numeric one covers lo...hi; all ports of the
 * protocol are 0...65535. */
struct np_service {
    enum np_proto proto;
    const char *name;           /* Named port (resolved for each destination
                                 * pod), or NULL. */
    uint16_t lo, hi;
};

struct np_rule {
    const struct np_netpol *policy;
    enum np_direction direction;
    unsigned int index;         /* In spec.ingress or spec.egress. */
    struct np_set *applied;
    struct np_set *peers;       /* NULL: any address. */
    struct np_service *services;
    size_t n_services;          /* 0: any protocol and port. */
};

struct np_isolation {
    const struct np_netpol *policy;
    enum np_direction direction;
    struct np_set *applied;
};

struct np_policies {
    struct np_groups groups;
    struct hmap sets;
    struct np_set **set_by_id;
    size_t n_sets;
    struct np_rule *rules;      /* By policy key, direction, index. */
    size_t n_rules;
    struct np_isolation *isolations;
    size_t n_isolations;
};

void np_policies_init(struct np_policies *);
void np_policies_destroy(struct np_policies *);
/* Computes everything anew from CACHE, which must live until the next one. */
void np_policies_rebuild(struct np_policies *, const struct np_cache *);
/* One line an isolation, set and rule. */
void np_policies_dump(const struct np_policies *, struct ds *);
/* Does any policy isolate POD in DIRECTION? */
bool np_policies_isolate(const struct np_policies *, const struct np_pod *pod,
                         enum np_direction);
/* Appends "ns/name ingress[0]". */
void np_rule_format(const struct np_rule *, struct ds *);

/* The number that POD gives to the named port NAME of PROTO, or 0. */
uint16_t np_pod_resolve_port(const struct np_pod *, enum np_proto proto,
                             const char *name);

#endif /* netpol/policy.h */

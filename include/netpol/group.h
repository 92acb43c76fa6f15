#ifndef NETPOL_GROUP_H
#define NETPOL_GROUP_H 1

/* Groups: "these pods of these namespaces", each kept once however many rules
 * name it; and profiles: the pods that no selector can tell apart. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/cache.h"
#include "netpol/idset.h"
#include "netpol/object.h"
#include "netpol/slots.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"

struct np_set;

struct np_group {
    struct hmap_node node;      /* In struct np_groups, by 'key'. */
    uint32_t id;                /* In 'by_id'. */
    unsigned int n_refs;
    char *key;                  /* Its canonical text, unique. */
    char *namespace;            /* Of this namespace only, or NULL: */
    struct np_selector namespaces;      /* of those that match. */
    struct np_selector pods;
    struct np_idset profiles;   /* Whose pods are its members. */
    struct np_set *applied;     /* For the room "policy": the set that says
                                 * "policies apply to these", or NULL. */
};

/* The pods of one namespace with the same labels: the replicas of a
 * Deployment, say.  Only pods that count (np_pod_counts()) have one. */
struct np_profile {
    struct hmap_node node;      /* In 'by_labels', by its two parts. */
    struct hmap_node value_node;        /* In 'by_value', by the pointers to
                                         * them in its first pod. */
    uint32_t id;
    const char *namespace;      /* The pod's; may be another than that of */
    struct np_ns *ns;
    struct ovs_list ns_node;    /* In 'ns->profiles'. */
    struct np_labels labels;
    struct np_carried *carried; /* For each of them, the profile's place among
                                 * those that carry it. */
    struct ovs_list pods;       /* struct np_entry, by 'profile_node'. */
    size_t n_pods;
    struct np_idset groups;     /* That its pods are in. */
};

struct np_groups {
    struct hmap by_key;         /* struct np_group. */
    struct np_slots groups;
    struct hmap by_labels, by_value;    /* struct np_profile. */
    struct np_slots profiles;
    struct hmap namespaces;     /* struct np_ns. */
    struct np_slots ns_slots;
    /* What selectors ask for, so that neither a pod must be held against all
     * groups nor a group against all pods. */
    struct hmap group_index, carriers, ns_index;
    size_t n_by_key;            /* Groups that ask for a key, whatever its
                                 * value, and are found by that. */
};

/* What one apply changed: profiles whose groups are others now though their
 * pods are the same, because of the namespace's labels.  What became of single
 * pods is in the cache's delta. */
struct np_group_delta {
    struct np_profile **v;
    size_t n;
    size_t allocated;
};

void np_groups_init(struct np_groups *);
void np_groups_destroy(struct np_groups *);
void np_groups_apply(struct np_groups *, const struct np_cache_delta *,
                     struct np_group_delta *);
void np_group_delta_clear(struct np_group_delta *);
/* One line a group that is in use, with its members. */
void np_groups_dump(const struct np_groups *, struct ds *);

/* The group of the pods that match PODS (NULL: all) in NAMESPACE or, if
 * that is NULL, in the namespaces that match NAMESPACES (NULL: all).  The
 * selectors are copied.  Must be given back. */
struct np_group *np_groups_ref(struct np_groups *, const char *namespace,
                               const struct np_selector *namespaces,
                               const struct np_selector *pods);
void np_groups_unref(struct np_groups *, struct np_group *);

static inline struct np_group *
np_groups_get(const struct np_groups *groups, uint32_t id)
{
    return groups->groups.v[id];
}
static inline struct np_profile *
np_groups_profile(const struct np_groups *groups, uint32_t id)
{
    return groups->profiles.v[id];
}

#endif /* netpol/group.h */

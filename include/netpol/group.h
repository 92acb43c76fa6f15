#ifndef NETPOL_GROUP_H
#define NETPOL_GROUP_H 1

/* Groups: "these pods of these namespaces", each kept once however many rules
 * name it, and the pods that are in it now. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/cache.h"
#include "netpol/object.h"
#include "openvswitch/hmap.h"

struct np_group {
    struct hmap_node node;      /* In struct np_groups, by 'key'. */
    char *key;                  /* Its canonical text, unique. */
    char *namespace;            /* Of this namespace only, or NULL: */
    const struct np_selector *namespaces;   /* of those that match; NULL with
                                             * 'namespace'.  Borrowed from the
                                             * policy, as is 'pods'. */
    const struct np_selector *pods;     /* NULL: all pods. */
    const struct np_pod **members;      /* By namespace and name; only pods
                                         * that count (np_pod_counts()). */
    size_t n_members;
};

struct np_groups {
    struct hmap groups;
};

void np_groups_init(struct np_groups *);
void np_groups_destroy(struct np_groups *);

/* The group of the pods that match PODS (NULL: all) in NAMESPACE or, if
 * that is NULL, in the namespaces that match NAMESPACES.  Both selectors
 * must live as long as the groups. */
struct np_group *np_groups_intern(struct np_groups *, const char *namespace,
                                  const struct np_selector *namespaces,
                                  const struct np_selector *pods);
/* Computes all members anew from CACHE. */
void np_groups_rebuild(struct np_groups *, const struct np_cache *);
void np_groups_dump(const struct np_groups *, struct ds *);

#endif /* netpol/group.h */

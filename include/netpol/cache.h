#ifndef NETPOL_CACHE_H
#define NETPOL_CACHE_H 1

/* The objects that are in force, by kind and key.
 *
 * The objects stay their source's: the cache is an index over them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/change.h"
#include "netpol/object.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"

struct ds;
struct np_profile;

/* The place of one key.  It stays where it is while objects of that key come
 * after each other, so stages hold on to it and never to an object. */
struct np_entry {
    struct hmap_node key_node;  /* In 'by_key'. */
    struct hmap_node uid_node;  /* In 'by_uid', for pods with a UID. */
    const struct np_meta *object;       /* NULL only in a delta: it went. */
    const struct np_meta *key;  /* 'object', or what went. */
    bool in_delta;
    uint32_t n_points;          /* The compiler's: points that it claims, */
    void *point;                /* and the one, if it is one. */

    /* Of pods that count, for the room "group", so that a hundred thousand
     * pods need no second index. */
    struct np_profile *profile;
    struct ovs_list profile_node;
};

struct np_cache {
    struct hmap by_key;         /* All kinds, by kind, namespace and name. */
    struct hmap by_uid;         /* Pods with a UID. */
    size_t n[NP_N_KINDS];
};

/* What one apply changed, each key once. */
struct np_entry_change {
    struct np_entry *entry;     /* Its 'object' is the new one. */
    const struct np_meta *old;
};
struct np_cache_delta {
    struct np_entry_change *v;
    size_t n;
    size_t allocated;
};

void np_cache_init(struct np_cache *);
void np_cache_destroy(struct np_cache *);
/* Takes CHANGES in and says in DELTA, which must be all zeros, what became of
 * them.  The objects must live until a change that removes them is settled. */
void np_cache_apply(struct np_cache *, const struct np_changes *changes,
                    struct np_cache_delta *delta);
/* A delta, which must be all zeros, in which everything that is here came. */
void np_cache_everything(struct np_cache *, struct np_cache_delta *);
/* To be called when all stages have taken DELTA in: frees the entries of what
 * went, and empties DELTA. */
void np_cache_settle(struct np_cache *, struct np_cache_delta *delta);
/* One line an object. */
void np_cache_dump(const struct np_cache *, struct ds *);

/* NAMESPACE is NULL for kinds without one.  Both return NULL if there is
 * none; of several pods with one UID, the first by key. */
struct np_entry *np_cache_find(const struct np_cache *, enum np_kind,
                               const char *namespace, const char *name);
struct np_entry *np_cache_find_pod_uid(const struct np_cache *,
                                       const char *uid);
/* The objects of a KIND, n[KIND] of them, by namespace and name.  To be
 * freed. */
const struct np_meta **np_cache_sort(const struct np_cache *, enum np_kind);

static inline const struct np_pod *
np_entry_pod(const struct np_entry *entry)
{
    return (const struct np_pod *) entry->object;
}

#endif /* netpol/cache.h */

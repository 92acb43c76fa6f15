#ifndef NETPOL_CACHE_H
#define NETPOL_CACHE_H 1

/* The objects that are in force, by kind and key.
 *
 * The objects stay their source's: the cache is an index over them and is
 * rebuilt whenever the source's list changed. */

#include <stddef.h>
#include "netpol/object.h"
#include "openvswitch/hmap.h"

struct ds;

struct np_cache {
    struct hmap by_key;         /* All kinds, by kind, namespace and name. */
    struct hmap by_uid;         /* Pods with a UID. */
    const struct np_meta **v[NP_N_KINDS];       /* Sorted by namespace and
                                                 * name. */
    size_t n[NP_N_KINDS];
};

void np_cache_init(struct np_cache *);
void np_cache_destroy(struct np_cache *);
/* Makes the cache hold exactly the N OBJECTS, no two with the same kind and
 * key.  They must live until the next rebuild. */
void np_cache_rebuild(struct np_cache *, const struct np_meta *const *objects,
                      size_t n);
/* One line an object. */
void np_cache_dump(const struct np_cache *, struct ds *);

/* NAMESPACE is NULL for kinds without one.  Returns NULL if there is none. */
const struct np_meta *np_cache_find(const struct np_cache *, enum np_kind,
                                    const char *namespace, const char *name);
const struct np_pod *np_cache_find_pod_uid(const struct np_cache *,
                                           const char *uid);

/* The pods of NAMESPACE, a run of v[NP_POD]; returns how many. */
size_t np_cache_pods_of(const struct np_cache *, const char *namespace,
                        const struct np_pod *const **pods);

#endif /* netpol/cache.h */

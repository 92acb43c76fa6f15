/* The objects in force, by kind and key.
 *
 * A source hands out its objects as one list; every other stage wants to find
 * them: a pod by the key that a port claims, a pod by its UID, the pods of one
 * namespace.  The cache is those three indexes and owns nothing else.
 *
 * Rebuilt when: the source's list changed. */

#include <config.h>
#include <stdlib.h>
#include "hash.h"
#include "netpol/cache.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

struct cache_entry {
    struct hmap_node key_node;  /* In by_key. */
    struct hmap_node uid_node;  /* In by_uid, if the object has a UID. */
    const struct np_meta *object;
};

static uint32_t
key_hash(enum np_kind kind, const char *namespace, const char *name)
{
    return hash_string(namespace ? namespace : "", hash_string(name, kind));
}

static int
compare_strings(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int
compare_keys(const void *a_, const void *b_)
{
    const struct np_meta *a = *(const struct np_meta *const *) a_;
    const struct np_meta *b = *(const struct np_meta *const *) b_;
    int cmp = compare_strings(a->namespace, b->namespace);

    return cmp ? cmp : strcmp(a->name, b->name);
}

void
np_cache_init(struct np_cache *cache)
{
    memset(cache, 0, sizeof *cache);
    hmap_init(&cache->by_key);
    hmap_init(&cache->by_uid);
}

static void
np_cache_clear(struct np_cache *cache)
{
    struct cache_entry *e;

    HMAP_FOR_EACH_POP (e, key_node, &cache->by_key) {
        free(e);
    }
    hmap_clear(&cache->by_uid);
    for (int kind = 0; kind < NP_N_KINDS; kind++) {
        free(cache->v[kind]);
        cache->v[kind] = NULL;
        cache->n[kind] = 0;
    }
}

void
np_cache_destroy(struct np_cache *cache)
{
    if (cache) {
        np_cache_clear(cache);
        hmap_destroy(&cache->by_key);
        hmap_destroy(&cache->by_uid);
    }
}

static void
np_cache_add(struct np_cache *cache, const struct np_meta *object)
{
    struct cache_entry *e = xzalloc(sizeof *e);

    e->object = object;
    hmap_insert(&cache->by_key, &e->key_node,
                key_hash(object->kind, object->namespace, object->name));
    if (object->kind == NP_POD && object->uid) {
        hmap_insert(&cache->by_uid, &e->uid_node,
                    hash_string(object->uid, 0));
    }
    cache->v[object->kind][cache->n[object->kind]++] = object;
}

void
np_cache_rebuild(struct np_cache *cache,
                 const struct np_meta *const *objects, size_t n)
{
    size_t n_kind[NP_N_KINDS] = { 0 };

    np_cache_clear(cache);
    for (size_t i = 0; i < n; i++) {
        n_kind[objects[i]->kind]++;
    }
    for (int kind = 0; kind < NP_N_KINDS; kind++) {
        cache->v[kind] = xmalloc(n_kind[kind] * sizeof *cache->v[kind]);
    }
    for (size_t i = 0; i < n; i++) {
        np_cache_add(cache, objects[i]);
    }
    for (int kind = 0; kind < NP_N_KINDS; kind++) {
        qsort(cache->v[kind], cache->n[kind], sizeof *cache->v[kind],
              compare_keys);
    }
}

void
np_cache_dump(const struct np_cache *cache, struct ds *ds)
{
    for (int kind = 0; kind < NP_N_KINDS; kind++) {
        for (size_t i = 0; i < cache->n[kind]; i++) {
            ds_put_format(ds, "%s ", np_kind_name(kind));
            np_object_format_key(cache->v[kind][i], ds);
            ds_put_char(ds, '\n');
        }
    }
}

const struct np_meta *
np_cache_find(const struct np_cache *cache, enum np_kind kind,
              const char *namespace, const char *name)
{
    const struct cache_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, key_node, key_hash(kind, namespace, name),
                             &cache->by_key) {
        if (e->object->kind == kind && !strcmp(e->object->name, name)
            && !compare_strings(e->object->namespace, namespace)) {
            return e->object;
        }
    }
    return NULL;
}

const struct np_pod *
np_cache_find_pod_uid(const struct np_cache *cache, const char *uid)
{
    const struct cache_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, uid_node, hash_string(uid, 0),
                             &cache->by_uid) {
        if (!strcmp(e->object->uid, uid)) {
            return (const struct np_pod *) e->object;
        }
    }
    return NULL;
}

/* Index of the first pod whose namespace is not below NAMESPACE or, if AFTER,
 * is above it. */
static size_t
pods_bound(const struct np_cache *cache, const char *namespace, bool after)
{
    size_t lo = 0;
    size_t hi = cache->n[NP_POD];

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int cmp = compare_strings(cache->v[NP_POD][mid]->namespace,
                                  namespace);

        if (cmp < 0 || (after && !cmp)) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

size_t
np_cache_pods_of(const struct np_cache *cache, const char *namespace,
                 const struct np_pod *const **pods)
{
    size_t first = pods_bound(cache, namespace, false);

    /* A pod starts with its meta, so a vector of one is a vector of the
     * other. */
    *pods = (const struct np_pod *const *) (cache->v[NP_POD] + first);
    return pods_bound(cache, namespace, true) - first;
}

/* The objects in force, by kind and key.
 *
 * A source says what came, went and changed; every other stage wants to find
 * the objects: a pod by the key that a port claims, or by its UID.  The cache
 * is those two indexes and owns nothing else.
 *
 * An apply costs what it changes: a few hash lookups a change. */

#include <config.h>
#include "netpol/cache.h"

#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

COVERAGE_DEFINE(np_cache_changed);

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
compare_keys(const struct np_meta *a, const struct np_meta *b)
{
    int cmp = compare_strings(a->namespace, b->namespace);

    return cmp ? cmp : strcmp(a->name, b->name);
}

static int
compare_objects(const void *a, const void *b)
{
    return compare_keys(*(const struct np_meta *const *) a,
                        *(const struct np_meta *const *) b);
}

void
np_cache_init(struct np_cache *cache)
{
    memset(cache, 0, sizeof *cache);
    hmap_init(&cache->by_key);
    hmap_init(&cache->by_uid);
}

void
np_cache_destroy(struct np_cache *cache)
{
    if (cache) {
        struct np_entry *e;

        HMAP_FOR_EACH_POP (e, key_node, &cache->by_key) {
            free(e);
        }
        hmap_destroy(&cache->by_key);
        hmap_destroy(&cache->by_uid);
    }
}

static bool
has_uid(const struct np_meta *object)
{
    return object && object->kind == NP_POD && object->uid;
}

/* Makes OBJECT, or nothing if it is NULL, what ENTRY stands for. */
static void
set_object(struct np_cache *cache, struct np_entry *e,
           const struct np_meta *object)
{
    if (e->object) {
        cache->n[e->object->kind]--;
    }
    if (has_uid(e->object)) {
        hmap_remove(&cache->by_uid, &e->uid_node);
    }
    e->object = object;
    if (object) {
        e->key = object;
        cache->n[object->kind]++;
    }
    if (has_uid(object)) {
        hmap_insert(&cache->by_uid, &e->uid_node,
                    hash_string(object->uid, 0));
    }
}

/* The entry, also of what has just gone and is not settled yet. */
static struct np_entry *
find_entry(const struct np_cache *cache, enum np_kind kind,
           const char *namespace, const char *name)
{
    struct np_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, key_node, key_hash(kind, namespace, name),
                             &cache->by_key) {
        if (e->key->kind == kind && !strcmp(e->key->name, name)
            && !compare_strings(e->key->namespace, namespace)) {
            return e;
        }
    }
    return NULL;
}

static void
note(struct np_cache_delta *delta, struct np_entry *e,
     const struct np_meta *old)
{
    if (e->in_delta) {
        return;
    }
    if (delta->n >= delta->allocated) {
        delta->v = x2nrealloc(delta->v, &delta->allocated, sizeof *delta->v);
    }
    e->in_delta = true;
    delta->v[delta->n++] = (struct np_entry_change) { e, old };
}

static void
apply_change(struct np_cache *cache, const struct np_change *change,
             struct np_cache_delta *delta)
{
    const struct np_meta *key = change->new ? change->new : change->old;
    struct np_entry *e = find_entry(cache, key->kind, key->namespace,
                                    key->name);

    COVERAGE_INC(np_cache_changed);
    if (!e && !change->new) {
        return;
    }
    if (!e) {
        e = xzalloc(sizeof *e);
        ovs_list_init(&e->profile_node);
        e->key = key;
        hmap_insert(&cache->by_key, &e->key_node,
                    key_hash(key->kind, key->namespace, key->name));
    }
    note(delta, e, e->object);
    set_object(cache, e, change->new);
}

static void
destroy_entry(struct np_cache *cache, struct np_entry *e)
{
    hmap_remove(&cache->by_key, &e->key_node);
    free(e);
}

void
np_cache_apply(struct np_cache *cache, const struct np_changes *changes,
               struct np_cache_delta *delta)
{
    size_t n = 0;

    for (size_t i = 0; i < changes->n; i++) {
        apply_change(cache, &changes->v[i], delta);
    }
    /* What came and went again is nobody's business. */
    for (size_t i = 0; i < delta->n; i++) {
        struct np_entry *e = delta->v[i].entry;

        if (!delta->v[i].old && !e->object) {
            destroy_entry(cache, e);
        } else {
            delta->v[n++] = delta->v[i];
        }
    }
    delta->n = n;
}

void
np_cache_everything(struct np_cache *cache, struct np_cache_delta *delta)
{
    struct np_entry *e;

    HMAP_FOR_EACH (e, key_node, &cache->by_key) {
        note(delta, e, NULL);
    }
}

void
np_cache_settle(struct np_cache *cache, struct np_cache_delta *delta)
{
    for (size_t i = 0; i < delta->n; i++) {
        struct np_entry *e = delta->v[i].entry;

        e->in_delta = false;
        if (!e->object) {
            destroy_entry(cache, e);
        }
    }
    free(delta->v);
    memset(delta, 0, sizeof *delta);
}

const struct np_meta **
np_cache_sort(const struct np_cache *cache, enum np_kind kind)
{
    const struct np_meta **v = xmalloc((cache->n[kind] + 1) * sizeof *v);
    const struct np_entry *e;
    size_t n = 0;

    HMAP_FOR_EACH (e, key_node, &cache->by_key) {
        if (e->object && e->object->kind == kind) {
            v[n++] = e->object;
        }
    }
    qsort(v, n, sizeof *v, compare_objects);
    return v;
}

void
np_cache_dump(const struct np_cache *cache, struct ds *ds)
{
    for (int kind = 0; kind < NP_N_KINDS; kind++) {
        const struct np_meta **v = np_cache_sort(cache, kind);

        for (size_t i = 0; i < cache->n[kind]; i++) {
            ds_put_format(ds, "%s ", np_kind_name(kind));
            np_object_format_key(v[i], ds);
            ds_put_char(ds, '\n');
        }
        free(v);
    }
}

struct np_entry *
np_cache_find(const struct np_cache *cache, enum np_kind kind,
              const char *namespace, const char *name)
{
    struct np_entry *e = find_entry(cache, kind, namespace, name);

    return e && e->object ? e : NULL;
}

struct np_entry *
np_cache_find_pod_uid(const struct np_cache *cache, const char *uid)
{
    struct np_entry *first = NULL;
    struct np_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, uid_node, hash_string(uid, 0),
                             &cache->by_uid) {
        if (!strcmp(e->object->uid, uid)
            && (!first || compare_keys(e->object, first->object) < 0)) {
            first = e;
        }
    }
    return first;
}

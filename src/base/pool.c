/* Hash-consing.
 *
 * The replicas of a Deployment differ in name, UID and address; their labels,
 * ports, namespace and most of their nodes are the same bytes over and over.
 * Each value has a header in front, with its count and its pool, so that who
 * holds one holds a plain pointer. */

#include <config.h>
#include "netpol/pool.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "util.h"

struct np_pool {
    struct hmap values;         /* struct value. */
    bool closed;                /* Waits for its last value. */
};

struct value {
    struct hmap_node node;      /* In 'pool', if there is one. */
    struct np_pool *pool;
    unsigned int n_refs;
    unsigned int size;
    char data[] __attribute__((aligned(16)));
};

static struct value *
value_of(const void *data)
{
    return CONST_CAST(struct value *,
                      CONTAINER_OF(data, struct value, data));
}

struct np_pool *
np_pool_create(void)
{
    struct np_pool *pool = xzalloc(sizeof *pool);

    hmap_init(&pool->values);
    return pool;
}

static void
free_if_done(struct np_pool *pool)
{
    if (pool->closed && hmap_is_empty(&pool->values)) {
        hmap_destroy(&pool->values);
        free(pool);
    }
}

void
np_pool_destroy(struct np_pool *pool)
{
    if (pool) {
        pool->closed = true;
        free_if_done(pool);
    }
}

static struct value *
find(const struct np_pool *pool, const void *data, size_t size, uint32_t hash)
{
    struct value *v;

    HMAP_FOR_EACH_WITH_HASH (v, node, hash, &pool->values) {
        if (v->size == size && !memcmp(v->data, data, size)) {
            return v;
        }
    }
    return NULL;
}

const void *
np_pool_get(struct np_pool *pool, const void *data, size_t size, bool *shared)
{
    uint32_t hash = pool ? hash_bytes(data, size, 0) : 0;
    struct value *v = pool ? find(pool, data, size, hash) : NULL;

    if (shared) {
        *shared = v != NULL;
    }
    if (!v) {
        ovs_assert(size <= UINT_MAX - sizeof *v);
        v = xmalloc(sizeof *v + size);
        v->pool = pool;
        v->n_refs = 0;
        v->size = size;
        memcpy(v->data, data, size);
        if (pool) {
            hmap_insert(&pool->values, &v->node, hash);
        }
    }
    v->n_refs++;
    ovs_assert(v->n_refs);
    return v->data;
}

const char *
np_pool_string(struct np_pool *pool, const char *s)
{
    return s ? np_pool_get(pool, s, strlen(s) + 1, NULL) : NULL;
}

const void *
np_pool_ref(const void *value)
{
    if (value) {
        struct value *v = value_of(value);

        v->n_refs++;
        ovs_assert(v->n_refs);
    }
    return value;
}

bool
np_pool_is_last(const void *value)
{
    return value_of(value)->n_refs == 1;
}

void
np_pool_put(const void *value)
{
    struct value *v;

    if (!value) {
        return;
    }
    v = value_of(value);
    if (!--v->n_refs) {
        struct np_pool *pool = v->pool;

        if (pool) {
            hmap_remove(&pool->values, &v->node);
            free_if_done(pool);
        }
        free(v);
    }
}

size_t
np_pool_count(const struct np_pool *pool)
{
    return hmap_count(&pool->values);
}

/* An index over labels.
 *
 * Selectors are mostly "app=frontend": whoever is looked for has just that
 * label.  So each group is entered under one label that its members must have,
 * and each namespace under all of its own; what is found is few, and is then
 * held against the whole selector. */

#include <config.h>
#include "group/private.h"

#include <stdlib.h>

#include "hash.h"
#include "util.h"

struct index_entry {
    struct hmap_node node;
    char *scope, *key, *value;
    struct np_idset ids;
};

struct np_index_scope
np_index_scope(const char *name)
{
    return (struct np_index_scope) { name, name ? hash_string(name, 0) : 0 };
}

struct np_index_key
np_index_key(struct np_index_scope scope, const char *key, const char *value)
{
    return (struct np_index_key) {
        scope, key, value,
        hash_string(key ? key : "", value ? hash_string(value, 1) : 0)
    };
}

static uint32_t
hash_key(const struct np_index_key *k)
{
    return hash_2words(k->scope.hash, k->hash);
}

static struct index_entry *
find(const struct hmap *index, const struct np_index_key *k, uint32_t hash)
{
    struct index_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, node, hash, index) {
        if (nullable_string_is_equal(e->key, k->key)
            && nullable_string_is_equal(e->value, k->value)
            && nullable_string_is_equal(e->scope, k->scope.name)) {
            return e;
        }
    }
    return NULL;
}

void
np_index_add(struct hmap *index, const struct np_index_key *k, uint32_t id)
{
    uint32_t hash = hash_key(k);
    struct index_entry *e = find(index, k, hash);

    if (!e) {
        e = xzalloc(sizeof *e);
        e->scope = nullable_xstrdup(k->scope.name);
        e->key = nullable_xstrdup(k->key);
        e->value = nullable_xstrdup(k->value);
        hmap_insert(index, &e->node, hash);
    }
    np_idset_add(&e->ids, id);
}

static void
destroy_entry(struct index_entry *e)
{
    np_idset_clear(&e->ids);
    free(e->scope);
    free(e->key);
    free(e->value);
    free(e);
}

void
np_index_remove(struct hmap *index, const struct np_index_key *k, uint32_t id)
{
    struct index_entry *e = find(index, k, hash_key(k));

    if (e) {
        np_idset_remove(&e->ids, id);
        if (!e->ids.n) {
            hmap_remove(index, &e->node);
            destroy_entry(e);
        }
    }
}

const struct np_idset *
np_index_find(const struct hmap *index, const struct np_index_key *k)
{
    const struct index_entry *e = find(index, k, hash_key(k));

    return e ? &e->ids : NULL;
}

void
np_index_destroy(struct hmap *index)
{
    struct index_entry *e;

    HMAP_FOR_EACH_POP (e, node, index) {
        destroy_entry(e);
    }
    hmap_destroy(index);
}

/* How many labels REQ can be satisfied by, as far as one can tell. */
static size_t
breadth(const struct np_requirement *req)
{
    return req->op == NP_IN ? req->n_values : SIZE_MAX;
}

const struct np_requirement *
np_narrowest(const struct np_selector *selector)
{
    const struct np_requirement *best = NULL;

    for (size_t i = 0; i < selector->n; i++) {
        const struct np_requirement *req = &selector->v[i];

        if ((req->op == NP_IN || req->op == NP_EXISTS)
            && (!best || breadth(req) < breadth(best))) {
            best = req;
        }
    }
    return best;
}

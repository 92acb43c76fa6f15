/* Trees: their memory, how they grow, and what is left out of them. */

#include <config.h>
#include "tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* The arena. */

struct np_chunk {
    struct np_chunk *below;
    size_t used;
    size_t size;                /* Of what follows. */
    max_align_t data[];
};

#define CHUNK_SIZE 65000

void *
np_arena_alloc(struct np_arena *arena, size_t size)
{
    struct np_chunk *chunk = arena->top;
    void *p;

    size = ROUND_UP(size, sizeof(max_align_t));
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = MAX(size, CHUNK_SIZE);

        chunk = xmalloc(sizeof *chunk + room);
        chunk->below = arena->top;
        chunk->used = 0;
        chunk->size = room;
        arena->top = chunk;
    }
    p = (char *) chunk->data + chunk->used;
    chunk->used += size;
    arena->bytes += size;
    return p;
}

char *
np_arena_strdup(struct np_arena *arena, const char *s, size_t len)
{
    char *copy = np_arena_alloc(arena, len + 1);

    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

struct np_arena_mark
np_arena_mark(const struct np_arena *arena)
{
    return (struct np_arena_mark) {
        arena->top, arena->top ? arena->top->used : 0, arena->bytes
    };
}

void
np_arena_release(struct np_arena *arena, const struct np_arena_mark *mark)
{
    while (arena->top != mark->top) {
        struct np_chunk *below = arena->top->below;

        free(arena->top);
        arena->top = below;
    }
    if (arena->top) {
        arena->top->used = mark->used;
    }
    arena->bytes = mark->bytes;
}

void
np_arena_destroy(struct np_arena *arena)
{
    struct np_arena_mark empty = { NULL, 0, 0 };

    np_arena_release(arena, &empty);
}

/* What is left out. */

static bool
is_any_of(const char *s, const char *const list[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(s, list[i])) {
            return true;
        }
    }
    return false;
}

enum tree_part
np_tree_part(enum tree_part parent, const char *key)
{
    /* Large, or the server's own, or nobody's. */
    static const char *const no_meta[] = {
        "annotations", "creationTimestamp", "deletionGracePeriodSeconds",
        "deletionTimestamp", "finalizers", "generation", "managedFields",
        "ownerReferences", "resourceVersion", "selfLink",
    };
    static const char *const status[] = {
        "podIP", "podIPs", "phase", "addresses",
    };
    static const char *const no_spec[] = { "volumes", "template", "affinity" };

    switch (parent) {
    case PART_OBJECT:
        return (!strcmp(key, "metadata") ? PART_META
                : !strcmp(key, "spec") ? PART_SPEC
                : !strcmp(key, "status") ? PART_STATUS
                : !strcmp(key, "items") ? PART_ITEMS
                : !strcmp(key, "kind") || !strcmp(key, "apiVersion")
                ? PART_KEEP : PART_SKIP);
    case PART_META:
        return (is_any_of(key, no_meta, ARRAY_SIZE(no_meta))
                ? PART_SKIP : PART_KEEP);
    case PART_STATUS:
        return (is_any_of(key, status, ARRAY_SIZE(status))
                ? PART_KEEP : PART_SKIP);
    case PART_SPEC:
        return (is_any_of(key, no_spec, ARRAY_SIZE(no_spec))
                ? PART_SKIP : PART_KEEP);
    case PART_ITEMS:
    case PART_KEEP:
        return PART_KEEP;
    case PART_SKIP:
        break;
    }
    return PART_SKIP;
}

/* Maps and lists. */

/* From so many entries on, keys are looked up in an index. */
#define INDEX_MIN 16

void
np_builder_init(struct np_tree_builder *b)
{
    memset(b, 0, sizeof *b);
    shash_init(&b->index);
    b->weight = 1;
}

void
np_builder_destroy(struct np_tree_builder *b)
{
    free(b->v);
    shash_destroy(&b->index);
}

bool
np_builder_has(const struct np_tree_builder *b, const char *key)
{
    if (!shash_is_empty(&b->index)) {
        return shash_find(&b->index, key) != NULL;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!strcmp(b->v[i].key, key)) {
            return true;
        }
    }
    return false;
}

static void
index_key(struct np_tree_builder *b, const char *key)
{
    if (b->n == INDEX_MIN) {
        for (size_t i = 0; i < b->n; i++) {
            shash_add_once(&b->index, b->v[i].key, NULL);
        }
    } else if (b->n > INDEX_MIN) {
        shash_add_once(&b->index, key, NULL);
    }
}

void
np_builder_add(struct np_tree_builder *b, const char *key,
               const struct tree_node *node)
{
    uint32_t weight = b->weight + node->weight;

    if (b->n >= b->allocated) {
        b->v = x2nrealloc(b->v, &b->allocated, sizeof *b->v);
    }
    b->v[b->n].key = key;
    b->v[b->n].value = *node;
    b->n++;
    if (key) {
        index_key(b, key);
    }
    b->height = MAX(b->height, node->height);
    b->weight = weight < b->weight ? UINT32_MAX : weight;
}

void
np_builder_finish(struct np_tree_builder *b, struct np_arena *arena,
                  enum tree_type type, int line, struct tree_node *node)
{
    *node = np_tree_scalar(type, line);
    node->n = b->n;
    node->height = b->height + 1;
    node->weight = b->weight;
    if (type == TREE_MAP) {
        struct tree_entry *v = np_arena_alloc(arena, b->n * sizeof *v);

        if (b->n) {
            memcpy(v, b->v, b->n * sizeof *v);
        }
        node->map = v;
    } else {
        struct tree_node *v = np_arena_alloc(arena, b->n * sizeof *v);

        for (size_t i = 0; i < b->n; i++) {
            v[i] = b->v[i].value;
        }
        node->list = v;
    }
    np_builder_destroy(b);
}

/* Nodes. */

struct tree_node
np_tree_scalar(enum tree_type type, int line)
{
    return (struct tree_node) {
        .type = type, .line = line, .height = 1, .weight = 1,
    };
}

struct tree_node
np_tree_number(double d, int line)
{
    /* kubectl re-encodes what it read as JSON, which drops ".0". */
    bool integral = isfinite(d) && fabs(d) < 9e18 && d == trunc(d);
    struct tree_node node = np_tree_scalar(integral ? TREE_INT : TREE_FLOAT,
                                           line);

    if (integral) {
        node.integer = d;
    } else {
        node.real = d;
    }
    return node;
}

const struct tree_node *
np_tree_get(const struct tree_node *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++) {
        if (!strcmp(map->map[i].key, key)) {
            const struct tree_node *value = &map->map[i].value;

            return value->type == TREE_NULL ? NULL : value;
        }
    }
    return NULL;
}

const char *
np_tree_type_name(enum tree_type type)
{
    switch (type) {
    case TREE_NULL:
        return "null";
    case TREE_BOOL:
        return "a boolean";
    case TREE_INT:
    case TREE_FLOAT:
        return "a number";
    case TREE_STRING:
        return "a string";
    case TREE_LIST:
        return "a list";
    case TREE_MAP:
        return "an object";
    }
    OVS_NOT_REACHED();
}

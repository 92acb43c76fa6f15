#ifndef NETPOL_MANIFEST_TREE_H
#define NETPOL_MANIFEST_TREE_H 1

/* The neutral tree that YAML and JSON become.
 *
 * Nodes are plain values inside arrays of their parent, all in an arena, so a
 * tree is never freed node by node.  An alias is a copy of the node it names
 * and shares its children: a tree may be a DAG, and what walks one must be
 * content with the bounds below. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/shash.h"

enum tree_type {
    TREE_NULL,
    TREE_BOOL,
    TREE_INT,                   /* A number without fraction, in 64 bits. */
    TREE_FLOAT,                 /* Any other number. */
    TREE_STRING,
    TREE_LIST,
    TREE_MAP,
};

struct tree_entry;

struct tree_node {
    enum tree_type type;
    int line;                   /* Of the key that has this value, else of its
                                 * first character.  From 1. */
    unsigned int height;        /* 1 for a leaf. */
    uint32_t weight;            /* Nodes below and including it, aliases
                                 * counted as copies; saturates. */
    size_t n;                   /* Of 'list' and 'map'. */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *string;     /* In the arena, as all pointers here. */
        const struct tree_node *list;
        const struct tree_entry *map;
    };
};

struct tree_entry {
    const char *key;
    struct tree_node value;
};

/* Memory of trees: a stack of chunks. */
struct np_arena {
    struct np_chunk *top;
    size_t bytes;               /* Handed out and not released. */
};

/* More than this in one tree that cannot be decoded piece by piece is refused:
 * the API server's objects end at 1.5 MB of text. */
#define NP_ARENA_MAX (128u << 20)

struct np_arena_mark {
    struct np_chunk *top;
    size_t used;
    size_t bytes;
};

void *np_arena_alloc(struct np_arena *, size_t);
char *np_arena_strdup(struct np_arena *, const char *, size_t len);
struct np_arena_mark np_arena_mark(const struct np_arena *);
/* Frees all that was allocated since the mark was taken. */
void np_arena_release(struct np_arena *, const struct np_arena_mark *);
void np_arena_destroy(struct np_arena *);

/* Which part of an object a node is, to leave out what nobody reads: the
 * managedFields of a live object are larger than all the rest. */
enum tree_part {
    PART_OBJECT,                /* The object itself. */
    PART_ITEMS,                 /* List of objects. */
    PART_META,
    PART_SPEC,
    PART_STATUS,
    PART_KEEP,                  /* All of it is kept. */
    PART_SKIP,                  /* Nothing of it is. */
};
enum tree_part np_tree_part(enum tree_part parent, const char *key);

/* A map or list as it grows. */
struct np_tree_builder {
    struct tree_entry *v;       /* Lists have no keys. */
    size_t n;
    size_t allocated;
    struct shash index;         /* Of the keys, once there are many. */
    unsigned int height;
    uint32_t weight;
};

void np_builder_init(struct np_tree_builder *);
void np_builder_destroy(struct np_tree_builder *);
bool np_builder_has(const struct np_tree_builder *, const char *key);
/* KEY must stay in the arena; NULL for a list. */
void np_builder_add(struct np_tree_builder *, const char *key,
                    const struct tree_node *);
/* Moves the contents to the arena, as a map or list, and frees the builder. */
void np_builder_finish(struct np_tree_builder *, struct np_arena *,
                       enum tree_type, int line, struct tree_node *);

/* A scalar of TYPE, at LINE; the value is for the caller to fill in. */
struct tree_node np_tree_scalar(enum tree_type, int line);
/* A number: TREE_INT if it is one, as it would be after a trip through
 * JSON. */
struct tree_node np_tree_number(double, int line);
/* The value of KEY in MAP; NULL if absent or null, which mean the same in all
 * of the API. */
const struct tree_node *np_tree_get(const struct tree_node *map,
                                    const char *key);
/* "a string", "an object"... */
const char *np_tree_type_name(enum tree_type);

/* Resolves the YAML scalar VALUE (LEN bytes and a null) as kubectl's YAML
 * library does.  TAG is its explicit tag or NULL; PLAIN if it is neither
 * quoted nor a block.  A string is put into ARENA.  Returns NULL, or an error
 * to be freed. */
char *np_scalar_resolve(struct np_arena *, const char *tag, bool plain,
                        const char *value, size_t len,
                        struct tree_node *);
/* Turns a resolved scalar into the key that JSON would have; NULL if it cannot
 * be one. */
const char *np_scalar_key(struct np_arena *, const struct tree_node *);

#endif /* manifest/tree.h */

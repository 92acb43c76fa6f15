/* A longest-prefix-match table.
 *
 * One path-compressed binary tree a family.  A node stands for a prefix and
 * everything below it is inside that prefix; a node exists either because
 * somebody set a value there or because two subtrees part at it, so N values
 * take at most 2N - 1 nodes, and a path is at most 129 nodes long whatever is
 * in the table. */

#include <config.h>
#include "netpol/addr.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

struct node {
    struct node *child[2];      /* By the bit after the prefix. */
    void *value;                /* NULL only at a fork. */
    struct np_prefix prefix;
};

struct np_trie {
    struct node *roots[2];      /* IPv4, IPv6. */
};

static struct node **
root_of(struct np_trie *t, const struct np_prefix *p)
{
    return &t->roots[p->family == 6];
}

/* Bit number I, from the most significant one. */
static unsigned int
get_bit(const struct np_prefix *p, unsigned int i)
{
    return (p->bytes[i / 8] >> (7 - i % 8)) & 1;
}

/* The longest prefix that contains both A and B. */
static struct np_prefix
common_prefix(const struct np_prefix *a, const struct np_prefix *b)
{
    unsigned int max = MIN(a->len, b->len);
    struct np_prefix p = { .family = a->family };
    unsigned int i = 0;

    while (i + 8 <= max && a->bytes[i / 8] == b->bytes[i / 8]) {
        p.bytes[i / 8] = a->bytes[i / 8];
        i += 8;
    }
    for (; i < max && get_bit(a, i) == get_bit(b, i); i++) {
        p.bytes[i / 8] |= get_bit(a, i) << (7 - i % 8);
    }
    p.len = i;
    return p;
}

static struct node *
new_node(const struct np_prefix *p, void *value)
{
    struct node *node = xzalloc(sizeof *node);

    node->prefix = *p;
    node->value = value;
    return node;
}

struct np_trie *
np_trie_create(void)
{
    return xzalloc(sizeof(struct np_trie));
}

/* At most 129 deep. */
static void
destroy_nodes(struct node *node)
{
    if (node) {
        destroy_nodes(node->child[0]);
        destroy_nodes(node->child[1]);
        free(node);
    }
}

void
np_trie_destroy(struct np_trie *t)
{
    if (t) {
        destroy_nodes(t->roots[0]);
        destroy_nodes(t->roots[1]);
        free(t);
    }
}

/* Puts a node for P, which has none yet, where '*at' is: the subtree that is
 * there either goes below P or parts from it at a new fork. */
static void
insert_node(struct node **at, const struct np_prefix *p, void *value)
{
    struct node *node = new_node(p, value);
    struct node *old = *at;

    if (!old) {
        *at = node;
    } else if (np_prefix_contains(p, &old->prefix)) {
        node->child[get_bit(&old->prefix, p->len)] = old;
        *at = node;
    } else {
        struct np_prefix fork = common_prefix(p, &old->prefix);

        *at = new_node(&fork, NULL);
        (*at)->child[get_bit(p, fork.len)] = node;
        (*at)->child[get_bit(&old->prefix, fork.len)] = old;
    }
}

/* Replaces '*at' by its only child, or by nothing, unless it is still needed
 * for its value or as a fork. */
static void
shrink_node(struct node **at)
{
    struct node *node = *at;

    if (!node->value && !(node->child[0] && node->child[1])) {
        *at = node->child[0] ? node->child[0] : node->child[1];
        free(node);
    }
}

void *
np_trie_set(struct np_trie *t, const struct np_prefix *p, void *value)
{
    struct node **at = root_of(t, p);
    struct node **parent = NULL;
    void *old;

    while (*at && (*at)->prefix.len < p->len
           && np_prefix_contains(&(*at)->prefix, p)) {
        parent = at;
        at = &(*at)->child[get_bit(p, (*at)->prefix.len)];
    }
    if (!*at || !np_prefix_equal(&(*at)->prefix, p)) {
        if (value) {
            insert_node(at, p, value);
        }
        return NULL;
    }
    old = (*at)->value;
    (*at)->value = value;
    if (!value) {
        shrink_node(at);
        if (parent) {
            shrink_node(parent);
        }
    }
    return old;
}

/* The longest prefix with a value that contains P and is at most MAX_LEN
 * long. */
static const struct node *
find_longest(const struct np_trie *t, const struct np_prefix *p, int max_len)
{
    const struct node *node = t->roots[p->family == 6];
    const struct node *best = NULL;

    while (node && node->prefix.len <= max_len
           && np_prefix_contains(&node->prefix, p)) {
        if (node->value) {
            best = node;
        }
        if (node->prefix.len == p->len) {
            break;
        }
        node = node->child[get_bit(p, node->prefix.len)];
    }
    return best;
}

void *
np_trie_get(const struct np_trie *t, const struct np_prefix *p)
{
    const struct node *node = find_longest(t, p, p->len);

    return node && node->prefix.len == p->len ? node->value : NULL;
}

void *
np_trie_lookup(const struct np_trie *t, const struct np_prefix *p)
{
    const struct node *node = find_longest(t, p, p->len);

    return node ? node->value : NULL;
}

void *
np_trie_lookup_shorter(const struct np_trie *t, const struct np_prefix *p)
{
    const struct node *node = find_longest(t, p, (int) p->len - 1);

    return node ? node->value : NULL;
}

/* At most 129 deep.  A node before its children and bit 0 before bit 1 is the
 * order of np_prefix_compare(). */
static void
visit_nodes(const struct node *node,
            bool (*cb)(const struct np_prefix *, void *value, void *aux),
            void *aux)
{
    if (node && (!node->value || cb(&node->prefix, node->value, aux))) {
        visit_nodes(node->child[0], cb, aux);
        visit_nodes(node->child[1], cb, aux);
    }
}

void
np_trie_for_each(const struct np_trie *t, const struct np_prefix *within,
                 bool (*cb)(const struct np_prefix *, void *value, void *aux),
                 void *aux)
{
    const struct node *node = t->roots[within->family == 6];

    while (node && node->prefix.len < within->len
           && np_prefix_contains(&node->prefix, within)) {
        node = node->child[get_bit(within, node->prefix.len)];
    }
    if (node && np_prefix_contains(within, &node->prefix)) {
        visit_nodes(node, cb, aux);
    }
}

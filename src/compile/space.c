/* Where the points are.
 *
 * Nearly all of them are whole addresses, of pods, and those come side by
 * side: each 256 neighbours have a shelf, on which the last byte says the
 * place, and a bit whether somebody is there.  So a point costs a pointer, and
 * is found by a look into a tree that is as small as the number of subnets.
 *
 * The tree has shelves and stretches, the prefixes of IP blocks.  Those that
 * are around an address are above it, so what is inside a block is found
 * without a look at anything else. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

enum { SHELF_BITS = 8, SHELF_SIZE = 1 << SHELF_BITS };

/* A node of the tree: a stretch, a shelf, or both. */
struct region {
    struct np_prefix prefix;
    struct np_point *point;     /* The stretch, or NULL. */
    unsigned int n;             /* On the shelf: */
    struct np_point **shelf;    /* sorted, without gaps, */
    uint64_t present[SHELF_SIZE / 64];  /* for each that is set here. */
};

struct np_space {
    struct np_trie *regions;
    size_t n;
};

struct np_space *
np_space_create(void)
{
    struct np_space *space = xzalloc(sizeof *space);

    space->regions = np_trie_create();
    return space;
}

size_t
np_space_count(const struct np_space *space)
{
    return space->n;
}

static bool
is_whole(const struct np_prefix *p)
{
    return p->len == np_prefix_max_len(p);
}

/* The prefix of the shelf that P, which is as long or longer, is on. */
static struct np_prefix
shelf_of(const struct np_prefix *p)
{
    struct np_prefix shelf = *p;

    shelf.len = np_prefix_max_len(p) - SHELF_BITS;
    shelf.bytes[shelf.len / 8] = 0;
    return shelf;
}

/* The first place on its shelf that P covers. */
static unsigned int
place_of(const struct np_prefix *p)
{
    return p->bytes[np_prefix_max_len(p) / 8 - 1];
}

static bool
is_present(const struct region *r, unsigned int place)
{
    return r->present[place / 64] >> place % 64 & 1;
}

/* How many there are before PLACE. */
static unsigned int
rank(const struct region *r, unsigned int place)
{
    uint64_t before = r->present[place / 64] & ((UINT64_C(1) << place % 64) - 1);
    unsigned int n = count_1bits(before);

    for (unsigned int i = 0; i < place / 64; i++) {
        n += count_1bits(r->present[i]);
    }
    return n;
}

static struct region *
region_at(struct np_space *space, const struct np_prefix *p)
{
    struct region *r = np_trie_get(space->regions, p);

    if (!r) {
        r = xzalloc(sizeof *r);
        r->prefix = *p;
        np_trie_set(space->regions, p, r);
    }
    return r;
}

static void
drop_if_empty(struct np_space *space, struct region *r)
{
    if (!r->point && !r->n) {
        np_trie_set(space->regions, &r->prefix, NULL);
        free(r);
    }
}

static void
shelve(struct region *r, unsigned int place, struct np_point *point)
{
    unsigned int i = rank(r, place);

    if (!(r->n % 8)) {
        r->shelf = xrealloc(r->shelf, (r->n + 8) * sizeof *r->shelf);
    }
    memmove(&r->shelf[i + 1], &r->shelf[i], (r->n - i) * sizeof *r->shelf);
    r->shelf[i] = point;
    r->n++;
    r->present[place / 64] |= UINT64_C(1) << place % 64;
}

static void
unshelve(struct region *r, unsigned int place)
{
    unsigned int i = rank(r, place);

    r->n--;
    r->present[place / 64] &= ~(UINT64_C(1) << place % 64);
    memmove(&r->shelf[i], &r->shelf[i + 1], (r->n - i) * sizeof *r->shelf);
    if (!r->n) {
        free(r->shelf);
        r->shelf = NULL;
    }
}

struct np_point *
np_space_get(const struct np_space *space, const struct np_prefix *p)
{
    struct np_prefix shelf = *p;
    struct region *r;

    if (!is_whole(p)) {
        r = np_trie_get(space->regions, p);
        return r ? r->point : NULL;
    }
    shelf = shelf_of(p);
    r = np_trie_get(space->regions, &shelf);
    return (r && is_present(r, place_of(p)) ? r->shelf[rank(r, place_of(p))]
            : NULL);
}

void
np_space_add(struct np_space *space, struct np_point *point)
{
    const struct np_prefix *p = &point->prefix;

    if (is_whole(p)) {
        struct np_prefix shelf = shelf_of(p);

        shelve(region_at(space, &shelf), place_of(p), point);
    } else {
        region_at(space, p)->point = point;
    }
    space->n++;
}

void
np_space_remove(struct np_space *space, struct np_point *point)
{
    const struct np_prefix *p = &point->prefix;
    struct np_prefix at = is_whole(p) ? shelf_of(p) : *p;
    struct region *r = np_trie_get(space->regions, &at);

    if (is_whole(p)) {
        unshelve(r, place_of(p));
    } else {
        r->point = NULL;
    }
    drop_if_empty(space, r);
    space->n--;
}

struct np_point *
np_space_around(const struct np_space *space, const struct np_prefix *p)
{
    const struct region *r = np_trie_lookup_shorter(space->regions, p);

    /* No shelf is inside another. */
    if (r && !r->point) {
        r = np_trie_lookup_shorter(space->regions, &r->prefix);
    }
    return r ? r->point : NULL;
}

struct visit {
    np_space_cb *cb;
    void *aux;
};

static void
visit_shelf(const struct region *r, unsigned int from, unsigned int to,
            const struct visit *v)
{
    unsigned int first = rank(r, from);

    for (unsigned int place = from, i = first; place < to; place++) {
        if (is_present(r, place)) {
            v->cb(r->shelf[i++], v->aux);
        }
    }
}

static bool
visit_region(const struct np_prefix *p OVS_UNUSED, void *region, void *visit)
{
    const struct region *r = region;
    const struct visit *v = visit;

    if (r->point && !v->cb(r->point, v->aux)) {
        return false;
    }
    visit_shelf(r, 0, SHELF_SIZE, v);
    return true;
}

void
np_space_for_each(const struct np_space *space, const struct np_prefix *within,
                  np_space_cb *cb, void *aux)
{
    unsigned int host_bits = np_prefix_max_len(within) - within->len;
    struct visit v = { cb, aux };

    np_trie_for_each(space->regions, within, visit_region, &v);
    if (host_bits < SHELF_BITS) {
        struct np_prefix shelf = shelf_of(within);
        const struct region *r = np_trie_get(space->regions, &shelf);
        unsigned int from = place_of(within);

        if (r) {
            visit_shelf(r, from, from + (1u << host_bits), &v);
        }
    }
}

static bool
destroy_region(const struct np_prefix *p OVS_UNUSED, void *region_,
               void *aux OVS_UNUSED)
{
    struct region *r = region_;

    free(r->shelf);
    free(r);
    return true;
}

void
np_space_destroy(struct np_space *space)
{
    static const struct np_prefix any[] = { { .family = 4 }, { .family = 6 } };

    for (int i = 0; i < 2; i++) {
        np_trie_for_each(space->regions, &any[i], destroy_region, NULL);
    }
    np_trie_destroy(space->regions);
    free(space);
}

/* Which of the objects in all files are in force.
 *
 * Several files may define one object; the first by path holds.  So each key
 * has a ring of candidates, one a file, sorted by path, and the index finds
 * the one that holds its key.  When that one goes, the next takes its place.
 * What comes after the first in one file can never hold anything: it is kept
 * only to be complained about.
 *
 * When a file was read again, only what it says now and what it said before is
 * looked at.  An object that says the same as before stays the same object,
 * also when it is found in another file.  For the latter's sake, what a file
 * does not say any more goes only when all files were read. */

#include <config.h>
#include "dir.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* What a file said before. */
struct dir_leftover {
    struct dir_candidate *v;    /* Those with an object count. */
    size_t n;
    struct dir_file *gone;      /* To be destroyed, or NULL. */
};

void
np_dir_index_init(struct dir_index *idx, struct np_changes *changes,
                  struct np_changes *moves)
{
    memset(idx, 0, sizeof *idx);
    hmap_init(&idx->holders);
    hmapx_init(&idx->losers);
    idx->changes = changes;
    idx->moves = moves;
    idx->pool = np_pool_create();
}

void
np_dir_index_destroy(struct dir_index *idx)
{
    np_dir_index_settle(idx);
    np_dir_index_taken(idx);
    ovs_assert(hmap_is_empty(&idx->holders));
    hmap_destroy(&idx->holders);
    hmapx_destroy(&idx->losers);
    free(idx->leftovers);
    np_pool_destroy(idx->pool);
}

void
np_dir_index_taken(struct dir_index *idx)
{
    np_changes_clear(idx->changes);
    np_changes_clear(idx->moves);
    for (size_t i = 0; i < idx->n_grave; i++) {
        np_object_destroy(idx->grave[i]);
    }
    free(idx->grave);
    idx->grave = NULL;
    idx->n_grave = idx->allocated_grave = 0;
}

/* OBJECT left, but a change may point to it. */
static void
bury(struct dir_index *idx, struct np_meta *object)
{
    if (idx->n_grave >= idx->allocated_grave) {
        idx->grave = x2nrealloc(idx->grave, &idx->allocated_grave,
                                sizeof *idx->grave);
    }
    idx->grave[idx->n_grave++] = object;
}

static uint32_t
hash_key(const struct np_meta *object)
{
    return hash_string(object->name,
                       hash_string(object->namespace ? object->namespace : "",
                                   object->kind));
}

static struct dir_candidate *
find_holder(const struct dir_index *idx, const struct np_meta *object)
{
    struct dir_candidate *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, hash_key(object), &idx->holders) {
        if (!np_object_compare_keys(c->object, object)) {
            return c;
        }
    }
    return NULL;
}

static void
lose(struct dir_index *idx, struct dir_candidate *c)
{
    hmapx_add(&idx->losers, c);
    idx->stale = true;
}

static void
unlose(struct dir_index *idx, struct dir_candidate *c)
{
    hmapx_find_and_delete_assert(&idx->losers, c);
    idx->stale = true;
}

/* Rings. */

static void
link_before(struct dir_candidate *c, struct dir_candidate *next)
{
    c->next = next;
    c->prev = next->prev;
    c->prev->next = c;
    next->prev = c;
}

static void
unlink(struct dir_candidate *c)
{
    c->prev->next = c->next;
    c->next->prev = c->prev;
}

/* Puts C where OLD is. */
static void
relink(struct dir_candidate *c, struct dir_candidate *old)
{
    if (old->next == old) {
        c->prev = c->next = c;
    } else {
        link_before(c, old);
        unlink(old);
    }
}

/* The last in HOLDER's ring whose path is not after F's; NULL if all are. */
static struct dir_candidate *
find_place(struct dir_candidate *holder, const struct dir_file *f)
{
    struct dir_candidate *c = holder->prev;

    for (;;) {
        if (c->file == f || strcmp(c->file->path, f->path) < 0) {
            return c;
        } else if (c == holder) {
            return NULL;
        }
        c = c->prev;
    }
}

/* Changes. */

/* FROM held its key, TO does now. */
static void
hand_over(struct dir_index *idx, struct dir_candidate *from,
          struct dir_candidate *to)
{
    hmap_replace(&idx->holders, &from->node, &to->node);
    if (np_object_equal(from->object, to->object)) {
        struct np_meta *object = from->object;

        np_object_swap_places(from->object, to->object);
        from->object = to->object;
        to->object = object;
        np_changes_add(idx->moves, object, object);
    } else {
        np_changes_add(idx->changes, from->object, to->object);
    }
}

/* C, of the same key and file as OLD, takes its place. */
static void
replace(struct dir_index *idx, struct dir_candidate *old,
        struct dir_candidate *c, bool holds)
{
    struct np_meta *object = old->object;

    if (c->object->line != object->line && !hmapx_is_empty(&idx->losers)) {
        idx->stale = true;      /* It may be named as the first. */
    }
    if (c->object != object && np_object_equal(c->object, object)) {
        np_object_swap_places(object, c->object);
        np_object_destroy(c->object);
        c->object = object;
    }
    if (holds) {
        hmap_replace(&idx->holders, &old->node, &c->node);
    } else {
        unlose(idx, old);
        lose(idx, c);
    }
    relink(c, old);
    if (c->object != object) {
        if (holds) {
            np_changes_add(idx->changes, object, c->object);
        }
        bury(idx, object);
    }
    old->object = NULL;
}

/* Adds C, of a file that before had the N at OLD. */
static void
add(struct dir_index *idx, struct dir_candidate *c,
    const struct dir_candidate *old, size_t n)
{
    struct dir_candidate *holder = find_holder(idx, c->object);
    struct dir_candidate *place;

    if (!holder) {
        hmap_insert(&idx->holders, &c->node, hash_key(c->object));
        c->prev = c->next = c;
        np_changes_add(idx->changes, NULL, c->object);
        return;
    }
    place = find_place(holder, c->file);
    if (!place) {
        link_before(c, holder);
        hand_over(idx, holder, c);
        lose(idx, holder);
    } else if (place->file != c->file) {
        link_before(c, place->next);
        lose(idx, c);
    } else if (n && place >= old && place < old + n) {
        replace(idx, place, c, place == holder);
    } else {
        lose(idx, c);           /* Again in the same file: in no ring. */
    }
}

/* Takes away C, which its file does not say any more. */
static void
drop(struct dir_index *idx, struct dir_candidate *c)
{
    struct dir_candidate *holder;

    if (!c->next) {
        unlose(idx, c);
    } else if (c->next == c) {
        hmap_remove(&idx->holders, &c->node);
        np_changes_add(idx->changes, c->object, NULL);
    } else {
        holder = find_holder(idx, c->object);
        unlink(c);
        unlose(idx, holder == c ? c->next : c);
        if (holder == c) {
            hand_over(idx, c, c->next);
        }
    }
    if (c->object) {
        bury(idx, c->object);
    }
}

static void
leave_over(struct dir_index *idx, struct dir_file *f, bool gone)
{
    if (idx->n_leftovers >= idx->allocated_leftovers) {
        idx->leftovers = x2nrealloc(idx->leftovers, &idx->allocated_leftovers,
                                    sizeof *idx->leftovers);
    }
    idx->leftovers[idx->n_leftovers++] = (struct dir_leftover) {
        f->v, f->n, gone ? f : NULL
    };
    f->v = NULL;
    f->n = 0;
}

void
np_dir_index_update(struct dir_index *idx, struct dir_file *f,
                    struct np_meta **objects, size_t n)
{
    struct dir_candidate *old = f->v;
    size_t n_old = f->n;

    leave_over(idx, f, false);
    f->v = n ? xcalloc(n, sizeof *f->v) : NULL;
    f->n = n;
    hmap_reserve(&idx->holders, hmap_count(&idx->holders) + n);
    for (size_t i = 0; i < n; i++) {
        f->v[i].file = f;
        f->v[i].object = objects[i];
        add(idx, &f->v[i], old, n_old);
    }
}

void
np_dir_index_forget(struct dir_index *idx, struct dir_file *f)
{
    leave_over(idx, f, true);
}

void
np_dir_index_settle(struct dir_index *idx)
{
    for (size_t i = 0; i < idx->n_leftovers; i++) {
        struct dir_leftover *left = &idx->leftovers[i];

        for (size_t j = 0; j < left->n; j++) {
            /* In a ring, those that were replaced have no object. */
            if (left->v[j].object || !left->v[j].next) {
                drop(idx, &left->v[j]);
            }
        }
        free(left->v);
        if (left->gone) {
            np_dir_file_destroy(left->gone);
        }
    }
    idx->n_leftovers = 0;
}

/* Complaints. */

static int
compare_losers(const void *a_, const void *b_)
{
    const struct dir_candidate *a = *(const struct dir_candidate *const *) a_;
    const struct dir_candidate *b = *(const struct dir_candidate *const *) b_;
    int cmp = np_object_compare_keys(a->object, b->object);

    if (!cmp && a->file != b->file) {
        cmp = strcmp(a->file->path, b->file->path);
    }
    /* In a file, in the order of its text, which is that of its array. */
    return cmp ? cmp : a < b ? -1 : a > b;
}

static void
say_duplicate(struct np_errors *errors, const struct np_meta *object,
              const struct np_meta *first)
{
    struct ds key = DS_EMPTY_INITIALIZER;
    char *name;

    np_object_format_key(object, &key);
    name = xasprintf("%s %s", np_kind_name(object->kind), ds_cstr(&key));
    np_errors_add(errors, object->file, object->line, "metadata.name",
                  "Duplicate value: \"%s\": %s is already defined at %s:%d, "
                  "which holds", object->name, name, first->file,
                  first->line);
    np_errors_set_object(errors, errors->n - 1, name);
    free(name);
    ds_destroy(&key);
}

void
np_dir_index_complain(const struct dir_index *idx, struct np_errors *errors)
{
    const struct dir_candidate **v;
    struct hmapx_node *node;
    size_t n = 0;

    v = xmalloc((hmapx_count(&idx->losers) + 1) * sizeof *v);
    HMAPX_FOR_EACH (node, &idx->losers) {
        v[n++] = node->data;
    }
    qsort(v, n, sizeof *v, compare_losers);
    for (size_t i = 0; i < n; i++) {
        say_duplicate(errors, v[i]->object,
                      find_holder(idx, v[i]->object)->object);
    }
    free(v);
}

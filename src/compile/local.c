/* Whose addresses are whose.
 *
 * A pod claims its addresses: the port row's if it is one of this node's, else
 * those of its status.  What a change does here is to move claims from the
 * old binding and the old object to the new ones. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_pod);

struct addrs {
    const struct np_prefix *v;
    size_t n;
};

/* LOCAL may be NULL, and so may OBJECT. */
static struct addrs
addrs_of(const struct np_local *local, const struct np_meta *object)
{
    const struct np_pod *pod = (const struct np_pod *) object;

    if (local) {
        return (struct addrs) { local->addrs, local->n_addrs };
    } else if (pod && np_pod_counts(pod)) {
        return (struct addrs) { pod->addrs, pod->n_addrs };
    }
    return (struct addrs) { NULL, 0 };
}

static bool
contains(struct addrs addrs, const struct np_prefix *p)
{
    return np_addrs_contain(addrs.v, addrs.n, p);
}

/* ENTRY, which stood for BEFORE, had OLD and has NEW. */
static void
move_claims(struct np_compiler *c, struct np_entry *entry,
            const struct np_meta *before, struct addrs old, struct addrs new)
{
    COVERAGE_INC(np_compile_pod);
    for (size_t i = 0; i < old.n; i++) {
        if (!contains(new, &old.v[i])) {
            np_point_unclaim(c, &old.v[i], entry);
            np_ghost_left(c, &old.v[i], before);
        }
    }
    for (size_t i = 0; i < new.n; i++) {
        bool had = contains(old, &new.v[i]);

        if (had) {
            np_point_mark(c, np_point_find(c, &new.v[i]));
        }
        np_point_claim(c, &new.v[i], entry);
        np_ghost_came(c, &new.v[i], entry->object, had ? before : NULL);
    }
}

struct np_clocal *
np_clocal_find(const struct np_compiler *c, const struct np_entry *entry)
{
    struct np_clocal *l;

    HMAP_FOR_EACH_WITH_HASH (l, node, hash_pointer(entry, 0), &c->locals) {
        if (l->entry == entry) {
            return l;
        }
    }
    return NULL;
}

static void
clocal_destroy(struct np_clocal *l)
{
    np_idset_clear(&l->applied);
    free(l);
}

void
np_clocal_destroy_all(struct np_compiler *c)
{
    struct np_clocal *l;

    HMAP_FOR_EACH_POP (l, node, &c->locals) {
        clocal_destroy(l);
    }
    hmap_destroy(&c->locals);
}

/* L, which may be NULL, is of ENTRY's pod, which is at LOCAL now or at no port
 * here.  Then it leaves the sets that policies applied to it by. */
static void
sync_clocal(struct np_compiler *c, struct np_clocal *l, struct np_entry *entry,
            struct np_local *local)
{
    if (!l && !local) {
        return;
    } else if (!local) {
        np_clocal_leave(c, l);
        hmap_remove(&c->locals, &l->node);
        clocal_destroy(l);
        c->stale_lists = true;
        return;
    } else if (!l) {
        l = xzalloc(sizeof *l);
        l->entry = entry;
        local->open = true;
        hmap_insert(&c->locals, &l->node, hash_pointer(entry, 0));
        c->stale_lists = true;
    } else {
        c->stale_lists |= l->local->port->ofport != local->port->ofport;
        local->open = l->local->open;
    }
    l->local = local;
}

/* ENTRY stood for OLD. */
static void
move_pod(struct np_compiler *c, struct np_entry *entry,
         const struct np_meta *old)
{
    struct np_local *local = np_binding_find(c->binding, entry);
    struct np_clocal *l = np_clocal_find(c, entry);

    move_claims(c, entry, old, addrs_of(l ? l->local : NULL, old),
                addrs_of(local, entry->object));
    sync_clocal(c, l, entry, local);
}

/* Those in the objects' delta are moved by that. */
static void
move_local(struct np_compiler *c, const struct np_local *local)
{
    if (local && !local->entry->in_delta) {
        move_pod(c, local->entry, local->entry->object);
    }
}

static void
sync_node_addrs(struct np_compiler *c)
{
    const struct np_binding_delta *places = c->in->places;
    const struct addrs before = { places->old_node_addrs,
                                  places->n_old_node_addrs };
    const struct addrs now = { c->binding->node_addrs,
                               c->binding->n_node_addrs };

    for (size_t i = 0; i < before.n; i++) {
        if (!contains(now, &before.v[i])) {
            np_point_set_node(c, &before.v[i], false);
        }
    }
    for (size_t i = 0; i < now.n; i++) {
        if (!contains(before, &now.v[i])) {
            np_point_set_node(c, &now.v[i], true);
        }
    }
}

void
np_locals_apply(struct np_compiler *c)
{
    const struct np_cache_delta *objects = c->in->objects;
    const struct np_binding_delta *places = c->in->places;

    if (places->other_node_addrs) {
        sync_node_addrs(c);
    }
    for (size_t i = 0; i < objects->n; i++) {
        if (objects->v[i].entry->key->kind == NP_POD) {
            move_pod(c, objects->v[i].entry, objects->v[i].old);
        }
    }
    for (size_t i = 0; i < places->n; i++) {
        move_local(c, places->v[i].old_local);
        move_local(c, places->v[i].place->local);
    }
}

void
np_mark_pod(struct np_compiler *c, const struct np_entry *pod)
{
    struct addrs a;

    /* There may be many to be marked, and each step to its point is another
     * place in memory. */
    if (pod->point) {
        np_point_mark(c, pod->point);
        return;
    }
    a = addrs_of(np_binding_find(c->binding, pod), pod->object);
    for (size_t i = 0; i < a.n; i++) {
        np_point_mark(c, np_point_find(c, &a.v[i]));
    }
}

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

static struct addrs
addrs_of(const struct np_binding *binding, const struct np_entry *entry,
         const struct np_meta *object)
{
    const struct np_local *local = np_binding_find(binding, entry);
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
    for (size_t i = 0; i < addrs.n; i++) {
        if (np_prefix_equal(&addrs.v[i], p)) {
            return true;
        }
    }
    return false;
}

/* ENTRY had OLD and has NEW. */
static void
move_claims(struct np_compiler *c, struct np_entry *entry, struct addrs old,
            struct addrs new)
{
    COVERAGE_INC(np_compile_pod);
    for (size_t i = 0; i < old.n; i++) {
        if (!contains(new, &old.v[i])) {
            np_point_unclaim(c, &old.v[i], entry);
        }
    }
    for (size_t i = 0; i < new.n; i++) {
        if (contains(old, &new.v[i])) {
            np_point_mark(c, np_point_find(c, &new.v[i]));
        }
        np_point_claim(c, &new.v[i], entry);
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

/* Makes 'locals' those of the new binding.  Who is not there any more leaves
 * the sets that policies applied to it by. */
static void
sync_locals(struct np_compiler *c)
{
    const struct np_binding *b = c->binding;
    struct np_clocal *l;

    for (size_t i = 0; i < b->n_locals; i++) {
        const struct np_local *local = &b->locals[i];

        l = np_clocal_find(c, local->entry);
        if (!l) {
            l = xzalloc(sizeof *l);
            l->entry = local->entry;
            l->open = true;
            hmap_insert(&c->locals, &l->node, hash_pointer(l->entry, 0));
            c->stale_lists = true;
        } else if (l->local->port->ofport != local->port->ofport) {
            c->stale_lists = true;
        }
        l->local = local;
    }
    HMAP_FOR_EACH_SAFE (l, node, &c->locals) {
        if (!np_binding_find(b, l->entry)) {
            np_clocal_leave(c, l);
            hmap_remove(&c->locals, &l->node);
            clocal_destroy(l);
            c->stale_lists = true;
        }
    }
}

static bool
same_local(const struct np_local *a, const struct np_local *b)
{
    return (b && a->n_addrs == b->n_addrs
            && !memcmp(a->addrs, b->addrs, a->n_addrs * sizeof *a->addrs));
}

static void
move_pod(struct np_compiler *c, struct np_entry *entry,
         const struct np_meta *old)
{
    move_claims(c, entry, addrs_of(c->in->old_binding, entry, old),
                addrs_of(c->binding, entry, entry->object));
}

static void
sync_node_addrs(struct np_compiler *c)
{
    const struct np_binding *old = c->in->old_binding;
    const struct addrs before = { old->node_addrs, old->n_node_addrs };
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
    const struct np_binding *old = c->in->old_binding;

    if (old != c->binding) {
        sync_locals(c);
        sync_node_addrs(c);
    }
    for (size_t i = 0; i < objects->n; i++) {
        if (objects->v[i].entry->key->kind == NP_POD) {
            move_pod(c, objects->v[i].entry, objects->v[i].old);
        }
    }
    if (old == c->binding) {
        return;
    }
    for (size_t i = 0; i < old->n_locals; i++) {
        struct np_entry *entry = old->locals[i].entry;

        if (!entry->in_delta
            && !same_local(&old->locals[i],
                           np_binding_find(c->binding, entry))) {
            move_pod(c, entry, entry->object);
        }
    }
    for (size_t i = 0; i < c->binding->n_locals; i++) {
        struct np_entry *entry = c->binding->locals[i].entry;

        if (!entry->in_delta && !np_binding_find(old, entry)) {
            move_pod(c, entry, entry->object);
        }
    }
}

void
np_mark_pod(struct np_compiler *c, const struct np_entry *pod)
{
    struct addrs a = addrs_of(c->binding, pod, pod->object);

    for (size_t i = 0; i < a.n; i++) {
        np_point_mark(c, np_point_find(c, &a.v[i]));
    }
}

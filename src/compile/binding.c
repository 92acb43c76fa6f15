/* Which port is which pod's: the stage.
 *
 * The database has claims: this row says that it is pod x's.  Here they meet
 * the pods themselves and each port ends up as one pod's, or as one that
 * carries nothing, with the reason.
 *
 * What becomes of a port depends on those that want the same as it does, and
 * on those that these depend on.  So a change spreads to all of them, which
 * are hardly ever more than the one port; they let go of what they have, and
 * are judged again by name.  From nothing, with all ports as a change, this is
 * the rebuild. */

#include <config.h>
#include "netpol/binding.h"

#include <stdlib.h>
#include <string.h>

#include "compile/claim.h"
#include "coverage.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

COVERAGE_DEFINE(np_binding_place);

/* One change under way. */
struct turn {
    struct np_binding *b;
    struct np_binding_delta *delta;
};

void
np_binding_init(struct np_binding *b)
{
    memset(b, 0, sizeof *b);
    hmap_init(&b->by_entry);
    hmap_init(&b->by_claim);
    hmap_init(&b->wanted);
}

static void
local_destroy(struct np_local *local)
{
    if (local) {
        free(local->addrs);
        free(local->note);
        free(local);
    }
}

static void
row_destroy(const struct np_bridge_port *row)
{
    free(CONST_CAST(struct np_bridge_port *, row));
}

static void
place_destroy(struct np_place *place)
{
    local_destroy(place->local);
    row_destroy(place->row);
    free(place->problem);
    free(place->wants);
    free(place);
}

void
np_binding_destroy(struct np_binding *b)
{
    for (size_t i = 0; i < b->n_places; i++) {
        place_destroy(b->places[i]);
    }
    free(b->places);
    free(b->locals);
    free(b->node_addrs);
    hmap_destroy(&b->by_entry);
    hmap_destroy(&b->by_claim);
    hmap_destroy(&b->wanted);
}

/* The pods of this node, in order. */

static int
compare_locals(const struct np_local *a, const struct np_local *b)
{
    const struct np_meta *x = a->entry->key, *y = b->entry->key;
    int cmp = strcmp(x->namespace, y->namespace);

    return cmp ? cmp : strcmp(x->name, y->name);
}

/* Where LOCAL is, or belongs. */
static size_t
find_local(const struct np_binding *b, const struct np_local *local)
{
    size_t low = 0, high = b->n_locals;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare_locals(b->locals[middle], local) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void
add_local(struct np_binding *b, struct np_local *local)
{
    size_t i = find_local(b, local);

    if (b->n_locals >= b->allocated_locals) {
        b->locals = x2nrealloc(b->locals, &b->allocated_locals,
                               sizeof *b->locals);
    }
    memmove(&b->locals[i + 1], &b->locals[i],
            (b->n_locals++ - i) * sizeof *b->locals);
    b->locals[i] = local;
    hmap_insert(&b->by_entry, &local->node, hash_pointer(local->entry, 0));
}

static void
remove_local(struct np_binding *b, struct np_local *local)
{
    size_t i = find_local(b, local);

    memmove(&b->locals[i], &b->locals[i + 1],
            (--b->n_locals - i) * sizeof *b->locals);
    hmap_remove(&b->by_entry, &local->node);
}

/* What is looked at again. */

static void
note(struct np_binding_delta *delta, struct np_place *place,
     const struct np_bridge_port *old_row)
{
    if (delta->n >= delta->allocated) {
        delta->v = x2nrealloc(delta->v, &delta->allocated, sizeof *delta->v);
    }
    delta->v[delta->n++] = (struct np_place_change) {
        place, old_row, place->local };
    place->in_delta = true;
}

/* PLACE, unless it is in the delta already, loses its pod. */
static void
reopen(struct np_place *place, void *turn_)
{
    struct turn *turn = turn_;

    if (place->in_delta) {
        return;
    }
    note(turn->delta, place, place->row);
    if (place->local) {
        remove_local(turn->b, place->local);
        place->local = NULL;
    }
    free(place->problem);
    place->problem = NULL;
}

static struct np_place *
new_place(struct turn *turn)
{
    struct np_place *place = xzalloc(sizeof *place);

    note(turn->delta, place, NULL);
    return place;
}

/* The places of PORTS instead of those that there are. */
static void
change_ports(struct turn *turn, const struct np_portmap *ports)
{
    struct np_binding *b = turn->b;
    struct np_place **v = xmalloc((ports->n + 1) * sizeof *v);
    size_t i = 0, j = 0;

    while (i < b->n_places || j < ports->n) {
        int cmp = (i >= b->n_places ? 1 : j >= ports->n ? -1
                   : strcmp(b->places[i]->row->name, ports->v[j].name));
        struct np_place *place = cmp > 0 ? new_place(turn) : b->places[i];

        if (cmp || !np_bridge_port_equal(place->row, &ports->v[j])) {
            reopen(place, turn);
            np_claim_for_each_rival(b, place, reopen, turn);
            np_claim_leave(b, place);
            place->row = cmp < 0 ? NULL : np_bridge_port_clone(&ports->v[j]);
        }
        if (cmp >= 0) {
            v[j++] = place;
        }
        i += cmp <= 0;
    }
    free(b->places);
    b->places = v;
    b->n_places = ports->n;
}

/* Are the two pods, of one key, the same to whoever claims them? */
static bool
same_to_ports(const struct np_meta *old, const struct np_meta *new)
{
    const struct np_pod *a = (const struct np_pod *) old;
    const struct np_pod *b = (const struct np_pod *) new;

    return (a && b && nullable_string_is_equal(old->uid, new->uid)
            && np_pod_counts(a) == np_pod_counts(b)
            && a->host_network == b->host_network
            && a->n_addrs == b->n_addrs
            && (!a->n_addrs || !memcmp(a->addrs, b->addrs,
                                       a->n_addrs * sizeof *a->addrs)));
}

static void
change_pods(struct turn *turn, const struct np_cache_delta *objects)
{
    for (size_t i = 0; i < objects->n; i++) {
        const struct np_entry_change *change = &objects->v[i];

        if (change->entry->key->kind == NP_POD
            && !same_to_ports(change->old, change->entry->object)) {
            np_claim_for_each(turn->b, change->old, reopen, turn);
            np_claim_for_each(turn->b, change->entry->object, reopen, turn);
        }
    }
}

/* The node's own addresses. */

static int
compare_prefixes(const void *a, const void *b)
{
    return np_prefix_compare(a, b);
}

static void
add_addrs(struct np_addr_list *list, const struct np_prefix *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!np_addrs_contain(list->v, list->n, &addrs[i])) {
            np_addr_list_add(list, &addrs[i]);
        }
    }
}

static void
reopen_wanting(struct turn *turn, const struct np_prefix *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        np_claim_for_each_wanting(turn->b, &addrs[i], reopen, turn);
    }
}

/* Those of the object NODE, and of the node's ports. */
static void
change_node(struct turn *turn, const struct np_cache *cache, const char *node)
{
    const struct np_entry *entry = np_cache_find(cache, NP_NODE, NULL, node);
    struct np_binding *b = turn->b;
    struct np_addr_list list = { .n = 0 };

    if (entry) {
        const struct np_node *self = (const struct np_node *) entry->object;

        add_addrs(&list, self->addrs, self->n_addrs);
    }
    for (size_t i = 0; i < b->n_places; i++) {
        const struct np_bridge_port *row = b->places[i]->row;

        if (row->role == NP_PORT_NODE) {
            add_addrs(&list, row->addrs, row->n_addrs);
        }
    }
    if (list.n > 1) {
        qsort(list.v, list.n, sizeof *list.v, compare_prefixes);
    }
    if (list.n == b->n_node_addrs
        && (!list.n || !memcmp(list.v, b->node_addrs,
                               list.n * sizeof *list.v))) {
        np_addr_list_clear(&list);
        return;
    }
    turn->delta->other_node_addrs = true;
    turn->delta->old_node_addrs = b->node_addrs;
    turn->delta->n_old_node_addrs = b->n_node_addrs;
    b->node_addrs = list.v;
    b->n_node_addrs = list.n;
    reopen_wanting(turn, b->node_addrs, b->n_node_addrs);
    reopen_wanting(turn, turn->delta->old_node_addrs,
                   turn->delta->n_old_node_addrs);
}

static bool
concerns_node(const struct np_binding_delta *delta,
              const struct np_cache_delta *objects, const char *node)
{
    for (size_t i = 0; i < delta->n; i++) {
        const struct np_place_change *change = &delta->v[i];

        if ((change->old_row && change->old_row->role == NP_PORT_NODE)
            || (change->place->row
                && change->place->row->role == NP_PORT_NODE)) {
            return true;
        }
    }
    for (size_t i = 0; i < objects->n; i++) {
        const struct np_meta *key = objects->v[i].entry->key;

        if (key->kind == NP_NODE && !strcmp(key->name, node)) {
            return true;
        }
    }
    return false;
}

static int
compare_changes(const void *a_, const void *b_)
{
    const struct np_place_change *a = a_, *b = b_;

    return strcmp((a->place->row ? a->place->row : a->old_row)->name,
                  (b->place->row ? b->place->row : b->old_row)->name);
}

/* Whoever is looked at again takes along its rivals, as they were and as they
 * are. */
static void
spread(struct turn *turn, const struct np_cache *cache)
{
    for (size_t i = 0; i < turn->delta->n; i++) {
        struct np_place *place = turn->delta->v[i].place;

        if (place->row) {
            np_claim_for_each_rival(turn->b, place, reopen, turn);
            np_claim_leave(turn->b, place);
            np_claim_enter(turn->b, place, cache);
            np_claim_for_each_rival(turn->b, place, reopen, turn);
        }
    }
}

void
np_binding_apply(struct np_binding *b, const struct np_portmap *ports,
                 const struct np_cache *cache,
                 const struct np_cache_delta *objects, const char *node,
                 struct np_binding_delta *delta)
{
    struct turn turn = { b, delta };

    if (ports) {
        change_ports(&turn, ports);
    }
    change_pods(&turn, objects);
    if (concerns_node(delta, objects, node)) {
        change_node(&turn, cache, node);
    }
    spread(&turn, cache);
    if (delta->n > 1) {
        qsort(delta->v, delta->n, sizeof *delta->v, compare_changes);
    }
    for (size_t i = 0; i < delta->n; i++) {
        struct np_place *place = delta->v[i].place;

        COVERAGE_INC(np_binding_place);
        if (place->row) {
            np_claim_judge(b, place);
        }
        if (place->local) {
            add_local(b, place->local);
        }
    }
}

void
np_binding_everything(struct np_binding *b, struct np_binding_delta *delta)
{
    for (size_t i = 0; i < b->n_places; i++) {
        note(delta, b->places[i], NULL);
        delta->v[i].old_local = NULL;
    }
    delta->other_node_addrs = true;
}

bool
np_binding_delta_is_empty(const struct np_binding_delta *delta)
{
    return !delta->n && !delta->other_node_addrs;
}

void
np_binding_settle(struct np_binding *b OVS_UNUSED,
                  struct np_binding_delta *delta)
{
    for (size_t i = 0; i < delta->n; i++) {
        struct np_place_change *change = &delta->v[i];
        struct np_place *place = change->place;

        place->in_delta = false;
        if (change->old_local != place->local) {
            local_destroy(change->old_local);
        }
        if (change->old_row != place->row) {
            row_destroy(change->old_row);
        }
        if (!place->row) {
            place_destroy(place);
        }
    }
    free(delta->old_node_addrs);
    free(delta->v);
    memset(delta, 0, sizeof *delta);
}

void
np_binding_dump(const struct np_binding *b, struct ds *s)
{
    for (size_t i = 0; i < b->n_node_addrs; i++) {
        ds_put_cstr(s, "node ");
        np_prefix_format(&b->node_addrs[i], s);
        ds_put_char(s, '\n');
    }
    for (size_t i = 0; i < b->n_locals; i++) {
        const struct np_local *local = b->locals[i];

        ds_put_format(s, "local %s/%s at %s:", local->entry->object->namespace,
                      local->entry->object->name, local->port->name);
        for (size_t j = 0; j < local->n_addrs; j++) {
            ds_put_char(s, ' ');
            np_prefix_format(&local->addrs[j], s);
        }
        ds_put_format(s, "%s%s\n", local->note ? "; " : "",
                      local->note ? local->note : "");
    }
    for (size_t i = 0; i < b->n_places; i++) {
        if (b->places[i]->problem) {
            ds_put_format(s, "refused %s: %s\n", b->places[i]->row->name,
                          b->places[i]->problem);
        }
    }
}

struct np_local *
np_binding_find(const struct np_binding *b, const struct np_entry *entry)
{
    struct np_local *local;

    HMAP_FOR_EACH_WITH_HASH (local, node, hash_pointer(entry, 0),
                             &b->by_entry) {
        if (local->entry == entry) {
            return local;
        }
    }
    return NULL;
}

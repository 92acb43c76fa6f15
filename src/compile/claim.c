/* What ports say whose they are, and what they want.
 *
 * A row names a pod by key or by UID, and has a MAC and addresses.  All of it
 * is entered here, so that of a pod that changes it is known whose business
 * that is, and of a port that changes, whom else it concerns. */

#include <config.h>
#include "compile/claim.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"

static uint32_t
hash_pod_key(const char *namespace, const char *name)
{
    return hash_string(namespace, hash_string(name, 0));
}

static uint32_t
hash_pod_uid(const char *uid)
{
    return hash_string(uid, 1);
}

static struct np_prefix
link_local(const struct eth_addr mac)
{
    struct in6_addr addr;

    in6_generate_lla(mac, &addr);
    return np_prefix_v6(&addr, 128);
}

static void
want(struct np_binding *b, struct np_place *place,
     const struct np_prefix *addr)
{
    struct np_want *w = &place->wants[place->n_wants++];

    w->place = place;
    w->addr = *addr;
    w->taken = false;
    hmap_insert(&b->wanted, &w->node, np_prefix_hash(addr, 0));
}

static bool
wants(const struct np_place *place, const struct np_prefix *addr)
{
    for (size_t i = 0; i < place->n_wants; i++) {
        if (np_prefix_equal(&place->wants[i].addr, addr)) {
            return true;
        }
    }
    return false;
}

/* A node's port has its addresses as the node, not as itself; but a MAC has
 * everybody. */
static void
enter_wants(struct np_binding *b, struct np_place *place)
{
    const struct np_bridge_port *row = place->row;
    const struct np_pod *pod = place->entry ? np_entry_pod(place->entry) : NULL;
    const struct np_prefix *addrs = row->n_addrs || !pod ? row->addrs
                                    : pod->addrs;
    size_t n = row->n_addrs || !pod ? row->n_addrs : pod->n_addrs;
    struct np_prefix mac;

    if (!row->has_mac) {
        return;
    }
    mac = link_local(row->mac);
    place->wants = xmalloc((n + 1) * sizeof *place->wants);
    for (size_t i = 0; row->role == NP_PORT_POD && i < n; i++) {
        if (!np_prefix_equal(&addrs[i], &mac) && !wants(place, &addrs[i])) {
            want(b, place, &addrs[i]);
        }
    }
    want(b, place, &mac);
}

static struct np_entry *
named_pod(const struct np_bridge_port *row, const struct np_cache *cache)
{
    if (row->pod_name) {
        return np_cache_find(cache, NP_POD, row->pod_namespace,
                             row->pod_name);
    }
    return row->pod_uid ? np_cache_find_pod_uid(cache, row->pod_uid) : NULL;
}

void
np_claim_enter(struct np_binding *b, struct np_place *place,
               const struct np_cache *cache)
{
    const struct np_bridge_port *row = place->row;

    place->entry = named_pod(row, cache);
    place->claims = row->pod_name || row->pod_uid;
    if (place->claims) {
        hmap_insert(&b->by_claim, &place->claim_node,
                    row->pod_name ? hash_pod_key(row->pod_namespace,
                                                 row->pod_name)
                    : hash_pod_uid(row->pod_uid));
    }
    enter_wants(b, place);
}

void
np_claim_leave(struct np_binding *b, struct np_place *place)
{
    if (place->claims) {
        hmap_remove(&b->by_claim, &place->claim_node);
        place->claims = false;
    }
    for (size_t i = 0; i < place->n_wants; i++) {
        hmap_remove(&b->wanted, &place->wants[i].node);
    }
    free(place->wants);
    place->wants = NULL;
    place->n_wants = 0;
    place->entry = NULL;
}

void
np_claim_for_each(const struct np_binding *b, const struct np_meta *pod,
                  np_place_cb *cb, void *aux)
{
    struct np_place *place;

    if (!pod) {
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (place, claim_node,
                             hash_pod_key(pod->namespace, pod->name),
                             &b->by_claim) {
        if (place->row->pod_name && !strcmp(place->row->pod_name, pod->name)
            && !strcmp(place->row->pod_namespace, pod->namespace)) {
            cb(place, aux);
        }
    }
    if (!pod->uid) {
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (place, claim_node, hash_pod_uid(pod->uid),
                             &b->by_claim) {
        if (!place->row->pod_name && !strcmp(place->row->pod_uid, pod->uid)) {
            cb(place, aux);
        }
    }
}

void
np_claim_for_each_wanting(const struct np_binding *b,
                          const struct np_prefix *addr, np_place_cb *cb,
                          void *aux)
{
    struct np_want *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, np_prefix_hash(addr, 0), &b->wanted) {
        if (np_prefix_equal(&w->addr, addr)) {
            cb(w->place, aux);
        }
    }
}

void
np_claim_for_each_rival(const struct np_binding *b,
                        const struct np_place *place, np_place_cb *cb,
                        void *aux)
{
    if (place->entry) {
        np_claim_for_each(b, place->entry->object, cb, aux);
    }
    for (size_t i = 0; i < place->n_wants; i++) {
        np_claim_for_each_wanting(b, &place->wants[i].addr, cb, aux);
    }
}

bool
np_binding_first_with_mac(const struct np_binding *b,
                          const struct np_place *place,
                          bool (*counts)(const struct np_bridge_port *,
                                         const void *aux),
                          const void *aux)
{
    const struct np_prefix *mac = &place->wants[place->n_wants - 1].addr;
    bool is_node = place->row->role == NP_PORT_NODE;
    const struct np_want *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, np_prefix_hash(mac, 0), &b->wanted) {
        const struct np_bridge_port *row = w->place->row;

        if (w->place == place || !row->has_mac
            || !eth_addr_equals(row->mac, place->row->mac)
            || !counts(row, aux)) {
            continue;
        }
        if (is_node != (row->role == NP_PORT_NODE)
            ? !is_node : strcmp(row->name, place->row->name) < 0) {
            return false;
        }
    }
    return true;
}

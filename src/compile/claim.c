/* What ports say whose they are.
 *
 * A row names a pod by key or by UID.  Which pod that is hardly ever changes,
 * so when one port comes the others' pods are known; and a pod that changes is
 * asked for here, to see whether it is the business of any port. */

#include <config.h>
#include "compile/claim.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
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

/* The claim in OLD of the port with the name of PORT, if it is on the same pod;
 * '*I' is a place in OLD's ports, and moves on. */
static const struct np_claim *
same_claim(const struct np_binding *old, const struct np_bridge_port *port,
           size_t *i)
{
    int cmp = -1;

    while (*i < old->n_ports
           && (cmp = strcmp(old->ports[*i].name, port->name)) < 0) {
        ++*i;
    }
    if (cmp || !port->pod_name || !old->ports[*i].pod_name
        || strcmp(old->ports[*i].pod_name, port->pod_name)
        || strcmp(old->ports[*i].pod_namespace, port->pod_namespace)) {
        return NULL;
    }
    return &old->claims[*i];
}

/* A pod that a claim found stays where it is until it goes, and when that
 * happens there is a new binding. */
static struct np_entry *
claimed_pod(const struct np_bridge_port *port, const struct np_cache *cache,
            const struct np_claim *before)
{
    if (before && before->entry && before->entry->object) {
        return before->entry;
    } else if (port->pod_name) {
        return np_cache_find(cache, NP_POD, port->pod_namespace,
                             port->pod_name);
    }
    return port->pod_uid ? np_cache_find_pod_uid(cache, port->pod_uid) : NULL;
}

/* Both lists of ports are sorted by name. */
void
np_claims_collect(struct np_binding *b, const struct np_portmap *ports,
                  const struct np_cache *cache, const struct np_binding *old)
{
    size_t at = 0;

    b->claims = xcalloc(ports->n + 1, sizeof *b->claims);
    for (size_t i = 0; i < ports->n; i++) {
        const struct np_bridge_port *port = &ports->v[i];
        struct np_claim *claim = &b->claims[i];

        claim->port = port;
        claim->entry = claimed_pod(port, cache, same_claim(old, port, &at));
        if (port->pod_name) {
            hmap_insert(&b->by_claim, &claim->node,
                        hash_pod_key(port->pod_namespace, port->pod_name));
        } else if (port->pod_uid) {
            hmap_insert(&b->by_claim, &claim->node,
                        hash_pod_uid(port->pod_uid));
        }
    }
}

static bool
is_claimed(const struct np_binding *b, const struct np_meta *pod)
{
    const struct np_claim *claim;

    if (!pod) {
        return false;
    }
    HMAP_FOR_EACH_WITH_HASH (claim, node,
                             hash_pod_key(pod->namespace, pod->name),
                             &b->by_claim) {
        if (claim->port->pod_name
            && !strcmp(claim->port->pod_name, pod->name)
            && !strcmp(claim->port->pod_namespace, pod->namespace)) {
            return true;
        }
    }
    if (pod->uid) {
        HMAP_FOR_EACH_WITH_HASH (claim, node, hash_pod_uid(pod->uid),
                                 &b->by_claim) {
            if (!claim->port->pod_name
                && !strcmp(claim->port->pod_uid, pod->uid)) {
                return true;
            }
        }
    }
    return false;
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

bool
np_binding_depends(const struct np_binding *b,
                   const struct np_entry_change *change, const char *node)
{
    const struct np_meta *key = change->entry->key;

    if (key->kind == NP_NODE) {
        return !strcmp(key->name, node);
    }
    return (key->kind == NP_POD
            && !same_to_ports(change->old, change->entry->object)
            && (is_claimed(b, change->old)
                || is_claimed(b, change->entry->object)));
}

/* Address sets, each kept once.
 *
 * The peers of a rule are a union: groups of pods and IP blocks.  Terms are
 * sorted and joined into a canonical text, which is the set's identity; so
 * peers in another order, or the same peers in another policy, are one set,
 * and the switch pays for it once. */

#include <config.h>
#include <stdlib.h>
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "policy/set.h"
#include "svec.h"
#include "util.h"

static void
set_destroy(struct np_policies *policies, struct np_set *set)
{
    for (size_t i = 0; i < set->n_groups; i++) {
        np_groups_unref(policies->groups, set->groups[i]);
    }
    for (size_t i = 0; i < set->n_blocks; i++) {
        free(set->blocks[i].except);
    }
    free(set->key);
    free(set->groups);
    free(set->blocks);
    free(set);
}

/* Takes SET, whose terms have the keys TERMS, and returns it or the one that
 * is equal to it, with one more reference. */
static struct np_set *
intern(struct np_policies *policies, struct np_set *set, struct svec *terms)
{
    struct np_set *other;
    char *joined;
    uint32_t hash;

    svec_sort_unique(terms);
    joined = svec_join(terms, " + ", "");
    set->key = xasprintf("%s%s", set->applied ? "applied " : "", joined);
    free(joined);

    hash = hash_string(set->key, 0);
    HMAP_FOR_EACH_WITH_HASH (other, node, hash, &policies->sets) {
        if (!strcmp(other->key, set->key)) {
            set_destroy(policies, set);
            other->n_refs++;
            return other;
        }
    }
    set->n_refs = 1;
    ovs_list_init(&set->rules);
    set->id = np_slots_put(&policies->set_by_id, set);
    hmap_insert(&policies->sets, &set->node, hash);
    if (set->applied) {
        set->groups[0]->applied = set;
    }
    return set;
}

void
np_set_unref(struct np_policies *policies, struct np_set *set)
{
    if (set && !--set->n_refs) {
        if (set->applied) {
            set->groups[0]->applied = NULL;
        }
        np_slots_remove(&policies->set_by_id, set->id);
        hmap_remove(&policies->sets, &set->node);
        set_destroy(policies, set);
    }
}

static void
add_group(struct np_set *set, struct np_group *group, struct svec *terms)
{
    set->groups[set->n_groups++] = group;
    svec_add(terms, group->key);
}

struct np_set *
np_set_ref_applied(struct np_policies *policies,
                   const struct np_netpol *policy)
{
    struct np_set *set = xzalloc(sizeof *set);
    struct svec terms = SVEC_EMPTY_INITIALIZER;

    set->applied = true;
    set->groups = xmalloc(sizeof *set->groups);
    add_group(set, np_groups_ref(policies->groups, policy->meta.namespace,
                                 NULL, &policy->pods), &terms);
    set = intern(policies, set, &terms);
    svec_destroy(&terms);
    return set;
}

static void
format_block(const struct np_ipblock *block, struct ds *ds)
{
    struct svec except = SVEC_EMPTY_INITIALIZER;
    const char *text;
    size_t i;

    for (i = 0; i < block->n_except; i++) {
        struct ds one = DS_EMPTY_INITIALIZER;

        np_prefix_format(&block->except[i], &one);
        svec_add_nocopy(&except, ds_steal_cstr(&one));
    }
    svec_sort_unique(&except);

    np_prefix_format(&block->cidr, ds);
    SVEC_FOR_EACH (i, text, &except) {
        ds_put_format(ds, "-%s", text);
    }
    svec_destroy(&except);
}

static void
add_block(struct np_set *set, const struct np_ipblock *block,
          struct svec *terms)
{
    struct np_ipblock *copy = &set->blocks[set->n_blocks++];
    struct ds ds = DS_EMPTY_INITIALIZER;

    format_block(block, &ds);
    *copy = *block;
    copy->except = (block->n_except
                    ? xmemdup(block->except,
                              block->n_except * sizeof *block->except)
                    : NULL);
    svec_add_nocopy(terms, ds_steal_cstr(&ds));
}

/* Without a namespaceSelector a podSelector means the policy's own namespace;
 * with one, both must hold (NetworkPolicyPeer). */
static struct np_group *
peer_group(struct np_policies *policies, const struct np_netpol *policy,
           const struct np_peer *peer)
{
    return np_groups_ref(policies->groups,
                         peer->namespaces ? NULL : policy->meta.namespace,
                         peer->namespaces, peer->pods);
}

struct np_set *
np_set_ref_peers(struct np_policies *policies,
                 const struct np_netpol *policy,
                 const struct np_netpol_rule *rule)
{
    struct svec terms = SVEC_EMPTY_INITIALIZER;
    struct np_set *set;

    if (!rule->n_peers) {
        return NULL;
    }
    set = xzalloc(sizeof *set);
    set->groups = xmalloc(rule->n_peers * sizeof *set->groups);
    set->blocks = xmalloc(rule->n_peers * sizeof *set->blocks);
    for (size_t i = 0; i < rule->n_peers; i++) {
        const struct np_peer *peer = &rule->peers[i];

        if (peer->block) {
            add_block(set, peer->block, &terms);
        } else {
            add_group(set, peer_group(policies, policy, peer), &terms);
        }
    }
    set = intern(policies, set, &terms);
    svec_destroy(&terms);
    return set;
}

void
np_sets_destroy(struct np_policies *policies)
{
    struct np_set *set;

    HMAP_FOR_EACH_POP (set, node, &policies->sets) {
        set_destroy(policies, set);
    }
    hmap_destroy(&policies->sets);
    np_slots_destroy(&policies->set_by_id);
}

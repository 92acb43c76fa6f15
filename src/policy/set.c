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
set_destroy(struct np_set *set)
{
    if (set) {
        free(set->key);
        free(set->groups);
        free(set->blocks);
        free(set);
    }
}

/* Takes SET, whose terms have the keys TERMS, and returns it or the one that
 * is equal to it. */
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
            set_destroy(set);
            return other;
        }
    }
    hmap_insert(&policies->sets, &set->node, hash);
    return set;
}

static void
add_group(struct np_set *set, struct np_group *group, struct svec *terms)
{
    set->groups[set->n_groups++] = group;
    svec_add(terms, group->key);
}

struct np_set *
np_set_intern_applied(struct np_policies *policies,
                      const struct np_netpol *policy)
{
    struct np_set *set = xzalloc(sizeof *set);
    struct svec terms = SVEC_EMPTY_INITIALIZER;

    set->applied = true;
    set->groups = xmalloc(sizeof *set->groups);
    add_group(set, np_groups_intern(&policies->groups,
                                    policy->meta.namespace, NULL,
                                    &policy->pods), &terms);
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
    struct ds ds = DS_EMPTY_INITIALIZER;

    format_block(block, &ds);
    set->blocks[set->n_blocks++] = block;
    svec_add_nocopy(terms, ds_steal_cstr(&ds));
}

/* Without a namespaceSelector a podSelector means the policy's own namespace;
 * with one, both must hold (NetworkPolicyPeer). */
static struct np_group *
peer_group(struct np_policies *policies, const struct np_netpol *policy,
           const struct np_peer *peer)
{
    return np_groups_intern(&policies->groups,
                            peer->namespaces ? NULL : policy->meta.namespace,
                            peer->namespaces, peer->pods);
}

struct np_set *
np_set_intern_peers(struct np_policies *policies,
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

static int
compare_sets(const void *a_, const void *b_)
{
    const struct np_set *a = *(const struct np_set *const *) a_;
    const struct np_set *b = *(const struct np_set *const *) b_;

    return strcmp(a->key, b->key);
}

void
np_sets_number(struct np_policies *policies)
{
    struct np_set *set;

    policies->set_by_id = xmalloc(hmap_count(&policies->sets)
                                  * sizeof *policies->set_by_id);
    policies->n_sets = 0;
    HMAP_FOR_EACH (set, node, &policies->sets) {
        policies->set_by_id[policies->n_sets++] = set;
    }
    qsort(policies->set_by_id, policies->n_sets,
          sizeof *policies->set_by_id, compare_sets);
    for (size_t i = 0; i < policies->n_sets; i++) {
        policies->set_by_id[i]->id = i;
    }
}

void
np_sets_clear(struct np_policies *policies)
{
    struct np_set *set;

    HMAP_FOR_EACH_POP (set, node, &policies->sets) {
        set_destroy(set);
    }
    free(policies->set_by_id);
    policies->set_by_id = NULL;
    policies->n_sets = 0;
}

/* Groups of pods, each kept once.
 *
 * Hundreds of policies say "the pods of my namespace" or "app=frontend".  A
 * group is such a phrase: its canonical text is its identity, so two rules
 * that mean the same share one list of members.
 *
 * Rebuilt when: a pod, a pod's labels, phase or hostNetwork, or a namespace's
 * labels changed.  Cost: the pods of the namespaces that a group looks at. */

#include <config.h>
#include <stdlib.h>
#include "hash.h"
#include "netpol/group.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

void
np_groups_init(struct np_groups *groups)
{
    hmap_init(&groups->groups);
}

static void
group_destroy(struct np_group *group)
{
    free(group->key);
    free(group->namespace);
    free(group->members);
    free(group);
}

void
np_groups_destroy(struct np_groups *groups)
{
    if (groups) {
        struct np_group *group;

        HMAP_FOR_EACH_POP (group, node, &groups->groups) {
            group_destroy(group);
        }
        hmap_destroy(&groups->groups);
    }
}

/* The text that people read is also the key: kubectl's selector syntax is
 * injective, because label keys and values hold none of its punctuation. */
static void
format_key(const char *namespace, const struct np_selector *namespaces,
           const struct np_selector *pods, struct ds *key)
{
    static const struct np_selector all;

    if (namespace) {
        ds_put_cstr(key, namespace);
    } else {
        ds_put_char(key, '{');
        np_selector_format(namespaces ? namespaces : &all, key);
        ds_put_char(key, '}');
    }
    ds_put_char(key, '/');
    np_selector_format(pods ? pods : &all, key);
}

struct np_group *
np_groups_intern(struct np_groups *groups, const char *namespace,
                 const struct np_selector *namespaces,
                 const struct np_selector *pods)
{
    struct np_group *group;
    struct ds key = DS_EMPTY_INITIALIZER;
    uint32_t hash;

    format_key(namespace, namespaces, pods, &key);
    hash = hash_string(ds_cstr(&key), 0);
    HMAP_FOR_EACH_WITH_HASH (group, node, hash, &groups->groups) {
        if (!strcmp(group->key, ds_cstr(&key))) {
            ds_destroy(&key);
            return group;
        }
    }

    group = xzalloc(sizeof *group);
    group->key = ds_steal_cstr(&key);
    group->namespace = nullable_xstrdup(namespace);
    group->namespaces = namespaces;
    group->pods = pods;
    hmap_insert(&groups->groups, &group->node, hash);
    return group;
}

static void
add_members(struct np_group *group, size_t *allocated,
            const struct np_cache *cache, const char *namespace)
{
    const struct np_pod *const *pods;
    size_t n = np_cache_pods_of(cache, namespace, &pods);

    for (size_t i = 0; i < n; i++) {
        if (np_pod_counts(pods[i])
            && (!group->pods
                || np_selector_matches(group->pods, &pods[i]->meta.labels))) {
            if (group->n_members >= *allocated) {
                group->members = x2nrealloc(group->members, allocated,
                                            sizeof *group->members);
            }
            group->members[group->n_members++] = pods[i];
        }
    }
}

/* Does GROUP look into NAMESPACE?  A namespace that only its pods mention is
 * one all the same, with the label that the API server gives to each. */
static bool
namespace_matches(const struct np_group *group, const struct np_cache *cache,
                  const char *namespace)
{
    const struct np_meta *ns = np_cache_find(cache, NP_NAMESPACE, NULL,
                                             namespace);
    struct np_label label = {
        .key = CONST_CAST(char *, "kubernetes.io/metadata.name"),
        .value = CONST_CAST(char *, namespace),
    };
    const struct np_labels implied = { .v = &label, .n = 1 };

    return (!group->namespaces
            || np_selector_matches(group->namespaces,
                                   ns ? &ns->labels : &implied));
}

static void
group_rebuild(struct np_group *group, const struct np_cache *cache)
{
    const struct np_meta *const *pods = cache->v[NP_POD];
    size_t n_pods = cache->n[NP_POD];
    size_t allocated = 0;

    free(group->members);
    group->members = NULL;
    group->n_members = 0;

    if (group->namespace) {
        add_members(group, &allocated, cache, group->namespace);
        return;
    }
    for (size_t i = 0; i < n_pods; i++) {
        const char *namespace = pods[i]->namespace;

        if ((!i || strcmp(namespace, pods[i - 1]->namespace))
            && namespace_matches(group, cache, namespace)) {
            add_members(group, &allocated, cache, namespace);
        }
    }
}

void
np_groups_rebuild(struct np_groups *groups, const struct np_cache *cache)
{
    struct np_group *group;

    HMAP_FOR_EACH (group, node, &groups->groups) {
        group_rebuild(group, cache);
    }
}

static int
compare_groups(const void *a_, const void *b_)
{
    const struct np_group *a = *(const struct np_group *const *) a_;
    const struct np_group *b = *(const struct np_group *const *) b_;

    return strcmp(a->key, b->key);
}

void
np_groups_dump(const struct np_groups *groups, struct ds *ds)
{
    size_t n = hmap_count(&groups->groups);
    const struct np_group **sorted = xmalloc(n * sizeof *sorted);
    const struct np_group *group;
    size_t i = 0;

    HMAP_FOR_EACH (group, node, &groups->groups) {
        sorted[i++] = group;
    }
    qsort(sorted, n, sizeof *sorted, compare_groups);
    for (i = 0; i < n; i++) {
        ds_put_format(ds, "group %s:", sorted[i]->key);
        for (size_t j = 0; j < sorted[i]->n_members; j++) {
            ds_put_char(ds, ' ');
            np_object_format_key(&sorted[i]->members[j]->meta, ds);
        }
        ds_put_char(ds, '\n');
    }
    free(sorted);
}

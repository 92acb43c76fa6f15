/* Groups of pods, each kept once.
 *
 * Hundreds of policies say "the pods of my namespace" or "app=frontend".  A
 * group is such a phrase: its canonical text is its identity, so two rules
 * that mean the same share one list of members.
 *
 * A new group is held against the profiles that have a label it asks for; its
 * cost is theirs, not the cluster's. */

#include <config.h>
#include "group/private.h"

#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

COVERAGE_DEFINE(np_group_created);

static const struct np_selector everything;

void
np_groups_init(struct np_groups *groups)
{
    memset(groups, 0, sizeof *groups);
    hmap_init(&groups->by_key);
    hmap_init(&groups->by_labels);
    hmap_init(&groups->by_value);
    hmap_init(&groups->namespaces);
    hmap_init(&groups->group_index);
    hmap_init(&groups->carriers);
    hmap_init(&groups->ns_index);
}

static void
group_destroy(struct np_group *group)
{
    free(group->key);
    free(group->namespace);
    np_selector_destroy(&group->namespaces);
    np_selector_destroy(&group->pods);
    np_idset_clear(&group->profiles);
    free(group);
}

void
np_groups_destroy(struct np_groups *groups)
{
    struct np_group *group;

    if (!groups) {
        return;
    }
    HMAP_FOR_EACH_POP (group, node, &groups->by_key) {
        group_destroy(group);
    }
    hmap_destroy(&groups->by_key);
    np_slots_destroy(&groups->groups);
    np_profiles_destroy(groups);
    np_index_destroy(&groups->group_index);
    np_carriers_destroy(groups);
    np_index_destroy(&groups->ns_index);
}

/* The text that people read is also the key: kubectl's selector syntax is
 * injective, because label keys and values hold none of its punctuation. */
static void
format_key(const char *namespace, const struct np_selector *namespaces,
           const struct np_selector *pods, struct ds *key)
{
    if (namespace) {
        ds_put_cstr(key, namespace);
    } else {
        ds_put_char(key, '{');
        np_selector_format(namespaces, key);
        ds_put_char(key, '}');
    }
    ds_put_char(key, '/');
    np_selector_format(pods, key);
}

/* Where GROUP is entered in 'group_index': under a label that its pods must
 * have; if it asks for none, under one that their namespaces must have.  Such a
 * key says which by its scope, because labels of both kinds look alike. */
#define OF_NAMESPACE "\n"

struct entered {
    const struct np_requirement *req;   /* NULL: none is asked for. */
    const char *scope;
};

static struct entered
where_entered(const struct np_group *group)
{
    const struct np_requirement *pods = np_narrowest(&group->pods);

    if (group->namespace || pods) {
        return (struct entered) { pods, group->namespace };
    }
    return (struct entered) { np_narrowest(&group->namespaces),
                              OF_NAMESPACE };
}

static void
enter(struct np_groups *groups, const struct np_group *group,
      void (*cb)(struct hmap *, const struct np_index_key *, uint32_t id))
{
    struct entered at = where_entered(group);
    struct np_index_scope scope = np_index_scope(at.scope);
    const char *key = at.req ? at.req->key : NULL;

    if (!at.req || at.req->op == NP_EXISTS) {
        struct np_index_key k = np_index_key(scope, key, NULL);

        cb(&groups->group_index, &k, group->id);
        groups->n_by_key += key ? (cb == np_index_add ? 1 : -1) : 0;
        return;
    }
    for (size_t i = 0; i < at.req->n_values; i++) {
        struct np_index_key k = np_index_key(scope, key, at.req->values[i]);

        cb(&groups->group_index, &k, group->id);
    }
}

static void
find_at(const struct np_groups *groups, const struct np_index_key *k,
        struct np_idset *found)
{
    const struct np_idset *ids = np_index_find(&groups->group_index, k);

    if (ids) {
        np_idset_union(found, ids);
    }
}

/* Groups entered under KEY and VALUE in one of the N SCOPES. */
static void
find_in_scopes(const struct np_groups *groups,
               const struct np_index_scope *scopes, size_t n,
               const char *key, const char *value, struct np_idset *found)
{
    struct np_index_key k = np_index_key(scopes[0], key, value);

    for (size_t i = 0; i < n; i++) {
        k.scope = scopes[i];
        find_at(groups, &k, found);
    }
}

/* Groups entered there under nothing or one of LABELS. */
static void
find_by_labels(const struct np_groups *groups,
               const struct np_index_scope *scopes, size_t n,
               const struct np_labels *labels, struct np_idset *found)
{
    find_in_scopes(groups, scopes, n, NULL, NULL, found);
    for (size_t i = 0; i < labels->n; i++) {
        const struct np_label *label = &labels->v[i];

        find_in_scopes(groups, scopes, n, label->key, label->value, found);
        if (groups->n_by_key) {
            find_in_scopes(groups, scopes, n, label->key, NULL, found);
        }
    }
}

void
np_groups_candidates(const struct np_groups *groups,
                     const struct np_profile *profile,
                     struct np_idset *found)
{
    const struct np_index_scope of_pods[] = {
        np_index_scope(profile->ns->name), np_index_scope(NULL)
    };
    const struct np_index_scope of_namespaces = np_index_scope(OF_NAMESPACE);

    find_by_labels(groups, of_pods, 2, &profile->labels, found);
    find_by_labels(groups, &of_namespaces, 1, profile->ns->labels, found);
}

static struct np_group *
find_group(const struct np_groups *groups, const char *key, uint32_t hash)
{
    struct np_group *group;

    HMAP_FOR_EACH_WITH_HASH (group, node, hash, &groups->by_key) {
        if (!strcmp(group->key, key)) {
            return group;
        }
    }
    return NULL;
}

struct np_group *
np_groups_ref(struct np_groups *groups, const char *namespace,
              const struct np_selector *namespaces,
              const struct np_selector *pods)
{
    struct ds key = DS_EMPTY_INITIALIZER;
    struct np_group *group;
    uint32_t hash;

    namespaces = namespaces ? namespaces : &everything;
    pods = pods ? pods : &everything;
    format_key(namespace, namespaces, pods, &key);
    hash = hash_string(ds_cstr(&key), 0);
    group = find_group(groups, ds_cstr(&key), hash);
    if (!group) {
        COVERAGE_INC(np_group_created);
        group = xzalloc(sizeof *group);
        group->key = xstrdup(ds_cstr(&key));
        group->namespace = nullable_xstrdup(namespace);
        if (!namespace) {
            np_selector_clone(&group->namespaces, namespaces);
        }
        np_selector_clone(&group->pods, pods);
        group->id = np_slots_put(&groups->groups, group);
        hmap_insert(&groups->by_key, &group->node, hash);
        enter(groups, group, np_index_add);
        np_profiles_add_group(groups, group);
    }
    ds_destroy(&key);
    group->n_refs++;
    return group;
}

void
np_groups_unref(struct np_groups *groups, struct np_group *group)
{
    if (!--group->n_refs) {
        np_profiles_remove_group(groups, group);
        enter(groups, group, np_index_remove);
        np_slots_remove(&groups->groups, group->id);
        hmap_remove(&groups->by_key, &group->node);
        group_destroy(group);
    }
}

static int
compare_groups(const void *a_, const void *b_)
{
    const struct np_group *a = *(const struct np_group *const *) a_;
    const struct np_group *b = *(const struct np_group *const *) b_;

    return strcmp(a->key, b->key);
}

static int
compare_entries(const void *a_, const void *b_)
{
    const struct np_meta *a = (*(struct np_entry *const *) a_)->object;
    const struct np_meta *b = (*(struct np_entry *const *) b_)->object;
    int cmp = strcmp(a->namespace, b->namespace);

    return cmp ? cmp : strcmp(a->name, b->name);
}

static void
dump_group(const struct np_groups *groups, const struct np_group *group,
           struct ds *ds)
{
    const struct np_entry **v;
    size_t n = 0;

    for (size_t i = 0; i < group->profiles.n; i++) {
        n += np_groups_profile(groups, group->profiles.v[i])->n_pods;
    }
    v = xmalloc((n + 1) * sizeof *v);
    n = 0;
    for (size_t i = 0; i < group->profiles.n; i++) {
        const struct np_profile *profile
            = np_groups_profile(groups, group->profiles.v[i]);
        const struct np_entry *entry;

        LIST_FOR_EACH (entry, profile_node, &profile->pods) {
            v[n++] = entry;
        }
    }
    qsort(v, n, sizeof *v, compare_entries);
    ds_put_format(ds, "group %s:", group->key);
    for (size_t i = 0; i < n; i++) {
        ds_put_char(ds, ' ');
        np_object_format_key(v[i]->object, ds);
    }
    ds_put_char(ds, '\n');
    free(v);
}

void
np_groups_dump(const struct np_groups *groups, struct ds *ds)
{
    size_t n = hmap_count(&groups->by_key);
    const struct np_group **sorted = xmalloc((n + 1) * sizeof *sorted);
    const struct np_group *group;
    size_t i = 0;

    HMAP_FOR_EACH (group, node, &groups->by_key) {
        sorted[i++] = group;
    }
    qsort(sorted, n, sizeof *sorted, compare_groups);
    for (i = 0; i < n; i++) {
        dump_group(groups, sorted[i], ds);
    }
    free(sorted);
}

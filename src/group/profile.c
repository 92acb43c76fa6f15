/* Profiles: pods that no selector can tell apart.
 *
 * A hundred thousand pods have a few thousand different sets of labels, because
 * most are replicas.  Selectors are held against those, once each; a pod that
 * comes is looked up, and is in all the groups that its profile is in. */

#include <config.h>
#include "group/private.h"

#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "netpol/pool.h"
#include "util.h"

COVERAGE_DEFINE(np_group_pod);
COVERAGE_DEFINE(np_group_match);
COVERAGE_DEFINE(np_group_profile);

static struct np_ns *
find_ns(const struct np_groups *groups, const char *name)
{
    struct np_ns *ns;

    HMAP_FOR_EACH_WITH_HASH (ns, node, hash_string(name, 0),
                             &groups->namespaces) {
        if (!strcmp(ns->name, name)) {
            return ns;
        }
    }
    return NULL;
}

/* Enters ID under each of LABELS, or takes it out there. */
static void
enter(struct hmap *index, const struct np_labels *labels, uint32_t id,
      void (*cb)(struct hmap *, const struct np_index_key *, uint32_t id))
{
    for (size_t i = 0; i < labels->n; i++) {
        const struct np_label *label = &labels->v[i];
        struct np_index_key by_key, whole;

        by_key = np_index_key(np_index_scope(NULL), label->key, NULL);
        whole = np_index_key(np_index_scope(NULL), label->key, label->value);
        cb(index, &by_key, id);
        cb(index, &whole, id);
    }
}

/* A namespace that only its pods mention is one all the same, with the label
 * that the API server gives to each. */
static struct np_ns *
make_ns(struct np_groups *groups, const char *name)
{
    struct np_ns *ns = find_ns(groups, name);

    if (!ns) {
        ns = xzalloc(sizeof *ns);
        ns->name = xstrdup(name);
        ns->implied_label = (struct np_label) {
            .key = CONST_CAST(char *, "kubernetes.io/metadata.name"),
            .value = ns->name,
        };
        ns->implied = (struct np_labels) { &ns->implied_label, 1 };
        ns->labels = &ns->implied;
        ovs_list_init(&ns->profiles);
        ns->id = np_slots_put(&groups->ns_slots, ns);
        hmap_insert(&groups->namespaces, &ns->node, hash_string(name, 0));
        enter(&groups->ns_index, ns->labels, ns->id, np_index_add);
    }
    return ns;
}

static void
destroy_ns(struct np_ns *ns)
{
    free(ns->name);
    free(ns);
}

static void
drop_ns_if_void(struct np_groups *groups, struct np_ns *ns)
{
    if (ns->labels == &ns->implied && ovs_list_is_empty(&ns->profiles)) {
        enter(&groups->ns_index, ns->labels, ns->id, np_index_remove);
        np_slots_remove(&groups->ns_slots, ns->id);
        hmap_remove(&groups->namespaces, &ns->node);
        destroy_ns(ns);
    }
}

bool
np_group_matches(const struct np_group *group,
                 const struct np_profile *profile)
{
    COVERAGE_INC(np_group_match);
    return ((group->namespace
             ? !strcmp(group->namespace, profile->ns->name)
             : np_selector_matches(&group->namespaces, profile->ns->labels))
            && np_selector_matches(&group->pods, &profile->labels));
}

/* Finds the groups of PROFILE anew; returns true if they have changed. */
static bool
find_groups(struct np_groups *groups, struct np_profile *profile)
{
    struct np_idset candidates = { NULL, 0, 0 };
    struct np_idset now = { NULL, 0, 0 };
    bool changed;

    COVERAGE_INC(np_group_profile);
    np_groups_candidates(groups, profile, &candidates);
    for (size_t i = 0; i < candidates.n; i++) {
        uint32_t id = candidates.v[i];

        if (np_group_matches(np_groups_get(groups, id), profile)) {
            np_idset_add(&now, id);
        }
    }
    np_idset_clear(&candidates);

    for (size_t i = 0; i < profile->groups.n; i++) {
        if (!np_idset_contains(&now, profile->groups.v[i])) {
            np_idset_remove(&np_groups_get(groups,
                                           profile->groups.v[i])->profiles,
                            profile->id);
        }
    }
    for (size_t i = 0; i < now.n; i++) {
        np_idset_add(&np_groups_get(groups, now.v[i])->profiles, profile->id);
    }
    changed = !np_idset_equal(&now, &profile->groups);
    np_idset_clear(&profile->groups);
    profile->groups = now;
    return changed;
}

static uint32_t
profile_hash(const struct np_ns *ns, const struct np_labels *labels)
{
    uint32_t hash = hash_pointer(ns, 0);

    for (size_t i = 0; i < labels->n; i++) {
        hash = hash_string(labels->v[i].key,
                           hash_string(labels->v[i].value, hash));
    }
    return hash;
}

static uint32_t
value_hash(const struct np_meta *pod)
{
    return hash_pointer(pod->labels.v, hash_pointer(pod->namespace, 0));
}

/* Objects of one pool share what is equal, so most replicas are known by the
 * pointers. */
static struct np_profile *
find_by_value(const struct np_groups *groups, const struct np_meta *pod)
{
    struct np_profile *profile;

    HMAP_FOR_EACH_WITH_HASH (profile, value_node, value_hash(pod),
                             &groups->by_value) {
        if (profile->namespace == pod->namespace
            && profile->labels.v == pod->labels.v) {
            return profile;
        }
    }
    return NULL;
}

static struct np_profile *
make_profile(struct np_groups *groups, const struct np_meta *pod)
{
    const struct np_labels *labels = &pod->labels;
    struct np_profile *profile = find_by_value(groups, pod);
    struct np_ns *ns;
    uint32_t hash;

    if (profile) {
        return profile;
    }
    ns = make_ns(groups, pod->namespace);
    hash = profile_hash(ns, labels);

    HMAP_FOR_EACH_WITH_HASH (profile, node, hash, &groups->by_labels) {
        if (profile->ns == ns && np_labels_equal(&profile->labels, labels)) {
            return profile;
        }
    }
    profile = xzalloc(sizeof *profile);
    profile->ns = ns;
    profile->namespace = np_pool_ref(pod->namespace);
    np_labels_clone(&profile->labels, labels);
    ovs_list_init(&profile->pods);
    ovs_list_push_back(&ns->profiles, &profile->ns_node);
    profile->id = np_slots_put(&groups->profiles, profile);
    hmap_insert(&groups->by_labels, &profile->node, hash);
    hmap_insert(&groups->by_value, &profile->value_node, value_hash(pod));
    np_carriers_add(groups, profile);
    find_groups(groups, profile);
    return profile;
}

static void
free_profile(struct np_profile *profile)
{
    np_idset_clear(&profile->groups);
    free(profile->carried);
    np_labels_destroy(&profile->labels);
    np_pool_put(profile->namespace);
    free(profile);
}

static void
destroy_profile(struct np_groups *groups, struct np_profile *profile)
{
    for (size_t i = 0; i < profile->groups.n; i++) {
        np_idset_remove(&np_groups_get(groups, profile->groups.v[i])->profiles,
                        profile->id);
    }
    np_carriers_remove(groups, profile);
    np_slots_remove(&groups->profiles, profile->id);
    hmap_remove(&groups->by_labels, &profile->node);
    hmap_remove(&groups->by_value, &profile->value_node);
    ovs_list_remove(&profile->ns_node);
    free_profile(profile);
}

static void
join(struct np_profile *profile, struct np_entry *entry)
{
    entry->profile = profile;
    ovs_list_push_back(&profile->pods, &entry->profile_node);
    profile->n_pods++;
}

static void
leave(struct np_groups *groups, struct np_entry *entry)
{
    struct np_profile *profile = entry->profile;

    entry->profile = NULL;
    ovs_list_remove(&entry->profile_node);
    ovs_list_init(&entry->profile_node);
    if (!--profile->n_pods) {
        struct np_ns *ns = profile->ns;

        destroy_profile(groups, profile);
        drop_ns_if_void(groups, ns);
    }
}

static void
apply_pod(struct np_groups *groups, struct np_entry *entry)
{
    bool counts = entry->object && np_pod_counts(np_entry_pod(entry));
    struct np_profile *before = entry->profile;

    COVERAGE_INC(np_group_pod);
    if (before && counts
        && np_labels_equal(&entry->object->labels, &before->labels)) {
        return;
    }
    if (before) {
        leave(groups, entry);
    }
    if (counts) {
        join(make_profile(groups, entry->object), entry);
    }
}

static void
note(struct np_group_delta *delta, struct np_profile *profile)
{
    if (delta->n >= delta->allocated) {
        delta->v = x2nrealloc(delta->v, &delta->allocated, sizeof *delta->v);
    }
    delta->v[delta->n++] = profile;
}

static void
apply_namespace(struct np_groups *groups, const struct np_entry_change *c,
                struct np_group_delta *delta)
{
    const struct np_meta *new = c->entry->object;
    struct np_ns *ns = make_ns(groups, c->entry->key->name);
    const struct np_labels *old_labels = ns->labels;
    const struct np_labels *labels = new ? &new->labels : &ns->implied;
    bool same = np_labels_equal(old_labels, labels);

    if (!same) {
        enter(&groups->ns_index, old_labels, ns->id, np_index_remove);
        enter(&groups->ns_index, labels, ns->id, np_index_add);
    }
    ns->labels = labels;
    if (!same) {
        struct np_profile *profile;

        LIST_FOR_EACH (profile, ns_node, &ns->profiles) {
            if (find_groups(groups, profile)) {
                note(delta, profile);
            }
        }
    }
    drop_ns_if_void(groups, ns);
}

void
np_groups_apply(struct np_groups *groups, const struct np_cache_delta *in,
                struct np_group_delta *delta)
{
    for (size_t i = 0; i < in->n; i++) {
        if (in->v[i].entry->key->kind == NP_POD) {
            apply_pod(groups, in->v[i].entry);
        }
    }
    for (size_t i = 0; i < in->n; i++) {
        if (in->v[i].entry->key->kind == NP_NAMESPACE) {
            apply_namespace(groups, &in->v[i], delta);
        }
    }
}

void
np_group_delta_clear(struct np_group_delta *delta)
{
    free(delta->v);
    memset(delta, 0, sizeof *delta);
}

/* Adds to IDS the namespaces whose labels may satisfy REQ. */
static void
find_namespaces(const struct np_groups *groups,
                const struct np_requirement *req, struct np_idset *ids)
{
    size_t n = req->op == NP_EXISTS ? 1 : req->n_values;

    for (size_t i = 0; i < n; i++) {
        struct np_index_key k
            = np_index_key(np_index_scope(NULL), req->key,
                           req->op == NP_EXISTS ? NULL : req->values[i]);
        const struct np_idset *found = np_index_find(&groups->ns_index, &k);

        if (found) {
            np_idset_union(ids, found);
        }
    }
}

static void
try_profile(struct np_profile *profile, void *group_)
{
    struct np_group *group = group_;

    if (np_group_matches(group, profile)) {
        np_idset_add(&profile->groups, group->id);
        np_idset_add(&group->profiles, profile->id);
    }
}

static void
try_ns(struct np_group *group, const struct np_ns *ns)
{
    struct np_profile *profile;

    LIST_FOR_EACH (profile, ns_node, &ns->profiles) {
        try_profile(profile, group);
    }
}

void
np_profiles_add_group(struct np_groups *groups, struct np_group *group)
{
    const struct np_requirement *pods = np_narrowest(&group->pods);
    const struct np_requirement *req = np_narrowest(&group->namespaces);
    struct np_idset ids = { NULL, 0, 0 };
    struct np_ns *ns;

    if (group->namespace) {
        ns = find_ns(groups, group->namespace);
        if (ns) {
            try_ns(group, ns);
        }
    } else if (pods) {
        np_carriers_for_each(groups, pods, try_profile, group);
    } else if (req) {
        find_namespaces(groups, req, &ids);
        for (size_t i = 0; i < ids.n; i++) {
            try_ns(group, groups->ns_slots.v[ids.v[i]]);
        }
    } else {
        HMAP_FOR_EACH (ns, node, &groups->namespaces) {
            try_ns(group, ns);
        }
    }
    np_idset_clear(&ids);
}

void
np_profiles_remove_group(struct np_groups *groups, struct np_group *group)
{
    for (size_t i = 0; i < group->profiles.n; i++) {
        np_idset_remove(&np_groups_profile(groups,
                                           group->profiles.v[i])->groups,
                        group->id);
    }
}

void
np_profiles_destroy(struct np_groups *groups)
{
    struct np_profile *profile;
    struct np_ns *ns;

    HMAP_FOR_EACH_POP (profile, node, &groups->by_labels) {
        free_profile(profile);
    }
    hmap_destroy(&groups->by_labels);
    hmap_destroy(&groups->by_value);
    np_slots_destroy(&groups->profiles);
    HMAP_FOR_EACH_POP (ns, node, &groups->namespaces) {
        destroy_ns(ns);
    }
    hmap_destroy(&groups->namespaces);
    np_slots_destroy(&groups->ns_slots);
}

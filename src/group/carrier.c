/* Who carries a label.
 *
 * A new group is held against the profiles that carry a label it asks for.
 * Nearly all profiles carry some labels (whose chart they are from, who manages
 * them), so a profile knows its place in the list of each: to leave it means
 * no look at the others. */

#include <config.h>
#include "group/private.h"

#include <stdlib.h>

#include "hash.h"
#include "util.h"

/* A label, or with a NULL 'value' a key. */
struct np_carrier_label {
    struct hmap_node node;      /* In 'carriers'. */
    char *key, *value;
    struct np_carrier_label *of;        /* A label's key. */
    struct ovs_list sibling;    /* In its 'values'. */
    struct ovs_list values;     /* A key's labels. */
    uint32_t *ids;              /* A label's profiles, in no order. */
    size_t n, allocated;
};

static uint32_t
hash_label(const char *key, const char *value)
{
    return hash_string(key, value ? hash_string(value, 1) : 0);
}

static struct np_carrier_label *
find(const struct np_groups *groups, const char *key, const char *value)
{
    struct np_carrier_label *label;

    HMAP_FOR_EACH_WITH_HASH (label, node, hash_label(key, value),
                             &groups->carriers) {
        if (!strcmp(label->key, key)
            && nullable_string_is_equal(label->value, value)) {
            return label;
        }
    }
    return NULL;
}

static struct np_carrier_label *
make(struct np_groups *groups, const char *key, const char *value)
{
    struct np_carrier_label *label = find(groups, key, value);

    if (!label) {
        label = xzalloc(sizeof *label);
        label->key = xstrdup(key);
        label->value = nullable_xstrdup(value);
        ovs_list_init(&label->values);
        hmap_insert(&groups->carriers, &label->node, hash_label(key, value));
        if (value) {
            label->of = make(groups, key, NULL);
            ovs_list_push_back(&label->of->values, &label->sibling);
        }
    }
    return label;
}

static void
destroy(struct np_groups *groups, struct np_carrier_label *label)
{
    hmap_remove(&groups->carriers, &label->node);
    free(label->key);
    free(label->value);
    free(label->ids);
    free(label);
}

void
np_carriers_add(struct np_groups *groups, struct np_profile *profile)
{
    size_t n = profile->labels.n;

    profile->carried = xmalloc((n + 1) * sizeof *profile->carried);
    for (size_t i = 0; i < n; i++) {
        struct np_carrier_label *label = make(groups, profile->labels.v[i].key,
                                              profile->labels.v[i].value);

        if (label->n >= label->allocated) {
            label->ids = x2nrealloc(label->ids, &label->allocated,
                                    sizeof *label->ids);
        }
        profile->carried[i] = (struct np_carried) { label, label->n };
        label->ids[label->n++] = profile->id;
    }
}

/* PROFILE, which was the last in the list of LABEL, is at PLACE now. */
static void
move(struct np_profile *profile, const struct np_carrier_label *label,
     uint32_t place)
{
    for (size_t i = 0; i < profile->labels.n; i++) {
        if (profile->carried[i].label == label) {
            profile->carried[i].place = place;
            return;
        }
    }
}

void
np_carriers_remove(struct np_groups *groups, struct np_profile *profile)
{
    for (size_t i = 0; i < profile->labels.n; i++) {
        struct np_carrier_label *label = profile->carried[i].label;
        uint32_t place = profile->carried[i].place;
        uint32_t last = label->ids[--label->n];

        if (label->n) {
            label->ids[place] = last;
            move(np_groups_profile(groups, last), label, place);
            continue;
        }
        ovs_list_remove(&label->sibling);
        if (ovs_list_is_empty(&label->of->values)) {
            destroy(groups, label->of);
        }
        destroy(groups, label);
    }
    free(profile->carried);
    profile->carried = NULL;
}

static void
for_each_at(const struct np_groups *groups,
            const struct np_carrier_label *label, np_carrier_cb *cb, void *aux)
{
    for (size_t i = 0; i < label->n; i++) {
        cb(np_groups_profile(groups, label->ids[i]), aux);
    }
}

void
np_carriers_for_each(const struct np_groups *groups,
                     const struct np_requirement *req, np_carrier_cb *cb,
                     void *aux)
{
    const struct np_carrier_label *label;

    if (req->op == NP_EXISTS) {
        const struct np_carrier_label *key = find(groups, req->key, NULL);

        if (key) {
            LIST_FOR_EACH (label, sibling, &key->values) {
                for_each_at(groups, label, cb, aux);
            }
        }
        return;
    }
    for (size_t i = 0; i < req->n_values; i++) {
        label = find(groups, req->key, req->values[i]);
        if (label) {
            for_each_at(groups, label, cb, aux);
        }
    }
}

void
np_carriers_destroy(struct np_groups *groups)
{
    struct np_carrier_label *label;

    HMAP_FOR_EACH_SAFE (label, node, &groups->carriers) {
        destroy(groups, label);
    }
    hmap_destroy(&groups->carriers);
}

#ifndef GROUP_PRIVATE_H
#define GROUP_PRIVATE_H 1

#include "netpol/group.h"

/* index.c: from a label to the groups that ask for it, or to the namespaces
 * that have it.
 *
 * The scope, KEY and VALUE may be NULL, which is different from any text.  The
 * hashes are kept because a profile's labels are all looked up in several
 * scopes. */
struct np_index_scope {
    const char *name;
    uint32_t hash;
};
struct np_index_scope np_index_scope(const char *name);
struct np_index_key {
    struct np_index_scope scope;
    const char *key;
    const char *value;
    uint32_t hash;              /* Of key and value. */
};
struct np_index_key np_index_key(struct np_index_scope, const char *key,
                                 const char *value);
void np_index_add(struct hmap *index, const struct np_index_key *,
                  uint32_t id);
void np_index_remove(struct hmap *index, const struct np_index_key *,
                     uint32_t id);
/* NULL for nobody. */
const struct np_idset *np_index_find(const struct hmap *index,
                                     const struct np_index_key *);
void np_index_destroy(struct hmap *index);

/* carrier.c: from a label to the profiles that carry it. */
struct np_carried {
    struct np_carrier_label *label;
    uint32_t place;             /* In its list. */
};
void np_carriers_add(struct np_groups *, struct np_profile *);
void np_carriers_remove(struct np_groups *, struct np_profile *);
void np_carriers_destroy(struct np_groups *);
/* Calls CB once for each profile whose labels satisfy a requirement that needs
 * one to be there. */
typedef void np_carrier_cb(struct np_profile *, void *aux);
void np_carriers_for_each(const struct np_groups *,
                          const struct np_requirement *, np_carrier_cb *,
                          void *aux);

/* The requirement of a selector that narrows it down most, of those that need
 * a label to be there; NULL if there is none. */
const struct np_requirement *np_narrowest(const struct np_selector *);

/* profile.c: a namespace that exists or has pods. */
struct np_ns {
    struct hmap_node node;      /* In struct np_groups. */
    uint32_t id;
    char *name;
    const struct np_labels *labels;     /* The object's, or 'implied'. */
    struct np_label implied_label;
    struct np_labels implied;
    struct ovs_list profiles;
};
bool np_group_matches(const struct np_group *, const struct np_profile *);
/* Holds GROUP, which is new, against the profiles that may be in it. */
void np_profiles_add_group(struct np_groups *, struct np_group *);
void np_profiles_remove_group(struct np_groups *, struct np_group *);
void np_profiles_destroy(struct np_groups *);

/* group.c: adds to FOUND the groups that PROFILE may be in; each must still be
 * held against it. */
void np_groups_candidates(const struct np_groups *, const struct np_profile *,
                          struct np_idset *found);

#endif /* group/private.h */

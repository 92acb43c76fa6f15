/* Identities: why the table is small.
 *
 * Addresses that belong to exactly the same sets are one class; its number is
 * loaded into a register by the longest prefix that contains the address, and
 * rules match the number.  So a rule costs as many flows as it has classes,
 * whatever the number of pods, and a pod that comes costs one flow in each of
 * the two identity tables, whatever the number of rules.
 *
 * A point inside a longer stretch of its own class needs no flow: the flow of
 * the stretch says the same. */

#include <config.h>
#include <stdlib.h>
#include "compile/identity.h"
#include "hash.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

static struct np_identity *
identity_of(struct np_identities *ids, const struct np_point *point)
{
    uint32_t hash = np_idset_hash(&point->sets, point->flags);
    struct np_identity *id;

    HMAP_FOR_EACH_WITH_HASH (id, node, hash, &ids->by_content) {
        if (id->flags == point->flags
            && np_idset_equal(id->sets, &point->sets)) {
            return id;
        }
    }
    id = xzalloc(sizeof *id);
    id->flags = point->flags;
    id->sets = &point->sets;
    hmap_insert(&ids->by_content, &id->node, hash);
    return id;
}

/* Says the stretch around POINT already what its own flow would? */
static bool
is_redundant(const struct np_point *point)
{
    const struct np_point *parent = point->parent;

    return (parent && parent->flags == point->flags
            && np_idset_equal(&parent->sets, &point->sets));
}

static int
compare_identities(const void *a_, const void *b_)
{
    const struct np_identity *a = *(const struct np_identity *const *) a_;
    const struct np_identity *b = *(const struct np_identity *const *) b_;

    if (a->flags != b->flags) {
        return a->flags < b->flags ? -1 : 1;
    }
    return np_idset_compare(a->sets, b->sets);
}

/* For each set, the numbers of the identities that are in it. */
static void
index_sets(struct np_identities *ids, size_t n_sets)
{
    ids->n_of_set = n_sets;
    ids->of_set = xzalloc((n_sets + 1) * sizeof *ids->of_set);
    for (size_t i = 0; i < ids->n; i++) {
        const struct np_identity *id = ids->sorted[i];

        for (size_t j = 0; j < id->sets->n; j++) {
            np_idset_add(&ids->of_set[id->sets->v[j]], id->number);
        }
    }
}

void
np_identities_build(struct np_identities *ids, const struct np_points *points,
                    struct np_numbers *numbers)
{
    struct np_identity *id;

    memset(ids, 0, sizeof *ids);
    hmap_init(&ids->by_content);
    for (size_t i = 0; i < points->n; i++) {
        const struct np_point *point = points->sorted[i];

        if (!is_redundant(point)) {
            id = identity_of(ids, point);
            if (id->n_points >= id->allocated) {
                id->points = x2nrealloc(id->points, &id->allocated,
                                        sizeof *id->points);
            }
            id->points[id->n_points++] = point;
        }
    }

    ids->sorted = xmalloc(hmap_count(&ids->by_content) * sizeof *ids->sorted);
    HMAP_FOR_EACH (id, node, &ids->by_content) {
        ids->sorted[ids->n++] = id;
    }
    qsort(ids->sorted, ids->n, sizeof *ids->sorted, compare_identities);
    np_numbers_assign(numbers, ids);
    index_sets(ids, points->next_id);
}

void
np_identities_destroy(struct np_identities *ids)
{
    struct np_identity *id;

    HMAP_FOR_EACH_POP (id, node, &ids->by_content) {
        free(id->points);
        free(id);
    }
    hmap_destroy(&ids->by_content);
    for (size_t i = 0; i < ids->n_of_set; i++) {
        np_idset_clear(&ids->of_set[i]);
    }
    free(ids->of_set);
    free(ids->sorted);
}

static void
match_prefix(struct match *match, const struct np_prefix *p, bool source)
{
    match_init_catchall(match);
    if (p->family == 4) {
        ovs_be32 mask = be32_prefix_mask(p->len);
        ovs_be32 addr;

        memcpy(&addr, p->bytes, sizeof addr);
        match_set_dl_type(match, htons(ETH_TYPE_IP));
        if (source) {
            match_set_nw_src_masked(match, addr, mask);
        } else {
            match_set_nw_dst_masked(match, addr, mask);
        }
    } else {
        struct in6_addr mask = ipv6_create_mask(p->len);
        struct in6_addr addr;

        memcpy(&addr, p->bytes, sizeof addr);
        match_set_dl_type(match, htons(ETH_TYPE_IPV6));
        if (source) {
            match_set_ipv6_src_masked(match, &addr, &mask);
        } else {
            match_set_ipv6_dst_masked(match, &addr, &mask);
        }
    }
}

static void
build_table(struct np_build *b, const struct np_identity *id, bool source)
{
    uint8_t table = source ? NP_T_SRC_IDENTITY : NP_T_DST_IDENTITY;
    uint64_t cookie = np_cookie(NP_FLOW_IDENTITY, id->number);
    uint64_t stub[128 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);

    np_put_load(&actions, source ? MFF_REG1 : MFF_REG2, id->number);
    np_put_load(&actions, source ? MFF_REG3 : MFF_REG4, id->flags);
    for (size_t i = 0; i < id->n_points; i++) {
        const struct np_prefix *p = &id->points[i]->prefix;
        struct match match;

        /* One above the length: the table's own last flow is at 0. */
        match_prefix(&match, p, source);
        np_build_match(b, table, p->len + 1, cookie, &match, &actions);
    }
    ofpbuf_uninit(&actions);
}

void
np_build_identities(struct np_build *b, const struct np_identities *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        build_table(b, ids->sorted[i], true);
        build_table(b, ids->sorted[i], false);
    }
}

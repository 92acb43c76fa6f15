/* Numbers of identities, from one build to the next.
 *
 * A class has no name of its own: policies come and go and its content
 * changes, while its addresses stay.  So each address remembers its number,
 * and a class takes the number that most of its addresses had, the biggest
 * class first.  What did not change keeps its number, and nothing is sent for
 * it; and since the installed identity table is itself that memory, a restart
 * over a right table changes nothing. */

#include <config.h>
#include <stdlib.h>
#include "compile/identity.h"
#include "hash.h"
#include "openvswitch/match.h"
#include "packets.h"
#include "util.h"

struct remembered {
    struct hmap_node node;
    struct np_prefix prefix;
    uint32_t number;
};

struct np_numbers {
    struct hmap by_prefix;      /* struct remembered. */
};

struct np_numbers *
np_numbers_create(void)
{
    struct np_numbers *numbers = xmalloc(sizeof *numbers);

    hmap_init(&numbers->by_prefix);
    return numbers;
}

static void
forget(struct np_numbers *numbers)
{
    struct remembered *r;

    HMAP_FOR_EACH_POP (r, node, &numbers->by_prefix) {
        free(r);
    }
}

void
np_numbers_destroy(struct np_numbers *numbers)
{
    if (numbers) {
        forget(numbers);
        hmap_destroy(&numbers->by_prefix);
        free(numbers);
    }
}

static void
remember(struct np_numbers *numbers, const struct np_prefix *prefix,
         uint32_t number)
{
    struct remembered *r = xmalloc(sizeof *r);

    r->prefix = *prefix;
    r->number = number;
    hmap_insert(&numbers->by_prefix, &r->node, np_prefix_hash(prefix, 0));
}

/* The number that PREFIX had, or 0. */
static uint32_t
recall(const struct np_numbers *numbers, const struct np_prefix *prefix)
{
    const struct remembered *r;

    HMAP_FOR_EACH_WITH_HASH (r, node, np_prefix_hash(prefix, 0),
                             &numbers->by_prefix) {
        if (np_prefix_equal(&r->prefix, prefix)) {
            return r->number;
        }
    }
    return 0;
}

static bool
prefix_from_match(const struct match *match, struct np_prefix *p)
{
    if (match->flow.dl_type == htons(ETH_TYPE_IP)) {
        *p = np_prefix_v4(match->flow.nw_src,
                          ip_count_cidr_bits(match->wc.masks.nw_src));
        return ip_is_cidr(match->wc.masks.nw_src);
    } else if (match->flow.dl_type == htons(ETH_TYPE_IPV6)) {
        const struct in6_addr *mask = &match->wc.masks.ipv6_src;

        *p = np_prefix_v6(&match->flow.ipv6_src, ipv6_count_cidr_bits(mask));
        return ipv6_is_cidr(mask);
    }
    return false;
}

void
np_numbers_adopt(struct np_numbers *numbers, const struct np_flow_set *flows,
                 uint8_t src_identity_table)
{
    const struct np_flow *flow;

    forget(numbers);
    HMAP_FOR_EACH (flow, node, &flows->flows) {
        uint32_t number = (uint32_t) flow->cookie;
        struct np_prefix prefix;
        struct match match;

        if (flow->table == src_identity_table && number
            && np_cookie_is_ours(flow->cookie)
            && np_cookie_kind(flow->cookie) == NP_FLOW_IDENTITY) {
            minimatch_expand(&flow->match, &match);
            if (prefix_from_match(&match, &prefix)) {
                remember(numbers, &prefix, number);
            }
        }
    }
}

static int
compare_numbers(const void *a_, const void *b_)
{
    const uint32_t *a = a_;
    const uint32_t *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* The number that most points of ID had; of equally many the lowest. */
static uint32_t
favourite(const struct np_numbers *numbers, const struct np_identity *id)
{
    uint32_t *had = xmalloc(id->n_points * sizeof *had);
    uint32_t best = 0;
    size_t best_run = 0;
    size_t run = 0;

    for (size_t i = 0; i < id->n_points; i++) {
        had[i] = recall(numbers, &id->points[i]->prefix);
    }
    qsort(had, id->n_points, sizeof *had, compare_numbers);
    for (size_t i = 0; i < id->n_points; i++) {
        run = i && had[i] == had[i - 1] ? run + 1 : 1;
        if (had[i] && run > best_run) {
            best = had[i];
            best_run = run;
        }
    }
    free(had);
    return best;
}

struct candidate {
    struct np_identity *id;
    size_t order;               /* Canonical, to break ties. */
};

static int
compare_candidates(const void *a_, const void *b_)
{
    const struct candidate *a = a_;
    const struct candidate *b = b_;

    if (a->id->n_points != b->id->n_points) {
        return a->id->n_points > b->id->n_points ? -1 : 1;
    }
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Gives the lowest free numbers to those that are still without one, in the
 * canonical order, so that a first build reads well. */
static void
number_rest(struct np_identities *ids, const struct np_idset *used)
{
    uint32_t next = 1;

    for (size_t i = 0; i < ids->n; i++) {
        struct np_identity *id = ids->sorted[i];

        if (!id->number) {
            while (np_idset_contains(used, next)) {
                next++;
            }
            id->number = next++;
        }
    }
}

void
np_numbers_assign(struct np_numbers *numbers, struct np_identities *ids)
{
    struct candidate *candidates = xmalloc(ids->n * sizeof *candidates);
    struct np_idset used = { NULL, 0, 0 };

    for (size_t i = 0; i < ids->n; i++) {
        candidates[i] = (struct candidate) { ids->sorted[i], i };
    }
    qsort(candidates, ids->n, sizeof *candidates, compare_candidates);
    for (size_t i = 0; i < ids->n; i++) {
        uint32_t number = favourite(numbers, candidates[i].id);

        if (number && np_idset_add(&used, number)) {
            candidates[i].id->number = number;
        }
    }
    number_rest(ids, &used);
    free(candidates);
    np_idset_clear(&used);

    forget(numbers);
    for (size_t i = 0; i < ids->n; i++) {
        const struct np_identity *id = ids->sorted[i];

        for (size_t j = 0; j < id->n_points; j++) {
            remember(numbers, &id->points[j]->prefix, id->number);
        }
    }
}

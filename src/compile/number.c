/* Numbers of identities.
 *
 * A class has no name of its own: policies come and go and its content
 * changes, while its addresses stay.  So when the addresses of a class become
 * another one, and the old class is no more, the new one takes its number, and
 * nothing is sent for them; of several, the one that takes most of them.
 *
 * The installed identity table is a memory of numbers as well: at the first
 * apply addresses come from the classes that an earlier run left there, so a
 * restart over a right table changes nothing. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"

/* The number that a prefix had in an earlier run. */
struct hint {
    struct hmap_node node;
    struct np_prefix prefix;
    uint32_t number;
};

static uint32_t
find_hint(const struct np_compiler *c, const struct np_prefix *prefix)
{
    const struct hint *h;

    if (hmap_is_empty(&c->hints)) {
        return 0;
    }
    HMAP_FOR_EACH_WITH_HASH (h, node, np_prefix_hash(prefix, 0), &c->hints) {
        if (np_prefix_equal(&h->prefix, prefix)) {
            return h->number;
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

static void
add_hint(struct np_compiler *c, const struct np_prefix *prefix,
         uint32_t number)
{
    struct hint *h = xmalloc(sizeof *h);

    h->prefix = *prefix;
    h->number = number;
    hmap_insert(&c->hints, &h->node, np_prefix_hash(prefix, 0));
}

void
np_hints_forget(struct np_compiler *c)
{
    struct hint *h;

    HMAP_FOR_EACH_POP (h, node, &c->hints) {
        free(h);
    }
    hmap_shrink(&c->hints);
}

void
np_hints_adopt(struct np_compiler *c, const struct np_flow_set *flows)
{
    const uint8_t table = NP_T_SRC_IDENTITY + c->config.table_base;
    const struct np_flow *flow;

    np_hints_forget(c);
    HMAP_FOR_EACH (flow, node, &flows->flows) {
        uint32_t number = (uint32_t) flow->cookie;
        struct np_prefix prefix;
        struct match match;

        if (flow->table == table && number
            && np_cookie_is_ours(flow->cookie)
            && np_cookie_kind(flow->cookie) == NP_FLOW_IDENTITY) {
            np_flow_expand(flow, &match);
            if (prefix_from_match(&match, &prefix)) {
                add_hint(c, &prefix, number);
            }
        }
    }
}

/* The lowest number that is not in USED. */
static uint32_t
lowest_free(const struct np_idset *used)
{
    size_t lo = 0;
    size_t hi = used->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (used->v[mid] == mid + 1) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo + 1;
}

/* One point's say in the number of the class that it comes into. */
struct vote {
    struct np_identity *id;
    uint32_t number;
    struct np_identity *old;    /* Whose number it is, NULL for a hint. */
};

static int
compare_votes(const void *a_, const void *b_)
{
    const struct vote *a = a_;
    const struct vote *b = b_;

    if (a->id != b->id) {
        return a->id->order < b->id->order ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

static struct vote *
collect_votes(const struct np_compiler *c, const struct np_judged *judged,
              size_t n_judged, size_t *n)
{
    struct vote *votes = xmalloc((n_judged + 1) * sizeof *votes);

    *n = 0;
    for (size_t i = 0; i < n_judged; i++) {
        const struct np_judged *j = &judged[i];
        uint32_t number = 0;

        if (!j->new || j->new->number) {
            continue;
        }
        if (j->old && j->old->dead) {
            number = j->old->number;
        } else if (!j->old) {
            number = find_hint(c, &j->point->prefix);
        }
        if (number) {
            votes[(*n)++] = (struct vote) { j->new, number, j->old };
        }
    }
    qsort(votes, *n, sizeof *votes, compare_votes);
    return votes;
}

/* Of the N votes for one class, all those for one number; returns how many
 * there are from V on. */
static size_t
run_length(const struct vote *v, size_t n)
{
    size_t i = 1;

    while (i < n && v[i].id == v->id && v[i].number == v->number) {
        i++;
    }
    return i;
}

/* A number that a class would like to have, as many times as it was voted
 * for. */
struct wish {
    const struct vote *vote;
    size_t n;
};

static int
compare_wishes(const void *a_, const void *b_)
{
    const struct wish *a = a_;
    const struct wish *b = b_;

    if (a->n != b->n) {
        return a->n > b->n ? -1 : 1;
    }
    return compare_votes(a->vote, b->vote);
}

static void
grant(struct np_compiler *c, const struct wish *wish)
{
    struct np_identity *id = wish->vote->id;
    struct np_identity *old = wish->vote->old;

    if (id->number || (old ? old->heir != NULL
                       : !np_idset_add(&c->numbers, wish->vote->number))) {
        return;
    }
    id->number = wish->vote->number;
    if (old) {
        old->heir = id;
        id->is_heir = true;
    }
}

static void
grant_wishes(struct np_compiler *c, const struct vote *votes, size_t n_votes)
{
    struct wish *wishes = xmalloc((n_votes + 1) * sizeof *wishes);
    size_t n = 0;

    for (size_t i = 0; i < n_votes; i += wishes[n++].n) {
        wishes[n].vote = &votes[i];
        wishes[n].n = run_length(&votes[i], n_votes - i);
    }
    qsort(wishes, n, sizeof *wishes, compare_wishes);
    for (size_t i = 0; i < n; i++) {
        grant(c, &wishes[i]);
    }
    free(wishes);
}

/* The keys of ID's sets, the plain ones first and each kind sorted: an order
 * of classes that depends on what they mean, not on who came first. */
struct described {
    struct np_identity *id;
    const char **keys;
    size_t n;
};

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static struct described
describe(const struct np_compiler *c, struct np_identity *id)
{
    struct described d = { id, xmalloc((id->sets.n + 1) * sizeof *d.keys), 0 };

    for (size_t i = 0; i < id->sets.n; i++) {
        const struct np_cset *cset = np_cset(c, id->sets.v[i]);

        d.keys[d.n++] = np_cset_key(cset);
    }
    qsort(d.keys, d.n, sizeof *d.keys, compare_keys);
    return d;
}

static int
compare_described(const void *a_, const void *b_)
{
    const struct described *a = a_;
    const struct described *b = b_;

    if (a->id->flags != b->id->flags) {
        return a->id->flags < b->id->flags ? -1 : 1;
    } else if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (size_t i = 0; i < a->n; i++) {
        int cmp = strcmp(a->keys[i], b->keys[i]);

        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

static void
sort_fresh(const struct np_compiler *c, struct np_list *fresh)
{
    struct described *v = xmalloc((fresh->n + 1) * sizeof *v);

    for (size_t i = 0; i < fresh->n; i++) {
        v[i] = describe(c, fresh->v[i]);
    }
    qsort(v, fresh->n, sizeof *v, compare_described);
    for (size_t i = 0; i < fresh->n; i++) {
        fresh->v[i] = v[i].id;
        v[i].id->order = i;
        free(v[i].keys);
    }
    free(v);
}

void
np_numbers_assign(struct np_compiler *c, struct np_list *fresh,
                  const struct np_judged *judged, size_t n_judged)
{
    struct vote *votes;
    size_t n_votes;

    if (!fresh->n) {
        return;
    }
    sort_fresh(c, fresh);
    votes = collect_votes(c, judged, n_judged, &n_votes);
    grant_wishes(c, votes, n_votes);
    free(votes);
    for (size_t i = 0; i < fresh->n; i++) {
        struct np_identity *id = fresh->v[i];

        if (!id->number) {
            id->number = lowest_free(&c->numbers);
            np_idset_add(&c->numbers, id->number);
        }
    }
}

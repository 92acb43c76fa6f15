/* Prefixes as text, one a line behind four bytes that are a range of ports;
 * then all of them in a trie, which must know what a plain search knows. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "netpol/addr.h"
#include "netpol/portrange.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

enum { MAX_PREFIXES = 64 };

struct prefixes {
    struct np_prefix v[MAX_PREFIXES];
    size_t n;
};

static void
check_ports(uint16_t lo, uint16_t hi)
{
    struct np_port_mask masks[NP_PORT_MASKS_MAX];
    size_t n = np_port_masks(lo, hi, masks);
    uint32_t next = lo;

    ovs_assert(n <= NP_PORT_MASKS_MAX);
    for (size_t i = 0; i < n; i++) {
        ovs_assert(masks[i].value == next);
        ovs_assert(!(masks[i].value & ~masks[i].mask));
        next += (uint32_t) (uint16_t) ~masks[i].mask + 1;
    }
    ovs_assert(next == (uint32_t) hi + 1);
}

/* Whatever is a prefix is one again, the same, when it is printed. */
static bool
parse(const char *text, struct np_prefix *p)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_prefix again, addr;
    bool host_bits;

    if (!np_prefix_parse(text, p, &host_bits)) {
        ovs_assert(!np_addr_parse(text, &addr));
        return false;
    }
    ovs_assert(p->family == 4 || p->family == 6);
    ovs_assert(p->len <= np_prefix_max_len(p));
    ovs_assert(np_addr_parse(text, &addr) == !strchr(text, '/'));
    np_prefix_format(p, &s);
    ovs_assert(np_prefix_parse(ds_cstr(&s), &again, &host_bits));
    ovs_assert(!host_bits && np_prefix_equal(p, &again));
    ovs_assert(np_prefix_hash(p, 0) == np_prefix_hash(&again, 0));
    ovs_assert(np_prefix_contains(p, &again));
    ds_destroy(&s);
    return true;
}

/* The longest of the first N that contains P; itself only if EQUAL. */
static const struct np_prefix *
search(const struct prefixes *all, size_t n, const struct np_prefix *p,
       bool equal)
{
    const struct np_prefix *best = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct np_prefix *q = &all->v[i];

        if (np_prefix_contains(q, p) && (equal || q->len < p->len)
            && (!best || q->len > best->len)) {
            best = q;
        }
    }
    return best;
}

static void
check_value(const void *value, const struct np_prefix *expected)
{
    ovs_assert(!value == !expected);
    ovs_assert(!value || np_prefix_equal(value, expected));
}

struct walk {
    const struct np_prefix *last;
    size_t n;
};

static bool
count(const struct np_prefix *p, void *value, void *walk_)
{
    struct walk *walk = walk_;

    ovs_assert(np_prefix_equal(p, value));
    ovs_assert(!walk->last || np_prefix_compare(walk->last, p) < 0);
    walk->last = value;
    walk->n++;
    return true;
}

static void
check_trie(struct prefixes *all)
{
    static const struct np_prefix roots[] = { { .family = 4 },
                                              { .family = 6 } };
    struct np_trie *trie = np_trie_create();
    size_t n = all->n;

    for (size_t i = 0; i < n; i++) {
        np_trie_set(trie, &all->v[i], &all->v[i]);
    }
    for (;;) {
        struct walk walk = { .n = 0 };
        size_t n_distinct = 0;

        for (size_t i = 0; i < all->n; i++) {
            const struct np_prefix *p = &all->v[i];

            check_value(np_trie_lookup(trie, p), search(all, n, p, true));
            check_value(np_trie_lookup_shorter(trie, p),
                        search(all, n, p, false));
        }
        for (size_t i = 0; i < n; i++) {
            const struct np_prefix *p = search(all, i, &all->v[i], true);

            n_distinct += !p || !np_prefix_equal(p, &all->v[i]);
        }
        np_trie_for_each(trie, &roots[0], count, &walk);
        walk.last = NULL;
        np_trie_for_each(trie, &roots[1], count, &walk);
        ovs_assert(walk.n == n_distinct);
        if (!n) {
            break;
        }
        /* Half of them go, but for those that are still there once more. */
        for (size_t i = n / 2; i < n; i++) {
            const struct np_prefix *p = search(all, n / 2, &all->v[i], true);

            if (!p || !np_prefix_equal(p, &all->v[i])) {
                np_trie_set(trie, &all->v[i], NULL);
            }
        }
        n /= 2;
    }
    np_trie_destroy(trie);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct prefixes all = { .n = 0 };
    char *text, *save = NULL;
    uint16_t lo, hi;

    if (size < 4) {
        return 0;
    }
    lo = data[0] << 8 | data[1];
    hi = data[2] << 8 | data[3];
    check_ports(MIN(lo, hi), MAX(lo, hi));

    text = xmemdup0((const char *) data + 4, size - 4);
    for (char *line = strtok_r(text, "\n", &save);
         line && all.n < MAX_PREFIXES; line = strtok_r(NULL, "\n", &save)) {
        all.n += parse(line, &all.v[all.n]);
    }
    free(text);
    check_trie(&all);
    return 0;
}

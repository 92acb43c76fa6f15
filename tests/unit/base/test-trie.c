#include <config.h>
#include "../unit.h"
#include "netpol/addr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests.h"
#include "util.h"

/* The reference: a flat list. */
struct entry {
    struct np_prefix prefix;
    void *value;
};

#define MAX_ENTRIES 4096

struct list {
    struct entry v[MAX_ENTRIES];
    size_t n;
};

static void *
list_set(struct list *list, const struct np_prefix *p, void *value)
{
    for (size_t i = 0; i < list->n; i++) {
        if (np_prefix_equal(&list->v[i].prefix, p)) {
            void *old = list->v[i].value;

            list->v[i].value = value;
            if (!value) {
                list->v[i] = list->v[--list->n];
            }
            return old;
        }
    }
    if (value) {
        assert_true(list->n < MAX_ENTRIES);
        list->v[list->n].prefix = *p;
        list->v[list->n++].value = value;
    }
    return NULL;
}

static void *
list_lookup(const struct list *list, const struct np_prefix *p, int max_len)
{
    const struct entry *best = NULL;

    for (size_t i = 0; i < list->n; i++) {
        const struct entry *e = &list->v[i];

        if (e->prefix.len <= max_len && np_prefix_contains(&e->prefix, p)
            && (!best || e->prefix.len > best->prefix.len)) {
            best = e;
        }
    }
    return best ? best->value : NULL;
}

/* Few address bits at both ends, so that prefixes nest and part everywhere. */
static struct np_prefix
random_prefix(uint32_t *seed)
{
    struct in6_addr in6 = { .s6_addr = { 0xfd } };
    uint32_t r = unit_random(seed);

    if (r & 1) {
        return np_prefix_v4(htonl(r & 0xe0180007),
                            unit_random_below(seed, 33));
    }
    in6.s6_addr[1] = r >> 24 & 0xe0;
    in6.s6_addr[7] = r >> 16 & 0x18;
    in6.s6_addr[15] = r >> 4 & 0x7;
    return np_prefix_v6(&in6, unit_random_below(seed, 129));
}

struct visit {
    const struct list *list;
    const struct np_prefix *within;
    struct np_prefix last;
    size_t n;
};

static bool
visit_cb(const struct np_prefix *p, void *value, void *v_)
{
    struct visit *v = v_;

    assert_true(np_prefix_contains(v->within, p));
    assert_ptr_equal(list_lookup(v->list, p, p->len), value);
    if (v->n++) {
        assert_true(np_prefix_compare(&v->last, p) < 0);
    }
    v->last = *p;
    return true;
}

static void
check_walk(const struct np_trie *trie, const struct list *list,
           const struct np_prefix *within)
{
    struct visit v = { .list = list, .within = within };
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        n += np_prefix_contains(within, &list->v[i].prefix);
    }
    np_trie_for_each(trie, within, visit_cb, &v);
    assert_int_equal(v.n, n);
}

static void
against_a_list(void **state OVS_UNUSED)
{
    struct np_trie *trie = np_trie_create();
    struct list *list = xzalloc(sizeof *list);
    uint32_t seed = 42;
    char values[16];

    for (int i = 0; i < 20000; i++) {
        struct np_prefix p = random_prefix(&seed);
        /* Phases that grow and that shrink. */
        bool add = unit_random_below(&seed, 10) < (i / 2000 % 2 ? 3 : 7);
        struct np_prefix q = list->n && !add && unit_random_below(&seed, 4)
            ? list->v[unit_random_below(&seed, list->n)].prefix : p;
        void *value = add ? &values[unit_random_below(&seed, 16)] : NULL;

        assert_ptr_equal(np_trie_set(trie, &q, value),
                         list_set(list, &q, value));
        p = random_prefix(&seed);
        assert_ptr_equal(np_trie_lookup(trie, &p),
                         list_lookup(list, &p, p.len));
        assert_ptr_equal(np_trie_lookup_shorter(trie, &p),
                         list_lookup(list, &p, (int) p.len - 1));
        assert_ptr_equal(np_trie_get(trie, &q), value);
        if (i % 50 == 0) {
            check_walk(trie, list, &p);
        }
    }
    np_trie_destroy(trie);
    free(list);
}

static void
edges(void **state OVS_UNUSED)
{
    struct np_trie *trie = np_trie_create();
    struct np_prefix all4 = np_prefix_v4(0, 0);
    struct np_prefix all6, one4, one6;
    int a, b;

    assert_true(np_prefix_parse("::/0", &all6, NULL));
    assert_true(np_prefix_parse("255.255.255.255", &one4, NULL));
    assert_true(np_prefix_parse("::", &one6, NULL));
    assert_null(np_trie_lookup(trie, &one4));
    assert_null(np_trie_set(trie, &one4, NULL));
    assert_null(np_trie_set(trie, &all4, &a));
    /* The families never meet. */
    assert_null(np_trie_lookup(trie, &one6));
    assert_ptr_equal(np_trie_lookup(trie, &one4), &a);
    assert_null(np_trie_lookup_shorter(trie, &all4));
    assert_null(np_trie_set(trie, &one6, &b));
    assert_null(np_trie_lookup(trie, &all6));
    assert_null(np_trie_lookup_shorter(trie, &one6));
    assert_ptr_equal(np_trie_set(trie, &all4, &b), &a);
    assert_ptr_equal(np_trie_set(trie, &all4, NULL), &b);
    assert_null(np_trie_lookup(trie, &one4));
    np_trie_destroy(trie);
    np_trie_destroy(NULL);
}

static bool
count_cb(const struct np_prefix *p OVS_UNUSED, void *value OVS_UNUSED,
         void *n)
{
    ++*(size_t *) n;
    return true;
}

static void
two_hundred_thousand(void **state OVS_UNUSED)
{
    struct np_trie *trie = np_trie_create();
    struct np_prefix all4 = np_prefix_v4(0, 0);
    size_t n = 0;

    for (uint32_t i = 0; i < 200000; i++) {
        struct np_prefix p = np_prefix_v4(htonl(i * 2654435761u), 32);

        assert_null(np_trie_set(trie, &p, &n));
    }
    np_trie_for_each(trie, &all4, count_cb, &n);
    assert_int_equal(n, 200000);
    for (uint32_t i = 0; i < 200000; i++) {
        struct np_prefix p = np_prefix_v4(htonl(i * 2654435761u), 32);

        assert_ptr_equal(np_trie_set(trie, &p, NULL), &n);
    }
    n = 0;
    np_trie_for_each(trie, &all4, count_cb, &n);
    assert_int_equal(n, 0);
    np_trie_destroy(trie);
}

int
test_trie(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),
        cmocka_unit_test(against_a_list),
        cmocka_unit_test(two_hundred_thousand),
    };

    return cmocka_run_group_tests_name("trie", tests, NULL, NULL);
}

#include <config.h>
#include "../unit.h"
#include "netpol/idset.h"

#include <stdlib.h>
#include <string.h>

#include "tests.h"
#include "util.h"

/* The reference: one bool an id. */
#define MAX_ID 64

static struct np_idset
random_set(uint32_t *seed, bool in[MAX_ID])
{
    struct np_idset set = { NULL, 0, 0 };
    size_t n = unit_random_below(seed, 24);

    memset(in, 0, MAX_ID * sizeof *in);
    for (size_t i = 0; i < n; i++) {
        uint32_t id = unit_random_below(seed, MAX_ID);

        assert_int_equal(np_idset_add(&set, id), !in[id]);
        in[id] = true;
    }
    return set;
}

static void
check_set(const struct np_idset *set, const bool in[MAX_ID])
{
    size_t n = 0;

    for (uint32_t id = 0; id < MAX_ID; id++) {
        n += in[id];
        assert_int_equal(np_idset_contains(set, id), in[id]);
    }
    assert_int_equal(set->n, n);
    for (size_t i = 1; i < set->n; i++) {
        assert_true(set->v[i - 1] < set->v[i]);
    }
}

static void
check_order(const struct np_idset *a, const struct np_idset *b)
{
    int cmp = np_idset_compare(a, b);
    size_t i = 0;
    int expected;

    while (i < a->n && i < b->n && a->v[i] == b->v[i]) {
        i++;
    }
    if (a->n != b->n) {
        expected = a->n < b->n ? -1 : 1;
    } else {
        expected = i == a->n ? 0 : a->v[i] < b->v[i] ? -1 : 1;
    }
    assert_int_equal(cmp, expected);
    assert_int_equal(np_idset_compare(b, a), -expected);
    assert_int_equal(np_idset_equal(a, b), !expected);
}

static void
against_bools(void **state OVS_UNUSED)
{
    bool in_a[MAX_ID], in_b[MAX_ID];
    uint32_t seed = 3;

    for (int i = 0; i < 5000; i++) {
        struct np_idset a = random_set(&seed, in_a);
        struct np_idset b = random_set(&seed, in_b);
        uint32_t id = unit_random_below(&seed, MAX_ID);
        struct np_idset c;

        check_set(&a, in_a);
        check_order(&a, &b);
        np_idset_clone(&c, &a);
        assert_true(np_idset_equal(&a, &c));
        assert_int_equal(np_idset_hash(&a, 5), np_idset_hash(&c, 5));

        np_idset_union(&a, &b);
        for (size_t j = 0; j < MAX_ID; j++) {
            in_a[j] |= in_b[j];
        }
        check_set(&a, in_a);
        assert_int_equal(np_idset_remove(&b, id), in_b[id]);
        in_b[id] = false;
        check_set(&b, in_b);
        np_idset_clear(&a);
        np_idset_clear(&b);
        np_idset_clear(&c);
        assert_int_equal(a.n, 0);
    }
}

static void
edges(void **state OVS_UNUSED)
{
    struct np_idset a = { NULL, 0, 0 };
    struct np_idset b = { NULL, 0, 0 };

    assert_true(np_idset_equal(&a, &b));
    assert_int_equal(np_idset_compare(&a, &b), 0);
    np_idset_union(&a, &b);
    assert_false(np_idset_remove(&a, 0));
    assert_true(np_idset_add(&a, UINT32_MAX));
    assert_true(np_idset_add(&a, 0));
    assert_false(np_idset_add(&a, UINT32_MAX));
    assert_int_equal(a.v[0], 0);
    assert_int_equal(a.v[1], UINT32_MAX);
    np_idset_union(&b, &a);
    assert_true(np_idset_equal(&a, &b));
    np_idset_clear(&a);
    np_idset_clear(&b);
}

int
test_idset(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),
        cmocka_unit_test(against_bools),
    };

    return cmocka_run_group_tests_name("idset", tests, NULL, NULL);
}

#include <config.h>
#include "../unit.h"
#include "tests.h"
#include "netpol/pool.h"

#include <stdio.h>
#include <string.h>

#include "util.h"

static void
shared(void **state OVS_UNUSED)
{
    struct np_pool *pool = np_pool_create();
    const char *a = np_pool_string(pool, "a");
    const char *b = np_pool_string(pool, "b");
    char text[] = "a";
    const char *again = np_pool_string(pool, text);

    assert_string_equal(a, "a");
    assert_string_equal(b, "b");
    assert_ptr_equal(again, a);
    assert_null(np_pool_string(pool, NULL));
    assert_int_equal(np_pool_count(pool), 2);
    assert_false(np_pool_is_last(a));
    np_pool_put(a);
    assert_true(np_pool_is_last(again));
    assert_string_equal(again, "a");
    np_pool_put(again);
    assert_int_equal(np_pool_count(pool), 1);
    np_pool_put(b);
    np_pool_put(NULL);
    assert_int_equal(np_pool_count(pool), 0);
    np_pool_destroy(pool);
    np_pool_destroy(NULL);
}

/* Equal bytes of another length are another value. */
static void
bytes(void **state OVS_UNUSED)
{
    struct np_pool *pool = np_pool_create();
    bool known;
    const char *one = np_pool_get(pool, "a\0b", 1, &known);
    const char *two, *three;

    assert_false(known);
    two = np_pool_get(pool, "a\0b", 3, &known);
    assert_false(known);
    three = np_pool_get(pool, "a\0b", 3, &known);
    assert_true(known);
    assert_ptr_equal(two, three);
    assert_ptr_not_equal(one, two);
    assert_memory_equal(two, "a\0b", 3);
    np_pool_put(one);
    np_pool_put(two);
    np_pool_put(three);
    np_pool_destroy(pool);
}

/* Values outlive their pool, and may have none. */
static void
without_pool(void **state OVS_UNUSED)
{
    struct np_pool *pool = np_pool_create();
    const char *values[100];
    const char *a, *b;

    for (int i = 0; i < 100; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i / 2);
        values[i] = np_pool_string(pool, text);
    }
    assert_int_equal(np_pool_count(pool), 50);
    np_pool_destroy(pool);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(np_pool_is_last(values[i]), i % 2);
        np_pool_put(values[i]);
    }

    a = np_pool_string(NULL, "a");
    b = np_pool_string(NULL, "a");
    assert_ptr_not_equal(a, b);
    assert_true(np_pool_is_last(a));
    np_pool_put(a);
    assert_string_equal(b, "a");
    np_pool_put(b);
}

int
test_pool(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared),
        cmocka_unit_test(bytes),
        cmocka_unit_test(without_pool),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static void
put(struct np_flow_set *set, const char *text)
{
    np_flow_destroy(np_flow_set_put(set, flow_of(text, NULL)));
}

static void
keys(void **state OVS_UNUSED)
{
    struct np_flow *a = flow_of("table=1,priority=2,tcp,actions=drop", NULL);
    struct np_flow *b = flow_of("cookie=1,table=1,priority=2,ip,nw_proto=6,"
                                "actions=normal", NULL);
    struct np_flow *c = flow_of("table=1,priority=3,tcp,actions=drop", NULL);
    struct np_flow *d = flow_of("table=2,priority=2,tcp,actions=drop", NULL);

    assert_true(np_flow_same_key(a, b));
    assert_false(np_flow_equal(a, b));
    assert_int_equal(np_flow_compare(a, b), 0);
    assert_false(np_flow_same_key(a, c));
    assert_true(np_flow_compare(a, c) > 0);
    assert_true(np_flow_compare(c, a) < 0);
    assert_false(np_flow_same_key(a, d));
    assert_true(np_flow_compare(a, d) < 0);
    np_flow_destroy(a);
    np_flow_destroy(b);
    np_flow_destroy(c);
    np_flow_destroy(d);
}

static void
one_flow_a_key(void **state OVS_UNUSED)
{
    struct np_flow_set set;
    np_flow_set_init(&set);

    struct np_flow *a = flow_of("table=1,ip,actions=drop", NULL);
    struct np_flow *b = flow_of("table=1,ip,actions=normal", NULL);
    assert_null(np_flow_set_put(&set, a));
    assert_ptr_equal(np_flow_set_find(&set, b), a);
    assert_ptr_equal(np_flow_set_put(&set, b), a);
    assert_int_equal(np_flow_set_count(&set), 1);
    assert_ptr_equal(np_flow_set_find(&set, a), b);
    np_flow_set_remove(&set, b);
    assert_int_equal(np_flow_set_count(&set), 0);
    assert_null(np_flow_set_find(&set, a));
    np_flow_destroy(a);
    np_flow_destroy(b);
    np_flow_set_destroy(&set);
    np_flow_set_destroy(NULL);
    np_flow_destroy(NULL);
}

static void
sorting(void **state OVS_UNUSED)
{
    /* In the order in which they must come out. */
    static const char *const in[] = {
        "table=0,priority=9,actions=drop",
        "table=0,priority=5,reg1=1,actions=drop",
        "table=0,priority=5,reg1=2,actions=drop",
        "table=0,priority=5,reg1=256,actions=drop",
        "table=0,priority=5,reg1=1000000,actions=drop",
        "table=0,priority=5,ip,nw_src=9.0.0.1,actions=drop",
        "table=0,priority=5,ip,nw_src=10.0.0.1,actions=drop",
        "table=0,priority=5,ip,nw_src=10.0.0.2,actions=drop",
        "table=0,priority=5,ip,nw_src=10.0.0.0/24,actions=drop",
        "table=0,priority=0,actions=drop",
        "table=3,priority=60000,actions=drop",
    };
    struct np_flow_set set;

    np_flow_set_init(&set);
    for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
        put(&set, in[(i * 7) % ARRAY_SIZE(in)]);
    }
    const struct np_flow **flows = np_flow_set_sort(&set);
    assert_int_equal(np_flow_set_count(&set), ARRAY_SIZE(in));
    for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
        struct np_flow *expected = flow_of(in[i], NULL);
        if (!np_flow_equal(flows[i], expected)) {
            char *s = text_of(flows[i], NULL);
            fail_msg("at %zu: %s", i, s);
        }
        np_flow_destroy(expected);
    }
    free(flows);
    np_flow_set_clear(&set);
    free(np_flow_set_sort(&set));
    np_flow_set_destroy(&set);
}

/* Few flows and many are sorted in different ways; the order is one. */
static void
sorting_many(void **state OVS_UNUSED)
{
    static const char *const matches[] = {
        "", "ip,", "tcp,tp_dst=%u,", "reg2=%u,", "reg3=%u,", "ct_mark=%u,",
        "reg2=%u,ip,nw_dst=7.0.0.0/8,", "ipv6,ipv6_dst=fd00::%x,",
        "metadata=%u/0xffff,", "in_port=%u,", "reg2=1,reg3=%u,",
        "ip,nw_src=10.0.0.0/24,tp_dst=%u/0xff0,nw_proto=17,",
    };
    struct np_flow_set set;
    uint32_t seed = 3;

    np_flow_set_init(&set);
    for (int n = 0; n < 4000; n++) {
        const char *format = matches[unit_random_below(&seed,
                                                       ARRAY_SIZE(matches))];
        char value[16], *s, *match;

        snprintf(value, sizeof value, "%"PRIu32,
                 1 + unit_random_below(&seed, 6000));
        match = xstrdup(format);
        s = strchr(format, '%');
        if (s) {
            free(match);
            match = xasprintf("%.*s%s%s", (int) (s - format), format, value,
                              s + 2);
        }
        s = xasprintf("table=%"PRIu32",priority=%"PRIu32",%sactions=drop",
                      unit_random_below(&seed, 3), unit_random_below(&seed, 3),
                      match);
        np_flow_destroy(np_flow_set_put(&set, flow_of(s, NULL)));
        free(match);
        free(s);

        if (n % 500 == 60 || n == 3999) {
            const struct np_flow **flows = np_flow_set_sort(&set);

            for (size_t i = 1; i < np_flow_set_count(&set); i++) {
                assert_true(np_flow_compare(flows[i - 1], flows[i]) < 0);
            }
            free(flows);
        }
    }
    assert_true(np_flow_set_count(&set) > 2000);
    np_flow_set_destroy(&set);
}

static void
difference(void **state OVS_UNUSED)
{
    struct np_flow_set from, to;
    struct np_flow_delta d;

    np_flow_set_init(&from);
    np_flow_set_init(&to);
    put(&from, "table=1,priority=1,actions=drop");
    put(&from, "table=1,priority=2,actions=drop");
    put(&from, "table=1,priority=3,actions=drop");
    put(&from, "table=1,priority=4,actions=drop");
    put(&to, "table=1,priority=1,actions=drop");
    put(&to, "table=1,priority=2,actions=normal");
    put(&to, "cookie=5,table=1,priority=3,actions=drop");
    put(&to, "table=1,priority=5,actions=drop");

    np_flow_set_diff(&from, &to, &d);
    assert_int_equal(d.n_put, 3);
    assert_int_equal(d.n_new, 1);
    assert_int_equal(d.put[0]->priority, 5);
    assert_int_equal(d.put[1]->priority, 3);
    assert_int_equal(d.put[2]->priority, 2);
    assert_int_equal(d.n_del, 1);
    assert_int_equal(d.del[0]->priority, 4);
    np_flow_delta_destroy(&d);

    np_flow_set_diff(&to, &to, &d);
    assert_int_equal(d.n_put + d.n_del + d.n_new, 0);
    np_flow_delta_destroy(&d);
    np_flow_delta_destroy(&d);
    np_flow_set_destroy(&from);
    np_flow_set_destroy(&to);
}

static void
fill(struct np_flow_set *set, uint32_t *seed)
{
    for (uint32_t n = unit_random_below(seed, 200); n; n--) {
        char *s = xasprintf("table=%"PRIu32",priority=%"PRIu32",reg1=%"PRIu32
                            ",actions=output:%"PRIu32,
                            unit_random_below(seed, 3),
                            unit_random_below(seed, 4),
                            unit_random_below(seed, 8),
                            1 + unit_random_below(seed, 2));
        put(set, s);
        free(s);
    }
}

/* Whatever the sets, applying the difference gives the other set. */
static void
difference_is_enough(void **state OVS_UNUSED)
{
    uint32_t seed = 5;

    for (int i = 0; i < 50; i++) {
        struct np_flow_set from, to;
        struct np_flow_delta d, none;

        np_flow_set_init(&from);
        np_flow_set_init(&to);
        fill(&from, &seed);
        fill(&to, &seed);
        np_flow_set_diff(&from, &to, &d);
        size_t n = np_flow_set_count(&from) + d.n_new - d.n_del;
        for (size_t j = 0; j < d.n_del; j++) {
            struct np_flow *f = np_flow_set_find(&from, d.del[j]);
            np_flow_set_remove(&from, f);
            np_flow_destroy(f);
        }
        d.n_del = 0;
        for (size_t j = 0; j < d.n_put; j++) {
            char *s = text_of(d.put[j], NULL);
            put(&from, s);
            free(s);
        }
        assert_int_equal(np_flow_set_count(&from), n);
        np_flow_set_diff(&from, &to, &none);
        assert_int_equal(none.n_put + none.n_del, 0);
        np_flow_delta_destroy(&none);
        np_flow_delta_destroy(&d);
        np_flow_set_destroy(&from);
        np_flow_set_destroy(&to);
    }
}

static void
swapping(void **state OVS_UNUSED)
{
    struct np_flow_set a, b;

    np_flow_set_init(&a);
    np_flow_set_init(&b);
    put(&a, "actions=drop");
    np_flow_set_swap(&a, &b);
    assert_int_equal(np_flow_set_count(&a), 0);
    assert_int_equal(np_flow_set_count(&b), 1);
    np_flow_set_destroy(&a);
    np_flow_set_destroy(&b);
}

static void
cookies(void **state OVS_UNUSED)
{
    uint64_t c = np_cookie(NP_FLOW_IDENTITY, 0x12345678);

    assert_true(c == UINT64_C(0x4e50030112345678));
    assert_true(np_cookie_is_ours(c));
    assert_false(np_cookie_is_ours(0));
    assert_false(np_cookie_is_ours(c ^ (UINT64_C(1) << 48)));
    assert_int_equal(np_cookie_kind(c), NP_FLOW_IDENTITY);
    assert_string_equal(np_flow_kind_name(NP_FLOW_IDENTITY), "identity");
    assert_string_equal(np_flow_kind_name(NP_FLOW_LEARNED), "learned");
    assert_string_equal(np_flow_kind_name(99), "unknown");
}

int
test_set(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(one_flow_a_key),
        cmocka_unit_test(sorting),
        cmocka_unit_test(sorting_many),
        cmocka_unit_test(difference),
        cmocka_unit_test(difference_is_enough),
        cmocka_unit_test(swapping),
        cmocka_unit_test(cookies),
    };
    return cmocka_run_group_tests_name("flow set", tests, NULL, NULL);
}

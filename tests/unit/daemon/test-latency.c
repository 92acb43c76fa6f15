/* Latencies, with a clock of the tests' own. */

#include <config.h>
#include "test-daemon.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/latency.h"

static int
setup(void **state)
{
    struct np_latency *l = malloc(sizeof *l);

    np_latency_init(l);
    *state = l;
    return 0;
}

static int
teardown(void **state)
{
    np_latency_destroy(*state);
    free(*state);
    return 0;
}

/* One update that takes USEC. */
static void
one(struct np_latency *l, long long int usec)
{
    struct np_update done = { 0 };

    np_latency_begin(l, 1000, 1, 0);
    np_latency_wished(l, 1);
    assert_true(np_latency_end(l, 1000 + usec, 1, &done));
    assert_int_equal(done.slowest, usec);
}

static void
test_an_update_ends_with_its_wish(void **state)
{
    struct np_latency *l = *state;
    struct np_update u = { 0 };

    np_latency_begin(l, 100, 3, 1);
    np_latency_wished(l, 7);
    np_latency_begin(l, 200, 0, 2);
    assert_false(np_latency_end(l, 300, 6, &u));
    np_latency_pending(l, &u);
    assert_int_equal(u.n, 2);
    assert_int_equal(u.n_objects, 3);
    assert_int_equal(u.n_ports, 3);

    /* The second one is in no wish, however new. */
    memset(&u, 0, sizeof u);
    assert_true(np_latency_end(l, 350, 1000, &u));
    assert_int_equal(u.n, 1);
    assert_int_equal(u.n_objects, 3);
    assert_int_equal(u.n_ports, 1);
    assert_int_equal(u.slowest, 250);

    np_latency_wished(l, 8);
    assert_false(np_latency_end(l, 400, 7, &u));
    /* The switch was lost, and what it has is not known. */
    assert_false(np_latency_end(l, 400, 0, &u));
    assert_true(np_latency_end(l, 700, 9, &u));
    assert_int_equal(u.n, 2);           /* Added. */
    assert_int_equal(u.n_ports, 3);
    assert_int_equal(u.slowest, 500);
    np_latency_pending(l, &u);
    assert_int_equal(u.n, 0);
    assert_int_equal(l->sum, 750);
    assert_int_equal(l->total.n_objects, 3);
}

static void
test_a_later_wish_does_not_take_over(void **state)
{
    struct np_latency *l = *state;
    struct np_update u = { 0 };

    np_latency_begin(l, 0, 1, 0);
    np_latency_wished(l, 1);
    np_latency_wished(l, 2);
    assert_true(np_latency_end(l, 5, 1, &u));
}

/* No update, object or port is lost from the totals when the switch is away
 * for long, and none is counted faster than it was. */
static void
test_pile(void **state)
{
    struct np_latency *l = *state;
    struct np_update u = { 0 };

    for (int i = 0; i < 5000; i++) {
        np_latency_begin(l, i, 2, 1);
        np_latency_wished(l, i + 1);
    }
    /* The last pile is not done before its newest is. */
    assert_true(np_latency_end(l, 10000, 4999, &u));
    assert_true(u.n_objects < 10000);
    assert_true(np_latency_end(l, 10000, 5000, &u));
    assert_int_equal(u.n_objects, 10000);
    assert_int_equal(u.n_ports, 5000);
    assert_int_equal(u.slowest, 10000);
    assert_int_equal(l->n_objects, 10000);
    assert_true(u.n >= 1000 && l->n_pending == 0);
}

static void
test_buckets(void **state)
{
    struct np_latency *l = *state;
    uint64_t n = 0;

    one(l, 0);
    one(l, 500);                /* Bounds belong to the bucket below. */
    one(l, 501);
    one(l, 60 * 1000000LL);
    one(l, 60 * 1000000LL + 1);
    assert_int_equal(l->buckets[0], 2);
    assert_int_equal(l->buckets[1], 1);
    assert_int_equal(l->buckets[NP_LATENCY_N_BOUNDS - 1], 1);
    assert_int_equal(l->buckets[NP_LATENCY_N_BOUNDS], 1);
    for (int i = 0; i <= NP_LATENCY_N_BOUNDS; i++) {
        n += l->buckets[i];
    }
    assert_int_equal(n, 5);
    assert_int_equal(l->sum, 120 * 1000000LL + 1002);
}

static int
compare(const void *a, const void *b)
{
    long long int x = *(const long long int *) a;
    long long int y = *(const long long int *) b;

    return x < y ? -1 : x > y;
}

static void
check_percentile(long long int got, long long int right)
{
    assert_true(got >= right);
    assert_true(got <= right + right / 8);
}

static void
test_percentiles(void **state)
{
    enum { N = 5000 };
    struct np_latency *l = *state;
    struct np_latency_summary s;
    long long int v[N];
    uint32_t rnd = 20261124;

    np_latency_since_start(l, &s);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.max, 0);
    np_latency_recent(l, &s);
    assert_int_equal(s.n, 0);

    for (int i = 0; i < N; i++) {
        v[i] = unit_random_below(&rnd, 1u << unit_random_below(&rnd, 31));
        one(l, v[i]);
    }
    np_latency_recent(l, &s);
    assert_int_equal(s.n, NP_LATENCY_RECENT);
    qsort(v + N - NP_LATENCY_RECENT, NP_LATENCY_RECENT, sizeof *v, compare);
    assert_int_equal(s.p50, v[N - NP_LATENCY_RECENT + 511]);
    assert_int_equal(s.p90, v[N - NP_LATENCY_RECENT + 921]);
    assert_int_equal(s.p99, v[N - NP_LATENCY_RECENT + 1013]);
    assert_int_equal(s.max, v[N - 1]);

    qsort(v, N, sizeof *v, compare);
    np_latency_since_start(l, &s);
    assert_int_equal(s.n, N);
    check_percentile(s.p50, v[N / 2 - 1]);
    check_percentile(s.p90, v[N / 10 * 9 - 1]);
    check_percentile(s.p99, v[N / 100 * 99 - 1]);
    assert_int_equal(s.max, v[N - 1]);
}

static void
test_one_value(void **state)
{
    struct np_latency *l = *state;
    struct np_latency_summary s;

    one(l, 1000);
    np_latency_since_start(l, &s);
    assert_int_equal(s.p50, 1000);
    assert_int_equal(s.p99, 1000);
    np_latency_recent(l, &s);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.p50, 1000);
    /* The longest there is. */
    one(l, INT64_MAX / 2);
    np_latency_since_start(l, &s);
    assert_true(s.p99 == INT64_MAX / 2);
}

int
test_latency(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_update_ends_with_its_wish,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_later_wish_does_not_take_over,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_pile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_buckets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_percentiles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_value, setup, teardown),
    };

    return cmocka_run_group_tests_name("latency", tests, NULL, NULL);
}

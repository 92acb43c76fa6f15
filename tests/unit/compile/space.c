/* Units of src/compile/space.c: whatever comes and goes, it says what a look
 * at all points says. */

#include <config.h>
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "compile/stage.h"
#include "util.h"

enum { N_MAX = 2000 };

struct list {
    struct np_point *v[N_MAX];
    size_t n;
};

/* A few subnets, so that shelves get full, of any length, whole addresses most
 * of the time. */
static struct np_prefix
random_prefix(uint32_t *seed)
{
    static const char *const subnets[] = {
        "10.0.0.0", "10.0.1.0", "10.0.200.0", "255.255.255.0",
        "fd00::", "fd00::ab00", "fd00::1:0:0:0", "ffff:ffff::ff00",
    };
    struct np_prefix p;

    assert_true(np_prefix_parse(subnets[unit_random_below(seed, 8)], &p,
                                NULL));
    p.bytes[np_prefix_max_len(&p) / 8 - 1] = unit_random(seed);
    if (!unit_random_below(seed, 4)) {
        struct in6_addr in6;
        uint32_t in4;
        unsigned int len = unit_random_below(seed, np_prefix_max_len(&p) + 1);

        memcpy(&in4, p.bytes, sizeof in4);
        memcpy(&in6, p.bytes, sizeof in6);
        p = p.family == 4 ? np_prefix_v4(in4, len) : np_prefix_v6(&in6, len);
    }
    return p;
}

static struct np_point *
list_around(const struct list *list, const struct np_prefix *p)
{
    struct np_point *best = NULL;

    for (size_t i = 0; i < list->n; i++) {
        struct np_point *point = list->v[i];

        if (np_prefix_contains(&point->prefix, p)
            && point->prefix.len < p->len
            && (!best || point->prefix.len > best->prefix.len)) {
            best = point;
        }
    }
    return best;
}

/* Adds a point at P, or takes it away. */
static void
toggle(struct np_space *space, struct list *list, const struct np_prefix *p)
{
    struct np_point *point = np_space_get(space, p);
    size_t i = 0;

    while (i < list->n && !np_prefix_equal(&list->v[i]->prefix, p)) {
        i++;
    }
    assert_ptr_equal(point, i < list->n ? list->v[i] : NULL);
    if (point) {
        np_space_remove(space, point);
        free(point);
        list->v[i] = list->v[--list->n];
    } else if (list->n < N_MAX) {
        point = xzalloc(sizeof *point);
        point->prefix = *p;
        np_space_add(space, point);
        list->v[list->n++] = point;
    }
}

/* 'has_flow' is the visit's mark. */
struct visit {
    const struct np_prefix *within;
    const struct np_point *closed;      /* Nothing in there, please. */
    size_t n;
};

static bool
visit_cb(struct np_point *point, void *visit)
{
    struct visit *v = visit;

    assert_false(point->has_flow);
    assert_true(np_prefix_contains(v->within, &point->prefix));
    point->has_flow = true;
    v->n++;
    return point != v->closed;
}

static bool
is_in_closed(const struct visit *v, const struct np_point *point)
{
    return (v->closed && point != v->closed
            && np_prefix_contains(v->within, &v->closed->prefix)
            && np_prefix_contains(&v->closed->prefix, &point->prefix));
}

static void
check_walk(struct np_space *space, const struct list *list,
           const struct np_prefix *within, const struct np_point *closed)
{
    struct visit v = { within, closed, 0 };

    np_space_for_each(space, within, visit_cb, &v);
    for (size_t i = 0; i < list->n; i++) {
        struct np_point *point = list->v[i];
        if (!np_prefix_contains(within, &point->prefix)) {
            assert_false(point->has_flow);
        } else if (!is_in_closed(&v, point)) {
            assert_true(point->has_flow);
        } else if (np_prefix_max_len(within) - closed->prefix.len >= 8) {
            assert_false(point->has_flow);
        }
        point->has_flow = false;
    }
}

static void
against_a_list(void **state OVS_UNUSED)
{
    struct np_space *space = np_space_create();
    struct list list = { .n = 0 };
    uint32_t seed = 7;

    for (int i = 0; i < 20000; i++) {
        struct np_prefix p = random_prefix(&seed);

        /* Phases in which it gets full and empty. */
        if (i / 4000 % 2 && list.n) {
            p = list.v[unit_random_below(&seed, list.n)]->prefix;
        }
        toggle(space, &list, &p);
        assert_int_equal(np_space_count(space), list.n);
        p = random_prefix(&seed);
        assert_ptr_equal(np_space_around(space, &p), list_around(&list, &p));
        if (i % 20 == 0) {
            check_walk(space, &list, &p,
                       list.n ? list.v[unit_random_below(&seed, list.n)]
                       : NULL);
        }
    }
    while (list.n) {
        toggle(space, &list, &list.v[0]->prefix);
    }
    assert_int_equal(np_space_count(space), 0);
    np_space_destroy(space);
}

static void
destroyed_with_points(void **state OVS_UNUSED)
{
    struct np_space *space = np_space_create();
    struct np_point points[3] = { { .n_claims = 0 } };

    assert_true(np_prefix_parse("10.0.0.1", &points[0].prefix, NULL));
    assert_true(np_prefix_parse("10.0.0.0/24", &points[1].prefix, NULL));
    assert_true(np_prefix_parse("fd00::1", &points[2].prefix, NULL));
    for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
        np_space_add(space, &points[i]);
    }
    np_space_destroy(space);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_a_list),
        cmocka_unit_test(destroyed_with_points),
    };

    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}

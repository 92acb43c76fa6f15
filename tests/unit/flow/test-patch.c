#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <stdlib.h>

#include "util.h"

/* One of a few flows. */
static struct np_flow *
any_flow(uint32_t *seed)
{
    char *s = xasprintf("table=%"PRIu32",reg1=%"PRIu32",actions=output:%"
                        PRIu32, unit_random_below(seed, 3),
                        unit_random_below(seed, 6),
                        1 + unit_random_below(seed, 2));
    struct np_flow *flow = flow_of(s, NULL);

    free(s);
    return flow;
}

static void
fill(struct np_flow_patch *patch, uint32_t *seed)
{
    for (uint32_t n = unit_random_below(seed, 12); n; n--) {
        if (unit_random_below(seed, 2)) {
            np_flow_patch_put(patch, any_flow(seed));
        } else {
            np_flow_patch_del(patch, any_flow(seed));
        }
    }
}

static bool
sets_equal(const struct np_flow_set *a, const struct np_flow_set *b)
{
    struct np_flow_delta d;

    np_flow_set_diff(a, b, &d);
    bool equal = !d.n_put && !d.n_del;
    np_flow_delta_destroy(&d);
    return equal;
}

static void
put_copies(const struct np_flow_set *from, struct np_flow_set *to)
{
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &from->flows) {
        np_flow_destroy(np_flow_set_put(to, np_flow_clone(flow)));
    }
}

/* What the difference of a patch and a set says is the difference of the set
 * before and after. */
static void
difference_of_a_patch(void **state OVS_UNUSED)
{
    uint32_t seed = 11;
    struct np_flow_set set;

    np_flow_set_init(&set);
    for (int i = 0; i < 200; i++) {
        struct np_flow_delta by_patch, by_set;
        struct np_flow_set before;
        struct np_flow_patch p;

        np_flow_set_init(&before);
        put_copies(&set, &before);
        np_flow_patch_init(&p);
        fill(&p, &seed);
        np_flow_patch_diff(&p, &before, &by_patch);
        struct np_flow_patch copy;
        np_flow_patch_init(&copy);
        put_copies(&p.put, &copy.put);
        put_copies(&p.del, &copy.del);
        np_flow_patch_apply(&copy, &set);
        assert_true(np_flow_patch_is_empty(&copy));

        np_flow_set_diff(&before, &set, &by_set);
        assert_int_equal(by_patch.n_put, by_set.n_put);
        assert_int_equal(by_patch.n_del, by_set.n_del);
        assert_int_equal(by_patch.n_new, by_set.n_new);
        for (size_t j = 0; j < by_set.n_put; j++) {
            assert_true(np_flow_equal(by_patch.put[j], by_set.put[j]));
        }
        for (size_t j = 0; j < by_set.n_del; j++) {
            assert_true(np_flow_same_key(by_patch.del[j], by_set.del[j]));
        }
        np_flow_delta_destroy(&by_patch);
        np_flow_delta_destroy(&by_set);
        np_flow_patch_destroy(&copy);
        np_flow_patch_destroy(&p);
        np_flow_set_destroy(&before);
    }
    np_flow_set_destroy(&set);
}

/* Two patches joined do what one after the other does. */
static void
joining(void **state OVS_UNUSED)
{
    uint32_t seed = 12;

    for (int i = 0; i < 200; i++) {
        struct np_flow_patch a, b, both;
        struct np_flow_set one, two;

        np_flow_set_init(&one);
        np_flow_set_init(&two);
        np_flow_patch_init(&a);
        np_flow_patch_init(&b);
        np_flow_patch_init(&both);
        fill(&a, &seed);
        put_copies(&a.put, &one);
        put_copies(&a.put, &two);
        np_flow_patch_clear(&a);
        fill(&a, &seed);
        fill(&b, &seed);
        struct np_flow_patch c;
        np_flow_patch_init(&c);
        put_copies(&a.put, &both.put);
        put_copies(&a.del, &both.del);
        put_copies(&b.put, &c.put);
        put_copies(&b.del, &c.del);
        np_flow_patch_join(&both, &c);
        assert_true(np_flow_patch_is_empty(&c));
        np_flow_patch_apply(&both, &one);
        np_flow_patch_apply(&a, &two);
        np_flow_patch_apply(&b, &two);
        assert_true(sets_equal(&one, &two));
        np_flow_patch_destroy(&a);
        np_flow_patch_destroy(&b);
        np_flow_patch_destroy(&c);
        np_flow_patch_destroy(&both);
        np_flow_set_destroy(&one);
        np_flow_set_destroy(&two);
    }
}

/* A copy outlives its original. */
static void
cloning(void **state OVS_UNUSED)
{
    static const char *const in[] = {
        "table=1,priority=5,tcp,nw_src=10.0.0.1,actions=resubmit(,2)",
        "cookie=0x0,table=0,priority=0,actions=drop",
        "cookie=0x2,table=1,priority=5,tun_metadata0=0x7,actions=output:1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
        struct np_flow *a = flow_of(in[i], NULL);
        struct np_flow *b = np_flow_clone(a);
        char *before = text_of(a, NULL);

        assert_true(np_flow_equal(a, b));
        np_flow_destroy(a);
        char *after = text_of(b, NULL);
        assert_string_equal(before, after);
        np_flow_destroy(b);
        free(before);
        free(after);
    }
}

int
test_patch(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(difference_of_a_patch),
        cmocka_unit_test(joining),
        cmocka_unit_test(cloning),
    };
    return cmocka_run_group_tests_name("flow patch", tests, NULL, NULL);
}

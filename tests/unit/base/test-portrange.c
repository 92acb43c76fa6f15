#include <config.h>
#include "../unit.h"
#include "netpol/portrange.h"

#include "tests.h"
#include "util.h"

/* Checks that the masks of LO...HI are disjoint, in order, and cover it
 * exactly. */
static size_t
check_range(uint16_t lo, uint16_t hi)
{
    struct np_port_mask masks[NP_PORT_MASKS_MAX];
    size_t n = np_port_masks(lo, hi, masks);
    uint32_t next = lo;

    assert_true(n >= 1 && n <= NP_PORT_MASKS_MAX);
    for (size_t i = 0; i < n; i++) {
        uint32_t size = (uint16_t) ~masks[i].mask + 1;

        assert_int_equal(size & (size - 1), 0);
        assert_int_equal(masks[i].value & ~masks[i].mask & 0xffff, 0);
        assert_int_equal(masks[i].value, next);
        next += size;
    }
    assert_int_equal(next, (uint32_t) hi + 1);
    return n;
}

/* The fewest aligned blocks that cover LO...HI exactly, by splitting the
 * block BASE, SIZE in halves. */
static size_t
fewest(uint32_t base, uint32_t size, uint32_t lo, uint32_t hi)
{
    uint32_t end = base + size - 1;

    if (hi < base || lo > end) {
        return 0;
    }
    if (lo <= base && hi >= end) {
        return 1;
    }
    return fewest(base, size / 2, lo, hi)
           + fewest(base + size / 2, size / 2, lo, hi);
}

static void
minimal(void **state OVS_UNUSED)
{
    uint32_t seed = 9;

    for (int i = 0; i < 20000; i++) {
        uint16_t a = unit_random(&seed), b = unit_random(&seed);
        uint16_t lo = MIN(a, b), hi = MAX(a, b);

        assert_int_equal(check_range(lo, hi), fewest(0, 0x10000, lo, hi));
    }
}

static void
edges(void **state OVS_UNUSED)
{
    assert_int_equal(check_range(0, 0), 1);
    assert_int_equal(check_range(0, 65535), 1);
    assert_int_equal(check_range(65535, 65535), 1);
    assert_int_equal(check_range(1, 65535), 16);
    assert_int_equal(check_range(1, 65534), NP_PORT_MASKS_MAX);
    assert_int_equal(check_range(80, 80), 1);
    assert_int_equal(check_range(0, 32767), 1);
    assert_int_equal(check_range(32768, 65535), 1);
}

int
test_portrange(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),
        cmocka_unit_test(minimal),
    };

    return cmocka_run_group_tests_name("portrange", tests, NULL, NULL);
}

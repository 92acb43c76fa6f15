#include <config.h>
#include "../unit.h"
#include "netpol/addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "tests.h"
#include "util.h"

static void
check_text(const char *in, const char *out, bool host_bits)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_prefix p, again;
    bool host;

    if (!np_prefix_parse(in, &p, &host)) {
        fail_msg("%s was refused", in);
    }
    assert_int_equal(host, host_bits);
    np_prefix_format(&p, &s);
    assert_string_equal(ds_cstr(&s), out);
    assert_true(np_prefix_parse(ds_cstr(&s), &again, &host));
    assert_true(np_prefix_equal(&p, &again));
    assert_int_equal(np_prefix_hash(&p, 7), np_prefix_hash(&again, 7));
    assert_false(host);
    ds_destroy(&s);
}

static void
good_text(void **state OVS_UNUSED)
{
    check_text("10.0.0.0/8", "10.0.0.0/8", false);
    check_text("10.1.2.3/8", "10.0.0.0/8", true);
    check_text("0.0.0.0/0", "0.0.0.0/0", false);
    check_text("255.255.255.255/0", "0.0.0.0/0", true);
    check_text("192.0.2.1", "192.0.2.1", false);
    check_text("192.0.2.1/32", "192.0.2.1", false);
    check_text("192.0.2.1/31", "192.0.2.0/31", true);
    check_text("::/0", "::/0", false);
    check_text("::", "::", false);
    check_text("FD00:0:0:1:0:0:0:1", "fd00:0:0:1::1", false);
    check_text("2001:db8:0:1:1:1:1:1/128", "2001:db8:0:1:1:1:1:1", false);
    check_text("fd00::1/64", "fd00::/64", true);
    check_text("fd00::ffff/127", "fd00::fffe/127", true);
}

static void
bad_text(void **state OVS_UNUSED)
{
    static const char *const bad[] = {
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08",
        "10.0.0.0/-1", "10.0.0.0/+1", "10.0.0.0/ 8", "10.0.0.0/8 ",
        "10.0.0.0/8/8", "10.0.0/8", "010.0.0.0/8", "10.0.0.256",
        " 10.0.0.1", "::/129", "fe80::1%eth0", "fe80::1%1/64",
        "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "1::2::3", "example.com",
        "10.0.0.0/4294967304", "0x0a.0.0.1",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "11111111111111111111111111111111111111111111111111111",
    };
    struct np_prefix p, untouched;

    memset(&p, 0x5a, sizeof p);
    untouched = p;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (np_prefix_parse(bad[i], &p, NULL)) {
            fail_msg("%s was accepted", bad[i]);
        }
        assert_memory_equal(&p, &untouched, sizeof p);
    }
    assert_false(np_addr_parse("10.0.0.1/32", &p));
    assert_true(np_addr_parse("10.0.0.1", &p));
}

static void
from_binary(void **state OVS_UNUSED)
{
    struct np_prefix p, q;
    struct in6_addr in6;

    p = np_prefix_v4(htonl(0x0a010203), 16);
    assert_true(np_prefix_parse("10.1.0.0/16", &q, NULL));
    assert_true(np_prefix_equal(&p, &q));
    assert_int_equal(inet_pton(AF_INET6, "fd00::1:2", &in6), 1);
    p = np_prefix_v6(&in6, 112);
    assert_true(np_prefix_parse("fd00::1:0/112", &q, NULL));
    assert_true(np_prefix_equal(&p, &q));
}

/* Prefixes in few bits of address, so that many are related. */
static struct np_prefix
random_prefix(uint32_t *seed)
{
    struct in6_addr in6 = { .s6_addr = { 0 } };
    uint32_t r = unit_random(seed);

    if (r & 1) {
        return np_prefix_v4(htonl(r & 0xf000000f),
                            unit_random_below(seed, 33));
    }
    in6.s6_addr[0] = r >> 24 & 0xf0;
    in6.s6_addr[15] = r >> 4 & 0xf;
    return np_prefix_v6(&in6, unit_random_below(seed, 129));
}

static bool
naive_contains(const struct np_prefix *a, const struct np_prefix *b)
{
    if (a->family != b->family || a->len > b->len) {
        return false;
    }
    for (unsigned int i = 0; i < a->len; i++) {
        if ((a->bytes[i / 8] ^ b->bytes[i / 8]) & (0x80 >> i % 8)) {
            return false;
        }
    }
    return true;
}

static void
relations(void **state OVS_UNUSED)
{
    uint32_t seed = 1;

    for (int i = 0; i < 100000; i++) {
        struct np_prefix a = random_prefix(&seed);
        struct np_prefix b = random_prefix(&seed);
        int cmp = np_prefix_compare(&a, &b);

        assert_int_equal(np_prefix_contains(&a, &b), naive_contains(&a, &b));
        assert_int_equal(cmp, -np_prefix_compare(&b, &a));
        assert_int_equal(!cmp, np_prefix_equal(&a, &b));
        if (np_prefix_contains(&a, &b)) {
            assert_true(cmp <= 0);
        }
    }
}

int
test_addr(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_text),
        cmocka_unit_test(bad_text),
        cmocka_unit_test(from_binary),
        cmocka_unit_test(relations),
    };

    return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}

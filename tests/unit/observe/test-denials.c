/* The book of denials, from flows as a switch tells them. */

#include <config.h>
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "netpol/observe.h"
#include "netpol/openflow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

#define NOW 1000000LL           /* Milliseconds. */
#define LEARNED "cookie=0x4e50070100000003,"
#define SSH LEARNED "table=132,priority=10,tcp,in_port=3,reg7=22/0xffff," \
    "reg9=9,reg10=0,nw_src=10.0.0.1,nw_dst=10.0.0.2,actions=drop"
#define DNS LEARNED "table=132,priority=10,udp6,in_port=3,reg7=53/0xffff," \
    "reg9=8,reg10=1,ipv6_src=fd00::1,ipv6_dst=fd00::2,actions=drop"
#define FROM LEARNED "table=131,priority=100,reg9=9,in_port=3,actions=drop"
#define TO LEARNED "table=131,priority=100,ip,reg9=9,in_port=1," \
    "nw_dst=10.0.0.2,actions=drop"
#define COUNTER "cookie=0x4e50010100000000,table=130,priority=10,reg9=%d," \
    "actions=drop"

static int
setup(void **state)
{
    *state = np_denials_create(0);
    return 0;
}

static int
teardown(void **state)
{
    np_denials_destroy(*state);
    return 0;
}

static struct np_flow_stats
stats_of(const char *text, uint64_t n_packets, uint32_t duration)
{
    struct np_flow *flow;
    char *error = np_flow_parse(text, NULL, &flow);

    assert_null(error);
    return (struct np_flow_stats) {
        .flow = flow, .n_packets = n_packets, .duration = duration,
        .idle = MIN(2, duration),
    };
}

static void
put(struct np_flow_dump *dump, const char *text, uint64_t n_packets,
    uint32_t duration)
{
    struct np_flow_stats stats = stats_of(text, n_packets, duration);

    np_flow_set_put(&dump->set, CONST_CAST(struct np_flow *, stats.flow));
    if (dump->n >= dump->allocated) {
        dump->stats = x2nrealloc(dump->stats, &dump->allocated,
                                 sizeof *dump->stats);
    }
    dump->stats[dump->n++] = stats;
}

/* Reads a table with one flow, or none if TEXT is NULL. */
static void
take(struct np_denials *d, const char *text, uint64_t n_packets,
     uint32_t duration, bool first, long long int now)
{
    struct np_flow_dump dump;

    np_flow_dump_init(&dump);
    if (text) {
        put(&dump, text, n_packets, duration);
    }
    np_denials_take(d, &dump, first, now);
    np_flow_dump_destroy(&dump);
}

static void
ended(struct np_denials *d, const char *text, uint64_t n_packets,
      uint32_t duration, long long int now)
{
    struct np_flow_stats stats = stats_of(text, n_packets, duration);

    np_denials_ended(d, &stats, now);
    np_flow_destroy(CONST_CAST(struct np_flow *, stats.flow));
}

static void
check(const struct np_denials *d, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n;
    struct np_denial *v = np_denials_sort(d, &n);

    for (size_t i = 0; i < n; i++) {
        ds_put_format(&s, "%s ", (v[i].reason
                                  ? np_deny_reason_name(v[i].reason)
                                  : "overflow"));
        if (v[i].src.family) {
            np_prefix_format(&v[i].src, &s);
        } else {
            ds_put_format(&s, "port %"PRIu32, v[i].in_port);
        }
        ds_put_char(&s, '>');
        if (v[i].dst.family) {
            np_prefix_format(&v[i].dst, &s);
        }
        ds_put_format(&s, " %d:%d%s %"PRIu64" %lld-%lld\n", v[i].proto,
                      v[i].port, v[i].reply ? " reply" : "", v[i].n_packets,
                      v[i].first / 1000, v[i].last / 1000);
    }
    free(v);
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
}

static void
what_flows_say(void **d)
{
    struct np_flow_dump dump;

    np_flow_dump_init(&dump);
    put(&dump, SSH, 4, 10);
    put(&dump, DNS, 0, 0);
    put(&dump, FROM, 99, 5);
    put(&dump, TO, 9, 4);
    put(&dump, LEARNED "table=132,priority=10,icmp,in_port=9,reg7=0x801/0xffff"
        ",reg9=8,reg10=0,nw_src=10.0.0.1,nw_dst=10.0.0.9,actions=drop", 1, 3);
    np_denials_take(*d, &dump, true, NOW);
    np_flow_dump_destroy(&dump);
    check(*d, "egress fd00::1>fd00::2 17:53 reply 1 1000-1000\n"
          "overflow port 3> 0:0 100 995-998\n"
          "overflow port 0>10.0.0.2 0:0 10 996-998\n"
          "ingress 10.0.0.1>10.0.0.2 6:22 5 990-998\n"
          "egress 10.0.0.1>10.0.0.9 1:2049 2 997-998\n");
    assert_int_equal(np_denials_overflowed(*d), 110);
}

/* Flows of other tables or kinds, and what no build of ours would learn. */
static void
nonsense(void **d)
{
    static const char *const texts[] = {
        LEARNED "table=41,priority=10,sctp,nw_src=10.0.0.1,nw_dst=10.0.0.2,"
            "actions=load:1->NXM_NX_REG10[]",
        "cookie=0x4e50010100000000,table=132,priority=0,actions=drop",
        "cookie=0x4e50010100000000,table=131,priority=10,tcp,actions=drop",
        LEARNED "table=132,priority=10,tcp,reg9=3,actions=drop",
        LEARNED "table=132,priority=10,actions=drop",
        "cookie=0x4e50010100000000,table=130,priority=100,ip,"
            "reg9=8/0xfffffffe,actions=drop",
        "cookie=0x4e50010100000000,table=130,priority=10,reg9=77,"
            "actions=drop",
        "cookie=0x4e50010100000000,table=130,priority=0,actions=drop",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        take(*d, texts[i], 5, 10, false, NOW);
        ended(*d, texts[i], 5, 10, NOW);
        check(*d, "");
    }
    for (int reason = 1; reason < NP_N_DENY_REASONS; reason++) {
        assert_int_equal(np_denials_total(*d, reason), 0);
    }
}

/* Neither lost nor counted twice when it ends, however it comes. */
static void
from_one_side_to_the_other(void **d)
{
    take(*d, SSH, 4, 10, true, NOW);
    take(*d, SSH, 6, 20, false, NOW + 10000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 7 990-1008\n");
    ended(*d, SSH, 8, 30, NOW + 20000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 9 990-1018\n");
    take(*d, NULL, 0, 0, false, NOW + 20000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 9 990-1018\n");
    /* Again. */
    take(*d, SSH, 1, 1, false, NOW + 90000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 11 990-1089\n");
    /* Read before its end was told: gone for a moment, then there again. */
    take(*d, NULL, 0, 0, false, NOW + 95000);
    ended(*d, SSH, 2, 6, NOW + 95000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 12 990-1093\n");
    /* Never read. */
    ended(*d, DNS, 0, 60, NOW);
    assert_int_equal(np_denials_forgotten(*d), 0);
}

static void
learned_anew(void **d)
{
    take(*d, SSH, 4, 60, true, NOW);
    /* Already the next one. */
    take(*d, SSH, 0, 5, false, NOW + 10000);
    ended(*d, SSH, 5, 70, NOW + 10000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 7 940-1008\n");
    ended(*d, SSH, 1, 6, NOW + 11000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 8 940-1009\n");
}

/* What was read last is kept when the switch was away. */
static void
nobody_told(void **d)
{
    take(*d, SSH, 4, 10, true, NOW);
    take(*d, NULL, 0, 0, true, NOW + 50000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 5 990-998\n");
    take(*d, SSH, 1, 10, false, NOW + 60000);
    /* The same flow as before the connection was lost... */
    take(*d, SSH, 2, 30, true, NOW + 80000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 8 990-1078\n");
    /* ...and another one. */
    take(*d, SSH, 0, 5, true, NOW + 90000);
    check(*d, "ingress 10.0.0.1>10.0.0.2 6:22 9 990-1088\n");
}

static void
bounded(void **d)
{
    enum { MORE = 50 };

    for (int i = 0; i < NP_DENIALS_MAX + MORE; i++) {
        char *text = xasprintf(LEARNED "table=132,priority=10,tcp,in_port=3,"
                               "reg7=%d/0xffff,reg9=9,reg10=0,"
                               "nw_src=10.0.0.1,nw_dst=10.0.0.2,"
                               "actions=drop", i);

        ended(*d, text, i < MORE ? 2 : 1000, 9, NOW + i * 1000);
        free(text);
    }
    size_t n;
    struct np_denial *v = np_denials_sort(*d, &n);
    assert_int_equal(n, NP_DENIALS_MAX);
    assert_int_equal(v[0].port, NP_DENIALS_MAX + MORE - 1);
    assert_int_equal(v[n - 1].port, MORE);
    free(v);
    assert_int_equal(np_denials_forgotten(*d), 3 * MORE);
}

static void
overflows_only_grow(void **d)
{
    take(*d, FROM, 9, 5, true, NOW);
    assert_int_equal(np_denials_overflowed(*d), 10);
    take(*d, NULL, 0, 0, false, NOW);
    assert_int_equal(np_denials_overflowed(*d), 10);
    ended(*d, FROM, 11, 6, NOW);
    assert_int_equal(np_denials_overflowed(*d), 12);
    take(*d, FROM, 0, 1, false, NOW + 10000);
    assert_int_equal(np_denials_overflowed(*d), 13);
}

static void
counters(void **d)
{
    char *egress = xasprintf(COUNTER, NP_DENY_EGRESS);
    char *mac = xasprintf(COUNTER, NP_DENY_MAC);

    take(*d, egress, 100, 10, true, NOW);
    take(*d, egress, 150, 20, false, NOW);
    take(*d, mac, 7, 20, false, NOW);
    assert_int_equal(np_denials_total(*d, NP_DENY_EGRESS), 150);
    assert_int_equal(np_denials_total(*d, NP_DENY_MAC), 7);
    assert_int_equal(np_denials_total(*d, NP_DENY_INGRESS), 0);
    /* A new flow has counted less, or has not been there for so long. */
    take(*d, egress, 30, 40, false, NOW);
    assert_int_equal(np_denials_total(*d, NP_DENY_EGRESS), 180);
    take(*d, egress, 40, 5, false, NOW);
    assert_int_equal(np_denials_total(*d, NP_DENY_EGRESS), 220);
    take(*d, egress, UINT64_MAX, 6, false, NOW);
    take(*d, NULL, 0, 0, false, NOW);
    take(*d, egress, 41, 7, false, NOW);
    assert_int_equal(np_denials_total(*d, NP_DENY_EGRESS), 221);
    free(egress);
    free(mac);
}

static void
shifted(void **state OVS_UNUSED)
{
    struct np_denials *d = np_denials_create(100);
    uint8_t tables[NP_DENIALS_N_TABLES];

    assert_int_equal(np_denials_tables(100, tables), 3);
    assert_int_equal(tables[2], 232);
    take(d, SSH, 4, 10, false, NOW);
    check(d, "");
    take(d, LEARNED "table=231,priority=100,reg9=8,in_port=3,actions=drop",
         0, 10, false, NOW);
    check(d, "overflow port 3> 0:0 1 990-998\n");
    np_denials_destroy(d);
}

#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_flows_say), T(nonsense), T(from_one_side_to_the_other),
        T(learned_anew), T(nobody_told), T(bounded), T(overflows_only_grow),
        T(counters), cmocka_unit_test(shifted),
    };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}

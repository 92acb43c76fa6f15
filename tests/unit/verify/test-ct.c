/* ct(): what is asked, what comes back, and what goes on where. */

#include <config.h>
#include "../unit.h"
#include "tests.h"

#define TCP \
    "in_port=1,dl_src=0a:00:00:00:00:01,dl_dst=0a:00:00:00:00:02,tcp," \
    "nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,tp_dst=80"

/* Says where a packet in table 1 belongs. */
#define SORT \
    "table=1,priority=9,ct_state=+new+trk,ip,actions=2\n" \
    "table=1,priority=9,ct_state=+est-rpl+trk,ip,actions=3\n" \
    "table=1,priority=9,ct_state=+est+rpl+trk,ip,actions=4\n" \
    "table=1,priority=9,ct_state=+rel-rpl+trk,ip,actions=5\n" \
    "table=1,priority=9,ct_state=+rel+rpl+trk,ip,actions=6\n" \
    "table=1,priority=9,ct_state=+inv+trk,actions=7\n" \
    "table=1,priority=9,ct_state=-trk,actions=8\n"

static void
add_all(struct bench *b, const char *const flows[], size_t n)
{
    bench_init(b);
    for (size_t i = 0; i < n; i++) {
        bench_add(b, flows[i]);
    }
}

static void
test_fork(void **state OVS_UNUSED)
{
    /* The copy goes on in the table; the packet itself is untracked again. */
    assert_fate_of("ip,actions=ct(table=1),resubmit(,1)\n" SORT, TCP,
                   "ct 2 8");
    /* A ct() without a table changes nothing at all, then it clears. */
    assert_fate_of("ip,actions=ct(commit),resubmit(,1)\n" SORT, TCP,
                   "commit 8");
    assert_fate_of("ip,actions=ct(table=1)\n"
                   "table=1,ct_state=+trk,ip,actions=ct(commit),resubmit(,2)\n"
                   "table=2,ct_state=-trk,actions=9", TCP, "ct commit 9");
}

static void
test_default_is_new(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "ip,actions=ct(table=1,zone=7)");
    bench_add(&b, "table=1,actions=2");
    bench_send(&b, TCP);
    assert_int_equal(b.result.n_passes, 2);
    assert_fields(&b.result.passes[1].packet, "ct_state=+new+trk-est-rpl-inv,"
                  "ct_zone=7,ct_mark=0,ip,ct_nw_src=10.0.0.1,"
                  "ct_nw_dst=10.0.0.2,ct_nw_proto=6,ct_tp_src=1000,"
                  "ct_tp_dst=80,actions=");
    assert_int_equal(b.result.passes[1].parent, 0);
    assert_int_equal(b.result.passes[1].table, 1);
    bench_destroy(&b);
}

static void
test_what_survives(void **state OVS_UNUSED)
{
    /* Registers, metadata, the packet, its mark and the stack do. */
    struct bench b;

    bench_init(&b);
    bench_add(&b, "ip,actions=set_field:5->reg1,set_field:6->metadata,"
              "set_field:7->pkt_mark,mod_nw_tos:8,push:NXM_NX_REG1[],"
              "ct(table=1)");
    bench_add(&b, "table=1,reg1=5,metadata=6,pkt_mark=7,ip,nw_tos=8,"
              "actions=pop:NXM_NX_REG2[],2");
    assert_fate(&b, TCP, "ct 2");
    assert_fields(&b.result.effects[1].packet, "reg2=5,actions=");
    bench_destroy(&b);
}

static void
test_order(void **state OVS_UNUSED)
{
    assert_fate_of("ip,actions=2,ct(table=1),3,ct(table=2),4\n"
                   "table=1,ip,actions=5,ct(table=3),6\n"
                   "table=2,actions=7\ntable=3,actions=8", TCP,
                   "2 ct 5 ct 8 6 3 ct 7 4");
}

static void
test_commit(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "ip,actions=set_field:0xabcd->reg5,set_field:0x63->reg13,"
              "ct(commit,force,zone=NXM_NX_REG13[0..15],"
              "exec(move:NXM_NX_REG5[]->NXM_NX_CT_LABEL[32..63],"
              "set_field:0x3/0x7->ct_mark))");
    assert_fate(&b, TCP, "commit");
    const struct np_interp_ct *ct = &b.result.effects[0].ct;
    assert_true(ct->commit && ct->force && !ct->recirculate);
    assert_int_equal(ct->zone, 0x63);
    assert_int_equal(ct->mark, 3);
    assert_int_equal(ct->mark_mask, 7);
    assert_int_equal(ct->label.u64.hi, 0);
    assert_int_equal(ct->label_mask.u64.hi, 0);
    assert_true(ct->label.u64.lo == UINT64_C(0xabcd00000000));
    assert_true(ct->label_mask.u64.lo == UINT64_C(0xffffffff00000000));
    bench_destroy(&b);
}

static void
test_clear(void **state OVS_UNUSED)
{
    assert_fate_of("ip,actions=ct(table=2)\n"
                   "table=2,actions=ct_clear,resubmit(,1)\n" SORT, TCP,
                   "ct 8");
    /* A packet that arrives tracked is, until it is cleared. */
    assert_fate_of("actions=resubmit(,1),ct_clear,resubmit(,1)\n" SORT,
                   "in_port=1,ct_state=est|trk,ip", "3 8");
}

static void
test_clear_in_clone(void **state OVS_UNUSED)
{
    /* The fields come back, but cannot be cleared a second time ... */
    assert_fate_of("ct_state=+trk,ip,actions=clone(ct_clear,resubmit(,1)),"
                   "resubmit(,1),ct_clear,resubmit(,1)\n" SORT,
                   "in_port=1,ct_state=est|trk,ip", "8 3 3");
    /* ... unless a real copy was made. */
    assert_fate_of("ct_state=+est+trk,ip,"
                   "actions=clone(ct_clear,ct(commit),resubmit(,1)),"
                   "resubmit(,1),ct_clear,resubmit(,1)\n" SORT,
                   "in_port=1,ct_state=est|trk,ip", "commit 8 3 8");
}

static void
test_aborted_pass(void **state OVS_UNUSED)
{
    /* The second pass fails alone. */
    assert_fate_of("ip,actions=2,ct(table=1),3\n"
                   "table=1,actions=4,resubmit(,1)", TCP, "2 ct 3 aborted");
    /* The first takes the second along, but not what it taught. */
    assert_fate_of("ip,actions=2,learn(table=9,eth_type=0x800,"
                   "NXM_OF_IP_DST[]),ct(table=1),resubmit(,2)\n"
                   "table=1,actions=4\ntable=2,actions=resubmit(,2)", TCP,
                   "learn aborted");
}

static void
test_endless(void **state OVS_UNUSED)
{
    assert_fate_of("ip,actions=ct(table=0)", TCP, "ct ct ct ct ct ct ct "
                   "aborted");
}

static void
test_relations(void **state OVS_UNUSED)
{
    static const char *const flows[] = {
        "ip,actions=ct(table=1,zone=5)",
        "table=1,priority=9,ct_state=+new-est-rel-rpl-inv+trk,ip,actions=2",
        "table=1,priority=9,ct_state=-new+est-rel-rpl-inv+trk,ip,actions=3",
        "table=1,priority=9,ct_state=-new+est-rel+rpl-inv+trk,ip,actions=4",
        "table=1,priority=9,ct_state=-new-est+rel-rpl-inv+trk,ip,actions=5",
        "table=1,priority=9,ct_state=-new-est+rel+rpl-inv+trk,ip,actions=6",
        "table=1,priority=9,ct_state=-new-est-rel-rpl+inv+trk,ip,actions=7",
    };
    static const char *const fates[] = { "ct 2", "ct 3", "ct 4", "ct 5",
                                         "ct 6", "ct 7" };
    const struct np_ct_tuple opener = { .nw_proto = 17 };
    struct bench b;

    add_all(&b, flows, sizeof flows / sizeof *flows);
    b.env.ct = np_ct_model_run;
    for (int i = NP_CT_NEW; i <= NP_CT_INVALID; i++) {
        struct np_ct_model model = { .n = 0 };

        np_ct_model_add(&model, 5, i, &opener);
        b.env.ct_aux = &model;
        assert_fate(&b, TCP, fates[i]);
    }
    bench_destroy(&b);
}

static void
test_opener(void **state OVS_UNUSED)
{
    struct np_ct_model model = { .n = 0 };
    struct flow packet = {
        .dl_type = htons(0x800), .nw_proto = 6,
        .nw_src = htonl(0x0a000001), .nw_dst = htonl(0x0a000002),
        .tp_src = htons(1000), .tp_dst = htons(80),
    };
    struct np_ct_tuple opener = np_ct_tuple_of(&packet, true);
    struct bench b;

    bench_init(&b);
    bench_add(&b, "ip,actions=ct(table=1,zone=5)");
    bench_add(&b, "table=1,ct_state=+rpl+trk,ip,ct_nw_src=10.0.0.2,"
              "ct_nw_dst=10.0.0.1,ct_tp_src=80,ct_tp_dst=1000,ct_nw_proto=6,"
              "ct_mark=9,actions=2");
    b.env.ct = np_ct_model_run;
    b.env.ct_aux = &model;
    np_ct_model_add(&model, 5, NP_CT_REPLY, &opener)->mark = 9;
    assert_fate(&b, TCP, "ct 2");
    bench_destroy(&b);
}

static void
test_ipv6(void **state OVS_UNUSED)
{
    assert_fate_of("ipv6,actions=ct(table=1)\n"
                   "table=1,ct_state=+new+trk,ipv6,ct_ipv6_src=fd00::1,"
                   "ct_ipv6_dst=fd00::2,ct_nw_proto=17,ct_tp_dst=53,actions=2",
                   "in_port=1,udp6,ipv6_src=fd00::1,ipv6_dst=fd00::2,"
                   "udp_dst=53", "ct 2");
}

static void
test_marks_persist(void **state OVS_UNUSED)
{
    static const char *const flows[] = {
        "ip,actions=ct(table=1,zone=5)",
        "table=1,priority=9,ct_mark=0xf0,ip,actions=ct(commit,table=2,zone=5,"
            "exec(set_field:0x5/0xf->ct_mark,set_field:0x7->ct_label))",
        "table=2,ct_state=+est+trk,ct_mark=0xf5,ct_label=0x7,ip,"
            "actions=ct(table=3,zone=5)",
        "table=3,ct_state=+est+trk,ct_mark=0xf5,ct_label=0x7,ip,"
            "actions=ct(table=4,zone=6)",
        "table=4,ct_state=+new-est+trk,ct_mark=0,ct_label=0,ip,actions=2",
    };
    const struct np_ct_tuple opener = { .nw_proto = 6 };
    struct np_ct_model model = { .n = 0 };
    struct bench b;

    add_all(&b, flows, sizeof flows / sizeof *flows);
    b.env.ct = np_ct_model_run;
    b.env.ct_aux = &model;
    np_ct_model_add(&model, 5, NP_CT_ESTABLISHED, &opener)->mark = 0xf0;
    assert_fate(&b, TCP, "ct commit ct ct 2");
    assert_int_equal(model.entries[0].mark, 0xf5);
    bench_destroy(&b);
}

static void
test_not_ip(void **state OVS_UNUSED)
{
    const struct np_interp_ct ct = { .zone = 5 };
    struct flow packet = { .dl_type = htons(0x806) };

    np_ct_new(&ct, &packet, NULL);
    assert_int_equal(packet.ct_state, np_ct_state(NP_CT_INVALID));
    assert_int_equal(packet.ct_zone, 5);
}

int
test_ct(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_default_is_new),
        cmocka_unit_test(test_what_survives),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_clear_in_clone),
        cmocka_unit_test(test_aborted_pass),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_relations),
        cmocka_unit_test(test_opener),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_marks_persist),
        cmocka_unit_test(test_not_ip),
    };

    return cmocka_run_group_tests_name("ct", tests, NULL, NULL);
}

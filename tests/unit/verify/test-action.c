/* What actions do to a packet, and where they send it. */

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#include "flow.h"
#include "openvswitch/dynamic-string.h"

#define TCP \
    "in_port=1,dl_src=0a:00:00:00:00:01,dl_dst=0a:00:00:00:00:02,tcp," \
    "nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,tp_dst=80"

static void
test_output(void **state OVS_UNUSED)
{
    assert_fate_of("actions=2,LOCAL,3", TCP, "2 LOCAL 3");
    assert_fate_of("actions=NORMAL,FLOOD,ALL", TCP, "NORMAL FLOOD ALL");
    assert_fate_of("actions=controller,group:7", TCP, "controller group");
    assert_fate_of("actions=CONTROLLER:128", TCP, "controller");
    assert_fate_of("actions=meter:3,2", TCP, "meter 2");
    assert_fate_of("actions=drop", TCP, "drop");
}

static void
test_back_to_in_port(void **state OVS_UNUSED)
{
    assert_fate_of("actions=1,2", TCP, "2");
    assert_fate_of("actions=1", TCP, "drop");
    assert_fate_of("actions=IN_PORT", TCP, "1");
    assert_fate_of("actions=LOCAL,2", "in_port=LOCAL,ip", "2");
    assert_fate_of("actions=IN_PORT", "in_port=LOCAL,ip", "LOCAL");
}

static void
test_output_reg(void **state OVS_UNUSED)
{
    assert_fate_of("actions=load:5->NXM_NX_REG3[],output:NXM_NX_REG3[]", TCP,
                   "5");
    assert_fate_of("actions=load:1->NXM_NX_REG3[],output:NXM_NX_REG3[]", TCP,
                   "drop");
    assert_fate_of("actions=load:65536->NXM_NX_REG3[],output:NXM_NX_REG3[]",
                   TCP, "drop");
}

static void
test_sent_as_it_was_then(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "actions=2,set_field:0a:00:00:00:00:09->eth_dst,3");
    bench_send(&b, TCP);
    assert_int_equal(b.result.n_effects, 2);
    assert_fields(&b.result.effects[0].packet,
                  "dl_dst=0a:00:00:00:00:02,actions=");
    assert_fields(&b.result.effects[1].packet,
                  "dl_dst=0a:00:00:00:00:09,actions=");
    assert_true(np_interp_result_delivers(&b.result, u16_to_ofp(3)));
    assert_false(np_interp_result_delivers(&b.result, u16_to_ofp(4)));
    assert_false(np_interp_result_drops(&b.result));
    bench_destroy(&b);
}

static void
test_resubmit_returns(void **state OVS_UNUSED)
{
    assert_fate_of("actions=resubmit(,1),resubmit(,2),9\n"
                   "table=1,actions=3,resubmit(,2),4\n"
                   "table=2,actions=5", TCP, "3 5 4 5 9");
    /* What was changed there stays changed here. */
    assert_fate_of("actions=resubmit(,1),resubmit(,2)\n"
                   "table=1,actions=load:7->NXM_NX_REG1[]\n"
                   "table=2,reg1=7,actions=3", TCP, "3");
    /* To the same table. */
    assert_fate_of("priority=1,actions=load:7->NXM_NX_REG1[],resubmit(1,),3\n"
                   "priority=2,reg1=7,actions=4", TCP, "4 3");
}

static void
test_goto_table(void **state OVS_UNUSED)
{
    assert_fate_of("actions=2,write_metadata:0x12,goto_table:4\n"
                   "table=4,metadata=0x12,actions=3", TCP, "2 3");
    assert_fate_of("actions=load:0xff->OXM_OF_METADATA[],"
                   "write_metadata:0x12/0x0f,goto_table:4\n"
                   "table=4,metadata=0xf2,actions=3", TCP, "3");
}

static void
test_exit(void **state OVS_UNUSED)
{
    assert_fate_of("actions=2,resubmit(,1),3\ntable=1,actions=4,exit,5", TCP,
                   "2 4");
}

static void
test_too_deep(void **state OVS_UNUSED)
{
    /* All of it is dropped, what was sent before as well. */
    assert_fate_of("actions=2,resubmit(,0)", TCP, "aborted");
    /* Up is free; that it takes as long is not. */
    struct bench b;
    bench_init(&b);
    for (int table = 0; table < 100; table++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_format(&s, "table=%d,actions=resubmit(,%d)", table, table + 1);
        bench_add(&b, ds_cstr(&s));
        ds_destroy(&s);
    }
    bench_add(&b, "table=100,actions=2");
    assert_fate(&b, TCP, "2");
    assert_int_equal(b.result.n_steps, 101);
    bench_destroy(&b);
}

/* 2 to the power of N lookups in table N, and half of them before. */
static void
fan(struct bench *b, int n)
{
    bench_init(b);
    for (int table = 0; table < n; table++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_format(&s, "table=%d,actions=resubmit(,%d),resubmit(,%d)",
                      table, table + 1, table + 1);
        bench_add(b, ds_cstr(&s));
        ds_destroy(&s);
    }
}

static void
test_too_many(void **state OVS_UNUSED)
{
    struct bench b;

    fan(&b, 11);                /* 4094 resubmits. */
    assert_fate(&b, TCP, "drop");
    bench_destroy(&b);
    fan(&b, 12);
    assert_fate(&b, TCP, "aborted");
    bench_destroy(&b);
}

static void
test_set_field(void **state OVS_UNUSED)
{
    assert_sent("ip,actions=mod_nw_src:1.2.3.4,mod_nw_tos:8,2", TCP,
                "ip,nw_src=1.2.3.4,nw_tos=8");
    assert_sent("tcp,actions=mod_tp_dst:81,2", TCP, "tcp,tp_dst=81");
    assert_sent("ip,actions=set_field:0.0.9.0/0.0.255.0->nw_dst,2", TCP,
                "ip,nw_dst=10.0.9.2");
    assert_sent("actions=load:0x5->NXM_NX_REG1[4..7],"
                "load:0xa->NXM_NX_REG1[28..31],2", TCP, "reg1=0xa0000050");
    assert_sent("actions=set_field:0x12->xxreg1,2", TCP, "reg7=0x12,reg4=0");
    assert_sent("actions=mod_dl_src:0a:00:00:00:00:77,2", TCP,
                "dl_src=0a:00:00:00:00:77");
    assert_sent("ip,actions=mod_nw_ttl:3,2", TCP, "ip,nw_ttl=3");
}

static void
test_move(void **state OVS_UNUSED)
{
    assert_sent("actions=load:0x1234->NXM_NX_REG1[],"
                "move:NXM_NX_REG1[0..7]->NXM_NX_REG1[8..15],2", TCP,
                "reg1=0x3434");
    /* Source and destination overlap: as if by way of a copy. */
    assert_sent("actions=load:0x12345678->NXM_NX_REG1[],"
                "move:NXM_NX_REG1[0..23]->NXM_NX_REG1[8..31],2", TCP,
                "reg1=0x34567878");
    assert_sent("tcp,actions=move:NXM_OF_TCP_DST[]->NXM_NX_REG2[16..31],2",
                TCP, "reg2=0x500000");
    assert_sent("ip,actions=move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],2", TCP,
                "ip,nw_dst=10.0.0.1");
}

static void
test_stack(void **state OVS_UNUSED)
{
    /* Change places, the way `orient` does it. */
    assert_sent("actions=load:1->NXM_NX_REG1[],load:2->NXM_NX_REG2[],"
                "push:NXM_NX_REG1[],move:NXM_NX_REG2[]->NXM_NX_REG1[],"
                "pop:NXM_NX_REG2[],3", TCP, "reg1=2,reg2=1");
    assert_sent("actions=load:0x123->NXM_NX_REG1[],push:NXM_NX_REG1[0..7],"
                "push:NXM_NX_REG1[8..15],pop:NXM_NX_REG2[],"
                "pop:NXM_NX_REG3[],3", TCP, "reg2=0x1,reg3=0x23");
    /* Of an empty stack. */
    assert_sent("actions=load:1->NXM_NX_REG1[],pop:NXM_NX_REG1[],3", TCP,
                "reg1=1");
    /* It outlives a resubmit. */
    assert_sent("actions=load:9->NXM_NX_REG1[],push:NXM_NX_REG1[],"
                "resubmit(,1),3\ntable=1,actions=pop:NXM_NX_REG2[]", TCP,
                "reg2=9");
}

static void
test_dec_ttl(void **state OVS_UNUSED)
{
    assert_sent("ip,actions=dec_ttl,2", TCP, "ip,nw_ttl=63");
    /* Ends its own list only. */
    assert_fate_of("actions=resubmit(,1),3\ntable=1,ip,actions=dec_ttl,2",
                   "in_port=1,tcp,nw_ttl=1", "controller 3");
    assert_fate_of("ip,actions=dec_ttl(4,5),2", "in_port=1,tcp,nw_ttl=0",
                   "controller controller");
}

static void
test_vlan(void **state OVS_UNUSED)
{
    assert_sent("actions=push_vlan:0x8100,set_field:4101->vlan_vid,2", TCP,
                "dl_vlan=5,tcp,tp_dst=80");
    assert_sent("vlan_tci=0x1000/0x1000,actions=strip_vlan,2",
                "in_port=1,dl_vlan=5,tcp", "vlan_tci=0,tcp");
    assert_sent("tcp,actions=push_vlan:0x8100,pop_vlan,2", TCP,
                "vlan_tci=0,tcp");
    assert_sent("vlan_tci=0x1000/0x1000,actions=mod_vlan_vid:7,2",
                "in_port=1,dl_vlan=5,tcp", "dl_vlan=7");
}

static void
test_clone(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "actions=clone(set_field:5->reg1,2),3");
    assert_fate(&b, TCP, "2 3");
    assert_fields(&b.result.effects[0].packet, "reg1=5,actions=");
    assert_fields(&b.result.effects[1].packet, "reg1=0,actions=");
    bench_destroy(&b);
}

static void
test_noops(void **state OVS_UNUSED)
{
    assert_fate_of("actions=note:01.02.03.04.05.06,2", TCP, "2");
    assert_fate_of("tcp,actions=fin_timeout(idle_timeout=5),2", TCP, "2");
}

static void
test_learn(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "table=0,tcp,actions=learn(table=5,priority=7,cookie=0x99,"
              "eth_type=0x800,nw_proto=6,NXM_OF_IP_DST[]=NXM_OF_IP_SRC[],"
              "output:NXM_OF_IN_PORT[]),resubmit(,5)");
    bench_add(&b, "table=5,priority=1,actions=9");
    /* Not in the tables of the packet that taught it. */
    assert_fate(&b, TCP, "learn 9");
    struct ds s = DS_EMPTY_INITIALIZER;
    np_flow_format(b.result.effects[0].learned, NULL, &s);
    assert_string_equal(ds_cstr(&s), "cookie=0x99,table=5,priority=7,tcp,"
                        "nw_dst=10.0.0.1,actions=output:1");
    ds_destroy(&s);
    b.env.first_table = 5;
    assert_fate(&b, "in_port=2,tcp,nw_dst=10.0.0.1", "9");

    b.env.learn = true;
    b.env.first_table = 0;
    assert_fate(&b, TCP, "learn 9");
    b.env.first_table = 5;
    assert_fate(&b, "in_port=2,tcp,nw_dst=10.0.0.1", "1");
    assert_fate(&b, "in_port=2,udp,nw_dst=10.0.0.1", "9");
    bench_destroy(&b);
}

static void
test_learn_in_next_pass(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "ip,actions=ct(table=5),learn(table=5,priority=7,"
              "eth_type=0x800,NXM_OF_IP_DST[],output:NXM_OF_IN_PORT[]),"
              "resubmit(,5)");
    bench_add(&b, "table=5,priority=1,actions=9");
    assert_fate(&b, TCP, "ct 9 learn 9");
    b.env.learn = true;
    bench_add(&b, "table=5,priority=2,ip,actions=IN_PORT,8");
    assert_fate(&b, TCP, "ct learn 1 8");
    bench_destroy(&b);
}

static void
test_learn_limit(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "table=0,udp,actions=learn(table=5,cookie=0x99,limit=2,"
              "result_dst=NXM_NX_REG0[3],eth_type=0x800,nw_proto=17,"
              "NXM_OF_UDP_SRC[]),resubmit(,6)");
    bench_add(&b, "table=6,reg0=8,actions=2");
    bench_add(&b, "table=6,reg0=0,actions=3");
    /* Of other cookies, and in other tables: does not count. */
    bench_add(&b, "table=5,cookie=0x98,actions=drop");
    bench_add(&b, "table=4,cookie=0x99,actions=drop");
    b.env.learn = true;
    assert_fate(&b, "in_port=1,udp,udp_src=1", "learn 2");
    assert_fate(&b, "in_port=1,udp,udp_src=2", "learn 2");
    assert_fate(&b, "in_port=1,udp,udp_src=3", "3");
    /* What is there already may be learned again. */
    assert_fate(&b, "in_port=1,udp,udp_src=2", "learn 2");
    bench_destroy(&b);
}

static void
test_learn_in_one_pass(void **state OVS_UNUSED)
{
    /* The second finds the first in the table, though lookups do not. */
    assert_fate_of("udp,actions=learn(table=5,cookie=0x99,limit=1,"
                   "eth_type=0x800,nw_proto=17,NXM_OF_UDP_SRC[]),"
                   "learn(table=5,cookie=0x99,limit=1,"
                   "result_dst=NXM_NX_REG0[0],"
                   "eth_type=0x800,nw_proto=17,NXM_OF_UDP_DST[]),"
                   "resubmit(,6)\ntable=6,reg0=0,actions=3",
                   "in_port=1,udp,udp_src=1,udp_dst=2", "learn 3");
}

static void
test_unknown(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "table=7,mpls,actions=2,dec_mpls_ttl,3");
    b.env.first_table = 7;
    assert_fate(&b, "in_port=1,mpls,mpls_ttl=9", "2 unknown");
    assert_non_null(strstr(b.result.error, "table 7: dec_mpls_ttl: "));
    bench_destroy(&b);
    assert_fate_of("actions=resubmit(,1),3\ntable=1,actions=write_actions(2)",
                   TCP, "unknown");
    assert_fate_of("actions=clear_actions", TCP, "unknown");
    assert_fate_of("ct_state=+est+trk,ip,actions=resubmit(,1,ct)",
                   "in_port=1,ct_state=est|trk,ip", "unknown");
    assert_fate_of("actions=controller(pause)", TCP, "unknown");
    assert_fate_of("actions=set_queue:3,2", TCP, "unknown");
    assert_fate_of("actions=output(port=2,max_len=64)", TCP, "unknown");
    assert_fate_of("ip,actions=ct(commit,nat(src=1.2.3.4))", TCP, "unknown");
}

static void
test_format(void **state OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct bench b;

    bench_init(&b);
    bench_add(&b, "priority=1,ip,actions=resubmit(,3),"
              "ct(commit,zone=7,table=4,exec(set_field:1/3->ct_mark))");
    bench_add(&b, "table=4,priority=1,actions=2");
    bench_send(&b, "in_port=1,udp,nw_src=10.0.0.1,nw_dst=10.0.0.2");
    np_interp_result_format(&b.result, NULL, &s);
    static const char *const parts[] = {
        "packet udp,in_port=1,",
        "\n  cookie=0x0,table=0,priority=1,ip,actions=",
        "\n    table=3: no flow matches\n", "\npacket ct_state=new|trk,",
        "\n  cookie=0x0,table=4,priority=1,actions=output:2\n",
        "\nct(commit,zone=7,mark=0x1/0x3,table=4) ", "\noutput:2 ",
    };
    const char *at = ds_cstr(&s);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *found = strstr(at, parts[i]);

        if (!found) {
            fail_msg("no %s after part %zu of:\n%s", parts[i], i, ds_cstr(&s));
        }
        at = found + 1;
    }
    ds_destroy(&s);
    bench_destroy(&b);
}

int
test_action(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_back_to_in_port),
        cmocka_unit_test(test_output_reg),
        cmocka_unit_test(test_sent_as_it_was_then),
        cmocka_unit_test(test_resubmit_returns),
        cmocka_unit_test(test_goto_table),
        cmocka_unit_test(test_exit),
        cmocka_unit_test(test_too_deep),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_set_field),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_dec_ttl),
        cmocka_unit_test(test_vlan),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_noops),
        cmocka_unit_test(test_learn),
        cmocka_unit_test(test_learn_in_next_pass),
        cmocka_unit_test(test_learn_limit),
        cmocka_unit_test(test_learn_in_one_pass),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}

/* Which flow a packet meets. */

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#define TCP \
    "in_port=1,dl_src=0a:00:00:00:00:01,dl_dst=0a:00:00:00:00:02,tcp," \
    "nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tp_src=1000,tp_dst=80"

static void
test_miss(void **state OVS_UNUSED)
{
    assert_fate_of("udp,actions=2", TCP, "drop");
    assert_fate_of("actions=resubmit(,7),3", TCP, "3");
}

static void
test_first_table(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "table=0,actions=2");
    bench_add(&b, "table=9,actions=3");
    b.env.first_table = 9;
    assert_fate(&b, TCP, "3");
    bench_destroy(&b);
}

static void
test_priority(void **state OVS_UNUSED)
{
    assert_fate_of("priority=1,actions=2\n"
                   "priority=9,tcp,actions=3\n"
                   "priority=5,tcp,tp_dst=80,actions=4", TCP, "3");
}

static void
test_longest_prefix(void **state OVS_UNUSED)
{
    const char *flows = "priority=33,ip,nw_dst=10.0.0.2,actions=2\n"
                        "priority=25,ip,nw_dst=10.0.0.0/24,actions=3\n"
                        "priority=1,ip,actions=4";

    assert_fate_of(flows, TCP, "2");
    assert_fate_of(flows, "in_port=1,tcp,nw_dst=10.0.0.3", "3");
    assert_fate_of(flows, "in_port=1,tcp,nw_dst=10.0.1.3", "4");
    assert_fate_of(flows, "in_port=1,ipv6,ipv6_dst=fd00::1", "drop");
}

static void
test_port_mask(void **state OVS_UNUSED)
{
    const char *flows = "tcp,tp_dst=0x50/0xfff0,actions=2";

    assert_fate_of(flows, TCP, "2");
    assert_fate_of(flows, "in_port=1,tcp,tp_dst=95", "2");
    assert_fate_of(flows, "in_port=1,tcp,tp_dst=96", "drop");
    assert_fate_of(flows, "in_port=1,udp,udp_dst=80", "drop");
}

static void
test_fragments(void **state OVS_UNUSED)
{
    const char *flows = "priority=9,ip,nw_frag=later,actions=2\n"
                        "priority=8,ip,nw_frag=first,actions=3\n"
                        "priority=7,tcp,tp_dst=0,actions=4\n"
                        "priority=6,ip,actions=5";

    assert_fate_of(flows, "in_port=1,tcp,nw_frag=later", "2");
    assert_fate_of(flows, "in_port=1,tcp,nw_frag=first,tp_dst=80", "3");
    assert_fate_of(flows, TCP, "5");
}

static void
test_in_port(void **state OVS_UNUSED)
{
    const char *flows = "priority=9,table=1,in_port=1,actions=2\n"
                        "priority=8,table=1,in_port=7,actions=3,IN_PORT\n"
                        "actions=resubmit(7,1),resubmit(,1)";

    /* Found as if from port 7; but IN_PORT is where it did come from. */
    assert_fate_of(flows, TCP, "3 1 2");
}

/* Rules by dimensions: (who) x (whom) x (what). */
#define CONJ2 \
    "table=0,priority=100,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)\n" \
    "table=0,priority=100,tcp,tp_dst=80,actions=conjunction(7,2/2)\n" \
    "table=0,priority=100,conj_id=7,actions=2\n"

static void
test_conjunction(void **state OVS_UNUSED)
{
    assert_fate_of(CONJ2, TCP, "2");
    assert_fate_of(CONJ2, "in_port=1,tcp,nw_src=10.0.0.9,tp_dst=80", "drop");
    assert_fate_of(CONJ2, "in_port=1,tcp,nw_src=10.0.0.1,tp_dst=81", "drop");
    /* Its flows alone do not match, and do not hide what stands below. */
    assert_fate_of("priority=9,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)\n"
                   "priority=1,actions=3", TCP, "3");
    /* The clauses' priority counts, not that of the flow with the id. */
    assert_fate_of("priority=50,tcp,actions=3\n" CONJ2, TCP, "2");
    assert_fate_of("priority=150,tcp,actions=3\n" CONJ2, TCP, "3");
}

static void
test_conjunction_without_flow(void **state OVS_UNUSED)
{
    /* All clauses match but no flow has the id: as if they were not there. */
    assert_fate_of(
        "priority=100,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)\n"
        "priority=100,tcp,tp_dst=80,actions=conjunction(7,2/2)\n"
        "priority=1,actions=3", TCP, "3");
    /* An id in the packet's own right does not exist. */
    assert_fate_of("priority=100,conj_id=7,actions=2\n"
                   "priority=1,actions=3", TCP, "3");
}

static void
test_shared_clauses(void **state OVS_UNUSED)
{
    const char *flows =
        "priority=100,ip,nw_src=10.0.0.1,"
        "actions=conjunction(1,1/3),conjunction(2,1/2)\n"
        "priority=100,ip,nw_dst=10.0.0.2,actions=conjunction(1,2/3)\n"
        "priority=100,tcp,tp_dst=80,actions=conjunction(1,3/3)\n"
        "priority=100,tcp,tp_dst=443,"
        "actions=conjunction(1,3/3),conjunction(2,2/2)\n"
        "priority=100,conj_id=1,actions=2\n"
        "priority=100,conj_id=2,actions=3";

    assert_fate_of(flows, TCP, "2");
    assert_fate_of(flows, "in_port=1,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.3,"
                   "tp_dst=443", "3");
    assert_fate_of(flows, "in_port=1,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.3,"
                   "tp_dst=80", "drop");
}

static void
test_conjunction_by_priorities(void **state OVS_UNUSED)
{
    /* A higher conjunction that fails lets a lower one match. */
    const char *flows =
        "priority=200,ip,nw_src=10.0.0.1,actions=conjunction(1,1/2)\n"
        "priority=200,tcp,tp_dst=443,actions=conjunction(1,2/2)\n"
        "priority=200,conj_id=1,actions=2\n" CONJ2
        "priority=90,tcp,actions=4\n";

    assert_fate_of(flows, TCP, "2");
    assert_fate_of(flows, "in_port=1,tcp,nw_src=10.0.0.1,tp_dst=443", "2");
    assert_fate_of(flows, "in_port=1,tcp,nw_src=10.0.0.1,tp_dst=8", "4");
}

static void
test_clauses_do_not_mix(void **state OVS_UNUSED)
{
    /* One clause at each of two priorities is not a match. */
    assert_fate_of("priority=101,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)"
                   "\npriority=100,tcp,tp_dst=80,actions=conjunction(7,2/2)\n"
                   "priority=100,conj_id=7,actions=2\n"
                   "priority=101,conj_id=7,actions=3", TCP, "drop");
}

static void
test_patch(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "priority=1,actions=2");
    bench_add(&b, "priority=9,tcp,actions=3");
    assert_fate(&b, TCP, "3");
    bench_add(&b, "priority=9,tcp,actions=4");
    assert_fate(&b, TCP, "4");
    bench_remove(&b, "priority=9,tcp,actions=");
    assert_fate(&b, TCP, "2");
    bench_remove(&b, "priority=1,actions=");
    assert_fate(&b, TCP, "drop");
    bench_add(&b, "priority=9,ip,nw_src=10.0.0.1,actions=conjunction(7,1/2)");
    bench_add(&b, "priority=9,tcp,tp_dst=80,actions=conjunction(7,2/2)");
    bench_add(&b, "priority=9,conj_id=7,actions=5");
    assert_fate(&b, TCP, "5");
    bench_remove(&b, "priority=9,tcp,tp_dst=80,actions=");
    assert_fate(&b, TCP, "drop");
    bench_destroy(&b);
}

static void
test_trace(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "priority=9,tcp,actions=resubmit(,3),resubmit(,4)");
    bench_add(&b, "table=4,actions=resubmit(,5)");
    bench_add(&b, "table=5,actions=2");
    bench_send(&b, TCP);
    assert_int_equal(b.result.n_passes, 1);
    assert_int_equal(b.result.n_steps, 4);
    static const struct { uint8_t table, depth; bool hit; } want[] = {
        { 0, 0, true }, { 3, 1, false }, { 4, 1, true }, { 5, 2, true } };
    for (size_t i = 0; i < 4; i++) {
        const struct np_interp_step *step = &b.result.steps[i];

        assert_int_equal(step->table, want[i].table);
        assert_int_equal(step->depth, want[i].depth);
        assert_int_equal(step->flow != NULL, want[i].hit);
        assert_true(!step->flow || step->flow->table == step->table);
    }
    assert_int_equal(b.result.effects[0].step, 3);
    bench_destroy(&b);
}

static void
test_wildcards(void **state OVS_UNUSED)
{
    struct bench b;

    bench_init(&b);
    bench_add(&b, "priority=9,tcp,tp_dst=80,actions=2");
    bench_add(&b, "priority=1,actions=3");
    bench_send(&b, TCP);
    const struct flow *mask = &b.result.passes[0].wc.masks;
    assert_int_equal(mask->tp_dst, OVS_BE16_MAX);
    assert_int_equal(mask->nw_proto, UINT8_MAX);
    assert_int_equal(mask->tp_src, 0);
    assert_int_equal(mask->nw_src, 0);
    bench_destroy(&b);
}

int
test_match(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_miss),
        cmocka_unit_test(test_first_table),
        cmocka_unit_test(test_priority),
        cmocka_unit_test(test_longest_prefix),
        cmocka_unit_test(test_port_mask),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_in_port),
        cmocka_unit_test(test_conjunction),
        cmocka_unit_test(test_conjunction_without_flow),
        cmocka_unit_test(test_shared_clauses),
        cmocka_unit_test(test_conjunction_by_priorities),
        cmocka_unit_test(test_clauses_do_not_mix),
        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_wildcards),
    };

    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}

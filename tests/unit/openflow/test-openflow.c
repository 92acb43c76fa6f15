#include <config.h>
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

static void
add_change_delete(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(status_of(f).state, "no bridge");
    connect_to(f);
    check_log(f, "read ");
    assert_int_equal(np_installer_realized(f->inst), 0);

    uint64_t seqno = np_installer_seqno(f->inst);
    until_realized(f, WISH(f, 1, 5, 6, 7));
    check_log(f, "config open add 7 add 6 add 5 barrier commit barrier ");
    TABLE(f, 1, 0, 5, 6, 7);
    assert_true(np_installer_seqno(f->inst) > seqno);

    /* One changed, one gone, one new: and nothing else is said. */
    struct np_flow_set set;
    np_flow_set_init(&set);
    np_flow_set_put(&set, flow_of(5, 2));
    np_flow_set_put(&set, flow_of(6, 1));
    np_flow_set_put(&set, flow_of(8, 1));
    until_realized(f, np_installer_set_desired(f->inst, &set));
    check_log(f, "open delete 7 add 8 add 5 barrier commit barrier ");
    np_flow_set_destroy(&set);

    struct np_installer_status st = status_of(f);
    assert_string_equal(st.state, "idle");
    assert_int_equal(st.n_installed, 3);
    assert_int_equal(st.n_bundles, 2);
    assert_int_equal(st.n_flow_mods, 6);
    assert_int_equal(st.n_errors, 0);
    assert_null(st.last_error);
    assert_false(st.foreign_flows);
    assert_int_equal(np_flow_set_count(np_installer_installed(f->inst)), 3);
}

static void
nothing_to_do(void **state)
{
    struct fixture *f = *state;

    np_flow_set_put(&f->sw.flows, flow_of(5, 1));
    np_flow_set_put(&f->sw.flows, flow_of(6, 1));
    assert_null(np_installer_installed(f->inst));
    uint64_t no = WISH(f, 1, 5, 6);
    connect_to(f);
    until_realized(f, no);
    check_log(f, "read config ");
    /* The same again. */
    until_realized(f, WISH(f, 1, 5, 6));
    check_log(f, "");
    assert_int_equal(status_of(f).n_bundles, 0);
}

/* Who has not wished for anything has not wished for an empty table. */
static void
no_wish_no_change(void **state)
{
    struct fixture *f = *state;

    np_flow_set_put(&f->sw.flows, flow_of(5, 1));
    connect_to(f);
    check_log(f, "read ");
    TABLE(f, 1, 0, 5);
    const struct np_flow_set *installed = np_installer_installed(f->inst);
    assert_int_equal(np_flow_set_count(installed), 1);
    /* An empty wish is one. */
    until_realized(f, wish(f, (const int[]) { 0 }, 1));
    check_log(f, "config open delete 5 barrier commit barrier ");
}

static void
foreign_flows(void **state)
{
    struct fixture *f = *state;

    add_to_switch(f, "cookie=0x99,table=3,priority=9,ip,actions=drop");
    add_to_switch(f, "cookie=0,table=0,priority=0,actions=normal");
    /* Learned by the switch: ours, but left alone. */
    add_to_switch(f, "cookie=0x4e50070100000001,table=9,actions=drop");
    np_flow_set_put(&f->sw.flows, flow_of(5, 1));
    connect_to(f);
    assert_true(status_of(f).foreign_flows);
    check_log(f, "read ");

    until_realized(f, WISH(f, 1, 6));
    check_log(f, "config open delete 5 add 6 barrier commit barrier ");
    TABLE(f, 1, 3, 6);
}

static void
standalone_default(void **state)
{
    struct fixture *f = *state;
    struct np_flow_set set;
    struct np_flow *flow;

    add_to_switch(f, "cookie=0,table=0,priority=0,actions=normal");
    connect_to(f);
    assert_false(status_of(f).foreign_flows);
    /* It may be replaced. */
    np_flow_set_init(&set);
    assert_null(np_flow_parse("cookie=0x4e50010100000000,priority=0,"
                              "actions=drop", NULL, &flow));
    np_flow_set_put(&set, flow);
    until_realized(f, np_installer_set_desired(f->inst, &set));
    np_flow_set_destroy(&set);
    assert_int_equal(np_flow_set_count(&f->sw.flows), 1);
}

static void
foreign_flow_in_the_way(void **state)
{
    struct fixture *f = *state;

    add_to_switch(f, "cookie=0x99,table=3,priority=6,ip,actions=drop");
    connect_to(f);
    uint64_t no = WISH(f, 1, 5, 6, 7);
    check_log(f, "read config open add 7 add 5 barrier commit barrier ");
    TABLE(f, 1, 1, 5, 7);
    /* The rest is there, but nobody is told that all is well. */
    assert_int_equal(np_installer_realized(f->inst), 0);
    const char *error = status_of(f).last_error;
    assert_non_null(strstr(error, "not ours: cookie=0x4e50010100000006,"));

    /* When it has gone, it is noticed. */
    np_flow_set_clear(&f->sw.flows);
    until_realized(f, no);
    TABLE(f, 1, 0, 5, 6, 7);
    assert_null(status_of(f).last_error);
}

static void
unsendable_flows(void **state)
{
    struct fixture *f = *state;
    struct np_flow_set set;
    struct ofpbuf acts;
    struct match match;

    ofpbuf_init(&acts, 0);
    match_init_catchall(&match);
    for (int i = 0; i < 5000; i++) {
        ofpact_put_CONJUNCTION(&acts)->id = i;
    }
    np_flow_set_init(&set);
    np_flow_set_put(&set, np_flow_create(1, 1, np_cookie(NP_FLOW_CLAUSE, 1),
                                         &match, acts.data, acts.size));
    np_flow_set_put(&set, np_flow_create(1, 2, 0, &match, NULL, 0));
    np_flow_set_put(&set, flow_of(5, 1));
    np_installer_set_desired(f->inst, &set);
    connect_to(f);
    check_log(f, "read config open add 5 barrier commit barrier ");
    assert_int_equal(np_installer_realized(f->inst), 0);
    assert_int_equal(status_of(f).n_errors, 2);
    np_flow_set_destroy(&set);
    ofpbuf_uninit(&acts);
}

static void
refused_add(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    f->sw.refuse_add = 6;
    uint64_t no = WISH(f, 1, 5, 6, 7);
    settle(f);
    /* Nothing of it is installed. */
    TABLE(f, 1, 0, 0);
    assert_null(strstr(ds_cstr(&f->sw.log), "commit"));
    assert_non_null(strstr(ds_cstr(&f->sw.log), "discard"));
    assert_string_equal(status_of(f).last_error,
                        "OFPBAC_BAD_OUT_PORT: cookie=0x4e50010100000006,"
                        "table=3,priority=6,ip,actions=output:1");
    assert_int_equal(status_of(f).n_errors, 1);
    assert_int_equal(status_of(f).n_installed, 0);

    /* Another wish is tried at once, this one again after a while. */
    ds_clear(&f->sw.log);
    assert_string_equal(status_of(f).state, "waiting to retry");
    uint64_t no2 = WISH(f, 1, 5, 7);
    check_log(f, "open add 7 add 5 barrier commit barrier ");
    assert_int_equal(np_installer_realized(f->inst), no2);
    assert_null(status_of(f).last_error);

    no = WISH(f, 1, 6);
    settle(f);
    assert_int_equal(np_installer_realized(f->inst), no2);
    TABLE(f, 1, 0, 5, 7);
    f->sw.refuse_add = -1;
    until_realized(f, no);
    TABLE(f, 1, 0, 6);
}

static void
refused_commit(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    f->sw.refuse_commit = 6;
    uint64_t no = WISH(f, 1, 5, 6, 7);
    check_log(f, "read config open add 7 add 6 add 5 barrier commit "
              "barrier ");
    assert_string_equal(status_of(f).last_error,
                        "OFPFMFC_TABLE_FULL: cookie=0x4e50010100000006,"
                        "table=3,priority=6,ip,actions=output:1");
    f->sw.refuse_commit = -1;
    until_realized(f, no);
    /* The retry looks first. */
    check_log(f, "read open add 7 add 6 add 5 barrier commit barrier ");
}

static void
lost_in_the_middle(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    f->sw.drop_at_add = 6;
    uint64_t no = WISH(f, 1, 5, 6, 7);
    until_realized(f, no);
    TABLE(f, 1, 0, 5, 6, 7);
    check_log(f, "read config open add 7 add 6 "
              "read config open add 7 add 6 add 5 barrier commit barrier ");
}

static void
restart_of_the_switch(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    uint64_t no = WISH(f, 1, 5, 6);
    until_realized(f, no);
    ds_clear(&f->sw.log);

    fake_switch_drop(&f->sw, true);
    until_connected(f, false);
    assert_int_equal(np_installer_realized(f->inst), 0);
    until_realized(f, no);
    check_log(f, "read config open add 6 add 5 barrier commit barrier ");

    /* A connection that is only lost costs a look. */
    fake_switch_drop(&f->sw, false);
    until_connected(f, false);
    assert_string_equal(status_of(f).state, "connecting");
    assert_non_null(strstr(status_of(f).last_error,
                           "br-fake: connection failed ("));
    until_realized(f, no);
    check_log(f, "read config ");
    assert_null(status_of(f).last_error);
}

static void
coalescing(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    WISH(f, 1, 5);
    np_installer_run(f->inst);      /* On its way. */
    WISH(f, 1, 6);
    WISH(f, 1, 7);
    until_realized(f, WISH(f, 1, 8));
    check_log(f, "read config open add 5 barrier commit barrier "
              "open delete 5 add 8 barrier commit barrier ");
    TABLE(f, 1, 0, 8);
}

static void
flush_and_resume(void **state)
{
    struct fixture *f = *state;

    add_to_switch(f, "cookie=0x99,table=3,priority=9,ip,actions=drop");
    add_to_switch(f, "cookie=0x4e50070100000001,table=9,actions=drop");
    connect_to(f);
    until_realized(f, WISH(f, 1, 5, 6));
    ds_clear(&f->sw.log);

    uint64_t no = np_installer_flush(f->inst);
    until_realized(f, no);
    check_log(f, "open flush barrier commit barrier ");
    TABLE(f, 1, 1, 0);
    assert_string_equal(status_of(f).state, "flushed");
    assert_int_equal(status_of(f).n_installed, 0);

    /* Wishes wait for the end of it, on another connection too. */
    uint64_t no2 = WISH(f, 2, 5, 6);
    check_log(f, "");
    fake_switch_drop(&f->sw, false);
    until_connected(f, false);
    until_realized(f, no);
    check_log(f, "read config open flush barrier commit barrier ");
    assert_true(np_installer_realized(f->inst) < no2);
    until_realized(f, np_installer_resume(f->inst));
    check_log(f, "open add 6 add 5 barrier commit barrier ");
    TABLE(f, 2, 1, 5, 6);

    /* Without a new wish the old one comes back. */
    until_realized(f, np_installer_flush(f->inst));
    TABLE(f, 2, 1, 0);
    until_realized(f, np_installer_resume(f->inst));
    TABLE(f, 2, 1, 5, 6);

    /* Before it was begun. */
    ds_clear(&f->sw.log);
    no = np_installer_flush(f->inst);
    until_realized(f, np_installer_resume(f->inst));
    assert_true(np_installer_realized(f->inst) > no);
    check_log(f, "");
    /* While a bundle is under way. */
    WISH(f, 3, 5);
    np_installer_run(f->inst);
    np_installer_flush(f->inst);
    until_realized(f, np_installer_resume(f->inst));
    TABLE(f, 3, 1, 5);
}

static void
hold(void **state)
{
    struct fixture *f = *state;

    f->sw.ports[3].exists = true;
    np_installer_hold(f->inst, true);
    np_installer_set_no_flood(f->inst, (const uint32_t[]) { 3 }, 1);
    uint64_t no = WISH(f, 1, 5, 6);
    connect_to(f);
    check_log(f, "read ");
    check_port_log(f, "");
    assert_string_equal(status_of(f).state, "held");
    assert_int_equal(np_installer_realized(f->inst), 0);

    np_installer_hold(f->inst, false);
    until_realized(f, no);
    check_log(f, "read config open add 6 add 5 barrier commit barrier ");
    check_port_log(f, "no-flood 3 ");

    /* In the middle of a bundle. */
    f->sw.mute = true;
    no = WISH(f, 2, 5, 6);
    settle(f);
    np_installer_hold(f->inst, true);
    f->sw.mute = false;
    check_log(f, "open add 6 add 5 barrier discard ");
    TABLE(f, 1, 0, 5, 6);
    np_installer_hold(f->inst, false);
    until_realized(f, no);
    TABLE(f, 2, 0, 5, 6);
}

static void
no_flood(void **state)
{
    struct fixture *f = *state;

    f->sw.ports[2] = (struct fake_port) { .exists = true };
    f->sw.ports[3] = (struct fake_port) { .exists = true };
    f->sw.ports[5] = (struct fake_port) { .exists = true, .no_flood = true };
    connect_to(f);
    np_installer_set_no_flood(f->inst, (const uint32_t[]) { 2, 3, 4 }, 3);
    settle(f);
    assert_true(f->sw.ports[2].no_flood && f->sw.ports[3].no_flood);
    ds_clear(&f->sw.port_log);
    /* A port that comes later, and one that is another one now. */
    fake_switch_port(&f->sw, 4, true);
    check_port_log(f, "no-flood 4 ");
    fake_switch_port(&f->sw, 3, false);
    check_port_log(f, "");
    fake_switch_port(&f->sw, 3, true);
    check_port_log(f, "no-flood 3 ");
    /* Out of the set; what others flagged is theirs. */
    np_installer_set_no_flood(f->inst, (const uint32_t[]) { 3, 4 }, 2);
    check_port_log(f, "flood 2 ");
    assert_true(f->sw.ports[5].no_flood);
    /* A restart of the switch. */
    fake_switch_drop(&f->sw, true);
    long long int start = time_msec();
    while (!f->sw.ports[3].no_flood || !f->sw.ports[4].no_flood) {
        assert_true(time_msec() < start + HANG);
        turn(f);
        block(f);
    }
    assert_false(f->sw.ports[2].no_flood);
}

static void
noise(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    f->sw.mute = true;
    uint64_t no = WISH(f, 1, 5);
    settle(f);
    fake_switch_send_noise(&f->sw);
    settle(f);
    assert_int_equal(np_installer_realized(f->inst), 0);
    f->sw.mute = false;
    until_realized(f, no);
    assert_int_equal(status_of(f).n_errors, 0);
}

static void
refused_read(void **state)
{
    struct fixture *f = *state;

    f->sw.refuse_read = true;
    uint64_t no = WISH(f, 1, 5);
    connect_to(f);
    np_installer_set_target(f->inst, f->sw.target);
    until_connected(f, false);
    assert_int_equal(status_of(f).n_errors, 1);
    assert_null(strstr(ds_cstr(&f->sw.log), "open"));
    f->sw.refuse_read = false;
    until_realized(f, no);
}

static void
another_bridge(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    uint64_t no = WISH(f, 1, 5, 6);
    until_realized(f, no);

    /* The flows stay on the one and are wanted on the other. */
    char dir[] = "/tmp/np-openflow-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct fake_switch old = f->sw;
    fake_switch_init(&f->sw, dir);
    /* The list heads moved. */
    for (int i = 0; i < FAKE_CONNS; i++) {
        ovs_list_moved(&old.conns[i].txq, &f->sw.conns[i].txq);
        ovs_list_init(&old.conns[i].txq);
        ovs_list_init(&old.conns[i].bundle);
    }
    np_installer_set_target(f->inst, f->sw.target);
    np_installer_run(f->inst);
    assert_int_equal(np_installer_realized(f->inst), 0);
    until_realized(f, no);
    TABLE(f, 1, 0, 5, 6);
    assert_int_equal(np_flow_set_count(&old.flows), 2);

    np_installer_set_target(f->inst, NULL);
    settle(f);
    assert_string_equal(status_of(f).state, "no bridge");
    assert_int_equal(np_installer_realized(f->inst), 0);
    TABLE(f, 1, 0, 5, 6);
    fake_switch_destroy(&f->sw);
    rmdir(dir);
    f->sw = old;
    for (int i = 0; i < FAKE_CONNS; i++) {
        ovs_list_init(&f->sw.conns[i].txq);
        ovs_list_init(&f->sw.conns[i].bundle);
    }
}

/* A bridge that does not speak OpenFlow 1.0 gets its flows, but ports cannot
 * be flagged there. */
static void
no_flood_impossible(void **state)
{
    struct fixture *f = *state;
    long long int start = time_msec();

    f->sw.versions &= ~(1u << OFP10_VERSION);
    np_installer_set_no_flood(f->inst, (const uint32_t[]) { 2 }, 1);
    uint64_t no = WISH(f, 1, 5);
    connect_to(f);
    until_realized(f, no);
    while (!status_of(f).last_error) {
        assert_true(time_msec() < start + HANG);
        turn(f);
        block(f);
    }
    assert_non_null(strstr(status_of(f).last_error,
                           "br-fake (no-flood): connection failed ("));
}

/* More than one message can carry, and more than a queue should hold. */
static void
many_flows(void **state)
{
    struct fixture *f = *state;
    static int list[30001];

    for (int i = 0; i < 30000; i++) {
        list[i] = i + 1;
    }
    connect_to(f);
    uint64_t no = wish(f, list, 1);
    until_realized(f, no);
    check_table(f, list, 1, 0);
    ds_clear(&f->sw.log);
    fake_switch_drop(&f->sw, false);
    until_connected(f, false);
    until_realized(f, no);
    check_log(f, "read config ");
    assert_int_equal(status_of(f).n_installed, 30000);
}

/* Whatever happens, in the end the table is the last wish. */
static void
random_events(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 77;
    int list[12] = { 0 };
    uint64_t no = 0;

    add_to_switch(f, "cookie=0x99,table=3,priority=99,ip,actions=drop");
    connect_to(f);
    for (int i = 0; i < 400; i++) {
        int n = 0;

        switch (unit_random_below(&seed, 8)) {
        case 0: case 1: case 2:
            for (int p = 1; p <= 10; p++) {
                if (unit_random_below(&seed, 2)) {
                    list[n++] = p;
                }
            }
            list[n] = 0;
            no = wish(f, list, 1);
            break;
        case 3:
            f->sw.refuse_add = unit_random_below(&seed, 11);
            break;
        case 4:
            f->sw.refuse_commit = unit_random_below(&seed, 11);
            break;
        case 5:
            f->sw.refuse_add = f->sw.refuse_commit = -1;
            break;
        case 6:
            np_installer_hold(f->inst, unit_random_below(&seed, 2));
            break;
        case 7:
            if (unit_random_below(&seed, 2)) {
                np_installer_flush(f->inst);
            } else {
                no = np_installer_resume(f->inst);
            }
            break;
        }
        for (uint32_t t = unit_random_below(&seed, 6); t; t--) {
            turn(f);
        }
    }
    f->sw.refuse_add = f->sw.refuse_commit = -1;
    np_installer_hold(f->inst, false);
    np_installer_resume(f->inst);
    no = wish(f, list, 1);
    until_realized(f, no);
    check_table(f, list, 1, 1);
}

/* The blocking reader needs a switch that runs by itself; only how it fails
 * is to be seen here. */
static void
dump_without_switch(void **state)
{
    struct fixture *f = *state;
    struct np_flow_dump dump;

    char *target = xasprintf("unix:%s/br-none.mgmt", f->dir);
    char *error = np_openflow_dump(target, true, &dump);
    assert_string_equal(error, "br-none: connection failed "
                        "(No such file or directory)");
    assert_int_equal(dump.n, 0);
    np_flow_dump_destroy(&dump);
    free(error);
    free(target);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(add_change_delete), T(nothing_to_do), T(no_wish_no_change),
        T(foreign_flows), T(standalone_default), T(foreign_flow_in_the_way),
        T(unsendable_flows), T(refused_add), T(refused_commit),
        T(lost_in_the_middle), T(restart_of_the_switch), T(coalescing),
        T(flush_and_resume), T(hold), T(no_flood), T(no_flood_impossible),
        T(noise), T(refused_read), T(another_bridge), T(many_flows),
        T(random_events), T(dump_without_switch),
    };
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return (cmocka_run_group_tests_name("openflow", tests, NULL, NULL)
            + test_patch() + test_watch() + test_learned()) != 0;
}

#include <config.h>
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "timeval.h"
#include "util.h"

/* Puts flows of the priorities in PUT that output to PORT, and deletes those
 * in DEL; 0 ends both. */
static uint64_t
patch(struct fixture *f, int port, const int put[], const int del[])
{
    struct np_flow_patch p;

    np_flow_patch_init(&p);
    for (; *put; put++) {
        np_flow_patch_put(&p, flow_of(*put, port));
    }
    for (; *del; del++) {
        np_flow_patch_del(&p, flow_of(*del, 99));
    }
    uint64_t no = np_installer_patch(f->inst, &p);
    assert_true(np_flow_patch_is_empty(&p));
    np_flow_patch_destroy(&p);
    return no;
}
#define LIST(...) ((const int[]) { __VA_ARGS__, 0 })
#define NONE ((const int[]) { 0 })

static void
begin(struct fixture *f)
{
    connect_to(f);
    until_realized(f, WISH(f, 1, 5, 6, 7));
    ds_clear(&f->sw.log);
}

static void
only_the_patch(void **state)
{
    struct fixture *f = *state;

    begin(f);
    until_realized(f, patch(f, 1, LIST(8, 9), LIST(5, 6)));
    check_log(f, "open delete 6 delete 5 add 9 add 8 barrier commit "
              "barrier ");
    TABLE(f, 1, 0, 7, 8, 9);
    assert_int_equal(status_of(f).n_installed, 3);
    /* What is there already, and what is not there, need no words. */
    until_realized(f, patch(f, 1, LIST(7, 10), LIST(5)));
    check_log(f, "open add 10 barrier commit barrier ");
    until_realized(f, patch(f, 1, LIST(7, 8), LIST(5)));
    until_realized(f, patch(f, 1, NONE, NONE));
    check_log(f, "");
    assert_string_equal(status_of(f).state, "idle");
    until_realized(f, patch(f, 2, LIST(7, 8, 9, 10), NONE));
    TABLE(f, 2, 0, 7, 8, 9, 10);
}

/* A wish that waits is changed where it is, without a connection too. */
static void
of_a_waiting_wish(void **state)
{
    struct fixture *f = *state;

    WISH(f, 1, 5, 6);
    uint64_t no = patch(f, 1, LIST(7), LIST(5));
    connect_to(f);
    until_realized(f, no);
    check_log(f, "read config open add 7 add 6 barrier commit barrier ");
    TABLE(f, 1, 0, 6, 7);
}

static uint64_t
patch_forget(struct fixture *f, const int put[], const char *addr)
{
    struct np_flow_patch p;
    struct np_prefix prefix;

    np_flow_patch_init(&p);
    for (; *put; put++) {
        np_flow_patch_put(&p, flow_of(*put, 1));
    }
    assert_true(np_addr_parse(addr, &prefix));
    np_addr_list_add(&p.forget, &prefix);
    uint64_t no = np_installer_patch(f->inst, &p);
    np_flow_patch_destroy(&p);
    return no;
}

/* Once the flows are there, in both zones, as client and as server; with no
 * flows to send; after a lost connection; and a switch that cannot. */
static void
connections_are_forgotten(void **state)
{
    struct fixture *f = *state;

    np_installer_set_zones(f->inst, 100, 101);
    begin(f);
    until_realized(f, patch_forget(f, LIST(8), "10.0.0.1"));
    check_log(f, "open add 8 barrier commit barrier "
              "forget 100/0 10.0.0.1>:: forget 101/0 10.0.0.1>:: "
              "forget 100/0 ::>10.0.0.1 forget 101/0 ::>10.0.0.1 ");
    until_realized(f, patch_forget(f, NONE, "fd00::1"));
    check_log(f, "forget 100/6 fd00::1>:: forget 101/6 fd00::1>:: "
              "forget 100/6 ::>fd00::1 forget 101/6 ::>fd00::1 "
              "forget 100/17 fd00::1>:: forget 101/17 fd00::1>:: "
              "forget 100/17 ::>fd00::1 forget 101/17 ::>fd00::1 "
              "forget 100/132 fd00::1>:: forget 101/132 fd00::1>:: "
              "forget 100/132 ::>fd00::1 forget 101/132 ::>fd00::1 ");

    fake_switch_drop(&f->sw, false);
    until_connected(f, false);
    uint64_t no = patch_forget(f, NONE, "10.0.0.1");
    until_realized(f, no);
    settle(f);
    assert_non_null(strstr(ds_cstr(&f->sw.log), "forget 101/0"));

    f->sw.no_ct_flush = true;
    until_realized(f, patch_forget(f, LIST(9), "10.0.0.1"));
    until_realized(f, patch(f, 1, LIST(10), NONE));
    assert_null(status_of(f).last_error);
    assert_int_equal(status_of(f).n_errors, 0);
}

static void
while_a_bundle_is_under_way(void **state)
{
    struct fixture *f = *state;

    /* The whole one. */
    connect_to(f);
    uint64_t whole = WISH(f, 1, 5, 6, 7);
    np_installer_run(f->inst);
    uint64_t no = patch(f, 1, LIST(8), LIST(5));
    assert_true(no > whole);
    until_realized(f, no);
    check_log(f, "read config open add 7 add 6 add 5 barrier commit barrier "
              "open delete 5 add 8 barrier commit barrier ");

    /* One of a patch: what comes meanwhile becomes one. */
    patch(f, 1, LIST(9), NONE);
    np_installer_run(f->inst);
    patch(f, 1, LIST(10, 11), NONE);
    patch(f, 1, NONE, LIST(9, 10));
    until_realized(f, patch(f, 1, LIST(12), NONE));
    check_log(f, "open add 9 barrier commit barrier "
              "open delete 9 add 12 add 11 barrier commit barrier ");
    TABLE(f, 1, 0, 6, 7, 8, 11, 12);

    /* A whole wish replaces what waits. */
    patch(f, 1, LIST(9), NONE);
    np_installer_run(f->inst);
    patch(f, 1, LIST(10), NONE);
    until_realized(f, WISH(f, 1, 6, 7));
    TABLE(f, 1, 0, 6, 7);
}

static void
refused(void **state)
{
    struct fixture *f = *state;

    begin(f);
    uint64_t before = np_installer_realized(f->inst);
    f->sw.refuse_add = 8;
    patch(f, 1, LIST(8, 9), LIST(5));
    settle(f);
    TABLE(f, 1, 0, 5, 6, 7);
    assert_int_equal(np_installer_realized(f->inst), before);
    assert_non_null(strstr(status_of(f).last_error, "OFPBAC_BAD_OUT_PORT: "));
    assert_string_equal(status_of(f).state, "waiting to retry");
    /* What comes then is not lost either; one that makes all right helps. */
    uint64_t no = patch(f, 1, LIST(10), LIST(6));
    settle(f);
    assert_int_equal(np_installer_realized(f->inst), before);
    until_realized(f, patch(f, 1, NONE, LIST(8)));
    assert_true(np_installer_realized(f->inst) > no);
    TABLE(f, 1, 0, 7, 9, 10);
    assert_null(status_of(f).last_error);

    /* At the commit; nobody helps, but time. */
    f->sw.refuse_commit = 11;
    no = patch(f, 1, LIST(11), LIST(9));
    settle(f);
    assert_string_equal(status_of(f).state, "waiting to retry");
    f->sw.refuse_commit = -1;
    ds_clear(&f->sw.log);
    until_realized(f, no);
    check_log(f, "read open delete 9 add 11 barrier commit barrier ");
    TABLE(f, 1, 0, 7, 10, 11);
}

/* A whole wish that was refused is changed, too, and tried again. */
static void
after_a_refused_wish(void **state)
{
    struct fixture *f = *state;

    connect_to(f);
    f->sw.refuse_add = 6;
    WISH(f, 1, 5, 6, 7);
    np_installer_run(f->inst);
    patch(f, 1, LIST(8), NONE);
    settle(f);
    TABLE(f, 1, 0, 0);
    until_realized(f, patch(f, 1, NONE, LIST(6)));
    TABLE(f, 1, 0, 5, 7, 8);
}

static void
connection_lost(void **state)
{
    struct fixture *f = *state;

    begin(f);
    f->sw.drop_at_add = 8;
    patch(f, 1, LIST(8, 9), LIST(5));
    np_installer_run(f->inst);
    until_realized(f, patch(f, 1, LIST(10), LIST(9)));
    TABLE(f, 1, 0, 6, 7, 8, 10);
    check_log(f, "open delete 5 add 9 add 8 read config "
              "open delete 5 add 10 add 8 barrier commit barrier ");

    /* And a switch that forgot everything. */
    fake_switch_drop(&f->sw, true);
    until_realized(f, patch(f, 1, LIST(5), NONE));
    TABLE(f, 1, 0, 5, 6, 7, 8, 10);
}

static void
flush_and_resume(void **state)
{
    struct fixture *f = *state;

    begin(f);
    /* One patch under way, one that waits, one during the flush. */
    patch(f, 1, LIST(8), NONE);
    np_installer_run(f->inst);
    patch(f, 1, LIST(9), LIST(5));
    until_realized(f, np_installer_flush(f->inst));
    TABLE(f, 1, 0, 0);
    uint64_t no = patch(f, 1, LIST(10), LIST(6));
    settle(f);
    TABLE(f, 1, 0, 0);
    assert_true(np_installer_realized(f->inst) < no);
    until_realized(f, np_installer_resume(f->inst));
    TABLE(f, 1, 0, 7, 8, 9, 10);

    /* A flush that is not begun confirms nothing that still waits. */
    np_installer_flush(f->inst);
    patch(f, 1, LIST(11), NONE);
    no = np_installer_resume(f->inst);
    assert_true(np_installer_realized(f->inst) < no);
    until_realized(f, no);
    TABLE(f, 1, 0, 7, 8, 9, 10, 11);
    np_installer_flush(f->inst);
    WISH(f, 2, 5);
    no = np_installer_resume(f->inst);
    assert_true(np_installer_realized(f->inst) < no);
    until_realized(f, no);
    TABLE(f, 2, 0, 5);
}

static void
hold_in_the_middle(void **state)
{
    struct fixture *f = *state;

    begin(f);
    f->sw.mute = true;
    uint64_t no = patch(f, 1, LIST(8), LIST(5));
    settle(f);
    np_installer_hold(f->inst, true);
    f->sw.mute = false;
    check_log(f, "open delete 5 add 8 barrier discard ");
    TABLE(f, 1, 0, 5, 6, 7);
    patch(f, 1, LIST(9), NONE);
    np_installer_hold(f->inst, false);
    until_realized(f, no + 1);
    TABLE(f, 1, 0, 6, 7, 8, 9);
}

static void
foreign_key(void **state)
{
    struct fixture *f = *state;

    add_to_switch(f, "cookie=0x99,table=3,priority=8,ip,actions=drop");
    begin(f);
    uint64_t before = np_installer_realized(f->inst);
    patch(f, 1, LIST(8, 9), LIST(5));
    check_log(f, "open delete 5 add 9 barrier commit barrier ");
    assert_int_equal(np_installer_realized(f->inst), before);
    assert_non_null(strstr(status_of(f).last_error, "not ours: "));
    TABLE(f, 1, 1, 6, 7, 9);
    /* Other patches go on, refused ones too, and it is not forgotten. */
    f->sw.refuse_add = 10;
    patch(f, 1, LIST(10), NONE);
    settle(f);
    f->sw.refuse_add = -1;
    uint64_t no = patch(f, 1, LIST(11), LIST(6));
    np_flow_set_clear(&f->sw.flows);
    until_realized(f, no);
    TABLE(f, 1, 0, 7, 8, 9, 10, 11);

    /* It is given up: all is well. */
    add_to_switch(f, "cookie=0x99,table=3,priority=12,ip,actions=drop");
    fake_switch_drop(&f->sw, false);
    until_connected(f, false);
    until_connected(f, true);
    ds_clear(&f->sw.log);
    patch(f, 1, LIST(12), NONE);
    settle(f);
    until_realized(f, patch(f, 1, NONE, LIST(12)));
    check_log(f, "");
    assert_null(status_of(f).last_error);
}

/* What cannot be installed does not leave what it should have replaced. */
static void
unsendable(void **state)
{
    struct fixture *f = *state;
    struct np_flow_patch p;
    struct np_flow *flow;

    begin(f);
    uint64_t before = np_installer_realized(f->inst);
    np_flow_patch_init(&p);
    assert_null(np_flow_parse("cookie=1,table=3,priority=6,ip,actions=drop",
                              NULL, &flow));
    np_flow_patch_put(&p, flow);
    np_installer_patch(f->inst, &p);
    check_log(f, "open delete 6 barrier commit barrier ");
    assert_int_equal(np_installer_realized(f->inst), before);
    TABLE(f, 1, 0, 5, 7);
    until_realized(f, patch(f, 1, LIST(6), NONE));
    TABLE(f, 1, 0, 5, 6, 7);
    np_flow_patch_destroy(&p);
}

static void
pace(void **state)
{
    struct fixture *f = *state;
    enum { N = 100 };
    uint64_t no = 0;

    begin(f);
    uint64_t n_before = status_of(f).n_bundles;
    for (int i = 0; i < N; i++) {
        no = patch(f, 1, LIST(100 + i), NONE);
        settle(f);
    }
    until_realized(f, no);
    uint64_t n = status_of(f).n_bundles - n_before;
    /* The first at once, the others gathered. */
    assert_in_range(n, 2, N - 1);
    assert_int_equal(status_of(f).n_installed, 3 + N);
    /* A whole wish does not wait, and is what counts. */
    until_realized(f, WISH(f, 1, 5));
    TABLE(f, 1, 0, 5);
}

static bool
name_flow(const struct np_flow *flow, struct ds *s, void *aux)
{
    int *n_calls = aux;

    ++*n_calls;
    ds_put_format(s, "NetworkPolicy a/p%d", flow->priority);
    return flow->priority != 9;
}

static void
names_in_errors(void **state)
{
    struct fixture *f = *state;
    int n_calls = 0;

    np_installer_set_namer(f->inst, name_flow, &n_calls);
    begin(f);
    assert_int_equal(n_calls, 0);
    f->sw.refuse_add = 8;
    patch(f, 1, LIST(8), NONE);
    settle(f);
    assert_string_equal(status_of(f).last_error,
                        "OFPBAC_BAD_OUT_PORT: cookie=0x4e50010100000008,"
                        "table=3,priority=8,ip,actions=output:1 "
                        "(NetworkPolicy a/p8)");
    assert_int_equal(n_calls, 1);
    f->sw.refuse_add = 9;
    WISH(f, 1, 9);
    settle(f);
    assert_string_equal(status_of(f).last_error,
                        "OFPBAC_BAD_OUT_PORT: cookie=0x4e50010100000009,"
                        "table=3,priority=9,ip,actions=output:1");
    add_to_switch(f, "cookie=0x99,table=3,priority=7,ip,actions=drop");
    fake_switch_drop(&f->sw, false);
    until_connected(f, false);
    until_connected(f, true);
    WISH(f, 1, 7);
    settle(f);
    assert_non_null(strstr(status_of(f).last_error, " (NetworkPolicy a/p7)"));
    np_installer_set_namer(f->inst, NULL, NULL);
}

enum { MAX_PRIORITY = 12 };

/* Changes WANT[], the ports by priority, and says so in a patch. */
static uint64_t
random_patch(struct fixture *f, int want[], uint32_t *seed)
{
    struct np_flow_patch p;

    np_flow_patch_init(&p);
    for (uint32_t n = unit_random_below(seed, 5); n; n--) {
        int i = 1 + unit_random_below(seed, MAX_PRIORITY);

        want[i] = unit_random_below(seed, 3);
        if (want[i]) {
            np_flow_patch_put(&p, flow_of(i, want[i]));
        } else {
            np_flow_patch_del(&p, flow_of(i, 1));
        }
    }
    uint64_t no = np_installer_patch(f->inst, &p);
    np_flow_patch_destroy(&p);
    return no;
}

static uint64_t
random_wish(struct fixture *f, int want[], uint32_t *seed)
{
    struct np_flow_set set;

    np_flow_set_init(&set);
    for (int i = 1; i <= MAX_PRIORITY; i++) {
        want[i] = unit_random_below(seed, 3);
        if (want[i]) {
            np_flow_set_put(&set, flow_of(i, want[i]));
        }
    }
    uint64_t no = np_installer_set_desired(f->inst, &set);
    np_flow_set_destroy(&set);
    return no;
}

static void
check_wanted(struct fixture *f, const int want[], size_t extra)
{
    size_t n = 0;

    for (int i = 1; i <= MAX_PRIORITY; i++) {
        if (want[i]) {
            struct np_flow *flow = flow_of(i, want[i]);
            struct np_flow *found = np_flow_set_find(&f->sw.flows, flow);

            assert_true(found && np_flow_equal(flow, found));
            np_flow_destroy(flow);
            n++;
        }
    }
    assert_int_equal(np_flow_set_count(&f->sw.flows), n + extra);
    assert_int_equal(status_of(f).n_installed, n);
}

/* After each patch, the table is what a whole wish would have made it. */
static void
patches_are_the_wish(void **state)
{
    struct fixture *f = *state;
    int want[MAX_PRIORITY + 1];
    uint32_t seed = 7;

    connect_to(f);
    until_realized(f, random_wish(f, want, &seed));
    for (int i = 0; i < 60; i++) {
        uint64_t no = random_patch(f, want, &seed);

        while (unit_random_below(&seed, 2)) {
            turn(f);
            no = random_patch(f, want, &seed);
        }
        until_realized(f, no);
        check_wanted(f, want, 0);
    }
    assert_int_equal(status_of(f).n_errors, 0);
}

static void
disturb(struct fixture *f, uint32_t *seed)
{
    switch (unit_random_below(seed, 7)) {
    case 0:
        f->sw.refuse_add = 1 + unit_random_below(seed, MAX_PRIORITY);
        break;
    case 1:
        f->sw.refuse_commit = 1 + unit_random_below(seed, MAX_PRIORITY);
        break;
    case 2:
        f->sw.refuse_add = f->sw.refuse_commit = -1;
        break;
    case 3:
        np_installer_hold(f->inst, unit_random_below(seed, 2));
        break;
    case 4:
        np_installer_flush(f->inst);
        break;
    case 5:
        np_installer_resume(f->inst);
        break;
    case 6:
        if (!unit_random_below(seed, 4)) {
            fake_switch_drop(&f->sw, unit_random_below(seed, 2));
        }
        break;
    }
}

/* Whatever happens between them, in the end the table is what all wishes and
 * patches say. */
static void
random_events(void **state)
{
    struct fixture *f = *state;
    int want[MAX_PRIORITY + 1];
    uint32_t seed = 4711;

    add_to_switch(f, "cookie=0x99,table=3,priority=3,ip,actions=drop");
    random_wish(f, want, &seed);
    connect_to(f);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            if (unit_random_below(&seed, 12) == 0) {
                random_wish(f, want, &seed);
            } else if (unit_random_below(&seed, 2)) {
                random_patch(f, want, &seed);
            } else {
                disturb(f, &seed);
            }
            for (uint32_t t = unit_random_below(&seed, 6); t; t--) {
                turn(f);
            }
        }
        f->sw.refuse_add = f->sw.refuse_commit = -1;
        np_installer_hold(f->inst, false);
        np_installer_resume(f->inst);
        np_flow_set_clear(&f->sw.flows);
        fake_switch_drop(&f->sw, true);
        until_connected(f, false);
        until_realized(f, random_patch(f, want, &seed));
        check_wanted(f, want, 0);
        if (round % 2) {
            add_to_switch(f, "cookie=0x99,table=3,priority=4,ip,"
                          "actions=drop");
        }
    }
}

int
test_patch(void)
{
    const struct CMUnitTest tests[] = {
        T(only_the_patch), T(of_a_waiting_wish),
        T(while_a_bundle_is_under_way), T(refused), T(after_a_refused_wish),
        T(connections_are_forgotten), T(connection_lost),
        T(flush_and_resume), T(hold_in_the_middle), T(foreign_key),
        T(unsendable), T(pace), T(names_in_errors),
        T(patches_are_the_wish), T(random_events),
    };
    return cmocka_run_group_tests_name("patches", tests, NULL, NULL);
}

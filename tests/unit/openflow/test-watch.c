/* What becomes of the table when others change it. */

#include <config.h>
#include "fixture.h"

#include "openvswitch/poll-loop.h"
#include "timeval.h"

static const uint8_t watched[] = { 3, 4 };

/* Two flows are there, and nobody has touched them. */
static uint64_t
begin(struct fixture *f)
{
    uint64_t no;

    np_installer_set_watched(f->inst, watched, sizeof watched);
    no = WISH(f, 1, 5, 6);
    connect_to(f);
    until_realized(f, no);
    check_log(f, "monitor 3 monitor 4 read "
              "config open add 6 add 5 barrier commit barrier ");
    assert_true(status_of(f).watched);
    return no;
}

/* Turns both ends until there were N repairs. */
static void
until_repaired(struct fixture *f, uint64_t n)
{
    long long int start = time_msec();

    while (status_of(f).n_repairs < n) {
        assert_true(time_msec() < start + HANG);
        block(f);
        turn(f);
    }
    settle(f);
}

/* Nothing comes of what was told, for as long as something would. */
static void
check_quiet(struct fixture *f)
{
    long long int end = time_msec() + 300;

    while (time_msec() < end) {
        turn(f);
        poll_timer_wait_until(end);
        block(f);
    }
    check_log(f, "");
}

#define FLOW(PRIORITY, PORT) "cookie=0x4e5001010000000" #PRIORITY \
    ",table=3,priority=" #PRIORITY ",ip,actions=output:" #PORT

static void
deleted(void **state)
{
    struct fixture *f = *state;

    begin(f);
    fake_switch_edit(&f->sw, FLOW(5, 1), true, true);
    fake_switch_edit(&f->sw, FLOW(6, 1), true, true);
    until_repaired(f, 1);
    check_log(f, "config read open add 6 add 5 barrier commit barrier ");
    TABLE(f, 1, 0, 5, 6);
    assert_int_equal(status_of(f).n_repaired, 2);
    check_quiet(f);
}

static void
changed(void **state)
{
    struct fixture *f = *state;

    begin(f);
    fake_switch_edit(&f->sw, FLOW(5, 7), false, true);
    until_repaired(f, 1);
    check_log(f, "config read open add 5 barrier commit barrier ");
    TABLE(f, 1, 0, 5, 6);
    assert_int_equal(status_of(f).n_repaired, 1);
}

static void
added(void **state)
{
    struct fixture *f = *state;

    begin(f);
    fake_switch_edit(&f->sw, FLOW(7, 1), false, true);
    until_repaired(f, 1);
    check_log(f, "config read open delete 7 barrier commit barrier ");
    TABLE(f, 1, 0, 5, 6);
}

/* What others do with their own flows, and the switch with what it learned. */
static void
not_ours(void **state)
{
    struct fixture *f = *state;

    begin(f);
    fake_switch_edit(&f->sw, "table=3,priority=8,ip,actions=drop", false,
                     true);
    fake_switch_edit(&f->sw, "table=3,priority=8,ip,actions=drop", true,
                     true);
    fake_switch_edit(&f->sw, "table=4,priority=9,ip,actions=drop", false,
                     true);
    fake_switch_edit(&f->sw, "cookie=0x4e50070100000001,table=4,ip,"
                     "actions=drop", false, true);
    check_quiet(f);
    TABLE(f, 1, 2, 5, 6);
    assert_int_equal(status_of(f).n_repairs, 0);
}

/* A flow of somebody else's that came later is not replaced either. */
static void
in_the_way(void **state)
{
    struct fixture *f = *state;

    begin(f);
    fake_switch_edit(&f->sw, "table=3,priority=7,ip,actions=drop", false,
                     true);
    settle(f);
    uint64_t no = WISH(f, 1, 5, 6, 7);
    settle(f);
    assert_true(np_installer_realized(f->inst) < no);
    assert_non_null(strstr(status_of(f).last_error, "would replace"));
    TABLE(f, 1, 1, 5, 6);

    fake_switch_edit(&f->sw, "table=3,priority=7,ip,actions=drop", true,
                     true);
    until_realized(f, no);
    TABLE(f, 1, 0, 5, 6, 7);
}

/* It stands where one of ours was, until it goes. */
static void
replaced(void **state)
{
    struct fixture *f = *state;

    begin(f);
    fake_switch_edit(&f->sw, "table=3,priority=5,ip,actions=drop", false,
                     true);
    until_repaired(f, 1);
    assert_non_null(strstr(status_of(f).last_error, "would replace"));
    TABLE(f, 1, 1, 6);
    fake_switch_edit(&f->sw, "table=3,priority=5,ip,actions=drop", true,
                     true);
    while (status_of(f).last_error) {
        block(f);
        turn(f);
    }
    TABLE(f, 1, 0, 5, 6);
}

static void
paused(void **state)
{
    struct fixture *f = *state;

    begin(f);
    fake_switch_edit(&f->sw, FLOW(5, 1), true, false);
    check_quiet(f);
    fake_switch_resume_monitor(&f->sw);
    until_repaired(f, 1);
    TABLE(f, 1, 0, 5, 6);
}

/* Then there is an audit, and it says fragment handling again. */
static void
refused(void **state)
{
    struct fixture *f = *state;

    f->sw.refuse_monitor = true;
    np_installer_set_watched(f->inst, watched, sizeof watched);
    uint64_t no = WISH(f, 1, 5, 6);
    connect_to(f);
    until_realized(f, no);
    assert_false(status_of(f).watched);
    settle(f);
    ds_clear(&f->sw.log);
    fake_switch_edit(&f->sw, FLOW(5, 1), true, true);
    until_repaired(f, 1);
    check_log(f, "config read open add 5 barrier commit barrier ");
    TABLE(f, 1, 0, 5, 6);
}

/* Somebody deletes a flow, and the switch is slow to answer the look that
 * follows. */
static void
begin_look(struct fixture *f)
{
    fake_switch_edit(&f->sw, FLOW(5, 1), true, true);
    fake_switch_run(&f->sw);
    f->sw.mute = true;
    while (strcmp(status_of(f).state, "reading")) {
        block(f);
        turn(f);
    }
}

/* The answer waits while more is wished. */
static void
wish_while_looking(void **state)
{
    struct fixture *f = *state;
    uint64_t no;

    begin(f);
    begin_look(f);
    no = WISH(f, 2, 6, 7);
    f->sw.mute = false;
    until_realized(f, no);
    TABLE(f, 2, 0, 6, 7);
    assert_int_equal(status_of(f).n_repairs, 1);
}

static void
patch_while_looking(void **state)
{
    struct fixture *f = *state;
    struct np_flow_patch patch;
    uint64_t no;

    begin(f);
    begin_look(f);
    np_flow_patch_init(&patch);
    np_flow_patch_put(&patch, flow_of(7, 1));
    np_flow_patch_del(&patch, flow_of(6, 1));
    no = np_installer_patch(f->inst, &patch);
    np_flow_patch_destroy(&patch);
    f->sw.mute = false;
    until_realized(f, no);
    TABLE(f, 1, 0, 5, 7);
    assert_int_equal(status_of(f).n_repaired, 1);
}

static void
lost_while_looking(void **state)
{
    struct fixture *f = *state;

    uint64_t no = begin(f);
    begin_look(f);
    fake_switch_drop(&f->sw, true);
    f->sw.mute = false;
    until_connected(f, true);
    until_realized(f, no);
    TABLE(f, 1, 0, 5, 6);
    assert_int_equal(status_of(f).n_repairs, 0);
}

/* Nothing of ours is to be there then. */
static void
flushed(void **state)
{
    struct fixture *f = *state;

    begin(f);
    until_realized(f, np_installer_flush(f->inst));
    ds_clear(&f->sw.log);
    fake_switch_edit(&f->sw, FLOW(7, 1), false, true);
    until_repaired(f, 1);
    check_log(f, "config read open flush barrier commit barrier ");
    assert_int_equal(np_flow_set_count(&f->sw.flows), 0);
    until_realized(f, np_installer_resume(f->inst));
    TABLE(f, 1, 0, 5, 6);
}

/* A hold may end while a bundle is under way that was committed before. */
static void
hold_ends_in_commit(void **state)
{
    struct fixture *f = *state;

    begin(f);
    uint64_t no = WISH(f, 2, 5, 6);
    while (strcmp(status_of(f).state, "committing")) {
        block(f);
        turn(f);
    }
    np_installer_hold(f->inst, true);
    np_installer_hold(f->inst, false);
    until_realized(f, no);
    settle(f);
    ds_clear(&f->sw.log);
    fake_switch_edit(&f->sw, FLOW(5, 1), true, false);
    until_repaired(f, 1);
    TABLE(f, 2, 0, 5, 6);
}

int
test_watch(void)
{
    const struct CMUnitTest tests[] = {
        T(deleted), T(changed), T(added), T(not_ours), T(in_the_way),
        T(replaced), T(paused), T(refused), T(wish_while_looking),
        T(patch_while_looking), T(lost_while_looking), T(flushed),
        T(hold_ends_in_commit),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}

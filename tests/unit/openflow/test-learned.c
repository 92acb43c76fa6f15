#include <config.h>
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "netpol/learned.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* What the reader was told, in words. */
struct told {
    struct np_learned *learned;
    struct ds log;
};

static void
ended_cb(const struct np_flow_stats *stats, void *told_)
{
    struct told *told = told_;

    ds_put_format(&told->log, "ended %d (%"PRIu64" packets in %"PRIu32" s, "
                  "idle %"PRIu32") ", stats->flow->priority,
                  stats->n_packets, stats->duration, stats->idle);
}

static void
read_cb(const struct np_flow_dump *dump, bool first, void *told_)
{
    struct told *told = told_;

    ds_put_cstr(&told->log, first ? "first" : "read");
    for (size_t i = 0; i < dump->n; i++) {
        const struct np_flow_stats *s = &dump->stats[i];

        ds_put_format(&told->log, " %d/%d:%"PRIu64, s->flow->table,
                      s->flow->priority, s->n_packets);
        assert_int_equal(s->duration, 5);
        assert_int_equal(s->idle, 3);
    }
    ds_put_cstr(&told->log, "; ");
}

static struct told *
begin(void)
{
    static const struct np_learned_class class = { ended_cb, read_cb };
    static const uint8_t tables[] = { 4, 3 };
    struct told *told = xzalloc(sizeof *told);

    ds_init(&told->log);
    told->learned = np_learned_create(tables, ARRAY_SIZE(tables), &class,
                                      told);
    return told;
}

static void
end(struct told *told)
{
    np_learned_destroy(told->learned);
    ds_destroy(&told->log);
    free(told);
}

static void
turns(struct fixture *f, struct told *told, int n)
{
    for (int i = 0; i < n; i++) {
        np_learned_run(told->learned);
        fake_switch_run(&f->sw);
    }
}

static void
until_done(struct fixture *f, struct told *told, uint64_t read)
{
    long long int start = time_msec();

    while (np_learned_done(told->learned) < read) {
        assert_true(time_msec() < start + HANG);
        turns(f, told, 1);
        if (np_learned_done(told->learned) < read) {
            np_learned_wait(told->learned);
            fake_switch_wait(&f->sw);
            poll_timer_wait(HANG);
            poll_block();
        }
    }
}

static void
check(struct told *told, const char *expected)
{
    assert_string_equal(ds_cstr(&told->log), expected);
    ds_clear(&told->log);
}

static void
add_flows(struct fixture *f)
{
    add_to_switch(f, "cookie=0x4e50070100000003,table=3,priority=8,ip,"
                  "actions=drop");
    add_to_switch(f, "cookie=0x4e50070100000003,table=3,priority=9,ip,"
                  "actions=drop");
    add_to_switch(f, "cookie=0x4e50010100000000,table=4,priority=1,"
                  "actions=drop");
    /* Of another table, and not ours. */
    add_to_switch(f, "cookie=0x4e50010100000000,table=5,priority=1,"
                  "actions=drop");
    add_to_switch(f, "cookie=0x77,table=3,priority=7,ip,actions=drop");
}

static void
tables_are_read(void **state)
{
    struct fixture *f = *state;
    struct told *told = begin();

    add_flows(f);
    uint64_t before = np_learned_read(told->learned);
    turns(f, told, 20);
    check(told, "");
    np_learned_set_target(told->learned, f->sw.target);
    until_done(f, told, before);
    assert_string_equal(ds_cstr(&f->sw.log), "read 4 read 3 ");
    check(told, "first 3/9:7 3/8:7 4/1:7; ");
    turns(f, told, 20);
    check(told, "");

    /* Several that ask share what begins then. */
    f->sw.n_packets = 1000;
    np_learned_read(told->learned);
    until_done(f, told, np_learned_read(told->learned));
    check(told, "read 3/9:1000 3/8:1000 4/1:1000; ");
    /* Who asks while a read is under way gets another. */
    np_learned_read(told->learned);
    np_learned_run(told->learned);
    until_done(f, told, np_learned_read(told->learned));
    check(told, "read 3/9:1000 3/8:1000 4/1:1000; "
          "read 3/9:1000 3/8:1000 4/1:1000; ");
    end(told);
}

static struct np_flow *
learned_flow(const char *text)
{
    struct np_flow *flow;

    assert_null(np_flow_parse(text, NULL, &flow));
    return flow;
}

static void
ends_are_told(void **state)
{
    struct fixture *f = *state;
    struct told *told = begin();

    np_learned_set_target(told->learned, f->sw.target);
    until_done(f, told, 1);
    check(told, "first; ");
    for (int i = 0; i < 120; i++) {
        fake_switch_end(&f->sw, learned_flow(
            "cookie=0x4e50070100000003,table=3,priority=9,ip,actions=drop"),
                        i, i % 2);
    }
    fake_switch_end(&f->sw, learned_flow("cookie=7,table=3,priority=6,ip,"
                                         "actions=drop"), 1, true);
    /* No more than so many in a turn. */
    for (int i = 0; i < 3; i++) {
        fake_switch_run(&f->sw);
    }
    np_learned_run(told->learned);
    assert_ptr_equal(strstr(ds_cstr(&told->log), "ended 9"),
                     ds_cstr(&told->log));
    assert_null(strstr(ds_cstr(&told->log), "(60 packets"));
    turns(f, told, 10);
    assert_non_null(strstr(ds_cstr(&told->log),
                           "ended 9 (118 packets in 60 s, idle 0) "
                           "ended 9 (119 packets in 60 s, idle 20) "));
    assert_null(strstr(ds_cstr(&told->log), "ended 6"));
    end(told);
}

static void
connection_is_lost(void **state)
{
    struct fixture *f = *state;
    struct told *told = begin();

    add_flows(f);
    np_learned_set_target(told->learned, f->sw.target);
    until_done(f, told, 1);
    check(told, "first 3/9:7 3/8:7 4/1:7; ");

    /* In the midst of a read, which is then done on the next one. */
    f->sw.mute = true;
    uint64_t read = np_learned_read(told->learned);
    turns(f, told, 5);
    fake_switch_drop(&f->sw, false);
    f->sw.mute = false;
    until_done(f, told, read);
    check(told, "first 3/9:7 3/8:7 4/1:7; ");
    assert_true(np_learned_is_connected(told->learned));

    np_learned_set_target(told->learned, NULL);
    turns(f, told, 5);
    assert_false(np_learned_is_connected(told->learned));
    check(told, "");
    end(told);
}

static void
switch_refuses(void **state)
{
    struct fixture *f = *state;
    struct told *told = begin();

    f->sw.refuse_read = true;
    np_learned_set_target(told->learned, f->sw.target);
    uint64_t read = np_learned_read(told->learned);
    turns(f, told, 50);
    check(told, "");
    f->sw.refuse_read = false;
    until_done(f, told, read);
    check(told, "first; ");
    end(told);
}

int
test_learned(void)
{
    const struct CMUnitTest tests[] = {
        T(tables_are_read), T(ends_are_told), T(connection_is_lost),
        T(switch_refuses),
    };
    return cmocka_run_group_tests_name("learned", tests, NULL, NULL);
}

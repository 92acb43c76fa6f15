#include <config.h>
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    strcpy(f->dir, "/tmp/np-openflow-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    fake_switch_init(&f->sw, f->dir);
    f->inst = np_installer_create();
    *state = f;
    return 0;
}

int
teardown(void **state)
{
    struct fixture *f = *state;

    np_installer_destroy(f->inst);
    fake_switch_destroy(&f->sw);
    rmdir(f->dir);
    free(f);
    return 0;
}

void
turn(struct fixture *f)
{
    np_installer_run(f->inst);
    fake_switch_run(&f->sw);
}

void
block(struct fixture *f)
{
    np_installer_wait(f->inst);
    fake_switch_wait(&f->sw);
    poll_timer_wait(HANG);
    poll_block();
}

void
settle(struct fixture *f)
{
    for (int i = 0; i < 50; i++) {
        turn(f);
    }
}

void
until_realized(struct fixture *f, uint64_t wish)
{
    long long int start = time_msec();

    while (np_installer_realized(f->inst) < wish) {
        if (time_msec() > start + HANG) {
            fail_msg("wish %"PRIu64" not realized; log: %s", wish,
                     ds_cstr(&f->sw.log));
        }
        turn(f);
        if (np_installer_realized(f->inst) < wish) {
            block(f);
        }
    }
}

struct np_installer_status
status_of(const struct fixture *f)
{
    struct np_installer_status st;

    np_installer_get_status(f->inst, &st);
    return st;
}

void
until_connected(struct fixture *f, bool connected)
{
    long long int start = time_msec();

    while (status_of(f).connected != connected) {
        assert_true(time_msec() < start + HANG);
        turn(f);
        if (status_of(f).connected != connected) {
            block(f);
        }
    }
    settle(f);
}

static void
check_log__(struct fixture *f, struct ds *log, const char *expected)
{
    settle(f);
    assert_string_equal(ds_cstr(log), expected);
    ds_clear(log);
}

void
check_log(struct fixture *f, const char *expected)
{
    check_log__(f, &f->sw.log, expected);
}

void
check_port_log(struct fixture *f, const char *expected)
{
    check_log__(f, &f->sw.port_log, expected);
}

struct np_flow *
flow_of(int priority, int port)
{
    struct np_flow *flow;
    char *s = xasprintf("cookie=0x4e500101%08x,table=3,priority=%d,ip,"
                        "actions=output:%d", priority, priority, port);

    assert_null(np_flow_parse(s, NULL, &flow));
    free(s);
    return flow;
}

uint64_t
wish(struct fixture *f, const int list[], int port)
{
    struct np_flow_set set;

    np_flow_set_init(&set);
    for (; *list; list++) {
        np_flow_destroy(np_flow_set_put(&set, flow_of(*list, port)));
    }
    uint64_t no = np_installer_set_desired(f->inst, &set);
    assert_int_equal(np_flow_set_count(&set), 0);
    np_flow_set_destroy(&set);
    return no;
}

void
add_to_switch(struct fixture *f, const char *text)
{
    struct np_flow *flow;

    assert_null(np_flow_parse(text, NULL, &flow));
    np_flow_destroy(np_flow_set_put(&f->sw.flows, flow));
}

void
check_table(struct fixture *f, const int list[], int port, size_t extra)
{
    size_t n = 0;

    for (; *list; list++, n++) {
        struct np_flow *flow = flow_of(*list, port);
        const struct np_flow *found = np_flow_set_find(&f->sw.flows, flow);

        assert_non_null(found);
        assert_true(np_flow_equal(flow, found));
        np_flow_destroy(flow);
    }
    assert_int_equal(np_flow_set_count(&f->sw.flows), n + extra);
}

void
connect_to(struct fixture *f)
{
    np_installer_set_target(f->inst, f->sw.target);
    until_connected(f, true);
}

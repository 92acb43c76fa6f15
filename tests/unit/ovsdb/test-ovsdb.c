/* The room against a real ovsdb-server, in a directory of its own. */

#include <config.h>
#include "../unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netpol/ovsdb.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#define PATIENCE_MSEC 60000     /* Only ends a hang. */

struct server {
    char *dir;
    char *remote;
    pid_t pid;
};

/* Runs a shell command in the server's directory, with $DB set; returns what
 * it printed, without the last newline, to be freed. */
static char * OVS_PRINTF_FORMAT(2, 3)
sh(const struct server *s, const char *format, ...)
{
    struct ds out = DS_EMPTY_INITIALIZER;
    char *text, *command;
    va_list args;
    FILE *pipe;
    int c;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    command = xasprintf("cd '%s' && { %s; }", s->dir, text);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    while ((c = getc(pipe)) != EOF) {
        ds_put_char(&out, c);
    }
    if (pclose(pipe)) {
        fail_msg("failed: %s", text);
    }
    free(text);
    free(command);
    ds_chomp(&out, '\n');
    return ds_steal_cstr(&out);
}

#define SH(...) free(sh(__VA_ARGS__))
#define VSCTL "ovs-vsctl --no-wait --db=unix:$PWD/db.sock "

static void
check_sh(const struct server *s, const char *command, const char *expected)
{
    char *out = sh(s, "%s", command);

    assert_string_equal(out, expected);
    free(out);
}

static void
server_start(struct server *s)
{
    char *sock = xasprintf("%s/db.sock", s->dir);

    s->pid = fork();
    assert_true(s->pid >= 0);
    if (!s->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);       /* Should a test crash. */
        if (!chdir(s->dir) && !setenv("OVS_RUNDIR", s->dir, 1)) {
            execlp("ovsdb-server", "ovsdb-server", "-vconsole:off",
                   "--remote=punix:db.sock", "--unixctl=ctl", "conf.db",
                   NULL);
        }
        _exit(127);
    }
    long long int deadline = time_msec() + PATIENCE_MSEC;
    while (access(sock, F_OK)) {
        assert_true(time_msec() < deadline);
        assert_int_equal(waitpid(s->pid, NULL, WNOHANG), 0);
        usleep(10000);
    }
    free(sock);
}

static void
server_stop(struct server *s)
{
    kill(s->pid, SIGTERM);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    s->pid = 0;
}

static int
setup(void **state)
{
    char template[] = "/tmp/test-ovsdb.XXXXXX";
    struct server *s = xzalloc(sizeof *s);

    assert_non_null(mkdtemp(template));
    s->dir = xstrdup(template);
    s->remote = xasprintf("unix:%s/db.sock", s->dir);
    SH(s, "d=/usr/share/openvswitch; [ -z \"$OVS_PKGDATADIR\" ] || "
       "d=$OVS_PKGDATADIR; ovsdb-tool create conf.db $d/vswitch.ovsschema");
    server_start(s);
    SH(s, VSCTL "init");
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct server *s = *state;

    if (!s) {
        return 0;               /* setup() failed. */
    }
    if (s->pid) {
        server_stop(s);
    }
    SH(s, "rm -rf '%s'", s->dir);
    free(s->dir);
    free(s->remote);
    free(s);
    return 0;
}

static struct np_ovsdb *
open_db(const struct server *s)
{
    char *error;
    struct np_ovsdb *o = np_ovsdb_create(s->remote, "br-int", &error);

    assert_null(error);
    return o;
}

/* Runs O until all that is in the database now is seen, and what we want is
 * written and seen too; returns whether anything changed. */
static bool
settle(struct np_ovsdb *o)
{
    long long int deadline = time_msec() + PATIENCE_MSEC;
    bool changed = false;

    for (int round = 0; round < 2; round++) {
        uint64_t want = np_ovsdb_sync(o);

        for (;;) {
            changed |= np_ovsdb_run(o);
            if (np_ovsdb_synced(o) >= want) {
                break;
            }
            assert_true(time_msec() < deadline);
            np_ovsdb_wait(o);
            poll_timer_wait_until(deadline);
            poll_block();
        }
    }
    return changed;
}

static void
run_until_problem(struct np_ovsdb *o, const char *part)
{
    long long int deadline = time_msec() + PATIENCE_MSEC;

    for (;;) {
        struct np_bridge_state state;

        np_ovsdb_run(o);
        np_ovsdb_get_bridge(o, &state);
        if (part ? state.problem && strstr(state.problem, part)
            : !state.problem) {
            return;
        }
        assert_true(time_msec() < deadline);
        np_ovsdb_wait(o);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

static void
test_ports(void **state)
{
    const struct server *s = *state;
    struct np_ovsdb *o = open_db(s);
    struct np_bridge_state bridge;
    const struct np_portmap *map;

    settle(o);
    np_ovsdb_get_bridge(o, &bridge);
    assert_true(bridge.connected);
    assert_false(bridge.exists);
    assert_non_null(strstr(bridge.problem, "waiting for bridge br-int"));
    assert_int_equal(np_ovsdb_ports(o)->n, 0);

    SH(s, VSCTL "add-br br-int -- set Bridge br-int datapath_type=netdev"
       " -- add-port br-int z -- set Interface z ofport=7"
       " external_ids:iface-id=shop_web"
       " -- add-bond br-int bond0 u1 u2 -- set Port bond0"
       " external_ids:netpol-role=uplink");
    assert_true(settle(o));
    np_ovsdb_get_bridge(o, &bridge);
    assert_true(bridge.exists);
    assert_false(bridge.secure);
    assert_null(bridge.problem);
    assert_string_equal(bridge.datapath_type, "netdev");
    assert_non_null(strstr(bridge.mgmt, "/br-int.mgmt"));

    map = np_ovsdb_ports(o);
    assert_int_equal(map->n, 4);
    assert_string_equal(map->v[0].name, "br-int");
    assert_int_equal(map->v[0].role, NP_PORT_NODE);
    assert_string_equal(map->v[1].name, "u1");
    assert_int_equal(map->v[1].role, NP_PORT_UPLINK);
    assert_int_equal(map->v[2].role, NP_PORT_UPLINK);
    assert_string_equal(map->v[3].pod_name, "web");
    assert_int_equal(map->v[3].ofport, 7);

    /* A change that is none to us. */
    SH(s, VSCTL "set Interface z external_ids:color=red");
    assert_false(settle(o));
    /* A port stolen by another pod; then without its number; then gone. */
    SH(s, VSCTL "set Interface z external_ids:iface-id=shop_db");
    assert_true(settle(o));
    assert_string_equal(np_ovsdb_ports(o)->v[3].pod_name, "db");
    SH(s, VSCTL "set Interface z ofport=-1");
    assert_true(settle(o));
    assert_int_equal(np_ovsdb_ports(o)->v[3].ofport, NP_OFPORT_NONE);
    SH(s, VSCTL "del-port z");
    assert_true(settle(o));
    assert_int_equal(np_ovsdb_ports(o)->n, 3);
    SH(s, VSCTL "del-br br-int");
    assert_true(settle(o));
    assert_int_equal(np_ovsdb_ports(o)->n, 0);
    np_ovsdb_destroy(o);
}

static void
test_host_addresses(void **state)
{
    const struct server *s = *state;
    struct np_ovsdb *o = open_db(s);
    struct np_prefix loopback;
    const struct np_bridge_port *p;

    /* The one interface that every host has stands for a gateway. */
    SH(s, VSCTL "add-br br-int -- add-port br-int lo"
       " -- set Interface lo external_ids:netpol-role=gateway");
    settle(o);
    p = &np_ovsdb_ports(o)->v[1];
    assert_string_equal(p->name, "lo");
    assert_true(np_addr_parse("127.0.0.1", &loopback));
    assert_true(p->n_addrs >= 1);
    assert_true(np_prefix_equal(&p->addrs[0], &loopback));
    /* What the row says comes first. */
    SH(s, VSCTL "set Interface lo external_ids:ip-address=10.0.0.1");
    settle(o);
    assert_int_equal(np_ovsdb_ports(o)->v[1].n_addrs, 1);
    SH(s, VSCTL "del-br br-int");
    np_ovsdb_destroy(o);
}

static const struct np_table_setting tables[] = {
    { 0, "classify", NULL },
    { 5, "src_identity", "ip_src ipv6_src" },
};

#define LIST_TABLES VSCTL "--bare --columns=name,prefixes list Flow_Table " \
    "| tr '\\n' ' ' | sed 's/  */ /g'"

static void
test_tables(void **state)
{
    const struct server *s = *state;
    struct np_ovsdb *o;

    SH(s, VSCTL "add-br br-int -- add-br br-x"
       " -- --id=@t create Flow_Table name=others"
       " -- --id=@u create Flow_Table name=shared"
       " -- set Bridge br-int flow_tables:9=@t flow_tables:5=@u"
       " -- set Bridge br-x flow_tables:5=@u");
    o = open_db(s);
    np_ovsdb_set_tables(o, tables, ARRAY_SIZE(tables));
    settle(o);
    check_sh(s, VSCTL "get Bridge br-int flow_tables | tr -dc '=,' ", "=,=,=");
    check_sh(s, VSCTL "get Bridge br-x flow_tables:5 >u; " VSCTL
             "get Flow_Table \"$(cat u)\" name", "shared");
    check_sh(s, VSCTL "get Bridge br-int flow_tables:9 >u; " VSCTL
             "get Flow_Table \"$(cat u)\" name", "others");
    check_sh(s, VSCTL "get Bridge br-int flow_tables:5 >u; " VSCTL
             "get Flow_Table \"$(cat u)\" name prefixes",
             "src_identity\n[ip_src, ipv6_src]");

    /* Somebody breaks our row: it is the same row that is mended. */
    SH(s, VSCTL "set Flow_Table \"$(cat u)\" name=x prefixes=ip_dst");
    settle(o);
    check_sh(s, VSCTL "get Flow_Table \"$(cat u)\" name prefixes",
             "src_identity\n[ip_src, ipv6_src]");
    SH(s, VSCTL "remove Bridge br-int flow_tables 0");
    settle(o);
    check_sh(s, VSCTL "get Bridge br-int flow_tables:0 >u; " VSCTL
             "get Flow_Table \"$(cat u)\" name prefixes", "classify\n[]");
    SH(s, VSCTL "del-br br-int -- del-br br-x");
    np_ovsdb_destroy(o);
}

static void
test_secure(void **state)
{
    const struct server *s = *state;
    struct np_ovsdb *o = open_db(s);
    struct np_bridge_state bridge;

    SH(s, VSCTL "add-br br-int");
    settle(o);
    check_sh(s, VSCTL "get Bridge br-int fail_mode", "[]");
    np_ovsdb_want_secure(o);
    settle(o);
    check_sh(s, VSCTL "get Bridge br-int fail_mode", "secure");
    /* It counts only once the switch has acted, that is, flushed all. */
    np_ovsdb_get_bridge(o, &bridge);
    assert_false(bridge.secure);
    SH(s, VSCTL "set Open_vSwitch . "
       "cur_cfg=$(" VSCTL "get Open_vSwitch . next_cfg)");
    assert_true(settle(o));
    np_ovsdb_get_bridge(o, &bridge);
    assert_true(bridge.secure);
    /* Written again it would flush flows that are ours by now. */
    SH(s, VSCTL "set Bridge br-int fail_mode=standalone");
    settle(o);
    check_sh(s, VSCTL "get Bridge br-int fail_mode", "standalone");
    SH(s, VSCTL "del-br br-int");
    np_ovsdb_destroy(o);
}

static void
test_realized(void **state)
{
    const struct server *s = *state;
    struct np_ovsdb *o = open_db(s);
    const char *get = VSCTL "get Interface a external_ids >x; " VSCTL
        "get Interface b external_ids >>x; cat x";
    const struct np_realized a = { "a", "uid-1" }, b = { "b", "true" };

    SH(s, VSCTL "add-br br-int -- add-port br-int a -- add-port br-int b"
       " -- set Interface a external_ids:netpol-realized=old"
       " external_ids:iface-id=shop_a");
    /* Before we know better, an earlier run's word stands. */
    settle(o);
    check_sh(s, get, "{iface-id=shop_a, netpol-realized=old}\n{}");
    np_ovsdb_set_realized(o, &a, 1);
    settle(o);
    check_sh(s, get, "{iface-id=shop_a, netpol-realized=uid-1}\n{}");
    np_ovsdb_set_realized(o, &b, 1);
    settle(o);
    check_sh(s, get, "{iface-id=shop_a}\n{netpol-realized=\"true\"}");
    np_ovsdb_set_realized(o, NULL, 0);
    settle(o);
    check_sh(s, get, "{iface-id=shop_a}\n{}");
    SH(s, VSCTL "del-br br-int");
    np_ovsdb_destroy(o);
}

static void
test_lost(void **state)
{
    struct server *s = *state;
    struct np_ovsdb *o = open_db(s);
    const struct np_realized a = { "a", "uid-1" };

    SH(s, VSCTL "add-br br-int -- add-port br-int a");
    settle(o);
    assert_int_equal(np_ovsdb_ports(o)->n, 2);

    server_stop(s);
    run_until_problem(o, s->remote);
    /* The ports are the last that we know. */
    assert_int_equal(np_ovsdb_ports(o)->n, 2);
    /* Wished meanwhile. */
    np_ovsdb_set_realized(o, &a, 1);
    server_start(s);
    run_until_problem(o, NULL);
    settle(o);
    check_sh(s, VSCTL "get Interface a external_ids",
             "{netpol-realized=uid-1}");
    SH(s, VSCTL "del-br br-int");
    np_ovsdb_destroy(o);
}

static void
test_missing(void **state OVS_UNUSED)
{
    char *error;
    struct np_ovsdb *o = np_ovsdb_create("unix:/nonexistent/db.sock",
                                         "br-int", &error);
    struct np_bridge_state bridge;

    assert_null(error);
    run_until_problem(o, "waiting for unix:/nonexistent/db.sock: "
                      "No such file or directory");
    np_ovsdb_get_bridge(o, &bridge);
    assert_false(bridge.connected);
    assert_null(bridge.mgmt);
    np_ovsdb_destroy(o);
}

static void
test_bad_remotes(void **state OVS_UNUSED)
{
    static const char *const bad[] = {
        "", " ", "db.sock", "/run/db.sock", "unix:", "http://x",
        "punix:/run/db.sock", "tcp:", "tcp:127.0.0.1:0", "tcp:127.0.0.1:x",
        "tcp:127.0.0.1:65536", "ssl::6640", "tcp:a b:1",
        "unix:/a,tcp:127.0.0.1:x",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error;
        struct np_ovsdb *o = np_ovsdb_create(bad[i], "br-int", &error);

        if (o || !error || strchr(error, '\n')) {
            fail_msg("taken: \"%s\"", bad[i]);
        }
        free(error);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_host_addresses),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_secure),
        cmocka_unit_test(test_realized),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_bad_remotes),
    };

    set_program_name("test-ovsdb");
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    if (system("command -v ovsdb-server ovsdb-tool ovs-vsctl >/dev/null")) {
        fputs("ovsdb-server is not installed\n", stderr);
        return 77;              /* Skipped, says automake. */
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}

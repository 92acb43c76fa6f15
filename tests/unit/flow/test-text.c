#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

static const struct np_table_names names = {
    .name = { [1] = "spoof_guard", [3] = "direction", [6] = "egress",
              [8] = "ingress", [21] = "l2-deny" },
};

/* To be closed. */
static FILE *
open_data(const char *name, const char *mode)
{
    const char *srcdir = getenv("srcdir");
    char *path = xasprintf("%s/tests/unit/flow/%s", srcdir ? srcdir : ".",
                           name);
    FILE *f = fopen(path, mode);

    if (!f) {
        fail_msg("%s: %s", path, ovs_strerror(errno));
    }
    free(path);
    return f;
}

static size_t
read_flows(struct np_flow_set *set)
{
    FILE *f = open_data("input.flows", "r");
    struct ds line = DS_EMPTY_INITIALIZER;
    size_t n = 0;

    while (!ds_get_preprocessed_line(&line, f, NULL)) {
        assert_null(np_flow_set_put(set, flow_of(ds_cstr(&line), NULL)));
        n++;
    }
    ds_destroy(&line);
    fclose(f);
    return n;
}

static void
check_round_trip(const struct np_flow *flow, const struct np_table_names *t)
{
    char *s = text_of(flow, t);
    struct np_flow *again = flow_of(s, t);
    char *s2 = text_of(again, t);

    assert_string_equal(s, s2);
    if (!np_flow_equal(flow, again)) {
        fail_msg("not equal after a round trip: %s", s);
    }
    assert_int_equal(np_flow_compare(flow, again), 0);
    np_flow_destroy(again);
    free(s);
    free(s2);
}

/* What was made from the canonical form must be canonical. */
static void
check_idempotent(const struct np_flow *flow)
{
    struct match match;

    np_flow_expand(flow, &match);
    struct np_flow *again = np_flow_create(flow->table, flow->priority,
                                           flow->cookie, &match,
                                           flow->actions, flow->actions_len);
    assert_true(np_flow_equal(flow, again));
    np_flow_destroy(again);
}

static void
round_trip(void **state OVS_UNUSED)
{
    struct np_flow_set set;
    const struct np_flow *flow;

    np_flow_set_init(&set);
    assert_true(read_flows(&set) > 150);
    HMAP_FOR_EACH (flow, node, &set.flows) {
        check_round_trip(flow, NULL);
        check_round_trip(flow, &names);
        check_idempotent(flow);
    }
    np_flow_set_destroy(&set);
}

/* Random matches and actions out of pieces that may be combined. */
char *
random_flow(uint32_t *seed)
{
    static const char *const l3[] = {
        "ip", "ipv6", "tcp,tp_dst=80", "tcp6,tp_src=8080/0xfff0",
        "udp,nw_src=10.1.0.0/16", "udp6,ipv6_dst=fd00::/64", "arp",
        "icmp,icmp_type=3", "ip,ip_frag=later", "tcp,tcp_flags=+syn",
        "sctp,tp_dst=9", "dl_type=0x1234", "ip,nw_dst=1.2.3.4",
    };
    static const char *const actions[] = {
        "load:5->NXM_NX_REG1[]", "load:1->NXM_NX_REG3[2..4]",
        "move:NXM_NX_REG1[]->NXM_NX_REG2[]", "push:NXM_NX_REG1[]",
        "pop:NXM_NX_REG2[]", "resubmit(,7)", "output:5", "normal",
        "set_field:3->reg5", "mod_dl_dst:0a:00:00:00:00:01", "note:01.02.03",
        "dec_ttl", "ct_clear", "controller(max_len=128)", "in_port",
    };
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "cookie=%"PRIu32",table=%"PRIu32",priority=%"PRIu32,
                  unit_random(seed), unit_random_below(seed, 254),
                  unit_random_below(seed, 65536));
    uint32_t ip = unit_random_below(seed, ARRAY_SIZE(l3));
    ds_put_format(&s, ",%s", l3[ip]);
    for (int i = 0; i < 16; i++) {
        if (!unit_random_below(seed, 6)) {
            ds_put_format(&s, ",reg%d=%"PRIu32"/%"PRIu32, i,
                          unit_random(seed), unit_random(seed));
        }
    }
    if (!unit_random_below(seed, 2)) {
        ds_put_format(&s, ",in_port=%"PRIu32,
                      1 + unit_random_below(seed, 60000));
    }
    if (!unit_random_below(seed, 2)) {
        ds_put_cstr(&s, ",ct_state=+trk-inv+est");
    }
    ds_put_cstr(&s, ",actions=");
    for (uint32_t n = 1 + unit_random_below(seed, 8); n; n--) {
        const char *a = actions[unit_random_below(seed,
                                                  ARRAY_SIZE(actions))];
        bool ip_only = !strcmp(a, "dec_ttl");
        bool is_ip = strcmp(l3[ip], "arp") && strncmp(l3[ip], "dl_type", 7);
        ds_put_cstr(&s, ip_only && !is_ip ? "normal" : a);
        if (n > 1) {
            ds_put_char(&s, ',');
        }
    }
    return ds_steal_cstr(&s);
}

static void
random_round_trip(void **state OVS_UNUSED)
{
    uint32_t seed = 20;

    for (int i = 0; i < 3000; i++) {
        char *s = random_flow(&seed);
        struct np_flow *flow = flow_of(s, NULL);

        check_round_trip(flow, NULL);
        check_round_trip(flow, &names);
        check_idempotent(flow);
        np_flow_destroy(flow);
        free(s);
    }
}

/* The canonical text of all input, in canonical order.  With NP_UPDATE_GOLDEN
 * in the environment it is written instead of compared. */
static void
golden(void **state OVS_UNUSED)
{
    struct np_flow_set set;

    np_flow_set_init(&set);
    size_t n = read_flows(&set);
    const struct np_flow **flows = np_flow_set_sort(&set);

    struct ds s = DS_EMPTY_INITIALIZER;
    for (size_t i = 0; i < n; i++) {
        np_flow_format(flows[i], NULL, &s);
        ds_put_char(&s, '\n');
    }
    bool update = getenv("NP_UPDATE_GOLDEN") != NULL;
    FILE *f = open_data("canonical.flows", update ? "w" : "r");
    if (update) {
        fputs(ds_cstr(&s), f);
    } else {
        char *expected = xzalloc(s.length + 2);
        size_t len = fread(expected, 1, s.length + 1, f);
        assert_string_equal(ds_cstr(&s), expected);
        assert_int_equal(len, s.length);
        free(expected);
    }
    fclose(f);
    ds_destroy(&s);
    free(flows);
    np_flow_set_destroy(&set);
}

static void
check_text(const char *in, const struct np_table_names *t, const char *out)
{
    struct np_flow *flow = flow_of(in, t);
    char *s = text_of(flow, t);

    assert_string_equal(s, out);
    np_flow_destroy(flow);
    free(s);
}

static void
table_names(void **state OVS_UNUSED)
{
    const char *in = "table=egress,ip,actions=resubmit(,ingress),"
                     "resubmit(3,direction),resubmit(,7),"
                     "ct(commit,zone=1,table=direction)";
    check_text(in, &names,
               "cookie=0x0,table=egress,priority=32768,ip,actions="
               "resubmit(,ingress),resubmit(3,direction),resubmit(,7),"
               "ct(commit,table=direction,zone=1)");

    struct np_flow *flow = flow_of(in, &names);
    char *s = text_of(flow, NULL);
    assert_string_equal(s, "cookie=0x0,table=6,priority=32768,ip,actions="
                        "resubmit(,8),resubmit(3,3),resubmit(,7),"
                        "ct(commit,table=3,zone=1)");
    np_flow_destroy(flow);
    free(s);

    check_text("table=l2-deny,actions=goto_table:22", &names,
               "cookie=0x0,table=\"l2-deny\",priority=32768,"
               "actions=goto_table:22");
    flow = flow_of("ip,actions=learn(table=egress,eth_type=0x800,"
                   "NXM_OF_IP_SRC[])", &names);
    s = text_of(flow, NULL);
    assert_non_null(strstr(s, "learn(table=6,"));
    np_flow_destroy(flow);
    free(s);
}

static void
defaults(void **state OVS_UNUSED)
{
    check_text("actions=drop", NULL,
               "cookie=0x0,table=0,priority=32768,actions=drop");
    /* What `ovs-ofctl dump-flows` prints goes in again. */
    check_text(" cookie=0x5, duration=1.5s, table=2, n_packets=3, n_bytes=4, "
               "idle_age=5, priority=7,ip actions=NORMAL", NULL,
               "cookie=0x5,table=2,priority=7,ip,actions=NORMAL");
    check_text("in_port=LOCAL,actions=load:1->NXM_NX_REG0[]", NULL,
               "cookie=0x0,table=0,priority=32768,in_port=LOCAL,"
               "actions=set_field:0x1->reg0");
}

static void
check_refused(const char *in, const char *reason)
{
    struct np_flow *flow = (struct np_flow *) &flow;
    char *error = np_flow_parse(in, &names, &flow);

    if (flow) {
        fail_msg("%s was taken", in);
    }
    if (!error || !strstr(error, reason)) {
        fail_msg("%s: got error: %s", in, error ? error : "(none)");
    }
    free(error);
}

static void
refusals(void **state OVS_UNUSED)
{
    check_refused("", "must specify an action");
    check_refused("ip", "must specify an action");
    check_refused("table=nowhere,actions=drop", "unknown table \"nowhere\"");
    check_refused("table=254,actions=drop", "table 254 is outside");
    check_refused("table=255,actions=drop", "table 255 is outside");
    check_refused("table=256,actions=drop", "unknown table");
    check_refused("priority=65536,actions=drop", "priority");
    check_refused("actions=resubmit(,nowhere)", "nowhere");
    check_refused("actions=output:eth0", "eth0");
    check_refused("actions=fly", "unknown action fly");
    check_refused("nosuch=1,actions=drop", "unknown keyword nosuch");
    check_refused("idle_timeout=5,actions=drop", "timeouts");
    check_refused("hard_timeout=5,actions=drop", "timeouts");
    check_refused("importance=5,actions=drop", "importance");
    check_refused("send_flow_rem,actions=drop", "flags");
    check_refused("check_overlap,actions=drop", "flags");
    check_refused("cookie=1/1,actions=drop", "cookie mask");
    check_refused("tp_dst=80,actions=drop", "prerequisites");
    check_refused("ip,tp_dst=80,actions=drop", "prerequisites");
    check_refused("ip,ipv6_src=fd00::1,actions=drop", "prerequisites");
    check_refused("ipv6,actions=mod_nw_src:1.2.3.4", "cannot be expressed");
    check_refused("actions=clone(fly)", "unknown action fly");
}

/* A clause that serves some four thousand rules just fits in a message. */
static void
message_size(void **state OVS_UNUSED)
{
    struct ofpbuf acts;
    struct match match;

    ofpbuf_init(&acts, 0);
    match_init_catchall(&match);
    for (int n = 0; n < 5000; n++) {
        struct ofpact_conjunction *c = ofpact_put_CONJUNCTION(&acts);
        c->id = n + 1;
        c->n_clauses = 2;

        if (n < 4080 || n > 4100) {
            continue;
        }
        struct np_flow *flow = np_flow_create(1, 1, 1, &match, acts.data,
                                              acts.size);
        char *s = text_of(flow, NULL);
        struct np_flow *again;
        char *error = np_flow_parse(s, NULL, &again);
        assert_int_equal(flow->actions_len, acts.size);
        assert_int_equal(error != NULL, n + 1 > 4090);
        np_flow_destroy(flow);
        np_flow_destroy(again);
        free(error);
        free(s);
    }
    ofpbuf_uninit(&acts);
}

/* A flow of the compiler and the same flow as text are equal. */
static void
made_and_parsed(void **state OVS_UNUSED)
{
    struct ofpbuf acts;
    struct match match;

    ofpbuf_init(&acts, 0);
    match_init_catchall(&match);
    match_set_dl_type(&match, htons(0x0800));
    match_set_nw_proto(&match, 6);
    match_set_tp_dst(&match, htons(80));
    match_set_reg_masked(&match, 4, 2, 3);
    struct ofpact_resubmit *r = ofpact_put_RESUBMIT(&acts);
    r->in_port = OFPP_IN_PORT;
    r->table_id = 8;

    struct np_flow *made = np_flow_create(6, 100, np_cookie(NP_FLOW_RULE, 9),
                                          &match, acts.data, acts.size);
    struct np_flow *parsed = flow_of(
        "cookie=0x4e50050100000009,table=egress,priority=100,reg4=2/3,tcp,"
        "tp_dst=80,actions=resubmit(,ingress)", &names);
    assert_true(np_flow_equal(made, parsed));
    np_flow_destroy(made);
    np_flow_destroy(parsed);
    ofpbuf_uninit(&acts);
}

int
test_text(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(random_round_trip),
        cmocka_unit_test(golden),
        cmocka_unit_test(table_names),
        cmocka_unit_test(defaults),
        cmocka_unit_test(refusals),
        cmocka_unit_test(message_size),
        cmocka_unit_test(made_and_parsed),
    };
    return cmocka_run_group_tests_name("flow text", tests, NULL, NULL);
}

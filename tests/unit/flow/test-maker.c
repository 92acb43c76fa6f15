/* np_flow_maker against np_flow_create(): the same flows, whatever they are
 * made from.  One maker takes all flows of a test, so that it knows their
 * shapes. */

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "byte-order.h"
#include "flow.h"
#include "flow/flow-private.h"
#include "netpol/compile.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* What the parts make, with and without MAKER, must be the same; to be
 * destroyed. */
static struct np_flow *
make_both(struct np_flow_maker *maker, const struct match *match,
          const struct ofpact *acts, size_t len)
{
    struct np_flow *plain = np_flow_create(5, 7, 9, match, acts, len);
    struct np_actions *a = np_flow_maker_actions(maker, acts, len);
    struct np_flow *made = np_flow_maker_make(maker, 5, 7, 9, match, a);
    struct np_actions *b = np_actions_create(acts, len);
    struct np_flow *shared = np_flow_create_shared(5, 7, 9, match, b);

    np_actions_unref(a);
    np_actions_unref(b);
    if (!np_flow_equal(plain, made) || !np_flow_equal(plain, shared)) {
        char *s = text_of(plain, NULL), *t = text_of(made, NULL);
        char *u = text_of(shared, NULL);

        fail_msg("not the same: %s, %s, %s", s, t, u);
    }
    assert_int_equal(np_flow_compare(plain, made), 0);
    np_flow_destroy(plain);
    np_flow_destroy(shared);
    return made;
}

/* The stats of FLOW as a switch sends them. */
static struct ofpbuf *
encode_stats(const struct np_flow *flow, enum ofp_version version)
{
    struct ofputil_flow_stats_request fsr = {
        .out_port = OFPP_ANY, .out_group = OFPG_ANY, .table_id = OFPTT_ALL,
    };
    struct ofputil_flow_stats fs = {
        .cookie = htonll(flow->cookie),
        .table_id = flow->table,
        .priority = flow->priority,
        .ofpacts = flow->actions,
        .ofpacts_len = flow->actions_len,
    };
    struct ovs_list replies;
    struct ofpbuf *request, *reply;

    match_init_catchall(&fsr.match);
    request = ofputil_encode_flow_stats_request(
        &fsr, ofputil_protocol_from_ofp_version(version));
    ofpmp_init(&replies, request->data);
    np_flow_expand(flow, &fs.match);
    ofputil_append_flow_stats_reply(&fs, &replies, NULL);
    assert_int_equal(ovs_list_size(&replies), 1);
    reply = ofpbuf_from_list(ovs_list_pop_front(&replies));
    ofpbuf_delete(request);
    return reply;
}

/* FLOW through the wire form of VERSION, decoded into memory full of JUNK. */
static void
check_wire(struct np_flow_maker *maker, const struct np_flow *flow,
           enum ofp_version version, uint8_t junk)
{
    struct ofpbuf *sent = encode_stats(flow, version);
    struct ofpbuf reply = ofpbuf_const_initializer(sent->data, sent->size);
    struct ofputil_flow_stats fs;
    struct np_flow *made, *again;
    struct match match;
    struct ofpbuf acts;

    ofpbuf_init(&acts, 8 * reply.size + 256);
    memset(acts.base, junk, acts.allocated);
    assert_int_equal(ofputil_decode_flow_stats_reply(&fs, &reply, false,
                                                     &acts), 0);
    made = make_both(maker, &fs.match, fs.ofpacts, fs.ofpacts_len);
    np_flow_expand(flow, &match);
    again = make_both(maker, &match, flow->actions, flow->actions_len);
    if (!np_flow_equal(made, again)) {
        char *s = text_of(again, NULL), *t = text_of(made, NULL);

        fail_msg("OpenFlow version %d: %s came back as %s", version, s, t);
    }
    np_flow_destroy(made);
    np_flow_destroy(again);
    ofpbuf_uninit(&acts);
    ofpbuf_delete(sent);
}

static void
check_all_wires(struct np_flow_maker *maker, const struct np_flow *flow)
{
    static const enum ofp_version versions[] = { OFP13_VERSION, OFP14_VERSION,
                                                 OFP15_VERSION };

    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        check_wire(maker, flow, versions[i], 0);
        check_wire(maker, flow, versions[i], 0xa5);
    }
}

/* Calls CB for each flow in the files that PATTERN, below the source
 * directory, names; returns how many there were. */
static size_t
for_each_flow(const char *pattern,
              void (*cb)(struct np_flow_maker *, const struct np_flow *))
{
    const char *srcdir = getenv("srcdir");
    char *path = xasprintf("%s/%s", srcdir ? srcdir : ".", pattern);
    struct np_flow_maker *maker = np_flow_maker_create();
    struct np_table_names names = { .name = { NULL } };
    struct ds line = DS_EMPTY_INITIALIZER;
    size_t n = 0;
    glob_t files;

    np_pipeline_names(0, &names);
    assert_int_equal(glob(path, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *f = fopen(files.gl_pathv[i], "r");

        assert_non_null(f);
        while (!ds_get_preprocessed_line(&line, f, NULL)) {
            struct np_flow *flow = flow_of(ds_cstr(&line), &names);

            cb(maker, flow);
            np_flow_destroy(flow);
            n++;
        }
        fclose(f);
    }
    globfree(&files);
    ds_destroy(&line);
    np_flow_maker_destroy(maker);
    free(path);
    return n;
}

static void
golden_wires(void **state OVS_UNUSED)
{
    assert_true(for_each_flow("tests/golden/*/flows", check_all_wires) > 500);
}

static void
input_wires(void **state OVS_UNUSED)
{
    assert_true(for_each_flow("tests/unit/flow/input.flows", check_all_wires)
                > 150);
}

static void
random_wires(void **state OVS_UNUSED)
{
    struct np_flow_maker *maker = np_flow_maker_create();
    uint32_t seed = 7;

    for (int i = 0; i < 3000; i++) {
        char *s = random_flow(&seed);
        struct np_flow *flow = flow_of(s, NULL);

        check_all_wires(maker, flow);
        np_flow_destroy(flow);
        free(s);
    }
    np_flow_maker_destroy(maker);
}

static uint8_t
random_byte(uint32_t *seed)
{
    static const uint8_t edges[] = { 0, 1, 0x80, 0xfe, 0xff, 135, 136 };

    return (unit_random_below(seed, 2)
            ? edges[unit_random_below(seed, ARRAY_SIZE(edges))]
            : unit_random(seed));
}

/* Other values in one to four random bytes of what the match looks at, and now
 * and then where it does not. */
static void
disturb_match(struct match *match, uint32_t *seed)
{
    uint8_t *flow = (uint8_t *) &match->flow;
    const uint8_t *mask = (const uint8_t *) &match->wc.masks;
    size_t tunnel = sizeof match->flow.tunnel;

    for (uint32_t n = 1 + unit_random_below(seed, 4); n;) {
        size_t at = tunnel + unit_random_below(seed,
                                               sizeof match->flow - tunnel);

        if (mask[at]) {
            flow[at] = random_byte(seed) & mask[at];
            n--;
        } else if (!unit_random_below(seed, 2000)) {
            flow[at] = random_byte(seed);
        } else if (!unit_random_below(seed, 2000)) {
            n--;
        }
    }
}

/* MATCH as match_set_dl_type() and its like leave it: without the packet type
 * that decoding adds. */
static void
make_raw(struct match *match)
{
    match->flow.packet_type = match->wc.masks.packet_type = 0;
}

/* Each match of the input with many other values, as somebody who builds
 * matches by hand may have them, right or wrong. */
static void
disturb(struct np_flow_maker *maker, const struct np_flow *flow)
{
    uint32_t seed = flow->node.hash | 1;
    struct match original, match;

    np_flow_expand(flow, &original);
    np_flow_destroy(make_both(maker, &original, flow->actions,
                              flow->actions_len));
    for (int i = 0; i < 300; i++) {
        match = original;
        if (i % 2) {
            make_raw(&match);
        }
        disturb_match(&match, &seed);
        np_flow_destroy(make_both(maker, &match, NULL, 0));
    }
}

static void
golden_values(void **state OVS_UNUSED)
{
    for_each_flow("tests/golden/*/flows", disturb);
}

static void
input_values(void **state OVS_UNUSED)
{
    for_each_flow("tests/unit/flow/input.flows", disturb);
}

/* Ports that OpenFlow translates or does not know, after others of the same
 * shape. */
static void
ports(void **state OVS_UNUSED)
{
    struct np_flow_maker *maker = np_flow_maker_create();
    struct match match;

    for (uint32_t port = 0; port <= UINT16_MAX; port++) {
        match_init_catchall(&match);
        match_set_dl_type(&match, htons(ETH_TYPE_ARP));
        match_set_in_port(&match, u16_to_ofp(port));
        np_flow_destroy(make_both(maker, &match, NULL, 0));
    }
    np_flow_maker_destroy(maker);
}

/* Every ICMP type and code, which prerequisites look at, and TCP ports. */
static void
icmp(void **state OVS_UNUSED)
{
    static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_ICMPV6 };
    struct np_flow_maker *maker = np_flow_maker_create();
    struct in6_addr target = { .s6_addr = { 0xfd, [15] = 1 } };
    struct match match;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        for (uint32_t type = 0; type <= 300; type++) {
            match_init_catchall(&match);
            match_set_dl_type(&match, htons(ETH_TYPE_IPV6));
            match_set_nw_proto(&match, protocols[i]);
            match_set_tp_src(&match, htons(type));
            match_set_tp_dst(&match, htons(0));
            match_set_nd_target(&match, &target);
            np_flow_destroy(make_both(maker, &match, NULL, 0));
        }
    }
    np_flow_maker_destroy(maker);
}

/* What is learned from a match with bits where its mask has none is not taken
 * for what becomes of others. */
static void
behind_the_mask(void **state OVS_UNUSED)
{
    struct np_flow_maker *maker = np_flow_maker_create();
    struct match match;

    for (int i = 0; i < 3; i++) {
        match_init_catchall(&match);
        match_set_dl_type(&match, htons(ETH_TYPE_IP));
        match_set_nw_src_masked(&match, htonl(0x0a000000), htonl(0xff000000));
        match.flow.nw_src |= htonl(i == 1 ? 0 : 0x99);
        np_flow_destroy(make_both(maker, &match, NULL, 0));
    }
    np_flow_maker_destroy(maker);
}

/* Later fragments have no ports. */
static void
fragments(void **state OVS_UNUSED)
{
    struct np_flow_maker *maker = np_flow_maker_create();
    struct match match;

    for (int i = 0; i < 8; i++) {
        match_init_catchall(&match);
        match_set_dl_type(&match, htons(ETH_TYPE_IP));
        match_set_nw_proto(&match, IPPROTO_TCP);
        match_set_tp_dst(&match, htons(i));
        match_set_nw_frag_masked(&match, i % 4, FLOW_NW_FRAG_MASK);
        np_flow_destroy(make_both(maker, &match, NULL, 0));
    }
    np_flow_maker_destroy(maker);
}

static void
put_random_action(struct ofpbuf *acts, uint32_t *seed)
{
    static const enum mf_field_id fields[] = {
        MFF_REG0, MFF_REG1, MFF_REG15, MFF_XREG0, MFF_XXREG1, MFF_METADATA,
        MFF_PKT_MARK, MFF_IN_PORT, MFF_VLAN_TCI,
    };
    const struct mf_field *field
        = mf_from_id(fields[unit_random_below(seed, ARRAY_SIZE(fields))]);
    union mf_value value, mask;

    memset(&mask, 0xff, sizeof mask);
    for (size_t i = 0; i < sizeof value; i++) {
        value.b[i] = random_byte(seed);
    }
    switch (unit_random_below(seed, 6)) {
    case 0:
        ofpact_put_reg_load(acts, field, &value, NULL);
        break;
    case 1:
        ofpact_put_set_field(acts, field, &value, &mask);
        break;
    case 2:
        mask.b[field->n_bytes - 1] = 0xf0;
        if (unit_random_below(seed, 4)) {
            value.b[field->n_bytes - 1] &= 0xf0;
        }
        ofpact_put_set_field(acts, field, &value, &mask);
        break;
    case 3: {
        struct ofpact_conjunction *c = ofpact_put_CONJUNCTION(acts);
        c->id = unit_random_below(seed, 4) ? unit_random(seed) : 0;
        c->n_clauses = unit_random_below(seed, 4);
        c->clause = unit_random_below(seed, 4);
        break;
    }
    case 4:
        ofpact_put_RESUBMIT(acts)->table_id = random_byte(seed);
        break;
    case 5:
        ofpact_put_CLEAR_ACTIONS(acts);
        break;
    }
}

/* Lists of one to three actions: few shapes, many values, and some that
 * OpenFlow refuses. */
static void
actions(void **state OVS_UNUSED)
{
    struct np_flow_maker *maker = np_flow_maker_create();
    struct match match;
    struct ofpbuf acts;
    uint32_t seed = 99;

    ofpbuf_init(&acts, 1024);
    match_init_catchall(&match);
    for (int i = 0; i < 60000; i++) {
        ofpbuf_clear(&acts);
        memset(acts.base, 0, acts.allocated);
        for (uint32_t n = 1 + unit_random_below(&seed, 3); n; n--) {
            put_random_action(&acts, &seed);
        }
        np_flow_destroy(make_both(maker, &match, acts.data, acts.size));
    }
    ofpbuf_uninit(&acts);
    np_flow_maker_destroy(maker);
}

/* Sizes around what fits in a message, and what a shape may have. */
static void
sizes(void **state OVS_UNUSED)
{
    static const int interesting[] = { 16, 17, 1023, 1024, 1025, 4085, 4100 };
    struct np_flow_maker *maker = np_flow_maker_create();
    struct match match;

    match_init_catchall(&match);
    match_set_dl_type(&match, htons(ETH_TYPE_IP));
    for (size_t i = 0; i < ARRAY_SIZE(interesting); i++) {
        for (int n = interesting[i] - 1; n < interesting[i] + 12; n++) {
            struct ofpbuf acts;

            ofpbuf_init(&acts, 0);
            for (int j = 0; j < n; j++) {
                struct ofpact_conjunction *c = ofpact_put_CONJUNCTION(&acts);
                c->id = j;
                c->n_clauses = 2;
            }
            np_flow_destroy(make_both(maker, &match, acts.data, acts.size));
            ofpbuf_uninit(&acts);
        }
    }
    np_flow_maker_destroy(maker);
}

/* Equal actions are there once, and outlive whoever made them. */
static void
sharing(void **state OVS_UNUSED)
{
    struct np_flow_maker *maker = np_flow_maker_create();
    struct np_flow *flow = flow_of("ip,actions=load:1->NXM_NX_REG1[]", NULL);
    struct np_flow *clone = np_flow_clone(flow), *a, *b, *none;
    struct match match;

    assert_true(np_flow_equal(flow, clone));
    assert_ptr_equal(flow->actions, clone->actions);
    np_flow_expand(flow, &match);
    a = make_both(maker, &match, flow->actions, flow->actions_len);
    match_set_nw_proto(&match, 6);
    b = make_both(maker, &match, flow->actions, flow->actions_len);
    assert_ptr_equal(a->actions, b->actions);
    none = make_both(maker, &match, NULL, 0);
    assert_null(none->actions);
    assert_int_equal(none->actions_len, 0);

    np_flow_destroy(flow);
    np_flow_maker_destroy(maker);
    np_flow_destroy(a);
    char *s = text_of(clone, NULL), *t = text_of(b, NULL);
    assert_string_equal(s, "cookie=0x0,table=0,priority=32768,ip,"
                        "actions=set_field:0x1->reg1");
    assert_string_equal(t, "cookie=0x9,table=5,priority=7,tcp,"
                        "actions=set_field:0x1->reg1");
    free(s);
    free(t);
    np_flow_destroy(clone);
    np_flow_destroy(b);
    np_flow_destroy(none);
}

int
test_maker(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_wires),
        cmocka_unit_test(input_wires),
        cmocka_unit_test(random_wires),
        cmocka_unit_test(golden_values),
        cmocka_unit_test(input_values),
        cmocka_unit_test(ports),
        cmocka_unit_test(icmp),
        cmocka_unit_test(behind_the_mask),
        cmocka_unit_test(fragments),
        cmocka_unit_test(actions),
        cmocka_unit_test(sizes),
        cmocka_unit_test(sharing),
    };
    return cmocka_run_group_tests_name("flow maker", tests, NULL, NULL);
}

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-port.h"
#include "util.h"

static struct np_flow *
flow_of(const char *text)
{
    struct np_flow *flow;
    char *error = np_flow_parse(text, NULL, &flow);

    if (error) {
        fail_msg("%s: %s", text, error);
    }
    return flow;
}

void
bench_init(struct bench *b)
{
    np_flow_set_init(&b->flows);
    b->interp = np_interp_create(&b->flows);
    b->env = (struct np_interp_env) { .first_table = 0 };
    np_interp_result_init(&b->result);
}

void
bench_add(struct bench *b, const char *text)
{
    struct np_flow *flow = flow_of(text);
    const struct np_flow *replaced = np_interp_add(b->interp, flow);
    struct np_flow *old = np_flow_set_put(&b->flows, flow);

    assert_ptr_equal(replaced, old);
    np_flow_destroy(old);
}

void
bench_remove(struct bench *b, const char *text)
{
    struct np_flow *key = flow_of(text);
    struct np_flow *flow = np_flow_set_find(&b->flows, key);

    assert_non_null(flow);
    assert_ptr_equal(np_interp_remove(b->interp, key), flow);
    assert_null(np_interp_remove(b->interp, key));
    np_flow_set_remove(&b->flows, flow);
    np_flow_destroy(flow);
    np_flow_destroy(key);
}

void
bench_destroy(struct bench *b)
{
    np_interp_result_destroy(&b->result);
    np_interp_destroy(b->interp);
    np_flow_set_destroy(&b->flows);
}

void
bench_send(struct bench *b, const char *text)
{
    struct flow packet;
    char *error = parse_ofp_exact_flow(&packet, NULL, NULL, text, NULL);

    if (error) {
        fail_msg("%s", error);
    }
    np_interp_run(b->interp, &b->env, &packet, &b->result);
}

static void
put_word(const struct np_effect *e, struct ds *s)
{
    switch (e->type) {
    case NP_EFFECT_OUTPUT: ofputil_format_port(e->port, NULL, s); break;
    case NP_EFFECT_NORMAL: ds_put_cstr(s, "NORMAL"); break;
    case NP_EFFECT_FLOOD: ds_put_cstr(s, "FLOOD"); break;
    case NP_EFFECT_ALL: ds_put_cstr(s, "ALL"); break;
    case NP_EFFECT_CONTROLLER: ds_put_cstr(s, "controller"); break;
    case NP_EFFECT_CT: ds_put_cstr(s, e->ct.commit ? "commit" : "ct"); break;
    case NP_EFFECT_LEARN: ds_put_cstr(s, "learn"); break;
    case NP_EFFECT_GROUP: ds_put_cstr(s, "group"); break;
    case NP_EFFECT_METER: ds_put_cstr(s, "meter"); break;
    }
    ds_put_char(s, ' ');
}

void
assert_fate(struct bench *b, const char *packet, const char *words)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    bench_send(b, packet);
    for (size_t i = 0; i < b->result.n_effects; i++) {
        put_word(&b->result.effects[i], &s);
    }
    if (b->result.status == NP_INTERP_ABORTED) {
        ds_put_cstr(&s, "aborted");
    } else if (b->result.status == NP_INTERP_UNKNOWN) {
        ds_put_cstr(&s, "unknown");
    } else if (!s.length) {
        ds_put_cstr(&s, "drop");
    }
    ds_chomp(&s, ' ');
    if (strcmp(ds_cstr(&s), words)) {
        ds_put_cstr(&s, "\nhow it came about:\n");
        np_interp_result_format(&b->result, NULL, &s);
        fail_msg("%s: expected %s, got %s", packet, words, ds_cstr(&s));
    }
    ds_destroy(&s);
}

static void
bench_add_all(struct bench *b, const char *text)
{
    char *flows = xstrdup(text), *save = NULL;

    for (char *flow = strtok_r(flows, "\n", &save); flow;
         flow = strtok_r(NULL, "\n", &save)) {
        bench_add(b, flow);
    }
    free(flows);
}

void
assert_fate_of(const char *flows, const char *packet, const char *words)
{
    struct bench b;

    bench_init(&b);
    bench_add_all(&b, flows);
    assert_fate(&b, packet, words);
    bench_destroy(&b);
}

void
assert_fields(const struct flow *packet, const char *fields)
{
    struct np_flow *want = flow_of(fields);
    struct minimatch match = np_flow_match(want);

    if (!minimatch_matches_flow(&match, packet)) {
        char *s = flow_to_string(packet, NULL);
        fail_msg("expected %s, got %s", fields, s);
        free(s);
    }
    np_flow_destroy(want);
}

void
assert_sent(const char *flows, const char *packet, const char *fields)
{
    char *match = xasprintf("%s,actions=drop", fields);
    struct bench b;

    bench_init(&b);
    bench_add_all(&b, flows);
    bench_send(&b, packet);
    if (b.result.status != NP_INTERP_OK) {
        fail_msg("%s", b.result.error);
    }
    assert_true(b.result.n_effects > 0);
    assert_fields(&b.result.effects[0].packet, match);
    bench_destroy(&b);
    free(match);
}

int
main(void)
{
    return (test_action() + test_ct() + test_match()) != 0;
}

/* Which addresses' connections are to be forgotten. */

#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <stdlib.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#define POD(NAME, UID, ADDRS, ...) \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: " NAME \
    ", uid: " UID "}\nspec: {" __VA_ARGS__ "}\n" \
    "status: {phase: Running, podIPs: [" ADDRS "]}\n"
#define DONE(NAME, UID, ADDRS) \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: " NAME \
    ", uid: " UID "}\nstatus: {phase: Succeeded, podIPs: [" ADDRS "]}\n"
#define V4 "{ip: 10.0.0.1}"
#define V6 "{ip: \"fd00::1\"}"

enum { MAX_STEPS = 8 };

struct scene {
    struct np_fixture step[MAX_STEPS];  /* Hold what the engine points to. */
    size_t n;
    struct np_engine engine;
};

static int
setup(void **state)
{
    static const struct np_compile_config config = { .ct_zone = 64000 };
    static const struct np_changes none;
    static const struct np_portmap no_ports;
    struct scene *s = xzalloc(sizeof *s);
    struct np_flow_patch patch;

    np_engine_init(&s->engine, &config, "node");
    np_flow_patch_init(&patch);
    np_engine_apply(&s->engine, &none, &no_ports, NULL);
    np_engine_start(&s->engine, NULL, &patch);
    np_flow_patch_destroy(&patch);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    np_engine_destroy(&s->engine);
    for (size_t i = 0; i < s->n; i++) {
        np_fixture_destroy(&s->step[i]);
    }
    free(s);
    return 0;
}

static struct np_entry *
find(const struct scene *s, const char *name)
{
    return np_cache_find(&s->engine.cache, NP_POD, "a", name);
}

/* The objects in YAML come, the pod GONE goes, and, unless it is NULL, the
 * ports are PORTS; then EXPECTED are to be forgotten. */
static void
check(struct scene *s, const char *yaml, const char *gone, const char *ports,
      const char *expected)
{
    struct np_fixture *f = &s->step[s->n++];
    struct np_changes changes = { NULL, 0, 0 };
    struct ds seen = DS_EMPTY_INITIALIZER;
    struct np_flow_patch patch;

    assert_true(s->n <= MAX_STEPS);
    np_fixture_init(f);
    np_fixture_decode_objects(f, yaml);
    np_fixture_read_ports(f, ports ? ports : "");
    if (gone) {
        np_changes_add(&changes, find(s, gone)->object, NULL);
    }
    for (size_t i = 0; i < f->manifest.n; i++) {
        const struct np_meta *new = f->manifest.objects[i];
        struct np_entry *old = find(s, new->name);

        np_changes_add(&changes, old ? old->object : NULL, new);
    }
    np_flow_patch_init(&patch);
    np_engine_apply(&s->engine, &changes, ports ? &f->ports : NULL, &patch);
    for (size_t i = 0; i < patch.forget.n; i++) {
        ds_put_cstr(&seen, i ? " " : "");
        np_prefix_format(&patch.forget.v[i], &seen);
    }
    assert_string_equal(ds_cstr(&seen), expected);
    ds_destroy(&seen);
    np_flow_patch_destroy(&patch);
    np_changes_clear(&changes);
}

static void
another_pod(void **state)
{
    check(*state, POD("one", "u1", V4 "," V6), NULL, NULL, "");
    check(*state, "", "one", NULL, "");
    check(*state, POD("two", "u2", V4 "," V6), NULL, NULL, "10.0.0.1 fd00::1");
    check(*state, POD("two", "u2", V4), NULL, NULL, "");
    check(*state, POD("three", "u3", V6), NULL, NULL, "fd00::1");
}

static void
the_same_pod(void **state)
{
    check(*state, POD("one", "u1", V4), NULL, NULL, "");
    check(*state, "", "one", NULL, "");
    check(*state, POD("one", "u1", V4), NULL, NULL, "");
    check(*state, POD("one", "u1", V4, "nodeName: n1"), NULL, NULL, "");
}

/* Once with a time in between, and once without. */
static void
the_same_name(void **state)
{
    check(*state, POD("one", "u1", V4), NULL, NULL, "");
    check(*state, POD("one", "u2", V4), NULL, NULL, "10.0.0.1");
    check(*state, "", "one", NULL, "");
    check(*state, POD("one", "u3", V4), NULL, NULL, "10.0.0.1");
}

/* In one change, in either order; and before the first is known to end. */
static void
at_once(void **state)
{
    check(*state, POD("one", "u1", V4), NULL, NULL, "");
    check(*state, POD("two", "u2", V4), "one", NULL, "10.0.0.1");
    check(*state, POD("one", "u3", V4), NULL, NULL, "");
    check(*state, "", "two", NULL, "10.0.0.1");
    check(*state, POD("two", "u4", V4) DONE("one", "u3", V4), NULL, NULL,
          "10.0.0.1");
}

static void
finished(void **state)
{
    check(*state, POD("one", "u1", V4), NULL, NULL, "");
    check(*state, DONE("one", "u1", V4), NULL, NULL, "");
    check(*state, POD("two", "u2", V4), NULL, NULL, "10.0.0.1");
    check(*state, "", "one", NULL, "");
}

/* What the port's row says is the pod's. */
static void
by_port(void **state)
{
    check(*state, POD("one", "u1", "") POD("two", "u2", ""), NULL,
          "pod veth1 1 a/one 0a:00:00:00:00:01 10.0.0.1\n", "");
    check(*state, "", NULL, "", "");
    check(*state, "", NULL,
          "pod veth1 1 a/one 0a:00:00:00:00:01 10.0.0.1\n", "");
    check(*state, "", NULL,
          "pod veth2 2 a/two 0a:00:00:00:00:01 10.0.0.1\n",
          "10.0.0.1 fe80::800:ff:fe00:1");
    check(*state, POD("three", "u3", V4), "two", NULL, "10.0.0.1");
}

#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(another_pod), T(the_same_pod), T(the_same_name), T(at_once),
        T(finished), T(by_port),
    };
    return cmocka_run_group_tests_name("reuse", tests, NULL, NULL);
}

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#include "util.h"

static void
sample(void **state OVS_UNUSED)
{
    struct np_manifest m = decode(sample_json);
    const struct np_pod *pod;

    assert_int_equal(m.n, 2);
    assert_int_equal(m.objects[0]->line, 3);
    assert_int_equal(m.objects[1]->line, 5);
    pod = (void *) m.objects[1];
    assert_true(pod->host_network);
    assert_int_equal(pod->n_ports, 1);
    check_manifest(&m, sample_json, "Pod x/a;Pod x/b", "");
}

static void
documents(void **state OVS_UNUSED)
{
    check(" \n{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
          "\"metadata\":{\"name\":\"a\"}}\n"
          "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
          "\"metadata\":{\"name\":\"b\"}}---\n"
          "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
          "\"metadata\":{\"name\":\"c\"}}",
          "Namespace a;Namespace b;Namespace c", "");
    check("\xef\xbb\xbf{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
          "\"metadata\":{\"name\":\"a\"}}", "Namespace a", "");
    check("{}", "", "f:1: kind: Required value: Object 'Kind' is missing");
    check("{\"kind\":\"Service\",\"apiVersion\":\"v1\"}", "", "");
}

/* The line of an error is that of its own field. */
static void
lines(void **state OVS_UNUSED)
{
    check("{\n"
          " \"apiVersion\": \"networking.k8s.io/v1\",\n"
          " \"kind\": \"NetworkPolicy\",\n"
          " \"metadata\": {\"name\": \"p\",\n"
          "  \"managedFields\": [{\"x\":\n"
          "     \"\\\"}]\"}],\n"
          "  \"labels\": {\"a\":\n"
          "    5}},\n"
          " \"spec\": {\n"
          "  \"ingress\": [{}, {\"from\": [\n"
          "    {},\n"
          "    {\"ipBlock\": {\"cidr\": \"10.0.0.0/8\",\n"
          "      \"except\": [\"10.1.0.0/16\",\n"
          "                 \"11.0.0.0/8\"]}}]}]}\n"
          "}\n", "",
          "f:7: metadata.labels[a]: expected a string, got a number\n"
          "f:11: spec.ingress[1].from[0]: Required value: must specify a "
          "peer\n"
          "f:14: spec.ingress[1].from[1].ipBlock.except[1]: Invalid value: "
          "\"11.0.0.0/8\": must be a strict subset of `cidr`");
}

static void
broken(void **state OVS_UNUSED)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        { "{", "f:1: invalid JSON: unexpected end of text" },
        { "{\"a\"\n", "f:2: invalid JSON: unexpected end of text" },
        { "{\"a\": 1", "f:1: invalid JSON: unexpected end of text" },
        { "{\"a\": }", "f:1: invalid JSON: expected a value near '}'" },
        { "{\"a\": ]}", "f:1: invalid JSON: expected a value near ']}'" },
        { "{\n\"a\": 1,}", "f:2: invalid JSON: expected a string near '}'" },
        { "{\"kind\" 1}", "f:1: invalid JSON: expected ':' near '1}'" },
        { "{\"kind\": 1 2}",
          "f:1: invalid JSON: expected ',' or '}' near '2}'" },
        { "{a: 1}", "f:1: invalid JSON: expected a string near 'a: 1}'" },
        { "{\"kind\":\"Pod\",\n\"kind\":\"Pod\"}",
          "f:2: key \"kind\" already set in map" },
        { "{\"items\":[],\n\"items\":[]}",
          "f:2: key \"items\" already set in map" },
    };
    struct np_manifest m;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check(cases[i].text, "", cases[i].error);
    }

    m = decode("{\"spec\": {\"a\": 1,\n\n \"a\": 2}}");
    assert_true(m.unparsable);
    assert_int_equal(m.errors.n, 1);
    assert_int_equal(m.errors.v[0].line, 3);
    assert_non_null(strstr(m.errors.v[0].reason, "duplicate object key"));
    np_manifest_clear(&m);
    m = decode("{\"metadata\": {\"name\": \"a\\u0000\"}}");
    assert_true(m.unparsable);
    np_manifest_clear(&m);
    m = decode("{\"metadata\": {\"name\": \"\xff\"}}");
    assert_true(m.unparsable);
    np_manifest_clear(&m);
    m = decode("{\"metadata\": {\"name\": nul}}");
    assert_true(m.unparsable);
    np_manifest_clear(&m);

    /* What is good before the broken document is there. */
    check("{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":"
          "{\"name\":\"a\"}} x", "Namespace a",
          "f:1: invalid JSON: expected '{' near 'x'");
}

static void
numbers(void **state OVS_UNUSED)
{
    struct np_manifest m;

    check("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
          "\"a\"},\"spec\":{\"containers\":[{\"ports\":[{\"containerPort\":"
          "80.0},{\"containerPort\":8e1}]}]}}", "Pod default/a", "");
    m = decode("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":"
               "{\"name\":\"a\"},\"spec\":{\"containers\":[{\"ports\":"
               "[{\"containerPort\":99999999999999999999999}]}]}}");
    assert_int_equal(m.n, 0);
    assert_int_equal(m.errors.n, 1);
    np_manifest_clear(&m);
}

int
test_json(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample),
        cmocka_unit_test(documents),
        cmocka_unit_test(lines),
        cmocka_unit_test(broken),
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#define POLICY(SPEC) \
    "apiVersion: networking.k8s.io/v1\n" \
    "kind: NetworkPolicy\n" \
    "metadata: {name: p}\n" \
    "spec:\n" SPEC

/* The first port of the first ingress rule when its "port:" is TEXT, as
 * "80", "name:http" or "error:REASON". */
static void
check_port(const char *text, const char *expected)
{
    struct ds yaml = DS_EMPTY_INITIALIZER;
    struct ds got = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    ds_put_format(&yaml, POLICY("  ingress: [{ports: [{port: %s}]}]\n"),
                  text);
    m = decode(ds_cstr(&yaml));
    if (m.n) {
        const struct np_netpol *p = (void *) m.objects[0];
        const struct np_port *port = &p->rules[NP_INGRESS][0].ports[0];

        if (port->name) {
            ds_put_format(&got, "name:%s", port->name);
        } else if (port->has_port) {
            ds_put_format(&got, "%d", port->port);
        } else {
            ds_put_cstr(&got, "any");
        }
    } else {
        ds_put_format(&got, "error:%s", m.errors.v[0].reason);
    }
    if (strncmp(ds_cstr(&got), expected, strlen(expected))) {
        fail_msg("port: %s gave %s, expected %s", text, ds_cstr(&got),
                 expected);
    }
    ds_destroy(&yaml);
    ds_destroy(&got);
    np_manifest_clear(&m);
}

static void
numbers(void **state OVS_UNUSED)
{
    check_port("80", "80");
    check_port("+80", "80");
    check_port("0x50", "80");
    check_port("0X50", "80");
    check_port("0o120", "80");
    check_port("0120", "80");
    check_port("0b1010000", "80");
    check_port("8_0", "80");
    check_port("80.0", "80");
    check_port("8e1", "80");
    check_port("080", "80");
    check_port("80.5", "error:expected an integer or a string, got a number");
    check_port(".inf", "error:expected an integer or a string, got a number");
    check_port("99999999999999999999",
               "error:expected an integer or a string, got a number");
    check_port("4294967376", "error:Invalid value: 4294967376: must be "
               "between 1 and 65535, inclusive");
    check_port("-1", "error:Invalid value: -1: must be between 1 and 65535");
    check_port("0", "error:Invalid value: 0: must be between 1 and 65535");
    check_port("65536", "error:Invalid value: 65536: must be between");
    check_port("65535", "65535");
    check_port("1", "1");
}

static void
scalars(void **state OVS_UNUSED)
{
    static const char not_boolean[] =
        "error:expected an integer or a string, got a boolean";

    check_port("\"80\"", "error:Invalid value: \"80\": must contain at least "
               "one letter (a-z)");
    check_port("!!int \"80\"", "80");
    check_port("!!float 80", "80");
    check_port("!!str 80", "error:Invalid value: \"80\"");
    check_port("! 80", "error:Invalid value: \"80\"");
    check_port("http", "name:http");
    check_port("'yes'", "name:yes");
    check_port("yes", not_boolean);
    check_port("On", not_boolean);
    check_port("y", not_boolean);
    check_port("OFF", not_boolean);
    check_port("!!bool yes", not_boolean);
    check_port("!local http", "name:http");
    check_port("~", "any");
    check_port("null", "any");
    check_port("", "any");
    check_port("'null'", "name:null");
    /* Neither a date nor a time is one here. */
    check_port("2024-01-01", "error:Invalid value: \"2024-01-01\"");
    check_port("1:20", "error:Invalid value: \"1:20\"");
    check_port("!!int http", "error:cannot decode `http` as a !!int");
    check_port("!!null 80", "error:cannot decode `80` as a !!null");
    check_port("!!binary aGk=", "error:!!binary is not supported");
    check_port("\"a\\0b\"", "error:a string must not contain a null");
    check_port("[80]", "error:expected an integer or a string, got a list");
    check_port("{a: 80}",
               "error:expected an integer or a string, got an object");
}

/* The labels of a pod, "k=v,k=v", when their map has the flow text TEXT. */
static void
check_labels(const char *text, const char *expected)
{
    struct ds yaml = DS_EMPTY_INITIALIZER;
    struct ds got = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    ds_put_format(&yaml, "apiVersion: v1\nkind: Pod\nx: [&m {a: '1', b: "
                  "'2'}, &n {a: '3', c: '4'}]\n"
                  "metadata:\n  name: p\n  labels: {%s}\n", text);
    m = decode(ds_cstr(&yaml));
    for (size_t i = 0; m.n && i < m.objects[0]->labels.n; i++) {
        const struct np_label *l = &m.objects[0]->labels.v[i];

        ds_put_format(&got, "%s%s=%s", i ? "," : "", l->key, l->value);
    }
    if (m.errors.n) {
        np_error_format(&m.errors.v[0], &got);
    }
    if (strcmp(ds_cstr(&got), expected)) {
        fail_msg("{%s} gave %s, expected %s", text, ds_cstr(&got), expected);
    }
    ds_destroy(&yaml);
    ds_destroy(&got);
    np_manifest_clear(&m);
}

static void
keys(void **state OVS_UNUSED)
{
    check_labels("on: x, 80: w, 1.5: z, 0x10: h",
                 "1.5=z,16=h,80=w,true=x");
    check_labels("b: '', a: null, c: ~", "a=,b=,c=");
    check_labels("a: x, b: w, a: z",
                 "f:6: key \"a\" already set in map");
    check_labels("1: x, '1': w", "f:6: key \"1\" already set in map");
    check_labels("~: x", "f:6: unsupported map key: null");
    check_labels("? [a] : x", "f:6: unsupported map key: not a scalar");
    check_labels("a: 1", "f:6: metadata.labels[a]: expected a string, got a "
                 "number");
    check_labels("a: yes", "f:6: metadata.labels[a]: expected a string, got "
                 "a boolean");
}

static void
merges(void **state OVS_UNUSED)
{
    check_labels("<<: *m", "a=1,b=2");
    check_labels("<<: *m, a: x", "a=x,b=2");
    check_labels("a: x, <<: *m", "a=x,b=2");
    check_labels("<<: [*m, *n]", "a=1,b=2,c=4");
    check_labels("<<: [*n, *m]", "a=3,b=2,c=4");
    check_labels("<<: {z: q}", "z=q");
    check_labels("'<<': x", "f:6: metadata.labels: Invalid value: \"<<\": "
                 "name part must consist of alphanumeric characters, '-', "
                 "'_' or '.', and must start and end with an alphanumeric "
                 "character (e.g. 'MyName', or 'my.name', or '123-abc', "
                 "regex used for validation is "
                 "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')");
    check_labels("<<: 1", "f:6: map merge requires map or sequence of maps "
                 "as the value");
    check_labels("<<: [1]", "f:6: map merge requires map or sequence of maps "
                 "as the value");
    check_labels("k: *nothing", "f:6: unknown anchor 'nothing' referenced");
}

static void
aliases(void **state OVS_UNUSED)
{
    /* An anchor in a part that nobody reads still has its node. */
    check("apiVersion: v1\nkind: Pod\ndata: {deep: [&l {a: b}]}\n"
          "metadata: {name: p, labels: *l}\n", "Pod default/p", "");
    check("apiVersion: v1\nkind: Pod\nspec: &a {b: *a}\n", "",
          "f:3: anchor 'a' value contains itself");
    check("&r\napiVersion: v1\nkind: Pod\nspec: *r\n", "",
          "f:4: anchor 'r' value contains itself");
    /* Anchors end with their document. */
    check("apiVersion: v1\nkind: Pod\nmetadata: &m {name: p}\n---\n"
          "apiVersion: v1\nkind: Pod\nmetadata: *m\n", "Pod default/p",
          "f:7: unknown anchor 'm' referenced");
    /* The alias, not the anchor, is the place of a mistake. */
    check("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
          "metadata: {name: p}\nspec:\n  podSelector: {matchLabels: {a: "
          "&v 'b!'}}\n  policyTypes:\n  - *v\n", "",
          "f:5: spec.podSelector.matchLabels: Invalid value: \"b!\": a valid "
          "label must be an empty string or consist of alphanumeric "
          "characters, '-', '_' or '.', and must start and end with an "
          "alphanumeric character (e.g. 'MyValue', or 'my_value', or "
          "'12345', regex used for validation is "
          "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')\n"
          "f:7: spec.policyTypes[0]: Unsupported value: \"b!\": supported "
          "values: \"Ingress\", \"Egress\"");
}

#define NS(NAME) \
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: " NAME "}\n"

static void
documents(void **state OVS_UNUSED)
{
    check("", "", "");
    check("# nothing\n", "", "");
    check("---\n---\n# x\n---\nnull\n--- ~\n...\n", "", "");
    check("\xef\xbb\xbf" NS("a"), "Namespace a", "");
    check(NS("a") "---\n" NS("b") "...\n---\n" NS("c"),
          "Namespace a;Namespace b;Namespace c", "");
    check("%YAML 1.1\n---\n" NS("a"), "Namespace a", "");
    check("hello\n", "", "f:1: expected an object, got a string");
    check("- a\n", "", "f:1: expected an object, got a list");
    check("{}\n--- {}\n", "",
          "f:1: kind: Required value: Object 'Kind' is missing\n"
          "f:2: kind: Required value: Object 'Kind' is missing");
    check("\nkind: Pod\n", "",
          "f:2: apiVersion: Required value: Object 'apiVersion' is missing");
    check("kind: 5\napiVersion: v1\n", "",
          "f:1: kind: Required value: Object 'Kind' is missing");
    check(NS("a") "---\nkind: Service\napiVersion: v1\n", "Namespace a", "");
}

/* A broken document does not hide the others. */
static void
broken(void **state OVS_UNUSED)
{
    struct np_manifest m;

    check(NS("a") "---\nfoo: [\n---\n" NS("b") "---\na: 'x\n---\n" NS("c"),
          "Namespace a;Namespace b;Namespace c",
          "f:6: invalid YAML: while parsing a flow node: did not find "
          "expected node content\n"
          "f:12: invalid YAML: while scanning a quoted scalar: found "
          "unexpected document indicator");
    check(NS("a") "  x: 1\n---\n" NS("b"), "Namespace b",
          "f:4: invalid YAML: while parsing a block mapping: did not find "
          "expected key");
    check("apiVersion: v1\nkind: Namespace\nkind: Pod\n---\n" NS("b"),
          "Namespace b", "f:3: key \"kind\" already set in map");
    check("\tkind: Pod\n", "",
          "f:1: invalid YAML: while scanning for the next token: found "
          "character that cannot start any token");

    m = decode("kind: \xff\n");
    assert_true(m.unparsable);
    assert_int_equal(m.errors.n, 1);
    assert_int_equal(m.errors.v[0].line, 1);
    np_manifest_clear(&m);
    m = decode(NS("a"));
    assert_false(m.unparsable);
    np_manifest_clear(&m);
    m = decode("apiVersion: v1\nkind: Pod\nmetadata: {namespace: x}\n");
    assert_true(m.unparsable);
    np_manifest_clear(&m);
}

static void
lists(void **state OVS_UNUSED)
{
    /* As kubectl writes it: keys sorted, items first. */
    check("apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n"
          "  metadata:\n    name: a\n- apiVersion: v1\n  kind: Namespace\n"
          "  metadata: {name: ns}\nkind: List\nmetadata: {}\n",
          "Pod default/a;Namespace ns", "");
    /* As the API server answers. */
    check("apiVersion: v1\nitems:\n- metadata: {name: a}\n"
          "- metadata: {name: b}\nkind: PodList\n",
          "Pod default/a;Pod default/b", "");
    check("kind: NetworkPolicyList\napiVersion: networking.k8s.io/v1\n"
          "items:\n- metadata: {name: a}\n- metadata: {name: B}\n",
          "NetworkPolicy default/a",
          "f:5: metadata.name: Invalid value: \"B\": a lowercase RFC 1123 "
          "subdomain must consist of lower case alphanumeric characters, "
          "'-' or '.', and must start and end with an alphanumeric "
          "character (e.g. 'example.com', regex used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?"
          "(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
    /* Items that share an anchor; a list in a list. */
    check("kind: List\napiVersion: v1\nitems:\n"
          "- {apiVersion: v1, kind: Pod, metadata: &m {name: a}}\n"
          "- {apiVersion: v1, kind: Namespace, metadata: *m}\n"
          "- {apiVersion: v1, kind: PodList, items: [{metadata: *m}]}\n",
          "Pod default/a;Namespace a;Pod default/a", "");
    check("kind: List\napiVersion: v1\nitems: []\n", "", "");
    check("kind: List\napiVersion: v1\n", "", "");
    check("kind: List\napiVersion: v1\nitems: {}\n", "",
          "f:3: items: expected a list, got an object");
    check("kind: List\napiVersion: v1\nitems: [x, {kind: Pod}]\n", "",
          "f:3: expected an object, got a string\n"
          "f:3: apiVersion: Required value: Object 'apiVersion' is missing");
    check("kind: ConfigMapList\napiVersion: v1\nitems: [{}, {}]\n", "", "");
    check("kind: List\napiVersion: v1\nitems: []\nitems: []\n", "",
          "f:4: key \"items\" already set in map");
    /* Not a list after all, so its "items" are nobody's objects. */
    check("items: [{kind: Pod, apiVersion: v1, metadata: {name: a}}, "
          "{kind: Pod, apiVersion: v1}]\nkind: Other\napiVersion: x/v1\n",
          "", "");
    check("items: &i [{kind: Pod, apiVersion: v1, metadata: {name: a}}]\n"
          "kind: List\napiVersion: v1\n", "Pod default/a", "");
}

static void
sample(void **state OVS_UNUSED)
{
    check(sample_yaml, "Namespace shop;Pod shop/web-0;Node n1.example;"
          "NetworkPolicy default/p", "");
}

int
test_yaml(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(scalars),
        cmocka_unit_test(keys),
        cmocka_unit_test(merges),
        cmocka_unit_test(aliases),
        cmocka_unit_test(documents),
        cmocka_unit_test(broken),
        cmocka_unit_test(lists),
        cmocka_unit_test(sample),
    };

    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}

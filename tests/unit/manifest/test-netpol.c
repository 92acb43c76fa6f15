#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#define POLICY \
    "apiVersion: networking.k8s.io/v1\n" \
    "kind: NetworkPolicy\n" \
    "metadata: {name: p}\n"

static void
check_selector(const struct np_selector *s, const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    assert_non_null(s);
    np_selector_format(s, &ds);
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

static void
check_prefix(const struct np_prefix *p, const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    np_prefix_format(p, &ds);
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

static void
sample(void **state OVS_UNUSED)
{
    struct np_manifest m = decode(sample_yaml);
    const struct np_netpol *p = (void *) m.objects[3];
    const struct np_netpol_rule *rule = &p->rules[NP_INGRESS][0];

    assert_int_equal(p->meta.kind, NP_NETPOL);
    check_selector(&p->pods, "app=web,tier in (a,b),!x");
    assert_true(p->types[NP_INGRESS] && p->types[NP_EGRESS]);
    assert_false(p->unreadable);

    assert_int_equal(p->n_rules[NP_INGRESS], 1);
    assert_int_equal(rule->line, 54);
    assert_int_equal(rule->n_peers, 2);
    check_selector(rule->peers[0].pods, "<all>");
    check_selector(rule->peers[0].namespaces, "team=a");
    assert_null(rule->peers[0].block);
    assert_int_equal(rule->peers[0].line, 55);
    assert_null(rule->peers[1].pods);
    assert_null(rule->peers[1].namespaces);
    check_prefix(&rule->peers[1].block->cidr, "10.0.0.0/8");
    assert_int_equal(rule->peers[1].block->n_except, 2);
    check_prefix(&rule->peers[1].block->except[1], "10.2.0.0/16");

    assert_int_equal(rule->n_ports, 3);
    assert_true(rule->ports[0].has_protocol && rule->ports[0].has_port);
    assert_int_equal(rule->ports[0].protocol, NP_TCP);
    assert_int_equal(rule->ports[0].port, 80);
    assert_true(rule->ports[0].has_end);
    assert_int_equal(rule->ports[0].end, 90);
    assert_string_equal(rule->ports[1].name, "http");
    assert_false(rule->ports[1].has_protocol || rule->ports[1].has_port);
    assert_null(rule->ports[2].name);
    assert_false(rule->ports[2].has_protocol || rule->ports[2].has_port);
    assert_int_equal(rule->ports[2].line, 66);

    assert_int_equal(p->n_rules[NP_EGRESS], 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(p->rules[NP_EGRESS][i].n_peers, 0);
        assert_int_equal(p->rules[NP_EGRESS][i].n_ports, 0);
    }
    np_manifest_clear(&m);
}

/* What is absent stays absent. */
static void
nothing_is_defaulted(void **state OVS_UNUSED)
{
    static const char *const texts[] = {
        POLICY,
        POLICY "spec:\n",
        POLICY "spec: {}\n",
        POLICY "spec: {podSelector: null, policyTypes: [], ingress: [], "
            "egress: ~}\n",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct np_manifest m = decode(texts[i]);
        const struct np_netpol *p = (void *) m.objects[0];

        assert_int_equal(m.n, 1);
        assert_int_equal(m.errors.n, 0);
        check_selector(&p->pods, "<all>");
        assert_false(p->types[0] || p->types[1]);
        assert_int_equal(p->n_rules[0] + p->n_rules[1], 0);
        np_manifest_clear(&m);
    }
}

/* Null elements are empty objects, as they are for the API server. */
static void
null_elements(void **state OVS_UNUSED)
{
    struct np_manifest m = decode(POLICY "spec: {egress: [null], ingress: "
                                  "[{ports: [null]}], policyTypes: [Egress, "
                                  "Egress]}\n");
    const struct np_netpol *p = (void *) m.objects[0];

    assert_int_equal(m.n, 1);
    assert_int_equal(p->n_rules[NP_EGRESS], 1);
    assert_int_equal(p->rules[NP_INGRESS][0].n_ports, 1);
    assert_false(p->types[NP_INGRESS]);
    assert_true(p->types[NP_EGRESS]);
    np_manifest_clear(&m);

    check(POLICY "spec: {ingress: [{from: [null]}], policyTypes: [null]}\n",
          "", "f:4: spec.ingress[0].from[0]: Required value: must specify a "
          "peer\n"
          "f:4: spec.policyTypes[0]: Unsupported value: \"\": supported "
          "values: \"Ingress\", \"Egress\"");
}

static void
bad_types(void **state OVS_UNUSED)
{
    check(POLICY "spec: x\n", "",
          "f:4: spec: expected an object, got a string");
    check(POLICY "spec:\n  podSelector: [a]\n  policyTypes: Ingress\n"
          "  ingress: {}\n  egress:\n  - to: x\n    ports: {}\n  - 5\n", "",
          "f:5: spec.podSelector: expected an object, got a list\n"
          "f:7: spec.ingress: expected a list, got an object\n"
          "f:10: spec.egress[0].ports: expected a list, got an object\n"
          "f:9: spec.egress[0].to: expected a list, got a string\n"
          "f:11: spec.egress[1]: expected an object, got a number\n"
          "f:6: spec.policyTypes: expected a list, got a string");
    check(POLICY "spec:\n  ingress:\n  - from:\n    - ipBlock: 10.0.0.0/8\n"
          "    - podSelector: 'x'\n    - {ipBlock: {cidr: 5, except: 6}}\n"
          "    ports: [{protocol: 6, endPort: '9', port: 1}]\n", "",
          "f:10: spec.ingress[0].ports[0].protocol: expected a string, got a "
          "number\n"
          "f:10: spec.ingress[0].ports[0].endPort: expected an integer, got a "
          "string\n"
          "f:7: spec.ingress[0].from[0].ipBlock: expected an object, got a "
          "string\n"
          "f:8: spec.ingress[0].from[1].podSelector: expected an object, got "
          "a string\n"
          "f:9: spec.ingress[0].from[2].ipBlock.cidr: expected a string, got "
          "a number\n"
          "f:9: spec.ingress[0].from[2].ipBlock.except: expected a list, got "
          "a number");
}

static void
ports(void **state OVS_UNUSED)
{
    check(POLICY "spec:\n  egress:\n  - ports:\n"
          "    - {protocol: ICMP}\n"
          "    - {protocol: tcp}\n"
          "    - {protocol: ''}\n"
          "    - {port: 0}\n"
          "    - {port: 90, endPort: 80}\n"
          "    - {port: 90, endPort: 65536}\n"
          "    - {port: http, endPort: 80}\n"
          "    - {endPort: 80}\n"
          "    - {port: ''}\n"
          "    - {port: a-very-long-name}\n"
          "    - {port: a--b}\n"
          "    - {port: 80, endPort: 80}\n", "",
          "f:7: spec.egress[0].ports[0].protocol: Unsupported value: "
          "\"ICMP\": supported values: \"TCP\", \"UDP\", \"SCTP\"\n"
          "f:8: spec.egress[0].ports[1].protocol: Unsupported value: "
          "\"tcp\": supported values: \"TCP\", \"UDP\", \"SCTP\"\n"
          "f:9: spec.egress[0].ports[2].protocol: Unsupported value: "
          "\"\": supported values: \"TCP\", \"UDP\", \"SCTP\"\n"
          "f:10: spec.egress[0].ports[3].port: Invalid value: 0: must be "
          "between 1 and 65535, inclusive\n"
          "f:11: spec.egress[0].ports[4].endPort: Invalid value: 80: must be "
          "greater than or equal to `port`\n"
          "f:12: spec.egress[0].ports[5].endPort: Invalid value: 65536: must "
          "be between 1 and 65535, inclusive\n"
          "f:13: spec.egress[0].ports[6].endPort: Invalid value: 80: may not "
          "be specified when `port` is non-numeric\n"
          "f:14: spec.egress[0].ports[7].endPort: Invalid value: 80: may not "
          "be specified when `port` is not specified\n"
          "f:15: spec.egress[0].ports[8].port: Invalid value: \"\": must "
          "contain only alpha-numeric characters (a-z, 0-9), and hyphens "
          "(-)\n"
          "f:15: spec.egress[0].ports[8].port: Invalid value: \"\": must "
          "contain at least one letter (a-z)\n"
          "f:16: spec.egress[0].ports[9].port: Invalid value: "
          "\"a-very-long-name\": must be no more than 15 bytes\n"
          "f:17: spec.egress[0].ports[10].port: Invalid value: \"a--b\": must "
          "not contain consecutive hyphens");
}

#define BAD_CIDR "must be a valid CIDR value, (e.g. 10.9.8.0/24 or " \
    "2001:db8::/64)"

static void
peers(void **state OVS_UNUSED)
{
    check(POLICY "spec:\n  ingress:\n  - from:\n"
          "    - {}\n"
          "    - {ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}\n"
          "    - {ipBlock: {}}\n"
          "    - {ipBlock: {cidr: ''}}\n"
          "    - {ipBlock: {cidr: 10.0.0.1}}\n"
          "    - {ipBlock: {cidr: 10.0.0.0/33}}\n"
          "    - {ipBlock: {cidr: '10.0.0.0/+8'}}\n"
          "    - {podSelector: null, namespaceSelector: ~}\n", "",
          "f:7: spec.ingress[0].from[0]: Required value: must specify a "
          "peer\n"
          "f:8: spec.ingress[0].from[1]: Forbidden: may not specify both "
          "ipBlock and another peer\n"
          "f:9: spec.ingress[0].from[2].ipBlock.cidr: Required value\n"
          "f:10: spec.ingress[0].from[3].ipBlock.cidr: Required value\n"
          "f:11: spec.ingress[0].from[4].ipBlock.cidr: Invalid value: "
          "\"10.0.0.1\": " BAD_CIDR "\n"
          "f:12: spec.ingress[0].from[5].ipBlock.cidr: Invalid value: "
          "\"10.0.0.0/33\": " BAD_CIDR "\n"
          "f:13: spec.ingress[0].from[6].ipBlock.cidr: Invalid value: "
          "\"10.0.0.0/+8\": " BAD_CIDR "\n"
          "f:14: spec.ingress[0].from[7]: Required value: must specify a "
          "peer");
    check(POLICY "spec:\n  egress:\n  - to:\n    - ipBlock:\n"
          "        cidr: 10.0.0.0/8\n"
          "        except:\n"
          "        - 10.1.2.3/16\n"
          "        - 10.0.0.0/8\n"
          "        - 0.0.0.0/0\n"
          "        - 11.0.0.0/16\n"
          "        - fd00::/64\n"
          "        - 10.1.1.1\n"
          "        - 7\n", "",
          "f:11: spec.egress[0].to[0].ipBlock.except[1]: Invalid value: "
          "\"10.0.0.0/8\": must be a strict subset of `cidr`\n"
          "f:12: spec.egress[0].to[0].ipBlock.except[2]: Invalid value: "
          "\"0.0.0.0/0\": must be a strict subset of `cidr`\n"
          "f:13: spec.egress[0].to[0].ipBlock.except[3]: Invalid value: "
          "\"11.0.0.0/16\": must be a strict subset of `cidr`\n"
          "f:14: spec.egress[0].to[0].ipBlock.except[4]: Invalid value: "
          "\"fd00::/64\": must be a strict subset of `cidr`\n"
          "f:15: spec.egress[0].to[0].ipBlock.except[5]: Invalid value: "
          "\"10.1.1.1\": " BAD_CIDR "\n"
          "f:16: spec.egress[0].to[0].ipBlock.except[6]: expected a string, "
          "got a number");
}

static void
policy_types(void **state OVS_UNUSED)
{
    check(POLICY "spec:\n  policyTypes: [Ingress, Egress, Ingress]\n", "",
          "f:5: spec.policyTypes: Invalid value: "
          "[\"Ingress\",\"Egress\",\"Ingress\"]: may not specify more than "
          "two policyTypes");
    check(POLICY "spec:\n  policyTypes:\n  - Ingress\n  - egress\n", "",
          "f:7: spec.policyTypes[1]: Unsupported value: \"egress\": "
          "supported values: \"Ingress\", \"Egress\"");
}

#define BAD_NAME "must consist of alphanumeric characters, '-', '_' or " \
    "'.', and must start and end with an alphanumeric character (e.g. " \
    "'MyName', or 'my.name', or '123-abc', regex used for validation is " \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

static void
selectors(void **state OVS_UNUSED)
{
    check(POLICY "spec:\n  podSelector:\n    matchExpressions:\n"
          "    - {key: a, operator: In}\n"
          "    - {key: a, operator: NotIn, values: []}\n"
          "    - {key: a, operator: Exists, values: [x]}\n"
          "    - {key: a, operator: DoesNotExist, values: [x]}\n"
          "    - {key: a, operator: in, values: [x]}\n"
          "    - {key: a}\n"
          "    - {operator: Exists}\n"
          "    - {key: 5, operator: 6, values: [x, 7]}\n"
          "    - {key: a/b/c, operator: Exists}\n"
          "    - {key: /b, operator: Exists}\n"
          "    - {key: B_/b, operator: Exists, values: []}\n", "",
          "f:7: spec.podSelector.matchExpressions[0].values: Required value: "
          "must be specified when `operator` is 'In' or 'NotIn'\n"
          "f:8: spec.podSelector.matchExpressions[1].values: Required value: "
          "must be specified when `operator` is 'In' or 'NotIn'\n"
          "f:9: spec.podSelector.matchExpressions[2].values: Forbidden: may "
          "not be specified when `operator` is 'Exists' or 'DoesNotExist'\n"
          "f:10: spec.podSelector.matchExpressions[3].values: Forbidden: may "
          "not be specified when `operator` is 'Exists' or 'DoesNotExist'\n"
          "f:11: spec.podSelector.matchExpressions[4].operator: Invalid "
          "value: \"in\": not a valid selector operator\n"
          "f:12: spec.podSelector.matchExpressions[5].operator: Invalid "
          "value: \"\": not a valid selector operator\n"
          "f:13: spec.podSelector.matchExpressions[6].key: Invalid value: "
          "\"\": name part must be non-empty\n"
          "f:13: spec.podSelector.matchExpressions[6].key: Invalid value: "
          "\"\": name part " BAD_NAME "\n"
          "f:14: spec.podSelector.matchExpressions[7].key: expected a "
          "string, got a number\n"
          "f:14: spec.podSelector.matchExpressions[7].operator: expected a "
          "string, got a number\n"
          "f:14: spec.podSelector.matchExpressions[7].values[1]: expected a "
          "string, got a number\n"
          "f:15: spec.podSelector.matchExpressions[8].key: Invalid value: "
          "\"a/b/c\": a valid label key " BAD_NAME " with an optional DNS "
          "subdomain prefix and '/' (e.g. 'example.com/MyName')\n"
          "f:16: spec.podSelector.matchExpressions[9].key: Invalid value: "
          "\"/b\": prefix part must be non-empty\n"
          "f:17: spec.podSelector.matchExpressions[10].key: Invalid value: "
          "\"B_/b\": prefix part a lowercase RFC 1123 subdomain must consist "
          "of lower case alphanumeric characters, '-' or '.', and must start "
          "and end with an alphanumeric character (e.g. 'example.com', regex "
          "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?"
          "(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
}

/* Mistakes of one object do not touch the next, and all of them are told. */
static void
the_rest_loads(void **state OVS_UNUSED)
{
    struct np_manifest m = decode(
        POLICY "spec: {policyTypes: [x], ingres: 1}\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: q}\nspec: {unknown: 1, ingress: [{form: []}]}\n");

    assert_int_equal(m.n, 1);
    assert_string_equal(m.objects[0]->name, "q");
    assert_int_equal(m.n_refused, 1);
    assert_string_equal(m.refused[0], "NetworkPolicy default/p");
    assert_string_equal(m.errors.v[0].object, "NetworkPolicy default/p");
    np_manifest_clear(&m);
}

int
test_netpol(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample),
        cmocka_unit_test(nothing_is_defaulted),
        cmocka_unit_test(null_elements),
        cmocka_unit_test(bad_types),
        cmocka_unit_test(ports),
        cmocka_unit_test(peers),
        cmocka_unit_test(policy_types),
        cmocka_unit_test(selectors),
        cmocka_unit_test(the_rest_loads),
    };

    return cmocka_run_group_tests_name("netpol", tests, NULL, NULL);
}

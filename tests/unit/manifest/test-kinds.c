#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
check_addrs(const struct np_prefix *addrs, size_t n, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        if (i) {
            ds_put_char(&s, ' ');
        }
        np_prefix_format(&addrs[i], &s);
    }
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
}

static void
sample(void **state OVS_UNUSED)
{
    struct np_manifest m = decode(sample_yaml);
    const struct np_meta *ns = m.objects[0];
    const struct np_pod *pod = (void *) m.objects[1];
    const struct np_node *node = (void *) m.objects[2];

    assert_int_equal(ns->line, 2);
    assert_string_equal(ns->file, "f");
    assert_null(ns->namespace);
    assert_null(ns->uid);
    assert_string_equal(np_labels_get(&ns->labels, "team"), "a");
    assert_string_equal(np_labels_get(&ns->labels,
                                      "kubernetes.io/metadata.name"), "shop");

    assert_int_equal(pod->meta.line, 6);
    assert_string_equal(pod->meta.uid, "0b-1");
    assert_string_equal(np_labels_get(&pod->meta.labels, "tier"), "front");
    assert_int_equal(pod->phase, NP_RUNNING);
    assert_false(pod->host_network);
    assert_string_equal(pod->node_name, "n1");
    check_addrs(pod->addrs, pod->n_addrs, "10.0.0.1 fd00::1");
    assert_int_equal(pod->n_ports, 3);
    assert_null(pod->ports[0].name);
    assert_int_equal(pod->ports[0].port, 9000);
    assert_false(pod->ports[0].has_protocol);
    assert_string_equal(pod->ports[1].name, "http");
    assert_true(pod->ports[1].has_protocol);
    assert_int_equal(pod->ports[2].protocol, NP_UDP);

    assert_null(node->meta.namespace);
    check_addrs(node->addrs, node->n_addrs, "192.0.2.1 2001:db8::1");
    np_manifest_clear(&m);
}

/* A manifest cannot give a namespace the name of another. */
static void
name_label(void **state OVS_UNUSED)
{
    struct np_manifest m = decode(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {"
        "kubernetes.io/metadata.name: b, z: x}}\n");

    assert_int_equal(m.n, 1);
    assert_int_equal(m.objects[0]->labels.n, 2);
    assert_string_equal(np_labels_get(&m.objects[0]->labels,
                                      "kubernetes.io/metadata.name"), "a");
    np_manifest_clear(&m);
}

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"

static void
pod_errors(void **state OVS_UNUSED)
{
    check(POD "spec: {nodeName: 5, hostNetwork: 'true'}\nstatus: []\n", "",
          "f:4: spec.nodeName: expected a string, got a number\n"
          "f:4: spec.hostNetwork: expected a boolean, got a string\n"
          "f:5: status: expected an object, got a list");
    check(POD "status:\n  phase: Gone\n  podIP: 10.0.0.1/32\n  podIPs:\n"
          "  - {ip: 010.0.0.1}\n  - fd00::1\n  - null\n  - {ip: ''}\n", "",
          "f:6: status.podIP: Invalid value: \"10.0.0.1/32\": must be a "
          "valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)\n"
          "f:9: status.podIPs[1]: expected an object, got a string");
    check(POD "spec:\n  containers:\n  - ports:\n    - {name: a}\n"
          "    - {name: a, containerPort: 70000}\n"
          "    - {name: 'A-', containerPort: 1, protocol: ICMP}\n"
          "  - ports: [{name: a, containerPort: 2, protocol: ''}]\n", "",
          "f:7: spec.containers[0].ports[0].containerPort: Required value\n"
          "f:8: spec.containers[0].ports[1].name: Duplicate value: \"a\"\n"
          "f:8: spec.containers[0].ports[1].containerPort: Invalid value: "
          "70000: must be between 1 and 65535, inclusive\n"
          "f:9: spec.containers[0].ports[2].name: Invalid value: \"A-\": "
          "must contain only alpha-numeric characters (a-z, 0-9), and "
          "hyphens (-)\n"
          "f:9: spec.containers[0].ports[2].name: Invalid value: \"A-\": "
          "must contain at least one letter (a-z)\n"
          "f:9: spec.containers[0].ports[2].name: Invalid value: \"A-\": "
          "must not begin or end with a hyphen\n"
          "f:9: spec.containers[0].ports[2].protocol: Unsupported value: "
          "\"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"");
    check(POD, "Pod default/p", "");
}

static void
check_name(const char *kind, const char *name, const char *reason)
{
    struct ds yaml = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    ds_put_format(&yaml, "apiVersion: v1\nkind: %s\nmetadata: {name: \"%s\"}",
                  kind, name);
    m = decode(ds_cstr(&yaml));
    if (!reason) {
        assert_int_equal(m.n, 1);
        assert_int_equal(m.errors.n, 0);
    } else {
        assert_int_equal(m.n, 0);
        assert_string_equal(m.errors.v[0].path, "metadata.name");
        if (!strstr(m.errors.v[0].reason, reason)) {
            fail_msg("%s: %s", name, m.errors.v[0].reason);
        }
    }
    np_manifest_clear(&m);
    ds_destroy(&yaml);
}

#define A63 "aaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaa"

static void
names(void **state OVS_UNUSED)
{
    check_name("Pod", "a", NULL);
    check_name("Pod", "0-a.b-1", NULL);
    check_name("Pod", A63 "." A63 "." A63 "." "aaaaaaaaabaaaaaaaaabaaaaaaaaab"
               "aaaaaaaaabaaaaaaaaabaaaaaaaaabx", NULL);
    check_name("Pod", A63 "." A63 "." A63 "." A63,
               "must be no more than 253 bytes");
    check_name("Pod", "a..b", "a lowercase RFC 1123 subdomain");
    check_name("Pod", ".a", "a lowercase RFC 1123 subdomain");
    check_name("Pod", "a.", "a lowercase RFC 1123 subdomain");
    check_name("Pod", "-a", "a lowercase RFC 1123 subdomain");
    check_name("Pod", "a-", "a lowercase RFC 1123 subdomain");
    check_name("Pod", "a_b", "a lowercase RFC 1123 subdomain");
    check_name("Pod", "A", "a lowercase RFC 1123 subdomain");
    check_name("Pod", "", "name or generateName is required");
    check_name("Namespace", A63, NULL);
    check_name("Namespace", A63 "a", "must be no more than 63 bytes");
    check_name("Namespace", "a.b", "must not contain dots");
    check_name("Namespace", "a\\n", "Invalid value: \"a\\n\": a lowercase RFC "
               "1123 label");
    check_name("Node", "a.b", NULL);
}

static void
metadata(void **state OVS_UNUSED)
{
    struct np_manifest m;

    check("apiVersion: v1\nkind: Pod\nmetadata: []\n", "",
          "f:3: metadata: expected an object, got a list");
    check("apiVersion: v1\nkind: Pod\n", "",
          "f:1: metadata.name: Required value: name or generateName is "
          "required");
    check("apiVersion: v1\nkind: Pod\nmetadata:\n  name: 5\n  namespace: x.y\n"
          "  labels: a\n  uid: {}\n", "",
          "f:4: metadata.name: expected a string, got a number\n"
          "f:5: metadata.namespace: Invalid value: \"x.y\": must not contain "
          "dots\n"
          "f:6: metadata.labels: expected an object, got a string\n"
          "f:7: metadata.uid: expected a string, got an object");
    /* Dropped by the API server. */
    check("apiVersion: v1\nkind: Node\nmetadata: {name: nn, namespace: x}\n",
          "Node nn", "");
    check("apiVersion: v1\nkind: Pod\nmetadata: {name: nn, namespace: ''}\n",
          "Pod default/nn", "");

    m = decode("apiVersion: v1\nkind: Pod\nmetadata: {name: nn, namespace: s, "
               "labels: {a: [], -: ''}}\n");
    assert_int_equal(m.errors.n, 2);
    assert_string_equal(m.errors.v[0].object, "Pod s/nn");
    assert_int_equal(m.n_refused, 1);
    assert_string_equal(m.refused[0], "Pod s/nn");
    assert_false(m.unparsable);
    np_manifest_clear(&m);
}

static void
versions(void **state OVS_UNUSED)
{
    struct np_manifest m;

    check("apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy\n"
          "metadata: {name: nn}\n", "",
          "f:1: apiVersion: no matches for kind \"NetworkPolicy\" in version "
          "\"networking.k8s.io/v1beta1\"");
    check("kind: NetworkPolicy\nmetadata: {name: nn}\n"
          "apiVersion: extensions/v1beta1\n", "",
          "f:3: apiVersion: no matches for kind \"NetworkPolicy\" in version "
          "\"extensions/v1beta1\"");
    check("apiVersion: v2\nkind: Pod\nmetadata: {name: nn}\n", "",
          "f:1: apiVersion: no matches for kind \"Pod\" in version \"v2\"");
    /* Other people's kinds of the same name. */
    m = decode("apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n"
               "metadata: {name: nn}\n---\napiVersion: x.io/v1\nkind: Node\n");
    assert_int_equal(m.n_skipped, 2);
    check_manifest(&m, "others", "", "");
}

/* With a pool, what two replicas have in common is there once; without one,
 * everything is theirs, and is freed all the same. */
static void
replicas(void **state OVS_UNUSED)
{
    static const char text[] =
        "apiVersion: v1\nkind: List\nitems:\n"
        "- &pod {apiVersion: v1, kind: Pod, metadata: {name: a,\n"
        "   labels: {app: web, tier: x}}, spec: {nodeName: n1, containers: [\n"
        "   {ports: [{name: http, containerPort: 80}]}]}}\n"
        "- {<<: *pod, metadata: {name: b, labels: {tier: x, app: web}}}\n";

    for (int pooled = 0; pooled < 2; pooled++) {
        struct np_pool *pool = pooled ? np_pool_create() : NULL;
        struct np_manifest m = { .pool = pool };
        const struct np_pod *a, *b;

        np_manifest_decode(&m, "f", text, strlen(text));
        assert_int_equal(m.n, 2);
        a = (const struct np_pod *) m.objects[0];
        b = (const struct np_pod *) m.objects[1];
        assert_int_equal(a->meta.labels.v == b->meta.labels.v, pooled);
        assert_int_equal(a->meta.namespace == b->meta.namespace, pooled);
        assert_int_equal(a->meta.file == b->meta.file, pooled);
        assert_int_equal(a->node_name == b->node_name, pooled);
        assert_int_equal(a->ports == b->ports, pooled);
        assert_true(np_labels_equal(&a->meta.labels, &b->meta.labels));
        assert_string_equal(b->ports[0].name, "http");

        np_object_destroy(m.objects[0]);
        m.objects[0] = m.objects[--m.n];
        assert_string_equal(np_labels_get(&b->meta.labels, "app"), "web");
        np_manifest_clear(&m);
        assert_ptr_equal(m.pool, pool);
        if (pool) {
            assert_int_equal(np_pool_count(pool), 0);
        }
        np_pool_destroy(pool);
    }
}

int
test_kinds(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample),
        cmocka_unit_test(name_label),
        cmocka_unit_test(pod_errors),
        cmocka_unit_test(names),
        cmocka_unit_test(metadata),
        cmocka_unit_test(versions),
        cmocka_unit_test(replicas),
    };

    return cmocka_run_group_tests_name("kinds", tests, NULL, NULL);
}

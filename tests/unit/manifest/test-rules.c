/* Each rule of the API server's validation: something that just passes it,
 * something that just does not, and what is said of that. */

#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#define POLICY "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
#define NAMED "metadata: {name: p}\n"
#define POD "apiVersion: v1\nkind: Pod\n"

/* What is around an example.  Errors are expected in its line 4. */
#define SPEC POLICY NAMED "spec: {%s}\n"
#define SELECTOR POLICY NAMED "spec: {podSelector: {%s}}\n"
#define PORT POLICY NAMED "spec: {ingress: [{ports: [{%s}]}]}\n"
#define PEER POLICY NAMED "spec: {egress: [{to: [{%s}]}]}\n"
#define BLOCK POLICY NAMED "spec: {ingress: [{from: [{ipBlock: {%s}}]}]}\n"
#define LABELS POLICY "metadata:\n  {name: p, labels: {%s}}\n"
#define NAME POD "metadata:\n  {name: %s}\n"
#define NAMESPACE POD "metadata:\n  {name: p, namespace: %s}\n"
#define A_NAMESPACE "apiVersion: v1\nkind: Namespace\n" \
    "metadata:\n  {name: %s}\n"
#define CONTAINER POD NAMED "spec: {containers: [{ports: [%s]}]}\n"

#define A15 "a23456789012345"
#define A63 "aaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaa"
#define A127 A63 "." A63
#define A253 A127 "." A63 ".aaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaa" \
    "aaabaaaaaaaaaba"

#define LABEL_RE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define NAME_RE "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define SUBDOMAIN "a lowercase RFC 1123 subdomain must consist of lower " \
    "case alphanumeric characters, '-' or '.', and must start and end with " \
    "an alphanumeric character (e.g. 'example.com', regex used for validation " \
    "is '" LABEL_RE "(\\." LABEL_RE ")*')"
#define LABEL "a lowercase RFC 1123 label must consist of lower case " \
    "alphanumeric characters or '-', and must start and end with an " \
    "alphanumeric character (e.g. 'my-name', or '123-abc', regex used for " \
    "validation is '" LABEL_RE "')"
#define QUALIFIED "must consist of alphanumeric characters, '-', '_' or " \
    "'.', and must start and end with an alphanumeric character (e.g. " \
    "'MyName', or 'my.name', or '123-abc', regex used for validation is '" \
    NAME_RE "')"
#define LABEL_VALUE "a valid label must be an empty string or consist of " \
    "alphanumeric characters, '-', '_' or '.', and must start and end with " \
    "an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345', " \
    "regex used for validation is '(" NAME_RE ")?')"
#define BAD_PORT "must be between 1 and 65535, inclusive"
#define BAD_CIDR "must be a valid CIDR value, (e.g. 10.9.8.0/24 or " \
    "2001:db8::/64)"
#define STRICT "must be a strict subset of `cidr`"
#define NO_VALUES "Required value: must be specified when `operator` is " \
    "'In' or 'NotIn'"
#define VALUES "Forbidden: may not be specified when `operator` is 'Exists' " \
    "or 'DoesNotExist'"

struct rule {
    const char *around;
    const char *good;           /* NULL if it is in another row. */
    const char *bad;
    const char *path;
    const char *reason;
};

#define P "spec.ingress[0].ports[0]"
#define TO "spec.egress[0].to[0]"
#define B "spec.ingress[0].from[0].ipBlock"
#define S "spec.podSelector"
#define E S ".matchExpressions[0]"
#define C "spec.containers[0].ports[0]"

static const struct rule rules[] = {
    /* NetworkPolicyPort. */
    { PORT, "protocol: SCTP", "protocol: tcp", P ".protocol",
      "Unsupported value: \"tcp\": supported values: \"TCP\", \"UDP\", "
      "\"SCTP\"" },
    { PORT, "protocol: UDP", "protocol: ''", P ".protocol",
      "Unsupported value: \"\": supported values: \"TCP\", \"UDP\", "
      "\"SCTP\"" },
    { PORT, "port: 1", "port: 0", P ".port", "Invalid value: 0: " BAD_PORT },
    { PORT, "port: 65535", "port: 65536", P ".port",
      "Invalid value: 65536: " BAD_PORT },
    { PORT, NULL, "port: -1", P ".port", "Invalid value: -1: " BAD_PORT },
    { PORT, "port: a-1", "port: '80'", P ".port",
      "Invalid value: \"80\": must contain at least one letter (a-z)" },
    { PORT, "port: " A15, "port: " A15 "6", P ".port",
      "Invalid value: \"" A15 "6\": must be no more than 15 bytes" },
    { PORT, "port: 1a", "port: a_b", P ".port",
      "Invalid value: \"a_b\": must contain only alpha-numeric characters "
      "(a-z, 0-9), and hyphens (-)" },
    { PORT, NULL, "port: http-A", P ".port",
      "Invalid value: \"http-A\": must contain only alpha-numeric characters "
      "(a-z, 0-9), and hyphens (-)" },
    { PORT, "port: a-b-c", "port: a--b", P ".port",
      "Invalid value: \"a--b\": must not contain consecutive hyphens" },
    { PORT, NULL, "port: a-", P ".port",
      "Invalid value: \"a-\": must not begin or end with a hyphen" },
    { PORT, NULL, "port: -a", P ".port",
      "Invalid value: \"-a\": must not begin or end with a hyphen" },
    { PORT, "port: null", "port: 1.5", P ".port",
      "expected an integer or a string, got a number" },
    { PORT, "port: 80, endPort: 80", "port: 80, endPort: 79", P ".endPort",
      "Invalid value: 79: must be greater than or equal to `port`" },
    { PORT, "port: 80, endPort: 65535", "port: 80, endPort: 65536",
      P ".endPort", "Invalid value: 65536: " BAD_PORT },
    { PORT, NULL, "endPort: 80", P ".endPort", "Invalid value: 80: may not "
      "be specified when `port` is not specified" },
    { PORT, NULL, "port: http, endPort: 80", P ".endPort", "Invalid value: "
      "80: may not be specified when `port` is non-numeric" },
    { PORT, NULL, "port: 80, endPort: '90'", P ".endPort",
      "expected an integer, got a string" },

    /* NetworkPolicyPeer. */
    { PEER, "podSelector: {}", "", TO,
      "Required value: must specify a peer" },
    { PEER, "podSelector: {}, namespaceSelector: {}",
      "podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}", TO,
      "Forbidden: may not specify both ipBlock and another peer" },
    { PEER, "ipBlock: {cidr: 10.0.0.0/8}",
      "namespaceSelector: {}, ipBlock: {cidr: 10.0.0.0/8}", TO,
      "Forbidden: may not specify both ipBlock and another peer" },

    /* IPBlock. */
    { BLOCK, "cidr: 0.0.0.0/0", "cidr: ''", B ".cidr", "Required value" },
    { BLOCK, "cidr: 192.0.2.1/32", "cidr: 192.0.2.1", B ".cidr",
      "Invalid value: \"192.0.2.1\": " BAD_CIDR },
    { BLOCK, NULL, "cidr: 192.0.2.1/33", B ".cidr",
      "Invalid value: \"192.0.2.1/33\": " BAD_CIDR },
    { BLOCK, NULL, "cidr: 192.0.2/24", B ".cidr",
      "Invalid value: \"192.0.2/24\": " BAD_CIDR },
    { BLOCK, NULL, "cidr: 192.0.2.0/", B ".cidr",
      "Invalid value: \"192.0.2.0/\": " BAD_CIDR },
    { BLOCK, NULL, "cidr: ' 192.0.2.0/24'", B ".cidr",
      "Invalid value: \" 192.0.2.0/24\": " BAD_CIDR },
    { BLOCK, "cidr: 'fd00::/128'", "cidr: 'fd00::/129'", B ".cidr",
      "Invalid value: \"fd00::/129\": " BAD_CIDR },
    { BLOCK, "cidr: '::/0'", "cidr: 'fe80::%eth0/64'", B ".cidr",
      "Invalid value: \"fe80::%eth0/64\": " BAD_CIDR },
    { BLOCK, NULL, "cidr: example.com", B ".cidr",
      "Invalid value: \"example.com\": " BAD_CIDR },
    { BLOCK, "cidr: 10.0.0.0/8, except: [10.0.0.0/9]",
      "cidr: 10.0.0.0/8, except: [10.0.0.0/8]", B ".except[0]",
      "Invalid value: \"10.0.0.0/8\": " STRICT },
    { BLOCK, "cidr: 10.0.0.0/8, except: [10.255.255.255/32]",
      "cidr: 10.0.0.0/8, except: [11.0.0.0/9]", B ".except[0]",
      "Invalid value: \"11.0.0.0/9\": " STRICT },
    { BLOCK, NULL, "cidr: 10.0.0.0/8, except: [0.0.0.0/0]", B ".except[0]",
      "Invalid value: \"0.0.0.0/0\": " STRICT },
    { BLOCK, "cidr: 'fd00::/8', except: ['fd00::/9', 'fd00::1/128']",
      "cidr: 0.0.0.0/0, except: ['::/1']", B ".except[0]",
      "Invalid value: \"::/1\": " STRICT },
    { BLOCK, NULL, "cidr: 10.0.0.0/8, except: [10.1.1.1]", B ".except[0]",
      "Invalid value: \"10.1.1.1\": " BAD_CIDR },

    /* policyTypes. */
    { SPEC, "policyTypes: [Egress, Egress]", "policyTypes: [egress]",
      "spec.policyTypes[0]", "Unsupported value: \"egress\": supported "
      "values: \"Ingress\", \"Egress\"" },
    { SPEC, "policyTypes: []", "policyTypes: [Ingress, Egress, Ingress]",
      "spec.policyTypes", "Invalid value: [\"Ingress\",\"Egress\","
      "\"Ingress\"]: may not specify more than two policyTypes" },

    /* metav1.LabelSelector. */
    { SELECTOR, "matchExpressions: [{key: a, operator: In, values: [b]}]",
      "matchExpressions: [{key: a, operator: In}]", E ".values", NO_VALUES },
    { SELECTOR, "matchExpressions: [{key: a, operator: NotIn, values: ['']}]",
      "matchExpressions: [{key: a, operator: NotIn, values: []}]",
      E ".values", NO_VALUES },
    { SELECTOR, "matchExpressions: [{key: a, operator: Exists}]",
      "matchExpressions: [{key: a, operator: Exists, values: [b]}]",
      E ".values", VALUES },
    { SELECTOR,
      "matchExpressions: [{key: a, operator: DoesNotExist, values: []}]",
      "matchExpressions: [{key: a, operator: DoesNotExist, values: ['']}]",
      E ".values", VALUES },
    { SELECTOR, NULL, "matchExpressions: [{key: a, operator: exists}]",
      E ".operator",
      "Invalid value: \"exists\": not a valid selector operator" },
    { SELECTOR, NULL, "matchExpressions: [{key: a}]", E ".operator",
      "Invalid value: \"\": not a valid selector operator" },
    { SELECTOR, "matchExpressions: [{key: x.y/a_b, operator: Exists}]",
      "matchExpressions: [{key: a b, operator: Exists}]", E ".key",
      "Invalid value: \"a b\": name part " QUALIFIED },
    { SELECTOR, NULL,
      "matchExpressions: [{key: a, operator: In, values: [-b]}]",
      E ".values[0]", "Invalid value: \"-b\": " LABEL_VALUE },
    { SELECTOR, "matchLabels: {a: ''}", "matchLabels: {a: b c}",
      S ".matchLabels", "Invalid value: \"b c\": " LABEL_VALUE },
    { SELECTOR, "matchLabels: {a: 'true'}", "matchLabels: {a: true}",
      S ".matchLabels[a]", "expected a string, got a boolean" },

    /* Labels. */
    { LABELS, A63 ": b", A63 "a: b", "metadata.labels",
      "Invalid value: \"" A63 "a\": name part must be no more than 63 bytes" },
    { LABELS, A253 "/a: b", A253 "a/a: b", "metadata.labels",
      "Invalid value: \"" A127 "." A63 ".aaaaaaaa...\": prefix part must be "
      "no more than 253 bytes" },
    { LABELS, NULL, "/a: b", "metadata.labels",
      "Invalid value: \"/a\": prefix part must be non-empty" },
    { LABELS, NULL, "X/a: b", "metadata.labels",
      "Invalid value: \"X/a\": prefix part " SUBDOMAIN },
    { LABELS, NULL, "x/y/z: b", "metadata.labels", "Invalid value: "
      "\"x/y/z\": a valid label key " QUALIFIED " with an optional DNS "
      "subdomain prefix and '/' (e.g. 'example.com/MyName')" },
    { LABELS, "a: " A63, "a: " A63 "a", "metadata.labels",
      "Invalid value: \"" A63 "a\": must be no more than 63 bytes" },
    { LABELS, "a: A.b_c-d", "a: a.", "metadata.labels",
      "Invalid value: \"a.\": " LABEL_VALUE },

    /* Names. */
    { NAME, "a.b-1.0", "a_b", "metadata.name",
      "Invalid value: \"a_b\": " SUBDOMAIN },
    { NAME, A253, "A", "metadata.name", "Invalid value: \"A\": " SUBDOMAIN },
    { NAME, NULL, A253 "a", "metadata.name", "Invalid value: \"" A127 "." A63
      ".aaaaaaaa...\": must be no more than 253 bytes" },
    { NAME, NULL, "''", "metadata.name",
      "Required value: name or generateName is required" },
    { NAME, NULL, "'', generateName: a-", "metadata.name", "Required value: "
      "what is applied again and again needs a name, not generateName" },
    { NAMESPACE, "a-b", "a.b", "metadata.namespace",
      "Invalid value: \"a.b\": must not contain dots" },
    { NAMESPACE, A63, A63 "a", "metadata.namespace",
      "Invalid value: \"" A63 "a\": must be no more than 63 bytes" },
    { NAMESPACE, "''", "-a", "metadata.namespace",
      "Invalid value: \"-a\": " LABEL },
    { A_NAMESPACE, "a", "a.b", "metadata.name",
      "Invalid value: \"a.b\": must not contain dots" },

    /* ContainerPort. */
    { CONTAINER, "{name: http, containerPort: 80}", "{name: http}",
      C ".containerPort", "Required value" },
    { CONTAINER, "{containerPort: 65535}", "{containerPort: 65536}",
      C ".containerPort", "Invalid value: 65536: " BAD_PORT },
    { CONTAINER, "{containerPort: 1, hostPort: 0}",
      "{containerPort: 1, hostPort: -1}", C ".hostPort",
      "Invalid value: -1: " BAD_PORT },
    { CONTAINER, NULL, "{name: HTTP-1, containerPort: 1}", C ".name",
      "Invalid value: \"HTTP-1\": must contain only alpha-numeric characters "
      "(a-z, 0-9), and hyphens (-)\n"
      "f:4: " C ".name: Invalid value: \"HTTP-1\": must contain at least one "
      "letter (a-z)" },
    { CONTAINER, "{name: a, containerPort: 1}, {name: b, containerPort: 1}",
      "{name: a, containerPort: 1}, {name: a, containerPort: 2}",
      "spec.containers[0].ports[1].name", "Duplicate value: \"a\"" },
    { CONTAINER, "{containerPort: 1, protocol: ''}",
      "{containerPort: 1, protocol: udp}", C ".protocol",
      "Unsupported value: \"udp\": supported values: \"SCTP\", \"TCP\", "
      "\"UDP\"" },
};

static char *
example(const char *around, const char *text)
{
    const char *place = strstr(around, "%s");

    return xasprintf("%.*s%s%s", (int) (place - around), around, text,
                     place + 2);
}

static void
each_rule(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        const struct rule *r = &rules[i];
        char *bad = example(r->around, r->bad);
        char *expected = xasprintf("f:4: %s: %s", r->path, r->reason);

        check(bad, "", expected);
        if (r->good) {
            char *good = example(r->around, r->good);
            struct np_manifest m = decode(good);

            if (m.n != 1 || m.errors.n || m.warnings.n) {
                fail_msg("%s is refused: %s", good,
                         m.errors.n ? m.errors.v[0].reason
                         : m.warnings.n ? m.warnings.v[0].reason : "?");
            }
            np_manifest_clear(&m);
            free(good);
        }
        free(expected);
        free(bad);
    }
}

/* What is accepted, but not in silence. */
#define FUTURE " will be considered invalid in a future Kubernetes release: "
#define PODIP POD NAMED "status: {podIPs: [{ip: '%s'}]}\n"
#define NODE "apiVersion: v1\nkind: Node\n" NAMED \
    "status: {addresses: [{type: InternalIP, address: '%s'}]}\n"

static const struct {
    const char *around;
    const char *text;
    const char *warnings;
    const char *means;          /* cidr and exceptions, or addresses. */
} doubts[] = {
    { BLOCK, "cidr: 10.1.2.3/8", "f:4: " B ".cidr: CIDR value "
      "\"10.1.2.3/8\" is ambiguous in this context (should be \"10.0.0.0/8\" "
      "or \"10.1.2.3/32\"?)", "10.0.0.0/8" },
    { BLOCK, "cidr: 'fd00::1/64'", "f:4: " B ".cidr: CIDR value "
      "\"fd00::1/64\" is ambiguous in this context (should be \"fd00::/64\" "
      "or \"fd00::1/128\"?)", "fd00::/64" },
    { BLOCK, "cidr: 010.00.0.0/08", "f:4: " B ".cidr: non-standard CIDR "
      "value \"010.00.0.0/08\"" FUTURE "use \"10.0.0.0/8\"", "10.0.0.0/8" },
    { BLOCK, "cidr: 10.0.0.0/008", "f:4: " B ".cidr: non-standard CIDR "
      "value \"10.0.0.0/008\"" FUTURE "use \"10.0.0.0/8\"", "10.0.0.0/8" },
    { BLOCK, "cidr: '::ffff:192.0.2.0/120'", "f:4: " B ".cidr: non-standard "
      "CIDR value \"::ffff:192.0.2.0/120\"" FUTURE "use \"192.0.2.0/24\"",
      "192.0.2.0/24" },
    { BLOCK, "cidr: '::ffff:192.0.02.1/128'", "f:4: " B ".cidr: "
      "non-standard CIDR value \"::ffff:192.0.02.1/128\"" FUTURE
      "use \"192.0.2.1/32\"", "192.0.2.1" },
    { BLOCK, "cidr: '::ffff:192.0.2.1/64'", "f:4: " B ".cidr: CIDR value "
      "\"::ffff:192.0.2.1/64\" is ambiguous in this context (should be "
      "\"::/64\" or \"192.0.2.1/32\"?)\n"
      "f:4: " B ".cidr: non-standard CIDR value \"::ffff:192.0.2.1/64\""
      FUTURE "use \"::/64\"", "::/64" },
    { BLOCK, "cidr: 'FD00:0::/16'", "f:4: " B ".cidr: IPv6 CIDR value "
      "\"FD00:0::/16\" should be in RFC 5952 canonical format "
      "(\"fd00::/16\")", "fd00::/16" },
    { BLOCK, "cidr: 10.0.0.0/8, except: [10.1.2.3/16, '::ffff:10.2.0.0/112']",
      "f:4: " B ".except[0]: CIDR value \"10.1.2.3/16\" is ambiguous in this "
      "context (should be \"10.1.0.0/16\" or \"10.1.2.3/32\"?)\n"
      "f:4: " B ".except[1]: non-standard CIDR value "
      "\"::ffff:10.2.0.0/112\"" FUTURE "use \"10.2.0.0/16\"",
      "10.0.0.0/8 10.1.0.0/16 10.2.0.0/16" },
    { PODIP, "10.0.0.010", "f:4: status.podIPs[0].ip: non-standard IP "
      "address \"10.0.0.010\"" FUTURE "use \"10.0.0.10\"", "10.0.0.10" },
    { PODIP, "::ffff:10.0.0.1", "f:4: status.podIPs[0].ip: non-standard IP "
      "address \"::ffff:10.0.0.1\"" FUTURE "use \"10.0.0.1\"", "10.0.0.1" },
    { NODE, "x", "f:4: status.addresses[0].address: \"x\" is not an IP "
      "address and is left out", "" },
    { NODE, "192.0.2.1", "", "192.0.2.1" },
    { POD NAMED "status: {phase: '%s'}\n", "Gone", "f:4: status.phase: "
      "unknown phase \"Gone\": the pod is taken to run", "" },

    /* What kubectl refuses and the API server drops. */
    { SPEC, "ingres: []", "f:4: spec.ingres: unknown field, has no effect; "
      "did you mean \"ingress\"?", "" },
    { SPEC, "ingress: [{form: [], x: 1}]", "f:4: spec.ingress[0].form: "
      "unknown field, has no effect; did you mean \"from\"?\n"
      "f:4: spec.ingress[0].x: unknown field, has no effect", "" },
    { SPEC, "podselector: {}", "f:4: spec.podselector: unknown field, has no "
      "effect; did you mean \"podSelector\"?", "" },
    { PORT, "prot: 80", "f:4: " P ".prot: unknown field, has no effect; did "
      "you mean \"port\"?", "" },
    { PORT, "endport: 80", "f:4: " P ".endport: unknown field, has no "
      "effect; did you mean \"endPort\"?", "" },
    { PEER, "podSelector: {}, namespaceselector: {}", "f:4: " TO
      ".namespaceselector: unknown field, has no effect; did you mean "
      "\"namespaceSelector\"?", "" },
    { BLOCK, "cidr: 10.0.0.0/8, expect: []", "f:4: " B ".expect: unknown "
      "field, has no effect; did you mean \"except\"?", "10.0.0.0/8" },
    { SELECTOR, "matchLabel: {a: b}", "f:4: " S ".matchLabel: unknown field, "
      "has no effect; did you mean \"matchLabels\"?", "" },
    { POLICY "metadata:\n  {name: p, %s}\n", "lables: {a: b}",
      "f:4: metadata.lables: unknown field, has no effect; did you mean "
      "\"labels\"?", "" },
    { POLICY "metadata:\n  {name: p, %s}\n", "managedFields: [1], "
      "annotations: {a: b}, creationTimestamp: x, generation: 1, "
      "ownerReferences: [], finalizers: [], resourceVersion: '1', selfLink: "
      "x, deletionTimestamp: x, deletionGracePeriodSeconds: 1, uid: x",
      "", "" },
};

static void
put_prefixes(struct ds *s, const struct np_prefix *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s->length) {
            ds_put_char(s, ' ');
        }
        np_prefix_format(&v[i], s);
    }
}

static void
put_meaning(struct ds *s, const struct np_meta *object)
{
    const struct np_netpol *p = (const void *) object;
    const struct np_pod *pod = (const void *) object;
    const struct np_node *node = (const void *) object;

    if (object->kind == NP_POD) {
        put_prefixes(s, pod->addrs, pod->n_addrs);
    } else if (object->kind == NP_NODE) {
        put_prefixes(s, node->addrs, node->n_addrs);
    } else if (p->n_rules[NP_INGRESS] && p->rules[NP_INGRESS][0].n_peers) {
        const struct np_ipblock *b = p->rules[NP_INGRESS][0].peers[0].block;

        put_prefixes(s, &b->cidr, 1);
        put_prefixes(s, b->except, b->n_except);
    }
}

static void
each_doubt(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(doubts); i++) {
        char *text = example(doubts[i].around, doubts[i].text);
        struct np_manifest m = decode(text);
        struct ds got = DS_EMPTY_INITIALIZER;
        struct ds means = DS_EMPTY_INITIALIZER;

        for (size_t j = 0; j < m.warnings.n; j++) {
            assert_non_null(m.warnings.v[j].object);
            ds_put_cstr(&got, j ? "\n" : "");
            np_error_format(&m.warnings.v[j], &got);
        }
        if (m.n != 1 || m.errors.n) {
            fail_msg("%s is refused: %s", text,
                     m.errors.n ? m.errors.v[0].reason : "?");
        }
        put_meaning(&means, m.objects[0]);
        assert_string_equal(ds_cstr(&got), doubts[i].warnings);
        assert_string_equal(ds_cstr(&means), doubts[i].means);
        ds_destroy(&got);
        ds_destroy(&means);
        np_manifest_clear(&m);
        free(text);
    }
}

/* The lengths of IPv4-mapped prefixes are compared as they are written, but an
 * exception that is larger than its block never passes. */
static void
mapped_exceptions(void **state OVS_UNUSED)
{
    static const char *const bad[] = {
        "cidr: '::ffff:10.0.0.0/104', except: [10.1.0.0/16]",
        "cidr: 10.0.0.0/24, except: ['::ffff:10.0.0.0/110']",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *text = example(BLOCK, bad[i]);
        struct np_manifest m = decode(text);

        assert_int_equal(m.n, 0);
        assert_int_equal(m.errors.n, 1);
        assert_string_equal(m.errors.v[0].path, B ".except[0]");
        np_manifest_clear(&m);
        free(text);
    }
}

/* A document that turns out to be broken takes its warnings with it. */
static void
broken_documents(void **state OVS_UNUSED)
{
    struct np_manifest m = decode(POLICY NAMED "spec: {ingres: []}\n}\n");

    assert_int_equal(m.n, 0);
    assert_int_equal(m.warnings.n, 0);
    assert_true(m.unparsable);
    np_manifest_clear(&m);
}

/* A list of doubts ends. */
static void
many_warnings(void **state OVS_UNUSED)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    ds_put_cstr(&text, POLICY NAMED "spec: {");
    for (int i = 0; i < 3000; i++) {
        ds_put_format(&text, "x%d: 1,", i);
    }
    ds_put_cstr(&text, "}\n");
    m = decode(ds_cstr(&text));
    assert_int_equal(m.n, 1);
    assert_int_equal(m.warnings.n, 1001);
    assert_string_equal(m.warnings.v[1000].reason,
                        "too many warnings; no more of them are listed");
    np_manifest_clear(&m);
    ds_destroy(&text);
}

int
test_rules(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule),
        cmocka_unit_test(each_doubt),
        cmocka_unit_test(mapped_exceptions),
        cmocka_unit_test(broken_documents),
        cmocka_unit_test(many_warnings),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}

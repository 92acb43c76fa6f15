#include <config.h>
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/query.h"
#include "netpol/eval.h"
#include "netpol/manifest.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define POLICY "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
    "metadata: {name: p, namespace: a}\n"
#define PORT POLICY "spec: {ingress: [{ports: [{%s}]}]}\n"
#define PEER POLICY "spec: {ingress: [{from: [{%s}]}]}\n"
#define TO POLICY "spec: {egress: [{%s}]}\n"
#define SPEC POLICY "spec: {%s}\n"
#define KIND "%s\nmetadata: {name: p}\n"

/* The first thing that is wrong, and what is said about it. */
static const struct {
    const char *around;
    const char *text;
    const char *hint;           /* NULL: nothing. */
} hints[] = {
    { PORT, "port: \"80\"",
      "write 80 without quotes: in quotes it is the name of a port" },
    { PORT, "port: ''", NULL },
    { PORT, "port: A-B", NULL },
    { PORT, "port: 0", "leave out port to allow every port of the protocol" },
    { PORT, "port: 70000", NULL },
    { PORT, "protocol: tcp", "write TCP" },
    { PORT, "protocol: Sctp", "write SCTP" },
    { PORT, "protocol: ICMP", "ports are of TCP, UDP or SCTP; a rule without "
      "ports allows every protocol" },
    { PORT, "endPort: 80", "write the first port of the range as port" },
    { PORT, "port: a, endPort: 80",
      "a range starts with a number: write it as port" },
    { PORT, "port: 80, endPort: 70",
      "port is the first of the range and endPort the last" },
    { PORT, "port: 80, endPort: '90'", "write the number without quotes" },
    { PEER, "", "leave out the whole list to allow every address; write "
      "namespaceSelector: {} to allow all pods" },
    { PEER, "podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}",
      "make two items of the list: one with the ipBlock, one with the "
      "selectors" },
    { PEER, "ipBlock: {cidr: 10.0.0.1}",
      "write 10.0.0.1/32: a single address is a block too" },
    { PEER, "ipBlock: {cidr: 'fd00::1'}",
      "write fd00::1/128: a single address is a block too" },
    { PEER, "ipBlock: {cidr: example.com}",
      "a block is of addresses; names cannot be given" },
    { PEER, "ipBlock: {cidr: 10.0.0.0/33}", NULL },
    { PEER, "ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}",
      "an exception is a smaller block inside cidr" },
    { PEER, "ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.1]}",
      "write 10.0.0.1/32: a single address is a block too" },
    { PEER, "ipBlock: {cidr: 10.1.2.3/8}", "the bits beyond the length do "
      "not count: it is read as the first of these" },
    { PEER, "podSelector: {matchLabels: {a: true}}",
      "put the value in quotes" },
    { PEER, "podSelector: {matchLabels: {a: 1}}", "put the value in quotes" },
    { PEER, "podSelector: {matchExpressions: [{key: a, operator: in, values: "
      "[b]}]}", "write In" },
    { PEER, "podSelector: {matchExpressions: [{key: a, operator: Equals}]}",
      "operators are In, NotIn, Exists and DoesNotExist" },
    { PEER, "podSelector: {matchExpressions: [{key: a, operator: In}]}",
      "write Exists to ask only whether the key is there, DoesNotExist "
      "whether it is not" },
    { PEER, "podSelector: {matchExpressions: [{key: a, operator: Exists, "
      "values: [b]}]}", "write In or NotIn to compare the value" },
    { SPEC, "policyTypes: [ingress]", "write Ingress" },
    { SPEC, "policyTypes: [Egres]", "write Egress" },
    { SPEC, "policyTypes: [Both]", "write Ingress, Egress or both" },
    { SPEC, "policyTypes: [Ingress, Egress, Ingress]",
      "write each direction once" },
    { SPEC, "ingress: {from: []}",
      "start each item of the list with \"- \"" },
    { SPEC, "ingres: []", "kubectl apply refuses it" },
    { TO, "from: []", "an egress rule has its peers under to" },
    { KIND, "apiVersion: v1\nkind: NetworkPolicy", "write apiVersion: "
      "networking.k8s.io/v1 and kind: NetworkPolicy" },
    { KIND, "apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy",
      "write apiVersion: networking.k8s.io/v1 and kind: NetworkPolicy" },
    { KIND, "apiVersion: v1\nkind: pod",
      "Pod, Namespace and Node are kinds of apiVersion v1" },
};

static struct np_manifest
decode(const char *around, const char *text)
{
    const char *place = strstr(around, "%s");
    char *all = xasprintf("%.*s%s%s", (int) (place - around), around, text,
                          place + 2);
    struct np_manifest m = { .n = 0 };

    np_manifest_decode(&m, "f", all, strlen(all));
    free(all);
    return m;
}

static void
each_hint(void **state OVS_UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
        struct np_manifest m = decode(hints[i].around, hints[i].text);
        const struct np_errors *found = m.errors.n ? &m.errors : &m.warnings;
        char *hint;

        if (!found->n) {
            fail_msg("nothing is wrong with %s", hints[i].text);
        }
        hint = cli_hint(&found->v[0]);
        if (!nullable_string_is_equal(hint, hints[i].hint)) {
            fail_msg("%s: %s: hint is %s", hints[i].text, found->v[0].reason,
                     hint ? hint : "missing");
        }
        free(hint);
        np_manifest_clear(&m);
    }
}

/* Nothing of an error but its reason has to be there. */
static void
bare_errors(void **state OVS_UNUSED)
{
    struct np_errors errors = { .n = 0 };

    np_errors_add(&errors, NULL, 0, NULL, "unknown field");
    np_errors_add(&errors, NULL, 0, "x.protocol", "Unsupported value");
    assert_null(cli_hint(&errors.v[0]));
    assert_null(cli_hint(&errors.v[1]));
    np_errors_clear(&errors);
}

static const char cluster[] =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: a}\n"
    "spec:\n  containers:\n  - ports:\n"
    "    - {name: http, containerPort: 8080}\n"
    "    - {name: dns, containerPort: 5353, protocol: UDP}\n"
    "status: {podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: new, namespace: a}\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: agent, namespace: a}\n"
    "spec: {hostNetwork: true, nodeName: n1}\n"
    "---\n"
    "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
    "status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n";

/* "NAME [ADDRESSES]", "pod" if it is one. */
static void
put_end(struct ds *s, const struct cli_end *end)
{
    ds_put_format(s, "%s%s [", end->name, end->pod ? " pod" : "");
    for (size_t i = 0; i < end->n_addrs; i++) {
        ds_put_cstr(s, i ? " " : "");
        if (end->addrs[i].family) {
            np_prefix_format(&end->addrs[i], s);
        } else {
            ds_put_char(s, '?');
        }
    }
    ds_put_char(s, ']');
}

static void
check_query(const char *src, const char *dst, const char *expected)
{
    struct np_manifest m = { .n = 0 };
    struct cli_input in = { .n = 0 };
    struct cli_options o = { .namespace = "a" };
    struct ds s = DS_EMPTY_INITIALIZER;
    struct cli_query q;

    np_manifest_decode(&m, "f", cluster, strlen(cluster));
    in.objects = (const struct np_meta **) m.objects;
    in.n = m.n;
    cli_query_parse(&q, &o, &in, src, dst);
    put_end(&s, &q.src);
    ds_put_cstr(&s, " -> ");
    put_end(&s, &q.dst);
    ds_put_cstr(&s, " ");
    cli_query_format_service(&q, &s);
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
    cli_query_destroy(&q);
    np_manifest_clear(&m);
}

static void
queries(void **state OVS_UNUSED)
{
    check_query("a/web", "10.9.9.9:80",
                "a/web pod [10.0.0.1 fd00::1] -> 10.9.9.9 [10.9.9.9] "
                "TCP port 80");
    check_query("web", "fd00::2",
                "web pod [10.0.0.1 fd00::1] -> fd00::2 [fd00::2] traffic of "
                "every kind");
    check_query("fd00::2", "[fd00::1]:http",
                "fd00::2 [fd00::2] -> fd00::1 pod [fd00::1] TCP port 8080 "
                "(http)");
    check_query("fd00::2", "[fd00::1]",
                "fd00::2 [fd00::2] -> fd00::1 pod [fd00::1] traffic of every "
                "kind");
    check_query("web", "a/web:dns/UDP",
                "web pod [10.0.0.1 fd00::1] -> a/web pod [10.0.0.1 fd00::1] "
                "UDP port 5353 (dns)");
    check_query("web", "web:65535/132",
                "web pod [10.0.0.1 fd00::1] -> web pod [10.0.0.1 fd00::1] "
                "SCTP port 65535");
    check_query("web", "10.0.0.9:/icmp",
                "web pod [10.0.0.1 fd00::1] -> 10.0.0.9 [10.0.0.9] protocol "
                "1");
    check_query("web", "10.0.0.9:0/47",
                "web pod [10.0.0.1 fd00::1] -> 10.0.0.9 [10.0.0.9] protocol "
                "47");
    /* No address, and the node's. */
    check_query("new", "agent:1", "new pod [?] -> agent pod [192.0.2.1] TCP "
                "port 1");
}

/* Without an address, labels count and blocks do not. */
static void
no_address(void **state OVS_UNUSED)
{
    static const struct {
        const char *rule;
        bool allowed;
    } cases[] = {
        { "{}", true },
        { "{from: [{podSelector: {}}]}", true },
        { "{from: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: '::/0'}}]}",
          false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct np_manifest m = decode(SPEC "---\n"
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: a}\n"
            "---\n"
            "apiVersion: v1\nkind: Pod\nmetadata: {name: z, namespace: a}\n",
            "");
        struct np_manifest p = { .n = 0 };
        char *text = xasprintf(POLICY "spec: {ingress: [%s]}\n",
                               cases[i].rule);
        struct np_eval_world world = { .n = 1 };
        struct np_eval_query query = { .proto = NP_TCP, .port = 80 };
        struct np_eval_verdict v;

        np_manifest_decode(&p, "f", text, strlen(text));
        assert_int_equal(p.n, 1);
        world.objects = (const struct np_meta *const *) p.objects;
        assert_int_equal(m.n, 3);
        query.opener.pod = (const void *) m.objects[1];
        query.server.pod = (const void *) m.objects[2];
        np_eval(&world, &query, &v);
        assert_int_equal(v.allowed, cases[i].allowed);
        np_eval_verdict_destroy(&v);
        np_manifest_clear(&m);
        np_manifest_clear(&p);
        free(text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_hint),
        cmocka_unit_test(bare_errors),
        cmocka_unit_test(queries),
        cmocka_unit_test(no_address),
    };

    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}

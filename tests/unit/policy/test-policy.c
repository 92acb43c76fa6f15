/* Units of cache, group and policy: what the policies say, as text. */

#include <config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "daemon/engine.h"
#include "netpol/manifest.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static const char pods[] =
    "---\n"
    "{apiVersion: v1, kind: Pod, metadata: {namespace: a, name: web,"
    " labels: {app: web}}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {namespace: b, name: db,"
    " labels: {app: db, empty: ''}}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {namespace: b, name: old,"
    " labels: {app: db}}, status: {phase: Failed}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {namespace: b, name: host,"
    " labels: {app: db}}, spec: {hostNetwork: true}}\n---\n"
    "{apiVersion: v1, kind: Namespace, metadata: {name: a,"
    " labels: {team: x}}}\n---\n";

/* What a policy "p" in namespace a with SPEC says. */
static char *
dump(const char *spec)
{
    char *text = xasprintf("%s{apiVersion: networking.k8s.io/v1, kind: "
                           "NetworkPolicy, metadata: {namespace: a, name: p},"
                           " spec: %s}\n", pods, spec);
    struct np_manifest m = { .n = 0 };
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_changes changes = { NULL, 0, 0 };
    struct np_compile_config config = { .ct_zone = 64000 };
    struct np_engine engine;

    np_manifest_decode(&m, "test", text, strlen(text));
    if (m.errors.n) {
        np_error_format(&m.errors.v[0], &s);
        fail_msg("%s", ds_cstr(&s));
    }
    for (size_t i = 0; i < m.n; i++) {
        np_changes_add(&changes, NULL, m.objects[i]);
    }
    np_engine_init(&engine, &config, "node");
    np_engine_apply(&engine, &changes, NULL, NULL);
    np_policies_dump(&engine.policies, &s);

    np_engine_destroy(&engine);
    np_changes_clear(&changes);
    np_manifest_clear(&m);
    free(text);
    return ds_steal_cstr(&s);
}

static void
check(const char *spec, const char *expected)
{
    char *seen = dump(spec);

    assert_string_equal(seen, expected);
    free(seen);
}

#define ALL "applied a/<all>"
#define ISOLATE(DIRECTION) "isolate a/p " DIRECTION ": " ALL "\n"
#define MEMBERS "group a/<all>: a/web\n"

static void
test_types(void **state OVS_UNUSED)
{
    check("{podSelector: {}}", ISOLATE("ingress") MEMBERS);
    check("{}", ISOLATE("ingress") MEMBERS);
    check("{egress: []}", ISOLATE("ingress") MEMBERS);
    check("{egress: [{}]}",
          ISOLATE("ingress") ISOLATE("egress")
          "rule a/p egress[0]: " ALL ", peers any, services any\n" MEMBERS);
    check("{policyTypes: [Egress], ingress: [{}]}",
          ISOLATE("egress") MEMBERS);
    check("{policyTypes: [Egress, Ingress]}",
          ISOLATE("ingress") ISOLATE("egress") MEMBERS);
}

static void
test_services(void **state OVS_UNUSED)
{
    check("{ingress: [{ports: [{}, {port: 80}, {port: 1, endPort: 9},"
          " {port: http, protocol: UDP}, {protocol: SCTP}]}]}",
          ISOLATE("ingress")
          "rule a/p ingress[0]: " ALL ", peers any, services TCP/any TCP/80 "
          "TCP/1-9 UDP/http SCTP/any\n" MEMBERS);
    check("{ingress: [{ports: []}, {ports: null}]}",
          ISOLATE("ingress")
          "rule a/p ingress[0]: " ALL ", peers any, services any\n"
          "rule a/p ingress[1]: " ALL ", peers any, services any\n" MEMBERS);
}

static void
test_peers(void **state OVS_UNUSED)
{
    /* Of one item both must hold; items add up; a namespace that no object
     * declares has its name as label; finished and hostNetwork pods are in no
     * group. */
    check("{ingress: [{from: ["
          "{podSelector: {matchLabels: {app: db}}},"
          "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}},"
          " podSelector: {matchLabels: {app: db}}},"
          "{ipBlock: {cidr: 10.1.2.3/8, except: [10.9.0.0/16, 10.8.0.0/16]}}"
          "]}]}",
          ISOLATE("ingress")
          "rule a/p ingress[0]: " ALL ", peers "
          "10.0.0.0/8-10.8.0.0/16-10.9.0.0/16 + a/app=db + "
          "{kubernetes.io/metadata.name=b}/app=db, services any\n"
          MEMBERS
          "group a/app=db:\n"
          "group {kubernetes.io/metadata.name=b}/app=db: b/db\n");
    /* The order of peers is nothing. */
    check("{ingress: [{from: [{podSelector: {}},"
          " {namespaceSelector: {matchLabels: {team: x}}}]},"
          " {from: [{namespaceSelector: {matchLabels: {team: x}}},"
          " {podSelector: {}}]}]}",
          ISOLATE("ingress")
          "rule a/p ingress[0]: " ALL ", peers a/<all> + {team=x}/<all>, "
          "services any\n"
          "rule a/p ingress[1]: " ALL ", peers a/<all> + {team=x}/<all>, "
          "services any\n"
          MEMBERS "group {team=x}/<all>: a/web\n");
}

static void
test_expressions(void **state OVS_UNUSED)
{
    check("{ingress: [{from: [{namespaceSelector: {matchExpressions: ["
          "{key: team, operator: NotIn, values: [x, q]}]}},"
          "{namespaceSelector: {}, podSelector: {matchExpressions: ["
          "{key: empty, operator: DoesNotExist}]}},"
          "{namespaceSelector: {}, podSelector: {matchLabels: {empty: ''}}}"
          "]}]}",
          ISOLATE("ingress")
          "rule a/p ingress[0]: " ALL ", peers {<all>}/!empty + "
          "{<all>}/empty= + {team notin (q,x)}/<all>, services any\n"
          MEMBERS
          "group {<all>}/!empty: a/web\n"
          "group {<all>}/empty=: b/db\n"
          "group {team notin (q,x)}/<all>: b/db\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_expressions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

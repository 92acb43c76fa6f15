#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "netpol/manifest.h"
#include "netpol/pool.h"
#include "openvswitch/dynamic-string.h"
#include "saved/form.h"
#include "util.h"

static void
show_line(int *line, void *s)
{
    ds_put_format(s, "%d ", *line);
}

static char *
show_places(struct np_meta *object)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s:", object->file ? object->file : "-");
    np_object_for_each_line(object, show_line, &s);
    return ds_steal_cstr(&s);
}

/* OBJECT must be the same after a trip through a record. */
static void
check_round_trip(struct np_meta *object, struct np_pool *pool)
{
    struct ds body = DS_EMPTY_INITIALIZER;
    struct np_meta *again;
    struct np_form form;
    char *a, *b;

    np_form_put(object, &body);
    assert_true(np_form_parse(body.string, body.length, &form));
    assert_null(strchr(form.json, '\n'));
    again = np_form_decode(&form, pool);
    if (!again) {
        fail_msg("%s", form.json);
    }
    assert_true(np_object_equal(object, again));
    a = show_places(object);
    b = show_places(again);
    assert_string_equal(a, b);
    free(a);
    free(b);
    np_object_destroy(again);
    ds_destroy(&body);
}

static size_t
check_manifest(struct np_manifest *m)
{
    size_t n = m->n;

    for (size_t i = 0; i < m->n; i++) {
        check_round_trip(m->objects[i], m->pool);
        if (m->objects[i]->kind == NP_NETPOL) {
            ((struct np_netpol *) m->objects[i])->unreadable = true;
            check_round_trip(m->objects[i], m->pool);
        }
    }
    np_manifest_clear(m);
    return n;
}

/* All objects of all golden cases. */
static void
goldens(void **state OVS_UNUSED)
{
    const char *top = getenv("NETPOL_GOLDEN");
    struct np_pool *pool = np_pool_create();
    DIR *dir = opendir(top ? top : "tests/golden");
    struct dirent *e;
    size_t n = 0;

    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        char *path = xasprintf("%s/%s/objects.yaml",
                               top ? top : "tests/golden", e->d_name);
        struct np_manifest m = { .pool = pool };

        if (e->d_name[0] != '.') {
            np_manifest_read(&m, path);
            assert_int_equal(m.errors.n, 0);
            n += check_manifest(&m);
        }
        free(path);
    }
    closedir(dir);
    assert_true(n > 30);
    np_pool_destroy(pool);
}

/* What those do not have. */
static const char corners[] =
    "apiVersion: v1\nkind: Namespace\n"
    "metadata: {name: a, labels: {kubernetes.io/metadata.name: b, z: ''}}\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\n"
    "metadata: {name: p, namespace: a, uid: \"\\\"\\\\\\n\\x01\\u20ac/\"}\n"
    "spec:\n"
    "  hostNetwork: true\n"
    "  nodeName: 'n \"1\"'\n"
    "  initContainers:\n"
    "  - {restartPolicy: Always, ports: [{containerPort: 1, name: x}]}\n"
    "  containers:\n"
    "  - ports: [{containerPort: 2, name: x, protocol: SCTP},\n"
    "            {containerPort: 65535, protocol: TCP}, {containerPort: 2}]\n"
    "  - ports: [{containerPort: 3, name: x, protocol: UDP}]\n"
    "status:\n"
    "  phase: Evicted\n"
    "  podIP: 010.0.0.1\n"
    "  podIPs: [{ip: 'fd00::1'}, {ip: '::ffff:10.0.0.2'}, {ip: '::1.2.3.4'}]\n"
    "---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: pending}\n"
    "---\n"
    "apiVersion: v1\nkind: Node\nmetadata: {name: n.x}\n"
    "status: {addresses: [{type: ExternalIP, address: '2001:db8::'}]}\n"
    "---\n"
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    "metadata: {name: none}\n"
    "---\n"
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    "metadata: {name: all}\n"
    "spec:\n"
    "  podSelector:\n"
    "    matchLabels: {a.b/c: '', d: e}\n"
    "    matchExpressions:\n"
    "    - {key: d, operator: In, values: [f, e]}\n"
    "    - {key: d, operator: NotIn, values: ['']}\n"
    "    - {key: g, operator: Exists}\n"
    "    - {key: h, operator: DoesNotExist, values: []}\n"
    "  policyTypes: [Egress]\n"
    "  egress:\n"
    "  - {}\n"
    "  - to: []\n"
    "    ports: [{}, {protocol: SCTP}, {port: x}, {port: 1, endPort: 1}]\n"
    "  ingress:\n"
    "  - ports:\n"
    "    - {port: 5, endPort: 65535, protocol: UDP}\n"
    "    from:\n"
    "    - podSelector: {}\n"
    "    - namespaceSelector: {}\n"
    "    - namespaceSelector: {matchLabels: {a: b}}\n"
    "      podSelector: {matchExpressions: [{key: a, operator: Exists}]}\n"
    "    - ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 1.2.3.4/32]}\n"
    "    - ipBlock: {cidr: '::/0', except: ['fd00::/8', '::1/128']}\n"
    "    - ipBlock: {cidr: '::ffff:0:0/90'}\n"
    "    - ipBlock: {cidr: '::ffff:10.0.0.0/104', "
    "except: ['::ffff:10.1.0.0/112']}\n"
    "    - ipBlock: {cidr: 10.1.2.3/32}\n";

static void
corners_too(void **state OVS_UNUSED)
{
    static const char *const files[] = { "/a b\n\t\xff", NULL };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct np_manifest m = { .pool = np_pool_create() };
        struct np_pool *pool = m.pool;

        np_manifest_decode(&m, files[i], corners, strlen(corners));
        for (size_t j = 0; j < m.errors.n; j++) {
            fail_msg("%s: %s", m.errors.v[j].path, m.errors.v[j].reason);
        }
        assert_int_equal(check_manifest(&m), 6);
        np_pool_destroy(pool);
    }
}

/* A record that is whole but not what we write. */
static void
strangers(void **state OVS_UNUSED)
{
    static const struct np_form bad[] = {
        { "Pod a/p", "", "", "1 ", "" },
        { "Pod a/p", "", "", "1 ", "{" },
        { "Pod a/p", "", "", "1 ", "{}" },
#define GOOD "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"," \
             "\"metadata\":{\"name\":\"p\",\"namespace\":\"a\"}}"
        { "Pod a/p", "", "", "1 ", GOOD GOOD },
        { "Pod a/q", "", "", "1 ", GOOD },
        { "Pod a/p", "", "", "", GOOD },
        { "Pod a/p", "", "", "1", GOOD },
        { "Pod a/p", "", "", "1 2 ", GOOD },
        { "Pod a/p", "", "unreadable", "1 ", GOOD },
        { "Pod a/p", "", "x", "1 ", GOOD },
    };
    static const struct np_form good = { "Pod a/p", "", "", "1 ", GOOD };
    struct np_meta *object = np_form_decode(&good, NULL);
    struct np_form form;

    assert_non_null(object);
    np_object_destroy(object);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_null(np_form_decode(&bad[i], NULL));
    }
    assert_false(np_form_parse("", 0, &form));
    assert_false(np_form_parse("a\0b\0c\0d", 7, &form));
    assert_true(np_form_parse("a\0b\0c\0d\0", 8, &form));
    assert_false(np_form_parse("a\0b\0c\0d\0e\0f", 11, &form));
}

int
test_form(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens),
        cmocka_unit_test(corners_too),
        cmocka_unit_test(strangers),
    };

    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}

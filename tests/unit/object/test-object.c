#include <config.h>
#include "../unit.h"
#include "netpol/object.h"
#include "netpol/pool.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Labels from "k=v k=v"; keys must be in order. */
static struct np_labels
labels(const char *text)
{
    struct np_label v[8];
    size_t n = 0;
    char *copy = xstrdup(text);
    char *save = NULL;

    for (char *s = strtok_r(copy, " ", &save); s;
         s = strtok_r(NULL, " ", &save)) {
        char *eq = strchr(s, '=');

        assert_in_range(n, 0, ARRAY_SIZE(v) - 1);
        *eq = '\0';
        v[n].key = np_pool_string(NULL, s);
        v[n++].value = np_pool_string(NULL, eq + 1);
    }
    free(copy);
    return np_labels_share(NULL, v, n);
}

/* Appends a requirement with the values in VALUES, separated by blanks. */
static void
require(struct np_selector *s, const char *key, enum np_operator op,
        const char *values)
{
    struct np_requirement *r;
    char *copy = xstrdup(values);
    char *save = NULL;

    s->v = xrealloc(s->v, (s->n + 1) * sizeof *s->v);
    r = &s->v[s->n++];
    *r = (struct np_requirement) { .key = xstrdup(key), .op = op };
    for (char *v = strtok_r(copy, " ", &save); v;
         v = strtok_r(NULL, " ", &save)) {
        r->values = xrealloc(r->values,
                             (r->n_values + 1) * sizeof *r->values);
        r->values[r->n_values++] = xstrdup(v);
    }
    free(copy);
}

static void
check_selector_text(const struct np_selector *s, const char *expected)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    np_selector_format(s, &ds);
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

static void
get_labels(void **state OVS_UNUSED)
{
    struct np_labels l = labels("a=1 b= c=3");
    struct np_labels m = labels("a=1 b= c=4");
    struct np_labels none = { NULL, 0 };

    assert_string_equal(np_labels_get(&l, "a"), "1");
    assert_string_equal(np_labels_get(&l, "b"), "");
    assert_string_equal(np_labels_get(&l, "c"), "3");
    assert_null(np_labels_get(&l, "bb"));
    assert_null(np_labels_get(&none, "a"));
    assert_true(np_labels_equal(&l, &l));
    assert_false(np_labels_equal(&l, &m));
    assert_false(np_labels_equal(&l, &none));
    np_labels_destroy(&l);
    np_labels_destroy(&m);
}

static void
canonical_selector(void **state OVS_UNUSED)
{
    struct np_selector a = { NULL, 0 };
    struct np_selector b = { NULL, 0 };

    check_selector_text(&a, "<all>");
    require(&a, "tier", NP_IN, "c a b a");
    require(&a, "x", NP_DOES_NOT_EXIST, "");
    require(&a, "app", NP_IN, "web");
    require(&a, "app", NP_IN, "web web");
    require(&a, "app", NP_NOT_IN, "db");
    require(&a, "y", NP_EXISTS, "");
    np_selector_sort(&a);
    check_selector_text(&a, "app=web,app notin (db),tier in (a,b,c),!x,y");

    require(&b, "y", NP_EXISTS, "");
    require(&b, "app", NP_NOT_IN, "db");
    require(&b, "tier", NP_IN, "b a c");
    require(&b, "app", NP_IN, "web");
    np_selector_sort(&b);
    assert_false(np_selector_equal(&a, &b));
    require(&b, "x", NP_DOES_NOT_EXIST, "");
    np_selector_sort(&b);
    assert_true(np_selector_equal(&a, &b));
    np_selector_destroy(&a);
    np_selector_destroy(&b);
    assert_true(np_selector_equal(&a, &b));
}

static void
check_match(enum np_operator op, const char *key, const char *values,
            const char *text, bool expected)
{
    struct np_selector s = { NULL, 0 };
    struct np_labels l = labels(text);

    require(&s, key, op, values);
    np_selector_sort(&s);
    assert_int_equal(np_selector_matches(&s, &l), expected);
    np_selector_destroy(&s);
    np_labels_destroy(&l);
}

static void
operators(void **state OVS_UNUSED)
{
    check_match(NP_IN, "a", "x y", "a=y", true);
    check_match(NP_IN, "a", "x y", "a=z", false);
    check_match(NP_IN, "a", "x y", "b=x", false);
    check_match(NP_NOT_IN, "a", "x y", "a=y", false);
    check_match(NP_NOT_IN, "a", "x y", "a=z", true);
    /* An absent key matches. */
    check_match(NP_NOT_IN, "a", "x y", "b=x", true);
    check_match(NP_EXISTS, "a", "", "a=", true);
    check_match(NP_EXISTS, "a", "", "b=", false);
    check_match(NP_DOES_NOT_EXIST, "a", "", "a=", false);
    check_match(NP_DOES_NOT_EXIST, "a", "", "", true);
}

static bool
naive_match(const struct np_selector *s, const struct np_labels *l)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct np_requirement *r = &s->v[i];
        bool present = false, in = false;

        for (size_t j = 0; j < l->n; j++) {
            if (!strcmp(l->v[j].key, r->key)) {
                present = true;
                for (size_t k = 0; k < r->n_values; k++) {
                    in |= !strcmp(r->values[k], l->v[j].value);
                }
            }
        }
        if ((r->op == NP_IN && !(present && in))
            || (r->op == NP_NOT_IN && present && in)
            || (r->op == NP_EXISTS && !present)
            || (r->op == NP_DOES_NOT_EXIST && present)) {
            return false;
        }
    }
    return true;
}

static struct np_selector
random_selector(uint32_t *seed)
{
    static const char *const sets[] = { "x", "y", "x y", "z y x", "z z" };
    static const char *const keys[] = { "a", "b", "c" };
    struct np_selector s = { NULL, 0 };
    size_t n = unit_random_below(seed, 4);

    for (size_t i = 0; i < n; i++) {
        enum np_operator op = unit_random_below(seed, 4);

        require(&s, keys[unit_random_below(seed, 3)], op,
                op <= NP_NOT_IN ? sets[unit_random_below(seed, 5)] : "");
    }
    return s;
}

static void
random_selectors(void **state OVS_UNUSED)
{
    static const char *const all[] = {
        "", "a=x", "a=y b=z", "b=x c=x", "a=x b=y c=z", "c=",
    };
    uint32_t seed = 17;
    size_t n_matches = 0;

    for (int i = 0; i < 5000; i++) {
        struct np_selector s = random_selector(&seed);
        struct np_labels l = labels(all[unit_random_below(&seed,
                                                          ARRAY_SIZE(all))]);
        bool expected = naive_match(&s, &l);

        np_selector_sort(&s);
        assert_int_equal(np_selector_matches(&s, &l), expected);
        n_matches += expected;
        np_selector_destroy(&s);
        np_labels_destroy(&l);
    }
    assert_in_range(n_matches, 500, 4500);
}

static struct np_meta *
new_object(enum np_kind kind, size_t size)
{
    struct np_meta *meta = xzalloc(size);

    meta->kind = kind;
    meta->namespace = kind == NP_POD || kind == NP_NETPOL
        ? np_pool_string(NULL, "ns") : NULL;
    meta->name = xstrdup("name");
    meta->labels = labels("a=b");
    meta->file = np_pool_string(NULL, "file");
    return meta;
}

static struct np_netpol *
new_netpol(void)
{
    struct np_netpol *p = (void *) new_object(NP_NETPOL, sizeof *p);
    struct np_netpol_rule *rule = xzalloc(sizeof *rule);
    struct np_peer *peers = xcalloc(2, sizeof *peers);
    struct np_port *ports = xzalloc(sizeof *ports);

    require(&p->pods, "app", NP_IN, "web");
    peers[0].pods = xzalloc(sizeof *peers[0].pods);
    peers[0].namespaces = xzalloc(sizeof *peers[0].namespaces);
    require(peers[0].namespaces, "x", NP_EXISTS, "");
    peers[1].block = xzalloc(sizeof *peers[1].block);
    np_prefix_parse("10.0.0.0/8", &peers[1].block->cidr, NULL);
    peers[1].block->except = xzalloc(sizeof *peers[1].block->except);
    peers[1].block->n_except = 1;
    np_prefix_parse("10.1.0.0/16", &peers[1].block->except[0], NULL);
    ports->name = xstrdup("http");
    *rule = (struct np_netpol_rule) { peers, 2, ports, 1, 5 };
    p->rules[NP_INGRESS] = rule;
    p->n_rules[NP_INGRESS] = 1;
    p->types[NP_INGRESS] = true;
    return p;
}

/* Takes B. */
static void
check_netpols(const struct np_netpol *a, struct np_netpol *b, bool equal)
{
    assert_int_equal(np_object_equal(&a->meta, &b->meta), equal);
    assert_int_equal(np_object_equal(&b->meta, &a->meta), equal);
    np_object_destroy(&b->meta);
}

static void
equal_netpols(void **state OVS_UNUSED)
{
    struct np_netpol *a = new_netpol();
    struct np_netpol *b;

    /* Where it was read means nothing. */
    b = new_netpol();
    b->meta.line = 9;
    b->rules[NP_INGRESS][0].line = 9;
    b->rules[NP_INGRESS][0].ports[0].line = 9;
    check_netpols(a, b, true);

    b = new_netpol();
    b->types[NP_EGRESS] = true;
    check_netpols(a, b, false);
    b = new_netpol();
    b->unreadable = true;
    check_netpols(a, b, false);
    b = new_netpol();
    b->rules[NP_INGRESS][0].ports[0].name[0] = 'x';
    check_netpols(a, b, false);
    b = new_netpol();
    b->rules[NP_INGRESS][0].ports[0].has_protocol = true;
    check_netpols(a, b, false);
    b = new_netpol();
    b->rules[NP_INGRESS][0].peers[1].block->n_except = 0;
    check_netpols(a, b, false);
    b = new_netpol();
    np_selector_destroy(b->rules[NP_INGRESS][0].peers[0].namespaces);
    check_netpols(a, b, false);
    b = new_netpol();
    b->meta.uid = xstrdup("u");
    check_netpols(a, b, false);
    np_object_destroy(&a->meta);
}

static void
equal_pods(void **state OVS_UNUSED)
{
    struct np_pod *a = (void *) new_object(NP_POD, sizeof *a);
    struct np_pod *b = (void *) new_object(NP_POD, sizeof *b);
    struct np_container_port port = { .port = 80 };

    assert_true(np_object_equal(&a->meta, &b->meta));
    b->addrs = xzalloc(sizeof *b->addrs);
    b->n_addrs = 1;
    assert_false(np_object_equal(&a->meta, &b->meta));
    b->n_addrs = 0;
    b->phase = NP_RUNNING;
    assert_false(np_object_equal(&a->meta, &b->meta));
    b->phase = NP_PENDING;
    port.name = np_pool_string(NULL, "http");
    np_pod_share_ports(b, NULL, &port, 1);
    assert_false(np_object_equal(&a->meta, &b->meta));
    np_object_destroy(&a->meta);
    np_object_destroy(&b->meta);
    np_object_destroy(NULL);
}

static void
pods_that_count(void **state OVS_UNUSED)
{
    struct np_pod pod = { .phase = NP_PENDING };

    assert_true(np_pod_counts(&pod));
    pod.phase = NP_RUNNING;
    assert_true(np_pod_counts(&pod));
    pod.phase = NP_UNKNOWN;
    assert_true(np_pod_counts(&pod));
    pod.phase = NP_SUCCEEDED;
    assert_false(np_pod_counts(&pod));
    pod.phase = NP_FAILED;
    assert_false(np_pod_counts(&pod));
    pod.phase = NP_RUNNING;
    pod.host_network = true;
    assert_false(np_pod_counts(&pod));
}

static void
keys(void **state OVS_UNUSED)
{
    struct np_meta *pod = new_object(NP_POD, sizeof(struct np_pod));
    struct np_meta *node = new_object(NP_NODE, sizeof(struct np_node));
    struct ds s = DS_EMPTY_INITIALIZER;

    np_object_format_key(pod, &s);
    ds_put_char(&s, ' ');
    np_object_format_key(node, &s);
    assert_string_equal(ds_cstr(&s), "ns/name name");
    ds_destroy(&s);
    np_object_destroy(pod);
    np_object_destroy(node);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_labels),
        cmocka_unit_test(canonical_selector),
        cmocka_unit_test(operators),
        cmocka_unit_test(random_selectors),
        cmocka_unit_test(equal_netpols),
        cmocka_unit_test(equal_pods),
        cmocka_unit_test(pods_that_count),
        cmocka_unit_test(keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

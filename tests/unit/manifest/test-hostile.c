#include <config.h>
#include "../unit.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* The sanitizer is slow, and keeps what was freed. */
#if UNIT_SANITIZED
#define HUGE_MB 8
#define HUGE_RSS_MB 0
#else
#define HUGE_MB 50
#define HUGE_RSS_MB 400
#endif

/* Decodes the SIZE bytes at TEXT from a buffer that ends where they do, so
 * that a reader who goes too far is seen by the sanitizer. */
static struct np_manifest
decode_exactly(const char *text, size_t size)
{
    struct np_manifest m = { .n = 0 };
    char *copy = xmemdup(text, MAX(size, 1));

    copy = xrealloc(copy, MAX(size, 1));
    np_manifest_decode(&m, "f", copy, size);
    free(copy);
    return m;
}

static void
check_error(struct np_manifest *m, const char *reason)
{
    assert_true(m->unparsable);
    assert_int_not_equal(m->errors.n, 0);
    if (!strstr(m->errors.v[0].reason, reason)) {
        fail_msg("%s, expected %s", m->errors.v[0].reason, reason);
    }
    np_manifest_clear(m);
}

/* Appends S, N times. */
static void
repeat(struct ds *ds, const char *s, size_t n)
{
    while (n--) {
        ds_put_cstr(ds, s);
    }
}

static void
deep(void **state OVS_UNUSED)
{
    static const struct {
        const char *start, *open;
    } cases[] = {
        { "", "[" }, { "x: ", "[" }, { "spec: ", "[" },
        { "spec: ", "{a: " }, { "x: ", "{a: " }, { "{\"x\": ", "[" },
        { "{\"spec\": ", "[" }, { "{\"spec\": ", "{\"a\":" },
        { "items: [", "[" }, { "{\"items\": [", "[" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct np_manifest m;

        ds_put_cstr(&s, cases[i].start);
        repeat(&s, cases[i].open, 10000);
        m = decode_exactly(ds_cstr(&s), s.length);
        check_error(&m, "nested more than 100 levels deep");
        ds_destroy(&s);
    }
}

/* Exactly as deep as allowed, and one more. */
static void
just_deep_enough(void **state OVS_UNUSED)
{
    for (int i = 0; i < 4; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        /* The field is level 2, the lists are levels of their own. */
        size_t n = NP_MANIFEST_DEPTH - 1 + i % 2;
        struct np_manifest m;

        ds_put_cstr(&s, i < 2 ? "kind: X\napiVersion: v1\nspec: "
                    : "{\"kind\": \"X\", \"apiVersion\": \"v1\", \"spec\": ");
        repeat(&s, "[", n);
        repeat(&s, "]", n);
        ds_put_cstr(&s, i < 2 ? "\n" : "}\n");
        m = decode(ds_cstr(&s));
        assert_int_equal(m.errors.n, i % 2);
        np_manifest_clear(&m);
        ds_destroy(&s);
    }
}

static void
laughs(void **state OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    ds_put_cstr(&s, "x:\n- &a0 [lol, lol]\n");
    for (int i = 1; i < 40; i++) {
        ds_put_format(&s, "- &a%d [*a%d, *a%d, *a%d]\n", i, i - 1, i - 1,
                      i - 1);
    }
    m = decode(ds_cstr(&s));
    check_error(&m, "document contains excessive aliasing");
    ds_destroy(&s);

    /* Within the nesting of a policy. */
    ds_init(&s);
    ds_put_cstr(&s, "x:\n- &e [");
    repeat(&s, "10.0.0.0/9,", 1000);
    ds_put_cstr(&s, "]\n- &f [");
    repeat(&s, "{ipBlock: {cidr: 10.0.0.0/8, except: *e}},", 1000);
    ds_put_cstr(&s, "]\nkind: NetworkPolicy\n"
                "apiVersion: networking.k8s.io/v1\nmetadata: {name: a}\n"
                "spec: {ingress: [{from: *f}]}\n");
    m = decode(ds_cstr(&s));
    check_error(&m, "document contains excessive aliasing");
    ds_destroy(&s);

    /* By merges. */
    ds_init(&s);
    ds_put_cstr(&s, "x:\n- &b {");
    for (int i = 0; i < 2000; i++) {
        ds_put_format(&s, "k%d: v, ", i);
    }
    ds_put_cstr(&s, "}\n");
    repeat(&s, "- {<<: *b}\n", 1000);
    ds_put_cstr(&s, "- &anchor {<<: *b}\n");
    m = decode(ds_cstr(&s));
    np_manifest_clear(&m);
    ds_put_cstr(&s, "spec:\n");
    repeat(&s, "- {<<: *b}\n", 1000);
    m = decode(ds_cstr(&s));
    check_error(&m, "document contains excessive aliasing");
    ds_destroy(&s);
}

/* Ordinary sharing stays allowed. */
static void
few_aliases(void **state OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    ds_put_cstr(&s, "kind: List\napiVersion: v1\nx: &l {a: b, c: d}\n"
                "items:\n");
    for (int i = 0; i < 2000; i++) {
        ds_put_format(&s, "- {apiVersion: v1, kind: Pod, metadata: {name: "
                      "p%d, labels: *l}}\n", i);
    }
    m = decode(ds_cstr(&s));
    assert_int_equal(m.errors.n, 0);
    assert_int_equal(m.n, 2000);
    np_manifest_clear(&m);
    ds_destroy(&s);
}

/* START, HUGE_MB megabytes of PART, END. */
static void
check_huge(const char *start, const char *part, const char *end,
           const char *reason)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    ds_put_cstr(&s, start);
    ds_reserve(&s, (HUGE_MB + 1) << 20);
    while (s.length < (size_t) HUGE_MB << 20) {
        ds_put_cstr(&s, part);
    }
    ds_put_cstr(&s, end);
    m = decode_exactly(ds_cstr(&s), s.length);
    ds_destroy(&s);
    if (reason) {
        check_error(&m, reason);
    } else {
        assert_int_equal(m.errors.n, 0);
        np_manifest_clear(&m);
    }
}

/* Large files of what makes the largest trees: either it is refused early, or
 * it is forgotten piece by piece.  All the memory that any of it takes is
 * held against a limit. */
static void
huge(void **state OVS_UNUSED)
{
    static const char list[] = "kind: List\napiVersion: v1\nitems:\n";

    check_huge("spec: [", "0,", "]\n", "the document is too large");
    check_huge("{\"spec\": [", "0,", "0]}\n",
               "the document is too large");
    check_huge("{\"data\": [", "0,", "0],\"kind\":\"X\"}",
               "the document is too large");
    check_huge("data: [", "0,", "]\nkind: X\napiVersion: v1\n", NULL);
    check_huge(list, "- {apiVersion: v1, kind: X, spec: {a: [b, c]}}\n",
               "", NULL);
    check_huge("{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[{}",
               ",{\"kind\":\"X\",\"apiVersion\":\"v1\",\"spec\":[1]}", "]}",
               "Object 'Kind' is missing");
    check_huge("kind: X\napiVersion: v1\nspec: ", "xxxxxxxxxxxxxxxx",
               "\n", NULL);
    if (HUGE_RSS_MB) {
        struct rusage usage;

        assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
        assert_in_range(usage.ru_maxrss, 1, HUGE_RSS_MB * 1024L);
    }
}

static void
many_errors(void **state OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_manifest m;

    repeat(&s, "---\nx: [\n", 20000);
    m = decode(ds_cstr(&s));
    assert_in_range(m.errors.n, 1000, 1001);
    np_manifest_clear(&m);
    ds_clear(&s);
    repeat(&s, "---\na: b\n", 20000);
    m = decode(ds_cstr(&s));
    assert_int_equal(m.errors.n, 1001);
    np_manifest_clear(&m);
    ds_destroy(&s);
}

/* Whatever comes of damaged text, it is either objects or errors with a line,
 * and no damage to us. */
static void
check_damaged(const char *text, size_t size)
{
    struct np_manifest m = decode_exactly(text, size);
    struct ds s = DS_EMPTY_INITIALIZER;
    int n_lines = 1;

    for (size_t i = 0; i < size; i++) {
        n_lines += text[i] == '\n';
    }
    for (size_t i = 0; i < m.errors.n; i++) {
        assert_in_range(m.errors.v[i].line, 1, n_lines + 1);
        np_error_format(&m.errors.v[i], &s);
    }
    for (size_t i = 0; i < m.n; i++) {
        assert_true(np_object_equal(m.objects[i], m.objects[i]));
        np_object_format_key(m.objects[i], &s);
    }
    if (m.unparsable) {
        assert_int_not_equal(m.errors.n, 0);
    }
    ds_destroy(&s);
    np_manifest_clear(&m);
}

static void
damage(const char *sample, uint32_t *seed)
{
    size_t size = strlen(sample);
    char *text = xmemdup(sample, size);

    for (size_t i = 0; i <= size; i++) {
        check_damaged(sample, i);
    }
    for (int i = 0; i < 20000; i++) {
        int n = 1 + unit_random_below(seed, 4);

        memcpy(text, sample, size);
        while (n--) {
            size_t at = unit_random_below(seed, size);
            size_t len;

            switch (unit_random_below(seed, 3)) {
            case 0:
                text[at] ^= 1 << unit_random_below(seed, 8);
                break;
            case 1:
                text[at] = "{}[]:,-'\"&*!|>#%@\n \t\\~<\0\xff"[
                    unit_random_below(seed, 26)];
                break;
            default:
                /* A piece of it somewhere else. */
                len = 1 + unit_random_below(seed, 20);
                memmove(text + at, text + unit_random_below(seed, at + 1),
                        MIN(size - at, len));
            }
        }
        check_damaged(text, size - unit_random_below(seed, 2)
                      * unit_random_below(seed, size));
    }
    free(text);
}

static void
damaged(void **state OVS_UNUSED)
{
    uint32_t seed = 20;

    damage(sample_yaml, &seed);
    damage(sample_json, &seed);
}

static void
check_file(const char *dir, const char *name, const char *reason)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct np_manifest m = { .n = 0 };

    np_manifest_read(&m, path);
    if (reason) {
        assert_string_equal(m.errors.v[0].file, path);
        check_error(&m, reason);
    } else {
        check_manifest(&m, path, "Namespace a", "");
    }
    free(path);
}

static void
files(void **state OVS_UNUSED)
{
    char *tmp = xstrdup("/tmp/netpol-unit-XXXXXX");
    char *path;
    FILE *f;

    assert_non_null(mkdtemp(tmp));
    path = xasprintf("%s/good", tmp);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("kind: Namespace\napiVersion: v1\nmetadata: {name: a}\n", f);
    assert_int_equal(fclose(f), 0);
    check_file(tmp, "good", NULL);
    unlink(path);
    free(path);

    path = xasprintf("%s/fifo", tmp);
    assert_int_equal(mkfifo(path, 0600), 0);
    check_file(tmp, "fifo", "Invalid argument");
    unlink(path);
    free(path);

    /* More than the limit, without that it is on the disk. */
    path = xasprintf("%s/big", tmp);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), NP_MANIFEST_MAX + 1u), 0);
    fclose(f);
    check_file(tmp, "big", "larger than 256 MB");
    unlink(path);
    free(path);

    check_file(tmp, "absent", "No such file or directory");
    check_file(tmp, ".", "Is a directory");
    rmdir(tmp);
    free(tmp);
}

int
test_hostile(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep),
        cmocka_unit_test(just_deep_enough),
        cmocka_unit_test(laughs),
        cmocka_unit_test(few_aliases),
        cmocka_unit_test(huge),
        cmocka_unit_test(many_errors),
        cmocka_unit_test(damaged),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}

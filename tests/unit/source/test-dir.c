#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

static void
bad_specs(void **state OVS_UNUSED)
{
    static const char *const bad[] = { "", "dir", "dir:", "file:/x", "/tmp" };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error;

        assert_null(np_source_open(bad[i], &error));
        assert_non_null(error);
        assert_null(strchr(error, '\n'));
        free(error);
    }
}

static void
comes_and_goes(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;

    assert_false(s->complete);
    await_change(f);
    assert_false(s->complete || s->lost);
    assert_non_null(strstr(s->problem, "No such file or directory"));

    /* Empty is complete: there are no objects. */
    make_dir(f, "d");
    await_change(f);
    assert_true(s->complete);
    assert_false(s->lost);
    assert_null(s->problem);
    check(f, "", "");

    put(f, "d/a.yaml", NS("a"));
    await(f, "Namespace a");

    /* Gone: all stays as it is. */
    move(f, "d", "e");
    await_change(f);
    assert_true(s->complete && s->lost);
    assert_non_null(s->problem);
    check(f, "Namespace a", "");

    /* Another directory of the same name. */
    make_dir(f, "d");
    put(f, "d/b.yaml", NS("b"));
    await(f, "Namespace b");
    assert_true(s->complete);
    assert_false(s->lost);
    assert_null(s->problem);

    /* The watch is on the new one. */
    put(f, "e/x.yaml", NS("x"));
    put(f, "d/c.yaml", NS("c"));
    await(f, "Namespace b Namespace c");

    /* A file in its place is no directory. */
    remove_tree(f->dir);
    put(f, "d", "");
    reread(f);
    assert_true(s->lost);
    check(f, "Namespace b Namespace c", "");
    drop(f, "d");
}

static void
files(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/a.yaml", NS("a"));
    put(f, "d/b.yml", NS("b"));
    put(f, "d/c.json", "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
        "\"metadata\":{\"name\":\"c\"}}");
    await(f, "Namespace a Namespace b Namespace c");

    /* As editors do it. */
    put(f, "d/.a.yaml.swp", NS("swp"));
    put(f, "d/4913", NS("probe"));
    drop(f, "d/4913");
    put(f, "d/a.yaml~", NS("old"));
    put(f, "d/#a.yaml#", NS("auto"));
    make_link(f, "user@host.123:456", "d/.#a.yaml");
    put(f, "d/.hidden.yaml", NS("hidden"));
    put(f, "d/a.yaml.tmp", NS("a2"));
    move(f, "d/a.yaml.tmp", "d/a.yaml");
    await(f, "Namespace a2 Namespace b Namespace c");
    check(f, "Namespace a2 Namespace b Namespace c", "");

    drop(f, "d/b.yml");
    await(f, "Namespace a2 Namespace c");
    move(f, "d/c.json", "d/c.txt");
    await(f, "Namespace a2");
    put(f, "d/a.yaml", "");
    await(f, "");
    check(f, "", "");
}

static void
subdirectories(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    await_change(f);
    make_dir(f, "d/s");
    make_dir(f, "d/s/t");
    put(f, "d/s/t/a.yaml", NS("a"));
    await(f, "Namespace a");
    put(f, "d/s/t/b.yaml", NS("b"));
    await(f, "Namespace a Namespace b");
    make_dir(f, "d/.git");
    put(f, "d/.git/x.yaml", NS("x"));
    /* A directory's own name means nothing. */
    make_dir(f, "d/u.yaml");
    put(f, "d/u.yaml/c.yaml", NS("c"));
    await(f, "Namespace a Namespace b Namespace c");
    move(f, "d/s", "moved");
    await(f, "Namespace c");
    check(f, "Namespace c", "");
    move(f, "moved", "d/s");
    await(f, "Namespace a Namespace b Namespace c");
}

/* As a ConfigMap's mount is laid out and changed. */
static void
config_map(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    make_dir(f, "d/..2024_1");
    make_dir(f, "d/..2024_1/sub");
    put(f, "d/..2024_1/p.yaml", POD("p", "1"));
    put(f, "d/..2024_1/sub/q.yaml", POD("q", "1"));
    make_link(f, "..2024_1", "d/..data");
    make_link(f, "..data/p.yaml", "d/p.yaml");
    make_link(f, "..data/sub", "d/sub");
    await(f, "Pod default/p=1 Pod default/q=1");
    check(f, "Pod default/p=1 Pod default/q=1", "");

    make_dir(f, "d/..2024_2");
    make_dir(f, "d/..2024_2/sub");
    put(f, "d/..2024_2/p.yaml", POD("p", "2"));
    put(f, "d/..2024_2/sub/q.yaml", POD("q", "2"));
    make_link(f, "..2024_2", "d/..data_tmp");
    move(f, "d/..data_tmp", "d/..data");
    await(f, "Pod default/p=2 Pod default/q=2");
    check(f, "Pod default/p=2 Pod default/q=2", "");
}

/* What happens behind a link is nowhere an event. */
static void
links(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "real");
    put(f, "real/a.yaml", NS("a"));
    put(f, "outside.yaml", NS("o"));
    make_link(f, "real", "d");
    make_link(f, "../outside.yaml", "real/o.yaml");
    await(f, "Namespace a Namespace o");
    put(f, "outside.yaml", NS("o2"));
    await(f, "Namespace a Namespace o2");

    /* The directory itself is turned. */
    make_dir(f, "other");
    put(f, "other/b.yaml", NS("b"));
    make_link(f, "other", "new");
    move(f, "new", "d");
    await(f, "Namespace b");
    check(f, "Namespace b", "");
}

static void
no_files(void **state)
{
    struct fixture *f = *state;
    char *path = path_of(f, "d/fifo.yaml");

    make_dir(f, "d");
    make_dir(f, "d/s");
    make_link(f, "..", "d/s/up");
    make_link(f, ".", "d/self");
    make_link(f, "loop", "d/loop");
    make_link(f, "loop.yaml", "d/loop.yaml");
    make_link(f, "nothing", "d/nothing.yaml");
    assert_int_equal(mkfifo(path, 0600), 0);
    put(f, "d/s/a.yaml", NS("a"));
    await(f, "Namespace a");
    check(f, "Namespace a",
          "d/loop.yaml: Too many levels of symbolic links\n"
          "d/nothing.yaml: No such file or directory");
    free(path);
}

/* Many files at once are one change. */
static void
settles(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;

    make_dir(f, "d");
    await_change(f);
    for (int i = 0; i < 50; i++) {
        char *name = xasprintf("d/%d.yaml", i);
        char *text = xasprintf(NS("n%d"), i);

        put(f, name, text);
        free(name);
        free(text);
    }
    /* The first look only starts the clock. */
    assert_false(s->class->run(s));
    await_change(f);
    assert_int_equal(s->n_objects, 50);
    assert_false(s->class->run(s));
}

/* But somebody who never stops does not put us off for ever. */
static void
settles_in_the_end(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;
    long long int hang = time_msec() + HANG_MS;

    make_dir(f, "d");
    await_change(f);
    put(f, "d/a.yaml", NS("a"));
    while (!s->class->run(s)) {
        assert_true(time_msec() < hang);
        put(f, "d/noise", "");
        poll_timer_wait(10);
        poll_block();
    }
    check(f, "Namespace a", "");
}

static void
refreshes(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1"));
    s->class->refresh(s);
    check(f, "Pod default/a=1", "");
    assert_true(s->class->run(s));
    assert_false(s->class->run(s));

    /* Again and again within one tick of the file system's clock, with the
     * same size. */
    for (int i = 2; i < 10; i++) {
        char *text = xasprintf(POD("a", "%d"), i);
        char *expected = xasprintf("Pod default/a=%d", i);

        put(f, "d/a.yaml", text);
        s->class->refresh(s);
        check(f, expected, "");
        assert_true(s->class->run(s));
        free(text);
        free(expected);
    }
    s->class->refresh(s);
    assert_false(s->class->run(s));
}

/* Objects that left live until the change was taken. */
static void
old_objects_live_on(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;
    const struct np_meta *old;

    make_dir(f, "d");
    put(f, "d/a.yaml", NS("a"));
    reread(f);
    old = s->changes.v[0].new;
    np_source_taken(s);
    put(f, "d/a.yaml", NS("b"));
    reread(f);
    assert_string_equal(old->name, "a");
    put(f, "d/a.yaml", NS("c"));
    reread(f);
    assert_string_equal(old->name, "a");
    check(f, "Namespace c", "");
    np_source_taken(s);
    check(f, "Namespace c", "");
}

#define KEPT "; the last good version stays in force"

static void
broken_files(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1") "---\n" POD("b", "1"));
    put(f, "d/z.yaml", NS("z"));
    reread(f);
    check(f, "Pod default/a=1 Pod default/b=1 Namespace z", "");

    /* Nothing of a text that is broken anywhere. */
    put(f, "d/a.yaml", POD("a", "2") "---\nx: [\n");
    reread(f);
    check(f, "Pod default/a=1 Pod default/b=1 Namespace z",
          "d/a.yaml:6: invalid YAML: while parsing a flow node: did not find "
          "expected node content" KEPT);
    put(f, "d/a.yaml", POD("a", "2") "---\napiVersion: v1\n");
    reread(f);
    check(f, "Pod default/a=1 Pod default/b=1 Namespace z",
          "d/a.yaml:5: kind: Required value: Object 'Kind' is missing" KEPT);

    put(f, "d/a.yaml", POD("a", "3"));
    reread(f);
    check(f, "Pod default/a=3 Namespace z", "");

    /* Never good: what can be read of it counts, and does not get less. */
    put(f, "d/n.yaml", POD("m", "1") "---\n" POD("o", "1") "---\nx: [\n");
    reread(f);
    check(f, "Pod default/a=3 Pod default/m=1 Pod default/o=1 Namespace z",
          "d/n.yaml:10: invalid YAML: while parsing a flow node: did not find "
          "expected node content");
    put(f, "d/n.yaml", POD("o", "2") "---\nx: [\n");
    reread(f);
    check(f, "Pod default/a=3 Pod default/m=1 Pod default/o=2 Namespace z",
          "d/n.yaml:6: invalid YAML: while parsing a flow node: did not find "
          "expected node content");
    drop(f, "d/n.yaml");
    reread(f);
    check(f, "Pod default/a=3 Namespace z", "");
}

static void
invalid_objects(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1") "---\n" POD("b", "1") "---\n"
        POD("c", "1"));
    reread(f);

    /* One is invalid now, one is gone, one is changed. */
    put(f, "d/a.yaml", POD("a", "!") "---\n" POD("b", "2"));
    reread(f);
    assert_int_equal(f->source->errors.n, 1);
    assert_string_equal(f->source->errors.v[0].object, "Pod default/a");
    assert_non_null(strstr(f->source->errors.v[0].reason, KEPT));
    check(f, "Pod default/a=1 Pod default/b=2",
          "d/a.yaml:3: metadata.labels: Invalid value: \"!\": a valid label "
          "must be an empty string or consist of alphanumeric characters, "
          "'-', '_' or '.', and must start and end with an alphanumeric "
          "character (e.g. 'MyValue', or 'my_value', or '12345', regex used "
          "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
          KEPT);

    /* It stays through further edits. */
    put(f, "d/a.yaml", POD("a", "!") "---\n" POD("b", "3"));
    reread(f);
    assert_int_equal(f->source->errors.n, 1);
    await(f, "Pod default/a=1 Pod default/b=3");

    /* Never valid: nothing to keep. */
    put(f, "d/a.yaml", POD("a", "2") "---\n" POD("new", "!"));
    reread(f);
    assert_int_equal(f->source->errors.n, 1);
    assert_null(strstr(f->source->errors.v[0].reason, KEPT));
    await(f, "Pod default/a=2");
}

static void
duplicates(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    make_dir(f, "d/a");
    put(f, "d/b.yaml", POD("p", "b") "---\n" POD("p", "again"));
    put(f, "d/c.yaml", "# first\n" POD("p", "c"));
    reread(f);
    check(f, "Pod default/p=b",
          "d/b.yaml:5: metadata.name: Duplicate value: \"p\": Pod default/p "
          "is already defined at d/b.yaml:1, which holds\n"
          "d/c.yaml:2: metadata.name: Duplicate value: \"p\": Pod default/p "
          "is already defined at d/b.yaml:1, which holds");
    assert_string_equal(f->source->errors.v[0].object, "Pod default/p");

    put(f, "d/a/x.yaml", POD("p", "a"));
    drop(f, "d/c.yaml");
    put(f, "d/b.yaml", POD("p", "b"));
    reread(f);
    check(f, "Pod default/p=a",
          "d/b.yaml:1: metadata.name: Duplicate value: \"p\": Pod default/p "
          "is already defined at d/a/x.yaml:1, which holds");
    drop(f, "d/a/x.yaml");
    reread(f);
    check(f, "Pod default/p=b", "");
}

static void
sorted(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/1.yaml", NS("b") "---\n" POD("z", "") "---\n"
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: a}\n");
    put(f, "d/2.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, "
        "namespace: z}\n---\n" POD("a", "") "---\n" NS("a") "---\n"
        "apiVersion: v1\nkind: Node\nmetadata: {name: m}\n");
    reread(f);
    check(f, "Pod default/a= Pod default/z= Pod z/a Namespace a Namespace b "
          "Node m NetworkPolicy default/a", "");
}

/* As somebody whom the permissions mean something to. */
static void
permissions(void **state)
{
    struct fixture *f = *state;
    char *file = path_of(f, "d/a.yaml");
    char *dir = path_of(f, "d/s");
    bool root = !geteuid();

    if (root) {
        assert_int_equal(chown(f->top, 65534, 65534), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    make_dir(f, "d");
    make_dir(f, "d/s");
    put(f, "d/a.yaml", NS("a"));
    put(f, "d/s/b.yaml", NS("b"));
    reread(f);
    assert_int_equal(chmod(file, 0), 0);
    assert_int_equal(chmod(dir, 0), 0);
    reread(f);
    check(f, "Namespace a Namespace b",
          "d/s: Permission denied; what was read of it before stays in "
          "force\n"
          "d/a.yaml: Permission denied" KEPT);
    /* Its names can be read, but nothing behind them. */
    assert_int_equal(chmod(dir, 0400), 0);
    reread(f);
    check(f, "Namespace a Namespace b",
          "d/a.yaml: Permission denied" KEPT "\n"
          "d/s/b.yaml: Permission denied" KEPT);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(chmod(file, 0600), 0);
    put(f, "d/a.yaml", NS("c"));
    await(f, "Namespace b Namespace c");
    check(f, "Namespace b Namespace c", "");

    assert_int_equal(chmod(f->dir, 0), 0);
    reread(f);
    assert_true(f->source->lost);
    assert_non_null(strstr(f->source->problem, "Permission denied"));
    check(f, "Namespace b Namespace c", "");
    assert_int_equal(chmod(f->dir, 0700), 0);
    if (root) {
        assert_int_equal(seteuid(0), 0);
    }
    free(file);
    free(dir);
}

/* More events than the kernel's queue holds. */
static void
overflow(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/a.yaml", NS("a"));
    await(f, "Namespace a");
    for (int i = 0; i < 10000; i++) {
        move(f, "d/a.yaml", "d/b.yaml");
        move(f, "d/b.yaml", "d/a.yaml");
    }
    make_dir(f, "d/late");
    put(f, "d/late/c.yaml", NS("c"));
    await(f, "Namespace a Namespace c");
    put(f, "d/late/e.yaml", NS("e"));
    await(f, "Namespace a Namespace c Namespace e");
}

int
test_dir(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_specs),
        TEST(comes_and_goes),
        TEST(files),
        TEST(subdirectories),
        TEST(config_map),
        TEST(links),
        TEST(no_files),
        TEST(settles),
        TEST(settles_in_the_end),
        TEST(refreshes),
        TEST(old_objects_live_on),
        TEST(broken_files),
        TEST(invalid_objects),
        TEST(duplicates),
        TEST(sorted),
        TEST(permissions),
        TEST(overflow),
    };

    return cmocka_run_group_tests_name("dir", tests, NULL, NULL);
}

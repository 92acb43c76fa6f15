/* What was good before the start: it is in force where the source cannot be
 * read, as if the source had read it itself. */

#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "netpol/manifest.h"
#include "timeval.h"
#include "util.h"

#define BROKEN "spec: [\n"
#define BAD_POD(NAME) \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: " NAME "}\n" \
    "status: {podIP: nowhere}\n"
#define NO_NODE \
    "invalid YAML: while parsing a flow node: did not find expected node " \
    "content"
#define STAYS "; the last good version stays in force"

/* Adds to LAST what the file NAME said, if the source lacks it. */
static void
said(struct fixture *f, struct np_last_good *last, const char *name,
     const char *text)
{
    struct np_manifest m = { .pool = f->source->pool };
    char *path = path_of(f, name);

    if (np_source_lacks(f->source, path)) {
        np_manifest_decode(&m, path, text, strlen(text));
        assert_int_equal(m.errors.n, 0);
        last->v = xrealloc(last->v, (last->n + m.n) * sizeof *last->v);
        for (size_t i = 0; i < m.n; i++) {
            last->v[last->n++] = m.objects[i];
        }
        m.n = 0;
        np_manifest_clear(&m);
    }
    free(path);
}

static unsigned int
kept_since(const struct fixture *f, const char *name)
{
    char *path = path_of(f, name);
    unsigned int since = simap_get(&f->source->kept, path);

    free(path);
    return since;
}

static void
no_directory(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;
    struct np_last_good last;

    assert_false(s->tried);
    await_change(f);
    assert_true(s->tried && !s->complete);
    assert_true(np_source_lacks(s, NULL));
    np_last_good_init(&last);
    last.as_of = 1000;
    said(f, &last, "d/b.yaml", POD("b", "1") "---\n" POD("c", "1"));
    said(f, &last, "d/a.yaml", POD("a", "1"));
    said(f, &last, "elsewhere/a.yaml", POD("x", "1"));
    assert_int_equal(last.n, 3);
    np_source_restore(s, &last);
    np_last_good_destroy(&last);
    check(f, "Pod default/a=1 Pod default/b=1 Pod default/c=1", "");
    assert_true(s->restored && !s->complete && !s->lost);
    assert_int_equal(s->as_of, 1000);
    assert_true(simap_is_empty(&s->kept));
    assert_int_equal(s->changes.n, 3);
    np_source_taken(s);

    /* Now it can be read: the difference, and a file that is broken. */
    make_dir(f, "e");
    put(f, "e/a.yaml", BROKEN);
    put(f, "e/b.yaml", POD("b", "1") "---\n" POD("d", "1"));
    move(f, "e", "d");
    await(f, "Pod default/a=1 Pod default/b=1 Pod default/d=1");
    assert_true(s->complete && !s->restored);
    assert_int_equal(s->as_of, 0);
    assert_int_equal(s->changes.n, 2);
    assert_int_equal(kept_since(f, "d/a.yaml"), 1000);
    assert_int_equal(simap_count(&s->kept), 1);
    put(f, "d/a.yaml", POD("a", "2"));
    await(f, "Pod default/a=2 Pod default/b=1 Pod default/d=1");
    assert_true(simap_is_empty(&s->kept));
    check(f, "Pod default/a=2 Pod default/b=1 Pod default/d=1", "");
}

static void
broken_files(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;
    struct np_last_good last;
    char *path = path_of(f, "d/c.yaml");

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "2"));
    put(f, "d/b.yaml", POD("b", "2") "---\n" BROKEN);
    put(f, "d/c.yaml", POD("c", "2") "---\n" BAD_POD("d") "---\n"
        BAD_POD("e"));
    await_change(f);
    assert_true(s->complete);
    check(f, "Pod default/a=2 Pod default/b=2 Pod default/c=2",
          "d/b.yaml:6: " NO_NODE "\n"
          "d/c.yaml:8: status.podIP: Invalid value: \"nowhere\": must be a "
          "valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)\n"
          "d/c.yaml:13: status.podIP: Invalid value: \"nowhere\": must be a "
          "valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    assert_true(np_source_lacks(s, NULL));
    np_last_good_init(&last);
    last.as_of = 1000;
    simap_put(&last.kept, path, 500);
    said(f, &last, "d/a.yaml", POD("a", "1") "---\n" POD("z", "1"));
    assert_int_equal(last.n, 0);
    said(f, &last, "d/b.yaml", POD("b", "1") "---\n" POD("x", "1"));
    said(f, &last, "d/c.yaml", POD("c", "1") "---\n" POD("d", "1") "---\n"
         POD("v", "1"));
    said(f, &last, "d/gone.yaml", POD("g", "1"));
    assert_int_equal(last.n, 5);
    np_source_restore(s, &last);
    np_last_good_destroy(&last);

    /* Of a broken file all that it said; else what is refused now. */
    check(f, "Pod default/a=2 Pod default/b=1 Pod default/c=2 Pod default/d=1"
          " Pod default/x=1",
          "d/b.yaml:6: " NO_NODE STAYS "\n"
          "d/c.yaml:8: status.podIP: Invalid value: \"nowhere\": must be a "
          "valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)" STAYS "\n"
          "d/c.yaml:13: status.podIP: Invalid value: \"nowhere\": must be a "
          "valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    assert_false(s->restored);
    assert_int_equal(kept_since(f, "d/b.yaml"), 1000);
    assert_int_equal(kept_since(f, "d/c.yaml"), 500);
    assert_int_equal(simap_count(&s->kept), 2);
    np_source_taken(s);
    put(f, "d/b.yaml", "");
    put(f, "d/c.yaml", POD("d", "1"));
    await(f, "Pod default/a=2 Pod default/d=1");
    assert_true(simap_is_empty(&s->kept));
    free(path);
}

/* A source that is good, and then is not. */
static void
while_it_runs(void **state)
{
    unsigned int now = time_wall();
    struct fixture *f = *state;
    struct np_source *s = f->source;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1"));
    await_change(f);
    assert_false(np_source_lacks(s, NULL));
    put(f, "d/a.yaml", BROKEN);
    reread(f);
    assert_true(kept_since(f, "d/a.yaml") >= now);
    put(f, "d/b.yaml", BROKEN);         /* Has never said anything. */
    reread(f);
    assert_int_equal(simap_count(&s->kept), 1);
    put(f, "d/a.yaml", POD("a", "1"));
    reread(f);
    assert_true(simap_is_empty(&s->kept));

    move(f, "d", "e");
    await_change(f);
    assert_true(s->lost && s->as_of >= now);
    move(f, "e", "d");
    await_change(f);
    assert_false(s->lost);
    assert_int_equal(s->as_of, 0);
}

static void
moves(void **state)
{
    struct fixture *f = *state;
    struct np_source *s = f->source;
    char *path = path_of(f, "d/b.yaml");

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1") "---\n" POD("b", "1"));
    await_change(f);
    assert_int_equal(s->moves.n, 0);
    np_source_taken(s);
    move(f, "d/a.yaml", "d/b.yaml");
    reread(f);
    assert_int_equal(s->changes.n, 0);
    assert_int_equal(s->moves.n, 2);
    for (size_t i = 0; i < s->moves.n; i++) {
        assert_ptr_equal(s->moves.v[i].old, s->moves.v[i].new);
        assert_string_equal(s->moves.v[i].new->file, path);
    }
    np_source_taken(s);
    assert_int_equal(s->moves.n, 0);

    /* To where it holds, and back when that is gone. */
    put(f, "d/a.yaml", POD("b", "1"));
    reread(f);
    assert_int_equal(s->changes.n, 0);
    assert_int_equal(s->moves.n, 1);
    np_source_taken(s);
    drop(f, "d/a.yaml");
    reread(f);
    assert_int_equal(s->changes.n, 0);
    assert_int_equal(s->moves.n, 1);
    assert_string_equal(s->moves.v[0].new->file, path);
    free(path);
}

int
test_restore(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_directory),
        TEST(broken_files),
        TEST(while_it_runs),
        TEST(moves),
    };

    return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}

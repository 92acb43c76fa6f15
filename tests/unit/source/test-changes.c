/* Changes: what a follower of them has must be what is in force, and nothing
 * is a change that says what was said before. */

#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "util.h"

static char *
key_of(const struct np_meta *object)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s ", np_kind_name(object->kind));
    np_object_format_key(object, &s);
    return ds_steal_cstr(&s);
}

/* "key:old>new" with the labels of both, "-" for none. */
static void
show_change(const struct np_change *c, struct ds *s)
{
    const struct np_meta *sides[] = { c->old, c->new };
    char *key = key_of(c->old ? c->old : c->new);

    ds_put_format(s, "%s:", strrchr(key, '/') ? strrchr(key, '/') + 1 : key);
    for (size_t i = 0; i < 2; i++) {
        const char *label = sides[i] ? np_labels_get(&sides[i]->labels, "l")
                                     : "-";

        ds_put_format(s, "%s%s", i ? ">" : "", label ? label : "?");
    }
    free(key);
}

/* Reads again and checks that the changes since the last np_source_taken()
 * are those. */
static void
check_changes(const struct fixture *f, const char *expected)
{
    const struct np_changes *changes = &f->source->changes;
    struct ds s = DS_EMPTY_INITIALIZER;

    reread(f);
    for (size_t i = 0; i < changes->n; i++) {
        if (i) {
            ds_put_char(&s, ' ');
        }
        show_change(&changes->v[i], &s);
    }
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
}

static void
check_taken(const struct fixture *f, const char *expected)
{
    check_changes(f, expected);
    np_source_taken(f->source);
    assert_int_equal(f->source->changes.n, 0);
}

static void
keep(const struct np_meta *object, void *kept)
{
    *(const struct np_meta **) kept = object;
}

static const struct np_meta *
only_object(const struct fixture *f)
{
    const struct np_meta *object = NULL;

    assert_int_equal(f->source->n_objects, 1);
    np_source_for_each(f->source, keep, &object);
    return object;
}

static void
rewritten(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1") "---\n" POD("b", "1") "---\n"
        POD("c", "1"));
    check_taken(f, "a:->1 b:->1 c:->1");
    check_taken(f, "");

    put(f, "d/a.yaml", POD("a", "1") "---\n" POD("b", "2") "---\n"
        POD("c", "1"));
    check_taken(f, "b:1>2");
    /* Other lines, another order. */
    put(f, "d/a.yaml", "# One more.\n" POD("c", "1") "---\n" POD("a", "1")
        "---\n" POD("b", "2"));
    check_taken(f, "");
    put(f, "d/a.yaml", POD("d", "1") "---\n" POD("c", "2") "---\n"
        POD("b", "2"));
    check_taken(f, "d:->1 c:1>2 a:1>-");
    check(f, "Pod default/b=2 Pod default/c=2 Pod default/d=1", "");
}

#define POLICY \
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
    "metadata: {name: p}\nspec:\n  podSelector: {}\n  ingress:\n" \
    "  - from:\n    - podSelector: {}\n    ports:\n    - port: 1\n"

/* An object that is found elsewhere is the same, in another place. */
static void
new_places(void **state)
{
    struct fixture *f = *state;
    const struct np_netpol *p;
    const struct np_meta *o;

    make_dir(f, "d");
    put(f, "d/a.yaml", POLICY);
    check_taken(f, "p:->?");
    o = only_object(f);
    p = (const struct np_netpol *) o;
    assert_int_equal(o->line, 1);
    assert_int_equal(p->rules[NP_INGRESS][0].line, 7);

    put(f, "d/a.yaml", "# One.\n# Two.\n" POLICY);
    check_taken(f, "");
    assert_ptr_equal(only_object(f), o);
    assert_int_equal(o->line, 3);
    assert_int_equal(p->rules[NP_INGRESS][0].line, 9);
    assert_int_equal(p->rules[NP_INGRESS][0].peers[0].line, 10);
    assert_int_equal(p->rules[NP_INGRESS][0].ports[0].line, 12);

    /* To files after and before its own. */
    move(f, "d/a.yaml", "d/b.yaml");
    check_taken(f, "");
    assert_ptr_equal(only_object(f), o);
    assert_non_null(strstr(o->file, "/d/b.yaml"));
    make_dir(f, "d/a");
    put(f, "d/a/x.yaml", POLICY);
    drop(f, "d/b.yaml");
    check_taken(f, "");
    assert_ptr_equal(only_object(f), o);
    assert_non_null(strstr(o->file, "/d/a/x.yaml"));
    assert_int_equal(o->line, 1);
    check(f, "NetworkPolicy default/p", "");
}

static void
moved_and_changed(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1"));
    put(f, "d/c.yaml", POD("c", "1"));
    check_taken(f, "a:->1 c:->1");
    put(f, "d/b.yaml", POD("a", "2") "---\n" POD("c", "2"));
    drop(f, "d/a.yaml");
    drop(f, "d/c.yaml");
    check_taken(f, "c:1>2 a:1>2");
    check(f, "Pod default/a=2 Pod default/c=2", "");
}

/* Changes that nobody has taken yet go on from each other. */
static void
chain(void **state)
{
    struct fixture *f = *state;
    const struct np_changes *changes = &f->source->changes;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1"));
    check_changes(f, "a:->1");
    put(f, "d/a.yaml", POD("a", "2"));
    check_changes(f, "a:->1 a:1>2");
    put(f, "d/a.yaml", "");
    check_changes(f, "a:->1 a:1>2 a:2>-");
    put(f, "d/b.yaml", POD("a", "3"));
    check_changes(f, "a:->1 a:1>2 a:2>- a:->3");
    for (size_t i = 1; i < changes->n; i++) {
        assert_ptr_equal(changes->v[i].old, changes->v[i - 1].new);
    }
    assert_ptr_equal(only_object(f), changes->v[3].new);
    np_source_taken(f->source);
    check_taken(f, "");
    check(f, "Pod default/a=3", "");
    put(f, "d/b.yaml", "");
    check_taken(f, "a:3>-");
}

/* What cannot be read changes nothing. */
static void
lost(void **state)
{
    struct fixture *f = *state;

    make_dir(f, "d");
    put(f, "d/a.yaml", POD("a", "1"));
    check_taken(f, "a:->1");
    move(f, "d", "e");
    check_taken(f, "");
    assert_true(f->source->lost);
    put(f, "e/a.yaml", POD("a", "1") "---\nx: [\n");
    move(f, "e", "d");
    check_taken(f, "");
    assert_false(f->source->lost);
    assert_int_equal(f->source->errors.n, 1);
    put(f, "d/a.yaml", POD("a", "!") "---\n" POD("a", "2"));
    check_taken(f, "a:1>2");
    put(f, "d/a.yaml", POD("a", "!") "---\n" POD("a", "!"));
    check_taken(f, "");
    assert_int_equal(f->source->errors.n, 2);
}

static char *
first_at(const char *place, const char *more, const char *file)
{
    return xasprintf("%s: metadata.name: Duplicate value: \"p\": Pod "
                     "default/p is already defined at %s, which holds%s%s",
                     place, file, *more ? "\n" : "", more);
}

static void
take_over(void **state)
{
    struct fixture *f = *state;
    char *one, *two;

    make_dir(f, "d");
    put(f, "d/b.yaml", POD("p", "b"));
    check_taken(f, "p:->b");
    put(f, "d/c.yaml", POD("p", "c"));
    check_taken(f, "");
    put(f, "d/a.yaml", POD("p", "a") "---\n" POD("p", "again"));
    check_taken(f, "p:b>a");
    one = first_at("d/c.yaml:1", "", "d/a.yaml:1");
    two = first_at("d/b.yaml:1", one, "d/a.yaml:1");
    free(one);
    one = first_at("d/a.yaml:5", two, "d/a.yaml:1");
    check(f, "Pod default/p=a", one);
    free(one);
    free(two);

    /* The first of a file changes places with the second. */
    put(f, "d/a.yaml", POD("p", "again") "---\n" POD("p", "a"));
    check_taken(f, "p:a>again");
    /* One that does not hold changes: nothing but its complaint. */
    put(f, "d/b.yaml", "\n" POD("p", "b2"));
    put(f, "d/a.yaml", "# One.\n" POD("p", "again"));
    check_taken(f, "");
    one = first_at("d/c.yaml:1", "", "d/a.yaml:2");
    two = first_at("d/b.yaml:2", one, "d/a.yaml:2");
    check(f, "Pod default/p=again", two);
    free(one);
    free(two);

    drop(f, "d/a.yaml");
    check_taken(f, "p:again>b2");
    put(f, "d/b.yaml", POD("q", "b"));
    check_taken(f, "q:->b p:b2>c");
    check(f, "Pod default/p=c Pod default/q=b", "");
    drop(f, "d/c.yaml");
    check_taken(f, "p:c>-");
}

/* Those that say the same take over without a change. */
static void
take_over_the_same(void **state)
{
    struct fixture *f = *state;
    const struct np_meta *o;
    char *error;

    make_dir(f, "d");
    put(f, "d/b.yaml", POD("p", "1"));
    check_taken(f, "p:->1");
    o = only_object(f);
    put(f, "d/a.yaml", "# First.\n" POD("p", "1"));
    put(f, "d/c.yaml", POD("p", "1"));
    check_taken(f, "");
    assert_ptr_equal(only_object(f), o);
    drop(f, "d/b.yaml");
    check_taken(f, "");
    error = first_at("d/c.yaml:1", "", "d/a.yaml:2");
    check(f, "Pod default/p=1", error);
    free(error);
    drop(f, "d/a.yaml");
    check_taken(f, "");
    assert_ptr_equal(only_object(f), o);
    check(f, "Pod default/p=1", "");
}

/* Random edits. */

/* Takes in all changes, as a cache would. */
static void
follow(struct shash *seen, struct np_source *s)
{
    for (size_t i = 0; i < s->changes.n; i++) {
        const struct np_change *c = &s->changes.v[i];
        char *key = key_of(c->old ? c->old : c->new);

        assert_ptr_equal(shash_find_data(seen, key), c->old);
        assert_false(c->old && c->new && np_object_equal(c->old, c->new));
        if (c->new) {
            shash_replace(seen, key, c->new);
        } else {
            shash_find_and_delete(seen, key);
        }
        free(key);
    }
    np_source_taken(s);
}

static void
check_seen(const struct np_meta *object, void *seen)
{
    char *key = key_of(object);

    assert_ptr_equal(shash_find_data(seen, key), object);
    free(key);
}

/* A text of a few pods, mostly with the same labels. */
static char *
random_text(uint32_t *seed)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t n = unit_random_below(seed, 6); n; n--) {
        uint32_t label = unit_random_below(seed, 3);

        if (!unit_random_below(seed, 4)) {
            ds_put_cstr(&s, "# A line.\n");
        }
        ds_put_format(&s, POD("%c", "%c") "---\n",
                      'a' + unit_random_below(seed, 6), "112"[label]);
    }
    return ds_steal_cstr(&s);
}

static void
random_edit(const struct fixture *f, bool *exist, uint32_t *seed)
{
    size_t i = unit_random_below(seed, 5);
    size_t j = unit_random_below(seed, 5);
    char *from = xasprintf("d/%"PRIuSIZE".yaml", i);
    char *to = xasprintf("d/%"PRIuSIZE".yaml", j);
    char *text = random_text(seed);

    switch (exist[i] ? unit_random_below(seed, 4) : 0) {
    case 0:
    case 1:
        put(f, from, text);
        exist[i] = true;
        break;
    case 2:
        drop(f, from);
        exist[i] = false;
        break;
    default:
        move(f, from, to);
        exist[i] = false;
        exist[j] = true;
    }
    free(text);
    free(from);
    free(to);
}

/* What a source has become must be what one that is opened now finds. */
static void
check_with_fresh(const struct fixture *f)
{
    struct fixture fresh = { f->top, f->dir, NULL };
    char *error, *objects, *errors;

    fresh.source = np_source_open(f->source->name, &error);
    reread(&fresh);
    objects = show_objects(fresh.source);
    errors = show_errors(&fresh);
    check(f, objects, errors);
    free(objects);
    free(errors);
    np_source_close(fresh.source);
}

static void
random_edits(void **state)
{
    struct fixture *f = *state;
    struct shash seen = SHASH_INITIALIZER(&seen);
    bool exist[5] = { false };
    uint32_t seed = 29;
    size_t n_changes = 0;

    make_dir(f, "d");
    for (int i = 0; i < 1000; i++) {
        for (size_t n = unit_random_below(&seed, 4); n; n--) {
            random_edit(f, exist, &seed);
        }
        reread(f);
        if (unit_random_below(&seed, 2)) {
            n_changes += f->source->changes.n;
            follow(&seen, f->source);
            assert_int_equal(shash_count(&seen), f->source->n_objects);
            np_source_for_each(f->source, check_seen, &seen);
        }
        check_with_fresh(f);
    }
    assert_in_range(n_changes, 500, 5000);
    shash_destroy(&seen);
}

int
test_changes(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rewritten),
        TEST(new_places),
        TEST(moved_and_changed),
        TEST(chain),
        TEST(lost),
        TEST(take_over),
        TEST(take_over_the_same),
        TEST(random_edits),
    };

    return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}

#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netpol/manifest.h"
#include "netpol/pool.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

#define HANG_MS 30000           /* Only catches what hangs. */

static bool
lacks(const struct np_source *s, const char *file)
{
    const struct fixture *f = CONTAINER_OF(s, struct fixture, source);

    return !f->lacking || (file && !strcmp(file, f->lacking));
}

int
setup(void **state)
{
    static const struct np_source_class class = { .lacks = lacks };
    struct fixture *f = xzalloc(sizeof *f);

    f->dir = xstrdup("/tmp/netpol-unit-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->path = xasprintf("%s/objects", f->dir);
    f->source.class = &class;
    f->source.name = xstrdup("dir:/policies");
    f->source.pool = np_pool_create();
    f->source.complete = true;
    simap_init(&f->source.kept);
    np_cache_init(&f->cache);
    *state = f;
    return 0;
}

int
teardown(void **state)
{
    struct fixture *f = *state;
    char *new_path = xasprintf("%s.new", f->path);

    end(f);
    assert_int_equal(access(new_path, F_OK), -1);
    set_aside(f);
    unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0);
    np_cache_destroy(&f->cache);
    for (size_t i = 0; i < f->n; i++) {
        np_object_destroy(f->objects[i]);
    }
    np_pool_destroy(f->source.pool);
    simap_destroy(&f->source.kept);
    free(f->source.name);
    free(f->objects);
    free(new_path);
    free(f->path);
    free(f->dir);
    free(f);
    return 0;
}

static struct np_meta *
make_pod(struct fixture *f, const char *file, const char *name,
         const char *label)
{
    char *text = xasprintf("--- {apiVersion: v1, kind: Pod, metadata: "
                           "{name: '%s', uid: u-%s, labels: {l: '%s'}}, "
                           "status: {phase: Running, podIP: 10.0.0.1}}",
                           name, name, label);
    struct np_manifest m = { .pool = f->source.pool };
    struct np_meta *object;

    np_manifest_decode(&m, file, text, strlen(text));
    assert_int_equal(m.n, 1);
    assert_int_equal(m.errors.n, 0);
    object = m.objects[0];
    m.n = 0;
    np_manifest_clear(&m);
    free(text);
    if (f->n >= f->allocated) {
        f->objects = x2nrealloc(f->objects, &f->allocated,
                                sizeof *f->objects);
    }
    f->objects[f->n++] = object;
    return object;
}

/* The change or move of the source is taken in. */
static void
take_in(struct fixture *f)
{
    struct np_cache_delta delta = { .n = 0 };

    np_cache_apply(&f->cache, &f->source.changes, &delta);
    np_cache_settle(&f->cache, &delta);
    if (f->saved) {
        np_saved_note(f->saved, &f->source);
    }
    np_changes_clear(&f->source.changes);
    np_changes_clear(&f->source.moves);
}

void
change(struct fixture *f, const char *file, const char *name,
       const char *label)
{
    struct np_entry *e = np_cache_find(&f->cache, NP_POD, "default", name);

    np_changes_add(&f->source.changes, e ? e->object : NULL,
                   label ? make_pod(f, file, name, label) : NULL);
    take_in(f);
}

void
move(struct fixture *f, const char *file, const char *name)
{
    struct np_entry *e = np_cache_find(&f->cache, NP_POD, "default", name);
    struct np_meta *object = CONST_CAST(struct np_meta *, e->object);

    np_pool_put(object->file);
    object->file = np_pool_string(f->source.pool, file);
    np_changes_add(&f->source.moves, object, object);
    take_in(f);
}

void
save(struct fixture *f)
{
    f->saved = np_saved_create(f->path, f->source.name);
}

void
run(struct fixture *f)
{
    char *new_path = xasprintf("%s.new", f->path);
    long long int hang = time_msec() + HANG_MS;

    for (;;) {
        assert_true(time_msec() < hang);
        np_saved_run(f->saved, &f->cache, f->source.as_of);
        if (!np_saved_problem(f->saved) && access(new_path, F_OK)) {
            break;
        }
        np_saved_wait(f->saved);
        poll_timer_wait_until(hang);
        poll_block();
    }
    free(new_path);
}

void
end(struct fixture *f)
{
    np_saved_close(f->saved, &f->cache, f->source.as_of);
    f->saved = NULL;
}

/* "NAME=LABEL@FILE" */
static void
add_shown(struct svec *lines, const struct np_meta *object)
{
    svec_add_nocopy(lines, xasprintf("%s=%s@%s", object->name,
                                     np_labels_get(&object->labels, "l"),
                                     object->file ? object->file : ""));
}

static char *
join(struct svec *lines)
{
    char *text;

    svec_sort(lines);
    text = svec_join(lines, " ", "");
    svec_destroy(lines);
    return text;
}

char *
load(struct fixture *f)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    struct np_last_good last;
    bool ok;

    np_last_good_init(&last);
    ok = np_saved_load(f->path, &f->source, &last);
    assert_int_equal(ok, last.as_of != 0);
    for (size_t i = 0; i < last.n; i++) {
        add_shown(&lines, last.v[i]);
    }
    assert_true(ok || !last.n);
    np_last_good_destroy(&last);
    if (!ok) {
        svec_destroy(&lines);
        return xstrdup("nothing");
    }
    return join(&lines);
}

void
check(struct fixture *f, const char *expected)
{
    char *got = load(f);

    assert_string_equal(got, expected);
    free(got);
}

char *
in_force(const struct fixture *f)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct np_entry *e;

    HMAP_FOR_EACH (e, key_node, &f->cache.by_key) {
        add_shown(&lines, e->object);
    }
    return join(&lines);
}

char *
read_file(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    char *text;

    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    *size = ftell(stream);
    rewind(stream);
    text = xmalloc(*size + 1);
    assert_int_equal(fread(text, 1, *size, stream), *size);
    fclose(stream);
    return text;
}

void
write_file(const char *path, const char *text, size_t size)
{
    FILE *stream = fopen(path, "wb");

    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

bool
set_aside(const struct fixture *f)
{
    char *bad = xasprintf("%s.bad", f->path);
    bool there = !unlink(bad);

    free(bad);
    return there;
}

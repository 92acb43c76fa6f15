#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

char *
path_of(const struct fixture *f, const char *name)
{
    return xasprintf("%s/%s", f->top, name);
}

int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);
    char *spec, *error;

    f->top = xstrdup("/tmp/netpol-unit-XXXXXX");
    assert_non_null(mkdtemp(f->top));
    f->dir = path_of(f, "d");
    spec = xasprintf("dir:%s", f->dir);
    f->source = np_source_open(spec, &error);
    assert_non_null(f->source);
    assert_null(error);
    assert_string_equal(f->source->name, spec);
    free(spec);
    *state = f;
    return 0;
}

static int
remove_cb(const char *path, const struct stat *st OVS_UNUSED,
          int flag OVS_UNUSED, struct FTW *ftw OVS_UNUSED)
{
    return remove(path);
}

void
remove_tree(const char *path)
{
    assert_int_equal(nftw(path, remove_cb, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int
teardown(void **state)
{
    struct fixture *f = *state;

    np_source_close(f->source);
    remove_tree(f->top);
    free(f->top);
    free(f->dir);
    free(f);
    return 0;
}

void
make_dir(const struct fixture *f, const char *name)
{
    char *path = path_of(f, name);

    assert_int_equal(mkdir(path, 0755), 0);
    free(path);
}

void
put(const struct fixture *f, const char *name, const char *text)
{
    char *path = path_of(f, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    free(path);
}

void
move(const struct fixture *f, const char *from, const char *to)
{
    char *a = path_of(f, from);
    char *b = path_of(f, to);

    assert_int_equal(rename(a, b), 0);
    free(a);
    free(b);
}

void
drop(const struct fixture *f, const char *name)
{
    char *path = path_of(f, name);

    assert_int_equal(unlink(path), 0);
    free(path);
}

void
make_link(const struct fixture *f, const char *target, const char *name)
{
    char *path = path_of(f, name);

    assert_int_equal(symlink(target, path), 0);
    free(path);
}

/* Appends "Kind key[=label]". */
static void
show_object(const struct np_meta *object, struct ds *s)
{
    const char *label = np_labels_get(&object->labels, "l");

    ds_put_format(s, "%s ", np_kind_name(object->kind));
    np_object_format_key(object, s);
    if (label) {
        ds_put_format(s, "=%s", label);
    }
}

char *
show_objects(const struct np_source *s)
{
    const struct np_meta **objects = np_source_sort(s);
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < s->n_objects; i++) {
        if (i) {
            ds_put_char(&ds, ' ');
        }
        show_object(objects[i], &ds);
    }
    free(objects);
    return ds_steal_cstr(&ds);
}

char *
show_errors(const struct fixture *f)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct ds cut = DS_EMPTY_INITIALIZER;
    size_t n = strlen(f->top) + 1;

    for (size_t i = 0; i < f->source->errors.n; i++) {
        if (i) {
            ds_put_char(&ds, '\n');
        }
        np_error_format(&f->source->errors.v[i], &ds);
    }
    for (const char *s = ds_cstr(&ds); *s; ) {
        if (!strncmp(s, f->top, n - 1)) {
            s += n;
        } else {
            ds_put_char(&cut, *s++);
        }
    }
    ds_destroy(&ds);
    return ds_steal_cstr(&cut);
}

void
check(const struct fixture *f, const char *objects, const char *errors)
{
    char *got = show_objects(f->source);
    char *got_errors = show_errors(f);

    assert_string_equal(got, objects);
    assert_string_equal(got_errors, errors);
    free(got);
    free(got_errors);
}

void
await_change(const struct fixture *f)
{
    long long int hang = time_msec() + HANG_MS;

    while (!f->source->class->run(f->source)) {
        assert_true(time_msec() < hang);
        f->source->class->wait(f->source);
        poll_timer_wait_until(hang);
        poll_block();
    }
}

void
await(const struct fixture *f, const char *objects)
{
    for (;;) {
        char *got = show_objects(f->source);
        bool same = !strcmp(got, objects);

        free(got);
        if (same) {
            return;
        }
        await_change(f);
    }
}

void
reread(const struct fixture *f)
{
    struct np_source *s = f->source;

    s->class->refresh(s);
    s->class->run(s);
    assert_false(s->class->run(s));
}

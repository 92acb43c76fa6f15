/* A file, and what is in force of what it has said so far.
 *
 * A mistake must never loosen a policy.  So a file whose text cannot be
 * understood keeps all that it defined before, and an object that was valid
 * and is not any more keeps its last good form.  Only what is really gone,
 * from a text that could be read, goes. */

#include <config.h>
#include "dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

void
np_grave_add(struct dir_grave *grave, struct np_meta *object)
{
    if (grave->n >= grave->allocated) {
        grave->v = x2nrealloc(grave->v, &grave->allocated, sizeof *grave->v);
    }
    grave->v[grave->n++] = object;
}

void
np_grave_empty(struct dir_grave *grave)
{
    for (size_t i = 0; i < grave->n; i++) {
        np_object_destroy(grave->v[i]);
    }
    free(grave->v);
    memset(grave, 0, sizeof *grave);
}

struct dir_stamp
np_dir_stamp(const struct stat *st)
{
    return (struct dir_stamp) {
        .dev = st->st_dev, .ino = st->st_ino, .size = st->st_size,
        .mtime = st->st_mtim, .ctime = st->st_ctim,
    };
}

static bool
timespec_equal(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
np_dir_stamp_equal(const struct dir_stamp *a, const struct dir_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size
           && timespec_equal(&a->mtime, &b->mtime)
           && timespec_equal(&a->ctime, &b->ctime);
}

struct dir_file *
np_dir_file_create(const char *path)
{
    struct dir_file *f = xzalloc(sizeof *f);

    f->path = xstrdup(path);
    return f;
}

void
np_dir_file_destroy(struct dir_file *f, struct dir_grave *grave)
{
    for (size_t i = 0; i < f->n; i++) {
        np_grave_add(grave, f->objects[i]);
    }
    free(f->objects);
    np_errors_clear(&f->errors);
    np_errors_clear(&f->warnings);
    free(f->path);
    free(f);
}

/* "Kind ns/name". */
static char *
object_name(const struct np_meta *object)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s ", np_kind_name(object->kind));
    np_object_format_key(object, &s);
    return ds_steal_cstr(&s);
}

/* Says of the errors of NAME, or of all if it is NULL, that they have no
 * effect yet. */
static void
say_kept(struct np_errors *errors, const char *name)
{
    for (size_t i = 0; i < errors->n; i++) {
        struct np_error *e = &errors->v[i];

        if (!name || (e->object && !strcmp(e->object, name))) {
            char *reason = xasprintf("%s; the last good version stays in "
                                     "force", e->reason);

            free(e->reason);
            e->reason = reason;
        }
    }
}

static void
append_object(struct np_manifest *m, struct np_meta *object)
{
    if (m->n >= m->allocated) {
        m->objects = x2nrealloc(m->objects, &m->allocated,
                                sizeof *m->objects);
    }
    m->objects[m->n++] = object;
}

/* Moves to M those of F's objects that M does not say anything good of: if M
 * is broken all of them, else those that it refuses. */
static void
keep_last_good(struct dir_file *f, struct np_manifest *m,
               struct dir_grave *grave)
{
    struct sset good = SSET_INITIALIZER(&good);
    struct sset refused = SSET_INITIALIZER(&refused);

    for (size_t i = 0; i < m->n; i++) {
        sset_add_and_free(&good, object_name(m->objects[i]));
    }
    for (size_t i = 0; i < m->n_refused; i++) {
        sset_add(&refused, m->refused[i]);
    }
    for (size_t i = 0; i < f->n; i++) {
        char *name = object_name(f->objects[i]);

        if (!sset_contains(&good, name)
            && (m->unparsable || sset_contains(&refused, name))) {
            append_object(m, f->objects[i]);
            say_kept(&m->errors, name);
        } else {
            np_grave_add(grave, f->objects[i]);
        }
        free(name);
    }
    f->n = 0;
    sset_destroy(&good);
    sset_destroy(&refused);
}

/* Takes over from M, which is empty afterwards, what is to be in force. */
static void
absorb(struct dir_file *f, struct np_manifest *m, struct dir_grave *grave)
{
    np_errors_clear(&f->errors);
    if (m->unparsable && f->has_good) {
        /* Not even what could be read of it: half an edit is not an edit. */
        if (f->n) {
            say_kept(&m->errors, NULL);
        }
    } else {
        keep_last_good(f, m, grave);
        free(f->objects);
        f->objects = m->objects;
        f->n = m->n;
        m->objects = NULL;
        m->n = m->allocated = 0;
        f->has_good |= !m->unparsable;
    }
    f->errors = m->errors;
    memset(&m->errors, 0, sizeof m->errors);
    np_errors_clear(&f->warnings);
    f->warnings = m->warnings;
    memset(&m->warnings, 0, sizeof m->warnings);
    f->n_skipped = m->n_skipped;
    np_manifest_clear(m);
}

/* Does M say what F has, at the same lines? */
static bool
says_the_same(const struct dir_file *f, const struct np_manifest *m)
{
    if (f->errors.n || m->errors.n || f->warnings.n || m->warnings.n
        || f->n != m->n || f->n_skipped != m->n_skipped) {
        return false;
    }
    for (size_t i = 0; i < f->n; i++) {
        if (f->objects[i]->line != m->objects[i]->line
            || !np_object_equal(f->objects[i], m->objects[i])) {
            return false;
        }
    }
    return true;
}

/* The clock of a file system ticks every few milliseconds, some every one or
 * two seconds. */
static bool
changed_just_now(const struct stat *st)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return st->st_ctim.tv_sec >= now.tv_sec - 2
           || st->st_mtim.tv_sec >= now.tv_sec - 2;
}

bool
np_dir_file_update(struct dir_file *f, const struct stat *st,
                   struct dir_grave *grave)
{
    struct dir_stamp stamp = np_dir_stamp(st);
    bool same = np_dir_stamp_equal(&stamp, &f->stamp);
    struct np_manifest m = { .n = 0 };

    if (same && !f->racy) {
        return false;
    }
    f->stamp = stamp;
    f->racy = changed_just_now(st);
    np_manifest_read(&m, f->path);
    if (same && says_the_same(f, &m)) {
        np_manifest_clear(&m);
        return false;
    }
    absorb(f, &m, grave);
    return true;
}

void
np_dir_file_unreadable(struct dir_file *f, int error)
{
    memset(&f->stamp, 0, sizeof f->stamp);      /* To be read when it can. */
    np_errors_clear(&f->errors);
    np_errors_clear(&f->warnings);
    np_errors_add(&f->errors, f->path, 0, NULL, "%s", ovs_strerror(error));
    if (f->n) {
        say_kept(&f->errors, NULL);
    }
}

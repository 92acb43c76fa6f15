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
#include "timeval.h"
#include "util.h"

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
np_dir_file_destroy(struct dir_file *f)
{
    ovs_assert(!f->n);
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

/* Says of the errors of the objects in NAMES, or of all if it is NULL, that
 * they have no effect yet. */
static void
say_kept(struct np_errors *errors, const struct sset *names)
{
    for (size_t i = 0; i < errors->n; i++) {
        struct np_error *e = &errors->v[i];

        if (!names || (e->object && sset_contains(names, e->object))) {
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

/* Are last good objects of F in force, whatever it says now? */
static void
set_kept(struct dir_file *f, bool kept, struct dir_index *idx)
{
    if (kept != (f->kept_since != 0)) {
        f->kept_since = kept ? time_wall() : 0;
        idx->stale = true;
    }
}

/* Moves to M those of F's objects that M does not say anything good of: if M
 * is broken all of them, else those that it refuses.  Returns true if there
 * are any. */
static bool
keep_last_good(struct dir_file *f, struct np_manifest *m)
{
    struct sset good = SSET_INITIALIZER(&good);
    struct sset refused = SSET_INITIALIZER(&refused);
    struct sset kept = SSET_INITIALIZER(&kept);
    bool any;

    for (size_t i = 0; i < m->n; i++) {
        sset_add_and_free(&good, object_name(m->objects[i]));
    }
    for (size_t i = 0; i < m->n_refused; i++) {
        sset_add(&refused, m->refused[i]);
    }
    for (size_t i = 0; i < f->n; i++) {
        struct dir_candidate *c = &f->v[i];
        char *name = object_name(c->object);

        if (!sset_contains(&good, name)
            && (m->unparsable || sset_contains(&refused, name))) {
            append_object(m, c->object);
            sset_add(&kept, name);
            if (!c->next) {
                c->object = NULL;       /* Nobody would find it there. */
            }
        }
        free(name);
    }
    say_kept(&m->errors, &kept);
    any = !sset_is_empty(&kept);
    sset_destroy(&kept);
    sset_destroy(&good);
    sset_destroy(&refused);
    return any;
}

/* Moves FROM, which is empty afterwards, to TO. */
static void
set_errors(struct np_errors *to, struct np_errors *from,
           struct dir_index *idx)
{
    idx->stale |= !np_errors_equal(to, from);
    np_errors_clear(to);
    *to = *from;
    memset(from, 0, sizeof *from);
}

/* Takes over from M, which is empty afterwards, what is to be in force. */
static void
absorb(struct dir_file *f, struct np_manifest *m, struct dir_index *idx)
{
    bool kept = false;

    f->bad = m->unparsable || m->n_refused;
    if (m->unparsable && f->has_good) {
        /* Not even what could be read of it: half an edit is not an edit. */
        if (f->n) {
            say_kept(&m->errors, NULL);
            kept = true;
        }
    } else {
        if (f->n && f->bad) {
            kept = keep_last_good(f, m);
        }
        np_dir_index_update(idx, f, m->objects, m->n);
        m->n = 0;
        f->has_good |= !m->unparsable;
    }
    set_kept(f, kept, idx);
    set_errors(&f->errors, &m->errors, idx);
    set_errors(&f->warnings, &m->warnings, idx);
    idx->stale |= f->n_skipped != m->n_skipped;
    f->n_skipped = m->n_skipped;
    np_manifest_clear(m);
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

void
np_dir_file_update(struct dir_file *f, const struct stat *st,
                   struct dir_index *idx)
{
    struct dir_stamp stamp = np_dir_stamp(st);
    struct np_manifest m = { .pool = idx->pool };

    if (f->racy || !np_dir_stamp_equal(&stamp, &f->stamp)) {
        f->stamp = stamp;
        f->racy = changed_just_now(st);
        np_manifest_read(&m, f->path);
        absorb(f, &m, idx);
    } else if (!f->bad) {
        set_kept(f, false, idx);        /* Its directory is back. */
    }
}

void
np_dir_file_unreadable(struct dir_file *f, int error, struct dir_index *idx)
{
    struct np_errors errors = { .n = 0 };
    struct np_errors warnings = { .n = 0 };

    memset(&f->stamp, 0, sizeof f->stamp);      /* To be read when it can. */
    f->bad = true;
    np_dir_file_keep(f, idx);
    np_errors_add(&errors, f->path, 0, NULL, "%s", ovs_strerror(error));
    if (f->n) {
        say_kept(&errors, NULL);
    }
    set_errors(&f->errors, &errors, idx);
    set_errors(&f->warnings, &warnings, idx);
}

void
np_dir_file_keep(struct dir_file *f, struct dir_index *idx)
{
    set_kept(f, f->n > 0, idx);
}

void
np_dir_file_restore(struct dir_file *f, struct np_meta **objects, size_t n,
                    unsigned int since, struct dir_index *idx)
{
    memset(&f->stamp, 0, sizeof f->stamp);      /* To be read again. */
    f->has_good = true;
    f->bad = false;
    f->kept_since = since;
    np_dir_index_update(idx, f, objects, n);
}

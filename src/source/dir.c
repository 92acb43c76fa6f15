/* A directory of manifests as a source.
 *
 * All *.yaml, *.yml and *.json files below it count.  Something that happened
 * there, whatever it was, leads to one walk through the tree, in which files
 * whose stamp changed are read again.  The walk waits until it has been quiet
 * for a moment, so that "git checkout" or an editor's dance of temporary files
 * is one change, but not for ever.
 *
 * Once a second we also look whether PATH is still the directory that we
 * watch: it may be a link that was turned, or its parent may have been moved,
 * neither of which inotify would tell.  The same goes for files behind
 * links.
 *
 * A directory that is gone says nothing about its objects, so they stay; one
 * that is there and empty says that there are none. */

#include <config.h>
#include "dir.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_dir);

#define SETTLE_MS 100           /* Quiet after an event... */
#define SETTLE_MAX_MS 1000      /* ...but no longer after the first. */
#define TICK_MS 1000

struct dir_source {
    struct np_source up;
    char *path;
    struct dir_watch watch;
    struct shash files;         /* Path to struct dir_file. */
    struct dir_index index;
    struct np_errors errors;    /* Of directories. */
    bool changed;               /* Since run() said so last. */

    struct dir_stamp root;      /* Of the directory that was read. */
    long long int first_event;  /* LLONG_MAX: none is waiting. */
    long long int due;          /* When to walk, LLONG_MAX for never. */
    long long int tick;         /* When to look at what nobody watches. */
};

static struct dir_source *
dir_cast(struct np_source *s)
{
    return CONTAINER_OF(s, struct dir_source, up);
}

static struct dir_file *
get_file(struct dir_source *d, const char *path)
{
    struct dir_file *f = shash_find_data(&d->files, path);

    if (!f) {
        f = np_dir_file_create(path);
        shash_add(&d->files, path, f);
    }
    return f;
}

/* Reads what SCAN found, in order, so that most candidates come after those
 * that are there. */
static void
update_files(struct dir_source *d, const struct dir_scan *scan)
{
    const struct shash_node **nodes = shash_sort(&scan->files);

    for (size_t i = 0; i < shash_count(&scan->files); i++) {
        const struct dir_found *found = nodes[i]->data;
        struct dir_file *f = get_file(d, nodes[i]->name);

        f->by_link = found->by_link;
        if (found->error) {
            np_dir_file_unreadable(f, found->error, &d->index);
        } else {
            np_dir_file_update(f, &found->st, &d->index);
        }
    }
    free(nodes);
}

static bool
is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return !strncmp(dir, path, n) && path[n] == '/';
}

/* Is PATH below a directory that could not be read? */
static bool
is_below_unreadable(const struct dir_scan *scan, const char *path)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &scan->unreadable) {
        if (is_below(path, node->name)) {
            return true;
        }
    }
    return false;
}

/* What is said of F is said no more. */
static void
forget_file(struct dir_source *d, struct dir_file *f)
{
    d->index.stale |= f->errors.n || f->warnings.n || f->n_skipped;
    np_dir_index_forget(&d->index, f);
}

/* Forgets files that are gone. */
static void
drop_files(struct dir_source *d, const struct dir_scan *scan)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &d->files) {
        if (shash_find(&scan->files, node->name)) {
            continue;
        } else if (is_below_unreadable(scan, node->name)) {
            np_dir_file_keep(node->data, &d->index);
        } else {
            forget_file(d, node->data);
            shash_delete(&d->files, node);
        }
    }
}

static void
note_unreadable(struct dir_source *d, const struct dir_scan *scan)
{
    const struct shash_node **nodes = shash_sort(&scan->unreadable);
    struct np_errors errors = { .n = 0 };

    for (size_t i = 0; i < shash_count(&scan->unreadable); i++) {
        const int *error = nodes[i]->data;

        np_errors_add(&errors, nodes[i]->name, 0, NULL, "%s; what was "
                      "read of it before stays in force",
                      ovs_strerror(*error));
    }
    d->index.stale |= !np_errors_equal(&errors, &d->errors);
    np_errors_clear(&d->errors);
    d->errors = errors;
    free(nodes);
}

/* Makes the lists of what is wrong, if any of it may have changed.  Returns
 * true if it has. */
static bool
update_errors(struct dir_source *d)
{
    struct np_errors errors = { .n = 0 };
    struct np_errors warnings = { .n = 0 };
    struct simap kept = SIMAP_INITIALIZER(&kept);
    const struct shash_node **nodes;
    struct np_source *s = &d->up;
    bool changed;

    if (!d->index.stale) {
        return false;
    }
    d->index.stale = false;
    s->n_skipped = 0;
    np_errors_append(&errors, &d->errors);
    nodes = shash_sort(&d->files);
    for (size_t i = 0; i < shash_count(&d->files); i++) {
        const struct dir_file *f = nodes[i]->data;

        np_errors_append(&errors, &f->errors);
        np_errors_append(&warnings, &f->warnings);
        s->n_skipped += f->n_skipped;
        if (f->kept_since && !(s->restored && f->kept_since == s->as_of)) {
            simap_put(&kept, f->path, f->kept_since);
        }
    }
    free(nodes);
    np_dir_index_complain(&d->index, &errors);
    changed = !np_errors_equal(&errors, &s->errors)
              || !np_errors_equal(&warnings, &s->warnings)
              || !simap_equal(&kept, &s->kept);
    simap_swap(&kept, &s->kept);
    simap_destroy(&kept);
    np_errors_clear(&s->errors);
    np_errors_clear(&s->warnings);
    s->errors = errors;
    s->warnings = warnings;
    return changed;
}

/* Returns true if the state changed. */
static bool
set_problem(struct dir_source *d, int error)
{
    struct np_source *s = &d->up;
    char *problem = error ? xasprintf("%s: %s", d->path, ovs_strerror(error))
                          : NULL;
    bool lost = error && s->complete;
    bool changed = (!s->tried || s->lost != lost
                    || (!s->complete && !error)
                    || !nullable_string_is_equal(s->problem, problem));

    s->tried = true;
    if (!error) {
        s->as_of = 0;
    } else if (lost && !s->lost) {
        s->as_of = time_wall();
    }
    free(s->problem);
    s->problem = problem;
    s->lost = lost;
    s->complete |= !error;
    return changed;
}

/* Takes in what SCAN found.  Returns true if anything changed. */
static bool
take_in(struct dir_source *d, const struct dir_scan *scan)
{
    size_t n_changes = d->up.changes.n;
    bool errors;

    update_files(d, scan);
    drop_files(d, scan);
    np_dir_index_settle(&d->index);
    note_unreadable(d, scan);
    d->up.n_objects = hmap_count(&d->index.holders);
    errors = update_errors(d);
    return errors || d->up.changes.n != n_changes;
}

static void
walk(struct dir_source *d)
{
    struct np_source *s = &d->up;
    struct dir_scan scan;
    bool changed = false;
    struct stat st;
    int error;

    d->first_event = d->due = LLONG_MAX;
    d->tick = time_msec() + TICK_MS;
    memset(&d->root, 0, sizeof d->root);
    if (!stat(d->path, &st)) {
        d->root = np_dir_stamp(&st);
    }
    error = np_dir_scan(&scan, d->path, &d->watch);
    if (!error) {
        s->restored = false;
        changed = take_in(d, &scan);
    } else if (error == EAGAIN) {
        d->due = time_msec() + SETTLE_MS;
    }
    np_dir_scan_destroy(&scan);
    if (error != EAGAIN) {
        changed |= set_problem(d, error);
    }
    if (changed) {
        d->changed = true;
        VLOG_DBG("%s: %"PRIuSIZE" files, %"PRIuSIZE" objects, %"PRIuSIZE
                 " changes, %"PRIuSIZE" errors%s%s", d->path,
                 shash_count(&d->files), s->n_objects, s->changes.n,
                 s->errors.n, s->problem ? ", " : "",
                 s->problem ? s->problem : "");
    }
}

/* Has something changed that no event tells of? */
static bool
look_around(struct dir_source *d)
{
    const struct shash_node *node;
    struct stat st;

    if (d->watch.blind) {
        return true;
    }
    if (stat(d->path, &st)) {
        return !d->up.problem;
    }
    if (d->up.problem || st.st_dev != d->root.dev
        || st.st_ino != d->root.ino) {
        return true;
    }
    SHASH_FOR_EACH (node, &d->files) {
        const struct dir_file *f = node->data;

        if (f->by_link) {
            struct dir_stamp stamp = { .size = 0 };

            if (!stat(f->path, &st)) {
                stamp = np_dir_stamp(&st);
            }
            if (!np_dir_stamp_equal(&stamp, &f->stamp)) {
                return true;
            }
        }
    }
    return false;
}

static void
note_event(struct dir_source *d, long long int now)
{
    if (d->first_event == LLONG_MAX) {
        d->first_event = now;
    }
    d->due = MIN(now + SETTLE_MS, d->first_event + SETTLE_MAX_MS);
}

static bool
dir_run(struct np_source *s)
{
    struct dir_source *d = dir_cast(s);
    long long int now = time_msec();
    bool changed;

    if (np_dir_watch_run(&d->watch)) {
        note_event(d, now);
    }
    if (now >= d->tick) {
        d->tick = now + TICK_MS;
        if (d->due == LLONG_MAX && look_around(d)) {
            note_event(d, now);
        }
    }
    if (now >= d->due) {
        walk(d);
    }
    changed = d->changed;
    d->changed = false;
    return changed;
}

static void
dir_wait(struct np_source *s)
{
    struct dir_source *d = dir_cast(s);

    np_dir_watch_wait(&d->watch);
    poll_timer_wait_until(MIN(d->tick, d->due));
    if (d->changed) {
        poll_immediate_wake();
    }
}

static void
dir_refresh(struct np_source *s)
{
    walk(dir_cast(s));
}

static void
dir_taken(struct np_source *s)
{
    np_dir_index_taken(&dir_cast(s)->index);
}

static void
dir_for_each(const struct np_source *s,
             void (*cb)(const struct np_meta *, void *aux), void *aux)
{
    const struct dir_source *d = CONTAINER_OF(s, struct dir_source, up);
    const struct dir_candidate *c;

    HMAP_FOR_EACH (c, node, &d->index.holders) {
        cb(c->object, aux);
    }
}

/* Is there anything at all that was not good? */
static bool
lacks_any(const struct dir_source *d)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &d->files) {
        const struct dir_file *f = node->data;

        if (f->bad) {
            return true;
        }
    }
    return d->errors.n > 0;
}

static bool
dir_lacks(const struct np_source *s, const char *path)
{
    const struct dir_source *d = CONTAINER_OF(s, struct dir_source, up);
    const struct dir_file *f;

    if (!path) {
        return !s->complete || lacks_any(d);
    } else if (!s->complete) {
        return is_below(path, d->path);
    }
    f = shash_find_data(&d->files, path);
    for (size_t i = 0; !f && i < d->errors.n; i++) {
        if (is_below(path, d->errors.v[i].file)) {
            return true;
        }
    }
    return f && f->bad;
}

/* By file, and in it by line. */
static int
compare_places(const void *a_, const void *b_)
{
    const struct np_meta *a = *(const struct np_meta *const *) a_;
    const struct np_meta *b = *(const struct np_meta *const *) b_;
    int cmp = strcmp(a->file, b->file);

    return cmp ? cmp : a->line < b->line ? -1 : a->line > b->line;
}

/* Whatever is not complete yet is read later; else now, and then the files are
 * judged as if they had said before what they are given here. */
static void
dir_restore(struct np_source *s, struct np_last_good *last)
{
    struct dir_source *d = dir_cast(s);

    if (last->n) {
        qsort(last->v, last->n, sizeof *last->v, compare_places);
    }
    for (size_t i = 0, n; i < last->n; i += n) {
        const char *path = last->v[i]->file;
        unsigned int since = simap_get(&last->kept, path);

        for (n = 1; i + n < last->n; n++) {
            if (strcmp(last->v[i + n]->file, path)) {
                break;
            }
        }
        np_dir_file_restore(get_file(d, path), &last->v[i], n,
                            since ? since : last->as_of, &d->index);
    }
    last->n = 0;
    np_dir_index_settle(&d->index);
    s->n_objects = hmap_count(&d->index.holders);
    if (s->complete) {
        walk(d);
    } else {
        s->restored = true;
        s->as_of = last->as_of;
        d->index.stale = true;
        update_errors(d);
    }
}

static void
dir_destroy(struct np_source *s)
{
    struct dir_source *d = dir_cast(s);
    struct shash_node *node;

    SHASH_FOR_EACH (node, &d->files) {
        np_dir_index_forget(&d->index, node->data);
    }
    shash_destroy(&d->files);
    np_dir_index_destroy(&d->index);
    np_errors_clear(&d->errors);
    np_dir_watch_destroy(&d->watch);
    np_errors_clear(&s->errors);
    np_errors_clear(&s->warnings);
    simap_destroy(&s->kept);
    free(s->problem);
    free(s->name);
    free(d->path);
    free(d);
}

static const struct np_source_class dir_class = {
    .run = dir_run,
    .wait = dir_wait,
    .refresh = dir_refresh,
    .taken = dir_taken,
    .for_each = dir_for_each,
    .lacks = dir_lacks,
    .restore = dir_restore,
    .destroy = dir_destroy,
};

struct np_source *
np_dir_open(const char *spec, const char *path)
{
    struct dir_source *d = xzalloc(sizeof *d);
    size_t n = strlen(path);

    d->up.class = &dir_class;
    d->up.name = xstrdup(spec);
    d->up.problem = xasprintf("%s: not read yet", path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    d->path = xmemdup0(path, n);
    shash_init(&d->files);
    simap_init(&d->up.kept);
    np_dir_index_init(&d->index, &d->up.changes, &d->up.moves);
    d->up.pool = d->index.pool;
    np_dir_watch_init(&d->watch);
    d->first_event = LLONG_MAX;
    d->due = d->tick = 0;       /* At once. */
    return &d->up;
}

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

#include "openvswitch/dynamic-string.h"
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
    struct np_errors errors;    /* Of directories. */
    struct dir_grave grave;
    char *shown;                /* State and errors as last shown. */
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

/* Reads what SCAN found.  Returns true if anything may have changed. */
static bool
update_files(struct dir_source *d, const struct dir_scan *scan)
{
    const struct shash_node *node;
    bool changed = false;

    SHASH_FOR_EACH (node, &scan->files) {
        const struct dir_found *found = node->data;
        struct dir_file *f = shash_find_data(&d->files, node->name);

        if (!f) {
            f = np_dir_file_create(node->name);
            shash_add(&d->files, node->name, f);
        }
        f->by_link = found->by_link;
        if (found->error) {
            np_dir_file_unreadable(f, found->error);
        } else {
            changed |= np_dir_file_update(f, &found->st, &d->grave);
        }
    }
    return changed;
}

/* Is PATH below a directory that could not be read? */
static bool
is_below_unreadable(const struct dir_scan *scan, const char *path)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &scan->unreadable) {
        size_t n = strlen(node->name);

        if (!strncmp(node->name, path, n) && path[n] == '/') {
            return true;
        }
    }
    return false;
}

/* Forgets files that are gone.  Returns true if there were any. */
static bool
drop_files(struct dir_source *d, const struct dir_scan *scan)
{
    struct shash_node *node, *next;
    bool changed = false;

    SHASH_FOR_EACH_SAFE (node, next, &d->files) {
        if (!shash_find(&scan->files, node->name)
            && !is_below_unreadable(scan, node->name)) {
            np_dir_file_destroy(node->data, &d->grave);
            shash_delete(&d->files, node);
            changed = true;
        }
    }
    return changed;
}

static void
note_unreadable(struct dir_source *d, const struct dir_scan *scan)
{
    const struct shash_node **nodes = shash_sort(&scan->unreadable);

    np_errors_clear(&d->errors);
    for (size_t i = 0; i < shash_count(&scan->unreadable); i++) {
        const int *error = nodes[i]->data;

        np_errors_add(&d->errors, nodes[i]->name, 0, NULL, "%s; what was "
                      "read of it before stays in force",
                      ovs_strerror(*error));
    }
    free(nodes);
}

/* By kind, namespace and name, so that nothing depends on file names or the
 * order of a directory. */
static int
compare_keys(const struct np_meta *a, const struct np_meta *b)
{
    int cmp;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    cmp = a->namespace ? strcmp(a->namespace, b->namespace) : 0;
    return cmp ? cmp : strcmp(a->name, b->name);
}

struct candidate {
    const struct np_meta *object;
    size_t order;               /* Of files by path, in a file from above. */
};

static int
compare_candidates(const void *a_, const void *b_)
{
    const struct candidate *a = a_;
    const struct candidate *b = b_;
    int cmp = compare_keys(a->object, b->object);

    return cmp ? cmp : a->order < b->order ? -1 : a->order > b->order;
}

static void
say_duplicate(struct np_errors *errors, const struct np_meta *object,
              const struct np_meta *first)
{
    struct ds key = DS_EMPTY_INITIALIZER;
    char *name;

    np_object_format_key(object, &key);
    name = xasprintf("%s %s", np_kind_name(object->kind), ds_cstr(&key));
    np_errors_add(errors, object->file, object->line, "metadata.name",
                  "Duplicate value: \"%s\": %s is already defined at %s:%d, "
                  "which holds", object->name, name, first->file,
                  first->line);
    np_errors_set_object(errors, errors->n - 1, name);
    free(name);
    ds_destroy(&key);
}

/* Collects the objects of all files, and what is said of the files. */
static struct candidate *
collect(struct dir_source *d, size_t *np)
{
    const struct shash_node **nodes = shash_sort(&d->files);
    struct candidate *v;
    size_t n = 0;

    for (size_t i = 0; i < shash_count(&d->files); i++) {
        n += ((const struct dir_file *) nodes[i]->data)->n;
    }
    *np = n;
    v = xmalloc(MAX(n, 1) * sizeof *v);
    n = 0;
    for (size_t i = 0; i < shash_count(&d->files); i++) {
        const struct dir_file *f = nodes[i]->data;

        for (size_t j = 0; j < f->n; j++) {
            v[n] = (struct candidate) { f->objects[j], n };
            n++;
        }
        np_errors_append(&d->up.errors, &f->errors);
        np_errors_append(&d->up.warnings, &f->warnings);
        d->up.n_skipped += f->n_skipped;
    }
    free(nodes);
    return v;
}

/* Makes the lists that our users see. */
static void
publish(struct dir_source *d)
{
    struct np_source *s = &d->up;
    struct candidate *v;
    size_t n;

    np_errors_clear(&s->errors);
    np_errors_append(&s->errors, &d->errors);
    np_errors_clear(&s->warnings);
    s->n_skipped = 0;
    v = collect(d, &n);
    qsort(v, n, sizeof *v, compare_candidates);

    free(s->objects);
    s->objects = xmalloc(MAX(n, 1) * sizeof *s->objects);
    s->n_objects = 0;
    for (size_t i = 0; i < n; i++) {
        const struct np_meta *last = s->n_objects
            ? s->objects[s->n_objects - 1] : NULL;

        if (last && !compare_keys(last, v[i].object)) {
            say_duplicate(&s->errors, v[i].object, last);
        } else {
            s->objects[s->n_objects++] = v[i].object;
        }
    }
    free(v);
}

/* State and errors as a text, to tell whether they are new. */
static char *
show(const struct np_source *s)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_format(&ds, "%d %d %s\n", s->complete, s->lost,
                  s->problem ? s->problem : "");
    for (size_t i = 0; i < s->errors.n; i++) {
        np_error_format(&s->errors.v[i], &ds);
        ds_put_char(&ds, '\n');
    }
    return ds_steal_cstr(&ds);
}

static void
set_problem(struct dir_source *d, int error)
{
    struct np_source *s = &d->up;

    free(s->problem);
    s->problem = error ? xasprintf("%s: %s", d->path, ovs_strerror(error))
                       : NULL;
    s->lost = error && s->complete;
    s->complete |= !error;
}

static void
walk(struct dir_source *d)
{
    struct dir_scan scan;
    bool changed = false;
    struct stat st;
    char *shown;
    int error;

    d->first_event = d->due = LLONG_MAX;
    d->tick = time_msec() + TICK_MS;
    memset(&d->root, 0, sizeof d->root);
    if (!stat(d->path, &st)) {
        d->root = np_dir_stamp(&st);
    }
    error = np_dir_scan(&scan, d->path, &d->watch);
    if (!error) {
        changed = update_files(d, &scan);
        changed |= drop_files(d, &scan);
        note_unreadable(d, &scan);
    } else if (error == EAGAIN) {
        d->due = time_msec() + SETTLE_MS;
    }
    np_dir_scan_destroy(&scan);
    if (error != EAGAIN) {
        set_problem(d, error);
    }

    publish(d);
    shown = show(&d->up);
    if (changed || !d->shown || strcmp(shown, d->shown)) {
        d->changed = true;
        VLOG_DBG("%s: %"PRIuSIZE" files, %"PRIuSIZE" objects, %"PRIuSIZE
                 " errors%s%s", d->path, shash_count(&d->files),
                 d->up.n_objects, d->up.errors.n, d->up.problem ? ", " : "",
                 d->up.problem ? d->up.problem : "");
    }
    free(d->shown);
    d->shown = shown;
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

    /* If the last run() said that the list is new, nobody uses the old one
     * any more. */
    if (!d->changed) {
        np_grave_empty(&d->grave);
    }
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
dir_destroy(struct np_source *s)
{
    struct dir_source *d = dir_cast(s);
    struct shash_node *node;

    SHASH_FOR_EACH (node, &d->files) {
        np_dir_file_destroy(node->data, &d->grave);
    }
    shash_destroy(&d->files);
    np_grave_empty(&d->grave);
    np_errors_clear(&d->errors);
    np_dir_watch_destroy(&d->watch);
    np_errors_clear(&s->errors);
    np_errors_clear(&s->warnings);
    free(s->objects);
    free(s->problem);
    free(s->name);
    free(d->shown);
    free(d->path);
    free(d);
}

static const struct np_source_class dir_class = {
    .run = dir_run,
    .wait = dir_wait,
    .refresh = dir_refresh,
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
    np_dir_watch_init(&d->watch);
    d->first_event = LLONG_MAX;
    d->due = d->tick = 0;       /* At once. */
    return &d->up;
}

/* Saving: a snapshot of all objects, and a journal of what changed since.
 *
 *     PATH.new   snapshot, a slice a turn ──► whole ──► fsync ──► rename
 *                     (changes meanwhile go to both files)           │
 *     PATH       journal, one write a turn ◄────────────────────────┘
 *
 * A snapshot is taken at the start, when the journal has grown as large as the
 * snapshot before it, and when something could not be written.  Objects change
 * while it is taken, and that does no harm: a change is a record of its own in
 * the new file as well, after whatever slice has the object as it was, and a
 * slice that comes later has it as it is.
 *
 * Of each object nothing is kept in memory: the place where the next slice
 * begins is a bucket of the cache's hash table.  If that grows meanwhile, each
 * bucket becomes several, of which none comes before where it was, so nothing
 * is missed, and some objects are in the snapshot twice.
 *
 * The snapshot is on the disk before it has its name.  The journal is not
 * waited for: when the power goes, what the kernel has not written yet is
 * lost, mostly the last half minute.  What is left is older, says so, and is
 * still what the source said once; and pods that changed in that half minute
 * have to be started again as well, by a kubelet that hears of them from the
 * API server.  Waiting would cost each change more than all the rest of it.
 *
 * Once a minute the file gets the time, so that it can tell how old its
 * objects are even if none of them changed for a week. */

#include <config.h>
#include "netpol/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "form.h"
#include "netpol/cache.h"
#include "netpol/source.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "record.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_saved);

#define SLICE_US 1000           /* A slice takes that long... */
#define SLICE_EVERY_MS 10       /* ...and the next comes after that. */
#define SYNC_MS 200             /* For the kernel to have written most of it
                                 * when it is told to finish. */
#define TIME_MS 60000
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
#define BUFFER_MAX (256u << 10) /* Bytes that wait for the end of the turn. */
#define JOURNAL_MIN (1u << 20)  /* Bytes below which it never is too long. */

struct np_saved {
    char *path, *new_path;
    char *name;                 /* Of the source. */
    struct record_writer *now;  /* The file at 'path'; NULL if that is not of
                                 * this run, or not right any more. */
    off_t snapshot;             /* Bytes of it before the journal. */
    struct record_writer *next; /* The file at 'new_path', or NULL. */
    struct hmap_position at;    /* Where its next slice begins. */
    size_t n_puts;
    bool whole;                 /* Nothing is missing there but the fsync. */
    struct ds kept;             /* Body of the last RECORD_KEPT. */
    bool dirty;                 /* Something was noted. */
    long long int due;          /* Of 'next': when the next slice or the fsync
                                 * is, */
    long long int time_due;     /* of 'now': the next RECORD_TIME, */
    long long int retry;        /* if both are NULL: another try. */
    long long int retry_ms;
    char *problem;
};

struct np_saved *
np_saved_create(const char *path, const char *name)
{
    struct np_saved *s = xzalloc(sizeof *s);

    s->path = xstrdup(path);
    s->new_path = xasprintf("%s.new", path);
    s->name = xstrdup(name);
    ds_init(&s->kept);
    s->retry_ms = RETRY_MIN_MS;
    return s;
}

/* Adds to both files; frees BODY. */
static void
add(struct np_saved *s, enum record_type type, struct ds *body)
{
    np_record_add(s->now, type, body);
    np_record_add(s->next, type, body);
    ds_destroy(body);
}

static void
add_put(struct np_saved *s, const struct np_meta *object, bool only_next)
{
    struct ds body = DS_EMPTY_INITIALIZER;

    np_form_put(object, &body);
    s->n_puts++;
    np_record_add(only_next ? NULL : s->now, RECORD_PUT, &body);
    np_record_add(s->next, RECORD_PUT, &body);
    ds_destroy(&body);
}

static void
add_time(struct np_saved *s, unsigned int as_of)
{
    struct ds body = DS_EMPTY_INITIALIZER;

    ds_put_format(&body, "%u", as_of ? as_of : (unsigned int) time_wall());
    add(s, RECORD_TIME, &body);
    s->time_due = time_msec() + TIME_MS;
}

/* What does not fit into one write would fill the memory. */
static void
flush_large(struct record_writer *w)
{
    if (w && w->buf.length > BUFFER_MAX) {
        np_record_flush(w);
    }
}

static void
note_change(struct np_saved *s, const struct np_change *change)
{
    if (change->new) {
        add_put(s, change->new, false);
    } else {
        struct ds body = DS_EMPTY_INITIALIZER;

        np_form_key(change->old, &body);
        add(s, RECORD_REMOVE, &body);
    }
    flush_large(s->now);
    flush_large(s->next);
}

static void
note_kept(struct np_saved *s, const struct simap *kept)
{
    const struct simap_node **nodes = simap_sort(kept);
    struct ds body = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < simap_count(kept); i++) {
        ds_put_format(&body, "%s%c%u%c", nodes[i]->name, '\0', nodes[i]->data,
                      '\0');
    }
    free(nodes);
    if (body.length != s->kept.length
        || (body.length && memcmp(body.string, s->kept.string, body.length))) {
        ds_swap(&s->kept, &body);
        np_record_add(s->now, RECORD_KEPT, &s->kept);
        np_record_add(s->next, RECORD_KEPT, &s->kept);
        s->dirty = true;
    }
    ds_destroy(&body);
}

void
np_saved_note(struct np_saved *s, const struct np_source *source)
{
    note_kept(s, &source->kept);
    if (!s->now && !s->next) {
        return;                 /* All of it is in the snapshot to come. */
    }
    /* First: an object that moved and changed is in the changes as it is. */
    for (size_t i = 0; i < source->moves.n; i++) {
        note_change(s, &source->moves.v[i]);
    }
    for (size_t i = 0; i < source->changes.n; i++) {
        note_change(s, &source->changes.v[i]);
    }
    s->dirty |= source->moves.n || source->changes.n;
}

/* What went wrong. */

static void
fail(struct np_saved *s, const char *path, int error)
{
    char *problem = xasprintf("%s: %s", path, ovs_strerror(error));

    if (!nullable_string_is_equal(problem, s->problem)) {
        VLOG_WARN("%s: objects cannot be saved, and a start without their "
                  "source would not have them; trying again", problem);
    }
    free(s->problem);
    s->problem = problem;
    s->retry = time_msec() + s->retry_ms;
    s->retry_ms = MIN(s->retry_ms * 2, RETRY_MAX_MS);
}

static void
drop_next(struct np_saved *s)
{
    if (s->next) {
        np_record_writer_destroy(s->next);
        s->next = NULL;
        unlink(s->new_path);
    }
}

/* A file that could not be written is given up: what it lacks is not known any
 * more.  The one that has its name stays as it was. */
static void
check(struct np_saved *s)
{
    if (s->next && s->next->error) {
        fail(s, s->new_path, s->next->error);
        drop_next(s);
    }
    if (s->now && s->now->error) {
        fail(s, s->path, s->now->error);
        np_record_writer_destroy(s->now);
        s->now = NULL;
    }
}

/* Snapshots. */

static void
begin(struct np_saved *s)
{
    struct ds body = DS_EMPTY_INITIALIZER;
    int fd;

    unlink(s->new_path);
    fd = open(s->new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(s, s->new_path, errno);
        return;
    }
    s->next = np_record_writer_create(fd);
    ds_put_format(&body, SAVED_VERSION "%c%s", '\0', s->name);
    np_record_add(s->next, RECORD_BEGIN, &body);
    ds_destroy(&body);
    np_record_add(s->next, RECORD_KEPT, &s->kept);
    memset(&s->at, 0, sizeof s->at);
    s->n_puts = 0;
    s->whole = false;
    s->due = 0;
}

/* Adds objects until DEADLINE, in time_usec(), and says so if those were the
 * last. */
static void
add_slice(struct np_saved *s, const struct np_cache *cache,
          long long int deadline)
{
    do {
        struct hmap_node *node = hmap_at_position(&cache->by_key, &s->at);

        if (!node) {
            struct ds body = DS_EMPTY_INITIALIZER;

            ds_put_format(&body, "%"PRIuSIZE, s->n_puts);
            np_record_add(s->next, RECORD_WHOLE, &body);
            ds_destroy(&body);
            s->whole = true;
            s->dirty = true;    /* It wants the time. */
            return;
        }
        add_put(s, CONTAINER_OF(node, struct np_entry, key_node)->object,
                true);
        flush_large(s->next);
        /* Not in the middle of a bucket, where things may move. */
    } while (s->at.offset || time_usec() < deadline);
}

/* Gives the snapshot its name. */
static void
finish(struct np_saved *s)
{
    np_record_flush(s->next);
    if (!s->next->error
        && (fsync(s->next->fd) || rename(s->new_path, s->path))) {
        s->next->error = errno;
    }
    check(s);
    if (!s->next) {
        return;
    }
    if (s->problem) {
        VLOG_INFO("%s: objects are saved again", s->path);
        free(s->problem);
        s->problem = NULL;
    }
    s->retry_ms = RETRY_MIN_MS;
    np_record_writer_destroy(s->now);
    s->now = s->next;
    s->next = NULL;
    s->snapshot = s->now->size;
}

static bool
is_too_long(const struct np_saved *s)
{
    return s->now->size - s->snapshot > MAX(s->snapshot, JOURNAL_MIN);
}

static void
run_snapshot(struct np_saved *s, const struct np_cache *cache)
{
    long long int now = time_msec();

    if (!s->next && now >= s->retry && (!s->now || is_too_long(s))) {
        begin(s);
    }
    if (!s->next || now < s->due) {
        return;
    }
    if (s->whole) {
        finish(s);
        return;
    }
    add_slice(s, cache, time_usec() + SLICE_US);
    s->due = now + (s->whole ? SYNC_MS : SLICE_EVERY_MS);
}

/* Writes what was added in this turn. */
static void
flush(struct np_saved *s, unsigned int as_of)
{
    if (s->dirty || (s->now && time_msec() >= s->time_due)) {
        add_time(s, as_of);
        s->dirty = false;
    }
    if (s->now && s->now->buf.length) {
        np_record_flush(s->now);
    }
    if (s->next && s->next->buf.length) {
        np_record_flush(s->next);
        /* The disk may begin, so that the fsync finds little left to do. */
        sync_file_range(s->next->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    check(s);
}

void
np_saved_run(struct np_saved *s, const struct np_cache *cache,
             unsigned int as_of)
{
    run_snapshot(s, cache);
    flush(s, as_of);
}

void
np_saved_wait(const struct np_saved *s)
{
    if (s->next) {
        poll_timer_wait_until(s->due);
    }
    if (s->now) {
        poll_timer_wait_until(s->time_due);
    } else if (!s->next) {
        poll_timer_wait_until(s->retry);
    }
}

const char *
np_saved_problem(const struct np_saved *s)
{
    return s->problem;
}

void
np_saved_close(struct np_saved *s, const struct np_cache *cache,
               unsigned int as_of)
{
    if (!s) {
        return;
    }
    if (s->next && !s->now) {
        if (!s->whole) {
            add_slice(s, cache, LLONG_MAX);
        }
        flush(s, as_of);
        if (s->next) {
            finish(s);
        }
    }
    drop_next(s);
    if (s->now) {
        s->dirty = true;
        flush(s, as_of);
        np_record_writer_destroy(s->now);
    }
    ds_destroy(&s->kept);
    free(s->path);
    free(s->new_path);
    free(s->name);
    free(s->problem);
    free(s);
}

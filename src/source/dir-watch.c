/* Noticing that something happened in a tree of directories.
 *
 * Every event means the same: look again.  What it said is not used, so that
 * events that were lost, merged or came before a watch cannot mislead us, and
 * a queue that overflowed is one event more. */

#include <config.h>
#include "dir.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "hash.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_dir_watch);

/* Not IN_MODIFY: a file is read when whoever writes it closes it. */
#define EVENTS (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM \
                | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

struct watched {
    struct hmap_node node;      /* By 'wd'. */
    int wd;
    unsigned int generation;
};

static struct watched *
find_watched(const struct dir_watch *w, int wd)
{
    struct watched *d;

    HMAP_FOR_EACH_WITH_HASH (d, node, hash_int(wd, 0), &w->dirs) {
        if (d->wd == wd) {
            return d;
        }
    }
    return NULL;
}

void
np_dir_watch_init(struct dir_watch *w)
{
    hmap_init(&w->dirs);
    w->generation = 0;
    w->blind = false;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0) {
        VLOG_WARN("inotify is not available (%s), directories are read once "
                  "a second", ovs_strerror(errno));
    }
}

void
np_dir_watch_destroy(struct dir_watch *w)
{
    struct watched *d, *next;

    HMAP_FOR_EACH_SAFE (d, next, node, &w->dirs) {
        hmap_remove(&w->dirs, &d->node);
        free(d);
    }
    hmap_destroy(&w->dirs);
    if (w->fd >= 0) {
        close(w->fd);
    }
}

void
np_dir_watch_begin(struct dir_watch *w)
{
    w->generation++;
    w->blind = w->fd < 0;
}

void
np_dir_watch_add(struct dir_watch *w, const char *path)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    struct watched *d;
    int wd;

    if (w->fd < 0) {
        return;
    }
    wd = inotify_add_watch(w->fd, path, EVENTS | IN_ONLYDIR);
    if (wd < 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            VLOG_WARN_RL(&rl, "%s: cannot be watched (%s), all is read once a "
                         "second", path, ovs_strerror(errno));
            w->blind = true;
        }
        return;
    }
    d = find_watched(w, wd);
    if (!d) {
        d = xzalloc(sizeof *d);
        d->wd = wd;
        hmap_insert(&w->dirs, &d->node, hash_int(wd, 0));
    }
    d->generation = w->generation;
}

void
np_dir_watch_end(struct dir_watch *w)
{
    struct watched *d, *next;

    HMAP_FOR_EACH_SAFE (d, next, node, &w->dirs) {
        if (d->generation != w->generation) {
            inotify_rm_watch(w->fd, d->wd);
            hmap_remove(&w->dirs, &d->node);
            free(d);
        }
    }
}

/* Returns true if E matters. */
static bool
handle_event(struct dir_watch *w, const struct inotify_event *e)
{
    struct watched *d = find_watched(w, e->wd);

    if (e->mask & IN_IGNORED) {
        /* The kernel dropped the watch, maybe because we asked it to. */
        if (!d) {
            return false;
        }
        hmap_remove(&w->dirs, &d->node);
        free(d);
        return true;
    }
    return d || e->mask & IN_Q_OVERFLOW;
}

bool
np_dir_watch_run(struct dir_watch *w)
{
    union {
        struct inotify_event event;
        char bytes[8192];
    } buf;
    bool any = false;

    while (w->fd >= 0) {
        ssize_t n = read(w->fd, buf.bytes, sizeof buf.bytes);

        if (n <= 0) {
            if (n < 0 && errno == EINTR) {
                continue;
            }
            break;
        }
        for (ssize_t i = 0; i < n; ) {
            const struct inotify_event *e;

            e = ALIGNED_CAST(struct inotify_event *, &buf.bytes[i]);
            any |= handle_event(w, e);
            i += sizeof *e + e->len;
        }
    }
    return any;
}

void
np_dir_watch_wait(struct dir_watch *w)
{
    if (w->fd >= 0) {
        poll_fd_wait(w->fd, POLLIN);
    }
}

/* Walking through a tree of directories.
 *
 * Hidden names are left out.  That is how a ConfigMap's mount works: the files
 * are links by way of "..data" to a directory "..2024_…", and looking only at
 * the links sees each file once.  Links to directories are followed, but no
 * directory is visited twice, so a loop ends. */

#include <config.h>
#include "dir.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "svec.h"
#include "util.h"

/* Levels of directories. */
#define MAX_DEPTH 32

static bool
has_our_suffix(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")
                   || !strcmp(dot, ".json"));
}

/* Reads the names in PATH that are not hidden, sorted.  Returns 0 or an
 * errno. */
static int
read_names(const char *path, struct svec *names)
{
    DIR *dir = opendir(path);
    int error;

    if (!dir) {
        return errno;
    }
    for (;;) {
        struct dirent *e;

        errno = 0;
        e = readdir(dir);
        if (!e) {
            error = errno;
            break;
        }
        if (e->d_name[0] != '.') {
            svec_add(names, e->d_name);
        }
    }
    closedir(dir);
    svec_sort(names);
    return error;
}

/* Returns true the first time for each directory. */
static bool
visit(struct dir_scan *scan, const struct stat *st)
{
    char *id = xasprintf("%llx:%llx", (unsigned long long int) st->st_dev,
                         (unsigned long long int) st->st_ino);
    bool first = sset_add(&scan->visited, id) != NULL;

    free(id);
    return first;
}

static void
add_file(struct dir_scan *scan, const char *path,
         const struct dir_found *found)
{
    shash_add_once(&scan->files, path, xmemdup(found, sizeof *found));
}

/* Notes that PATH, maybe a directory, could not be read because of ERROR, if
 * there is one that says that it is there. */
static void
add_unreadable(struct dir_scan *scan, const char *path, int error)
{
    if (error && error != ENOENT && error != ELOOP) {
        shash_add_once(&scan->unreadable, path, xmemdup(&error, sizeof error));
    }
}

static int scan_dir(struct dir_scan *, const char *path, int depth,
                    bool by_link);

static void
scan_entry(struct dir_scan *scan, const char *path, int depth, bool by_link)
{
    struct dir_found found = { .error = 0 };
    struct stat lst;

    if (lstat(path, &lst)) {
        if (errno == ENOENT) {
            return;             /* Gone since its name was read. */
        }
        found.error = errno;
    } else {
        bool is_link = S_ISLNK(lst.st_mode);

        found.by_link = by_link || is_link;
        found.st = lst;
        if (is_link && stat(path, &found.st)) {
            found.error = errno;
        }
    }
    if (found.error) {
        if (has_our_suffix(path)) {
            add_file(scan, path, &found);
        } else {
            add_unreadable(scan, path, found.error);
        }
    } else if (S_ISDIR(found.st.st_mode)) {
        if (visit(scan, &found.st) && depth < MAX_DEPTH) {
            add_unreadable(scan, path, scan_dir(scan, path, depth + 1,
                                                found.by_link));
        }
    } else if (S_ISREG(found.st.st_mode) && has_our_suffix(path)) {
        add_file(scan, path, &found);
    }
}

static int
scan_dir(struct dir_scan *scan, const char *path, int depth, bool by_link)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    const char *name;
    int error;
    size_t i;

    /* The watch comes first: what changes after we looked is an event. */
    np_dir_watch_add(scan->watch, path);
    error = read_names(path, &names);
    SVEC_FOR_EACH (i, name, &names) {
        char *child = xasprintf("%s/%s", path, name);

        scan_entry(scan, child, depth, by_link);
        free(child);
    }
    svec_destroy(&names);
    return error;
}

int
np_dir_scan(struct dir_scan *scan, const char *path, struct dir_watch *watch)
{
    struct stat before, after;
    int error;

    scan->watch = watch;
    shash_init(&scan->files);
    shash_init(&scan->unreadable);
    sset_init(&scan->visited);

    if (stat(path, &before)) {
        return errno;
    }
    visit(scan, &before);
    np_dir_watch_begin(watch);
    error = scan_dir(scan, path, 0, false);
    np_dir_watch_end(watch);
    /* A directory that went away under our feet looks like one whose files
     * were deleted. */
    if (!error && stat(path, &after)) {
        error = errno;
    } else if (!error && (before.st_dev != after.st_dev
                          || before.st_ino != after.st_ino)) {
        error = EAGAIN;
    }
    return error;
}

void
np_dir_scan_destroy(struct dir_scan *scan)
{
    shash_destroy_free_data(&scan->files);
    shash_destroy_free_data(&scan->unreadable);
    sset_destroy(&scan->visited);
}

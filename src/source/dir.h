#ifndef NETPOL_SOURCE_DIR_H
#define NETPOL_SOURCE_DIR_H 1

/* The parts of the directory source; see dir.c. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "netpol/manifest.h"
#include "netpol/source.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "sset.h"

struct np_source *np_dir_open(const char *spec, const char *path);

/* Objects that left the list but may still be in use. */
struct dir_grave {
    struct np_meta **v;
    size_t n;
    size_t allocated;
};
void np_grave_add(struct dir_grave *, struct np_meta *);
void np_grave_empty(struct dir_grave *);

/* What tells that a file is not the same any more. */
struct dir_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
};
struct dir_stamp np_dir_stamp(const struct stat *);
bool np_dir_stamp_equal(const struct dir_stamp *, const struct dir_stamp *);

/* One file and what is in force of it. */
struct dir_file {
    char *path;
    struct dir_stamp stamp;
    bool racy;                  /* Changed so shortly before it was read that
                                 * another change may have the same stamp. */
    bool by_link;               /* A symlink leads to it: what happens to it
                                 * may be seen by nobody. */
    bool has_good;              /* Its text was understood once. */
    struct np_meta **objects;   /* In force; owned. */
    size_t n;
    struct np_errors errors;
    struct np_errors warnings;
    size_t n_skipped;
};

struct dir_file *np_dir_file_create(const char *path);
/* What it has in force goes to GRAVE. */
void np_dir_file_destroy(struct dir_file *, struct dir_grave *grave);
/* Reads the file, whose stat(2) is ST, if it has changed.  Returns true if its
 * objects or errors may have changed. */
bool np_dir_file_update(struct dir_file *, const struct stat *st,
                        struct dir_grave *);
/* The file is there but cannot be looked at, for the reason ERROR. */
void np_dir_file_unreadable(struct dir_file *, int error);

/* inotify(7) on a directory and those below it. */
struct dir_watch {
    int fd;                     /* -1 if there is none to be had. */
    struct hmap dirs;           /* By watch descriptor. */
    unsigned int generation;
    bool blind;                 /* Not everything could be watched. */
};
void np_dir_watch_init(struct dir_watch *);
void np_dir_watch_destroy(struct dir_watch *);
/* Between begin and end, each directory to be watched is named; others are
 * not watched any more. */
void np_dir_watch_begin(struct dir_watch *);
void np_dir_watch_add(struct dir_watch *, const char *path);
void np_dir_watch_end(struct dir_watch *);
/* Returns true if anything happened since the last call. */
bool np_dir_watch_run(struct dir_watch *);
void np_dir_watch_wait(struct dir_watch *);

/* What a walk through the tree found. */
struct dir_found {
    struct stat st;
    int error;                  /* Why 'st' is not filled in, or 0. */
    bool by_link;
};
struct dir_scan {
    struct dir_watch *watch;
    struct shash files;         /* Path to struct dir_found. */
    struct shash unreadable;    /* Path of a directory to its errno. */
    struct sset visited;        /* Directories, by device and inode. */
};
/* Walks through PATH; returns 0, or an errno if PATH itself could not be
 * read. */
int np_dir_scan(struct dir_scan *, const char *path, struct dir_watch *);
void np_dir_scan_destroy(struct dir_scan *);

#endif /* source/dir.h */

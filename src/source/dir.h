#ifndef NETPOL_SOURCE_DIR_H
#define NETPOL_SOURCE_DIR_H 1

/* The parts of the directory source; see dir.c. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "hmapx.h"
#include "netpol/manifest.h"
#include "netpol/source.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "sset.h"

struct np_source *np_dir_open(const char *spec, const char *path);

/* What tells that a file is not the same any more. */
struct dir_stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
};
struct dir_stamp np_dir_stamp(const struct stat *);
bool np_dir_stamp_equal(const struct dir_stamp *, const struct dir_stamp *);

/* An object of a file, which may be in force. */
struct dir_candidate {
    struct hmap_node node;      /* In 'holders', if it holds its key. */
    struct dir_file *file;
    struct np_meta *object;     /* Owned. */
    struct dir_candidate *prev, *next;  /* Ring of the key's candidates; NULL
                                         * for those that the same file has
                                         * said before. */
};

/* One file and what it says, or said when that was last good. */
struct dir_file {
    char *path;
    struct dir_stamp stamp;
    bool racy;                  /* Changed so shortly before it was read that
                                 * another change may have the same stamp. */
    bool by_link;               /* A symlink leads to it: what happens to it
                                 * may be seen by nobody. */
    bool has_good;              /* Its text was understood once. */
    bool bad;                   /* Not all of it could be used when it was
                                 * read last. */
    unsigned int kept_since;    /* See struct np_source's 'kept', or 0. */
    struct dir_candidate *v;    /* In the order of the text. */
    size_t n;
    struct np_errors errors;
    struct np_errors warnings;
    size_t n_skipped;
};

struct dir_index;

struct dir_file *np_dir_file_create(const char *path);
/* F has no candidates any more. */
void np_dir_file_destroy(struct dir_file *f);
/* Reads the file, whose stat(2) is ST, if it has changed. */
void np_dir_file_update(struct dir_file *, const struct stat *st,
                        struct dir_index *);
/* The file is there but cannot be looked at, for the reason ERROR. */
void np_dir_file_unreadable(struct dir_file *, int error, struct dir_index *);
/* Nobody can tell whether the file is there. */
void np_dir_file_keep(struct dir_file *, struct dir_index *);
/* Before the start it said the N OBJECTS, which are taken, until SINCE, in
 * seconds since 1970. */
void np_dir_file_restore(struct dir_file *, struct np_meta **objects, size_t n,
                         unsigned int since, struct dir_index *);

/* The objects of all files by key; see dir-index.c. */
struct dir_index {
    struct hmap holders;        /* struct dir_candidate, one for each key. */
    struct hmapx losers;        /* struct dir_candidate, all others. */
    struct np_changes *changes, *moves;
    struct np_pool *pool;       /* Of all objects. */
    struct np_meta **grave;     /* Left, and maybe 'old' in a change. */
    size_t n_grave, allocated_grave;
    struct dir_leftover *leftovers;
    size_t n_leftovers, allocated_leftovers;
    bool stale;                 /* What is to be complained about may have
                                 * changed, here or in a file; cleared by
                                 * whoever has looked. */
};
/* What happens is added to CHANGES and MOVES. */
void np_dir_index_init(struct dir_index *, struct np_changes *changes,
                       struct np_changes *moves);
/* All files were forgotten. */
void np_dir_index_destroy(struct dir_index *);
/* F says the N OBJECTS now, which are taken. */
void np_dir_index_update(struct dir_index *, struct dir_file *f,
                         struct np_meta **objects, size_t n);
/* F is gone, and is destroyed by the next np_dir_index_settle(). */
void np_dir_index_forget(struct dir_index *, struct dir_file *f);
/* After a round of updates: what no file says any more goes. */
void np_dir_index_settle(struct dir_index *);
/* See np_source_taken(). */
void np_dir_index_taken(struct dir_index *);
/* Adds an error for each loser, sorted by key and path. */
void np_dir_index_complain(const struct dir_index *, struct np_errors *);

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

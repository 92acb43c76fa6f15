#ifndef NETPOL_MANIFEST_H
#define NETPOL_MANIFEST_H 1

/* Kubernetes manifests, YAML or JSON, to objects.
 *
 * The text becomes one neutral tree with line numbers, then objects, under the
 * rules that the API server's validation applies.  Nothing is defaulted. */

#include <stddef.h>
#include "netpol/error.h"
#include "netpol/object.h"
#include "netpol/pool.h"

struct ds;

/* The objects of one file, in its order.  All zeros is an empty one. */
struct np_manifest {
    struct np_meta **objects;   /* Owned. */
    size_t n;
    size_t allocated;
    struct np_errors errors;    /* Each names file, line, object and path. */
    struct np_errors warnings;  /* The same of what is accepted, but may not
                                 * mean what its author meant. */
    size_t n_skipped;           /* Documents of a kind that is not ours. */
    bool unparsable;            /* The text itself is broken, or says of an
                                 * object neither what nor which it is: what
                                 * the file defines is unknown.  What could be
                                 * read of it is in 'objects'. */
    char **refused;             /* "Kind ns/name" of objects that were there
                                 * but did not pass validation. */
    size_t n_refused;
    struct np_pool *pool;       /* Where objects share what they have in
                                 * common; borrowed, NULL if nowhere. */
};

/* Decodes SIZE bytes at TEXT (several documents, "List" objects, JSON) and
 * appends to M.  FILE is what errors call it.  The text is only read. */
void np_manifest_decode(struct np_manifest *m, const char *file,
                        const char *text, size_t size);
/* Reads PATH (at most NP_MANIFEST_MAX bytes) and decodes it. */
void np_manifest_read(struct np_manifest *m, const char *path);
/* Appends OBJECT as JSON on one line, which decodes to an equal object, its
 * places and 'unreadable' aside. */
void np_manifest_format(const struct np_meta *object, struct ds *);
/* Frees all but the pool, which stays set. */
void np_manifest_clear(struct np_manifest *);

#define NP_MANIFEST_MAX (256u << 20)    /* Bytes in a file. */
#define NP_MANIFEST_DEPTH 100           /* Levels of nesting. */

#endif /* netpol/manifest.h */

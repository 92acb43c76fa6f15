#ifndef NETPOL_ERROR_H
#define NETPOL_ERROR_H 1

/* What is wrong with an input, and where.
 *
 * Decoders never print and never stop at the first mistake: they append to a
 * list, and whoever called them decides what to log, count or show. */

#include <stdbool.h>
#include <stddef.h>

struct ds;

/* A copy of S, to be freed, that can be shown to somebody: what a terminal
 * would obey, line breaks included, and what is not UTF-8 becomes "\x0a". */
char *np_printable(const char *s);

/* One mistake.  All strings are owned by the list; all but the file's name are
 * printable, whatever the input had in it. */
struct np_error {
    char *file;                 /* As the user named it; may be NULL. */
    int line;                   /* From 1; 0 if there is none. */
    char *object;               /* "NetworkPolicy ns/name", or NULL. */
    char *path;                 /* "spec.ingress[0].ports[1].port", or NULL. */
    char *reason;               /* In the API server's words where it has
                                 * them.  No trailing full stop or newline. */
};

/* A growing list; all zeros is an empty one. */
struct np_errors {
    struct np_error *v;
    size_t n;
    size_t allocated;
};

void np_errors_add(struct np_errors *, const char *file, int line,
                   const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Appends copies of SRC's errors to DST. */
void np_errors_append(struct np_errors *dst, const struct np_errors *src);
bool np_errors_equal(const struct np_errors *, const struct np_errors *);
/* Names OBJECT in all errors from index FROM on that have no object yet. */
void np_errors_set_object(struct np_errors *, size_t from, const char *object);
/* Appends "file:line: path: reason" without the parts that are absent, and
 * without a newline. */
void np_error_format(const struct np_error *, struct ds *);
/* Forgets all errors from index N on. */
void np_errors_truncate(struct np_errors *, size_t n);
void np_errors_clear(struct np_errors *);

#endif /* netpol/error.h */

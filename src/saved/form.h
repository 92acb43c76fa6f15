#ifndef NETPOL_SAVED_FORM_H
#define NETPOL_SAVED_FORM_H 1

/* The bodies of records; see form.c. */

#include <stdbool.h>
#include <stddef.h>

struct ds;
struct np_meta;
struct np_pool;

/* Appends "Kind ns/name". */
void np_form_key(const struct np_meta *, struct ds *);
/* Appends the body of a RECORD_PUT. */
void np_form_put(const struct np_meta *, struct ds *body);

/* The fields of a RECORD_PUT; all are part of its body. */
struct np_form {
    const char *key;
    const char *file;           /* "" if there is none. */
    const char *flags;
    const char *lines;
    const char *json;
};

/* The next field of a body that ends at END, where a null stands; NULL if
 * there is none. */
const char *np_form_field(const char **p, const char *end);
/* Takes a body of SIZE bytes apart; false if it is not one. */
bool np_form_parse(const char *body, size_t size, struct np_form *);
/* The object, which shares values in POOL, or NULL if FORM is not one that
 * this program writes. */
struct np_meta *np_form_decode(const struct np_form *, struct np_pool *pool);

#endif /* saved/form.h */

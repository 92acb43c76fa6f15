#ifndef NETPOL_MANIFEST_DECODE_H
#define NETPOL_MANIFEST_DECODE_H 1

/* From trees to objects: what the decoders of all kinds share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/manifest.h"
#include "tree.h"

struct ds;

/* One call of np_manifest_decode(). */
struct np_decoder {
    struct np_manifest *m;
    const char *file;
    size_t n_errors;            /* Found in this text, listed or not. */
    size_t n_warnings;          /* The same. */
};

/* So many errors of one text are listed, and as many warnings; a file of
 * garbage must not fill the memory with complaints. */
#define NP_MANIFEST_ERRORS_MAX 1000

/* Where in an object one is: a chain on the stack from the inside out, turned
 * into text only if there is something to say. */
struct np_path {
    const struct np_path *up;
    const char *name;           /* Of a field, or of a map's key. */
    int index;                  /* In a list, if 'name' is NULL. */
    bool is_key;
};

static inline struct np_path
np_path_field(const struct np_path *up, const char *name)
{
    return (struct np_path) { up, name, 0, false };
}

static inline struct np_path
np_path_index(const struct np_path *up, size_t i)
{
    return (struct np_path) { up, NULL, i, false };
}

static inline struct np_path
np_path_key(const struct np_path *up, const char *key)
{
    return (struct np_path) { up, key, 0, true };
}

/* Errors.  PATH may be NULL. */
void np_decode_error(struct np_decoder *, int line, const struct np_path *,
                     const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same of what is let pass. */
void np_decode_warning(struct np_decoder *, int line, const struct np_path *,
                       const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Appends S in double quotes, on one line and not too long. */
void np_decode_quote(struct ds *, const char *s);
/* "Invalid value: "VALUE": MESSAGE"; field.Invalid() of the API server. */
void np_decode_invalid(struct np_decoder *, int line, const struct np_path *,
                       const char *value, const char *message);
void np_decode_invalid_number(struct np_decoder *, int line,
                              const struct np_path *, int64_t value,
                              const char *message);
/* "Unsupported value: "VALUE": supported values: SUPPORTED". */
void np_decode_unsupported(struct np_decoder *, int line,
                           const struct np_path *, const char *value,
                           const char *supported);
void np_decode_type_error(struct np_decoder *, const struct tree_node *,
                          const struct np_path *, const char *expected);

/* Fields of MAP.  Each returns NULL (false, 0) if the field is absent or null,
 * or of another type, which is an error at the field.  PATH is that of MAP. */
const struct tree_node *np_decode_map(struct np_decoder *,
                                      const struct tree_node *map,
                                      const char *key,
                                      const struct np_path *);
const struct tree_node *np_decode_list(struct np_decoder *,
                                       const struct tree_node *map,
                                       const char *key,
                                       const struct np_path *);
/* The node of a string field: its value and line. */
const struct tree_node *np_decode_string(struct np_decoder *,
                                         const struct tree_node *map,
                                         const char *key,
                                         const struct np_path *);
const struct tree_node *np_decode_integer(struct np_decoder *,
                                          const struct tree_node *map,
                                          const char *key,
                                          const struct np_path *);
bool np_decode_bool(struct np_decoder *, const struct tree_node *map,
                    const char *key, const struct np_path *);
/* Element I of LIST, which must be an object; a null one is an empty one, as
 * for the API server.  PATH is that of the element. */
bool np_decode_item_map(struct np_decoder *, const struct tree_node *list,
                        size_t i, const struct np_path *,
                        struct tree_node *item);
/* The same for a string; null is "". */
const char *np_decode_item_string(struct np_decoder *,
                                  const struct tree_node *list, size_t i,
                                  const struct np_path *);
/* A warning for each field of MAP that is none of KNOWN, which ends with a
 * NULL: the API server drops such fields, and kubectl refuses them. */
void np_decode_unknown(struct np_decoder *, const struct tree_node *map,
                       const struct np_path *, const char *const known[]);

/* Addresses as the API server reads them; see address.c.  Each returns false
 * after an error.  '*written_len' is the length as it was written, which for an
 * IPv4-mapped prefix is not that of CIDR. */
bool np_decode_cidr(struct np_decoder *, int line, const struct np_path *,
                    const char *text, struct np_prefix *cidr,
                    unsigned int *written_len);
bool np_decode_addr(struct np_decoder *, int line, const struct np_path *,
                    const char *text, struct np_prefix *addr);
/* Is TEXT an address?  Says nothing. */
bool np_is_addr(const char *text);

/* Parts that several kinds have. */
void np_decode_labels(struct np_decoder *, const struct tree_node *map,
                      const struct np_path *, struct np_labels *);
void np_decode_selector(struct np_decoder *, const struct tree_node *map,
                        const struct np_path *, struct np_selector *);

/* Decoders of what follows the metadata, from ROOT, the whole object. */
void np_decode_pod(struct np_decoder *, const struct tree_node *root,
                   struct np_pod *);
void np_decode_node(struct np_decoder *, const struct tree_node *root,
                    struct np_node *);
void np_decode_netpol(struct np_decoder *, const struct tree_node *root,
                      struct np_netpol *);

/* One document, which arrives as its top-level fields: the elements of a
 * List's "items" are decoded one by one and forgotten, so that a list of
 * everything in a cluster takes no more memory than its objects. */
struct np_document {
    struct np_decoder *dec;
    struct np_arena *arena;
    struct np_tree_builder root;        /* Fields other than a list of
                                         * items. */
    struct np_tree_builder pending;     /* Items of a kind not known yet. */
    int line;
    bool has_items;
    /* To undo what the items were decoded to. */
    size_t n_objects, n_errors, n_found, n_refused, n_skipped;
    size_t n_warnings, n_doubts;
    bool unparsable;
};

void np_document_begin(struct np_document *, struct np_decoder *,
                       struct np_arena *, int line);
/* Adds a field; KEY is in the arena.  Returns false if it was there. */
bool np_document_field(struct np_document *, const char *key,
                       const struct tree_node *);
/* Says that the document has a list "items"; false if there was one. */
bool np_document_begin_items(struct np_document *);
/* Takes an element of it; returns true if it is not needed any more. */
bool np_document_item(struct np_document *, const struct tree_node *);
/* The document is complete. */
void np_document_end(struct np_document *);
/* The document is broken: none of its objects counts. */
void np_document_abort(struct np_document *);

/* The two languages.  Both report a broken text as errors and set
 * 'unparsable'. */
void np_yaml_decode(struct np_decoder *, const char *text, size_t size);
void np_json_decode(struct np_decoder *, const char *text, size_t size,
                    int line);

#endif /* manifest/decode.h */

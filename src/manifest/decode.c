/* Reading fields out of a tree.
 *
 * The rules are those of the API server's JSON decoder: null is the same as
 * absent, a wrong type is an error, and unknown fields are let pass with a
 * warning.  Unlike it, we go on after an error, so that a user sees all of an
 * object's mistakes at once. */

#include <config.h>
#include "decode.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* In the API's form: spec.ingress[0].from[1].ipBlock. */
static void
format_path(const struct np_path *path, struct ds *s)
{
    if (!path) {
        return;
    }
    format_path(path->up, s);
    if (path->is_key) {
        ds_put_format(s, "[%.253s]", path->name);
    } else if (path->name) {
        ds_put_format(s, "%s%.253s", path->up ? "." : "", path->name);
    } else {
        ds_put_format(s, "[%d]", path->index);
    }
}

/* Counts one more of WHAT, and says in LIST when there are too many. */
static void
count(struct np_decoder *dec, struct np_errors *list, size_t *n,
      const char *what, int line)
{
    if (++*n == NP_MANIFEST_ERRORS_MAX + 1) {
        np_errors_add(list, dec->file, line, NULL,
                      "too many %s; no more of them are listed", what);
    }
}

static void
add_complaint(struct np_decoder *dec, struct np_errors *list, int line,
              const struct np_path *path, const char *format, va_list args)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char *reason = xvasprintf(format, args);

    format_path(path, &s);
    np_errors_add(list, dec->file, line, path ? ds_cstr(&s) : NULL, "%s",
                  reason);
    free(reason);
    ds_destroy(&s);
}

void
np_decode_error(struct np_decoder *dec, int line, const struct np_path *path,
                const char *format, ...)
{
    va_list args;

    count(dec, &dec->m->errors, &dec->n_errors, "errors", line);
    if (dec->n_errors <= NP_MANIFEST_ERRORS_MAX) {
        va_start(args, format);
        add_complaint(dec, &dec->m->errors, line, path, format, args);
        va_end(args);
    }
}

void
np_decode_warning(struct np_decoder *dec, int line,
                  const struct np_path *path, const char *format, ...)
{
    va_list args;

    count(dec, &dec->m->warnings, &dec->n_warnings, "warnings", line);
    if (dec->n_warnings <= NP_MANIFEST_ERRORS_MAX) {
        va_start(args, format);
        add_complaint(dec, &dec->m->warnings, line, path, format, args);
        va_end(args);
    }
}

void
np_decode_quote(struct ds *out, const char *s)
{
    size_t n = strnlen(s, 201);

    ds_put_char(out, '"');
    for (size_t i = 0; i < MIN(n, 200); i++) {
        unsigned char c = s[i];

        if (c == '"' || c == '\\') {
            ds_put_format(out, "\\%c", c);
        } else if (c == '\n') {
            ds_put_cstr(out, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            ds_put_format(out, "\\x%02x", c);
        } else {
            ds_put_char(out, c);
        }
    }
    ds_put_cstr(out, n > 200 ? "...\"" : "\"");
}

void
np_decode_invalid(struct np_decoder *dec, int line,
                  const struct np_path *path, const char *value,
                  const char *message)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_decode_quote(&s, value);
    np_decode_error(dec, line, path, "Invalid value: %s: %s", ds_cstr(&s),
                    message);
    ds_destroy(&s);
}

void
np_decode_invalid_number(struct np_decoder *dec, int line,
                         const struct np_path *path, int64_t value,
                         const char *message)
{
    np_decode_error(dec, line, path, "Invalid value: %lld: %s",
                    (long long int) value, message);
}

void
np_decode_unsupported(struct np_decoder *dec, int line,
                      const struct np_path *path, const char *value,
                      const char *supported)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_decode_quote(&s, value);
    np_decode_error(dec, line, path,
                    "Unsupported value: %s: supported values: %s",
                    ds_cstr(&s), supported);
    ds_destroy(&s);
}

void
np_decode_type_error(struct np_decoder *dec, const struct tree_node *node,
                     const struct np_path *path, const char *expected)
{
    np_decode_error(dec, node->line, path, "expected %s, got %s", expected,
                    np_tree_type_name(node->type));
}

static const struct tree_node *
get_typed(struct np_decoder *dec, const struct tree_node *map,
          const char *key, const struct np_path *up, enum tree_type type)
{
    const struct tree_node *node = np_tree_get(map, key);

    if (node && node->type != type) {
        struct np_path path = np_path_field(up, key);

        np_decode_type_error(dec, node, &path,
                             type == TREE_INT ? "an integer"
                             : np_tree_type_name(type));
        return NULL;
    }
    return node;
}

const struct tree_node *
np_decode_map(struct np_decoder *dec, const struct tree_node *map,
              const char *key, const struct np_path *up)
{
    return get_typed(dec, map, key, up, TREE_MAP);
}

const struct tree_node *
np_decode_list(struct np_decoder *dec, const struct tree_node *map,
               const char *key, const struct np_path *up)
{
    return get_typed(dec, map, key, up, TREE_LIST);
}

const struct tree_node *
np_decode_string(struct np_decoder *dec, const struct tree_node *map,
                 const char *key, const struct np_path *up)
{
    return get_typed(dec, map, key, up, TREE_STRING);
}

const struct tree_node *
np_decode_integer(struct np_decoder *dec, const struct tree_node *map,
                  const char *key, const struct np_path *up)
{
    return get_typed(dec, map, key, up, TREE_INT);
}

bool
np_decode_bool(struct np_decoder *dec, const struct tree_node *map,
               const char *key, const struct np_path *up)
{
    const struct tree_node *node = get_typed(dec, map, key, up, TREE_BOOL);

    return node && node->boolean;
}

bool
np_decode_item_map(struct np_decoder *dec, const struct tree_node *list,
                   size_t i, const struct np_path *path,
                   struct tree_node *item)
{
    const struct tree_node *node = &list->list[i];

    if (node->type == TREE_NULL) {
        *item = np_tree_scalar(TREE_MAP, node->line);
        return true;
    } else if (node->type != TREE_MAP) {
        np_decode_type_error(dec, node, path, "an object");
        return false;
    }
    *item = *node;
    return true;
}

const char *
np_decode_item_string(struct np_decoder *dec, const struct tree_node *list,
                      size_t i, const struct np_path *path)
{
    const struct tree_node *node = &list->list[i];

    if (node->type == TREE_NULL) {
        return "";
    } else if (node->type != TREE_STRING) {
        np_decode_type_error(dec, node, path, "a string");
        return NULL;
    }
    return node->string;
}

/* How many letters must be put in, left out, changed or swapped with the next
 * to make A of B?  Only for short names. */
static unsigned int
distance(const char *a, const char *b)
{
    unsigned int rows[3][32];
    size_t n = strlen(b);

    if (n >= ARRAY_SIZE(rows[0])) {
        return UINT_MAX;
    }
    for (size_t j = 0; j <= n; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned int *row = rows[i % 3];
        const unsigned int *up = rows[(i + 2) % 3];
        const unsigned int *up2 = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            row[j] = MIN(MIN(up[j], row[j - 1]) + 1,
                         up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2]
                && a[i - 2] == b[j - 1]) {
                row[j] = MIN(row[j], up2[j - 2] + 1);
            }
        }
    }
    return rows[strlen(a) % 3][n];
}

/* Which of KNOWN may have been meant by KEY?  NULL if none comes near. */
static const char *
guess(const char *key, const char *const known[])
{
    unsigned int best = MIN(strlen(key) / 2, 3);
    const char *found = NULL;

    for (size_t i = 0; strlen(key) < 32 && known[i]; i++) {
        unsigned int d = distance(key, known[i]);

        if (d < best || (d == best && !found)) {
            best = d;
            found = known[i];
        }
    }
    return found;
}

void
np_decode_unknown(struct np_decoder *dec, const struct tree_node *map,
                  const struct np_path *up, const char *const known[])
{
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->map[i].key;
        struct np_path path = np_path_field(up, key);
        const char *meant;
        size_t j = 0;

        while (known[j] && strcmp(known[j], key)) {
            j++;
        }
        if (!known[j]) {
            meant = guess(key, known);
            np_decode_warning(dec, map->map[i].value.line, &path,
                              "unknown field, has no effect%s%s%s",
                              meant ? "; did you mean \"" : "",
                              meant ? meant : "", meant ? "\"?" : "");
        }
    }
}

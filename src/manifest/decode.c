/* Reading fields out of a tree.
 *
 * The rules are those of the API server's JSON decoder: null is the same as
 * absent, a wrong type is an error, and unknown fields are let pass.  Unlike
 * it, we go on after an error, so that a user sees all of an object's mistakes
 * at once. */

#include <config.h>
#include "decode.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_manifest);

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

void
np_decode_error(struct np_decoder *dec, int line, const struct np_path *path,
                const char *format, ...)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    va_list args;
    char *reason;

    if (++dec->n_errors > NP_MANIFEST_ERRORS_MAX) {
        if (dec->n_errors == NP_MANIFEST_ERRORS_MAX + 1) {
            np_errors_add(&dec->m->errors, dec->file, line, NULL,
                          "too many errors; no more of them are listed");
        }
        return;
    }
    format_path(path, &s);
    va_start(args, format);
    reason = xvasprintf(format, args);
    va_end(args);
    np_errors_add(&dec->m->errors, dec->file, line, path ? ds_cstr(&s) : NULL,
                  "%s", reason);
    free(reason);
    ds_destroy(&s);
}

/* Appends S in double quotes, on one line and not too long. */
static void
put_quoted(struct ds *out, const char *s)
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

    put_quoted(&s, value);
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

    put_quoted(&s, value);
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

void
np_decode_unknown(const struct np_decoder *dec, const struct tree_node *map,
                  const struct np_path *up, const char *const known[])
{
    if (!VLOG_IS_DBG_ENABLED()) {
        return;
    }
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->map[i].key;
        size_t j = 0;

        while (known[j] && strcmp(known[j], key)) {
            j++;
        }
        if (!known[j]) {
            struct np_path path = np_path_field(up, key);
            struct ds s = DS_EMPTY_INITIALIZER;

            format_path(&path, &s);
            VLOG_DBG("%s:%d: %s: unknown field is ignored", dec->file,
                     map->map[i].value.line, ds_cstr(&s));
            ds_destroy(&s);
        }
    }
}

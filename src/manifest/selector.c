/* Labels and label selectors. */

#include <config.h>
#include "validate.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static int
compare_labels(const void *a_, const void *b_)
{
    const struct np_label *a = a_;
    const struct np_label *b = b_;

    return strcmp(a->key, b->key);
}

/* Decodes MAP, a map of strings at PATH, to an array that is to be freed and
 * whose strings are MAP's; the API server reports bad keys and values at the
 * path of the map. */
static struct np_label *
decode_strings(struct np_decoder *dec, const struct tree_node *map,
               const struct np_path *path)
{
    struct np_label *v = xcalloc(map->n, sizeof *v);

    for (size_t i = 0; i < map->n; i++) {
        const struct tree_entry *e = &map->map[i];
        struct np_path key = np_path_key(path, e->key);
        const char *value = "";

        np_validate_name(dec, e->value.line, path, e->key, NP_LABEL_KEY);
        if (e->value.type == TREE_STRING) {
            value = e->value.string;
            np_validate_name(dec, e->value.line, path, value, NP_LABEL_VALUE);
        } else if (e->value.type != TREE_NULL) {
            np_decode_type_error(dec, &e->value, &key, "a string");
        }
        v[i] = (struct np_label) { e->key, value };
    }
    if (map->n) {
        qsort(v, map->n, sizeof *v, compare_labels);
    }
    return v;
}

void
np_decode_labels(struct np_decoder *dec, const struct tree_node *map,
                 const struct np_path *up, struct np_labels *labels)
{
    const struct tree_node *node = np_decode_map(dec, map, "labels", up);
    struct np_path path = np_path_field(up, "labels");
    struct np_label *v;

    if (!node) {
        return;
    }
    v = decode_strings(dec, node, &path);
    for (size_t i = 0; i < node->n; i++) {
        v[i].key = np_pool_string(dec->m->pool, v[i].key);
        v[i].value = np_pool_string(dec->m->pool, v[i].value);
    }
    *labels = np_labels_share(dec->m->pool, v, node->n);
    free(v);
}

static void
decode_values(struct np_decoder *dec, const struct tree_node *list,
              const struct np_path *path, struct np_requirement *r)
{
    r->values = xcalloc(list->n, sizeof *r->values);
    for (size_t i = 0; i < list->n; i++) {
        struct np_path item = np_path_index(path, i);
        const char *value = np_decode_item_string(dec, list, i, &item);

        if (value) {
            np_validate_name(dec, list->list[i].line, &item, value,
                             NP_LABEL_VALUE);
            r->values[r->n_values++] = xstrdup(value);
        }
    }
}

/* The API server allows values for some operators and requires them for the
 * others. */
static void
decode_operator(struct np_decoder *dec, const struct tree_node *map,
                const struct np_path *path, const struct tree_node *values,
                struct np_requirement *r)
{
    static const char *const names[] = {
        [NP_IN] = "In", [NP_NOT_IN] = "NotIn", [NP_EXISTS] = "Exists",
        [NP_DOES_NOT_EXIST] = "DoesNotExist",
    };
    const struct tree_node *node = np_decode_string(dec, map, "operator",
                                                    path);
    const char *name = node ? node->string : "";
    struct np_path values_path = np_path_field(path, "values");
    struct np_path op_path = np_path_field(path, "operator");
    size_t op = 0;

    if (!node && np_tree_get(map, "operator")) {
        return;                 /* Of a wrong type; said so. */
    }
    while (op < ARRAY_SIZE(names) && strcmp(names[op], name)) {
        op++;
    }
    if (op >= ARRAY_SIZE(names)) {
        np_decode_invalid(dec, node ? node->line : map->line, &op_path, name,
                          "not a valid selector operator");
        return;
    }
    r->op = op;
    if (op <= NP_NOT_IN && !(values && values->n)) {
        np_decode_error(dec, values ? values->line : map->line, &values_path,
                        "Required value: must be specified when `operator` "
                        "is 'In' or 'NotIn'");
    } else if (op > NP_NOT_IN && values && values->n) {
        np_decode_error(dec, values->line, &values_path,
                        "Forbidden: may not be specified when `operator` is "
                        "'Exists' or 'DoesNotExist'");
    }
}

static void
decode_requirement(struct np_decoder *dec, const struct tree_node *map,
                   const struct np_path *path, struct np_requirement *r)
{
    static const char *const known[] = { "key", "operator", "values", NULL };
    const struct tree_node *values = np_decode_list(dec, map, "values", path);
    const struct tree_node *key = np_decode_string(dec, map, "key", path);
    struct np_path values_path = np_path_field(path, "values");
    struct np_path key_path = np_path_field(path, "key");

    np_decode_unknown(dec, map, path, known);
    r->key = xstrdup(key ? key->string : "");
    decode_operator(dec, map, path, values, r);
    if (key || !np_tree_get(map, "key")) {
        np_validate_name(dec, key ? key->line : map->line, &key_path, r->key,
                         NP_LABEL_KEY);
    }
    if (values) {
        decode_values(dec, values, &values_path, r);
    }
}

static void
add_match_labels(struct np_decoder *dec, const struct tree_node *map,
                 const struct np_path *path, struct np_selector *s)
{
    struct np_label *labels = decode_strings(dec, map, path);

    for (size_t i = 0; i < map->n; i++) {
        struct np_requirement *r = &s->v[s->n++];

        *r = (struct np_requirement) {
            .key = xstrdup(labels[i].key),
            .op = NP_IN,
            .values = xmalloc(sizeof *r->values),
            .n_values = 1,
        };
        r->values[0] = xstrdup(labels[i].value);
    }
    free(labels);
}

void
np_decode_selector(struct np_decoder *dec, const struct tree_node *map,
                   const struct np_path *path, struct np_selector *s)
{
    static const char *const known[] = {
        "matchLabels", "matchExpressions", NULL
    };
    const struct tree_node *match = np_decode_map(dec, map, "matchLabels",
                                                  path);
    const struct tree_node *list = np_decode_list(dec, map,
                                                  "matchExpressions", path);
    struct np_path match_path = np_path_field(path, "matchLabels");
    struct np_path list_path = np_path_field(path, "matchExpressions");

    np_decode_unknown(dec, map, path, known);
    s->v = xcalloc((match ? match->n : 0) + (list ? list->n : 0),
                   sizeof *s->v);
    if (match) {
        add_match_labels(dec, match, &match_path, s);
    }
    for (size_t i = 0; list && i < list->n; i++) {
        struct np_path item_path = np_path_index(&list_path, i);
        struct tree_node item;

        if (np_decode_item_map(dec, list, i, &item_path, &item)) {
            decode_requirement(dec, &item, &item_path, &s->v[s->n++]);
        }
    }
    np_selector_sort(s);
}

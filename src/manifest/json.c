/* JSON to trees, by jansson.
 *
 * jansson is strict, as a decoder should be, but says nothing of lines and
 * builds the whole of a text before one can look at any of it.  So a small
 * scanner goes before it: it finds where values begin and end and counts lines
 * and levels, and jansson gets the fields of the top level, and the items of a
 * list, one by one.  A value's lines are found by walking its text and
 * jansson's tree, which keeps the order of the text, side by side. */

#include <config.h>
#include "decode.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Values in one piece that jansson gets. */
#define MAX_VALUES (1u << 20)

struct json_reader {
    struct np_decoder *dec;
    struct np_arena arena;
    const char *p, *end;
    int line;
    char *error;                /* The first one, or NULL. */
    int error_line;
};

static bool fail(struct json_reader *, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Always returns false. */
static bool
fail(struct json_reader *r, int line, const char *format, ...)
{
    if (!r->error) {
        va_list args;

        va_start(args, format);
        r->error = xvasprintf(format, args);
        va_end(args);
        r->error_line = line;
    }
    return false;
}

static void
skip_space(struct json_reader *r)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '\n') {
            r->line++;
        } else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r') {
            break;
        }
    }
}

/* Takes the character C, after blanks. */
static bool
take(struct json_reader *r, char c)
{
    skip_space(r);
    if (r->p < r->end && *r->p == c) {
        r->p++;
        return true;
    }
    return false;
}

/* Fails because WHAT is not there. */
static bool
fail_expected(struct json_reader *r, const char *what)
{
    skip_space(r);
    if (r->p >= r->end) {
        return fail(r, r->line, "invalid JSON: unexpected end of text");
    }
    return fail(r, r->line, "invalid JSON: expected %s near '%.*s'", what,
                (int) MIN(r->end - r->p, 10), r->p);
}

/* Moves past the string at the current place. */
static void
skip_string(struct json_reader *r)
{
    for (r->p++; r->p < r->end && *r->p != '"'; r->p++) {
        if (*r->p == '\\' && r->p + 1 < r->end) {
            r->p++;
        }
        r->line += *r->p == '\n';
    }
    r->p += r->p < r->end;
}

/* Moves past a number or a word. */
static void
skip_word(struct json_reader *r)
{
    while (r->p < r->end && !strchr(" \t\r\n,:[]{}\"", *r->p) && *r->p) {
        r->p++;
    }
    /* Whatever else is there, one must get past it. */
    r->p += r->p < r->end && !*r->p;
}

/* Moves past a value at level DEPTH; what is wrong inside is for jansson to
 * find.  Fails if it is too deep or has too many parts. */
static bool
skip_value(struct json_reader *r, int depth)
{
    size_t n = 0;
    int nest = 0;

    do {
        skip_space(r);
        if (r->p >= r->end) {
            return fail_expected(r, "a value");
        }
        switch (*r->p) {
        case '{': case '[':
            if (depth + nest++ > NP_MANIFEST_DEPTH) {
                return fail(r, r->line, "nested more than %d levels deep",
                            NP_MANIFEST_DEPTH);
            }
            r->p++;
            n++;
            break;
        case '}': case ']':
            if (!nest--) {
                return fail_expected(r, "a value");
            }
            r->p++;
            break;
        case ',': case ':':
            if (!nest) {
                return fail_expected(r, "a value");
            }
            r->p++;
            break;
        case '"':
            skip_string(r);
            n++;
            break;
        default:
            skip_word(r);
            n++;
        }
    } while (nest);
    return n <= MAX_VALUES || fail(r, r->line, "the document is too large");
}

static bool convert(struct json_reader *, const json_t *, enum tree_part,
                    struct tree_node *);

static bool
convert_object(struct json_reader *r, const json_t *json, enum tree_part part,
               struct tree_node *node)
{
    struct np_tree_builder b;
    int line = r->line;
    const char *key;
    json_t *value;

    np_builder_init(&b);
    take(r, '{');
    json_object_foreach ((json_t *) json, key, value) {
        enum tree_part value_part = np_tree_part(part, key);
        struct tree_node child;
        int key_line;

        take(r, ',');
        skip_space(r);
        key_line = r->line;
        skip_string(r);
        take(r, ':');
        skip_space(r);
        if (value_part == PART_SKIP) {
            skip_value(r, 1);
        } else if (convert(r, value, value_part, &child)) {
            child.line = key_line;
            np_builder_add(&b, np_arena_strdup(&r->arena, key, strlen(key)),
                           &child);
        } else {
            np_builder_destroy(&b);
            return false;
        }
    }
    take(r, '}');
    np_builder_finish(&b, &r->arena, TREE_MAP, line, node);
    return true;
}

static bool
convert_array(struct json_reader *r, const json_t *json, enum tree_part part,
              struct tree_node *node)
{
    enum tree_part item_part = part == PART_ITEMS ? PART_OBJECT : PART_KEEP;
    struct np_tree_builder b;
    int line = r->line;

    np_builder_init(&b);
    take(r, '[');
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct tree_node child;

        take(r, ',');
        skip_space(r);
        if (!convert(r, json_array_get(json, i), item_part, &child)) {
            np_builder_destroy(&b);
            return false;
        }
        np_builder_add(&b, NULL, &child);
    }
    take(r, ']');
    np_builder_finish(&b, &r->arena, TREE_LIST, line, node);
    return true;
}

static void
convert_scalar(struct json_reader *r, const json_t *json,
               struct tree_node *node)
{
    int line = r->line;

    skip_value(r, 1);
    switch (json_typeof(json)) {
    case JSON_STRING:
        *node = np_tree_scalar(TREE_STRING, line);
        node->string = np_arena_strdup(&r->arena, json_string_value(json),
                                       json_string_length(json));
        return;
    case JSON_INTEGER:
        *node = np_tree_scalar(TREE_INT, line);
        node->integer = json_integer_value(json);
        return;
    case JSON_REAL:
        *node = np_tree_number(json_real_value(json), line);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        *node = np_tree_scalar(TREE_BOOL, line);
        node->boolean = json_is_true(json);
        return;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        *node = np_tree_scalar(TREE_NULL, line);
        return;
    }
}

/* Makes a tree of JSON, which is what the current place of the text says, and
 * moves past it. */
static bool
convert(struct json_reader *r, const json_t *json, enum tree_part part,
        struct tree_node *node)
{
    r->arena.bytes += sizeof(struct tree_entry);
    if (r->arena.bytes > NP_ARENA_MAX) {
        return fail(r, r->line, "the document is too large");
    }
    if (json_is_object(json)) {
        return convert_object(r, json, part, node);
    } else if (json_is_array(json)) {
        return convert_array(r, json, part, node);
    }
    convert_scalar(r, json, node);
    return true;
}

/* Reads the value at the current place, at level DEPTH. */
static bool
read_value(struct json_reader *r, enum tree_part part, int depth,
           struct tree_node *node)
{
    const char *start;
    json_error_t error;
    json_t *json;
    int line;
    bool ok;

    skip_space(r);
    start = r->p;
    line = r->line;
    if (!skip_value(r, depth)) {
        return false;
    }
    json = json_loadb(start, r->p - start,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json) {
        return fail(r, line + MAX(error.line, 1) - 1, "invalid JSON: %s",
                    error.text);
    }
    r->p = start;
    r->line = line;
    ok = convert(r, json, part, node);
    json_decref(json);
    return ok;
}

static bool
read_items(struct json_reader *r, struct np_document *doc, int depth)
{
    take(r, '[');
    if (take(r, ']')) {
        return true;
    }
    do {
        struct np_arena_mark mark = np_arena_mark(&r->arena);
        struct tree_node item;

        if (!read_value(r, PART_OBJECT, depth + 1, &item)) {
            return false;
        }
        if (np_document_item(doc, &item)) {
            np_arena_release(&r->arena, &mark);
        }
    } while (take(r, ','));
    return take(r, ']') || fail_expected(r, "',' or ']'");
}

/* Reads one field of the top level. */
static bool
read_field(struct json_reader *r, struct np_document *doc)
{
    struct tree_node key, value;
    enum tree_part part;
    int line;

    skip_space(r);
    line = r->line;
    if (r->p >= r->end || *r->p != '"') {
        return fail_expected(r, "a string");
    }
    if (!read_value(r, PART_KEEP, 2, &key)) {
        return false;
    }
    if (!take(r, ':')) {
        return fail_expected(r, "':'");
    }
    part = np_tree_part(PART_OBJECT, key.string);
    skip_space(r);
    if (part == PART_SKIP) {
        return skip_value(r, 2);
    }
    if (part == PART_ITEMS && r->p < r->end && *r->p == '[') {
        return np_document_begin_items(doc)
            ? read_items(r, doc, 2)
            : fail(r, line, "key \"%.64s\" already set in map", key.string);
    }
    if (!read_value(r, part, 2, &value)) {
        return false;
    }
    value.line = line;
    return np_document_field(doc, key.string, &value)
           || fail(r, line, "key \"%.64s\" already set in map", key.string);
}

static bool
read_fields(struct json_reader *r, struct np_document *doc)
{
    take(r, '{');
    if (take(r, '}')) {
        return true;
    }
    do {
        if (!read_field(r, doc)) {
            return false;
        }
    } while (take(r, ','));
    return take(r, '}') || fail_expected(r, "',' or '}'");
}

/* Reads one document, which must be an object. */
static bool
read_document(struct json_reader *r)
{
    struct np_document doc;
    bool ok;

    if (*r->p != '{') {
        return fail_expected(r, "'{'");
    }
    np_document_begin(&doc, r->dec, &r->arena, r->line);
    ok = read_fields(r, &doc);
    if (ok) {
        np_document_end(&doc);
    } else {
        np_document_abort(&doc);
    }
    np_arena_destroy(&r->arena);
    return ok;
}

/* kubectl also takes YAML's separator between two documents in JSON. */
static void
skip_separators(struct json_reader *r)
{
    skip_space(r);
    while (r->end - r->p >= 3 && !memcmp(r->p, "---", 3)) {
        r->p += 3;
        skip_space(r);
    }
}

void
np_json_decode(struct np_decoder *dec, const char *text, size_t size,
               int line)
{
    struct json_reader r = {
        .dec = dec, .p = text, .end = text + size, .line = line,
    };

    while (skip_separators(&r), r.p < r.end) {
        if (!read_document(&r)) {
            dec->m->unparsable = true;
            np_decode_error(dec, r.error_line, NULL, "%s", r.error);
            free(r.error);
            break;
        }
    }
    np_arena_destroy(&r.arena);
}

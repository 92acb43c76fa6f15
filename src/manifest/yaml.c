/* YAML to trees, from libyaml's events.
 *
 * A text that is broken in one document is still read in the others: the
 * reader starts again at the next line that begins with "---", which can be
 * nothing but the start of a document.
 *
 * An alias shares the node of its anchor, so it costs nothing here.  It does
 * cost whoever walks the tree, so the nodes that aliases stand for are counted
 * as if they were copied, and too many of them are an error. */

#include <config.h>
#include "decode.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "util.h"

/* Nodes that the aliases of a document may stand for. */
#define MAX_ALIASED 400000

struct yaml_reader {
    struct np_decoder *dec;
    struct np_arena arena;
    yaml_parser_t parser;
    yaml_event_t event;         /* The current one. */
    int line_base;              /* Lines before the parser's first. */
    int document_line;          /* Where the current document starts. */

    /* Of the current document. */
    struct shash anchors;       /* To struct tree_node in the arena, or NULL
                                 * while the node is being read. */
    size_t n_anchors;           /* Definitions, one name's each counted. */
    uint32_t aliased;

    char *error;                /* The first one, or NULL. */
    int error_line;
};

static bool build(struct yaml_reader *, enum tree_part, int depth,
                  struct tree_node *);

static bool fail(struct yaml_reader *, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Always returns false. */
static bool
fail(struct yaml_reader *r, int line, const char *format, ...)
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

static int
event_line(const struct yaml_reader *r)
{
    return r->line_base + r->event.start_mark.line + 1;
}

static bool
fail_parser(struct yaml_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const yaml_mark_t *mark = &p->problem_mark;

    if (p->error == YAML_READER_ERROR || (!mark->line && !mark->column)) {
        mark = &p->mark;
    }
    return fail(r, r->line_base + mark->line + 1, "invalid YAML: %s%s%s",
                p->context ? p->context : "", p->context ? ": " : "",
                p->problem ? p->problem : "out of memory");
}

static bool
next(struct yaml_reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) || fail_parser(r);
}

/* The anchor of the current event, or NULL. */
static const char *
get_anchor(const struct yaml_reader *r)
{
    const yaml_event_t *e = &r->event;
    yaml_char_t *anchor = e->type == YAML_SCALAR_EVENT
        ? e->data.scalar.anchor
        : e->type == YAML_SEQUENCE_START_EVENT
        ? e->data.sequence_start.anchor
        : e->type == YAML_MAPPING_START_EVENT
        ? e->data.mapping_start.anchor
        : NULL;

    return (const char *) anchor;
}

/* NODE is NULL at the start of the anchor's node.  NAME is freed with the
 * event, so it may be a copy. */
static void
set_anchor(struct yaml_reader *r, const char *name,
           const struct tree_node *node)
{
    struct tree_node *copy = NULL;

    if (node) {
        copy = np_arena_alloc(&r->arena, sizeof *copy);
        *copy = *node;
    }
    shash_replace(&r->anchors, name, copy);
    r->n_anchors++;
}

static bool
build_alias(struct yaml_reader *r, int depth, struct tree_node *node)
{
    const char *name = (const char *) r->event.data.alias.anchor;
    const struct shash_node *found = shash_find(&r->anchors, name);
    const struct tree_node *target;

    if (!found) {
        return fail(r, event_line(r), "unknown anchor '%.64s' referenced",
                    name);
    }
    target = found->data;
    if (!target) {
        return fail(r, event_line(r), "anchor '%.64s' value contains itself",
                    name);
    }
    if (depth + target->height - 1 > NP_MANIFEST_DEPTH) {
        return fail(r, event_line(r), "nested more than %d levels deep",
                    NP_MANIFEST_DEPTH);
    }
    if (target->weight > MAX_ALIASED - r->aliased) {
        return fail(r, event_line(r), "document contains excessive aliasing");
    }
    r->aliased += target->weight;
    *node = *target;
    node->line = event_line(r);
    return true;
}

static bool
build_scalar(struct yaml_reader *r, struct tree_node *node)
{
    const char *value = (const char *) r->event.data.scalar.value;
    char *error;

    node->line = event_line(r);
    error = np_scalar_resolve(&r->arena,
                              (const char *) r->event.data.scalar.tag,
                              r->event.data.scalar.plain_implicit, value,
                              r->event.data.scalar.length, node);
    if (error) {
        fail(r, event_line(r), "%s", error);
        free(error);
        return false;
    }
    return true;
}

/* Reads past the node that starts with the current event.  What has an anchor
 * in it is built all the same, for an alias elsewhere. */
static bool
skip(struct yaml_reader *r, int depth)
{
    int nest = 0;

    for (;;) {
        struct tree_node node;

        if (get_anchor(r)) {
            if (!build(r, PART_KEEP, depth + nest, &node)) {
                return false;
            }
        } else if (r->event.type == YAML_SEQUENCE_START_EVENT
                   || r->event.type == YAML_MAPPING_START_EVENT) {
            nest++;
            if (depth + nest - 1 > NP_MANIFEST_DEPTH) {
                return fail(r, event_line(r),
                            "nested more than %d levels deep",
                            NP_MANIFEST_DEPTH);
            }
        } else if (r->event.type == YAML_SEQUENCE_END_EVENT
                   || r->event.type == YAML_MAPPING_END_EVENT) {
            nest--;
        }
        if (!nest) {
            return true;
        }
        if (!next(r)) {
            return false;
        }
    }
}

static bool
is_merge_key(const struct yaml_reader *r)
{
    return r->event.type == YAML_SCALAR_EVENT
           && r->event.data.scalar.plain_implicit
           && !strcmp((const char *) r->event.data.scalar.value, "<<");
}

/* Reads the key that is the current event. */
static bool
build_key(struct yaml_reader *r, int depth, const char **key, int *line)
{
    struct tree_node node;

    *line = event_line(r);
    if (r->event.type == YAML_MAPPING_START_EVENT
        || r->event.type == YAML_SEQUENCE_START_EVENT) {
        return fail(r, *line, "unsupported map key: not a scalar");
    }
    if (!build(r, PART_KEEP, depth, &node)) {
        return false;
    }
    *key = np_scalar_key(&r->arena, &node);
    return *key || fail(r, *line, "unsupported map key: %s",
                        np_tree_type_name(node.type));
}

/* A map as it is read: the top level of a document, or any other. */
struct map_target {
    struct np_document *doc;    /* NULL if not the top level. */
    struct np_tree_builder builder;
    struct np_tree_builder merges;      /* Maps, the first has precedence. */
};

static bool
add_entry(struct map_target *t, const char *key, const struct tree_node *node)
{
    if (t->doc) {
        return np_document_field(t->doc, key, node);
    } else if (np_builder_has(&t->builder, key)) {
        return false;
    }
    np_builder_add(&t->builder, key, node);
    return true;
}

/* Reads the value of "<<", whose key was the current event. */
static bool
build_merge(struct yaml_reader *r, enum tree_part part, int depth,
            struct map_target *t)
{
    int line = event_line(r);
    struct tree_node node;

    if (!next(r) || !build(r, part, depth, &node)) {
        return false;
    }
    if (node.type == TREE_MAP) {
        np_builder_add(&t->merges, NULL, &node);
        return true;
    }
    for (size_t i = 0; node.type == TREE_LIST && i < node.n; i++) {
        if (node.list[i].type != TREE_MAP) {
            node.type = TREE_NULL;
            break;
        }
        np_builder_add(&t->merges, NULL, &node.list[i]);
    }
    return node.type == TREE_LIST
           || fail(r, line, "map merge requires map or sequence of maps as "
                   "the value");
}

/* What the map says itself goes before what it merges, wherever in it the "<<"
 * stands. */
static void
apply_merges(struct map_target *t)
{
    for (size_t i = 0; i < t->merges.n; i++) {
        const struct tree_node *map = &t->merges.v[i].value;

        for (size_t j = 0; j < map->n; j++) {
            add_entry(t, map->map[j].key, &map->map[j].value);
        }
    }
}

/* Reads the elements of a list's "items" one by one. */
static bool
build_items(struct yaml_reader *r, struct np_document *doc, int depth)
{
    for (;;) {
        struct np_arena_mark mark = np_arena_mark(&r->arena);
        size_t n_anchors = r->n_anchors;
        struct tree_node item;

        if (!next(r)) {
            return false;
        }
        if (r->event.type == YAML_SEQUENCE_END_EVENT) {
            return true;
        }
        if (!build(r, PART_OBJECT, depth + 1, &item)) {
            return false;
        }
        if (np_document_item(doc, &item) && n_anchors == r->n_anchors) {
            np_arena_release(&r->arena, &mark);
        }
    }
}

/* Reads one entry, whose key is the current event. */
static bool
build_entry(struct yaml_reader *r, enum tree_part part, int depth,
            struct map_target *t)
{
    enum tree_part value_part;
    struct tree_node node;
    const char *key = NULL;
    int line;

    if (!build_key(r, depth, &key, &line) || !next(r)) {
        return false;
    }
    value_part = np_tree_part(part, key);
    if (value_part == PART_SKIP) {
        return skip(r, depth);
    }
    if (t->doc && value_part == PART_ITEMS && !get_anchor(r)
        && r->event.type == YAML_SEQUENCE_START_EVENT) {
        return np_document_begin_items(t->doc)
            ? build_items(r, t->doc, depth)
            : fail(r, line, "key \"%.64s\" already set in map", key);
    }
    if (!build(r, value_part, depth, &node)) {
        return false;
    }
    node.line = line;
    return add_entry(t, key, &node)
           || fail(r, line, "key \"%.64s\" already set in map", key);
}

/* Reads a map, whose start is the current event, up to its end. */
static bool
build_entries(struct yaml_reader *r, enum tree_part part, int depth,
              struct map_target *t)
{
    bool ok;

    np_builder_init(&t->merges);
    for (;;) {
        ok = next(r);
        if (!ok || r->event.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        ok = is_merge_key(r) ? build_merge(r, part, depth + 1, t)
            : build_entry(r, part, depth + 1, t);
        if (!ok) {
            break;
        }
    }
    if (ok) {
        apply_merges(t);
    }
    np_builder_destroy(&t->merges);
    return ok;
}

static bool
build_map(struct yaml_reader *r, enum tree_part part, int depth,
          struct tree_node *node)
{
    struct map_target t = { .doc = NULL };
    int line = event_line(r);

    np_builder_init(&t.builder);
    if (!build_entries(r, part, depth, &t)) {
        np_builder_destroy(&t.builder);
        return false;
    }
    np_builder_finish(&t.builder, &r->arena, TREE_MAP, line, node);
    return true;
}

static bool
build_list(struct yaml_reader *r, enum tree_part part, int depth,
           struct tree_node *node)
{
    enum tree_part item_part = part == PART_ITEMS ? PART_OBJECT : PART_KEEP;
    struct np_tree_builder b;
    int line = event_line(r);

    np_builder_init(&b);
    for (;;) {
        struct tree_node item;

        if (!next(r)) {
            break;
        }
        if (r->event.type == YAML_SEQUENCE_END_EVENT) {
            np_builder_finish(&b, &r->arena, TREE_LIST, line, node);
            return true;
        }
        if (!build(r, item_part, depth + 1, &item)) {
            break;
        }
        np_builder_add(&b, NULL, &item);
    }
    np_builder_destroy(&b);
    return false;
}

static bool
build_plain(struct yaml_reader *r, enum tree_part part, int depth,
            struct tree_node *node)
{
    if (depth > NP_MANIFEST_DEPTH) {
        return fail(r, event_line(r), "nested more than %d levels deep",
                    NP_MANIFEST_DEPTH);
    }
    /* What its parent's array will take. */
    r->arena.bytes += sizeof(struct tree_entry);
    if (r->arena.bytes > NP_ARENA_MAX) {
        return fail(r, event_line(r), "the document is too large");
    }
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return build_scalar(r, node);
    case YAML_ALIAS_EVENT:
        return build_alias(r, depth, node);
    case YAML_SEQUENCE_START_EVENT:
        return build_list(r, part, depth, node);
    case YAML_MAPPING_START_EVENT:
        return build_map(r, part, depth, node);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
    return fail(r, event_line(r), "invalid YAML: unexpected event");
}

/* Builds the node that starts with the current event, at level DEPTH from 1;
 * afterwards its last event is the current one. */
static bool
build(struct yaml_reader *r, enum tree_part part, int depth,
      struct tree_node *node)
{
    const char *event_anchor = get_anchor(r);
    char *anchor;
    bool ok;

    if (!event_anchor) {
        return build_plain(r, part, depth, node);
    }
    anchor = xstrdup(event_anchor);
    set_anchor(r, anchor, NULL);
    ok = build_plain(r, PART_KEEP, depth, node);
    if (ok) {
        set_anchor(r, anchor, node);
    }
    free(anchor);
    return ok;
}

/* Reads the map at the top of a document and the document's end, up to which
 * it may still turn out to be broken. */
static bool
read_top(struct yaml_reader *r)
{
    struct np_document doc;
    struct map_target t = { .doc = &doc };

    np_document_begin(&doc, r->dec, &r->arena, event_line(r));
    if (get_anchor(r)) {
        set_anchor(r, get_anchor(r), NULL);
    }
    if (!build_entries(r, PART_OBJECT, 1, &t) || !next(r)) {
        np_document_abort(&doc);
        return false;
    }
    np_document_end(&doc);
    return true;
}

/* Reads a document after its start event, up to its end event. */
static bool
read_document(struct yaml_reader *r)
{
    struct tree_node node;

    r->document_line = event_line(r);
    if (!next(r)) {
        return false;
    }
    if (r->event.type == YAML_MAPPING_START_EVENT) {
        return read_top(r);
    }
    if (!build(r, PART_KEEP, 1, &node) || !next(r)) {
        return false;
    }
    if (node.type != TREE_NULL) {
        r->dec->m->unparsable = true;
        np_decode_type_error(r->dec, &node, NULL, "an object");
    }
    return true;
}

static void
forget_document(struct yaml_reader *r)
{
    shash_clear(&r->anchors);
    np_arena_destroy(&r->arena);
    r->n_anchors = 0;
    r->aliased = 0;
}

/* Reads documents until the end of the text or an error; returns true at the
 * end. */
static bool
read_stream(struct yaml_reader *r, const char *text, size_t size)
{
    bool ok = true;

    if (!yaml_parser_initialize(&r->parser)) {
        return fail(r, r->line_base + 1, "out of memory");
    }
    yaml_parser_set_input_string(&r->parser, (const unsigned char *) text,
                                 size);
    memset(&r->event, 0, sizeof r->event);
    r->document_line = r->line_base + 1;
    while (ok && (ok = next(r)) && r->event.type != YAML_STREAM_END_EVENT) {
        if (r->event.type == YAML_DOCUMENT_START_EVENT) {
            ok = read_document(r);
            forget_document(r);
        }
    }
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    return ok;
}

/* A place in the text: OFFSET is the start of line LINE. */
struct place {
    size_t offset;
    int line;
};

/* Moves P, which may stay, to the first line at or after MIN_LINE that starts
 * a document. */
static bool
find_document(const char *text, size_t size, int min_line, struct place *p)
{
    while (p->offset < size) {
        const char *line = text + p->offset;
        size_t left = size - p->offset;
        const char *end = memchr(line, '\n', left);

        if (p->line >= min_line && left > 3 && !memcmp(line, "---", 3)
            && strchr(" \t\r\n", line[3])) {
            return true;
        }
        if (!end) {
            return false;
        }
        p->offset += end + 1 - line;
        p->line++;
    }
    return false;
}

void
np_yaml_decode(struct np_decoder *dec, const char *text, size_t size)
{
    struct yaml_reader r = { .dec = dec };
    struct place place = { 0, 1 };

    shash_init(&r.anchors);
    for (;;) {
        r.line_base = place.line - 1;
        if (read_stream(&r, text + place.offset, size - place.offset)) {
            break;
        }
        dec->m->unparsable = true;
        np_decode_error(dec, r.error_line, NULL, "%s", r.error);
        free(r.error);
        r.error = NULL;
        if (dec->n_errors > NP_MANIFEST_ERRORS_MAX
            || !find_document(text, size,
                              MAX(r.error_line, r.document_line + 1),
                              &place)) {
            break;
        }
    }
    shash_destroy(&r.anchors);
    np_arena_destroy(&r.arena);
}

/* What a YAML scalar means.
 *
 * kubectl reads YAML 1.1 with a library that has views of its own: "yes" and
 * "on" are booleans, "010" is eight, "0o10" as well, "1_000" is a thousand,
 * "08" is a float that happens to be eight, a date is a string, and nothing is
 * sexagesimal.  A manifest must mean here what it means to kubectl. */

#include <config.h>
#include "tree.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

static bool
is_one_of(const char *s, const char *const *list)
{
    for (; *list; list++) {
        if (!strcmp(s, *list)) {
            return true;
        }
    }
    return false;
}

/* Resolves the fixed words. */
static bool
resolve_word(const char *s, struct tree_node *node)
{
    static const char *const nulls[] = {
        "", "~", "null", "Null", "NULL", NULL
    };
    static const char *const trues[] = {
        "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On",
        "ON", NULL
    };
    static const char *const falses[] = {
        "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off",
        "OFF", NULL
    };
    static const char *const floats[] = {
        ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf",
        "+.INF", "-.inf", "-.Inf", "-.INF", NULL
    };

    /* Most scalars are none of them. */
    if (*s && (!strchr("~nNyYtTfFoO.+-", *s) || strlen(s) > 5)) {
        return false;
    }
    if (is_one_of(s, nulls)) {
        *node = np_tree_scalar(TREE_NULL, node->line);
    } else if (is_one_of(s, trues) || is_one_of(s, falses)) {
        *node = np_tree_scalar(TREE_BOOL, node->line);
        node->boolean = is_one_of(s, trues);
    } else if (is_one_of(s, floats)) {
        *node = np_tree_scalar(TREE_FLOAT, node->line);
        node->real = strchr("nN", s[1]) ? NAN : *s == '-' ? -INFINITY
            : INFINITY;
    } else {
        return false;
    }
    return true;
}

/* Parses an integer with its base prefix; S has no underscores. */
static bool
parse_integer(const char *s, int64_t *value)
{
    bool negative = *s == '-';
    unsigned long long int u;
    int base = 10;
    char *end;

    s += *s == '-' || *s == '+';
    if (s[0] == '0' && s[1]) {
        int c = tolower((unsigned char) s[1]);

        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        s += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
    }
    /* strtoull() would take blanks, signs and one more "0x". */
    if (!isxdigit((unsigned char) *s)
        || (s[0] == '0' && tolower((unsigned char) s[1]) == 'x')) {
        return false;
    }
    errno = 0;
    u = strtoull(s, &end, base);
    if (errno || *end || u > (unsigned long long) INT64_MAX + negative) {
        return false;
    }
    *value = negative ? (int64_t) -u : (int64_t) u;
    return true;
}

static const char *
skip_digits(const char *s)
{
    while (isdigit((unsigned char) *s)) {
        s++;
    }
    return s;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool
looks_like_float(const char *s)
{
    const char *digits;

    s += *s == '-' || *s == '+';
    digits = s;
    s = skip_digits(s);
    if (*s == '.') {
        const char *fraction = ++s;

        s = skip_digits(s);
        if (digits + 1 == fraction && s == fraction) {
            return false;
        }
    } else if (s == digits) {
        return false;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        digits = s;
        s = skip_digits(s);
        if (s == digits) {
            return false;
        }
    }
    return !*s;
}

static bool
resolve_number(const char *s, struct tree_node *node)
{
    char *plain;
    int64_t i;
    char *out;
    bool ok = true;

    if (!isdigit((unsigned char) *s) && !strchr("+-.", *s)) {
        return false;
    }
    plain = out = xmalloc(strlen(s) + 1);
    for (const char *p = s; *p; p++) {
        /* A number that starts with a dot may not have underscores. */
        if (*p != '_' || *s == '.') {
            *out++ = *p;
        }
    }
    *out = '\0';

    if (*s != '.' && parse_integer(plain, &i)) {
        *node = np_tree_scalar(TREE_INT, node->line);
        node->integer = i;
    } else if (looks_like_float(plain) && isfinite(strtod(plain, NULL))) {
        *node = np_tree_number(strtod(plain, NULL), node->line);
    } else {
        ok = false;
    }
    free(plain);
    return ok;
}

/* Does NODE have the type that "!!NAME" asks for? */
static bool
fits_tag(const char *name, const struct tree_node *node)
{
    switch (node->type) {
    case TREE_NULL:
        return !strcmp(name, "null");
    case TREE_BOOL:
        return !strcmp(name, "bool");
    case TREE_INT:
        return !strcmp(name, "int") || !strcmp(name, "float");
    case TREE_FLOAT:
        return !strcmp(name, "float");
    case TREE_STRING:
        return !strcmp(name, "timestamp");
    case TREE_LIST:
    case TREE_MAP:
        break;
    }
    return false;
}

char *
np_scalar_resolve(struct np_arena *arena, const char *tag, bool plain,
                  const char *value, size_t len, struct tree_node *node)
{
    static const char *const resolved[] = {
        "bool", "int", "float", "null", "timestamp", NULL
    };
    const char *name = NULL;

    if (memchr(value, '\0', len)) {
        return xstrdup("a string must not contain a null character");
    }
    if (tag && !strncmp(tag, TAG_PREFIX, strlen(TAG_PREFIX))) {
        name = tag + strlen(TAG_PREFIX);
        if (!strcmp(name, "binary")) {
            return xstrdup("!!binary is not supported");
        }
        if (!is_one_of(name, resolved)) {
            name = NULL;        /* !!str, and what nobody knows. */
        }
    }
    if ((!(tag ? name != NULL : plain))
        || (!resolve_word(value, node) && !resolve_number(value, node))) {
        *node = np_tree_scalar(TREE_STRING, node->line);
        node->string = np_arena_strdup(arena, value, len);
    }
    if (name && !fits_tag(name, node)) {
        return xasprintf("cannot decode `%.64s` as a !!%s", value, name);
    }
    return NULL;
}

/* The shortest decimal that is REAL again in single precision: how the YAML
 * library writes a float key. */
static const char *
float_key(struct np_arena *arena, double real)
{
    char buf[64];

    for (int precision = 1; precision <= 9; precision++) {
        snprintf(buf, sizeof buf, "%.*g", precision, real);
        if (strtof(buf, NULL) == (float) real) {
            break;
        }
    }
    return np_arena_strdup(arena, buf, strlen(buf));
}

const char *
np_scalar_key(struct np_arena *arena, const struct tree_node *node)
{
    char buf[32];

    switch (node->type) {
    case TREE_STRING:
        return node->string;
    case TREE_BOOL:
        return node->boolean ? "true" : "false";
    case TREE_INT:
        snprintf(buf, sizeof buf, "%lld", (long long int) node->integer);
        return np_arena_strdup(arena, buf, strlen(buf));
    case TREE_FLOAT:
        return isfinite(node->real) ? float_key(arena, node->real) : NULL;
    case TREE_NULL:
    case TREE_LIST:
    case TREE_MAP:
        break;
    }
    return NULL;
}

/* Lists of mistakes in inputs.
 *
 * One list holds what is wrong with everything that a decoder saw, in the
 * order in which it saw it.  Mistakes are quoted, and whoever made the input
 * chose the words: so that a line stays a line in a log, on a terminal and in
 * JSON, what comes in here is made printable first. */

#include <config.h>
#include "netpol/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "unicode.h"
#include "util.h"

/* The length of the character at S, which starts with a byte above ASCII, or 0
 * if it is none or a control character. */
static size_t
printable_length(const char *s)
{
    unsigned char c = *s;
    size_t n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    char copy[5] = "";
    char *error;

    /* U+0080...U+009F: one of them starts a terminal's commands. */
    if (c < 0xc2 || (c == 0xc2 && (unsigned char) s[1] < 0xa0)) {
        return 0;
    }
    memcpy(copy, s, strnlen(s, n));
    error = utf8_validate(copy, NULL);
    free(error);
    return error ? 0 : n;
}

char *
np_printable(const char *s)
{
    struct ds out = DS_EMPTY_INITIALIZER;

    while (*s) {
        unsigned char c = *s;
        size_t n = c < 0x80 ? c >= 0x20 && c != 0x7f : printable_length(s);

        if (n) {
            ds_put_buffer(&out, s, n);
            s += n;
        } else {
            ds_put_format(&out, "\\x%02x", c);
            s++;
        }
    }
    return ds_steal_cstr(&out);
}

static struct np_error *
new_error(struct np_errors *errors)
{
    if (errors->n >= errors->allocated) {
        errors->v = x2nrealloc(errors->v, &errors->allocated,
                               sizeof *errors->v);
    }
    return &errors->v[errors->n++];
}

void
np_errors_add(struct np_errors *errors, const char *file, int line,
              const char *path, const char *format, ...)
{
    struct np_error *e = new_error(errors);
    char *reason;
    va_list args;

    e->file = nullable_xstrdup(file);
    e->line = line;
    e->object = NULL;
    e->path = path ? np_printable(path) : NULL;
    va_start(args, format);
    reason = xvasprintf(format, args);
    va_end(args);
    e->reason = np_printable(reason);
    free(reason);
}

void
np_errors_append(struct np_errors *dst, const struct np_errors *src)
{
    for (size_t i = 0; i < src->n; i++) {
        const struct np_error *from = &src->v[i];
        struct np_error *to = new_error(dst);

        to->file = nullable_xstrdup(from->file);
        to->line = from->line;
        to->object = nullable_xstrdup(from->object);
        to->path = nullable_xstrdup(from->path);
        to->reason = xstrdup(from->reason);
    }
}

bool
np_errors_equal(const struct np_errors *a, const struct np_errors *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct np_error *e = &a->v[i];
        const struct np_error *f = &b->v[i];

        if (e->line != f->line || strcmp(e->reason, f->reason)
            || !nullable_string_is_equal(e->file, f->file)
            || !nullable_string_is_equal(e->object, f->object)
            || !nullable_string_is_equal(e->path, f->path)) {
            return false;
        }
    }
    return true;
}

void
np_errors_set_object(struct np_errors *errors, size_t from,
                     const char *object)
{
    for (size_t i = from; i < errors->n; i++) {
        if (!errors->v[i].object) {
            errors->v[i].object = np_printable(object);
        }
    }
}

void
np_error_format(const struct np_error *e, struct ds *s)
{
    if (e->file) {
        ds_put_format(s, "%s:", e->file);
    }
    if (e->line) {
        ds_put_format(s, e->file ? "%d:" : "line %d:", e->line);
    }
    if (e->file || e->line) {
        ds_put_char(s, ' ');
    }
    if (e->path) {
        ds_put_format(s, "%s: ", e->path);
    }
    ds_put_cstr(s, e->reason);
}

void
np_errors_truncate(struct np_errors *errors, size_t n)
{
    while (errors->n > n) {
        struct np_error *e = &errors->v[--errors->n];

        free(e->file);
        free(e->object);
        free(e->path);
        free(e->reason);
    }
}

void
np_errors_clear(struct np_errors *errors)
{
    np_errors_truncate(errors, 0);
    free(errors->v);
    memset(errors, 0, sizeof *errors);
}

/* netpolctl validate: all errors of all files at once, each with its place. */

#include <config.h>
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Text: "file:line: path: reason (object)", and under it what to write. */

static void
print_finding(const struct np_error *e, bool warning, bool colour)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_error placeless = *e;
    char *hint = cli_hint(e);

    if (e->file) {
        ds_put_format(&s, "%s:", e->file);
        if (e->line) {
            ds_put_format(&s, "%d:", e->line);
        }
        ds_put_char(&s, ' ');
    }
    if (warning) {
        ds_put_format(&s, "%swarning:%s ", colour ? "\033[33m" : "",
                      colour ? "\033[0m" : "");
    }
    placeless.file = NULL;
    placeless.line = 0;
    np_error_format(&placeless, &s);
    if (e->object) {
        ds_put_format(&s, " (%s)", e->object);
    }
    if (hint) {
        ds_put_format(&s, "\n    %s%s%s", colour ? "\033[1m" : "", hint,
                      colour ? "\033[0m" : "");
    }
    puts(ds_cstr(&s));
    free(hint);
    ds_destroy(&s);
}

static void
print_text(const struct cli_input *in, bool colour)
{
    for (size_t i = 0; i < in->errors.n; i++) {
        print_finding(&in->errors.v[i], false, colour);
    }
    for (size_t i = 0; i < in->warnings.n; i++) {
        print_finding(&in->warnings.v[i], true, colour);
    }
}

static void
put_count(struct ds *s, size_t n, const char *noun)
{
    ds_put_format(s, "%"PRIuSIZE" %s%s", n, noun, n == 1 ? "" : "s");
}

static void
print_summary(const struct cli_input *in)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    put_count(&s, in->n, "valid object");
    ds_put_cstr(&s, ", ");
    put_count(&s, in->errors.n, "error");
    ds_put_cstr(&s, ", ");
    put_count(&s, in->warnings.n, "warning");
    if (in->n_skipped) {
        ds_put_cstr(&s, "; ");
        put_count(&s, in->n_skipped, "document");
        ds_put_cstr(&s, " of other kinds skipped");
    }
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", program_name, ds_cstr(&s));
    ds_destroy(&s);
}

/* JSON; the man page promises its form. */

static struct json *
string_or_null(const char *s)
{
    return s ? json_string_create(s) : json_null_create();
}

static struct json *
findings_to_json(const struct np_errors *errors)
{
    struct json *list = json_array_create_empty();

    for (size_t i = 0; i < errors->n; i++) {
        const struct np_error *e = &errors->v[i];
        struct json *o = json_object_create();
        char *hint = cli_hint(e);

        json_object_put(o, "file", string_or_null(e->file));
        json_object_put(o, "line", e->line ? json_integer_create(e->line)
                                           : json_null_create());
        json_object_put(o, "object", string_or_null(e->object));
        json_object_put(o, "path", string_or_null(e->path));
        json_object_put_string(o, "reason", e->reason);
        json_object_put(o, "hint", string_or_null(hint));
        json_array_add(list, o);
        free(hint);
    }
    return list;
}

static void
print_json(const struct cli_input *in)
{
    struct json *o = json_object_create();

    json_object_put(o, "version", json_integer_create(1));
    json_object_put(o, "valid", json_boolean_create(!in->errors.n));
    json_object_put(o, "objects", json_integer_create(in->n));
    json_object_put(o, "skipped", json_integer_create(in->n_skipped));
    json_object_put(o, "errors", findings_to_json(&in->errors));
    json_object_put(o, "warnings", findings_to_json(&in->warnings));
    cli_print_json(o);
}

int
cli_validate(const struct cli_options *o, int argc OVS_UNUSED,
             char *argv[] OVS_UNUSED)
{
    struct cli_input in;
    int status;

    cli_input_read(&in, &o->files);
    if (o->json) {
        print_json(&in);
    } else {
        print_text(&in, o->colour);
    }
    print_summary(&in);
    status = in.errors.n ? CLI_NO : CLI_YES;
    cli_input_destroy(&in);
    return status;
}

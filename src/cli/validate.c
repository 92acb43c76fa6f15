/* netpolctl validate: all errors of all files at once, each with its place. */

#include <config.h>
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Mistakes that people make, by the end of the path and a part of the API
 * server's words, and the way out. */
static const struct {
    const char *path;
    const char *reason;
    const char *hint;
} hints[] = {
    { ".port", "must contain at least one letter",
      "a port in quotes is a name; write the number without quotes" },
    { ".protocol", "Unsupported value",
      "protocols are written in capitals: TCP, UDP or SCTP" },
    { ".endPort", "when `port` is not specified",
      "write the first port of the range as port" },
    { ".endPort", "when `port` is non-numeric",
      "a range needs a number as port" },
    { ".endPort", "greater than or equal to",
      "port is the first of the range, endPort the last" },
    { "]", "may not specify both ipBlock and another peer",
      "make two items of the list: one with the ipBlock, one with the "
      "selectors" },
    { "]", "must specify a peer",
      "for any address leave out the whole list; for all pods of all "
      "namespaces write namespaceSelector: {}" },
    { "]", "must be a strict subset of `cidr`",
      "an exception is a smaller block inside cidr" },
    { ".cidr", "must be a valid CIDR value",
      "a single address is written with /32, or /128 for IPv6" },
    { "]", "supported values: \"Ingress\", \"Egress\"",
      "write Ingress or Egress" },
    { ".values", "must be specified when",
      "to ask only whether the key is there, the operator is Exists" },
    { ".values", "may not be specified when",
      "to compare the value, the operator is In or NotIn" },
    { ".operator", "not a valid selector operator",
      "operators are In, NotIn, Exists and DoesNotExist" },
    { ".apiVersion", "", "NetworkPolicy is of networking.k8s.io/v1" },
};

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s);
    size_t m = strlen(end);

    return n >= m && !strcmp(s + n - m, end);
}

const char *
cli_hint(const struct np_error *e)
{
    for (size_t i = 0; e->path && i < ARRAY_SIZE(hints); i++) {
        if (ends_with(e->path, hints[i].path)
            && strstr(e->reason, hints[i].reason)) {
            return hints[i].hint;
        }
    }
    return NULL;
}

static void
print_error(const struct np_error *e, bool colour)
{
    const char *hint = cli_hint(e);
    struct ds s = DS_EMPTY_INITIALIZER;

    np_error_format(e, &s);
    printf("%s%s%s%s\n", ds_cstr(&s), e->object ? " (" : "",
           e->object ? e->object : "", e->object ? ")" : "");
    if (hint) {
        printf("    %s%s%s\n", colour ? "\033[2m" : "", hint,
               colour ? "\033[0m" : "");
    }
    ds_destroy(&s);
}

static struct json *
string_or_null(const char *s)
{
    return s ? json_string_create(s) : json_null_create();
}

static struct json *
error_to_json(const struct np_error *e)
{
    struct json *o = json_object_create();

    json_object_put(o, "file", string_or_null(e->file));
    json_object_put(o, "line", e->line ? json_integer_create(e->line)
                                       : json_null_create());
    json_object_put(o, "object", string_or_null(e->object));
    json_object_put(o, "path", string_or_null(e->path));
    json_object_put_string(o, "reason", e->reason);
    json_object_put(o, "hint", string_or_null(cli_hint(e)));
    return o;
}

static void
print_json(const struct cli_input *in)
{
    struct json *errors = json_array_create_empty();
    struct json *o = json_object_create();
    char *text;

    for (size_t i = 0; i < in->errors.n; i++) {
        json_array_add(errors, error_to_json(&in->errors.v[i]));
    }
    json_object_put(o, "errors", errors);
    json_object_put(o, "objects", json_integer_create(in->n));
    json_object_put(o, "skipped", json_integer_create(in->n_skipped));
    text = json_to_string(o, JSSF_PRETTY | JSSF_SORT);
    puts(text);
    free(text);
    json_destroy(o);
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
        for (size_t i = 0; i < in.errors.n; i++) {
            print_error(&in.errors.v[i], o->colour);
        }
        fprintf(stderr, "%"PRIuSIZE" objects are good, %"PRIuSIZE" errors%s\n",
                in.n, in.errors.n,
                in.n_skipped ? "; documents of other kinds were skipped" : "");
    }
    status = in.errors.n ? CLI_NO : CLI_YES;
    cli_input_destroy(&in);
    return status;
}

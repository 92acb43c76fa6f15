/* A writer of Prometheus' text format.
 *
 * The format is lines, but not any lines: a scraper that meets a family twice,
 * or a quote that is not escaped, throws all of the answer away, and then
 * nobody knows anything.  So the rules are kept here, in one place, and what
 * writes metrics cannot break them. */

#include <config.h>
#include "daemon/expo.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

void
np_expo_init(struct np_expo *e, struct ds *out)
{
    memset(e, 0, sizeof *e);
    e->out = out;
    sset_init(&e->families);
    sset_init(&e->samples);
}

void
np_expo_destroy(struct np_expo *e)
{
    sset_destroy(&e->families);
    sset_destroy(&e->samples);
}

/* [a-zA-Z_][a-zA-Z0-9_]*: metric names may have colons as well, but those are
 * for recording rules. */
static bool
is_name(const char *s)
{
    if (!isalpha((unsigned char) *s) && *s != '_') {
        return false;
    }
    while (isalnum((unsigned char) *s) || *s == '_') {
        s++;
    }
    return !*s;
}

static void
put_escaped(struct ds *out, const char *s, bool quotes)
{
    for (; *s; s++) {
        if (*s == '\n') {
            ds_put_cstr(out, "\\n");
        } else if (*s == '\\' || (quotes && *s == '"')) {
            ds_put_format(out, "\\%c", *s);
        } else {
            ds_put_char(out, *s);
        }
    }
}

/* As short as it can be and still be read as the same number. */
static void
put_number(struct ds *out, double d)
{
    char s[32];

    if (isnan(d)) {
        ds_put_cstr(out, "NaN");
    } else if (isinf(d)) {
        ds_put_cstr(out, d > 0 ? "+Inf" : "-Inf");
    } else {
        for (int precision = 15; precision <= 17; precision++) {
            snprintf(s, sizeof s, "%.*g", precision, d);
            if (strtod(s, NULL) == d) {
                break;
            }
        }
        ds_put_cstr(out, s);
    }
}

void
np_expo_family(struct np_expo *e, enum np_expo_type type, const char *name,
               const char *help)
{
    static const char *const types[] = {
        [NP_EXPO_COUNTER] = "counter",
        [NP_EXPO_GAUGE] = "gauge",
        [NP_EXPO_HISTOGRAM] = "histogram",
    };
    size_t n = strlen(name);

    ovs_assert(is_name(name));
    ovs_assert((n > 6 && !strcmp(name + n - 6, "_total"))
               == (type == NP_EXPO_COUNTER));
    ovs_assert(sset_add(&e->families, name));
    e->name = name;
    e->type = type;
    sset_clear(&e->samples);
    ds_put_format(e->out, "# HELP %s ", name);
    put_escaped(e->out, help, false);
    ds_put_format(e->out, "\n# TYPE %s %s\n", name, types[type]);
}

static void
put_labels(struct ds *out, va_list args)
{
    const char *label;
    size_t n = 0;

    while ((label = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);

        ovs_assert(is_name(label) && strncmp(label, "__", 2));
        ds_put_format(out, "%c%s=\"", n++ ? ',' : '{', label);
        put_escaped(out, value, true);
        ds_put_char(out, '"');
    }
    if (n) {
        ds_put_char(out, '}');
    }
}

void
np_expo_sample(struct np_expo *e, double value, ...)
{
    struct ds labels = DS_EMPTY_INITIALIZER;
    va_list args;

    ovs_assert(e->name && e->type != NP_EXPO_HISTOGRAM);
    va_start(args, value);
    put_labels(&labels, args);
    va_end(args);
    ovs_assert(sset_add(&e->samples, ds_cstr(&labels)));
    ds_put_format(e->out, "%s%s ", e->name, ds_cstr(&labels));
    put_number(e->out, value);
    ds_put_char(e->out, '\n');
    ds_destroy(&labels);
}

void
np_expo_single(struct np_expo *e, enum np_expo_type type, const char *name,
               const char *help, double value)
{
    np_expo_family(e, type, name, help);
    np_expo_sample(e, value, NULL);
}

void
np_expo_histogram(struct np_expo *e, const double *bounds,
                  const uint64_t *counts, size_t n, double sum)
{
    uint64_t total = 0;

    ovs_assert(e->name && e->type == NP_EXPO_HISTOGRAM);
    ovs_assert(sset_add(&e->samples, ""));
    for (size_t i = 0; i <= n; i++) {
        ovs_assert(!i || i == n || bounds[i - 1] < bounds[i]);
        total += counts[i];
        ds_put_format(e->out, "%s_bucket{le=\"", e->name);
        put_number(e->out, i < n ? bounds[i] : INFINITY);
        ds_put_format(e->out, "\"} %"PRIu64"\n", total);
    }
    ds_put_format(e->out, "%s_sum ", e->name);
    put_number(e->out, sum);
    ds_put_format(e->out, "\n%s_count %"PRIu64"\n", e->name, total);
}

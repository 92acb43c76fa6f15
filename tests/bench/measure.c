/* Numbers, and how they are said. */

#include <config.h>
#include "bench/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

void
np_bench_series_add(struct np_bench_series *s, double value)
{
    if (s->n >= s->allocated) {
        s->v = x2nrealloc(s->v, &s->allocated, sizeof *s->v);
    }
    s->v[s->n++] = value;
}

void
np_bench_series_destroy(struct np_bench_series *s)
{
    free(s->v);
    *s = (struct np_bench_series) { .n = 0 };
}

static int
compare(const void *a_, const void *b_)
{
    double a = *(const double *) a_, b = *(const double *) b_;

    return a < b ? -1 : a > b;
}

double
np_bench_quantile(struct np_bench_series *s, double q)
{
    size_t i = ceil(q * s->n);

    qsort(s->v, s->n, sizeof *s->v, compare);
    return s->n ? s->v[i ? i - 1 : 0] : NAN;
}

static struct json *
series_json(struct np_bench_series *s)
{
    static const struct {
        const char *name;
        double q;
    } fields[] = { { "min", 0 }, { "p50", 0.5 }, { "p99", 0.99 },
                   { "max", 1 } };
    struct json *json = json_object_create();

    json_object_put(json, "n", json_integer_create(s->n));
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        json_object_put(json, fields[i].name,
                        json_real_create(np_bench_quantile(s, fields[i].q)));
    }
    return json;
}

static void
put_string(struct json *json, const char *name, const char *value)
{
    if (value) {
        json_object_put_string(json, name, value);
    }
}

static void
put_ratio(struct json *json, const struct np_bench_row *row, const char *name,
          double q, double limit)
{
    struct json *ratio = json_object_create();

    json_object_put(ratio, "is",
                    json_real_create(np_bench_quantile(row->ours, q)
                                     / np_bench_quantile(row->floor, q)));
    if (limit) {
        json_object_put(ratio, "limit", json_real_create(limit));
    }
    json_object_put(json, name, ratio);
}

void
np_bench_row_print(const struct np_bench_row *row)
{
    struct json *json = json_object_create();
    char *s;

    put_string(json, "what", row->what);
    put_string(json, "scale", row->scale);
    put_string(json, "unit", row->unit);
    put_string(json, "floor_is", row->floor_is);
    put_string(json, "note", row->note);
    json_object_put(json, "ours", series_json(row->ours));
    if (row->floor) {
        json_object_put(json, "floor", series_json(row->floor));
        put_ratio(json, row, "ratio", 0.5, row->limit);
        if (row->limit_p99) {
            put_ratio(json, row, "ratio_p99", 0.99, row->limit_p99);
        }
    }
    s = json_to_string(json, 0);
    puts(s);
    fflush(stdout);
    free(s);
    json_destroy(json);
}

/* A selector and labels: bytes choose from a few keys and values, so that they
 * meet.  The answer must be that of the API's documentation, and must not
 * depend on the order in which the requirements were written. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "netpol/object.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

enum { N_KEYS = 4, N_VALUES = 4, MAX_REQUIREMENTS = 12 };

struct requirement {
    int key, op;
    bool values[N_VALUES];
};

struct input {
    const uint8_t *p, *end;
};

static uint8_t
take(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

static char *
name(const char *prefix, int i)
{
    return xasprintf("%s%d", prefix, i);
}

/* The value with number 0 is empty, as one may write it. */
static char *
value_name(int i)
{
    return i ? name("v", i) : xstrdup("");
}

static void
read_requirement(struct input *in, struct requirement *r)
{
    uint8_t b = take(in);

    r->key = b % N_KEYS;
    r->op = b / N_KEYS % 4;
    b = take(in);
    for (int i = 0; i < N_VALUES; i++) {
        r->values[i] = b >> i & 1;
    }
}

/* As a decoder would make it, values not sorted and some twice. */
static void
make_requirement(const struct requirement *r, struct np_requirement *out)
{
    *out = (struct np_requirement) { .key = name("k", r->key), .op = r->op };
    if (r->op == NP_EXISTS || r->op == NP_DOES_NOT_EXIST) {
        return;
    }
    out->values = xcalloc(2 * N_VALUES, sizeof *out->values);
    for (int i = 2 * N_VALUES - 1; i >= 0; i--) {
        if (r->values[i % N_VALUES]) {
            out->values[out->n_values++] = value_name(i % N_VALUES);
        }
    }
}

static void
make_selector(const struct requirement *v, size_t n, bool backwards,
              struct np_selector *s)
{
    s->v = xcalloc(n + 1, sizeof *s->v);
    for (size_t i = 0; i < n; i++) {
        make_requirement(&v[backwards ? n - 1 - i : i], &s->v[s->n++]);
    }
    np_selector_sort(s);
}

/* VALUE is -1 if the key is absent. */
static bool
holds(const struct requirement *r, int value)
{
    switch (r->op) {
    case NP_IN:
        return value >= 0 && r->values[value];
    case NP_NOT_IN:
        return value < 0 || !r->values[value];
    case NP_EXISTS:
        return value >= 0;
    default:
        return value < 0;
    }
}

static void
check(const struct requirement *v, size_t n, const int labels[N_KEYS])
{
    char *keys[N_KEYS], *values[N_KEYS];
    struct np_label entries[N_KEYS];
    struct np_labels l = { entries, 0 };
    struct np_selector a = { NULL, 0 };
    struct np_selector b = { NULL, 0 };
    struct ds s = DS_EMPTY_INITIALIZER;
    bool expected = true;

    for (int i = 0; i < N_KEYS; i++) {
        if (labels[i] >= 0) {
            keys[l.n] = name("k", i);
            values[l.n] = value_name(labels[i]);
            entries[l.n] = (struct np_label) { keys[l.n], values[l.n] };
            l.n++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        expected &= holds(&v[i], labels[v[i].key]);
    }
    make_selector(v, n, false, &a);
    make_selector(v, n, true, &b);
    ovs_assert(np_selector_equal(&a, &b));
    ovs_assert(np_selector_matches(&a, &l) == expected);
    np_selector_sort(&a);
    ovs_assert(np_selector_equal(&a, &b));
    np_selector_format(&a, &s);
    ovs_assert(s.length);

    ds_destroy(&s);
    np_selector_destroy(&a);
    np_selector_destroy(&b);
    for (size_t i = 0; i < l.n; i++) {
        free(keys[i]);
        free(values[i]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct requirement v[MAX_REQUIREMENTS];
    struct input in = { data, data + size };
    int labels[N_KEYS];
    size_t n = 0;

    for (int i = 0; i < N_KEYS; i++) {
        labels[i] = take(&in) % (N_VALUES + 1) - 1;
    }
    while (in.p < in.end && n < MAX_REQUIREMENTS) {
        read_requirement(&in, &v[n++]);
    }
    check(v, n, labels);
    return 0;
}

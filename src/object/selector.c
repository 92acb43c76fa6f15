/* Label selectors.
 *
 * matchLabels and matchExpressions are two spellings of one thing, so a
 * selector is one list of requirements.  In canonical order, two selectors
 * that say the same in other words or in another order are mostly the same
 * value, and everything that is shared by selector further down profits. */

#include <config.h>
#include "netpol/object.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

static int
compare_strings(const void *a_, const void *b_)
{
    char *const *a = a_;
    char *const *b = b_;

    return strcmp(*a, *b);
}

static bool
has_value(const struct np_requirement *r, const char *value)
{
    return bsearch(&value, r->values, r->n_values, sizeof *r->values,
                   compare_strings) != NULL;
}

static bool
requirement_matches(const struct np_requirement *r,
                    const struct np_labels *labels)
{
    const char *value = np_labels_get(labels, r->key);

    switch (r->op) {
    case NP_IN:
        return value && has_value(r, value);
    case NP_NOT_IN:
        return !value || !has_value(r, value);
    case NP_EXISTS:
        return value != NULL;
    case NP_DOES_NOT_EXIST:
        return !value;
    }
    OVS_NOT_REACHED();
}

bool
np_selector_matches(const struct np_selector *s,
                    const struct np_labels *labels)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!requirement_matches(&s->v[i], labels)) {
            return false;
        }
    }
    return true;
}

static int
compare_requirements(const void *a_, const void *b_)
{
    const struct np_requirement *a = a_;
    const struct np_requirement *b = b_;
    int cmp = strcmp(a->key, b->key);

    if (cmp) {
        return cmp;
    } else if (a->op != b->op) {
        return a->op < b->op ? -1 : 1;
    } else if (a->n_values != b->n_values) {
        return a->n_values < b->n_values ? -1 : 1;
    }
    for (size_t i = 0; i < a->n_values; i++) {
        cmp = strcmp(a->values[i], b->values[i]);
        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

bool
np_selector_equal(const struct np_selector *a, const struct np_selector *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (compare_requirements(&a->v[i], &b->v[i])) {
            return false;
        }
    }
    return true;
}

static void
requirement_destroy(struct np_requirement *r)
{
    for (size_t i = 0; i < r->n_values; i++) {
        free(r->values[i]);
    }
    free(r->values);
    free(r->key);
}

static void
sort_values(struct np_requirement *r)
{
    size_t n = 0;

    if (r->n_values < 2) {
        return;
    }
    qsort(r->values, r->n_values, sizeof *r->values, compare_strings);
    for (size_t i = 0; i < r->n_values; i++) {
        if (n && !strcmp(r->values[n - 1], r->values[i])) {
            free(r->values[i]);
        } else {
            r->values[n++] = r->values[i];
        }
    }
    r->n_values = n;
}

void
np_selector_sort(struct np_selector *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        sort_values(&s->v[i]);
    }
    if (s->n < 2) {
        return;
    }
    qsort(s->v, s->n, sizeof *s->v, compare_requirements);
    for (size_t i = 0; i < s->n; i++) {
        if (n && !compare_requirements(&s->v[n - 1], &s->v[i])) {
            requirement_destroy(&s->v[i]);
        } else {
            s->v[n++] = s->v[i];
        }
    }
    s->n = n;
}

static void
format_requirement(const struct np_requirement *r, struct ds *s)
{
    switch (r->op) {
    case NP_EXISTS:
        ds_put_cstr(s, r->key);
        return;
    case NP_DOES_NOT_EXIST:
        ds_put_format(s, "!%s", r->key);
        return;
    case NP_IN:
    case NP_NOT_IN:
        break;
    }
    if (r->op == NP_IN && r->n_values == 1) {
        ds_put_format(s, "%s=%s", r->key, r->values[0]);
        return;
    }
    ds_put_format(s, "%s %s (", r->key, r->op == NP_IN ? "in" : "notin");
    for (size_t i = 0; i < r->n_values; i++) {
        ds_put_format(s, "%s%s", i ? "," : "", r->values[i]);
    }
    ds_put_char(s, ')');
}

void
np_selector_format(const struct np_selector *selector, struct ds *s)
{
    if (!selector->n) {
        ds_put_cstr(s, "<all>");
    }
    for (size_t i = 0; i < selector->n; i++) {
        if (i) {
            ds_put_char(s, ',');
        }
        format_requirement(&selector->v[i], s);
    }
}

void
np_selector_destroy(struct np_selector *s)
{
    for (size_t i = 0; i < s->n; i++) {
        requirement_destroy(&s->v[i]);
    }
    free(s->v);
    memset(s, 0, sizeof *s);
}

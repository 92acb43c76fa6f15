/* What the numbers in the flows stand for, in words. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

enum { EXAMPLES = 3 };          /* Addresses that stand for all of a class. */

static void
format_point(const struct np_point *point, struct ds *s)
{
    if (point->pod) {
        np_object_format_key(point->pod->object, s);
        ds_put_char(s, ' ');
    } else if (point->node) {
        ds_put_cstr(s, "node ");
    }
    np_prefix_format(&point->prefix, s);
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
format_sets(const struct np_compiler *c, const struct np_identity *id,
            struct ds *s)
{
    const char **keys = xmalloc((id->sets.n + 1) * sizeof *keys);
    size_t n = 0;

    for (size_t i = 0; i < id->sets.n; i++) {
        const struct np_cset *cset = np_cset(c, id->sets.v[i]);

        if (cset->set) {
            keys[n++] = cset->set->key;
        }
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++) {
        ds_put_format(s, "%s%s", i ? ", " : "; in ", keys[i]);
    }
    free(keys);
}

/* The first points of each identity, which are looked for when somebody asks:
 * no identity knows its points. */
struct sample {
    const struct np_identity *id;
    const struct np_point *points[EXAMPLES];
    size_t n;
};

struct samples {
    struct sample *v;           /* By number. */
    size_t n;
};

static int
compare_samples(const void *a_, const void *b_)
{
    const struct sample *a = a_;
    const struct sample *b = b_;

    return (a->id->number < b->id->number ? -1
            : a->id->number > b->id->number);
}

static bool
sample_point(struct np_point *point, void *samples_)
{
    const struct samples *samples = samples_;
    struct sample key = { .id = point->identity };
    struct sample *s = bsearch(&key, samples->v, samples->n,
                               sizeof *samples->v, compare_samples);

    if (point->has_flow) {
        if (s->n < EXAMPLES) {
            s->points[s->n] = point;
        }
        s->n++;
    }
    return true;
}

static struct samples
take_samples(const struct np_compiler *c)
{
    static const struct np_prefix any[] = { { .family = 4 }, { .family = 6 } };
    struct samples samples = {
        xcalloc(hmap_count(&c->identities) + 1, sizeof *samples.v), 0
    };
    const struct np_identity *id;

    HMAP_FOR_EACH (id, node, &c->identities) {
        samples.v[samples.n++].id = id;
    }
    qsort(samples.v, samples.n, sizeof *samples.v, compare_samples);
    for (int i = 0; i < 2 && samples.n; i++) {
        np_space_for_each(c->points, &any[i], sample_point, &samples);
    }
    return samples;
}

static void
format_identity(const struct np_compiler *c, const struct sample *sample,
                struct ds *s)
{
    const struct np_identity *id = sample->id;

    for (size_t i = 0; i < sample->n && i < EXAMPLES; i++) {
        ds_put_cstr(s, i ? ", " : "");
        format_point(sample->points[i], s);
    }
    if (sample->n > EXAMPLES) {
        ds_put_format(s, " and %"PRIuSIZE" more", sample->n - EXAMPLES);
    }
    if (id->flags & NP_ID_ISOLATED_EGRESS) {
        ds_put_cstr(s, "; isolated for egress");
    }
    if (id->flags & NP_ID_ISOLATED_INGRESS) {
        ds_put_cstr(s, "; isolated for ingress");
    }
    format_sets(c, id, s);
}

bool
np_compiler_format_identity(const struct np_compiler *c, uint32_t number,
                            struct ds *s)
{
    struct samples samples = take_samples(c);
    struct np_identity id = { .number = number };
    struct sample key = { .id = &id };
    const struct sample *found = (samples.n
                                  ? bsearch(&key, samples.v, samples.n,
                                            sizeof *samples.v,
                                            compare_samples) : NULL);

    if (found) {
        format_identity(c, found, s);
    }
    free(samples.v);
    return found != NULL;
}

bool
np_compiler_format_rule(const struct np_compiler *c, uint32_t id,
                        struct ds *s)
{
    const struct np_conj *conj = np_conj_find(c, id);

    if (conj && conj->live) {
        ds_put_format(s, "NetworkPolicy %s", conj->key);
        return true;
    }
    return false;
}

static int
compare_conjs(const void *a_, const void *b_)
{
    const struct np_conj *a = *(const struct np_conj *const *) a_;
    const struct np_conj *b = *(const struct np_conj *const *) b_;

    return strcmp(a->key, b->key);
}

/* The live conjunctions by key; to be freed. */
static const struct np_conj **
sort_conjs(const struct np_compiler *c, size_t *n)
{
    const struct np_conj **v = xmalloc((hmap_count(&c->conjs) + 1)
                                       * sizeof *v);
    const struct np_conj *conj;

    *n = 0;
    HMAP_FOR_EACH (conj, node, &c->conjs) {
        if (conj->live) {
            v[(*n)++] = conj;
        }
    }
    qsort(v, *n, sizeof *v, compare_conjs);
    return v;
}

void
np_compiler_for_each_name(const struct np_compiler *c,
                          void (*cb)(enum np_flow_kind, uint32_t id,
                                     const char *text, void *aux),
                          void *aux)
{
    struct samples samples = take_samples(c);
    struct ds s = DS_EMPTY_INITIALIZER;
    const struct np_conj **conjs;
    size_t n;

    for (size_t i = 0; c->started && i < samples.n; i++) {
        ds_clear(&s);
        format_identity(c, &samples.v[i], &s);
        cb(NP_FLOW_IDENTITY, samples.v[i].id->number, ds_cstr(&s), aux);
    }
    free(samples.v);
    conjs = sort_conjs(c, &n);
    for (size_t i = 0; i < n; i++) {
        ds_clear(&s);
        ds_put_format(&s, "NetworkPolicy %s", conjs[i]->key);
        cb(NP_FLOW_RULE, conjs[i]->id, ds_cstr(&s), aux);
    }
    free(conjs);
    ds_destroy(&s);
}

static void
dump_name(enum np_flow_kind kind, uint32_t id, const char *text, void *s)
{
    if (kind == NP_FLOW_IDENTITY) {
        ds_put_format(s, "identity %"PRIu32": %s\n", id, text);
    } else {
        ds_put_format(s, "rule %#"PRIx32": %s\n", id, text);
    }
}

void
np_compiler_dump(const struct np_compiler *c, struct ds *s)
{
    np_compiler_for_each_name(c, dump_name, s);
}

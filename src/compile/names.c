/* What the numbers in the flows stand for, in words. */

#include <config.h>
#include "compile/build.h"
#include "compile/stage.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

enum { EXAMPLES = 3 };          /* Addresses that stand for all of a class. */

static void
format_point(const struct np_point *point, struct ds *s)
{
    if (point->pod) {
        np_object_format_key(&point->pod->meta, s);
        ds_put_char(s, ' ');
    } else if (point->flags & NP_ID_NODE) {
        ds_put_cstr(s, "node ");
    }
    np_prefix_format(&point->prefix, s);
}

static void
format_sets(const struct np_compiler *c, const struct np_identity *id,
            struct ds *s)
{
    const char *separator = "; in ";

    for (size_t i = 0; i < id->sets->n; i++) {
        uint32_t set = id->sets->v[i];

        if (set < c->policies->n_sets) {
            ds_put_format(s, "%s%s", separator,
                          c->policies->set_by_id[set]->key);
            separator = ", ";
        }
    }
}

static void
format_identity(const struct np_compiler *c, const struct np_identity *id,
                struct ds *s)
{
    for (size_t i = 0; i < id->n_points && i < EXAMPLES; i++) {
        ds_put_cstr(s, i ? ", " : "");
        format_point(id->points[i], s);
    }
    if (id->n_points > EXAMPLES) {
        ds_put_format(s, " and %"PRIuSIZE" more", id->n_points - EXAMPLES);
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
    for (size_t i = 0; c->built && i < c->identities.n; i++) {
        if (c->identities.sorted[i]->number == number) {
            format_identity(c, c->identities.sorted[i], s);
            return true;
        }
    }
    return false;
}

bool
np_compiler_format_rule(const struct np_compiler *c, uint32_t id,
                        struct ds *s)
{
    for (size_t i = 0; c->built && i < c->conjs.n; i++) {
        if (c->conjs.v[i].id == id) {
            ds_put_format(s, "NetworkPolicy %s", c->conjs.v[i].key);
            return true;
        }
    }
    return false;
}

void
np_compiler_for_each_name(const struct np_compiler *c,
                          void (*cb)(enum np_flow_kind, uint32_t id,
                                     const char *text, void *aux),
                          void *aux)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; c->built && i < c->identities.n; i++) {
        const struct np_identity *id = c->identities.sorted[i];

        ds_clear(&s);
        format_identity(c, id, &s);
        cb(NP_FLOW_IDENTITY, id->number, ds_cstr(&s), aux);
    }
    for (size_t i = 0; c->built && i < c->conjs.n; i++) {
        ds_clear(&s);
        ds_put_format(&s, "NetworkPolicy %s", c->conjs.v[i].key);
        cb(NP_FLOW_RULE, c->conjs.v[i].id, ds_cstr(&s), aux);
    }
    ds_destroy(&s);
}

void
np_compiler_dump(const struct np_compiler *c, struct ds *s)
{
    for (size_t i = 0; c->built && i < c->identities.n; i++) {
        const struct np_identity *id = c->identities.sorted[i];

        ds_put_format(s, "identity %"PRIu32": ", id->number);
        format_identity(c, id, s);
        ds_put_char(s, '\n');
    }
    for (size_t i = 0; c->built && i < c->conjs.n; i++) {
        ds_put_format(s, "rule %#"PRIx32": NetworkPolicy %s\n",
                      c->conjs.v[i].id, c->conjs.v[i].key);
    }
}

/* The answer as JSON; the man page promises its form. */

#include <config.h>
#include "cli/check.h"

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

static struct json *
string_or_null(const char *s)
{
    return s ? json_string_create(s) : json_null_create();
}

static struct json *
line_or_null(int line)
{
    return line ? json_integer_create(line) : json_null_create();
}

static struct json *
policy_to_json(const struct np_meta *meta)
{
    struct json *o = json_object_create();

    json_object_put_string(o, "kind", np_kind_name(meta->kind));
    json_object_put_string(o, "namespace", meta->namespace);
    json_object_put_string(o, "name", meta->name);
    json_object_put(o, "file", string_or_null(meta->file));
    json_object_put(o, "line", line_or_null(meta->line));
    return o;
}

/* An item of a list, or null if there is no list. */
static struct json *
item_to_json(int index, int line)
{
    struct json *o;

    if (index < 0) {
        return json_null_create();
    }
    o = json_object_create();
    json_object_put(o, "index", json_integer_create(index));
    json_object_put(o, "line", line_or_null(line));
    return o;
}

static struct json *
reason_to_json(const struct np_eval_reason *r, enum np_direction direction)
{
    const struct np_netpol_rule *rule = &r->policy->rules[direction][r->rule];
    struct json *o = policy_to_json(&r->policy->meta);

    json_object_put(o, "rule", item_to_json(r->rule, rule->line));
    json_object_put(o, "peer", item_to_json(
        r->peer, r->peer < 0 ? 0 : rule->peers[r->peer].line));
    json_object_put(o, "port", item_to_json(
        r->port, r->port < 0 ? 0 : rule->ports[r->port].line));
    return o;
}

static struct json *
direction_to_json(const struct check_pair *pair, enum np_direction direction)
{
    const struct np_eval_direction *d = &pair->verdict.direction[direction];
    enum check_why why = pair->why[direction];
    struct json *isolating = json_array_create_empty();
    struct json *o = json_object_create();

    for (size_t i = 0; i < d->n_isolating; i++) {
        json_array_add(isolating, policy_to_json(&d->isolating[i]->meta));
    }
    json_object_put(o, "allowed", json_boolean_create(d->allowed));
    json_object_put_string(o, "why", check_why_name(why));
    json_object_put(o, "isolated_by", isolating);
    json_object_put(o, "allowed_by", why == WHY_RULE
                    ? reason_to_json(&d->reason, direction)
                    : json_null_create());
    return o;
}

static struct json *
address_to_json(const struct np_prefix *addr)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct json *json;

    if (!addr->family) {
        return json_null_create();
    }
    np_prefix_format(addr, &s);
    json = json_string_create(ds_cstr(&s));
    ds_destroy(&s);
    return json;
}

static struct json *
pair_to_json(const struct check_pair *pair)
{
    struct json *o = json_object_create();

    json_object_put(o, "source", address_to_json(pair->src));
    json_object_put(o, "destination", address_to_json(pair->dst));
    json_object_put(o, "allowed", json_boolean_create(pair->verdict.allowed));
    json_object_put(o, "egress", direction_to_json(pair, NP_EGRESS));
    json_object_put(o, "ingress", direction_to_json(pair, NP_INGRESS));
    return o;
}

void
check_print_json(const struct check_answer *a)
{
    const struct cli_query *q = a->query;
    struct json *pairs = json_array_create_empty();
    struct json *o = json_object_create();
    bool any = q->proto == CLI_ANY_PROTO;

    for (size_t i = 0; i < a->n; i++) {
        json_array_add(pairs, pair_to_json(&a->pairs[i]));
    }
    json_object_put(o, "version", json_integer_create(1));
    json_object_put(o, "allowed", json_boolean_create(a->allowed));
    json_object_put_string(o, "source", q->src.name);
    json_object_put_string(o, "destination", q->dst.name);
    json_object_put(o, "protocol", any ? json_null_create()
                    : json_integer_create(q->proto));
    json_object_put(o, "port", any || !q->port ? json_null_create()
                    : json_integer_create(q->port));
    json_object_put(o, "port_name", string_or_null(q->port_name));
    json_object_put(o, "addresses", pairs);
    cli_print_json(o);
}

/* netpolctl check: may SRC open a connection to DST, and why.
 *
 * The judge of the objects (netpol/eval.h) is asked for each pair of addresses
 * of one family; the answer is yes if it is for all of them. */

#include <config.h>
#include "cli/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

struct pair {
    const struct np_prefix *src, *dst;
    struct np_eval_verdict verdict;
};

struct answer {
    struct pair *pairs;
    size_t n;
    bool allowed;
};

static bool
same_family(const struct np_prefix *a, const struct np_prefix *b)
{
    return !a->family || !b->family || a->family == b->family;
}

/* The addresses of the node where the server's pod runs. */
static void
find_node(struct np_eval_world *world, const struct cli_options *o,
          const struct cli_input *in, const struct cli_query *q)
{
    const char *name = (o->node ? o->node
                        : q->dst.pod ? q->dst.pod->node_name : NULL);

    for (size_t i = 0; name && i < in->n; i++) {
        const struct np_node *node = (const struct np_node *) in->objects[i];

        if (node->meta.kind == NP_NODE && !strcmp(node->meta.name, name)) {
            world->node_addrs = node->addrs;
            world->n_node_addrs = node->n_addrs;
            return;
        }
    }
    if (o->node) {
        cli_fail("no node %s in what -f names", o->node);
    }
}

static void
ask(struct answer *a, const struct np_eval_world *world,
    const struct cli_query *q)
{
    a->allowed = true;
    a->pairs = xcalloc(q->src.n_addrs * q->dst.n_addrs, sizeof *a->pairs);
    for (size_t i = 0; i < q->src.n_addrs; i++) {
        for (size_t j = 0; j < q->dst.n_addrs; j++) {
            struct pair *pair = &a->pairs[a->n];
            struct np_eval_query query = {
                .opener = { q->src.addrs[i], q->src.pod },
                .server = { q->dst.addrs[j], q->dst.pod },
                .proto = q->proto, .port = q->port,
            };

            if (same_family(&q->src.addrs[i], &q->dst.addrs[j])) {
                pair->src = &q->src.addrs[i];
                pair->dst = &q->dst.addrs[j];
                np_eval(world, &query, &pair->verdict);
                a->allowed = a->allowed && pair->verdict.allowed;
                a->n++;
            }
        }
    }
}

/* Does every pair get the same answer for the same reason? */
static bool
all_alike(const struct answer *a)
{
    for (size_t i = 1; i < a->n; i++) {
        for (int direction = 0; direction < 2; direction++) {
            const struct np_eval_direction *x
                = &a->pairs[0].verdict.direction[direction];
            const struct np_eval_direction *y
                = &a->pairs[i].verdict.direction[direction];

            if (x->allowed != y->allowed || x->exempt != y->exempt
                || memcmp(&x->reason, &y->reason, sizeof x->reason)) {
                return false;
            }
        }
    }
    return true;
}

/* Text. */

static void
put_place(const struct np_meta *meta, int line)
{
    if (meta->file) {
        printf(" (%s:%d)", meta->file, line);
    }
}

/* The rule, and the line of the item that decided. */
static void
print_reason(const struct np_eval_reason *r, enum np_direction direction)
{
    const struct np_netpol_rule *rule = &r->policy->rules[direction][r->rule];
    int line = rule->line;

    printf("    allowed by NetworkPolicy %s/%s %s[%d]",
           r->policy->meta.namespace, r->policy->meta.name,
           np_direction_name(direction), r->rule);
    if (r->peer >= 0) {
        printf(" %s[%d]", direction == NP_INGRESS ? "from" : "to", r->peer);
        line = rule->peers[r->peer].line;
    }
    if (r->port >= 0) {
        printf(" ports[%d]", r->port);
        line = r->peer >= 0 ? line : rule->ports[r->port].line;
    }
    put_place(&r->policy->meta, line);
    putchar('\n');
}

static void
print_direction(const struct np_eval_direction *d, enum np_direction direction,
                const struct cli_end *end, const struct cli_end *other)
{
    printf("  %s of %s: ", np_direction_name(direction), end->name);
    if (!end->pod) {
        puts("not a pod, no policy applies");
    } else if (!np_pod_counts(end->pod)) {
        puts(end->pod->host_network
             ? "on the host's network, so it is its node's address"
             : "it has finished, no policy applies");
    } else if (!d->n_isolating) {
        puts("no policy isolates it");
    } else {
        puts("isolated by");
        for (size_t i = 0; i < d->n_isolating; i++) {
            const struct np_meta *meta = &d->isolating[i]->meta;

            printf("    NetworkPolicy %s/%s", meta->namespace, meta->name);
            put_place(meta, meta->line);
            putchar('\n');
        }
        if (d->exempt) {
            printf("    always allowed from %s\n",
                   other->pod == end->pod ? "the pod itself"
                                          : "the pod's own node");
        } else if (d->allowed) {
            print_reason(&d->reason, direction);
        } else {
            puts("    no rule of theirs allows it");
        }
    }
}

static void
print_verdict(bool allowed, const char *src, const char *dst,
              const struct cli_query *q, bool colour)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    cli_query_format_service(q, &s);
    printf("%s%s%s: %s -> %s, %s\n",
           !colour ? "" : allowed ? "\033[1;32m" : "\033[1;31m",
           allowed ? "allowed" : "denied", colour ? "\033[0m" : "",
           src, dst, ds_cstr(&s));
    ds_destroy(&s);
}

static void
print_directions(const struct pair *pair, const struct cli_query *q)
{
    print_direction(&pair->verdict.direction[NP_EGRESS], NP_EGRESS, &q->src,
                    &q->dst);
    print_direction(&pair->verdict.direction[NP_INGRESS], NP_INGRESS, &q->dst,
                    &q->src);
}

static void
warn_without_address(const struct cli_end *end)
{
    if (!end->addrs[0].family) {
        printf("  %s has no address yet: IP blocks are taken not to cover "
               "it\n", end->name);
    }
}

static void
print_text(const struct answer *a, const struct cli_query *q, bool colour)
{
    print_verdict(a->allowed, q->src.name, q->dst.name, q, colour);
    warn_without_address(&q->src);
    warn_without_address(&q->dst);
    if (all_alike(a)) {
        print_directions(&a->pairs[0], q);
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        struct ds src = DS_EMPTY_INITIALIZER;
        struct ds dst = DS_EMPTY_INITIALIZER;

        np_prefix_format(a->pairs[i].src, &src);
        np_prefix_format(a->pairs[i].dst, &dst);
        print_verdict(a->pairs[i].verdict.allowed, ds_cstr(&src),
                      ds_cstr(&dst), q, colour);
        print_directions(&a->pairs[i], q);
        ds_destroy(&src);
        ds_destroy(&dst);
    }
}

/* JSON. */

static struct json *
policy_to_json(const struct np_meta *meta)
{
    struct json *o = json_object_create();

    json_object_put_string(o, "kind", np_kind_name(meta->kind));
    json_object_put_string(o, "namespace", meta->namespace);
    json_object_put_string(o, "name", meta->name);
    if (meta->file) {
        json_object_put_string(o, "file", meta->file);
        json_object_put(o, "line", json_integer_create(meta->line));
    }
    return o;
}

static void
put_index(struct json *o, const char *name, int index)
{
    if (index >= 0) {
        json_object_put(o, name, json_integer_create(index));
    }
}

static struct json *
direction_to_json(const struct np_eval_direction *d)
{
    struct json *isolating = json_array_create_empty();
    struct json *o = json_object_create();

    for (size_t i = 0; i < d->n_isolating; i++) {
        json_array_add(isolating, policy_to_json(&d->isolating[i]->meta));
    }
    json_object_put(o, "allowed", json_boolean_create(d->allowed));
    json_object_put(o, "exempt", json_boolean_create(d->exempt));
    json_object_put(o, "isolated_by", isolating);
    if (d->reason.policy) {
        struct json *rule = policy_to_json(&d->reason.policy->meta);

        put_index(rule, "rule", d->reason.rule);
        put_index(rule, "peer", d->reason.peer);
        put_index(rule, "port", d->reason.port);
        json_object_put(o, "allowed_by", rule);
    }
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

static void
print_json(const struct answer *a, const struct cli_query *q)
{
    struct json *pairs = json_array_create_empty();
    struct json *o = json_object_create();
    char *text;

    for (size_t i = 0; i < a->n; i++) {
        const struct np_eval_verdict *v = &a->pairs[i].verdict;
        struct json *pair = json_object_create();

        json_object_put(pair, "source", address_to_json(a->pairs[i].src));
        json_object_put(pair, "destination",
                        address_to_json(a->pairs[i].dst));
        json_object_put(pair, "allowed", json_boolean_create(v->allowed));
        json_object_put(pair, "egress",
                        direction_to_json(&v->direction[NP_EGRESS]));
        json_object_put(pair, "ingress",
                        direction_to_json(&v->direction[NP_INGRESS]));
        json_array_add(pairs, pair);
    }
    json_object_put(o, "allowed", json_boolean_create(a->allowed));
    json_object_put_string(o, "source", q->src.name);
    json_object_put_string(o, "destination", q->dst.name);
    if (q->proto != CLI_ANY_PROTO) {
        json_object_put(o, "protocol", json_integer_create(q->proto));
        json_object_put(o, "port", json_integer_create(q->port));
    }
    json_object_put(o, "addresses", pairs);
    text = json_to_string(o, JSSF_PRETTY | JSSF_SORT);
    puts(text);
    free(text);
    json_destroy(o);
}

static void
answer_destroy(struct answer *a)
{
    for (size_t i = 0; i < a->n; i++) {
        np_eval_verdict_destroy(&a->pairs[i].verdict);
    }
    free(a->pairs);
}

int
cli_check(const struct cli_options *o, int argc OVS_UNUSED, char *argv[])
{
    struct np_eval_world world = { .objects = NULL };
    struct answer answer = { .n = 0 };
    struct cli_input in;
    struct cli_query q;
    int status;

    cli_input_read(&in, &o->files);
    if (in.errors.n) {
        fprintf(stderr, "%s: judged without %"PRIuSIZE" errors that "
                "`%s validate` shows\n", program_name, in.errors.n,
                program_name);
    }
    cli_query_parse(&q, o, &in, argv[0], argv[1]);
    world.objects = in.objects;
    world.n = in.n;
    find_node(&world, o, &in, &q);
    ask(&answer, &world, &q);
    if (!answer.n) {
        cli_fail("%s and %s have no addresses of one family", q.src.name,
                 q.dst.name);
    }
    if (o->json) {
        print_json(&answer, &q);
    } else {
        print_text(&answer, &q, o->colour);
    }

    status = answer.allowed ? CLI_YES : CLI_NO;
    answer_destroy(&answer);
    cli_query_destroy(&q);
    cli_input_destroy(&in);
    return status;
}

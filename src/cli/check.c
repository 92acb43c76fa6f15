/* netpolctl check: may SRC open a connection to DST, and why.
 *
 * The judge of the objects (netpol/eval.h) is asked for each pair of addresses
 * of one family; the answer is yes if it is for all of them.  A pod that has
 * no address yet is judged by what it is: selectors see its labels, and no IP
 * block covers it. */

#include <config.h>
#include "cli/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

int
check_family(const struct check_pair *pair)
{
    return pair->src->family ? pair->src->family : pair->dst->family;
}

const char *
check_why_name(enum check_why why)
{
    switch (why) {
    case WHY_NO_POD: return "no-pod";
    case WHY_HOST_NETWORK: return "host-network";
    case WHY_FINISHED: return "finished";
    case WHY_NOT_ISOLATED: return "not-isolated";
    case WHY_SELF: return "self";
    case WHY_NODE: return "node";
    case WHY_RULE: return "rule";
    case WHY_NO_RULE: return "no-rule";
    }
    OVS_NOT_REACHED();
}

bool
check_pairs_alike(const struct check_pair *a, const struct check_pair *b)
{
    for (int i = 0; i < 2; i++) {
        const struct np_eval_reason *x = &a->verdict.direction[i].reason;
        const struct np_eval_reason *y = &b->verdict.direction[i].reason;

        if (a->why[i] != b->why[i] || x->policy != y->policy
            || x->rule != y->rule || x->peer != y->peer
            || x->port != y->port) {
            return false;
        }
    }
    return true;
}

/* The addresses of a node: its object's, and those of the pods that are it. */
struct node_addrs {
    struct np_prefix *v;
    size_t n;
};

static void
add_node_addrs(struct node_addrs *a, const struct np_prefix *v, size_t n)
{
    a->v = xrealloc(a->v, (a->n + n) * sizeof *a->v);
    if (n) {
        memcpy(a->v + a->n, v, n * sizeof *v);
    }
    a->n += n;
}

static void
find_node(struct node_addrs *a, const struct cli_options *o,
          const struct cli_input *in, const struct cli_query *q)
{
    const char *name = (o->node ? o->node
                        : q->dst.pod ? q->dst.pod->node_name : NULL);

    for (size_t i = 0; name && i < in->n; i++) {
        const struct np_meta *meta = in->objects[i];
        const struct np_node *node = (const struct np_node *) meta;
        const struct np_pod *pod = (const struct np_pod *) meta;

        if (meta->kind == NP_NODE && !strcmp(meta->name, name)) {
            add_node_addrs(a, node->addrs, node->n_addrs);
        } else if (meta->kind == NP_POD && pod->host_network
                   && nullable_string_is_equal(pod->node_name, name)) {
            add_node_addrs(a, pod->addrs, pod->n_addrs);
        }
    }
    if (o->node && !a->n) {
        cli_fail("nothing in what -f names has an address of node %s",
                 o->node);
    }
}

static enum check_why
find_why(const struct check_pair *pair, const struct cli_query *q,
         enum np_direction direction)
{
    const struct np_eval_direction *d = &pair->verdict.direction[direction];
    const struct np_pod *pod = (direction == NP_EGRESS ? q->src.pod
                                : q->dst.pod);

    if (!pod) {
        return WHY_NO_POD;
    } else if (pod->host_network) {
        return WHY_HOST_NETWORK;
    } else if (!np_pod_counts(pod)) {
        return WHY_FINISHED;
    } else if (!d->n_isolating) {
        return WHY_NOT_ISOLATED;
    } else if (d->exempt) {
        return q->src.pod == q->dst.pod ? WHY_SELF : WHY_NODE;
    }
    return d->allowed ? WHY_RULE : WHY_NO_RULE;
}

static void
ask_pair(struct check_answer *a, const struct np_eval_world *world,
         const struct np_prefix *src, const struct np_prefix *dst)
{
    const struct cli_query *q = a->query;
    struct check_pair *pair = &a->pairs[a->n++];
    struct np_eval_query query = {
        .opener = { *src, q->src.pod },
        .server = { *dst, q->dst.pod },
        .proto = q->proto, .port = q->port,
    };

    pair->src = src;
    pair->dst = dst;
    np_eval(world, &query, &pair->verdict);
    pair->why[NP_INGRESS] = find_why(pair, q, NP_INGRESS);
    pair->why[NP_EGRESS] = find_why(pair, q, NP_EGRESS);
    a->allowed = a->allowed && pair->verdict.allowed;
}

static void
ask(struct check_answer *a, const struct np_eval_world *world)
{
    const struct cli_query *q = a->query;

    a->allowed = true;
    a->pairs = xcalloc(q->src.n_addrs * q->dst.n_addrs, sizeof *a->pairs);
    for (size_t i = 0; i < q->src.n_addrs; i++) {
        for (size_t j = 0; j < q->dst.n_addrs; j++) {
            const struct np_prefix *src = &q->src.addrs[i];
            const struct np_prefix *dst = &q->dst.addrs[j];

            if (!src->family || !dst->family || src->family == dst->family) {
                ask_pair(a, world, src, dst);
            }
        }
    }
    if (!a->n) {
        cli_fail("%s and %s have no addresses of one family", q->src.name,
                 q->dst.name);
    }
}

/* What the API server refuses is in force nowhere, so the verdict is right for
 * a cluster; it may not be what the author meant. */
static void
warn_of_errors(const struct cli_input *in)
{
    if (in->errors.n) {
        fprintf(stderr, "%s: warning: judged without the objects that have "
                "errors (%"PRIuSIZE", see %s validate)\n", program_name,
                in->errors.n, program_name);
    }
}

static void
answer_destroy(struct check_answer *a)
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
    struct node_addrs node = { .n = 0 };
    struct cli_query q;
    struct check_answer answer = { .query = &q };
    struct cli_input in;
    int status;

    cli_input_read(&in, &o->files);
    warn_of_errors(&in);
    cli_query_parse(&q, o, &in, argv[0], argv[1]);
    find_node(&node, o, &in, &q);
    world.objects = in.objects;
    world.n = in.n;
    world.node_addrs = node.v;
    world.n_node_addrs = node.n;
    ask(&answer, &world);
    if (o->json) {
        check_print_json(&answer);
    } else {
        check_print_text(&answer, o->colour);
    }

    status = answer.allowed ? CLI_YES : CLI_NO;
    answer_destroy(&answer);
    cli_query_destroy(&q);
    cli_input_destroy(&in);
    free(node.v);
    return status;
}

/* The answer as a text: the verdict first, then why, each thing with its
 * place. */

#include <config.h>
#include "cli/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
put_verdict(struct ds *s, bool allowed, bool colour)
{
    if (colour) {
        ds_put_cstr(s, allowed ? "\033[1;32m" : "\033[1;31m");
    }
    ds_put_cstr(s, allowed ? "allowed" : "denied");
    if (colour) {
        ds_put_cstr(s, "\033[0m");
    }
}

/* A line of NAME and where it is, so far to the right that the places of an
 * object's parts stand below each other. */
static void
put_item(struct ds *s, const char *name, const struct np_meta *meta, int line)
{
    ds_put_format(s, "      %s", name);
    if (meta->file) {
        ds_put_format(s, "%*s%s:%d", MAX(1, 38 - (int) strlen(name)), "",
                      meta->file, line);
    }
    ds_put_char(s, '\n');
}

static void
put_policy(struct ds *s, const struct np_netpol *p)
{
    char *name = xasprintf("%s/%s", p->meta.namespace, p->meta.name);

    put_item(s, name, &p->meta, p->meta.line);
    free(name);
}

/* An element of a list in P; INDEX -1 if there is no such list. */
static void
put_element(struct ds *s, const struct np_netpol *p, const char *list,
            int index, int line)
{
    if (index >= 0) {
        char *name = xasprintf("%s[%d]", list, index);

        put_item(s, name, &p->meta, line);
        free(name);
    }
}

/* The rule and the items in it that decided. */
static void
put_rule(struct ds *s, const struct np_eval_reason *r,
         enum np_direction direction)
{
    const struct np_netpol_rule *rule = &r->policy->rules[direction][r->rule];

    put_policy(s, r->policy);
    put_element(s, r->policy, np_direction_name(direction), r->rule,
                rule->line);
    put_element(s, r->policy, direction == NP_INGRESS ? "from" : "to",
                r->peer, r->peer < 0 ? 0 : rule->peers[r->peer].line);
    put_element(s, r->policy, "ports", r->port,
                r->port < 0 ? 0 : rule->ports[r->port].line);
}

static const char *
why_text(enum check_why why)
{
    switch (why) {
    case WHY_NO_POD: return "it is not a pod, so no policy applies";
    case WHY_HOST_NETWORK:
        return "it is on the host's network, so it is its node's address and "
               "no policy applies";
    case WHY_FINISHED: return "it has finished, so no policy applies";
    case WHY_NOT_ISOLATED: return "no policy isolates it";
    case WHY_SELF: return "a pod may always reach itself";
    case WHY_NODE: return "a node may always reach its own pods";
    case WHY_RULE: case WHY_NO_RULE: break;
    }
    return NULL;
}

static void
put_direction(struct ds *s, const struct check_pair *pair,
              enum np_direction direction, const char *end, bool colour)
{
    const struct np_eval_direction *d = &pair->verdict.direction[direction];
    const char *why = why_text(pair->why[direction]);

    ds_put_format(s, "  %s of %s: ", np_direction_name(direction), end);
    put_verdict(s, d->allowed, colour);
    ds_put_format(s, "%s%s\n", why ? ", " : "", why ? why : "");
    if (pair->why[direction] == WHY_RULE) {
        ds_put_cstr(s, "    allowed by the rule\n");
        put_rule(s, &d->reason, direction);
    }
    if (d->n_isolating) {
        ds_put_format(s, "    isolated by%s\n",
                      pair->why[direction] == WHY_NO_RULE
                      ? ", and no rule there allows it" : "");
    }
    for (size_t i = 0; i < d->n_isolating; i++) {
        put_policy(s, d->isolating[i]);
    }
}

static void
put_directions(struct ds *s, const struct check_pair *pair,
               const struct cli_query *q, bool colour)
{
    put_direction(s, pair, NP_EGRESS, q->src.name, colour);
    put_direction(s, pair, NP_INGRESS, q->dst.name, colour);
}

/* "IPv6 fd00::1 -> fd00::2: denied". */
static void
put_pair(struct ds *s, const struct check_pair *pair, bool colour)
{
    int family = check_family(pair);

    ds_put_cstr(s, family ? family == 4 ? "IPv4 " : "IPv6 " : "");
    if (pair->src->family) {
        np_prefix_format(pair->src, s);
        ds_put_char(s, ' ');
    }
    ds_put_cstr(s, "->");
    if (pair->dst->family) {
        ds_put_char(s, ' ');
        np_prefix_format(pair->dst, s);
    }
    ds_put_cstr(s, ": ");
    put_verdict(s, pair->verdict.allowed, colour);
    ds_put_char(s, '\n');
}

static void
note_unknown_address(struct ds *s, const struct cli_end *end)
{
    if (!end->addrs[0].family) {
        ds_put_format(s, "note: %s has no address yet; it is judged by its "
                      "labels, and no ipBlock is taken to cover it\n",
                      end->name);
    }
}

static bool
all_alike(const struct check_answer *a)
{
    for (size_t i = 1; i < a->n; i++) {
        if (!check_pairs_alike(&a->pairs[0], &a->pairs[i])) {
            return false;
        }
    }
    return true;
}

void
check_print_text(const struct check_answer *a, bool colour)
{
    const struct cli_query *q = a->query;
    struct ds s = DS_EMPTY_INITIALIZER;

    put_verdict(&s, a->allowed, colour);
    ds_put_format(&s, ": %s -> %s, ", q->src.name, q->dst.name);
    cli_query_format_service(q, &s);
    ds_put_char(&s, '\n');
    note_unknown_address(&s, &q->src);
    note_unknown_address(&s, &q->dst);
    if (all_alike(a)) {
        put_directions(&s, &a->pairs[0], q, colour);
    } else {
        ds_put_cstr(&s, "note: its addresses are not judged alike\n");
        for (size_t i = 0; i < a->n; i++) {
            put_pair(&s, &a->pairs[i], colour);
            put_directions(&s, &a->pairs[i], q, colour);
        }
    }
    fputs(ds_cstr(&s), stdout);
    ds_destroy(&s);
}

/* The interpreter's tables.
 *
 * Each is a classifier of libopenvswitch, the very code that a switch looks
 * flows up with: priorities, masks and conjunctions are its.  A flow made of
 * conjunction actions is put in as clauses; it can never be found itself, and
 * the flow with the conj_id is found in its place. */

#include <config.h>

#include "interp-private.h"

#include <stdlib.h>

#include "classifier.h"
#include "flow.h"
#include "netpol/flow.h"
#include "ovs-rcu.h"
#include "util.h"
#include "versions.h"

struct entry {
    struct cls_rule rule;
    const struct np_flow *flow;
};

struct np_interp {
    struct classifier *tables[256];     /* NULL while without flows. */
    struct np_flow **learned;           /* Owned. */
    size_t n_learned, allocated_learned;
};

static void
entry_free(struct entry *entry)
{
    cls_rule_destroy(&entry->rule);
    free(entry);
}

/* Allocates the conjunction actions of FLOW.  Where there is one, there are
 * no other actions than these and notes. */
static struct cls_conjunction *
conjunctions_of(const struct np_flow *flow, size_t *n)
{
    struct cls_conjunction *conjs = NULL;
    size_t allocated = 0;
    const struct ofpact *a;

    *n = 0;
    OFPACT_FOR_EACH (a, flow->actions, flow->actions_len) {
        if (a->type == OFPACT_CONJUNCTION) {
            const struct ofpact_conjunction *c = ofpact_get_CONJUNCTION(a);

            if (*n >= allocated) {
                conjs = x2nrealloc(conjs, &allocated, sizeof *conjs);
            }
            conjs[(*n)++] = (struct cls_conjunction) {
                .id = c->id, .clause = c->clause, .n_clauses = c->n_clauses,
            };
        }
    }
    return conjs;
}

static struct classifier *
table_create(void)
{
    static const enum mf_field_id prefixes[] = { MFF_IPV4_DST, MFF_IPV4_SRC };
    struct classifier *cls = xmalloc(sizeof *cls);

    /* As ofproto sets up its tables, so that a lookup consults what it
     * consults there. */
    classifier_init(cls, flow_segment_u64s);
    classifier_set_prefix_fields(cls, prefixes, ARRAY_SIZE(prefixes));
    return cls;
}

static void
table_destroy(struct classifier *cls)
{
    struct entry *entry;

    classifier_defer(cls);
    CLS_FOR_EACH (entry, rule, cls) {
        classifier_remove_assert(cls, &entry->rule);
        ovsrcu_postpone(entry_free, entry);
    }
    classifier_publish(cls);
    classifier_destroy(cls);
    free(cls);
}

static const struct np_flow *
add_flow(struct np_interp *interp, const struct np_flow *flow)
{
    struct classifier **cls = &interp->tables[flow->table];
    struct entry *entry = xmalloc(sizeof *entry);
    const struct minimatch match = np_flow_match(flow);
    const struct np_flow *old = NULL;
    size_t n;

    if (!*cls) {
        *cls = table_create();
    }
    entry->flow = flow;
    cls_rule_init_from_minimatch(&entry->rule, &match, flow->priority);
    struct cls_conjunction *conjs = conjunctions_of(flow, &n);
    const struct cls_rule *replaced = classifier_replace(
        *cls, &entry->rule, OVS_VERSION_MIN, conjs, n);
    free(conjs);
    if (replaced) {
        struct entry *out = CONTAINER_OF(replaced, struct entry, rule);

        old = out->flow;
        ovsrcu_postpone(entry_free, out);
    }
    return old;
}

struct np_interp *
np_interp_create(const struct np_flow_set *set)
{
    struct np_interp *interp = xzalloc(sizeof *interp);
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &set->flows) {
        struct classifier *cls = interp->tables[flow->table];

        if (cls) {
            classifier_defer(cls);
        }
        add_flow(interp, flow);
    }
    for (size_t i = 0; i < ARRAY_SIZE(interp->tables); i++) {
        if (interp->tables[i]) {
            classifier_publish(interp->tables[i]);
        }
    }
    ovsrcu_quiesce();
    return interp;
}

void
np_interp_destroy(struct np_interp *interp)
{
    if (!interp) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(interp->tables); i++) {
        if (interp->tables[i]) {
            table_destroy(interp->tables[i]);
        }
    }
    for (size_t i = 0; i < interp->n_learned; i++) {
        np_flow_destroy(interp->learned[i]);
    }
    free(interp->learned);
    free(interp);
    ovsrcu_quiesce();
}

const struct np_flow *
np_interp_add(struct np_interp *interp, const struct np_flow *flow)
{
    const struct np_flow *old = add_flow(interp, flow);

    ovsrcu_quiesce();
    return old;
}

static struct entry *
find_entry(const struct np_interp *interp, const struct np_flow *flow)
{
    const struct classifier *cls = interp->tables[flow->table];
    const struct minimatch match = np_flow_match(flow);
    const struct cls_rule *rule;

    rule = cls ? classifier_find_minimatch_exactly(cls, &match,
                                                   flow->priority,
                                                   OVS_VERSION_MAX) : NULL;
    return rule ? CONTAINER_OF(rule, struct entry, rule) : NULL;
}

const struct np_flow *
np_interp_find(const struct np_interp *interp, const struct np_flow *flow)
{
    struct entry *entry = find_entry(interp, flow);

    return entry ? entry->flow : NULL;
}

const struct np_flow *
np_interp_remove(struct np_interp *interp, const struct np_flow *flow)
{
    struct entry *entry = find_entry(interp, flow);
    const struct np_flow *old = NULL;

    if (entry) {
        old = entry->flow;
        classifier_remove_assert(interp->tables[flow->table], &entry->rule);
        ovsrcu_postpone(entry_free, entry);
        ovsrcu_quiesce();
    }
    return old;
}

const struct np_flow *
np_interp_lookup(const struct np_interp *interp, uint8_t table,
                 struct flow *packet, struct flow_wildcards *wc)
{
    const struct classifier *cls = interp->tables[table];
    const struct cls_rule *rule;

    rule = cls ? classifier_lookup(cls, OVS_VERSION_MAX, packet, wc) : NULL;
    return rule ? CONTAINER_OF(rule, struct entry, rule)->flow : NULL;
}

size_t
np_interp_count(const struct np_interp *interp, uint8_t table, uint64_t cookie)
{
    const struct classifier *cls = interp->tables[table];
    const struct entry *entry;
    size_t n = 0;

    if (cls) {
        CLS_FOR_EACH (entry, rule, cls) {
            n += entry->flow->cookie == cookie;
        }
    }
    return n;
}

void
np_interp_learn(struct np_interp *interp, const struct np_flow *flow)
{
    struct match match;

    if (interp->n_learned >= interp->allocated_learned) {
        interp->learned = x2nrealloc(interp->learned,
                                     &interp->allocated_learned,
                                     sizeof *interp->learned);
    }
    np_flow_expand(flow, &match);
    struct np_flow *copy = np_flow_create(flow->table, flow->priority,
                                          flow->cookie, &match, flow->actions,
                                          flow->actions_len);
    interp->learned[interp->n_learned++] = copy;
    add_flow(interp, copy);
}

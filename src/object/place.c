/* Where an object was read.
 *
 * Places are no part of what an object says.  So whoever reads the same object
 * again, from another line, can keep the one that others point to and give it
 * its new place.  Policies have places inside, which explain a verdict. */

#include <config.h>
#include "netpol/object.h"

#include "util.h"

static void
for_each_rule_line(struct np_netpol_rule *rule,
                   void (*cb)(int *line, void *aux), void *aux)
{
    cb(&rule->line, aux);
    for (size_t i = 0; i < rule->n_peers; i++) {
        cb(&rule->peers[i].line, aux);
    }
    for (size_t i = 0; i < rule->n_ports; i++) {
        cb(&rule->ports[i].line, aux);
    }
}

void
np_object_for_each_line(struct np_meta *object,
                        void (*cb)(int *line, void *aux), void *aux)
{
    cb(&object->line, aux);
    if (object->kind == NP_NETPOL) {
        struct np_netpol *netpol = (struct np_netpol *) object;

        for (size_t d = 0; d < 2; d++) {
            for (size_t i = 0; i < netpol->n_rules[d]; i++) {
                for_each_rule_line(&netpol->rules[d][i], cb, aux);
            }
        }
    }
}

static void
swap_lines(int *a, int *b)
{
    int line = *a;

    *a = *b;
    *b = line;
}

static void
swap_rule_lines(struct np_netpol_rule *a, struct np_netpol_rule *b)
{
    swap_lines(&a->line, &b->line);
    ovs_assert(a->n_peers == b->n_peers && a->n_ports == b->n_ports);
    for (size_t i = 0; i < a->n_peers; i++) {
        swap_lines(&a->peers[i].line, &b->peers[i].line);
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        swap_lines(&a->ports[i].line, &b->ports[i].line);
    }
}

void
np_object_swap_places(struct np_meta *a, struct np_meta *b)
{
    const char *file = a->file;

    a->file = b->file;
    b->file = file;
    swap_lines(&a->line, &b->line);
    if (a->kind == NP_NETPOL) {
        struct np_netpol *p = (struct np_netpol *) a;
        struct np_netpol *q = (struct np_netpol *) b;

        for (size_t d = 0; d < 2; d++) {
            ovs_assert(p->n_rules[d] == q->n_rules[d]);
            for (size_t i = 0; i < p->n_rules[d]; i++) {
                swap_rule_lines(&p->rules[d][i], &q->rules[d][i]);
            }
        }
    }
}

/* Clauses are spread over priorities when there are many rules: the law, where
 * their number goes over the limit and under it again.
 *
 * usage: shards
 *
 * A message of OpenFlow holds about 4,000 conjunctions, so with more than
 * 2,000 rules of one direction a flow that all of them share must be several.
 * One pod of the node has them all; the number of its rules moves by one
 * around each limit, and by thousands across several.  Then comes one rule
 * that says the same more than 65,535 times. */

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include "openvswitch/ofp-actions.h"
#include "prop/trial.h"
#include "unit/compile/fixture.h"
#include "util.h"

enum {
    N_POLICIES = 4010,
    N_PORTS = 65537,
    MAX_ACTIONS = 4000,
};

/* How many policies there are, of how many that also have an egress rule, and
 * over how many priorities the clauses of each direction must be spread. */
static const struct moment {
    size_t n, n_both;
    size_t ingress, egress;
    bool restart;
} moments[] = {
    { 1999, 0, 1, 0 },
    { 2000, 3, 1, 1 },
    { 2001, 3, 2, 1 },
    { 2002, 4, 2, 1 },
    { 2001, 4, 2, 1, true },
    { 2000, 4, 1, 1 },
    { 2001, 2001, 2, 2 },
    { 2001, 2000, 2, 1 },
    { 4002, 2000, 4, 1 },
    { 4001, 2000, 2, 1 },
    { 4002, 2001, 4, 2 },
    { 4010, 5, 4, 1, true },
    { 9, 5, 1, 1 },
    { 4002, 1, 4, 1 },
    { 0, 0, 0, 0 },
};

struct cast {
    struct np_fixture fixture[2];       /* Without and with egress rules. */
    const struct np_meta **policies[2];
};

static void
read_policies(struct cast *c, int both)
{
    struct np_fixture *f = &c->fixture[both];
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, "{\"apiVersion\": \"v1\", \"kind\": \"List\", "
                "\"items\": [");
    for (size_t i = 0; i < N_POLICIES; i++) {
        ds_put_format(&s, "%s{\"apiVersion\": \"networking.k8s.io/v1\", "
                      "\"kind\": \"NetworkPolicy\", \"metadata\": "
                      "{\"namespace\": \"a\", \"name\": \"p%"PRIuSIZE"\"}, "
                      "\"spec\": {\"podSelector\": {}, \"ingress\": [{"
                      "\"from\": [{\"ipBlock\": {\"cidr\": \"10.%"PRIuSIZE
                      ".0.0/16\"}}], \"ports\": [{\"port\": %"PRIuSIZE"}]}]",
                      i ? ", " : "", i, i % 7, 1 + i % 3);
        if (both) {
            ds_put_format(&s, ", \"egress\": [{\"to\": [{\"ipBlock\": "
                          "{\"cidr\": \"172.16.%"PRIuSIZE".0/24\"}}]}]",
                          i % 5);
        }
        ds_put_cstr(&s, "}}");
    }
    ds_put_cstr(&s, "]}");
    np_fixture_init(f);
    np_fixture_decode_objects(f, ds_cstr(&s));
    ovs_assert(f->manifest.n == N_POLICIES);
    c->policies[both] = (const struct np_meta **) f->manifest.objects;
    ds_destroy(&s);
}

static const struct np_meta *
policy_at(const struct cast *c, const struct moment *m, size_t i)
{
    return i >= m->n ? NULL : c->policies[i < m->n_both][i];
}

static void
change_policies(const struct cast *c, const struct moment *from,
                const struct moment *to, struct np_changes *changes)
{
    for (size_t i = 0; i < N_POLICIES; i++) {
        const struct np_meta *old = policy_at(c, from, i);
        const struct np_meta *new = policy_at(c, to, i);

        if (old != new) {
            np_changes_add(changes, old, new);
        }
    }
}

static size_t
count_conjunctions(const struct np_flow *flow)
{
    const struct ofpact *a;
    size_t n = 0;

    OFPACT_FOR_EACH (a, flow->actions, flow->actions_len) {
        n += a->type == OFPACT_CONJUNCTION;
    }
    return n;
}

/* Counts the priorities with clauses in TABLE, and complains of flows that no
 * message holds. */
static size_t
count_priorities(struct np_trial *t, uint8_t table)
{
    bool seen[UINT16_MAX + 1] = { false };
    const struct np_flow *flow;
    size_t n = 0;

    HMAP_FOR_EACH (flow, node, &t->flows.flows) {
        size_t n_actions = (flow->table == table ? count_conjunctions(flow)
                            : 0);

        if (n_actions > MAX_ACTIONS) {
            ds_put_format(&t->wrong, "%"PRIuSIZE" conjunctions in a flow\n",
                          n_actions);
        }
        if (n_actions && !seen[flow->priority]) {
            seen[flow->priority] = true;
            n++;
        }
    }
    return n;
}

static void
check_spread(struct np_trial *t, const struct moment *m)
{
    size_t ingress = count_priorities(t, NP_T_INGRESS);
    size_t egress = count_priorities(t, NP_T_EGRESS);

    if (ingress != m->ingress || egress != m->egress) {
        ds_put_format(&t->wrong, "clauses are spread over %"PRIuSIZE" and "
                      "%"PRIuSIZE" priorities, not %"PRIuSIZE" and "
                      "%"PRIuSIZE"\n", ingress, egress, m->ingress,
                      m->egress);
    }
}

/* The pod and its port. */
static void
read_pod(struct np_fixture *f)
{
    np_fixture_init(f);
    np_fixture_decode_objects(f,
        "apiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: pod}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
        "status: {phase: Running, podIPs: [{ip: 10.0.0.1}]}\n");
    np_fixture_read_ports(f, "pod veth1 1 a/pod 0a:58:00:00:00:01 10.0.0.1");
}

static void
play(struct np_trial *t, const struct cast *c, const struct np_fixture *pod)
{
    static const struct moment nothing = { 0, 0, 0, 0 };
    const struct moment *before = &nothing;
    struct np_changes changes = { NULL, 0, 0 };

    np_changes_add(&changes, NULL, pod->manifest.objects[0]);
    np_trial_change(t, &changes, &pod->ports, true);
    for (size_t i = 0; i < ARRAY_SIZE(moments) && !t->wrong.length; i++) {
        const struct moment *m = &moments[i];

        np_changes_clear(&changes);
        if (m->restart) {
            np_changes_add(&changes, NULL, pod->manifest.objects[0]);
            change_policies(c, &nothing, m, &changes);
            np_trial_restart(t, &changes, &pod->ports);
        } else {
            change_policies(c, before, m, &changes);
            np_trial_change(t, &changes, NULL, false);
        }
        check_spread(t, m);
        if (t->wrong.length) {
            printf("with %"PRIuSIZE" policies, %"PRIuSIZE" of them both ways,"
                   " after %"PRIuSIZE" and %"PRIuSIZE":\n%s\n", m->n,
                   m->n_both, before->n, before->n_both,
                   ds_cstr(&t->wrong));
        }
        before = m;
    }
    np_changes_clear(&changes);
}

/* A rule that says the same more often than 16 bits count, which an object of
 * less than a megabyte can, comes and goes. */
static void
repeat_port(struct np_trial *t)
{
    struct np_changes changes = { NULL, 0, 0 };
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_fixture f;

    ds_put_cstr(&s, "{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": "
                "\"NetworkPolicy\", \"metadata\": {\"namespace\": \"a\", "
                "\"name\": \"p\"}, \"spec\": {\"podSelector\": {}, "
                "\"ingress\": [{\"ports\": [");
    for (int i = 0; i < N_PORTS; i++) {
        ds_put_format(&s, "%s{\"port\":7}", i ? "," : "");
    }
    ds_put_cstr(&s, "]}]}}");
    np_fixture_init(&f);
    np_fixture_decode_objects(&f, ds_cstr(&s));
    np_changes_add(&changes, NULL, f.manifest.objects[0]);
    np_trial_change(t, &changes, NULL, false);
    np_changes_clear(&changes);
    np_changes_add(&changes, f.manifest.objects[0], NULL);
    np_trial_change(t, &changes, NULL, false);
    if (t->wrong.length) {
        printf("with one port %d times:\n%s\n", N_PORTS, ds_cstr(&t->wrong));
    }
    np_changes_clear(&changes);
    np_fixture_destroy(&f);
    ds_destroy(&s);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    struct np_fixture pod;
    struct np_trial trial;
    struct cast cast;
    bool ok;

    set_program_name(argv[0]);
    read_policies(&cast, 0);
    read_policies(&cast, 1);
    read_pod(&pod);
    np_trial_init(&trial, &pod.config);
    play(&trial, &cast, &pod);
    repeat_port(&trial);
    ok = !trial.wrong.length;
    np_trial_destroy(&trial);
    np_fixture_destroy(&pod);
    np_fixture_destroy(&cast.fixture[0]);
    np_fixture_destroy(&cast.fixture[1]);
    return ok ? 0 : 1;
}

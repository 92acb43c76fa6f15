/* The law: after any sequence of changes, every stage holds what it would hold
 * had it seen only the last state.
 *
 * usage: law [--seed N] [--sequences N] [--steps N] [--whole]
 *
 * A sequence walks between random clusters that have the same names for other
 * things (world.h): each step takes a few objects and ports from another one
 * of them, or takes them away, all as one change; or it is a restart, after
 * which a new engine takes the flows over.  After each, the flows that the
 * patches have made, and the text of all stages, are held against an engine
 * that is given the result at once and takes over the numbers.  What a patch
 * says must also be needed.  Now and then the two judges (judge.h) are asked
 * about the flows that the patches have made.
 *
 * A sequence that breaks the law is made as short as it goes, unless --whole
 * is given, and printed. */

#include <config.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "netpol/flow.h"
#include "netpol/idset.h"
#include "openvswitch/dynamic-string.h"
#include "prop/gen.h"
#include "prop/judge.h"
#include "prop/trial.h"
#include "prop/world.h"
#include "util.h"

enum {
    MAX_PICKS = 6,
    N_CASES = 300,              /* To ask the judges at a time. */
};

struct step {
    size_t n;
    struct pick {
        size_t thing;
        int version;
    } picks[MAX_PICKS];
    bool restart;               /* While this happens nobody looks. */
    uint32_t judged;            /* Seed of the cases to ask, or 0. */
    bool skipped;
};

/* An engine on its way through a sequence. */
struct walk {
    struct np_trial trial;
    const struct worlds *w;
    struct tally *tally;
    int *versions;              /* Of each thing, now. */
    size_t n_identities;        /* After the step before. */
    size_t max_number;          /* That any may have had so far. */
};

/* What was done, to be printed. */
struct tally {
    size_t steps, restarts, verdicts;
};

/* Sequences take turns.  The judges know only the plain way out. */
static const struct np_compile_config configs[] = {
    { .ct_zone = 64000 },
    { .ct_zone = 1, .way_out = NP_OUT_PORT, .out_port = "eth1",
      .keep_established = true },
    { .ct_zone = 64000 },
    { .ct_zone = 7, .way_out = NP_OUT_TABLE, .out_table = 200,
      .foreign_pass = true, .allow_to_node = true },
    { .ct_zone = 64000 },
};

static const struct np_meta *
object_of(const struct walk *k, size_t thing)
{
    return thing_object(k->w, thing, k->versions[thing]);
}

/* Numbers that were given away, by enum np_flow_kind. */
struct given {
    struct np_idset identities, rules;
    struct ds *wrong;
};

static void
give(enum np_flow_kind kind, uint32_t id, const char *text, void *given_)
{
    struct given *given = given_;

    if (!np_idset_add(kind == NP_FLOW_RULE ? &given->rules
                      : &given->identities, id)) {
        ds_put_format(given->wrong, "number %#"PRIx32" is given twice: %s\n",
                      id, text);
    }
}

/* Nothing shares its number, and what stands behind each is what FRESH, who
 * has taken the numbers over, says. */
static void
check_names(struct walk *k, const struct np_engine *fresh)
{
    struct given given = { .wrong = &k->trial.wrong };
    struct ds live = DS_EMPTY_INITIALIZER;
    struct ds scratch = DS_EMPTY_INITIALIZER;

    np_compiler_for_each_name(k->trial.engine.compiler, give, &given);
    np_idset_clear(&given.identities);
    np_idset_clear(&given.rules);
    np_compiler_dump(k->trial.engine.compiler, &live);
    np_compiler_dump(fresh->compiler, &scratch);
    if (strcmp(ds_cstr(&live), ds_cstr(&scratch))) {
        ds_put_format(&k->trial.wrong, "live names:\n%s\nfrom scratch:\n%s\n",
                      ds_cstr(&live), ds_cstr(&scratch));
    }
    ds_destroy(&live);
    ds_destroy(&scratch);
}

/* Numbers of identities that are no more are given away again, so none is
 * higher than there were identities before and after a change, ever. */
static void
check_numbers(struct walk *k, size_t n_identities)
{
    const struct np_flow *flow;

    k->max_number = MAX(k->max_number, k->n_identities + n_identities);
    k->n_identities = n_identities;
    HMAP_FOR_EACH (flow, node, &k->trial.flows.flows) {
        uint32_t number = flow->cookie;

        if (flow->table == NP_T_SRC_IDENTITY && number > k->max_number
            && np_cookie_kind(flow->cookie) == NP_FLOW_IDENTITY) {
            ds_put_format(&k->trial.wrong, "identity number %"PRIu32", with "
                          "%"PRIuSIZE" identities\n", number, n_identities);
        }
    }
}

/* Does the compiler of FRESH hold as many things as K's?  What it keeps in
 * vain is in no flow. */
static void
check_counts(struct walk *k, const struct np_engine *fresh)
{
    struct np_compile_counts a, b;

    np_compiler_count(k->trial.engine.compiler, &a);
    np_compiler_count(fresh->compiler, &b);
    check_numbers(k, a.identities);
    if (a.rules != b.rules || a.sets != b.sets || a.points != b.points
        || a.identities != b.identities || a.clauses != b.clauses
        || a.conjunctions != b.conjunctions) {
        ds_put_format(&k->trial.wrong,
                      "rules, sets, points, identities, conjunctions, clauses:"
                      " live %"PRIuSIZE" %"PRIuSIZE" %"PRIuSIZE" %"PRIuSIZE
                      " %"PRIuSIZE" %"PRIuSIZE", from scratch %"PRIuSIZE
                      " %"PRIuSIZE" %"PRIuSIZE" %"PRIuSIZE" %"PRIuSIZE
                      " %"PRIuSIZE"\n", a.rules, a.sets, a.points,
                      a.identities, a.conjunctions, a.clauses, b.rules,
                      b.sets, b.points, b.identities, b.conjunctions,
                      b.clauses);
    }
}

static void
check_text(struct walk *k, const struct np_engine *fresh)
{
    struct ds live = DS_EMPTY_INITIALIZER;
    struct ds scratch = DS_EMPTY_INITIALIZER;

    np_engine_dump(&k->trial.engine, &live);
    np_engine_dump(fresh, &scratch);
    if (strcmp(ds_cstr(&live), ds_cstr(&scratch))) {
        ds_put_format(&k->trial.wrong, "live:\n%s\nfrom scratch:\n%s\n",
                      ds_cstr(&live), ds_cstr(&scratch));
    }
    ds_destroy(&live);
    ds_destroy(&scratch);
}

/* What the stages hold, against an engine that gets all at once and in another
 * order. */
static void
check_stages(struct walk *k)
{
    struct np_changes changes = { NULL, 0, 0 };
    struct np_portmap ports = worlds_ports(k->w, k->versions);
    struct np_flow_patch patch;
    struct np_engine fresh;

    for (size_t i = k->w->n_objects; i-- > 0; ) {
        if (object_of(k, i)) {
            np_changes_add(&changes, NULL, object_of(k, i));
        }
    }
    np_engine_init(&fresh, k->trial.config, "node");
    np_engine_apply(&fresh, &changes, &ports, NULL);
    check_text(k, &fresh);
    if (k->trial.engine.started) {
        np_flow_patch_init(&patch);
        np_engine_start(&fresh, &k->trial.flows, &patch);
        check_counts(k, &fresh);
        check_names(k, &fresh);
        np_flow_patch_destroy(&patch);
    }
    np_engine_destroy(&fresh);
    np_changes_clear(&changes);
    free(ports.v);
}

/* Takes STEP's picks over and returns whether a port is among them. */
static bool
make_changes(struct walk *k, const struct step *step,
             struct np_changes *changes)
{
    bool any_port = false;

    for (size_t i = 0; i < step->n; i++) {
        const struct pick *pick = &step->picks[i];
        const struct np_meta *old = NULL;

        if (pick->thing < k->w->n_objects) {
            old = object_of(k, pick->thing);
        }
        k->versions[pick->thing] = pick->version;
        if (pick->thing >= k->w->n_objects) {
            any_port = true;
        } else if (old != object_of(k, pick->thing)) {
            np_changes_add(changes, old, object_of(k, pick->thing));
        }
    }
    return any_port;
}

/* All objects there are, as if they had just come. */
static void
all_objects(const struct walk *k, struct np_changes *changes)
{
    np_changes_clear(changes);
    for (size_t i = 0; i < k->w->n_objects; i++) {
        if (object_of(k, i)) {
            np_changes_add(changes, NULL, object_of(k, i));
        }
    }
}

/* Are the ports there by which the judges send packets, and do these go where
 * they look? */
static bool
can_judge(const struct walk *k)
{
    const struct np_binding *b = &k->trial.engine.binding;
    int n = 0;

    for (size_t i = 0; i < b->n_places; i++) {
        n += (!strcmp(b->places[i]->row->name, "br-int")
              || !strcmp(b->places[i]->row->name, "eth1"));
    }
    return (k->trial.engine.started && n == 2
            && k->trial.config->way_out == NP_OUT_NORMAL);
}

static bool
runs(const struct np_meta *object)
{
    return (object->kind == NP_POD
            && ((const struct np_pod *) object)->phase == NP_RUNNING);
}

/* Of several pods with an address, the first that runs has it, else the
 * first: so they stand in that order before the court. */
static int
compare_owners(const void *a_, const void *b_)
{
    const struct np_meta *a = *(const struct np_meta *const *) a_;
    const struct np_meta *b = *(const struct np_meta *const *) b_;
    int cmp = strcmp(a->namespace ? a->namespace : "",
                     b->namespace ? b->namespace : "");

    return (runs(a) != runs(b) ? (runs(a) ? -1 : 1)
            : cmp ? cmp : strcmp(a->name, b->name));
}

static void
ask(struct walk *k, struct np_court *court, uint32_t seed)
{
    struct np_gen g = { .state = seed };
    const struct ds *wrong = &k->trial.wrong;

    /* With nobody there, there is nothing to ask. */
    for (int i = 0; court->n_ends && i < N_CASES && !wrong->length; i++) {
        struct np_outcome outcome;
        struct np_case cs = {
            .opener = np_gen_below(&g, court->n_ends),
        };

        cs.server = np_gen_below(&g, court->n_ends);
        if (court->n_local) {
            *(i % 2 ? &cs.opener : &cs.server)
                = court->first_local + np_gen_below(&g, court->n_local);
        }
        cs.service = court->services[np_gen_below(&g, court->n_services)];
        cs.phase = np_gen_below(&g, NP_N_CASES);
        np_court_judge(court, &cs, &outcome);
        k->tally->verdicts += !outcome.skipped;
        if (outcome.why) {
            ds_put_format(&k->trial.wrong, "the judges disagree: %s\n",
                          outcome.why);
        }
        free(outcome.why);
    }
}

static void
judge(struct walk *k, uint32_t seed)
{
    struct np_changes all = { NULL, 0, 0 };
    struct np_eval_world world = { .n = 0 };
    const struct np_meta **objects;
    struct np_court court;

    all_objects(k, &all);
    objects = xmalloc((all.n + 1) * sizeof *objects);
    for (size_t i = 0; i < all.n; i++) {
        objects[world.n++] = all.v[i].new;
    }
    qsort(objects, world.n, sizeof *objects, compare_owners);
    world.objects = objects;
    np_court_init_live(&court, &world, &k->trial.engine.binding,
                       &k->trial.flows);
    ask(k, &court, seed);
    np_court_destroy(&court);
    free(objects);
    np_changes_clear(&all);
}

static void
take(struct walk *k, const struct step *step, bool start)
{
    struct np_changes changes = { NULL, 0, 0 };
    bool any_port = make_changes(k, step, &changes);
    struct np_portmap ports = worlds_ports(k->w, k->versions);

    if (step->restart && k->trial.engine.started) {
        all_objects(k, &changes);
        np_trial_restart(&k->trial, &changes, &ports);
        k->tally->restarts++;
    } else {
        np_trial_change(&k->trial, &changes, any_port ? &ports : NULL, start);
    }
    np_changes_clear(&changes);
    free(ports.v);
    check_stages(k);
    if (step->judged && !k->trial.wrong.length && can_judge(k)) {
        judge(k, step->judged);
    }
}

/* A sequence of changes; flows begin at step 'start'. */
struct sequence {
    const struct np_compile_config *config;
    struct worlds w;
    struct step *steps;
    size_t n, start;
};

/* Goes through S.  Returns what went wrong, to be freed, or NULL; adds what it
 * did to TALLY. */
static char *
run(const struct sequence *s, struct tally *tally)
{
    struct walk k = { .w = &s->w, .tally = tally,
                      .versions = xmalloc(s->w.n * sizeof(int)) };
    char *wrong = NULL;

    for (size_t i = 0; i < s->w.n; i++) {
        k.versions[i] = GONE;
    }
    np_trial_init(&k.trial, s->config);
    for (size_t i = 0; i < s->n && !k.trial.wrong.length; i++) {
        tally->steps++;
        if (!s->steps[i].skipped) {
            take(&k, &s->steps[i], i >= s->start && !k.trial.engine.started);
        }
    }
    if (k.trial.wrong.length) {
        wrong = xstrdup(ds_cstr(&k.trial.wrong));
    }
    np_trial_destroy(&k.trial);
    free(k.versions);
    return wrong;
}

/* A version of THING, which has version NOW, that is in one of the worlds, at
 * random, or none.  Often it is what an edit makes of it. */
static int
random_version(const struct worlds *w, struct np_gen *g, size_t thing, int now)
{
    const struct thing *t = &w->v[thing];
    int version = np_gen_below(g, N_WORLDS);

    if (!np_gen_below(g, 5)) {
        return GONE;
    } else if (now != GONE && !np_gen_below(g, 3)) {
        version = now % RENUMBERED ^ 1;
    }
    while (!t->object[version] && !t->port[version]) {
        version = (version + 1) % N_WORLDS;
    }
    return (thing >= w->n_objects && !np_gen_below(g, 4)
            ? version + RENUMBERED : version);
}

/* VERSIONS are those before the step, and then after it. */
static void
random_step(const struct worlds *w, struct np_gen *g, int *versions,
            struct step *step)
{
    step->n = np_gen_below(g, MAX_PICKS + 1);
    step->restart = !np_gen_below(g, 25);
    step->judged = np_gen_below(g, 12) ? 0 : np_gen_random(g) | 1;
    for (size_t i = 0; i < step->n; i++) {
        struct pick *pick = &step->picks[i];

        pick->thing = np_gen_below(g, w->n);
        pick->version = random_version(w, g, pick->thing,
                                       versions[pick->thing]);
        versions[pick->thing] = pick->version;
    }
}

static void
random_steps(struct sequence *s, struct np_gen *g)
{
    int *versions = xmalloc(s->w.n * sizeof *versions);

    for (size_t i = 0; i < s->w.n; i++) {
        versions[i] = GONE;
    }
    s->steps = xcalloc(s->n, sizeof *s->steps);
    for (size_t i = 0; i < s->n; i++) {
        random_step(&s->w, g, versions, &s->steps[i]);
    }
    s->start = np_gen_below(g, s->n / 4 + 1);
    free(versions);
}

static bool
is_wrong(const struct sequence *s, struct tally *tally)
{
    struct tally now = { .steps = 0 };
    char *wrong = run(s, &now);

    free(wrong);
    *tally = now;
    return wrong != NULL;
}

static void
shrink(struct sequence *s)
{
    bool smaller = true;

    while (smaller) {
        smaller = false;
        for (size_t i = 0; i < s->n; i++) {
            struct tally tally;

            if (!s->steps[i].skipped) {
                s->steps[i].skipped = true;
                if (is_wrong(s, &tally)) {
                    smaller = true;
                    s->n = tally.steps;
                } else {
                    s->steps[i].skipped = false;
                }
            }
        }
    }
}

/* Single picks of the steps that are left, and restarts. */
static void
shrink_steps(struct sequence *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct step *step = &s->steps[i];
        struct tally tally;

        for (size_t j = 0; !step->skipped && j < step->n; ) {
            struct step whole = *step;

            memmove(&step->picks[j], &step->picks[j + 1],
                    (step->n - j - 1) * sizeof step->picks[0]);
            step->n--;
            if (!is_wrong(s, &tally)) {
                *step = whole;
                j++;
            }
        }
        if (!step->skipped && step->restart) {
            step->restart = false;
            step->restart = !is_wrong(s, &tally);
        }
    }
}

static void
print_step(const struct worlds *w, const struct step *step)
{
    for (size_t i = 0; i < step->n; i++) {
        const struct pick *pick = &step->picks[i];
        const struct thing *thing = &w->v[pick->thing];
        const char *text = (pick->version == GONE ? NULL
                            : thing->text[pick->version % RENUMBERED]);

        printf("    %s %s%s\n", thing->key,
               text ? "is now" : "is not there",
               pick->version >= RENUMBERED ? ", at the next number" : "");
        if (text) {
            printf("%s\n", text);
        }
    }
}

static void
report(const struct sequence *s)
{
    struct tally ignored = { .steps = 0 };
    char *wrong;

    for (size_t i = 0; i < s->n; i++) {
        if (!s->steps[i].skipped) {
            printf("step %"PRIuSIZE"%s:\n", i, s->steps[i].restart
                   ? ", while the daemon restarts" : "");
            print_step(&s->w, &s->steps[i]);
        }
    }
    wrong = run(s, &ignored);
    printf("flows began at step %"PRIuSIZE"\n%s\n", s->start,
           wrong ? wrong : "(not wrong any more)");
    free(wrong);
}

static bool
run_sequence(uint32_t seed, size_t n_steps, bool whole, struct tally *tally)
{
    struct np_gen g = { .seed = seed, .state = seed * 2654435761u + 1 };
    struct sequence s = {
        .config = &configs[seed % ARRAY_SIZE(configs)], .n = n_steps,
    };
    size_t before = tally->steps;
    char *wrong;

    worlds_init(&s.w, seed);
    random_steps(&s, &g);
    wrong = run(&s, tally);
    if (wrong) {
        s.n = tally->steps - before;
        printf("seed %"PRIu32": the law is broken after %"PRIuSIZE
               " steps%s\n", seed, s.n, whole ? "" : "; making it small ...");
        fflush(stdout);
        if (!whole) {
            shrink(&s);
            shrink_steps(&s);
        }
        report(&s);
        printf("again: law --seed %"PRIu32" --sequences 1 --steps %"PRIuSIZE
               "\n", seed, n_steps);
    }
    free(s.steps);
    worlds_destroy(&s.w);
    free(wrong);
    return !wrong;
}

int
main(int argc, char *argv[])
{
    static const struct option longs[] = {
        { "seed", required_argument, NULL, 's' },
        { "sequences", required_argument, NULL, 'q' },
        { "steps", required_argument, NULL, 't' },
        { "whole", no_argument, NULL, 'w' },
        { NULL, 0, NULL, 0 },
    };
    unsigned int seed = 1, sequences = 20, steps = 150;
    struct tally tally = { .steps = 0 };
    bool whole = false;
    bool ok = true;
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        unsigned int *value = (c == 's' ? &seed : c == 'q' ? &sequences
                               : c == 't' ? &steps : NULL);

        if (c == 'w') {
            whole = true;
        } else if (!value || !str_to_uint(optarg, 10, value)) {
            ovs_fatal(0, "usage: law [--seed N] [--sequences N] [--steps N] "
                      "[--whole]");
        }
    }
    for (unsigned int i = 0; ok && i < sequences; i++) {
        ok = run_sequence(seed + i, MAX(steps, 1), whole, &tally);
    }
    printf("%"PRIuSIZE" steps in %u sequences, %"PRIuSIZE" restarts, "
           "%"PRIuSIZE" verdicts\n", tally.steps, sequences, tally.restarts,
           tally.verdicts);
    return ok ? 0 : 1;
}

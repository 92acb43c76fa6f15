/* The law: after any sequence of changes, every stage holds what it would hold
 * had it seen only the last state.
 *
 * usage: law [--seed N] [--sequences N] [--steps N]
 *
 * A sequence walks between four random clusters that have the same names for
 * other things: each step takes a few objects and ports from another one of
 * them, or takes them away, all as one change.  After each, the flows that the
 * patches have made, and the text of all stages, are held against an engine
 * that is given the result at once and takes over the numbers.  What a patch
 * says must also be needed.
 *
 * A sequence that breaks the law is made as short as it goes and printed. */

#include <config.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/engine.h"
#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"
#include "prop/gen.h"
#include "unit/compile/fixture.h"
#include "util.h"

enum {
    N_WORLDS = 4,
    GONE = N_WORLDS,            /* A version: not there. */
    RENUMBERED = 8,             /* Added to a port's: at another ofport. */
    MAX_PICKS = 6,
};

/* Something with a name, as each of the worlds has it, or NULL. */
struct thing {
    char *key;
    const struct np_meta *object[N_WORLDS];
    const struct np_bridge_port *port[N_WORLDS];
};

struct worlds {
    struct np_fixture fixture[N_WORLDS];
    struct thing *v;            /* Objects first, then ports. */
    size_t n, n_objects;
};

struct step {
    size_t n;
    struct pick {
        size_t thing;
        int version;
    } picks[MAX_PICKS];
    bool skipped;
};

static struct thing *
thing_at(struct worlds *w, const char *key)
{
    for (size_t i = 0; i < w->n; i++) {
        if (!strcmp(w->v[i].key, key)) {
            return &w->v[i];
        }
    }
    w->v = xrealloc(w->v, (w->n + 1) * sizeof *w->v);
    w->v[w->n] = (struct thing) { .key = xstrdup(key) };
    return &w->v[w->n++];
}

static void
read_world(struct np_fixture *f, uint32_t seed)
{
    static const struct np_gen_size size = { 14, 8, 8 };
    struct ds yaml = DS_EMPTY_INITIALIZER;
    struct ds ports = DS_EMPTY_INITIALIZER;
    struct np_gen g;

    np_gen_init(&g, seed, &size);
    np_gen_yaml(&g, &yaml);
    np_gen_ports(&g, &ports);
    np_fixture_init(f);
    np_fixture_decode_objects(f, ds_cstr(&yaml));
    np_fixture_read_ports(f, ds_cstr(&ports));
    ds_destroy(&yaml);
    ds_destroy(&ports);
    np_gen_destroy(&g);
}

static void
worlds_init(struct worlds *w, uint32_t seed)
{
    memset(w, 0, sizeof *w);
    for (int i = 0; i < N_WORLDS; i++) {
        struct np_fixture *f = &w->fixture[i];

        read_world(f, N_WORLDS * seed + i);
        for (size_t j = 0; j < f->manifest.n; j++) {
            const struct np_meta *object = f->manifest.objects[j];
            struct ds key = DS_EMPTY_INITIALIZER;

            ds_put_format(&key, "%s ", np_kind_name(object->kind));
            np_object_format_key(object, &key);
            thing_at(w, ds_cstr(&key))->object[i] = object;
            ds_destroy(&key);
        }
    }
    w->n_objects = w->n;
    for (int i = 0; i < N_WORLDS; i++) {
        const struct np_portmap *ports = &w->fixture[i].ports;

        for (size_t j = 0; j < ports->n; j++) {
            char *key = xasprintf("port %s", ports->v[j].name);

            thing_at(w, key)->port[i] = &ports->v[j];
            free(key);
        }
    }
}

static void
worlds_destroy(struct worlds *w)
{
    for (size_t i = 0; i < w->n; i++) {
        free(w->v[i].key);
    }
    free(w->v);
    for (int i = 0; i < N_WORLDS; i++) {
        np_fixture_destroy(&w->fixture[i]);
    }
}

/* The law on trial: an engine that is changed step by step. */
struct trial {
    const struct worlds *w;
    int *versions;              /* Of each thing, now. */
    struct np_engine engine;
    struct np_flow_set flows;   /* What its patches have made. */
    struct ds wrong;            /* Empty while all is well. */
};

static const struct np_compile_config config = { .ct_zone = 64000 };

static const struct np_meta *
object_of(const struct trial *t, size_t thing)
{
    int version = t->versions[thing];

    return version == GONE ? NULL : t->w->v[thing].object[version];
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct np_bridge_port *a = a_;
    const struct np_bridge_port *b = b_;

    return strcmp(a->name, b->name);
}

/* The ports now; the names and addresses in it are the worlds'. */
static struct np_portmap
ports_of(const struct trial *t)
{
    struct np_portmap map = { xcalloc(t->w->n + 1, sizeof *map.v), 0 };

    for (size_t i = t->w->n_objects; i < t->w->n; i++) {
        int version = t->versions[i];
        const struct np_bridge_port *port
            = (version == GONE ? NULL
               : t->w->v[i].port[version % RENUMBERED]);

        if (port) {
            map.v[map.n] = *port;
            if (version >= RENUMBERED && port->role == NP_PORT_POD) {
                /* Where the next port may have been. */
                map.v[map.n].ofport++;
            }
            map.n++;
        }
    }
    qsort(map.v, map.n, sizeof *map.v, compare_ports);
    /* No switch gives a number twice. */
    for (size_t i = 0; i < map.n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (map.v[i].ofport == map.v[j].ofport) {
                map.v[i].ofport = NP_OFPORT_NONE;
            }
        }
    }
    return map;
}

static void
list_flows(struct ds *s, const char *what, const struct np_flow *const *v,
           size_t n)
{
    struct np_table_names names;

    np_pipeline_names(0, &names);
    for (size_t i = 0; i < n && i < 12; i++) {
        ds_put_format(s, "%s ", what);
        np_flow_format(v[i], &names, s);
        ds_put_char(s, '\n');
    }
}

static void
check_needed(struct trial *t, const struct np_flow_patch *patch)
{
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &patch->put.flows) {
        const struct np_flow *old = np_flow_set_find(&t->flows, flow);

        if (old && np_flow_equal(old, flow)) {
            list_flows(&t->wrong, "put though it is there:", &flow, 1);
        }
    }
    HMAP_FOR_EACH (flow, node, &patch->del.flows) {
        if (!np_flow_set_find(&t->flows, flow)) {
            list_flows(&t->wrong, "deleted though it is not there:", &flow,
                       1);
        }
    }
}

static void
check_flows(struct trial *t)
{
    struct np_flow_delta delta;
    struct np_flow_set fresh;

    np_flow_set_init(&fresh);
    np_engine_rebuild(&t->engine, &t->flows, &fresh);
    np_flow_set_diff(&t->flows, &fresh, &delta);
    list_flows(&t->wrong, "should not be:", delta.del, delta.n_del);
    list_flows(&t->wrong, "should be:", delta.put, delta.n_put);
    np_flow_delta_destroy(&delta);
    np_flow_set_destroy(&fresh);
}

/* The stages below the compiler, from scratch and in another order. */
static void
check_text(struct trial *t)
{
    struct np_changes changes = { NULL, 0, 0 };
    struct ds live = DS_EMPTY_INITIALIZER;
    struct ds scratch = DS_EMPTY_INITIALIZER;
    struct np_portmap ports = ports_of(t);
    struct np_engine fresh;

    for (size_t i = t->w->n_objects; i-- > 0; ) {
        if (object_of(t, i)) {
            np_changes_add(&changes, NULL, object_of(t, i));
        }
    }
    np_engine_init(&fresh, &config, "node");
    np_engine_apply(&fresh, &changes, &ports, NULL);
    np_engine_dump(&t->engine, &live);
    np_engine_dump(&fresh, &scratch);
    if (strcmp(ds_cstr(&live), ds_cstr(&scratch))) {
        ds_put_format(&t->wrong, "live:\n%s\nfrom scratch:\n%s\n",
                      ds_cstr(&live), ds_cstr(&scratch));
    }
    np_engine_destroy(&fresh);
    np_changes_clear(&changes);
    free(ports.v);
    ds_destroy(&live);
    ds_destroy(&scratch);
}

/* Takes STEP's picks over and returns whether a port is among them. */
static bool
make_changes(struct trial *t, const struct step *step,
             struct np_changes *changes)
{
    bool any_port = false;

    for (size_t i = 0; i < step->n; i++) {
        const struct pick *pick = &step->picks[i];
        const struct np_meta *old = NULL;

        if (pick->thing < t->w->n_objects) {
            old = object_of(t, pick->thing);
        }
        t->versions[pick->thing] = pick->version;
        if (pick->thing >= t->w->n_objects) {
            any_port = true;
        } else if (old != object_of(t, pick->thing)) {
            np_changes_add(changes, old, object_of(t, pick->thing));
        }
    }
    return any_port;
}

static void
take(struct trial *t, const struct step *step, bool start)
{
    struct np_changes changes = { NULL, 0, 0 };
    bool any_port = make_changes(t, step, &changes);
    struct np_portmap ports = ports_of(t);
    struct np_flow_patch patch;

    np_flow_patch_init(&patch);
    np_engine_apply(&t->engine, &changes, any_port ? &ports : NULL, &patch);
    if (start) {
        np_engine_start(&t->engine, NULL, &patch);
    }
    check_needed(t, &patch);
    np_flow_patch_apply(&patch, &t->flows);
    np_flow_patch_destroy(&patch);
    np_changes_clear(&changes);
    free(ports.v);
    if (t->engine.started) {
        check_flows(t);
    }
    check_text(t);
}

/* Goes through STEPS, starting the flows at step START.  Returns what went
 * wrong, to be freed, with the number of steps that it took in '*n_done', or
 * NULL. */
static char *
run(const struct worlds *w, const struct step *steps, size_t n, size_t start,
    size_t *n_done)
{
    struct trial t = { .w = w, .versions = xmalloc(w->n * sizeof(int)) };
    char *wrong = NULL;

    for (size_t i = 0; i < w->n; i++) {
        t.versions[i] = GONE;
    }
    ds_init(&t.wrong);
    np_flow_set_init(&t.flows);
    np_engine_init(&t.engine, &config, "node");
    for (*n_done = 0; *n_done < n && !t.wrong.length; ++*n_done) {
        if (!steps[*n_done].skipped) {
            take(&t, &steps[*n_done],
                 *n_done >= start && !t.engine.started);
        }
    }
    if (t.wrong.length) {
        wrong = ds_steal_cstr(&t.wrong);
    }
    np_engine_destroy(&t.engine);
    np_flow_set_destroy(&t.flows);
    ds_destroy(&t.wrong);
    free(t.versions);
    return wrong;
}

static struct step *
random_steps(const struct worlds *w, struct np_gen *g, size_t n)
{
    struct step *steps = xcalloc(n, sizeof *steps);

    for (size_t i = 0; i < n; i++) {
        struct step *step = &steps[i];

        step->n = np_gen_below(g, MAX_PICKS + 1);
        for (size_t j = 0; j < step->n; j++) {
            struct pick *pick = &step->picks[j];

            pick->thing = np_gen_below(g, w->n);
            pick->version = (np_gen_below(g, 5) ? np_gen_below(g, N_WORLDS)
                             : GONE);
            if (pick->thing >= w->n_objects && pick->version != GONE
                && !np_gen_below(g, 4)) {
                pick->version += RENUMBERED;
            }
        }
    }
    return steps;
}

static void
shrink(const struct worlds *w, struct step *steps, size_t *n, size_t start)
{
    bool smaller = true;

    while (smaller) {
        smaller = false;
        for (size_t i = 0; i < *n; i++) {
            size_t n_done;
            char *wrong;

            if (steps[i].skipped) {
                continue;
            }
            steps[i].skipped = true;
            wrong = run(w, steps, *n, start, &n_done);
            if (wrong) {
                smaller = true;
                *n = n_done;
            } else {
                steps[i].skipped = false;
            }
            free(wrong);
        }
    }
}

/* Single picks of the steps that are left. */
static void
shrink_picks(const struct worlds *w, struct step *steps, size_t n,
             size_t start)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; !steps[i].skipped && j < steps[i].n; ) {
            struct step whole = steps[i];
            size_t n_done;
            char *wrong;

            memmove(&steps[i].picks[j], &steps[i].picks[j + 1],
                    (steps[i].n - j - 1) * sizeof steps[i].picks[0]);
            steps[i].n--;
            wrong = run(w, steps, n, start, &n_done);
            if (!wrong) {
                steps[i] = whole;
                j++;
            }
            free(wrong);
        }
    }
}

static void
report(const struct worlds *w, struct step *steps, size_t n, size_t start)
{
    size_t n_done;
    char *wrong;

    shrink(w, steps, &n, start);
    shrink_picks(w, steps, n, start);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; !steps[i].skipped && j < steps[i].n; j++) {
            const struct pick *pick = &steps[i].picks[j];

            printf("step %"PRIuSIZE": %s is %s%d%s\n", i,
                   w->v[pick->thing].key,
                   pick->version == GONE ? "gone, " : "as in world ",
                   pick->version % RENUMBERED,
                   pick->version >= RENUMBERED ? ", renumbered" : "");
        }
    }
    wrong = run(w, steps, n, start, &n_done);
    printf("flows began at step %"PRIuSIZE"\n%s\n", start,
           wrong ? wrong : "(not wrong any more)");
    free(wrong);
}

static bool
run_sequence(uint32_t seed, size_t n_steps, size_t *n_total)
{
    struct np_gen g = { .seed = seed, .state = seed * 2654435761u + 1 };
    struct worlds w;
    struct step *steps;
    size_t n, start;
    char *wrong;

    worlds_init(&w, seed);
    steps = random_steps(&w, &g, n_steps);
    start = np_gen_below(&g, n_steps / 4 + 1);
    wrong = run(&w, steps, n_steps, start, &n);
    *n_total += n;
    if (wrong) {
        printf("seed %"PRIu32": the law is broken after %"PRIuSIZE
               " steps\n", seed, n);
        report(&w, steps, n, start);
    }
    free(steps);
    worlds_destroy(&w);
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
        { NULL, 0, NULL, 0 },
    };
    unsigned int seed = 1, sequences = 20, steps = 150;
    size_t n_total = 0;
    bool ok = true;
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        unsigned int *value = (c == 's' ? &seed : c == 'q' ? &sequences
                               : c == 't' ? &steps : NULL);

        if (!value || !str_to_uint(optarg, 10, value)) {
            ovs_fatal(0, "usage: law [--seed N] [--sequences N] [--steps N]");
        }
    }
    for (unsigned int i = 0; ok && i < sequences; i++) {
        ok = run_sequence(seed + i, MAX(steps, 1), &n_total);
    }
    printf("%"PRIuSIZE" steps in %u sequences\n", n_total, sequences);
    return ok ? 0 : 1;
}

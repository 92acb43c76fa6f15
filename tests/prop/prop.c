/* The two judges must agree: random clusters, compiled and run through the
 * flow interpreter, against the judge of the objects.
 *
 * usage: prop [--seed N] [--clusters N] [--minutes N] [--verdicts N]
 *        prop --seed N --emit DIR
 *
 * Each cluster has a seed of its own, so that one can be had again alone:
 * `prop --seed N --clusters 1`.  A disagreement is made as small as it goes
 * and printed as YAML.  --emit writes a cluster as objects.yaml and ports, as
 * the golden cases have them, for other tests. */

#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "prop/judge.h"
#include "timeval.h"
#include "util.h"

struct options {
    uint32_t seed;
    const char *emit;
    unsigned long clusters, minutes, verdicts;
};

struct tally {
    unsigned long clusters, verdicts, denied, both_isolated, by_phase[4];
    unsigned long identities, max_identities, pods, policies;
};

/* Sizes take turns: many small clusters, where all is asked, and some large
 * ones. */
static struct np_gen_size
size_of(uint32_t seed)
{
    if (seed % 40 == 39) {
        return (struct np_gen_size) { 300, 100, 40 };
    }
    return (seed % 4 == 3
            ? (struct np_gen_size) { 60, 20, 12 }
            : (struct np_gen_size) { 8, 4, 4 });
}

/* A case at random.  A pod of this node is on one side of each; they come
 * right after the node among the ends. */
static void
pick(const struct np_court *c, struct np_gen *g, struct np_case *cs)
{
    size_t *side = np_gen_below(g, 2) ? &cs->opener : &cs->server;

    cs->opener = np_gen_below(g, c->n_ends);
    cs->server = np_gen_below(g, c->n_ends);
    if (c->n_local) {
        *side = c->first_local + np_gen_below(g, c->n_local);
    }
    cs->service = c->services[np_gen_below(g, c->n_services)];
    cs->phase = (np_gen_below(g, 2) ? NP_CASE_NEW
                 : np_gen_below(g, NP_N_CASES));
}

static bool
next(const struct np_court *c, struct np_case *cs, size_t *service)
{
    if (++cs->phase < NP_N_CASES) {
        return true;
    }
    cs->phase = NP_CASE_NEW;
    if (++*service >= c->n_services) {
        *service = 0;
        if (++cs->server >= c->n_ends) {
            cs->server = 0;
            if (++cs->opener >= c->n_ends) {
                return false;
            }
        }
    }
    cs->service = c->services[*service];
    return true;
}

static bool
ask(struct np_court *c, const struct np_case *cs, struct tally *tally,
    char **why)
{
    struct np_outcome outcome;

    np_court_judge(c, cs, &outcome);
    if (!outcome.skipped) {
        tally->verdicts++;
        tally->by_phase[cs->phase]++;
        tally->denied += !outcome.expected;
        tally->both_isolated += outcome.both_isolated;
    }
    *why = outcome.why;
    return !outcome.why;
}

/* Asks all cases, or as many as MAX of them at random.  On a disagreement
 * '*cs' is the case and '*why' what happened. */
static bool
try_cluster(struct np_court *c, struct np_gen *g, unsigned long max,
            struct tally *tally, struct np_case *cs, char **why)
{
    double all = (double) c->n_ends * c->n_ends * c->n_services * NP_N_CASES;
    size_t service = 0;

    if (all <= 2.0 * max) {
        *cs = (struct np_case) { 0, 0, c->services[0], NP_CASE_NEW };
        do {
            if (!ask(c, cs, tally, why)) {
                return false;
            }
        } while (next(c, cs, &service));
        return true;
    }
    for (unsigned long i = 0; i < 2 * max; i++) {
        pick(c, g, cs);
        if (!ask(c, cs, tally, why)) {
            return false;
        }
    }
    return true;
}

/* The one case that failed, by addresses, so that it can be asked of a smaller
 * cluster. */
struct complaint {
    struct np_prefix opener, server;
    struct np_service_case service;
    enum np_case_phase phase;
};

static char *
still_wrong(const struct np_gen *g, const struct complaint *complaint)
{
    struct tally ignored = { 0 };
    struct np_case cs = { .service = complaint->service,
                          .phase = complaint->phase };
    struct np_court court;
    char *why = NULL;

    if (np_court_init(&court, g)) {
        cs.opener = np_court_find_end(&court, &complaint->opener);
        cs.server = np_court_find_end(&court, &complaint->server);
        if (cs.opener != SIZE_MAX && cs.server != SIZE_MAX) {
            ask(&court, &cs, &ignored, &why);
        }
    }
    np_court_destroy(&court);
    return why;
}

/* Takes parts away as long as the case stays wrong. */
static char *
shrink(struct np_gen *g, const struct complaint *complaint, char *why)
{
    size_t n;
    struct np_gen_part **parts = np_gen_parts(g, &n);
    bool smaller;

    do {
        smaller = false;
        for (size_t i = 0; i < n; i++) {
            char *again;

            if (parts[i]->gone) {
                continue;
            }
            parts[i]->gone = true;
            again = still_wrong(g, complaint);
            parts[i]->gone = again != NULL;
            if (again) {
                free(why);
                why = again;
                smaller = true;
            }
        }
    } while (smaller);
    free(parts);
    return why;
}

static void
report(struct np_gen *g, const struct np_court *c, const struct np_case *cs,
       char *why)
{
    struct complaint complaint = {
        c->ends[cs->opener].eval.addr, c->ends[cs->server].eval.addr,
        cs->service, cs->phase,
    };
    struct ds s = DS_EMPTY_INITIALIZER;

    printf("seed %"PRIu32": the judges disagree; making it small ...\n",
           g->seed);
    fflush(stdout);
    why = shrink(g, &complaint, why);
    ds_put_cstr(&s, "\n# ports of the node\n");
    np_gen_ports(g, &s);
    np_gen_yaml(g, &s);
    printf("%s\n%s\nagain: prop --seed %"PRIu32" --clusters 1\n", why,
           ds_cstr(&s), g->seed);
    ds_destroy(&s);
    free(why);
}

static bool
run_cluster(uint32_t seed, unsigned long max, struct tally *tally)
{
    struct np_gen_size size = size_of(seed);
    struct np_court court;
    struct np_case cs;
    struct np_gen g;
    char *why = NULL;
    bool ok;

    np_gen_init(&g, seed, &size);
    ok = np_court_init(&court, &g);
    if (!ok) {
        printf("seed %"PRIu32": the generator made a bad manifest\n", seed);
    } else {
        ok = try_cluster(&court, &g, max, tally, &cs, &why);
        if (!ok) {
            report(&g, &court, &cs, why);
        }
    }
    tally->clusters++;
    tally->identities += court.n_identities;
    tally->max_identities = MAX(tally->max_identities, court.n_identities);
    tally->pods += g.n_pods;
    tally->policies += g.n_policies;
    np_court_destroy(&court);
    np_gen_destroy(&g);
    return ok;
}

static void
print_tally(const struct tally *t)
{
    printf("%lu clusters (%lu pods, %lu policies), %lu verdicts: "
           "%lu first packets, %lu replies, %lu errors, %lu from an SCTP "
           "server's port\n", t->clusters, t->pods, t->policies, t->verdicts,
           t->by_phase[NP_CASE_NEW], t->by_phase[NP_CASE_REPLY],
           t->by_phase[NP_CASE_RELATED], t->by_phase[NP_CASE_SCTP_HOLE]);
    printf("%.1f %% denied; in %.1f %% policies on both sides had a say; "
           "%.1f identities a cluster, %lu at most\n",
           100.0 * t->denied / MAX(t->verdicts, 1),
           100.0 * t->both_isolated / MAX(t->verdicts, 1),
           (double) t->identities / MAX(t->clusters, 1), t->max_identities);
}

static unsigned long
number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (!*text || *end) {
        ovs_fatal(0, "%s: not a number", text);
    }
    return n;
}

static void
parse_options(int argc, char *argv[], struct options *o)
{
    static const struct option longs[] = {
        { "seed", required_argument, NULL, 's' },
        { "clusters", required_argument, NULL, 'c' },
        { "minutes", required_argument, NULL, 'm' },
        { "verdicts", required_argument, NULL, 'v' },
        { "emit", required_argument, NULL, 'e' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    *o = (struct options) { 1, NULL, 60, 0, 1000 };
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 's': o->seed = number(optarg); break;
        case 'c': o->clusters = number(optarg); break;
        case 'm': o->minutes = number(optarg); break;
        case 'v': o->verdicts = number(optarg); break;
        case 'e': o->emit = optarg; break;
        default: exit(2);
        }
    }
}

static void
write_file(const char *dir, const char *name, const struct ds *text)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *stream = fopen(path, "w");

    if (!stream || fwrite(text->string, 1, text->length, stream)
                   != text->length || fclose(stream)) {
        ovs_fatal(errno, "%s", path);
    }
    free(path);
}

static int
emit(uint32_t seed, const char *dir)
{
    struct np_gen_size size = size_of(seed);
    struct ds yaml = DS_EMPTY_INITIALIZER;
    struct ds ports = DS_EMPTY_INITIALIZER;
    struct np_gen g;

    np_gen_init(&g, seed, &size);
    np_gen_yaml(&g, &yaml);
    np_gen_ports(&g, &ports);
    write_file(dir, "objects.yaml", &yaml);
    write_file(dir, "ports", &ports);
    ds_destroy(&yaml);
    ds_destroy(&ports);
    np_gen_destroy(&g);
    return 0;
}

int
main(int argc, char *argv[])
{
    struct tally tally = { 0 };
    struct options o;
    long long int end;
    bool ok = true;

    set_program_name(argv[0]);
    parse_options(argc, argv, &o);
    if (o.emit) {
        return emit(o.seed, o.emit);
    }
    end = time_msec() + o.minutes * 60 * 1000;
    for (uint32_t i = 0; ok && (o.minutes ? time_msec() < end
                                : i < o.clusters); i++) {
        ok = run_cluster(o.seed + i, o.verdicts, &tally);
    }
    print_tally(&tally);
    return ok ? 0 : 1;
}

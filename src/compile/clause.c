/* Conjunctions to flows.
 *
 * A conjunction has up to three dimensions: who opens, who serves, what
 * service.  Each value of a dimension is a flow that says conjunction(id,
 * k/n), and a flow that matches conj_id says what follows (ovs-fields(7),
 * "Conjunctive Match Fields").  Flows with the same match are one flow for
 * a switch, so a value that several rules use is one flow with an action
 * for each, sorted.
 *
 * A dimension that is "any" is left out.  If one is left, the conjunction
 * would be the match itself, so it becomes a plain flow, one priority class
 * above:  the same match as plain and as clause at one priority would be
 * one flow, and the last to come would win in silence.
 *
 * A message holds about 4,000 actions.  Rules only allow, so it does not
 * matter which of them is asked first; with many of them they are spread
 * over adjacent priorities by their ids.
 *
 * A clause that changed is written down once, at the end of the change, and
 * only if it says something else than before. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "netpol/portrange.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_clause);

enum {
    PRIORITY_CLAUSE = 10000,
    PRIORITY_PLAIN = 30000,
    SHARD_RULES = 2000,         /* On average; half of what fits, because
                                 * hashes are not even. */
};

/* The last is none: what follows if all of them match. */
enum dimension { OPENER, SERVER, SERVICE, WHOLE };

/* That a value satisfies dimension K of N of a conjunction. */
struct use {
    uint32_t id;
    uint32_t k : 2, n : 2;
    uint32_t n_times : 28;      /* Ranges of one rule may overlap; an object
                                 * may hold more than 65,535 of them. */
};

/* One value of a dimension, and the conjunctions that use it. */
struct np_clause {
    struct hmap_node node;
    enum np_direction direction;
    uint16_t priority;
    enum dimension dimension;
    uint32_t identity;          /* OPENER, SERVER; WHOLE: the conjunction. */
    enum np_proto proto;        /* SERVICE. */
    struct np_port_mask ports;  /* SERVICE. */
    struct use *uses;           /* By id. */
    size_t n_uses;
    size_t allocated;
    bool dirty;                 /* In the list, with what the flows say: */
    struct use *before;
    size_t n_before;
    uint32_t plain;             /* PRIORITY_PLAIN: the rule that the flow
                                 * names, 0 if there is none. */
};

static uint32_t
clause_hash(const struct np_clause *c)
{
    uint32_t ports = (uint32_t) c->ports.value << 16 | c->ports.mask;

    return hash_2words(hash_3words(c->direction << 16 | c->priority,
                                   c->dimension, c->identity),
                       hash_2words(c->proto, ports));
}

static bool
clause_equal(const struct np_clause *a, const struct np_clause *b)
{
    return (a->direction == b->direction && a->priority == b->priority
            && a->dimension == b->dimension && a->identity == b->identity
            && a->proto == b->proto && a->ports.value == b->ports.value
            && a->ports.mask == b->ports.mask);
}

static struct np_clause *
intern_clause(struct np_compiler *c, const struct np_clause *key)
{
    uint32_t hash = clause_hash(key);
    struct np_clause *clause;

    HMAP_FOR_EACH_WITH_HASH (clause, node, hash, &c->clauses) {
        if (clause_equal(clause, key)) {
            return clause;
        }
    }
    clause = xmemdup(key, sizeof *key);
    hmap_insert(&c->clauses, &clause->node, hash);
    return clause;
}

static void
clause_destroy(struct np_clause *clause)
{
    free(clause->uses);
    free(clause->before);
    free(clause);
}

static void
mark_clause(struct np_compiler *c, struct np_clause *clause)
{
    if (!clause->dirty) {
        clause->dirty = true;
        clause->n_before = clause->n_uses;
        clause->before = (clause->n_uses
                          ? xmemdup(clause->uses,
                                    clause->n_uses * sizeof *clause->uses)
                          : NULL);
        np_list_add(&c->dirty_clauses, clause);
    }
}

/* The index of ID's use, or of where it belongs. */
static size_t
find_use(const struct np_clause *clause, uint32_t id)
{
    size_t lo = 0;
    size_t hi = clause->n_uses;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (clause->uses[mid].id < id) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void
add_use(struct np_clause *clause, const struct use *use)
{
    size_t i = find_use(clause, use->id);

    if (i < clause->n_uses && clause->uses[i].id == use->id) {
        clause->uses[i].n_times++;
        return;
    }
    if (clause->n_uses >= clause->allocated) {
        clause->uses = x2nrealloc(clause->uses, &clause->allocated,
                                  sizeof *clause->uses);
    }
    memmove(clause->uses + i + 1, clause->uses + i,
            (clause->n_uses - i) * sizeof *clause->uses);
    clause->uses[i] = *use;
    clause->uses[i].n_times = 1;
    clause->n_uses++;
}

static void
remove_use(struct np_clause *clause, uint32_t id)
{
    size_t i = find_use(clause, id);

    ovs_assert(i < clause->n_uses && clause->uses[i].id == id);
    if (!--clause->uses[i].n_times) {
        clause->n_uses--;
        memmove(clause->uses + i, clause->uses + i + 1,
                (clause->n_uses - i) * sizeof *clause->uses);
    }
}

static void
change_use(struct np_compiler *c, const struct np_clause *key,
           const struct use *use, bool add)
{
    struct np_clause *clause = intern_clause(c, key);

    mark_clause(c, clause);
    if (add) {
        add_use(clause, use);
    } else {
        remove_use(clause, use->id);
    }
}

unsigned int
np_conj_dimensions(const struct np_conj *conj)
{
    return !!conj->openers + !!conj->servers + !!conj->n_services;
}

static uint16_t
priority_of(const struct np_compiler *c, const struct np_conj *conj)
{
    uint32_t shards = c->n_shards[conj->rule->direction];

    return (np_conj_dimensions(conj) == 1 ? PRIORITY_PLAIN
            : PRIORITY_CLAUSE + (conj->id & (shards - 1)));
}

static struct np_clause
key_of(const struct np_compiler *c, const struct np_conj *conj,
       enum dimension dimension)
{
    return (struct np_clause) {
        .direction = conj->rule->direction,
        .priority = priority_of(c, conj),
        .dimension = dimension,
    };
}

/* Dimensions count from the opener on, those that are "any" left out. */
static struct use
use_of(const struct np_conj *conj, enum dimension dimension)
{
    return (struct use) {
        .id = conj->id,
        .k = ((dimension > OPENER && conj->openers)
              + (dimension > SERVER && conj->servers)),
        .n = np_conj_dimensions(conj),
    };
}

void
np_clauses_set_identity(struct np_compiler *c, const struct np_conj *conj,
                        bool opener, uint32_t number, bool add)
{
    enum dimension dimension = opener ? OPENER : SERVER;
    struct np_clause key = key_of(c, conj, dimension);
    struct use use = use_of(conj, dimension);

    key.identity = number;
    change_use(c, &key, &use, add);
}

static void
set_services(struct np_compiler *c, const struct np_conj *conj, bool add)
{
    struct np_clause key = key_of(c, conj, SERVICE);
    struct use use = use_of(conj, SERVICE);

    for (size_t i = 0; i < conj->n_services; i++) {
        const struct np_service *service = &conj->services[i];
        struct np_port_mask masks[NP_PORT_MASKS_MAX];
        size_t n_masks = np_port_masks(service->lo, service->hi, masks);

        key.proto = service->proto;
        for (size_t j = 0; j < n_masks; j++) {
            key.ports = masks[j];
            change_use(c, &key, &use, add);
        }
    }
}

static void
set_numbers(struct np_compiler *c, const struct np_conj *conj, bool opener,
            bool add)
{
    const struct np_cset *cset = opener ? conj->openers : conj->servers;

    for (size_t i = 0; cset && i < cset->numbers.n; i++) {
        np_clauses_set_identity(c, conj, opener, cset->numbers.v[i], add);
    }
}

static enum mf_field_id
rule_register(enum np_direction direction)
{
    return direction == NP_EGRESS ? MFF_REG5 : MFF_REG8;
}

static uint8_t
rule_table(enum np_direction direction)
{
    return direction == NP_EGRESS ? NP_T_EGRESS : NP_T_INGRESS;
}

/* The flow that says: rule ID allows it. */
static void
put_allow(struct np_build *b, enum np_direction direction, uint16_t priority,
          const struct match *match, uint32_t id)
{
    uint64_t stub[128 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    uint8_t next = direction == NP_EGRESS ? NP_T_INGRESS_ADMIN : NP_T_COMMIT;
    struct ofpact_resubmit *resubmit;

    np_put_load(&actions, rule_register(direction), id);
    resubmit = ofpact_put_RESUBMIT(&actions);
    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = next + b->config->table_base;
    np_build_match(b, rule_table(direction), priority,
                   np_cookie(NP_FLOW_RULE, id), match, &actions);
    ofpbuf_uninit(&actions);
}

/* What follows when a conjunction matches as a whole. */
static void
set_whole(struct np_compiler *c, const struct np_conj *conj, bool add)
{
    struct np_clause key = key_of(c, conj, WHOLE);
    struct use use = { .id = conj->id };

    key.identity = conj->id;
    change_use(c, &key, &use, add);
}

static void
set_all(struct np_compiler *c, const struct np_conj *conj, bool add)
{
    set_numbers(c, conj, true, add);
    set_numbers(c, conj, false, add);
    set_services(c, conj, add);
    if (np_conj_dimensions(conj) > 1) {
        set_whole(c, conj, add);
    }
}

void
np_clauses_set(struct np_compiler *c, const struct np_conj *conj, bool add)
{
    if (np_conj_dimensions(conj) > 1) {
        c->n_multi[conj->rule->direction] += add ? 1 : -1;
    }
    set_all(c, conj, add);
}

/* A message holds only so many actions.  When their number has doubled, or
 * halved, all conjunctions of a direction move to other priorities. */
static void
sync_shards(struct np_compiler *c, enum np_direction direction)
{
    struct np_conj *conj;
    uint32_t n = 1;

    while (c->n_multi[direction] / n > SHARD_RULES) {
        n *= 2;
    }
    if (n == c->n_shards[direction]) {
        return;
    }
    for (int add = 0; add < 2; add++) {
        HMAP_FOR_EACH (conj, node, &c->conjs) {
            if (conj->live && conj->rule->direction == direction
                && np_conj_dimensions(conj) > 1) {
                set_all(c, conj, add);
            }
        }
        c->n_shards[direction] = n;
    }
}

static void
match_identity(struct match *match, enum dimension dimension, uint32_t number)
{
    match_init_catchall(match);
    match_set_reg(match, dimension == OPENER ? 1 : 2, number);
}

static void
put_clause_flow(struct np_build *b, const struct np_clause *c,
                const struct match *match, const struct ofpbuf *actions)
{
    uint32_t id = c->n_uses == 1 ? c->uses[0].id : 0;

    np_build_match(b, rule_table(c->direction), c->priority,
                   np_cookie(NP_FLOW_CLAUSE, id), match, actions);
}

static void
match_port(struct match *match, const struct np_clause *c, bool source)
{
    if (!c->ports.mask) {
        return;
    }
    if (source) {
        match_set_tp_src_masked(match, htons(c->ports.value),
                                htons(c->ports.mask));
    } else {
        match_set_tp_dst_masked(match, htons(c->ports.value),
                                htons(c->ports.mask));
    }
}

/* A service is the destination port of what the opener sends, the source port
 * of what comes back, and what an error quotes.  Ports are matched where they
 * are in the packet: the classifier's port tries then keep a port scan at tens
 * of megaflows. */
static void
put_service_flows(struct np_build *b, const struct np_clause *c,
                  const struct ofpbuf *actions)
{
    static const uint16_t dl_types[] = { ETH_TYPE_IP, ETH_TYPE_IPV6 };
    struct match match;

    for (int i = 0; i < ARRAY_SIZE(dl_types); i++) {
        for (int reply = 0; reply < 2; reply++) {
            match_init_catchall(&match);
            match_set_dl_type(&match, htons(dl_types[i]));
            match_set_nw_proto(&match, c->proto);
            match_set_reg(&match, 10, reply);
            match_port(&match, c, reply);
            put_clause_flow(b, c, &match, actions);
        }
    }
    match_init_catchall(&match);
    match_set_reg(&match, 6, c->proto);
    match_set_reg_masked(&match, 7, c->ports.value, c->ports.mask);
    put_clause_flow(b, c, &match, actions);
}

/* The rule's one dimension is the pods it applies to.  Of several such rules
 * for one pod, the first by key is named as the one that allowed. */
static uint32_t
plain_winner(const struct np_compiler *c, const struct np_clause *clause)
{
    const struct np_conj *best = NULL;

    for (size_t i = 0; i < clause->n_uses; i++) {
        const struct np_conj *conj = np_conj_find(c, clause->uses[i].id);

        if (!best || strcmp(conj->key, best->key) < 0) {
            best = conj;
        }
    }
    return best ? best->id : 0;
}

static void
put_plain(struct np_compiler *c, struct np_clause *clause)
{
    uint32_t winner = plain_winner(c, clause);
    struct match match;

    if (winner == clause->plain) {
        return;
    }
    match_identity(&match, clause->dimension, clause->identity);
    c->build.del = !winner;
    put_allow(&c->build, clause->direction, clause->priority, &match, winner);
    c->build.del = false;
    clause->plain = winner;
}

static bool
is_as_before(const struct np_clause *clause)
{
    if (clause->n_uses != clause->n_before) {
        return false;
    }
    for (size_t i = 0; i < clause->n_uses; i++) {
        const struct use *a = &clause->uses[i];
        const struct use *b = &clause->before[i];

        if (a->id != b->id || a->k != b->k || a->n != b->n) {
            return false;
        }
    }
    return true;
}

static void
put_whole(struct np_build *b, const struct np_clause *clause)
{
    struct match match;

    match_init_catchall(&match);
    match_set_conj_id(&match, clause->identity);
    put_allow(b, clause->direction, clause->priority, &match,
              clause->identity);
}

static void
put_clause(struct np_compiler *c, const struct np_clause *clause)
{
    struct np_build *b = &c->build;
    struct ofpbuf actions;
    struct match match;

    ofpbuf_init(&actions, 64 * clause->n_uses + 64);
    for (size_t i = 0; i < clause->n_uses; i++) {
        struct ofpact_conjunction *conj = ofpact_put_CONJUNCTION(&actions);

        conj->id = clause->uses[i].id;
        conj->clause = clause->uses[i].k;
        conj->n_clauses = clause->uses[i].n;
    }
    b->del = !clause->n_uses;
    if (clause->dimension == WHOLE) {
        put_whole(b, clause);
    } else if (clause->dimension == SERVICE) {
        put_service_flows(b, clause, &actions);
    } else {
        match_identity(&match, clause->dimension, clause->identity);
        put_clause_flow(b, clause, &match, &actions);
    }
    b->del = false;
    ofpbuf_uninit(&actions);
}

void
np_clauses_flush(struct np_compiler *c)
{
    sync_shards(c, NP_INGRESS);
    sync_shards(c, NP_EGRESS);
    for (size_t i = 0; i < c->dirty_clauses.n; i++) {
        struct np_clause *clause = c->dirty_clauses.v[i];

        COVERAGE_INC(np_compile_clause);
        if (clause->priority == PRIORITY_PLAIN) {
            put_plain(c, clause);
        } else if (!is_as_before(clause)) {
            put_clause(c, clause);
        }
        free(clause->before);
        clause->before = NULL;
        clause->dirty = false;
        if (!clause->n_uses) {
            hmap_remove(&c->clauses, &clause->node);
            clause_destroy(clause);
        }
    }
    np_list_clear(&c->dirty_clauses);
}

void
np_clauses_destroy(struct np_compiler *c)
{
    struct np_clause *clause;

    HMAP_FOR_EACH_POP (clause, node, &c->clauses) {
        clause_destroy(clause);
    }
    hmap_destroy(&c->clauses);
}

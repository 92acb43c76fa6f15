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
 * over adjacent priorities by their ids. */

#include <config.h>
#include <stdlib.h>
#include "compile/clause.h"
#include "hash.h"
#include "netpol/portrange.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

enum {
    PRIORITY_CLAUSE = 10000,
    PRIORITY_PLAIN = 30000,
    SHARD_RULES = 2000,         /* On average; half of what fits, because
                                 * hashes are not even. */
};

enum dimension { OPENER, SERVER, SERVICE };

/* One value of a dimension, and the conjunctions that use it. */
struct clause {
    struct hmap_node node;
    enum np_direction direction;
    uint16_t priority;
    enum dimension dimension;
    uint32_t identity;          /* OPENER, SERVER. */
    enum np_proto proto;        /* SERVICE. */
    struct np_port_mask ports;  /* SERVICE. */
    struct ofpact_conjunction *uses;
    size_t n_uses;
    size_t allocated;
};

struct clauses {
    struct hmap by_match;
    uint32_t n_shards[2];       /* By direction; a power of 2. */
};

static uint32_t
clause_hash(const struct clause *c)
{
    uint32_t ports = (uint32_t) c->ports.value << 16 | c->ports.mask;

    return hash_2words(hash_3words(c->direction << 16 | c->priority,
                                   c->dimension, c->identity),
                       hash_2words(c->proto, ports));
}

static bool
clause_equal(const struct clause *a, const struct clause *b)
{
    return (a->direction == b->direction && a->priority == b->priority
            && a->dimension == b->dimension && a->identity == b->identity
            && a->proto == b->proto && a->ports.value == b->ports.value
            && a->ports.mask == b->ports.mask);
}

static struct clause *
intern_clause(struct clauses *clauses, const struct clause *key)
{
    uint32_t hash = clause_hash(key);
    struct clause *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, hash, &clauses->by_match) {
        if (clause_equal(c, key)) {
            return c;
        }
    }
    c = xmemdup(key, sizeof *key);
    hmap_insert(&clauses->by_match, &c->node, hash);
    return c;
}

/* Says that KEY's value satisfies dimension K of N of conjunction ID. */
static void
use_clause(struct clauses *clauses, const struct clause *key, uint32_t id,
           uint8_t k, uint8_t n)
{
    struct clause *c = intern_clause(clauses, key);

    if (c->n_uses && c->uses[c->n_uses - 1].id == id) {
        return;                 /* Ranges of one rule that overlap. */
    }
    if (c->n_uses >= c->allocated) {
        c->uses = x2nrealloc(c->uses, &c->allocated, sizeof *c->uses);
    }
    memset(&c->uses[c->n_uses], 0, sizeof *c->uses);
    c->uses[c->n_uses].id = id;
    c->uses[c->n_uses].clause = k;
    c->uses[c->n_uses].n_clauses = n;
    c->n_uses++;
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

/* Adds the flow that says: rule ID allows it. */
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

static void
add_identities(struct clauses *clauses, struct clause *key,
               const struct np_idset *ids, const struct np_conj *conj,
               const uint8_t k_n[2])
{
    for (size_t i = 0; i < ids->n; i++) {
        key->identity = ids->v[i];
        use_clause(clauses, key, conj->id, k_n[0], k_n[1]);
    }
}

static void
add_services(struct clauses *clauses, struct clause *key,
             const struct np_conj *conj, const uint8_t k_n[2])
{
    for (size_t i = 0; i < conj->n_services; i++) {
        const struct np_service *service = &conj->services[i];
        struct np_port_mask masks[NP_PORT_MASKS_MAX];
        size_t n_masks = np_port_masks(service->lo, service->hi, masks);

        key->proto = service->proto;
        for (size_t j = 0; j < n_masks; j++) {
            key->ports = masks[j];
            use_clause(clauses, key, conj->id, k_n[0], k_n[1]);
        }
    }
}

static void
add_conj(struct clauses *clauses, const struct np_conj *conj, uint8_t n)
{
    enum np_direction direction = conj->rule->direction;
    struct clause key = {
        .direction = direction,
        .priority = PRIORITY_CLAUSE
                    + (conj->id & (clauses->n_shards[direction] - 1)),
    };
    uint8_t k_n[2] = { 0, n };

    if (conj->openers) {
        key.dimension = OPENER;
        add_identities(clauses, &key, conj->openers, conj, k_n);
        k_n[0]++;
    }
    if (conj->servers) {
        key.dimension = SERVER;
        add_identities(clauses, &key, conj->servers, conj, k_n);
        k_n[0]++;
    }
    if (conj->n_services) {
        key.dimension = SERVICE;
        key.identity = 0;
        add_services(clauses, &key, conj, k_n);
    }
}

static void
match_identity(struct match *match, enum dimension dimension, uint32_t number)
{
    match_init_catchall(match);
    match_set_reg(match, dimension == OPENER ? 1 : 2, number);
}

/* The rule's one dimension is the pods it applies to.  Of several such rules
 * for one pod, the first by key is named as the one that allowed. */
static void
put_plain(struct np_build *b, const struct np_conj *conj,
          struct np_idset seen[2])
{
    enum np_direction direction = conj->rule->direction;
    enum dimension dimension = conj->openers ? OPENER : SERVER;
    const struct np_idset *ids = conj->openers ? conj->openers
                                               : conj->servers;

    for (size_t i = 0; i < ids->n; i++) {
        struct match match;

        if (np_idset_add(&seen[direction], ids->v[i])) {
            match_identity(&match, dimension, ids->v[i]);
            put_allow(b, direction, PRIORITY_PLAIN, &match, conj->id);
        }
    }
}

static int
compare_uses(const void *a_, const void *b_)
{
    const struct ofpact_conjunction *a = a_;
    const struct ofpact_conjunction *b = b_;

    return a->id < b->id ? -1 : a->id > b->id;
}

static void
put_clause_flow(struct np_build *b, const struct clause *c,
                const struct match *match, const struct ofpbuf *actions)
{
    uint32_t id = c->n_uses == 1 ? c->uses[0].id : 0;

    np_build_match(b, rule_table(c->direction), c->priority,
                   np_cookie(NP_FLOW_CLAUSE, id), match, actions);
}

static void
match_port(struct match *match, const struct clause *c, bool source)
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
put_service_flows(struct np_build *b, const struct clause *c,
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

static void
put_clause(struct np_build *b, struct clause *c)
{
    struct ofpbuf actions;
    struct match match;

    ofpbuf_init(&actions, 64 * c->n_uses);
    qsort(c->uses, c->n_uses, sizeof *c->uses, compare_uses);
    for (size_t i = 0; i < c->n_uses; i++) {
        struct ofpact_conjunction *conj = ofpact_put_CONJUNCTION(&actions);

        conj->id = c->uses[i].id;
        conj->clause = c->uses[i].clause;
        conj->n_clauses = c->uses[i].n_clauses;
    }
    if (c->dimension == SERVICE) {
        put_service_flows(b, c, &actions);
    } else {
        match_identity(&match, c->dimension, c->identity);
        put_clause_flow(b, c, &match, &actions);
    }
    ofpbuf_uninit(&actions);
}

static uint8_t
count_dimensions(const struct np_conj *conj)
{
    return !!conj->openers + !!conj->servers + !!conj->n_services;
}

static void
count_shards(struct clauses *clauses, const struct np_conjs *conjs)
{
    size_t n[2] = { 0, 0 };

    for (size_t i = 0; i < conjs->n; i++) {
        n[conjs->v[i].rule->direction] += count_dimensions(&conjs->v[i]) > 1;
    }
    for (int direction = 0; direction < 2; direction++) {
        clauses->n_shards[direction] = 1;
        while (n[direction] / clauses->n_shards[direction] > SHARD_RULES) {
            clauses->n_shards[direction] *= 2;
        }
    }
}

static void
put_conj_flow(struct np_build *b, const struct clauses *clauses,
              const struct np_conj *conj)
{
    enum np_direction direction = conj->rule->direction;
    uint16_t shard = conj->id & (clauses->n_shards[direction] - 1);
    struct match match;

    match_init_catchall(&match);
    match_set_conj_id(&match, conj->id);
    put_allow(b, direction, PRIORITY_CLAUSE + shard, &match, conj->id);
}

void
np_build_clauses(struct np_build *b, const struct np_conjs *conjs)
{
    struct clauses clauses = {
        .by_match = HMAP_INITIALIZER(&clauses.by_match),
    };
    struct np_idset plain[2] = { { NULL, 0, 0 }, { NULL, 0, 0 } };
    struct clause *c;

    count_shards(&clauses, conjs);
    for (size_t i = 0; i < conjs->n; i++) {
        const struct np_conj *conj = &conjs->v[i];
        uint8_t n = count_dimensions(conj);

        if (n == 1) {
            put_plain(b, conj, plain);
        } else {
            add_conj(&clauses, conj, n);
            put_conj_flow(b, &clauses, conj);
        }
    }
    HMAP_FOR_EACH_POP (c, node, &clauses.by_match) {
        put_clause(b, c);
        free(c->uses);
        free(c);
    }
    hmap_destroy(&clauses.by_match);
    np_idset_clear(&plain[NP_INGRESS]);
    np_idset_clear(&plain[NP_EGRESS]);
}

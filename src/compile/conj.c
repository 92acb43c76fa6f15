/* Rules to conjunctions: which identities, which services, and the id.
 *
 * Ids are hashes of the rule's name, so they are the same after a restart and
 * ct_label goes on telling the truth about old connections.  If two rules
 * collide, the one with the smaller key keeps the number and the other one is
 * hashed again.
 *
 * A conjunction is live while it can match: no side of it is empty.  While it
 * is, its clauses follow the identities that come into its sets and leave
 * them; when that begins or ends, all of them come or go. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "openvswitch/dynamic-string.h"
#include "sha1.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_conjunction);

static void
touch(struct np_compiler *c, struct np_conj *conj)
{
    if (!conj->touched) {
        conj->touched = true;
        np_list_add(&c->touched, conj);
    }
}

struct np_conj *
np_conj_find(const struct np_compiler *c, uint32_t id)
{
    struct np_conj *conj;

    HMAP_FOR_EACH_WITH_HASH (conj, node, id, &c->conjs) {
        if (conj->id == id) {
            return conj;
        }
    }
    return NULL;
}

static uint32_t
hash_key(const char *key, uint32_t attempt)
{
    ovs_be32 attempt_be = htonl(attempt);
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha1;
    uint32_t id;

    sha1_init(&sha1);
    sha1_update(&sha1, key, strlen(key));
    sha1_update(&sha1, &attempt_be, sizeof attempt_be);
    sha1_final(&sha1, digest);
    memcpy(&id, digest, sizeof id);
    return ntohl(id);
}

/* Gives CONJ the id that it has unless another one has it, too; then all ids
 * are given anew at the end of the change, in the order of keys. */
static void
insert(struct np_compiler *c, struct np_conj *conj)
{
    conj->id = hash_key(conj->key, 0);
    if (!conj->id || np_conj_find(c, conj->id) || c->n_hashed_again) {
        c->hash_again = true;
    }
    hmap_insert(&c->conjs, &conj->node, conj->id);
}

static void
add_side(struct np_conj *conj, struct np_cset **side, struct np_cset *cset)
{
    *side = cset;
    if (cset) {
        np_cset_add_conj(cset, conj);
    }
}

static struct np_conj *
add_conj(struct np_compiler *c, struct np_use *use, char *key,
         struct np_cset *servers)
{
    bool ingress = use->rule->direction == NP_INGRESS;
    struct np_conj *conj = xzalloc(sizeof *conj);

    COVERAGE_INC(np_compile_conjunction);
    conj->key = key;
    conj->rule = use->rule;
    conj->services = xmalloc((use->rule->n_services + 1)
                             * sizeof *conj->services);
    add_side(conj, &conj->openers, ingress ? use->peers : use->applied);
    add_side(conj, &conj->servers, servers);
    ovs_list_push_back(&use->conjs, &conj->rule_node);
    insert(c, conj);
    touch(c, conj);
    return conj;
}

static char *
rule_key(const struct np_rule *rule)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_rule_format(rule, &s);
    return ds_steal_cstr(&s);
}

/* One conjunction for all that the rule says in numbers, if anything. */
void
np_conj_add_rule(struct np_compiler *c, struct np_use *use)
{
    const struct np_rule *rule = use->rule;
    struct np_conj *conj;
    size_t n = 0;

    for (size_t i = 0; i < rule->n_services; i++) {
        n += !rule->services[i].name;
    }
    if (!n && rule->n_services) {
        return;
    }
    conj = add_conj(c, use, rule_key(rule),
                    rule->direction == NP_INGRESS ? use->applied : use->peers);
    for (size_t i = 0; i < rule->n_services; i++) {
        if (!rule->services[i].name) {
            conj->services[conj->n_services++] = rule->services[i];
        }
    }
}

/* And one for each number that the servers give to a named port: its servers
 * are those that give it just this one. */
void
np_conj_add_port(struct np_compiler *c, struct np_use *use,
                 struct np_cset *port)
{
    char *base = rule_key(use->rule);
    struct np_conj *conj
        = add_conj(c, use, xasprintf("%s %s=%"PRIu16"/%s", base,
                                     port->named->name, port->port,
                                     np_proto_name(port->named->proto)),
                   port);

    free(base);
    conj->services[conj->n_services++] = (struct np_service) {
        .proto = port->named->proto, .lo = port->port, .hi = port->port,
    };
}

void
np_conj_free(struct np_compiler *c, struct np_conj *conj)
{
    ovs_list_remove(&conj->rule_node);
    hmap_remove(&c->conjs, &conj->node);
    free(conj->services);
    free(conj->key);
    free(conj);
}

static void
set_live(struct np_compiler *c, struct np_conj *conj, bool live)
{
    if (conj->live != live) {
        if (!live) {
            np_clauses_set(c, conj, false);
        }
        conj->live = live;
        if (live) {
            np_clauses_set(c, conj, true);
        }
    }
}

static void
untouch(struct np_compiler *c, struct np_conj *conj)
{
    for (size_t i = 0; conj->touched && i < c->touched.n; i++) {
        if (c->touched.v[i] == conj) {
            c->touched.v[i] = c->touched.v[--c->touched.n];
            conj->touched = false;
        }
    }
}

void
np_conj_destroy(struct np_compiler *c, struct np_conj *conj)
{
    set_live(c, conj, false);
    untouch(c, conj);
    if (conj->openers) {
        np_cset_remove_conj(conj->openers, conj);
    }
    if (conj->servers) {
        np_cset_remove_conj(conj->servers, conj);
    }
    c->n_hashed_again -= conj->attempt > 0;
    /* Whoever stood back for it has its number now. */
    c->hash_again |= c->n_hashed_again > 0;
    np_conj_free(c, conj);
}

void
np_conjs_number(struct np_compiler *c, struct np_cset *cset, uint32_t number,
                bool add)
{
    if (add) {
        np_idset_add(&cset->numbers, number);
    } else {
        np_idset_remove(&cset->numbers, number);
    }
    if (!cset->set && !cset->numbers.n) {
        np_cset_fade(c, cset);
    }
    for (size_t i = 0; i < cset->n_conjs; i++) {
        struct np_conj *conj = cset->conjs[i];

        if (conj->live) {
            np_clauses_set_identity(c, conj, cset == conj->openers, number,
                                    add);
        }
        touch(c, conj);
    }
}

static bool
can_match(const struct np_conj *conj)
{
    return ((!conj->openers || conj->openers->numbers.n)
            && (!conj->servers || conj->servers->numbers.n));
}

static int
compare_conjs(const void *a_, const void *b_)
{
    const struct np_conj *a = *(const struct np_conj *const *) a_;
    const struct np_conj *b = *(const struct np_conj *const *) b_;

    return strcmp(a->key, b->key);
}

/* Gives all ids anew.  It takes a collision of 32-bit hashes to come here. */
static void
hash_all_again(struct np_compiler *c)
{
    struct np_idset used = { NULL, 0, 0 };
    struct np_list all = { NULL, 0, 0 };
    struct np_conj *conj;

    HMAP_FOR_EACH (conj, node, &c->conjs) {
        np_list_add(&all, conj);
    }
    if (all.n) {
        qsort(all.v, all.n, sizeof *all.v, compare_conjs);
    }
    c->n_hashed_again = 0;
    for (size_t i = 0; i < all.n; i++) {
        uint32_t attempt = 0;
        uint32_t id;

        conj = all.v[i];
        do {
            id = hash_key(conj->key, attempt++);
        } while (!id || !np_idset_add(&used, id));
        conj->attempt = attempt - 1;
        c->n_hashed_again += conj->attempt > 0;
        if (id != conj->id) {
            set_live(c, conj, false);
            hmap_remove(&c->conjs, &conj->node);
            conj->id = id;
            hmap_insert(&c->conjs, &conj->node, id);
            touch(c, conj);
        }
    }
    np_idset_clear(&used);
    np_list_clear(&all);
}

void
np_conjs_apply(struct np_compiler *c)
{
    if (c->hash_again) {
        hash_all_again(c);
        c->hash_again = false;
    }
    for (size_t i = 0; i < c->touched.n; i++) {
        struct np_conj *conj = c->touched.v[i];

        conj->touched = false;
        set_live(c, conj, can_match(conj));
    }
    np_list_clear(&c->touched);
}

/* Rules to conjunctions: which identities, which services, and the id.
 *
 * Ids are hashes of the rule's name, so they are the same after a restart and
 * ct_label goes on telling the truth about old connections.  If two rules
 * collide, the one with the smaller key keeps the number and the other one is
 * hashed again. */

#include <config.h>
#include <stdlib.h>
#include "compile/clause.h"
#include "openvswitch/dynamic-string.h"
#include "sha1.h"
#include "util.h"

static struct np_conj *
add_conj(struct np_conjs *conjs, const struct np_rule *rule, char *key)
{
    struct np_conj *conj;

    if (conjs->n >= conjs->allocated) {
        conjs->v = x2nrealloc(conjs->v, &conjs->allocated, sizeof *conjs->v);
    }
    conj = &conjs->v[conjs->n++];
    memset(conj, 0, sizeof *conj);
    conj->rule = rule;
    conj->key = key;
    conj->services = xmalloc((rule->n_services + 1) * sizeof *conj->services);
    return conj;
}

static char *
rule_key(const struct np_rule *rule)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_rule_format(rule, &s);
    return ds_steal_cstr(&s);
}

static const struct np_idset *
members(const struct np_identities *ids, const struct np_set *set)
{
    return set ? &ids->of_set[set->id] : NULL;
}

static void
set_sides(struct np_conj *conj, const struct np_idset *applied,
          const struct np_idset *peers)
{
    bool ingress = conj->rule->direction == NP_INGRESS;

    conj->openers = ingress ? peers : applied;
    conj->servers = ingress ? applied : peers;
}

/* A side without members, or a rule whose ports are all names (each gets a
 * conjunction of its own), matches nothing. */
static bool
can_match(const struct np_conj *conj)
{
    return ((!conj->openers || conj->openers->n)
            && (!conj->servers || conj->servers->n)
            && (!conj->rule->n_services || conj->n_services));
}

static void
drop_if_void(struct np_conjs *conjs)
{
    struct np_conj *conj = &conjs->v[conjs->n - 1];

    if (!can_match(conj)) {
        free(conj->key);
        free(conj->services);
        conjs->n--;
    }
}

/* One conjunction for all that the rule says in numbers. */
static void
add_numeric(struct np_conjs *conjs, const struct np_rule *rule,
            const struct np_identities *ids)
{
    struct np_conj *conj = add_conj(conjs, rule, rule_key(rule));

    for (size_t i = 0; i < rule->n_services; i++) {
        if (!rule->services[i].name) {
            conj->services[conj->n_services++] = rule->services[i];
        }
    }
    set_sides(conj, members(ids, rule->applied), members(ids, rule->peers));
    drop_if_void(conjs);
}

/* And one for each number that the servers give to a named port: its servers
 * are those that give it just this one. */
static void
add_named(struct np_conjs *conjs, const struct np_rule *rule,
          const struct np_service *service, const struct np_named_set *named,
          const struct np_identities *ids)
{
    char *base = rule_key(rule);
    struct np_conj *conj = add_conj(conjs, rule,
                                    xasprintf("%s %s=%"PRIu16"/%s", base,
                                              service->name, named->port,
                                              np_proto_name(named->proto)));

    free(base);
    conj->services[conj->n_services++] = (struct np_service) {
        .proto = named->proto, .lo = named->port, .hi = named->port,
    };
    set_sides(conj, members(ids, rule->applied), members(ids, rule->peers));
    conj->servers = &ids->of_set[named->id];
    drop_if_void(conjs);
}

/* Did an earlier entry of the rule name the same port? */
static bool
is_repetition(const struct np_rule *rule, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (rule->services[j].name
            && rule->services[j].proto == rule->services[i].proto
            && !strcmp(rule->services[j].name, rule->services[i].name)) {
            return true;
        }
    }
    return false;
}

static void
add_rule(struct np_conjs *conjs, const struct np_rule *rule,
         const struct np_points *points, const struct np_identities *ids)
{
    const struct np_set *server = (rule->direction == NP_INGRESS
                                   ? rule->applied : rule->peers);

    add_numeric(conjs, rule, ids);
    for (size_t i = 0; i < rule->n_services; i++) {
        const struct np_service *service = &rule->services[i];
        const struct np_named_set *named;

        if (!service->name || is_repetition(rule, i)) {
            continue;
        }
        HMAP_FOR_EACH (named, node, &points->named) {
            if (named->set == server && named->proto == service->proto
                && !strcmp(named->name, service->name)) {
                add_named(conjs, rule, service, named, ids);
            }
        }
    }
}

static int
compare_conjs(const void *a_, const void *b_)
{
    const struct np_conj *a = a_;
    const struct np_conj *b = b_;

    return strcmp(a->key, b->key);
}

static uint32_t
hash_key(const char *key, uint32_t attempt)
{
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha1;
    uint32_t id;

    sha1_init(&sha1);
    sha1_update(&sha1, key, strlen(key));
    sha1_update(&sha1, &attempt, sizeof attempt);
    sha1_final(&sha1, digest);
    memcpy(&id, digest, sizeof id);
    return ntohl(id);
}

static void
assign_ids(struct np_conjs *conjs)
{
    struct np_idset used = { NULL, 0, 0 };

    for (size_t i = 0; i < conjs->n; i++) {
        uint32_t attempt = 0;

        do {
            conjs->v[i].id = hash_key(conjs->v[i].key, htonl(attempt++));
        } while (!conjs->v[i].id || !np_idset_add(&used, conjs->v[i].id));
    }
    np_idset_clear(&used);
}

void
np_conjs_build(struct np_conjs *conjs, const struct np_policies *policies,
               const struct np_points *points,
               const struct np_identities *ids)
{
    memset(conjs, 0, sizeof *conjs);
    for (size_t i = 0; i < policies->n_rules; i++) {
        if (points->rule_used[i]) {
            add_rule(conjs, &policies->rules[i], points, ids);
        }
    }
    if (conjs->n) {
        qsort(conjs->v, conjs->n, sizeof *conjs->v, compare_conjs);
    }
    assign_ids(conjs);
}

void
np_conjs_destroy(struct np_conjs *conjs)
{
    for (size_t i = 0; i < conjs->n; i++) {
        free(conjs->v[i].key);
        free(conjs->v[i].services);
    }
    free(conjs->v);
    memset(conjs, 0, sizeof *conjs);
}

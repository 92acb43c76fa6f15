/* Named ports.
 *
 * A name is resolved by the pod that serves it: the one the policy applies to
 * for ingress, the peer for egress.  So a named port of a rule splits its
 * servers by the number that they give to the name, and each such part is a set
 * of its own, with a conjunction of its own for every rule that asks for it. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "hash.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_name_searched);

/* Most rules ask for one of a few names, so the servers must tell them
 * apart. */
static uint32_t
named_hash(enum np_proto proto, const char *name, const struct np_cset *server)
{
    return hash_pointer(server, hash_string(name, proto));
}

static struct np_named *
find(const struct np_compiler *c, enum np_proto proto, const char *name,
     const struct np_cset *server)
{
    struct np_named *named;

    HMAP_FOR_EACH_WITH_HASH (named, node, named_hash(proto, name, server),
                             &c->named) {
        if (named->server == server && named->proto == proto
            && !strcmp(named->name, name)) {
            return named;
        }
    }
    return NULL;
}

struct search {
    struct np_compiler *c;
    const struct np_named *named;
};

static bool
mark_if_named(struct np_point *point, void *search_)
{
    struct search *s = search_;

    COVERAGE_INC(np_compile_name_searched);
    if (point->pod && np_pod_resolve_port(np_entry_pod(point->pod),
                                          s->named->proto, s->named->name)) {
        np_point_mark(s->c, point);
    }
    return true;
}

/* Any pod may serve a name that no set of servers limits: all are looked at,
 * the first time that a rule of this node asks for it. */
static void
mark_servers(struct np_compiler *c, const struct np_named *named)
{
    static const struct np_prefix any[] = { { .family = 4 }, { .family = 6 } };
    struct search s = { c, named };

    if (named->server) {
        np_cset_mark_members(c, named->server);
        return;
    }
    for (int i = 0; c->started && i < 2; i++) {
        np_space_for_each(c->points, &any[i], mark_if_named, &s);
    }
}

static void
add_service(struct np_compiler *c, struct np_use *use, struct np_cset *server,
            const struct np_service *service)
{
    struct np_named *named = find(c, service->proto, service->name, server);

    if (!named) {
        named = xzalloc(sizeof *named);
        named->proto = service->proto;
        named->name = xstrdup(service->name);
        named->server = server;
        hmap_insert(&c->named, &named->node,
                    named_hash(named->proto, named->name, server));
        if (server) {
            server->n_named++;
        }
        mark_servers(c, named);
    }
    for (size_t i = 0; i < named->uses.n; i++) {
        if (named->uses.v[i] == use) {
            return;             /* The rule says it twice. */
        }
    }
    np_list_add(&named->uses, use);
    for (size_t i = 0; i < named->ports.n; i++) {
        np_conj_add_port(c, use, named->ports.v[i]);
    }
}

void
np_named_add(struct np_compiler *c, struct np_use *use,
             struct np_cset *server)
{
    for (size_t i = 0; i < use->rule->n_services; i++) {
        if (use->rule->services[i].name) {
            add_service(c, use, server, &use->rule->services[i]);
        }
    }
}

static void
remove_item(struct np_list *list, const void *item)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->v[i] == item) {
            list->v[i] = list->v[--list->n];
            return;
        }
    }
}

static void
named_destroy(struct np_named *named)
{
    np_list_clear(&named->uses);
    np_list_clear(&named->ports);
    free(named->name);
    free(named);
}

/* Nobody asks for NAMED any more; its parts go when no identity is in them. */
static void
end(struct np_compiler *c, struct np_named *named)
{
    mark_servers(c, named);
    for (size_t i = 0; i < named->ports.n; i++) {
        struct np_cset *port = named->ports.v[i];

        port->named = NULL;
        np_cset_fade(c, port);
    }
    if (named->server) {
        named->server->n_named--;
    }
    hmap_remove(&c->named, &named->node);
    named_destroy(named);
}

void
np_named_remove(struct np_compiler *c, struct np_use *use,
                struct np_cset *server)
{
    for (size_t i = 0; i < use->rule->n_services; i++) {
        const struct np_service *service = &use->rule->services[i];
        struct np_named *named = (service->name
                                  ? find(c, service->proto, service->name,
                                         server)
                                  : NULL);

        if (named) {
            remove_item(&named->uses, use);
            if (!named->uses.n) {
                end(c, named);
            }
        }
    }
}

static struct np_cset *
port_of(struct np_compiler *c, struct np_named *named, uint16_t number)
{
    struct np_cset *port;

    for (size_t i = 0; i < named->ports.n; i++) {
        port = named->ports.v[i];
        if (port->port == number) {
            return port;
        }
    }
    port = xzalloc(sizeof *port);
    port->named = named;
    port->port = number;
    port->key = xasprintf("~%s=%"PRIu16"/%s of %s", named->name, number,
                          np_proto_name(named->proto),
                          named->server ? named->server->set->key : "any");
    port->id = np_slots_put(&c->csets, port);
    np_list_add(&named->ports, port);
    for (size_t i = 0; i < named->uses.n; i++) {
        np_conj_add_port(c, named->uses.v[i], port);
    }
    return port;
}

/* Adds to FOUND the part of SERVER that POD, which is in it, belongs to by what
 * it calls PORT. */
static void
resolve(struct np_compiler *c, const struct np_pod *pod,
        const struct np_container_port *port, const struct np_cset *server,
        struct np_idset *found)
{
    enum np_proto proto = port->has_protocol ? port->protocol : NP_TCP;
    struct np_named *named = find(c, proto, port->name, server);

    if (named) {
        uint16_t number = np_pod_resolve_port(pod, proto, port->name);

        np_idset_add(found, port_of(c, named, number)->id);
    }
}

void
np_named_resolve(struct np_compiler *c, const struct np_pod *pod,
                 struct np_idset *sets)
{
    struct np_idset found = { NULL, 0, 0 };

    for (size_t i = 0; i < pod->n_ports && !hmap_is_empty(&c->named); i++) {
        if (!pod->ports[i].name) {
            continue;
        }
        resolve(c, pod, &pod->ports[i], NULL, &found);
        for (size_t j = 0; j < sets->n; j++) {
            const struct np_cset *server = np_cset(c, sets->v[j]);

            if (server->n_named) {
                resolve(c, pod, &pod->ports[i], server, &found);
            }
        }
    }
    np_idset_union(sets, &found);
    np_idset_clear(&found);
}

void
np_named_drop_port(struct np_compiler *c, struct np_cset *port)
{
    if (port->named) {
        remove_item(&port->named->ports, port);
    }
    while (port->n_conjs) {
        np_conj_destroy(c, port->conjs[0]);
    }
    np_cset_destroy(c, port);
}

void
np_named_destroy_all(struct np_compiler *c)
{
    struct np_named *named;

    HMAP_FOR_EACH_POP (named, node, &c->named) {
        named_destroy(named);
    }
    hmap_destroy(&c->named);
}

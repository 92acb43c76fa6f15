/* The court's inventory: who is there to ask about, and which services.
 *
 * Ends are every address of every pod, the node's, and addresses outside: at
 * the edges of each IP block and exception, and just beyond, where mistakes
 * of one live. Services are what the policies name, their neighbours, and some
 * that nobody names. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "prop/judge.h"
#include "util.h"

static void
add_end(struct np_court *c, const struct np_prefix *addr,
        const struct np_pod *pod, const struct np_local *local, bool node)
{
    if (np_court_find_end(c, addr) != SIZE_MAX) {
        return;
    }
    if (c->n_ends >= c->allocated_ends) {
        c->ends = x2nrealloc(c->ends, &c->allocated_ends, sizeof *c->ends);
    }
    c->ends[c->n_ends++] = (struct np_end) { { *addr, pod }, local, node };
}

size_t
np_court_find_end(const struct np_court *c, const struct np_prefix *addr)
{
    for (size_t i = 0; i < c->n_ends; i++) {
        if (np_prefix_equal(&c->ends[i].eval.addr, addr)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* POD's addresses are those of its port then, whatever its status says. */
static bool
is_local(const struct np_binding *b, const struct np_pod *pod)
{
    for (size_t i = 0; i < b->n_locals; i++) {
        if (b->locals[i]->entry->object == &pod->meta) {
            return true;
        }
    }
    return false;
}

static void
add_pods(struct np_court *c)
{
    const struct np_binding *b = c->binding;

    for (size_t i = 0; i < b->n_node_addrs; i++) {
        add_end(c, &b->node_addrs[i], NULL, NULL, true);
    }
    c->first_local = c->n_ends;
    for (size_t i = 0; i < b->n_locals; i++) {
        for (size_t j = 0; j < b->locals[i]->n_addrs; j++) {
            add_end(c, &b->locals[i]->addrs[j], np_entry_pod(b->locals[i]->entry),
                    b->locals[i], false);
        }
    }
    c->n_local = c->n_ends - c->first_local;
    for (size_t i = 0; i < c->world.n; i++) {
        const struct np_pod *pod = (const struct np_pod *)
            c->world.objects[i];

        if (pod->meta.kind != NP_POD || pod->host_network
            || pod->phase == NP_SUCCEEDED || pod->phase == NP_FAILED
            || is_local(b, pod)) {
            continue;
        }
        for (size_t j = 0; j < pod->n_addrs; j++) {
            add_end(c, &pod->addrs[j], pod, NULL, false);
        }
    }
}

/* The address BY away from ADDR, 1 or -1, in its family; false at the end of
 * the world. */
static bool
step(const struct np_prefix *addr, int by, struct np_prefix *next)
{
    int n = addr->family == 4 ? 4 : 16;

    *next = *addr;
    for (int i = n - 1; i >= 0; i--) {
        next->bytes[i] += by;
        if (next->bytes[i] != (by > 0 ? 0 : 255)) {
            return true;
        }
    }
    return false;
}

/* Multicast, broadcast and loopback addresses are nobody's out there. */
static bool
is_somebodys(const struct np_prefix *addr)
{
    static const char *const not[] = {
        "224.0.0.0/4", "255.255.255.255", "127.0.0.0/8", "ff00::/8", "::1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(not); i++) {
        struct np_prefix p;

        if (np_prefix_parse(not[i], &p, NULL)
            && np_prefix_contains(&p, addr)) {
            return false;
        }
    }
    return true;
}

static void
add_outside(struct np_court *c, const struct np_prefix *addr)
{
    if (is_somebodys(addr)) {
        add_end(c, addr, NULL, NULL, false);
    }
}

static void
add_edges(struct np_court *c, const struct np_prefix *block)
{
    struct np_prefix first = *block;
    struct np_prefix last, beyond;
    unsigned int max = np_prefix_max_len(block);

    first.len = max;
    last = first;
    for (unsigned int bit = block->len; bit < max; bit++) {
        last.bytes[bit / 8] |= 0x80 >> bit % 8;
    }
    add_outside(c, &first);
    add_outside(c, &last);
    if (step(&first, -1, &beyond)) {
        add_outside(c, &beyond);
    }
    if (step(&last, 1, &beyond)) {
        add_outside(c, &beyond);
    }
}

static void
add_service(struct np_court *c, int proto, int port)
{
    if (port < 0 || port > UINT16_MAX) {
        return;
    }
    for (size_t i = 0; i < c->n_services; i++) {
        if (c->services[i].proto == proto && c->services[i].port == port) {
            return;
        }
    }
    if (c->n_services >= c->allocated_services) {
        c->services = x2nrealloc(c->services, &c->allocated_services,
                                 sizeof *c->services);
    }
    c->services[c->n_services++] = (struct np_service_case) { proto, port };
}

static void
add_port(struct np_court *c, const struct np_port *port)
{
    int proto = port->has_protocol ? (int) port->protocol : (int) NP_TCP;
    int end = port->has_end ? port->end : port->port;

    if (port->has_port) {
        add_service(c, proto, port->port - 1);
        add_service(c, proto, port->port);
        add_service(c, proto, end);
        add_service(c, proto, end + 1);
    }
}

static void
add_rule(struct np_court *c, const struct np_netpol_rule *rule)
{
    for (size_t i = 0; i < rule->n_peers; i++) {
        const struct np_ipblock *block = rule->peers[i].block;

        if (block) {
            add_edges(c, &block->cidr);
            for (size_t j = 0; j < block->n_except; j++) {
                add_edges(c, &block->except[j]);
            }
        }
    }
    for (size_t i = 0; i < rule->n_ports; i++) {
        add_port(c, &rule->ports[i]);
    }
}

static void
add_policies(struct np_court *c)
{
    for (size_t i = 0; i < c->world.n; i++) {
        const struct np_netpol *policy = (const struct np_netpol *)
            c->world.objects[i];

        if (policy->meta.kind != NP_NETPOL) {
            continue;
        }
        for (int direction = 0; direction < 2; direction++) {
            for (size_t j = 0; j < policy->n_rules[direction]; j++) {
                add_rule(c, &policy->rules[direction][j]);
            }
        }
    }
}

/* Numbers that pods give to names, and services that no policy names. */
static void
add_other_services(struct np_court *c)
{
    static const struct np_service_case others[] = {
        { NP_TCP, 4711 }, { NP_UDP, 53 }, { NP_SCTP, 7 }, { 1, 0 }, { 47, 0 },
    };

    for (size_t i = 0; i < c->world.n; i++) {
        const struct np_pod *pod = (const struct np_pod *)
            c->world.objects[i];

        for (size_t j = 0; pod->meta.kind == NP_POD && j < pod->n_ports; j++) {
            const struct np_container_port *p = &pod->ports[j];

            add_service(c, p->has_protocol ? (int) p->protocol : (int) NP_TCP,
                        p->port);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        add_service(c, others[i].proto, others[i].port);
    }
}

static void
count_identity(enum np_flow_kind kind, uint32_t id OVS_UNUSED,
               const char *text OVS_UNUSED, void *court_)
{
    struct np_court *court = court_;

    court->n_identities += kind == NP_FLOW_IDENTITY;
}

static bool
print_errors(const struct np_manifest *m)
{
    for (size_t i = 0; i < m->errors.n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_error_format(&m->errors.v[i], &s);
        printf("%s\n", ds_cstr(&s));
        ds_destroy(&s);
    }
    return m->errors.n > 0;
}

static void
convene(struct np_court *c, const struct np_binding *binding,
        const struct np_flow_set *flows, const struct np_meta *const *objects,
        size_t n)
{
    c->binding = binding;
    c->interp = np_interp_create(flows);
    c->world = (struct np_eval_world) {
        .objects = objects,
        .n = n,
        .node_addrs = binding->node_addrs,
        .n_node_addrs = binding->n_node_addrs,
    };
    add_pods(c);
    add_policies(c);
    add_other_services(c);
}

void
np_court_init_live(struct np_court *c, const struct np_eval_world *world,
                   const struct np_binding *binding,
                   const struct np_flow_set *flows)
{
    memset(c, 0, sizeof *c);
    np_fixture_init(&c->fixture);
    convene(c, binding, flows, world->objects, world->n);
}

bool
np_court_init(struct np_court *c, const struct np_gen *g)
{
    struct ds yaml = DS_EMPTY_INITIALIZER;
    struct ds ports = DS_EMPTY_INITIALIZER;

    memset(c, 0, sizeof *c);
    np_fixture_init(&c->fixture);
    np_gen_yaml(g, &yaml);
    np_gen_ports(g, &ports);
    np_manifest_decode(&c->fixture.manifest, "cluster", ds_cstr(&yaml),
                       yaml.length);
    np_fixture_read_ports(&c->fixture, ds_cstr(&ports));
    ds_destroy(&yaml);
    ds_destroy(&ports);
    if (print_errors(&c->fixture.manifest)) {
        return false;
    }

    np_fixture_build(&c->fixture);
    convene(c, &c->fixture.engine.binding, &c->fixture.flows,
            (const struct np_meta *const *) c->fixture.manifest.objects,
            c->fixture.manifest.n);
    np_compiler_for_each_name(c->fixture.engine.compiler, count_identity, c);
    return true;
}

void
np_court_destroy(struct np_court *c)
{
    np_interp_destroy(c->interp);
    np_fixture_destroy(&c->fixture);
    free(c->ends);
    free(c->services);
}

/* Random clusters.
 *
 * Uniform chance finds little: two labels out of millions never meet.  So
 * all comes from small pools, chosen so that selectors overlap, addresses
 * lie at the edges of blocks, names are ports of some pods and not of
 * others, and what is legal but odd (empty values, host bits, the whole of
 * a family, ranges of one port) is as likely as what is common. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "netpol/object.h"
#include "openvswitch/dynamic-string.h"
#include "prop/gen.h"
#include "unit/unit.h"
#include "util.h"

#define PICK(G, ARRAY) ((ARRAY)[np_gen_below(G, ARRAY_SIZE(ARRAY))])

static const char *const namespaces[] = { "a", "b", "c-1", "d", "e" };
static const char *const keys[] = { "app", "tier", "a.b/c", "env" };
static const char *const values[] = { "web", "db", "''", "'1'", "x.y_z" };
static const char *const port_names[] = { "http", "dns", "metrics" };
static const char *const protocols[] = { "TCP", "UDP", "SCTP" };
static const char *const blocks_v4[] = {
    "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.0.5/16",
    "10.0.0.0/25", "10.0.0.128/25", "10.0.0.16/28", "10.0.0.20/31",
    "10.0.0.21/32", "10.0.1.255/32", "172.16.0.0/12", "192.0.2.0/24",
    "255.255.255.0/24", "128.0.0.0/1",
};
static const char *const blocks_v6[] = {
    "::/0", "fd00::/8", "fd00::/64", "fd00::/120", "fd00::10/124",
    "fd00::14/127", "fd00::15/128", "fd00:0:0:1::/64", "2001:db8::/32",
    "fe80::/10", "8000::/1",
};
/* Policies whose first rules, in the directions beside them, have keys that
 * hash to the same id: three of which the second, hashed again, meets the
 * third, which comes before it in order; three of which it comes after; a
 * triple; and a pair. */
static const struct namesake {
    const char *namespace, *name;
    enum np_direction direction;
} namesakes[] = {
    { "d", "q344114", NP_INGRESS }, { "d", "q637165", NP_INGRESS },
    { "d", "q1056282", NP_EGRESS },
    { "e", "q151716", NP_EGRESS }, { "e", "q654755", NP_INGRESS },
    { "e", "q913322", NP_INGRESS },
    { "c-1", "q1190820", NP_INGRESS }, { "c-1", "q32843", NP_INGRESS },
    { "c-1", "q2135640", NP_EGRESS },
    { "b", "q18041", NP_EGRESS }, { "b", "q37556", NP_INGRESS },
};
static const int ports[] = {
    1, 2, 53, 80, 81, 443, 8080, 8443, 32767, 32768, 65534, 65535,
};

uint32_t
np_gen_random(struct np_gen *g)
{
    return unit_random(&g->state);
}

uint32_t
np_gen_below(struct np_gen *g, uint32_t n)
{
    return unit_random_below(&g->state, n);
}

static bool
chance(struct np_gen *g, uint32_t percent)
{
    return np_gen_below(g, 100) < percent;
}

static void
put_labels(struct np_gen *g, struct ds *s)
{
    ds_put_char(s, '{');
    for (int i = 0; i < ARRAY_SIZE(keys); i++) {
        if (chance(g, 55)) {
            ds_put_format(s, "%s: %s, ", keys[i], PICK(g, values));
        }
    }
    ds_put_char(s, '}');
}

static void
put_expression(struct np_gen *g, const char *key, struct ds *s)
{
    static const char *const ops[] = { "In", "NotIn", "Exists",
                                       "DoesNotExist" };
    uint32_t op = np_gen_below(g, ARRAY_SIZE(ops));

    ds_put_format(s, "{key: %s, operator: %s", key, ops[op]);
    if (op < 2) {
        ds_put_format(s, ", values: [%s, %s]", PICK(g, values),
                      PICK(g, values));
    }
    ds_put_cstr(s, "}, ");
}

/* A label selector over KEYS. */
static void
put_selector(struct np_gen *g, struct ds *s)
{
    ds_put_char(s, '{');
    if (chance(g, 45)) {
        ds_put_format(s, "matchLabels: {%s: %s}, ", PICK(g, keys),
                      PICK(g, values));
    }
    if (chance(g, 35)) {
        ds_put_cstr(s, "matchExpressions: [");
        put_expression(g, PICK(g, keys), s);
        if (chance(g, 30)) {
            put_expression(g, PICK(g, keys), s);
        }
        ds_put_cstr(s, "], ");
    }
    ds_put_char(s, '}');
}

static void
put_namespace_selector(struct np_gen *g, struct ds *s)
{
    static const char *const name = "kubernetes.io/metadata.name";

    switch (np_gen_below(g, 4)) {
    case 0:
        ds_put_format(s, "{matchLabels: {%s: %s}}", name,
                      PICK(g, namespaces));
        break;
    case 1:
        ds_put_format(s, "{matchExpressions: [{key: %s, operator: NotIn, "
                      "values: [%s]}]}", name, PICK(g, namespaces));
        break;
    default:
        put_selector(g, s);
        break;
    }
}

/* An exception strictly inside BLOCK, another of the pool; false if none was
 * found. */
static bool
put_except(struct np_gen *g, const struct np_prefix *block, struct ds *s)
{
    for (int i = 0; i < 8; i++) {
        const char *text = (block->family == 4 ? PICK(g, blocks_v4)
                            : PICK(g, blocks_v6));
        struct np_prefix except;

        if (np_prefix_parse(text, &except, NULL)
            && np_prefix_contains(block, &except)
            && except.len > block->len) {
            ds_put_format(s, "'%s', ", text);
            return true;
        }
    }
    return false;
}

static void
put_block(struct np_gen *g, struct ds *s)
{
    const char *text = chance(g, 60) ? PICK(g, blocks_v4)
                                     : PICK(g, blocks_v6);
    struct np_prefix block;

    ds_put_format(s, "{ipBlock: {cidr: '%s'", text);
    if (np_prefix_parse(text, &block, NULL) && chance(g, 50)) {
        ds_put_cstr(s, ", except: [");
        while (put_except(g, &block, s) && chance(g, 50)) {
            continue;
        }
        ds_put_char(s, ']');
    }
    ds_put_cstr(s, "}}");
}

static char *
random_peer(struct np_gen *g)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    uint32_t kind = np_gen_below(g, 4);

    if (kind == 3) {
        put_block(g, &s);
        return ds_steal_cstr(&s);
    }
    ds_put_char(&s, '{');
    if (kind != 1) {
        ds_put_cstr(&s, "podSelector: ");
        put_selector(g, &s);
        ds_put_cstr(&s, kind ? ", " : "");
    }
    if (kind) {
        ds_put_cstr(&s, "namespaceSelector: ");
        put_namespace_selector(g, &s);
    }
    ds_put_char(&s, '}');
    return ds_steal_cstr(&s);
}

static char *
random_port(struct np_gen *g)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_char(&s, '{');
    if (chance(g, 70)) {
        ds_put_format(&s, "protocol: %s, ", PICK(g, protocols));
    }
    if (chance(g, 25)) {
        ds_put_format(&s, "port: %s", PICK(g, port_names));
    } else if (chance(g, 85)) {
        int port = PICK(g, ports);

        ds_put_format(&s, "port: %d", port);
        if (chance(g, 30)) {
            int end = PICK(g, ports);

            ds_put_format(&s, ", endPort: %d", MAX(port, end));
        }
    }
    ds_put_char(&s, '}');
    return ds_steal_cstr(&s);
}

static void
fill_list(struct np_gen *g, struct np_gen_list *list,
          char *(*make)(struct np_gen *), uint32_t max)
{
    list->n = chance(g, g->restless ? 40 : 25) ? 0 : 1 + np_gen_below(g, max);
    list->v = xcalloc(list->n + 1, sizeof *list->v);
    for (size_t i = 0; i < list->n; i++) {
        list->v[i].text = make(g);
    }
}

static void
random_rules(struct np_gen *g, struct np_gen_policy *p, int direction)
{
    size_t n = chance(g, 20) ? 0 : 1 + np_gen_below(g, 3);

    p->n_rules[direction] = n;
    p->rules[direction] = xcalloc(n + 1, sizeof *p->rules[direction]);
    for (size_t i = 0; i < n; i++) {
        fill_list(g, &p->rules[direction][i].peers, random_peer, 3);
        fill_list(g, &p->rules[direction][i].ports, random_port, 3);
    }
}

/* Where a thing lives: with its NUMBER mostly the same in all clusters. */
static const char *
random_namespace(struct np_gen *g, size_t number)
{
    return (g->restless && chance(g, 85)
            ? namespaces[number % ARRAY_SIZE(namespaces)]
            : PICK(g, namespaces));
}

static void
finish_policy(struct np_gen *g, struct np_gen_policy *p, struct ds *s,
              uint32_t all)
{
    static const char *const types[] = {
        "", "  policyTypes: []\n", "  policyTypes: [Ingress]\n",
        "  policyTypes: [Egress]\n", "  policyTypes: [Ingress, Egress]\n",
    };

    ds_put_cstr(s, "spec:\n  podSelector: ");
    if (chance(g, all)) {
        ds_put_cstr(s, "{}");
    } else {
        put_selector(g, s);
    }
    p->self.text = ds_steal_cstr(s);
    p->types = PICK(g, types);
    random_rules(g, p, NP_INGRESS);
    random_rules(g, p, NP_EGRESS);
}

/* One of the policies that collide; it applies to most pods around it, so that
 * it does. */
static void
colliding_policy(struct np_gen *g, struct np_gen_policy *p,
                 const struct namesake *n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "metadata: {namespace: %s, name: %s}\n", n->namespace,
                  n->name);
    finish_policy(g, p, &s, 70);
    if (p->n_rules[n->direction] && chance(g, 80)) {
        p->types = "  policyTypes: [Ingress, Egress]\n";
    }
}

static void
random_policy(struct np_gen *g, struct np_gen_policy *p, size_t number)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const char *namespace;

    if (g->restless && number < ARRAY_SIZE(namesakes) && chance(g, 75)) {
        colliding_policy(g, p, &namesakes[number]);
        return;
    }
    namespace = random_namespace(g, number);
    ds_put_format(&s, "metadata: {namespace: %s, name: p%"PRIuSIZE"}\n",
                  namespace, number);
    finish_policy(g, p, &s, 30);
}

static void
put_container_ports(struct np_gen *g, struct ds *s)
{
    /* One name may stand in two containers, for two numbers. */
    for (int container = 0; container < 2; container++) {
        ds_put_format(s, "{name: c%d, image: i, ports: [", container);
        for (int i = 0; i < ARRAY_SIZE(port_names); i++) {
            if (chance(g, 40)) {
                ds_put_format(s, "{name: %s, containerPort: %d",
                              port_names[i], PICK(g, ports));
                if (chance(g, 40)) {
                    ds_put_format(s, ", protocol: %s", PICK(g, protocols));
                }
                ds_put_cstr(s, "}, ");
            }
        }
        ds_put_cstr(s, "]}, ");
    }
}

/* Addresses are given out in order, so they are dense and lie on all edges of
 * the pools' blocks; a finished pod shares the one of the next. */
static char *
addrs_of(size_t number, uint32_t family)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (family < 8) {
        ds_put_format(&s, "10.0.%"PRIuSIZE".%"PRIuSIZE, number >> 8,
                      number & 255);
    }
    if (family > 3) {
        ds_put_format(&s, "%sfd00::%s%"PRIxSIZE, s.length ? "," : "",
                      number & 1 ? "" : "1:0:0:0:", number);
    }
    return ds_steal_cstr(&s);
}

static void
put_pod_ips(const char *addrs, struct ds *s)
{
    char *copy = xstrdup(addrs);
    char *save = NULL;

    ds_put_cstr(s, ", podIPs: [");
    for (char *a = strtok_r(copy, ",", &save); a;
         a = strtok_r(NULL, ",", &save)) {
        ds_put_format(s, "{ip: '%s'}, ", a);
    }
    ds_put_char(s, ']');
    free(copy);
}

static char *
random_addrs(struct np_gen *g, size_t number)
{
    return addrs_of(number, np_gen_below(g, 10));
}

/* Addresses of which some are another pod's or the node's. */
static char *
restless_addrs(struct np_gen *g, size_t number)
{
    switch (np_gen_below(g, 20)) {
    case 0: return xstrdup(NP_GEN_NODE_V4);
    case 1: return xstrdup("");
    case 2: return xasprintf("10.0.0.%"PRIuSIZE",%s", number, NP_GEN_NODE_V6);
    case 3: case 4: case 5: case 6:
        return random_addrs(g, np_gen_below(g, g->n_pods));
    default: return addrs_of(number, number % 10);
    }
}

static void
put_uid(struct np_gen *g, size_t number, struct ds *s)
{
    if (chance(g, 60)) {
        /* It comes back as another one, or is another one's twin. */
        size_t whose = chance(g, 90) ? number : 0;

        ds_put_format(s, ", uid: u%"PRIuSIZE"-%"PRIu32, whose,
                      np_gen_below(g, 2));
    }
}

static void
restless_pod(struct np_gen *g, struct np_gen_pod *pod, size_t number)
{
    static const char *const phases[] = {
        "Running", "Running", "Running", "Pending", "Unknown", "Succeeded",
        "Failed",
    };
    const char *namespace = random_namespace(g, number);
    struct ds s = DS_EMPTY_INITIALIZER;

    pod->addrs = restless_addrs(g, number);
    pod->key = xasprintf("%s/pod%"PRIuSIZE, namespace, number);
    pod->local = chance(g, 45);
    pod->ofport = 10 + number;
    ds_put_format(&s, "metadata: {namespace: %s, name: pod%"PRIuSIZE,
                  namespace, number);
    put_uid(g, number, &s);
    ds_put_cstr(&s, ", labels: ");
    put_labels(g, &s);
    ds_put_format(&s, "}\nspec: {hostNetwork: %s, containers: [",
                  chance(g, 6) ? "true" : "false");
    put_container_ports(g, &s);
    ds_put_format(&s, "]}\nstatus: {phase: %s", PICK(g, phases));
    put_pod_ips(pod->addrs, &s);
    ds_put_cstr(&s, "}");
    pod->self.text = ds_steal_cstr(&s);
}

static void
random_pod(struct np_gen *g, struct np_gen_pod *pod, size_t number,
           bool may_be_local)
{
    const char *namespace = PICK(g, namespaces);
    struct ds s = DS_EMPTY_INITIALIZER;
    bool finished = !may_be_local && chance(g, 10);
    bool host = !may_be_local && !finished && chance(g, 5);

    /* What has finished left its address to the one before. */
    pod->addrs = (host ? xstrdup(NP_GEN_NODE_V4)
                  : random_addrs(g, finished && number ? number - 1
                                                       : number));
    pod->key = xasprintf("%s/pod%"PRIuSIZE, namespace, number);
    pod->local = may_be_local;
    pod->ofport = 10 + number;

    ds_put_format(&s, "metadata: {namespace: %s, name: pod%"PRIuSIZE
                  ", labels: ", namespace, number);
    put_labels(g, &s);
    ds_put_format(&s, "}\nspec: {hostNetwork: %s, containers: [",
                  host ? "true" : "false");
    put_container_ports(g, &s);
    ds_put_format(&s, "]}\nstatus: {phase: %s", finished ? "Succeeded"
                  : chance(g, 90) ? "Running" : "Pending");
    put_pod_ips(pod->addrs, &s);
    ds_put_cstr(&s, "}");
    pod->self.text = ds_steal_cstr(&s);
}

static void
random_namespaces(struct np_gen *g)
{
    g->namespaces.v = xcalloc(ARRAY_SIZE(namespaces),
                              sizeof *g->namespaces.v);
    for (int i = 0; i < ARRAY_SIZE(namespaces); i++) {
        /* Of some only the pods speak. */
        if (chance(g, 85)) {
            struct ds s = DS_EMPTY_INITIALIZER;

            ds_put_format(&s, "metadata: {name: %s, labels: ",
                          namespaces[i]);
            put_labels(g, &s);
            ds_put_char(&s, '}');
            g->namespaces.v[g->namespaces.n++].text = ds_steal_cstr(&s);
        }
    }
}

static void
random_node(struct np_gen *g)
{
    static const char *const addrs[] = {
        (NP_GEN_NODE_V4 "," NP_GEN_NODE_V6), NP_GEN_NODE_V4, NP_GEN_NODE_V6,
        ("10.0.0.2," NP_GEN_NODE_V6), "10.0.0.1,fd00::1", "10.0.0.3,fd00::3",
    };

    g->node_addrs = xstrdup(g->restless ? PICK(g, addrs) : addrs[0]);
    g->port_addrs = xstrdup(!g->restless || chance(g, 60) ? "-"
                            : PICK(g, addrs));
}

void
np_gen_init(struct np_gen *g, uint32_t seed, const struct np_gen_size *size)
{
    memset(g, 0, sizeof *g);
    g->seed = seed;
    g->state = seed * 2654435761u;
    g->state = g->state ? g->state : 1;
    g->restless = size->restless;

    random_node(g);
    random_namespaces(g);
    g->n_pods = 2 + np_gen_below(g, size->pods);
    g->pods = xcalloc(g->n_pods, sizeof *g->pods);
    for (size_t i = 0; i < g->n_pods; i++) {
        if (g->restless) {
            restless_pod(g, &g->pods[i], i);
        } else {
            random_pod(g, &g->pods[i], i,
                       !i || np_gen_below(g, g->n_pods) < size->local);
        }
    }
    g->n_policies = 1 + np_gen_below(g, size->policies);
    g->policies = xcalloc(g->n_policies, sizeof *g->policies);
    for (size_t i = 0; i < g->n_policies; i++) {
        random_policy(g, &g->policies[i], i);
    }
}

static void
list_destroy(struct np_gen_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->v[i].text);
    }
    free(list->v);
}

static void
policy_destroy(struct np_gen_policy *p)
{
    for (int direction = 0; direction < 2; direction++) {
        for (size_t i = 0; i < p->n_rules[direction]; i++) {
            list_destroy(&p->rules[direction][i].peers);
            list_destroy(&p->rules[direction][i].ports);
        }
        free(p->rules[direction]);
    }
    free(p->self.text);
}

void
np_gen_destroy(struct np_gen *g)
{
    list_destroy(&g->namespaces);
    for (size_t i = 0; i < g->n_pods; i++) {
        free(g->pods[i].self.text);
        free(g->pods[i].key);
        free(g->pods[i].addrs);
    }
    free(g->pods);
    for (size_t i = 0; i < g->n_policies; i++) {
        policy_destroy(&g->policies[i]);
    }
    free(g->policies);
    free(g->node_addrs);
    free(g->port_addrs);
}

static void
put_list(const char *name, const struct np_gen_list *list, struct ds *s)
{
    ds_put_format(s, "%s: [", name);
    for (size_t i = 0; i < list->n; i++) {
        if (!list->v[i].gone) {
            ds_put_format(s, "%s, ", list->v[i].text);
        }
    }
    ds_put_char(s, ']');
}

static void
put_rules(const struct np_gen_policy *p, int direction, struct ds *s)
{
    bool ingress = direction == NP_INGRESS;

    ds_put_format(s, "  %s:\n", ingress ? "ingress" : "egress");
    for (size_t i = 0; i < p->n_rules[direction]; i++) {
        const struct np_gen_rule *rule = &p->rules[direction][i];

        if (!rule->self.gone) {
            ds_put_cstr(s, "  - {");
            put_list(ingress ? "from" : "to", &rule->peers, s);
            ds_put_cstr(s, ", ");
            put_list("ports", &rule->ports, s);
            ds_put_cstr(s, "}\n");
        }
    }
}

static void
put_node(const struct np_gen *g, struct ds *s)
{
    char *copy = xstrdup(g->node_addrs);
    char *save = NULL;

    ds_put_cstr(s, "---\napiVersion: v1\nkind: Node\nmetadata: {name: node}\n"
                "status: {addresses: [");
    for (char *a = strtok_r(copy, ",", &save); a;
         a = strtok_r(NULL, ",", &save)) {
        ds_put_format(s, "{type: InternalIP, address: '%s'}, ", a);
    }
    ds_put_cstr(s, "]}\n");
    free(copy);
}

void
np_gen_yaml(const struct np_gen *g, struct ds *s)
{
    put_node(g, s);
    for (size_t i = 0; i < g->namespaces.n; i++) {
        if (!g->namespaces.v[i].gone) {
            ds_put_format(s, "---\napiVersion: v1\nkind: Namespace\n%s\n",
                          g->namespaces.v[i].text);
        }
    }
    for (size_t i = 0; i < g->n_pods; i++) {
        if (!g->pods[i].self.gone) {
            ds_put_format(s, "---\napiVersion: v1\nkind: Pod\n%s\n",
                          g->pods[i].self.text);
        }
    }
    for (size_t i = 0; i < g->n_policies; i++) {
        const struct np_gen_policy *p = &g->policies[i];

        if (!p->self.gone) {
            ds_put_format(s, "---\napiVersion: networking.k8s.io/v1\n"
                          "kind: NetworkPolicy\n%s\n%s", p->self.text,
                          p->types);
            put_rules(p, NP_INGRESS, s);
            put_rules(p, NP_EGRESS, s);
        }
    }
}

/* A port that says something else than it should. */
static void
put_restless_port(const struct np_gen *g, size_t number, uint32_t *state,
                  struct ds *s)
{
    static const char *const roles[] = { "unknown", "uplink", "tunnel" };
    const struct np_gen_pod *pod = &g->pods[number];
    const struct np_gen_pod *other
        = &g->pods[unit_random_below(state, g->n_pods)];
    uint32_t odd = unit_random_below(state, 20);
    uint32_t mac = odd == 0 ? other->ofport : odd == 1 ? 0x4242 : pod->ofport;
    bool by_uid = odd >= 2 && odd < 5;
    bool by_both = odd >= 5 && odd < 9;
    const char *addrs = odd == 9 ? other->addrs : pod->addrs;
    const char *key = odd == 10 ? other->key : pod->key;
    const char *role = (odd == 11 ? roles[unit_random_below(state, 3)]
                        : "pod");

    ds_put_format(s, "%s veth%"PRIu32" %"PRIu32" %s "
                  "0a:58:00:00:%02"PRIx32":%02"PRIx32" %s", role, pod->ofport,
                  pod->ofport, by_uid ? "-" : key, mac >> 8, mac & 255,
                  odd < 15 && *addrs ? addrs : "-");
    if (by_uid || by_both) {
        size_t whose = unit_random_below(state, 4) ? number : 0;

        ds_put_format(s, " u%"PRIuSIZE"-%"PRIu32, whose,
                      unit_random_below(state, 2));
    }
    ds_put_char(s, '\n');
}

void
np_gen_ports(const struct np_gen *g, struct ds *s)
{
    uint32_t state = (g->seed * 2654435761u) | 1;

    ds_put_format(s, "node br-int 65534 - 0a:58:0a:f4:00:01 %s\n"
                  "uplink eth1 1\n", g->port_addrs);
    for (size_t i = 0; i < g->n_pods; i++) {
        const struct np_gen_pod *pod = &g->pods[i];

        if (pod->local && !pod->self.gone) {
            if (g->restless) {
                put_restless_port(g, i, &state, s);
                continue;
            }
            ds_put_format(s, "pod veth%"PRIu32" %"PRIu32" %s "
                          "0a:58:00:00:%02"PRIx32":%02"PRIx32" %s\n",
                          pod->ofport, pod->ofport, pod->key,
                          pod->ofport >> 8, pod->ofport & 255, pod->addrs);
        }
    }
}

static void
add_part(struct np_gen_part ***parts, size_t *n, size_t *allocated,
         struct np_gen_part *part)
{
    if (*n >= *allocated) {
        *parts = x2nrealloc(*parts, allocated, sizeof **parts);
    }
    (*parts)[(*n)++] = part;
}

struct np_gen_part **
np_gen_parts(struct np_gen *g, size_t *n)
{
    struct np_gen_part **parts = NULL;
    size_t allocated = 0;

    *n = 0;
    for (size_t i = 0; i < g->n_policies; i++) {
        add_part(&parts, n, &allocated, &g->policies[i].self);
    }
    for (size_t i = 0; i < g->n_pods; i++) {
        add_part(&parts, n, &allocated, &g->pods[i].self);
    }
    for (size_t i = 0; i < g->namespaces.n; i++) {
        add_part(&parts, n, &allocated, &g->namespaces.v[i]);
    }
    for (size_t i = 0; i < 2 * g->n_policies; i++) {
        struct np_gen_policy *p = &g->policies[i / 2];

        for (size_t j = 0; j < p->n_rules[i % 2]; j++) {
            struct np_gen_rule *rule = &p->rules[i % 2][j];

            add_part(&parts, n, &allocated, &rule->self);
            for (size_t k = 0; k < rule->peers.n; k++) {
                add_part(&parts, n, &allocated, &rule->peers.v[k]);
            }
            for (size_t k = 0; k < rule->ports.n; k++) {
                add_part(&parts, n, &allocated, &rule->ports.v[k]);
            }
        }
    }
    return parts;
}

/* A change costs what it changes: the stages count the items that they touch,
 * and a change to the same few objects touches as many of each kind in a small
 * cluster as in one two hundred times as large.
 *
 * usage: cost
 *
 * The scene is the same in both: a node with pods of its own, policies that
 * apply to them, and peers.  Around it there is a crowd, of namespaces with
 * pods on other nodes and policies of their own, whose labels look like the
 * scene's, and a port on this node for one pod of each.  What costs more by its
 * nature (ARCHITECTURE.md, "What a change costs") is not among the changes.
 *
 * Counts are compared, not added up: one counter that differs by one is
 * wrong. */

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "coverage.h"
#include "openvswitch/dynamic-string.h"
#include "unit/compile/fixture.h"
#include "util.h"

#define COUNTER(NAME) extern struct coverage_counter counter_##NAME;
#include "counters.inc"
#undef COUNTER

#define COUNTER(NAME) &counter_##NAME,
static struct coverage_counter *const counters[] = {
#include "counters.inc"
};
#undef COUNTER

enum { N_COUNTERS = ARRAY_SIZE(counters) };

/* Of the crowd, in namespaces of 20 pods and two policies. */
static const size_t sizes[] = { 5, 1000 };

#define POD(NS, NAME, ADDR, LABELS)                                         \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: " NS ", name: " \
    NAME ", labels: {" LABELS "}}\nspec: {containers: [{name: c, image: i, " \
    "ports: [{name: http, containerPort: 8080}]}]}\n"                       \
    "status: {phase: Running, podIPs: [{ip: " ADDR "}]}\n"
#define NAMESPACE(NAME, LABELS)                                             \
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " NAME           \
    ", labels: {" LABELS "}}\n"
#define NODE(ADDR)                                                          \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: node}\n"             \
    "status: {addresses: [{type: InternalIP, address: " ADDR "}]}\n"
#define POLICY(NS, NAME, PODS, RULES)                                       \
    "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"          \
    "metadata: {namespace: " NS ", name: " NAME "}\n"                       \
    "spec:\n  podSelector: {" PODS "}\n" RULES

static const char scene[] =
    NODE("192.0.2.1")
    NAMESPACE("front", "team: one, env: prod")
    NAMESPACE("back", "team: one, env: prod")
    NAMESPACE("moving", "team: two")
    POD("front", "web-0", "10.1.0.1", "app: web")
    POD("front", "web-1", "10.1.0.2", "app: web")
    POD("front", "web-2", "10.1.0.3", "app: web")
    POD("front", "api-0", "10.1.0.4", "app: api")
    POD("back", "db-0", "10.1.0.5", "app: db")
    POD("back", "db-1", "10.1.0.6", "app: db")
    POD("moving", "job-0", "10.1.0.7", "app: api")
    POD("moving", "job-1", "10.1.0.8", "app: api")
    POD("moving", "job-2", "10.1.0.9", "app: web")
    POLICY("front", "all", "", "  policyTypes: [Ingress, Egress]\n")
    POLICY("front", "web", "matchLabels: {app: web}",
           "  ingress:\n"
           "  - from: [{podSelector: {matchLabels: {app: api}}}, "
           "{namespaceSelector: {matchLabels: {team: two}}}]\n"
           "    ports: [{port: 80}, {port: http}]\n"
           "  - from: [{ipBlock: {cidr: 10.9.0.0/16, "
           "except: [10.9.1.0/24]}}]\n"
           "  egress:\n"
           "  - to: [{namespaceSelector: {matchLabels: {team: one}}, "
           "podSelector: {matchLabels: {app: db}}}]\n"
           "    ports: [{port: http}, {port: 5432}]\n")
    POLICY("back", "db", "matchLabels: {app: db}",
           "  ingress:\n"
           "  - from: [{namespaceSelector: {matchLabels: {env: prod}}}]\n");

#define BASE_PORTS                                                          \
    "node br-int 65534 - 0a:58:00:00:00:fe\nuplink eth1 1000\n"             \
    "pod veth1 1 front/web-0 0a:58:00:00:00:01\n"                           \
    "pod veth2 2 front/web-1 0a:58:00:00:00:02\n"                           \
    "pod veth3 3 back/db-0 0a:58:00:00:00:03\n"

/* One change: objects that come or are new versions, or the key of one that
 * goes, or other ports. */
static const struct act {
    const char *what;
    const char *yaml;
    enum np_kind kind;
    const char *namespace, *name;       /* Gone. */
    const char *ports;
} acts[] = {
    { "a replica comes, elsewhere",
      POD("front", "web-9", "10.1.0.99", "app: web") },
    { "it gets another address",
      POD("front", "web-9", "10.1.0.98", "app: web") },
    { "it gets labels that others have",
      POD("front", "web-9", "10.1.0.98", "app: api") },
    { "it gets labels of its own",
      POD("front", "web-9", "10.1.0.98", "app: web, only: me") },
    { "it goes", NULL, NP_POD, "front", "web-9" },
    { "one of the crowd comes",
      POD("crowd-1", "new", "10.1.0.97", "app: web, at: crowd-1") },
    { "it goes", NULL, NP_POD, "crowd-1", "new" },
    { "a pod comes, whose port is not there yet",
      POD("front", "web-8", "10.1.0.80", "app: web") },
    { "its port is plugged",
      .ports = BASE_PORTS "pod veth8 8 front/web-8 0a:58:00:00:00:08\n" },
    { "it gets another address",
      POD("front", "web-8", "10.1.0.81", "app: web") },
    { "it gets labels that others have",
      POD("front", "web-8", "10.1.0.81", "app: api") },
    { "it gets labels of its own",
      POD("front", "web-8", "10.1.0.81", "app: web, only: me") },
    { "its port has another number",
      .ports = BASE_PORTS "pod veth8 9 front/web-8 0a:58:00:00:00:08\n" },
    { "its port is unplugged", .ports = BASE_PORTS },
    { "it goes", NULL, NP_POD, "front", "web-8" },
    { "a policy comes",
      POLICY("front", "new", "matchLabels: {app: web}",
             "  ingress:\n  - from: [{podSelector: {matchLabels: "
             "{app: web}}}]\n    ports: [{port: 443}]\n") },
    { "it gets another port",
      POLICY("front", "new", "matchLabels: {app: web}",
             "  ingress:\n  - from: [{podSelector: {matchLabels: "
             "{app: web}}}]\n    ports: [{port: 8443}]\n") },
    { "it gets another rule, the first",
      POLICY("front", "new", "matchLabels: {app: web}",
             "  ingress:\n  - from: [{ipBlock: {cidr: 10.8.0.0/16}}]\n"
             "  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
             "    ports: [{port: 8443}]\n") },
    { "it gets another peer",
      POLICY("front", "new", "matchLabels: {app: web}",
             "  ingress:\n  - from: [{ipBlock: {cidr: 10.8.0.0/16}}]\n"
             "  - from: [{podSelector: {matchLabels: {app: api}}}]\n"
             "    ports: [{port: 8443}]\n") },
    { "it goes", NULL, NP_NETPOL, "front", "new" },
    { "a policy comes that applies to nobody here",
      POLICY("moving", "new", "matchLabels: {app: api}",
             "  ingress:\n  - from: [{podSelector: {}}]\n") },
    { "it goes", NULL, NP_NETPOL, "moving", "new" },
    { "a namespace gets other labels", NAMESPACE("moving", "team: one") },
    { "it gets its own back", NAMESPACE("moving", "team: two") },
    { "the node gets another address", NODE("192.0.2.2") },
};

static void
put_crowd_pods(struct ds *s, size_t ns)
{
    for (size_t i = 0; i < 20; i++) {
        ds_put_format(s, "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", "
                      "\"metadata\": {\"namespace\": \"crowd-%"PRIuSIZE"\", "
                      "\"name\": \"pod-%"PRIuSIZE"\", \"labels\": {\"app\": "
                      "\"%s\", \"at\": \"crowd-%"PRIuSIZE"\"}}, \"spec\": "
                      "{\"containers\": [{\"name\": \"c\", \"image\": \"i\", "
                      "\"ports\": [{\"name\": \"http\", \"containerPort\": "
                      "80}]}]}, \"status\": {\"phase\": \"Running\", "
                      "\"podIPs\": [{\"ip\": \"10.%"PRIuSIZE".%"PRIuSIZE
                      ".%"PRIuSIZE"\"}]}},\n", ns, i,
                      i % 3 ? "web" : "db", ns, 100 + ns / 250, ns % 250, i);
    }
}

/* To a label of each namespace, so that a selector of one says nothing of
 * others' pods. */
static void
put_crowd_policies(struct ds *s, size_t ns)
{
    for (int i = 0; i < 2; i++) {
        ds_put_format(s, "{\"apiVersion\": \"networking.k8s.io/v1\", "
                      "\"kind\": \"NetworkPolicy\", \"metadata\": "
                      "{\"namespace\": \"crowd-%"PRIuSIZE"\", \"name\": "
                      "\"p%d\"}, \"spec\": {\"podSelector\": "
                      "{\"matchLabels\": {\"app\": \"%s\"}}, \"ingress\": "
                      "[{\"from\": [{\"podSelector\": {\"matchLabels\": "
                      "{\"app\": \"web\"}}}, {\"namespaceSelector\": {}, "
                      "\"podSelector\": {\"matchLabels\": {\"at\": "
                      "\"crowd-%"PRIuSIZE"\"}}}, {\"ipBlock\": {\"cidr\": "
                      "\"172.%"PRIuSIZE".%"PRIuSIZE".0/24\"}}], \"ports\": "
                      "[{\"port\": \"http\"}]}]}},\n", ns, i,
                      i ? "web" : "db", ns, ns / 250, ns % 250);
    }
}

static void
read_crowd(struct np_fixture *f, size_t n_namespaces)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, "{\"apiVersion\": \"v1\", \"kind\": \"List\", "
                "\"items\": [\n");
    for (size_t i = 0; i < n_namespaces; i++) {
        put_crowd_pods(&s, i);
        put_crowd_policies(&s, i);
        ds_put_format(&s, "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", "
                      "\"metadata\": {\"name\": \"crowd-%"PRIuSIZE"\", "
                      "\"labels\": {\"team\": \"crowd-%"PRIuSIZE"\"}}}%s\n",
                      i, i, i + 1 < n_namespaces ? "," : "]}");
    }
    np_fixture_init(f);
    np_fixture_decode_objects(f, ds_cstr(&s));
    ds_destroy(&s);
}

static void
add_objects(const struct np_engine *e, const struct np_fixture *f,
            struct np_changes *changes)
{
    for (size_t i = 0; i < f->manifest.n; i++) {
        const struct np_meta *new = f->manifest.objects[i];
        const struct np_entry *old = np_cache_find(&e->cache, new->kind,
                                                   new->namespace, new->name);

        np_changes_add(changes, old ? old->object : NULL, new);
    }
}

/* Reading a counter makes it 0. */
static void
read_counters(unsigned int n[N_COUNTERS])
{
    for (size_t i = 0; i < N_COUNTERS; i++) {
        n[i] = counters[i]->count();
    }
}

/* The ports in TEXT, and one of each namespace of the crowd's. */
static void
read_ports(struct np_fixture *f, const char *text, size_t n_namespaces)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, text);
    for (size_t i = 0; i < n_namespaces; i++) {
        ds_put_format(&s, "pod zz%05"PRIuSIZE" %"PRIuSIZE
                      " crowd-%"PRIuSIZE"/pod-0 0a:58:01:00:%02x:%02x\n",
                      i, 1001 + i, i, (unsigned int) i >> 8,
                      (unsigned int) i & 0xff);
    }
    np_fixture_read_ports(f, ds_cstr(&s));
    ds_destroy(&s);
}

/* Does what ACT says, with a crowd of N_NAMESPACES; F holds what comes with
 * it. */
static void
perform(struct np_engine *e, const struct act *act, size_t n_namespaces,
        struct np_fixture *f, unsigned int n[N_COUNTERS])
{
    struct np_changes changes = { NULL, 0, 0 };
    struct np_flow_patch patch;

    np_fixture_init(f);
    if (act->yaml) {
        np_fixture_decode_objects(f, act->yaml);
        add_objects(e, f, &changes);
    } else if (act->name) {
        np_changes_add(&changes, np_cache_find(&e->cache, act->kind,
                                               act->namespace,
                                               act->name)->object, NULL);
    }
    if (act->ports) {
        read_ports(f, act->ports, n_namespaces);
    }
    np_flow_patch_init(&patch);
    read_counters(n);
    np_engine_apply(e, &changes, act->ports ? &f->ports : NULL, &patch);
    read_counters(n);
    np_flow_patch_destroy(&patch);
    np_changes_clear(&changes);
}

/* Counts of all acts, with a crowd of N_NAMESPACES. */
static void
count_all(size_t n_namespaces, unsigned int n[][N_COUNTERS])
{
    struct np_fixture crowd, stage, new[ARRAY_SIZE(acts)];
    struct np_changes changes = { NULL, 0, 0 };
    struct np_flow_patch patch;
    struct np_engine e;

    read_crowd(&crowd, n_namespaces);
    np_fixture_init(&stage);
    np_fixture_decode_objects(&stage, scene);
    read_ports(&stage, BASE_PORTS, n_namespaces);
    np_engine_init(&e, &stage.config, "node");
    add_objects(&e, &crowd, &changes);
    add_objects(&e, &stage, &changes);
    np_flow_patch_init(&patch);
    np_engine_apply(&e, &changes, &stage.ports, NULL);
    np_engine_start(&e, NULL, &patch);
    np_flow_patch_destroy(&patch);
    np_changes_clear(&changes);
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
        perform(&e, &acts[i], n_namespaces, &new[i], n[i]);
    }
    np_engine_destroy(&e);
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
        np_fixture_destroy(&new[i]);
    }
    np_fixture_destroy(&stage);
    np_fixture_destroy(&crowd);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    static unsigned int n[ARRAY_SIZE(sizes)][ARRAY_SIZE(acts)][N_COUNTERS];
    unsigned int n_wrong = 0;

    set_program_name(argv[0]);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        count_all(sizes[i], n[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
        unsigned int total = 0;

        for (size_t j = 0; j < N_COUNTERS; j++) {
            total += n[0][i][j];
            if (n[0][i][j] != n[1][i][j]) {
                n_wrong++;
                printf("%s: %s is %u in a small cluster, %u in a large one\n",
                       acts[i].what, counters[j]->name, n[0][i][j],
                       n[1][i][j]);
            }
        }
        printf("%s: %u items\n", acts[i].what, total);
        n_wrong += !total;
    }
    return n_wrong ? 1 : 0;
}

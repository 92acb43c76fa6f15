#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "daemon/engine.h"
#include "netpol/eval.h"
#include "netpol/manifest.h"
#include "openvswitch/dynamic-string.h"
#include "saved/form.h"
#include "util.h"

/* No two objects with one key may reach the cache; the source sees to that,
 * and here this does. */
static size_t
drop_duplicates(const struct np_meta **v, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        size_t j;

        for (j = 0; j < kept; j++) {
            if (v[j]->kind == v[i]->kind && !strcmp(v[j]->name, v[i]->name)
                && nullable_string_is_equal(v[j]->namespace,
                                            v[i]->namespace)) {
                break;
            }
        }
        if (j == kept) {
            v[kept++] = v[i];
        }
    }
    return kept;
}

/* A node with a port for each pod, so that its policies become flows. */
static void
fill_ports(struct np_portmap *ports, const struct np_meta *const *objects,
           size_t n)
{
    ports->v = xcalloc(n + 1, sizeof *ports->v);
    for (size_t i = 0; i < n && ports->n < 200; i++) {
        struct np_bridge_port *port = &ports->v[ports->n];

        if (objects[i]->kind != NP_POD) {
            continue;
        }
        port->name = xasprintf("veth%04"PRIuSIZE, ports->n++);
        port->ofport = ports->n;
        port->role = NP_PORT_POD;
        port->pod_namespace = xstrdup(objects[i]->namespace);
        port->pod_name = xstrdup(objects[i]->name);
        port->has_mac = true;
        port->mac = (struct eth_addr) ETH_ADDR_C(0a,58,00,00,00,00);
        port->mac.ea[4] = ports->n >> 8;
        port->mac.ea[5] = ports->n;
    }
}

/* To flows, and the same from scratch over them: slow, because the whole
 * pipeline is made each time. */
static void
compile(struct np_engine *engine)
{
    struct np_flow_set flows, again;
    struct np_flow_patch patch;
    struct np_flow_delta delta;
    struct ds s = DS_EMPTY_INITIALIZER;

    np_flow_set_init(&flows);
    np_flow_set_init(&again);
    np_flow_patch_init(&patch);
    np_engine_start(engine, NULL, &patch);
    np_flow_patch_apply(&patch, &flows);
    np_compiler_dump(engine->compiler, &s);
    np_engine_rebuild(engine, &flows, &again);
    np_flow_set_diff(&flows, &again, &delta);
    ovs_assert(!delta.n_put && !delta.n_del);

    np_flow_delta_destroy(&delta);
    ds_destroy(&s);
    np_flow_patch_destroy(&patch);
    np_flow_set_destroy(&flows);
    np_flow_set_destroy(&again);
}

/* Asks the objects' judge about a few pods and somebody outside. */
static void
judge(const struct np_meta *const *objects, size_t n)
{
    const struct np_eval_world world = { .objects = objects, .n = n };
    struct np_eval_end ends[4];
    size_t n_ends = 0;

    ends[n_ends++] = (struct np_eval_end) {
        { .family = 4, .len = 32, .bytes = { 10, 1, 2, 3 } }, NULL
    };
    for (size_t i = 0; i < n && n_ends < ARRAY_SIZE(ends); i++) {
        const struct np_pod *pod = (const struct np_pod *) objects[i];

        if (pod->meta.kind == NP_POD && np_pod_counts(pod) && pod->n_addrs
            && pod->addrs[0].family == 4) {
            ends[n_ends++] = (struct np_eval_end) { pod->addrs[0], pod };
        }
    }
    for (size_t i = 0; i < n_ends * n_ends; i++) {
        struct np_eval_query query = {
            ends[i / n_ends], ends[i % n_ends], NP_TCP, 80
        };
        struct np_eval_verdict verdict;

        np_eval(&world, &query, &verdict);
        ovs_assert(verdict.allowed == (verdict.direction[0].allowed
                                       && verdict.direction[1].allowed));
        np_eval_verdict_destroy(&verdict);
    }
}

/* Everything to rules, and one policy in eight to flows. */
static void
use(const struct np_meta *const *objects, size_t n, size_t size)
{
    struct np_compile_config config = { .ct_zone = 64000 };
    struct np_changes changes = { NULL, 0, 0 };
    struct np_portmap ports = { .n = 0 };
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_engine engine;

    for (size_t i = 0; i < n; i++) {
        np_changes_add(&changes, NULL, objects[i]);
    }
    fill_ports(&ports, objects, n);
    np_engine_init(&engine, &config, "node");
    np_engine_apply(&engine, &changes, &ports, NULL);
    np_engine_dump(&engine, &s);
    if (engine.cache.n[NP_NETPOL] && size % 8 == 0) {
        compile(&engine);
    }
    judge(objects, n);
    ds_destroy(&s);
    np_engine_destroy(&engine);
    np_portmap_clear(&ports);
    np_changes_clear(&changes);
}

/* Lines of TEXT as YAML counts them, or more. */
static int
count_lines(const char *text, size_t size)
{
    int n = 2;                  /* The end of the text may have one more. */

    for (size_t i = 0; i < size; i++) {
        n += text[i] && strchr("\n\r\x85\xa8\xa9", text[i]) != NULL;
    }
    return n;
}

static void
check_errors(const struct np_manifest *m, int n_lines)
{
    for (size_t i = 0; i < m->errors.n; i++) {
        const struct np_error *e = &m->errors.v[i];
        struct ds s = DS_EMPTY_INITIALIZER;

        ovs_assert(e->line >= 1 && e->line <= n_lines);
        ovs_assert(!strcmp(e->file, "fuzz") && e->reason && *e->reason);
        fuzz_check_printable(e->object);
        np_error_format(e, &s);
        fuzz_check_printable(ds_cstr(&s));
        ds_destroy(&s);
    }
    ovs_assert(m->errors.n || (!m->unparsable && !m->n_refused));
}

/* What is saved of it for the next start is the same. */
static void
check_saved(const struct np_meta *meta)
{
    struct ds body = DS_EMPTY_INITIALIZER;
    struct np_meta *again = NULL;
    struct np_form form;

    np_form_put(meta, &body);
    if (np_form_parse(ds_cstr(&body), body.length, &form)) {
        again = np_form_decode(&form, NULL);
    }
    if (!again || !np_object_equal(meta, again) || again->line != meta->line) {
        fprintf(stderr, "%s\n", form.json);
        abort();
    }
    np_object_destroy(again);
    ds_destroy(&body);
}

static void
check_object(const struct np_meta *meta, int n_lines)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ovs_assert(np_object_equal(meta, meta));
    ovs_assert(meta->line > 0 && meta->line <= n_lines);
    ovs_assert(!strcmp(meta->file, "fuzz"));
    check_saved(meta);
    np_object_format_key(meta, &s);
    fuzz_check_printable(ds_cstr(&s));
    for (size_t i = 1; i < meta->labels.n; i++) {
        ovs_assert(strcmp(meta->labels.v[i - 1].key,
                          meta->labels.v[i].key) < 0);
    }
    ds_destroy(&s);
}

void
fuzz_manifest_text(const char *text, size_t size)
{
    int n_lines = count_lines(text, size);
    struct np_manifest m = { .n = 0 };
    const struct np_meta **objects;

    np_manifest_decode(&m, "fuzz", text, size);
    check_errors(&m, n_lines);
    objects = xmalloc((m.n + 1) * sizeof *objects);
    for (size_t i = 0; i < m.n; i++) {
        check_object(m.objects[i], n_lines);
        objects[i] = m.objects[i];
    }
    use(objects, drop_duplicates(objects, m.n), size);
    free(objects);
    np_manifest_clear(&m);
}

static void
show_errors(const char *language, const struct np_manifest *m)
{
    for (size_t i = 0; i < m->errors.n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_error_format(&m->errors.v[i], &s);
        fprintf(stderr, "%s: %s\n", language, ds_cstr(&s));
        ds_destroy(&s);
    }
}

void
fuzz_json_as_yaml(const char *text, size_t size, bool strict)
{
    struct np_manifest json = { .n = 0 };
    struct np_manifest yaml = { .n = 0 };
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, "---\n");
    ds_put_buffer(&s, text, size);
    np_manifest_decode(&json, "fuzz", text, size);
    np_manifest_decode(&yaml, "fuzz", ds_cstr(&s), s.length);
    if (strict && json.errors.n != yaml.errors.n) {
        fprintf(stderr, "%s\n", ds_cstr(&s));
        show_errors("JSON", &json);
        show_errors("YAML", &yaml);
        abort();
    }
    if (strict || (!json.errors.n && !yaml.errors.n)) {
        ovs_assert(json.n == yaml.n && json.n_skipped == yaml.n_skipped);
        for (size_t i = 0; i < json.n; i++) {
            ovs_assert(np_object_equal(json.objects[i], yaml.objects[i]));
        }
    }
    ds_destroy(&s);
    np_manifest_clear(&json);
    np_manifest_clear(&yaml);
}

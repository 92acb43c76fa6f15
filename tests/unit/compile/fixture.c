#include <config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "unit/compile/fixture.h"
#include "util.h"

void
np_fixture_init(struct np_fixture *f)
{
    memset(f, 0, sizeof *f);
    np_flow_set_init(&f->flows);
    f->config.ct_zone = 64000;
    f->show = 1u << NP_FLOW_IDENTITY | 1u << NP_FLOW_CLAUSE
              | 1u << NP_FLOW_RULE;
}

static void
drop_engine(struct np_fixture *f)
{
    if (f->built) {
        np_engine_destroy(&f->engine);
        f->built = false;
    }
}

void
np_fixture_destroy(struct np_fixture *f)
{
    drop_engine(f);
    np_portmap_clear(&f->ports);
    np_manifest_clear(&f->manifest);
    np_flow_set_destroy(&f->flows);
    free(f->out_port);
}

static void
check_errors(const struct np_fixture *f)
{
    for (size_t i = 0; i < f->manifest.errors.n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_error_format(&f->manifest.errors.v[i], &s);
        print_error("%s\n", ds_cstr(&s));
        ds_destroy(&s);
    }
    assert_int_equal(f->manifest.errors.n, 0);
}

void
np_fixture_read_objects(struct np_fixture *f, const char *path)
{
    np_manifest_read(&f->manifest, path);
    check_errors(f);
}

void
np_fixture_decode_objects(struct np_fixture *f, const char *text)
{
    np_manifest_decode(&f->manifest, "test", text, strlen(text));
    check_errors(f);
}

void
np_fixture_reverse_objects(struct np_fixture *f)
{
    struct np_meta **v = f->manifest.objects;

    for (size_t i = 0, j = f->manifest.n; i + 1 < j; i++) {
        struct np_meta *tmp = v[i];

        v[i] = v[--j];
        v[j] = tmp;
    }
}

static void
set_addrs(struct np_bridge_port *port, char *text)
{
    char *save = NULL;

    for (char *token = strtok_r(text, ",", &save); token;
         token = strtok_r(NULL, ",", &save)) {
        port->addrs = xrealloc(port->addrs, (port->n_addrs + 1)
                                            * sizeof *port->addrs);
        assert_true(np_addr_parse(token, &port->addrs[port->n_addrs++]));
    }
}

static void
add_port(struct np_fixture *f, enum np_port_role role, char **words)
{
    struct np_bridge_port *port;

    f->ports.v = xrealloc(f->ports.v, (f->ports.n + 1) * sizeof *f->ports.v);
    port = &f->ports.v[f->ports.n++];
    memset(port, 0, sizeof *port);
    port->role = role;
    port->name = xstrdup(words[1]);
    port->ofport = strtoul(words[2], NULL, 0);
    if (words[3] && strcmp(words[3], "-")) {
        char *slash = strchr(words[3], '/');

        assert_non_null(slash);
        port->pod_namespace = xmemdup0(words[3], slash - words[3]);
        port->pod_name = xstrdup(slash + 1);
    }
    if (words[3] && words[4] && strcmp(words[4], "-")) {
        port->has_mac = eth_addr_from_string(words[4], &port->mac);
        assert_true(port->has_mac);
    }
    if (words[3] && words[4] && words[5]) {
        if (strcmp(words[5], "-")) {
            set_addrs(port, words[5]);
        }
        port->pod_uid = nullable_xstrdup(words[6]);
    }
}

static void
directive(struct np_fixture *f, char **words)
{
    if (!strcmp(words[0], "show")) {
        f->show = 0;
        for (words++; *words; words++) {
            for (int kind = NP_FLOW_STATIC; kind <= NP_FLOW_LEARNED; kind++) {
                f->show |= (strcmp(*words, np_flow_kind_name(kind))
                            ? 0 : 1u << kind);
            }
        }
    } else if (!strcmp(words[0], "keep")) {
        f->config.keep_established = true;
    } else if (!strcmp(words[0], "to-node")) {
        f->config.allow_to_node = true;
    } else if (!strcmp(words[0], "foreign-pass")) {
        f->config.foreign_pass = true;
    } else if (!strcmp(words[0], "out")) {
        f->config.way_out = NP_OUT_PORT;
        f->out_port = xstrdup(words[1]);
        f->config.out_port = f->out_port;
    } else {
        fail_msg("%s: unknown directive", words[0]);
    }
}

static void
read_port_line(struct np_fixture *f, char *line)
{
    char *words[8] = { NULL };
    char *save = NULL;
    int n = 0;

    for (char *word = strtok_r(line, " ", &save); word && n < 7;
         word = strtok_r(NULL, " ", &save)) {
        words[n++] = word;
    }
    if (!n || words[0][0] == '#') {
        return;
    }
    for (int role = NP_PORT_UNKNOWN; role <= NP_PORT_TUNNEL; role++) {
        if (!strcmp(words[0], np_port_role_name(role))) {
            add_port(f, role, words);
            return;
        }
    }
    directive(f, words);
}

void
np_fixture_read_ports(struct np_fixture *f, const char *text)
{
    char *copy = xstrdup(text);
    char *save = NULL;

    for (char *line = strtok_r(copy, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        read_port_line(f, line);
    }
    free(copy);
}

void
np_fixture_build(struct np_fixture *f)
{
    struct np_changes changes = { NULL, 0, 0 };
    struct np_flow_patch patch;

    drop_engine(f);
    np_engine_init(&f->engine, &f->config, "node");
    f->built = true;
    for (size_t i = 0; i < f->manifest.n; i++) {
        np_changes_add(&changes, NULL, f->manifest.objects[i]);
    }
    np_flow_patch_init(&patch);
    np_engine_apply(&f->engine, &changes, &f->ports, NULL);
    np_engine_start(&f->engine, &f->flows, &patch);
    np_flow_set_clear(&f->flows);
    np_flow_patch_apply(&patch, &f->flows);
    np_flow_patch_destroy(&patch);
    np_changes_clear(&changes);
}

char *
np_fixture_flows(struct np_fixture *f)
{
    const struct np_flow **sorted;
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_table_names names;

    np_fixture_build(f);
    np_pipeline_names(0, &names);
    sorted = np_flow_set_sort(&f->flows);
    for (size_t i = 0; i < np_flow_set_count(&f->flows); i++) {
        if (f->show & 1u << np_cookie_kind(sorted[i]->cookie)) {
            np_flow_format(sorted[i], &names, &s);
            ds_put_char(&s, '\n');
        }
    }
    free(sorted);
    return ds_steal_cstr(&s);
}

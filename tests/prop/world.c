/* The worlds that sequences of changes walk between.
 *
 * Names are few, so that a thing that comes is mostly one that was there
 * before: a policy edited, a pod with another address or UID, a port with
 * another claim. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "prop/gen.h"
#include "prop/world.h"
#include "util.h"

static struct thing *
thing_at(struct worlds *w, const char *key)
{
    for (size_t i = 0; i < w->n; i++) {
        if (!strcmp(w->v[i].key, key)) {
            return &w->v[i];
        }
    }
    w->v = xrealloc(w->v, (w->n + 1) * sizeof *w->v);
    w->v[w->n] = (struct thing) { .key = xstrdup(key) };
    return &w->v[w->n++];
}

static void
edit_list(struct np_gen *g, struct np_gen_list *list,
          struct np_gen_part **other)
{
    for (size_t i = 0; i < list->n; i++) {
        switch (np_gen_below(g, 6)) {
        case 0:
            list->v[i].gone = true;
            break;
        case 1:
            if (*other) {
                char *text = list->v[i].text;

                list->v[i].text = (*other)->text;
                (*other)->text = text;
            }
            break;
        default:
            break;
        }
        *other = &list->v[i];
    }
}

/* Takes rules, peers and ports out of the policies, and lets others, and
 * policyTypes, change places. */
static void
edit(struct np_gen *g)
{
    struct np_gen_part *peer = NULL;
    struct np_gen_part *port = NULL;

    for (size_t i = 0; i < 2 * g->n_policies; i++) {
        struct np_gen_policy *p = &g->policies[i / 2];

        if (i && !np_gen_below(g, 4)) {
            p->types = g->policies[(i - 1) / 2].types;
        }
        for (size_t j = 0; j < p->n_rules[i % 2]; j++) {
            struct np_gen_rule *rule = &p->rules[i % 2][j];

            rule->self.gone = !np_gen_below(g, 6);
            edit_list(g, &rule->peers, &peer);
            edit_list(g, &rule->ports, &port);
        }
    }
}

static void
read_world(struct worlds *w, int world, uint32_t seed)
{
    static const struct np_gen_size sizes[] = {
        { 14, 8, 8, true }, { 14, 8, 8, true }, { 14, 8, 8, false },
        { 24, 14, 4, true },
    };
    struct np_fixture *f = &w->fixture[world];
    struct ds yaml = DS_EMPTY_INITIALIZER;
    struct ds ports = DS_EMPTY_INITIALIZER;
    struct np_gen g;

    np_gen_init(&g, N_WORLDS * seed + world / 2,
                &sizes[seed % ARRAY_SIZE(sizes)]);
    if (world % 2) {
        edit(&g);
    }
    np_gen_yaml(&g, &yaml);
    np_gen_ports(&g, &ports);
    np_fixture_init(f);
    np_fixture_decode_objects(f, ds_cstr(&yaml));
    np_fixture_read_ports(f, ds_cstr(&ports));
    w->yaml[world] = ds_steal_cstr(&yaml);
    w->ports[world] = ds_steal_cstr(&ports);
    np_gen_destroy(&g);
}

/* Cuts off and returns the first text in '*rest' that SEPARATOR ends. */
static const char *
cut(char **rest, const char *separator)
{
    char *text = *rest;
    char *end = strstr(text, separator);

    if (end) {
        *end = '\0';
        *rest = end + strlen(separator);
    } else {
        *rest = text + strlen(text);
    }
    return text;
}

static void
add_objects(struct worlds *w, int world)
{
    const struct np_manifest *m = &w->fixture[world].manifest;
    char *rest = w->yaml[world];

    cut(&rest, "---\n");
    for (size_t i = 0; i < m->n; i++) {
        struct ds key = DS_EMPTY_INITIALIZER;
        struct thing *thing;

        ds_put_format(&key, "%s ", np_kind_name(m->objects[i]->kind));
        np_object_format_key(m->objects[i], &key);
        thing = thing_at(w, ds_cstr(&key));
        thing->object[world] = m->objects[i];
        thing->text[world] = cut(&rest, "---\n");
        ds_destroy(&key);
    }
}

static void
add_ports(struct worlds *w, int world)
{
    const struct np_portmap *ports = &w->fixture[world].ports;
    char *rest = w->ports[world];

    for (size_t i = 0; i < ports->n; i++) {
        char *key = xasprintf("port %s", ports->v[i].name);
        struct thing *thing = thing_at(w, key);

        thing->port[world] = &ports->v[i];
        thing->text[world] = cut(&rest, "\n");
        free(key);
    }
}

void
worlds_init(struct worlds *w, uint32_t seed)
{
    memset(w, 0, sizeof *w);
    for (int i = 0; i < N_WORLDS; i++) {
        read_world(w, i, seed);
        add_objects(w, i);
    }
    w->n_objects = w->n;
    for (int i = 0; i < N_WORLDS; i++) {
        add_ports(w, i);
    }
}

void
worlds_destroy(struct worlds *w)
{
    for (size_t i = 0; i < w->n; i++) {
        free(w->v[i].key);
    }
    free(w->v);
    for (int i = 0; i < N_WORLDS; i++) {
        np_fixture_destroy(&w->fixture[i]);
        free(w->yaml[i]);
        free(w->ports[i]);
    }
}

const struct np_meta *
thing_object(const struct worlds *w, size_t thing, int version)
{
    return version == GONE ? NULL : w->v[thing].object[version];
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct np_bridge_port *a = a_;
    const struct np_bridge_port *b = b_;

    return strcmp(a->name, b->name);
}

struct np_portmap
worlds_ports(const struct worlds *w, const int *versions)
{
    struct np_portmap map = { xcalloc(w->n + 1, sizeof *map.v), 0 };

    for (size_t i = w->n_objects; i < w->n; i++) {
        int version = versions[i];
        const struct np_bridge_port *port
            = (version == GONE ? NULL : w->v[i].port[version % RENUMBERED]);

        if (port) {
            map.v[map.n] = *port;
            if (version >= RENUMBERED && port->role == NP_PORT_POD) {
                /* Where the next port may have been. */
                map.v[map.n].ofport++;
            }
            map.n++;
        }
    }
    qsort(map.v, map.n, sizeof *map.v, compare_ports);
    /* No switch gives a number twice. */
    for (size_t i = 0; i < map.n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (map.v[i].ofport == map.v[j].ofport) {
                map.v[i].ofport = NP_OFPORT_NONE;
            }
        }
    }
    return map;
}

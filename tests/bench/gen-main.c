/* A cluster as files, for a daemon with --source=dir: and for its switch.
 *
 * usage: gen [--size S|M|L] [--local N] [--seed N] DIR
 *
 * Writes DIR/objects/NAMESPACE.json for each namespace, and DIR/ports: a line
 * for each port of our node, "ofport name mac address uid namespace_pod". */

#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bench/cluster.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

static void
write_file(const char *path, const struct ds *text)
{
    FILE *stream = fopen(path, "w");

    if (!stream || fwrite(text->string, 1, text->length, stream)
                   != text->length || fclose(stream)) {
        ovs_fatal(errno, "%s", path);
    }
}

static void
make_dir(const char *path)
{
    if (mkdir(path, 0777) && errno != EEXIST) {
        ovs_fatal(errno, "%s", path);
    }
}

static void
write_objects(const struct np_bench_gen *g, const char *dir)
{
    char *objects = xasprintf("%s/objects", dir);

    make_dir(dir);
    make_dir(objects);
    for (uint32_t i = 0; i < g->n_namespaces; i++) {
        char *path = xasprintf("%s/%s.json", objects, g->namespaces[i].name);
        struct ds s = DS_EMPTY_INITIALIZER;

        np_bench_list_json(g, i, &s);
        write_file(path, &s);
        ds_destroy(&s);
        free(path);
    }
    free(objects);
}

static void
write_ports(const struct np_bench_gen *g, const char *dir)
{
    char *path = xasprintf("%s/ports", dir);
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_portmap ports;

    np_bench_ports(g, &ports);
    for (size_t i = 0; i < ports.n; i++) {
        const struct np_bridge_port *p = &ports.v[i];

        if (p->role != NP_PORT_POD) {
            continue;
        }
        ds_put_format(&s, "%"PRIu32" %s "ETH_ADDR_FMT" ", p->ofport, p->name,
                      ETH_ADDR_ARGS(p->mac));
        np_prefix_format(&p->addrs[0], &s);
        ds_put_format(&s, " %s %s_%s\n", p->pod_uid, p->pod_namespace,
                      p->pod_name);
    }
    write_file(path, &s);
    np_portmap_clear(&ports);
    ds_destroy(&s);
    free(path);
}

static uint32_t
number(const char *text)
{
    unsigned int n;

    if (!str_to_uint(text, 10, &n)) {
        ovs_fatal(0, "%s: not a number", text);
    }
    return n;
}

int
main(int argc, char *argv[])
{
    static const struct option longs[] = {
        { "size", required_argument, NULL, 's' },
        { "local", required_argument, NULL, 'l' },
        { "seed", required_argument, NULL, 'r' },
        { NULL, 0, NULL, 0 },
    };
    const char *name = "S";
    uint32_t local = 0, seed = 1;
    struct np_bench_size size;
    struct np_bench_gen g;
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 's': name = optarg; break;
        case 'l': local = number(optarg); break;
        case 'r': seed = number(optarg); break;
        default: exit(2);
        }
    }
    if (optind != argc - 1 || !np_bench_size_find(name, local, &size)) {
        ovs_fatal(0, "usage: gen [--size S|M|L] [--local N] [--seed N] DIR");
    }
    np_bench_gen_init(&g, &size, seed);
    write_objects(&g, argv[optind]);
    write_ports(&g, argv[optind]);
    np_bench_gen_destroy(&g);
    return 0;
}

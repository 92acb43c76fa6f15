/* The control plane, measured: prints rows for tests/bench/run.
 *
 * usage: control [OPTION]... PART
 * parts: cold start changes burst engine memory flows emit emit-ip-clauses
 *
 *   --size=S|M|L  --local=N  --seed=N     the cluster (S, 110, 1)
 *   --policies=N        other than the size's
 *   --no-everybody      no policy that names all pods of the cluster
 *   --target=TARGET     the bridge's management socket
 *   --repetitions=N     how often each thing is done (3)
 *   --space=MSEC        pause before each bundle (25)
 *   --file=FILE         what emit and emit-ip-clauses write, and where cold
 *                       puts the flows for ovs-ofctl(8) */

#include <config.h>
#include "bench/control.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "fatal-signal.h"
#include "openvswitch/vlog.h"
#include "util.h"

static const struct part {
    const char *name;
    void (*run)(const struct np_bench_options *);
    bool target, file;          /* Wants one. */
} parts[] = {
    { "cold", np_bench_cold, true, true },
    { "start", np_bench_start, true, false },
    { "changes", np_bench_changes, true, false },
    { "burst", np_bench_burst, true, false },
    { "engine", np_bench_engine, false, false },
    { "memory", np_bench_memory, false, false },
    { "flows", np_bench_flows, false, false },
    { "emit", np_bench_emit, false, true },
    { "emit-ip-clauses", np_bench_emit_ip_clauses, false, true },
};

static unsigned int
number(const char *text)
{
    unsigned int n;

    if (!str_to_uint(text, 10, &n)) {
        ovs_fatal(0, "%s: not a number", text);
    }
    return n;
}

static void
parse(int argc, char *argv[], struct np_bench_options *o)
{
    static const struct option longs[] = {
        { "size", required_argument, NULL, 's' },
        { "local", required_argument, NULL, 'l' },
        { "seed", required_argument, NULL, 'r' },
        { "policies", required_argument, NULL, 'o' },
        { "no-everybody", no_argument, NULL, 'e' },
        { "target", required_argument, NULL, 't' },
        { "repetitions", required_argument, NULL, 'n' },
        { "space", required_argument, NULL, 'p' },
        { "file", required_argument, NULL, 'f' },
        { NULL, 0, NULL, 0 },
    };
    const char *size = "S";
    uint32_t local = 0, policies = 0;
    bool no_everybody = false;
    int c;

    *o = (struct np_bench_options) { .seed = 1, .repetitions = 3,
                                     .space = 25 };
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 's': size = optarg; break;
        case 'l': local = number(optarg); break;
        case 'r': o->seed = number(optarg); break;
        case 'o': policies = number(optarg); break;
        case 'e': no_everybody = true; break;
        case 't': o->target = optarg; break;
        case 'n': o->repetitions = number(optarg); break;
        case 'p': o->space = number(optarg); break;
        case 'f': o->file = optarg; break;
        default: exit(2);
        }
    }
    if (!np_bench_size_find(size, local, &o->size)) {
        ovs_fatal(0, "%s: no such size", size);
    }
    o->size.policies = policies ? policies : o->size.policies;
    o->size.no_everybody = no_everybody;
    o->scale = xasprintf("%s, %"PRIu32" local pods", size, o->size.local);
}

int
main(int argc, char *argv[])
{
    struct np_bench_options o;

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    /* It warns of turns that take long; we measure them. */
    vlog_set_levels(vlog_module_from_name("timeval"), VLF_ANY_DESTINATION,
                    VLL_OFF);
    parse(argc, argv, &o);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (optind == argc - 1 && !strcmp(argv[optind], parts[i].name)) {
            if ((parts[i].target && !o.target) || (parts[i].file && !o.file)) {
                ovs_fatal(0, "%s wants --target or --file", parts[i].name);
            }
            parts[i].run(&o);
            free(o.scale);
            return 0;
        }
    }
    ovs_fatal(0, "usage: control [OPTION]... PART");
}

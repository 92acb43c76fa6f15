/* ovs-flows: what is on the bridge, and what it stands for. */

#include <config.h>
#include "ovs-flows.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command-line.h"
#include "fatal-signal.h"
#include "netpol/compile.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

static const struct ovs_cmdl_command commands[] = {
    { "dump", "[BRIDGE]", 0, 1, flows_dump, OVS_RO },
    { NULL, NULL, 0, 0, NULL, OVS_RO },
};

void
flows_fail(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
    exit(2);
}

_Noreturn static void
usage(void)
{
    printf("%s: what ovs-netpold has installed on a bridge\n"
           "usage: %s [OPTIONS] COMMAND [ARG...]\n"
           "\nCommands:\n"
           "  dump [BRIDGE]           the flows, table by table, each with "
           "what it stands\n"
           "                          for (BRIDGE is a name, default br-int, "
           "or a target such\n"
           "                          as unix:FILE)\n"
           "\nOptions:\n"
           "  -a, --all               flows of others too\n"
           "  -o, --output=text|json  form of the output (default: text)\n"
           "  --target=NAME           daemon that knows the names, as for "
           "ovs-appctl -t\n"
           "                          (default: ovs-netpold)\n"
           "  --no-names              do not ask the daemon for names\n"
           "  --table-base=N          number of the pipeline's first table "
           "(default: the\n"
           "                          daemon's, else that of the lowest table "
           "in use)\n"
           "  -t, --timeout=SECS      give up after SECS seconds\n",
           program_name, program_name);
    vlog_usage();
    printf("\nOther options:\n"
           "  -h, --help              display this help message\n"
           "  -V, --version           display version information\n"
           "\nExample:\n"
           "  %s dump br-int | grep production/backend\n", program_name);
    exit(EXIT_SUCCESS);
}

enum {
    OPT_TARGET = UCHAR_MAX + 1,
    OPT_NO_NAMES,
    OPT_TABLE_BASE,
    VLOG_OPTION_ENUMS,
};

static int
parse_number(const char *option, const char *s, int min, int max)
{
    int n;

    if (!str_to_int(s, 10, &n) || n < min || n > max) {
        flows_fail("--%s: \"%s\" is not a number from %d to %d", option, s,
                   min, max);
    }
    return n;
}

static void
parse_output(struct flows_options *o, const char *arg)
{
    if (strcmp(arg, "text") && strcmp(arg, "json")) {
        flows_fail("--output: \"%s\" is neither text nor json", arg);
    }
    o->json = !strcmp(arg, "json");
}

static void
parse_option(struct flows_options *o, int c, const char *arg)
{
    switch (c) {
    case 'a':
        o->all = true;
        break;
    case 'o':
        parse_output(o, arg);
        break;
    case 't':
        time_alarm(parse_number("timeout", arg, 1, INT_MAX));
        break;
    case OPT_TARGET:
        o->target = arg;
        break;
    case OPT_NO_NAMES:
        o->names = false;
        break;
    case OPT_TABLE_BASE:
        o->table_base = parse_number("table-base", arg, 0, NP_TABLE_BASE_MAX);
        break;
    case 'h':
        usage();
    case 'V':
        ovs_print_version(0, 0);
        exit(EXIT_SUCCESS);
    VLOG_OPTION_HANDLERS
    default:
        OVS_NOT_REACHED();
    }
}

static void
parse_options(struct flows_options *o, int argc, char *argv[])
{
    static const struct option long_options[] = {
        {"all", no_argument, NULL, 'a'},
        {"output", required_argument, NULL, 'o'},
        {"timeout", required_argument, NULL, 't'},
        {"target", required_argument, NULL, OPT_TARGET},
        {"no-names", no_argument, NULL, OPT_NO_NAMES},
        {"table-base", required_argument, NULL, OPT_TABLE_BASE},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        VLOG_LONG_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    char *letters = ovs_cmdl_long_options_to_short_options(long_options);
    char *short_options = xasprintf(":%s", letters);

    free(letters);
    opterr = 0;
    for (;;) {
        int before = optind;
        int c = getopt_long(argc, argv, short_options, long_options, NULL);
        const char *option = argv[optind > before ? optind - 1 : before];

        if (c == -1) {
            break;
        } else if (c == '?') {
            flows_fail("unknown option \"%s\" (use --help for help)", option);
        } else if (c == ':') {
            flows_fail("option \"%s\" requires an argument", option);
        }
        parse_option(o, c, optarg);
    }
    free(short_options);
}

static void
run_command(struct flows_options *o, int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = argc, .argv = argv, .pvt = o };

    if (!argc) {
        flows_fail("missing command name (use --help for help)");
    }
    for (const struct ovs_cmdl_command *c = commands; c->name; c++) {
        if (!strcmp(c->name, argv[0])) {
            if (argc - 1 < c->min_args || argc - 1 > c->max_args) {
                flows_fail("usage: %s %s %s", program_name, c->name,
                           c->usage);
            }
            c->handler(&ctx);
            return;
        }
    }
    flows_fail("unknown command \"%s\" (use --help for help)", argv[0]);
}

int
main(int argc, char *argv[])
{
    const char *no_color = getenv("NO_COLOR");
    struct flows_options o = {
        .names = true,
        .target = "ovs-netpold",
        .table_base = -1,
        .colour = isatty(STDOUT_FILENO) && !(no_color && *no_color),
    };

    ovs_set_program_name(argv[0], PACKAGE_VERSION);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);
    parse_options(&o, argc, argv);
    run_command(&o, argc - optind, argv + optind);
    if (fflush(stdout) || ferror(stdout)) {
        flows_fail("cannot write the output");
    }
    return EXIT_SUCCESS;
}

/* netpolctl: what kubectl and promtool would say of policies, without a
 * cluster and without a switch.  It is installed as kubectl-netpol too, so
 * that `kubectl netpol` finds it. */

#include <config.h>
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "openvswitch/json.h"
#include "openvswitch/vlog.h"
#include "util.h"

struct command {
    const char *name;
    const char *args;
    int min_args, max_args;
    int (*run)(const struct cli_options *, int argc, char *argv[]);
    const char *does;
    const char *example;
};

static const struct command commands[] = {
    { "validate", "-f FILE|DIR...", 0, 0, cli_validate,
      "what the API server would refuse, and what to write instead",
      "netpolctl validate -f policies/" },
    { "check", "-f FILE|DIR... SRC DST[:PORT[/PROTO]]", 2, 2, cli_check,
      "may SRC open a connection to DST, and which rule says so",
      "netpolctl check -f policies/ shop/web shop/db:5432" },
};

void
cli_fail(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
    exit(CLI_FAILED);
}

_Noreturn static void
usage(void)
{
    printf("%s: Kubernetes NetworkPolicies, without a cluster\n"
           "usage: %s COMMAND [OPTIONS] [ARG...]\n\nCommands:\n",
           program_name, program_name);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("  %s %s\n      %s\n", commands[i].name, commands[i].args,
               commands[i].does);
    }
    printf("\nOptions:\n"
           "  -f, --filename=FILE|DIR   manifests; again for more, - for "
           "standard input\n"
           "  -n, --namespace=NAME      of pods that name none (default: "
           "default)\n"
           "  --node=NAME               the node of DST (default: its "
           "spec.nodeName)\n"
           "  -o, --output=text|json    form of the output (default: text)\n"
           "  -h, --help                this text\n"
           "  -V, --version             the version\n"
           "\nExit status: 0 yes or clean, 1 no or errors found, 2 could not "
           "run.\n\nExamples:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        printf("  %s\n", commands[i].example);
    }
    exit(CLI_YES);
}

void
cli_print_json(struct json *json)
{
    char *text = json_to_string(json, JSSF_PRETTY | JSSF_SORT);

    puts(text);
    free(text);
    json_destroy(json);
}

/* https://no-color.org */
static bool
wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (isatty(STDOUT_FILENO) && !(no_color && *no_color)
            && !(term && !strcmp(term, "dumb")));
}

static void
parse_option(struct cli_options *o, int c, char *argv[])
{
    switch (c) {
    case 'f':
        svec_add(&o->files, optarg);
        break;
    case 'n':
        o->namespace = optarg;
        break;
    case 'N':
        o->node = optarg;
        break;
    case 'o':
        o->json = !strcmp(optarg, "json");
        if (!o->json && strcmp(optarg, "text")) {
            cli_fail("--output: \"%s\" is neither text nor json", optarg);
        }
        break;
    case 'h':
        usage();
    case 'V':
        ovs_print_version(0, 0);
        exit(CLI_YES);
    case ':':
        cli_fail("option %s needs an argument", argv[optind - 1]);
    default:
        cli_fail("unknown option %s; see %s --help", argv[optind - 1],
                 program_name);
    }
}

static void
parse_options(struct cli_options *o, int argc, char *argv[])
{
    static const struct option longs[] = {
        { "filename", required_argument, NULL, 'f' },
        { "namespace", required_argument, NULL, 'n' },
        { "node", required_argument, NULL, 'N' },
        { "output", required_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":f:n:o:hV", longs, NULL)) != -1) {
        parse_option(o, c, argv);
    }
}

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(commands[i].name, name)) {
            return &commands[i];
        }
    }
    cli_fail("unknown command \"%s\"; see %s --help", name, program_name);
}

int
np_cli_main(int argc, char *argv[])
{
    struct cli_options o = {
        .files = SVEC_EMPTY_INITIALIZER,
        .namespace = "default",
        .colour = wants_colour(),
    };
    const struct command *command;
    int status;

    ovs_set_program_name(argv[0], PACKAGE_VERSION);
    /* What is wrong is said in our own words, once. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    parse_options(&o, argc, argv);
    if (optind >= argc) {
        cli_fail("no command; see %s --help", program_name);
    }
    command = find_command(argv[optind]);
    argc -= optind + 1;
    argv += optind + 1;
    if (argc < command->min_args || argc > command->max_args) {
        cli_fail("usage: %s %s %s", program_name, command->name,
                 command->args);
    }
    if (!o.files.n) {
        cli_fail("%s needs -f FILE|DIR", command->name);
    }
    status = command->run(&o, argc, argv);
    svec_destroy(&o.files);
    if (fflush(stdout) || ferror(stdout)) {
        cli_fail("cannot write: %s", ovs_strerror(errno));
    }
    return status;
}

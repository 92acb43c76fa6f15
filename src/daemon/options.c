/* The command line.
 *
 * libopenvswitch's own macros for its options end the program in their own
 * ways; the ones that can fail are spelled out here, because a mistake on the
 * command line is one line and status 2 in all our programs. */

#include <config.h>
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command-line.h"
#include "daemon.h"
#include "dirs.h"
#include "netpol/http.h"
#include "netpol/ovsdb.h"
#include "netpol/source.h"
#include "openvswitch/vlog.h"
#include "stream-ssl.h"
#include "stream.h"
#include "util.h"

#define DEFAULT_CT_ZONE 64000
#define DEFAULT_METRICS "127.0.0.1:10361"

enum {
    OPT_SOURCE = UCHAR_MAX + 1,
    OPT_BRIDGE,
    OPT_NODE_NAME,
    OPT_FORWARD,
    OPT_CT_ZONE,
    OPT_TABLE_BASE,
    OPT_FOREIGN,
    OPT_ALLOW_TO_NODE,
    OPT_ESTABLISHED,
    OPT_DRY_RUN,
    OPT_METRICS_BIND_ADDRESS,
    OPT_UNIXCTL,
    OPT_BOOTSTRAP_CA_CERT,
    OPT_PEER_CA_CERT,
    VLOG_OPTION_ENUMS,
    DAEMON_OPTION_ENUMS,
    SSL_OPTION_ENUMS,
};

static const struct option long_options[] = {
    {"source", required_argument, NULL, OPT_SOURCE},
    {"bridge", required_argument, NULL, OPT_BRIDGE},
    {"node-name", required_argument, NULL, OPT_NODE_NAME},
    {"forward", required_argument, NULL, OPT_FORWARD},
    {"ct-zone", required_argument, NULL, OPT_CT_ZONE},
    {"table-base", required_argument, NULL, OPT_TABLE_BASE},
    {"foreign", required_argument, NULL, OPT_FOREIGN},
    {"allow-to-node", no_argument, NULL, OPT_ALLOW_TO_NODE},
    {"established", required_argument, NULL, OPT_ESTABLISHED},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"metrics-bind-address", required_argument, NULL,
     OPT_METRICS_BIND_ADDRESS},
    {"unixctl", required_argument, NULL, OPT_UNIXCTL},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    DAEMON_LONG_OPTIONS,
    VLOG_LONG_OPTIONS,
    STREAM_SSL_LONG_OPTIONS,
    {"bootstrap-ca-cert", required_argument, NULL, OPT_BOOTSTRAP_CA_CERT},
    {"peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT},
    {NULL, 0, NULL, 0},
};

void
np_usage_error(const char *format, ...)
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
    printf("%s: NetworkPolicy daemon for Open vSwitch\n"
           "usage: %s --source=dir:PATH [OPTIONS] [DATABASE]\n"
           "where DATABASE is the switch's database "
           "(default: unix:%s/db.sock).\n", program_name, program_name,
           ovs_rundir());
    printf("\nPolicies:\n"
           "  --source=dir:PATH       read Kubernetes objects from the "
           "manifests in PATH\n"
           "  --node-name=NAME        this node's Node object (default: "
           "$NODE_NAME, else\n"
           "                          the host name)\n"
           "  --allow-to-node         pods may always reach their node\n"
           "  --established=judge|keep\n"
           "                          judge packets of established "
           "connections by today's\n"
           "                          policies (default), or let them on\n"
           "  --dry-run               print the flows and exit\n");
    printf("\nBridge:\n"
           "  --bridge=NAME           bridge to install flows on (default: "
           "br-int)\n"
           "  --forward=normal|PORT|table:N\n"
           "                          way out for what is not for a local "
           "pod (default:\n"
           "                          normal)\n"
           "  --foreign=drop|pass     what ports of unknown kind may do\n"
           "  --ct-zone=N             conntrack zone; the next one is used "
           "too (default:\n"
           "                          %d)\n"
           "  --table-base=N          number of the first table (default: "
           "0)\n", DEFAULT_CT_ZONE);
    stream_usage("DATABASE", true, false, true);
    daemon_usage();
    vlog_usage();
    printf("\nOther options:\n"
           "  --metrics-bind-address=[ADDRESS:]PORT|none\n"
           "                          serve /metrics, /healthz and /readyz "
           "there (default:\n"
           "                          %s)\n"
           "  --unixctl=SOCKET        override default control socket name\n"
           "  -h, --help              display this help message\n"
           "  -V, --version           display version information\n"
           "\nExample:\n"
           "  %s --source=dir:/etc/ovs-netpol/policies --pidfile --detach\n"
           "  ovs-appctl -t %s netpol/status\n", DEFAULT_METRICS,
           program_name, program_name);
    exit(EXIT_SUCCESS);
}

static int
parse_number(const char *option, const char *s, int min, int max)
{
    int n;

    if (!str_to_int(s, 10, &n) || n < min || n > max) {
        np_usage_error("--%s: \"%s\" is not a number from %d to %d", option,
                       s, min, max);
    }
    return n;
}

/* True for YES, false for NO. */
static bool
parse_choice(const char *option, const char *s, const char *yes,
             const char *no)
{
    if (strcmp(s, yes) && strcmp(s, no)) {
        np_usage_error("--%s: \"%s\" is neither %s nor %s", option, s, yes,
                       no);
    }
    return !strcmp(s, yes);
}

static void
parse_forward(struct np_options *o, const char *s)
{
    free(o->out_port);
    o->out_port = NULL;
    if (!*s) {
        np_usage_error("--forward: wants normal, a port's name or table:N");
    } else if (!strcmp(s, "normal")) {
        o->compile.way_out = NP_OUT_NORMAL;
    } else if (!strncmp(s, "table:", 6)) {
        o->compile.way_out = NP_OUT_TABLE;
        o->compile.out_table = parse_number("forward=table", s + 6, 0, 253);
    } else {
        o->compile.way_out = NP_OUT_PORT;
        o->out_port = xstrdup(s);
    }
}

static void
replace(char **s, const char *option, const char *value)
{
    if (!*value) {
        np_usage_error("--%s: must not be empty", option);
    }
    free(*s);
    *s = xstrdup(value);
}

static void
parse_metrics(struct np_options *o, const char *s)
{
    struct sockaddr_storage ss;
    char *error = strcmp(s, "none") ? np_http_parse_address(s, &ss) : NULL;

    if (error) {
        np_usage_error("--metrics-bind-address: %s, or none", error);
    }
    free(o->metrics);
    o->metrics = xstrdup(s);
}

/* Our own options; false if C is none of them. */
static bool
parse_own(struct np_options *o, int c, const char *arg)
{
    switch (c) {
    case OPT_SOURCE:
        if (o->source) {
            np_usage_error("--source: may be given only once");
        }
        replace(&o->source, "source", arg);
        return true;
    case OPT_BRIDGE:
        replace(&o->bridge, "bridge", arg);
        if (strchr(arg, '/')) {
            np_usage_error("--bridge: \"%s\" is not a bridge name", arg);
        }
        return true;
    case OPT_NODE_NAME:
        replace(&o->node, "node-name", arg);
        return true;
    case OPT_FORWARD:
        parse_forward(o, arg);
        return true;
    case OPT_CT_ZONE:
        o->compile.ct_zone = parse_number("ct-zone", arg, 1, 65534);
        return true;
    case OPT_TABLE_BASE:
        o->compile.table_base = parse_number("table-base", arg, 0,
                                             NP_TABLE_BASE_MAX);
        return true;
    case OPT_FOREIGN:
        o->compile.foreign_pass = parse_choice("foreign", arg, "pass", "drop");
        o->foreign_given = true;
        return true;
    case OPT_ALLOW_TO_NODE:
        return o->compile.allow_to_node = true;
    case OPT_ESTABLISHED:
        o->compile.keep_established = parse_choice("established", arg,
                                                   "keep", "judge");
        return true;
    case OPT_DRY_RUN:
        return o->dry_run = true;
    case OPT_METRICS_BIND_ADDRESS:
        parse_metrics(o, arg);
        return true;
    case OPT_UNIXCTL:
        replace(&o->unixctl, "unixctl", arg);
        return true;
    default:
        return false;
    }
}

static void
parse_verbosity(const char *arg)
{
    char *error;

    if (!arg) {
        vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_DBG);
        return;
    }
    error = vlog_set_levels_from_string(arg);
    if (error) {
        np_usage_error("--verbose: \"%s\": %s", arg, error);
    }
}

static void
parse_log_file(const char *arg)
{
    /* A file that was not asked for by name may be missing, as in all
     * daemons of Open vSwitch. */
    if (vlog_set_log_file(arg) && arg) {
        exit(2);
    }
}

/* libopenvswitch's options. */
static void
parse_common(int c, char *arg)
{
    switch (c) {
    case 'h':
        usage();
    case 'V':
        ovs_print_version(0, 0);
        exit(EXIT_SUCCESS);
    case 'v':
        parse_verbosity(arg);
        break;
    case OPT_LOG_FILE:
        parse_log_file(arg);
        break;
    case OPT_SYSLOG_IMPL:
        vlog_set_syslog_method(arg);
        break;
    case OPT_SYSLOG_TARGET:
        vlog_set_syslog_target(arg);
        break;
    DAEMON_OPTION_HANDLERS
    STREAM_SSL_OPTION_HANDLERS
    case OPT_BOOTSTRAP_CA_CERT:
        stream_ssl_set_ca_cert_file(arg, true);
        break;
    case OPT_PEER_CA_CERT:
        stream_ssl_set_peer_ca_cert_file(arg);
        break;
    default:
        OVS_NOT_REACHED();
    }
}

/* The option that getopt_long() did not like, as the user wrote it. */
static const char *
bad_option(char *argv[], int index_before)
{
    return argv[optind > index_before ? optind - 1 : index_before];
}

static char *
default_node(void)
{
    const char *env = getenv("NODE_NAME");
    char host[256];

    if (env && *env) {
        return xstrdup(env);
    } else if (gethostname(host, sizeof host)) {
        np_usage_error("--node-name is not given, and the host has no name "
                       "(%s)", ovs_strerror(errno));
    }
    host[sizeof host - 1] = '\0';
    return xstrdup(host);
}

/* A daemon works in the root directory. */
static void
make_source_absolute(struct np_options *o)
{
    if (!strncmp(o->source, "dir:", 4) && o->source[4]) {
        char *path = abs_file_name(NULL, o->source + 4);

        if (path) {
            free(o->source);
            o->source = xasprintf("dir:%s", path);
            free(path);
        }
    }
}

/* Both know best themselves what is malformed. */
static void
check_addresses(const struct np_options *o)
{
    char *error = NULL;
    struct np_source *source = np_source_open(o->source, &error);

    if (!source) {
        np_usage_error("--source: %s", error);
    }
    np_source_close(source);

    struct np_ovsdb *ovsdb = np_ovsdb_create(o->db, o->bridge, &error);
    if (!ovsdb) {
        np_usage_error("%s", error);
    }
    np_ovsdb_destroy(ovsdb);
}

static void
check_forward(const struct np_options *o)
{
    const struct np_table_info *tables;
    size_t n;

    tables = np_pipeline_tables(&n);
    for (size_t i = 0; o->compile.way_out == NP_OUT_TABLE && i < n; i++) {
        if (tables[i].table + o->compile.table_base == o->compile.out_table) {
            np_usage_error("--forward: table %d is our own (%s)",
                           o->compile.out_table, tables[i].name);
        }
    }
}

static void
finish(struct np_options *o, int argc, char *argv[])
{
    if (argc > 1) {
        np_usage_error("unexpected argument \"%s\"", argv[1]);
    } else if (!o->source) {
        np_usage_error("--source is required (use --help for help)");
    }
    o->db = argc ? xstrdup(argv[0])
            : xasprintf("unix:%s/db.sock", ovs_rundir());
    if (!o->metrics) {
        o->metrics = xstrdup(DEFAULT_METRICS);
    }
    if (!o->node) {
        o->node = default_node();
    }
    if (!o->bridge) {
        o->bridge = xstrdup("br-int");
    }
    o->compile.out_port = o->out_port;
    make_source_absolute(o);
    check_forward(o);
    check_addresses(o);
}

void
np_options_parse(struct np_options *o, int argc, char *argv[])
{
    char *letters = ovs_cmdl_long_options_to_short_options(long_options);
    char *short_options = xasprintf(":%s", letters);

    free(letters);
    memset(o, 0, sizeof *o);
    o->compile.ct_zone = DEFAULT_CT_ZONE;
    opterr = 0;
    for (;;) {
        int before = optind;
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        } else if (c == '?') {
            np_usage_error("unknown option \"%s\" (use --help for help)",
                           bad_option(argv, before));
        } else if (c == ':') {
            np_usage_error("option \"%s\" requires an argument",
                           bad_option(argv, before));
        } else if (!parse_own(o, c, optarg)) {
            o->verbose |= c == 'v';
            parse_common(c, optarg);
        }
    }
    free(short_options);
    finish(o, argc - optind, argv + optind);
}

void
np_options_destroy(struct np_options *o)
{
    free(o->source);
    free(o->bridge);
    free(o->db);
    free(o->node);
    free(o->unixctl);
    free(o->metrics);
    free(o->out_port);
}

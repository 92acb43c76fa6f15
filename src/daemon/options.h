#ifndef NETPOL_DAEMON_OPTIONS_H
#define NETPOL_DAEMON_OPTIONS_H 1

/* The command line, see ovs-netpold(8). */

#include <stdbool.h>
#include "netpol/compile.h"

struct np_options {
    char *source;               /* "dir:/ABSOLUTE/PATH" */
    char *bridge;
    char *db;
    char *node;
    char *unixctl;              /* --unixctl, or NULL. */
    char *metrics;              /* Where to serve them, or "none". */
    char *out_port;             /* Owns compile.out_port. */
    bool foreign_given;         /* --foreign was: unknown ports are decided. */
    bool dry_run;
    bool verbose;               /* -v was given. */
    struct np_compile_config compile;
};

/* Parses the command line, applies what belongs to libopenvswitch at once, and
 * ends the program after --help, --version (status 0) and on a mistake (one
 * line, status 2). */
void np_options_parse(struct np_options *, int argc, char *argv[]);
void np_options_destroy(struct np_options *);

/* Says "ovs-netpold: …" in one line on stderr and exits with status 2. */
_Noreturn void np_usage_error(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif /* daemon/options.h */

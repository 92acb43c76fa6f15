#ifndef CLI_CLI_H
#define CLI_CLI_H 1

/* netpolctl: policies without a switch.  What its commands share. */

#include <stdbool.h>
#include <stddef.h>
#include "netpol/error.h"
#include "netpol/object.h"
#include "svec.h"

struct json;
struct np_manifest;
struct np_source;

/* Exit statuses. */
enum { CLI_YES = 0, CLI_NO = 1, CLI_FAILED = 2 };

struct cli_options {
    struct svec files;          /* -f: files, directories, "-". */
    bool json;                  /* -o json */
    bool colour;
    const char *namespace;      /* -n: of pods that name none. */
    const char *node;           /* --node: where the server's pod runs. */
};

/* All that the -f options name. */
struct cli_input {
    const struct np_meta **objects;     /* No two the same; borrowed from what
                                         * follows. */
    size_t n, allocated;
    struct np_errors errors, warnings;  /* By file and line. */
    size_t n_skipped;           /* Documents of other kinds. */
    struct np_manifest *manifests;      /* One a file, */
    struct np_source **directories;     /* one a directory. */
    size_t n_manifests, n_directories;
};

/* Says "netpolctl: …" in one line on stderr and exits with CLI_FAILED. */
_Noreturn void cli_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Reads everything; exits if something is not there or cannot be read. */
void cli_input_read(struct cli_input *, const struct svec *files);
void cli_input_destroy(struct cli_input *);

/* What to write instead, where that is clear; NULL elsewhere.  The caller
 * frees it. */
char *cli_hint(const struct np_error *);

/* Prints JSON, which it takes. */
void cli_print_json(struct json *);

/* The commands; each returns an exit status. */
int cli_validate(const struct cli_options *, int argc, char *argv[]);
int cli_check(const struct cli_options *, int argc, char *argv[]);

/* The program. */
int np_cli_main(int argc, char *argv[]);

#endif /* cli/cli.h */

#ifndef OVS_FLOWS_H
#define OVS_FLOWS_H 1

#include <stdbool.h>

struct ovs_cmdl_context;

/* What the options before the command say. */
struct flows_options {
    bool all;                   /* Flows of others too. */
    bool json;                  /* -o json. */
    bool colour;
    bool names;                 /* Ask the daemon. */
    const char *target;         /* Its control socket, for ovs-appctl -t. */
    int table_base;             /* -1: ask the daemon, else look. */
};

/* Says "ovs-flows: …" in one line on stderr and exits with status 2. */
_Noreturn void flows_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The commands, one a file; 'pvt' of the context is the options. */
void flows_dump(struct ovs_cmdl_context *);

#endif /* ovs-flows.h */

#ifndef UNIT_COMPILE_FIXTURE_H
#define UNIT_COMPILE_FIXTURE_H 1

/* Everything between a manifest and flows, in memory, for tests. */

#include "netpol/cache.h"
#include "netpol/compile.h"
#include "netpol/manifest.h"
#include "netpol/policy.h"
#include "netpol/portmap.h"

struct np_fixture {
    struct np_manifest manifest;
    struct np_cache cache;
    struct np_policies policies;
    struct np_portmap ports;
    struct np_compile_config config;
    char *out_port;
    unsigned int show;          /* Bit for each enum np_flow_kind. */
    struct np_compiler *compiler;       /* Made when first needed. */
    struct np_binding binding;
    struct np_flow_set flows;   /* The last build's. */
};

void np_fixture_init(struct np_fixture *);
void np_fixture_destroy(struct np_fixture *);
/* Fails the test if the manifest has errors. */
void np_fixture_read_objects(struct np_fixture *, const char *path);
void np_fixture_decode_objects(struct np_fixture *, const char *text);
void np_fixture_reverse_objects(struct np_fixture *);
void np_fixture_read_ports(struct np_fixture *, const char *text);
/* Builds, into 'flows'. */
void np_fixture_build(struct np_fixture *);
/* Builds, and returns the flows to show as text, to be freed. */
char *np_fixture_flows(struct np_fixture *);
/* As a daemon that starts anew over the installed flows. */
void np_fixture_restart(struct np_fixture *);

#endif /* unit/compile/fixture.h */

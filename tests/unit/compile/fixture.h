#ifndef UNIT_COMPILE_FIXTURE_H
#define UNIT_COMPILE_FIXTURE_H 1

/* Everything between a manifest and flows, in memory, for tests. */

#include "daemon/engine.h"
#include "netpol/flow.h"
#include "netpol/manifest.h"

struct np_fixture {
    struct np_manifest manifest;
    struct np_portmap ports;
    struct np_compile_config config;
    char *out_port;
    unsigned int show;          /* Bit for each enum np_flow_kind. */
    struct np_engine engine;
    bool built;                 /* The engine is there. */
    struct np_flow_set flows;   /* The last build's. */
};

void np_fixture_init(struct np_fixture *);
void np_fixture_destroy(struct np_fixture *);
/* Fails the test if the manifest has errors. */
void np_fixture_read_objects(struct np_fixture *, const char *path);
void np_fixture_decode_objects(struct np_fixture *, const char *text);
void np_fixture_reverse_objects(struct np_fixture *);
void np_fixture_read_ports(struct np_fixture *, const char *text);
/* Builds from scratch, into 'flows', with the numbers of those before. */
void np_fixture_build(struct np_fixture *);
/* Builds, and returns the flows to show as text, to be freed. */
char *np_fixture_flows(struct np_fixture *);

#endif /* unit/compile/fixture.h */

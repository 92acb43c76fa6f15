#ifndef TESTS_UNIT_VERIFY_TESTS_H
#define TESTS_UNIT_VERIFY_TESTS_H 1

#include "netpol/flow.h"
#include "netpol/interp.h"

int test_action(void);
int test_ct(void);
int test_match(void);

/* A table under test, and what became of the last packet in it. */
struct bench {
    struct np_flow_set flows;
    struct np_interp *interp;
    struct np_interp_env env;
    struct np_interp_result result;
};

void bench_init(struct bench *);
/* Adds a flow, in ovs-ofctl(8)'s syntax. */
void bench_add(struct bench *, const char *flow);
void bench_remove(struct bench *, const char *flow);
void bench_destroy(struct bench *);

/* Sends a packet, which is written as a flow that matches all of it. */
void bench_send(struct bench *, const char *packet);
/* Its effects as words: "2 LOCAL NORMAL ct ...", "drop" if there are none. */
void assert_fate(struct bench *, const char *packet, const char *words);
/* The same, with a bench of FLOWS, one a line, of its own. */
void assert_fate_of(const char *flows, const char *packet,
                    const char *words);
/* The same, and FIELDS, which is a match, must hold for the packet that the
 * first effect sent. */
void assert_sent(const char *flows, const char *packet, const char *fields);
/* Does the match FIELDS hold for PACKET? */
void assert_fields(const struct flow *packet, const char *fields);

#endif /* tests/unit/verify/tests.h */

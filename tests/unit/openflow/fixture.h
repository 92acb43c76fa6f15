#ifndef TESTS_UNIT_OPENFLOW_FIXTURE_H
#define TESTS_UNIT_OPENFLOW_FIXTURE_H 1

#include "../unit.h"
#include "fake-switch.h"
#include "netpol/openflow.h"

/* An installer and a switch, both run by the test. */

enum { HANG = 60 * 1000 };      /* Milliseconds; only ever seen in a hang. */

struct fixture {
    char dir[32];
    struct fake_switch sw;
    struct np_installer *inst;
};

int setup(void **state);
int teardown(void **state);
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

void turn(struct fixture *);
void block(struct fixture *);
/* Turns both ends until neither has anything more to say. */
void settle(struct fixture *);
void until_realized(struct fixture *, uint64_t wish);
void until_connected(struct fixture *, bool connected);
void connect_to(struct fixture *);
struct np_installer_status status_of(const struct fixture *);
void check_log(struct fixture *, const char *expected);
void check_port_log(struct fixture *, const char *expected);

/* A flow of ours with that priority and output port. */
struct np_flow *flow_of(int priority, int port);
/* Wishes for flows of priorities LIST[] that output to PORT; 0 ends it. */
uint64_t wish(struct fixture *, const int list[], int port);
#define WISH(F, PORT, ...) wish(F, (const int[]) { __VA_ARGS__, 0 }, PORT)
void add_to_switch(struct fixture *, const char *text);
/* The switch's table is the flows of priorities LIST[] that output to PORT,
 * and nothing but EXTRA others. */
void check_table(struct fixture *, const int list[], int port, size_t extra);
#define TABLE(F, PORT, EXTRA, ...) \
    check_table(F, (const int[]) { __VA_ARGS__, 0 }, PORT, EXTRA)

int test_patch(void);
int test_watch(void);
int test_learned(void);

#endif /* tests/unit/openflow/fixture.h */

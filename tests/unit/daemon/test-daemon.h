#ifndef TESTS_UNIT_DAEMON_H
#define TESTS_UNIT_DAEMON_H 1

#include "../unit.h"

/* One for each file; returns how many tests failed. */
int test_expo(void);
int test_latency(void);

#endif /* tests/unit/daemon/test-daemon.h */

#ifndef TESTS_UNIT_FLOW_TESTS_H
#define TESTS_UNIT_FLOW_TESTS_H 1

#include "netpol/flow.h"

int test_maker(void);
int test_patch(void);
int test_set(void);
int test_text(void);

/* A flow that must parse; names may be NULL. */
struct np_flow *flow_of(const char *text, const struct np_table_names *);
/* Text of a random flow that parses; to be freed. */
char *random_flow(uint32_t *seed);
/* The flow as text; to be freed. */
char *text_of(const struct np_flow *, const struct np_table_names *);

#endif /* tests/unit/flow/tests.h */

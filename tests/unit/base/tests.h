#ifndef TESTS_UNIT_BASE_H
#define TESTS_UNIT_BASE_H 1

/* Each runs one group of tests and returns how many failed. */
int test_addr(void);
int test_error(void);
int test_idset(void);
int test_pool(void);
int test_portrange(void);
int test_trie(void);

#endif

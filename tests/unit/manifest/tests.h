#ifndef TESTS_UNIT_MANIFEST_H
#define TESTS_UNIT_MANIFEST_H 1

#include "netpol/manifest.h"

/* Each runs one group of tests and returns how many failed. */
int test_hostile(void);
int test_json(void);
int test_kinds(void);
int test_netpol(void);
int test_rules(void);
int test_yaml(void);

/* Decodes TEXT, called "f". */
struct np_manifest decode(const char *text);
/* Checks that TEXT gives the objects "Kind ns/name;Kind ns/name" and the
 * errors, each as it is formatted, separated by newlines. */
void check(const char *text, const char *objects, const char *errors);
/* The same of M, which it clears. */
void check_manifest(struct np_manifest *m, const char *text,
                    const char *objects, const char *errors);

/* One good object of each kind, of all their fields. */
extern const char sample_yaml[];
extern const char sample_json[];

#endif

#ifndef TESTS_UNIT_SOURCE_FIXTURE_H
#define TESTS_UNIT_SOURCE_FIXTURE_H 1

/* A directory source, and a directory for it. */

#include "netpol/source.h"

/* Only catches what hangs. */
#define HANG_MS 30000

/* Each test has a directory of its own, TOP, whose subdirectory "d" is the
 * source's; the test may make, move and remove the latter. */
struct fixture {
    char *top;
    char *dir;
    struct np_source *source;
};

int setup(void **state);
int teardown(void **state);
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

/* All names are relative to TOP. */
char *path_of(const struct fixture *, const char *name);
void remove_tree(const char *path);
void make_dir(const struct fixture *, const char *name);
void put(const struct fixture *, const char *name, const char *text);
void move(const struct fixture *, const char *from, const char *to);
void drop(const struct fixture *, const char *name);
void make_link(const struct fixture *, const char *target, const char *name);

#define NS(NAME) \
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: " NAME "}\n"
#define POD(NAME, LABEL) \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: " NAME ", labels: {l: '" \
    LABEL "'}}\n"

/* All objects as "Kind key[=label] ...", sorted; to be freed. */
char *show_objects(const struct np_source *);
/* The errors, with the fixture's directory cut off; to be freed. */
char *show_errors(const struct fixture *);
void check(const struct fixture *, const char *objects, const char *errors);

/* Runs until the source says that something changed. */
void await_change(const struct fixture *);
/* Runs until the objects are those: files may be seen one by one. */
void await(const struct fixture *, const char *objects);
/* Reads at once, and checks that the change is told once. */
void reread(const struct fixture *);

/* Each runs one group of tests and returns how many failed. */
int test_dir(void);
int test_changes(void);
int test_restore(void);

#endif

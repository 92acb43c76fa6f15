#ifndef TESTS_UNIT_SAVED_FIXTURE_H
#define TESTS_UNIT_SAVED_FIXTURE_H 1

/* A source that says what a test wants, its objects in a cache, and a file for
 * them in a directory of its own. */

#include "netpol/cache.h"
#include "netpol/saved.h"
#include "netpol/source.h"

struct fixture {
    char *dir;
    char *path;                 /* Of the file. */
    struct np_source source;
    const char *lacking;        /* The one file that it lacks; NULL: all. */
    struct np_cache cache;
    struct np_saved *saved;     /* NULL while nobody saves. */
    struct np_meta **objects;   /* All that were ever made. */
    size_t n, allocated;
};

int setup(void **state);
int teardown(void **state);
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

/* Pod "default/NAME" with the label l=LABEL, of FILE, comes or changes; if
 * LABEL is NULL it goes. */
void change(struct fixture *, const char *file, const char *name,
            const char *label);
/* The pod is found in FILE now. */
void move(struct fixture *, const char *file, const char *name);

/* Begins to save. */
void save(struct fixture *);
/* Runs until the file of this run has its name. */
void run(struct fixture *);
void end(struct fixture *);

/* What is in the file, "NAME=LABEL@FILE ...", sorted, or "nothing"; to be
 * freed. */
char *load(struct fixture *);
void check(struct fixture *, const char *expected);
/* The same of what is in force. */
char *in_force(const struct fixture *);

/* A file as bytes, to be freed. */
char *read_file(const char *path, size_t *size);
void write_file(const char *path, const char *text, size_t size);
/* Is there a file that was set aside?  Removes it. */
bool set_aside(const struct fixture *);

/* Each runs one group of tests and returns how many failed. */
int test_damage(void);
int test_form(void);
int test_saved(void);

#endif

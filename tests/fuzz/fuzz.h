#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H 1

/* What every fuzz target is: a function that takes bytes from outside and must
 * not crash, leak, or break what it promises.  libFuzzer calls it; without
 * libFuzzer, replay.c calls it on files. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct np_flow;
struct np_table_names;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes TEXT as a manifest and checks what holds for every manifest: errors
 * have places, what was accepted equals itself and what is saved of it, and it
 * compiles. */
void fuzz_manifest_text(const char *text, size_t size);
/* TEXT is JSON, which is YAML as well: if both readers take it, they must find
 * the same objects.  With STRICT, what one takes the other must take. */
void fuzz_json_as_yaml(const char *text, size_t size, bool strict);

/* S must be something to show: on one line, nothing a terminal would obey, and
 * UTF-8, as JSON wants it.  NULL is. */
void fuzz_check_printable(const char *s);
/* FLOW as text, with NAMES of tables (or NULL), must be the same flow when it
 * is read again. */
void fuzz_check_flow_text(const struct np_flow *flow,
                          const struct np_table_names *names);

#endif /* tests/fuzz/fuzz.h */

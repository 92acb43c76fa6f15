#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H 1

/* What every fuzz target is: a function that takes bytes from outside and must
 * not crash, leak, or break what it promises.  libFuzzer calls it; without
 * libFuzzer, replay.c calls it on files. */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes TEXT as a manifest and checks what holds for every manifest: errors
 * have places, what was accepted equals itself, and it compiles. */
void fuzz_manifest_text(const char *text, size_t size);

#endif /* tests/fuzz/fuzz.h */

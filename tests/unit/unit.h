#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H 1

/* What every cmocka unit includes, and numbers that are the same in each
 * run. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Built with AddressSanitizer?  gcc and clang say so in different ways. */
#ifdef __SANITIZE_ADDRESS__
#define UNIT_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define UNIT_SANITIZED 1
#endif
#endif
#ifndef UNIT_SANITIZED
#define UNIT_SANITIZED 0
#endif

/* A xorshift32 generator; '*state' must not be 0.  A failure under a fixed
 * seed can be repeated. */
static inline uint32_t
unit_random(uint32_t *state)
{
    uint32_t x = *state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* 0...N - 1. */
static inline uint32_t
unit_random_below(uint32_t *state, uint32_t n)
{
    return unit_random(state) % n;
}

#endif /* tests/unit/unit.h */

#ifndef TESTS_FUZZ_WRAP_H
#define TESTS_FUZZ_WRAP_H 1

/* Puts the bytes in the midst of an object that is right up to there, so that
 * they reach the code behind the first checks. */

#include <string.h>
#include "fuzz/fuzz.h"
#include "openvswitch/dynamic-string.h"

static inline void
fuzz_wrapped(const char *before, const uint8_t *data, size_t size,
             const char *after)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, before);
    ds_put_buffer(&s, (const char *) data, size);
    ds_put_cstr(&s, after);
    fuzz_manifest_text(ds_cstr(&s), s.length);
    ds_destroy(&s);
}

#endif /* tests/fuzz/wrap.h */

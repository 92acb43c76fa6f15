#ifndef TESTS_FUZZ_SHAPE_H
#define TESTS_FUZZ_SHAPE_H 1

/* Objects made of bytes: each byte is a choice between what may stand at that
 * place, so every input is JSON with the right fields, mostly, and what
 * libFuzzer varies is what they say. */

#include "openvswitch/dynamic-string.h"
#include "fuzz/fuzz.h"

struct shape {
    const uint8_t *p, *end;
    struct ds text;
};

void shape_pod(struct shape *);
void shape_namespace(struct shape *);
void shape_node(struct shape *);
void shape_netpol(struct shape *);

/* Makes an object of DATA with PUT, and decodes it behind CLUSTER, which is
 * JSON, in both languages. */
void shape_run(const uint8_t *data, size_t size, const char *cluster,
               void (*put)(struct shape *));

#endif /* tests/fuzz/shape.h */

#ifndef TESTS_PROP_WORLD_H
#define TESTS_PROP_WORLD_H 1

/* Several random clusters that have the same names for other things: what one
 * thing may be, one after the other. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "unit/compile/fixture.h"

enum {
    N_WORLDS = 8,
    GONE = N_WORLDS,            /* A version: not there. */
    RENUMBERED = 16,            /* Added to a port's: at another ofport. */
};

/* Something with a name, as each of the worlds has it, or NULL. */
struct thing {
    char *key;
    const struct np_meta *object[N_WORLDS];
    const struct np_bridge_port *port[N_WORLDS];
    const char *text[N_WORLDS]; /* As it was read. */
};

struct worlds {
    struct np_fixture fixture[N_WORLDS];
    char *yaml[N_WORLDS], *ports[N_WORLDS];
    struct thing *v;            /* Objects first, then ports. */
    size_t n, n_objects;
};

/* A world with an odd number is the one before it after some edits: parts of
 * its policies are left out. */
void worlds_init(struct worlds *, uint32_t seed);
void worlds_destroy(struct worlds *);

const struct np_meta *thing_object(const struct worlds *, size_t thing,
                                   int version);
/* The ports as VERSIONS, one for each thing, have them; the names and
 * addresses in it are the worlds'. */
struct np_portmap worlds_ports(const struct worlds *, const int *versions);

#endif /* tests/prop/world.h */

#ifndef COMPILE_STAGE_H
#define COMPILE_STAGE_H 1

/* The stage's state. */

#include "compile/clause.h"
#include "compile/identity.h"
#include "compile/point.h"

struct np_compiler {
    struct np_compile_config config;
    char *out_port;
    struct np_numbers *numbers;

    /* The last rebuild, if 'built'; borrows from its inputs. */
    bool built;
    const struct np_policies *policies;
    struct np_points points;
    struct np_identities identities;
    struct np_conjs conjs;
};

#endif /* compile/stage.h */

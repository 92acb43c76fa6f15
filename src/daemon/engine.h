#ifndef NETPOL_DAEMON_ENGINE_H
#define NETPOL_DAEMON_ENGINE_H 1

/* The stages between the source and the switch, as one. */

#include <stdbool.h>
#include "netpol/cache.h"
#include "netpol/change.h"
#include "netpol/compile.h"
#include "netpol/group.h"
#include "netpol/policy.h"
#include "netpol/portmap.h"

struct np_flow_patch;
struct np_flow_set;

struct np_engine {
    const char *node;
    struct np_cache cache;
    struct np_groups groups;
    struct np_policies policies;
    struct np_binding binding;
    uint64_t n_bindings;        /* Changes of it: tells that it is another. */
    struct np_compiler *compiler;
    bool started;
};

/* NODE must live as long as the engine. */
void np_engine_init(struct np_engine *, const struct np_compile_config *,
                    const char *node);
void np_engine_destroy(struct np_engine *);

/* Takes in what CHANGES says, and that the ports are PORTS now unless that is
 * NULL, as one change; adds to OUT what must be changed in the switch.  When
 * it returns nothing here points to old objects any more, nor into PORTS.  OUT
 * is not used, and may be NULL, before the start. */
void np_engine_apply(struct np_engine *, const struct np_changes *,
                     const struct np_portmap *ports,
                     struct np_flow_patch *out);
/* From here on there are flows: all of them are added to OUT.  Identities that
 * INSTALLED, a table of an earlier run (may be NULL), has as well keep their
 * numbers. */
void np_engine_start(struct np_engine *, const struct np_flow_set *installed,
                     struct np_flow_patch *out);
/* Computes everything from scratch, as an engine would that never saw
 * anything but the objects and ports as they are now, and identities numbered
 * as in INSTALLED; fills OUT, which must be empty. */
void np_engine_rebuild(const struct np_engine *,
                       const struct np_flow_set *installed,
                       struct np_flow_set *out);
/* Appends all that the stages below the compiler hold, as text. */
void np_engine_dump(const struct np_engine *, struct ds *);

#endif /* daemon/engine.h */

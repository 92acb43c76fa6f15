#ifndef NETPOL_DAEMON_ENGINE_H
#define NETPOL_DAEMON_ENGINE_H 1

/* The stages between the source and the switch, as one. */

#include <stdbool.h>
#include "netpol/cache.h"
#include "netpol/compile.h"
#include "netpol/policy.h"

struct np_flow_set;
struct np_portmap;
struct np_source;

struct np_engine {
    const char *node;
    struct np_cache cache;
    struct np_policies policies;
    struct np_binding binding;
    struct np_compiler *compiler;
};

/* NODE must live as long as the engine. */
void np_engine_init(struct np_engine *, const struct np_compile_config *,
                    const char *node);
void np_engine_destroy(struct np_engine *);

/* Computes everything anew.  Must be called whenever the source or the ports
 * have changed, before anything else is asked: all stages point into both.
 * OUT, which must be empty, gets the flows; NULL while there is nothing to
 * compile for yet. */
void np_engine_rebuild(struct np_engine *, struct np_source *,
                       const struct np_portmap *, struct np_flow_set *out);

#endif /* daemon/engine.h */

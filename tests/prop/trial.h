#ifndef TESTS_PROP_TRIAL_H
#define TESTS_PROP_TRIAL_H 1

/* The law on trial: an engine that is changed step by step, and the flows that
 * its patches have made. */

#include "daemon/engine.h"
#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"

struct np_trial {
    const struct np_compile_config *config;
    struct np_engine engine;
    struct np_flow_set flows;
    struct ds wrong;            /* Empty while all is well. */
};

/* CONFIG must live as long. */
void np_trial_init(struct np_trial *, const struct np_compile_config *config);
void np_trial_destroy(struct np_trial *);

/* Lets the engine take in CHANGES and PORTS (NULL: as they were), and begin
 * with flows if START; holds the flows against a rebuild. */
void np_trial_change(struct np_trial *, const struct np_changes *changes,
                     const struct np_portmap *ports, bool start);
/* Another engine takes over from what is installed, for OBJECTS, which are all
 * there are, as if they had just come. */
void np_trial_restart(struct np_trial *, const struct np_changes *objects,
                      const struct np_portmap *ports);

#endif /* tests/prop/trial.h */

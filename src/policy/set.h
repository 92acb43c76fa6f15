#ifndef POLICY_SET_H
#define POLICY_SET_H 1

/* Address sets of the rules: making them, each once.  Each reference must be
 * given back. */

#include "netpol/policy.h"

/* The set of the pods that POLICY applies to. */
struct np_set *np_set_ref_applied(struct np_policies *,
                                  const struct np_netpol *policy);
/* The set of the addresses that RULE, a rule of POLICY, names; NULL for any
 * address. */
struct np_set *np_set_ref_peers(struct np_policies *,
                                const struct np_netpol *policy,
                                const struct np_netpol_rule *rule);
void np_set_unref(struct np_policies *, struct np_set *);      /* NULL: ok. */
void np_sets_destroy(struct np_policies *);

#endif /* policy/set.h */

#ifndef POLICY_SET_H
#define POLICY_SET_H 1

/* Address sets of the rules: making them, each once. */

#include "netpol/policy.h"

/* The set of the pods that POLICY applies to. */
struct np_set *np_set_intern_applied(struct np_policies *,
                                     const struct np_netpol *policy);
/* The set of the addresses that RULE, a rule of POLICY, names; NULL for any
 * address. */
struct np_set *np_set_intern_peers(struct np_policies *,
                                   const struct np_netpol *policy,
                                   const struct np_netpol_rule *rule);
/* Gives all sets their ids, in the order of their keys. */
void np_sets_number(struct np_policies *);
void np_sets_clear(struct np_policies *);

#endif /* policy/set.h */

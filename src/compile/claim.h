#ifndef COMPILE_CLAIM_H
#define COMPILE_CLAIM_H 1

/* What ports want, and who gets it. */

#include "netpol/binding.h"

typedef void np_place_cb(struct np_place *, void *aux);

/* Enters what the row of PLACE claims and wants, and takes it out again. */
void np_claim_enter(struct np_binding *, struct np_place *,
                    const struct np_cache *);
void np_claim_leave(struct np_binding *, struct np_place *);
/* Calls CB for all places whose rows name POD, which may be NULL, by key or by
 * UID. */
void np_claim_for_each(const struct np_binding *, const struct np_meta *pod,
                       np_place_cb *, void *aux);
/* Calls CB for all that want ADDR. */
void np_claim_for_each_wanting(const struct np_binding *,
                               const struct np_prefix *addr, np_place_cb *,
                               void *aux);
/* Calls CB for all that claim or want something that PLACE does. */
void np_claim_for_each_rival(const struct np_binding *,
                             const struct np_place *, np_place_cb *,
                             void *aux);

/* Gives PLACE its pod, or tells why there is none.  Its rivals that go first
 * were asked before, and none that comes later has taken anything. */
void np_claim_judge(struct np_binding *, struct np_place *);

#endif /* compile/claim.h */

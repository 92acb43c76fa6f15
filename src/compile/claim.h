#ifndef COMPILE_CLAIM_H
#define COMPILE_CLAIM_H 1

#include "netpol/compile.h"

/* Fills in the claims of PORTS, which B is going to be about.  What ports
 * claimed in OLD already is not looked up again. */
void np_claims_collect(struct np_binding *b, const struct np_portmap *ports,
                       const struct np_cache *, const struct np_binding *old);

#endif /* compile/claim.h */

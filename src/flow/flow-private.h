#ifndef NETPOL_FLOW_PRIVATE_H
#define NETPOL_FLOW_PRIVATE_H 1

#include "netpol/flow.h"

/* As np_flow_create(); *EXACT tells whether all of MATCH survived. */
struct np_flow *np_flow_create__(uint8_t table, uint16_t priority,
                                 uint64_t cookie, const struct match *,
                                 const struct ofpact *actions, size_t len,
                                 bool *exact);

/* Brings MATCH and ACTIONS to the form in which a switch would hand them
 * back: *OUT and what is appended to OUT_ACTS.  False if OpenFlow cannot say
 * them at all, or not within one message; then *OUT and OUT_ACTS are not to
 * be used.  *EXACT tells whether *OUT matches what MATCH does. */
bool np_flow_canonize(const struct match *, const struct ofpact *actions,
                      size_t len, struct match *out, struct ofpbuf *out_acts,
                      bool *exact);

/* In np_flow_compare() order. */
void np_flows_sort(const struct np_flow **, size_t n);

#endif /* flow-private.h */

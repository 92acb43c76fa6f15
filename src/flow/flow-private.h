#ifndef NETPOL_FLOW_PRIVATE_H
#define NETPOL_FLOW_PRIVATE_H 1

#include "netpol/flow.h"

/* As np_flow_create(); *EXACT tells whether all of MATCH survived. */
struct np_flow *np_flow_create__(uint8_t table, uint16_t priority,
                                 uint64_t cookie, const struct match *,
                                 const struct ofpact *actions, size_t len,
                                 bool *exact);

/* What is left of an OpenFlow message's 64 KB for a match and actions once
 * the headers of a bundle-add and of the flow-mod inside are there. */
enum { NP_CANON_MAX = UINT16_MAX - 16 - 48 };

/* canon.c: bring MATCH, or actions, to the form in which a switch would hand
 * them back: *OUT, or what is appended to OUT.  False if OpenFlow cannot say
 * them at all; then OUT is not to be used.  *WIRE_SIZE is what they take in a
 * message: both together must not be more than NP_CANON_MAX.  *EXACT tells
 * whether *OUT matches what MATCH does. */
bool np_canon_match(const struct match *, struct match *out,
                    size_t *wire_size, bool *exact);
bool np_canon_actions(const struct ofpact *, size_t len, struct ofpbuf *out,
                      size_t *wire_size);
/* What canonical actions take in a message. */
size_t np_canon_actions_size(const struct ofpact *, size_t len);

/* flow.c: the LEN bytes of ACTIONS as they are; CANONICAL tells whether that
 * is their canonical form. */
struct np_actions *np_actions_wrap(const struct ofpact *, size_t len,
                                   bool canonical);
/* The canonical form of ACTIONS, asked for each time. */
struct np_actions *np_actions_create(const struct ofpact *, size_t len);
struct np_actions *np_actions_ref(struct np_actions *);
/* Canonical, and so small that they fit in a message with any match? */
bool np_actions_is_plain(const struct np_actions *);
/* Canonical, and just the LEN bytes given? */
bool np_actions_is(const struct np_actions *, const struct ofpact *,
                   size_t len);
struct np_mask *np_mask_ref(struct np_mask *);
void np_mask_unref(struct np_mask *);
uint32_t np_flow_mask_hash(const struct np_flow *);
const struct miniflow *np_flow_value(const struct np_flow *);
bool np_flow_same_mask(const struct np_flow *, const struct np_flow *);
/* The flow of MATCH, as it is, and ACTIONS, which may be NULL.  MASK, unless
 * NULL, is that of another flow of the same shape, to be shared. */
struct np_flow *np_flow_assemble(uint8_t table, uint16_t priority,
                                 uint64_t cookie, const struct match *,
                                 struct np_actions *, struct np_mask *mask);
/* The flow of MATCH in its canonical form, asked for each time. */
struct np_flow *np_flow_create_shared(uint8_t table, uint16_t priority,
                                      uint64_t cookie, const struct match *,
                                      struct np_actions *);
/* Says in the log that the flow made of MATCH is another one. */
void np_flow_warn_inexact(uint8_t table, uint16_t priority,
                          const struct match *);
/* Same cookie and actions. */
bool np_flow_same_body(const struct np_flow *, const struct np_flow *);

/* A number that orders like the 64-bit piece with index IDX of struct flow
 * does in np_flow_compare(). */
uint64_t np_flow_piece_key(size_t idx, uint64_t piece);
/* In np_flow_compare() order. */
void np_flows_sort(const struct np_flow **, size_t n);

#endif /* flow-private.h */

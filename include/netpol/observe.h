#ifndef NETPOL_OBSERVE_H
#define NETPOL_OBSERVE_H 1

/* Who was denied what by policies, and how often.
 *
 * The switch remembers denials in flows that it learns (see
 * ovs-flows/PIPELINE.md); here they are read, and kept for a while when they
 * are no more. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/addr.h"
#include "netpol/compile.h"
#include "openvswitch/hmap.h"

struct np_flow_dump;
struct np_flow_stats;

/* Packets that were denied for one reason.  An overflow stands for all that
 * was denied to a pod while it was denied too much to tell apart: its 'reason'
 * is 0, and all that is known is 'in_port', the port of the pod that sent it,
 * or 'dst', the address of the pod that it came for. */
struct np_denial {
    struct hmap_node node;
    enum np_deny_reason reason; /* NP_DENY_EGRESS of the opener's pod, or
                                 * NP_DENY_INGRESS of the server's. */
    bool reply;                 /* 'src' is the server, else the opener. */
    struct np_prefix src, dst;  /* Family 0 if not known. */
    uint8_t proto;              /* IANA's number. */
    uint16_t port;              /* The server's; of ICMP, type << 8 | code. */
    uint32_t in_port;           /* Of some overflows, else 0. */
    uint64_t n_packets;
    long long int first, last;  /* Seen; time_wall_msec(), to a second. */
};

/* Ended denials that are kept; those that were not seen for the longest time
 * go first. */
enum { NP_DENIALS_MAX = 1000 };

struct np_denials;

/* TABLE_BASE is the pipeline's. */
struct np_denials *np_denials_create(uint8_t table_base);
void np_denials_destroy(struct np_denials *);

/* Takes in that a flow of the switch's ended at NOW (time_wall_msec()). */
void np_denials_ended(struct np_denials *, const struct np_flow_stats *,
                      long long int now);
/* Takes in what the tables of np_denials_tables() had at NOW.  FIRST: what
 * ended since the last time was perhaps not told. */
void np_denials_take(struct np_denials *, const struct np_flow_dump *,
                     bool first, long long int now);
/* The tables that np_denials_take() wants, TABLE_BASE added; returns how
 * many. */
enum { NP_DENIALS_N_TABLES = 3 };
size_t np_denials_tables(uint8_t table_base,
                         uint8_t tables[NP_DENIALS_N_TABLES]);

/* All that are known, those seen last first; '*n' gets their number.  To be
 * freed. */
struct np_denial *np_denials_sort(const struct np_denials *, size_t *n);
/* Packets denied for REASON, as the switch's own counters have it; survives
 * their resets.  Those that policies denied are exact, whatever could not be
 * told apart or was forgotten. */
uint64_t np_denials_total(const struct np_denials *, enum np_deny_reason);
/* How many denials are in memory. */
size_t np_denials_count(const struct np_denials *);
/* Packets in overflows, and in denials that had to go. */
uint64_t np_denials_overflowed(const struct np_denials *);
uint64_t np_denials_forgotten(const struct np_denials *);

#endif /* netpol/observe.h */

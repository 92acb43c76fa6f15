#ifndef NETPOL_OPENFLOW_H
#define NETPOL_OPENFLOW_H 1

/* The installer: makes a bridge's flow table what it should be.
 *
 * It holds an OpenFlow connection (1.3 to 1.5), reads back what is installed
 * under our cookie, and sends only the difference to the desired set, in one
 * atomic bundle ended by a barrier.  Flows without our cookie are never
 * touched, but for the priority-0 NORMAL that a standalone bridge has by
 * itself in table 0.  A desired flow with the key of somebody else's flow is
 * not installed: the rest is, the wish stays unconfirmed, and the status
 * names the flow.  That check is made with what was read back last. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/flow.h"

struct ds;
struct np_installer;

/* An installer without a bridge yet.  The process must ignore SIGPIPE
 * (fatal_ignore_sigpipe() of libopenvswitch), here and for
 * np_openflow_dump(). */
struct np_installer *np_installer_create(void);
void np_installer_destroy(struct np_installer *);   /* Leaves the flows. */

/* Connects to TARGET, a bridge's management socket such as
 * "unix:/run/openvswitch/br-int.mgmt", or disconnects for NULL.  The same
 * target again changes nothing. */
void np_installer_set_target(struct np_installer *, const char *target);

/* Takes over the contents of DESIRED (which is empty afterwards) as what
 * should be installed from now on.  Returns the number of this wish; it is
 * fulfilled once np_installer_realized() is not below it. */
uint64_t np_installer_set_desired(struct np_installer *,
                                  struct np_flow_set *desired);
/* The same for a change of the newest desired set, of which there must have
 * been one; PATCH is empty afterwards.  Costs what is in PATCH, whatever the
 * size of the table, unless the switch refuses something or the connection is
 * lost.  Changes that come in quick succession share a bundle. */
uint64_t np_installer_patch(struct np_installer *,
                            struct np_flow_patch *patch);
/* Removes all flows of ours and installs none until np_installer_resume();
 * returns the number of this wish. */
uint64_t np_installer_flush(struct np_installer *);
/* Ends a flush: the newest desired set, from before or after it, is installed
 * again.  Returns the number of this wish. */
uint64_t np_installer_resume(struct np_installer *);

/* Tables in which changes by others are noticed at once: those with flows of
 * ours, but for those that learn.  Others are looked at from time to time.  To
 * be said before a bridge is connected to; without it nobody looks. */
void np_installer_set_watched(struct np_installer *, const uint8_t *tables,
                              size_t n);

/* The zones of connection tracking in which a patch's connections are to be
 * forgotten.  Needs Open vSwitch 3.1 or later; an older switch goes on knowing
 * them until they time out. */
void np_installer_set_zones(struct np_installer *, uint16_t a, uint16_t b);

/* Appends to S what FLOW stands for, such as "NetworkPolicy a/b ingress[0]",
 * or returns false if that is not known. */
typedef bool np_installer_namer(const struct np_flow *flow, struct ds *s,
                                void *aux);
/* Lets CB name the object behind a flow in errors, which then read
 * "REASON: FLOW (OBJECT)"; it is called only when one is put into words.  NULL
 * for none. */
void np_installer_set_namer(struct np_installer *, np_installer_namer *cb,
                            void *aux);

/* Changes nothing, though it connects and reads, while HOLD is true: for a
 * bridge whose unknown ports or foreign flows must be decided upon first.  A
 * bundle that is not committed yet is discarded; when the hold ends, the
 * table is read again. */
void np_installer_hold(struct np_installer *, bool hold);

/* Ports (by OpenFlow number) that must not receive flooded frames: NORMAL
 * floods what it has not learned.  Set again on each connect and when a port
 * is re-added; cleared from ports that are no longer in the set.  Needs the
 * bridge to speak OpenFlow 1.0, where alone OFPPC_NO_FLOOD exists. */
void np_installer_set_no_flood(struct np_installer *, const uint32_t *ofports,
                               size_t n);

void np_installer_run(struct np_installer *);
void np_installer_wait(struct np_installer *);

/* The newest wish that a barrier has confirmed; 0 for none, and while what is
 * in the switch is not known (no connection, or before its read-back). */
uint64_t np_installer_realized(const struct np_installer *);
/* A number that grows when anything that can be asked here has changed. */
uint64_t np_installer_seqno(const struct np_installer *);

struct np_installer_status {
    const char *state;          /* "no bridge", "connecting", "reading",
                                 * "idle", "sending", "committing", "held",
                                 * "flushed" or "waiting to retry". */
    bool connected;
    bool foreign_flows;         /* Flows without our cookie were there when we
                                 * last connected, a standalone bridge's own
                                 * priority-0 NORMAL aside. */
    size_t n_installed;
    uint64_t n_bundles, n_flow_mods;    /* Committed. */
    uint64_t n_errors;
    bool watched;               /* The switch tells who changes flows. */
    uint64_t n_repairs;         /* Times that others' changes were undone, */
    uint64_t n_repaired;        /* and flows that were concerned. */
    const char *last_error;     /* Why there is no connection, or what stands
                                 * in the way of the newest wish, such as the
                                 * switch's refusal with the flow; or NULL.
                                 * Valid until the next call of run. */
};
void np_installer_get_status(const struct np_installer *,
                             struct np_installer_status *);
/* What is installed under our cookie as far as we know, learned flows aside;
 * NULL before a connection's read-back.  Valid until the next call of any
 * function here that is not const.  For taking over identity numbers at
 * start. */
const struct np_flow_set *np_installer_installed(const struct np_installer *);

/* One blocking read of a bridge's whole table, for tools.  Returns NULL, or
 * an error to be freed, such as "br-int: connection failed (…)".  Flows that
 * are not ours are included if ALL; learned ones of ours always are.  The
 * dump is valid, though empty, after an error too. */
struct np_flow_stats {
    const struct np_flow *flow; /* In the set. */
    uint64_t n_packets, n_bytes;        /* UINT64_MAX if unknown. */
    uint32_t duration;          /* Seconds. */
    uint32_t idle;              /* Seconds since the last packet; UINT32_MAX if
                                 * unknown, as it is below OpenFlow 1.5. */
};
struct np_flow_dump {
    struct np_flow_set set;
    struct np_flow_stats *stats;        /* In np_flow_set_sort() order. */
    size_t n, allocated;
};
char *np_openflow_dump(const char *target, bool all, struct np_flow_dump *);
void np_flow_dump_init(struct np_flow_dump *);
void np_flow_dump_destroy(struct np_flow_dump *);

#endif /* netpol/openflow.h */

#ifndef NETPOL_OPENFLOW_PRIVATE_H
#define NETPOL_OPENFLOW_PRIVATE_H 1

#include "netpol/openflow.h"

#include <sys/types.h>
#include <time.h>

#include "openvswitch/ofp-protocol.h"

struct ofp_header;
struct ofpbuf;
struct ofputil_flow_stats;
struct rconn;
struct rconn_packet_counter;

/* Who knows the object behind a flow; 'cb' may be NULL. */
struct np_of_namer {
    np_installer_namer *cb;
    void *aux;
};
/* Appends FLOW and, if it is known, " (OBJECT)". */
void np_of_format_flow(const struct np_flow *, const struct np_of_namer *,
                       struct ds *);

/* "br-int" for "unix:/run/openvswitch/br-int.mgmt", else the target itself;
 * to be freed. */
char *np_of_name(const char *target);
/* Why RCONN is not connected, or NULL; to be freed. */
char *np_of_conn_error(const struct rconn *);

/* knock.c: makes an rconn to a Unix socket that waits before it tries again try
 * at once when the socket is a new one.  All zeros at first. */
struct np_of_knock {
    ino_t ino;
    dev_t dev;
    struct timespec ctime;
    unsigned int seqno;         /* Of the connection it was looked at for. */
    int n_left;                 /* Attempts. */
    long long int at;           /* When to look again; in time_msec(). */
};
void np_of_knock_run(struct np_of_knock *, struct rconn *);
void np_of_knock_wait(const struct np_of_knock *, struct rconn *);

/* msg.c: what is sent.  Each message comes with XID (host byte order), so
 * that an answer can be told apart from answers to earlier questions. */
enum { NP_OF_VERSIONS = (1u << OFP13_VERSION) | (1u << OFP14_VERSION)
                        | (1u << OFP15_VERSION) };

struct ofpbuf *np_of_set_config(int version, uint16_t miss_send_len);
/* Asks to be told of others' changes of the flows in TABLE. */
struct ofpbuf *np_of_monitor_request(int version, uint32_t xid,
                                     uint8_t table);
/* All flows of TABLE, or of all tables for 255 (OFPTT_ALL). */
struct ofpbuf *np_of_flow_request(int version, uint32_t xid, uint8_t table);
struct ofpbuf *np_of_barrier(int version, uint32_t xid);
/* Makes the connections of ADDR in conntrack's ZONE be forgotten, those that it
 * opened or those that it SERVES; of PROTO, or any if that is 0. */
struct ofpbuf *np_of_ct_flush(int version, uint32_t xid, uint16_t zone,
                              const struct np_prefix *addr, bool serves,
                              uint8_t proto);
/* CONTROL is an OFPBCT_… request. */
struct ofpbuf *np_of_bundle_control(int version, uint32_t xid, uint32_t bundle,
                                    uint16_t control);

enum np_of_verb {
    NP_OF_PUT,                  /* Add, or replace the same key. */
    NP_OF_DELETE,               /* The flow with this key, if it is ours. */
    NP_OF_FLUSH,                /* All flows of ours, in all tables. */
};
/* The bundle-add message with a flow-mod in it; FLOW is NULL for a flush.
 * NULL if it does not fit in an OpenFlow message. */
struct ofpbuf *np_of_bundle_add(int version, uint32_t xid, uint32_t bundle,
                                enum np_of_verb, const struct np_flow *flow);
/* False if np_of_bundle_add() would fail on a put. */
bool np_of_fits(const struct np_flow *);

/* readback.c: what is read. */
struct np_flow *np_of_flow_from_stats(struct np_flow_maker *,
                                      const struct ofputil_flow_stats *,
                                      bool with_actions);
/* The one flow that a bridge in standalone mode has by itself. */
bool np_of_is_standalone_default(const struct ofputil_flow_stats *);

struct np_readback {
    struct np_flow_set ours;    /* Without the learned ones. */
    struct np_flow_set foreign; /* Without actions and standalone default. */
    size_t n_learned;
    struct np_flow_maker *maker;        /* NULL before the first reply. */
};
void np_readback_init(struct np_readback *);
void np_readback_clear(struct np_readback *);
void np_readback_destroy(struct np_readback *);
/* Takes in one flow stats reply.  Returns 0 or an OFPERR. */
int np_readback_add(struct np_readback *, struct ofpbuf *reply);
/* There are no more replies: forgets what only these needed. */
void np_readback_end(struct np_readback *);

/* dump.c: flows with their counters. */
void np_of_dump_add(struct np_flow_dump *, struct np_flow_maker *,
                    const struct ofputil_flow_stats *);
void np_of_dump_sort(struct np_flow_dump *);

/* bundle.c: one atomic change under way. */
struct np_bundle {
    struct np_flow_delta delta; /* Unless flush. */
    bool flush;
    uint32_t id;
    uint32_t first_xid;         /* Of the first flow-mod; then ascending. */
    size_t n, n_sent;           /* Flow-mods. */
    uint32_t control_xid;       /* Of open, then of commit. */
    uint32_t barrier_xid;       /* 0 while none is awaited. */
    bool committed;             /* Reply to commit has come. */
    char *error;                /* The switch's first refusal, or NULL. */
};
/* Takes DELTA over, unless it is NULL: then it flushes. */
void np_bundle_init(struct np_bundle *, struct np_flow_delta *delta);
void np_bundle_destroy(struct np_bundle *);
void np_bundle_open(struct np_bundle *, struct rconn *, uint32_t *next_xid);
/* Queues as many flow-mods as COUNTER and a turn of the main loop allow.
 * True if all are queued. */
bool np_bundle_send(struct np_bundle *, struct rconn *,
                    struct rconn_packet_counter *counter);
/* Waits for room to go on with np_bundle_send(). */
void np_bundle_wait(const struct np_bundle *,
                    const struct rconn_packet_counter *counter);
void np_bundle_barrier(struct np_bundle *, struct rconn *,
                       uint32_t *next_xid);
void np_bundle_commit(struct np_bundle *, struct rconn *, uint32_t *next_xid);
void np_bundle_discard(struct np_bundle *, struct rconn *,
                       uint32_t *next_xid);
/* Looks at an OFPT_ERROR: true if it is about this bundle. */
bool np_bundle_error(struct np_bundle *, const struct ofp_header *,
                     const struct np_of_namer *);
/* Looks at a bundle control reply. */
void np_bundle_reply(struct np_bundle *, const struct ofp_header *);

/* noflood.c */
struct np_noflood *np_noflood_create(void);
void np_noflood_destroy(struct np_noflood *);
void np_noflood_set_target(struct np_noflood *, const char *target);
void np_noflood_set_ports(struct np_noflood *, const uint32_t *ofports,
                          size_t n);
void np_noflood_run(struct np_noflood *, bool hold);
void np_noflood_wait(struct np_noflood *);
/* Why ports cannot be flagged, or NULL; valid until the next run. */
const char *np_noflood_error(const struct np_noflood *);

#endif /* openflow-private.h */

#ifndef NETPOL_OPENFLOW_INSTALLER_H
#define NETPOL_OPENFLOW_INSTALLER_H 1

#include "openflow-private.h"

#include "openvswitch/token-bucket.h"

/* Where the connection stands. */
enum np_of_state {
    NP_OF_DISCONNECTED,
    NP_OF_READING,              /* Flow stats requested. */
    NP_OF_IDLE,                 /* Nothing under way; 'rb.ours' is true. */
    NP_OF_SENDING,              /* Filling a bundle. */
    NP_OF_CHECKING,             /* Barrier: is all of it in the bundle? */
    NP_OF_COMMITTING,           /* Committed; commit's barrier awaited. */
};

/* Changes of our flows by others. */
struct np_watch {
    uint8_t *tables;            /* Watched ones. */
    size_t n_tables;
    uint32_t first_xid;         /* Of the monitor requests; then ascending. */
    bool refused;
    long long int alarm_at;     /* When to look because of an alarm;
                                 * LLONG_MAX for none. */
    bool answered;              /* Some of what is being read has come. */
    long long int began, ended; /* The last look; in time_msec(). */
    long long int took;         /* Milliseconds. */
    uint64_t n_repairs, n_repaired;     /* Times, and flows in all. */
};

struct np_installer {
    /* Connection. */
    struct rconn *rconn;
    struct np_of_knock knock;
    struct rconn_packet_counter *queued;
    char *target;               /* NULL for none. */
    char *name;                 /* Bridge, for messages. */
    unsigned int conn_seqno;
    enum np_of_state state;
    uint32_t next_xid;
    uint32_t read_xid;          /* Of the flow stats request. */
    bool configured;            /* Fragment handling was set. */
    struct np_noflood *noflood;

    /* Wishes.  A set of flows is in one place at a time, because there may
     * be hundreds of thousands: it comes in as 'next', is 'sending' while its
     * bundle is under way, and ends as 'rb.ours', what is installed.  While
     * there is no 'next', 'patch' is what the newest wish changes in the set
     * that is 'sending' or 'rb.ours'. */
    struct np_flow_set next;
    bool have_next;
    uint64_t next_no;
    struct np_flow_patch patch;
    bool have_patch;            /* Never together with 'have_next'. */
    uint64_t patch_no;
    struct np_flow_set sending;
    struct np_flow_patch sending_patch;
    bool patching;              /* It is 'sending_patch' that is sent. */
    uint64_t sending_no;
    uint64_t installed_no;      /* Of what is in 'rb.ours' and 'skipped', when
                                 * these are a wish; 0 otherwise. */
    struct np_addr_list forget; /* Connections to be forgotten with the next
                                 * wish that is done. */
    uint16_t zones[2];          /* Of these; 0 for none. */
    struct np_flow_set skipped; /* Wished, but cannot be installed. */
    uint64_t last_no;           /* Newest number given out. */
    uint64_t resume_no;
    uint64_t realized;

    bool hold;
    bool flushed;               /* No flows of ours until resume. */
    uint64_t flush_no;
    bool flush_done;            /* On this connection. */

    /* What is there. */
    struct np_readback rb;
    bool known;                 /* 'rb' is complete. */
    struct np_readback look;    /* While 'looking': what is to be held */
    bool looking;               /* against 'rb'. */
    struct np_watch watch;
    bool foreign_flows;

    /* What is under way. */
    struct np_bundle bundle;
    bool busy;                  /* 'bundle' is in use. */
    long long int retry_at;     /* Not before; in time_msec(). */
    int backoff;                /* Milliseconds. */
    bool reread;                /* Read back again before the next bundle. */
    bool patch_refused;         /* 'patch' waits for that. */
    long long int refused_at;   /* Last refusal; in time_msec(). */
    struct token_bucket pace;   /* Of bundles that carry patches. */

    bool poked;                 /* Something was asked since the last run. */
    uint64_t seqno;
    uint64_t n_bundles, n_flow_mods, n_errors;
    struct np_of_namer namer;
    char *last_error;
    char *conn_error;           /* Why there is no connection, or NULL. */
};

enum {
    NP_OF_MIN_BACKOFF = 1000,   /* Milliseconds. */
    NP_OF_MAX_BACKOFF = 30000,
};

/* After each bundle a switch looks through its whole datapath again, so a
 * stream of patches is gathered into at most 20 bundles a second.  Ten may go
 * out back to back before: a change that comes alone does not wait.  The
 * bucket gets a token each millisecond. */
enum {
    NP_OF_PACE_COST = 1000 / 20,
    NP_OF_PACE_BURST = 10 * NP_OF_PACE_COST,
};

/* wish.c: what is to be there. */
void np_wish_take_back(struct np_installer *);
bool np_wish_pending(const struct np_installer *);
bool np_wish_start(struct np_installer *, struct np_flow_delta *);
void np_wish_patch(struct np_installer *, struct np_flow_patch *);
bool np_wish_patch_pending(const struct np_installer *);
long long int np_wish_patch_at(const struct np_installer *);
bool np_wish_start_patch(struct np_installer *, struct np_flow_delta *);
void np_wish_done(struct np_installer *);
void np_wish_failed(struct np_installer *);
void np_wish_flushed(struct np_installer *);
/* watch.c: whether it is still there. */
void np_watch_init(struct np_watch *);
void np_watch_destroy(struct np_watch *);
void np_watch_connected(struct np_installer *);
bool np_watch_error(struct np_installer *, const struct ofp_header *);
void np_watch_alarm(struct np_installer *);
void np_watch_update(struct np_installer *, struct ofpbuf *);
void np_watch_read_begins(struct np_installer *);
void np_watch_read_answered(struct np_installer *);
void np_watch_read_ended(struct np_installer *);
long long int np_watch_at(const struct np_installer *);
void np_watch_report(struct np_installer *, const struct np_flow_delta *);
/* Records an error (taken over, never NULL) for the status and the log. */
void np_installer_error(struct np_installer *, char *error);

#endif /* installer.h */

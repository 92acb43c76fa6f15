#ifndef TESTS_UNIT_OPENFLOW_FAKE_SWITCH_H
#define TESTS_UNIT_OPENFLOW_FAKE_SWITCH_H 1

#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"

/* As much of a switch as the installer talks to: a flow table, bundles and
 * ports, on a Unix socket, in the thread of the test. */

enum { FAKE_CONNS = 4, FAKE_PORTS = 8 };

struct fake_conn {
    struct vconn *vconn;        /* NULL for a free slot. */
    struct ovs_list txq;        /* Of "struct ofpbuf"s. */
    bool wants_ends;            /* Of flows. */
    struct ovs_list bundle;     /* The same: bundle-adds. */
    bool bundle_open;
    bool monitors;              /* Is told of others' changes. */
};

struct fake_switch {
    char *path;                 /* Of the socket. */
    char *target;               /* To connect to. */
    struct pvconn *pvconn;
    uint32_t versions;          /* Spoken on new connections. */
    struct fake_conn conns[FAKE_CONNS];
    struct np_flow_set flows;
    uint64_t n_packets;         /* That each of them has counted. */
    struct fake_port {
        bool exists, no_flood;
    } ports[FAKE_PORTS];        /* By number. */

    /* What was asked: "read", "config", "open", "add 7" (priority),
     * "delete 7", "flush", "barrier", "commit", "discard", "monitor 3" (table),
     * each with a space
     * behind; and on the connection for ports "no-flood 3", "flood 3". */
    struct ds log, port_log;

    /* Misbehaviour. */
    int refuse_add;             /* Bundle-adds of this priority; or -1. */
    int refuse_commit;          /* Commits with a flow of this priority. */
    int drop_at_add;            /* Connection lost at this priority. */
    bool refuse_read, refuse_monitor;
    bool no_ct_flush;           /* An old one. */
    bool mute;                  /* Nothing is answered: messages wait. */
};

void fake_switch_init(struct fake_switch *, const char *dir);
void fake_switch_destroy(struct fake_switch *);
void fake_switch_run(struct fake_switch *);
void fake_switch_wait(struct fake_switch *);
/* Loses all connections; as a restart, which forgets flows and flags, if
 * FORGET. */
void fake_switch_drop(struct fake_switch *, bool forget);
/* Tells who wants to know that the port is there (anew), or has gone. */
void fake_switch_port(struct fake_switch *, uint32_t ofport, bool exists);
/* Somebody adds or replaces the flow in TEXT, or deletes that with its key; if
 * TELL, those with a monitor hear of it. */
void fake_switch_edit(struct fake_switch *, const char *text, bool del,
                      bool tell);
/* Says that it had stopped telling, for a while. */
void fake_switch_resume_monitor(struct fake_switch *);
/* FLOW, which it takes, ended; tells all who want to know. */
void fake_switch_end(struct fake_switch *, struct np_flow *flow,
                     uint64_t n_packets, bool idle);
/* Sends a message to all connections that nobody asked for. */
void fake_switch_send_noise(struct fake_switch *);

#endif /* tests/unit/openflow/fake-switch.h */

#ifndef NETPOL_DAEMON_DENIALS_H
#define NETPOL_DAEMON_DENIALS_H 1

/* Who was denied what: what the switch knows of it, asked for and told. */

#include <stdbool.h>
#include "openvswitch/list.h"

struct ds;
struct json;
struct np_daemon;
struct unixctl_conn;

struct np_denial_desk {
    struct np_learned *learned;
    struct np_denials *book;
    long long int next_read;    /* time_msec() */
    long long int as_of;        /* The last read, time_wall_msec(); or 0. */
    struct ovs_list askers;     /* Of netpol/denials, who wait for a read. */
};

void np_denial_desk_init(struct np_daemon *);
/* Answers all that still wait. */
void np_denial_desk_destroy(struct np_daemon *);
/* MGMT is the bridge's management socket; NULL while it is not to be talked
 * to. */
void np_denial_desk_run(struct np_daemon *, const char *mgmt);
void np_denial_desk_wait(struct np_daemon *);

/* Answers CONN, as JSON or as text, once the switch's counters were read anew,
 * or with what was read last if that takes too long. */
void np_denial_desk_ask(struct np_daemon *, struct unixctl_conn *,
                        bool as_json);

/* denials-facts.c: all that is known; to be destroyed. */
struct json *np_denials_create_facts(const struct np_daemon *);
/* denials-text.c: appends the same, made to be read. */
void np_denials_format(const struct json *facts, struct ds *);

#endif /* daemon/denials.h */

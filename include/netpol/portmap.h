#ifndef NETPOL_PORTMAP_H
#define NETPOL_PORTMAP_H 1

/* The ports of the bridge as the database shows them: who claims to be whom.
 *
 * These are claims of one row each.  Which claim holds when two rows name one
 * pod needs the pods' UIDs and is decided by struct np_binding. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/addr.h"
#include "openvswitch/types.h"

enum np_port_role {
    NP_PORT_UNKNOWN,            /* Carries nothing. */
    NP_PORT_POD,
    NP_PORT_NODE,               /* LOCAL and gateways. */
    NP_PORT_UPLINK,
    NP_PORT_TUNNEL,
};

#define NP_OFPORT_NONE 0        /* Not (yet) in the datapath. */
#define NP_OFPORT_LOCAL 0xfffe  /* OFPP_LOCAL in OpenFlow 1.0 numbering. */

struct np_bridge_port {
    char *name;                 /* Interface name. */
    uint32_t ofport;            /* NP_OFPORT_NONE if -1 or unset. */
    enum np_port_role role;
    char *pod_namespace;        /* Claimed pod; NULL if by UID only. */
    char *pod_name;
    char *pod_uid;              /* iface-id-ver, contPodUid; NULL if absent. */
    bool has_mac;
    struct eth_addr mac;        /* attached-mac (Kube-OVN and ovs-cni write
                                 * none); for NODE ports the interface's
                                 * own. */
    struct np_prefix *addrs;    /* ip-address; for NODE ports without it the
                                 * host's.  Sorted, unique. */
    size_t n_addrs;
    char *error;                /* A row that is wrong: which key, why.  Role
                                 * and claim still tell what it is meant to
                                 * be, but it must carry nothing: a value that
                                 * cannot be read must not open more than one
                                 * that can. */
};

/* Sorted by name.  All zeros is empty. */
struct np_portmap {
    struct np_bridge_port *v;
    size_t n;
};

const char *np_port_role_name(enum np_port_role);       /* "pod" */
/* A copy in one piece, for free(). */
struct np_bridge_port *np_bridge_port_clone(const struct np_bridge_port *);
bool np_bridge_port_equal(const struct np_bridge_port *,
                          const struct np_bridge_port *);
void np_portmap_clear(struct np_portmap *);
bool np_portmap_equal(const struct np_portmap *, const struct np_portmap *);
/* How many ports are in one of both alone, or differ. */
size_t np_portmap_count_changes(const struct np_portmap *,
                                const struct np_portmap *);

#endif /* netpol/portmap.h */

#ifndef NETPOL_BINDING_H
#define NETPOL_BINDING_H 1

/* Which port is which pod's, after all claims were weighed: a stage. */

#include <stdbool.h>
#include <stddef.h>
#include "netpol/addr.h"
#include "netpol/cache.h"
#include "netpol/portmap.h"
#include "openvswitch/hmap.h"

struct ds;
struct np_place;

/* A pod of this node. */
struct np_local {
    struct hmap_node node;      /* In struct np_binding, by 'entry'. */
    const struct np_bridge_port *port;
    struct np_entry *entry;     /* The pod's place in the cache. */
    struct np_prefix *addrs;    /* The row's, else the object's; last, the
                                 * link-local one that goes with the MAC. */
    size_t n_addrs;
    char *note;                 /* Something to tell, such as addresses that
                                 * differ from status.podIPs; or NULL. */
    bool open;                  /* The compiler's: none isolates it for
                                 * ingress. */
};

/* What only one port can have: an address.  A MAC is the link-local address
 * that it gives (RFC 4291, appendix A). */
struct np_want {
    struct hmap_node node;      /* In struct np_binding, by 'addr'. */
    struct np_place *place;     /* Who wants it. */
    struct np_prefix addr;
    bool taken;                 /* And has it. */
};

/* A port of the bridge, and what became of its claim. */
struct np_place {
    const struct np_bridge_port *row;   /* NULL only in a delta: it went. */
    struct np_local *local;     /* The pod whose port it is, or NULL. */
    char *problem;              /* Why it carries nothing, of ports of pods and
                                 * of unknown ones; or NULL. */
    struct np_want *wants;      /* Its addresses; last, its MAC. */
    size_t n_wants;
    struct hmap_node claim_node;        /* In struct np_binding, by the pod's
                                         * key or else its UID. */
    bool claims;                /* In there. */
    struct np_entry *entry;     /* The pod that its row names, if there is
                                 * one. */
    bool in_delta;
    bool owns_mac;              /* The compiler's: its flow for the MAC is
                                 * there. */
};

struct np_binding {
    struct np_place **places;   /* One for each port, sorted by name. */
    size_t n_places, allocated_places;
    struct np_local **locals;   /* Sorted by the pod's namespace and name. */
    size_t n_locals, allocated_locals;
    struct np_prefix *node_addrs;       /* Sorted, unique. */
    size_t n_node_addrs;
    struct hmap by_entry;       /* struct np_local. */
    struct hmap by_claim;       /* struct np_place. */
    struct hmap wanted;         /* struct np_want. */
};

/* A place that was looked at again; it may be what it was.  Whoever claims the
 * same pod, wants the same address or has the same MAC is looked at as well. */
struct np_place_change {
    struct np_place *place;     /* As it is now. */
    const struct np_bridge_port *old_row;       /* NULL: it is new. */
    struct np_local *old_local;
};
struct np_binding_delta {
    struct np_place_change *v;  /* Sorted by name. */
    size_t n, allocated;
    bool other_node_addrs;
    struct np_prefix *old_node_addrs;   /* If they are others now. */
    size_t n_old_node_addrs;
};

void np_binding_init(struct np_binding *);
void np_binding_destroy(struct np_binding *);
/* Takes in that the ports are PORTS now, unless it is NULL, and that CACHE has
 * changed by OBJECTS; says in DELTA, which must be all zeros, what became of
 * it.  PORTS, sorted by name, are copied; CACHE's entries must live as long as
 * there is an object in them.  NODE names this node's Node object, which need
 * not exist. */
void np_binding_apply(struct np_binding *, const struct np_portmap *ports,
                      const struct np_cache *,
                      const struct np_cache_delta *objects, const char *node,
                      struct np_binding_delta *);
/* A delta, which must be all zeros, in which everything that is here came. */
void np_binding_everything(struct np_binding *, struct np_binding_delta *);
bool np_binding_delta_is_empty(const struct np_binding_delta *);
/* To be called when all stages have taken DELTA in: frees what went, and
 * empties DELTA. */
void np_binding_settle(struct np_binding *, struct np_binding_delta *);
/* One line a local pod and a port that carries nothing. */
void np_binding_dump(const struct np_binding *, struct ds *);

/* The local pod in ENTRY, or NULL. */
struct np_local *np_binding_find(const struct np_binding *,
                                 const struct np_entry *);
/* Is PLACE, of all ports with its MAC that COUNTS is true of, the one that goes
 * first: the node's if it has one, else the first by name? */
bool np_binding_first_with_mac(const struct np_binding *,
                               const struct np_place *,
                               bool (*counts)(const struct np_bridge_port *,
                                              const void *aux),
                               const void *aux);

#endif /* netpol/binding.h */

#ifndef COMPILE_POINT_H
#define COMPILE_POINT_H 1

/* The points of the address space at which something changes: addresses of
 * pods and of the node, and the prefixes of IP blocks and their exceptions.
 * Between two neighbouring points every address belongs to the same sets. */

#include "netpol/compile.h"
#include "netpol/idset.h"
#include "openvswitch/hmap.h"

/* A set made narrower by a named port: those of SET (any address if NULL)
 * whose pod gives number PORT to a name.  Its id continues those of the
 * policies' sets. */
struct np_named_set {
    struct hmap_node node;      /* In struct np_points. */
    uint32_t id;
    const struct np_set *set;
    enum np_proto proto;
    const char *name;           /* The policy's. */
    uint16_t port;
};

struct np_point {
    struct hmap_node node;      /* In struct np_points, by 'prefix'. */
    struct np_prefix prefix;
    const struct np_pod *pod;   /* Whose address it is, or NULL. */
    uint32_t flags;             /* NP_ID_*. */
    struct np_idset own;        /* Sets that name this very pod. */
    struct np_idset begins;     /* Blocks whose CIDR this prefix is. */
    struct np_idset ends;       /* Blocks that except this prefix. */
    struct np_idset sets;       /* All sets that it is in. */
    const struct np_point *parent;      /* The longest one around it. */
};

struct np_points {
    struct hmap by_prefix;
    struct np_point **sorted;   /* By np_prefix_compare(). */
    size_t n;
    struct hmap named;          /* struct np_named_set. */
    uint32_t next_id;
    bool *rule_used;            /* Of each rule: does it apply to a pod of
                                 * this node? */
};

void np_points_build(struct np_points *, const struct np_policies *,
                     const struct np_cache *, const struct np_binding *);
void np_points_destroy(struct np_points *);

/* The narrower set, or NULL if no address is in it. */
const struct np_named_set *np_points_find_named(const struct np_points *,
                                                const struct np_set *,
                                                const struct np_service *,
                                                uint16_t port);

#endif /* compile/point.h */

/* Addresses that were a pod's.
 *
 * When another pod gets one, connections of the first may still be known to
 * conntrack, and what the second sends or is sent must not pass for a part of
 * them.  So the switch is told to forget them.  To find an address's
 * connections it looks through all that there are; therefore only an address
 * that does come to another pod is forgotten, not each that a pod leaves. */

#include <config.h>
#include "compile/stage.h"

#include <stdlib.h>

#include "coverage.h"
#include "hash.h"
#include "util.h"

COVERAGE_DEFINE(np_compile_reused);

/* As many as a busy cluster frees in some minutes; the oldest make room. */
enum { GHOSTS_MAX = 8192 };

struct ghost {
    struct hmap_node node;      /* In 'ghosts', by 'addr'. */
    struct ovs_list by_age;     /* In 'ghosts_by_age', the oldest first. */
    struct np_prefix addr;
    uint64_t pod;               /* Who had it. */
};

/* Which incarnation of which pod. */
static uint64_t
pod_id(const struct np_meta *pod)
{
    uint64_t id = 0;

    for (uint32_t basis = 0; basis < 2; basis++) {
        uint32_t hash = hash_string(pod->namespace,
                                    hash_string(pod->name, basis));

        id = id << 32 | hash_string(pod->uid ? pod->uid : "", hash);
    }
    return id;
}

static void
forget(struct np_compiler *c, const struct np_prefix *addr)
{
    COVERAGE_INC(np_compile_reused);
    np_addr_list_add(&c->build.patch->forget, addr);
}

static struct ghost *
find_ghost(const struct np_compiler *c, const struct np_prefix *addr)
{
    struct ghost *g;

    HMAP_FOR_EACH_WITH_HASH (g, node, np_prefix_hash(addr, 0), &c->ghosts) {
        if (np_prefix_equal(&g->addr, addr)) {
            return g;
        }
    }
    return NULL;
}

static void
lay(struct np_compiler *c, struct ghost *g)
{
    hmap_remove(&c->ghosts, &g->node);
    ovs_list_remove(&g->by_age);
    free(g);
}

/* POD has left ADDR, and claims it no longer. */
void
np_ghost_left(struct np_compiler *c, const struct np_prefix *addr,
              const struct np_meta *pod)
{
    const struct np_point *point = np_point_find(c, addr);
    struct ghost *g;

    if (!c->started) {
        return;
    } else if (point && point->n_claims) {
        forget(c, addr);        /* Somebody else's already. */
        return;
    }
    g = find_ghost(c, addr);
    if (!g) {
        g = xmalloc(sizeof *g);
        g->addr = *addr;
        hmap_insert(&c->ghosts, &g->node, np_prefix_hash(addr, 0));
    } else {
        ovs_list_remove(&g->by_age);
    }
    g->pod = pod_id(pod);
    ovs_list_push_back(&c->ghosts_by_age, &g->by_age);
    if (hmap_count(&c->ghosts) > GHOSTS_MAX) {
        lay(c, CONTAINER_OF(ovs_list_front(&c->ghosts_by_age), struct ghost,
                            by_age));
    }
}

/* POD has ADDR now; it was BEFORE's, if that is not NULL. */
void
np_ghost_came(struct np_compiler *c, const struct np_prefix *addr,
              const struct np_meta *pod, const struct np_meta *before)
{
    struct ghost *g;

    if (!c->started) {
        return;
    } else if (before) {
        if (before != pod && pod_id(before) != pod_id(pod)) {
            forget(c, addr);
        }
        return;
    }
    g = find_ghost(c, addr);
    if (g) {
        if (g->pod != pod_id(pod)) {
            forget(c, addr);
        }
        lay(c, g);
    }
}

void
np_ghosts_destroy(struct np_compiler *c)
{
    struct ghost *g;

    HMAP_FOR_EACH_POP (g, node, &c->ghosts) {
        free(g);
    }
    hmap_destroy(&c->ghosts);
}

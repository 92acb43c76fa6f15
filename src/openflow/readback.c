/* What is installed, read back from the switch.
 *
 * Flows are sorted by their cookie alone: ours, to be reconciled; ours that
 * the switch learned itself, which come and go without us; and everybody
 * else's, of which only the key is kept, because a flow of ours with the
 * same key would silently replace it. */

#include <config.h>

#include "openflow-private.h"

#include <stdio.h>
#include <string.h>

#include "byte-order.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofpbuf.h"
#include "flow.h"

void
np_readback_init(struct np_readback *rb)
{
    np_flow_set_init(&rb->ours);
    np_flow_set_init(&rb->foreign);
    rb->n_learned = 0;
    rb->maker = NULL;
}

void
np_readback_clear(struct np_readback *rb)
{
    np_flow_set_clear(&rb->ours);
    np_flow_set_clear(&rb->foreign);
    rb->n_learned = 0;
    np_readback_end(rb);
}

void
np_readback_end(struct np_readback *rb)
{
    np_flow_maker_destroy(rb->maker);
    rb->maker = NULL;
}

void
np_readback_destroy(struct np_readback *rb)
{
    np_readback_end(rb);
    np_flow_set_destroy(&rb->ours);
    np_flow_set_destroy(&rb->foreign);
}

struct np_flow *
np_of_flow_from_stats(struct np_flow_maker *maker,
                      const struct ofputil_flow_stats *fs, bool with_actions)
{
    struct np_actions *actions
        = np_flow_maker_actions(maker, fs->ofpacts,
                                with_actions ? fs->ofpacts_len : 0);
    struct np_flow *flow = np_flow_maker_make(maker, fs->table_id,
                                              fs->priority,
                                              ntohll(fs->cookie), &fs->match,
                                              actions);

    np_actions_unref(actions);
    return flow;
}

bool
np_of_is_standalone_default(const struct ofputil_flow_stats *fs)
{
    const struct ofpact *a = fs->ofpacts;

    return (!fs->table_id && !fs->priority && !fs->cookie
            && flow_wildcards_is_catchall(&fs->match.wc)
            && fs->ofpacts_len
            && ofpact_next(a) == ofpact_end(a, fs->ofpacts_len)
            && a->type == OFPACT_OUTPUT
            && ofpact_get_OUTPUT(a)->port == OFPP_NORMAL);
}

static void
add_flow(struct np_readback *rb, const struct ofputil_flow_stats *fs)
{
    uint64_t cookie = ntohll(fs->cookie);

    if (!np_cookie_is_ours(cookie)) {
        if (!np_of_is_standalone_default(fs)) {
            np_flow_destroy(np_flow_set_put(&rb->foreign,
                                            np_of_flow_from_stats(rb->maker,
                                                                  fs,
                                                                  false)));
        }
    } else if (np_cookie_kind(cookie) == NP_FLOW_LEARNED) {
        rb->n_learned++;
    } else {
        np_flow_destroy(np_flow_set_put(&rb->ours,
                                        np_of_flow_from_stats(rb->maker, fs,
                                                              true)));
    }
}

/* The decoder leaves holes between the actions, which are compared as bytes:
 * OFPACTS, where it writes, is therefore all zeros each time.  What does not
 * fit in it is moved, holes and all, and is only slower to compare. */
int
np_readback_add(struct np_readback *rb, struct ofpbuf *reply)
{
    uint64_t stub[4096 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_stats fs;
    int error;

    if (!rb->maker) {
        rb->maker = np_flow_maker_create();
    }
    memset(stub, 0, sizeof stub);
    while (!(error = ofputil_decode_flow_stats_reply(&fs, reply, false,
                                                     &ofpacts))) {
        add_flow(rb, &fs);
        memset(ofpacts.data, 0, ofpacts.size);
    }
    ofpbuf_uninit(&ofpacts);
    return error == EOF ? 0 : error;
}

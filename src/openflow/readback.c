/* What is installed, read back from the switch.
 *
 * Flows are sorted by their cookie alone: ours, to be reconciled; ours that
 * the switch learned itself, which come and go without us; and everybody
 * else's, of which only the key is kept, because a flow of ours with the
 * same key would silently replace it. */

#include <config.h>

#include "openflow-private.h"

#include <stdio.h>

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
    rb->last = NULL;
}

void
np_readback_clear(struct np_readback *rb)
{
    np_flow_set_clear(&rb->ours);
    np_flow_set_clear(&rb->foreign);
    rb->n_learned = 0;
    rb->last = NULL;
}

void
np_readback_destroy(struct np_readback *rb)
{
    np_flow_set_destroy(&rb->ours);
    np_flow_set_destroy(&rb->foreign);
}

struct np_flow *
np_of_flow_from_stats(const struct ofputil_flow_stats *fs, bool with_actions)
{
    return np_flow_create(fs->table_id, fs->priority, ntohll(fs->cookie),
                          &fs->match, fs->ofpacts,
                          with_actions ? fs->ofpacts_len : 0);
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
                                            np_of_flow_from_stats(fs,
                                                                  false)));
        }
    } else if (np_cookie_kind(cookie) == NP_FLOW_LEARNED) {
        rb->n_learned++;
    } else {
        struct np_flow *flow = np_of_flow_from_stats(fs, true);

        if (rb->last) {
            np_flow_share_actions(flow, rb->last);
        }
        rb->last = flow;
        np_flow_destroy(np_flow_set_put(&rb->ours, flow));
    }
}

int
np_readback_add(struct np_readback *rb, struct ofpbuf *reply)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_flow_stats fs;
    int error;

    while (!(error = ofputil_decode_flow_stats_reply(&fs, reply, false,
                                                     &ofpacts))) {
        add_flow(rb, &fs);
    }
    ofpbuf_uninit(&ofpacts);
    return error == EOF ? 0 : error;
}

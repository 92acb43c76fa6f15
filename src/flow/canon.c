/* The canonical form of a match and its actions.
 *
 * The same flow can be put down in several ways: `note` with and without its
 * padding, an ethertype with and without the packet type that it implies, an
 * action that remembers which of several encodings it arrived in.  A switch
 * decodes what it is sent and encodes it anew when asked, and what comes
 * back is spelled its own way.  If those spellings were compared, a restart
 * would rewrite half of a right table.
 *
 * So every flow is taken once through the wire format, here, when it is
 * made, and from then on equality is a comparison of bytes.  OpenFlow 1.5 is
 * the version that can say everything; what was read over an older one ends
 * up in the same form. */

#include <config.h>

#include "flow-private.h"

#include <arpa/inet.h>
#include <string.h>

#include "nx-match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-match.h"
#include "openvswitch/ofpbuf.h"

/* Some differences are none: a match on anything in an Ethernet frame implies
 * the packet type, which decoding adds; a frame without a tag has no PCP; and
 * the parser of `ip_frag` sets mask bits that mean nothing. */
static bool
same_match(const struct match *a_, const struct match *b)
{
    struct match a = *a_;

    if (match_has_default_packet_type(b)) {
        match_set_default_packet_type(&a);
    } else if (!b->wc.masks.packet_type && match_has_default_packet_type(&a)) {
        a.wc.masks.packet_type = 0;
    }
    if (a.wc.masks.vlans[0].tci & htons(VLAN_CFI)
        && !(a.flow.vlans[0].tci & htons(VLAN_CFI))) {
        a.wc.masks.vlans[0].tci &= ~htons(VLAN_PCP_MASK);
    }
    a.wc.masks.nw_frag &= FLOW_NW_FRAG_MASK;
    return flow_wildcards_equal(&a.wc, &b->wc)
           && flow_equal(&a.flow, &b->flow);
}

/* The decoder leaves holes between what it writes, behind a 6-byte Ethernet
 * address for example.  Bytes are compared, so they must be zeros: decode
 * into memory that is, with room enough that it is never moved (the densest
 * actions grow about sixfold). */
static void
prepare(struct ofpbuf *acts, size_t wire_size)
{
    ofpbuf_prealloc_tailroom(acts, 8 * wire_size + 256);
    memset(ofpbuf_tail(acts), 0, ofpbuf_tailroom(acts));
}

bool
np_canon_match(const struct match *match, struct match *out, size_t *wire_size,
               bool *exact)
{
    struct match normal = *match;
    uint64_t stub[1024 / 8];
    struct ofpbuf msg = OFPBUF_STUB_INITIALIZER(stub);

    ofputil_normalize_match_quiet(&normal);
    oxm_put_match(&msg, &normal, OFP15_VERSION);
    *wire_size = msg.size;

    bool ok = !oxm_pull_match(&msg, false, NULL, NULL, out);
    *exact = ok && same_match(match, out);
    ofpbuf_uninit(&msg);
    return ok;
}

bool
np_canon_actions(const struct ofpact *actions, size_t len, struct ofpbuf *out,
                 size_t *wire_size)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf msg = OFPBUF_STUB_INITIALIZER(stub);

    ofpacts_put_openflow_instructions(actions, len, &msg, OFP15_VERSION);
    *wire_size = msg.size;

    /* Nothing larger can be decoded: its lengths wrap around. */
    bool ok = msg.size <= NP_CANON_MAX;
    if (ok) {
        prepare(out, msg.size);
        ok = !ofpacts_pull_openflow_instructions(&msg, msg.size,
                                                 OFP15_VERSION, NULL, NULL,
                                                 out);
    }
    ofpbuf_uninit(&msg);
    return ok;
}

size_t
np_canon_actions_size(const struct ofpact *actions, size_t len)
{
    struct ofpbuf msg;

    ofpbuf_init(&msg, 2 * len + 64);
    ofpacts_put_openflow_instructions(actions, len, &msg, OFP15_VERSION);
    size_t size = msg.size;
    ofpbuf_uninit(&msg);
    return size;
}

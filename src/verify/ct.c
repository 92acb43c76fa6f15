/* Connection tracking for one packet.
 *
 * To judge a single packet one need not track connections: it is enough to
 * say what the packet is to the one that it belongs to.  What the fields of a
 * tracked packet then hold is from ovs-fields(7), "Connection Tracking
 * Fields", and lib/conntrack.c, write_ct_md(): the tuple is that of the
 * connection's opener, for a reply and for an error as well, and that of the
 * packet itself if there is no connection yet; an invalid packet has none. */

#include <config.h>

#include "netpol/interp.h"

#include "flow.h"
#include "openvswitch/util.h"
#include "packets.h"
#include "util.h"

uint8_t
np_ct_state(enum np_ct_relation relation)
{
    switch (relation) {
    case NP_CT_NEW: return CS_TRACKED | CS_NEW;
    case NP_CT_ESTABLISHED: return CS_TRACKED | CS_ESTABLISHED;
    case NP_CT_REPLY: return CS_TRACKED | CS_ESTABLISHED | CS_REPLY_DIR;
    case NP_CT_RELATED: return CS_TRACKED | CS_RELATED;
    case NP_CT_RELATED_REPLY: return CS_TRACKED | CS_RELATED | CS_REPLY_DIR;
    case NP_CT_INVALID: return CS_TRACKED | CS_INVALID;
    }
    OVS_NOT_REACHED();
}

struct np_ct_tuple
np_ct_tuple_of(const struct flow *packet, bool reply)
{
    return (struct np_ct_tuple) {
        .nw_src = reply ? packet->nw_dst : packet->nw_src,
        .nw_dst = reply ? packet->nw_src : packet->nw_dst,
        .ipv6_src = reply ? packet->ipv6_dst : packet->ipv6_src,
        .ipv6_dst = reply ? packet->ipv6_src : packet->ipv6_dst,
        .tp_src = reply ? packet->tp_dst : packet->tp_src,
        .tp_dst = reply ? packet->tp_src : packet->tp_dst,
        .nw_proto = packet->nw_proto,
    };
}

static struct np_ct_entry *
find_zone(struct np_ct_model *model, uint16_t zone)
{
    for (size_t i = 0; i < model->n; i++) {
        if (model->entries[i].zone == zone) {
            return &model->entries[i];
        }
    }
    return NULL;
}

struct np_ct_entry *
np_ct_model_add(struct np_ct_model *model, uint16_t zone,
                enum np_ct_relation relation, const struct np_ct_tuple *opener)
{
    ovs_assert(model->n < ARRAY_SIZE(model->entries));

    struct np_ct_entry *entry = &model->entries[model->n++];
    *entry = (struct np_ct_entry) {
        .zone = zone, .relation = relation, .opener = *opener,
    };
    return entry;
}

static void
commit(const struct np_interp_ct *ct, struct np_ct_entry *entry)
{
    entry->mark = (entry->mark & ~ct->mark_mask) | ct->mark;
    entry->label.u64.hi = ((entry->label.u64.hi & ~ct->label_mask.u64.hi)
                           | ct->label.u64.hi);
    entry->label.u64.lo = ((entry->label.u64.lo & ~ct->label_mask.u64.lo)
                           | ct->label.u64.lo);
}

static void
fill_in(const struct np_ct_entry *entry, struct flow *packet)
{
    flow_clear_conntrack(packet);
    packet->ct_zone = entry->zone;
    packet->ct_state = np_ct_state(entry->relation);
    if (entry->relation == NP_CT_INVALID) {
        return;
    }
    packet->ct_mark = entry->mark;
    packet->ct_label = entry->label;
    packet->ct_nw_proto = entry->opener.nw_proto;
    packet->ct_tp_src = entry->opener.tp_src;
    packet->ct_tp_dst = entry->opener.tp_dst;
    if (packet->dl_type == htons(ETH_TYPE_IP)) {
        packet->ct_nw_src = entry->opener.nw_src;
        packet->ct_nw_dst = entry->opener.nw_dst;
    } else {
        packet->ct_ipv6_src = entry->opener.ipv6_src;
        packet->ct_ipv6_dst = entry->opener.ipv6_dst;
    }
}

void
np_ct_model_run(const struct np_interp_ct *ct, struct flow *packet,
                void *model_)
{
    struct np_ct_model *model = model_;
    struct np_ct_entry *entry = find_zone(model, ct->zone);
    struct np_ct_entry fresh;

    if (!is_ip_any(packet)) {
        entry = &fresh;
        fresh = (struct np_ct_entry) { .relation = NP_CT_INVALID };
    } else if (!entry) {
        struct np_ct_tuple opener = np_ct_tuple_of(packet, false);

        if (ct->commit && model->n < ARRAY_SIZE(model->entries)) {
            entry = np_ct_model_add(model, ct->zone, NP_CT_NEW, &opener);
        } else {
            entry = &fresh;
            fresh = (struct np_ct_entry) { .opener = opener };
        }
    }
    entry->zone = ct->zone;
    if (ct->commit && entry->relation != NP_CT_INVALID) {
        commit(ct, entry);
    }
    fill_in(entry, packet);
}

void
np_ct_new(const struct np_interp_ct *ct, struct flow *packet,
          void *aux OVS_UNUSED)
{
    struct np_ct_model empty = { .n = 0 };

    np_ct_model_run(ct, packet, &empty);
}

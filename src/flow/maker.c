/* Many flows that look alike.
 *
 * To know the canonical form of a flow it has to be encoded and decoded
 * again, and that costs most of what a flow costs.  But a table has hundreds
 * of thousands of flows in a few dozen shapes: the same fields with the same
 * masks, and only addresses, numbers and ports differ.  Encoding and decoding
 * copy those, whatever they are.  So what becomes of one flow tells what
 * becomes of each one of the same shape, and a comparison is enough.
 *
 * What is in a shape and what is a mere value is decided on the safe side:
 * anything that prerequisites look at (ethertype, protocol, fragments, tags,
 * ICMP types) and anything that is translated belongs to the shape.  What is
 * not known takes the way of np_flow_create().
 *
 * What is remembered is of fixed size.  A place is found by a hash, and a
 * newer shape takes it from an older one: that costs time, nothing else. */

#include <config.h>

#include "flow-private.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "hash.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* All powers of two. */
enum { N_MATCHES = 64, N_SHAPES = 64, N_ACTIONS = 4096 };
/* Larger actions are always encoded; a multiple of 8. */
enum { SHAPE_MAX = 256 };

/* A match, and what it differs by from its canonical form: never in mere
 * values, so it stands for all of its shape. */
struct match_shape {
    bool used;
    struct np_mask *shared;     /* The canonical mask. */
    bool canonical;             /* It does not differ. */
    uint64_t flow[FLOW_U64S];
    uint64_t mask[FLOW_U64S];
    uint64_t flow_change[FLOW_U64S];    /* Bits that flip. */
    uint64_t mask_change[FLOW_U64S];
};

/* Actions with 0 for mere values, and the bits that flip when they become
 * canonical, whatever the values. */
struct actions_shape {
    size_t len;                 /* 0: not in use. */
    uint64_t data[SHAPE_MAX / 8];
    uint64_t change[SHAPE_MAX / 8];
};

struct np_flow_maker {
    /* Bits of struct flow that are mere values; [1] for TCP, UDP, SCTP. */
    uint64_t values[2][FLOW_U64S];
    struct match_shape matches[N_MATCHES];
    struct actions_shape shapes[N_SHAPES];
    struct np_actions *actions[N_ACTIONS];      /* Made before. */
};

#define SET_VALUE(FLOW, MEMBER) \
    memset(&(FLOW)->MEMBER, 0xff, sizeof (FLOW)->MEMBER)

static void
init_values(uint64_t *values, bool ports)
{
    struct flow flow;

    memset(&flow, 0, sizeof flow);
    SET_VALUE(&flow, metadata);
    SET_VALUE(&flow, regs);
    SET_VALUE(&flow, pkt_mark);
    SET_VALUE(&flow, in_port.ofp_port);
    SET_VALUE(&flow, ct_mark);
    SET_VALUE(&flow, ct_label);
    SET_VALUE(&flow, conj_id);
    SET_VALUE(&flow, dl_dst);
    SET_VALUE(&flow, dl_src);
    SET_VALUE(&flow, nw_src);
    SET_VALUE(&flow, nw_dst);
    SET_VALUE(&flow, ipv6_src);
    SET_VALUE(&flow, ipv6_dst);
    if (ports) {
        SET_VALUE(&flow, tp_src);
        SET_VALUE(&flow, tp_dst);
    }
    memcpy(values, &flow, sizeof flow);
}

struct np_flow_maker *
np_flow_maker_create(void)
{
    struct np_flow_maker *maker = xzalloc(sizeof *maker);

    init_values(maker->values[false], false);
    init_values(maker->values[true], true);
    return maker;
}

void
np_flow_maker_destroy(struct np_flow_maker *maker)
{
    if (maker) {
        for (size_t i = 0; i < N_ACTIONS; i++) {
            np_actions_unref(maker->actions[i]);
        }
        for (size_t i = 0; i < N_MATCHES; i++) {
            np_mask_unref(maker->matches[i].shared);
        }
        free(maker);
    }
}

static bool
has_ports(const struct match *match)
{
    uint8_t proto = match->flow.nw_proto;

    return (match->wc.masks.nw_proto == UINT8_MAX
            && (proto == IPPROTO_TCP || proto == IPPROTO_UDP
                || proto == IPPROTO_SCTP));
}

static struct match_shape *
match_place(struct np_flow_maker *maker, uint8_t table, uint16_t priority,
            const struct match *match)
{
    const struct flow *flow = &match->flow, *mask = &match->wc.masks;
    uint32_t hash = hash_add(table << 16 | priority,
                             (OVS_FORCE uint32_t) flow->dl_type << 16
                             | flow->nw_proto << 8 | flow->ct_state);

    hash = hash_add(hash, (OVS_FORCE uint32_t) mask->tp_dst << 16
                          | mask->regs[0] << 2 | mask->regs[1] << 1
                          | mask->in_port.odp_port);
    return &maker->matches[hash_finish(hash, 8) % N_MATCHES];
}

/* Can the shape of MATCH be told?  Numbers of ports that OpenFlow reserves are
 * translated, and the names of tunnel options are somewhere else. */
static bool
has_shape(const struct match *match)
{
    return (ofp_to_u16(match->flow.in_port.ofp_port) < ofp_to_u16(OFPP_MAX)
            && !match->tun_md.valid);
}

static inline uint64_t
word(const struct flow *flow, size_t i)
{
    uint64_t w;

    memcpy(&w, (const char *) flow + i * sizeof w, sizeof w);
    return w;
}

static bool
is_known(const struct np_flow_maker *maker, const struct match_shape *shape,
         const struct match *match)
{
    const uint64_t *values = maker->values[has_ports(match)];
    uint64_t differences = 0;

    if (!shape->used || !has_shape(match)) {
        return false;
    }
    for (size_t i = 0; i < FLOW_U64S; i++) {
        uint64_t flow = word(&match->flow, i);
        uint64_t mask = word(&match->wc.masks, i);

        /* A value behind its mask would be lost. */
        differences |= ((mask ^ shape->mask[i])
                        | ((flow ^ shape->flow[i]) & ~values[i])
                        | (flow & ~mask));
    }
    return !differences;
}

/* MATCH, of a known SHAPE, in its canonical form.  Uses SPACE. */
static const struct match *
change_match(const struct match_shape *shape, const struct match *match,
             struct match *space)
{
    uint64_t flow[FLOW_U64S], mask[FLOW_U64S];

    if (shape->canonical) {
        return match;
    }
    for (size_t i = 0; i < FLOW_U64S; i++) {
        flow[i] = word(&match->flow, i) ^ shape->flow_change[i];
        mask[i] = word(&match->wc.masks, i) ^ shape->mask_change[i];
    }
    memcpy(&space->flow, flow, sizeof flow);
    memcpy(&space->wc.masks, mask, sizeof mask);
    space->tun_md.valid = false;
    return space;
}

/* MATCH has turned out to have CANON as its canonical form.  Returns true if
 * SHAPE is now theirs. */
static bool
learn_match(const struct np_flow_maker *maker, struct match_shape *shape,
            const struct match *match, const struct match *canon)
{
    const uint64_t *values = maker->values[has_ports(match)];
    uint64_t any = 0, in_values = 0;

    if (!has_shape(match) || canon->tun_md.valid) {
        return false;
    }
    for (size_t i = 0; i < FLOW_U64S; i++) {
        shape->flow[i] = word(&match->flow, i);
        shape->mask[i] = word(&match->wc.masks, i);
        shape->flow_change[i] = shape->flow[i] ^ word(&canon->flow, i);
        shape->mask_change[i] = shape->mask[i] ^ word(&canon->wc.masks, i);
        any |= shape->flow_change[i] | shape->mask_change[i];
        in_values |= ((shape->flow_change[i] | shape->mask_change[i])
                      & values[i]);
    }
    shape->used = !in_values;
    shape->canonical = !any;
    return shape->used;
}

struct np_flow *
np_flow_maker_make(struct np_flow_maker *maker, uint8_t table,
                   uint16_t priority, uint64_t cookie,
                   const struct match *match, struct np_actions *actions)
{
    struct match_shape *shape = match_place(maker, table, priority, match);
    struct match canon;
    size_t size;
    bool exact;

    if (np_actions_is_plain(actions)) {
        if (is_known(maker, shape, match)) {
            return np_flow_assemble(table, priority, cookie,
                                    change_match(shape, match, &canon),
                                    actions, shape->shared);
        }
        if (np_canon_match(match, &canon, &size, &exact) && exact) {
            struct np_flow *flow = np_flow_assemble(table, priority, cookie,
                                                    &canon, actions, NULL);

            if (learn_match(maker, shape, match, &canon)) {
                np_mask_unref(shape->shared);
                shape->shared = np_mask_ref(flow->mask);
            }
            return flow;
        }
    }
    return np_flow_create_shared(table, priority, cookie, match, actions);
}

/* All of a register is set to a value. */
static bool
is_load(const struct ofpact *a)
{
    const struct ofpact_set_field *sf;

    if (a->type != OFPACT_SET_FIELD) {
        return false;
    }
    sf = ofpact_get_SET_FIELD(a);
    return (mf_is_register(sf->field->id)
            && is_all_ones(ofpact_set_field_mask(sf), sf->field->n_bytes));
}

/* Puts BYTE wherever ACTIONS have mere values. */
static void
fill_values(struct ofpact *actions, size_t len, uint8_t byte)
{
    struct ofpact *a;

    OFPACT_FOR_EACH (a, actions, len) {
        if (is_load(a)) {
            struct ofpact_set_field *sf = ofpact_get_SET_FIELD(a);

            memset(sf->value, byte, sf->field->n_bytes);
        } else if (a->type == OFPACT_CONJUNCTION) {
            memset(&ofpact_get_CONJUNCTION(a)->id, byte, sizeof(uint32_t));
        }
    }
}

/* ACTIONS with BYTE for mere values. */
static void
copy_filled(const struct ofpact *actions, size_t len, uint8_t byte,
            uint64_t *copy)
{
    memcpy(copy, actions, len);
    fill_values((struct ofpact *) copy, len, byte);
}

/* ACTIONS, LEN bytes, have turned out to have CANON as their canonical
 * form. */
static void
learn_actions(struct actions_shape *shape, const struct ofpact *actions,
              const struct ofpact *canon, size_t len)
{
    uint64_t before[2][SHAPE_MAX / 8], after[2][SHAPE_MAX / 8];

    copy_filled(actions, len, 0, before[0]);
    copy_filled(actions, len, UINT8_MAX, before[1]);
    copy_filled(canon, len, 0, after[0]);
    copy_filled(canon, len, UINT8_MAX, after[1]);
    shape->len = 0;
    for (size_t i = 0; i < len / 8; i++) {
        uint64_t values = before[0][i] ^ before[1][i];
        uint64_t a, b;

        memcpy(&a, (const char *) actions + i * 8, sizeof a);
        memcpy(&b, (const char *) canon + i * 8, sizeof b);
        if (values != (after[0][i] ^ after[1][i]) || (a ^ b) & values) {
            return;             /* A value does not stay where it was. */
        }
        shape->data[i] = before[0][i];
        shape->change[i] = before[0][i] ^ after[0][i];
    }
    shape->len = len;
}

/* Puts the canonical form of ACTIONS into CANON, if their shape is known. */
static bool
change_actions(const struct actions_shape *shape, const uint64_t *zeroed,
               const struct ofpact *actions, size_t len, uint64_t *canon)
{
    if (shape->len != len || memcmp(shape->data, zeroed, len)) {
        return false;
    }
    memcpy(canon, actions, len);
    for (size_t i = 0; i < len / 8; i++) {
        canon[i] ^= shape->change[i];
    }
    return true;
}

/* The actions whose canonical form is CANON: those that were made before, or
 * new ones. */
static struct np_actions *
share(struct np_flow_maker *maker, const struct ofpact *canon, size_t len)
{
    struct np_actions **place
        = &maker->actions[hash_bytes(canon, len, 0) % N_ACTIONS];

    if (!*place || !np_actions_is(*place, canon, len)) {
        np_actions_unref(*place);
        *place = np_actions_wrap(canon, len, true);
    }
    return np_actions_ref(*place);
}

struct np_actions *
np_flow_maker_actions(struct np_flow_maker *maker,
                      const struct ofpact *actions, size_t len)
{
    uint64_t zeroed[SHAPE_MAX / 8], canon[SHAPE_MAX / 8];
    uint64_t stub[1024 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct actions_shape *shape = NULL;
    struct np_actions *a;
    size_t size;

    if (!len) {
        return NULL;
    }
    if (len <= SHAPE_MAX && !(len % 8)) {
        copy_filled(actions, len, 0, zeroed);
        shape = &maker->shapes[hash_bytes(zeroed, len, 0) % N_SHAPES];
        if (change_actions(shape, zeroed, actions, len, canon)) {
            return share(maker, (struct ofpact *) canon, len);
        }
    }
    if (np_canon_actions(actions, len, &acts, &size)) {
        if (shape && acts.size == len) {
            learn_actions(shape, actions, acts.data, len);
        }
        a = share(maker, acts.data, acts.size);
    } else {
        a = np_actions_wrap(actions, len, false);
    }
    ofpbuf_uninit(&acts);
    return a;
}

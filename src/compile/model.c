/* A pod's flows, after the model of another pod's.
 *
 * The flows of two pods differ in the number of the port, the MAC and the
 * addresses.  So the templates are put into words and parsed for one made-up
 * pod of each shape (which families its addresses have, in order), and every
 * real pod gets a copy in which the made-up values are replaced.  Parsing
 * forty flows takes six times as long. */

#include <config.h>
#include "compile/build.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "flow.h"
#include "packets.h"
#include "util.h"

struct model {
    struct hmap_node node;      /* In struct np_models, by 'shape'. */
    char *shape;                /* "446". */
    struct np_bridge_port port; /* Of the made-up pod. */
    struct np_local local;
    struct np_flow_set flows;
};

struct np_models {
    struct hmap by_shape;
};

struct np_models *
np_models_create(void)
{
    struct np_models *models = xmalloc(sizeof *models);

    hmap_init(&models->by_shape);
    return models;
}

void
np_models_destroy(struct np_models *models)
{
    struct model *m;

    HMAP_FOR_EACH_POP (m, node, &models->by_shape) {
        np_flow_set_destroy(&m->flows);
        free(m->local.addrs);
        free(m->shape);
        free(m);
    }
    hmap_destroy(&models->by_shape);
    free(models);
}

/* The made-up pod's values occur in no template: a port number, a locally
 * administered MAC, and addresses of networks set aside for benchmarks (RFC
 * 2544, RFC 5180). */
static void
make_up(struct model *m, const struct np_local *like)
{
    m->port = (struct np_bridge_port) {
        .ofport = 0x2f4e, .role = NP_PORT_POD, .has_mac = true,
        .mac = ETH_ADDR_C(02,4e,50,4d,41,43),
    };
    m->local = (struct np_local) {
        .port = &m->port,
        .addrs = xcalloc(like->n_addrs + 1, sizeof *m->local.addrs),
        .n_addrs = like->n_addrs,
    };
    for (size_t i = 0; i < like->n_addrs; i++) {
        struct in6_addr v6 = { .s6_addr = { 0x20, 0x01, 0x00, 0x02, [12] = 0x4e,
                                            0x50, i >> 8, i } };

        m->local.addrs[i] = (like->addrs[i].family == 4
                             ? np_prefix_v4(htonl(0xc6120000 + i), 32)
                             : np_prefix_v6(&v6, 128));
    }
}

static struct model *
find_model(struct np_build *b, const struct np_local *local)
{
    char *shape = xmalloc(local->n_addrs + 1);
    struct np_build build = *b;
    struct model *m;
    uint32_t hash;

    for (size_t i = 0; i < local->n_addrs; i++) {
        shape[i] = '0' + local->addrs[i].family;
    }
    shape[local->n_addrs] = '\0';
    hash = hash_string(shape, 0);
    HMAP_FOR_EACH_WITH_HASH (m, node, hash, &b->models->by_shape) {
        if (!strcmp(m->shape, shape)) {
            free(shape);
            return m;
        }
    }
    m = xzalloc(sizeof *m);
    m->shape = shape;
    make_up(m, local);
    np_flow_set_init(&m->flows);
    build.out = &m->flows;
    np_build_local(&build, &m->local);
    hmap_insert(&b->models->by_shape, &m->node, hash);
    return m;
}

/* What replaces what. */
struct replacement {
    const struct model *m;
    const struct np_local *local;
};

static void
replace_mac(const struct replacement *r, struct eth_addr *mac)
{
    if (eth_addr_equals(*mac, r->m->port.mac)) {
        *mac = r->local->port->mac;
    }
}

static void
replace_v4(const struct replacement *r, ovs_be32 *addr)
{
    for (size_t i = 0; *addr && i < r->m->local.n_addrs; i++) {
        const struct np_prefix *p = &r->m->local.addrs[i];

        if (p->family == 4 && !memcmp(p->bytes, addr, sizeof *addr)) {
            memcpy(addr, r->local->addrs[i].bytes, sizeof *addr);
            return;
        }
    }
}

static void
replace_v6(const struct replacement *r, struct in6_addr *addr)
{
    for (size_t i = 0; i < r->m->local.n_addrs; i++) {
        const struct np_prefix *p = &r->m->local.addrs[i];

        if (p->family == 6 && !memcmp(p->bytes, addr, sizeof *addr)) {
            memcpy(addr, r->local->addrs[i].bytes, sizeof *addr);
            return;
        }
    }
}

static void
replace_in_match(const struct replacement *r, struct flow *flow)
{
    if (flow->in_port.ofp_port == u16_to_ofp(r->m->port.ofport)) {
        flow->in_port.ofp_port = u16_to_ofp(r->local->port->ofport);
    }
    replace_mac(r, &flow->dl_src);
    replace_mac(r, &flow->dl_dst);
    replace_mac(r, &flow->arp_sha);
    replace_mac(r, &flow->arp_tha);
    replace_v4(r, &flow->nw_src);
    replace_v4(r, &flow->nw_dst);
    replace_v4(r, &flow->ct_nw_src);
    replace_v4(r, &flow->ct_nw_dst);
    replace_v6(r, &flow->ipv6_src);
    replace_v6(r, &flow->ipv6_dst);
    replace_v6(r, &flow->nd_target);
    replace_v6(r, &flow->ct_ipv6_src);
    replace_v6(r, &flow->ct_ipv6_dst);
}

static void
replace_in_actions(const struct replacement *r, struct ofpbuf *actions)
{
    uint64_t model_cookie = np_cookie(NP_FLOW_LEARNED, r->m->port.ofport);
    struct ofpact *a;

    OFPACT_FOR_EACH (a, actions->data, actions->size) {
        if (a->type == OFPACT_OUTPUT) {
            struct ofpact_output *output = ofpact_get_OUTPUT(a);

            if (output->port == u16_to_ofp(r->m->port.ofport)) {
                output->port = u16_to_ofp(r->local->port->ofport);
            }
        } else if (a->type == OFPACT_SET_FIELD) {
            struct ofpact_set_field *set = ofpact_get_SET_FIELD(a);

            if (set->field->id == MFF_ETH_DST) {
                replace_mac(r, &set->value->mac);
            }
        } else if (a->type == OFPACT_LEARN) {
            struct ofpact_learn *learn = ofpact_get_LEARN(a);

            if (learn->cookie == htonll(model_cookie)) {
                learn->cookie = htonll(np_cookie(NP_FLOW_LEARNED,
                                                 r->local->port->ofport));
            }
        }
    }
}

void
np_build_like_model(struct np_build *b, const struct np_local *local,
                    bool owns_mac)
{
    const uint8_t mac_table = NP_T_OUT + b->config->table_base;
    struct replacement r = { find_model(b, local), local };
    uint64_t cookie = np_cookie(NP_FLOW_PORT, local->port->ofport);
    const struct np_flow *flow;

    HMAP_FOR_EACH (flow, node, &r.m->flows.flows) {
        uint64_t stub[512 / 8];
        struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
        struct match match;

        if (flow->table == mac_table && !owns_mac) {
            continue;
        }
        np_flow_expand(flow, &match);
        replace_in_match(&r, &match.flow);
        ofpbuf_put(&actions, flow->actions, flow->actions_len);
        replace_in_actions(&r, &actions);
        np_build_put(b, np_flow_create_as_is(flow->table, flow->priority,
                                             cookie, &match, actions.data,
                                             actions.size));
        ofpbuf_uninit(&actions);
    }
}

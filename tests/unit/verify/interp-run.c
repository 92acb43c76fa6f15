/* The interpreter as a program, so that it can be held against a switch.
 *
 *     interp-run FLOWS < PACKETS
 *
 * FLOWS is a file for `ovs-ofctl add-flows`.  A line of PACKETS is
 * "[ZONE:RELATION]... PACKET": what the packet is to conntrack's zones (new,
 * est, rpl, rel, relrpl, inv; else new), and the packet, as ofproto/trace
 * takes it.  Conntrack is that of ofproto/trace: ct() changes ct_state and
 * ct_zone, and leaves what exec() wrote.  What is learned, stays.
 *
 * Before that, packets that differ only in bits that were not looked at are
 * run, and must pass the same flows.
 *
 * For each packet, prints lines of words, then tabs and packets, and a line
 * "end STATUS [ERROR]"; lines with "#" are for people. */

#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte-order.h"
#include "flow.h"
#include "netpol/flow.h"
#include "netpol/interp.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-port.h"
#include "random.h"
#include "util.h"

static const char *const relations[] = {
    [NP_CT_NEW] = "new", [NP_CT_ESTABLISHED] = "est", [NP_CT_REPLY] = "rpl",
    [NP_CT_RELATED] = "rel", [NP_CT_RELATED_REPLY] = "relrpl",
    [NP_CT_INVALID] = "inv",
};

/* What the packet is to each zone. */
struct zones {
    enum np_ct_relation relation[UINT16_MAX + 1];
};

static void
trace_ct(const struct np_interp_ct *ct, struct flow *packet, void *zones_)
{
    const struct zones *zones = zones_;

    packet->ct_zone = ct->zone;
    packet->ct_state = np_ct_state(zones->relation[ct->zone]);
}

static void
read_flows(const char *name, struct np_flow_set *set)
{
    FILE *stream = fopen(name, "r");
    struct ds line = DS_EMPTY_INITIALIZER;

    if (!stream) {
        ovs_fatal(errno, "%s", name);
    }
    while (!ds_get_line(&line, stream)) {
        struct np_flow *flow;
        char *error = np_flow_parse(ds_cstr(&line), NULL, &flow);

        if (error) {
            ovs_fatal(0, "%s: %s", ds_cstr(&line), error);
        }
        np_flow_destroy(np_flow_set_put(set, flow));
    }
    ds_destroy(&line);
    fclose(stream);
}

static void
parse_zone(char *word, struct zones *zones)
{
    char *colon = strchr(word, ':');

    *colon++ = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(relations); i++) {
        if (!strcmp(colon, relations[i])) {
            zones->relation[atoi(word) & UINT16_MAX] = i;
            return;
        }
    }
    ovs_fatal(0, "%s: no such relation", colon);
}

static void
parse_packet(char *line, struct zones *zones, struct flow *packet)
{
    char *save = NULL, *word = strtok_r(line, " ", &save);

    memset(zones, 0, sizeof *zones);
    for (char *next; (next = strtok_r(NULL, " ", &save)); word = next) {
        parse_zone(word, zones);
    }

    char *error = parse_ofp_exact_flow(packet, NULL, NULL, word, NULL);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
}

/* Changes bits of PACKET that are not in MASK.  What cannot be is left out: a
 * second VLAN tag, and a pointer in the tunnel's part. */
static void
perturb(struct flow *packet, const struct flow *mask)
{
    const struct flow original = *packet;
    uint8_t *p = (uint8_t *) packet;
    const uint8_t *m = (const uint8_t *) mask;

    for (size_t i = 0; i < sizeof *packet; i++) {
        p[i] ^= random_uint32() & ~m[i];
    }
    packet->tunnel = original.tunnel;
    memcpy(&packet->vlans[1], &original.vlans[1],
           sizeof packet->vlans - sizeof packet->vlans[0]);
}

/* Do the first passes of two runs meet the same flows? */
static bool
same_way(const struct np_interp_result *a, const struct np_interp_result *b)
{
    size_t i = 0, j = 0;

    for (;;) {
        while (i < a->n_steps && a->steps[i].pass) {
            i++;
        }
        while (j < b->n_steps && b->steps[j].pass) {
            j++;
        }
        if (i >= a->n_steps || j >= b->n_steps) {
            return i >= a->n_steps && j >= b->n_steps;
        } else if (a->steps[i].flow != b->steps[j].flow
                   || a->steps[i].table != b->steps[j].table) {
            return false;
        }
        i++, j++;
    }
}

static void
check_wildcards(struct np_interp *interp, struct np_interp_env env,
                const struct flow *packet, const struct zones *zones)
{
    struct np_interp_result a, b;
    struct zones copy = *zones;

    env.learn = false;
    env.ct_aux = &copy;
    np_interp_result_init(&a);
    np_interp_result_init(&b);
    np_interp_run(interp, &env, packet, &a);
    for (int i = 0; i < 4; i++) {
        struct flow other = *packet;

        perturb(&other, &a.passes[0].wc.masks);
        np_interp_run(interp, &env, &other, &b);
        if (!same_way(&a, &b)) {
            struct ds s = DS_EMPTY_INITIALIZER;

            np_interp_result_format(&a, NULL, &s);
            ds_put_cstr(&s, "other bits, another way:\n");
            np_interp_result_format(&b, NULL, &s);
            ovs_fatal(0, "%s", ds_cstr(&s));
        }
    }
    np_interp_result_destroy(&a);
    np_interp_result_destroy(&b);
}

static void
print_flow(const struct flow *flow)
{
    char *s = flow_to_string(flow, NULL);

    printf("\t%s", s);
    free(s);
}

/* "pass PARENT \t PACKET \t PACKET AT ITS END". */
static void
print_passes(const struct np_interp_result *r)
{
    for (size_t i = 0; i < r->n_passes; i++) {
        const struct np_interp_pass *pass = &r->passes[i];

        if (pass->parent == SIZE_MAX) {
            printf("pass -");
        } else {
            size_t step = r->effects[pass->parent].step;
            printf("pass %"PRIuSIZE, r->steps[step].pass);
        }
        print_flow(&pass->packet);
        print_flow(&pass->end);
        putchar('\n');
    }
}

static void
print_ct(const struct np_interp_ct *ct)
{
    printf("ct commit=%d force=%d zone=%"PRIu16
           " mark=%#"PRIx32"/%#"PRIx32
           " label=%#"PRIx64":%#"PRIx64"/%#"PRIx64":%#"PRIx64" recirc=%d",
           ct->commit, ct->force, ct->zone, ct->mark, ct->mark_mask,
           ct->label.u64.hi, ct->label.u64.lo,
           ct->label_mask.u64.hi, ct->label_mask.u64.lo, ct->recirculate);
}

/* "effect PASS WORDS \t PACKET". */
static void
print_effect(const struct np_interp_result *r, const struct np_effect *e)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    printf("effect %"PRIuSIZE" ", r->steps[e->step].pass);
    switch (e->type) {
    case NP_EFFECT_OUTPUT:
        printf("output %"PRIu16, ofp_to_u16(e->port));
        break;
    case NP_EFFECT_CT:
        print_ct(&e->ct);
        break;
    case NP_EFFECT_LEARN:
        np_flow_format(e->learned, NULL, &s);
        printf("learn %s", ds_cstr(&s));
        break;
    case NP_EFFECT_CONTROLLER:
        printf("controller");
        break;
    case NP_EFFECT_METER:
    case NP_EFFECT_GROUP:
    case NP_EFFECT_NORMAL:
    case NP_EFFECT_FLOOD:
    case NP_EFFECT_ALL:
        printf("other");
        break;
    }
    print_flow(&e->packet);
    putchar('\n');
    ds_destroy(&s);
}

static void
print_result(const struct np_interp_result *r)
{
    static const char *const status[] = { "ok", "aborted", "unknown" };
    struct ds s = DS_EMPTY_INITIALIZER;
    char *save = NULL;

    print_passes(r);
    for (size_t i = 0; i < r->n_effects; i++) {
        print_effect(r, &r->effects[i]);
    }
    np_interp_result_format(r, NULL, &s);
    for (char *line = strtok_r(ds_cstr(&s), "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        printf("# %s\n", line);
    }
    printf("end %s %s\n", status[r->status], r->error ? r->error : "");
    ds_destroy(&s);
}

int
main(int argc, char *argv[])
{
    struct zones *zones = xmalloc(sizeof *zones);
    struct np_interp_env env = {
        .ct = trace_ct, .ct_aux = zones, .learn = true,
    };
    struct ds line = DS_EMPTY_INITIALIZER;
    struct np_interp_result result;
    struct np_flow_set flows;
    struct flow packet;

    if (argc != 2) {
        ovs_fatal(0, "usage: interp-run FLOWS < PACKETS");
    }
    random_set_seed(1);
    np_flow_set_init(&flows);
    read_flows(argv[1], &flows);
    struct np_interp *interp = np_interp_create(&flows);
    np_interp_result_init(&result);
    while (!ds_get_line(&line, stdin)) {
        parse_packet(ds_cstr(&line), zones, &packet);
        check_wildcards(interp, env, &packet, zones);
        np_interp_run(interp, &env, &packet, &result);
        print_result(&result);
    }
    np_interp_result_destroy(&result);
    np_interp_destroy(interp);
    np_flow_set_destroy(&flows);
    ds_destroy(&line);
    free(zones);
    return 0;
}

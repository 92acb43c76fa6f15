/* Templates to flows.
 *
 * The pipeline is written as text because that is how everybody who debugs a
 * bridge reads it; libopenvswitch's own parser turns it into flows.  A
 * template that does not parse, or two that make the same flow, is a bug of
 * ours and stops the program: a switch must never get half a pipeline. */

#include <config.h>
#include <stdlib.h>
#include "compile/build.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "sha1.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_build);

static const char judge[] = "resubmit(,src_identity),"
    "resubmit(,dst_identity),resubmit(,orient)";

/* The identities are of no use any more, and each of their combinations would
 * cost a megaflow of its own behind the commit. */
static const char commit[] = "load:0->NXM_NX_REG1[],load:0->NXM_NX_REG2[],"
    "load:0->NXM_NX_REG3[],load:0->NXM_NX_REG4[],"
    "ct(commit,zone=NXM_NX_REG13[0..15],table=resume,"
    "exec(move:NXM_NX_REG5[]->NXM_NX_CT_LABEL[0..31],"
    "move:NXM_NX_REG8[]->NXM_NX_CT_LABEL[32..63]))";

/* What learn() remembers of an SCTP packet that was admitted: how its replies
 * look.  The flow loads the direction and returns; a verdict it has none, so it
 * cannot outlive its rule. */
#define ASSOCIATION(ETH_TYPE, IP_SRC, IP_DST) \
    "table=association,idle_timeout=300,priority=10,eth_type=" ETH_TYPE "," \
    "nw_proto=132," IP_SRC "=" IP_DST "," IP_DST "=" IP_SRC "," \
    "OXM_OF_SCTP_SRC[]=OXM_OF_SCTP_DST[]," \
    "OXM_OF_SCTP_DST[]=OXM_OF_SCTP_SRC[],load:1->NXM_NX_REG10[]"
static const char association_v4[]
    = ASSOCIATION("0x800", "NXM_OF_IP_SRC[]", "NXM_OF_IP_DST[]");
static const char association_v6[]
    = ASSOCIATION("0x86dd", "NXM_NX_IPV6_SRC[]", "NXM_NX_IPV6_DST[]");

/* What learn() remembers of a denial: a flow that counts and drops, until
 * there was none of it for a minute.  The number of them is each template's
 * own business. */
#define DENIED(ETH_TYPE, IP_SRC, IP_DST) \
    "table=denied,idle_timeout=60,send_flow_rem,priority=10," \
    "NXM_OF_IN_PORT[],eth_type=" ETH_TYPE "," IP_SRC "," IP_DST "," \
    "NXM_OF_IP_PROTO[],NXM_NX_REG7[0..15],NXM_NX_REG9[],NXM_NX_REG10[]," \
    "result_dst=NXM_NX_REG6[0]"
static const char denied_v4[]
    = DENIED("0x800", "NXM_OF_IP_SRC[]", "NXM_OF_IP_DST[]");
static const char denied_v6[]
    = DENIED("0x86dd", "NXM_NX_IPV6_SRC[]", "NXM_NX_IPV6_DST[]");
/* And of who was denied too many things: the beginning of a flow that drops
 * all that is denied to it, until nothing was for a while.  What is not denied
 * it could not drop, wherever it were: it asks for the reason. */
static const char quiet[]
    = "table=quiet,idle_timeout=10,send_flow_rem,priority=100,"
      "NXM_NX_REG9[]";
static const char look_up[] = "load:0->NXM_NX_REG6[],resubmit(,denied)";

static const char swap[] =
    "push:NXM_NX_REG1[],move:NXM_NX_REG2[]->NXM_NX_REG1[],"
    "pop:NXM_NX_REG2[],"
    "push:NXM_NX_REG3[],move:NXM_NX_REG4[]->NXM_NX_REG3[],"
    "pop:NXM_NX_REG4[],";

static const char clear[] =
    "load:0->NXM_NX_REG0[],load:0->NXM_NX_REG1[],load:0->NXM_NX_REG2[],"
    "load:0->NXM_NX_REG3[],load:0->NXM_NX_REG4[],load:0->NXM_NX_REG5[],"
    "load:0->NXM_NX_REG6[],load:0->NXM_NX_REG7[],load:0->NXM_NX_REG8[],"
    "load:0->NXM_NX_REG9[],load:0->NXM_NX_REG10[],load:0->NXM_NX_REG11[],"
    "load:0->NXM_NX_REG12[],load:0->NXM_NX_REG13[],"
    "load:0->NXM_NX_PKT_MARK[],";

static void
put_deny(const char *reason, struct ds *s)
{
    for (int i = 1; i < NP_N_DENY_REASONS; i++) {
        if (!strcmp(np_deny_reason_name(i), reason)) {
            ds_put_format(s, "load:%d->NXM_NX_REG9[],resubmit(,deny)", i);
            return;
        }
    }
    VLOG_ABORT("unknown reason \"%s\" to deny", reason);
}

/* Values that all templates know: some are the same in each build. */
static const struct np_var common[] = {
    { "association_v4", association_v4 },
    { "association_v6", association_v6 },
    { "clear", clear },
    { "denied_v4", denied_v4 },
    { "denied_v6", denied_v6 },
    { "judge", judge },
    { "look_up", look_up },
    { "quiet", quiet },
    { "swap", swap },
    { NULL, NULL },
};

static const char *
find_var(const struct np_var *vars, const char *name)
{
    for (; vars && vars->name; vars++) {
        if (!strcmp(vars->name, name)) {
            return vars->value;
        }
    }
    return NULL;
}

static bool
put_common(const struct np_build *b, const char *name, struct ds *s)
{
    uint16_t zone = b->config->ct_zone;

    if (!strcmp(name, "zone")) {
        ds_put_format(s, "%d", zone);
    } else if (!strcmp(name, "zone2")) {
        ds_put_format(s, "%d", zone + 1);
    } else if (!strcmp(name, "second_zone")) {
        ds_put_format(s, "load:%d->NXM_NX_REG13[0..15],load:0->NXM_NX_REG5[],"
                      "load:0->NXM_NX_REG8[],"
                      "move:NXM_NX_REG9[0..15]->NXM_NX_REG7[0..15],"
                      "move:NXM_NX_REG10[0..15]->NXM_NX_REG7[16..31],"
                      "load:0->NXM_NX_REG10[],",
                      zone + 1);
    } else if (!strcmp(name, "layout")) {
        ds_put_format(s, "0x%"PRIx32, b->layout);
    } else if (!strcmp(name, "to_committed")) {
        ds_put_format(s, "load:2->NXM_NX_REG11[],"
                      "load:0x%"PRIx32"->NXM_NX_PKT_MARK[],", b->layout);
    } else if (!strcmp(name, "commit")) {
        put_common(b, "to_committed", s);
        ds_put_cstr(s, commit);
    } else if (!strncmp(name, "deny:", 5)) {
        put_deny(name + 5, s);
    } else {
        return false;
    }
    return true;
}

static void
put_variable(const struct np_build *b, const char *name,
             const struct np_var *vars, struct ds *s)
{
    const char *value = find_var(vars, name);

    value = value ? value : find_var(common, name);
    if (value) {
        ds_put_cstr(s, value);
    } else if (!put_common(b, name, s)) {
        VLOG_ABORT("unknown variable {%s} in a template", name);
    }
}

static void
expand(const struct np_build *b, const char *template,
       const struct np_var *vars, struct ds *s)
{
    for (const char *p = template; *p; p++) {
        if (*p == '{') {
            const char *end = strchr(p, '}');
            char *name = xmemdup0(p + 1, end - p - 1);

            put_variable(b, name, vars, s);
            free(name);
            p = end;
        } else {
            ds_put_char(s, *p);
        }
    }
}

void
np_build_put(struct np_build *b, struct np_flow *flow)
{
    struct np_flow *old = NULL;

    if (b->out) {
        old = np_flow_set_put(b->out, flow);
    } else if (b->del) {
        np_flow_patch_del(b->patch, flow);
    } else {
        np_flow_patch_put(b->patch, flow);
    }
    if (old) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_flow_format(flow, &b->names, &s);
        VLOG_ABORT("the pipeline says twice: %s", ds_cstr(&s));
    }
}

void
np_build_flow(struct np_build *b, enum np_flow_kind kind, uint32_t id,
              const char *template, const struct np_var *vars)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_flow *flow;
    char *error;

    expand(b, template, vars, &s);
    error = np_flow_parser_parse(b->parser, ds_cstr(&s), &flow);
    if (error) {
        VLOG_ABORT("%s: %s", ds_cstr(&s), error);
    }
    ds_destroy(&s);
    flow->cookie = np_cookie(kind, id);
    np_build_put(b, flow);
}

void
np_build_match(struct np_build *b, uint8_t table, uint16_t priority,
               uint64_t cookie, const struct match *match,
               const struct ofpbuf *actions)
{
    struct np_actions *shared = np_flow_maker_actions(b->maker, actions->data,
                                                      actions->size);

    np_build_put(b, np_flow_maker_make(b->maker,
                                       table + b->config->table_base, priority,
                                       cookie, match, shared));
    np_actions_unref(shared);
}

void
np_put_load(struct ofpbuf *actions, enum mf_field_id reg, uint32_t value)
{
    ovs_be32 value_be = htonl(value);

    ofpact_put_reg_load(actions, mf_from_id(reg), &value_be, NULL);
}

static void
hash_templates(struct sha1_ctx *sha1, const char *const *templates)
{
    for (; *templates; templates++) {
        sha1_update(sha1, *templates, strlen(*templates));
    }
}

/* Everything that a packet between two passes through the tables may depend
 * on: the templates, what they are expanded with, and the tables' numbers. */
uint32_t
np_build_layout(const struct np_compile_config *config)
{
    const struct np_table_info *tables;
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha1;
    uint32_t layout;
    size_t n;

    sha1_init(&sha1);
    hash_templates(&sha1, np_static_templates);
    hash_templates(&sha1, np_denied_templates);
    hash_templates(&sha1, np_port_templates);
    tables = np_pipeline_tables(&n);
    for (size_t i = 0; i < n; i++) {
        sha1_update(&sha1, &tables[i].table, 1);
    }
    sha1_update(&sha1, &config->table_base, sizeof config->table_base);
    sha1_update(&sha1, &config->ct_zone, sizeof config->ct_zone);
    sha1_update(&sha1, judge, sizeof judge);
    sha1_update(&sha1, commit, sizeof commit);
    sha1_update(&sha1, swap, sizeof swap);
    sha1_final(&sha1, digest);

    memcpy(&layout, digest, sizeof layout);
    layout = ntohl(layout);
    return layout ? layout : 1;
}

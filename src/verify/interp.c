/* The flow interpreter: the life of a packet in the tables.
 *
 * A switch does not run packets through its tables: on the first packet of
 * its kind it translates the way through them into a list of datapath
 * actions, and those are executed.  The difference shows.  A translation that
 * goes wrong yields no actions at all, not those up to there; and a ct() ends
 * one translation and begins another, with all that is between.  So it is
 * here: a *pass* walks the tables and collects what is to be done; when it
 * has ended well, that is done in order, and each ct() on the way asks the
 * caller's connection tracking and runs the pass of the copy of the packet
 * that it sent on.
 *
 * What survives from one pass to the next is what a switch's recirculation
 * preserves: registers, metadata, tunnel, in_port, the packet itself with its
 * pkt_mark, and the stack. */

#include <config.h>

#include "interp-private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "netpol/flow.h"
#include "packets.h"
#include "util.h"

static void run_pass(struct np_interp_ctx *, size_t parent);

void
np_interp_fail(struct np_interp_ctx *ctx, enum np_interp_status status,
               const char *format, ...)
{
    va_list args;

    if (ctx->status == NP_INTERP_OK) {
        va_start(args, format);
        ctx->status = status;
        ctx->error = xvasprintf(format, args);
        va_end(args);
    }
}

/* The worst of all passes, and the first of its kind, is the run's.  Takes
 * ERROR. */
static void
report(struct np_interp_result *result, enum np_interp_status status,
       char *error)
{
    if (status > result->status) {
        free(result->error);
        result->status = status;
        result->error = error;
    } else {
        free(error);
    }
}

struct np_interp_todo *
np_interp_todo(struct np_interp_ctx *ctx, enum np_effect_type type)
{
    if (ctx->n_todos >= ctx->allocated_todos) {
        ctx->todos = x2nrealloc(ctx->todos, &ctx->allocated_todos,
                                sizeof *ctx->todos);
    }

    struct np_interp_todo *todo = &ctx->todos[ctx->n_todos++];
    *todo = (struct np_interp_todo) {
        .effect = { .type = type, .step = ctx->step, .packet = ctx->packet },
    };
    return todo;
}

/* The switch's own limits, checked before each resubmit. */
static bool
within_limits(struct np_interp_ctx *ctx)
{
    if (ctx->depth >= NP_INTERP_MAX_DEPTH) {
        np_interp_fail(ctx, NP_INTERP_ABORTED, "table %"PRIu8": more than %d "
                       "nested resubmits to the same or an earlier table",
                       ctx->table, NP_INTERP_MAX_DEPTH);
    } else if (ctx->resubmits >= NP_INTERP_MAX_RESUBMITS) {
        np_interp_fail(ctx, NP_INTERP_ABORTED,
                       "table %"PRIu8": more than %d resubmits", ctx->table,
                       NP_INTERP_MAX_RESUBMITS);
    } else if (ctx->stack.size >= 65536) {
        np_interp_fail(ctx, NP_INTERP_ABORTED,
                       "table %"PRIu8": more than 64 kB on the stack",
                       ctx->table);
    }
    return ctx->status == NP_INTERP_OK;
}

/* Looks up and executes; CTX's table is set. */
static void
step_into(struct np_interp_ctx *ctx, ofp_port_t in_port)
{
    ofp_port_t real_in_port = ctx->packet.in_port.ofp_port;
    size_t step = np_interp_add_step(ctx->result), old_step = ctx->step;

    ctx->packet.in_port.ofp_port = in_port;
    const struct np_flow *flow = np_interp_lookup(ctx->interp, ctx->table,
                                                  &ctx->packet, &ctx->wc);
    ctx->packet.in_port.ofp_port = real_in_port;

    ctx->result->steps[step] = (struct np_interp_step) {
        .pass = ctx->pass, .flow = flow, .table = ctx->table,
        .depth = MIN(ctx->nested, UINT8_MAX),
    };
    if (flow) {
        ctx->step = step;
        np_interp_actions(ctx, flow->actions, flow->actions_len);
        ctx->step = old_step;
    }
}

void
np_interp_enter(struct np_interp_ctx *ctx, ofp_port_t in_port, uint8_t table)
{
    uint8_t old_table = ctx->table;
    bool deepens = table <= old_table;

    if (!within_limits(ctx)) {
        return;
    }
    ctx->resubmits++;
    ctx->depth += deepens;
    ctx->nested++;
    ctx->table = table;
    step_into(ctx, in_port);
    ctx->table = old_table;
    ctx->nested--;
    ctx->depth -= deepens;
}

/* Asks connection tracking about a packet that FROM sent there as effect
 * number EFFECT, and runs the copy that goes on. */
static void
run_ct(struct np_interp_ctx *from, size_t effect, struct np_interp_todo *todo)
{
    const struct np_interp_env *env = from->env;
    const struct np_interp_ct *ct = &todo->effect.ct;
    struct flow packet = todo->effect.packet;

    if (env->ct) {
        env->ct(ct, &packet, env->ct_aux);
    } else {
        np_ct_new(ct, &packet, NULL);
    }
    if (!ct->recirculate) {
        return;
    }
    if (from->recirculations >= NP_INTERP_MAX_RECIRCULATIONS) {
        report(from->result, NP_INTERP_ABORTED,
               xasprintf("table %"PRIu8": more than %d recirculations",
                         ct->table, NP_INTERP_MAX_RECIRCULATIONS));
        return;
    }

    struct np_interp_ctx ctx = {
        .interp = from->interp, .env = env, .result = from->result,
        .packet = packet,
        .table = ct->table,
        .recirculations = from->recirculations + 1,
        .conntracked = true,
    };
    ofpbuf_init(&ctx.stack, 0);
    ofpbuf_put(&ctx.stack, todo->stack, todo->stack_len);
    run_pass(&ctx, effect);
}

static void
do_todos(struct np_interp_ctx *ctx)
{
    struct np_interp_result *result = ctx->result;

    for (size_t i = 0; i < ctx->n_todos; i++) {
        struct np_effect *e = &ctx->todos[i].effect;

        /* The flow was learned while the pass went on. */
        if (e->type == NP_EFFECT_LEARN && ctx->env->learn) {
            np_interp_learn(ctx->interp, e->learned);
        }
    }
    for (size_t i = 0; i < ctx->n_todos; i++) {
        struct np_interp_todo *todo = &ctx->todos[i];

        if (ctx->status == NP_INTERP_ABORTED
            && todo->effect.type != NP_EFFECT_LEARN) {
            continue;
        }
        size_t effect = np_interp_add_effect(result, &todo->effect);
        if (todo->effect.type == NP_EFFECT_CT && ctx->status == NP_INTERP_OK
            && result->status != NP_INTERP_UNKNOWN) {
            run_ct(ctx, effect, todo);
        }
    }
}

static void
ctx_uninit(struct np_interp_ctx *ctx)
{
    report(ctx->result, ctx->status, ctx->error);
    for (size_t i = 0; i < ctx->n_todos; i++) {
        free(ctx->todos[i].stack);
    }
    free(ctx->todos);
    ofpbuf_uninit(&ctx->stack);
}

/* Runs a pass that begins in CTX's table with its packet, and uninitialises
 * CTX. */
static void
run_pass(struct np_interp_ctx *ctx, size_t parent)
{
    struct np_interp_result *result = ctx->result;

    ctx->packet.actset_output = OFPP_UNSET;
    ctx->packet.conj_id = 0;
    ctx->pass = np_interp_add_pass(result);
    result->passes[ctx->pass] = (struct np_interp_pass) {
        .table = ctx->table, .parent = parent, .packet = ctx->packet,
    };

    /* A datapath's megaflow always tells these apart. */
    flow_wildcards_init_catchall(&ctx->wc);
    WC_MASK_FIELD(&ctx->wc, packet_type);
    WC_MASK_FIELD(&ctx->wc, in_port);
    WC_MASK_FIELD(&ctx->wc, dl_type);
    if (is_ip_any(&ctx->packet)) {
        WC_MASK_FIELD_MASK(&ctx->wc, nw_frag, FLOW_NW_FRAG_MASK);
    }

    step_into(ctx, ctx->packet.in_port.ofp_port);
    result->passes[ctx->pass].wc = ctx->wc;
    result->passes[ctx->pass].end = ctx->packet;
    do_todos(ctx);
    ctx_uninit(ctx);
}

void
np_interp_run(struct np_interp *interp, const struct np_interp_env *env,
              const struct flow *packet, struct np_interp_result *result)
{
    struct np_interp_ctx ctx = {
        .interp = interp, .env = env, .result = result,
        .packet = *packet,
        .table = env->first_table,
        .conntracked = packet->ct_state & CS_TRACKED,
    };

    np_interp_result_clear(result);
    ofpbuf_init(&ctx.stack, 0);
    run_pass(&ctx, SIZE_MAX);
}

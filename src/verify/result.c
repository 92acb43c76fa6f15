/* What a run found: its passes, steps and effects, and how they read. */

#include <config.h>

#include "interp-private.h"

#include <stdlib.h>

#include "byte-order.h"
#include "flow.h"
#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-port.h"
#include "util.h"

void
np_interp_result_init(struct np_interp_result *result)
{
    *result = (struct np_interp_result) { .status = NP_INTERP_OK };
}

void
np_interp_result_clear(struct np_interp_result *result)
{
    for (size_t i = 0; i < result->n_effects; i++) {
        if (result->effects[i].type == NP_EFFECT_LEARN) {
            np_flow_destroy(result->effects[i].learned);
        }
    }
    free(result->error);
    result->error = NULL;
    result->status = NP_INTERP_OK;
    result->n_passes = result->n_steps = result->n_effects = 0;
}

void
np_interp_result_destroy(struct np_interp_result *result)
{
    if (result) {
        np_interp_result_clear(result);
        free(result->passes);
        free(result->steps);
        free(result->effects);
        np_interp_result_init(result);
    }
}

size_t
np_interp_add_pass(struct np_interp_result *result)
{
    if (result->n_passes >= result->allocated_passes) {
        result->passes = x2nrealloc(result->passes, &result->allocated_passes,
                                    sizeof *result->passes);
    }
    return result->n_passes++;
}

size_t
np_interp_add_step(struct np_interp_result *result)
{
    if (result->n_steps >= result->allocated_steps) {
        result->steps = x2nrealloc(result->steps, &result->allocated_steps,
                                   sizeof *result->steps);
    }
    return result->n_steps++;
}

size_t
np_interp_add_effect(struct np_interp_result *result,
                     const struct np_effect *effect)
{
    if (result->n_effects >= result->allocated_effects) {
        result->effects = x2nrealloc(result->effects,
                                     &result->allocated_effects,
                                     sizeof *result->effects);
    }
    result->effects[result->n_effects] = *effect;
    return result->n_effects++;
}

bool
np_interp_result_delivers(const struct np_interp_result *result,
                          ofp_port_t ofport)
{
    for (size_t i = 0; i < result->n_effects; i++) {
        if (result->effects[i].type == NP_EFFECT_OUTPUT
            && result->effects[i].port == ofport) {
            return true;
        }
    }
    return false;
}

bool
np_interp_result_has(const struct np_interp_result *result,
                     enum np_effect_type type)
{
    for (size_t i = 0; i < result->n_effects; i++) {
        if (result->effects[i].type == type) {
            return true;
        }
    }
    return false;
}

bool
np_interp_result_drops(const struct np_interp_result *result)
{
    static const enum np_effect_type leaves[] = {
        NP_EFFECT_OUTPUT, NP_EFFECT_NORMAL, NP_EFFECT_FLOOD, NP_EFFECT_ALL,
        NP_EFFECT_CONTROLLER, NP_EFFECT_GROUP,
    };

    if (result->status == NP_INTERP_UNKNOWN) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
        if (np_interp_result_has(result, leaves[i])) {
            return false;
        }
    }
    return true;
}

static void
format_ct(const struct np_interp_ct *ct, struct ds *s)
{
    ds_put_format(s, "ct(%s%szone=%"PRIu16, ct->commit ? "commit," : "",
                  ct->force ? "force," : "", ct->zone);
    if (ct->mark_mask) {
        ds_put_format(s, ",mark=%#"PRIx32"/%#"PRIx32, ct->mark,
                      ct->mark_mask);
    }
    if (!ovs_u128_is_zero(ct->label_mask)) {
        ovs_be128 label = hton128(ct->label), mask = hton128(ct->label_mask);

        ds_put_cstr(s, ",label=");
        ds_put_hex(s, &label, sizeof label);
        ds_put_char(s, '/');
        ds_put_hex(s, &mask, sizeof mask);
    }
    if (ct->recirculate) {
        ds_put_format(s, ",table=%"PRIu8, ct->table);
    }
    ds_put_char(s, ')');
}

static void
format_effect(const struct np_effect *e, const struct np_table_names *names,
              struct ds *s)
{
    switch (e->type) {
    case NP_EFFECT_OUTPUT:
        ds_put_cstr(s, "output:");
        ofputil_format_port(e->port, NULL, s);
        break;
    case NP_EFFECT_NORMAL:
        ds_put_cstr(s, "NORMAL");
        break;
    case NP_EFFECT_FLOOD:
        ds_put_cstr(s, "FLOOD");
        break;
    case NP_EFFECT_ALL:
        ds_put_cstr(s, "ALL");
        break;
    case NP_EFFECT_CONTROLLER:
        ds_put_format(s, "controller:%"PRIu32, e->id);
        break;
    case NP_EFFECT_CT:
        format_ct(&e->ct, s);
        break;
    case NP_EFFECT_LEARN:
        ds_put_cstr(s, "learn:");
        np_flow_format(e->learned, names, s);
        return;
    case NP_EFFECT_GROUP:
        ds_put_format(s, "group:%"PRIu32, e->id);
        break;
    case NP_EFFECT_METER:
        ds_put_format(s, "meter:%"PRIu32, e->id);
        break;
    }
    ds_put_char(s, ' ');
    flow_format(s, &e->packet, NULL);
}

static void
format_step(const struct np_interp_step *step,
            const struct np_table_names *names, struct ds *s)
{
    ds_put_char_multiple(s, ' ', 2 * (1 + step->depth));
    if (step->flow) {
        np_flow_format(step->flow, names, s);
    } else {
        ds_put_format(s, "table=%"PRIu8": no flow matches", step->table);
    }
    ds_put_char(s, '\n');
}

void
np_interp_result_format(const struct np_interp_result *result,
                        const struct np_table_names *names, struct ds *s)
{
    size_t pass = SIZE_MAX;

    for (size_t i = 0; i < result->n_steps; i++) {
        const struct np_interp_step *step = &result->steps[i];

        if (step->pass != pass) {
            pass = step->pass;
            ds_put_cstr(s, "packet ");
            flow_format(s, &result->passes[pass].packet, NULL);
            ds_put_char(s, '\n');
        }
        format_step(step, names, s);
    }
    for (size_t i = 0; i < result->n_effects; i++) {
        format_effect(&result->effects[i], names, s);
        ds_put_char(s, '\n');
    }
    if (np_interp_result_drops(result)) {
        ds_put_cstr(s, "drop\n");
    }
    if (result->error) {
        ds_put_format(s, "%s: %s\n", (result->status == NP_INTERP_ABORTED
                                      ? "aborted" : "unknown"),
                      result->error);
    }
}

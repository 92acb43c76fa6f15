/* The installer as its users see it: what they may ask and be told.  What
 * comes of it is in wish.c and session.c. */

#include <config.h>

#include "installer.h"

#include <stdlib.h>

#include "openvswitch/rconn.h"
#include "timeval.h"
#include "util.h"

enum { PROBE_SECONDS = 5, MAX_BACKOFF_SECONDS = 2 };

struct np_installer *
np_installer_create(void)
{
    struct np_installer *inst = xzalloc(sizeof *inst);

    inst->rconn = rconn_create(PROBE_SECONDS, MAX_BACKOFF_SECONDS, 0,
                               NP_OF_VERSIONS);
    inst->queued = rconn_packet_counter_create();
    inst->conn_seqno = rconn_get_connection_seqno(inst->rconn);
    inst->name = xstrdup("no bridge");
    inst->next_xid = 1;
    inst->backoff = NP_OF_MIN_BACKOFF;
    inst->noflood = np_noflood_create();
    token_bucket_init(&inst->pace, 1, NP_OF_PACE_BURST);
    np_flow_set_init(&inst->next);
    np_flow_patch_init(&inst->patch);
    np_flow_set_init(&inst->sending);
    np_flow_patch_init(&inst->sending_patch);
    np_flow_set_init(&inst->skipped);
    np_readback_init(&inst->rb);
    np_readback_init(&inst->look);
    np_watch_init(&inst->watch);
    return inst;
}

void
np_installer_destroy(struct np_installer *inst)
{
    if (inst) {
        np_noflood_destroy(inst->noflood);
        rconn_destroy(inst->rconn);
        rconn_packet_counter_destroy(inst->queued);
        if (inst->busy) {
            np_bundle_destroy(&inst->bundle);
        }
        np_flow_set_destroy(&inst->next);
        np_flow_patch_destroy(&inst->patch);
        np_flow_set_destroy(&inst->sending);
        np_flow_patch_destroy(&inst->sending_patch);
        np_flow_set_destroy(&inst->skipped);
        np_readback_destroy(&inst->rb);
        np_readback_destroy(&inst->look);
        np_watch_destroy(&inst->watch);
        np_addr_list_clear(&inst->forget);
        free(inst->target);
        free(inst->name);
        free(inst->last_error);
        free(inst->conn_error);
        free(inst);
    }
}

static void
poke(struct np_installer *inst)
{
    inst->poked = true;
    inst->seqno++;
}

void
np_installer_set_target(struct np_installer *inst, const char *target)
{
    if (nullable_string_is_equal(inst->target, target)) {
        return;
    }
    free(inst->target);
    free(inst->name);
    inst->target = nullable_xstrdup(target);
    inst->name = target ? np_of_name(target) : xstrdup("no bridge");
    rconn_disconnect(inst->rconn);
    if (target) {
        rconn_connect(inst->rconn, target, inst->name);
    }
    np_noflood_set_target(inst->noflood, target);
    poke(inst);
}

uint64_t
np_installer_set_desired(struct np_installer *inst,
                         struct np_flow_set *desired)
{
    np_flow_set_clear(&inst->next);
    np_flow_set_swap(&inst->next, desired);
    inst->next_no = ++inst->last_no;
    inst->have_next = true;
    np_flow_patch_clear(&inst->patch);
    inst->have_patch = inst->patch_refused = false;
    if (inst->retry_at) {
        /* Perhaps this one is right: try it at once. */
        inst->retry_at = 0;
        inst->reread = false;
    }
    poke(inst);
    return inst->next_no;
}

uint64_t
np_installer_patch(struct np_installer *inst, struct np_flow_patch *patch)
{
    np_wish_patch(inst, patch);
    poke(inst);
    return inst->last_no;
}

void
np_installer_set_watched(struct np_installer *inst, const uint8_t *tables,
                         size_t n)
{
    free(inst->watch.tables);
    inst->watch.tables = xmemdup(tables, n);
    inst->watch.n_tables = n;
}

void
np_installer_set_zones(struct np_installer *inst, uint16_t a, uint16_t b)
{
    inst->zones[0] = a;
    inst->zones[1] = b;
}

void
np_installer_set_namer(struct np_installer *inst, np_installer_namer *cb,
                       void *aux)
{
    inst->namer = (struct np_of_namer) { .cb = cb, .aux = aux };
}

uint64_t
np_installer_flush(struct np_installer *inst)
{
    inst->flushed = true;
    inst->flush_done = false;
    inst->flush_no = ++inst->last_no;
    inst->retry_at = 0;
    poke(inst);
    return inst->flush_no;
}

uint64_t
np_installer_resume(struct np_installer *inst)
{
    if (inst->flushed) {
        inst->flushed = false;
        inst->resume_no = ++inst->last_no;
        if (inst->installed_no && inst->installed_no == inst->realized
            && !inst->busy && !inst->have_next && !inst->have_patch) {
            /* The flush was not begun; what is there is what is wished. */
            inst->installed_no = inst->realized = inst->resume_no;
        }
        poke(inst);
    }
    return inst->last_no;
}

void
np_installer_hold(struct np_installer *inst, bool hold)
{
    if (hold != inst->hold) {
        inst->hold = hold;
        /* What was waited for may have changed the table. */
        if (!hold) {
            inst->reread = true;
            np_watch_alarm(inst);
        }
        inst->retry_at = 0;
        poke(inst);
    }
}

void
np_installer_set_no_flood(struct np_installer *inst, const uint32_t *ofports,
                          size_t n)
{
    np_noflood_set_ports(inst->noflood, ofports, n);
    poke(inst);
}

uint64_t
np_installer_realized(const struct np_installer *inst)
{
    return inst->realized;
}

uint64_t
np_installer_seqno(const struct np_installer *inst)
{
    return inst->seqno;
}

static const char *
state_name(const struct np_installer *inst)
{
    switch (inst->state) {
    case NP_OF_DISCONNECTED:
        return inst->target ? "connecting" : "no bridge";
    case NP_OF_READING:
        return "reading";
    case NP_OF_IDLE:
        return (inst->hold ? "held"
                : inst->flushed && inst->flush_done ? "flushed"
                : inst->retry_at > time_msec() ? "waiting to retry"
                : "idle");
    case NP_OF_SENDING:
    case NP_OF_CHECKING:
        return "sending";
    case NP_OF_COMMITTING:
        return "committing";
    }
    OVS_NOT_REACHED();
}

void
np_installer_get_status(const struct np_installer *inst,
                        struct np_installer_status *status)
{
    *status = (struct np_installer_status) {
        .state = state_name(inst),
        .connected = rconn_is_connected(inst->rconn),
        .foreign_flows = inst->foreign_flows,
        .n_installed = np_flow_set_count(&inst->rb.ours),
        .n_bundles = inst->n_bundles,
        .n_flow_mods = inst->n_flow_mods,
        .n_errors = inst->n_errors,
        .watched = inst->watch.n_tables && !inst->watch.refused,
        .n_repairs = inst->watch.n_repairs,
        .n_repaired = inst->watch.n_repaired,
        .last_error = (inst->conn_error ? inst->conn_error
                       : inst->last_error ? inst->last_error
                       : np_noflood_error(inst->noflood)),
    };
}

const struct np_flow_set *
np_installer_installed(const struct np_installer *inst)
{
    return inst->known ? &inst->rb.ours : NULL;
}

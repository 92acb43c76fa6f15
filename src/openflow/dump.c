/* One look at a bridge's whole flow table, for tools.  It blocks, as
 * ovs-ofctl(8) does. */

#include <config.h>

#include "openflow-private.h"

#include <stdlib.h>

#include "openvswitch/match.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-table.h"
#include "openvswitch/vconn.h"
#include "byte-order.h"
#include "util.h"

enum { CONNECT_TIMEOUT = 10 * 1000 };   /* Milliseconds. */

static char *
read_stats(const char *target, struct ofputil_flow_stats **fses, size_t *n)
{
    struct ofputil_flow_stats_request fsr = {
        .table_id = OFPTT_ALL,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
    };
    struct vconn *vconn;

    match_init_catchall(&fsr.match);
    int error = vconn_open_block(target, NP_OF_VERSIONS, 0, CONNECT_TIMEOUT,
                                 &vconn);
    if (error) {
        return xasprintf("connection failed (%s)",
                         ovs_retval_to_string(error));
    }
    enum ofputil_protocol protocol
        = ofputil_protocol_from_ofp_version(vconn_get_version(vconn));
    error = vconn_dump_flows(vconn, &fsr, protocol, fses, n);
    vconn_close(vconn);
    return (error ? xasprintf("reading flows failed (%s)",
                              ovs_retval_to_string(error))
            : NULL);
}

static int
compare_stats(const void *a_, const void *b_)
{
    const struct np_flow_stats *a = a_, *b = b_;

    return np_flow_compare(a->flow, b->flow);
}

void
np_of_dump_add(struct np_flow_dump *dump, struct np_flow_maker *maker,
               const struct ofputil_flow_stats *fs)
{
    struct np_flow *flow = np_of_flow_from_stats(maker, fs, true);

    if (np_flow_set_find(&dump->set, flow)) {
        np_flow_destroy(flow);
        return;
    }
    np_flow_set_put(&dump->set, flow);
    if (dump->n >= dump->allocated) {
        dump->stats = x2nrealloc(dump->stats, &dump->allocated,
                                 sizeof *dump->stats);
    }
    dump->stats[dump->n++] = (struct np_flow_stats) {
        .flow = flow,
        .n_packets = fs->packet_count,
        .n_bytes = fs->byte_count,
        .duration = fs->duration_sec,
        .idle = fs->idle_age < 0 ? UINT32_MAX : fs->idle_age,
    };
}

void
np_of_dump_sort(struct np_flow_dump *dump)
{
    if (dump->n > 1) {
        qsort(dump->stats, dump->n, sizeof *dump->stats, compare_stats);
    }
}

void
np_flow_dump_init(struct np_flow_dump *dump)
{
    np_flow_set_init(&dump->set);
    dump->stats = NULL;
    dump->n = dump->allocated = 0;
}

char *
np_openflow_dump(const char *target, bool all, struct np_flow_dump *dump)
{
    struct ofputil_flow_stats *fses = NULL;
    size_t n = 0;

    np_flow_dump_init(dump);
    char *error = read_stats(target, &fses, &n);
    if (error) {
        char *name = np_of_name(target);
        char *s = xasprintf("%s: %s", name, error);
        free(name);
        free(error);
        return s;
    }
    struct np_flow_maker *maker = np_flow_maker_create();
    for (size_t i = 0; i < n; i++) {
        if (all || np_cookie_is_ours(ntohll(fses[i].cookie))) {
            np_of_dump_add(dump, maker, &fses[i]);
        }
        free(CONST_CAST(struct ofpact *, fses[i].ofpacts));
    }
    free(fses);
    np_flow_maker_destroy(maker);
    np_of_dump_sort(dump);
    return NULL;
}

void
np_flow_dump_destroy(struct np_flow_dump *dump)
{
    if (dump) {
        np_flow_set_destroy(&dump->set);
        free(dump->stats);
        dump->stats = NULL;
        dump->n = dump->allocated = 0;
    }
}

/* Objects: their names and the little that they say of themselves. */

#include <config.h>
#include "netpol/object.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

const char *
np_kind_name(enum np_kind kind)
{
    switch (kind) {
    case NP_POD:
        return "Pod";
    case NP_NAMESPACE:
        return "Namespace";
    case NP_NODE:
        return "Node";
    case NP_NETPOL:
        return "NetworkPolicy";
    case NP_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}

const char *
np_direction_name(enum np_direction direction)
{
    return direction == NP_INGRESS ? "ingress" : "egress";
}

const char *
np_proto_name(enum np_proto proto)
{
    switch (proto) {
    case NP_TCP:
        return "TCP";
    case NP_UDP:
        return "UDP";
    case NP_SCTP:
        return "SCTP";
    }
    OVS_NOT_REACHED();
}

bool
np_pod_counts(const struct np_pod *pod)
{
    return !pod->host_network && pod->phase != NP_SUCCEEDED
           && pod->phase != NP_FAILED;
}

int
np_object_compare_keys(const struct np_meta *a, const struct np_meta *b)
{
    int cmp;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    /* Within a kind, all have a namespace or none has. */
    cmp = a->namespace && b->namespace ? strcmp(a->namespace, b->namespace)
                                       : 0;
    return cmp ? cmp : strcmp(a->name, b->name);
}

void
np_object_format_key(const struct np_meta *meta, struct ds *s)
{
    if (meta->namespace) {
        ds_put_format(s, "%s/", meta->namespace);
    }
    ds_put_cstr(s, meta->name);
}

/* Objects as Kubernetes writes them, in JSON on one line.
 *
 * The other direction of the decoders, and just as plain: what is absent in
 * the object is absent in the text.  Where the API has several spellings of
 * one thing (labels and expressions, containers, podIP and podIPs) the text
 * has the one that always works. */

#include <config.h>
#include "netpol/manifest.h"

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* What stands before element I of a list. */
static void
separate(struct ds *s, size_t i)
{
    if (i) {
        ds_put_char(s, ',');
    }
}

/* ,"NAME":"VALUE", unless VALUE is NULL. */
static void
put_string(struct ds *s, const char *name, const char *value)
{
    if (value) {
        ds_put_format(s, ",\"%s\":", name);
        json_string_escape(value, s);
    }
}

static void
put_labels(const struct np_labels *labels, struct ds *s)
{
    ds_put_cstr(s, ",\"labels\":{");
    for (size_t i = 0; i < labels->n; i++) {
        separate(s, i);
        json_string_escape(labels->v[i].key, s);
        ds_put_char(s, ':');
        json_string_escape(labels->v[i].value, s);
    }
    ds_put_char(s, '}');
}

static void
put_meta(const struct np_meta *meta, struct ds *s)
{
    ds_put_format(s, "{\"apiVersion\":\"%sv1\",\"kind\":\"%s\",\"metadata\":"
                  "{\"name\":",
                  meta->kind == NP_NETPOL ? "networking.k8s.io/" : "",
                  np_kind_name(meta->kind));
    json_string_escape(meta->name, s);
    put_string(s, "namespace", meta->namespace);
    put_string(s, "uid", meta->uid);
    if (meta->labels.n) {
        put_labels(&meta->labels, s);
    }
    ds_put_char(s, '}');
}

/* "ADDRESS", or "ADDRESS/LEN". */
static void
put_prefix(const struct np_prefix *p, bool with_len, struct ds *s)
{
    ds_put_char(s, '"');
    np_prefix_format(p, s);
    if (with_len && p->len == np_prefix_max_len(p)) {
        ds_put_format(s, "/%u", p->len);
    }
    ds_put_char(s, '"');
}

static void
put_container_port(const struct np_container_port *port, struct ds *s)
{
    ds_put_format(s, "{\"containerPort\":%u", port->port);
    if (port->has_protocol) {
        put_string(s, "protocol", np_proto_name(port->protocol));
    }
    put_string(s, "name", port->name);
    ds_put_char(s, '}');
}

static const char *
phase_name(enum np_phase phase)
{
    switch (phase) {
    case NP_PENDING:
        return "Pending";
    case NP_RUNNING:
        return "Running";
    case NP_SUCCEEDED:
        return "Succeeded";
    case NP_FAILED:
        return "Failed";
    case NP_UNKNOWN:
        return "Unknown";
    }
    OVS_NOT_REACHED();
}

static void
put_pod(const struct np_pod *pod, struct ds *s)
{
    ds_put_format(s, ",\"spec\":{\"hostNetwork\":%s",
                  pod->host_network ? "true" : "false");
    put_string(s, "nodeName", pod->node_name);
    ds_put_cstr(s, ",\"containers\":[");
    for (size_t i = 0; i < pod->n_ports; i++) {
        /* A container each: two of one may not have the same name. */
        separate(s, i);
        ds_put_cstr(s, "{\"ports\":[");
        put_container_port(&pod->ports[i], s);
        ds_put_cstr(s, "]}");
    }
    ds_put_format(s, "]},\"status\":{\"phase\":\"%s\",\"podIPs\":[",
                  phase_name(pod->phase));
    for (size_t i = 0; i < pod->n_addrs; i++) {
        separate(s, i);
        ds_put_cstr(s, "{\"ip\":");
        put_prefix(&pod->addrs[i], false, s);
        ds_put_char(s, '}');
    }
    ds_put_cstr(s, "]}");
}

static void
put_node(const struct np_node *node, struct ds *s)
{
    ds_put_cstr(s, ",\"status\":{\"addresses\":[");
    for (size_t i = 0; i < node->n_addrs; i++) {
        separate(s, i);
        ds_put_cstr(s, "{\"type\":\"InternalIP\",\"address\":");
        put_prefix(&node->addrs[i], false, s);
        ds_put_char(s, '}');
    }
    ds_put_cstr(s, "]}");
}

static const char *
operator_name(enum np_operator op)
{
    switch (op) {
    case NP_IN:
        return "In";
    case NP_NOT_IN:
        return "NotIn";
    case NP_EXISTS:
        return "Exists";
    case NP_DOES_NOT_EXIST:
        return "DoesNotExist";
    }
    OVS_NOT_REACHED();
}

/* matchLabels could not say two things of one key. */
static void
put_selector(const struct np_selector *selector, struct ds *s)
{
    ds_put_cstr(s, "{\"matchExpressions\":[");
    for (size_t i = 0; i < selector->n; i++) {
        const struct np_requirement *r = &selector->v[i];

        separate(s, i);
        ds_put_format(s, "{\"operator\":\"%s\"", operator_name(r->op));
        put_string(s, "key", r->key);
        ds_put_cstr(s, ",\"values\":[");
        for (size_t j = 0; j < r->n_values; j++) {
            separate(s, j);
            json_string_escape(r->values[j], s);
        }
        ds_put_cstr(s, "]}");
    }
    ds_put_cstr(s, "]}");
}

static void
put_block(const struct np_ipblock *block, struct ds *s)
{
    ds_put_cstr(s, "{\"cidr\":");
    put_prefix(&block->cidr, true, s);
    ds_put_cstr(s, ",\"except\":[");
    for (size_t i = 0; i < block->n_except; i++) {
        separate(s, i);
        put_prefix(&block->except[i], true, s);
    }
    ds_put_cstr(s, "]}");
}

static void
put_peer(const struct np_peer *peer, struct ds *s)
{
    size_t n = 0;

    ds_put_char(s, '{');
    if (peer->pods) {
        ds_put_cstr(s, "\"podSelector\":");
        put_selector(peer->pods, s);
        n++;
    }
    if (peer->namespaces) {
        separate(s, n++);
        ds_put_cstr(s, "\"namespaceSelector\":");
        put_selector(peer->namespaces, s);
    }
    if (peer->block) {
        separate(s, n);
        ds_put_cstr(s, "\"ipBlock\":");
        put_block(peer->block, s);
    }
    ds_put_char(s, '}');
}

static void
put_port(const struct np_port *port, struct ds *s)
{
    size_t n = 0;

    ds_put_char(s, '{');
    if (port->has_protocol) {
        ds_put_format(s, "\"protocol\":\"%s\"",
                      np_proto_name(port->protocol));
        n++;
    }
    if (port->name) {
        separate(s, n++);
        ds_put_cstr(s, "\"port\":");
        json_string_escape(port->name, s);
    } else if (port->has_port) {
        separate(s, n++);
        ds_put_format(s, "\"port\":%u", port->port);
    }
    if (port->has_end) {
        separate(s, n);
        ds_put_format(s, "\"endPort\":%u", port->end);
    }
    ds_put_char(s, '}');
}

static void
put_rule(const struct np_netpol_rule *rule, enum np_direction direction,
         struct ds *s)
{
    ds_put_format(s, "{\"%s\":[", direction == NP_INGRESS ? "from" : "to");
    for (size_t i = 0; i < rule->n_peers; i++) {
        separate(s, i);
        put_peer(&rule->peers[i], s);
    }
    ds_put_cstr(s, "],\"ports\":[");
    for (size_t i = 0; i < rule->n_ports; i++) {
        separate(s, i);
        put_port(&rule->ports[i], s);
    }
    ds_put_cstr(s, "]}");
}

static void
put_netpol(const struct np_netpol *netpol, struct ds *s)
{
    bool in = netpol->types[NP_INGRESS];
    bool out = netpol->types[NP_EGRESS];

    ds_put_cstr(s, ",\"spec\":{\"podSelector\":");
    put_selector(&netpol->pods, s);
    ds_put_format(s, ",\"policyTypes\":[%s%s%s]", in ? "\"Ingress\"" : "",
                  in && out ? "," : "", out ? "\"Egress\"" : "");
    for (int direction = NP_INGRESS; direction <= NP_EGRESS; direction++) {
        ds_put_format(s, ",\"%s\":[", np_direction_name(direction));
        for (size_t i = 0; i < netpol->n_rules[direction]; i++) {
            separate(s, i);
            put_rule(&netpol->rules[direction][i], direction, s);
        }
        ds_put_char(s, ']');
    }
    ds_put_char(s, '}');
}

void
np_manifest_format(const struct np_meta *object, struct ds *s)
{
    put_meta(object, s);
    switch (object->kind) {
    case NP_POD:
        put_pod((const struct np_pod *) object, s);
        break;
    case NP_NODE:
        put_node((const struct np_node *) object, s);
        break;
    case NP_NETPOL:
        put_netpol((const struct np_netpol *) object, s);
        break;
    case NP_NAMESPACE:
        break;
    case NP_N_KINDS:
        OVS_NOT_REACHED();
    }
    ds_put_char(s, '}');
}

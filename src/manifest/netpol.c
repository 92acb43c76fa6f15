/* NetworkPolicy of networking.k8s.io/v1.
 *
 * Every field is read, none is defaulted, and each rule of the API server's
 * validation of the kind is applied, in its order. */

#include <config.h>
#include "validate.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* The API server compares the lengths as they were written; of an IPv4-mapped
 * prefix that would let an exception pass which is larger than its block, and
 * we do not. */
static void
decode_except(struct np_decoder *dec, const struct tree_node *list,
              const struct np_path *up, unsigned int cidr_len,
              struct np_ipblock *block)
{
    struct np_path path = np_path_field(up, "except");
    unsigned int len;

    block->except = xcalloc(list->n, sizeof *block->except);
    for (size_t i = 0; i < list->n; i++) {
        struct np_prefix *except = &block->except[block->n_except];
        struct np_path item = np_path_index(&path, i);
        const char *text = np_decode_item_string(dec, list, i, &item);
        int line = list->list[i].line;

        if (!text || !np_decode_cidr(dec, line, &item, text, except, &len)) {
            continue;
        }
        if (!np_prefix_contains(&block->cidr, except)
            || except->len == block->cidr.len || cidr_len >= len) {
            np_decode_invalid(dec, line, &item, text,
                              "must be a strict subset of `cidr`");
        }
        block->n_except++;
    }
}

static struct np_ipblock *
decode_ipblock(struct np_decoder *dec, const struct tree_node *map,
               const struct np_path *path)
{
    static const char *const known[] = { "cidr", "except", NULL };
    const struct tree_node *cidr = np_decode_string(dec, map, "cidr", path);
    const struct tree_node *except = np_decode_list(dec, map, "except", path);
    struct np_path cidr_path = np_path_field(path, "cidr");
    struct np_ipblock *block = xzalloc(sizeof *block);
    unsigned int len;

    np_decode_unknown(dec, map, path, known);
    if (!cidr && np_tree_get(map, "cidr")) {
        return block;           /* Of a wrong type; said so. */
    }
    if (!cidr || !*cidr->string) {
        np_decode_error(dec, cidr ? cidr->line : map->line, &cidr_path,
                        "Required value");
    } else if (np_decode_cidr(dec, cidr->line, &cidr_path, cidr->string,
                              &block->cidr, &len) && except) {
        decode_except(dec, except, path, len, block);
    }
    return block;
}

static struct np_selector *
decode_optional_selector(struct np_decoder *dec, const struct tree_node *map,
                         const char *key, const struct np_path *up)
{
    const struct tree_node *node = np_decode_map(dec, map, key, up);
    struct np_path path = np_path_field(up, key);
    struct np_selector *s;

    if (!node) {
        return NULL;
    }
    s = xzalloc(sizeof *s);
    np_decode_selector(dec, node, &path, s);
    return s;
}

static void
decode_peer(struct np_decoder *dec, const struct tree_node *map,
            const struct np_path *path, struct np_peer *peer)
{
    static const char *const known[] = {
        "podSelector", "namespaceSelector", "ipBlock", NULL
    };
    struct np_path block_path = np_path_field(path, "ipBlock");
    const struct tree_node *block;

    np_decode_unknown(dec, map, path, known);
    peer->line = map->line;
    peer->pods = decode_optional_selector(dec, map, "podSelector", path);
    peer->namespaces = decode_optional_selector(dec, map, "namespaceSelector",
                                                path);
    block = np_decode_map(dec, map, "ipBlock", path);
    if (block) {
        peer->block = decode_ipblock(dec, block, &block_path);
    }

    if (!np_tree_get(map, "podSelector")
        && !np_tree_get(map, "namespaceSelector")
        && !np_tree_get(map, "ipBlock")) {
        np_decode_error(dec, map->line, path,
                        "Required value: must specify a peer");
    } else if (block && (peer->pods || peer->namespaces)) {
        np_decode_error(dec, map->line, path, "Forbidden: may not specify "
                        "both ipBlock and another peer");
    }
}

static void
decode_protocol(struct np_decoder *dec, const struct tree_node *map,
                const struct np_path *up, struct np_port *port)
{
    const struct tree_node *node = np_decode_string(dec, map, "protocol", up);
    struct np_path path = np_path_field(up, "protocol");

    if (!node) {
        return;
    }
    port->has_protocol = true;
    if (!strcmp(node->string, "TCP")) {
        port->protocol = NP_TCP;
    } else if (!strcmp(node->string, "UDP")) {
        port->protocol = NP_UDP;
    } else if (!strcmp(node->string, "SCTP")) {
        port->protocol = NP_SCTP;
    } else {
        np_decode_unsupported(dec, node->line, &path, node->string,
                              "\"TCP\", \"UDP\", \"SCTP\"");
    }
}

/* endPort, beside NODE, the value of port, or NULL. */
static void
decode_end_port(struct np_decoder *dec, const struct tree_node *map,
                const struct np_path *up, const struct tree_node *node,
                struct np_port *port)
{
    const struct tree_node *end = np_decode_integer(dec, map, "endPort", up);
    struct np_path path = np_path_field(up, "endPort");

    if (!end) {
        return;
    }
    if (!node) {
        np_decode_invalid_number(dec, end->line, &path, end->integer,
                                 "may not be specified when `port` is not "
                                 "specified");
    } else if (node->type == TREE_STRING) {
        np_decode_invalid_number(dec, end->line, &path, end->integer,
                                 "may not be specified when `port` is "
                                 "non-numeric");
    } else if (node->type == TREE_INT) {
        if (end->integer < node->integer) {
            np_decode_invalid_number(dec, end->line, &path, end->integer,
                                     "must be greater than or equal to "
                                     "`port`");
        }
        if (np_validate_port(dec, end->line, &path, end->integer)) {
            port->has_end = true;
            port->end = end->integer;
        }
    }
}

static void
decode_port(struct np_decoder *dec, const struct tree_node *map,
            const struct np_path *up, struct np_port *port)
{
    static const char *const known[] = {
        "protocol", "port", "endPort", NULL
    };
    const struct tree_node *node = np_tree_get(map, "port");
    struct np_path path = np_path_field(up, "port");

    np_decode_unknown(dec, map, up, known);
    port->line = map->line;
    decode_protocol(dec, map, up, port);
    if (!node) {
        /* Every port. */
    } else if (node->type == TREE_INT) {
        if (np_validate_port(dec, node->line, &path, node->integer)) {
            port->has_port = true;
            port->port = node->integer;
        }
    } else if (node->type == TREE_STRING) {
        np_validate_name(dec, node->line, &path, node->string, NP_PORT_NAME);
        port->name = xstrdup(node->string);
    } else {
        np_decode_type_error(dec, node, &path, "an integer or a string");
    }
    decode_end_port(dec, map, up, node, port);
}

static void
decode_rule(struct np_decoder *dec, const struct tree_node *map,
            const struct np_path *path, const char *peers_key,
            struct np_netpol_rule *rule)
{
    const char *const known[] = { "ports", peers_key, NULL };
    const struct tree_node *ports = np_decode_list(dec, map, "ports", path);
    const struct tree_node *peers = np_decode_list(dec, map, peers_key, path);
    struct np_path ports_path = np_path_field(path, "ports");
    struct np_path peers_path = np_path_field(path, peers_key);
    struct tree_node item;

    np_decode_unknown(dec, map, path, known);
    rule->line = map->line;
    rule->ports = ports ? xcalloc(ports->n, sizeof *rule->ports) : NULL;
    for (size_t i = 0; ports && i < ports->n; i++) {
        struct np_path item_path = np_path_index(&ports_path, i);

        if (np_decode_item_map(dec, ports, i, &item_path, &item)) {
            decode_port(dec, &item, &item_path, &rule->ports[rule->n_ports++]);
        }
    }
    rule->peers = peers ? xcalloc(peers->n, sizeof *rule->peers) : NULL;
    for (size_t i = 0; peers && i < peers->n; i++) {
        struct np_path item_path = np_path_index(&peers_path, i);

        if (np_decode_item_map(dec, peers, i, &item_path, &item)) {
            decode_peer(dec, &item, &item_path, &rule->peers[rule->n_peers++]);
        }
    }
}

static void
decode_rules(struct np_decoder *dec, const struct tree_node *spec,
             const struct np_path *up, enum np_direction direction,
             struct np_netpol *netpol)
{
    const char *key = np_direction_name(direction);
    const char *peers_key = direction == NP_INGRESS ? "from" : "to";
    const struct tree_node *list = np_decode_list(dec, spec, key, up);
    struct np_path path = np_path_field(up, key);
    struct np_netpol_rule *rules;

    if (!list) {
        return;
    }
    netpol->rules[direction] = rules = xcalloc(list->n, sizeof *rules);
    for (size_t i = 0; i < list->n; i++) {
        struct np_path item_path = np_path_index(&path, i);
        struct tree_node item;

        if (np_decode_item_map(dec, list, i, &item_path, &item)) {
            decode_rule(dec, &item, &item_path, peers_key,
                        &rules[netpol->n_rules[direction]++]);
        }
    }
}

static void
too_many_types(struct np_decoder *dec, const struct tree_node *list,
               const struct np_path *path)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < MIN(list->n, 10); i++) {
        ds_put_format(&s, "%s\"%.32s\"", i ? "," : "",
                      list->list[i].type == TREE_STRING
                      ? list->list[i].string : "");
    }
    np_decode_error(dec, list->line, path, "Invalid value: [%s]: may not "
                    "specify more than two policyTypes", ds_cstr(&s));
    ds_destroy(&s);
}

static void
decode_types(struct np_decoder *dec, const struct tree_node *spec,
             const struct np_path *up, struct np_netpol *netpol)
{
    const struct tree_node *list = np_decode_list(dec, spec, "policyTypes",
                                                  up);
    struct np_path path = np_path_field(up, "policyTypes");

    if (list && list->n > 2) {
        too_many_types(dec, list, &path);
        return;
    }
    for (size_t i = 0; list && i < list->n; i++) {
        struct np_path item_path = np_path_index(&path, i);
        const char *type = np_decode_item_string(dec, list, i, &item_path);

        if (!type) {
            continue;
        } else if (!strcmp(type, "Ingress")) {
            netpol->types[NP_INGRESS] = true;
        } else if (!strcmp(type, "Egress")) {
            netpol->types[NP_EGRESS] = true;
        } else {
            np_decode_unsupported(dec, list->list[i].line, &item_path, type,
                                  "\"Ingress\", \"Egress\"");
        }
    }
}

void
np_decode_netpol(struct np_decoder *dec, const struct tree_node *root,
                 struct np_netpol *netpol)
{
    static const char *const known[] = {
        "podSelector", "policyTypes", "ingress", "egress", NULL
    };
    const struct tree_node *spec = np_decode_map(dec, root, "spec", NULL);
    struct np_path path = np_path_field(NULL, "spec");
    struct np_path pods_path = np_path_field(&path, "podSelector");
    const struct tree_node *pods;

    if (!spec) {
        return;                 /* An empty one, which selects all pods. */
    }
    np_decode_unknown(dec, spec, &path, known);
    pods = np_decode_map(dec, spec, "podSelector", &path);
    if (pods) {
        np_decode_selector(dec, pods, &pods_path, &netpol->pods);
    }
    decode_rules(dec, spec, &path, NP_INGRESS, netpol);
    decode_rules(dec, spec, &path, NP_EGRESS, netpol);
    decode_types(dec, spec, &path, netpol);
}

/* Pods and nodes: where they are and which ports have names.
 *
 * Of these kinds only what policies need is read and judged; the API server
 * has judged the rest, or nobody will ever run them. */

#include <config.h>
#include "validate.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* The API says two for a pod, one a family; some networks give more. */
#define MAX_ADDRS 256

/* Appends the address TEXT to the '*n' of '*addrs', unless it is there. */
static void
add_addr(struct np_decoder *dec, int line, const struct np_path *path,
         const char *text, struct np_prefix **addrs, size_t *n)
{
    struct np_prefix addr;

    if (!*text || !np_decode_addr(dec, line, path, text, &addr)) {
        return;
    }
    for (size_t i = 0; i < *n; i++) {
        if (np_prefix_equal(&(*addrs)[i], &addr)) {
            return;
        }
    }
    if (*n >= MAX_ADDRS) {
        np_decode_error(dec, line, path, "Too many: must have at most %d "
                        "addresses", MAX_ADDRS);
        return;
    }
    *addrs = xrealloc(*addrs, (*n + 1) * sizeof **addrs);
    (*addrs)[(*n)++] = addr;
}

/* status.podIP and status.podIPs: the latter's first is the former, but older
 * clusters and hand-written files have only one of them. */
static void
decode_pod_addrs(struct np_decoder *dec, const struct tree_node *status,
                 const struct np_path *up, struct np_pod *pod)
{
    const struct tree_node *ip = np_decode_string(dec, status, "podIP", up);
    const struct tree_node *ips = np_decode_list(dec, status, "podIPs", up);
    struct np_path ip_path = np_path_field(up, "podIP");
    struct np_path ips_path = np_path_field(up, "podIPs");

    if (ip) {
        add_addr(dec, ip->line, &ip_path, ip->string, &pod->addrs,
                 &pod->n_addrs);
    }
    for (size_t i = 0; ips && i < ips->n; i++) {
        struct np_path item_path = np_path_index(&ips_path, i);
        struct tree_node item;

        if (!np_decode_item_map(dec, ips, i, &item_path, &item)) {
            continue;
        }
        ip = np_decode_string(dec, &item, "ip", &item_path);
        if (ip) {
            struct np_path path = np_path_field(&item_path, "ip");

            add_addr(dec, ip->line, &path, ip->string, &pod->addrs,
                     &pod->n_addrs);
        }
    }
}

static void
decode_phase(struct np_decoder *dec, const struct tree_node *status,
             const struct np_path *up, struct np_pod *pod)
{
    static const char *const names[] = {
        [NP_PENDING] = "Pending", [NP_RUNNING] = "Running",
        [NP_SUCCEEDED] = "Succeeded", [NP_FAILED] = "Failed",
        [NP_UNKNOWN] = "Unknown",
    };
    const struct tree_node *node = np_decode_string(dec, status, "phase", up);
    struct np_path path = np_path_field(up, "phase");

    if (!node || !*node->string) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(node->string, names[i])) {
            pod->phase = i;
            return;
        }
    }
    /* No user writes it and the API server does not judge it, so it is better
     * to have the pod. */
    pod->phase = NP_UNKNOWN;
    np_decode_warning(dec, node->line, &path, "unknown phase \"%.64s\": the "
                      "pod is taken to run", node->string);
}

static void
decode_port_protocol(struct np_decoder *dec, const struct tree_node *map,
                     const struct np_path *up, struct np_container_port *port)
{
    const struct tree_node *node = np_decode_string(dec, map, "protocol", up);
    struct np_path path = np_path_field(up, "protocol");

    /* Here, unlike in a policy, an empty string is an absent field. */
    if (!node || !*node->string) {
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
                              "\"SCTP\", \"TCP\", \"UDP\"");
    }
}

/* hostPort means nothing to policies. */
static void
check_host_port(struct np_decoder *dec, const struct tree_node *map,
                const struct np_path *up)
{
    const struct tree_node *node = np_decode_integer(dec, map, "hostPort", up);
    struct np_path path = np_path_field(up, "hostPort");

    if (node && node->integer) {
        np_validate_port(dec, node->line, &path, node->integer);
    }
}

static void
decode_container_port(struct np_decoder *dec, const struct tree_node *map,
                      const struct np_path *path, struct shash *names,
                      struct np_container_port *port)
{
    const struct tree_node *name = np_decode_string(dec, map, "name", path);
    const struct tree_node *number = np_decode_integer(dec, map,
                                                       "containerPort", path);
    struct np_path name_path = np_path_field(path, "name");
    struct np_path number_path = np_path_field(path, "containerPort");

    if (name && *name->string) {
        size_t n_errors = dec->n_errors;

        np_validate_name(dec, name->line, &name_path, name->string,
                         NP_PORT_NAME);
        if (dec->n_errors == n_errors
            && !shash_add_once(names, name->string, NULL)) {
            np_decode_error(dec, name->line, &name_path,
                            "Duplicate value: \"%.64s\"", name->string);
        }
        port->name = np_pool_string(dec->m->pool, name->string);
    }
    if (number && number->integer) {
        if (np_validate_port(dec, number->line, &number_path,
                             number->integer)) {
            port->port = number->integer;
        }
    } else if (number || !np_tree_get(map, "containerPort")) {
        np_decode_error(dec, number ? number->line : map->line, &number_path,
                        "Required value");
    }
    check_host_port(dec, map, path);
    decode_port_protocol(dec, map, path, port);
}

/* The ports of a pod's containers, as they are read. */
struct port_list {
    struct np_container_port *v;
    size_t n;
};

static void
decode_container(struct np_decoder *dec, const struct tree_node *map,
                 const struct np_path *up, struct port_list *ports)
{
    const struct tree_node *list = np_decode_list(dec, map, "ports", up);
    struct np_path path = np_path_field(up, "ports");
    struct shash names = SHASH_INITIALIZER(&names);

    if (list) {
        /* Zeros also where there are no fields: it is compared as bytes. */
        ports->v = xrealloc(ports->v, (ports->n + list->n) * sizeof *ports->v);
        memset(ports->v + ports->n, 0, list->n * sizeof *ports->v);
    }
    for (size_t i = 0; list && i < list->n; i++) {
        struct np_path item_path = np_path_index(&path, i);
        struct tree_node item;

        if (np_decode_item_map(dec, list, i, &item_path, &item)) {
            decode_container_port(dec, &item, &item_path, &names,
                                  &ports->v[ports->n++]);
        }
    }
    shash_destroy(&names);
}

/* An init container keeps running beside the others only as a sidecar. */
static bool
is_sidecar(struct np_decoder *dec, const struct tree_node *map,
           const struct np_path *path)
{
    const struct tree_node *policy = np_decode_string(dec, map,
                                                      "restartPolicy", path);

    return policy && !strcmp(policy->string, "Always");
}

static void
decode_containers(struct np_decoder *dec, const struct tree_node *spec,
                  const struct np_path *up, const char *key,
                  struct port_list *ports)
{
    const struct tree_node *list = np_decode_list(dec, spec, key, up);
    struct np_path path = np_path_field(up, key);
    bool init = !strcmp(key, "initContainers");

    for (size_t i = 0; list && i < list->n; i++) {
        struct np_path item_path = np_path_index(&path, i);
        struct tree_node item;

        if (np_decode_item_map(dec, list, i, &item_path, &item)
            && (!init || is_sidecar(dec, &item, &item_path))) {
            decode_container(dec, &item, &item_path, ports);
        }
    }
}

void
np_decode_pod(struct np_decoder *dec, const struct tree_node *root,
              struct np_pod *pod)
{
    const struct tree_node *spec = np_decode_map(dec, root, "spec", NULL);
    struct np_path spec_path = np_path_field(NULL, "spec");
    struct np_path status_path = np_path_field(NULL, "status");
    struct port_list ports = { NULL, 0 };
    const struct tree_node *status;

    if (spec) {
        const struct tree_node *node = np_decode_string(dec, spec, "nodeName",
                                                        &spec_path);

        if (node && *node->string) {
            pod->node_name = np_pool_string(dec->m->pool, node->string);
        }
        pod->host_network = np_decode_bool(dec, spec, "hostNetwork",
                                           &spec_path);
        decode_containers(dec, spec, &spec_path, "initContainers", &ports);
        decode_containers(dec, spec, &spec_path, "containers", &ports);
        np_pod_share_ports(pod, dec->m->pool, ports.v, ports.n);
        free(ports.v);
    }
    status = np_decode_map(dec, root, "status", NULL);
    if (status) {
        decode_phase(dec, status, &status_path, pod);
        decode_pod_addrs(dec, status, &status_path, pod);
    }
}

/* The API server takes any text for an address.  A node must not lose its
 * others for one that is none. */
static void
add_node_addr(struct np_decoder *dec, const struct tree_node *addr,
              const struct np_path *up, struct np_node *node)
{
    struct np_path path = np_path_field(up, "address");

    if (*addr->string && !np_is_addr(addr->string)) {
        np_decode_warning(dec, addr->line, &path, "\"%.64s\" is not an IP "
                          "address and is left out", addr->string);
        return;
    }
    add_addr(dec, addr->line, &path, addr->string, &node->addrs,
             &node->n_addrs);
}

void
np_decode_node(struct np_decoder *dec, const struct tree_node *root,
               struct np_node *node)
{
    const struct tree_node *status = np_decode_map(dec, root, "status", NULL);
    struct np_path status_path = np_path_field(NULL, "status");
    struct np_path path = np_path_field(&status_path, "addresses");
    const struct tree_node *list = status
        ? np_decode_list(dec, status, "addresses", &status_path) : NULL;

    for (size_t i = 0; list && i < list->n; i++) {
        struct np_path item_path = np_path_index(&path, i);
        const struct tree_node *type, *addr;
        struct tree_node item;

        if (!np_decode_item_map(dec, list, i, &item_path, &item)) {
            continue;
        }
        type = np_decode_string(dec, &item, "type", &item_path);
        addr = np_decode_string(dec, &item, "address", &item_path);
        if (type && addr && (!strcmp(type->string, "InternalIP")
                             || !strcmp(type->string, "ExternalIP"))) {
            add_node_addr(dec, addr, &item_path, node);
        }
    }
}

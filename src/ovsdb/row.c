/* From rows of the database to ports.
 *
 * Each CNI plugin has its own keys for the same few facts, and some put them
 * on the Interface, some on the Port.  Here all of them are read side by side,
 * whoever wrote them: the Interface's keys first, the Port's for what is not
 * there.  What a row claims is one of three things:
 *
 *   pod     named (pod-namespace and pod-name, pod_namespace and pod_name, or
 *           an iface-id "NAMESPACE_POD"), or by UID only (contPodUid)
 *   node    the LOCAL port, netpol-role=gateway, antrea-type=gateway, and
 *           ovn-kubernetes' management port iface-id=k8s-NODE
 *   way out netpol-role=uplink, antrea-type=uplink, patch ports and tunnels
 *
 * Anything else is unknown, which is no mistake: a Neutron port's iface-id is
 * a UUID.  A key that we understand with a value that we do not is a mistake,
 * kept in 'error' for the status. */

#include <config.h>
#include "ovsdb/row.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "netpol/error.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

/* While one port is read. */
struct reader {
    const struct np_port_row *row;
    struct np_bridge_port *port;
};

/* The value of KEY, or NULL.  An empty value counts as absent: some plugins
 * write one for what they do not know. */
static const char *
get(const struct reader *r, const char *key)
{
    const char *value = smap_get(r->row->iface_ids, key);

    if (!value) {
        value = smap_get(r->row->port_ids, key);
    }
    return value && *value ? value : NULL;
}

/* The first of two spellings of a key that is there; '*key' is its name. */
static const char *
get2(const struct reader *r, const char *a, const char *b, const char **key)
{
    const char *value = get(r, a);

    *key = value ? a : b;
    return value ? value : get(r, b);
}

static void OVS_PRINTF_FORMAT(4, 5)
fail(struct reader *r, const char *key, const char *value,
     const char *format, ...)
{
    if (!r->port->error) {
        va_list args;

        va_start(args, format);
        char *reason = xvasprintf(format, args);
        va_end(args);
        char *error = xasprintf("external_ids:%s: \"%s\" %s",
                                key, value, reason);
        r->port->error = np_printable(error);
        free(error);
        free(reason);
    }
}

/* Is the N bytes long S a DNS label (RFC 1123), or with DOTS a sequence of
 * labels?  That is what the API server lets a namespace and a pod be named. */
static bool
is_dns_name(const char *s, size_t n, bool dots)
{
    if (!n || n > (dots ? 253 : 63)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool inner = i && i + 1 < n;
        unsigned char c = s[i];

        if (!isdigit(c) && !islower(c)
            && !(inner && (c == '-' || (dots && c == '.')))) {
            return false;
        }
    }
    return true;
}

static bool
claim(struct reader *r, const char *ns, size_t ns_len, const char *name)
{
    if (!is_dns_name(ns, ns_len, false)
        || !is_dns_name(name, strlen(name), true)) {
        return false;
    }
    r->port->role = NP_PORT_POD;
    r->port->pod_namespace = xmemdup0(ns, ns_len);
    r->port->pod_name = xstrdup(name);
    return true;
}

/* A pair of keys, in Antrea's or Kube-OVN's spelling. */
static bool
read_pair(struct reader *r, const char *ns_key, const char *name_key)
{
    const char *ns = get(r, ns_key);
    const char *name = get(r, name_key);

    if (!ns && !name) {
        return false;
    } else if (!ns || !name) {
        fail(r, ns ? ns_key : name_key, ns ? ns : name,
             "comes without %s", ns ? name_key : ns_key);
    } else if (!claim(r, ns, strlen(ns), name)) {
        bool ns_ok = is_dns_name(ns, strlen(ns), false);

        fail(r, ns_ok ? name_key : ns_key, ns_ok ? name : ns,
             "is not the name of a %s", ns_ok ? "pod" : "namespace");
    }
    return true;
}

/* ovn-kubernetes' and our own "NAMESPACE_POD". */
static void
read_iface_id(struct reader *r)
{
    const char *id = get(r, "iface-id");
    const char *sep = id ? strchr(id, '_') : NULL;

    if (sep && !claim(r, id, sep - id, sep + 1)) {
        fail(r, "iface-id", id, "is not NAMESPACE_POD");
    } else if (id && !sep && !strncmp(id, "k8s-", 4)
               && is_dns_name(id + 4, strlen(id + 4), true)) {
        r->port->role = NP_PORT_NODE;
    }
}

static void
read_pod(struct reader *r)
{
    const char *key;
    const char *uid = get2(r, "iface-id-ver", "contPodUid", &key);

    if (!read_pair(r, "pod-namespace", "pod-name")
        && !read_pair(r, "pod_namespace", "pod_name")) {
        read_iface_id(r);
    }
    if (r->port->role == NP_PORT_UNKNOWN && !r->port->error
        && get(r, "contPodUid")) {
        r->port->role = NP_PORT_POD;
    }
    if (r->port->role == NP_PORT_POD && uid) {
        r->port->pod_uid = xstrdup(uid);
    }
}

static bool
is_tunnel(const char *type)
{
    static const char *const types[] = { "vxlan", "geneve", "gre", "stt" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!strcmp(type, types[i])) {
            return true;
        }
    }
    return false;
}

/* What a port is said to be outright.  Returns false if nothing says it, and
 * the pod keys decide. */
static bool
read_role(struct reader *r)
{
    const struct np_port_row *row = r->row;
    const char *role = get(r, "netpol-role");
    const char *antrea = get(r, "antrea-type");

    if (!strcmp(row->name, row->bridge) || row->ofport == NP_OFPORT_LOCAL) {
        r->port->role = NP_PORT_NODE;
    } else if (role) {
        if (!strcmp(role, "gateway")) {
            r->port->role = NP_PORT_NODE;
        } else if (!strcmp(role, "uplink")) {
            r->port->role = NP_PORT_UPLINK;
        } else {
            fail(r, "netpol-role", role, "is neither gateway nor uplink");
        }
    } else if (antrea && !strcmp(antrea, "gateway")) {
        r->port->role = NP_PORT_NODE;
    } else if (is_tunnel(row->type)
               || (antrea && !strcmp(antrea, "tunnel"))) {
        r->port->role = NP_PORT_TUNNEL;
    } else if (!strcmp(row->type, "patch")
               || (antrea && !strcmp(antrea, "uplink"))) {
        r->port->role = NP_PORT_UPLINK;
    } else {
        return false;
    }
    return true;
}

static void
read_mac(struct reader *r)
{
    struct np_bridge_port *port = r->port;
    const char *key, *s;

    if (port->role == NP_PORT_NODE) {
        s = r->row->mac_in_use;
        port->has_mac = s && eth_addr_from_string(s, &port->mac);
    } else if (port->role == NP_PORT_POD) {
        s = get2(r, "attached-mac", "attached_mac", &key);
        if (!s) {
            return;
        }
        if (!eth_addr_from_string(s, &port->mac)
            || eth_addr_is_multicast(port->mac)
            || eth_addr_is_zero(port->mac)) {
            fail(r, key, s, "is not a MAC address of a station");
        } else {
            port->has_mac = true;
        }
    }
    if (!port->has_mac) {
        port->mac = eth_addr_zero;
    }
}

void
np_bridge_port_add_addr(struct np_bridge_port *port, const struct np_prefix *p)
{
    size_t i;

    for (i = 0; i < port->n_addrs; i++) {
        int cmp = np_prefix_compare(p, &port->addrs[i]);

        if (!cmp) {
            return;
        } else if (cmp < 0) {
            break;
        }
    }
    port->addrs = xrealloc(port->addrs,
                           (port->n_addrs + 1) * sizeof *port->addrs);
    memmove(&port->addrs[i + 1], &port->addrs[i],
            (port->n_addrs - i) * sizeof *port->addrs);
    port->addrs[i] = *p;
    port->n_addrs++;
}

/* An address that can be somebody's: not "any", loopback, multicast or
 * broadcast. */
static bool
is_station(const struct np_prefix *p)
{
    if (p->family == 4) {
        return p->bytes[0] && p->bytes[0] != 127 && p->bytes[0] < 224;
    }
    struct in6_addr in6;

    memcpy(&in6, p->bytes, sizeof in6);
    return !IN6_IS_ADDR_UNSPECIFIED(&in6) && !IN6_IS_ADDR_LOOPBACK(&in6)
           && !IN6_IS_ADDR_MULTICAST(&in6);
}

/* "10.0.0.1" or "10.0.0.1/24"; the length is the subnet's, not ours. */
static bool
parse_addr(const char *s, struct np_prefix *p)
{
    const char *slash = strchr(s, '/');
    char *bare = slash ? xmemdup0(s, slash - s) : xstrdup(s);
    struct np_prefix subnet;
    bool ok = np_addr_parse(bare, p)
              && (!slash || np_prefix_parse(s, &subnet, NULL))
              && is_station(p);

    free(bare);
    return ok;
}

static void
read_addrs(struct reader *r)
{
    static const char *const keys[] = { "ip-address", "ip_addresses", "ip" };
    const char *value = NULL;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(keys) && !value; i++) {
        value = get(r, keys[i]);
    }
    if (!value) {
        return;
    }

    char *copy = xstrdup(value);
    char *save = NULL;
    for (char *s = strtok_r(copy, ", ", &save); s;
         s = strtok_r(NULL, ", ", &save)) {
        struct np_prefix p;

        if (parse_addr(s, &p)) {
            np_bridge_port_add_addr(r->port, &p);
        } else {
            fail(r, keys[i - 1], s, "is not the address of a host");
        }
    }
    free(copy);
}

void
np_port_from_row(const struct np_port_row *row, struct np_bridge_port *port)
{
    struct reader r = { .row = row, .port = port };

    memset(port, 0, sizeof *port);
    port->name = xstrdup(row->name);
    port->ofport = (row->ofport > 0 && row->ofport < UINT32_MAX
                    ? row->ofport : NP_OFPORT_NONE);
    if (!read_role(&r)) {
        read_pod(&r);
    }
    read_mac(&r);
    if (port->role == NP_PORT_POD || port->role == NP_PORT_NODE) {
        read_addrs(&r);
    }
}

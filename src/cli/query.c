/* SRC and DST[:PORT[/PROTO]]: pods by name or addresses, and a service. */

#include <config.h>
#include "cli/query.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

static const struct {
    const char *name;
    uint8_t number;
} protocols[] = {
    { "tcp", NP_TCP }, { "udp", NP_UDP }, { "sctp", NP_SCTP },
    { "icmp", IPPROTO_ICMP }, { "icmpv6", IPPROTO_ICMPV6 },
};

static bool
has_ports(uint8_t proto)
{
    return proto == NP_TCP || proto == NP_UDP || proto == NP_SCTP;
}

static uint8_t
parse_proto(const char *s)
{
    int number;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcasecmp(protocols[i].name, s)) {
            return protocols[i].number;
        }
    }
    if (!str_to_int(s, 10, &number) || number < 0 || number > 255) {
        cli_fail("\"%s\" is no protocol: tcp, udp, sctp, icmp or a number",
                 s);
    }
    return number;
}

/* The first of NAME in DST's pod, or the number itself. */
static void
parse_port(struct cli_query *q, const char *s)
{
    int number;

    if (!*s && !has_ports(q->proto)) {
        return;
    }
    if (str_to_int(s, 10, &number)) {
        if (number < has_ports(q->proto) || number > UINT16_MAX) {
            cli_fail("port %s is not between 1 and 65535", s);
        }
        q->port = number;
        return;
    }
    if (!q->dst.pod) {
        cli_fail("port \"%s\" is a name, and %s is not a pod", s,
                 q->dst.name);
    }
    for (size_t i = 0; i < q->dst.pod->n_ports; i++) {
        const struct np_container_port *p = &q->dst.pod->ports[i];

        if (p->name && !strcmp(p->name, s)
            && (p->has_protocol ? p->protocol : NP_TCP) == q->proto) {
            q->port_name = s;
            q->port = p->port;
            return;
        }
    }
    cli_fail("%s has no port \"%s\" of that protocol", q->dst.name, s);
}

/* Cuts ":PORT[/PROTO]" off TEXT and returns what is behind the colon, or NULL.
 * The colons of an IPv6 address are no such colon, unless the address stands
 * in brackets, which are taken away. */
static char *
cut_service(char *text)
{
    struct np_prefix addr;
    char *colon;

    if (text[0] == '[') {
        char *end = strchr(text, ']');

        if (!end || (end[1] && end[1] != ':')) {
            cli_fail("%s: expected [ADDRESS]:PORT", text);
        }
        *end = '\0';
        colon = end[1] ? end + 1 : NULL;
        memmove(text, text + 1, end - text);
    } else {
        colon = np_addr_parse(text, &addr) ? NULL : strchr(text, ':');
        if (colon) {
            *colon = '\0';
        }
    }
    return colon ? colon + 1 : NULL;
}

static const struct np_meta *
find(const struct cli_input *in, enum np_kind kind, const char *namespace,
     const char *name)
{
    for (size_t i = 0; i < in->n; i++) {
        const struct np_meta *o = in->objects[i];

        if (o->kind == kind && !strcmp(o->name, name)
            && nullable_string_is_equal(o->namespace, namespace)) {
            return o;
        }
    }
    return NULL;
}

static const struct np_pod *
find_pod(const struct cli_options *o, const struct cli_input *in,
         const char *name)
{
    const char *slash = strchr(name, '/');
    char *namespace = (slash ? xmemdup0(name, slash - name)
                       : xstrdup(o->namespace));
    const struct np_pod *pod = (const struct np_pod *)
        find(in, NP_POD, namespace, slash ? slash + 1 : name);

    if (!pod) {
        cli_fail("no pod %s/%s in what -f names", namespace,
                 slash ? slash + 1 : name);
    }
    free(namespace);
    return pod;
}

static void
set_addrs(struct cli_end *end, const struct np_prefix *addrs, size_t n)
{
    if (n) {
        end->addrs = xmemdup(addrs, n * sizeof *addrs);
        end->n_addrs = n;
    }
}

/* A pod on the host's network is its node's address and nothing more. */
static void
parse_end(struct cli_end *end, const struct cli_options *o,
          const struct cli_input *in, const char *name)
{
    static const struct np_prefix unknown = { .family = 0 };
    struct np_eval_world world = { .objects = in->objects, .n = in->n };
    struct np_prefix addr;

    end->name = name;
    if (np_addr_parse(name, &addr)) {
        end->pod = np_eval_pod_at(&world, &addr);
        set_addrs(end, &addr, 1);
        return;
    }
    end->pod = find_pod(o, in, name);
    if (end->pod->n_addrs) {
        set_addrs(end, end->pod->addrs, end->pod->n_addrs);
    } else if (end->pod->host_network && end->pod->node_name) {
        const struct np_node *node = (const struct np_node *)
            find(in, NP_NODE, NULL, end->pod->node_name);

        if (node) {
            set_addrs(end, node->addrs, node->n_addrs);
        }
    }
    if (!end->n_addrs) {
        set_addrs(end, &unknown, 1);
    }
}

void
cli_query_parse(struct cli_query *q, const struct cli_options *o,
                const struct cli_input *in, const char *src, const char *dst)
{
    char *service;

    memset(q, 0, sizeof *q);
    q->dst_text = xstrdup(dst);
    service = cut_service(q->dst_text);
    parse_end(&q->src, o, in, src);
    parse_end(&q->dst, o, in, q->dst_text);

    q->proto = CLI_ANY_PROTO;
    if (service) {
        char *slash = strchr(service, '/');

        if (slash) {
            *slash = '\0';
        }
        q->proto = slash ? parse_proto(slash + 1) : NP_TCP;
        parse_port(q, service);
    }
}

void
cli_query_destroy(struct cli_query *q)
{
    free(q->src.addrs);
    free(q->dst.addrs);
    free(q->dst_text);
}

void
cli_query_format_service(const struct cli_query *q, struct ds *s)
{
    if (q->proto == CLI_ANY_PROTO) {
        ds_put_cstr(s, "traffic of every kind");
    } else if (!has_ports(q->proto)) {
        ds_put_format(s, "protocol %d", q->proto);
    } else {
        ds_put_format(s, "%s port %d", np_proto_name(q->proto), q->port);
        if (q->port_name) {
            ds_put_format(s, " (%s)", q->port_name);
        }
    }
}

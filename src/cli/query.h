#ifndef CLI_QUERY_H
#define CLI_QUERY_H 1

/* What `netpolctl check` was asked, in terms of the judge. */

#include "cli/cli.h"
#include "netpol/eval.h"

/* One of SRC and DST. */
struct cli_end {
    const char *name;           /* As it was written; without the port. */
    const struct np_pod *pod;   /* NULL: an address that is no pod's. */
    struct np_prefix *addrs;    /* One of family 0 if none is known. */
    size_t n_addrs;
};

struct cli_query {
    struct cli_end src, dst;
    uint8_t proto;              /* IANA's; CLI_ANY_PROTO: of every kind. */
    uint16_t port;
    const char *port_name;      /* If it was given by name, or NULL. */
    char *dst_text;             /* Owned; dst.name points here. */
};

/* Experimental (RFC 3692): no rule with ports allows it, so what is true of it
 * is true of traffic of every kind. */
#define CLI_ANY_PROTO 253

/* Understands SRC and DST[:PORT[/PROTO]]; exits if they make no sense or name
 * a pod that is not there. */
void cli_query_parse(struct cli_query *, const struct cli_options *,
                     const struct cli_input *, const char *src,
                     const char *dst);
void cli_query_destroy(struct cli_query *);
/* Appends "TCP port 80". */
void cli_query_format_service(const struct cli_query *, struct ds *);

#endif /* cli/query.h */

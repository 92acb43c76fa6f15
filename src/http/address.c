/* Where to listen, as a person writes it. */

#include <config.h>
#include "netpol/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static bool
parse_port(const char *s, in_port_t *port)
{
    int n;

    /* str_to_int() would take a sign and spaces. */
    if (s[strspn(s, "0123456789")] || !str_to_int(s, 10, &n) || n < 1
        || n > 65535) {
        return false;
    }
    *port = htons(n);
    return true;
}

/* HOST is "" for all addresses; with brackets if IPv6. */
static bool
parse_host(const char *host, struct sockaddr_storage *ss)
{
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *) ss;
    struct sockaddr_in *sin = (struct sockaddr_in *) ss;
    size_t n = strlen(host);

    if (!n) {
        sin6->sin6_family = AF_INET6;
        sin6->sin6_addr = in6addr_any;
        return true;
    } else if (host[0] == '[' && host[n - 1] == ']') {
        char *inner = xmemdup0(host + 1, n - 2);
        bool ok = inet_pton(AF_INET6, inner, &sin6->sin6_addr) == 1;

        free(inner);
        sin6->sin6_family = AF_INET6;
        return ok;
    }
    sin->sin_family = AF_INET;
    return inet_pton(AF_INET, host, &sin->sin_addr) == 1;
}

char *
np_http_parse_address(const char *s, struct sockaddr_storage *ss)
{
    const char *colon = strrchr(s, ':');
    const char *bracket = strrchr(s, ']');
    in_port_t port = 0;
    char *host;
    bool ok;

    memset(ss, 0, sizeof *ss);
    if (!colon || (bracket && bracket > colon)) {
        host = xstrdup("127.0.0.1");
        ok = parse_port(s, &port);
    } else {
        host = xmemdup0(s, colon - s);
        ok = parse_port(colon + 1, &port);
    }
    ok = ok && parse_host(host, ss);
    free(host);
    if (!ok) {
        return xasprintf("\"%s\" is not a port, 1 to 65535, or ADDRESS:PORT "
                         "([ADDRESS]:PORT for IPv6)", s);
    }
    if (ss->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *) ss)->sin6_port = port;
    } else {
        ((struct sockaddr_in *) ss)->sin_port = port;
    }
    return NULL;
}

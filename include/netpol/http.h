#ifndef NETPOL_HTTP_H
#define NETPOL_HTTP_H 1

/* A few pages over HTTP, for probes and for Prometheus.
 *
 * Part of the caller's poll loop, without a thread.  A connection is for one
 * request and lives for seconds at most, and there are few of them at a time;
 * when one more comes, the oldest goes. */

#include <stddef.h>
#include <sys/socket.h>
#include "openvswitch/dynamic-string.h"

struct np_http;

struct np_http_reply {
    unsigned int status;        /* 200 unless the page says otherwise. */
    const char *type;           /* Content-Type; plain text unless... */
    struct ds body;
};

struct np_http_page {
    const char *path;           /* "/healthz" */
    void (*get)(struct np_http_reply *, void *aux);
};

/* Reads PORT, for 127.0.0.1; ADDRESS:PORT, with brackets around an IPv6
 * address; or :PORT, for all addresses of both IP versions.  Returns NULL, or
 * an error to be freed. */
char *np_http_parse_address(const char *, struct sockaddr_storage *);

/* Serves PAGES, which must live as long as the server, at ADDRESS as
 * np_http_parse_address() takes it.  An address that cannot be had (yet) is
 * logged once and tried again and again. */
struct np_http *np_http_create(const char *address,
                               const struct np_http_page *pages, size_t n,
                               void *aux);
void np_http_destroy(struct np_http *);

void np_http_run(struct np_http *);     /* Does nothing for NULL. */
void np_http_wait(struct np_http *);    /* The same. */

/* Why nobody is served now, or NULL.  Valid until the next run. */
const char *np_http_problem(const struct np_http *);

#endif /* netpol/http.h */

/* The HTTP server: libmicrohttpd, driven by our poll loop.
 *
 * libmicrohttpd waits with an epoll descriptor of its own, which is one more
 * descriptor of ours, and is run when that becomes readable.  So pages are
 * made between two turns of the daemon and see it at rest, and no lock is
 * needed anywhere.
 *
 * Whoever can connect must not be able to cost us more than a moment.  A
 * client that opens a connection and says nothing, one that sends a byte a
 * second, and one that never reads its answer are the same thing here: a
 * connection that was there for LIFE_MS is shut, whatever it does.  When there
 * are MAX_CONNECTIONS, a new one takes the place of the oldest, so that
 * nobody can keep a probe out by holding all of them. */

#include <config.h>
#include "netpol/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coverage.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_http);

COVERAGE_DEFINE(np_http_connection);
COVERAGE_DEFINE(np_http_request);
COVERAGE_DEFINE(np_http_shut);

enum {
    MAX_CONNECTIONS = 32,
    /* Those that are shut already and not yet gone. */
    MAX_CLOSING = 32,
    LIFE_MS = 10000,
    MEMORY_LIMIT = 8192,        /* Bytes of request and headers. */
    BACKLOG = 64,
    MIN_BACKOFF_MS = 1000,
    MAX_BACKOFF_MS = 30000,
};

struct np_http {
    char *address;              /* As it was given. */
    struct sockaddr_storage ss;
    const struct np_http_page *pages;
    size_t n_pages;
    void *aux;

    struct MHD_Daemon *mhd;     /* NULL while there is no socket. */
    int epoll_fd;
    struct ovs_list connections;        /* Oldest first. */
    size_t n_connections;

    char *problem;
    long long int retry_at;     /* time_msec() */
    int backoff;                /* Milliseconds. */
};

struct connection {
    struct ovs_list node;       /* In struct np_http's 'connections', or empty
                                 * once it was shut. */
    int fd;                     /* libmicrohttpd's. */
    long long int deadline;     /* time_msec() */
};

struct np_http *
np_http_create(const char *address, const struct np_http_page *pages,
               size_t n, void *aux)
{
    struct np_http *h = xzalloc(sizeof *h);
    char *error = np_http_parse_address(address, &h->ss);

    ovs_assert(!error);         /* It was read before. */
    h->address = xstrdup(address);
    h->pages = pages;
    h->n_pages = n;
    h->aux = aux;
    ovs_list_init(&h->connections);
    h->problem = xstrdup("not started yet");
    return h;
}

void
np_http_destroy(struct np_http *h)
{
    if (h) {
        if (h->mhd) {
            MHD_stop_daemon(h->mhd);
        }
        free(h->problem);
        free(h->address);
        free(h);
    }
}

const char *
np_http_problem(const struct np_http *h)
{
    return h->problem;
}

/* Answers. */

static enum MHD_Result
send_reply(struct MHD_Connection *connection, struct np_http_reply *reply)
{
    size_t len = reply->body.length;
    struct MHD_Response *r = MHD_create_response_from_buffer(
        len, ds_steal_cstr(&reply->body), MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!r) {
        return MHD_NO;
    }
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    result = MHD_queue_response(connection, reply->status, r);
    MHD_destroy_response(r);
    return result;
}

static const struct np_http_page *
find_page(const struct np_http *h, const char *path)
{
    for (size_t i = 0; i < h->n_pages; i++) {
        if (!strcmp(h->pages[i].path, path)) {
            return &h->pages[i];
        }
    }
    return NULL;
}

/* Called when the headers are read; a body, if there is one, is not. */
static enum MHD_Result
access_cb(void *h_, struct MHD_Connection *connection, const char *url,
          const char *method, const char *version OVS_UNUSED,
          const char *data OVS_UNUSED, size_t *size OVS_UNUSED,
          void **context OVS_UNUSED)
{
    struct np_http *h = h_;
    const struct np_http_page *page = find_page(h, url);
    struct np_http_reply reply = {
        .status = MHD_HTTP_OK,
        .type = "text/plain; charset=utf-8",
        .body = DS_EMPTY_INITIALIZER,
    };

    COVERAGE_INC(np_http_request);
    if (!page) {
        reply.status = MHD_HTTP_NOT_FOUND;
        ds_put_cstr(&reply.body, "no such page; there are");
        for (size_t i = 0; i < h->n_pages; i++) {
            ds_put_format(&reply.body, " %s", h->pages[i].path);
        }
        ds_put_char(&reply.body, '\n');
    } else if (strcmp(method, MHD_HTTP_METHOD_GET)
               && strcmp(method, MHD_HTTP_METHOD_HEAD)) {
        reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        ds_put_cstr(&reply.body, "only GET and HEAD\n");
    } else {
        page->get(&reply, h->aux);
    }
    return send_reply(connection, &reply);
}

/* Connections. */

/* Ends C's traffic; libmicrohttpd then finds that out and closes it. */
static void
shut(struct np_http *h, struct connection *c)
{
    COVERAGE_INC(np_http_shut);
    shutdown(c->fd, SHUT_RDWR);
    ovs_list_remove(&c->node);
    ovs_list_init(&c->node);
    h->n_connections--;
}

static struct connection *
oldest(struct np_http *h)
{
    return (ovs_list_is_empty(&h->connections) ? NULL
            : CONTAINER_OF(ovs_list_front(&h->connections),
                           struct connection, node));
}

static void
connection_cb(void *h_, struct MHD_Connection *connection, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    struct np_http *h = h_;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *c = xmalloc(sizeof *c);

        COVERAGE_INC(np_http_connection);
        if (h->n_connections >= MAX_CONNECTIONS) {
            shut(h, oldest(h));
        }
        c->fd = MHD_get_connection_info(
            connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        c->deadline = time_msec() + LIFE_MS;
        ovs_list_push_back(&h->connections, &c->node);
        h->n_connections++;
        *context = c;
    } else if (*context) {
        struct connection *c = *context;

        if (!ovs_list_is_empty(&c->node)) {
            ovs_list_remove(&c->node);
            h->n_connections--;
        }
        free(c);
    }
}

static void
log_cb(void *h_, const char *format, va_list args)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    const struct np_http *h = h_;

    if (!VLOG_DROP_DBG(&rl)) {
        char *s = xvasprintf(format, args);

        VLOG_DBG("%s: %s", h->address, s);
        free(s);
    }
}

/* Start. */

static int
bind_and_listen(const struct sockaddr_storage *ss)
{
    socklen_t len = (ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                     : sizeof(struct sockaddr_in));
    int fd = socket(ss->ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1, no = 0;

    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (ss->ss_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    }
    if (bind(fd, (const struct sockaddr *) ss, len) || listen(fd, BACKLOG)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

/* Returns a listening socket, or a negative errno value. */
static int
open_socket(const struct np_http *h)
{
    const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *) &h->ss;
    int fd = bind_and_listen(&h->ss);

    /* "All addresses" on a host without IPv6. */
    if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
        && h->ss.ss_family == AF_INET6
        && IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr)) {
        struct sockaddr_storage v4 = { .ss_family = AF_INET };

        ((struct sockaddr_in *) &v4)->sin_port = sin6->sin6_port;
        fd = bind_and_listen(&v4);
    }
    return fd;
}

static struct MHD_Daemon *
start_daemon(struct np_http *h, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, access_cb, h,
        MHD_OPTION_EXTERNAL_LOGGER, log_cb, h,
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_CONNECTION, connection_cb, h,
        MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int) MAX_CONNECTIONS + MAX_CLOSING,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) MEMORY_LIMIT,
        MHD_OPTION_END);
}

static void
fail(struct np_http *h, const char *reason)
{
    char *problem = xasprintf("cannot listen at %s: %s", h->address, reason);

    if (!nullable_string_is_equal(problem, h->problem)) {
        VLOG_WARN("%s; trying again", problem);
    }
    free(h->problem);
    h->problem = problem;
    h->backoff = MAX(MIN_BACKOFF_MS, MIN(2 * h->backoff, MAX_BACKOFF_MS));
    h->retry_at = time_msec() + h->backoff;
}

static void
start(struct np_http *h)
{
    int fd = open_socket(h);

    if (fd < 0) {
        fail(h, ovs_strerror(-fd));
        return;
    }
    h->mhd = start_daemon(h, fd);
    if (!h->mhd) {
        close(fd);
        fail(h, "libmicrohttpd does not start");
        return;
    }
    h->epoll_fd = MHD_get_daemon_info(h->mhd,
                                      MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    free(h->problem);
    h->problem = NULL;
    VLOG_INFO("listening at %s", h->address);
}

void
np_http_run(struct np_http *h)
{
    struct connection *c;

    if (h && !h->mhd && time_msec() >= h->retry_at) {
        start(h);
    }
    if (h && h->mhd) {
        while ((c = oldest(h)) && time_msec() >= c->deadline) {
            shut(h, c);
        }
        MHD_run(h->mhd);
    }
}

void
np_http_wait(struct np_http *h)
{
    MHD_UNSIGNED_LONG_LONG ms;
    struct connection *c;

    if (!h) {
        return;
    } else if (!h->mhd) {
        poll_timer_wait_until(h->retry_at);
        return;
    }
    poll_fd_wait(h->epoll_fd, POLLIN);
    if (MHD_get_timeout(h->mhd, &ms) == MHD_YES) {
        poll_timer_wait(MIN(ms, LIFE_MS));
    }
    if ((c = oldest(h))) {
        poll_timer_wait_until(c->deadline);
    }
}

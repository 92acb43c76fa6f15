/* The HTTP server, with clients on the loopback. */

#include <config.h>
#include "../unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "netpol/http.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "util.h"

/* Addresses. */

static void
expect_address(const char *s, const char *expected)
{
    struct sockaddr_storage ss;
    char *error = np_http_parse_address(s, &ss);
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (error) {
        fail_msg("%s", error);
    }
    ss_format_address(&ss, &ds);
    ds_put_format(&ds, " %d", ss_get_port(&ss));
    assert_string_equal(ds_cstr(&ds), expected);
    ds_destroy(&ds);
}

static void
test_addresses(void **state OVS_UNUSED)
{
    static const char *const bad[] = {
        "", "x", "0", "65536", "-1", "+80", " 80", "80 ", "1.2.3.4", "1.2.3.4:",
        "1.2.3.4:x", "1.2.3:80", "1.2.3.4:80:90", "::1:80", ":::80",
        "[::1]", "[::1]80", "[::1:80", "::1]:80", "[]:80", "[:80", "]:80",
        "[1.2.3.4]:80", "[fe80::1%lo]:80", "localhost:80", "1.2.3.4/8:80",
        "none:80", "http://1.2.3.4:80", "4294967376",
    };

    expect_address("10361", "127.0.0.1 10361");
    expect_address("192.0.2.1:1", "192.0.2.1 1");
    expect_address("0.0.0.0:65535", "0.0.0.0 65535");
    expect_address("[::1]:80", "[::1] 80");
    expect_address("[2001:db8::1]:80", "[2001:db8::1] 80");
    expect_address(":80", "[::] 80");
    expect_address("[::]:80", "[::] 80");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct sockaddr_storage ss;
        char *error = np_http_parse_address(bad[i], &ss);

        if (!error) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_null(strchr(error, '\n'));
        free(error);
    }
}

/* A server and its clients in one thread. */

struct fixture {
    struct np_http *http;
    in_port_t port;
    int holder;                 /* Has the port until the server may. */
    int n_gets;
};

static void
hello_cb(struct np_http_reply *reply, void *f_)
{
    struct fixture *f = f_;

    f->n_gets++;
    ds_put_cstr(&reply->body, "hello");
}

static void
large_cb(struct np_http_reply *reply, void *f OVS_UNUSED)
{
    reply->status = 503;
    reply->type = "text/x-large";
    ds_put_char_multiple(&reply->body, 'x', 4 * 1024 * 1024);
}

static const struct np_http_page pages[] = {
    { "/hello", hello_cb },
    { "/large", large_cb },
};

static int
setup(void **state)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct fixture *f = xzalloc(sizeof *f);
    socklen_t len = sizeof sin;
    char *address;

    f->holder = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f->holder, (struct sockaddr *) &sin, sizeof sin),
                     0);
    assert_int_equal(listen(f->holder, 1), 0);
    getsockname(f->holder, (struct sockaddr *) &sin, &len);
    f->port = sin.sin_port;
    address = xasprintf("127.0.0.1:%d", ntohs(f->port));
    f->http = np_http_create(address, pages, ARRAY_SIZE(pages), f);
    free(address);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    np_http_destroy(f->http);
    if (f->holder >= 0) {
        close(f->holder);
    }
    free(f);
    return 0;
}

static void
turn(struct fixture *f, int fd, short int events)
{
    np_http_run(f->http);
    np_http_wait(f->http);
    if (fd >= 0) {
        poll_fd_wait(fd, events);
    }
    poll_block();
}

static void
let_start(struct fixture *f)
{
    close(f->holder);
    f->holder = -1;
    np_http_run(f->http);
    assert_null(np_http_problem(f->http));
}

static int
connect_to(struct fixture *f)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = f->port,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &sin, sizeof sin), 0);
    set_nonblocking(fd);
    return fd;
}

/* What comes from FD until its end, to be freed; FD is closed. */
static char *
receive_all(struct fixture *f, int fd)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char buffer[4096];

    for (;;) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);

        if (n > 0) {
            ds_put_buffer(&s, buffer, n);
        } else if (n < 0 && errno == EAGAIN) {
            turn(f, fd, POLLIN);
        } else {
            close(fd);
            return ds_steal_cstr(&s);
        }
    }
}

static char *
ask(struct fixture *f, const char *request)
{
    int fd = connect_to(f);

    assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
    return receive_all(f, fd);
}

/* The answer to REQUEST begins with STATUS and has PART in it. */
static void
expect(struct fixture *f, const char *request, const char *status,
       const char *part)
{
    char *answer = ask(f, request);

    if (strncmp(answer, status, strlen(status)) || !strstr(answer, part)) {
        fail_msg("%s\nwas answered with\n%s", request, answer);
    }
    free(answer);
}

static void
test_pages(void **state)
{
    struct fixture *f = *state;
    char *answer;

    let_start(f);
    expect(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
           "\r\n\r\nhello");
    expect(f, "GET /hello?a=b HTTP/1.0\r\n\r\n", "HTTP/1.", "hello");
    expect(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
           "\r\nContent-Type: text/plain; charset=utf-8\r\n");
    expect(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
           "\r\nConnection: close\r\n");
    assert_int_equal(f->n_gets, 4);

    answer = ask(f, "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(answer, "\r\nContent-Length: 5\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);

    answer = ask(f, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_ptr_equal(strstr(answer, "HTTP/1.1 503 "), answer);
    assert_non_null(strstr(answer, "text/x-large"));
    assert_int_equal(strlen(strstr(answer, "\r\n\r\n")) - 4, 4 * 1024 * 1024);
    free(answer);
}

static void
test_mistakes(void **state)
{
    struct fixture *f = *state;
    struct ds s = DS_EMPTY_INITIALIZER;

    let_start(f);
    expect(f, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ",
           "/hello /large");
    expect(f, "GET /hello/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 ", "");
    expect(f, "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
           "HTTP/1.1 405 ", "\r\nAllow: GET, HEAD\r\n");
    expect(f, "DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ",
           "\r\nAllow: GET, HEAD\r\n");
    assert_int_equal(f->n_gets, 0);

    /* Headers without end: the client is told, or left. */
    ds_put_cstr(&s, "GET /hello HTTP/1.1\r\nHost: ");
    ds_put_char_multiple(&s, 'x', 30000);
    char *answer = ask(f, ds_cstr(&s));
    assert_true(!*answer || !strncmp(answer, "HTTP/1.1 4", 10));
    free(answer);
    free(ask(f, "\1\2\3\r\n\r\n"));
    free(ask(f, "GET\r\n\r\n"));
    assert_int_equal(f->n_gets, 0);
    ds_destroy(&s);
    expect(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ", "");
}

/* A request is answered while others hold all connections, and they, the
 * oldest first, are sent away. */
static void
test_idle_connections(void **state)
{
    struct fixture *f = *state;
    int idle[200];
    int n_closed = 0;
    char c;

    let_start(f);
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
        idle[i] = connect_to(f);
        turn(f, -1, 0);
    }
    expect(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
           "hello");
    while (recv(idle[0], &c, 1, 0) < 0 && errno == EAGAIN) {
        turn(f, idle[0], POLLIN);
    }
    for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
        n_closed += recv(idle[i], &c, 1, 0) == 0 || errno != EAGAIN;
        close(idle[i]);
    }
    assert_in_range(n_closed, 1, ARRAY_SIZE(idle) - 1);
    expect(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
           "hello");
}

/* A client that never ends its request, and one that never reads. */
static void
test_slow_clients_are_left(void **state)
{
    static const char half[] = "GET /hello HTTP/1.1\r\n";
    static const char large[] = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
    struct fixture *f = *state;
    int silent, deaf;

    let_start(f);
    deaf = connect_to(f);
    assert_true(send(deaf, large, strlen(large), 0) > 0);
    silent = connect_to(f);
    assert_true(send(silent, half, strlen(half), 0) > 0);
    /* The server's own clock ends it. */
    free(receive_all(f, silent));
    char *answer = receive_all(f, deaf);
    assert_true(strlen(answer) < 4 * 1024 * 1024);
    free(answer);
}

static void
test_a_port_that_is_taken(void **state)
{
    struct fixture *f = *state;
    char *problem;

    np_http_run(f->http);
    problem = xasprintf("cannot listen at 127.0.0.1:%d: %s", ntohs(f->port),
                        ovs_strerror(EADDRINUSE));
    assert_string_equal(np_http_problem(f->http), problem);
    free(problem);
    close(f->holder);
    f->holder = -1;
    for (;;) {
        np_http_run(f->http);
        if (!np_http_problem(f->http)) {
            break;
        }
        np_http_wait(f->http);
        poll_block();
    }
    expect(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 ",
           "hello");
}

static void
test_none(void **state OVS_UNUSED)
{
    np_http_run(NULL);
    np_http_wait(NULL);
    np_http_destroy(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idle_connections, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_slow_clients_are_left, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_port_that_is_taken, setup,
                                        teardown),
        cmocka_unit_test(test_none),
    };

    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}

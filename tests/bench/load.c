/* Clients and servers that put load on a path and say how it bore it.
 *
 * usage: load serve ADDRESS PORT
 *        load stream|connect|pingpong ADDRESS PORT SECONDS
 *        load clients ADDRESS PORT < SOURCES
 *
 * A server listens on three ports: PORT takes what it is sent and at the end
 * says how much that was; PORT + 1 answers one byte with another and closes;
 * PORT + 2 sends back what it gets.  A client prints one line of numbers:
 *
 *   stream    bytes a second, of one connection
 *   connect   connections a second: opened, one byte each way, closed
 *   pingpong  microseconds for a byte to go and come: median, 99th percentile
 *   clients   connections that succeeded, as `connect` makes them, one from
 *             each of the addresses on standard input, local or not
 *
 * Whatever fails ends the program with status 1. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SINK, ANSWER, ECHO, N_SERVICES };
enum { N_THREADS = 4 };         /* Of `connect`: two cores are kept busy. */
enum { BLOCK = 128 * 1024 };

/* A socket of a server's. */
struct conn {
    int fd;
    int service;
    int listens;
    uint64_t bytes;
};

struct client {
    struct sockaddr_in to;
    double seconds;
    uint64_t n;
};

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static double
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static struct sockaddr_in
address(const char *ip, int port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = htons(port) };

    if (inet_pton(AF_INET, ip, &sin.sin_addr) != 1) {
        fprintf(stderr, "%s: not an IPv4 address\n", ip);
        exit(2);
    }
    return sin;
}

static void
set(int fd, int level, int option, int value)
{
    if (setsockopt(fd, level, option, &value, sizeof value)) {
        die("setsockopt");
    }
}

/* The server. */

static void
watch(int epoll, int fd, int service, int listens)
{
    struct conn *c = calloc(1, sizeof *c);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

    if (!c) {
        die("calloc");
    }
    c->fd = fd;
    c->service = service;
    c->listens = listens;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
        die("epoll_ctl");
    }
}

static void
take(int epoll, const struct conn *c)
{
    int fd = accept(c->fd, NULL, NULL);

    if (fd >= 0) {
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        watch(epoll, fd, c->service, 0);
    }
}

/* A client that goes away early is the client's to report. */
static void
serve(struct conn *c)
{
    static char block[BLOCK];
    ssize_t n = recv(c->fd, block, sizeof block, 0);

    if (n > 0) {
        c->bytes += n;
        if (c->service == SINK
            || (send(c->fd, block, n, MSG_NOSIGNAL) == n
                && c->service == ECHO)) {
            return;
        }
    } else if (!n && c->service == SINK) {
        send(c->fd, &c->bytes, sizeof c->bytes, MSG_NOSIGNAL);
    }
    close(c->fd);
    free(c);
}

static void
server(const char *ip, int port)
{
    int epoll = epoll_create1(0);

    for (int i = 0; i < N_SERVICES; i++) {
        struct sockaddr_in sin = address(ip, port + i);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (bind(fd, (struct sockaddr *) &sin, sizeof sin)
            || listen(fd, 4096)) {
            die("listen");
        }
        watch(epoll, fd, i, 1);
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;

            if (c->listens) {
                take(epoll, c);
            } else {
                serve(c);
            }
        }
    }
}

/* Clients. */

static int
dial(const struct sockaddr_in *to, const struct sockaddr_in *from)
{
    struct timeval patience = { .tv_sec = 20 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0) {
        die("socket");
    }
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (from) {
        set(fd, IPPROTO_IP, IP_FREEBIND, 1);
        if (bind(fd, (const struct sockaddr *) from, sizeof *from)) {
            die("bind");
        }
    }
    if (connect(fd, (const struct sockaddr *) to, sizeof *to)) {
        die("connect");
    }
    return fd;
}

static void
exchange(int fd)
{
    char byte = 'x';

    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1) {
        die("no answer");
    }
}

/* The server closes first, so that the client's ports are free again. */
static void
connect_once(const struct sockaddr_in *to, const struct sockaddr_in *from)
{
    int fd = dial(to, from);
    char byte;

    exchange(fd);
    if (recv(fd, &byte, 1, 0)) {
        die("not closed");
    }
    close(fd);
}

static void
stream(const struct client *c)
{
    static char block[BLOCK];
    double start = now(), end = start + c->seconds;
    int fd = dial(&c->to, NULL);
    uint64_t bytes;

    while (now() < end) {
        if (send(fd, block, sizeof block, 0) < 0) {
            die("send");
        }
    }
    shutdown(fd, SHUT_WR);
    if (recv(fd, &bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes) {
        die("no count");
    }
    printf("%.0f\n", bytes / (now() - start));
}

static void *
connector(void *c_)
{
    struct client *c = c_;
    double end = now() + c->seconds;

    while (now() < end) {
        connect_once(&c->to, NULL);
        c->n++;
    }
    return NULL;
}

static void
connects(const struct client *c)
{
    struct client clients[N_THREADS];
    pthread_t threads[N_THREADS];
    double start = now();
    uint64_t n = 0;

    for (int i = 0; i < N_THREADS; i++) {
        clients[i] = *c;
        if (pthread_create(&threads[i], NULL, connector, &clients[i])) {
            die("pthread_create");
        }
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        n += clients[i].n;
    }
    printf("%.1f\n", n / (now() - start));
}

static int
compare(const void *a_, const void *b_)
{
    const double *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
pingpong(const struct client *c)
{
    enum { MOST = 1 << 20 };
    double *took = calloc(MOST, sizeof *took);
    double end = now() + c->seconds, last;
    int fd = dial(&c->to, NULL);
    size_t n = 0;

    if (!took) {
        die("calloc");
    }
    while (n < MOST && (last = now()) < end) {
        exchange(fd);
        took[n++] = (now() - last) * 1e6;
    }
    qsort(took, n, sizeof *took, compare);
    printf("%.2f %.2f\n", took[n / 2], took[n * 99 / 100]);
    free(took);
}

static void
clients(const struct client *c)
{
    char line[64];
    size_t n = 0;

    while (fgets(line, sizeof line, stdin)) {
        struct sockaddr_in from;

        line[strcspn(line, "\n")] = '\0';
        from = address(line, 0);
        connect_once(&c->to, &from);
        n++;
    }
    printf("%zu\n", n);
}

int
main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        int service, n_args;
        void (*run)(const struct client *);
    } all[] = {
        { "stream", SINK, 5, stream },
        { "connect", ANSWER, 5, connects },
        { "pingpong", ECHO, 5, pingpong },
        { "clients", ANSWER, 4, clients },
    };

    if (argc == 4 && !strcmp(argv[1], "serve")) {
        server(argv[2], atoi(argv[3]));
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (argc == all[i].n_args && !strcmp(argv[1], all[i].name)) {
            struct client c = {
                .to = address(argv[2], atoi(argv[3]) + all[i].service),
                .seconds = argc > 4 ? atof(argv[4]) : 0,
            };

            all[i].run(&c);
            return 0;
        }
    }
    fprintf(stderr, "usage: load serve|stream|connect|pingpong|clients "
                    "ADDRESS PORT [SECONDS]\n");
    return 2;
}

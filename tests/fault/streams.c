/* Numbered streams between the network namespaces of pods, very many in one
 * process, and what became of each number.
 *
 * Standard input says what to do, a line each:
 *
 *     listen NAME NETNS INTERFACE
 *     frames NAME allowed|denied NETNS INTERFACE LISTENER CSUM-AT HEX
 *     tcp NAME CLIENT-NETNS SERVER-NETNS CLIENT-IP SERVER-IP PORT
 *     start RATE
 *     newest
 *     stop
 *
 * A frame is sent as it is given but for the number at its end, and the
 * checksum at CSUM-AT, if that is not 0, which follows it.  Everything that
 * comes in at a listener is looked at, so a frame that comes out at the wrong
 * pod is seen as well.  A TCP connection carries bytes from client to server,
 * of which the position is the number.
 *
 * `newest` answers with a JSON object on one line: for each stream, when that
 * was sent which arrived last, in seconds of CLOCK_MONOTONIC.  `stop`, or the
 * end of the input, ends the traffic; the report is a JSON object as well,
 * see report.c.  Whatever fails before the start ends the program with
 * status 1. */

#include <config.h>

#include "streams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "util.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { RECEIVE_BUFFER = 16 * 1024 * 1024 };
enum { STRAGGLERS_MS = 300 };

int64_t
now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* A socket belongs to the namespace in which it was made. */
static void
enter(const char *netns)
{
    int fd = open(netns, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || setns(fd, CLONE_NEWNET)) {
        ovs_fatal(errno, "%s", netns);
    }
    close(fd);
}

static int
packet_socket(const char *netns, const char *interface, int protocol)
{
    enter(netns);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(protocol),
        .sll_ifindex = if_nametoindex(interface),
    };

    if (fd < 0 || bind(fd, (struct sockaddr *) &to, sizeof to)) {
        ovs_fatal(errno, "%s in %s", interface, netns);
    }
    return fd;
}

static void
set(int fd, int level, int option, int value)
{
    if (setsockopt(fd, level, option, &value, sizeof value)) {
        ovs_fatal(errno, "setsockopt");
    }
}

/* Listeners and streams. */

static void
add_listener(struct streams *all, const char *args)
{
    char name[64], netns[256], interface[64];

    if (sscanf(args, "%63s %255s %63s", name, netns, interface) != 3) {
        ovs_fatal(0, "listen: NAME NETNS INTERFACE");
    }
    if (all->n_listeners == all->allocated_listeners) {
        all->listeners = x2nrealloc(all->listeners, &all->allocated_listeners,
                                    sizeof *all->listeners);
    }
    struct listener *l = &all->listeners[all->n_listeners++];
    l->name = xstrdup(name);
    l->fd = packet_socket(netns, interface, ETH_P_ALL);
    set(l->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    set(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
}

static struct stream *
add_stream(struct streams *all, const char *name)
{
    if (all->n_streams == all->allocated_streams) {
        all->streams = x2nrealloc(all->streams, &all->allocated_streams,
                                  sizeof *all->streams);
    }
    struct stream *s = &all->streams[all->n_streams++];
    memset(s, 0, sizeof *s);
    s->name = xstrdup(name);
    /* Pages that are not touched cost nothing. */
    s->sent_at = xcalloc(MAX_NUMBERS, sizeof *s->sent_at);
    s->seen = xcalloc(MAX_NUMBERS, sizeof *s->seen);
    return s;
}

static size_t
find_listener(const struct streams *all, const char *name)
{
    for (size_t i = 0; i < all->n_listeners; i++) {
        if (!strcmp(all->listeners[i].name, name)) {
            return i;
        }
    }
    ovs_fatal(0, "%s: no such listener", name);
}

static void
set_frame(struct stream *s, const char *hex)
{
    s->frame_len = strlen(hex) / 2;
    s->frame = xmalloc(s->frame_len);
    for (size_t i = 0; i < s->frame_len; i++) {
        bool ok;

        s->frame[i] = hexits_value(hex + 2 * i, 2, &ok);
        if (!ok) {
            ovs_fatal(0, "%s: not a frame", s->name);
        }
    }
    if (s->frame_len < ETH_HLEN + TRAILER
        || s->csum_at + 2 > s->frame_len - TRAILER) {
        ovs_fatal(0, "%s: frame too short", s->name);
    }
    if (s->csum_at) {
        s->csum = s->frame[s->csum_at] << 8 | s->frame[s->csum_at + 1];
    }
}

static void
add_frames(struct streams *all, const char *args)
{
    char name[64], verdict[16], netns[256], interface[64], listener[64];
    char hex[4096];
    size_t csum_at;

    if (sscanf(args, "%63s %15s %255s %63s %63s %zu %4095s", name, verdict,
               netns, interface, listener, &csum_at, hex) != 7) {
        ovs_fatal(0, "frames: NAME allowed|denied NETNS INTERFACE LISTENER "
                  "CSUM-AT HEX");
    }
    struct stream *s = add_stream(all, name);
    s->allowed = !strcmp(verdict, "allowed");
    s->listener = find_listener(all, listener);
    s->csum_at = csum_at;
    set_frame(s, hex);
    s->fd = packet_socket(netns, interface, 0);
}

static socklen_t
parse_address(const char *ip, int port, struct sockaddr_storage *ss)
{
    struct sockaddr_in *sin = (struct sockaddr_in *) ss;
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *) ss;

    memset(ss, 0, sizeof *ss);
    if (inet_pton(AF_INET, ip, &sin->sin_addr) == 1) {
        sin->sin_family = AF_INET;
        sin->sin_port = htons(port);
        return sizeof *sin;
    } else if (inet_pton(AF_INET6, ip, &sin6->sin6_addr) == 1) {
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
        return sizeof *sin6;
    }
    ovs_fatal(0, "%s: not an address", ip);
}

static int
tcp_socket(const char *netns, const char *ip, int port)
{
    struct sockaddr_storage ss;
    socklen_t len = parse_address(ip, port, &ss);

    enter(netns);
    int fd = socket(ss.ss_family, SOCK_STREAM, 0);
    if (fd < 0) {
        ovs_fatal(errno, "socket");
    }
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (bind(fd, (struct sockaddr *) &ss, len)) {
        ovs_fatal(errno, "%s port %d", ip, port);
    }
    return fd;
}

static void
add_tcp(struct streams *all, const char *args)
{
    char name[64], client_netns[256], server_netns[256], client[64],
        server[64];
    struct sockaddr_storage ss;
    int port;

    if (sscanf(args, "%63s %255s %255s %63s %63s %d", name, client_netns,
               server_netns, client, server, &port) != 6) {
        ovs_fatal(0, "tcp: NAME CLIENT-NETNS SERVER-NETNS CLIENT-IP SERVER-IP "
                  "PORT");
    }
    struct stream *s = add_stream(all, name);
    s->tcp = s->allowed = true;
    int listener = tcp_socket(server_netns, server, port);
    s->fd = tcp_socket(client_netns, client, 0);
    socklen_t len = parse_address(server, port, &ss);
    if (listen(listener, 1) || connect(s->fd, (struct sockaddr *) &ss, len)
        || (s->peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) {
        ovs_fatal(errno, "%s: no connection", name);
    }
    close(listener);
    set(s->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
}

/* Traffic. */

static void
run(struct streams *all, const char *args)
{
    pthread_t sender, receiver;
    char line[64];

    all->rate = atoi(args);
    if (all->rate < 1 || !all->n_streams) {
        ovs_fatal(0, "start: nothing to send");
    }
    if (pthread_create(&receiver, NULL, receive_all, all)
        || pthread_create(&sender, NULL, send_all, all)) {
        ovs_fatal(0, "no thread");
    }
    while (fgets(line, sizeof line, stdin) && strcmp(line, "stop\n")) {
        if (!strcmp(line, "newest\n")) {
            report_newest(all);
        }
    }
    all->stop_sending = true;
    pthread_join(sender, NULL);
    xnanosleep(STRAGGLERS_MS * INT64_C(1000000));
    all->stop_receiving = true;
    pthread_join(receiver, NULL);
}

static void
destroy(struct streams *all)
{
    for (size_t i = 0; i < all->n_streams; i++) {
        free(all->streams[i].name);
        free(all->streams[i].frame);
        free(all->streams[i].sent_at);
        free(all->streams[i].seen);
    }
    for (size_t i = 0; i < all->n_listeners; i++) {
        free(all->listeners[i].name);
    }
    free(all->streams);
    free(all->listeners);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    struct streams all = { .n_streams = 0 };
    char line[8192], verb[16];
    int n;

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%15s%n", verb, &n) != 1) {
            continue;
        } else if (!strcmp(verb, "listen")) {
            add_listener(&all, line + n);
        } else if (!strcmp(verb, "frames")) {
            add_frames(&all, line + n);
        } else if (!strcmp(verb, "tcp")) {
            add_tcp(&all, line + n);
        } else if (!strcmp(verb, "start")) {
            run(&all, line + n);
            report(&all);
            break;
        } else {
            ovs_fatal(0, "%s: unknown", verb);
        }
    }
    destroy(&all);
    return 0;
}

/* The two threads: one sends a number of each stream in turn, evenly spaced
 * in time; the other takes what arrives. */

#include <config.h>

#include "streams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "util.h"

/* A sender that was held up goes on from there instead of sending all at
 * once what it could not. */
static const int64_t late = 20 * 1000 * 1000;

enum { WAKE_MS = 50 };

/* Sending. */

static void
put32(uint8_t *p, uint32_t value)
{
    value = htonl(value);
    memcpy(p, &value, sizeof value);
}

static uint32_t
get32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof value);
    return ntohl(value);
}

/* Writes number N into the frame.  Its checksum is that for number 0, to
 * which two words are added (RFC 1071). */
static void
set_number(struct stream *s, uint32_t n)
{
    put32(s->frame + s->frame_len - 4, n);
    if (s->csum_at) {
        uint32_t sum = (uint16_t) ~s->csum + (n >> 16) + (n & 0xffff);

        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        uint16_t csum = ~sum;
        if (!csum) {
            csum = 0xffff;      /* 0 is none at all. */
        }
        s->frame[s->csum_at] = csum >> 8;
        s->frame[s->csum_at + 1] = csum & 0xff;
    }
}

static void
send_frame(struct stream *s)
{
    uint32_t n = s->n++;

    set_number(s, n);
    s->sent_at[n] = now();
    if (send(s->fd, s->frame, s->frame_len, 0) < 0) {
        s->sent_at[n] = 0;
        s->n_failed++;
    }
}

/* A byte that the socket does not take has no number. */
static void
send_byte(struct stream *s)
{
    if (s->error) {
        return;
    }
    s->sent_at[s->n] = now();
    if (send(s->fd, "", 1, MSG_NOSIGNAL) == 1) {
        s->n++;
    } else if (errno == EAGAIN || errno == EINTR) {
        s->n_failed++;
    } else {
        s->error = errno;
    }
}

static void
sleep_until(int64_t when)
{
    struct timespec ts = { .tv_sec = when / 1000000000,
                           .tv_nsec = when % 1000000000 };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

void *
send_all(void *all_)
{
    struct streams *all = all_;
    int64_t interval = 1000000000 / all->rate;
    int64_t next = now();

    prctl(PR_SET_TIMERSLACK, 1);
    for (size_t i = 0; !all->stop_sending; i = (i + 1) % all->n_streams) {
        struct stream *s = &all->streams[i];

        sleep_until(next);
        next = now() - next > late ? now() : next + interval;
        if (s->n >= MAX_NUMBERS) {
            ovs_fatal(0, "%s: out of numbers", s->name);
        }
        if (s->tcp) {
            send_byte(s);
        } else {
            send_frame(s);
        }
    }
    return NULL;
}

/* Receiving. */

static void
arrived(struct stream *s, uint32_t n)
{
    s->n_received++;
    if (s->seen[n] < UINT8_MAX) {
        s->seen[n]++;
    }
    int64_t age = now() - s->sent_at[n];
    if (age > s->stall) {
        s->stall = age;
        s->stall_end = now();
    }
    s->newest = s->sent_at[n];
}

static void
take_frame(struct streams *all, size_t listener, const uint8_t *trailer)
{
    uint32_t i = get32(trailer + 4), n = get32(trailer + 8);

    if (get32(trailer) != MAGIC || i >= all->n_streams || n >= MAX_NUMBERS) {
        return;
    }
    struct stream *s = &all->streams[i];
    if (listener != s->listener) {
        s->n_astray++;
        s->astray_at = listener;
    }
    /* A frame that must not arrive must not arrive anywhere. */
    if (listener == s->listener || !s->allowed) {
        arrived(s, n);
    }
}

static void
take_frames(struct streams *all, size_t listener)
{
    uint8_t frame[2048];
    ssize_t len;

    while ((len = recv(all->listeners[listener].fd, frame, sizeof frame, 0))
           > 0) {
        if (len >= TRAILER) {
            take_frame(all, listener, frame + len - TRAILER);
        }
    }
}

/* Returns false if the connection is broken. */
static bool
take_bytes(struct stream *s)
{
    char bytes[4096];
    ssize_t len;

    while ((len = recv(s->peer, bytes, sizeof bytes, 0)) > 0) {
        for (ssize_t i = 0; i < len; i++) {
            arrived(s, s->n_received);
        }
    }
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    s->error = len ? errno : ECONNRESET;
    return false;
}

static void
watch(int epoll, int fd, size_t index)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = index };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
        ovs_fatal(errno, "epoll_ctl");
    }
}

static int
watch_all(const struct streams *all)
{
    int epoll = epoll_create1(0);

    if (epoll < 0) {
        ovs_fatal(errno, "epoll_create1");
    }
    for (size_t i = 0; i < all->n_listeners; i++) {
        watch(epoll, all->listeners[i].fd, i);
    }
    for (size_t i = 0; i < all->n_streams; i++) {
        if (all->streams[i].tcp) {
            watch(epoll, all->streams[i].peer, all->n_listeners + i);
        }
    }
    return epoll;
}

void *
receive_all(void *all_)
{
    struct streams *all = all_;
    int epoll = watch_all(all);

    while (!all->stop_receiving) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, ARRAY_SIZE(events), WAKE_MS);

        for (int i = 0; i < n; i++) {
            size_t index = events[i].data.u64;

            if (index < all->n_listeners) {
                take_frames(all, index);
            } else {
                struct stream *s = &all->streams[index - all->n_listeners];

                if (!take_bytes(s)) {
                    epoll_ctl(epoll, EPOLL_CTL_DEL, s->peer, NULL);
                }
            }
        }
    }
    return NULL;
}

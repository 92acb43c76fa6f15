#ifndef FAULT_STREAMS_H
#define FAULT_STREAMS_H 1

/* Numbered frames and bytes between network namespaces.
 *
 * Two threads share these structs while traffic runs.  What one writes and
 * the other reads at that time is atomic; of a number, 'sent_at' is written
 * before it is sent, and so before it can arrive. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers that a stream can use: two hours at 140 a second. */
enum { MAX_NUMBERS = 1024 * 1024 };

/* The end of each frame: MAGIC, its stream, its number; 32 bits each, in
 * network byte order. */
#define MAGIC 0x6e706f6cU
enum { TRAILER = 12 };

/* An interface all of whose incoming frames are looked at. */
struct listener {
    char *name;
    int fd;
};

struct stream {
    char *name;
    bool tcp;                   /* Bytes of a connection, else frames. */
    bool allowed;               /* Should they arrive? */
    int fd;                     /* Sends. */
    int peer;                   /* TCP: receives. */
    size_t listener;            /* Frames: where they should arrive. */
    uint8_t *frame;
    size_t frame_len;
    size_t csum_at;             /* Of its checksum; 0 if it has none. */
    uint16_t csum;              /* For number 0; host byte order. */

    /* By number. */
    int64_t *sent_at;           /* now(); 0 if it could not be sent. */
    uint8_t *seen;              /* How often it arrived, 255 at most. */
    uint32_t n;                 /* Numbers used. */
    uint32_t n_failed;          /* Could not be sent. */

    _Atomic int64_t newest;     /* When was sent what arrived last; or 0. */
    uint32_t n_received;
    uint32_t n_astray;          /* At another listener than they should. */
    size_t astray_at;
    int64_t stall, stall_end;   /* Longest way of what arrived, and when. */
    atomic_int error;           /* TCP: why it broke, an errno; or 0. */
};

struct streams {
    struct listener *listeners;
    size_t n_listeners, allocated_listeners;
    struct stream *streams;
    size_t n_streams, allocated_streams;
    int rate;                   /* Frames and bytes a second, in all. */
    atomic_bool stop_sending, stop_receiving;
};

int64_t now(void);              /* CLOCK_MONOTONIC, nanoseconds. */

/* traffic.c */
void *send_all(void *streams);
void *receive_all(void *streams);

/* report.c */
void report(const struct streams *);
void report_newest(const struct streams *);

#endif /* streams.h */

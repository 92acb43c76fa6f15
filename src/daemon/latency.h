#ifndef NETPOL_DAEMON_LATENCY_H
#define NETPOL_DAEMON_LATENCY_H 1

/* How long a change takes from where we learn of it into the switch.
 *
 * What a turn of the loop took in, objects and ports, is one update.  It begins
 * with that turn, before anything is computed, and ends when a barrier has
 * confirmed a wish that includes it: also when that took an hour because the
 * switch was away. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Upper bounds of the buckets, in seconds. */
extern const double np_latency_bounds[];
#define NP_LATENCY_N_BOUNDS 16

#define NP_LATENCY_RECENT 1024
/* Buckets for percentiles: eight for each power of two of microseconds. */
#define NP_LATENCY_N_FINE (64 * 8)

struct np_update {              /* All zeros is none. */
    uint64_t n;                 /* How many are summed up here. */
    uint64_t n_objects, n_ports;        /* That came, went or changed. */
    long long int slowest;      /* Microseconds. */
};

/* Microseconds. */
struct np_latency_summary {
    uint64_t n;
    long long int p50, p90, p99, max;   /* 0 if N is. */
};

struct np_latency {
    struct np_pending_update *pending;  /* In the order in which they came. */
    size_t n_pending, allocated;

    struct np_update total;     /* Of those that ended. */
    uint64_t n_objects, n_ports;        /* Of all that began. */
    uint64_t sum;               /* Microseconds. */
    uint64_t buckets[NP_LATENCY_N_BOUNDS + 1];
    uint64_t fine[NP_LATENCY_N_FINE];
    long long int recent[NP_LATENCY_RECENT];    /* A ring, by total.n. */
};

void np_latency_init(struct np_latency *);
void np_latency_destroy(struct np_latency *);

/* N_OBJECTS and N_PORTS, not both 0, were taken in at NOW (time_usec()). */
void np_latency_begin(struct np_latency *, long long int now,
                      size_t n_objects, size_t n_ports);
/* WISH, whose numbers grow, includes all that has begun. */
void np_latency_wished(struct np_latency *, uint64_t wish);
/* Wishes up to REALIZED are in the switch.  Adds the updates that end with
 * that to DONE, and returns true if there are any. */
bool np_latency_end(struct np_latency *, long long int now,
                    uint64_t realized, struct np_update *done);

/* What has begun and not ended; its 'slowest' is 0. */
void np_latency_pending(const struct np_latency *, struct np_update *);
/* Since the start: percentiles may be up to an eighth too high, the maximum is
 * exact.  And over the last NP_LATENCY_RECENT, exactly. */
void np_latency_since_start(const struct np_latency *,
                            struct np_latency_summary *);
void np_latency_recent(const struct np_latency *,
                       struct np_latency_summary *);

#endif /* daemon/latency.h */

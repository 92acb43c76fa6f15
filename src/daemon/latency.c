/* How long a change takes from where we learn of it into the switch.
 *
 * Three views of the same values are kept, each for somebody else: buckets
 * with fixed bounds for Prometheus, which adds up those of many nodes; fine
 * buckets, an eighth of a power of two wide, for percentiles since the start
 * at a fixed price; and the last values as they are, because percentiles since
 * the start tell nothing of today. */

#include <config.h>
#include "daemon/latency.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

const double np_latency_bounds[NP_LATENCY_N_BOUNDS] = {
    .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30,
    60,
};

/* While the switch is away updates pile up.  Beyond this many, new ones join
 * the last. */
#define MAX_PENDING 1024

struct np_pending_update {
    long long int begin;        /* Microseconds. */
    uint64_t wish;              /* 0: in none yet. */
    size_t n_objects, n_ports;
};

void
np_latency_init(struct np_latency *l)
{
    memset(l, 0, sizeof *l);
}

void
np_latency_destroy(struct np_latency *l)
{
    free(l->pending);
}

void
np_latency_begin(struct np_latency *l, long long int now, size_t n_objects,
                 size_t n_ports)
{
    struct np_pending_update *p;

    l->n_objects += n_objects;
    l->n_ports += n_ports;
    if (l->n_pending < MAX_PENDING) {
        if (l->n_pending == l->allocated) {
            l->pending = x2nrealloc(l->pending, &l->allocated,
                                    sizeof *l->pending);
        }
        l->pending[l->n_pending++] = (struct np_pending_update) {
            .begin = now
        };
    }
    p = &l->pending[l->n_pending - 1];
    p->wish = 0;
    p->n_objects += n_objects;
    p->n_ports += n_ports;
}

void
np_latency_wished(struct np_latency *l, uint64_t wish)
{
    for (size_t i = l->n_pending; i-- > 0 && !l->pending[i].wish; ) {
        l->pending[i].wish = wish;
    }
}

/* Bucket I holds what is below fine_bound(I) and not below that of I - 1. */
static size_t
fine_index(uint64_t usec)
{
    if (usec < 8) {
        return usec;
    }
    int log = log_2_floor(usec);

    return (log - 2) * 8 + ((usec >> (log - 3)) & 7);
}

static uint64_t
fine_bound(size_t i)
{
    return i < 8 ? i + 1 : (8 + i % 8 + 1) << (i / 8 - 1);
}

static void
observe(struct np_latency *l, long long int usec)
{
    size_t i = 0;

    while (i < NP_LATENCY_N_BOUNDS && usec > np_latency_bounds[i] * 1e6) {
        i++;
    }
    l->buckets[i]++;
    l->sum += usec;
    l->fine[fine_index(usec)]++;
    l->recent[l->total.n++ % NP_LATENCY_RECENT] = usec;
    l->total.slowest = MAX(l->total.slowest, usec);
}

bool
np_latency_end(struct np_latency *l, long long int now, uint64_t realized,
               struct np_update *done)
{
    size_t n = 0;

    for (; n < l->n_pending; n++) {
        const struct np_pending_update *p = &l->pending[n];
        long long int usec = MAX(now - p->begin, 0);

        if (!p->wish || p->wish > realized) {
            break;
        }
        observe(l, usec);
        l->total.n_objects += p->n_objects;
        l->total.n_ports += p->n_ports;
        done->n++;
        done->n_objects += p->n_objects;
        done->n_ports += p->n_ports;
        done->slowest = MAX(done->slowest, usec);
    }
    if (n) {
        l->n_pending -= n;
        memmove(l->pending, l->pending + n,
                l->n_pending * sizeof *l->pending);
    }
    return n > 0;
}

void
np_latency_pending(const struct np_latency *l, struct np_update *u)
{
    memset(u, 0, sizeof *u);
    u->n = l->n_pending;
    for (size_t i = 0; i < l->n_pending; i++) {
        u->n_objects += l->pending[i].n_objects;
        u->n_ports += l->pending[i].n_ports;
    }
}

/* The rank, from 1, of the value that PERCENT of N are not above. */
static uint64_t
rank(uint64_t n, unsigned int percent)
{
    return DIV_ROUND_UP(n * percent, 100);
}

static long long int
fine_percentile(const struct np_latency *l, unsigned int percent)
{
    uint64_t left = rank(l->total.n, percent);

    for (size_t i = 0; i < NP_LATENCY_N_FINE; i++) {
        if (l->fine[i] >= left) {
            return MIN(fine_bound(i) - 1, l->total.slowest);
        }
        left -= l->fine[i];
    }
    OVS_NOT_REACHED();
}

void
np_latency_since_start(const struct np_latency *l,
                       struct np_latency_summary *s)
{
    memset(s, 0, sizeof *s);
    s->n = l->total.n;
    if (s->n) {
        s->p50 = fine_percentile(l, 50);
        s->p90 = fine_percentile(l, 90);
        s->p99 = fine_percentile(l, 99);
        s->max = l->total.slowest;
    }
}

static int
compare_usec(const void *a_, const void *b_)
{
    const long long int *a = a_;
    const long long int *b = b_;

    return *a < *b ? -1 : *a > *b;
}

void
np_latency_recent(const struct np_latency *l, struct np_latency_summary *s)
{
    size_t n = MIN(l->total.n, NP_LATENCY_RECENT);
    long long int *v = xmemdup(l->recent, sizeof l->recent);

    memset(s, 0, sizeof *s);
    s->n = n;
    if (n) {
        qsort(v, n, sizeof *v, compare_usec);
        s->p50 = v[rank(n, 50) - 1];
        s->p90 = v[rank(n, 90) - 1];
        s->p99 = v[rank(n, 99) - 1];
        s->max = v[n - 1];
    }
    free(v);
}

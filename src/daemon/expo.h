#ifndef NETPOL_DAEMON_EXPO_H
#define NETPOL_DAEMON_EXPO_H 1

/* A writer of Prometheus' text format, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * What the format forbids is a mistake of the caller's and ends the program:
 * names that are none, a family or a sample that is there twice, a counter
 * whose name does not end in _total, histogram bounds that do not grow.  Label
 * values and help texts may be anything. */

#include <stddef.h>
#include <stdint.h>
#include "sset.h"

struct ds;

#define NP_EXPO_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum np_expo_type { NP_EXPO_COUNTER, NP_EXPO_GAUGE, NP_EXPO_HISTOGRAM };

struct np_expo {
    struct ds *out;
    struct sset families;       /* Names so far. */
    const char *name;           /* Of the family that is written. */
    enum np_expo_type type;
    struct sset samples;        /* Its label sets so far. */
};

/* OUT must live as long as the writer, and is appended to. */
void np_expo_init(struct np_expo *, struct ds *out);
void np_expo_destroy(struct np_expo *);

/* Begins a family; samples follow.  NAME must live as long as it is written. */
void np_expo_family(struct np_expo *, enum np_expo_type, const char *name,
                    const char *help);
/* One sample of a counter or gauge.  After VALUE come names and values of
 * labels, as strings, and a NULL. */
void np_expo_sample(struct np_expo *, double value, ...)
    __attribute__((sentinel));
/* A family of one sample without labels. */
void np_expo_single(struct np_expo *, enum np_expo_type, const char *name,
                    const char *help, double value);

/* A histogram without labels.  COUNTS has N + 1 elements: how many values are
 * in each bucket alone, the last one above all of the N BOUNDS; SUM is that
 * of all values. */
void np_expo_histogram(struct np_expo *, const double *bounds,
                       const uint64_t *counts, size_t n, double sum);

#endif /* daemon/expo.h */

#ifndef NETPOL_DAEMON_FOOTPRINT_H
#define NETPOL_DAEMON_FOOTPRINT_H 1

/* What the daemon keeps in memory, by part. */

#include <stddef.h>
#include <stdint.h>

struct ds;
struct json;
struct np_daemon;
struct simap;

/* The whole process, in bytes. */
struct np_footprint_process {
    uint64_t resident, peak;    /* VmRSS and VmHWM of proc(5). */
    uint64_t heap;              /* What malloc() has from the kernel, */
    uint64_t heap_used;         /* and what of that is in use: mallinfo2(3).
                                 * 0 under a sanitizer. */
};
void np_footprint_process(struct np_footprint_process *);

/* Calls CB with each part, such as "flows", and how many there are. */
void np_footprint_for_each(const struct np_daemon *,
                           void (*cb)(const char *part, size_t n, void *aux),
                           void *aux);
/* Adds them to USAGE, for memory/show. */
void np_footprint_add(const struct np_daemon *, struct simap *usage);

/* What netpol/memory says, to be destroyed; the same as text. */
struct json *np_footprint_create(const struct np_daemon *);
void np_footprint_format(const struct json *, struct ds *);

#endif /* daemon/footprint.h */

#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H 1

/* The bare OpenFlow client that the installer is measured against: it says
 * what it is told to and waits for the answer, and that is all. */

#include <stddef.h>
#include <stdint.h>

struct np_flow_patch;
struct vconn;

struct np_bench_client {
    struct vconn *vconn;
    int version;
    uint32_t xid;
};

void np_bench_client_open(struct np_bench_client *, const char *target);
void np_bench_client_close(struct np_bench_client *);

enum np_bench_bundle {
    NP_BENCH_BARE,              /* open, adds, commit, barrier: in one go. */
    NP_BENCH_CHECKED,           /* Commits after a barrier has shown that all
                                 * of the adds were taken. */
};
/* Sends PATCH as one bundle; returns when the last barrier is answered. */
void np_bench_client_send(struct np_bench_client *,
                          const struct np_flow_patch *, enum np_bench_bundle);
/* Removes all flows of ours. */
void np_bench_client_flush(struct np_bench_client *);
/* Reads and decodes the whole table; returns the number of flows. */
size_t np_bench_client_dump(struct np_bench_client *);

#endif /* tests/bench/client.h */

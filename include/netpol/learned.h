#ifndef NETPOL_LEARNED_H
#define NETPOL_LEARNED_H 1

/* What a bridge's flows have counted, those that the switch learned itself
 * among them.
 *
 * A connection of its own reads a few tables when somebody asks, and hears of
 * the end of each learned flow that was made to tell (send_flow_rem), with
 * what it had counted.  Nothing else comes in, no packet above all. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/openflow.h"

struct np_learned;

struct np_learned_class {
    /* A flow ended.  All that is in STATS is valid during the call alone;
     * 'idle' is what it was idle for if that is why it ended, else 0. */
    void (*ended)(const struct np_flow_stats *stats, void *aux);
    /* A read is done: DUMP, also valid during the call alone, has the flows of
     * ours in the tables.  FIRST: it is the first of this connection, so what
     * ended before it was perhaps not told. */
    void (*read)(const struct np_flow_dump *dump, bool first, void *aux);
};

enum { NP_LEARNED_MAX_TABLES = 8 };

/* Reads the N tables at TABLES (at most NP_LEARNED_MAX_TABLES); the callbacks
 * get AUX. */
struct np_learned *np_learned_create(const uint8_t *tables, size_t n,
                                     const struct np_learned_class *,
                                     void *aux);
void np_learned_destroy(struct np_learned *);
/* Connects to TARGET, as np_installer_set_target() does. */
void np_learned_set_target(struct np_learned *, const char *target);
bool np_learned_is_connected(const struct np_learned *);

/* Asks for a read that begins from now on; returns its number.  It is done
 * once np_learned_done() is not below it, which may be never while there is no
 * connection.  Each connection begins with one of itself. */
uint64_t np_learned_read(struct np_learned *);
uint64_t np_learned_done(const struct np_learned *);

/* Both callbacks are called from here only. */
void np_learned_run(struct np_learned *);
void np_learned_wait(struct np_learned *);

#endif /* netpol/learned.h */

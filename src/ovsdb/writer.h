#ifndef NETPOL_OVSDB_WRITER_H
#define NETPOL_OVSDB_WRITER_H 1

/* What we write into the database. */

#include "netpol/ovsdb.h"

struct np_writer;
struct ovsdb_idl;
struct ovsrec_bridge;

/* Adds the columns it needs to IDL, which outlives it. */
struct np_writer *np_writer_create(struct ovsdb_idl *);
void np_writer_destroy(struct np_writer *);

/* The wishes, as in netpol/ovsdb.h. */
void np_writer_set_tables(struct np_writer *, const struct np_table_setting *,
                          size_t n);
void np_writer_want_secure(struct np_writer *);
void np_writer_set_realized(struct np_writer *, const struct np_realized *,
                            size_t n);
/* Is fail_mode to be written, or written but not yet taken up by the switch,
 * which flushes all flows then? */
bool np_writer_secure_pending(const struct np_writer *);
uint64_t np_writer_sync(struct np_writer *);
uint64_t np_writer_synced(const struct np_writer *);

/* To be called after each ovsdb_idl_run().  BRIDGE is NULL while there is
 * none. */
void np_writer_run(struct np_writer *, const struct ovsrec_bridge *bridge);
void np_writer_wait(struct np_writer *);

#endif /* ovsdb/writer.h */

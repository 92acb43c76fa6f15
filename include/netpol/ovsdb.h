#ifndef NETPOL_OVSDB_H
#define NETPOL_OVSDB_H 1

/* The switch's database: which ports the bridge has and who they are, and what
 * we write back.  All writes are small, by key, and repeated until true. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/flow.h"
#include "netpol/portmap.h"

struct ds;
struct np_ovsdb;

/* REMOTE as ovs-vsctl(8) --db takes it; returns NULL and an error to be freed
 * if it is malformed. */
struct np_ovsdb *np_ovsdb_create(const char *remote, const char *bridge,
                                 char **error);
void np_ovsdb_destroy(struct np_ovsdb *);

/* Returns true if the port map or the bridge's state changed. */
bool np_ovsdb_run(struct np_ovsdb *);
void np_ovsdb_wait(struct np_ovsdb *);

/* Asks for one round trip to the server: np_ovsdb_synced() is at or above the
 * returned number once all that was in the database at this call is seen. */
uint64_t np_ovsdb_sync(struct np_ovsdb *);
uint64_t np_ovsdb_synced(const struct np_ovsdb *);

struct np_bridge_state {
    bool connected;             /* To the database, contents read. */
    bool exists;                /* The bridge's row. */
    bool secure;                /* fail_mode is "secure"; if we wrote it, the
                                 * switch has also acted upon it. */
    const char *mgmt;           /* "unix:…/NAME.mgmt", or NULL. */
    const char *datapath_type;  /* "" or "system", "netdev". */
    const char *problem;        /* What we are waiting for, or NULL. */
};
void np_ovsdb_get_bridge(const struct np_ovsdb *, struct np_bridge_state *);
/* The ports now; borrowed until the next run. */
const struct np_portmap *np_ovsdb_ports(const struct np_ovsdb *);
/* How many ports came, went or changed since the start. */
uint64_t np_ovsdb_n_port_changes(const struct np_ovsdb *);

/* What should stand in the database; compared and written by run().
 *
 * Names of tables (Flow_Table:name) and their prefixes (Flow_Table:prefixes,
 * space-separated such as "ip_src ipv6_src", NULL for none).  The arrays are
 * copied.  Rows of others' tables stay as they are.  A NULL or empty PREFIXES
 * clears the column: OVS then has its default, ip_dst and ip_src. */
struct np_table_setting {
    uint8_t table;
    const char *name;
    const char *prefixes;
};
void np_ovsdb_set_tables(struct np_ovsdb *, const struct np_table_setting *,
                         size_t n);
/* Wants fail_mode=secure.  Writing it on a bridge without a controller flushes
 * all flows, so it is for a bridge that has none of ours and of others.  The
 * wish ends once the bridge is secure: if it is changed later, it is not
 * written again without being asked. */
void np_ovsdb_want_secure(struct np_ovsdb *);
/* Interfaces (by name) whose pod's policies are in the switch, each with the
 * value of `netpol-realized`: its iface-id-ver, or "true" where the row has
 * none.  Removed from all others on the bridge.  Until the first call the
 * database keeps what an earlier run left there. */
struct np_realized {
    const char *port;
    const char *value;
};
void np_ovsdb_set_realized(struct np_ovsdb *, const struct np_realized *,
                           size_t n);

#endif /* netpol/ovsdb.h */

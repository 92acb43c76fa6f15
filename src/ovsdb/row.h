#ifndef NETPOL_OVSDB_ROW_H
#define NETPOL_OVSDB_ROW_H 1

/* One Interface row and the Port row that holds it, as a port. */

#include <stdbool.h>
#include <stdint.h>
#include "netpol/portmap.h"

struct smap;

/* What is read of the two rows (ovs-vswitchd.conf.db(5)). */
struct np_port_row {
    const char *bridge;         /* Bridge:name. */
    const char *name;           /* Interface:name. */
    const char *type;           /* Interface:type. */
    int64_t ofport;             /* Interface:ofport; -1 if unset. */
    const char *mac_in_use;     /* Interface:mac_in_use, or NULL. */
    const struct smap *iface_ids;       /* Interface:external_ids. */
    const struct smap *port_ids;        /* Port:external_ids. */
};

/* Fills PORT (whatever was in it is overwritten) with what the rows say,
 * which owns all of it.  The addresses of a NODE port whose row names none
 * have to be read from the host by the caller. */
void np_port_from_row(const struct np_port_row *, struct np_bridge_port *port);
/* Appends ADDR to the port's addresses, in order, unless it is there. */
void np_bridge_port_add_addr(struct np_bridge_port *,
                             const struct np_prefix *);

#endif /* ovsdb/row.h */

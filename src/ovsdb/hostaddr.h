#ifndef NETPOL_OVSDB_HOSTADDR_H
#define NETPOL_OVSDB_HOSTADDR_H 1

/* Addresses of this host's own network interfaces. */

#include <stdbool.h>

struct np_bridge_port;
struct np_hostaddr;

/* Watches address changes in this process's network namespace. */
struct np_hostaddr *np_hostaddr_create(void);
void np_hostaddr_destroy(struct np_hostaddr *);
/* Returns true if an address may have changed since the last call. */
bool np_hostaddr_run(struct np_hostaddr *);
void np_hostaddr_wait(struct np_hostaddr *);

/* Adds the addresses of the interface that has the port's name, if there is
 * one here.  The IPv6 link-local ones too: they are the node's as well. */
void np_hostaddr_read(struct np_bridge_port *);

#endif /* ovsdb/hostaddr.h */

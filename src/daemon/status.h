#ifndef NETPOL_DAEMON_STATUS_H
#define NETPOL_DAEMON_STATUS_H 1

/* What is realised, what is not, and why. */

struct np_place;
struct ds;
struct json;
struct np_daemon;

/* All facts, as netpol/status json prints them; to be destroyed. */
struct json *np_status_create(const struct np_daemon *);
/* Why PORT carries nothing, or NULL.  Valid until the next run. */
const char *np_status_port_problem(const struct np_daemon *,
                                   const struct np_place *);
/* Appends the same facts, made to be read. */
void np_status_format(const struct json *status, struct ds *);

#endif /* daemon/status.h */

#ifndef NETPOL_DAEMON_METRICS_H
#define NETPOL_DAEMON_METRICS_H 1

/* /metrics, /healthz and /readyz. */

struct np_daemon;

/* Serves them as the options say; NULL if they say "none". */
struct np_http *np_metrics_serve(struct np_daemon *);

#endif /* daemon/metrics.h */

#ifndef NETPOL_DAEMON_GATE_H
#define NETPOL_DAEMON_GATE_H 1

/* What must be decided before the first flow goes to a bridge. */

#include <stdbool.h>

struct np_installer;
struct np_options;
struct np_ovsdb;

struct np_gate {
    bool open;
    bool undecided;             /* The operator has to decide something. */
    char *reason;               /* Why it is not open, or NULL. */
    char *warning;              /* What stays wrong though it is open. */
};

void np_gate_init(struct np_gate *);
void np_gate_destroy(struct np_gate *);
/* Opens or shuts the gate and tells the installer. */
void np_gate_run(struct np_gate *, const struct np_options *,
                 struct np_ovsdb *, struct np_installer *);

#endif /* daemon/gate.h */

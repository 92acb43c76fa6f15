#ifndef NETPOL_DAEMON_COMMAND_H
#define NETPOL_DAEMON_COMMAND_H 1

/* What can be asked over the control socket, see ovs-netpold(8). */

struct np_daemon;

/* Registers the commands; the daemon must outlive the control server. */
void np_commands_register(struct np_daemon *);

#endif /* daemon/command.h */

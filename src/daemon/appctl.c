/* A control command to another daemon. */

#include <config.h>
#include "daemon/appctl.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon.h"
#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "unixctl.h"
#include "util.h"

struct np_appctl {
    char *what;                 /* "PROGRAM COMMAND", for errors. */
    struct jsonrpc *rpc;
};

struct np_appctl *
np_appctl_open(const char *program, const char *command, char **error)
{
    char *pidfile = xasprintf("%s/%s.pid", ovs_rundir(), program);
    pid_t pid = read_pidfile(pidfile);
    struct np_appctl *a = NULL;

    *error = NULL;
    if (pid < 0) {
        *error = xasprintf("%s does not run: %s: %s", program, pidfile,
                           ovs_strerror(-pid));
    } else {
        char *path = xasprintf("%s/%s.%ld.ctl", ovs_rundir(), program,
                               (long int) pid);
        struct jsonrpc *rpc;
        int retval = unixctl_client_create(path, &rpc);

        if (retval) {
            *error = xasprintf("%s: %s", path, ovs_strerror(retval));
        } else {
            a = xzalloc(sizeof *a);
            a->what = xasprintf("%s %s", program, command);
            a->rpc = rpc;
            jsonrpc_send(rpc, jsonrpc_create_request(
                             command, json_array_create_empty(), NULL));
        }
        free(path);
    }
    free(pidfile);
    return a;
}

void
np_appctl_close(struct np_appctl *a)
{
    if (a) {
        jsonrpc_close(a->rpc);
        free(a->what);
        free(a);
    }
}

bool
np_appctl_run(struct np_appctl *a, char **error)
{
    struct jsonrpc_msg *msg;
    int retval;

    *error = NULL;
    jsonrpc_run(a->rpc);
    retval = jsonrpc_recv(a->rpc, &msg);
    if (retval == EAGAIN) {
        return false;
    } else if (retval) {
        *error = xasprintf("%s: %s", a->what, ovs_retval_to_string(retval));
        return true;
    }
    if (msg->error) {
        *error = xasprintf("%s: %s", a->what,
                           msg->error->type == JSON_STRING
                           ? json_string(msg->error) : "error");
    }
    jsonrpc_msg_destroy(msg);
    return true;
}

void
np_appctl_wait(struct np_appctl *a)
{
    jsonrpc_wait(a->rpc);
    jsonrpc_recv_wait(a->rpc);
}

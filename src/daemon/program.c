/* The program around the daemon: start, loop, signals, end. */

#include <config.h>
#include "daemon/netpold.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "command-line.h"
#include "daemon.h"
#include "daemon/command.h"
#include "daemon/dryrun.h"
#include "daemon/footprint.h"
#include "daemon/options.h"
#include "daemon/wait.h"
#include "dns-resolve.h"
#include "fatal-signal.h"
#include "memory.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "simap.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ovs_netpold);

/* SIGTERM and SIGINT end the loop instead of the program, so that whoever
 * waits for an answer gets one and the exit status is that of `exit`.  Returns
 * a descriptor that is readable once one has come. */
static int
catch_signals(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        ovs_fatal(errno, "signalfd");
    }
    return fd;
}

static bool
signal_came(int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof info) != sizeof info) {
        return false;
    }
    VLOG_INFO("signal %u from process %u: exiting, flows stay",
              info.ssi_signo, info.ssi_pid);
    return true;
}

static void
report_memory(const struct np_daemon *d)
{
    struct simap usage;

    memory_run();
    if (memory_should_report()) {
        simap_init(&usage);
        np_footprint_add(d, &usage);
        memory_report(&usage);
        simap_destroy(&usage);
    }
}

static void
loop(struct np_daemon *d, struct unixctl_server *unixctl, int signals)
{
    while (!d->exiting) {
        report_memory(d);
        np_daemon_run(d);
        unixctl_server_run(unixctl);
        d->exiting |= signal_came(signals);
        if (d->exiting) {
            break;
        }
        memory_wait();
        np_daemon_wait(d);
        unixctl_server_wait(unixctl);
        poll_fd_wait(signals, POLLIN);
        poll_block();
    }
}

static int
serve(const struct np_options *options)
{
    struct unixctl_server *unixctl;
    struct np_daemon d;
    int signals;

    fatal_ignore_sigpipe();
    daemonize_start(false);
    if (unixctl_server_create(options->unixctl, &unixctl)) {
        return EXIT_FAILURE;    /* It has said why. */
    }
    signals = catch_signals();
    np_daemon_init(&d, options);
    np_commands_register(&d);
    daemonize_complete();
    VLOG_INFO("%s %s: node %s, bridge %s, source %s", program_name,
              PACKAGE_VERSION, options->node, options->bridge,
              options->source);

    loop(&d, unixctl, signals);

    /* The answers to those who waited.  Others may ask at this very moment:
     * they must find the daemon whole. */
    np_waiters_destroy(&d);
    unixctl_server_run(unixctl);
    np_daemon_destroy(&d);
    unixctl_server_destroy(unixctl);
    close(signals);
    return EXIT_SUCCESS;
}

int
np_daemon_main(int argc, char *argv[])
{
    struct np_options options;
    int status;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name(argv[0], PACKAGE_VERSION);
    np_options_parse(&options, argc, argv);
    if (options.dry_run) {
        if (!options.verbose) {
            vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
        }
        status = np_dry_run(&options);
    } else {
        status = serve(&options);
    }
    np_options_destroy(&options);
    return status;
}

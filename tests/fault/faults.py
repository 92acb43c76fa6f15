"""The faults, each a few lines.

ATOMIC ones must not be noticed by any frame.  The others, CLOSED, interrupt
what is allowed, and let nothing through that is denied; each returns when all
that it broke was running again, by the clock of time.monotonic().

A fault may take its time before it strikes, at random.
"""

import os
import signal
import time

from lab.netns import LabError
from lab.ovs import large_receive_buffers, wait_until

from rig import kill

FULL = bool(os.environ.get("NETPOL_FULL"))
STOPPED = 30 if FULL else 8     # seconds; the daemon's probe finds out in 5
IDLE_MS = 500                   # for a megaflow, where it says so
MOVE = 100                      # by how much ports are moved


def some_time(rig, most):
    time.sleep(rig.random.uniform(0, most))


# Of the daemon and its connection.

def daemon_killed(rig):
    some_time(rig, 0.25)
    rig.kill_daemon()
    some_time(rig, 0.05)
    rig.start_daemon()


def daemon_restarted(rig):
    some_time(rig, 0.25)
    rig.kill_daemon(signal.SIGTERM)
    rig.start_daemon()


def daemon_upgraded(rig):
    """To the next build, then back; what was changed meanwhile is in the
    first bundle too.

    Megaflows that send packets of the build before through the tables again
    stay until they were idle for a while.  Who goes back earlier has some that
    send them to and fro, until they were revalidated, and the switch drops
    what goes round more than six times.  So they are given little time, and
    it is waited for.
    """
    layouts = []
    rig.lab.ovs.vsctl("set", "Open_vSwitch", ".",
                      f"other_config:max-idle={IDLE_MS}")
    for build in rig.next_build, rig.build_dir:
        rig.kill_daemon(signal.SIGTERM)
        some_time(rig, 0.1)
        rig.start_daemon(build)
        rig.lab.wait()
        layouts.append(rig.layout())
        time.sleep(3 * IDLE_MS / 1000)
    assert layouts[0] != layouts[1], layouts
    rig.lab.ovs.vsctl("remove", "Open_vSwitch", ".", "other_config",
                      "max-idle")


def connection_cut(rig):
    """In the midst of a bundle, or between its commit and the answer."""
    with rig.proxy() as proxy:
        daemon_restarted(rig)
        rig.lab.wait()
        # As often behind a few as behind hundreds of messages.
        while not proxy.cut_in(int(2 ** rig.random.uniform(0, 9)), 10):
            pass
        some_time(rig, 0.05)
    rig.cuts += proxy.cuts


def manifests_away(rig):
    """The directory of the objects is not there while the daemon starts."""
    manifests = rig.lab.manifests
    hidden = manifests.with_name("hidden")
    rig.kill_daemon()
    with rig.writing:
        manifests.rename(hidden)
        rig.start_daemon()
        some_time(rig, 1)
        hidden.rename(manifests)


# Of the switch and its database.

def switch_killed(rig):
    kill(rig.vswitchd_pid())
    some_time(rig, 1)
    rig.lab.start_switch()
    return time.monotonic()


def switch_restarted(rig):
    rig.lab.restart_switch()
    return time.monotonic()


def switch_and_daemon_killed(rig):
    """The switch comes back first, and nobody tells it what to do."""
    rig.kill_daemon()
    kill(rig.vswitchd_pid())
    rig.lab.start_switch()
    some_time(rig, 1)
    rig.start_daemon()
    return time.monotonic()


def switch_stopped(rig):
    kill(rig.vswitchd_pid(), signal.SIGSTOP)
    time.sleep(STOPPED)
    kill(rig.vswitchd_pid(), signal.SIGCONT)
    return time.monotonic()


def database_killed(rig):
    kill(rig.ovsdb_pid())
    some_time(rig, 1)
    rig.lab.ovs.start_ovsdb()
    return time.monotonic()


def database_restarted(rig):
    rig.lab.ovs.stop_ovsdb()
    rig.lab.ovs.start_ovsdb()
    return time.monotonic()


def bridge_remade(rig):
    rig.lab.ovs.vsctl("del-br", rig.bridge)
    some_time(rig, 1)
    rig.lab.remake_bridge()
    return time.monotonic()


def _other_numbers(rig):
    """For each port, an OpenFlow number that none has."""
    ports = [*(pod.port for pod in rig.lab.pods.values()), "uplink"]
    numbers = {port: rig.lab.ovs.ofport(port) for port in ports}
    return {port: n + MOVE if n < MOVE else n - MOVE
            for port, n in numbers.items()}


def _move(rig, numbers):
    switch = rig.lab.ovs
    command = [word for port, n in numbers.items()
               for word in ("--", "set", "Interface", port,
                            f"ofport_request={n}")]
    with large_receive_buffers():
        switch.vsctl(*command[1:])
        wait_until(lambda: all(switch.ofport(port) == n
                               for port, n in numbers.items()),
                   "ports to move")


def ports_moved(rig):
    """All of them, one after the other."""
    for port, n in _other_numbers(rig).items():
        _move(rig, {port: n})
    return time.monotonic()


def ports_moved_at_once(rig):
    """All of them, in one transaction."""
    _move(rig, _other_numbers(rig))
    return time.monotonic()


# A function, how often in each run, and how often with NETPOL_FULL=1.
ATOMIC = [(daemon_killed, 20, 300), (daemon_restarted, 5, 100),
          (daemon_upgraded, 2, 30), (connection_cut, 3, 100),
          (manifests_away, 1, 10)]
CLOSED = [(switch_killed, 1, 30), (switch_restarted, 1, 30),
          (switch_and_daemon_killed, 1, 30), (switch_stopped, 1, 3),
          (database_killed, 1, 30), (database_restarted, 1, 30),
          (ports_moved, 2, 50)]
# Closed again when all ports are back.
ANEW = [(bridge_remade, 1, 30), (ports_moved_at_once, 2, 30)]


def times(few, many):
    return many if FULL else few


# Of the tables, by an outsider.

def tables(rig):
    """The numbers of all tables that hold flows of ours."""
    dump = rig.ofctl("dump-flows", "--no-stats", "--no-names")
    return sorted({int(word[len("table="):].rstrip(","))
                   for line in dump.splitlines() for word in line.split()
                   if word.startswith("table=")} | {0})


def wipe(rig, table):
    """Remove the flows of a table; of all tables, if it is None."""
    rig.ofctl("del-flows", *([] if table is None else [f"table={table}"]))
    return time.monotonic()


# What makes a table worse than empty: whatever it is asked, it lets pass.
OPENED = {"egress_default": "egress_baseline",
          "ingress_default": "ingress_baseline"}


def open_up(rig, table):
    """Edit each flow of a table that denies, so that none does."""
    rig.ofctl("mod-flows", f"table={table},"
              f"actions=resubmit(,{OPENED[table]})", "--names")
    return time.monotonic()


def repaired(result, patience):
    """Does everything flow again within `patience` seconds?"""
    try:
        result.traffic.flowing(patience)
    except LabError:
        return False
    return True

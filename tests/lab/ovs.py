"""A private Open vSwitch: its own database, sockets and logs in one directory
and its daemons in one network namespace, so that an Open vSwitch that serves
the machine itself never notices.

It always uses the userspace datapath: that needs no kernel module, and a lab
then behaves the same on every machine.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import socket
import time

from . import netns
from .netns import LabError, run

SCHEMA_DIRS = ("/usr/share/openvswitch", "/usr/local/share/openvswitch")
RMEM_DEFAULT = pathlib.Path("/proc/sys/net/core/rmem_default")
RMEM_WANTED = 8 << 20


def find_schema():
    for where in (os.environ.get("OVS_PKGDATADIR"), *SCHEMA_DIRS):
        if where and (schema := pathlib.Path(where, "vswitch.ovsschema")
                      ).exists():
            return schema
    raise LabError("vswitch.ovsschema not found: install openvswitch-switch")


@contextlib.contextmanager
def large_receive_buffers():
    """Sockets made meanwhile get a large receive buffer.

    The switch reads a port through a packet socket, whose default buffer
    overflows in a burst.  The setting belongs to the whole machine, so it is
    raised only while the switch opens a port, by one lab at a time.
    """
    try:
        setting = open(RMEM_DEFAULT, "r+", encoding="ascii")
    except OSError:
        yield                   # not ours to set, e.g. in a container
        return
    with setting:
        fcntl.flock(setting, fcntl.LOCK_EX)
        old = RMEM_DEFAULT.read_text(encoding="ascii")
        if int(old) >= RMEM_WANTED:
            yield
            return
        RMEM_DEFAULT.write_text(str(RMEM_WANTED), encoding="ascii")
        try:
            yield
        finally:
            RMEM_DEFAULT.write_text(old, encoding="ascii")


def wait_until(condition, what, patience=30.0, every=0.01):
    """Wait until `condition()` is true, and return what it returned."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise LabError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(every)
    return value


def listens(path):
    """Is there somebody behind this socket?  It is in its directory a little
    earlier."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


class Ovs:
    """ovsdb-server, ovs-vswitchd and the tools that talk to these two."""

    def __init__(self, directory, namespace):
        self.dir = pathlib.Path(directory)
        self.rundir = self.dir / "run"
        self.logdir = self.dir / "log"
        self.dbdir = self.dir / "db"
        self.namespace = namespace
        self.sock = self.rundir / "db.sock"

    @property
    def db(self):
        return f"unix:{self.sock}"

    @property
    def env(self):
        """Environment in which OVS's own programs find this switch."""
        return {"OVS_RUNDIR": str(self.rundir), "OVS_LOGDIR": str(self.logdir),
                "OVS_DBDIR": str(self.dbdir)}

    def start(self):
        for directory in (self.rundir, self.logdir, self.dbdir):
            directory.mkdir(parents=True, exist_ok=True)
        if not (self.dbdir / "conf.db").exists():
            run("ovsdb-tool", "create", self.dbdir / "conf.db", find_schema())
        self.start_ovsdb()
        self.vsctl("--no-wait", "init")
        self.start_vswitchd()

    def start_ovsdb(self):
        self._daemon("ovsdb-server", f"--remote=punix:{self.sock}",
                     self.dbdir / "conf.db")

    def start_vswitchd(self, *args):
        with large_receive_buffers():
            self._daemon("ovs-vswitchd", "--disable-system", *args, self.db)

    def stop_ovsdb(self):
        self._stop("ovsdb-server")

    def stop_vswitchd(self):
        self._stop("ovs-vswitchd")

    def _daemon(self, program, *args):
        """Start `program`; with --detach it returns when it is ready."""
        self.run(shutil.which(program) or f"/usr/sbin/{program}",
                        "--detach", "--no-chdir",
                        f"--pidfile={self.rundir / program}.pid",
                        f"--log-file={self.logdir / program}.log",
                        "-vconsole:off", "-vsyslog:off", *args)

    def run(self, *argv, stdin=None):
        """Run a program in the node's namespace, and return its output."""
        return run(*netns.command(self.namespace, *argv), stdin=stdin,
                   env=self.env)

    def _stop(self, program):
        """End one daemon and wait until it is gone."""
        pidfile = self.rundir / f"{program}.pid"
        netns.end([os.pidfd_open(int(pidfile.read_text(encoding="ascii")))])

    def vsctl(self, *args):
        return run("ovs-vsctl", f"--db={self.db}", *args).strip()

    def appctl(self, target, *args):
        """`target`: a daemon's name, or the path of its control socket."""
        return run("ovs-appctl", "-t", target, *args, env=self.env)

    def ofctl(self, command, bridge, *args, stdin=None):
        return run("ovs-ofctl", "-O", "OpenFlow15", command,
                   f"unix:{self.rundir / bridge}.mgmt", *args, stdin=stdin)

    def settle(self):
        """Make the datapath do what the flow tables say now.

        To wait for the revalidators is not enough: where two megaflows
        overlap, the userspace datapath of OVS 3.1 changes the actions of
        either when it is told to change one (dpif-netdev.c looks the flow up
        by its key, not by its id), and the other stays as it was for as long
        as packets hit it.
        """
        self.appctl("ovs-vswitchd", "revalidator/purge")

    def ofport(self, interface):
        """The OpenFlow port number; 0 while there is none."""
        value = self.vsctl("--if-exists", "get", "Interface", interface,
                           "ofport")
        return int(value) if value.lstrip("-").isdigit() else 0

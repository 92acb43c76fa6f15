"""A node with all its pods, the daemon, and what a fault needs to be injected.
"""

import contextlib
import json
import os
import random
import re
import select
import signal
import threading

from lab import manifest, netns

import pairs as p
from judge import Result
from proxy import Proxy
from traffic import Traffic


class Rig:
    """A lab on which the daemon of a build is at work."""

    def __init__(self, lab, build_dir, seed):
        self.lab, self.build_dir = lab, build_dir
        self.random = random.Random(seed)
        self.writing = threading.Lock()     # who writes or moves manifests
        self.saving = threading.Lock()      # who changes what the lab runs
        self.cuts = []          # where the connection was cut: see Proxy
        for name, (ns, _) in p.PODS.items():
            lab.add_pod(ns, name, p.pod_ips(name), raw=name not in p.KERNEL,
                        labels={"role": p.ROLES.get(name, name)})
        manifest.write(lab.manifests, "pods.json", *self.objects())
        manifest.write(lab.manifests, "policies.json", *p.base_policies())
        self.start_daemon()
        lab.wait()

    @property
    def bridge(self):
        return self.lab.settings.bridge

    def objects(self, namespace_labels=None, pod_labels=None):
        """The node, its namespaces and its pods; with more labels, by
        name."""
        lab, node = self.lab, self.lab.settings.node_name
        spaces = sorted({pod.namespace for pod in lab.pods.values()})
        objects = [manifest.node(lab.settings)]
        for ns in spaces:
            team = {"team": p.TEAMS[ns]} if ns in p.TEAMS else {}
            objects.append(manifest.namespace(
                ns, **team, **(namespace_labels or {}).get(ns, {})))
        for pod in lab.pods.values():
            item = manifest.pod(pod, node)
            item["metadata"]["labels"] |= (pod_labels or {}).get(pod.name, {})
            objects.append(item)
        return objects

    # The daemon.

    def start_daemon(self, build_dir=None):
        with self.saving:
            self.lab.start_daemon(build_dir or self.build_dir)

    def kill_daemon(self, signum=signal.SIGKILL):
        self.lab.daemon.send_signal(signum)
        status = self.lab.daemon.wait()
        assert status in (0, -signum), f"ovs-netpold: status {status}"
        self.lab.daemon = None

    @property
    def next_build(self):
        """Where the next version of the daemon is."""
        return self.build_dir / "tests" / "fault" / "next"

    def status(self):
        return json.loads(self.lab.appctl("netpol/status", "json"))

    def layout(self):
        """The number of the pipeline that is in the switch."""
        flows = self.ofctl("dump-flows", "table=24")
        return re.search(r"reg12=(0x[0-9a-f]+)", flows)[1]

    # The switch.

    def ofctl(self, command, *args, **kwargs):
        return self.lab.ovs.ofctl(command, self.bridge, *args, **kwargs)

    def proxy(self):
        """A Proxy between the daemon and the switch; the daemon connects
        anew."""
        return Proxy(self.lab.ovs.rundir / f"{self.bridge}.mgmt")

    def vswitchd_pid(self):
        return int((self.lab.ovs.rundir / "ovs-vswitchd.pid").read_text())

    def ovsdb_pid(self):
        return int((self.lab.ovs.rundir / "ovsdb-server.pid").read_text())

    def switch_drops(self):
        """Frames for which the switch's packet sockets had no room, so
        far."""
        sockets = netns.run(*netns.command(self.lab.node_ns, "ss", "-0nm"))
        return sum(int(n) for n in re.findall(r",d(\d+)\)", sockets))

    # Streams.

    @contextlib.contextmanager
    def streams(self):
        """All streams during the body; the Result, which is complete after
        it.  At the end everything flows."""
        before = self.switch_drops()
        traffic = Traffic(self.lab, self.build_dir / "tests/fault/streams")
        denied = {q.name for q in traffic.pairs if not q.allowed}
        way_out = {q.name for q in traffic.pairs
                   if q.allowed and q.target not in p.PODS}
        result = Result({}, denied, way_out, traffic=traffic)
        with traffic:
            yield result
            traffic.flowing()
        result.report = traffic.report
        result.switch_drops = max(self.switch_drops() - before, 0)


def kill(pid, signum=signal.SIGKILL):
    """Send a signal to a daemon of the lab; after SIGKILL, until it is
    gone."""
    fd = os.pidfd_open(pid)
    signal.pidfd_send_signal(fd, signum)
    if signum == signal.SIGKILL:
        select.select([fd], [], [])
    os.close(fd)

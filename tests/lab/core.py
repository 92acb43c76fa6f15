"""The lab: a Kubernetes node in miniature, out of network namespaces.

    pod  pod  pod          a namespace each, eth0 is one end of a veth pair
     |    |    |
    [    br-int    ]--+    userspace Open vSwitch, in namespace "node"
     |             LOCAL   the node itself: gateway address of the pods
    uplink
     |
    outside                a host of the world beyond the node

Pods reach each other and their gateway on one link, as the bridge is one.
The outside host's networks are on that link too: a pod asks for its MAC
itself, so that no router stands between a pod and the way out.

All state is files below one directory, so that a lab outlives the process
that started it and another process can go on with it, or remove it.
"""

import dataclasses
import hashlib
import ipaddress
import json
import os
import pathlib
import shutil
import subprocess
import sys

from . import netns, ovs, probe
from .netns import LabError, run
from .pods import Pod, make_mac, make_uid, row_keys, short_name

PROGRAM_DIRS = ("", "src/daemon", "ovs-flows")  # where a build has ours
SERVER = pathlib.Path(__file__).with_name("server.py")

# An address serves from its first moment, and no router changes it.
PLAIN = [("ipv6/conf/default/accept_dad", 0), ("ipv6/conf/all/accept_dad", 0),
         ("ipv6/conf/default/accept_ra", 0), ("ipv4/conf/all/rp_filter", 0)]
HOST_SYSCTLS = PLAIN + [("ipv4/conf/default/rp_filter", 0)]

# The switch takes frames from its ports' interfaces through packet sockets,
# which give it copies: the node's own stack gets every frame as well, and
# would answer and forward what the switch drops.  So interfaces are born deaf
# in the node's namespace, and br-int alone is given its hearing back.
DEAF = {"ipv4/conf/{}/rp_filter": 1,    # no route leads there: no source fits
        "ipv4/conf/{}/arp_ignore": 8, "ipv6/conf/{}/disable_ipv6": 1}
NODE_SYSCTLS = PLAIN + [
    ("ipv4/ip_forward", 1), ("ipv6/conf/all/forwarding", 1),
    ("ipv4/conf/all/send_redirects", 0),
    ("ipv4/conf/default/send_redirects", 0),
    *((key.format("default"), value) for key, value in DEAF.items())]


@dataclasses.dataclass
class Settings:
    """What a lab is made of; lists hold one entry for each IP version."""

    bridge: str = "br-int"
    fail_mode: str = ""         # as given to the bridge; "" leaves it unset
    node_name: str = "lab-node"
    node_ips: list = dataclasses.field(
        default_factory=lambda: ["192.0.2.1", "2001:db8:2::1"])
    gateway: list = dataclasses.field(
        default_factory=lambda: ["10.244.0.1/16", "fd00:10:244::1/64"])
    outside: list = dataclasses.field(
        default_factory=lambda: ["203.0.113.10/24", "2001:db8:113::10/64"])
    node_ports: dict = dataclasses.field(
        default_factory=lambda: {"tcp": [10250], "udp": [53]})
    outside_ports: dict = dataclasses.field(
        default_factory=lambda: {"tcp": [443], "udp": [53]})


@dataclasses.dataclass
class Host:
    """Anything that serves and asks and is no pod: the node, the outside."""

    key: str
    netns: str
    ips: list
    ports: dict


def plain(cidrs):
    return [str(ipaddress.ip_interface(cidr).ip) for cidr in cidrs]


def networks(cidrs):
    return [str(ipaddress.ip_interface(cidr).network) for cidr in cidrs]


class Lab:
    """One lab; `with Lab(directory) as lab:` starts it, and removes it."""

    def __init__(self, directory, **settings):
        self.dir = pathlib.Path(directory).absolute()
        digest = hashlib.sha256(str(self.dir.resolve()).encode()).hexdigest()
        self.prefix = f"np{digest[:6]}-"
        self.node_ns = f"{self.prefix}node"
        self.outside_ns = f"{self.prefix}outside"
        self.ovs = ovs.Ovs(self.dir, self.node_ns)
        self.manifests = self.dir / "manifests"
        self.settings = Settings(**settings)
        self.pods = {}
        self.build_dir = None       # where the daemon came from
        self.daemon = None
        self._children = []

    # State on disk.

    @classmethod
    def open(cls, directory):
        """The lab that some process started in `directory`."""
        lab = cls(directory)
        try:
            state = json.loads((lab.dir / "lab.json").read_text())
        except FileNotFoundError:
            raise LabError(f"{directory}: no lab here") from None
        lab.settings = Settings(**state["settings"])
        lab.build_dir = state["build_dir"]
        lab.pods = {pod["namespace"] + "/" + pod["name"]: Pod(**pod)
                    for pod in state["pods"]}
        return lab

    def _save(self):
        state = {"settings": dataclasses.asdict(self.settings),
                 "build_dir": self.build_dir,
                 "pods": [dataclasses.asdict(p) for p in self.pods.values()]}
        temporary = self.dir / "lab.json.new"
        temporary.write_text(json.dumps(state, indent=1) + "\n")
        temporary.rename(self.dir / "lab.json")

    # Life.

    def start(self):
        """Start an empty lab, after removing what a crashed one left."""
        if os.geteuid():
            raise LabError("a lab needs root: it makes network namespaces")
        self.stop()
        self.dir.mkdir(parents=True, exist_ok=True)
        if any(self.dir.iterdir()):
            raise LabError(f"{self.dir}: not empty, and no lab of ours")
        self._save()
        self.manifests.mkdir()
        netns.create(self.node_ns, NODE_SYSCTLS)
        self.ovs.start()
        self._start_bridge()
        self.serve(self.host("node"))
        self._start_outside()
        return self

    def stop(self):
        """Remove every process, namespace and file of this lab; to do it
        again, or without a lab, changes nothing."""
        for name in netns.names(self.prefix):
            netns.delete(name)
        for child in self._children:
            child.wait()
        self._children.clear()
        self.pods.clear()
        self.daemon = None
        if (self.dir / "lab.json").exists():
            shutil.rmtree(self.dir)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_exc):
        self.stop()

    # The node and the outside.

    def _start_bridge(self):
        bridge, settings = self.settings.bridge, self.settings
        gateway = plain(settings.gateway)
        # Without hwaddr it would take another MAC whenever a port comes.
        command = ["add-br", bridge, "--", "set", "Bridge", bridge,
                   "datapath_type=netdev", "other_config:hwaddr="
                   f'"{make_mac(gateway, "node")}"']
        if settings.fail_mode:
            command += [f"fail_mode={settings.fail_mode}"]
        self.ovs.vsctl(*command)
        self.set_ids("Interface", bridge, {"netpol-role": "gateway",
                                           "ip-address": ",".join(gateway)})
        self._give_node_addresses()

    def remake_bridge(self):
        """After the bridge was deleted: make it again, with its ports."""
        self._start_bridge()
        for pod in self.pods.values():
            self._add_port(pod.port, row_keys(pod, "ours"))
        self._add_port("uplink", ("Interface", {"netpol-role": "uplink"}))

    def _give_node_addresses(self):
        bridge, settings = self.settings.bridge, self.settings
        netns.set_sysctls(self.node_ns, [(key.format(bridge), 0)
                                         for key in DEAF])
        self._ip(self.node_ns, [
            f"link set {bridge} up",
            *(f"addr replace {cidr} dev {bridge} nodad"
              for cidr in settings.gateway + settings.node_ips),
            *(f"route replace {net} dev {bridge}"
              for net in networks(settings.outside))])

    def restart_switch(self):
        """Stop ovs-vswitchd and start it again, as an upgrade does: its
        flows and connections are gone, and br-int may be a new interface."""
        self.ovs.stop_vswitchd()
        self.start_switch()

    def start_switch(self):
        """Start an ovs-vswitchd that was stopped."""
        self.ovs.start_vswitchd()
        self._give_node_addresses()

    def _start_outside(self):
        settings = self.settings
        netns.create(self.outside_ns, HOST_SYSCTLS)
        self._plug(self.outside_ns, "uplink", mac="0a:58:cb:00:71:0a")
        self.set_ids("Interface", "uplink", {"netpol-role": "uplink"})
        self._ip(self.outside_ns, [
            "link set eth0 up",
            *(f"addr add {cidr} dev eth0 nodad" for cidr in settings.outside),
            *(f"route add {net} dev eth0"
              for net in networks(settings.gateway) + settings.node_ips)])
        self.serve(self.host("outside"))

    @staticmethod
    def _ip(namespace, commands):
        netns.ip(namespace, "-batch", "-", stdin="\n".join(commands))

    def _plug(self, namespace, port, mac, ids=None):
        """Give `namespace` an eth0 whose other end is `port` of the bridge;
        `ids` is a table's name and external_ids for the port's row there."""
        run("ip", "link", "add", "eth0", "netns", namespace, "mtu", 1500,
            "address", mac, "type", "veth",
            "peer", "name", port, "netns", self.node_ns)
        # Userspace conntrack takes a packet whose checksum was left to a
        # network card, as a veth has none, for an invalid one.
        run(*netns.command(namespace, "ethtool", "-K", "eth0", "tx", "off"))
        netns.ip(self.node_ns, "link", "set", port, "up")
        self._add_port(port, ids)

    def _add_port(self, port, ids):
        with ovs.large_receive_buffers():
            self.ovs.vsctl("add-port", self.settings.bridge, port,
                           *self._ids_command(port, ids))

    @staticmethod
    def _ids_command(port, ids):
        if not ids or not ids[1]:
            return []
        table, keys = ids
        return ["--", "set", table, port,
                *(f'external_ids:{key}="{value}"'
                  for key, value in keys.items())]

    def set_ids(self, table, row, keys):
        """Write external_ids; a value of None removes its key."""
        gone = [key for key, value in keys.items() if value is None]
        if gone:
            self.ovs.vsctl("remove", table, row, "external_ids", *gone)
        kept = {k: v for k, v in keys.items() if v is not None}
        if kept:
            self.ovs.vsctl(*self._ids_command(row, (table, kept))[1:])

    # Pods.

    def add_pod(self, ns, name, ips, *, mac=None, uid=None, ports=None,
                labels=None, cni="ours", raw=False):
        """Run a pod, as a CNI plugin and a kubelet would.

        `ports`: {"tcp": [80], "udp": [53]}, each gets a server.  `cni` chooses
        whose external_ids the port carries (pods.CNI).  A `raw` pod's kernel
        has no address and stays silent, for tests that send its frames.
        """
        key = f"{ns}/{name}"
        pod = Pod(ns, name, list(ips), mac or make_mac(ips, key),
                  uid or make_uid(key), self.prefix + short_name(key, 32),
                  short_name(key, 15), ports or {}, labels or {"app": name})
        if key in self.pods:
            raise LabError(f"{key}: the lab has this pod already")
        netns.create(pod.netns, [("ipv6/conf/default/disable_ipv6", int(raw)),
                                 *HOST_SYSCTLS])
        self._plug(pod.netns, pod.port, pod.mac, row_keys(pod, cni))
        self._ip(pod.netns, ["link set eth0 up"])
        if not raw:
            self._give_addresses(pod)
        self.pods[key] = pod
        self._save()
        self.serve(pod)
        return pod

    def _give_addresses(self, pod):
        commands = []
        for ip in pod.ips:
            family = ipaddress.ip_address(ip).version
            link, way_out = ([ipaddress.ip_interface(cidr) for cidr in cidrs
                              if ipaddress.ip_interface(cidr).version
                              == family]
                             for cidrs in (self.settings.gateway,
                                           self.settings.outside))
            commands += [f"addr add {ip}/{net.network.prefixlen} dev eth0 "
                         "nodad" for net in link]
            commands += [f"route replace default via {net.ip} dev eth0 onlink"
                         for net in link]
            commands += [f"route replace {net.network} dev eth0"
                         for net in way_out]
        self._ip(pod.netns, commands)

    def del_pod(self, ns, name):
        """Remove a pod and its port."""
        pod = self.pods.pop(f"{ns}/{name}")
        self.ovs.vsctl("--if-exists", "del-port", pod.port)
        # At once: with its namespace it would go some time later, and be in
        # the way of the next pod of this name.
        netns.ip(self.node_ns, "link", "del", pod.port, check=False)
        netns.delete(pod.netns)
        self._save()

    def move_port(self, pod, ofport):
        """Give a pod's port another OpenFlow number."""
        with ovs.large_receive_buffers():
            self.ovs.vsctl("set", "Interface", pod.port,
                           f"ofport_request={ofport}")
        ovs.wait_until(lambda: self.ovs.ofport(pod.port) == ofport,
                       f"{pod.port} to become port {ofport}")

    def host(self, key):
        """A pod ("namespace/name", or a name that is the only such), "node"
        or "outside": something with key, netns, ips and ports."""
        settings = self.settings
        if key == "node":
            return Host(key, self.node_ns,
                        settings.node_ips + plain(settings.gateway),
                        settings.node_ports)
        if key == "outside":
            return Host(key, self.outside_ns, plain(settings.outside),
                        settings.outside_ports)
        found = [pod for pod in self.pods.values() if key in
                 (pod.key, pod.name)]
        if len(found) != 1:
            raise LabError(f"{key}: {'no' if not found else 'more than one'} "
                           "such host in the lab")
        return found[0]

    def hosts(self):
        return [*self.pods.values(), self.host("outside"), self.host("node")]

    # Servers and clients.

    def serve(self, host):
        """Start the server of a host, on each of its addresses and ports."""
        with netns.inside(host.netns):
            sockets = [probe.listen(ip, protocol, port)
                       for ip in host.ips
                       for protocol, ports in host.ports.items()
                       for port in ports]
        fds = [sock.fileno() for sock in sockets]
        if fds:
            self.spawn(host, sys.executable, "-IS", SERVER, host.key,
                       *fds, pass_fds=fds)
        for sock in sockets:
            sock.close()

    @property
    def env(self):
        """Environment in which OVS's programs and ours find this lab."""
        path = os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        ours = [str(pathlib.Path(self.build_dir, where))
                for where in PROGRAM_DIRS if self.build_dir]
        return {**self.ovs.env, "NODE_NAME": self.settings.node_name,
                "PATH": ":".join([*ours, path])}

    def spawn(self, host, *argv, log="spawned", pass_fds=()):
        """Start a program in a host's namespace; the lab ends it at last.

        What it says goes to a log: it must not hold the terminal, or the
        pipe, of a caller who is gone long before it.
        """
        with open(self.ovs.logdir / f"{log}.err", "ab") as output:
            child = subprocess.Popen(
                netns.command(host.netns, *argv), start_new_session=True,
                env=os.environ | self.env, pass_fds=pass_fds,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._children.append(child)
        return child

    def exec(self, host, *argv, stdin=None):
        """Run a program in a host's namespace, and return its output."""
        return run(*netns.command(host.netns, *argv), stdin=stdin,
                   env=self.env)

    def probes(self, source, target, family=None):
        """Every question that `source` can ask `target`'s servers, over the
        target's first address of each IP version, or of `family` alone."""
        firsts = {ipaddress.ip_address(ip).version: ip
                  for ip in reversed(target.ips)}
        return [probe.Probe(source.netns, target.key, ip, protocol, port)
                for version, ip in sorted(firsts.items())
                if family in (None, version)
                for protocol, ports in target.ports.items()
                for port in ports]

    # The daemon.

    def start_daemon(self, build_dir, *args):
        """Start ovs-netpold on the lab's bridge; the policies that it reads
        are the files below `manifests`."""
        program = find_program(build_dir, "ovs-netpold")
        self.build_dir = str(pathlib.Path(build_dir).absolute())
        self._save()
        self.daemon = self.spawn(
            self.host("node"), program, f"--source=dir:{self.manifests}",
            f"--bridge={self.settings.bridge}", "--pidfile", "--log-file",
            "-vconsole:off", *args, self.ovs.db, log="ovs-netpold")
        ctl = self.ovs.rundir / f"ovs-netpold.{self.daemon.pid}.ctl"
        pidfile = self.ovs.rundir / "ovs-netpold.pid"
        ovs.wait_until(lambda: self.daemon.poll() is not None or
                       pidfile.exists() and ovs.listens(ctl),
                       "ovs-netpold to listen")
        if self.daemon.poll() is not None:
            raise LabError("ovs-netpold ended at once: " + (
                self.ovs.logdir / "ovs-netpold.err").read_text().strip())
        return self.daemon

    def stop_daemon(self):
        """SIGTERM, and the exit status: the flows stay in place."""
        self.daemon.terminate()
        status = self.daemon.wait()
        self._children.remove(self.daemon)
        self.daemon = None
        return status

    def appctl(self, *args):
        """A command to the daemon, and its answer."""
        return self.ovs.appctl("ovs-netpold", *args)

    def wait(self, seconds=30):
        """Until the manifests as they are now are in the datapath."""
        return self.appctl("netpol/wait", "--datapath", seconds)


def find_program(build_dir, name):
    for where in PROGRAM_DIRS:
        program = pathlib.Path(build_dir, where, name).absolute()
        if program.is_file() and os.access(program, os.X_OK):
            return program
    raise LabError(f"{build_dir}: no {name} here: build it first")

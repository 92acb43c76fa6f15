"""What the measurements of the data plane are made in: a lab with the pods of
a generated cluster's node, two pods and a world of clients besides, and
several tables for the same policies."""

import json
import pathlib
import re
import select
import shutil
import socket
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "system")]

# pylint: disable=wrong-import-position
import datapath_clauses                                     # noqa: E402
from lab import Lab, LabError, manifest, netns              # noqa: E402
from lab.ovs import large_receive_buffers, wait_until                # noqa: E402

NODE, NODE_IP, GATEWAY = "node-0", "192.168.0.10", "10.0.0.1/8"
OUTSIDE = "203.0.113.10"
WORLD = "198.18.0.0/15"         # Of clients; half of it may come in.
ADMITTED = "198.18.0.0/16"
REMOTE = "10.0.0.0/9"           # Pods of other nodes.
PORT = 9000                     # And two more: see load.c.
MAX_IDLE_MS = 600000            # Megaflows stay until they are counted.

# What is measured against, on a bridge and between pods of its own: connection
# tracking, and forwarding by MAC.
BARE_BRIDGE = "br-bare"
BARE = """\
table=0,priority=10,ip,actions=ct(table=1,zone=7)
table=0,priority=0,actions=NORMAL
table=1,priority=30,ct_state=+trk+est,actions=NORMAL
table=1,priority=20,ct_state=+trk+rpl,actions=NORMAL
table=1,priority=10,ct_state=+trk+new,ip,actions=ct(commit,zone=7),NORMAL
table=1,priority=0,actions=drop
"""


def policies():
    """Everything closed, and on either side what lets the two pods talk."""
    ports = [{"protocol": "TCP", "port": PORT, "endPort": PORT + 2}]
    app = {name: [{"podSelector": {"matchLabels": {"app": name}}}]
           for name in ("client", "server")}
    server, client = (app[name][0]["podSelector"]
                      for name in ("server", "client"))
    return [
        manifest.policy("bench", "closed", policyTypes=["Ingress", "Egress"]),
        manifest.policy("bench", "client-out", podSelector=client,
                        policyTypes=["Egress"],
                        egress=[{"to": app["server"], "ports": ports}]),
        manifest.policy("bench", "server-in", podSelector=server,
                        ingress=[{"from": app["client"], "ports": ports}]),
        manifest.policy("bench", "server-public", podSelector=server,
                        ingress=[{"from": [{"ipBlock": {"cidr": ADMITTED}}],
                                  "ports": ports}]),
        manifest.policy("bench", "server-prod", podSelector=server,
                        ingress=[{"from": [{"namespaceSelector": {
                            "matchLabels": {"env": "prod"}}}],
                                  "ports": ports}]),
    ]


class World:
    """Use as `with World(...) as world:`."""

    def __init__(self, directory, build, size, local, seed):
        self.dir = pathlib.Path(directory)
        self.build = build
        self.cluster = self.dir / "cluster"
        netns.run(build / "tests/bench/gen", f"--size={size}",
                  f"--local={local}", f"--seed={seed}", self.cluster)
        self.lab = Lab(self.dir / "lab", node_name=NODE, node_ips=[NODE_IP],
                       gateway=[GATEWAY], outside=[f"{OUTSIDE}/24"])
        self.load = build / "tests/bench/load"
        self.scale = f"{size}, {local} local pods"
        self.tables = {}
        self.remote = []            # (address, namespace's labels)
        self.targets = []           # (pod, port) of this node
        self.on_switch = None

    def __enter__(self):
        self.lab.__enter__()
        try:
            self.fill()
        except BaseException:
            self.lab.stop()
            raise
        return self

    def __exit__(self, *_exc):
        self.lab.stop()

    # Pods and policies.

    def fill(self):
        lab = self.lab
        ports = [line.split() for line in
                 (self.cluster / "ports").read_text().splitlines()]
        for _, _, mac, ip, uid, key in ports:
            lab.add_pod(*key.split("_"), [ip], mac=mac, uid=uid, raw=True)
        self.server = self.add_pod("server", "10.255.0.2")
        self.client = self.add_pod("client", "10.255.0.3")
        # Admits the same, and its kernel answers nothing.
        self.silent = self.add_pod("silent", "10.255.0.4", raw=True)
        self.outside = lab.host("outside")
        self.route()
        self.bare_client, self.bare_server = self.bare_bridge()
        self.read_cluster({ip: key.replace("_", "/")
                           for _, _, _, ip, _, key in ports})
        shutil.copytree(self.cluster / "objects", lab.manifests,
                        dirs_exist_ok=True)
        manifest.write(lab.manifests, "bench.json",
                       manifest.namespace("bench"),
                       *(manifest.pod(pod, NODE) for pod in
                         (self.server, self.client, self.silent)),
                       *policies())
        lab.ovs.vsctl("set", "Open_vSwitch", ".",
                      f"other_config:max-idle={MAX_IDLE_MS}")
        self.serve(self.server)
        self.serve(self.bare_server)
        self.start_daemon()
        self.write_tables()

    def add_pod(self, name, ip, **more):
        app = "server" if name == "silent" else name
        return self.lab.add_pod("bench", name, [ip], labels={"app": app},
                                **more)

    def bare_bridge(self):
        """Two pods on a bridge without us."""
        lab = self.lab
        lab.ovs.vsctl("add-br", BARE_BRIDGE, "--", "set", "Bridge",
                      BARE_BRIDGE, "datapath_type=netdev", "fail_mode=secure")
        lab.ovs.ofctl("add-flows", BARE_BRIDGE, "-", stdin=BARE)
        pods = [self.add_pod(f"bare-{name}", ip) for name, ip in
                (("client", "10.255.0.5"), ("server", "10.255.0.6"))]
        for pod in pods:
            lab.ovs.vsctl("del-port", pod.port)
            with large_receive_buffers():
                lab.ovs.vsctl("add-port", BARE_BRIDGE, pod.port)
        self.acquaint(*pods)
        return pods

    def acquaint(self, client, server):
        """Nobody needs to ask for a MAC address, or to run out of ports."""
        for one, other in ((client, server), (server, client)):
            self.lab.exec(one, "ip", "neigh", "replace", other.ips[0],
                          "lladdr", other.mac, "dev", "eth0", "nud",
                          "permanent")
        netns.set_sysctls(client.netns, [
            ("ipv4/ip_local_port_range", "1024 65535")])

    def route(self):
        """The outside host has all addresses of the world's, and of other
        nodes' pods."""
        lab, gate = self.lab, self.outside
        uplink_mac = json.loads(lab.exec(gate, "ip", "-j", "link", "show",
                                         "eth0"))[0]["address"]
        lab.exec(gate, "ip", "-batch", "-", stdin="\n".join(
            [f"route replace local {net} dev lo" for net in (WORLD, REMOTE)]
            + [f"neigh replace {self.server.ips[0]} lladdr {self.server.mac} "
               "dev eth0 nud permanent"]))
        lab.exec(self.server, "ip", "-batch", "-", stdin="\n".join(
            [f"neigh replace {OUTSIDE} lladdr {uplink_mac} dev eth0 "
             "nud permanent"]
            + [f"route replace {net} via {OUTSIDE} dev eth0"
               for net in (WORLD, REMOTE)]))
        self.acquaint(self.client, self.server)

    def read_cluster(self, local):
        labels, pods = {}, []
        for path in sorted((self.cluster / "objects").iterdir()):
            for item in json.loads(path.read_text())["items"]:
                if item["kind"] == "Namespace":
                    labels[item["metadata"]["name"]] \
                        = item["metadata"]["labels"]
                elif item["kind"] == "Pod":
                    pods.append(item)
        for item in pods:
            ip = item["status"]["podIPs"][0]["ip"]
            if ip in local:
                port = item["spec"]["containers"][0]["ports"][0]
                self.targets.append((self.lab.pods[local[ip]],
                                     port["containerPort"]))
            else:
                self.remote.append(
                    (ip, labels[item["metadata"]["namespace"]]))

    def serve(self, pod):
        log = self.lab.ovs.logdir / f"{pod.name}.err"
        self.lab.spawn(pod, self.load, "serve", pod.ips[0], PORT,
                       log=pod.name)
        wait_until(lambda: b"ready" in log.read_bytes(), f"{pod.name}")

    # Tables.

    def start_daemon(self, *args):
        self.lab.start_daemon(self.build, *args)
        self.lab.wait(300)
        self.on_switch = None

    def write_tables(self):
        """The daemon goes when it has set up bridge and tables."""
        lab = self.lab
        for name in ("judge", "keep"):
            self.tables[name] = lab.exec(
                lab.host("node"), self.build / "src/daemon/ovs-netpold",
                f"--source=dir:{lab.manifests}", f"--established={name}",
                "--bridge=br-int", "--dry-run", "-vconsole:warn", lab.ovs.db)
        self.tables["clauses"] = datapath_clauses.convert(self.tables["keep"])
        lab.stop_daemon()
        for name in ("egress", "ingress"):
            row = lab.ovs.vsctl("--columns=_uuid", "--bare", "find",
                                "Flow_Table", f"name={name}")
            lab.ovs.vsctl("set", "Flow_Table", row, "prefixes=ip_src,ip_dst")

    def flows(self, table):
        return sum("actions=" in line
                   for line in self.tables[table].splitlines())

    def use(self, table):
        """Put `table` on the switch, with nothing cached of another one."""
        ovs = self.lab.ovs
        if self.on_switch != table:
            ovs.ofctl("replace-flows", "br-int", "--bundle", "-",
                      stdin=self.tables[table])
            self.on_switch = table
        self.forget()

    def forget(self):
        for command in ("revalidator/purge", "dpctl/flush-conntrack"):
            self.vswitchd(command)

    # What the switch did.

    def vswitchd(self, *args):
        return self.lab.ovs.appctl("ovs-vswitchd", *args)

    def megaflows(self):
        return sum("actions:" in line for line in
                   self.vswitchd("dpctl/dump-flows").splitlines())

    def counters(self):
        """Packets, upcalls and so on of the thread that polls the ports."""
        shown = self.vswitchd("dpif-netdev/pmd-stats-show")
        found = {}
        for name, value in re.findall(r"^  ([a-z. -]+): ([\d.]+)",
                                      shown.partition("main thread:")[2],
                                      re.M):
            found.setdefault(name, float(value))
        return found

    def cpu(self, name="ovs-vswitchd"):
        """Seconds of a processor that all threads of a daemon have had."""
        pid = (self.lab.ovs.rundir / f"{name}.pid").read_text().strip()
        total = 0
        for task in pathlib.Path("/proc", pid, "task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    # Load.

    def send(self, frames, rate):
        """Send frames from the outside, that many a second, and wait until
        the switch has done with them.  Returns how it changed: seconds of
        processor, and counters."""
        before, cpu = self.counters(), self.cpu()
        with netns.inside(self.outside.netns):
            sock = socket_of("eth0")
        start = time.monotonic()
        for i, frame in enumerate(frames):
            if not i % 32:
                late = start + i / rate - time.monotonic()
                if late > 0:
                    select.select([], [], [], late)
            sock.send(frame)
        sock.close()
        after = self.at_rest(before["packets received"] + len(frames))
        return self.cpu() - cpu, {key: after[key] - before[key]
                                  for key in after if key in before}

    def at_rest(self, received):
        deadline = time.monotonic() + 30
        while True:
            now = self.counters()
            if now["packets received"] >= received:
                return now
            if time.monotonic() > deadline:
                raise LabError("frames were lost on their way to the switch")
            time.sleep(0.02)

    def run(self, what, seconds, *, bare=False):
        """The numbers that `load WHAT` prints, between the two pods."""
        client, server = ((self.bare_client, self.bare_server) if bare else
                          (self.client, self.server))
        return [float(word) for word in self.lab.exec(
            client, self.load, what, server.ips[0], PORT, seconds).split()]

    def connect_from(self, sources):
        """A whole connection from each of the addresses."""
        self.lab.exec(self.outside, self.load, "clients", self.server.ips[0],
                      PORT, stdin="".join(f"{ip}\n" for ip in sources))


def socket_of(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((interface, 0))
    return sock

"""What the tests of the running daemon share: the objects it reads, the
questions asked of its pods, and streams that live while policies change.

A question is text, and is asked over each IP version that both sides have:

    "a -> b tcp/80"     "outside -> b udp/53 v6"    "a -> b echo"
"""

import contextlib
import dataclasses
import ipaddress
import json
import select
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lab import DENIED, REACHED, Probe, manifest, netns, probe
from lab.ovs import wait_until

import frames as f

PORTS = {"tcp": [80, 8080], "udp": [53]}
COOKIE = 0x4e50                 # The upper 16 bits of each cookie of ours.
LEARNED = f"cookie=0x{COOKIE:x}07"      # What the switch learns by itself.


# The world.

class World:
    """A lab, its daemon, and the objects that the daemon reads."""

    def __init__(self, lab):
        self.lab = lab
        self.hosts = {}         # more that can be asked about, by name
        self._kept = set()      # pods and files that reset() leaves
        # The switch waits that long before it looks at its megaflows again
        # when nothing happens, and `netpol/wait --datapath` waits for it.
        lab.ovs.vsctl("set", "Open_vSwitch", ".",
                      "other_config:max-revalidator=100")

    def put(self, name, *objects, wait=True):
        path = manifest.write(self.lab.manifests, name, *objects)
        if wait:
            self.lab.wait()
        return path

    def remove(self, *names):
        for name in names:
            (self.lab.manifests / name).unlink()
        self.lab.wait()

    def put_pods(self, wait=True, **overrides):
        """Write the node, the namespaces and the pods of the lab;
        `overrides`: a pod's name and a function that changes its object."""
        objects = manifest.describe(self.lab)
        for item in objects:
            if item["kind"] == "Pod":
                change = overrides.get(item["metadata"]["name"])
                if change:
                    change(item)
        return self.put("pods.json", *objects, wait=wait)

    def keep(self):
        """What is there now belongs to all tests."""
        self._kept = {*self.lab.pods, *self._files()}

    def reset(self):
        """Remove what a test, perhaps one that failed, has left."""
        pods = [pod for key, pod in self.lab.pods.items()
                if key not in self._kept]
        files = self._files() - self._kept
        for pod in pods:
            self.lab.del_pod(pod.namespace, pod.name)
        for name in files:
            path = self.lab.manifests / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        if pods:
            self.put_pods()
        elif files:
            self.lab.wait()

    def _files(self):
        return {path.name for path in self.lab.manifests.iterdir()}

    @contextlib.contextmanager
    def policies(self, *objects, name="policies.json"):
        """These policies for the body, and none of them after it."""
        self.put(name, *objects)
        try:
            yield
        finally:
            self.remove(name)

    def status(self):
        return json.loads(self.lab.appctl("netpol/status", "json"))

    def log(self):
        return (self.lab.ovs.logdir / "ovs-netpold.log").read_text()

    def host(self, name):
        return self.hosts.get(name) or self.lab.host(name)

    # Questions.

    def questions(self, text):
        """The probes that a question stands for."""
        source, arrow, target, service, *version = text.split()
        assert arrow == "->", text
        source, target = self.host(source), self.host(target)
        protocol, _, port = service.partition("/")
        found = [Probe(source.netns, target.key, ip, protocol, int(port or 0),
                       None if source.key == "node"
                       else address(source, family(ip)))
                 for ip in firsts(target)
                 if family(ip) in map(family, source.ips)
                 and version in ([], [f"v{family(ip)}"])]
        assert found, f"{text}: nothing to ask"
        return found

    def expect(self, reached=(), denied=()):
        """Ask everything at once; fail, naming all that was different."""
        hoped = {p: (q, REACHED) for q in reached for p in self.questions(q)}
        hoped |= {p: (q, DENIED) for q in denied for p in self.questions(q)}
        pings = [p for p in hoped if p.protocol == "echo"]
        with ThreadPoolExecutor(len(pings) + 1) as pool:
            answers = pool.map(ping, pings, [hoped[p][1] for p in pings])
            seen = probe.ask([p for p in hoped if p.protocol != "echo"],
                             {p: verdict for p, (_, verdict) in hoped.items()},
                             patience=0.25, rounds=2)
            seen |= dict(zip(pings, answers))
        wrong = [f"{question} over {p.ip}: expected {verdict}, seen {seen[p]}"
                 for p, (question, verdict) in hoped.items()
                 if seen[p] != verdict]
        assert not wrong, "\n" + "\n".join(wrong) + "\n" + self.state()

    def state(self):
        return self.lab.appctl("netpol/status")

    # The switch.

    def flows(self, match="", learned=False):
        """The flows of the bridge, one a line, counters left out, and so are
        those that the switch has learned: they come and go by themselves."""
        dump = self.lab.ovs.ofctl("dump-flows", self.lab.settings.bridge,
                                  "--no-stats", match)
        return sorted(line.strip() for line in dump.splitlines()
                      if "actions=" in line
                      and (learned or not line.strip().startswith(LEARNED)))

    def our_flows(self):
        return self.flows(f"cookie={COOKIE << 48:#x}/{0xffff << 48:#x}")

    def forget_learned(self):
        self.lab.ovs.ofctl("del-flows", self.lab.settings.bridge,
                           f"{LEARNED}0000000000/{0xffffff << 40:#x}")

    def denials(self):
        """Packets that policies have denied, in either direction."""
        dump = self.lab.ovs.ofctl("dump-flows", self.lab.settings.bridge,
                                  "table=130")
        return sum(int(word.split("=")[1].rstrip(","))
                   for line in dump.splitlines()
                   if "reg9=0x8 " in line or "reg9=0x9 " in line
                   for word in line.split() if word.startswith("n_packets="))


def family(ip):
    return ipaddress.ip_address(ip).version


def firsts(host):
    """The first address of each IP version."""
    return {family(ip): ip for ip in reversed(host.ips)}.values()


def ping(question, hoped, tries=2, patience=0.25):
    """Whether an echo request is answered."""
    v6 = f.is_v6(question.ip)
    with netns.inside(question.netns):
        sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET,
                             socket.SOCK_RAW, f.ICMPV6 if v6 else f.ICMP)
    with sock:
        if question.source_ip:
            sock.bind((question.source_ip, 0))
        sock.connect((question.ip, 0))
        source = sock.getsockname()[0]
        for seq in range(tries + (hoped == REACHED)):
            sock.send(f.echo(source, question.ip, ident=77, seq=seq))
            deadline = time.monotonic() + (patience if seq < tries else 10)
            while select.select([sock], [], [],
                                max(deadline - time.monotonic(), 0))[0]:
                data = sock.recv(4096)
                if (data if v6 else data[20:])[0] == (129 if v6 else 0):
                    return REACHED
    return DENIED


@dataclasses.dataclass
class Elsewhere:
    """A host that the outside's namespace plays: a pod of another node."""

    key: str
    netns: str
    ips: list
    ports: dict


def add_elsewhere(world, name, ips):
    """Let the outside's namespace own `ips`, with servers on PORTS."""
    lab = world.lab
    for ip in ips:
        netns.ip(lab.outside_ns, "addr", "add",
                 f"{ip}/{32 if family(ip) == 4 else 128}", "dev", "eth0",
                 *(["nodad"] if family(ip) == 6 else []))
    host = Elsewhere(name, lab.outside_ns, list(ips), PORTS)
    lab.serve(host)
    world.hosts[name] = host
    return host


# Streams.

class Stream:
    """Numbered messages from one socket to another, without a pause, for as
    long as the body of `with` runs.

    Both ends belong to the test, so that of each message it is known whether
    it was sent, and whether it came.
    """

    def __init__(self, sender, receiver):
        self.sender, self.receiver = sender, receiver
        self.sent = self.received = -1      # the newest number
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        for sock in (self.sender, self.receiver):
            sock.setblocking(False)
        self._thread.start()
        self.flows()
        return self

    def __exit__(self, *_exc):
        self._stop.set()
        self._thread.join()
        self.sender.close()
        self.receiver.close()

    def _run(self):
        pending = b""
        while not self._stop.wait(0.002):
            with contextlib.suppress(BlockingIOError):  # a full buffer
                self.sender.send(b"%d\n" % (self.sent + 1))
                self.sent += 1
            with contextlib.suppress(BlockingIOError):
                while data := self.receiver.recv(65536):
                    *lines, pending = (pending + data).split(b"\n")
                    for line in lines:
                        self.received = int(line)

    def flows(self):
        """Wait until something arrives that is sent from now on."""
        begin = self.sent
        wait_until(lambda: self.received > begin,
                   f"messages after number {begin} to arrive")


def leaks(streams, messages=300):
    """The names of those of `streams`, a dict, that still get through.

    To be called when the switch has confirmed that none may: then nothing
    arrives that is sent from now on.  The next messages are looked at, as
    many as take longer than TCP waits before it tries again.
    """
    begins = {name: stream.sent + 1 for name, stream in streams.items()}
    for name, stream in streams.items():
        wait_until(lambda: stream.sent >= begins[name] + messages,
                   "messages to be sent")
    return [f"{name}: from number {begins[name]} on nothing may arrive, but "
            f"number {stream.received} did"
            for name, stream in streams.items()
            if stream.received > begins[name]]


def tcp_sockets(client, server, port, v=4):
    """Both ends of a new connection: client's, server's."""
    ip = address(server, v)
    with netns.inside(server.netns):
        listener = probe.listen(ip, "tcp", port)
    with netns.inside(client.netns):
        ours = socket.create_connection((ip, port), timeout=30)
    with listener:
        theirs, _ = listener.accept()
    return ours, theirs


def udp_sockets(client, server, port, v=4):
    """Two sockets that talk to each other; the client has spoken once, and
    the server has heard it."""
    ip = address(server, v)
    with netns.inside(server.netns):
        theirs = probe.listen(ip, "udp", port)
    theirs.settimeout(30)
    with netns.inside(client.netns):
        ours = socket.socket(theirs.family, socket.SOCK_DGRAM)
    ours.connect((ip, port))
    ours.send(b"first")
    _, peer = theirs.recvfrom(100)
    theirs.connect(peer)
    return ours, theirs


def address(host, v):
    return next(ip for ip in host.ips if family(ip) == v)

"""A net of which every frame is the test's own.

Pods without a stack, the outside and the node each have a wire in the test's
hand.  A test sends one frame and learns at which of all ends it came out, so
that "it passes" and "nobody else got it" are one statement:

    assert net.heard(a, to_b.udp(1000, 80)) == {"b"}
"""

import dataclasses
import itertools
import struct

import frames as f
from lab import manifest

OUTSIDE_MAC = "0a:58:cb:00:71:4d"   # not the one of the kernel there
OUTSIDE_IPS = ["203.0.113.77", "2001:db8:113::4d"]


@dataclasses.dataclass
class End:
    """Where frames go in and come out."""

    name: str
    mac: str
    ips: list
    wire: f.Wire
    port: str = None

    def ip(self, version):
        """The address of this IP version; "fe80" is the link-local one."""
        if version == "fe80":
            return f.link_local(self.mac)
        return next(ip for ip in self.ips if f.is_v6(ip) == (version == 6))


@dataclasses.dataclass(frozen=True)
class Way:
    """Frames from one end to another, with addresses as they should be."""

    src: End
    dst: End
    version: int = 4

    @property
    def back(self):
        return Way(self.dst, self.src, self.version)

    @property
    def ips(self):
        return self.src.ip(self.version), self.dst.ip(self.version)

    def frame(self, packet):
        return f.eth(self.dst.mac, self.src.mac, packet)

    def ip(self, segment, **kwargs):
        return self.frame(f.ip(*self.ips, segment, **kwargs))

    def udp(self, sport, dport, payload=b"", **kwargs):
        return self.ip(f.udp(*self.ips, sport, dport, payload), **kwargs)

    def tcp(self, sport, dport, flags="S", seq=0, ack=0, **kwargs):
        return self.ip(f.tcp(*self.ips, sport, dport, flags, seq, ack,
                             **kwargs))

    def sctp(self, sport, dport, chunks=None, tag=0):
        chunks = f.sctp_init() if chunks is None else chunks
        return self.ip(f.sctp(sport, dport, chunks, tag))

    def echo(self, ident=1, reply=False):
        return self.ip(f.echo(*self.ips, ident, reply=reply))

    def error(self, quoted, **kwargs):
        """An ICMP error about the packet in the frame `quoted`."""
        return self.ip(f.icmp_error(*self.ips, quoted[14:], **kwargs))

    def fragments(self, segment, size, ident, **kwargs):
        return [self.frame(packet) for packet in
                f.fragments(*self.ips, segment, size, ident, **kwargs)]


class Net:
    """The ends of a lab on which the daemon is at work."""

    def __init__(self, lab):
        self.lab = lab
        self.ends = {}
        self._marks = itertools.count(1)
        self._policies = ()

    def __enter__(self):
        settings = self.lab.settings
        self.add("outside", OUTSIDE_MAC, OUTSIDE_IPS, self.lab.outside_ns,
                 port="uplink")
        mac = self.lab.ovs.vsctl("get", "Interface", settings.bridge,
                                 "mac_in_use").strip('"')
        gateway = [cidr.split("/")[0] for cidr in settings.gateway]
        self.add("node", mac, gateway, self.lab.node_ns, settings.bridge,
                 port=settings.bridge)
        return self

    def __exit__(self, *_exc):
        for end in self.ends.values():
            end.wire.close()

    def add(self, name, mac, ips, namespace, interface="eth0", port=None):
        end = End(name, mac, ips, f.Wire(namespace, interface), port)
        self.ends[name] = end
        return end

    def pod(self, name, number, **kwargs):
        """A pod of namespace "shop" without a stack of its own."""
        pod = self.lab.add_pod("shop", name, [
            f"10.244.0.{number}", f"fd00:10:244::{number:x}"], raw=True,
            **kwargs)
        return self.add(name, pod.mac, pod.ips, pod.netns, port=pod.port)

    def pods(self, *names):
        """Pods of these names, and the daemon knows them."""
        ends = [self.pod(name, number)
                for number, name in enumerate(names, 10)]
        self.describe()
        return ends

    def describe(self):
        """Tell the daemon of all pods, as the API would."""
        manifest.write(self.lab.manifests, "pods.json", *(
            item for item in manifest.describe(self.lab)
            if item["kind"] != "Node"))
        self.wait()

    def wait(self):
        """Until the objects as they are now are in the datapath; quicker than
        to wait for the revalidators twice."""
        self.lab.appctl("netpol/wait", 30)
        self.lab.ovs.settle()

    def policies(self, *objects):
        """Let these be all the policies, and wait until they hold."""
        if objects != self._policies:
            manifest.write(self.lab.manifests, "policies.json", *objects)
            self.wait()
            self._policies = objects

    # Frames.

    def heard(self, sender, frame):
        """Names of the ends at which `frame` came out."""
        return set(self.catch(sender, frame)[0])

    def all_heard(self, sender, *frames):
        """The same of several frames, sent one after the other."""
        return [set(each) for each in self.catch(sender, *frames)]

    def catch(self, sender, *frames):
        """For each of `frames`: at which ends, by name, it came out as what.

        A frame is known again by a mark behind its end, where Ethernet has
        its padding.  That it came out nowhere is known once what was sent
        after it is everywhere: see f.passed() for why that is done twice.
        """
        marks = [struct.pack("!4sI", b"mark", next(self._marks))
                 for _ in frames]
        sender.wire.send(*(frame + mark
                           for frame, mark in zip(frames, marks)))
        got = self.wait_all(sender)
        return [{name: frame[:-len(mark)] for name in got
                 for frame in got[name] if frame.endswith(mark)}
                for mark in marks]

    def wait_all(self, sender):
        """Wait until everything sent so far is where it goes, and return
        what came out, by name of the end."""
        got = {name: [] for name in self.ends}
        for _ in range(2):
            self._fence(sender, got)
        if sender.name in got:
            got[sender.name] += sender.wire.drain()
        return got

    def _fence(self, sender, got):
        """Ask everybody for their MAC, which every policy allows."""
        for name, end in self.ends.items():
            if end is sender:
                continue
            mark = struct.pack("!4sI", b"wall", next(self._marks))
            sender.wire.send(
                f.arp_request(sender.mac, sender.ip(4), end.ip(4)) + mark)

            def collect(frame, mark=mark, name=name):
                got[name].append(frame)
                return frame.endswith(mark)

            if not end.wire.wait_for(collect):
                raise AssertionError(f"not even ARP got from {sender.name} "
                                     f"to {name}")

    # The switch.

    def connections(self, *words):
        """Entries of connection tracking that hold each of `words`."""
        dump = self.lab.ovs.appctl("ovs-vswitchd", "dpctl/dump-conntrack")
        return [line for line in dump.splitlines()
                if all(word in line for word in words)]

    def forget_connections(self):
        self.lab.ovs.appctl("ovs-vswitchd", "dpctl/flush-conntrack")


def app(name):
    """A selector of the pod of this name."""
    return {"podSelector": {"matchLabels": {"app": name}}}


def isolated(name, ingress=None, egress=None):
    """A policy for pod `name` of "shop"; a direction of None stays open."""
    spec = {**app(name), "policyTypes": []}
    for kind, rules in (("Ingress", ingress), ("Egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(kind)
            spec[kind.lower()] = rules
    return manifest.policy("shop", name, **spec)


def rule(peer_key, peers, *ports):
    """A rule; each of `ports` is (protocol, port)."""
    made = {peer_key: peers} if peers else {}
    if ports:
        made["ports"] = [{"protocol": protocol, "port": port}
                         for protocol, port in ports]
    return made


def allow_from(name, *ports):
    return rule("from", [app(name)], *ports)


def allow_to(name, *ports):
    return rule("to", [app(name)], *ports)

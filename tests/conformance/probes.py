"""First packets of very many connections, all in flight at once.

Of each question, "may SRC open a connection to DST?", one packet is sent that
no other is like.  Every end listens, so it is known of each packet at which
ends it came out.  That one came out nowhere is known when what was sent after
it has arrived, on each path; nothing waits for time to pass.
"""

import dataclasses
import itertools
import select
import struct

import frames as f
from net import Way

SERVICES = [("tcp", 80), ("tcp", 81), ("udp", 80), ("udp", 81),
            ("sctp", 80), ("sctp", 81), ("icmp", 0)]
NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}
FIRST_PORT, PORTS = 10000, 50000
WALL = struct.Struct("!4sI")
PATIENCE = 30                   # s; only a switch that hangs takes longer


@dataclasses.dataclass(frozen=True)
class Question:
    """May `src` send `dst` the first packet of a connection?"""

    src: str
    dst: str
    version: int
    protocol: str               # tcp, udp, sctp; icmp is an echo request
    port: int

    @property
    def number(self):
        """IANA's, of the protocol."""
        if self.protocol == "icmp":
            return f.ICMP if self.version == 4 else f.ICMPV6
        return NUMBERS[self.protocol]

    def __str__(self):
        service = self.protocol + (f"/{self.port}" if self.port else "")
        return f"{self.src} -> {self.dst} {service} v{self.version}"

    # Very many of them are looked up in dicts.
    def __hash__(self):
        return hash((self.src, self.dst, self.version, self.protocol,
                     self.port))


class Template:
    """The frame of a question, but for its source port (an echo's ident) and
    the 32 bits by which it is known: TCP's sequence number, SCTP's initiate
    tag, or the payload."""

    # Offsets in the transport header: port, mark, checksum.
    PLACES = {"tcp": (0, 4, 16), "udp": (0, 8, 6), "icmp": (4, 8, 2),
              "sctp": (0, 16, 8)}

    def __init__(self, way, protocol, port):
        made = {"tcp": lambda: way.tcp(0, port),
                "udp": lambda: way.udp(0, port, bytes(4)),
                "icmp": lambda: way.ip(f.echo(*way.ips, 0, payload=bytes(4))),
                "sctp": lambda: way.sctp(0, port)}[protocol]()
        self._frame = bytearray(made)
        self._sctp = protocol == "sctp"
        self._start = 14 + (20 if way.version == 4 else 40)
        self._port, self._mark, self._sum = (
            self._start + place for place in self.PLACES[protocol])

    def frame(self, port, mark):
        """The frame with this port and mark; its checksum is corrected, not
        made again (RFC 1624), because there are so many."""
        frame = self._frame
        struct.pack_into("!H", frame, self._port, port)
        struct.pack_into("!I", frame, self._mark, mark)
        if self._sctp:
            struct.pack_into("<I", frame, self._sum, 0)
            struct.pack_into("<I", frame, self._sum,
                             f.crc32c(frame[self._start:]))
            return bytes(frame)
        done = bytearray(frame)
        before, = struct.unpack_from("!H", frame, self._sum)
        total = (~before & 0xffff) + port + (mark >> 16) + (mark & 0xffff)
        total = (total & 0xffff) + (total >> 16)
        total = (total & 0xffff) + (total >> 16)
        struct.pack_into("!H", done, self._sum, ~total & 0xffff or 0xffff)
        return bytes(done)


@dataclasses.dataclass
class Catch:
    """What came out where."""

    seen: dict                  # question: how often it came where it should
    astray: list                # sentences about what came elsewhere


class Prober:
    """Asks questions of a cluster's ends."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.sent = 0           # packets
        self._templates = {}
        self._fences = {}
        self._marks = itertools.count(1)
        self._walls = itertools.count(1)
        self._ports = itertools.count()
        self._before = {}       # packets of the round before

    def questions(self, services):
        """All that can be asked: of each two ends of which one is a local
        pod, over each IP version."""
        ends, local = self.cluster.ends, self.cluster.pods
        return [Question(src, dst, version, *service)
                for src in ends for dst in ends
                if src in local or dst in local
                for version in (4, 6) for service in services]

    def ask(self, questions):
        """Send the first packet of each, and see what becomes of it.  The
        source port is new; it is returned as well."""
        port = FIRST_PORT + next(self._ports) % PORTS
        return port, self.send({q: self._template(q).frame(
            port, next(self._marks)) for q in questions})

    def answer(self, questions, port):
        """Let the other end answer each of `questions`, asked from `port`."""
        return self.send({q: self._answer(q, port) for q in questions},
                         back=True)

    def send(self, frames, back=False):
        """Send a frame for each question, `back` or forth, and catch it."""
        ends = self.cluster.ends
        sent = {}
        for q, frame in frames.items():
            ends[q.dst if back else q.src].wire.send(frame)
            sent[frame[14:]] = (q, ends[q.src if back else q.dst])
        self.sent += len(frames)
        caught = self.fence()
        catch = self._judge(sent, caught)
        self._before = sent
        return catch

    def _template(self, q):
        src, dst = self.cluster.ends[q.src], self.cluster.ends[q.dst]
        key = (q, src.mac, dst.mac, src.ip(4), dst.ip(4))
        if key not in self._templates:
            self._templates[key] = Template(Way(src, dst, q.version),
                                            q.protocol, q.port)
        return self._templates[key]

    def _answer(self, q, port):
        way = Way(self.cluster.ends[q.src], self.cluster.ends[q.dst],
                  q.version).back
        mark = next(self._marks)
        if q.protocol == "tcp":
            return way.tcp(q.port, port, "SA", seq=mark, ack=mark)
        payload = struct.pack("!I", mark)
        if q.protocol == "udp":
            return way.udp(q.port, port, payload)
        return way.ip(f.echo(*way.ips, port, payload=payload, reply=True))

    # Walls.

    def _wires(self):
        """The ends that have a wire of their own."""
        return {name: end for name, end in self.cluster.ends.items()
                if name in self.cluster.pods or "/" not in name}

    def fence(self, patience=PATIENCE):
        """Everything that came out until now, by name of the end.

        Everybody asks everybody for the MAC, which no policy forbids.  Twice,
        because within a batch of frames the switch may overtake, but it ends
        one before it begins the next.
        """
        got = {name: [] for name in self._wires()}
        for _ in range(2):
            missing = {name: set() for name in got}
            for (src, dst), frame in self._fence_frames():
                mark = WALL.pack(b"wall", next(self._walls))
                missing[dst].add(mark)
                self.cluster.ends[src].wire.send(frame + mark)
            self._collect(got, missing, patience)
        for name, frames in got.items():
            frames += self.cluster.ends[name].wire.drain()
        return got

    def _fence_frames(self):
        wires = self._wires()
        for src, dst in itertools.permutations(wires, 2):
            key = (src, wires[src].mac, wires[src].ip(4), wires[dst].ip(4))
            if key not in self._fences:
                self._fences[key] = f.arp_request(*key[1:])
            yield (src, dst), self._fences[key]

    def _collect(self, got, missing, patience):
        """Gather frames until none of the marks is `missing`, with no pause
        longer than `patience`."""
        poll, names = select.poll(), {}
        for name in got:
            wire = self.cluster.ends[name].wire.socket
            names[wire.fileno()] = name
            poll.register(wire, select.POLLIN)
        left = sum(map(len, missing.values()))
        while left:
            ready = poll.poll(1000 * patience)
            if not ready:
                raise AssertionError("not even ARP gets through: " + ", ".join(
                    f"{len(marks)} missing at {name}"
                    for name, marks in missing.items() if marks))
            for fd, _ in ready:
                name = names[fd]
                for frame in self.cluster.ends[name].wire.drain():
                    got[name].append(frame)
                    if frame[-8:] in missing[name]:
                        missing[name].discard(frame[-8:])
                        left -= 1

    # Judgement.

    def _judge(self, sent, caught):
        seen, astray = {}, []
        for name, frames in caught.items():
            end = self.cluster.ends[name]
            for frame in frames:
                q, dst = sent.get(frame[14:], (None, None))
                if q is None:
                    astray += self._stray(end, frame)
                elif dst.wire is end.wire and frame[:6] == f.mac_bytes(
                        dst.mac):
                    seen[q] = seen.get(q, 0) + 1
                else:
                    astray.append(f"{q} came out at {name}: {frame.hex()}")
        astray += [f"{q} came out {n} times" for q, n in seen.items() if n > 1]
        return Catch(seen, astray)

    def _stray(self, end, frame):
        """What is wrong about a frame that was not sent just now.

        The node has a kernel, which answers; and ARP and group addresses are
        the link's own.  A pod hears nothing else.
        """
        q, _ = self._before.get(frame[14:], (None, None))
        if q is not None:
            yield f"{q} came late, at {end.name}"
        elif (end.name in self.cluster.pods and not frame[0] & 1
              and frame[12:14] != b"\x08\x06"
              and (frame[:6] != f.mac_bytes(end.mac) or frame[6:12]
                   != f.mac_bytes(self.cluster.ends["node"].mac))):
            yield f"{end.name} heard what nobody sent: {frame.hex()}"

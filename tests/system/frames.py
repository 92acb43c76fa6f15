"""Frames made by hand, sent and caught below any kernel's protocol stack.

Each builder returns bytes, and takes the layer above it as bytes:

    eth(dst_mac, src_mac, ip(a, b, tcp(a, b, 1000, 80, flags="S")))

Addresses are text.  Checksums are right unless a `checksum` says otherwise.
Field layouts are those of RFC 791, 8200, 9293, 768, 9260, 792, 4443, 4861
and 826.
"""

import ipaddress
import select
import socket
import struct
import time

from lab import netns

IPV4, ARP, VLAN, IPV6 = 0x0800, 0x0806, 0x8100, 0x86dd
ICMP, TCP, UDP, FRAGMENT, ICMPV6, SCTP = 1, 6, 17, 44, 58, 132
BROADCAST = "ff:ff:ff:ff:ff:ff"

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
TP_STATUS_VLAN_VALID = 1 << 4
TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64,
             "C": 128}


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def ip_bytes(ip):
    return ipaddress.ip_address(ip).packed


def is_v6(ip):
    return ":" in ip


def internet_checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC32C = _crc32c_table()


def crc32c(data):
    """RFC 9260, appendix A."""
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ _CRC32C[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def _pseudo_header(src, dst, protocol, length):
    addresses = ip_bytes(src) + ip_bytes(dst)
    if is_v6(src):
        return addresses + struct.pack("!IHBB", length, 0, 0, protocol)
    return addresses + struct.pack("!BBH", 0, protocol, length)


def _sealed(src, dst, protocol, segment, at, checksum):
    """`segment` with its checksum, at offset `at`, filled in."""
    if checksum is None:
        checksum = internet_checksum(
            _pseudo_header(src, dst, protocol, len(segment)) + segment)
        if protocol == UDP and not checksum:
            checksum = 0xffff   # 0 means "none" there
    return segment[:at] + struct.pack("!H", checksum) + segment[at + 2:]


# Link layer.

def eth(dst, src, payload, ethertype=None, vlan=None):
    """A frame; the Ethernet type is read off an IP payload.  `vlan` is a tag,
    or a list of them, outermost first."""
    if ethertype is None:
        ethertype = {4: IPV4, 6: IPV6}[payload[0] >> 4]
    tags = [vlan] if isinstance(vlan, int) else (vlan or [])
    header = mac_bytes(dst) + mac_bytes(src)
    header += b"".join(struct.pack("!HH", VLAN, tag) for tag in tags)
    return header + struct.pack("!H", ethertype) + payload


def arp(op, sender_mac, sender_ip, target_mac, target_ip):
    """An ARP packet: `op` 1 asks, 2 answers."""
    return (struct.pack("!HHBBH", 1, IPV4, 6, 4, op)
            + mac_bytes(sender_mac) + ip_bytes(sender_ip)
            + mac_bytes(target_mac) + ip_bytes(target_ip))


def arp_request(mac, ip, wanted, dst=BROADCAST):
    return eth(dst, mac, arp(1, mac, ip, "00:00:00:00:00:00", wanted), ARP)


# Internet layer.

def ip(src, dst, payload, protocol=None, **kwargs):
    """A packet of the IP version of its addresses.  `payload` may be what a
    builder of this file returned for a known protocol: then that is read off
    it (a Segment), else `protocol` must be given."""
    if protocol is None:
        protocol = payload.protocol
    return (ipv6 if is_v6(src) else ipv4)(src, dst, protocol, payload,
                                          **kwargs)


def ipv4(src, dst, protocol, payload, ttl=64, ident=0, flags=0, offset=0,
         options=b"", tos=0, checksum=None):
    """`flags`: 1 more fragments, 2 don't fragment; `offset` in bytes;
    `options` a multiple of 4 bytes."""
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH", 0x40 | words, tos,
                         words * 4 + len(payload), ident,
                         flags << 13 | offset // 8, ttl, protocol, 0)
    header += ip_bytes(src) + ip_bytes(dst) + options
    if checksum is None:
        checksum = internet_checksum(header)
    return header[:10] + struct.pack("!H", checksum) + header[12:] + payload


def ipv6(src, dst, next_header, payload, hop_limit=64, traffic_class=0):
    return (struct.pack("!IHBB", 6 << 28 | traffic_class << 20, len(payload),
                        next_header, hop_limit)
            + ip_bytes(src) + ip_bytes(dst) + payload)


def fragment_header(next_header, offset, more, ident):
    """IPv6's; `offset` in bytes."""
    return struct.pack("!BBHI", next_header, 0, offset & ~7 | bool(more),
                       ident)


def fragments(src, dst, segment, size, ident=1, protocol=None):
    """The packets in which `segment` travels, `size` (a multiple of 8) bytes
    in each."""
    protocol = segment.protocol if protocol is None else protocol
    packets = []
    for at in range(0, len(segment), size):
        piece, more = segment[at:at + size], at + size < len(segment)
        if is_v6(src):
            header = fragment_header(protocol, at, more, ident)
            packets.append(ipv6(src, dst, FRAGMENT, header + piece))
        else:
            packets.append(ipv4(src, dst, protocol, piece, ident=ident,
                                flags=int(more), offset=at))
    return packets


# Transport layer.

class Segment(bytes):
    """Bytes that know which IP protocol they are."""

    protocol = None

    @classmethod
    def of(cls, protocol, data):
        segment = cls(data)
        segment.protocol = protocol
        return segment


def tcp(src, dst, sport, dport, flags="S", seq=0, ack=0, payload=b"",
        window=65535, options=b"", checksum=None):
    """`flags`: letters of FSRPAUEC."""
    bits = sum(TCP_FLAGS[letter] for letter in flags)
    header = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff,
                         ack & 0xffffffff, (5 + len(options) // 4) << 4, bits,
                         window, 0, 0) + options
    return Segment.of(TCP, _sealed(src, dst, TCP, header + payload, 16,
                                   checksum))


def udp(src, dst, sport, dport, payload=b"", checksum=None):
    header = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    return Segment.of(UDP, _sealed(src, dst, UDP, header + payload, 6,
                                   checksum))


def sctp(sport, dport, chunks, tag=0, checksum=None):
    """`chunks` as from sctp_chunk(); SCTP has no pseudo header."""
    body = struct.pack("!HHII", sport, dport, tag, 0) + chunks
    if checksum is None:
        checksum = crc32c(body)
    return Segment.of(SCTP, body[:8] + struct.pack("<I", checksum) + body[12:])


def sctp_chunk(kind, value=b"", flags=0):
    """`kind`: 0 DATA, 1 INIT, 2 INIT ACK, 6 ABORT, 10 COOKIE ECHO, ..."""
    return (struct.pack("!BBH", kind, flags, 4 + len(value)) + value
            + bytes(-len(value) % 4))


def sctp_init(tag=1, marker=b""):
    """The chunk that opens an association: RFC 9260, 3.3.2.  `marker` rides
    in a parameter that receivers skip (its high bits say so)."""
    value = struct.pack("!IIHHI", tag, 65535, 1, 1, tag)
    if marker:
        value += struct.pack("!HH", 0x8001, 4 + len(marker)) + marker
    return sctp_chunk(1, value)


# Control messages.

def icmp(kind, code, rest=bytes(4), payload=b"", checksum=None):
    """`rest`: the header's second word."""
    message = struct.pack("!BBH", kind, code, 0) + rest + payload
    if checksum is None:
        checksum = internet_checksum(message)
    return Segment.of(ICMP, message[:2] + struct.pack("!H", checksum)
                      + message[4:])


def icmpv6(src, dst, kind, code, rest=bytes(4), payload=b"", checksum=None):
    message = struct.pack("!BBH", kind, code, 0) + rest + payload
    return Segment.of(ICMPV6, _sealed(src, dst, ICMPV6, message, 2, checksum))


def echo(src, dst, ident=1, seq=1, payload=b"", reply=False):
    """An echo request, or the reply to one, of the addresses' version."""
    rest = struct.pack("!HH", ident, seq)
    if is_v6(src):
        return icmpv6(src, dst, 129 if reply else 128, 0, rest, payload)
    return icmp(0 if reply else 8, 0, rest, payload)


def icmp_error(src, dst, quoted, kind=None, code=None, rest=bytes(4)):
    """An error about the packet `quoted`; "port unreachable" by default."""
    if is_v6(src):
        kind, code = (1, 4) if kind is None else (kind, code or 0)
        return icmpv6(src, dst, kind, code, rest, quoted[:1232])
    kind, code = (3, 3) if kind is None else (kind, code or 0)
    return icmp(kind, code, rest, quoted[:548])


# Neighbour discovery: always hop limit 255.

def link_local(mac):
    """The address that a host with this MAC gives itself (RFC 4291, A)."""
    raw = bytearray(mac_bytes(mac))
    raw[0] ^= 2
    return str(ipaddress.ip_address(
        b"\xfe\x80" + bytes(6) + raw[:3] + b"\xff\xfe" + raw[3:]))


def solicited_node(target):
    return str(ipaddress.ip_address(
        ip_bytes("ff02::1:ff00:0")[:13] + ip_bytes(target)[13:]))


def multicast_mac(group):
    return "33:33:" + ":".join(f"{b:02x}" for b in ip_bytes(group)[12:])


def _option(kind, mac):
    return struct.pack("!BB", kind, 1) + mac_bytes(mac) if mac else b""


def neighbour_solicitation(src, target, mac=None, dst=None):
    """The packet that asks for `target`; without `mac` it has no option, as
    duplicate address detection's has none."""
    dst = dst or solicited_node(target)
    message = icmpv6(src, dst, 135, 0, bytes(4),
                     ip_bytes(target) + _option(1, mac))
    return ip(src, dst, message, hop_limit=255)


def neighbour_advertisement(src, dst, target, mac=None, flags=0x60000000):
    """`flags`: the word with the router, solicited and override bits."""
    message = icmpv6(src, dst, 136, 0, struct.pack("!I", flags),
                     ip_bytes(target) + _option(2, mac))
    return ip(src, dst, message, hop_limit=255)


def router_advertisement(src, dst="ff02::1", mac=None, lifetime=1800):
    rest = struct.pack("!BBH", 64, 0, lifetime)
    message = icmpv6(src, dst, 134, 0, rest, bytes(8) + _option(1, mac))
    return ip(src, dst, message, hop_limit=255)


def router_solicitation(src, dst="ff02::2", mac=None):
    message = icmpv6(src, dst, 133, 0, bytes(4), _option(1, mac))
    return ip(src, dst, message, hop_limit=255)


def redirect(src, dst, target, destination, mac=None):
    message = icmpv6(src, dst, 137, 0, bytes(4), ip_bytes(target)
                     + ip_bytes(destination) + _option(2, mac))
    return ip(src, dst, message, hop_limit=255)


# On the wire.

class Wire:
    """A raw socket on an interface in a namespace.

    It hears every frame that comes out of the interface's cable from the
    moment it exists, and none that this side sends.
    """

    def __init__(self, namespace, interface="eth0"):
        with netns.inside(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setblocking(False)
        self.socket.bind((interface, ETH_P_ALL))

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *frames):
        for frame in frames:
            self.socket.send(frame)

    def receive(self, patience=0.0):
        """The next frame, or None when `patience` seconds brought none."""
        if not select.select([self.socket], [], [], patience)[0]:
            return None
        frame, extra, _flags, _peer = self.socket.recvmsg(65536, 256)
        return _with_tag(frame, extra)

    def drain(self):
        """Every frame that is there already."""
        frames = []
        while (frame := self.receive()) is not None:
            frames.append(frame)
        return frames

    def wait_for(self, wanted, patience=5.0):
        """The first frame that holds `wanted` (bytes), or for which it is
        true (a function); None when none came in time."""
        test = wanted if callable(wanted) else lambda frame: wanted in frame
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            frame = self.receive(left)
            if frame is not None and test(frame):
                return frame
        return None


def _with_tag(frame, extra):
    """The kernel takes a VLAN tag out of the frame: put it back."""
    for level, kind, data in extra:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _len, _snap, _mac, _net, tci, tpid = struct.unpack(
                "=IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                tag = struct.pack("!HH", tpid or VLAN, tci)
                return frame[:12] + tag + frame[12:]
    return frame


def passed(sender, receiver, frame, marker, fence):
    """Whether `frame`, which holds `marker`, goes from `sender` to
    `receiver`, both Wires.

    A frame that was dropped would have to be waited for without end.  So
    `fence`, a frame that surely passes and holds no `marker`, follows it, and
    when that is there, once more: within one batch of frames the switch may
    overtake, but it ends a batch before it begins the next.
    """
    token = frame_token(fence)
    seen = []

    def arrived(got):
        if marker in got:
            seen.append(got)
        return token in got

    sender.send(frame)
    for _ in range(2):
        sender.send(fence)
        if receiver.wait_for(arrived) is None:
            raise AssertionError("the fence did not get through")
    return bool(seen)


def frame_token(frame):
    """The part of a frame that no switch changes: what is behind its MACs
    and, at an IP packet, its hop count and checksum."""
    return frame[-16:]

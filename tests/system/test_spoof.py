"""Senders are who they say they are: nothing false leaves a pod's port, and
nobody outside speaks as this node or one of its pods."""

import ipaddress
import struct

import pytest

import frames as f
from net import OUTSIDE_MAC, Net, Way

ALL = {"b", "c", "outside", "node"}
NOBODY_MAC = "0a:58:de:ad:00:01"
LLDP, EXPERIMENT, MPLS, PPPOE, PROVIDER_TAG = (0x88cc, 0x88b5, 0x8847, 0x8863,
                                               0x88a8)


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


@pytest.fixture(name="a")
def fixture_a(net):
    return net.ends["a"]


@pytest.fixture(name="b")
def fixture_b(net):
    return net.ends["b"]


def nd(src_mac, packet, dst_mac="33:33:00:00:00:01"):
    return f.eth(dst_mac, src_mac, packet)


@pytest.mark.parametrize("version", [4, 6, "fe80"])
def test_own_addresses(net, a, b, version):
    assert net.heard(a, Way(a, b, version).udp(1000, 80)) == {"b"}
    if version != "fe80":
        outside = net.ends["outside"]
        assert "outside" in net.heard(a, Way(a, outside, version).udp(1, 80))


@pytest.mark.parametrize("source", [
    "10.244.0.12", "10.244.0.1", "192.0.2.1", "203.0.113.77", "10.244.0.99",
    "0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1",
    "fd00:10:244::c", "fd00:10:244::1", "2001:db8:2::1", "2001:db8:113::4d",
    "::", "::1", "fe80::1", "ff02::1"])
def test_foreign_ip(net, a, b, source):
    version = 6 if f.is_v6(source) else 4
    for target in (b, net.ends["outside"]):
        way = Way(a, target, version)
        lie = way.frame(f.ip(source, way.ips[1],
                             f.udp(source, way.ips[1], 1000, 80)))
        honest = way.udp(1000, 80)
        assert [bool(s) for s in net.all_heard(a, lie, honest)] == [
            False, True]


@pytest.mark.parametrize("version", [4, 6, "fe80"])
@pytest.mark.parametrize("mac", ["c", "node", "nobody", "group"])
def test_foreign_mac(net, a, b, version, mac):
    macs = {"nobody": NOBODY_MAC, "group": "01:00:5e:00:00:01"}
    mac = macs.get(mac) or net.ends[mac].mac
    way = Way(a, b, version)
    lie = way.udp(1000, 80)
    lie = lie[:6] + f.mac_bytes(mac) + lie[12:]
    assert net.all_heard(a, lie, way.udp(1000, 80)) == [set(), {"b"}]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_no_destination(net, a, address):
    """Not even at the node's MAC, whose kernel might serve it."""
    way = Way(a, net.ends["node"], 6 if f.is_v6(address) else 4)
    inside = way.frame(f.ip(way.ips[0], address,
                            f.udp(way.ips[0], address, 1000, 80)))
    assert [bool(s) for s in net.all_heard(a, inside, way.udp(1000, 80))] == [
        False, True]


def test_link_local_of_another_mac(net, a, b):
    """fe80:: goes with the MAC, not with whoever claims it."""
    c = net.ends["c"]
    lie = f.ip(c.ip("fe80"), b.ip("fe80"), f.udp(c.ip("fe80"), b.ip("fe80"),
                                                 1000, 80))
    assert net.all_heard(a, f.eth(b.mac, a.mac, lie),
                         f.eth(b.mac, c.mac, lie)) == [set(), set()]
    assert net.heard(c, f.eth(b.mac, c.mac, lie)) == {"b"}


def test_arp(net, a, b):
    """Neither in a question nor in an answer anything but the own pair."""
    other, asked = net.ends["c"], b.ip(4)
    lies = []
    for op in (1, 2):
        for mac, ip in [(a.mac, other.ip(4)), (a.mac, "10.244.0.1"),
                        (a.mac, "203.0.113.77"), (a.mac, "0.0.0.0"),
                        (NOBODY_MAC, a.ip(4)), (other.mac, other.ip(4))]:
            lies.append(f.eth(f.BROADCAST, a.mac, f.arp(
                op, mac, ip, b.mac, asked), f.ARP))
        lies.append(f.eth(f.BROADCAST, NOBODY_MAC, f.arp(
            op, a.mac, a.ip(4), b.mac, asked), f.ARP))
    assert net.all_heard(a, *lies) == [set()] * len(lies)
    honest = [f.eth(b.mac, a.mac, f.arp(op, a.mac, a.ip(4), b.mac, asked),
                    f.ARP) for op in (1, 2)]
    assert net.all_heard(a, *honest) == [{"b"}] * 2


def test_arp_announces_only_oneself(net, a):
    def announce(op, ip):
        return f.eth(f.BROADCAST, a.mac, f.arp(op, a.mac, ip, f.BROADCAST,
                                               ip), f.ARP)

    for op in (1, 2):
        theirs, mine = net.all_heard(a, announce(op, "10.244.0.1"),
                                     announce(op, a.ip(4)))
        assert theirs == set() and "outside" in mine


def test_arp_probe(net, a, b):
    """Is this address free? One may ask so for one's own alone."""
    def probe(mac, wanted, op=1):
        return f.eth(f.BROADCAST, a.mac, f.arp(op, mac, "0.0.0.0",
                                               "00:00:00:00:00:00", wanted),
                     f.ARP)

    mine, *lies = net.all_heard(
        a, probe(a.mac, a.ip(4)), probe(a.mac, b.ip(4)),
        probe(a.mac, "10.244.0.1"), probe(NOBODY_MAC, a.ip(4)),
        probe(a.mac, a.ip(4), op=2))
    assert "outside" in mine and lies == [set()] * 4


def test_arp_of_another_kind(net, a, b):
    """What does not parse as ARP for IPv4 over Ethernet has no sender."""
    good = f.arp(1, a.mac, a.ip(4), b.mac, b.ip(4))
    lies = [good[:at] + byte + good[at + 1:]
            for at, byte in ((1, b"\6"), (2, b"\x86"), (4, b"\7"),
                             (5, b"\x10"), (7, b"\3"))]
    *heard, control = net.all_heard(a, *(
        f.eth(f.BROADCAST, a.mac, packet, f.ARP)
        for packet in [*lies, good[:16], good]))
    # An unheard-of operation has a sender all the same, who tells the truth.
    assert heard == [set()] * 4 + [{"b"}, set()] and control == {"b"}


def test_solicitation(net, a, b):
    def ask(src, target, mac, src_mac=a.mac):
        return nd(src_mac, f.neighbour_solicitation(src, target, mac))

    own, fe80, target = a.ip(6), a.ip("fe80"), b.ip(6)
    good = [ask(own, target, a.mac), ask(fe80, target, a.mac),
            ask(own, target, None), ask(own, b.ip("fe80"), a.mac)]
    assert net.all_heard(a, *good) == [{"b"}] * 4
    lies = [ask(net.ends["c"].ip(6), target, a.mac),
            ask("fd00:10:244::1", target, a.mac),
            ask("fe80::1", target, a.mac),
            ask(own, target, NOBODY_MAC),
            ask(own, target, net.ends["node"].mac),
            ask(own, target, a.mac, NOBODY_MAC)]
    assert net.all_heard(a, *lies) == [set()] * 6


def test_duplicate_address_detection(net, a, b):
    def ask(target, mac=None):
        return nd(a.mac, f.neighbour_solicitation("::", target, mac))

    mine, fe80, *lies = net.all_heard(
        a, ask(a.ip(6)), ask(a.ip("fe80")), ask(b.ip(6)), ask("fe80::1"),
        ask("fd00:10:244::1"), ask(a.ip(6), a.mac), ask(a.ip(6), NOBODY_MAC))
    assert "outside" in mine and "outside" in fe80
    assert lies == [set()] * 5


def test_advertisement(net, a, b):
    def tell(target, mac, src=a.ip(6), src_mac=a.mac, dst=b.ip(6)):
        return nd(src_mac, f.neighbour_advertisement(src, dst, target, mac))

    own, fe80 = a.ip(6), a.ip("fe80")
    good = [tell(own, a.mac), tell(fe80, a.mac), tell(own, None),
            tell(own, a.mac, src=fe80), tell(own, a.mac, dst=b.ip("fe80"))]
    assert net.all_heard(a, *good) == [{"b"}] * 5
    lies = [tell(net.ends["c"].ip(6), a.mac), tell("fd00:10:244::1", a.mac),
            tell("2001:db8:2::1", a.mac), tell("fe80::1", a.mac),
            tell(own, NOBODY_MAC), tell(own, net.ends["c"].mac),
            tell(own, a.mac, src=net.ends["c"].ip(6)),
            tell(own, a.mac, src="::"), tell(own, a.mac, src_mac=NOBODY_MAC)]
    assert net.all_heard(a, *lies) == [set()] * 9
    everybody = [tell(own, a.mac, dst="ff02::1"),
                 tell("fd00:10:244::1", a.mac, dst="ff02::1")]
    mine, theirs = net.all_heard(a, *everybody)
    assert "outside" in mine and theirs == set()


def test_advertisement_with_two_answers(net, a, b):
    """The first option tells the truth, the second is what is believed."""
    own = a.ip(6)
    for options in ([a.mac, NOBODY_MAC], [NOBODY_MAC, a.mac]):
        body = f.ip_bytes(own) + b"".join(
            b"\2\1" + f.mac_bytes(mac) for mac in options)
        lie = f.ip(own, b.ip(6), f.icmpv6(own, b.ip(6), 136, 0,
                                          b"\x60\0\0\0", body), hop_limit=255)
        honest = f.neighbour_advertisement(own, b.ip(6), own, a.mac)
        assert net.all_heard(a, nd(a.mac, lie), nd(a.mac, honest)) == [
            set(), {"b"}]


def behind_options(packet, chain=1, size=8):
    """The same IPv6 packet with `chain` extension headers of `size` bytes
    before its payload (destination options, RFC 8200, 4.6)."""
    last, options = packet[6], b""
    for at in range(chain):
        options += bytes([60 if at < chain - 1 else last, size // 8 - 1])
        options += bytes(size - 2)      # all of it Pad1
    return (packet[:4] + struct.pack("!HB", len(packet) - 40 + len(options),
                                     60)
            + packet[7:40] + options + packet[40:])


def in_fragments(packet, at):
    """The same IPv6 packet in two fragments, the first of `at` bytes."""
    src, dst = packet[8:24], packet[24:40]
    return [f.ipv6(ipaddress.ip_address(src), ipaddress.ip_address(dst),
                   f.FRAGMENT, f.fragment_header(packet[6], offset, more, 77)
                   + packet[40:][offset:offset + size], hop_limit=255)
            for offset, size, more in ((0, at, True), (at, 9999, False))]


def test_router_is_no_pod(net, a, b):
    src, dst = a.ip("fe80"), b.ip("fe80")
    redirect = f.redirect(src, dst, src, "2001:db8:113::4d", a.mac)
    for packet in (f.router_advertisement(src, "ff02::1", a.mac),
                   f.router_advertisement(src, dst, a.mac),
                   f.router_advertisement(a.ip(6), b.ip(6)), redirect):
        for frame in (nd(a.mac, packet), nd(a.mac, packet, b.mac),
                      nd(a.mac, behind_options(packet), b.mac),
                      nd(a.mac, behind_options(packet, 3), b.mac)):
            assert net.heard(a, frame) == set()
    asks = f.router_solicitation(src, mac=a.mac)
    assert "outside" in net.heard(a, nd(a.mac, asks))


@pytest.mark.parametrize("dst", ["ff02::1", "b"])
@pytest.mark.parametrize("at", [8, 1240, 1248])
def test_router_in_fragments_is_no_pod(net, a, b, dst, at):
    """RFC 6980: the type hides in the second fragment.  With 1240 bytes
    the first is not refused for being too short."""
    src, dst = a.ip("fe80"), b.ip("fe80") if dst == "b" else dst
    size = 1240 if at > 8 else 8
    for packet in (f.router_advertisement(src, dst, a.mac),
                   f.redirect(src, dst, src, "2001:db8:113::4d", a.mac)):
        pieces = [nd(a.mac, piece, b.mac) for piece in in_fragments(
            behind_options(packet, size=size), at)]
        assert net.all_heard(a, *pieces) == [set()] * 2
        assert net.all_heard(a, *reversed(pieces)) == [set()] * 2
    way = Way(a, b, "fe80")
    whole = way.fragments(f.udp(*way.ips, 1, 9, bytes(1300)), 1240, 78)
    assert net.all_heard(a, *whole) == [{"b"}] * 2


def test_redirect_of_icmp(net, a, b):
    """Also one about a connection that there is."""
    asked = Way(b, a).udp(5000, 80)
    assert net.heard(b, asked) == {"a"}
    answer, lie, error = net.all_heard(
        a, Way(a, b).udp(80, 5000),
        Way(a, b).error(asked, kind=5, code=1,
                        rest=f.ip_bytes("10.244.0.12")),
        Way(a, b).error(asked))
    assert (answer, lie, error) == ({"b"}, set(), {"b"})


@pytest.mark.parametrize("sender", ["a", "outside", "node"])
@pytest.mark.parametrize("tag", [0, 1, 100, 0x6000, [1, 2], [0, 0]])
def test_vlan(net, b, sender, tag):
    way = Way(net.ends[sender], b)
    frame = way.udp(1000, 80)
    packets = [(frame[14:], None), (f.neighbour_solicitation(
        way.src.ip(6), b.ip(6), way.src.mac), None), (f.arp(
            1, way.src.mac, way.src.ip(4), b.mac, b.ip(4)), f.ARP)]
    for packet, ethertype in packets:
        for target in (b.mac, f.BROADCAST):
            assert net.all_heard(way.src, f.eth(
                target, way.src.mac, packet, ethertype, tag)) == [set()]
        assert net.heard(way.src, f.eth(b.mac, way.src.mac, packet,
                                        ethertype)) == {"b"}


@pytest.mark.parametrize("sender", ["a", "outside", "node"])
@pytest.mark.parametrize("ethertype", [
    LLDP, EXPERIMENT, MPLS, PPPOE, PROVIDER_TAG, 0x8100, 0x0026, 0xffff])
def test_ethertype(net, b, sender, ethertype):
    """Only IPv4, IPv6 and ARP; 0x26 is a length, as LLC has it."""
    way = Way(net.ends[sender], b)
    inner = b"\0\1\x08\0" + way.udp(1000, 80)[14:]
    frames = [f.eth(mac, way.src.mac, inner, ethertype) for mac in (
        b.mac, f.BROADCAST, NOBODY_MAC, "01:80:c2:00:00:0e",
        "01:80:c2:00:00:00")]
    *heard, control = net.all_heard(way.src, *frames, way.udp(1000, 80))
    assert heard == [set()] * 5 and control == {"b"}


@pytest.mark.parametrize("version", [4, 6, "fe80"])
@pytest.mark.parametrize("who", ["a", "b"])
def test_outside_is_no_pod(net, b, version, who):
    outside = net.ends["outside"]
    src, dst = net.ends[who].ip(version), b.ip(version)
    for mac in (OUTSIDE_MAC, net.ends[who].mac):
        lie = f.eth(b.mac, mac, f.ip(src, dst, f.udp(src, dst, 1, 80)))
        assert net.heard(outside, lie) == set()
    if version != "fe80":
        assert net.heard(outside, Way(outside, b, version).udp(1, 80)) == {
            "b"}


@pytest.mark.parametrize("src", ["10.244.0.1", "192.0.2.1", "fd00:10:244::1",
                                 "2001:db8:2::1"])
def test_outside_is_not_the_node(net, b, src):
    outside, node = net.ends["outside"], net.ends["node"]
    version = 6 if f.is_v6(src) else 4
    for target in (b, node):
        dst = target.ip(version)
        lie = f.eth(target.mac, OUTSIDE_MAC,
                    f.ip(src, dst, f.udp(src, dst, 1, 80)))
        lied, honest = net.all_heard(
            outside, lie, Way(outside, target, version).udp(1, 80))
        assert lied == set() and target.name in honest


def test_outside_answers_for_itself(net, a, b):
    """ARP and ND from outside, for our addresses and for its own."""
    outside = net.ends["outside"]
    lies = []
    for ip in (b.ip(4), "10.244.0.1", "192.0.2.1"):
        for op in (1, 2):
            for target in (a.mac, f.BROADCAST):
                lies.append(f.eth(target, OUTSIDE_MAC, f.arp(
                    op, OUTSIDE_MAC, ip, a.mac, a.ip(4)), f.ARP))
    for ip in (b.ip(6), b.ip("fe80"), "fd00:10:244::1", "2001:db8:2::1"):
        for dst in ("ff02::1", a.ip(6), a.ip("fe80")):
            lies.append(nd(OUTSIDE_MAC, f.neighbour_advertisement(
                outside.ip(6), dst, ip, OUTSIDE_MAC)))
        lies.append(nd(OUTSIDE_MAC, f.neighbour_solicitation(
            ip, a.ip(6), OUTSIDE_MAC)))
    assert net.all_heard(outside, *lies) == [set()] * len(lies)
    honest = [f.eth(a.mac, OUTSIDE_MAC, f.arp(
                  2, OUTSIDE_MAC, outside.ip(4), a.mac, a.ip(4)), f.ARP),
              nd(OUTSIDE_MAC, f.neighbour_advertisement(
                  outside.ip(6), a.ip(6), outside.ip(6), OUTSIDE_MAC)),
              nd(OUTSIDE_MAC, f.neighbour_solicitation(
                  outside.ip(6), a.ip(6), OUTSIDE_MAC))]
    assert net.all_heard(outside, *honest) == [{"a"}] * 3

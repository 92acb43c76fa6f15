"""Fragments: a datagram arrives whole, or nothing of it does.

Only the first fragment has ports.  The userspace datapath waits in front of
connection tracking until a datagram is complete, so most of these tests are
about what happens to fragments that wait, and about what it does with them
when it is at odds with itself.
"""

import contextlib
import os
import pathlib
import signal
import time

import pytest

import frames as f
from net import Net, Way, allow_from, isolated

# The switch takes shorter fragments for invalid, the last ones aside; this is
# the payload, a multiple of 8.
SIZE = 1272
WAITS = 15.0        # seconds, for the rest of a datagram: lib/ipf.c
BATCH = 32          # frames that the switch reads at once


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    """b admits a on UDP 80 and TCP 80."""
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        net.policies(isolated("b", ingress=[
            allow_from("a", ("UDP", 80), ("TCP", 80))]))
        yield net


@pytest.fixture(params=[4, 6], name="way")
def fixture_way(net, request):
    """From a to b, between whom no connection is."""
    net.forget_connections()
    return Way(net.ends["a"], net.ends["b"], request.param)


# What waits in the switch cannot be made to go, so each datagram has another.
IDENTS = iter(range(1, 1 << 16))


def datagram(way, dport, pieces=3, sport=1000, ident=None):
    """A UDP datagram in so many fragments."""
    payload = b"payload!" * ((SIZE * pieces - 400) // 8)
    return way.fragments(f.udp(*way.ips, sport, dport, payload), SIZE,
                         ident or next(IDENTS))


@pytest.mark.parametrize("pieces", [2, 3, 5])
def test_allowed(net, way, pieces):
    frames = datagram(way, 80, pieces)
    assert len(frames) == pieces
    heard = net.catch(way.src, *frames)
    assert heard == [{"b": frame} for frame in frames]
    # Now it is a connection, and the next datagram is one of it.
    assert net.all_heard(way.src, *datagram(way, 80, pieces)) == [
        {"b"}] * pieces


@pytest.mark.parametrize("pieces", [2, 3, 5])
def test_denied(net, way, pieces):
    """With or without a connection on another port."""
    for _ in range(2):
        assert net.all_heard(way.src, *datagram(way, 22, pieces)) == [
            set()] * pieces
        assert net.all_heard(way.src, *datagram(way, 80, pieces)) == [
            {"b"}] * pieces


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (2, 0, 1),
                                   (0, 2, 1), (1, 2, 0)])
def test_out_of_order(net, way, order):
    for dport, expected in ((22, set()), (80, {"b"})):
        frames = datagram(way, dport)
        assert net.all_heard(way.src, *(frames[at] for at in order)) == [
            expected] * 3


def test_answer_in_fragments(net, way):
    """A reply is a reply by its first fragment."""
    a, back = way.src, way.back
    net.policies(isolated("a", ingress=[]), isolated("b", ingress=[
        allow_from("a", ("UDP", 80), ("TCP", 80))]))
    try:
        assert net.all_heard(way.dst, *datagram(back, 1000, sport=80)) == [
            set()] * 3
        net.forget_connections()
        assert net.heard(a, way.udp(1000, 80)) == {"b"}
        assert net.all_heard(way.dst, *datagram(back, 1000, sport=80)) == [
            {"a"}] * 3
        assert net.all_heard(way.dst, *datagram(back, 1001, sport=80)) == [
            set()] * 3
    finally:
        net.policies(isolated("b", ingress=[
            allow_from("a", ("UDP", 80), ("TCP", 80))]))


def test_from_outside(net, way):
    way = Way(net.ends["outside"], net.ends["b"], way.version)
    assert net.all_heard(way.src, *datagram(way, 80)) == [set()] * 3
    way = Way(net.ends["outside"], net.ends["c"], way.version)
    assert net.all_heard(way.src, *datagram(way, 80)) == [{"c"}] * 3


def test_to_outside(net, way):
    way = Way(net.ends["a"], net.ends["outside"], way.version)
    for heard in net.all_heard(way.src, *datagram(way, 80)):
        assert "outside" in heard


def test_tcp(net, way):
    def syn(dport):
        segment = f.tcp(*way.ips, 1000, dport, payload=bytes(SIZE))
        return way.fragments(segment, SIZE, next(IDENTS))

    assert net.all_heard(way.src, *syn(22), *syn(80)) == [
        set(), set(), {"b"}, {"b"}]


def test_one_alone(net, way):
    """A first or a later one that no other follows."""
    for dport in (22, 80):
        for at in range(3):
            assert net.heard(way.src, datagram(way, dport)[at]) == set()
    assert net.all_heard(way.src, *datagram(way, 80)) == [{"b"}] * 3


def test_later_ones_of_a_denied_first(net, way):
    """Again and again, they wait for a first one that gets through: there is
    one, but it is another datagram's."""
    ident = next(IDENTS)
    denied = datagram(way, 22, ident=ident)
    assert net.all_heard(way.src, *denied) == [set()] * 3
    assert net.all_heard(way.src, *denied[1:]) == [set()] * 2
    assert net.all_heard(way.src, *datagram(way, 80)) == [{"b"}] * 3
    # The first fragment of an allowed one takes them along, but those are
    # port 80's then: nobody hears of port 22.
    allowed = datagram(way, 80, ident=ident)
    heard = net.catch(way.src, *allowed, *denied)
    assert not [got for got in heard if denied[0] in got.values()]


@pytest.mark.parametrize("shift", [-8, 8, 64])
def test_overlap(net, way, shift):
    """A later fragment that writes over the first one's ports, or near."""
    payload = bytes(SIZE)
    at = shift if shift > 0 else SIZE + shift
    for swap in (False, True):
        ident = next(IDENTS)
        first, last = datagram(way, 80, 2, ident=ident)
        if way.version == 4:
            over = f.ipv4(*way.ips, f.UDP, payload, ident=ident, flags=1,
                          offset=at)
        else:
            over = f.ipv6(*way.ips, f.FRAGMENT, f.fragment_header(
                f.UDP, at, True, ident) + payload)
        over = way.frame(over)
        frames = [over, first, last] if swap else [first, over, last]
        heard = net.catch(way.src, *frames)
        assert not [got for got in heard if over in got.values()]
    assert net.all_heard(way.src, *datagram(way, 80, 2)) == [{"b"}] * 2


def test_two_firsts(net, way):
    """Whichever comes first, the denied one is not heard."""
    for swap in (False, True):
        ident = next(IDENTS)
        good, bad = (datagram(way, dport, 2, ident=ident)
                     for dport in (80, 22))
        firsts = [bad[0], good[0]] if swap else [good[0], bad[0]]
        heard = net.catch(way.src, *firsts, good[1])
        assert not [got for got in heard if bad[0] in got.values()]
        assert net.all_heard(way.src, *datagram(way, 80)) == [{"b"}] * 3


def test_first_without_ports(net, way):
    """So short that no port is in it: RFC 1858."""
    for protocol, segment in ((f.UDP, f.udp(*way.ips, 1000, 80, bytes(16))),
                              (f.TCP, f.tcp(*way.ips, 1000, 80))):
        for size in (8, 16):
            frames = way.fragments(segment, size, next(IDENTS),
                                   protocol=protocol)
            assert net.all_heard(way.src, *frames) == [set()] * len(frames)
    assert net.all_heard(way.src, *datagram(way, 80)) == [{"b"}] * 3


def test_atomic_fragment(net):
    """An IPv6 fragment header without fragments: RFC 6946."""
    way = Way(net.ends["a"], net.ends["b"], 6)
    for dport, expected in ((22, set()), (80, {"b"})):
        packet = f.ipv6(*way.ips, f.FRAGMENT, f.fragment_header(
            f.UDP, 0, False, next(IDENTS)) + f.udp(*way.ips, 1000, dport))
        assert net.heard(way.src, way.frame(packet)) == expected


@contextlib.contextmanager
def held(net):
    """What is sent meanwhile, the switch reads at once."""
    pidfile = pathlib.Path(net.lab.ovs.rundir, "ovs-vswitchd.pid")
    pid = int(pidfile.read_text(encoding="ascii"))
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("dport", [80, 22])
@pytest.mark.parametrize("kind", ["first", "later"])
def test_more_than_a_batch(net, way, dport, kind):
    """Two datagrams are complete at once, and more than fits into a batch:
    the switch lets the second out with whatever comes to a ct() next."""
    large = datagram(way, dport, BATCH + 2, ident=next(IDENTS))
    small = datagram(way, 22, 2, sport=1001, ident=next(IDENTS))
    with held(net):
        way.src.wire.send(*large[:BATCH], small[0], *large[BATCH:], small[1])
    # Something that is committed, too, for those that still wait.
    for sport in range(2000, 2004):
        way.src.wire.send(way.udp(sport, 80))
    seen = net.wait_all(way.src)
    assert not [name for name in seen for frame in seen[name]
                if frame in (small[0] if kind == "first" else small[1:])]
    assert len([frame for frame in seen["b"] if b"payload!" not in frame
                and frame.startswith(f.mac_bytes(way.dst.mac))
                and frame[12:14] != b"\x08\x06"]) >= 4


def waiting(net):
    """How many fragments wait in the switch."""
    status = net.lab.ovs.appctl("ovs-vswitchd", "dpctl/ipf-get-status")
    return int(status.split("num frag:")[1].split()[0])


def test_waited_in_vain(net):
    """After their time the switch lets incomplete ones out, with whatever
    comes to a ct() just then."""
    ways = [Way(net.ends["a"], net.ends["b"], version) for version in (4, 6)]
    wild = []
    for way in ways:
        for _ in range(4):
            wild += datagram(way, 22)[::2]      # the middle one is missing
            wild += datagram(way, 22)[1:]       # the first
            wild += datagram(way, 22)           # none
    ways[0].src.wire.send(*wild)
    net.wait_all(ways[0].src)
    assert waiting(net) >= 32
    time.sleep(WAITS + 0.2)
    good = [way.udp(sport, 80) for sport in range(3000, 3400)
            for way in ways]
    while waiting(net):
        some, good = good[:8], good[8:]
        seen = {name: [] for name in net.ends}
        for frame in some:
            ways[0].src.wire.send(frame)
            for name, frames in net.wait_all(ways[0].src).items():
                seen[name] += frames
        assert [frame for frame in seen["b"] if frame in some] == some
        assert not [name for name in seen for frame in seen[name]
                    if frame in wild]

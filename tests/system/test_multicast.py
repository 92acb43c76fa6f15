"""Multicast and broadcast reach pods that are open for ingress, and no others:
policies name no groups, so it would be a way past them."""

import pytest

import frames as f
from net import Net, Way, isolated

GROUPS = ["224.0.0.1", "224.0.0.251", "239.1.2.3", "255.255.255.255",
          "ff02::1", "ff02::fb", "ff05::1:3", "ff0e::77", "ff01::1"]
OPEN, FAR = {"a", "c", "out-only"}, {"outside", "node"}


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    """b is isolated both ways, in-only and out-only each the way that its name
    leaves out."""
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c", "in-only", "out-only")
        yield net


def policies(net, *more):
    """in-only may not be reached, out-only may not reach anybody."""
    net.policies(isolated("b", ingress=[], egress=[]),
                 isolated("in-only", ingress=[]),
                 isolated("out-only", egress=[]), *more)


def to_group(src, group, mac=None):
    own = src.ip(6 if f.is_v6(group) else 4)
    if mac is None:
        mac = (f.multicast_mac(group) if f.is_v6(group) else f.BROADCAST
               if group == "255.255.255.255" else "01:00:5e:" + ":".join(
                   f"{byte:02x}" for byte in
                   (f.ip_bytes(group)[1] & 127, *f.ip_bytes(group)[2:])))
    return f.eth(mac, src.mac, f.ip(own, group, f.udp(own, group, 5353,
                                                      5353)))


@pytest.fixture(scope="module", name="judged")
def fixture_judged(net):
    policies(net)
    return net


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("who", ["a", "in-only", "outside", "node"])
def test_open_pods_hear(judged, who, group):
    src = judged.ends[who]
    assert judged.heard(src, to_group(src, group)) == (OPEN | FAR) - {who}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("who", ["b", "out-only"])
def test_without_egress_nobody_hears(judged, who, group):
    src, a = judged.ends[who], judged.ends["a"]
    assert judged.heard(src, to_group(src, group)) == set()
    assert judged.heard(a, to_group(a, group)) == (OPEN | FAR) - {"a"}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("who", ["a", "outside", "node"])
def test_victims_mac(judged, who, group):
    """Unicast by its MAC: only the list counts."""
    src = judged.ends[who]
    for name in ("b", "in-only"):
        heard = judged.heard(src, to_group(src, group,
                                           judged.ends[name].mac))
        assert heard == OPEN - {who}


def test_link_local_sender(judged):
    a = judged.ends["a"]
    for group in ("ff02::1", "ff0e::77"):
        own = a.ip("fe80")
        frame = f.eth(f.multicast_mac(group), a.mac, f.ip(
            own, group, f.udp(own, group, 1, 2)))
        assert judged.heard(a, frame) == (OPEN | FAR) - {"a"}


def test_echo_to_all(judged):
    """A ping of everybody, and an open pod's answer to it: that is nobody's
    reply, for it comes from another address than was asked."""
    b, a = judged.ends["in-only"], judged.ends["a"]
    own = b.ip("fe80")
    ping = f.eth(f.multicast_mac("ff02::1"), b.mac, f.ip(
        own, "ff02::1", f.echo(own, "ff02::1", 77)))
    assert judged.heard(b, ping) == OPEN | FAR
    assert judged.heard(a, Way(a, b, "fe80").echo(77, reply=True)) == set()


def test_list_follows_policies(net):
    """A pod that is isolated now, and open again."""
    a = net.ends["a"]
    for more, expected in (((), OPEN), ((isolated("c", ingress=[]),),
                                        OPEN - {"c"}), ((), OPEN)):
        policies(net, *more)
        for group in GROUPS:
            assert net.heard(a, to_group(a, group)) == (
                expected | FAR) - {"a"}


def test_group_as_a_peer(net):
    """An ipBlock may let a pod send to a group; who hears is the same."""
    src = net.ends["out-only"]
    blocks = [{"to": [{"ipBlock": {"cidr": cidr}}],
               "ports": [{"protocol": "UDP", "port": 5353}]}
              for cidr in ("224.0.0.251/32", "ff02::fb/128")]
    net.policies(isolated("b", ingress=[]), isolated("in-only", ingress=[]),
                 isolated("out-only", egress=blocks))
    for group in ("224.0.0.251", "ff02::fb"):
        assert net.heard(src, to_group(src, group)) == {"a", "c"} | FAR
    for group in ("224.0.0.1", "ff02::1"):
        assert net.heard(src, to_group(src, group)) == set()

"""Link-local addresses are a pod's own, like all its others: no way around
what policies say of it."""

import pytest

import frames as f
from net import OUTSIDE_MAC, Net, Way, allow_from, allow_to, isolated


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


def mixed(src, dst, versions, dport=80):
    """A frame whose addresses are of two kinds."""
    src_ip, dst_ip = src.ip(versions[0]), dst.ip(versions[1])
    return f.eth(dst.mac, src.mac, f.ip(src_ip, dst_ip, f.udp(
        src_ip, dst_ip, 1000, dport)))


KINDS = [("fe80", "fe80"), ("fe80", 6), (6, "fe80")]


@pytest.mark.parametrize("kinds", KINDS)
def test_ingress(net, kinds):
    b = net.ends["b"]
    net.policies(isolated("b", ingress=[]))
    for who in ("a", "outside"):
        assert net.heard(net.ends[who], mixed(net.ends[who], b,
                                              kinds)) == set()
    a = net.ends["a"]
    assert net.heard(a, mixed(a, net.ends["c"], kinds)) == {"c"}
    net.policies(isolated("b", ingress=[allow_from("a", ("UDP", 80))]))
    assert net.all_heard(a, mixed(a, b, kinds), mixed(a, b, kinds, 81)) == [
        {"b"}, set()]
    c = net.ends["c"]
    assert net.heard(c, mixed(c, b, kinds)) == set()


@pytest.mark.parametrize("kinds", KINDS)
def test_egress(net, kinds):
    a, b, c = (net.ends[name] for name in "abc")
    net.policies(isolated("a", egress=[]))
    for who in ("b", "outside", "node"):
        assert net.heard(a, mixed(a, net.ends[who], kinds)) == set()
    net.policies(isolated("a", egress=[allow_to("b", ("UDP", 80))]))
    assert net.all_heard(a, mixed(a, b, kinds), mixed(a, b, kinds, 81),
                         mixed(a, c, kinds)) == [{"b"}, set(), set()]


def test_link_local_blocks(net):
    """An ipBlock of all link-local addresses contains pods' too."""
    a, b = net.ends["a"], net.ends["b"]
    net.policies(isolated("b", ingress=[{"from": [
        {"ipBlock": {"cidr": "fe80::/10"}}]}]))
    assert net.heard(a, mixed(a, b, ("fe80", "fe80"))) == {"b"}
    assert net.heard(a, Way(a, b, 6).udp(1000, 80)) == set()
    assert net.heard(a, Way(a, b, 4).udp(1000, 80)) == set()


def test_made_up_link_local(net):
    """Only the one that goes with the MAC is a pod's, both as a sender and as
    whom one gets to."""
    a, b = net.ends["a"], net.ends["b"]
    net.policies(isolated("b", ingress=[]))
    for ip in ("fe80::1", "fe80::b", "fe80:0:0:1:858:aff:fef4:b",
               "febf::858:aff:fef4:b"):
        lie = f.ip(ip, a.ip("fe80"), f.udp(ip, a.ip("fe80"), 1, 2))
        assert net.heard(b, f.eth(a.mac, b.mac, lie)) == set()
        stray = f.ip(a.ip("fe80"), ip, f.udp(a.ip("fe80"), ip, 1, 2))
        assert net.heard(a, f.eth(b.mac, a.mac, stray)) == set()
        outside = net.ends["outside"]
        stray = f.ip(outside.ip("fe80"), ip, f.udp(outside.ip("fe80"), ip, 1,
                                                   2))
        assert net.heard(outside, f.eth(b.mac, OUTSIDE_MAC, stray)) == set()
    assert net.heard(b, Way(b, a, "fe80").udp(1, 2)) == {"a"}


def test_ipv4_link_local(net):
    """169.254.0.0/16 is no pod's address unless its port says so."""
    a, b = net.ends["a"], net.ends["b"]
    net.policies()
    lie = f.ip("169.254.3.4", b.ip(4), f.udp("169.254.3.4", b.ip(4), 1, 2))
    stray = f.ip(a.ip(4), "169.254.3.4", f.udp(a.ip(4), "169.254.3.4", 1, 2))
    assert net.all_heard(a, f.eth(b.mac, a.mac, lie), f.eth(
        b.mac, a.mac, stray), Way(a, b).udp(1, 2)) == [set(), set(), {"b"}]

"""ARP and ND: they reach whom they ask for, are asked no policy, and therefore
cannot be a way for anything else."""

import pytest

import frames as f
from net import OUTSIDE_MAC, Net, Way, isolated

PODS = {"a", "b", "c"}
GATEWAY4, GATEWAY6 = "10.244.0.1", "fd00:10:244::1"


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    """b may speak with nobody and nobody with it."""
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        net.policies(isolated("b", ingress=[], egress=[]))
        yield net


@pytest.fixture(name="b")
def fixture_b(net):
    return net.ends["b"]


def test_policy_is_in_force(net, b):
    """Or the rest of this file proves nothing."""
    a = net.ends["a"]
    for version in (4, 6):
        assert net.heard(a, Way(a, b, version).udp(1, 2)) == set()
        assert net.heard(b, Way(b, a, version).udp(1, 2)) == set()


@pytest.mark.parametrize("who", ["a", "outside", "node"])
def test_question_gets_to_whom_it_asks(net, b, who):
    src = net.ends[who]
    for mac in (f.BROADCAST, b.mac, net.ends["c"].mac):
        for op in (1, 2):
            packet = f.arp(op, src.mac, src.ip(4), b.mac, b.ip(4))
            assert net.heard(src, f.eth(mac, src.mac, packet, f.ARP)) == {
                "b"}
    for target in (b.ip(6), b.ip("fe80")):
        for dst in (f.solicited_node(target), target, "ff02::1"):
            packet = f.neighbour_solicitation(src.ip(6), target, src.mac, dst)
            assert net.heard(src, f.eth(f.multicast_mac(dst), src.mac,
                                        packet)) == {"b"}


@pytest.mark.parametrize("who", ["a", "outside", "node"])
def test_answer_gets_to_whom_it_answers(net, b, who):
    src = net.ends[who]
    for dst in (b.ip(6), b.ip("fe80")):
        packet = f.neighbour_advertisement(src.ip(6), dst, src.ip(6), src.mac)
        assert net.heard(src, f.eth(b.mac, src.mac, packet)) == {"b"}


def test_unknown_address_is_asked_outside(net, b):
    """Not of other pods, which do not have it."""
    for ip in ("10.244.7.7", GATEWAY4, "203.0.113.77"):
        assert net.heard(b, f.arp_request(b.mac, b.ip(4), ip)) == {
            "outside", "node"}
    for ip in ("fd00:10:244::7:7", GATEWAY6, "2001:db8:113::4d"):
        packet = f.neighbour_solicitation(b.ip(6), ip, b.mac)
        assert net.heard(b, f.eth(f.multicast_mac(f.solicited_node(ip)),
                                  b.mac, packet)) == {"outside", "node"}


@pytest.mark.parametrize("ip", [GATEWAY4, "203.0.113.10"])
def test_pod_learns_by_arp(net, b, ip):
    """It is a kernel that answers."""
    b.wire.drain()
    b.wire.send(f.arp_request(b.mac, b.ip(4), ip))
    answer = b"\0\2"
    assert b.wire.wait_for(lambda frame: frame[20:22] == answer
                           and frame[28:32] == f.ip_bytes(ip))


@pytest.mark.parametrize("ip", [GATEWAY6, "2001:db8:113::10"])
def test_pod_learns_by_nd(net, b, ip):
    b.wire.drain()
    for src in (b.ip(6), b.ip("fe80")):
        packet = f.neighbour_solicitation(src, ip, b.mac)
        b.wire.send(f.eth(f.multicast_mac(f.solicited_node(ip)), b.mac,
                          packet))
        assert b.wire.wait_for(lambda frame: frame[54:55] == b"\x88"
                               and frame[62:78] == f.ip_bytes(ip))


def announcement(op, mac, ip):
    return f.eth(f.BROADCAST, mac, f.arp(op, mac, ip, f.BROADCAST, ip), f.ARP)


def to_all_nodes(mac, packet):
    return f.eth(f.multicast_mac("ff02::1"), mac, packet)


def test_news_of_the_node(net):
    """All hear that the gateway moved to another MAC."""
    node = net.ends["node"]
    for frame in (
            announcement(1, node.mac, GATEWAY4),
            announcement(2, node.mac, GATEWAY4),
            announcement(2, node.mac, "192.0.2.1"),
            to_all_nodes(node.mac, f.neighbour_advertisement(
                node.ip(6), "ff02::1", GATEWAY6, node.mac)),
            to_all_nodes(node.mac, f.router_advertisement(
                node.ip("fe80"), "ff02::1", node.mac))):
        assert net.heard(node, frame) == PODS | {"outside"}


def test_news_from_outside(net):
    outside = net.ends["outside"]
    for frame in (
            announcement(2, OUTSIDE_MAC, outside.ip(4)),
            to_all_nodes(OUTSIDE_MAC, f.neighbour_advertisement(
                outside.ip(6), "ff02::1", outside.ip(6), OUTSIDE_MAC)),
            to_all_nodes(OUTSIDE_MAC, f.router_advertisement(
                outside.ip("fe80"), "ff02::1", OUTSIDE_MAC))):
        assert net.heard(outside, frame) == PODS | {"node"}


def test_news_of_a_pod_are_for_those_out_there(net, b):
    for frame in (
            announcement(1, b.mac, b.ip(4)), announcement(2, b.mac, b.ip(4)),
            to_all_nodes(b.mac, f.neighbour_advertisement(
                b.ip(6), "ff02::1", b.ip(6), b.mac))):
        assert net.heard(b, frame) == {"outside", "node"}


def test_multicast_listener(net, b):
    """MLD and router solicitations: from an isolated pod too."""
    src = b.ip("fe80")
    for kind in (131, 132, 143):
        report = f.icmpv6(src, "ff02::16", kind, 0, b"\0\0\0\1",
                          b"\4\0\0\0" + f.ip_bytes("ff0e::77"))
        frame = f.eth(f.multicast_mac("ff02::16"), b.mac, f.ip(
            src, "ff02::16", report, hop_limit=1))
        assert net.heard(b, frame) == {"outside", "node"}
    ask = f.router_solicitation(src, mac=b.mac)
    assert net.heard(b, f.eth(f.multicast_mac("ff02::2"), b.mac, ask)) == {
        "outside", "node"}


def link_messages(src, dst, target, hop_limit):
    """Every kind that passes without policy, with something to smuggle."""
    for kind in (130, 131, 132, 133, 134, 135, 136, 137, 143):
        for code in (0, 1):
            body = f.ip_bytes(target) + b"secrets!" * 8
            if kind == 137:
                body = f.ip_bytes(target) + body
            yield kind, code, f.ip(src, dst, f.icmpv6(
                src, dst, kind, code, bytes(4), body), hop_limit=hop_limit)


@pytest.mark.parametrize("hop_limit", [1, 64, 254])
def test_nothing_rides_on_it_out(net, b, hop_limit):
    """A pod without egress sends beyond its link."""
    outside = net.ends["outside"]
    for target in (b.ip(6), outside.ip(6)):
        frames = [f.eth(outside.mac, b.mac, packet) for _, _, packet in
                  link_messages(b.ip(6), outside.ip(6), target, hop_limit)]
        assert net.all_heard(b, *frames) == [set()] * len(frames)
    ask = f.neighbour_solicitation(b.ip(6), outside.ip(6), b.mac,
                                   outside.ip(6))
    assert "outside" in net.heard(b, f.eth(outside.mac, b.mac, ask))


@pytest.mark.parametrize("hop_limit", [1, 64, 254])
@pytest.mark.parametrize("who", ["outside", "node"])
def test_nothing_rides_on_it_in(net, b, who, hop_limit):
    """Somebody who is far away sends to an isolated pod."""
    src = net.ends[who]
    for dst in (b.ip(6), b.ip("fe80")):
        for target in (b.ip(6), src.ip(6)):
            frames = [f.eth(b.mac, src.mac, packet) for _, _, packet in
                      link_messages(src.ip(6), dst, target, hop_limit)]
            assert net.all_heard(src, *frames) == [set()] * len(frames)
    frames = [f.eth(b.mac, src.mac, packet) for kind, code, packet in
              link_messages(src.ip(6), b.ip(6), b.ip(6), 255)
              if kind == 135 and not code]
    assert net.all_heard(src, *frames) == [{"b"}]


def test_never_through_conntrack(net):
    """After all of the above, and some more."""
    net.forget_connections()
    test_pod_learns_by_nd(net, net.ends["b"], GATEWAY6)
    test_pod_learns_by_arp(net, net.ends["b"], GATEWAY4)
    test_question_gets_to_whom_it_asks(net, net.ends["b"], "a")
    assert not net.connections("zone=64000")
    flows = net.lab.ovs.appctl("ovs-vswitchd", "dpctl/dump-flows")
    link = [line for line in flows.splitlines() if "eth_type(0x0806)" in line
            or "icmpv6(type=135" in line or "icmpv6(type=136" in line]
    assert link and not [line for line in link if "ct(" in line]

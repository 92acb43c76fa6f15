"""A frame goes where its IP address says that was judged, whatever its MAC
says, and what is for no pod gets to none."""

import pytest

import frames as f
from net import Net, Way, allow_from, isolated

UNKNOWN_MAC = "0a:58:5e:00:00:02"
PODS = {"a", "b", "c"}


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    """b admits a on UDP 80; a and c are open."""
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        net.policies(isolated("b", ingress=[allow_from("a", ("UDP", 80))]))
        # The switch has seen everybody's MAC.
        for end in net.ends.values():
            for other in net.ends.values():
                for version in (4, 6):
                    if end is not other:
                        end.wire.send(Way(end, other, version).udp(7, 7))
        yield net


@pytest.fixture(name="b")
def fixture_b(net):
    return net.ends["b"]


def to(way, mac, sport=1000, dport=80):
    """The frame that `way` would send, with another destination MAC."""
    return f.eth(mac, way.src.mac, way.udp(sport, dport)[14:])


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("who", ["a", "c", "outside", "node"])
def test_victims_mac(net, b, who, version):
    """Addressed to somebody whom no policy protects, sent to the victim."""
    src = net.ends[who]
    for name in ("outside", "node"):
        if name != who:
            way = Way(src, net.ends[name], version)
            assert net.all_heard(src, to(way, b.mac), to(
                way, way.dst.mac)) in ([set(), {name}],
                                       [set(), {"outside", "node"}])
    nobody = {4: "10.244.9.9", 6: "fd00:10:244::9:9"}[version]
    packet = f.ip(src.ip(version), nobody, f.udp(src.ip(version), nobody, 1,
                                                 80))
    for mac in (b.mac, net.ends["a"].mac, net.ends["c"].mac):
        assert net.heard(src, f.eth(mac, src.mac, packet)) == set()


@pytest.mark.parametrize("version", [4, 6, "fe80"])
@pytest.mark.parametrize("who", ["a", "outside", "node"])
def test_wrong_mac_right_address(net, b, who, version):
    """It gets to the owner of the address, with the owner's MAC."""
    c = net.ends["c"]
    way = Way(net.ends[who], c, version)
    for mac in (b.mac, UNKNOWN_MAC, f.BROADCAST, "33:33:00:00:00:01",
                net.ends["outside"].mac, net.ends["node"].mac, c.mac):
        heard = net.catch(way.src, to(way, mac))[0]
        assert heard == {"c": to(way, c.mac)}


@pytest.mark.parametrize("version", [4, 6, "fe80"])
def test_right_address_is_judged(net, b, version):
    """No MAC is a way around the policy of the address."""
    a, c = net.ends["a"], net.ends["c"]
    for mac in (b.mac, UNKNOWN_MAC, f.BROADCAST, c.mac, a.mac,
                "01:00:5e:00:00:01"):
        way = Way(a, b, version)
        assert net.all_heard(a, to(way, mac, dport=81), to(way, mac)) == [
            set(), {"b"}]
        for who in ("c", "outside"):
            way = Way(net.ends[who], b, version)
            assert net.heard(way.src, to(way, mac)) == set()


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("who", ["a", "outside", "node"])
def test_unlearned_unicast_is_not_for_pods(net, who, version):
    src = net.ends[who]
    nobody = {4: "198.51.100.9", 6: "2001:db8:9::9"}[version]
    packet = f.ip(src.ip(version), nobody, f.udp(src.ip(version), nobody, 1,
                                                 80))
    for mac in (UNKNOWN_MAC, f.BROADCAST, "01:00:5e:00:00:01"):
        assert net.heard(src, f.eth(mac, src.mac, packet)) == {
            "outside", "node"} - {who}


@pytest.mark.parametrize("who", ["a", "outside", "node"])
def test_broadcast_of_the_subnet(net, who):
    """The last address of the pods' network is no pod."""
    src = net.ends[who]
    for ip in ("10.244.255.255", "10.244.0.255", "10.244.0.0"):
        packet = f.ip(src.ip(4), ip, f.udp(src.ip(4), ip, 1, 80))
        assert net.heard(src, f.eth(f.BROADCAST, src.mac, packet)) == {
            "outside", "node"} - {who}


@pytest.mark.parametrize("version", [4, 6])
def test_what_is_on_its_way_through(net, version):
    """Between the node and the outside it is not ours to judge."""
    node, outside = net.ends["node"], net.ends["outside"]
    net.forget_connections()
    for way in (Way(node, outside, version), Way(outside, node, version)):
        assert net.heard(way.src, way.tcp(1000, 80, "A")) == {way.dst.name}
    assert not net.connections("zone=64000", "dport=80")


@pytest.mark.parametrize("version", [4, 6])
def test_pod_reaches_whom_it_speaks_to_alone(net, version):
    """Once its MAC is learned, others do not hear it."""
    a = net.ends["a"]
    for name in ("outside", "node", "c"):
        way = Way(a, net.ends[name], version)
        net.heard(way.dst, way.back.udp(9, 9))
        assert net.heard(a, way.udp(9, 9)) == {name}

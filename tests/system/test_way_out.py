"""--forward=PORT: one port leads out, and no frame is flooded."""

import pytest

import frames as f
from lab import manifest
from net import Net, Way, isolated

UNKNOWN_MAC = "0a:58:5e:00:00:03"


@pytest.fixture(scope="module", name="net")
def fixture_net(make_lab, build_dir):
    lab = make_lab()
    manifest.write(lab.manifests, "node.json", manifest.node(lab.settings))
    lab.start_daemon(build_dir, "--forward=uplink")
    with Net(lab) as net:
        net.pods("a", "b", "c")
        net.policies(isolated("b", ingress=[]))
        yield net


@pytest.mark.parametrize("version", [4, 6])
def test_unicast(net, version):
    """To whom it is for, learned or not."""
    a, outside, node = (net.ends[name] for name in ("a", "outside", "node"))
    for src in (a, outside, node):
        for dst in (a, outside, node):
            if src is not dst:
                assert net.heard(src, Way(src, dst, version).udp(1, 2)) == {
                    dst.name}
    assert net.heard(a, Way(a, net.ends["b"], version).udp(1, 2)) == set()
    assert net.heard(outside, Way(outside, net.ends["b"], version).udp(
        1, 2)) == set()


@pytest.mark.parametrize("version", [4, 6])
def test_unknown_mac(net, version):
    """Leads out for what comes from inside, to the node for all else."""
    ip = {4: "198.51.100.9", 6: "2001:db8:9::9"}[version]
    for name, expected in (("a", {"outside"}), ("node", {"outside"}),
                           ("outside", {"node"})):
        src = net.ends[name]
        packet = f.ip(src.ip(version), ip, f.udp(src.ip(version), ip, 1, 2))
        assert net.heard(src, f.eth(UNKNOWN_MAC, src.mac, packet)) == expected


@pytest.mark.parametrize("name", ["a", "outside", "node"])
def test_group(net, name):
    """To both the node and the outside, and to open pods."""
    src = net.ends[name]
    assert net.heard(src, f.arp_request(src.mac, src.ip(4), "10.244.9.9")) \
        == {"outside", "node"} - {name}
    for group in ("224.0.0.251", "ff02::fb", "255.255.255.255"):
        own = src.ip(6 if f.is_v6(group) else 4)
        frame = f.eth(f.BROADCAST, src.mac, f.ip(own, group, f.udp(
            own, group, 1, 2)))
        assert net.heard(src, frame) == {"a", "c", "outside",
                                         "node"} - {name}


def test_victims_mac(net):
    b = net.ends["b"]
    for name in ("a", "outside", "node"):
        src = net.ends[name]
        packet = f.ip(src.ip(4), "198.51.100.9", f.udp(
            src.ip(4), "198.51.100.9", 1, 2))
        assert net.heard(src, f.eth(b.mac, src.mac, packet)) == set()


def test_pod_learns_its_gateway(net):
    """A kernel answers, by the way out's table."""
    b = net.ends["b"]
    for ip in ("10.244.0.1", "203.0.113.10"):
        b.wire.drain()
        b.wire.send(f.arp_request(b.mac, b.ip(4), ip))
        assert b.wire.wait_for(lambda frame, ip=ip: frame[20:22] == b"\0\2"
                               and frame[28:32] == f.ip_bytes(ip))

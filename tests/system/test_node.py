"""A pod and its node, and a pod and itself."""

import pytest

import frames as f
from lab import REACHED, ask, manifest
from net import Net, Way, allow_to, isolated, rule

NODE_IPS = ["10.244.0.1", "192.0.2.1", "fd00:10:244::1", "2001:db8:2::1"]


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    """Everything in "shop" is isolated; kubelet's pod has a real stack."""
    lab = daemon_lab
    with Net(lab) as net:
        lab.add_pod("shop", "probed", ["10.244.0.50", "fd00:10:244::50"],
                    ports={"tcp": [8080], "udp": [8081]})
        net.pods("a", "b")
        yield net


@pytest.fixture(name="denied")
def fixture_denied(net):
    net.policies(manifest.policy("shop", "default-deny",
                                 policyTypes=["Ingress", "Egress"]))
    net.forget_connections()
    return net


@pytest.mark.parametrize("source", NODE_IPS)
def test_kubelet_probes(denied, source):
    """Real connections from each of the node's addresses, against which the
    pod has no rule, and out of which it has none."""
    lab = denied.lab
    target = lab.host("probed")
    probes = [probe.__class__(**{**vars(probe), "source_ip": source})
              for probe in lab.probes(lab.host("node"), target,
                                      6 if f.is_v6(source) else 4)]
    expected = dict.fromkeys(probes, REACHED)
    assert len(probes) == 2 and ask(probes, expected) == expected
    outside = lab.probes(lab.host("outside"), target)
    assert REACHED not in ask(outside).values()


@pytest.mark.parametrize("version", [4, 6])
def test_node_to_pod(denied, version):
    way = Way(denied.ends["node"], denied.ends["a"], version)
    frames = [way.udp(1000, 80), way.tcp(1000, 80), way.sctp(1000, 80),
              way.echo(3)]
    assert denied.all_heard(way.src, *frames) == [{"a"}] * 4
    answers = [way.back.udp(80, 1000), way.back.tcp(80, 1000, "SA"),
               way.back.sctp(80, 1000, f.sctp_chunk(2)),
               way.back.echo(3, reply=True)]
    assert denied.all_heard(way.dst, *answers) == [{"node"}] * 4


@pytest.mark.parametrize("version", [4, 6])
def test_node_is_no_way_for_others(denied, version):
    """What the node only routes has another's address, and is judged."""
    node, a = denied.ends["node"], denied.ends["a"]
    for name in ("outside", "b"):
        src, dst = denied.ends[name].ip(version), a.ip(version)
        routed = f.eth(a.mac, node.mac, f.ip(src, dst, f.udp(src, dst, 1000,
                                                             80)))
        assert denied.heard(node, routed) == set()
    denied.policies(isolated("a", ingress=[rule("from", [
        {"ipBlock": {"cidr": cidr}} for cidr in
        ("203.0.113.0/24", "2001:db8:113::/64")])]))
    src = denied.ends["outside"].ip(version)
    routed = f.eth(a.mac, node.mac, f.ip(src, dst, f.udp(src, dst, 1000, 80)))
    assert denied.heard(node, routed) == {"a"}


def to_node(net, ip):
    """Frames from a to an address of its node."""
    a, node = net.ends["a"], net.ends["node"]
    own = a.ip(6 if f.is_v6(ip) else 4)
    return [f.eth(node.mac, a.mac, f.ip(own, ip, segment)) for segment in (
        f.udp(own, ip, 1000, 53), f.tcp(own, ip, 1000, 10250),
        f.echo(own, ip, 4))]


@pytest.mark.parametrize("ip", NODE_IPS)
def test_pod_to_node_is_judged(denied, ip):
    """Like any destination."""
    a = denied.ends["a"]
    assert denied.all_heard(a, *to_node(denied, ip)) == [set()] * 3
    length = 128 if f.is_v6(ip) else 32
    denied.policies(isolated("a", egress=[rule(
        "to", [{"ipBlock": {"cidr": f"{ip}/{length}"}}], ("UDP", 53))]))
    assert denied.all_heard(a, *to_node(denied, ip)) == [
        {"node"}, set(), set()]
    # Another address of the same node is another destination.
    other = NODE_IPS[NODE_IPS.index(ip) ^ 1]
    assert denied.all_heard(a, *to_node(denied, other)) == [set()] * 3


@pytest.mark.parametrize("ip", NODE_IPS)
def test_pod_to_node_without_policy(net, ip):
    net.policies(isolated("a", ingress=[]))
    assert net.all_heard(net.ends["a"], *to_node(net, ip)) == [{"node"}] * 3


@pytest.mark.parametrize("version", [4, 6, "fe80"])
def test_pod_to_itself(denied, version):
    """By way of the switch, as a kernel sends it to nobody else."""
    for name in ("a", "b"):
        end = denied.ends[name]
        way = Way(end, end, version)
        frames = [way.udp(1000, 80), way.tcp(1000, 80), way.echo(3),
                  way.sctp(1, 2), way.tcp(80, 1000, "A")]
        gateway = f.eth(denied.ends["node"].mac, end.mac, frames[0][14:])
        heard = denied.catch(end, *frames, gateway)
        assert heard == [{name: frame} for frame in [*frames, frames[0]]]
    way = Way(denied.ends["a"], denied.ends["b"], version)
    assert denied.heard(way.src, way.udp(1000, 80)) == set()
    # One's own address is one's own alone.
    lie = way.frame(f.ip(way.ips[1], way.ips[1], f.udp(
        way.ips[1], way.ips[1], 1000, 80)))
    assert denied.heard(way.src, lie) == set()


def test_allow_to_node(make_lab, build_dir):
    """--allow-to-node: the other reading of the API."""
    lab = make_lab()
    manifest.write(lab.manifests, "node.json", manifest.node(lab.settings))
    lab.start_daemon(build_dir, "--allow-to-node")
    with Net(lab) as net:
        a, b = net.pods("a", "b")
        net.policies(isolated("a", ingress=[], egress=[]))
        for ip in NODE_IPS:
            assert net.all_heard(a, *to_node(net, ip)) == [{"node"}] * 3
        for version in (4, 6):
            for target in (b, net.ends["outside"]):
                assert net.heard(a, Way(a, target, version).udp(1, 2)) \
                    == set()
        net.policies(isolated("a", egress=[allow_to("b")]))
        assert net.all_heard(a, Way(a, b).udp(1, 2), *to_node(
            net, NODE_IPS[0])) == [{"b"}] + [{"node"}] * 3

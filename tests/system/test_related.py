"""ICMP errors belong to the connection whose packet they quote: they pass when
it may, and are no way to reach anybody else."""

import pytest

import frames as f
from net import OUTSIDE_MAC, Net, Way, allow_from, allow_to, isolated, rule

UNREACHABLE, TOO_BIG, EXPIRED = "unreachable", "too big", "expired"
KINDS = {4: {UNREACHABLE: (3, 3), TOO_BIG: (3, 4), EXPIRED: (11, 0)},
         6: {UNREACHABLE: (1, 4), TOO_BIG: (2, 0), EXPIRED: (3, 0)}}
ROUTER = {4: "198.51.100.1", 6: "2001:db8:99::1"}
OPEN_OUTSIDE = rule("to", [{"ipBlock": {"cidr": "203.0.113.0/24"}},
                           {"ipBlock": {"cidr": "2001:db8:113::/64"}}],
                    ("UDP", 53), ("TCP", 443))


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


@pytest.fixture(autouse=True)
def fixture_judged(net):
    """a reaches b on TCP and UDP 80 and the outside on 53 and 443, and is
    reached by nobody; b admits a alone."""
    net.policies(
        isolated("a", ingress=[], egress=[
            allow_to("b", ("TCP", 80), ("UDP", 80)), OPEN_OUTSIDE]),
        isolated("b", ingress=[allow_from("a", ("TCP", 80), ("UDP", 80))],
                 egress=[]))
    net.forget_connections()


def kind_of(version, kind):
    number, code = KINDS[4 if version == 4 else 6][kind]
    return {"kind": number, "code": code,
            "rest": b"\0\0\x05\0" if kind == TOO_BIG else bytes(4)}


def error_from(src_end, src_ip, dst, version, quoted, kind=UNREACHABLE):
    """An error from any address, as a router on the way sends one."""
    dst_ip = dst.ip(version)
    return f.eth(dst.mac, src_end.mac, f.ip(src_ip, dst_ip, f.icmp_error(
        src_ip, dst_ip, quoted[14:], **kind_of(version, kind))))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", KINDS[4])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_router(net, version, kind, protocol):
    """Somewhere beyond the outside, about a connection of an isolated pod."""
    way = Way(net.ends["a"], net.ends["outside"], version)
    packet = (way.tcp(1000, 443) if protocol == "tcp" else
              way.udp(1000, 53, b"question"))
    error = error_from(way.dst, ROUTER[version], way.src, version, packet,
                       kind)
    assert net.heard(way.dst, error) == set()
    assert "outside" in net.heard(way.src, packet)
    assert net.heard(way.dst, error) == {"a"}
    # What is quoted must be of that connection.
    other = (way.tcp(1001, 443) if protocol == "tcp" else
             way.udp(1000, 54, b"question"))
    assert net.heard(way.dst, error_from(
        way.dst, ROUTER[version], way.src, version, other, kind)) == set()


@pytest.mark.parametrize("version", [4, 6, "fe80"])
@pytest.mark.parametrize("kind", KINDS[4])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_server_pod(net, version, kind, protocol):
    """Which is isolated for egress itself."""
    way = Way(net.ends["a"], net.ends["b"], version)
    packet = getattr(way, protocol)(1000, 80)
    error = way.back.error(packet, **kind_of(version, kind))
    assert net.heard(way.dst, error) == set()
    assert net.heard(way.src, packet) == {"b"}
    assert net.heard(way.dst, error) == {"a"}


@pytest.mark.parametrize("version", [4, 6])
def test_client_pod(net, version):
    """The client refuses an answer."""
    way = Way(net.ends["a"], net.ends["b"], version)
    assert net.heard(way.src, way.udp(1000, 80)) == {"b"}
    answer = way.back.udp(80, 1000)
    assert net.heard(way.dst, answer) == {"a"}
    assert net.heard(way.src, way.error(answer)) == {"b"}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("who", ["node", "outside"])
def test_client_out_there(net, version, who):
    """An error of somebody whom a pod answers."""
    net.policies(isolated("c", ingress=[{"ports": [
        {"protocol": "UDP", "port": 80}]}], egress=[]))
    way = Way(net.ends[who], net.ends["c"], version)
    answer = way.back.udp(80, 1000)
    assert net.heard(way.src, way.error(answer)) == set()
    assert net.heard(way.src, way.udp(1000, 80)) == {"c"}
    assert who in net.heard(way.dst, answer)
    assert net.heard(way.src, way.error(answer)) == {"c"}
    assert who in net.heard(way.dst, way.back.error(way.udp(1000, 80)))


@pytest.mark.parametrize("version", [4, 6])
def test_revoked(net, version):
    """With its rule a connection loses its errors."""
    way = Way(net.ends["a"], net.ends["b"], version)
    far = Way(net.ends["a"], net.ends["outside"], version)
    frames = [(way.udp(1000, 80), way.dst, way.back.error(way.udp(1000, 80))),
              (way.tcp(1000, 80), way.dst, way.back.error(way.tcp(1000, 80))),
              (far.udp(1000, 53), far.dst, error_from(
                  far.dst, ROUTER[version], far.src, version,
                  far.udp(1000, 53), TOO_BIG))]
    for packet, end, error in frames:
        assert net.heard(way.src, packet)
        assert net.heard(end, error) == {"a"}
    net.policies(
        isolated("a", ingress=[], egress=[allow_to("b", ("TCP", 80))]),
        isolated("b", ingress=[allow_from("a", ("TCP", 80), ("UDP", 81))],
                 egress=[]))
    assert [net.heard(end, error) for _, end, error in frames] == [
        set(), {"a"}, set()]


@pytest.mark.parametrize("version", [4, 6])
def test_revoked_both_ways(net, version):
    """So does the client with its errors about answers, to the last bit of
    the port."""
    way = Way(net.ends["a"], net.ends["b"], version)
    for port, other in ((43690, 43691), (21845, 54613), (65535, 1)):
        net.forget_connections()
        net.policies(isolated("b", ingress=[allow_from("a", ("UDP", port))]))
        assert net.heard(way.src, way.udp(1000, port)) == {"b"}
        answer = way.back.udp(port, 1000)
        assert net.heard(way.dst, answer) == {"a"}
        assert net.heard(way.src, way.error(answer)) == {"b"}
        net.policies(isolated("b", ingress=[allow_from("a", ("UDP", other)),
                                            allow_from("a", ("TCP", port)),
                                            allow_from("c")]))
        assert net.heard(way.src, way.error(answer)) == set()


@pytest.mark.parametrize("version", [4, 6, "fe80"])
def test_forged_without_connection(net, version):
    """About packets that nobody sent: also to pods without policies."""
    for who in ("b", "c"):
        for target in ("a", "c", "b"):
            if who != target:
                way = Way(net.ends[target], net.ends[who], version)
                error = way.back.error(way.udp(1000, 80))
                assert net.heard(way.dst, error) == set()
    way = Way(net.ends["a"], net.ends["b"], version)
    assert net.heard(way.src, way.udp(1000, 80)) == {"b"}
    assert net.heard(way.dst, way.back.error(way.udp(1000, 80))) == {"a"}


@pytest.mark.parametrize("version", [4, 6])
def test_somebody_elses_connection(net, version):
    """c has nothing to do with what a and b, or a and the outside, talk about
    and so no errors to report."""
    c = net.ends["c"]
    way = Way(net.ends["a"], net.ends["b"], version)
    far = Way(net.ends["a"], net.ends["outside"], version)
    for packet, answer, peers in (
            (way.udp(1000, 80), way.back.udp(80, 1000), way),
            (far.udp(1000, 53), far.back.udp(53, 1000), far)):
        assert peers.dst.name in net.heard(peers.src, packet)
        assert net.heard(peers.dst, answer) == {"a"}
        lies = [Way(c, peers.src, version).error(packet),
                Way(c, peers.dst, version).error(answer),
                # A lie about to whom it is, too.
                Way(c, peers.src, version).error(answer),
                Way(c, peers.dst, version).error(packet)]
        assert net.all_heard(c, *lies) == [set()] * 4
    assert net.heard(way.dst, way.back.error(way.udp(1000, 80))) == {"a"}


@pytest.mark.parametrize("version", [4, 6])
def test_own_connection_told_to_another(net, version):
    """b quotes its connection with a to c, and a to the outside."""
    way = Way(net.ends["a"], net.ends["b"], version)
    packet = way.udp(1000, 80)
    assert net.heard(way.src, packet) == {"b"}
    for who in ("c", "outside", "node"):
        lie = Way(net.ends["b"], net.ends[who], version).error(packet)
        assert net.heard(way.dst, lie) == set()
    outside, c = net.ends["outside"], net.ends["c"]
    lie = error_from(outside, ROUTER[version], c, version, packet)
    assert net.heard(outside, lie) == set()
    assert net.heard(way.dst, way.back.error(packet)) == {"a"}


@pytest.mark.parametrize("version", [4, 6])
def test_error_of_an_error(net, version):
    way = Way(net.ends["a"], net.ends["b"], version)
    packet = way.udp(1000, 80)
    assert net.heard(way.src, packet) == {"b"}
    error = way.back.error(packet)
    assert net.heard(way.dst, error) == {"a"}
    assert net.heard(way.src, way.error(error)) == set()


@pytest.mark.parametrize("version", [4, 6])
def test_spoofed_router(net, version):
    """A pod is no router: it speaks from its own address here as well."""
    a, b = net.ends["a"], net.ends["b"]
    way = Way(a, b, version)
    assert net.heard(a, way.udp(1000, 80)) == {"b"}
    lie = error_from(b, ROUTER[version], a, version, way.udp(1000, 80))
    assert net.heard(b, lie) == set()
    # The outside may, but not with an address of ours.
    outside = net.ends["outside"]
    lie = f.eth(a.mac, OUTSIDE_MAC, way.back.error(way.udp(1000, 80))[14:])
    assert net.heard(outside, lie) == set()
    assert net.heard(b, way.back.error(way.udp(1000, 80))) == {"a"}


@pytest.mark.parametrize("version", [4, 6])
def test_about_a_ping(net, version):
    """A connection without ports, by a rule without ports."""
    net.policies(isolated("a", ingress=[], egress=[allow_to("b")]))
    way = Way(net.ends["a"], net.ends["b"], version)
    assert net.heard(way.src, way.echo(5)) == {"b"}
    assert net.heard(way.dst, way.back.error(way.echo(5))) == {"a"}
    net.policies(isolated("a", ingress=[],
                          egress=[allow_to("b", ("TCP", 80), ("UDP", 80))]))
    assert net.heard(way.dst, way.back.error(way.echo(5))) == set()

"""What connection tracking thinks of a packet: invalid, a reply, or in the
midst of a connection that it does not know.

A switch that restarts forgets its connections, and whoever speaks first
afterwards may be the server.  It must not become the opener by that.
"""

import pytest

import frames as f
from net import Net, Way, allow_from, allow_to, isolated


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


@pytest.fixture(autouse=True)
def fixture_forget(net):
    net.forget_connections()


def openers(net, way):
    """Who opened the TCP connection between the ends of `way`, as conntrack
    has it, and to which port: one entry at most."""
    found = []
    for line in net.connections("tcp", "zone=64000"):
        original = line.split("orig=(")[1].split(")")[0]
        words = dict(word.split("=") for word in original.split(","))
        if {words["src"], words["dst"]} == set(way.ips):
            found.append((words["src"], int(words["dport"])))
    return found


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("isolate", [False, True])
def test_invalid(net, version, isolate):
    """Also where no policy is."""
    rules = [isolated("b", ingress=[allow_from("a", ("TCP", 80))])]
    net.policies(*(rules if isolate else []))
    a, b = net.ends["a"], net.ends["b"]
    way = Way(a, b, version)
    src, dst = way.ips
    invalid = [way.tcp(1000, 80, flags) for flags in
               ("SA", "SF", "SR", "", "SFRPAU", "FPU", "F")]
    invalid += [way.tcp(1001, 80, checksum=0x1234),
                way.frame(f.ip(src, dst, f.tcp(src, dst, 1002, 80)[:16],
                               f.TCP)),
                way.frame(f.ip(src, dst, b"\0\1", f.TCP)),
                way.echo(5, reply=True)]
    assert net.all_heard(a, *invalid) == [set()] * len(invalid)
    assert net.heard(a, way.tcp(1000, 80)) == {"b"}


@pytest.mark.parametrize("version", [4, 6, "fe80"])
def test_replies(net, version):
    """They need no rule of their own, and carry nothing but replies."""
    net.policies(isolated("a", ingress=[], egress=[allow_to(
        "b", ("TCP", 80), ("UDP", 53))]))
    a, b = net.ends["a"], net.ends["b"]
    way = Way(a, b, version)
    back = way.back
    assert net.all_heard(b, back.tcp(80, 1000, "SA"), back.udp(53, 1000),
                         back.tcp(80, 1000), back.tcp(80, 1000, "A")) == [
                             set()] * 4
    net.forget_connections()
    assert net.all_heard(a, way.tcp(1000, 80, seq=9),
                         way.udp(1000, 53)) == [{"b"}] * 2
    assert net.all_heard(b, back.tcp(80, 1000, "SA", 5, 10),
                         back.udp(53, 1000)) == [{"a"}] * 2
    assert net.all_heard(b, back.tcp(80, 1001, "SA"), back.tcp(80, 1001),
                         back.tcp(81, 1000, "SA"), back.udp(53, 1001),
                         back.udp(54, 1000)) == [set()] * 5
    assert net.all_heard(net.ends["c"], Way(net.ends["c"], a, version).udp(
        53, 1000)) == [set()]
    assert net.all_heard(a, way.tcp(1000, 80, "A", 10, 6),
                         way.tcp(1001, 81), way.udp(1000, 54)) == [
                             {"b"}, set(), set()]


@pytest.mark.parametrize("version", [4, 6])
def test_nobody_is_opener_without_a_rule(net, version):
    """All is open: packets pass, whoever speaks first, and none of them is
    taken for the first of a connection."""
    net.policies()
    way = Way(net.ends["a"], net.ends["b"], version)
    assert net.heard(way.dst, way.back.tcp(80, 1000, "A", 7, 7)) == {"a"}
    assert net.heard(way.src, way.tcp(1000, 80, "PA", 7, 8)) == {"b"}
    assert openers(net, way) == []
    assert net.heard(way.src, way.tcp(1001, 80)) == {"b"}
    assert openers(net, way) == [(way.ips[0], 80)]


@pytest.mark.parametrize("version", [4, 6])
def test_client_stays_opener(net, version):
    """The server, which is not isolated for egress, speaks first."""
    net.policies(isolated("b", ingress=[allow_from("a", ("TCP", 80))]))
    way = Way(net.ends["a"], net.ends["b"], version)
    assert net.heard(way.dst, way.back.tcp(80, 1000, "A", 7, 7)) == {"a"}
    assert openers(net, way) == []
    assert net.heard(way.src, way.tcp(1000, 80, "A", 7, 8)) == {"b"}
    assert openers(net, way) == [(way.ips[0], 80)]
    assert net.heard(way.dst, way.back.tcp(80, 1000, "PA", 8, 8)) == {"a"}
    # No rule allows it: still not.
    assert net.heard(way.src, way.tcp(1000, 81, "A", 7, 8)) == set()


@pytest.mark.parametrize("version", [4, 6])
def test_client_stays_opener_when_its_rule_goes(net, version):
    """The server's packets did not make a connection that outlives it."""
    net.policies(isolated("b", ingress=[allow_from("a", ("TCP", 80))]))
    way = Way(net.ends["a"], net.ends["b"], version)
    for flags in ("A", "PA", "A"):
        assert net.heard(way.dst, way.back.tcp(80, 1000, flags, 7, 7)) == {
            "a"}
    net.policies(isolated("b", ingress=[allow_from("a", ("TCP", 8080))]))
    assert net.heard(way.src, way.tcp(1000, 80, "A", 7, 8)) == set()
    assert net.heard(way.src, way.tcp(1000, 8080, "A", 7, 8)) == {"b"}


@pytest.mark.parametrize("version", [4, 6])
def test_server_without_egress(net, version):
    """Its packets pass once the client has spoken."""
    net.policies(isolated("b", ingress=[allow_from("a", ("TCP", 80))],
                          egress=[]))
    way = Way(net.ends["a"], net.ends["b"], version)
    answer = way.back.tcp(80, 1000, "A", 7, 7)
    assert net.heard(way.dst, answer) == set()
    assert net.heard(way.src, way.tcp(1000, 80, "A", 7, 8)) == {"b"}
    assert openers(net, way) == [(way.ips[0], 80)]
    assert net.heard(way.dst, answer) == {"a"}


@pytest.mark.parametrize("version", [4, 6])
def test_explicit_egress_commits(net, version):
    net.policies(isolated("a", egress=[allow_to("b", ("TCP", 80))]))
    way = Way(net.ends["a"], net.ends["b"], version)
    assert net.heard(way.src, way.tcp(1000, 80, "PA", 7, 8)) == {"b"}
    assert openers(net, way) == [(way.ips[0], 80)]
    entry, = net.connections("sport=1000", "dport=80")
    assert "labels=0x" in entry


@pytest.mark.parametrize("version", [4, 6])
def test_outside_speaks_first(net, version):
    """The same with a client that is no pod."""
    net.policies(isolated("b", ingress=[
        {"from": [{"ipBlock": {"cidr": cidr}}],
         "ports": [{"protocol": "TCP", "port": 80}]}
        for cidr in ("203.0.113.77/32", "2001:db8:113::/64")]))
    way = Way(net.ends["outside"], net.ends["b"], version)
    assert "outside" in net.heard(way.dst, way.back.tcp(80, 1000, "A", 7, 7))
    assert openers(net, way) == []
    assert net.heard(way.src, way.tcp(1000, 80, "A", 7, 8)) == {"b"}
    assert openers(net, way) == [(way.ips[0], 80)]
    assert net.heard(way.src, way.tcp(1000, 81, "A", 7, 8)) == set()

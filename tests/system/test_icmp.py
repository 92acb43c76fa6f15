"""Protocols without ports: only a rule without ports lets them in."""

import pytest

import frames as f
from net import Net, Way, allow_from, allow_to, isolated

GRE, ESP, OSPF = 47, 50, 89


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


@pytest.fixture(params=[4, 6, "fe80"], name="way")
def fixture_way(net, request):
    net.forget_connections()
    return Way(net.ends["a"], net.ends["b"], request.param)


def others(way):
    return [way.frame(f.ip(*way.ips, b"whatever is in there", protocol))
            for protocol in (GRE, ESP, OSPF, 253)]


def test_rule_without_ports(net, way):
    net.policies(isolated("b", ingress=[allow_from("a")], egress=[]))
    assert net.all_heard(way.src, way.echo(1), *others(way), way.udp(1, 2),
                         way.tcp(1, 2)) == [{"b"}] * 7
    assert net.heard(way.dst, way.back.echo(1, reply=True)) == {"a"}
    c = Way(net.ends["c"], net.ends["b"], way.version)
    assert net.all_heard(c.src, c.echo(1), *others(c)) == [set()] * 5


@pytest.mark.parametrize("ports", [
    [{"port": 7, "protocol": "TCP"}], [{"protocol": "TCP"}],
    [{"protocol": protocol} for protocol in ("TCP", "UDP", "SCTP")],
    [{"protocol": protocol, "port": 1, "endPort": 65535}
     for protocol in ("TCP", "UDP", "SCTP")]])
def test_rule_with_ports(net, way, ports):
    """"Every port of each protocol" is still not every protocol."""
    net.policies(isolated("b", ingress=[{**allow_from("a"),
                                         "ports": ports}]))
    assert net.all_heard(way.src, way.echo(1), *others(way)) == [set()] * 5
    assert net.heard(way.src, way.tcp(1000, 7)) == {"b"}


def test_reply(net, way):
    """An echo reply belongs to an echo that was allowed."""
    net.policies(isolated("a", ingress=[], egress=[allow_to("b")]))
    back = way.back
    assert net.all_heard(way.dst, back.echo(1, reply=True),
                         back.echo(1)) == [set()] * 2
    assert net.heard(way.src, way.echo(1)) == {"b"}
    assert net.all_heard(way.dst, back.echo(1, reply=True),
                         back.echo(2, reply=True), back.echo(1)) == [
                             {"a"}, set(), set()]


def test_egress(net, way):
    net.policies(isolated("a", egress=[allow_to("b", ("UDP", 53))]))
    assert net.all_heard(way.src, way.echo(1), *others(way),
                         way.udp(1000, 53)) == [set()] * 5 + [{"b"}]


def test_revoked(net, way):
    net.policies(isolated("b", ingress=[allow_from("a")]))
    assert net.heard(way.src, way.echo(1)) == {"b"}
    assert net.heard(way.dst, way.back.echo(1, reply=True)) == {"a"}
    net.policies(isolated("b", ingress=[allow_from("a", ("TCP", 1))]))
    assert net.heard(way.src, way.echo(1)) == set()
    assert net.heard(way.dst, way.back.echo(1, reply=True)) == set()
    assert net.heard(way.src, way.tcp(1, 1)) == {"b"}


def test_no_policy(net, way):
    net.policies()
    assert net.all_heard(way.src, way.echo(1), *others(way)) == [{"b"}] * 5

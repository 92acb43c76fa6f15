"""The same port at both ends.

Every packet of b's own conversation with a is then also a reply to a's with b.
When only one of the two is allowed any more, it goes on, and the other stops:
that is what the second conntrack zone is for.
"""

import pytest

from net import Net, Way, allow_from, allow_to, isolated

PORT = 7946             # gossip, as memberlist speaks it


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


@pytest.fixture(params=[4, 6], name="way")
def fixture_way(net, request):
    net.forget_connections()
    return Way(net.ends["a"], net.ends["b"], request.param)


def gossip(way, protocol):
    """Something that either end could have said first."""
    if protocol == "udp":
        return way.udp(PORT, PORT)
    return way.tcp(PORT, PORT, "PA", 7, 7)


def both(net, way, protocol, rounds=3):
    """Who is heard, of a and b, when they talk by turns."""
    heard = set()
    for _ in range(rounds):
        for go in (way, way.back):
            if net.heard(go.src, gossip(go, protocol)):
                heard.add(go.src.name)
    return heard


def ingress(*names, protocol):
    """Policies that let each of `names` be reached by the other."""
    return [isolated(name, ingress=[
        allow_from("ab".replace(name, ""), (protocol.upper(), PORT))]
        if name in names else []) for name in "ab"]


def egress(*names, protocol):
    """Policies that let each of `names` reach the other."""
    return [isolated(name, egress=[
        allow_to("ab".replace(name, ""), (protocol.upper(), PORT))]
        if name in names else []) for name in "ab"]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_one_way_is_revoked(net, way, protocol):
    """Both were used; a's is revoked and b's goes on, and the other way
    round.  What a says is heard all the same, as an answer."""
    net.policies(*ingress("a", "b", protocol=protocol))
    assert both(net, way, protocol) == {"a", "b"}
    net.policies(*ingress("a", protocol=protocol))
    assert net.heard(way.src, gossip(way, protocol)) == set()
    assert net.heard(way.dst, gossip(way.back, protocol)) == {"a"}
    assert both(net, way, protocol) == {"a", "b"}
    net.policies(*ingress(protocol=protocol))
    assert both(net, way, protocol) == set()
    net.policies(*ingress("b", protocol=protocol))
    assert net.heard(way.src, gossip(way, protocol)) == {"b"}
    assert both(net, way, protocol) == {"a", "b"}


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_egress_is_revoked(net, way, protocol):
    net.policies(*egress("a", "b", protocol=protocol))
    assert both(net, way, protocol) == {"a", "b"}
    net.policies(*egress("b", protocol=protocol))
    assert net.heard(way.src, gossip(way, protocol)) == set()
    assert net.heard(way.dst, gossip(way.back, protocol)) == {"a"}
    assert both(net, way, protocol) == {"a", "b"}
    net.policies(*egress(protocol=protocol))
    assert both(net, way, protocol) == set()


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_only_an_explicit_rule_counts(net, way, protocol):
    """b's packets may not use a's being open: they were replies of what is
    revoked, and are not let through for want of a policy."""
    net.policies(isolated("b", ingress=[
        allow_from("a", (protocol.upper(), PORT))]))
    assert both(net, way, protocol) == {"a", "b"}
    net.policies(isolated("b", ingress=[
        allow_from("c", (protocol.upper(), PORT))]))
    assert net.heard(way.src, gossip(way, protocol)) == set()
    assert net.heard(way.dst, gossip(way.back, protocol)) == set()
    assert both(net, way, protocol) == set()


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_other_ports_are_not_let_in(net, way, protocol):
    """The second zone knows b's connection, not just any."""
    net.policies(*ingress("a", "b", protocol=protocol))
    assert both(net, way, protocol) == {"a", "b"}
    net.policies(*ingress("a", protocol=protocol))
    assert both(net, way, protocol) == {"a", "b"}
    send = getattr(way, protocol)
    assert net.all_heard(way.src, send(PORT, PORT + 1), send(PORT + 1, PORT),
                         send(1000, PORT)) == [set()] * 3
    c = Way(net.ends["c"], way.dst, way.version)
    assert net.heard(c.src, getattr(c, protocol)(PORT, PORT)) == set()


def test_new_connection(net, way):
    """What a opens anew does not pass as an answer."""
    net.policies(*ingress("a", "b", protocol="tcp"))
    assert both(net, way, "tcp") == {"a", "b"}
    net.policies(*ingress("a", protocol="tcp"))
    assert both(net, way, "tcp") == {"a", "b"}
    for flags in ("S", "SA"):
        assert net.heard(way.src, way.tcp(PORT + 2, PORT, flags)) == set()
    assert net.heard(way.dst, way.back.tcp(PORT + 2, PORT)) == {"a"}

"""SCTP by hand, as many kernels have none: by port like TCP and UDP, although
the userspace datapath's conntrack knows no ports of it."""

import pytest

import frames as f
from net import Net, Way, allow_from, allow_to, isolated

DATA, INIT_ACK, ABORT, COOKIE = (f.sctp_chunk(kind, bytes(16))
                                 for kind in (0, 2, 6, 10))


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


@pytest.fixture(params=[4, 6], name="way")
def fixture_way(net, request):
    """b admits a on SCTP 80."""
    net.policies(isolated("b", ingress=[allow_from("a", ("SCTP", 80))],
                          egress=[]))
    net.forget_connections()
    return Way(net.ends["a"], net.ends["b"], request.param)


@pytest.mark.parametrize("chunks", [None, DATA, COOKIE])
def test_port(net, way, chunks):
    frames = [way.sctp(1000, port, chunks) for port in (81, 80, 1000, 0, 80)]
    assert net.all_heard(way.src, *frames) == [
        set(), {"b"}, set(), set(), {"b"}]
    for who in ("c", "outside"):
        other = Way(net.ends[who], way.dst, way.version)
        assert net.heard(other.src, other.sctp(1000, 80, chunks)) == set()
    assert net.all_heard(way.src, way.udp(1000, 80), way.tcp(1000, 80)) == [
        set()] * 2


def test_handshake(net, way):
    """And what else the server says; it has no egress of its own."""
    back = way.back
    assert net.heard(way.dst, back.sctp(80, 1001, INIT_ACK, 1)) == set()
    for go, chunks in ((way, None), (back, INIT_ACK), (way, COOKIE),
                       (back, DATA), (way, DATA), (back, ABORT)):
        ports = (1001, 80) if go is way else (80, 1001)
        assert net.heard(go.src, go.sctp(*ports, chunks, 1)) == {go.dst.name}


def test_reply_is_of_one_association(net, way):
    """From 80 to another port, or from another port, is something new."""
    assert net.heard(way.src, way.sctp(1002, 80)) == {"b"}
    back = way.back
    assert net.all_heard(way.dst, back.sctp(80, 1003, DATA),
                         back.sctp(81, 1002, DATA), back.sctp(80, 22, None),
                         back.sctp(1002, 80, DATA),
                         back.sctp(80, 1002, DATA)) == [
                             set(), set(), set(), set(), {"a"}]


def test_opener_is_isolated(net, way):
    """The same from the other side."""
    net.policies(isolated("a", ingress=[], egress=[allow_to(
        "b", ("SCTP", 80))]))
    back = way.back
    assert net.heard(way.dst, back.sctp(80, 1004, INIT_ACK)) == set()
    assert net.all_heard(way.src, way.sctp(1004, 80), way.sctp(1004, 81)) == [
        {"b"}, set()]
    assert net.all_heard(way.dst, back.sctp(80, 1004, INIT_ACK),
                         back.sctp(80, 1005, INIT_ACK),
                         back.sctp(81, 1004, INIT_ACK), back.sctp(81, 22)) \
        == [{"a"}, set(), set(), set()]


def test_revoked(net, way):
    """Both directions of an association that was there."""
    back = way.back
    assert net.heard(way.src, way.sctp(1006, 80)) == {"b"}
    assert net.heard(way.dst, back.sctp(80, 1006, DATA)) == {"a"}
    net.policies(isolated("b", ingress=[allow_from("a", ("SCTP", 81))],
                          egress=[]))
    assert net.heard(way.src, way.sctp(1006, 80, DATA)) == set()
    assert net.heard(way.dst, back.sctp(80, 1006, DATA)) == set()
    assert net.heard(way.src, way.sctp(1006, 81, DATA)) == {"b"}


def test_both_ways(net, way):
    """a may reach b on 80, b may reach a on 90, and neither the rest."""
    net.policies(
        isolated("b", ingress=[allow_from("a", ("SCTP", 80))]),
        isolated("a", ingress=[allow_from("b", ("SCTP", 90))]))
    back = way.back
    for go, port in ((way, 80), (back, 90), (way, 80), (back, 90)):
        assert net.all_heard(go.src, go.sctp(1007, port),
                             go.sctp(1007, 170 - port)) == [
                                 {go.dst.name}, set()]


def test_open_pods(net, way):
    """Without policies any packet passes, whoever speaks first."""
    net.policies()
    assert net.heard(way.dst, way.back.sctp(80, 1008, DATA)) == {"a"}
    assert net.heard(way.src, way.sctp(1008, 80, DATA)) == {"b"}


@pytest.mark.parametrize("version", [4, 6])
def test_outside_opens(net, version):
    net.policies(isolated("b", ingress=[{"ports": [
        {"protocol": "SCTP", "port": 80}]}], egress=[]))
    way = Way(net.ends["outside"], net.ends["b"], version)
    assert net.all_heard(way.src, way.sctp(1009, 80), way.sctp(
        1009, 81)) == [{"b"}, set()]
    assert "outside" in net.heard(way.dst, way.back.sctp(80, 1009, INIT_ACK))
    assert net.heard(way.dst, way.back.sctp(80, 1010, INIT_ACK)) == set()

"""Packets on their way through connection tracking while the pipeline is
exchanged for another: they come back to table resume with registers that mean
something else, and start again.

A flow beside the daemon's own plays the older build's megaflow.  It stands in
front of connection tracking, where the first pass alone gets to it, and sends
packets on with whatever that build had in its registers.
"""

import contextlib
import re

import pytest

from net import Net, Way, allow_from, isolated

CONNTRACK, RESUME, ZONE = 20, 24, 64000

# What the tables behind `resume` would take for: the node's own traffic, a
# rule that allowed, a second zone, a commit that is done.
OLD_LAYOUTS = {
    "empty": {},
    "zero": dict.fromkeys(range(16), 0),
    "of the node": {0: 2, 1: 1, 2: 1, 3: 0x14, 4: 0x10, 12: 0xdead},
    "all open": {1: 1, 2: 1, 3: 0x10, 4: 0x10, 12: 0xdead, 13: ZONE},
    "allowed": {5: 0x1234, 8: 0x5678, 12: 0xdead, 13: ZONE},
    "an error": {6: 17, 7: 80, 12: 0xdead, 13: ZONE},
    "second zone": {8: 1, 10: 1, 11: 1, 12: 0xdead, 13: ZONE + 1},
    "denied": {9: 9, 12: 0xdead},
    "committed": {11: 2, 12: 0xdead, 13: ZONE},
    "all ones": dict.fromkeys(range(16), 0xffffffff),
}


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    """b admits a on UDP and TCP 80."""
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        net.policies(isolated("b", ingress=[
            allow_from("a", ("UDP", 80), ("TCP", 80))], egress=[]))
        yield net


@pytest.fixture(params=[4, 6], name="way")
def fixture_way(net, request):
    net.forget_connections()
    return Way(net.ends["a"], net.ends["b"], request.param)


@contextlib.contextmanager
def older_megaflow(net, end, registers, extra="", zone=ZONE):
    """Meanwhile what `end` sends comes to `resume` with these registers."""
    ofctl, bridge = net.lab.ovs.ofctl, net.lab.settings.bridge
    loads = "".join(f"load:{value}->NXM_NX_REG{number}[],"
                    for number, value in registers.items())
    port = net.lab.ovs.ofport(end.port)
    matches = [f"table={CONNTRACK},priority=200,ct_state=-trk,in_port={port},"
               f"{family}" for family in ("ip", "ipv6")]
    for match in matches:
        ofctl("add-flow", bridge, f"cookie=0xf0,{match},actions={loads}{extra}"
              f"ct(zone={zone},table={RESUME})")
    net.lab.ovs.settle()
    try:
        yield
        taken = ofctl("dump-flows", bridge, "cookie=0xf0/-1")
        assert sum(map(int, re.findall(r"n_packets=(\d+)", taken))) > 0
    finally:
        ofctl("del-flows", bridge, "cookie=0xf0/-1")
        net.lab.ovs.settle()


def layout(net):
    """The number that this build loads into reg12."""
    flows = net.lab.ovs.ofctl("dump-flows", net.lab.settings.bridge,
                              f"table={RESUME}")
    return int(re.search(r"reg12=0x([0-9a-f]+)", flows)[1], 16)


@pytest.mark.parametrize("zone", [ZONE, ZONE + 1, 7])
@pytest.mark.parametrize("name", OLD_LAYOUTS)
def test_judged_again(net, way, name, zone):
    with older_megaflow(net, way.src, OLD_LAYOUTS[name], zone=zone):
        assert net.all_heard(
            way.src, way.udp(1000, 81), way.udp(1000, 80), way.tcp(1000, 22),
            way.tcp(1000, 80), way.echo(9)) == [
                set(), {"b"}, set(), {"b"}, set()]
        c = Way(way.src, net.ends["c"], way.version)
        assert net.heard(way.src, c.udp(1, 2)) == {"c"}


@pytest.mark.parametrize("name", OLD_LAYOUTS)
def test_replies_judged_again(net, way, name):
    """Of a pod that may say nothing else."""
    assert net.heard(way.src, way.udp(1000, 80)) == {"b"}
    with older_megaflow(net, way.dst, OLD_LAYOUTS[name]):
        assert net.all_heard(
            way.dst, way.back.udp(80, 1001), way.back.udp(80, 1000),
            way.back.udp(81, 1000)) == [set(), {"a"}, set()]


def test_connection_is_remembered_where_it_should(net, way):
    """Not in the zone of the older build."""
    with older_megaflow(net, way.src, OLD_LAYOUTS["all open"], zone=7):
        assert net.heard(way.src, way.udp(1000, 80)) == {"b"}
    assert net.connections("udp", f"zone={ZONE}", "dport=80")
    assert not net.connections("zone=7")


def test_committed_only_if_so_marked(net, way):
    """The right layout, behind a commit, in another packet's batch: what was
    never there does not pass, nor what is marked by another build."""
    registers = {11: 2, 12: layout(net), 13: ZONE}
    frames = [way.udp(1000, 80), way.udp(1000, 81)]
    for extra in ("", "load:0xdead->NXM_NX_PKT_MARK[],"):
        with older_megaflow(net, way.src, registers, extra):
            assert net.all_heard(way.src, *frames) == [set()] * 2
    assert net.all_heard(way.src, *frames) == [{"b"}, set()]

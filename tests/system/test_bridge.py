"""The switch and its database are late, restart, or go away and come back
under the daemon: it waits, says for what, and goes on by itself."""

import contextlib

import pytest

from lab import LabError, manifest
from lab.ovs import wait_until

from world import PORTS, Stream, World, tcp_sockets, udp_sockets

STREAM = 9000


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    for name, n in ("a", 10), ("b", 11), ("c", 12):
        lab.add_pod("web", name, [f"10.244.0.{n}"], ports=PORTS)
    world.put_pods(wait=False)
    world.put("policies.json", only_a(), wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world, build_dir):
    """Everything runs, and is as the policies say."""
    world, lab = module_world, module_world.lab
    works(world)
    yield world
    if not (lab.ovs.rundir / "ovsdb-server.pid").exists():
        lab.ovs.start_ovsdb()
    if not (lab.ovs.rundir / "ovs-vswitchd.pid").exists():
        start_switch(lab)
    if lab.daemon is None:
        lab.start_daemon(build_dir)
    world.reset()


def only_a(*ports):
    return manifest.policy(
        "web", "b", podSelector={"matchLabels": {"app": "b"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}],
                  "ports": [{"port": port} for port in (80, *ports)]
                  + [{"port": STREAM, "endPort": STREAM + 9},
                     {"port": STREAM, "endPort": STREAM + 9,
                      "protocol": "UDP"}]}])


def works(world):
    world.expect(["a -> b tcp/80", "a -> c tcp/80", "node -> b tcp/80",
                  "b -> outside udp/53"],
                 ["a -> b tcp/8080", "c -> b tcp/80", "outside -> b udp/53"])


def status(world, *path):
    value = world.status()
    for name in path:
        value = value[name]
    return value


def wait_fails(world, text):
    """netpol/wait gives up and says why."""
    with pytest.raises(LabError) as error:
        world.lab.appctl("netpol/wait", "1")
    assert text in str(error.value), f"{error.value}\n{world.state()}"


def waits_for(world, text):
    """The daemon waits and says for what, to everybody who asks."""
    wait_until(lambda: text in (status(world, "missing") or ""),
               f'the status to speak of "{text}"')
    assert f"NOT realized: {status(world, 'missing')}" in world.state()
    wait_fails(world, text)


def start_switch(lab):
    """After a stop; the node's interface may be a new one."""
    lab.start_switch()
    lab._give_node_addresses()      # pylint: disable=protected-access


def realized(world, pod):
    return world.lab.ovs.vsctl("--if-exists", "get", "Interface", pod.port,
                               "external_ids:netpol-realized").strip('"')


@contextlib.contextmanager
def live_streams(world):
    a, b = world.host("a"), world.host("b")
    ours, theirs = udp_sockets(a, b, STREAM)
    with Stream(*tcp_sockets(a, b, STREAM)) as to_server, \
            Stream(*tcp_sockets(a, b, STREAM + 1)[::-1]) as to_client, \
            Stream(theirs, ours) as replies:
        streams = to_server, to_client, replies
        yield streams
        for stream in streams:
            stream.flows()


# The database.
#
# Without its database ovs-vswitchd runs none of its bridges: it answers no
# OpenFlow, and the userspace datapath carries nothing.  So here only what is
# there afterwards can be held against what was there before.

def test_the_database_is_away(world):
    """The daemon says so, sends nothing when it is back, and what flowed
    flows on."""
    lab, flows = world.lab, world.flows()
    with live_streams(world):
        sent = status(world, "switch", "flow_mods")
        lab.ovs.stop_ovsdb()
        wait_until(lambda: not status(world, "bridge", "connected"), "loss")
        assert lab.ovs.db in status(world, "bridge", "problem")
        wait_fails(world, lab.ovs.db)
        lab.ovs.start_ovsdb()
        lab.wait()
        assert status(world, "switch", "flow_mods") == sent
        assert world.flows() == flows
    works(world)
    wait_until(lambda: realized(world, world.host("b")), "netpol-realized")


def test_objects_change_while_the_database_is_away(world):
    """A pod goes and a policy changes: both count as soon as anybody can be
    told, and the pod's row is told, too."""
    lab, c = world.lab, world.host("c")
    lab.ovs.stop_ovsdb()
    wait_until(lambda: not status(world, "bridge", "connected"), "its loss")
    world.put("pods.json", *[item for item in manifest.describe(lab)
                             if item["metadata"]["name"] != "c"], wait=False)
    world.put("policies.json", only_a(8080), wait=False)
    wait_until(lambda: status(world, "source", "objects", "Pod") == 2,
               "the pod to go")
    lab.ovs.start_ovsdb()
    lab.wait()
    world.expect(["a -> b tcp/80", "a -> b tcp/8080"],
                 ["a -> c tcp/80", "c -> outside udp/53"])
    wait_until(lambda: not realized(world, c), "netpol-realized to go")
    world.put("policies.json", only_a(), wait=False)
    world.put_pods()
    wait_until(lambda: realized(world, c) == c.uid, "netpol-realized")
    works(world)


# The switch.

def test_the_switch_restarts(world):
    """Its flows and its connections are lost.  All is there again by itself,
    and so are streams, though nobody opens them anew."""
    lab, flows = world.lab, world.flows()
    with live_streams(world):
        lab.ovs.stop_vswitchd()
        wait_until(lambda: not status(world, "realized"), "the loss")
        waits_for(world, "switch")
        wait_until(lambda: not realized(world, world.host("b")),
                   "netpol-realized to go")
        start_switch(lab)
        wait_until(lambda: world.flows() == flows, "all flows")
        wait_until(lambda: realized(world, world.host("b")),
                   "netpol-realized")
    works(world)


def test_the_switch_restarts_with_other_policies(world):
    """What changed meanwhile is right at once: no old flow comes back."""
    lab = world.lab
    lab.ovs.stop_vswitchd()
    world.put("policies.json", only_a(8080), wait=False)
    start_switch(lab)
    lab.wait()
    world.expect(["a -> b tcp/8080", "a -> b tcp/80"], ["c -> b tcp/80"])
    world.put("policies.json", only_a())


def test_both_restart(world):
    lab, flows = world.lab, world.flows()
    lab.ovs.stop_vswitchd()
    lab.ovs.stop_ovsdb()
    wait_until(lambda: not status(world, "bridge", "connected"), "its loss")
    lab.ovs.start_ovsdb()
    start_switch(lab)
    lab.wait()
    assert world.flows() == flows
    works(world)


# The bridge.

def fail_mode(lab):
    return lab.ovs.vsctl("get", "Bridge", lab.settings.bridge, "fail_mode")


def test_the_bridge_is_deleted_and_made_again(world):
    """The new one gets what the old one had, its fail_mode and the names of
    its tables as well, and not one flow of a standalone bridge is left."""
    lab, bridge = world.lab, world.lab.settings.bridge
    count = len(world.flows())
    lab.ovs.vsctl("del-br", bridge)
    waits_for(world, bridge)
    lab.remake_bridge()
    lab.wait()
    assert len(world.flows()) == len(world.our_flows()) == count
    assert fail_mode(lab) == "secure"
    names = lab.ovs.ofctl("dump-flows", bridge, "--names", "--no-stats")
    assert 'table="ingress_default",' in names
    works(world)
    wait_until(lambda: realized(world, world.host("b")), "netpol-realized")


@pytest.mark.parametrize("missing", ["ovs-vswitchd", "ovsdb-server",
                                     "bridge"])
def test_the_daemon_comes_first(world, build_dir, missing):
    """At boot whatever it needs may come later than it."""
    lab, bridge = world.lab, world.lab.settings.bridge
    assert lab.stop_daemon() == 0
    if missing == "bridge":
        lab.ovs.vsctl("del-br", bridge)
    else:
        lab.ovs.stop_vswitchd()
    if missing == "ovsdb-server":
        lab.ovs.stop_ovsdb()
        lab.ovs.sock.unlink(missing_ok=True)
    lab.start_daemon(build_dir)
    waits_for(world, lab.ovs.db if missing == "ovsdb-server" else bridge)
    if missing == "ovsdb-server":
        lab.ovs.start_ovsdb()
        waits_for(world, bridge)
    if missing == "bridge":
        lab.remake_bridge()
    else:
        start_switch(lab)
    lab.wait()
    works(world)
    assert len(world.flows()) == len(world.our_flows())
    assert fail_mode(lab) == "secure"


def test_ports_nobody_knows_are_asked_about_first(make_lab, build_dir):
    """A bridge that serves others: not a flow and not a setting is written
    until it is said what they may do, and what they had goes on; then they
    carry nothing, or are judged as the world is."""
    lab = make_lab()
    world = World(lab)
    for name, n in ("a", 10), ("b", 11):
        lab.add_pod("web", name, [f"10.244.0.{n}"], ports=PORTS)
    lab.add_pod("web", "vm", ["10.244.0.12"], ports=PORTS, cni="os-vif")
    objects = [item for item in manifest.describe(lab)
               if item["metadata"]["name"] != "vm"]
    world.put("pods.json", *objects, only_a(), wait=False)
    flows, everything = world.flows(), ["vm -> b tcp/80", "a -> vm tcp/80",
                                        "vm -> outside udp/53"]
    lab.start_daemon(build_dir)
    waits_for(world, "--foreign=drop or --foreign=pass")
    assert lab.host("vm").port in status(world, "missing")
    world.expect(everything)
    assert world.flows() == flows
    assert fail_mode(lab) == "[]"
    assert not realized(world, lab.host("b"))
    lab.stop_daemon()

    lab.start_daemon(build_dir, "--foreign=pass")
    lab.wait()
    world.expect(["a -> b tcp/80", "a -> vm tcp/80", "vm -> a tcp/80",
                  "vm -> outside udp/53"], ["vm -> b tcp/80"])
    lab.stop_daemon()

    lab.start_daemon(build_dir, "--foreign=drop")
    lab.wait()
    world.expect(["a -> b tcp/80", "a -> outside udp/53"], everything)

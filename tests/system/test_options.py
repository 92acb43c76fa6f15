"""Options that move the pipeline elsewhere: it must do there what it does
where it is by default, and going from one place to another must open nothing
and leave nothing behind."""

import json
import re
import subprocess

import pytest

from lab import manifest, netns
from lab.core import find_program
from lab.ovs import wait_until

from world import PORTS, World, address, tcp_sockets

ZONE = 64000                    # where connections are without --ct-zone


@pytest.fixture(scope="module", name="world")
def fixture_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    for name, n in ("a", 10), ("b", 11), ("c", 12):
        lab.add_pod("web", name, [f"10.244.0.{n}", f"fd00:10:244::{n}"],
                    ports=PORTS)
    world.put_pods(wait=False)
    world.put("policies.json", only_a(), wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    return world


@pytest.fixture(name="restart")
def fixture_restart(world, build_dir):
    """A function that starts the daemon anew with other options; afterwards
    it is as it was."""
    lab = world.lab
    before = world.flows()

    def restart(*args):
        lab.stop_daemon()
        lab.start_daemon(build_dir, *args)
        lab.wait()

    yield restart
    others = world.flows("cookie=0x99/-1")
    if others:
        lab.ovs.ofctl("del-flows", "br-int", "cookie=0x99/-1")
    restart()
    assert world.flows() == before


def only_a():
    return manifest.policy(
        "web", "b", podSelector={"matchLabels": {"app": "b"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}],
                  "ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]}])


ALLOWED = ["a -> b tcp/80", "a -> b udp/53", "a -> c tcp/8080",
           "node -> b tcp/8080", "b -> c echo"]
OUT = ["b -> outside tcp/443", "outside -> c udp/53", "b -> node udp/53"]
DENIED = ["a -> b tcp/8080", "c -> b tcp/80", "outside -> b udp/53",
          "a -> b echo"]


def tables(flows):
    return {int(number) for flow in flows
            for number in re.findall(r"\btable=(\d+)", flow)} | (
        {0} if any("table=" not in flow for flow in flows) else set())


def add_flow(world, text):
    world.lab.ovs.ofctl("add-flow", "br-int", f"cookie=0x99,{text}")
    world.lab.ovs.settle()


def rows(lab):
    """{number: name} of the bridge's tables, as the database has them."""
    text = lab.ovs.vsctl("get", "Bridge", "br-int", "flow_tables")
    return {int(number): lab.ovs.vsctl("get", "Flow_Table", uuid, "name")
            for number, uuid in re.findall(r"(\d+)=([0-9a-f-]{36})", text)}


def test_table_base(world, restart):
    """All tables are higher by it, also those that flows name, and nothing is
    left below; what is there of somebody else's leads to us."""
    default = tables(world.our_flows())
    restart("--table-base=100")
    assert tables(world.our_flows()) == {n + 100 for n in default}
    targets = {int(n) for flow in world.our_flows() for n in re.findall(
        r"(?:resubmit\(,|[(,]table=)(\d+)", flow.split(" actions=")[1])}
    assert targets and min(targets) >= 100, targets
    # Nobody sends us anything yet.
    world.expect([], ["a -> c tcp/80", "node -> b tcp/80"])
    add_flow(world, "table=0,priority=0,actions=resubmit(,100)")
    world.expect(ALLOWED + OUT, DENIED)
    names = rows(world.lab)
    assert (names[100], names[185]) == ("classify", "ingress"), names


def zones(world):
    """Zone numbers of the connections in the datapath."""
    text = world.lab.ovs.appctl("ovs-vswitchd", "dpctl/dump-conntrack")
    return {int(zone) for zone in re.findall(r"zone=(\d+)", text)}


def test_ct_zone(world, restart):
    """Connections are remembered in the zone that was given, and in none of
    the zones before it."""
    world.expect(ALLOWED, DENIED)
    assert zones(world) <= {ZONE, ZONE + 1} and zones(world)
    restart("--ct-zone=7")
    world.lab.ovs.appctl("ovs-vswitchd", "dpctl/flush-conntrack")
    world.expect(ALLOWED + OUT, DENIED)
    assert zones(world) <= {7, 8} and zones(world)


def test_forward_to_a_table(world, restart):
    """What is not for a pod of ours is somebody else's to send."""
    lab = world.lab
    restart("--forward=table:200")
    world.expect(ALLOWED[:3], [*DENIED, "b -> outside tcp/443"])
    add_flow(world, "table=200,priority=1,actions=NORMAL")
    world.expect(ALLOWED + OUT, DENIED)
    flow, = [x for x in lab.ovs.ofctl("dump-flows", "br-int", "table=200")
             .splitlines() if "table=200" in x]
    assert "n_packets=0" not in flow, flow


def test_forward_to_a_port(world, restart):
    restart("--forward=uplink")
    world.expect(ALLOWED + OUT, DENIED)
    assert not [x for x in world.our_flows() if "NORMAL" in x]


def test_forward_to_a_port_that_is_missing(world, restart):
    """Pods reach each other; nothing leads out, and the status says why,
    until the port is there, also under another number."""
    lab = world.lab
    restart("--forward=elsewhere")
    world.expect(ALLOWED[:3], [*DENIED, "b -> outside tcp/443"])
    assert "elsewhere" in world.state()
    netns.ip(lab.node_ns, "link", "set", "uplink", "down")
    lab.ovs.vsctl("del-port", "uplink")
    netns.ip(lab.node_ns, "link", "set", "uplink", "name", "elsewhere", "up")

    def plug(name):
        lab.ovs.vsctl("add-port", "br-int", name, "--", "set", "Interface",
                      name, "external_ids:netpol-role=uplink")
        wait_until(lambda: lab.ovs.ofport(name) > 0, f"the number of {name}")
        lab.wait()

    try:
        plug("elsewhere")
        world.expect(ALLOWED + OUT, DENIED)
    finally:
        lab.ovs.vsctl("--if-exists", "del-port", "elsewhere")
        netns.ip(lab.node_ns, "link", "set", "elsewhere", "down")
        netns.ip(lab.node_ns, "link", "set", "elsewhere", "name", "uplink",
                 "up")
        lab.ovs.vsctl("add-port", "br-int", "uplink", "--", "set",
                      "Interface", "uplink",
                      "external_ids:netpol-role=uplink",
                      "ofport_request=1")
        wait_until(lambda: lab.ovs.ofport("uplink") == 1, "uplink's number")


def test_a_connection_survives_other_options(world, restart):
    """It is judged, and remembered in another zone: no new one is needed."""
    a, b = world.host("a"), world.host("b")
    world.put("policies.json", only_a(), manifest.policy(
        "web", "stream", podSelector={"matchLabels": {"app": "b"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}],
                  "ports": [{"port": 9000}]}]))
    ours, theirs = tcp_sockets(a, b, 9000)
    with ours, theirs:
        ours.settimeout(60)
        theirs.settimeout(60)
        for args in (["--ct-zone=7"], ["--established=keep"], []):
            restart(*args)
            ours.sendall(b"hello")
            assert theirs.recv(100) == b"hello", args
            theirs.sendall(b"welcome")
            assert ours.recv(100) == b"welcome", args
    world.put("policies.json", only_a())


@pytest.mark.parametrize("args", [
    [], ["--table-base=50", "--ct-zone=9"], ["--forward=uplink"],
    ["--established=keep", "--allow-to-node", "--foreign=pass"]],
    ids=" ".join)
def test_dry_run_is_what_is_installed(world, restart, build_dir, args):
    """Held against the bridge by ovs-ofctl itself."""
    lab = world.lab
    restart(*args)
    result = subprocess.run(
        netns.command(lab.node_ns, find_program(build_dir, "ovs-netpold"),
                      f"--source=dir:{lab.manifests}", "--dry-run", *args,
                      lab.ovs.db), env=lab.env, text=True,
        capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    path = lab.dir / "dry-run.flows"
    path.write_text(result.stdout)
    world.forget_learned()
    # It prints the differences, and fails if there are any.
    assert lab.ovs.ofctl("diff-flows", "br-int", path) == ""


def test_status_tells_one_story(world):
    """What the JSON has, the text for people has as well."""
    lab, text = world.lab, world.state()
    status = json.loads(lab.appctl("netpol/status", "json"))
    for pod in status["pods"]:
        line = next(x for x in text.splitlines()
                    if x.startswith(f"  {pod['namespace']}/{pod['name']}:"))
        assert f"port {pod['port']} ({pod['ofport']})" in line
        assert ",".join(pod["addresses"]) in line
        assert ("NOT realized" in line) == (not pod["realized"])
        assert address(lab.host(pod["name"]), 4) in pod["addresses"]
    switch = status["switch"]
    assert f"flows: {switch['installed']} (" in text
    assert switch["installed"] == len(world.our_flows()) == sum(
        switch["flows"].values())
    assert f"{switch['flow_mods']} flow-mods in {switch['bundles']}" in text
    assert status["bridge"]["database"] == lab.ovs.db
    assert "web/b ingress: b" in text
    assert [(p["name"], p["direction"], p["pods"])
            for p in status["policies"]] == [("b", "ingress", ["b"])]

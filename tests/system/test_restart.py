"""The daemon ends and starts again, others work on the same bridge, and flows
are removed: with policies in force and packets on their way."""

import contextlib
import os
import re
import signal

import pytest

from lab import LabError, manifest
from lab.ovs import wait_until

from world import COOKIE, PORTS, Stream, World, tcp_sockets, udp_sockets

STREAM = 9000
OURS = re.compile(rf"cookie=0x{COOKIE:x}[0-9a-f]{{12}}\b")


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    for ns, name, n in [("web", "a", 10), ("web", "b", 11), ("data", "c", 12)]:
        lab.add_pod(ns, name, [f"10.244.0.{n}", f"fd00:10:244::{n}"],
                    ports=PORTS)
    world.put_pods(wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world, build_dir):
    """With web/b isolated: web/a alone reaches it, and not everywhere."""
    world = module_world
    world.put("policies.json", only_a())
    yield world
    with contextlib.suppress(LabError):
        world.lab.ovs.ofctl("del-flows", "br-int", "cookie=0x99/-1")
        world.lab.ovs.ofctl("del-flows", "br-int", "cookie=0/-1")
    if world.lab.daemon is None:
        world.lab.start_daemon(build_dir)
    world.lab.appctl("netpol/resume")
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
    world.expect(["a -> b tcp/80", "a -> c tcp/8080", "node -> b tcp/80"],
                 ["a -> b tcp/8080", "c -> b tcp/80", "outside -> b udp/53"])


def others_flows(world):
    return [flow for flow in world.flows() if not OURS.search(flow)]


def switch(world):
    return world.status()["switch"]


class Monitor:
    """What changes in the flow table, as the switch tells it."""

    def __init__(self, world, name):
        self.world = world
        self.log = world.lab.ovs.logdir / f"{name}.err"
        self.bridge = world.lab.ovs.rundir / "br-int.mgmt"

    def __enter__(self):
        self.process = self.world.lab.spawn(
            self.world.host("node"), "ovs-ofctl", "monitor",
            f"unix:{self.bridge}", "watch:!initial", log=self.log.stem)
        self._fence("add-flow")
        return self

    def __exit__(self, *_exc):
        self.process.terminate()
        self.process.wait()

    def _fence(self, command):
        """A change of ours, and until it was told: nothing before it is
        still on its way."""
        mark = 0xfe9ce
        flow = f"table=250,cookie={mark:#x}"
        before = self._text().count(f"{mark:#x}")
        while self._text().count(f"{mark:#x}") == before:
            # Again and again, until the switch has heard who listens.
            self.world.lab.ovs.ofctl("add-flow", "br-int",
                                     f"{flow},actions=drop")
            self.world.lab.ovs.ofctl("del-flows", "br-int", f"{flow}/-1")
            with contextlib.suppress(LabError):
                wait_until(lambda: self._text().count(f"{mark:#x}") > before,
                           "the fence", patience=1)

    def _text(self):
        return self.log.read_text() if self.log.exists() else ""

    def changes(self):
        """Every change of a flow of ours, a line each."""
        self._fence("del-flows")
        return [line.strip() for line in self._text().splitlines()
                if "event=" in line and OURS.search(line)]


@contextlib.contextmanager
def live_streams(world):
    """A TCP stream and a one-way UDP stream of replies, which go on."""
    a, b = world.host("a"), world.host("b")
    ours, theirs = udp_sockets(a, b, STREAM)
    before = world.denials()
    with Stream(*tcp_sockets(a, b, STREAM, 6)) as tcp, \
            Stream(theirs, ours) as udp:
        yield
        tcp.flows()
        udp.flows()
    assert world.denials() == before, world.state()


# The end and the beginning.

@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, "exit"],
                         ids=str)
def test_a_restart_over_a_right_table_sends_nothing(world, build_dir, end):
    """The flows stay in place, packets pass and are judged while nobody is
    there, and who comes again finds everything right."""
    lab = world.lab
    flows, ids = world.flows(), port_ids(world)
    with Monitor(world, f"monitor-{end}") as monitor, live_streams(world):
        if end == "exit":
            lab.appctl("exit")
            assert lab.daemon.wait() == 0
        else:
            lab.daemon.send_signal(end)
            assert lab.daemon.wait() == (
                -end if end == signal.SIGKILL else 0)
        lab.daemon = None
        world.expect(["a -> b tcp/80", "a -> c tcp/8080"])
        assert world.flows() == flows
        lab.start_daemon(build_dir)
        lab.wait()
        world.expect(["a -> b tcp/80", "a -> c tcp/8080"])
        assert world.flows() == flows
        assert monitor.changes() == []
    works(world)
    seen = switch(world)
    assert (seen["flow_mods"], seen["bundles"], seen["errors"]) == (0, 0, 0)
    assert port_ids(world) == ids


def port_ids(world):
    return world.lab.ovs.vsctl("--columns=name,external_ids", "list",
                               "Interface")


def test_what_changed_meanwhile_is_all_that_is_sent(world, build_dir):
    """One bundle, and what was allowed before and after is never denied."""
    lab = world.lab
    before = set(world.flows())
    with live_streams(world):
        assert lab.stop_daemon() == 0
        world.put("policies.json", only_a(8080), wait=False)
        lab.start_daemon(build_dir)
        lab.wait()
        world.expect(["a -> b tcp/80", "a -> b tcp/8080"])
    world.expect([], ["c -> b tcp/80"])
    changed = set(world.flows()) ^ before
    seen = switch(world)
    assert seen["bundles"] == 1
    assert 0 < seen["flow_mods"] <= len(changed), changed


def test_the_node_was_prepared_while_the_daemon_was_away(world, build_dir):
    """New pods and their policies are there before their daemon is."""
    lab = world.lab
    assert lab.stop_daemon() == 0
    lab.add_pod("web", "d", ["10.244.0.13"], ports=PORTS)
    world.put_pods(wait=False)
    world.put("more.json", manifest.policy(
        "web", "d", podSelector={"matchLabels": {"app": "d"}}), wait=False)
    world.expect(["a -> b tcp/80"], ["d -> c tcp/80"])
    with live_streams(world):
        lab.start_daemon(build_dir)
        lab.wait()
        world.expect(["d -> c tcp/80"])
    world.expect([], ["a -> d tcp/80", "c -> d tcp/80"])
    works(world)


def test_detached(world, build_dir):
    """In the background, with a log that can be rotated: it ends cleanly."""
    lab = world.lab
    assert lab.stop_daemon() == 0
    flows = world.flows()
    program = build_dir / "src" / "daemon" / "ovs-netpold"
    reports = lab.ovs.logdir / "sanitizer"
    lab.exec(lab.host("node"), "env", f"ASAN_OPTIONS=log_path={reports}",
             f"UBSAN_OPTIONS=log_path={reports}", program,
             f"--source=dir:{lab.manifests}", "--detach", "--no-chdir",
             "--pidfile", "--log-file", "-vconsole:off", lab.ovs.db)
    pid = int((lab.ovs.rundir / "ovs-netpold.pid").read_text())
    try:
        lab.wait()
        log = lab.ovs.logdir / "ovs-netpold.log"
        log.rename(log.with_suffix(".log.1"))
        lab.appctl("vlog/reopen")
        (lab.manifests / "broken.yaml").write_text("a: [\n")
        lab.wait()
        assert f"{lab.manifests}/broken.yaml:" in log.read_text()
        assert world.flows() == flows
        works(world)
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not is_running(pid), "its end")
    left = [path.name for path in lab.ovs.rundir.glob(f"*{pid}*")]
    assert left == []
    assert not list(lab.ovs.logdir.glob("sanitizer*")), "".join(
        path.read_text() for path in lab.ovs.logdir.glob("sanitizer*"))
    assert world.flows() == flows


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# Others on the same bridge.

FOREIGN = [
    "cookie=0x99,table=0,priority=1,arp,arp_spa=198.51.100.1,actions=drop",
    "cookie=0x99,table=55,priority=20000,tcp,tp_dst=9999,actions=drop",
    "cookie=0x99,table=85,priority=10000,conj_id=7,actions=drop",
    "cookie=0x99,table=200,priority=9,ip,actions=learn(table=201),NORMAL",
    "cookie=0,table=130,priority=10,reg9=99,actions=drop",
    f"cookie={COOKIE + 1:#x}000000000001,table=85,priority=3,ip,actions=drop",
]


@pytest.mark.parametrize("name", ["others"])
def test_flows_of_others_are_never_touched(world, build_dir, name):
    """Not by edits, flush, resume or a restart, in whatever table they are
    and however much like ours they look."""
    lab = world.lab
    lab.ovs.ofctl("add-flows", "br-int", "-", stdin="\n".join(FOREIGN))
    theirs, flows = others_flows(world), world.flows()
    assert len(theirs) == len(FOREIGN)
    with Monitor(world, name) as monitor:
        world.put("policies.json", only_a(8080))
        world.put("policies.json", only_a())
        assert others_flows(world) == theirs
        assert world.flows() == flows
        lab.appctl("netpol/flush")
        assert world.flows() == theirs
        lab.appctl("netpol/resume")
        lab.wait()
        assert world.flows() == flows
        lab.stop_daemon()
        lab.start_daemon(build_dir)
        lab.wait()
        assert world.flows() == flows
        assert monitor.changes()
    assert switch(world)["flow_mods"] == 0
    assert switch(world)["foreign_flows"]
    # Somebody else's flow with a cookie next to ours is not ours either.
    lab.ovs.ofctl("del-flows", "br-int", f"cookie={COOKIE + 1:#x}"
                  "000000000001/-1")


def test_somebody_has_the_place_of_a_flow_of_ours(world, build_dir):
    """What is there when the daemon comes is left there; the rest is
    installed, and the wait says which is missing, until the place is free."""
    lab = world.lab
    policy = only_a(8080)
    world.put("policies.json", policy)
    mine = next(flow for flow in world.our_flows()
                if "tp_dst=8080" in flow and "table=85" in flow)
    world.put("policies.json", only_a())
    match = re.search(r"priority=\S+", mine)[0]
    theirs = f"cookie=0x99,table=85,{match},actions=drop"
    lab.ovs.ofctl("add-flow", "br-int", theirs)
    lab.stop_daemon()
    world.put("policies.json", policy, wait=False)
    lab.start_daemon(build_dir)
    with pytest.raises(LabError) as error:
        lab.appctl("netpol/wait", "3")
    assert "8080" in str(error.value), error.value
    assert "8080" in switch(world)["last_error"]
    assert not world.status()["realized"]
    world.expect(["a -> b tcp/80"], ["a -> b tcp/8080 v4"])
    assert [flow for flow in others_flows(world) if "tp_dst=8080" in flow]
    lab.ovs.ofctl("del-flows", "br-int", "cookie=0x99/-1")
    lab.wait()
    world.expect(["a -> b tcp/80", "a -> b tcp/8080"], ["c -> b tcp/80"])


@pytest.mark.parametrize("command", [
    ["del-flows", "br-int", "table=85"],
    ["del-flows", "br-int", "table=0"],
    ["mod-flows", "br-int", "table=60,priority=0,actions=resubmit(,80)"],
    ["del-flows", "br-int"],
], ids=lambda command: " ".join(command[::2]))
def test_what_others_did_to_our_flows_is_repaired(world, build_dir, command):
    """Tables that somebody emptied while no daemon was there let nothing
    through, and who starts on such a bridge puts it right, with nothing more
    than that."""
    flows, lab = world.flows(), world.lab
    lab.stop_daemon()
    lab.ovs.ofctl(*command)
    lab.ovs.settle()
    damaged = set(world.flows()) ^ set(flows)
    world.expect([], ["c -> b tcp/80", "a -> b tcp/8080"])
    lab.start_daemon(build_dir)
    lab.wait()
    assert world.flows() == flows
    seen = switch(world)
    assert seen["bundles"] == 1 and seen["flow_mods"] <= len(damaged)
    works(world)


# Flush.

def test_flush_holds_until_resume(world, build_dir):
    """Nothing is installed meanwhile, whatever changes, and the bridge, which
    is secure, forwards nothing; a restart ends it."""
    lab = world.lab
    flows = world.flows()
    lab.appctl("netpol/flush")
    assert world.flows() == []
    lab.ovs.settle()
    world.expect([], ["a -> c tcp/80", "c -> b tcp/80", "node -> a tcp/80"])
    world.put("policies.json", only_a(8080), wait=False)
    with pytest.raises(LabError, match="netpol/resume"):
        lab.appctl("netpol/wait")
    wait_until(lambda: world.status()["source"]["objects"]["NetworkPolicy"]
               == 1, "the policy")
    assert world.flows() == []
    assert world.status()["flushed"] and "flushed" in world.state()
    lab.appctl("netpol/resume")
    lab.wait()
    world.expect(["a -> b tcp/8080", "a -> b tcp/80"], ["c -> b tcp/80"])
    world.put("policies.json", only_a())
    assert world.flows() == flows
    lab.appctl("netpol/flush")
    lab.stop_daemon()
    lab.start_daemon(build_dir)
    lab.wait()
    assert world.flows() == flows

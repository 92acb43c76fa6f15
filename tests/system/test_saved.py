"""A daemon that starts without its source, or without a part of it: it goes on
with what was last good, says how old that is, and is not ready.  Packets tell
what is in force."""

import os
import time
import urllib.error
import urllib.request

import pytest

from lab import LabError, manifest, netns
from lab.ovs import wait_until

from world import PORTS, World

BROKEN = "spec: [\n  never: closed\n"


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    for n, name in enumerate("abc", 10):
        lab.add_pod("web", name, [f"10.244.0.{n}", f"fd00:10:244::{n}"],
                    ports=PORTS)
    world.put_pods(wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world, build_dir):
    """With web/b isolated: web/a alone reaches it, at port 80."""
    world = module_world
    world.put("policies.json", only_a(80))
    yield world
    lab = world.lab
    if hidden(lab).exists():
        hidden(lab).rename(lab.manifests)
    if lab.daemon is None:
        lab.start_daemon(build_dir)
    world.reset()


def only_a(port, name="only-a"):
    return manifest.policy(
        "web", name, podSelector={"matchLabels": {"app": "b"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}],
                  "ports": [{"port": port}]}])


def works(world, port=80):
    other = 8080 if port == 80 else 80
    world.expect([f"a -> b tcp/{port}", "a -> c tcp/8080"],
                 [f"a -> b tcp/{other}", f"c -> b tcp/{port}"])


def hidden(lab):
    return lab.manifests.with_name("hidden")


def saved(lab):
    """The one file with saved objects, once it is there and whole."""
    def files(pattern):
        return list(lab.ovs.dbdir.glob(f"ovs-netpold.*.{pattern}"))

    wait_until(lambda: files("objects") and not files("new"), "the file")
    file, = files("objects")
    return file


def set_aside(lab):
    return list(lab.ovs.dbdir.glob("*.bad"))


def wipe(world):
    """The switch forgets all flows, as when the node is started again."""
    world.lab.ovs.ofctl("del-flows", "br-int")
    world.lab.ovs.settle()


def enforced(world):
    """Waits until what was saved is in the switch."""
    def realized():
        pods = world.status()["pods"]
        return pods and all(pod["realized"] for pod in pods)

    wait_until(realized, "flows of saved objects")
    assert "netpol-realized" in world.lab.ovs.vsctl(
        "get", "Interface", world.host("b").port, "external_ids")
    world.lab.ovs.settle()


def get(world, page):
    """Status and text of a page of the daemon."""
    with netns.inside(world.lab.node_ns):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:10361{page}",
                                        timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def metric(world, name):
    return next(float(line.split()[1])
                for line in get(world, "/metrics")[1].splitlines()
                if line.split()[0] == name)


def test_only_root_may_read_it(world):
    assert saved(world.lab).stat().st_mode & 0o7777 == 0o600
    assert world.status()["source"]["saved"] == {
        "file": str(saved(world.lab)), "problem": None}


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_start_without_the_directory(world, build_dir, end):
    """All saved objects at once, over a switch that has nothing; not ready;
    and when the directory is back, the difference and nothing more."""
    lab = world.lab
    flows = set(world.flows())
    if end == "exit":
        assert lab.stop_daemon() == 0
    else:
        saved(lab)
        world.put("policies.json", only_a(8080))        # for the journal
        world.put("policies.json", only_a(80))
        lab.daemon.kill()
        lab.daemon.wait()
        lab.daemon = None
    lab.manifests.rename(hidden(lab))
    wipe(world)
    lab.start_daemon(build_dir)
    enforced(world)
    works(world)
    assert set(world.flows()) == flows

    status = world.status()
    source = status["source"]
    assert source["restored"] and not source["complete"]
    assert source["objects"]["NetworkPolicy"] == 1
    assert source["as_of"] and 0 <= source["age"] < 600
    assert not status["realized"]
    assert "was not read yet" in status["missing"]
    assert source["as_of"] in status["missing"]
    assert f"enforced: saved objects as of {source['as_of']} (" \
        in world.state()
    assert "NOT realized" in world.state()
    log = world.log()
    line = f"enforcing {sum(source['objects'].values())} objects as of"
    assert log.count(line) >= 1
    with pytest.raises(LabError, match="was not read yet"):
        lab.appctl("netpol/wait", "1")
    assert get(world, "/readyz")[0] == 503
    assert "ovs_netpol_ready 0" in get(world, "/metrics")[1]
    assert metric(world, "ovs_netpol_source_age_seconds") >= 0
    assert metric(world, 'ovs_netpol_connected{peer="source"}') == 0

    before = world.status()["switch"]
    assert world.log().count(line) == log.count(line)
    hidden(lab).rename(lab.manifests)
    lab.wait()
    assert set(world.flows()) == flows
    after = world.status()
    assert after["switch"]["flow_mods"] == before["flow_mods"]
    assert after["realized"] and not after["source"]["restored"]
    assert after["source"]["as_of"] is None
    assert get(world, "/readyz")[0] == 200


def test_what_changed_meanwhile_is_one_change(world, build_dir):
    """The policies were edited while nobody could see them."""
    lab = world.lab
    lab.stop_daemon()
    lab.manifests.rename(hidden(lab))
    lab.start_daemon(build_dir)
    enforced(world)
    works(world, 80)
    manifest.write(hidden(lab), "policies.json", only_a(8080))
    before = world.status()["switch"]
    hidden(lab).rename(lab.manifests)
    lab.wait()
    works(world, 8080)
    assert world.status()["switch"]["bundles"] == before["bundles"] + 1


def test_a_pod_that_nobody_knew_gets_nothing(world, build_dir):
    """It came while the daemon could not read anything."""
    lab = world.lab
    lab.stop_daemon()
    lab.manifests.rename(hidden(lab))
    lab.start_daemon(build_dir)
    enforced(world)
    pod = lab.add_pod("web", "d", ["10.244.0.14"], ports=PORTS)
    wait_until(lambda: any(port["name"] == pod.port
                           for port in world.status()["ports"]), "its port")
    world.expect(["a -> b tcp/80"], ["d -> c tcp/80", "a -> d tcp/80",
                                     "node -> d tcp/80"])
    assert "netpol-realized" not in lab.ovs.vsctl("get", "Interface",
                                                  pod.port, "external_ids")
    hidden(lab).rename(lab.manifests)
    world.put_pods()
    world.expect(["d -> c tcp/80", "a -> d tcp/80"])


@pytest.mark.parametrize("broken", [BROKEN, None], ids=["text", "object"])
def test_start_with_a_broken_file(world, build_dir, broken):
    """Its objects are those of before the start; the other files are read."""
    lab = world.lab
    world.put("more.json", manifest.policy(
        "web", "closed", podSelector={"matchLabels": {"app": "c"}}))
    world.expect([], ["a -> c tcp/80"])
    lab.stop_daemon()
    path = lab.manifests / "policies.json"
    if broken:
        path.write_text(broken)
    else:
        manifest.write(lab.manifests, "policies.json", only_a(0))
    (lab.manifests / "more.json").unlink()
    wipe(world)
    dates = set()
    for _ in range(2):          # and after one more restart
        lab.start_daemon(build_dir)
        lab.wait()
        works(world)
        source = world.status()["source"]
        assert source["complete"] and not source["restored"]
        kept, = source["kept"]
        assert kept["file"] == str(path)
        assert any(error["file"] == str(path) and error["reason"].endswith(
            "; the last good version stays in force")
            for error in source["refused"])
        assert f"last good objects of {path} as of {kept['as_of']} (" \
            in world.state()
        assert f"{path}: enforcing its last good objects" in world.log()
        assert metric(world, "ovs_netpol_source_kept_files") == 1
        dates.add(kept["as_of"])
        time.sleep(3.1)         # A restart makes nothing younger.
        lab.stop_daemon()
    assert len(dates) == 1
    lab.start_daemon(build_dir)
    world.put("policies.json", only_a(8080))
    works(world, 8080)
    assert world.status()["source"]["kept"] == []


def test_a_renamed_file_is_broken(world, build_dir):
    """That an object moved is no change of it, but is remembered."""
    lab = world.lab
    (lab.manifests / "policies.json").rename(lab.manifests / "renamed.json")
    lab.wait()
    lab.stop_daemon()
    (lab.manifests / "renamed.json").write_text(BROKEN)
    lab.start_daemon(build_dir)
    lab.wait()
    works(world)


def test_with_nothing_saved_all_stays(world, build_dir):
    """Installed flows stay as they are, and nothing is applied."""
    lab = world.lab
    lab.stop_daemon()
    saved(lab).unlink()
    lab.manifests.rename(hidden(lab))
    flows = world.flows()
    lab.start_daemon(build_dir)
    with pytest.raises(LabError, match="was not read yet"):
        lab.appctl("netpol/wait", "1")
    assert world.flows() == flows
    works(world)
    status = world.status()
    assert not status["source"]["restored"]
    assert status["switch"]["flow_mods"] == 0
    assert not list(lab.ovs.dbdir.glob("ovs-netpold*"))

    # And on a switch that has none there are none.
    wipe(world)
    lab.stop_daemon()
    lab.start_daemon(build_dir)
    with pytest.raises(LabError):
        lab.appctl("netpol/wait", "1")
    assert world.flows() == []
    hidden(lab).rename(lab.manifests)
    lab.wait()
    works(world)


@pytest.mark.parametrize("damage", ["bit", "foreign"])
def test_a_damaged_file_is_set_aside(world, build_dir, damage):
    """One warning, and as if nothing were saved."""
    lab = world.lab
    lab.stop_daemon()
    path = saved(lab)
    data = bytearray(path.read_bytes())
    if damage == "bit":
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    else:
        path.write_bytes(bytes(data).replace(b"dir:", b"kube"))
    lab.manifests.rename(hidden(lab))
    wipe(world)
    before = world.log().count("is not used")
    lab.start_daemon(build_dir)
    with pytest.raises(LabError, match="was not read yet"):
        lab.appctl("netpol/wait", "1")
    assert world.flows() == []
    assert world.log().count("is not used") == before + 1
    assert set_aside(lab) == [path.with_name(path.name + ".bad")]
    hidden(lab).rename(lab.manifests)
    lab.wait()
    works(world)
    set_aside(lab)[0].unlink()


def test_a_torn_end_is_nothing(world, build_dir):
    """As a crash in the middle of a write leaves it."""
    lab = world.lab
    lab.stop_daemon()
    path = saved(lab)
    with open(path, "ab") as stream:
        stream.write(b"put 1234 0123")
    lab.manifests.rename(hidden(lab))
    lab.start_daemon(build_dir)
    enforced(world)
    works(world)
    assert set_aside(lab) == []


def test_what_cannot_be_saved_is_said(world):
    """Policies are enforced all the same, and it is tried again."""
    lab = world.lab
    moved = lab.ovs.dbdir.with_name("db.moved")
    path = saved(lab)
    lab.stop_daemon()
    os.rename(lab.ovs.dbdir, moved)
    try:
        lab.start_daemon(lab.build_dir)
        lab.wait()
        works(world)
        wait_until(lambda: world.status()["source"]["saved"]["problem"],
                   "the problem")
        assert "NOT saved: " + str(path) in world.state()
        assert metric(world, "ovs_netpol_save_failing") == 1
        assert "objects cannot be saved" in world.log()
    finally:
        os.rename(moved, lab.ovs.dbdir)
    wait_until(lambda: world.status()["source"]["saved"]["problem"] is None,
               "the next try", patience=90)
    assert metric(world, "ovs_netpol_save_failing") == 0

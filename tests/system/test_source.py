"""The directory that the daemon reads: everything that editors, git, kubelet
and mistakes do to files, while policies have to stay in force.

The policy of most tests lets web/b be reached at one TCP port; which one the
daemon has taken in is seen from packets, 80 or 8080, and from the flows.
"""

import os
import re
import shutil
import socket
import subprocess

import pytest

from lab import LabError, manifest
from lab.ovs import wait_until

from world import PORTS, World

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  namespace: web
  name: {name}
spec:
  podSelector: {{matchLabels: {{app: b}}}}
  ingress:
  - ports:
    - port: {port}
"""
BROKEN = "spec: [\n  never: closed\n"


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    for n, name in enumerate("ab", 10):
        lab.add_pod("web", name, [f"10.244.0.{n}"], ports=PORTS)
    world.put_pods(wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world):
    yield module_world
    module_world.reset()


def policy(port, name="p"):
    return POLICY.format(port=port, name=name)


def write(world, name, text):
    """As an editor does that writes in place."""
    path = world.lab.manifests / name
    path.write_text(text)
    return path


def rename(world, name, text):
    """As an editor does that never leaves half a file."""
    path = world.lab.manifests / name
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    temporary.rename(path)
    return path


def ports_in_flows(world):
    """The TCP ports that clause flows match."""
    return {int(port) for flow in world.our_flows()
            for port in re.findall(r"tp_dst=(\d+)", flow)}


def notices(world, *ports):
    """Wait until the switch has policies for exactly `ports`, without asking
    the daemon for anything."""
    wait_until(lambda: ports_in_flows(world) == set(ports),
               f"flows for the ports {ports} alone")


def enforced(world, port):
    """Whether b is reached at `port`, 80 or 8080, and at no other."""
    other = {80: 8080, 8080: 80}[port]
    world.expect([f"a -> b tcp/{port}"], [f"a -> b tcp/{other}"])


def refused(world):
    return world.status()["source"]["refused"]


def errors(world):
    """Every refusal, as it is printed."""
    return [line.split("refused: ")[1] for line in world.state().splitlines()
            if "refused: " in line]


# Files that change.

def test_changes_are_noticed(world):
    """By themselves: written in place, replaced, renamed, deleted."""
    path = write(world, "p.yaml", policy(80))
    notices(world, 80)
    rename(world, "p.yaml", policy(8080))
    notices(world, 8080)
    write(world, "p.yaml", policy(80))
    notices(world, 80)
    write(world, "q.yml", policy(443, "q"))
    notices(world, 80, 443)
    path = path.rename(path.with_suffix(".txt"))
    notices(world, 443)
    path.rename(path.with_suffix(".json"))      # It may hold YAML as well.
    notices(world, 80, 443)
    (world.lab.manifests / "q.yml").unlink()
    notices(world, 80)
    enforced(world, 80)


def test_wait_reads_at_once(world):
    """No settle time: what was written before the command is enforced after
    it, each time."""
    for port in (80, 8080) * 5:
        write(world, "p.yaml", policy(port))
        world.lab.wait()
        assert ports_in_flows(world) == {port}


def test_what_editors_leave_is_not_read(world):
    write(world, "p.yaml", policy(80))
    for name in (".p.yaml.swp", "p.yaml~", "#p.yaml#", "4913", "p.yaml.bak",
                 ".#p.yaml", "p.yaml.orig", ".hidden.yaml", "p.YAML.tmp"):
        write(world, name, policy(8080, "p") + "---\n" + BROKEN)
    world.lab.wait()
    assert errors(world) == []
    assert ports_in_flows(world) == {80}


def test_the_dance_of_an_editor(world):
    """vim moves the file away, writes a new one, and removes the old: one
    change, and b is never open in between."""
    path = write(world, "p.yaml", policy(80))
    world.lab.wait()
    before = world.status()["switch"]["bundles"]
    backup = path.rename(path.with_name("p.yaml~"))
    write(world, "p.yaml", "")
    write(world, "p.yaml", policy(8080))
    backup.unlink()
    notices(world, 8080)
    assert world.status()["switch"]["bundles"] == before + 1


def test_many_changes_are_one(world):
    """As many files as a git checkout changes are a few bundles, and nothing
    is sent when everything was seen."""
    world.lab.wait()
    before = world.status()["switch"]["bundles"]
    ports = range(1000, 1200)
    for port in ports:
        rename(world, f"p{port}.yaml", policy(port, f"p{port}"))
    notices(world, *ports)
    world.lab.wait()
    bundles = world.status()["switch"]["bundles"] - before
    assert 1 <= bundles <= 20, f"{bundles} bundles for {len(ports)} files"
    flow_mods = world.status()["switch"]["flow_mods"]
    for path in world.lab.manifests.glob("p1*.yaml"):
        os.utime(path)
    world.lab.wait()
    assert world.status()["switch"]["flow_mods"] == flow_mods


# Mistakes.

def test_a_broken_file_keeps_what_it_said(world):
    """What was good stays in force, the rest goes on, and the status and the
    log say what is wrong, and where."""
    path = write(world, "p.yaml", policy(80))
    world.lab.wait()
    write(world, "p.yaml", policy(8080) + BROKEN)
    write(world, "q.yaml", policy(443, "q"))
    world.lab.wait()
    assert ports_in_flows(world) == {80, 443}
    wrong, = refused(world)
    assert wrong["file"] == str(path) and wrong["line"] >= 11
    assert "stays in force" in wrong["reason"]
    place = f"{path}:{wrong['line']}: "
    assert [e for e in errors(world) if e.startswith(place)], world.state()
    assert world.log().count(place) == 1, world.log()
    world.remove("q.yaml")
    enforced(world, 80)
    write(world, "p.yaml", policy(8080))
    world.lab.wait()
    assert errors(world) == []
    enforced(world, 8080)


def test_an_invalid_object_keeps_its_last_good_form(world):
    """The other object of its file follows the file."""
    path = write(world, "p.yaml", policy(80) + "---\n" + policy(1000, "q"))
    world.lab.wait()
    write(world, "p.yaml", policy(70000) + "---\n" + policy(2000, "q"))
    world.lab.wait()
    assert ports_in_flows(world) == {80, 2000}
    wrong, = refused(world)
    assert (wrong["file"], wrong["line"]) == (str(path), 10)
    assert wrong["path"] == "spec.ingress[0].ports[0].port"
    assert wrong["object"] == "NetworkPolicy web/p"
    assert "stays in force" in wrong["reason"]
    place = f"{path}:10: spec.ingress[0].ports[0].port: "
    assert world.log().count(place) == 1, world.log()
    # It goes once the file says so.
    write(world, "p.yaml", policy(2000, "q"))
    world.lab.wait()
    assert ports_in_flows(world) == {2000}


def test_an_object_that_was_never_valid(world):
    """There is no good form: the rest of its file is in force."""
    write(world, "p.yaml", policy(70000) + "---\n" + policy(80, "q"))
    world.lab.wait()
    assert ports_in_flows(world) == {80}
    assert len(refused(world)) == 1
    enforced(world, 80)


def test_two_files_define_one_object(world):
    """One of them holds, whichever changes; when it goes, the other does."""
    write(world, "p1.yaml", policy(80))
    write(world, "p2.yaml", policy(8080))
    world.lab.wait()
    assert ports_in_flows(world) == {80}
    assert len(refused(world)) == 1
    world.remove("p1.yaml")
    assert ports_in_flows(world) == {8080}
    assert errors(world) == []


def deep():
    return "a: " + "[" * 10000 + "]" * 10000 + "\n"


def laughs():
    """A few lines that would be gigabytes."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for i in range(1, 20):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")
    return "\n".join(lines) + "\n"


def large():
    """50 MB, of which not one word is for us, and then something is."""
    item = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n"
    item += "  k: " + "v" * 1000000 + "\n---\n"
    return item * 50 + policy(443, "q")


@pytest.mark.parametrize("name, text, port", [
    ("a file of 50 MB", large, 443),
    ("10,000 levels", deep, None),
    ("10,000 levels of JSON", lambda: '{"a":' * 10000, None),
    ("a billion laughs", laughs, None),
    ("garbage", lambda: bytes(range(256)) * 4000, None),
    ("zeros", lambda: bytes(100000), None),
    ("UTF-16", lambda: policy(443, "q").encode("utf-16"), 443),
    ("a million documents", lambda: "---\n" * 1000000, None),
    ("a long line", lambda: "a" * 5000000, None),
    ("an unfinished policy", lambda: policy(443, "q")[:-9], None),
], ids=lambda value: value if isinstance(value, str) else "")
def test_hostile_files(world, name, text, port):
    """The daemon lives, and everything else is enforced, also afterwards."""
    write(world, "p.yaml", policy(80))
    text = text()
    path = world.lab.manifests / "hostile.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    world.lab.appctl("netpol/wait", "300")
    allowed = {80, port} if port else {80}
    assert ports_in_flows(world) == allowed, f"{name}: {world.state()}"
    write(world, "p.yaml", policy(8080))
    notices(world, *(allowed - {80} | {8080}))


def test_things_that_are_no_files(world):
    """Their names promise what they do not hold; nobody waits for them."""
    lab = world.lab
    lab.wait()
    write(world, "p.yaml", policy(80))
    os.mkfifo(lab.manifests / "fifo.yaml")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(lab.manifests / "socket.yaml"))
    links = {"nowhere.yaml": "/nowhere/at/all", "loop.yaml": "loop.yaml",
             "device.yaml": "/dev/zero", "memory.yaml": "/proc/self/mem",
             "up": "..", "self": "."}
    for name, target in links.items():
        (lab.manifests / name).symlink_to(target)
    (lab.manifests / "directory.yaml").mkdir()
    (lab.manifests / "directory.yaml" / "q.yaml").write_text(policy(443, "q"))
    try:
        lab.appctl("netpol/wait", "60")
        assert ports_in_flows(world) == {80, 443}
        said = "\n".join(errors(world))
        # Read as files these fail, and that is said.
        for name in ("nowhere.yaml", "loop.yaml", "memory.yaml"):
            assert name in said, said
        write(world, "p.yaml", policy(8080))
        notices(world, 8080, 443)
    finally:
        for name in (*links, "fifo.yaml", "socket.yaml"):
            (lab.manifests / name).unlink()
        shutil.rmtree(lab.manifests / "directory.yaml")


def test_a_file_that_cannot_be_read_any_more(world):
    """It was good; now reading it fails."""
    path = write(world, "p.yaml", policy(80))
    world.lab.wait()
    path.unlink()
    path.symlink_to("/proc/self/mem")
    world.lab.wait()
    assert ports_in_flows(world) == {80}
    assert "stays in force" in "".join(errors(world))


# Directories.

def test_directories_below(world):
    """They come with what is in them, and go with it."""
    below = world.lab.manifests / "below" / "deeper"
    below.mkdir(parents=True)
    (below / "p.yaml").write_text(policy(80))
    notices(world, 80)
    rename(world, "below/deeper/p.yaml", policy(8080))
    notices(world, 8080)
    below.parent.rename(world.lab.manifests / ".below")
    notices(world)
    (world.lab.manifests / ".below").rename(below.parent)
    notices(world, 8080)
    shutil.rmtree(below.parent)
    notices(world)


def test_the_mount_of_a_config_map(world):
    """kubelet swaps the link "..data" and removes the old directory."""
    top = world.lab.manifests / "mount"
    top.mkdir()

    def swap(name, port):
        (top / name).mkdir()
        (top / name / "p.yaml").write_text(policy(port))
        (top / "..new").symlink_to(name)
        (top / "..new").rename(top / "..data")

    try:
        swap("..1", 80)
        (top / "p.yaml").symlink_to("..data/p.yaml")
        notices(world, 80)
        before = world.status()["switch"]["bundles"]
        swap("..2", 8080)
        shutil.rmtree(top / "..1")
        notices(world, 8080)
        assert world.status()["switch"]["bundles"] == before + 1
        assert errors(world) == []
    finally:
        shutil.rmtree(top)


def test_the_directory_goes_away_and_comes_back(world):
    """It says nothing while it is away, so all stays as it is."""
    lab = world.lab
    write(world, "p.yaml", policy(80))
    lab.wait()
    flows, away = world.our_flows(), lab.dir / "away"
    lab.manifests.rename(away)
    try:
        wait_until(lambda: world.status()["source"]["lost"], "the loss")
        assert str(lab.manifests) in world.status()["source"]["problem"]
        assert "LOST" in world.state()
        assert str(lab.manifests) in world.log()
        assert world.our_flows() == flows
        enforced(world, 80)
        (away / "p.yaml").write_text(policy(8080))
    finally:
        away.rename(lab.manifests)
    notices(world, 8080)
    assert not world.status()["source"]["lost"]
    # Removed with all that was in it, and made again.
    saved = {path.name: path.read_text() for path in lab.manifests.iterdir()}
    shutil.rmtree(lab.manifests)
    wait_until(lambda: world.status()["source"]["lost"], "the loss")
    # While the files went one by one, those that were gone may have counted.
    assert world.our_flows()
    lab.manifests.mkdir()
    for name, text in saved.items():
        write(world, name, text)
    notices(world, 8080)
    enforced(world, 8080)


def test_the_directory_is_replaced(world):
    """By another one, with one rename or by way of a link."""
    lab = world.lab
    write(world, "p.yaml", policy(80))
    lab.wait()
    other, old = lab.dir / "other", lab.dir / "old"
    shutil.copytree(lab.manifests, other)
    (other / "p.yaml").write_text(policy(8080))
    lab.manifests.rename(old)
    lab.manifests.symlink_to(other)
    try:
        notices(world, 8080)
        (other / "p.yaml").write_text(policy(443))
        notices(world, 443)
        link = lab.dir / "link"
        link.symlink_to(old)
        link.rename(lab.manifests)
        notices(world, 80)
    finally:
        lab.manifests.unlink()
        old.rename(lab.manifests)
        shutil.rmtree(other)
    write(world, "p.yaml", policy(8080))
    notices(world, 8080)


def test_an_empty_directory_has_no_objects(world):
    """Neither policies nor pods: its ports carry nothing, and the status says
    of each that its pod is not known."""
    lab = world.lab
    pods = (lab.manifests / "pods.json").read_text()
    write(world, "p.yaml", policy(80))
    lab.wait()
    world.remove("p.yaml", "pods.json")
    status = world.status()
    assert set(status["source"]["objects"].values()) == {0}, status["source"]
    assert status["source"]["complete"] and not status["source"]["lost"]
    problems = {p["name"]: p["problem"] for p in status["ports"]}
    for pod in lab.pods.values():
        assert problems[pod.port] == f"no pod {pod.key} is known"
    world.expect(["outside -> node udp/53"], ["a -> b tcp/80"])
    write(world, "pods.json", pods)
    lab.wait()
    world.expect(["a -> b tcp/80", "a -> b tcp/8080"])


def test_a_directory_that_appears_later(make_lab, build_dir):
    """Until then nothing is installed, and the daemon says what it waits
    for."""
    lab = make_lab()
    world = World(lab)
    for n, name in enumerate("ab", 10):
        lab.add_pod("web", name, [f"10.244.0.{n}"], ports=PORTS)
    lab.manifests.rmdir()
    lab.start_daemon(build_dir)
    with pytest.raises(LabError, match=str(lab.manifests)):
        lab.appctl("netpol/wait", "1")
    assert not world.status()["source"]["complete"]
    assert world.our_flows() == []
    # As by `cp -r`, while somebody looks.
    hidden = lab.dir / "hidden"
    hidden.mkdir()
    manifest.write(hidden, "pods.json", *manifest.describe(lab))
    (hidden / "p.yaml").write_text(policy(80))
    hidden.rename(lab.manifests)
    notices(world, 80)
    enforced(world, 80)


def test_a_file_system_on_the_directory(make_lab, build_dir):
    """Mounted over it while the daemon runs, as a volume is, and unmounted:
    the directory is another one each time."""
    lab = make_lab()
    world = World(lab)
    lab.add_pod("web", "b", ["10.244.0.11"], ports=PORTS)
    world.put_pods(wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    (lab.dir / "volume").mkdir()
    shutil.copy(lab.manifests / "pods.json", lab.dir / "volume")
    (lab.dir / "volume" / "p.yaml").write_text(policy(80))
    mount = ["mount", "--bind", lab.dir / "volume", lab.manifests]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no mount(2) here")
    try:
        notices(world, 80)
        write(world, "p.yaml", policy(8080))
        notices(world, 8080)
    finally:
        subprocess.run(["umount", lab.manifests], check=True)
    notices(world)

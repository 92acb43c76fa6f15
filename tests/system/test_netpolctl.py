"""netpolctl: what is wrong with policies, and what they mean.  It needs neither
a switch nor root."""

import json
import os
import pathlib
import pty
import re
import subprocess

import pytest

pytestmark = pytest.mark.rootless

GOLDEN = pathlib.Path(__file__).resolve().parent / "netpolctl"
SHOP = pathlib.Path(__file__).resolve().parents[2] / "deploy/examples/shop"
PODS = {"frontend": "production/frontend", "backend": "production/backend",
        "postgres": "data/postgres", "kube-dns": "kube-system/kube-dns",
        "attacker": "untrusted/attacker", "outside": "203.0.113.10",
        "node": "192.0.2.1"}


@pytest.fixture(name="ctl")
def fixture_ctl(build_dir):
    """Runs netpolctl; returns (exit status, stdout, stderr)."""
    def run(*args, stdin="", cwd=None, **env):
        done = subprocess.run(
            [build_dir / "src/cli/netpolctl", *map(str, args)], text=True,
            input=stdin, capture_output=True, check=False, timeout=60,
            env={**os.environ, **env}, cwd=cwd)
        return done.returncode, done.stdout, done.stderr
    return run


def policy(spec, name="p", namespace="a"):
    return json.dumps({"apiVersion": "networking.k8s.io/v1",
                       "kind": "NetworkPolicy",
                       "metadata": {"name": name, "namespace": namespace},
                       "spec": spec}) + "\n"


def pod(name, *ips, namespace="a", spec=None, phase="Running"):
    return json.dumps({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace,
                     "labels": {"app": name}},
        "spec": spec or {}, "status": {"phase": phase, "podIPs": [
            {"ip": ip} for ip in ips]}}) + "\n"


def expected_cells():
    """(source, destination, port, protocol, allowed) of the last step."""
    lines = [line.split() for line in
             (SHOP / "expected/50-backend-to-card-processor.txt").read_text()
             .splitlines() if line]
    head = next(words for words in lines if words[0] == "from")
    ports = next(words for words in lines
                 if words[0] == "#" and words[1].isdigit())
    for words in lines:
        if words[0] in PODS:
            for target, port, cell in zip(head[1:], ports[1:], words[1:]):
                if cell != ".":
                    yield words[0], target, port, "tcp", "tcp" in cell
                    yield words[0], target, "53", "udp", "udp" in cell


def test_shop_is_as_its_table_says(ctl):
    cells = [c for c in expected_cells() if c[0] != "node"]
    assert len(cells) > 60
    for source, target, port, proto, allowed in cells:
        status, out, _ = ctl("check", "-f", SHOP, PODS[source],
                             f"{PODS[target]}:{port}/{proto}")
        assert (status == 0) == allowed, out
        assert out.startswith("allowed" if allowed else "denied")


def test_reasons_have_places(ctl):
    """What stands at each place is what it is said to be."""
    status, out, _ = ctl("check", "-f", SHOP, "production/backend",
                         "data/postgres:5432")
    assert status == 0
    lines = [re.fullmatch(r" {6}(\S+) +(\S+):(\d+)", line)
             for line in out.splitlines() if line.startswith("      ")]
    assert len(lines) == 14 and all(lines)
    for name, path, number in (match.groups() for match in lines):
        text = pathlib.Path(path).read_text().splitlines()
        here = text[int(number) - 1]
        if name == "egress[0]":
            assert here == "  - to:"
        elif name == "ingress[0]":
            assert here == "  - from:"
        elif name in ("to[0]", "from[0]"):
            assert here == "    - namespaceSelector:"
        elif name == "ports[0]":
            assert here == "    - protocol: TCP"
        else:
            assert here == "apiVersion: networking.k8s.io/v1"
            assert f"  name: {name.split('/')[1]}" in text[int(number):]


# Commands whose whole output is kept in netpolctl/NAME.out; with
# NETPOL_GOLDEN_UPDATE it is written.
GOLDENS = {
    "check-allowed": "check -f shop production/backend data/postgres:5432",
    "check-denied": "check -f shop untrusted/attacker data/postgres:5432",
    "check-outside": "check -f shop 203.0.113.10 production/frontend:8080",
    "check-json": "check -f shop -o json production/frontend "
                  "production/backend:8080",
    "check-families": "check -f two.yaml a/left a/right:80",
    "check-families-json": "check -f two.yaml -o json a/left a/right:80/udp",
    "validate": "validate -f bad.yaml",
    "validate-json": "validate -f bad.yaml -o json",
}


@pytest.mark.parametrize("name", GOLDENS)
def test_golden(ctl, name, tmp_path):
    (tmp_path / "shop").symlink_to(SHOP)
    for manifest in GOLDEN.glob("*.yaml"):
        (tmp_path / manifest.name).symlink_to(manifest)
    _, out, err = ctl(*GOLDENS[name].split(), cwd=tmp_path)
    golden = GOLDEN / f"{name}.out"
    if os.environ.get("NETPOL_GOLDEN_UPDATE"):
        golden.write_text(out + err)
    assert out + err == golden.read_text()


def test_check_json(ctl):
    status, out, _ = ctl("check", "-f", SHOP, "-o", "json",
                         "production/frontend", "data/postgres:5432")
    answer = json.loads(out)
    assert status == 1 and answer["allowed"] is False
    assert (answer["protocol"], answer["port"]) == (6, 5432)
    assert len(answer["addresses"]) == 2
    for pair in answer["addresses"]:
        assert pair["egress"]["why"] == "no-rule"
        assert pair["egress"]["allowed_by"] is None
        assert {p["name"] for p in pair["egress"]["isolated_by"]} == {
            "allow-dns", "default-deny", "frontend-to-backend"}


ISOLATE = policy({"podSelector": {}})


NODE = json.dumps({
    "apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
    "status": {"addresses": [{"type": "InternalIP",
                              "address": "192.0.2.1"}]}}) + "\n"
ON_NODE = {"nodeName": "n1"}
AGENT = {"hostNetwork": True, "nodeName": "n1"}
DENIED = "isolated by, and no rule there allows it"


@pytest.mark.parametrize("objects, args, status, words", [
    # The pod itself and its own node are always let in.
    (pod("x", "10.0.0.1", spec=ON_NODE) + ISOLATE + NODE,
     ["192.0.2.1", "a/x:80"], 0, "a node may always reach its own pods"),
    (pod("x", "10.0.0.1") + ISOLATE + NODE, ["192.0.2.1", "a/x:80"], 1,
     DENIED),
    (pod("x", "10.0.0.1") + ISOLATE + NODE,
     ["--node=n1", "192.0.2.1", "a/x:80"], 0, "a node may always"),
    (pod("x", "10.0.0.1", spec=ON_NODE) + ISOLATE + NODE.replace("n1", "n2"),
     ["--node=n2", "192.0.2.1", "10.0.0.1:80"], 0, "a node may always"),
    (pod("x", "10.0.0.1") + ISOLATE, ["a/x", "a/x:80"], 0,
     "a pod may always reach itself"),
    # A pod on the host's network is its node, also where only its spec or
    # only its status says which address that is.
    (pod("x", "10.0.0.1") + pod("z", "192.0.2.1", spec={"hostNetwork": True})
     + ISOLATE, ["a/x", "a/z:1"], 0, "it is on the host's network"),
    (pod("x", "10.0.0.1", spec=ON_NODE) + pod("z", spec=AGENT) + NODE
     + ISOLATE, ["a/z", "a/x:1"], 0, "a node may always"),
    (pod("x", "10.0.0.1", spec=ON_NODE) + pod("z", "192.0.2.1", spec=AGENT)
     + ISOLATE, ["192.0.2.1", "a/x:1"], 0, "a node may always"),
    (pod("x", "10.0.0.1", spec={"nodeName": "n2"})
     + pod("z", "192.0.2.1", spec=AGENT) + ISOLATE, ["a/z", "a/x:1"], 1,
     DENIED),
    # Pods that have finished are nobody's subject or peer.
    (pod("x", "10.0.0.1", phase="Succeeded") + ISOLATE, ["1.1.1.1", "a/x:1"],
     0, "it has finished"),
    # Names of ports are the destination's; the default namespace is -n's.
    (pod("x", "10.0.0.1") + pod("z", "10.0.0.2", spec={"containers": [
        {"name": "c", "image": "i", "ports": [
            {"name": "http", "containerPort": 8080}]}]})
     + policy({"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]}),
     ["-n", "a", "x", "z:http"], 0, "TCP port 8080 (http)"),
    # An address that is a pod's is the pod.
    (pod("x", "10.0.0.1") + pod("z", "10.0.0.2") + policy(
        {"podSelector": {}, "ingress": [{"from": [{"podSelector": {
            "matchLabels": {"app": "x"}}}]}]}), ["10.0.0.1", "10.0.0.2:1"], 0,
     "from[0]"),
    # Families that differ are told apart.
    (pod("x", "10.0.0.1", "fd00::1") + pod("z", "10.0.0.2", "fd00::2")
     + policy({"podSelector": {"matchLabels": {"app": "z"}}, "ingress": [
         {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
     ["a/x", "a/z:1"], 1, "IPv6 fd00::1 -> fd00::2: denied"),
    # A pod that has no address yet has labels, but is in no block.
    (pod("x", "10.0.0.1") + pod("z") + ISOLATE, ["a/x", "a/z:1"], 1,
     "a/z has no address yet"),
    (pod("x") + pod("z", "10.0.0.2") + policy(
        {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}),
     ["a/x", "a/z:1"], 0, "a/x has no address yet"),
    (pod("x") + pod("z", "10.0.0.2") + policy(
        {"podSelector": {}, "ingress": [{"from": [
            {"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}),
     ["a/x", "a/z:1"], 1, "a/x has no address yet"),
    # Without a port: traffic of every kind.
    (pod("x", "10.0.0.1") + pod("z", "10.0.0.2")
     + policy({"podSelector": {}, "ingress": [{"ports": [{}]}]}),
     ["a/x", "a/z"], 1, "traffic of every kind"),
    (pod("x", "10.0.0.1") + pod("z", "10.0.0.2")
     + policy({"podSelector": {}, "ingress": [{}]}),
     ["a/x", "a/z:0/icmp"], 0, "protocol 1"),
    (pod("x", "fd00::1"), ["a/x", "[2001:db8::1]:443"], 0,
     "2001:db8::1, TCP port 443"),
])
def test_check(ctl, objects, args, status, words):
    seen, out, _ = ctl("check", "-f", "-", *args, stdin=objects)
    assert (seen, words in out) == (status, True), out
    assert out.startswith("denied" if status else "allowed")
    seen, out, _ = ctl("check", "-f", "-", "-o", "json", *args, stdin=objects)
    assert (seen, json.loads(out)["allowed"]) == (status, not status)


@pytest.mark.parametrize("args, words", [
    (["check", "-f", SHOP, "production/none", "1.2.3.4"], "no pod production"),
    (["check", "-f", SHOP, "1.2.3.4", "1.2.3.5:http"], "is not a pod"),
    (["check", "-f", SHOP, "1.2.3.4", "1.2.3.5:0"], "between 1 and 65535"),
    (["check", "-f", SHOP, "1.2.3.4", "1.2.3.5:1/x"], "is no protocol"),
    (["check", "-f", SHOP, "1.2.3.4", "[fd00::1"], "expected [ADDRESS]:PORT"),
    (["check", "-f", SHOP, "1.2.3.4", "fd00::1"], "of one family"),
    (["check", "-f", SHOP, "--node=x", "1.2.3.4", "1.2.3.5"], "address of node x"),
    (["check", "-f", SHOP, "1.2.3.4"], "usage: netpolctl check"),
    (["check", "1.2.3.4", "1.2.3.4"], "needs -f"),
    (["check", "-f", SHOP, "1.2.3.4", "1.2.3.5:/tcp"], "is a name"),
    (["check", "-f", SHOP, "1.2.3.4", "production/frontend:x"], "no port"),
    (["validate", "-f", "/nowhere"], "No such file"),
    (["validate", "-f", SHOP, "x"], "usage: netpolctl validate"),
    (["validate", "-f"], "needs an argument"),
    (["validate", "-f", SHOP, "-o", "xml"], "neither text nor json"),
    (["bake"], 'unknown command "bake"'), ([], "no command"),
    (["--bogus"], "unknown option --bogus"),
])
def test_cannot_run(ctl, args, words):
    status, out, err = ctl(*args)
    assert status == 2 and not out
    assert err.startswith("netpolctl: ") and err.count("\n") == 1
    assert words in err


def test_validate_clean(ctl):
    status, out, err = ctl("validate", "-f", SHOP)
    assert (status, out) == (0, "")
    assert re.fullmatch(r"netpolctl: \d+ valid objects, 0 errors, 0 warnings\n",
                        err)


BAD = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: bad, namespace: a}
spec:
  policyTypes: [ingres]
  ingress:
  - from:
    - podSelector: {}
      ipBlock: {cidr: 10.0.0.0/8}
    ports:
    - port: "80"
    - {port: 90, endPort: 80}
"""


def test_validate_errors(ctl, tmp_path):
    """All errors of all files, in the order of their lines, each with a way
    out; what is good is counted."""
    (tmp_path / "a.yaml").write_text(BAD)
    (tmp_path / "b.json").write_text(pod("x", "10.0.0.1"))
    args = ["-f", tmp_path / "a.yaml", "-f", tmp_path / "b.json"]
    status, out, err = ctl("validate", *args)
    assert status == 1
    assert [line.split(":")[1] for line in out.splitlines()
            if not line.startswith("    ")] == ["5", "8", "11", "12"]
    assert f"{tmp_path}/a.yaml:11: spec.ingress[0].ports[0].port: Invalid " \
        'value: "80": must contain at least one letter (a-z) (NetworkPolicy ' \
        "a/bad)\n    write 80 without quotes" in out
    assert err == "netpolctl: 1 valid object, 4 errors, 0 warnings\n"
    # A file says the same however often it is named, and as a directory.
    assert ctl("validate", *args, *args) == (status, out, err)
    assert ctl("validate", "-f", tmp_path) == (status, out, err)
    assert ctl("validate", "-f", tmp_path, *args) == (status, out, err)

    status, out, _ = ctl("validate", "-o", "json", *args)
    answer = json.loads(out)
    assert status == 1 and answer["objects"] == 1
    assert answer["valid"] is False and answer["version"] == 1
    assert [e["line"] for e in answer["errors"]] == [5, 8, 11, 12]
    assert {e["object"] for e in answer["errors"]} == {"NetworkPolicy a/bad"}
    assert all(e["hint"] for e in answer["errors"])


def test_validate_warnings(ctl, tmp_path):
    """They are shown, from a directory too, and are no errors."""
    text = policy({"podSelector": {}, "ingres": [], "egress": [{"to": [
        {"ipBlock": {"cidr": "10.1.2.3/8"}}]}]})
    status, out, err = ctl("validate", "-f", "-", stdin=text)
    assert status == 0
    assert "-:1: warning: spec.ingres: unknown field, has no effect; did you " \
        'mean "ingress"? (NetworkPolicy a/p)\n' in out
    assert 'should be "10.0.0.0/8" or "10.1.2.3/32"?' in out
    assert err == "netpolctl: 1 valid object, 0 errors, 2 warnings\n"
    (tmp_path / "w.json").write_text(text)
    status, out, _ = ctl("validate", "-f", tmp_path, "-o", "json")
    answer = json.loads(out)
    assert status == 0 and answer["valid"] is True and not answer["errors"]
    assert {w["path"] for w in answer["warnings"]} == {
        "spec.ingres", "spec.egress[0].to[0].ipBlock.cidr"}


@pytest.mark.parametrize("as_directory", [False, True])
def test_validate_duplicates(ctl, tmp_path, as_directory):
    """Both places are named."""
    (tmp_path / "a.json").write_text(ISOLATE)
    (tmp_path / "b.json").write_text("\n" + ISOLATE)
    args = (["-f", tmp_path] if as_directory
            else ["-f", tmp_path / "a.json", "-f", tmp_path / "b.json"])
    status, out, err = ctl("validate", *args)
    assert status == 1
    assert out.startswith(
        f'{tmp_path}/b.json:2: metadata.name: Duplicate value: "p": '
        f"NetworkPolicy a/p is already defined at {tmp_path}/a.json:1, which "
        "holds (NetworkPolicy a/p)\n    ")
    assert "1 valid object, 1 error, " in err


def test_validate_others(ctl):
    """Documents of other kinds are counted."""
    other = "kind: ConfigMap\napiVersion: v1\n---\n"
    status, out, err = ctl("validate", "-f", "-", stdin=2 * other)
    assert (status, out) == (0, "")
    assert err == "netpolctl: 0 valid objects, 0 errors, 0 warnings; " \
        "2 documents of other kinds skipped\n"


# By name: as an id of a test the texts would be too large.
GARBAGE = {
    "deep": ("[" * 200000, "levels deep"),
    "flat": ("a: " * 100000, ":1: "),
    "zeros": ("\0" * 1000, ":1: "),
    "deep-json": ("{" * 200000, ":1: "),
    "cut-json": ('{"kind": "Pod"', ":1: "),
    "list": ("- x\n", "expected an object, got a list"),
    "no-version": ("kind: Pod\n", "Object 'apiVersion' is missing"),
    "many-errors": ("".join(f"---\n{BAD}" for _ in range(1000)),
                    "too many errors"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_validate_garbage(ctl, name):
    text, words = GARBAGE[name]
    status, out, err = ctl("validate", "-f", "-", stdin=text)
    assert status == 1
    assert words in out
    assert "Sanitizer" not in err
    assert len(out) < 1000000
    assert json.loads(ctl("validate", "-f", "-", "-o", "json",
                          stdin=text)[1])["errors"]


def test_large_input(ctl):
    """A cluster's worth of pods in one list is no trouble."""
    pods = ",".join(pod(f"x{i}", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
                    for i in range(30000))
    text = f'{{"apiVersion": "v1", "kind": "List", "items": [{pods}]}}'
    status, _, err = ctl("validate", "-f", "-", stdin=text)
    assert (status, err) == (
        0, "netpolctl: 30000 valid objects, 0 errors, 0 warnings\n")
    assert ctl("check", "-f", "-", "a/x5", "a/x29999:1", stdin=text)[0] == 0


def test_full_disk(build_dir):
    """An output that went nowhere is no answer."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [build_dir / "src/cli/netpolctl", "check", "-f", SHOP, "1.1.1.1",
             "1.1.1.2"], stdout=full, stderr=subprocess.PIPE, check=False,
            text=True, timeout=60)
    assert done.returncode == 2 and "cannot write" in done.stderr


@pytest.mark.parametrize("env, coloured", [
    ({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colour(build_dir, env, coloured):
    """On a terminal only, and not against the user's will."""
    here, there = pty.openpty()
    base = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    with os.fdopen(here, "rb") as terminal:
        subprocess.run(
            [build_dir / "src/cli/netpolctl", "check", "-f", SHOP, "1.1.1.1",
             "1.1.1.2"], stdout=there, check=True, timeout=60,
            env={**base, "TERM": "xterm", **env})
        out = os.read(terminal.fileno(), 4096)
        os.close(there)
    assert (b"\033[1;32mallowed\033[0m" in out) == coloured
    assert (b"\033" in out) == coloured


def test_check_goes_on_without_what_is_wrong(ctl):
    status, _, err = ctl("check", "-f", "-", "10.0.0.1", "10.0.0.2:1",
                         stdin=BAD)
    assert status == 0 and "judged without the objects that have errors (4," in err


def test_help_and_version(ctl):
    status, out, _ = ctl("--help")
    assert status == 0 and "netpolctl check -f policies/" in out
    assert ctl("--version")[0] == 0
    status, out, _ = ctl("check", "-f", SHOP, "1.2.3.4", "1.2.3.5")
    assert "\033" not in out

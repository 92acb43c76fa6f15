"""netpolctl: what is wrong with policies, and what they mean.  It needs neither
a switch nor root."""

import json
import os
import pathlib
import re
import subprocess

import pytest

SHOP = pathlib.Path(__file__).resolve().parents[2] / "deploy/examples/shop"
PODS = {"frontend": "production/frontend", "backend": "production/backend",
        "postgres": "data/postgres", "kube-dns": "kube-system/kube-dns",
        "attacker": "untrusted/attacker", "outside": "203.0.113.10",
        "node": "192.0.2.1"}


@pytest.fixture(name="ctl")
def fixture_ctl(build_dir):
    """Runs netpolctl; returns (exit status, stdout, stderr)."""
    def run(*args, stdin="", **env):
        done = subprocess.run(
            [build_dir / "src/cli/netpolctl", *map(str, args)], text=True,
            input=stdin, capture_output=True, check=False, timeout=60,
            env={**os.environ, **env})
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
    status, out, _ = ctl("check", "-f", SHOP, "production/backend",
                         "data/postgres:5432")
    assert status == 0
    for place in re.findall(r"\(([^)]*:\d+)\)", out):
        path, line = place.rsplit(":", 1)
        assert pathlib.Path(path).read_text().splitlines()[int(line) - 1]
    assert re.search(r"allowed by NetworkPolicy production/backend-to-postgres"
                     r" egress\[0\] to\[0\] ports\[0\] \(.*40-backend-to-"
                     r"postgres.yaml:\d+\)", out)
    assert "ingress of data/postgres: isolated by" in out


def test_check_json(ctl):
    status, out, _ = ctl("check", "-f", SHOP, "-o", "json",
                         "production/frontend", "data/postgres:5432")
    answer = json.loads(out)
    assert status == 1 and answer["allowed"] is False
    assert (answer["protocol"], answer["port"]) == (6, 5432)
    assert len(answer["addresses"]) == 2
    for pair in answer["addresses"]:
        assert "allowed_by" not in pair["egress"]
        assert {p["name"] for p in pair["egress"]["isolated_by"]} == {
            "allow-dns", "default-deny", "frontend-to-backend"}


ISOLATE = policy({"podSelector": {}})


@pytest.mark.parametrize("objects, args, status, words", [
    # The pod itself and its own node are always let in.
    (pod("x", "10.0.0.1", spec={"nodeName": "n"}) + ISOLATE +
     '{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status":'
     ' {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}\n',
     ["192.0.2.1", "a/x:80"], 0, "always allowed from the pod's own node"),
    (pod("x", "10.0.0.1") + ISOLATE, ["192.0.2.1", "a/x:80"], 1,
     "no rule of theirs allows it"),
    (pod("x", "10.0.0.1") + ISOLATE, ["a/x", "a/x:80"], 0,
     "always allowed from the pod itself"),
    # Names of ports are the destination's; the default namespace is -n's.
    (pod("x", "10.0.0.1") + pod("y", "10.0.0.2", spec={"containers": [
        {"name": "c", "image": "i", "ports": [
            {"name": "http", "containerPort": 8080}]}]})
     + policy({"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]}),
     ["-n", "a", "x", "y:http"], 0, "TCP port 8080 (http)"),
    # Families that differ are told apart.
    (pod("x", "10.0.0.1", "fd00::1") + pod("y", "10.0.0.2", "fd00::2")
     + policy({"podSelector": {"matchLabels": {"app": "y"}}, "ingress": [
         {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
     ["a/x", "a/y:1"], 1, "denied: fd00::1 -> fd00::2"),
    # A pod that has no address yet has labels all the same.
    (pod("x", "10.0.0.1") + pod("y") + ISOLATE, ["a/x", "a/y:1"], 1,
     "a/y has no address yet"),
    # On the host's network it is the node, and no policy's.
    (pod("x", "10.0.0.1") + pod("y", "192.0.2.1", spec={"hostNetwork": True})
     + ISOLATE, ["a/x", "a/y:1"], 0, "on the host's network"),
    # Without a port: traffic of every kind.
    (pod("x", "10.0.0.1") + pod("y", "10.0.0.2")
     + policy({"podSelector": {}, "ingress": [{"ports": [{}]}]}),
     ["a/x", "a/y"], 1, "traffic of every kind"),
    (pod("x", "10.0.0.1") + pod("y", "10.0.0.2")
     + policy({"podSelector": {}, "ingress": [{}]}),
     ["a/x", "a/y:0/icmp"], 0, "protocol 1"),
    (pod("x", "fd00::1"), ["a/x", "[2001:db8::1]:443"], 0,
     "2001:db8::1, TCP port 443"),
])
def test_check(ctl, objects, args, status, words):
    seen, out, _ = ctl("check", "-f", "-", *args, stdin=objects)
    assert (seen, words in out) == (status, True), out


@pytest.mark.parametrize("args, words", [
    (["check", "-f", SHOP, "production/none", "1.2.3.4"], "no pod production"),
    (["check", "-f", SHOP, "1.2.3.4", "1.2.3.5:http"], "is not a pod"),
    (["check", "-f", SHOP, "1.2.3.4", "1.2.3.5:0"], "between 1 and 65535"),
    (["check", "-f", SHOP, "1.2.3.4", "1.2.3.5:1/x"], "is no protocol"),
    (["check", "-f", SHOP, "1.2.3.4", "[fd00::1"], "expected [ADDRESS]:PORT"),
    (["check", "-f", SHOP, "1.2.3.4", "fd00::1"], "of one family"),
    (["check", "-f", SHOP, "--node=x", "1.2.3.4", "1.2.3.5"], "no node x"),
    (["check", "-f", SHOP, "1.2.3.4"], "usage: netpolctl check"),
    (["check", "1.2.3.4", "1.2.3.4"], "needs -f"),
    (["validate", "-f", "/nowhere"], "No such file"),
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
    assert re.fullmatch(r"\d+ objects are good, 0 errors\n", err)


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
        "a/bad)\n    a port in quotes is a name" in out
    assert err == "1 objects are good, 4 errors\n"

    status, out, _ = ctl("validate", "-o", "json", *args)
    answer = json.loads(out)
    assert status == 1 and answer["objects"] == 1
    assert [e["line"] for e in answer["errors"]] == [5, 8, 11, 12]
    assert {e["object"] for e in answer["errors"]} == {"NetworkPolicy a/bad"}
    assert all(e["hint"] for e in answer["errors"])


def test_validate_duplicates(ctl, tmp_path):
    (tmp_path / "a.json").write_text(ISOLATE)
    status, out, _ = ctl("validate", "-f", tmp_path, "-f", "-", stdin=ISOLATE)
    assert status == 1
    assert f"NetworkPolicy a/p is already defined at {tmp_path}/a.json:1" in out


def test_check_goes_on_without_what_is_wrong(ctl):
    status, _, err = ctl("check", "-f", "-", "10.0.0.1", "10.0.0.2:1",
                         stdin=BAD)
    assert status == 0 and "judged without 4 errors" in err


def test_help_and_version(ctl):
    status, out, _ = ctl("--help")
    assert status == 0 and "netpolctl check -f policies/" in out
    assert ctl("--version")[0] == 0
    status, out, _ = ctl("check", "-f", SHOP, "1.2.3.4", "1.2.3.5")
    assert "\033" not in out

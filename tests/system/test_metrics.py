"""What the daemon tells about itself: /metrics, /healthz and /readyz, held
against a strict parser; netpol/latency and netpol/memory; its log."""

import json
import math
import pathlib
import re
import socket

import pytest

from prometheus_client.parser import text_string_to_metric_families

from lab import LabError, manifest, netns
from lab.ovs import wait_until

PORT = 10361                    # the default; in a namespace of the lab's own
DOC = pathlib.Path(__file__).resolve().parents[2] / "docs/metrics.md"
TYPES = {"counter", "gauge", "histogram"}
NUMBER = r"(?:[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|[-+]Inf|NaN)"
NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
LABEL = NAME + r'="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(\{{{LABEL}(?:,{LABEL})*\}})? ({NUMBER})")


@pytest.fixture(scope="module", name="lab")
def fixture_lab(daemon_lab):
    for n, name in enumerate(("web", "db"), 10):
        daemon_lab.add_pod("shop", name, [f"10.244.0.{n}"])
    manifest.write(daemon_lab.manifests, "all.json",
                   *manifest.describe(daemon_lab))
    (daemon_lab.manifests / "node.json").unlink()
    daemon_lab.wait()
    return daemon_lab


def connect(lab, address="127.0.0.1", port=PORT):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with netns.inside(lab.node_ns):
        sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(60)
    sock.connect((address, port))
    return sock


def get(lab, path, method="GET", **where):
    """Status, headers (names in small letters) and body."""
    with connect(lab, **where) as sock:
        sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: lab\r\n\r\n".encode())
        data = b""
        while chunk := sock.recv(65536):
            data += chunk
    head, _, body = data.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    headers = {name.lower(): value for name, value in
               (line.split(": ", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


def ready(lab):
    return get(lab, "/readyz")[0] == 200


def parse(text):
    """{family: (type, {sample and labels: value})}, or an assertion fails."""
    families, name = {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, words = line[7:].partition(" ")
            assert re.fullmatch(NAME, name) and words, line
            assert name not in families, f"{name} is there twice"
            families[name] = [None, {}]
        elif line.startswith("# TYPE "):
            again, kind = line[7:].split(" ")
            assert again == name and kind in TYPES, line
            assert families[name][0] is None and not families[name][1], line
            families[name][0] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            sample, labels, value = match.groups()
            kind, samples = families[name]
            endings = (["_bucket", "_sum", "_count"] if kind == "histogram"
                       else [""])
            assert sample in [name + ending for ending in endings], line
            assert (sample + (labels or "")) not in samples, line
            samples[sample + (labels or "")] = float(value)
    for name, (kind, samples) in families.items():
        assert kind and samples, f"{name} is empty"
        assert (kind == "counter") == name.endswith("_total"), name
        if kind == "histogram":
            check_histogram(name, samples)
    return families


def check_histogram(name, samples):
    buckets = [(float(re.search(r'le="([^"]+)"', key)[1]), value)
               for key, value in samples.items()
               if key.startswith(f"{name}_bucket")]
    bounds = [bound for bound, _ in buckets]
    counts = [count for _, count in buckets]
    assert bounds == sorted(set(bounds)) and bounds[-1] == math.inf
    assert counts == sorted(counts) and counts[-1] == samples[f"{name}_count"]
    assert samples[f"{name}_sum"] >= 0


def metrics(lab):
    """All samples."""
    status, headers, body = get(lab, "/metrics")
    assert status == 200
    assert headers["content-type"] == (
        "text/plain; version=0.0.4; charset=utf-8")
    found = {}
    for _, samples in parse(body).values():
        found |= samples
    return found


# Pages.

def test_pages(lab):
    assert get(lab, "/healthz")[::2] == (200, "ok")
    assert get(lab, "/readyz")[::2] == (200, "ok")
    assert get(lab, "/")[0] == 404
    status, headers, _ = get(lab, "/metrics", method="POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    status, headers, body = get(lab, "/metrics", method="HEAD")
    assert (status, body) == (200, "") and int(headers["content-length"])


def test_metrics_are_what_others_can_read(lab):
    _, _, body = get(lab, "/metrics")
    ours = parse(body)
    theirs = {family.name: family
              for family in text_string_to_metric_families(body)}
    assert {name.removesuffix("_total") for name in ours} == set(theirs)
    for name, (kind, samples) in ours.items():
        family = theirs[name.removesuffix("_total")]
        assert family.type == kind and len(family.samples) == len(samples)


def test_every_metric_is_documented(lab):
    rows = dict(re.findall(r"^\| `(\w+)[^`]*` \| (\w+) \|", DOC.read_text(),
                           re.M))
    assert rows == {name: kind for name, (kind, _)
                    in parse(get(lab, "/metrics")[2]).items()}


def test_numbers_are_the_statuss(lab):
    seen = metrics(lab)
    status = json.loads(lab.appctl("netpol/status", "json"))
    assert status["metrics"] == {"address": f"127.0.0.1:{PORT}",
                                 "problem": None}
    for kind, n in status["source"]["objects"].items():
        assert seen[f'ovs_netpol_objects{{kind="{kind}"}}'] == n
    flows = {kind: seen[f'ovs_netpol_flows{{kind="{kind}"}}'] for kind in
             ("static", "port", "identity", "clause", "rule", "default")}
    dump = lab.ovs.ofctl("dump-flows", "br-int")
    assert sum(flows.values()) == dump.count("\n cookie=0x4e50")
    assert flows["static"] and flows["port"] and flows["identity"]
    assert seen["ovs_netpol_local_pods"] == 2
    assert seen["ovs_netpol_realized_pods"] == 2
    assert seen['ovs_netpol_ports{role="pod"}'] == 2
    assert seen["ovs_netpol_ports_refused"] == 0
    assert seen["ovs_netpol_ready"] == seen["ovs_netpol_realized"] == 1
    assert all(seen[f'ovs_netpol_connected{{peer="{peer}"}}'] == 1
               for peer in ("switch", "database", "source"))
    assert seen['ovs_netpol_memory_bytes{of="resident"}'] > 1e6


def test_a_policy_raises_the_counters(lab, publish):
    before = metrics(lab)
    publish("isolate.json",
            manifest.policy("shop", "isolate", policyTypes=["Ingress"]))
    after = metrics(lab)

    def grew(name):
        return after[name] - before[name]

    assert grew('ovs_netpol_objects{kind="NetworkPolicy"}') == 1
    assert grew('ovs_netpol_changes_total{of="object"}') == 1
    assert grew('ovs_netpol_changes_total{of="port"}') == 0
    assert grew("ovs_netpol_bundles_total") >= 1
    assert grew("ovs_netpol_flow_mods_total") >= 1
    assert grew("ovs_netpol_update_latency_seconds_count") == 1
    assert grew("ovs_netpol_update_latency_seconds_sum") > 0
    assert after['ovs_netpol_pending_changes{of="object"}'] == 0
    assert grew("ovs_netpol_switch_errors_total") == 0


def test_every_change_is_in_one_line_of_the_log(lab, publish):
    def told():
        log = (lab.ovs.logdir / "ovs-netpold.log").read_text()
        lines = re.findall(r"np_progress\|INFO\|(.*)", log)
        for line in lines:
            assert re.fullmatch(
                r"(\d+ (object|port)s?(, )?)+: \d+ flow-mods? in "
                r"(\d+ bundles? for \d+ updates, the slowest in )?\d+\.\d ms",
                line)
        return [sum(int(n) for line in lines
                    for n in re.findall(rf"(\d+) {what}", line))
                for what in ("object", "flow-mod")]

    def counted():
        seen = metrics(lab)
        return [seen['ovs_netpol_changes_total{of="object"}'],
                seen["ovs_netpol_flow_mods_total"]]

    wait_until(lambda: told() == counted(), "the last line")
    before = counted()
    for n in range(5):
        publish("isolate.json", manifest.policy(
            "shop", "isolate", policyTypes=["Ingress"],
            ingress=[{"ports": [{"port": 1000 + n}]}]))
    assert counted()[0] == before[0] + 5
    wait_until(lambda: told() == counted(), "the last line")


def test_what_is_wrong_is_counted(lab, publish):
    publish("bad.json",
            manifest.policy("shop", "bad", ingress=[{"ports": [{"port": 0}]}]))
    lab.set_ids("Interface", lab.pods["shop/db"].port,
                {"attached-mac": "broken"})
    lab.wait()
    seen = metrics(lab)
    assert seen["ovs_netpol_source_errors"] == 1
    assert seen["ovs_netpol_ports_refused"] == 1
    assert seen["ovs_netpol_local_pods"] == 1
    lab.set_ids("Interface", lab.pods["shop/db"].port,
                {"attached-mac": lab.pods["shop/db"].mac})
    lab.wait()
    assert metrics(lab)["ovs_netpol_ports_refused"] == 0


# Readiness.

def test_ready_is_what_the_switch_has(lab):
    assert ready(lab)
    lab.ovs.stop_vswitchd()
    wait_until(lambda: not ready(lab), "/readyz to tell of the switch")
    status, _, reason = get(lab, "/readyz")
    assert status == 503 and reason.count("\n") == 1
    assert get(lab, "/healthz")[0] == 200
    seen = metrics(lab)
    assert seen['ovs_netpol_connected{peer="switch"}'] == 0
    assert seen["ovs_netpol_ready"] == 0
    # What changes meanwhile waits, and is not lost from the counts.
    path = manifest.write(lab.manifests, "later.json",
                          manifest.policy("shop", "later"))
    pending = 'ovs_netpol_pending_changes{of="object"}'
    wait_until(lambda: metrics(lab)[pending] == 1, "the change to wait")
    lab.start_switch()
    lab.wait()
    assert ready(lab)
    assert metrics(lab)[pending] == 0
    path.unlink()
    lab.wait()


def test_flushed_is_not_ready(lab):
    lab.appctl("netpol/flush")
    status, _, reason = get(lab, "/readyz")
    assert status == 503 and "netpol/resume" in reason
    assert metrics(lab)["ovs_netpol_flushed"] == 1
    lab.appctl("netpol/resume")
    lab.wait()
    assert ready(lab)


# Clients that are no good.

def test_idle_connections_disturb_nobody(lab):
    idle = []
    try:
        for _ in range(200):
            idle.append(connect(lab))
        idle[-1].sendall(b"GET /metrics HTTP/1.1\r\n")
        assert get(lab, "/healthz")[0] == 200
        path = manifest.write(lab.manifests, "more.json",
                              manifest.policy("shop", "more"))
        lab.wait()
        assert metrics(lab)['ovs_netpol_objects{kind="NetworkPolicy"}'] == 1
        path.unlink()
        lab.wait()
        # And none of them stays.
        for sock in idle:
            try:
                while sock.recv(1000):
                    pass
            except ConnectionResetError:
                pass
    finally:
        for sock in idle:
            sock.close()
    assert get(lab, "/healthz")[0] == 200


def test_a_client_that_never_reads(lab):
    with connect(lab) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: lab\r\n\r\n" * 100)
        assert get(lab, "/metrics")[0] == 200
        lab.wait()


# Commands.

def test_latency(lab, publish):
    publish("one.json", manifest.policy("shop", "one"))
    seen = json.loads(lab.appctl("netpol/latency", "json"))
    count = metrics(lab)["ovs_netpol_update_latency_seconds_count"]
    assert seen["pending"] == {"updates": 0, "objects": 0, "ports": 0}
    assert seen["realized"]["updates"] == seen["since_start"]["updates"]
    assert count == seen["since_start"]["updates"] >= 1
    for part in ("recent", "since_start"):
        values = [seen[part][f"{key}_us"] for key in
                  ("p50", "p90", "p99", "max")]
        assert values == sorted(values) and values[0] > 0
    assert "p99" in lab.appctl("netpol/latency")
    with pytest.raises(LabError, match="usage: netpol/latency"):
        lab.appctl("netpol/latency", "yaml")


def test_memory(lab):
    seen = json.loads(lab.appctl("netpol/memory", "json"))
    assert seen["bytes"]["peak"] >= seen["bytes"]["resident"] > 1e6
    assert seen["parts"]["local-pods"] == 2 and seen["parts"]["flows"] > 50
    text = lab.appctl("netpol/memory")
    assert "resident: " in text and "flows: " in text
    shown = dict(word.split(":") for word in
                 lab.appctl("memory/show").split())
    assert int(shown["flows"]) == seen["parts"]["flows"]
    # Which leaves out what there is none of.
    assert shown == {part: str(n) for part, n in seen["parts"].items() if n}


def test_coverage(lab):
    text = lab.appctl("coverage/show")
    for counter in ("np_update", "np_update_realized", "np_object_change",
                    "np_http_request"):
        assert re.search(rf"^{counter} .*total: [1-9]", text, re.M), counter


# Where it listens.

@pytest.fixture(name="restart")
def fixture_restart(lab, build_dir):
    """A function that starts the daemon anew with other options."""
    def restart(*args):
        lab.stop_daemon()
        lab.start_daemon(build_dir, *args)
        lab.wait()

    yield restart
    restart()


def refused(lab):
    try:
        connect(lab).close()
    except ConnectionRefusedError:
        return True
    return False


def test_none(lab, restart):
    restart("--metrics-bind-address=none")
    assert refused(lab)
    assert json.loads(lab.appctl("netpol/status", "json"))["metrics"] == {
        "address": None, "problem": None}


@pytest.mark.parametrize("option, addresses", [
    ("9000", ["127.0.0.1"]),
    ("[::1]:9000", ["::1"]),
    (":9000", ["127.0.0.1", "::1"]),
])
def test_other_addresses(lab, restart, option, addresses):
    restart(f"--metrics-bind-address={option}")
    for address in addresses:
        assert get(lab, "/healthz", address=address, port=9000)[0] == 200
    assert refused(lab)


def test_a_port_that_is_taken(lab, build_dir):
    """Policies are enforced all the same, and the port is had once it is
    free."""
    lab.stop_daemon()
    with netns.inside(lab.node_ns):
        taken = socket.create_server(("127.0.0.1", PORT))
    with taken:
        lab.start_daemon(build_dir)
        lab.wait()
        status = json.loads(lab.appctl("netpol/status", "json"))
        assert status["realized"]
        assert "Address already in use" in status["metrics"]["problem"]
        assert "Address already in use" in lab.appctl("netpol/status")
    wait_until(lambda: not refused(lab), "the port")
    assert ready(lab)

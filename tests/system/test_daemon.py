"""The daemon itself: how it starts and ends, what it waits for, what it tells
and writes, and ovs-flows beside it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from lab import LabError, manifest, netns
from lab.core import find_program
from lab.ovs import wait_until

PORTS = {"tcp": [80]}


def status(lab):
    return json.loads(lab.appctl("netpol/status", "json"))


def by_name(items):
    return {item["name"]: item for item in items}


def fails(lab, *args):
    """What a command that has to fail says."""
    with pytest.raises(LabError) as error:
        lab.appctl(*args)
    return str(error.value)


def flows(lab):
    """The flow table, without what counts and ages."""
    return sorted(lab.ovs.ofctl("dump-flows", "br-int", "--no-stats")
                  .splitlines())


def external_ids(lab, port):
    text = lab.ovs.vsctl("get", "Interface", port, "external_ids")
    return dict(re.findall(r'([\w-]+)="?([^",}]*)', text))


def realized(lab, port):
    return external_ids(lab, port).get("netpol-realized")


def isolate(namespace):
    return manifest.policy(namespace, "isolate", policyTypes=["Ingress"])


@pytest.fixture(scope="module", name="two_pods")
def fixture_two_pods(make_lab):
    lab = make_lab()
    for n, name in enumerate(("web", "db"), 10):
        lab.add_pod("shop", name, [f"10.244.0.{n}"], ports=PORTS)
    manifest.write(lab.manifests, "all.json", *manifest.describe(lab),
                   isolate("shop"))
    return lab


@pytest.fixture(name="shop")
def fixture_shop(two_pods):
    """A lab with two pods, their objects and a policy; no daemon yet."""
    yield two_pods
    for path in two_pods.manifests.glob("*"):
        if path.name != "all.json":
            path.unlink()
    if two_pods.daemon:
        two_pods.stop_daemon()


@pytest.fixture(name="up")
def fixture_up(shop, build_dir):
    """The same with the daemon at work."""
    shop.start_daemon(build_dir)
    shop.wait()
    return shop


def run(lab, build_dir, name, *args, cwd=None):
    """A program in the node's namespace, finished."""
    program = find_program(build_dir, name)
    return subprocess.run(netns.command(lab.node_ns, str(program), *args),
                          env={**os.environ, **lab.ovs.env}, text=True,
                          capture_output=True, check=False, timeout=120,
                          cwd=cwd)


# The command line.

@pytest.mark.parametrize("args, reason", [
    ([], "--source is required"),
    (["--source=dir:"], "--source"),
    (["--source=elsewhere"], "--source"),
    (["--source=dir:x", "--source=dir:y"], "only once"),
    (["--source=dir:x", "--bogus"], 'unknown option "--bogus"'),
    (["--source"], "requires an argument"),
    (["--source=dir:x", "--ct-zone=65535"], "--ct-zone"),
    (["--source=dir:x", "--table-base=200"], "--table-base"),
    (["--source=dir:x", "--foreign=maybe"], "--foreign"),
    (["--source=dir:x", "--established=no"], "--established"),
    (["--source=dir:x", "--forward=table:85"], "is our own (ingress)"),
    (["--source=dir:x", "-vbogus:x"], "--verbose"),
    (["--source=dir:x", "--metrics-bind-address=::1:80"],
     "--metrics-bind-address"),
    (["--source=dir:x", "--metrics-bind-address=off"], "or none"),
    (["--source=dir:x", "db.sock"], '"db.sock" is not a database address'),
    (["--source=dir:x", "tcp:127.0.0.1:0"], "is not a database address"),
    (["--source=dir:x", "unix:a", "unix:b"], "unexpected argument"),
    (["--source=dir:/nonexistent", "--dry-run"], "/nonexistent"),
])
def test_a_mistake_is_one_line(build_dir, args, reason):
    result = subprocess.run([find_program(build_dir, "ovs-netpold"), *args],
                            capture_output=True, text=True, check=False,
                            timeout=120)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("ovs-netpold: ")
    assert result.stderr.count("\n") == 1
    assert reason in result.stderr


@pytest.mark.parametrize("program", ["ovs-netpold", "ovs-flows"])
def test_help_and_version(build_dir, program):
    for option, text in (("--help", "Example:"), ("--version", program)):
        result = subprocess.run([find_program(build_dir, program), option],
                                capture_output=True, text=True, check=False,
                                timeout=120)
        assert (result.returncode, result.stderr) == (0, "")
        assert text in result.stdout


def test_dry_run_prints_what_is_installed(up, build_dir):
    result = run(up, build_dir, "ovs-netpold", f"--source=dir:{up.manifests}",
                 "--node-name=lab-node", "--dry-run", up.ovs.db)
    assert (result.returncode, result.stderr) == (0, "")
    up.ovs.vsctl("add-br", "br-dry", "--", "set", "Bridge", "br-dry",
                 "datapath_type=netdev", "fail_mode=secure")
    up.ovs.ofctl("add-flows", "br-dry", "-", stdin=result.stdout)
    dry = up.ovs.ofctl("dump-flows", "br-dry", "--no-stats").splitlines()
    up.ovs.vsctl("del-br", "br-dry")
    assert sorted(dry) == flows(up)


# Start and end.

def test_detach_and_exit(shop, build_dir):
    """A relative path is still right in the root directory."""
    result = run(shop, build_dir, "ovs-netpold", "--source=dir:manifests",
                 "--detach", "--pidfile", "--log-file", "-vconsole:off",
                 cwd=shop.dir)
    assert (result.returncode, result.stdout) == (0, "")
    shop.wait()
    assert status(shop)["realized"]
    assert "ovs-netpold" in shop.appctl("version")
    assert "flows:" in shop.appctl("memory/show")
    second = run(shop, build_dir, "ovs-netpold", "--source=dir:manifests",
                 "--pidfile", cwd=shop.dir)
    assert second.returncode != 0
    assert "already running" in second.stderr
    shop.appctl("exit")
    wait_until(lambda: not list(shop.ovs.rundir.glob("ovs-netpold.*")),
               "the daemon's end")


def test_monitor_restarts(shop, build_dir):
    result = run(shop, build_dir, "ovs-netpold", "--source=dir:manifests",
                 "--detach", "--monitor", "--pidfile", "-vconsole:off",
                 cwd=shop.dir)
    assert result.returncode == 0
    shop.wait()
    pidfile = shop.ovs.rundir / "ovs-netpold.pid"
    first = pidfile.read_text()
    os.kill(int(first), signal.SIGABRT)
    wait_until(lambda: pidfile.exists() and pidfile.read_text() not in
               ("", first), "another process")
    wait_until(lambda: list(shop.ovs.rundir.glob(
        f"ovs-netpold.{pidfile.read_text().strip()}.ctl")), "its socket")
    shop.wait()
    shop.appctl("exit")
    wait_until(lambda: not pidfile.exists(), "the daemon's end")


def test_who_waits_gets_an_answer_at_the_end(up):
    up.ovs.stop_ovsdb()
    with subprocess.Popen(
            ["ovs-appctl", "-t", "ovs-netpold", "netpol/wait", "120"],
            env={**os.environ, **up.ovs.env}, stderr=subprocess.PIPE,
            text=True) as waiting:
        wait_until(lambda: status(up)["waiting"] == 1, "the request")
        assert "1 netpol/wait" in up.appctl("netpol/status")
        assert up.stop_daemon() == 0
        assert "the daemon exits" in waiting.communicate()[1]
    up.ovs.start_ovsdb()


def test_who_asks_at_the_end_harms_nobody(up):
    """More than the daemon lets in at once: the last ones ask when it has
    been told to end."""
    up.daemon.send_signal(signal.SIGSTOP)
    waiting = []
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(BlockingIOError):  # no more can queue
            while True:
                waiting.append(stack.enter_context(
                    socket.socket(socket.AF_UNIX)))
                waiting[-1].setblocking(False)
                waiting[-1].connect(str(up.ovs.rundir / (
                    f"ovs-netpold.{up.daemon.pid}.ctl")))
                waiting[-1].send(b'{"id":0,"method":"netpol/wait",'
                                 b'"params":["--datapath","120"]}')
        assert len(waiting) > 10
        up.daemon.send_signal(signal.SIGTERM)
        up.daemon.send_signal(signal.SIGCONT)
        assert up.stop_daemon() == 0
        for client in waiting[:10]:
            assert b"the daemon exits" in client.recv(4096)


# What is told and written.

def test_status(up):
    seen = status(up)
    assert seen["realized"] and seen["missing"] is None
    assert seen["source"]["objects"] == {"Namespace": 1, "NetworkPolicy": 1,
                                         "Node": 1, "Pod": 2}
    pods = by_name(seen["pods"])
    assert set(pods) == {"web", "db"}
    assert pods["db"]["port"] == up.pods["shop/db"].port
    assert pods["db"]["isolated_ingress"]
    assert not pods["db"]["isolated_egress"]
    assert all(pod["realized"] for pod in pods.values())
    roles = {port["name"]: port["role"] for port in seen["ports"]}
    assert roles["br-int"] == "node" and roles["uplink"] == "uplink"
    text = up.appctl("netpol/status")
    assert "shop/db: realized" in text
    assert "shop/isolate ingress: db, web" in text
    assert "usage:" in fails(up, "netpol/status", "yaml")


def test_refused_objects_are_listed(up):
    bad = manifest.policy("shop", "bad", ingress=[{"ports": [{"port": 0}]}])
    path = manifest.write(up.manifests, "bad.json", bad)
    up.wait()
    seen = status(up)
    assert seen["realized"]
    refused, = seen["source"]["refused"]
    assert refused["file"] == str(path)
    assert refused["path"] == "spec.ingress[0].ports[0].port"
    assert f"{path}:{refused['line']}: spec.ingress" in up.appctl(
        "netpol/status")


def test_pods_without_port_and_ports_without_pod(up):
    lost = dict(manifest.pod(up.pods["shop/db"], "lab-node"))
    lost["metadata"] = {**lost["metadata"], "name": "lost", "uid": "u-lost"}
    manifest.write(up.manifests, "lost.json", lost)
    up.ovs.vsctl("add-port", "br-int", "early", "--", "set", "Interface",
                 "early", "type=internal", "external_ids:iface-id=shop_early",
                 'external_ids:attached-mac="0a:00:00:00:00:09"')
    up.wait()
    seen = status(up)
    assert seen["realized"]
    assert by_name(seen["pods_without_port"])["lost"]["reason"] == (
        "no port of the bridge names it")
    assert "no pod shop/early" in by_name(seen["ports"])["early"]["problem"]
    up.ovs.vsctl("del-port", "early")


def test_realized(up):
    pod = up.pods["shop/db"]
    wait_until(lambda: realized(up, pod.port) == pod.uid, "netpol-realized")
    up.set_ids("Interface", pod.port, {"attached-mac": "broken"})
    up.wait()
    assert "attached-mac" in by_name(
        status(up)["ports"])[pod.port]["problem"]
    wait_until(lambda: realized(up, pod.port) is None, "its end")
    # Only our key of the map was touched.
    assert external_ids(up, pod.port)["iface-id"] == "shop_db"
    up.set_ids("Interface", pod.port, {"attached-mac": pod.mac})
    up.wait()
    wait_until(lambda: realized(up, pod.port) == pod.uid, "netpol-realized")


# The bridge.

def test_fail_mode(make_lab, build_dir):
    shop = make_lab()
    shop.start_daemon(build_dir)
    shop.wait()
    assert shop.ovs.vsctl("get", "Bridge", "br-int", "fail_mode") == "secure"
    assert status(shop)["bridge"]["warning"] is None
    assert shop.ovs.vsctl("get", "Bridge", "br-int", "controller") == "[]"


def test_fail_mode_with_flows_of_others(make_lab, build_dir):
    shop = make_lab()
    shop.ovs.ofctl("add-flow", "br-int", "table=7,priority=1,actions=drop")
    shop.start_daemon(build_dir)
    shop.wait()
    assert shop.ovs.vsctl("get", "Bridge", "br-int", "fail_mode") == "[]"
    assert "not secure" in status(shop)["bridge"]["warning"]
    assert any("table=7" in flow for flow in flows(shop))


def test_table_names(up):
    names = up.ovs.ofctl("dump-flows", "br-int", "--names", "--no-stats")
    assert "table=ingress," in names.replace(" ", "")
    assert up.ovs.vsctl("get", "Flow_Table", up.ovs.vsctl(
        "get", "Bridge", "br-int", "flow_tables:30"), "name") == "src_identity"


# ovs-flows.

def dump(lab, build_dir, *args):
    result = run(lab, build_dir, "ovs-flows", *args)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_ovs_flows_names_what_it_shows(up, build_dir):
    up.ovs.ofctl("add-flow", "br-int", "table=7,priority=1,actions=drop")
    text = dump(up, build_dir, "dump")
    assert text.index("table 0 classify:") < text.index("table 85 ingress:")
    assert f"# port {up.ovs.ofport(up.pods['shop/db'].port)}: " in text
    assert "(pod shop/db)" in text
    assert re.search(r"# identity \d+: .*shop/db 10.244.0.11", text)
    assert "table 7 " not in text
    assert "table 7 not ours: 1 flow" in dump(up, build_dir, "dump", "-a")
    items = json.loads(dump(up, build_dir, "-o", "json", "dump", "br-int"))
    assert len(items) == len(flows(up)) - 1
    # Without a daemon there are numbers.
    up.stop_daemon()
    result = run(up, build_dir, "ovs-flows", "dump")
    assert result.returncode == 0 and "no names" in result.stderr
    assert re.search(r"# identity \d+\n", result.stdout)


@pytest.mark.parametrize("args, reason", [
    ([], "missing command"),
    (["bogus"], 'unknown command "bogus"'),
    (["dump", "a", "b"], "usage: ovs-flows dump [BRIDGE]"),
    (["--bogus", "dump"], 'unknown option "--bogus"'),
    (["dump", "unix:/nonexistent"], "connection failed"),
])
def test_ovs_flows_mistakes(build_dir, args, reason):
    result = subprocess.run([find_program(build_dir, "ovs-flows"), *args],
                            capture_output=True, text=True, check=False,
                            timeout=120)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("ovs-flows: ") and reason in result.stderr
    assert result.stderr.count("\n") == 1

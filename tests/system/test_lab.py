"""The lab itself, on a switch without a daemon: what the other tests take for
granted about it."""

import os
import pathlib
import signal
import tempfile

import pytest

from lab import DENIED, REACHED, Lab, LabError, ask, matrix, netns
from lab.ovs import RMEM_DEFAULT

import frames as f

PORTS = {"tcp": [80], "udp": [53]}


@pytest.fixture(scope="module", name="pods")
def fixture_pods(lab):
    return [lab.add_pod("shop", name, [f"10.244.0.{n}", f"fd00:10:244::{n}"],
                        ports=PORTS)
            for n, name in enumerate(("a", "b"), 10)]


def add_flow(lab, flow, actions):
    lab.ovs.ofctl("add-flow", "br-int", f"{flow},actions={actions}")
    lab.ovs.settle()


def del_flow(lab, flow):
    lab.ovs.ofctl("del-flows", "br-int", "--strict", flow)
    lab.ovs.settle()


def verdicts(lab, source, target):
    return set(ask(lab.probes(lab.host(source), lab.host(target))).values())


def test_everybody_reaches_everybody(lab, pods):
    assert pods
    cells = matrix.measure(lab)
    assert len(cells) == 16
    assert {text for (a, b), text in cells.items() if a != b} == {"tcp+udp"}


def test_a_drop_is_seen(lab, pods):
    flow = f"priority=100,tcp,nw_dst={pods[1].ips[0]}"
    add_flow(lab, flow, "drop")
    seen = ask(lab.probes(pods[0], pods[1]))
    assert {p for p, verdict in seen.items() if verdict == DENIED} == {
        p for p in seen if p.protocol == "tcp" and "." in p.ip}
    assert matrix.measure(lab)["a", "b"] == "tcp6+udp"
    del_flow(lab, flow)
    assert set(ask(lab.probes(pods[0], pods[1])).values()) == {REACHED}


def test_wrong_server_is_not_reached(lab, pods):
    """Traffic that ends up at another pod is not the success it looks like."""
    other = lab.host("outside")
    flow = f"priority=100,udp,nw_dst={pods[1].ips[0]}"
    add_flow(lab, flow, f"mod_nw_dst:{other.ips[0]},mod_dl_dst:"
             f"0a:58:cb:00:71:0a,output:{lab.ovs.ofport('uplink')}")
    back = f"priority=100,udp,nw_src={other.ips[0]}"
    add_flow(lab, back, f"mod_nw_src:{pods[1].ips[0]},"
             f"output:{lab.ovs.ofport(pods[0].port)}")
    seen = ask([p for p in lab.probes(pods[0], pods[1])
                if p.protocol == "udp" and "." in p.ip])
    assert set(seen.values()) == {"misdelivered"}
    for each in (flow, back):
        del_flow(lab, each)


def test_port_row_names_the_pod(lab, pods):
    ids = lab.ovs.vsctl("get", "Interface", pods[0].port, "external_ids")
    for word in ('iface-id=shop_a', pods[0].uid, pods[0].mac,
                 "10.244.0.10,fd00:10:244::10"):
        assert word in ids


@pytest.mark.parametrize("cni, table, key", [
    ("ovn-kubernetes", "Interface", "ip_addresses"),
    ("antrea", "Port", "pod-name"), ("kube-ovn", "Interface", "pod_name"),
    ("ovs-cni", "Port", "contPodUid"), ("os-vif", "Interface", "vm-uuid")])
def test_other_plugins_keys(lab, cni, table, key):
    pod = lab.add_pod("cni", cni, ["10.244.1.1"], cni=cni)
    assert f"{key}=" in lab.ovs.vsctl("get", table, pod.port, "external_ids")
    lab.del_pod("cni", cni)
    assert pod.port not in lab.ovs.vsctl("list-ports", "br-int").split()
    assert not netns.exists(pod.netns)


def test_raw_pod_is_silent(lab, pods):
    with f.Wire(pods[0].netns) as wire:
        raw = lab.add_pod("shop", "raw", ["10.244.0.99"], raw=True)
        wire.send(f.arp_request(pods[0].mac, pods[0].ips[0], raw.ips[0]))
        with f.Wire(raw.netns) as other:
            other.send(f.eth(pods[0].mac, raw.mac, f.ip(
                raw.ips[0], pods[0].ips[0], f.udp(
                    raw.ips[0], pods[0].ips[0], 1, 9, b"by hand"))))
            assert wire.wait_for(b"by hand")
        assert not [frame for frame in wire.drain()
                    if f.mac_bytes(raw.mac) == frame[6:12]]
    lab.del_pod("shop", "raw")


def test_port_moves(lab, pods):
    lab.move_port(pods[1], 77)
    assert lab.ovs.ofport(pods[1].port) == 77
    assert verdicts(lab, "a", "b") == {REACHED}


def test_switch_restarts(lab, pods):
    assert pods
    lab.restart_switch()
    assert verdicts(lab, "a", "outside") == {REACHED}
    assert verdicts(lab, "a", "node") == {REACHED}


def test_node_has_its_own_addresses(lab, pods):
    """Its answers come from the address that was asked, over the gateway."""
    target = lab.host("node")
    assert {p.ip for p in lab.probes(pods[0], target)} == {
        "192.0.2.1", "2001:db8:2::1"}
    assert verdicts(lab, "a", "node") == {REACHED}


def is_tcp(frame):
    """Ends of connections from earlier tests are still being said."""
    return frame[12:14] == b"\x08\0" and frame[23] == 6 or \
        frame[12:14] == b"\x86\xdd" and frame[20] == 6


@pytest.mark.parametrize("to_node", ["gateway", "switch port"])
def test_nothing_goes_around_the_switch(lab, pods, to_node):
    """The node's kernel sees what the switch's ports receive, and must not
    act on it: neither answer, nor let it in, nor forward it."""
    pod, node = pods[0], lab.host("node")
    mac = {"gateway": "0a:58:0a:f4:00:01", "switch port": lab.ovs.vsctl(
        "get", "Interface", pod.port, "mac_in_use").strip('"')}[to_node]
    lab.ovs.ofctl("add-flow", "br-int", "priority=200,"
                  f"in_port={lab.ovs.ofport(pod.port)},actions=drop")
    lab.ovs.settle()
    with f.Wire(pod.netns) as wire, f.Wire(pods[1].netns) as other:
        for ip in node.ips + pods[1].ips:
            mine = pod.ips[":" in ip]
            wire.send(f.eth(mac, pod.mac, f.ip(mine, ip, f.udp(
                mine, ip, 4000, 53, b"around"))))
            wire.send(f.arp_request(pod.mac, mine, ip) if ":" not in ip else
                      f.eth(f.multicast_mac(f.solicited_node(ip)), pod.mac,
                            f.neighbour_solicitation(mine, ip, pod.mac)))
        assert wire.wait_for(lambda frame: frame[:6] == f.mac_bytes(pod.mac)
                             and not is_tcp(frame), patience=0.5) is None
        assert not [frame for frame in other.drain() if b"around" in frame]
    del_flow(lab, f"priority=200,in_port={lab.ovs.ofport(pod.port)}")


def test_labs_live_side_by_side(lab):
    with Lab(tempfile.mkdtemp(prefix="netpol-lab-")) as other:
        pod = other.add_pod("shop", "a", ["10.244.0.10"], ports=PORTS)
        assert set(ask(other.probes(other.host("outside"), pod)).values()) \
            == {REACHED}
        assert other.prefix != lab.prefix
    assert verdicts(lab, "outside", "node") == {REACHED}


def test_a_crashed_lab_is_removed():
    """The process that started it is killed in the middle of its work, and
    another one, which knows the directory alone, cleans up."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="netpol-lab-"))
    before = RMEM_DEFAULT.read_text(encoding="ascii")
    child = os.fork()
    if not child:
        Lab(directory).start().add_pod("shop", "a", ["10.244.0.10"],
                                       ports=PORTS)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    prefix = Lab(directory).prefix
    inside = [pid for name in netns.names(prefix) for pid in netns.pids(name)]
    assert len(netns.names(prefix)) == 3 and len(inside) == 5
    for _ in range(2):
        Lab(directory).stop()
        assert not netns.names(prefix) and not directory.exists()
    assert not [pid for pid in inside if is_running(pid)]
    assert RMEM_DEFAULT.read_text(encoding="ascii") == before


def is_running(pid):
    """Ended, and not yet collected by its parent, is not running."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def test_a_foreign_directory_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine", encoding="ascii")
    with pytest.raises(LabError):
        Lab(tmp_path).start()
    Lab(tmp_path).stop()
    assert (tmp_path / "mine").exists()

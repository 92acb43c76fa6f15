"""A port that is nobody's carries nothing, in either direction."""

import pytest

import frames as f
from lab import manifest
from net import Net, Way

STRANGER_MAC = "0a:58:5e:00:00:01"


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b")
        yield net


def frames_for(src, mac, ip4, ip6):
    """What might get from `src` to the host with this MAC and these
    addresses: to it, as a flood, as multicast."""
    for dst_mac in (mac, f.BROADCAST, STRANGER_MAC, "01:00:5e:00:00:01"):
        for ip in (ip4, "255.255.255.255", "224.0.0.251", "10.244.9.9",
                   ip6, "ff02::1", "ff0e::77", "fd00:10:244::9:9"):
            own = src.ip(6 if f.is_v6(ip) else 4)
            yield f.eth(dst_mac, src.mac, f.ip(own, ip, f.udp(
                own, ip, 1000, 80)))
        yield f.eth(dst_mac, src.mac, f.arp(
            1, src.mac, src.ip(4), "00:00:00:00:00:00", ip4), f.ARP)
        yield f.eth(dst_mac, src.mac, f.neighbour_solicitation(
            src.ip(6), ip6, src.mac))


def to_everybody(net, mac, ip4, ip6):
    for name in ("a", "outside", "node"):
        dst = net.ends[name]
        for dst_mac in (dst.mac, f.BROADCAST):
            yield f.eth(dst_mac, mac, f.ip(ip4, dst.ip(4), f.udp(
                ip4, dst.ip(4), 1000, 80)))
            yield f.eth(dst_mac, mac, f.ip(ip6, dst.ip(6), f.udp(
                ip6, dst.ip(6), 1000, 80)))
            yield f.eth(dst_mac, mac, f.arp(
                1, mac, ip4, dst.mac, dst.ip(4)), f.ARP)
            yield f.eth(dst_mac, mac, f.neighbour_solicitation(
                ip6, dst.ip(6), mac))


def carried(net, end):
    """What came out of `end`, and what came from it anywhere.  The last
    fence is the node's, because `end` has no way to send one."""
    ip4, ip6 = end.ip(4), end.ip(6)
    end.wire.drain()
    sent = []
    for name in ("a", "outside", "node"):
        frames = list(frames_for(net.ends[name], end.mac, ip4, ip6))
        net.all_heard(net.ends[name], *frames)
        sent += [frame[14:] for frame in frames]
    got = [each for each in end.wire.drain()
           if any(packet in each for packet in sent)]
    frames = list(to_everybody(net, end.mac, ip4, ip6))
    end.wire.send(*frames)
    heard = net.wait_all(net.ends["node"])
    return got, [each for some in heard.values() for each in some
                 if any(frame[14:] in each for frame in frames)]


@pytest.fixture(name="alone")
def fixture_alone(net):
    """An end that no fence of the net goes to, removed afterwards."""
    made = []

    def make(name, number, **kwargs):
        pod = net.lab.add_pod("shop", name, [
            f"10.244.0.{number}", f"fd00:10:244::{number:x}"], raw=True,
            **kwargs)
        made.append(pod)
        end = net.add(name, pod.mac, pod.ips, pod.netns, port=pod.port)
        del net.ends[name]
        return end

    yield make
    for pod in made:
        net.lab.del_pod(pod.namespace, pod.name)


def test_port_without_keys(net, alone):
    end = alone("stranger", 30, cni="none")
    net.wait()
    assert carried(net, end) == ([], [])
    assert end.port in net.lab.appctl("netpol/status")


def test_port_without_pod(net, alone):
    """The CNI is done before the daemon has heard of the pod."""
    end = alone("early", 31)
    net.wait()
    assert carried(net, end) == ([], [])
    net.describe()
    assert [bool(each) for each in carried(net, end)] == [True, True]


def test_port_whose_pod_is_gone(net, alone):
    """The switch has learned its MAC, and must not act on that."""
    end = alone("late", 32)
    net.describe()
    assert [bool(each) for each in carried(net, end)] == [True, True]
    manifest.write(net.lab.manifests, "pods.json", *(
        item for item in manifest.describe(net.lab)
        if item["kind"] == "Pod" and item["metadata"]["name"] != "late"))
    net.wait()
    assert end.mac in net.lab.ovs.appctl("ovs-vswitchd", "fdb/show", "br-int")
    assert carried(net, end) == ([], [])


@pytest.mark.parametrize("key", ["iface-id", "attached-mac"])
def test_port_that_loses_a_key(net, alone, key):
    end = alone("former", 33)
    net.describe()
    net.lab.set_ids("Interface", end.port, {key: None})
    net.wait()
    assert carried(net, end) == ([], [])


def test_pod_that_finishes(net, alone):
    """Its address may be another pod's at once."""
    end = alone("done", 35)
    net.describe()
    assert [bool(each) for each in carried(net, end)] == [True, True]
    manifest.write(net.lab.manifests, "pods.json", *(
        manifest.pod(pod, net.lab.settings.node_name, phase="Succeeded"
                     if pod.name == "done" else "Running")
        for pod in net.lab.pods.values()))
    net.wait()
    assert carried(net, end) == ([], [])


def test_mac_that_changes(net, alone):
    """The new MAC is the pod's, the old one is nobody's."""
    end = alone("moved", 34)
    net.describe()
    a, old = net.ends["a"], end.mac
    end.mac = "0a:58:0a:f4:00:ee"
    net.lab.set_ids("Interface", end.port, {"attached-mac": end.mac})
    net.wait()
    net.ends["moved"] = end
    try:
        way = Way(end, a)
        lie = f.eth(a.mac, old, way.udp(1, 2)[14:])
        assert net.all_heard(end, lie, way.udp(1, 2)) == [set(), {"a"}]
        old_mac = f.eth(old, a.mac, way.back.udp(1, 2)[14:])
        heard = net.catch(a, old_mac)[0]
        assert list(heard) == ["moved"]
        assert heard["moved"][:6] == f.mac_bytes(end.mac)
    finally:
        del net.ends["moved"]

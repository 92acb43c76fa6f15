"""An address that comes to another pod brings no connections with it."""

import contextlib

import pytest

from lab import manifest

from world import PORTS, World

IPS = ["10.244.0.20", "fd00:10:244::14"]
OTHER = ["10.244.0.12", "fd00:10:244::c"]


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    lab.add_pod("web", "b", ["10.244.0.11", "fd00:10:244::b"], ports=PORTS)
    lab.add_pod("web", "c", OTHER, ports=PORTS)
    world.put_pods(wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world):
    yield module_world
    module_world.reset()


def connections(world, *words):
    """Without those of ICMPv6, which time out: Open vSwitch 3.1.0 would not
    survive their flush."""
    dump = world.lab.ovs.appctl("ovs-vswitchd", "dpctl/dump-conntrack")
    return [line for line in dump.splitlines()
            if not line.startswith("icmpv6")
            and all(f"={word}," in line for word in words)]


def count(world, ips):
    return [len(connections(world, ip)) for ip in ips]


def talk(world, name):
    world.expect([f"{name} -> b tcp/80", f"b -> {name} tcp/80",
                  f"{name} -> b echo", f"{name} -> b udp/53",
                  "c -> b tcp/80"], [])
    assert all(count(world, OTHER))


@contextlib.contextmanager
def pod(world, name, **more):
    world.lab.add_pod("web", name, IPS, ports=PORTS, **more)
    world.put_pods()
    yield
    world.lab.del_pod("web", name)
    world.put_pods()


def test_the_next_pod_begins_with_nothing(world):
    """With what others have left alone."""
    with pod(world, "a"):
        talk(world, "a")
    assert all(count(world, IPS))
    kept = connections(world, OTHER[0]) + connections(world, OTHER[1])
    with pod(world, "d"):
        assert count(world, IPS) == [0, 0]
        now = connections(world, OTHER[0]) + connections(world, OTHER[1])
        assert len(now) == len(kept)


def test_the_next_pod_of_the_same_name(world):
    """As those of a StatefulSet are."""
    with pod(world, "a", uid="8e7a4a7e-0000-4000-8000-000000000001"):
        talk(world, "a")
    assert all(count(world, IPS))
    with pod(world, "a", uid="8e7a4a7e-0000-4000-8000-000000000002"):
        assert count(world, IPS) == [0, 0]


def test_the_pod_itself_goes_on(world):
    """Its object may be away for a moment, and its port."""
    uid = "8e7a4a7e-0000-4000-8000-000000000003"
    with pod(world, "a", uid=uid):
        talk(world, "a")
        there = count(world, IPS)
        world.remove("pods.json")
        world.put_pods()
        assert count(world, IPS) == there
    with pod(world, "a", uid=uid):
        assert count(world, IPS) == there


def test_a_pod_of_another_node(world):
    """Whose address only its object tells."""
    def elsewhere(name):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {
            "namespace": "web", "name": name, "labels": {"app": name}},
            "spec": {"nodeName": "elsewhere"}, "status": {
                "phase": "Running", "podIPs": [{"ip": ip}]}}

    ip = world.host("outside").ips[0]
    world.put("one.json", elsewhere("one"))
    world.expect(["outside -> b tcp/80"], [])
    assert connections(world, ip)
    world.put("one.json", elsewhere("one"))
    assert connections(world, ip)
    world.put("one.json", elsewhere("two"))
    assert not connections(world, ip)

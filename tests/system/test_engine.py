"""What a change costs at the switch: as many flow-mods as it changes flows, in
one bundle, whatever else there is."""

import contextlib
import json

import pytest

from lab import LabError, manifest
from lab.ovs import wait_until

from world import World


def elsewhere(name, address, ns="shop", phase="Running", **labels):
    """A pod of another node."""
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": ns, "name": name, "uid": f"uid-{name}",
                         "labels": {"app": "client", **labels}},
            "spec": {"nodeName": "other", "containers": [{"name": "c"}]},
            "status": {"phase": phase, "podIPs": [{"ip": address}]}}


@pytest.fixture(scope="module", name="world")
def fixture_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    lab.add_pod("shop", "web", ["10.244.0.10"])
    lab.add_pod("shop", "idle", ["10.244.0.11"])
    world.put_pods(wait=False)
    world.put("policies.json", *(
        manifest.policy("shop", f"allow-{n}", policyTypes=["Ingress"],
                        podSelector={"matchLabels": {"app": "web"}},
                        ingress=[{"from": [{"podSelector": {
                            "matchLabels": {"app": "client"}}}],
                            "ports": [{"port": 8000 + n}]}])
        for n in range(20)), wait=False)
    world.put("client.json", elsewhere("client-0", "10.244.1.10"),
              wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


class Cost:
    """What the body of `with` cost at the switch."""

    def __init__(self, world):
        self.world = world

    def _read(self):
        switch = self.world.status()["switch"]
        return switch["bundles"], switch["flow_mods"]

    def __enter__(self):
        self._before = self._read()
        return self

    def __exit__(self, *_exc):
        bundles, flow_mods = self._read()
        self.bundles = bundles - self._before[0]
        self.flow_mods = flow_mods - self._before[1]


@contextlib.contextmanager
def checked(world):
    """Whatever the body does, the result is as computed from scratch."""
    yield
    assert "as computed from scratch" in world.lab.appctl("netpol/self-check")


def test_a_pod_of_a_known_class_is_a_flow_in_each_identity_table(world):
    with checked(world), Cost(world) as came:
        world.put("pod.json", elsewhere("client-1", "10.244.1.11"))
    with checked(world), Cost(world) as moved:
        world.put("pod.json", elsewhere("client-1", "10.244.1.12"))
    with checked(world), Cost(world) as went:
        world.remove("pod.json")

    assert (came.bundles, came.flow_mods) == (1, 2)
    assert (moved.bundles, moved.flow_mods) == (1, 4)
    assert (went.bundles, went.flow_mods) == (1, 2)


def test_a_pod_that_nothing_names_costs_nothing(world):
    with checked(world), Cost(world) as cost:
        world.put("pod.json", elsewhere("stranger", "10.244.1.20", "other"))
        world.remove("pod.json")

    assert (cost.bundles, cost.flow_mods) == (0, 0)


def test_many_pods_are_few_bundles(world):
    pods = [elsewhere(f"many-{n}", f"10.244.{2 + n // 250}.{1 + n % 250}")
            for n in range(2000)]

    with checked(world), Cost(world) as came:
        world.put("pod.json", *pods)
    with checked(world), Cost(world) as went:
        world.remove("pod.json")

    assert came.flow_mods == went.flow_mods == 2 * len(pods)
    assert came.bundles == went.bundles == 1


def test_a_file_written_again_with_the_same_says_nothing(world):
    with Cost(world) as cost:
        world.put("client.json", elsewhere("client-0", "10.244.1.10"))

    assert (cost.bundles, cost.flow_mods) == (0, 0)


def test_an_edited_policy_keeps_its_other_rules(world):
    def policy(*ports):
        return manifest.policy(
            "shop", "edited", policyTypes=["Ingress"],
            podSelector={"matchLabels": {"app": "web"}},
            ingress=[{"ports": [{"port": port}]} for port in ports])

    with checked(world), world.policies(policy(1, 2, 3), name="edited.json"):
        with checked(world), Cost(world) as cost:
            world.put("edited.json", policy(1, 2, 4))

    # Five flows for each of the two ports (IPv4, IPv6, their replies, and
    # errors about them): the conjunctions themselves stay.
    assert (cost.bundles, cost.flow_mods) == (1, 10)


def test_a_restart_over_a_right_table_sends_nothing(world, build_dir):
    lab = world.lab

    lab.stop_daemon()
    lab.start_daemon(build_dir)
    lab.wait()

    assert world.status()["switch"]["flow_mods"] == 0
    assert "as computed from scratch" in lab.appctl("netpol/self-check")


def test_self_check_tells_what_differs(world):
    """Nobody may change our flows; but if a mistake of ours did..."""
    lab = world.lab

    with world.policies(manifest.policy("shop", "more", podSelector={})):
        assert "as computed from scratch" in lab.appctl("netpol/self-check")
    lab.appctl("netpol/flush")
    with pytest.raises(LabError, match="cannot compare now: flushed"):
        lab.appctl("netpol/self-check")
    lab.appctl("netpol/resume")
    wait_until(lambda: json.loads(
        lab.appctl("netpol/status", "json"))["realized"], "resumed")

"""Somebody else changes our flows: that is noticed, undone and counted, and
no packet gets through meanwhile that may not."""

import contextlib
import re

import pytest

from lab import LabError, manifest
from lab.ovs import wait_until

from world import COOKIE, PORTS, World

OURS = f"cookie={COOKIE << 48:#x}/{0xffff << 48:#x}"
LEARNED = f"{COOKIE << 48 | 7 << 40:#x}"


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    for ns, name, n in [("web", "a", 10), ("web", "b", 11), ("data", "c", 12)]:
        lab.add_pod(ns, name, [f"10.244.0.{n}", f"fd00:10:244::{n}"],
                    ports=PORTS)
    world.put_pods(wait=False)
    world.put("policies.json", manifest.policy(
        "web", "b", podSelector={"matchLabels": {"app": "b"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}],
                  "ports": [{"port": 80}]}]), wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world):
    yield module_world
    forget_others(module_world)
    wait_until(lambda: switch(module_world)["last_error"] is None,
               "the switch to be right again")


def forget_others(world):
    with contextlib.suppress(LabError):     # It has some of its own.
        world.lab.ovs.ofctl("del-flows", "br-int", "cookie=0/-1")


def switch(world):
    return world.status()["switch"]


def edit(world, *commands):
    """Do `commands` of ovs-ofctl, and wait until that is undone; returns how
    many flows were concerned."""
    flows = world.our_flows()
    before = switch(world)
    assert before["watched"]
    for command in commands:
        world.lab.ovs.ofctl(command[0], "br-int", *command[1:])
    wait_until(lambda: switch(world)["drift_repairs"]
               > before["drift_repairs"]
               and switch(world)["state"] == "idle", "the repair")
    wait_until(lambda: world.our_flows() == flows, "the flows to be back")
    world.expect(["a -> b tcp/80", "a -> c tcp/8080"],
                 ["a -> b tcp/8080", "c -> b tcp/80"])
    return switch(world)["drifted_flows"] - before["drifted_flows"]


def in_table(world, table):
    return [flow for flow in world.our_flows() if f"table={table}," in flow]


def test_a_flow_is_deleted(world):
    assert edit(world, ("del-flows", "--strict",
                        "table=90,priority=0")) == 1


def test_a_table_is_wiped(world):
    n = len(in_table(world, 85))
    assert n > 2 and edit(world, ("del-flows", "table=85")) == n


def test_all_is_wiped(world):
    n = len(world.our_flows())
    assert edit(world, ("del-flows", OURS)) == n
    assert "missing" in world.log()


def test_a_verdict_is_changed(world):
    assert edit(world, ("mod-flows", "--strict", "table=90,priority=0,"
                        "actions=resubmit(,110)")) == 1


def test_a_flow_with_our_cookie_is_added(world):
    assert edit(world, ("add-flow",
                        f"cookie={COOKIE << 48 | 4 << 40:#x},table=85,"
                        "priority=65000,actions=resubmit(,110)")) == 1


def test_several_at_once(world):
    assert edit(world, ("del-flows", "table=30,ip"),
                ("mod-flows", "table=125,actions=drop")) >= 3


def test_flows_of_others_are_left_alone(world):
    """Also in the midst of ours, and what the switch has learned."""
    before = switch(world)
    flows = ["cookie=0,table=85,priority=3,ip,nw_src=192.0.2.77,actions=drop",
             f"cookie={LEARNED},table=41,priority=9,udp,actions=drop",
             "cookie=0,table=250,actions=drop"]
    for flow in flows:
        world.lab.ovs.ofctl("add-flow", "br-int", flow)
    world.put("more.json", manifest.policy("data", "c"))
    assert (switch(world)["drift_repairs"], switch(world)["errors"]) == (
        before["drift_repairs"], before["errors"])
    text = "\n".join(world.flows(learned=True))
    assert all(word in text for word in ("nw_src=192.0.2.77", LEARNED,
                                         "table=250"))
    world.lab.ovs.ofctl("del-flows", "br-int", f"cookie={LEARNED}/-1")
    world.remove("more.json")


def test_a_flow_of_others_in_the_place_of_ours_stays(world):
    """It is theirs, though it must hurt; ours comes back when it goes."""
    before = world.our_flows()
    repairs = switch(world)["drift_repairs"]
    world.lab.ovs.ofctl("add-flow", "br-int",
                        "table=90,priority=0,actions=drop")
    wait_until(lambda: switch(world)["drift_repairs"] > repairs,
               "the change to be noticed")
    wait_until(lambda: switch(world)["last_error"], "an error")
    assert re.search("would replace a flow that is not ours.*table=90",
                     switch(world)["last_error"])
    forget_others(world)
    wait_until(lambda: world.our_flows() == before, "the flows to be back")

"""Policies, labels, pods and addresses that change while packets flow."""

import contextlib
import threading

import pytest

from lab import manifest, probe

from world import PORTS, Stream, World, leaks, tcp_sockets, udp_sockets

STREAM = 9000                   # From here on no server of the lab listens.


def deny_all(ns):
    return manifest.policy(ns, "deny-all", policyTypes=["Ingress", "Egress"])


def ingress(ns, name, peers, *ports, app=None):
    """Let `peers`, labels of app in any namespace, reach all pods or `app`'s
    of `ns` on `ports`, texts such as "TCP/80"."""
    return manifest.policy(
        ns, name, policyTypes=["Ingress"],
        podSelector={"matchLabels": {"app": app}} if app else {},
        ingress=[{"from": [everywhere(peer) for peer in peers],
                  "ports": [service(port) for port in ports]}])


def egress(ns, name, peers, *ports):
    return manifest.policy(
        ns, name, policyTypes=["Egress"],
        egress=[{"to": [everywhere(peer) for peer in peers],
                 "ports": [service(port) for port in ports]}])


def everywhere(app):
    return {"namespaceSelector": {}, "podSelector": {
        "matchLabels": {"app": app}}}


def service(text):
    protocol, port = text.split("/")
    return {"protocol": protocol, "port": int(port)}


def make_world(lab, build_dir, *args):
    world = World(lab)
    lab.add_pod("web", "a", ["10.244.0.10", "fd00:10:244::10"], ports=PORTS)
    lab.add_pod("web", "b", ["10.244.0.11", "fd00:10:244::11"], ports=PORTS)
    lab.add_pod("data", "c", ["10.244.0.12", "fd00:10:244::12"], ports=PORTS)
    world.put_pods(wait=False)
    lab.start_daemon(build_dir, *args)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    return make_world(make_lab(), build_dir)


@pytest.fixture(name="world")
def fixture_world(module_world):
    yield module_world
    module_world.reset()


@pytest.fixture(scope="module", name="keeping")
def fixture_keeping(make_lab, build_dir):
    return make_world(make_lab(), build_dir, "--established=keep")


# What is edited.

def test_a_policy_is_edited(world):
    with world.policies(deny_all("web"),
                        egress("web", "all", ["a", "b", "c"], "TCP/80"),
                        ingress("web", "in", ["a"], "TCP/80")):
        world.expect(["a -> b tcp/80"],
                     ["a -> b tcp/8080", "c -> b tcp/80", "c -> b udp/53"])
        world.put("policies.json", deny_all("web"),
                  ingress("web", "in", ["c"], "TCP/8080", "UDP/53"))
        world.expect(["c -> b tcp/8080", "c -> b udp/53"],
                     ["a -> b tcp/80", "c -> b tcp/80"])
    world.expect(["a -> b tcp/80", "c -> b tcp/80", "c -> a udp/53"])


def test_a_policy_is_deleted(world):
    """Of two that isolate a pod, one goes: it stays isolated."""
    world.put("deny.json", deny_all("web"))
    world.put("allow.json", ingress("web", "in", ["c"], "TCP/80"))
    world.expect(["c -> a tcp/80"], ["c -> a tcp/8080"])
    world.remove("allow.json")
    world.expect([], ["c -> a tcp/80", "a -> c tcp/80"])
    world.remove("deny.json")
    world.expect(["c -> a tcp/80", "a -> c tcp/80"])


def test_labels_of_a_pod(world):
    with world.policies(ingress("web", "in", ["trusted"], "TCP/80", app="b")):
        world.expect(["c -> a tcp/80"], ["a -> b tcp/80", "c -> b tcp/80"])
        world.put_pods(c=lambda pod: pod["metadata"].update(
            labels={"app": "trusted"}))
        world.expect(["c -> b tcp/80"], ["a -> b tcp/80"])
        # The applied pod loses the label by which it is isolated.
        world.put_pods(b=lambda pod: pod["metadata"].update(
            labels={"app": "other"}))
        world.expect(["a -> b tcp/80", "c -> b tcp/80"])
        world.put_pods()
        world.expect([], ["a -> b tcp/80", "c -> b tcp/80"])


def test_labels_of_a_namespace(world):
    peer = {"namespaceSelector": {"matchLabels": {"team": "data"}}}
    allow = manifest.policy("web", "in", ingress=[{"from": [peer]}])
    with world.policies(allow):
        world.expect([], ["c -> b tcp/80", "a -> b tcp/80"])
        objects = manifest.describe(world.lab)
        for item in objects:
            if item["metadata"]["name"] == "data":
                item["metadata"]["labels"]["team"] = "data"
        world.put("pods.json", *objects)
        world.expect(["c -> b tcp/80"], ["a -> b tcp/80"])
        world.put_pods()
        world.expect([], ["c -> b tcp/80"])


def test_pods_come_and_go(world):
    allow = ingress("web", "in", ["new"], "TCP/80")
    with world.policies(allow):
        for _ in range(2):      # The second has all that the first had.
            world.lab.add_pod("data", "new", ["10.244.0.40"], ports=PORTS)
            world.lab.wait()
            # Its object has not come yet.
            world.expect([], ["new -> b tcp/80", "a -> new tcp/80"])
            world.put_pods()
            world.expect(["new -> b tcp/80", "c -> new tcp/80"],
                         ["new -> b tcp/8080", "c -> b tcp/80"])
            world.lab.del_pod("data", "new")
            world.put_pods()
            flows = world.our_flows()
            assert not [x for x in flows if "10.244.0.40" in x], flows
        # Somebody else gets the address, and not the name.
        world.lab.add_pod("data", "heir", ["10.244.0.40"], ports=PORTS)
        world.put_pods()
        world.expect(["c -> heir tcp/80"], ["heir -> b tcp/80"])
        world.lab.del_pod("data", "heir")
        world.put_pods()


def test_address_of_a_pod(world):
    lab = world.lab
    mover = lab.add_pod("data", "mover", ["10.244.0.50"], ports=PORTS)
    world.put_pods()
    with world.policies(ingress("web", "in", ["mover"], "TCP/80")):
        world.expect(["mover -> b tcp/80"])
        mover.ips[:] = ["10.244.0.51"]
        lab.exec(mover, "ip", "-batch", "-", stdin="addr add 10.244.0.51/32 "
                 "dev eth0\naddr del 10.244.0.50/16 dev eth0\n"
                 "route add 10.244.0.0/16 dev eth0\n")
        lab.serve(mover)
        lab.wait()
        # The pod has taken an address that is not its own.
        world.expect([], ["mover -> b tcp/80", "a -> mover tcp/80"])
        lab.set_ids("Interface", mover.port, {"ip-address": "10.244.0.51"})
        world.put_pods()
        world.expect(["mover -> b tcp/80", "a -> mover tcp/80"])
        flows = world.our_flows()
        assert not [x for x in flows if "10.244.0.50" in x], flows
    lab.del_pod("data", "mover")
    world.put_pods()


# What lives meanwhile.

REVOKED = deny_all("web")
STREAMS = {"port": STREAM, "endPort": STREAM + 3}
PORTS_OF_STREAMS = [{"protocol": "TCP", **STREAMS},
                    {"protocol": "UDP", **STREAMS}]
OUTSIDE = [{"ipBlock": {"cidr": "203.0.113.10/32"}},
           {"ipBlock": {"cidr": "2001:db8:113::10/128"}}]
DIRECTIONS = {
    # client, server, and what lets the one reach the other
    "ingress": ("c", "b", manifest.policy(
        "web", "in", podSelector={"matchLabels": {"app": "b"}}, ingress=[
            {"from": [everywhere("c")], "ports": PORTS_OF_STREAMS}])),
    "egress": ("a", "c", manifest.policy(
        "web", "out", policyTypes=["Egress"], egress=[
            {"to": [everywhere("c")], "ports": PORTS_OF_STREAMS}])),
    "from-outside": ("outside", "b", manifest.policy(
        "web", "in", ingress=[{"from": OUTSIDE}])),
    "to-outside": ("a", "outside", manifest.policy(
        "web", "out", policyTypes=["Egress"], egress=[
            {"to": OUTSIDE, "ports": PORTS_OF_STREAMS}])),
}
KINDS = {
    # how the two sockets are made, and which of (client, server) sends
    "tcp, the client sends": (tcp_sockets, 1),
    "tcp, the server sends": (tcp_sockets, -1),
    "udp, the client sends": (udp_sockets, 1),
    "udp, the server sends": (udp_sockets, -1),
}


def open_streams(stack, world, client, server, v):
    """A stream of each kind, each to a port of its own."""
    return {kind: stack.enter_context(Stream(
        *connect(world.host(client), world.host(server), STREAM + i,
                 v)[::order]))
        for i, (kind, (connect, order)) in enumerate(KINDS.items())}


@pytest.mark.parametrize("v", [4, 6])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_streams_are_cut_and_resumed(world, direction, v):
    """Live TCP and UDP, of which one side alone speaks, stop when the rule
    goes, and go on without a new connection when it comes back."""
    client, server, allow = DIRECTIONS[direction]
    world.put("policies.json", REVOKED, allow)
    with contextlib.ExitStack() as stack:
        streams = open_streams(stack, world, client, server, v)
        world.put("policies.json", REVOKED)
        assert not leaks(streams), world.state()
        world.put("policies.json", REVOKED, allow)
        for stream in streams.values():
            stream.flows()


def test_a_stream_is_cut_by_its_pods_labels(world):
    """The rule stays; who asks is not meant by it any more."""
    world.put("policies.json", REVOKED, DIRECTIONS["ingress"][2])
    with contextlib.ExitStack() as stack:
        streams = open_streams(stack, world, "c", "b", 4)
        world.put_pods(c=lambda pod: pod["metadata"].update(labels={}))
        assert not leaks(streams), world.state()
        world.put_pods()
        for stream in streams.values():
            stream.flows()


def test_established_streams_are_kept(keeping):
    """--established=keep: what was opened goes on; nothing new begins."""
    world = keeping
    world.put("policies.json", REVOKED, DIRECTIONS["ingress"][2])
    with contextlib.ExitStack() as stack:
        streams = open_streams(stack, world, "c", "b", 4)
        # Conntrack calls UDP established once both sides have spoken.
        del streams["udp, the client sends"]
        world.put("policies.json", REVOKED)
        for stream in streams.values():
            stream.flows()
        world.expect([], ["c -> b tcp/80", "c -> b udp/53"])
        for stream in streams.values():
            stream.flows()


def ask_without_end(questions, stop, failed):
    """One connection after the other, until one fails or `stop` is set."""
    while not stop.is_set() and not failed:
        seen = probe.one_round(questions, patience=30)
        failed += [p for p, verdict in seen.items()
                   if verdict != probe.REACHED]


def test_unrelated_edits_disturb_nobody(world):
    """Connections that a policy allows are opened all the time, and streams
    flow, while other policies, labels and pods change: not one packet is
    denied."""
    lab = world.lab
    world.put("policies.json", REVOKED, DIRECTIONS["ingress"][2],
              ingress("web", "80", ["c"], "TCP/80"))
    questions = world.questions("c -> b tcp/80")
    stop, failed = threading.Event(), []
    asker = threading.Thread(target=ask_without_end,
                             args=(questions, stop, failed))
    with contextlib.ExitStack() as stack:
        streams = open_streams(stack, world, "c", "b", 4)
        stack.callback(asker.join)
        stack.callback(stop.set)
        before = world.denials()
        asker.start()
        for i in range(10):
            world.put("other.json", *[
                ingress("web", f"other-{n}", [f"x{i}", "c"], f"TCP/{100 + n}")
                for n in range(i + 1)])
            new = lab.add_pod("data", f"x{i}", [f"10.244.3.{i}"],
                              ports=PORTS)
            world.put_pods(a=lambda pod, i=i: pod["metadata"].update(
                labels={"app": "a", "edit": f"{i}"}))
            if i % 2:
                lab.del_pod("data", new.name)
                world.put_pods()
        for stream in streams.values():
            stream.flows()
    assert not failed, world.state()
    assert world.denials() == before, world.state()

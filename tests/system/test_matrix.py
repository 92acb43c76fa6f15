"""Who reaches whom: each way in which a policy can name pods, addresses and
services, with real packets of either IP version.

The pods: web/a, web/b and data/db with both versions, data/six with IPv6 and
data/four with IPv4 alone, far/remote on another node, an outside host.
"""

import pytest

from lab import manifest, netns

from world import PORTS, World, add_elsewhere

REMOTE = ["10.244.7.7", "fd00:10:244:7::7"]
ISOLATED = ["Ingress", "Egress"]


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    for n, (ns, name, versions) in enumerate([
            ("web", "a", "46"), ("web", "b", "46"), ("data", "db", "46"),
            ("data", "six", "6"), ("data", "four", "4")], 10):
        ips = {"4": f"10.244.0.{n}", "6": f"fd00:10:244::{n}"}
        lab.add_pod(ns, name, [ips[v] for v in versions], ports=PORTS)
    netns.ip(lab.node_ns, "route", "add", "fd00:10:244:7::/64", "dev",
             "br-int")
    for pod in lab.pods.values():
        if ":" in pod.ips[-1]:
            lab.exec(pod, "ip", "route", "add", "fd00:10:244:7::/64", "dev",
                     "eth0")
    add_elsewhere(world, "remote", REMOTE)
    world.put_pods(wait=False)
    world.put("remote.json", manifest.namespace("far", zone="far"),
              pod_object("far", "remote", REMOTE, nodeName="other"),
              wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world):
    yield module_world
    module_world.reset()


# Objects.

def pod_object(ns, name, ips, phase="Running", labels=None, **spec):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": ns, "name": name,
                         "labels": labels or {"app": name}},
            "spec": {"containers": [{"name": "main", "image": "lab"}],
                     **spec},
            "status": {"phase": phase, "podIPs": [{"ip": ip} for ip in ips]}}


def app(name):
    return {"matchLabels": {"app": name}}


def zone(name):
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def into(ns, name, *rules, pods=None):
    return manifest.policy(ns, name, policyTypes=["Ingress"],
                           podSelector=pods or {}, ingress=list(rules))


def out_of(ns, name, *rules, pods=None):
    return manifest.policy(ns, name, policyTypes=["Egress"],
                           podSelector=pods or {}, egress=list(rules))


def peers(direction, *selectors, ports=None):
    rule = {direction: list(selectors)} if selectors else {}
    return rule | ({"ports": ports} if ports is not None else {})


def port(number, protocol="TCP", **more):
    return {"protocol": protocol, "port": number, **more}


# Nobody and everybody.

EVERY_WAY = ["a -> b tcp/80", "a -> b udp/53", "a -> b echo", "db -> a tcp/80",
             "six -> a udp/53", "four -> a echo", "outside -> b tcp/8080",
             "remote -> a udp/53", "a -> db tcp/80", "b -> outside tcp/443",
             "b -> remote echo"]


def test_no_policy(world):
    world.expect(EVERY_WAY)


def test_isolated_both_ways(world):
    """Nothing passes, but the node still reaches its pods."""
    with world.policies(manifest.policy("web", "deny", policyTypes=ISOLATED)):
        world.expect(["node -> a tcp/80", "node -> b udp/53", "node -> a echo",
                      "db -> four tcp/80", "six -> db udp/53"], EVERY_WAY)


def test_isolated_in_one_direction(world):
    with world.policies(into("web", "deny")):
        world.expect(["a -> db tcp/80", "b -> outside udp/53", "a -> db echo"],
                     ["db -> a tcp/80", "a -> b tcp/80", "remote -> a echo"])
    with world.policies(out_of("web", "deny")):
        world.expect(["db -> a tcp/80", "outside -> b udp/53", "db -> a echo",
                      "node -> a tcp/80"],
                     ["a -> db tcp/80", "a -> b tcp/80", "a -> node udp/53",
                      "b -> outside tcp/443"])


def test_a_rule_without_anything_allows_all(world):
    with world.policies(into("web", "all", {}), out_of("web", "all-out", {})):
        world.expect(EVERY_WAY)


def test_egress_list_alone_isolates_no_egress(world):
    """policyTypes absent, and an empty egress list: Ingress alone."""
    with world.policies(manifest.policy("web", "in", egress=[])):
        world.expect(["a -> db tcp/80"], ["db -> a tcp/80"])
    with world.policies(manifest.policy("web", "both", egress=[
            peers("to", {"podSelector": app("b")})])):
        world.expect([], ["a -> b tcp/80", "a -> db tcp/80",
                          "db -> a tcp/80"])


# Services.

def test_protocols(world):
    with world.policies(into("web", "udp", peers("from", ports=[
            port(53, "UDP"), port(80)]))):
        world.expect(["a -> b udp/53", "a -> b tcp/80", "six -> a udp/53",
                      "outside -> a tcp/80"],
                     ["a -> b tcp/8080", "a -> b echo", "four -> a echo",
                      "outside -> a tcp/8080"])


def test_a_protocol_as_a_whole(world):
    with world.policies(into("web", "tcp", peers("from", ports=[{}]))):
        world.expect(["a -> b tcp/80", "db -> a tcp/8080"],
                     ["a -> b udp/53", "db -> a echo"])
    with world.policies(into("web", "udp", peers("from", ports=[
            {"protocol": "UDP"}]))):
        world.expect(["a -> b udp/53"], ["a -> b tcp/80", "db -> a echo"])


def test_a_rule_without_ports_allows_every_protocol(world):
    with world.policies(into("web", "in", peers(
            "from", {"podSelector": app("a")}))):
        world.expect(["a -> b tcp/80", "a -> b udp/53", "a -> b echo"],
                     ["db -> b echo", "db -> b tcp/80"])


def test_port_range(world):
    def allow(first, last, protocol="TCP"):
        return world.policies(into("web", "range", peers("from", ports=[
            port(first, protocol, endPort=last)])))

    with allow(80, 8079):
        world.expect(["a -> b tcp/80"], ["a -> b tcp/8080", "a -> b udp/53"])
    with allow(81, 8080):
        world.expect(["a -> b tcp/8080"], ["a -> b tcp/80"])
    with allow(8080, 65535):
        world.expect(["a -> b tcp/8080"], ["a -> b tcp/80"])
    with allow(8080, 8080):
        world.expect(["a -> b tcp/8080"], ["a -> b tcp/80"])
    with allow(1, 65535, "UDP"):
        world.expect(["a -> b udp/53"], ["a -> b tcp/80", "a -> b echo"])


@pytest.fixture(name="named")
def fixture_named(world):
    """On each pod "front" is another port, and on data/four it is UDP."""
    fronts = {"a": port(80), "b": port(8080), "db": port(8080),
              "four": port(53, "UDP")}

    def name_port(front):
        def change(pod):
            ports = pod["spec"]["containers"][0]["ports"]
            ports[:] = [{"name": "front", "containerPort": front["port"],
                         "protocol": front["protocol"]}]
        return change

    world.put_pods(**{name: name_port(p) for name, p in fronts.items()})
    yield world
    world.put_pods()


def test_named_port_into_pods(named):
    with named.policies(into("web", "front", peers("from", ports=[
            port("front")]))):
        named.expect(["db -> a tcp/80", "db -> b tcp/8080",
                      "outside -> a tcp/80"],
                     ["db -> a tcp/8080", "db -> b tcp/80", "db -> a udp/53"])


def test_named_port_out_of_pods(named):
    """It is the peer that says what the name means; who has none of that
    name, or an address without a pod, offers nothing."""
    with named.policies(out_of("web", "front", peers("to", ports=[
            port("front")]))):
        named.expect(["a -> b tcp/8080", "b -> a tcp/80", "a -> db tcp/8080"],
                     ["a -> b tcp/80", "b -> a tcp/8080", "a -> db tcp/80",
                      "a -> four tcp/80", "a -> four udp/53",
                      "a -> six tcp/80", "a -> outside tcp/443"])
    with named.policies(out_of("web", "front", peers("to", ports=[
            port("front", "UDP")]))):
        named.expect(["a -> four udp/53"],
                     ["a -> b udp/53", "a -> b tcp/8080"])


# Peers.

def test_pod_selector_means_the_own_namespace(world):
    with world.policies(into("web", "own", peers("from", {
            "podSelector": {}}))):
        world.expect(["a -> b tcp/80", "b -> a echo"],
                     ["db -> a tcp/80", "four -> b udp/53",
                      "remote -> a tcp/80", "outside -> a tcp/80"])


def test_namespace_selector(world):
    with world.policies(into("web", "data", peers("from", {
            "namespaceSelector": zone("data")}))):
        world.expect(["db -> a tcp/80", "six -> b udp/53", "four -> a echo"],
                     ["b -> a tcp/80", "remote -> b tcp/80",
                      "outside -> a udp/53"])
    with world.policies(into("web", "pods", peers("from", {
            "namespaceSelector": {}}))):
        world.expect(["db -> a tcp/80", "b -> a echo", "remote -> b tcp/80"],
                     ["outside -> a udp/53"])


def test_both_selectors_are_and_two_items_are_or(world):
    both = {"namespaceSelector": zone("data"), "podSelector": app("db")}
    with world.policies(into("web", "and", peers("from", both))):
        world.expect(["db -> a tcp/80"],
                     ["six -> a tcp/80", "b -> a tcp/80"])
    with world.policies(into("web", "or", peers(
            "from", {"namespaceSelector": zone("data")},
            {"podSelector": app("b")}))):
        world.expect(["db -> a tcp/80", "six -> a tcp/80", "b -> a tcp/80"],
                     ["remote -> a tcp/80", "a -> b tcp/80"])


def test_expressions(world):
    """NotIn and DoesNotExist hold for a label that is not there."""
    def expression(operator, *values):
        return {"matchExpressions": [{
            "key": "app", "operator": operator,
            **({"values": list(values)} if values else {})}]}

    world.put_pods(four=lambda pod: pod["metadata"].pop("labels"))
    for selector, reached, denied in [
            (expression("In", "db", "six"), ["db", "six"], ["four", "b"]),
            (expression("NotIn", "db"), ["six", "four", "b"], ["db"]),
            (expression("Exists"), ["db", "six", "b"], ["four"]),
            (expression("DoesNotExist"), ["four"], ["db", "six", "b"])]:
        with world.policies(into("web", "in", peers("from", {
                "namespaceSelector": {}, "podSelector": selector}))):
            world.expect([f"{name} -> a tcp/80" for name in reached],
                         [f"{name} -> a tcp/80" for name in denied])
    world.put_pods()


def test_ip_block(world):
    """It means pods' addresses too, and one version alone."""
    with world.policies(into("web", "block", peers(
            "from", {"ipBlock": {"cidr": "203.0.113.0/24"}},
            {"ipBlock": {"cidr": "10.244.0.12/32"}},
            {"ipBlock": {"cidr": "fd00:10:244:7::/64"}}))):
        world.expect(["outside -> a tcp/80 v4", "db -> b udp/53 v4",
                      "remote -> a tcp/80 v6"],
                     ["outside -> a tcp/80 v6", "db -> b udp/53 v6",
                      "remote -> a tcp/80 v4", "four -> a tcp/80"])


def test_ip_block_except(world):
    everywhere = {"ipBlock": {"cidr": "0.0.0.0/0", "except": [
        "203.0.113.0/24", "10.244.0.10/31"]}}
    six = {"ipBlock": {"cidr": "::/0", "except": ["fd00:10:244:7::/64"]}}
    with world.policies(out_of("web", "out", peers("to", everywhere, six))):
        world.expect(["a -> db tcp/80", "a -> remote tcp/80 v4",
                      "a -> outside tcp/443 v6", "a -> node udp/53"],
                     ["a -> outside tcp/443 v4", "a -> b tcp/80 v4",
                      "b -> a echo v4", "b -> remote udp/53 v6"])


def test_exceptions_of_one_block_are_no_matter_to_another(world):
    wide = {"ipBlock": {"cidr": "203.0.0.0/16",
                        "except": ["203.0.113.0/24"]}}
    inner = {"ipBlock": {"cidr": "203.0.113.10/32"}}
    with world.policies(into("web", "in", peers("from", wide))):
        world.expect([], ["outside -> a tcp/80"])
    with world.policies(into("web", "in", peers("from", wide, inner))):
        world.expect(["outside -> a tcp/80 v4"], ["outside -> a tcp/80 v6"])


# Several policies.

def test_both_sides_must_allow(world):
    let_in = into("data", "in", peers("from", {
        "namespaceSelector": zone("web")}, ports=[port(80)]), pods=app("db"))
    let_out = out_of("web", "out", peers("to", {
        "namespaceSelector": zone("data")}, ports=[port(80), port(8080)]))
    world.put("in.json", let_in)
    world.expect(["a -> db tcp/80"], ["a -> db tcp/8080", "a -> db echo"])
    world.put("out.json", let_out)
    world.expect(["a -> db tcp/80", "a -> four tcp/8080"],
                 ["a -> db tcp/8080", "a -> b tcp/80"])
    world.remove("in.json")
    world.put("in.json", into("data", "in", pods=app("db")))
    world.expect([], ["a -> db tcp/80", "a -> db tcp/8080"])


def test_policies_add_up(world):
    """Overlapping in pods, peers and ports; each grants its own alone."""
    objects = [
        into("web", "one", peers("from", {"podSelector": {}},
                                 ports=[port(80)])),
        into("web", "two", peers("from", {
            "namespaceSelector": zone("data")}, ports=[port(8080)]),
            pods=app("a")),
        into("web", "three", peers("from", {
            "namespaceSelector": {}, "podSelector": app("db")},
            ports=[port(53, "UDP"), port(8000, endPort=8100)])),
        into("web", "four", pods=app("b"))]
    for order in (objects, objects[::-1]):
        with world.policies(*order):
            world.expect(["a -> b tcp/80", "db -> a tcp/8080",
                          "six -> a tcp/8080", "db -> b tcp/8080",
                          "db -> a udp/53"],
                         ["a -> b tcp/8080", "db -> a tcp/80",
                          "six -> b tcp/8080", "six -> a udp/53",
                          "outside -> b tcp/80"])


# Who is a pod, and who is not.

def test_remote_pods(world):
    """A pod of another node counts by its object alone."""
    far = {"namespaceSelector": {"matchLabels": {"zone": "far"}},
           "podSelector": app("remote")}
    with world.policies(into("web", "in", peers("from", far,
                                                ports=[port(80)])),
                        out_of("web", "out", peers("to", far))):
        world.expect(["remote -> a tcp/80", "b -> remote udp/53",
                      "b -> remote echo"],
                     ["remote -> a tcp/8080", "outside -> a tcp/80",
                      "b -> outside udp/53"])
        world.put("remote.json", manifest.namespace("far"),
                  pod_object("far", "remote", REMOTE, nodeName="other"))
        world.expect([], ["remote -> a tcp/80", "b -> remote udp/53"])
    world.put("remote.json", manifest.namespace("far", zone="far"),
              pod_object("far", "remote", REMOTE, nodeName="other"))


def test_a_pod_on_the_hosts_network_is_its_node(world):
    """No selector means it: neither as a peer nor as who is isolated."""
    lab = world.lab
    world.put("host.json", pod_object(
        "web", "host", lab.settings.node_ips, nodeName="lab-node",
        hostNetwork=True, labels={"app": "host"}))
    with world.policies(out_of("web", "out", peers("to", {
            "podSelector": app("host")}))):
        world.expect([], ["a -> node udp/53"])
    with world.policies(manifest.policy("web", "deny", policyTypes=ISOLATED,
                                        podSelector=app("host"))):
        world.expect(["a -> node udp/53", "node -> a tcp/80",
                      "outside -> node udp/53"])


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_finished_pods_address(world, phase):
    """It belongs to the pod that has it now."""
    remote = pod_object("far", "remote", REMOTE, nodeName="other")
    job = pod_object("web", "job", REMOTE, phase, nodeName="other")
    world.put("remote.json", manifest.namespace("far", zone="far"), job,
              remote)
    with world.policies(into("web", "in", peers("from", {
            "podSelector": app("job")}))):
        world.expect([], ["remote -> a tcp/80"])
    with world.policies(into("web", "in", peers("from", {
            "namespaceSelector": zone("far")}))):
        world.expect(["remote -> a tcp/80"])
    world.put("remote.json", manifest.namespace("far", zone="far"), remote)


def test_a_finished_pod_of_this_node_carries_nothing(world):
    world.put_pods(four=lambda pod: pod["status"].update(phase="Succeeded"))
    world.expect([], ["four -> a tcp/80", "a -> four tcp/80"])
    ports = {p["name"]: p["problem"] for p in world.status()["ports"]}
    assert "data/four has finished" in ports[world.host("four").port]
    world.put_pods()
    world.expect(["four -> a tcp/80", "a -> four tcp/80"])


def test_a_pod_without_an_address_in_its_status(world):
    """Its port says what its address is, and that is enough for it to be
    isolated and to be a peer."""
    def forget(pod):
        del pod["status"]["podIP"], pod["status"]["podIPs"]
        pod["status"]["phase"] = "Pending"

    world.put_pods(a=forget, db=forget)
    world.expect(["a -> b tcp/80", "db -> a tcp/80", "a -> db echo"])
    with world.policies(into("web", "in", peers("from", {
            "namespaceSelector": {}, "podSelector": app("db")}))):
        world.expect(["db -> a tcp/80", "db -> b udp/53"],
                     ["a -> b tcp/80", "b -> a tcp/80"])
    world.put_pods()


def test_a_terminating_pod_counts_until_it_is_gone(world):
    def terminate(pod):
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    world.put_pods(a=terminate, db=terminate)
    with world.policies(into("web", "in", peers("from", {
            "namespaceSelector": {}, "podSelector": app("db")}))):
        world.expect(["db -> a tcp/80", "db -> b tcp/80"], ["b -> a tcp/80"])
    world.put_pods()

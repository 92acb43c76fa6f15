"""Which port is which pod's, and what becomes of ports that are nobody's.

web/a stays as it is and asks; each test brings its own pods, and their ports
get into trouble.  A port that carries nothing is silent both ways, and the
status says why.
"""

import re

import pytest

from lab import manifest, netns
from lab.netns import run
from lab.ovs import large_receive_buffers, wait_until
from lab.pods import CNI, make_uid

from world import PORTS, Elsewhere, World

IP = "10.244.0.20"
MAC = "0a:58:0a:f4:00:14"       # the lab makes it from the address


@pytest.fixture(scope="module", name="module_world")
def fixture_module_world(make_lab, build_dir):
    lab = make_lab()
    world = World(lab)
    lab.add_pod("web", "a", ["10.244.0.10"], ports=PORTS)
    world.put_pods(wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    world.keep()
    return world


@pytest.fixture(name="world")
def fixture_world(module_world):
    yield module_world
    module_world.reset()


@pytest.fixture(name="b")
def fixture_b(world):
    """A pod in good order that only web/a may reach, at TCP 80."""
    pod = world.lab.add_pod("data", "b", [IP], ports=PORTS)
    world.put_pods(wait=False)
    world.put("policies.json", isolate())
    passes(world)
    return pod


def isolate():
    peer = {"namespaceSelector": {"matchLabels": {
        "kubernetes.io/metadata.name": "web"}}}
    return manifest.policy("data", "in", ingress=[
        {"from": [peer], "ports": [{"port": 80}]}])


def passes(world, name="b"):
    world.expect([f"a -> {name} tcp/80", f"{name} -> a tcp/80"])


def works(world, name="b"):
    world.expect([f"a -> {name} tcp/80", f"{name} -> a tcp/80"],
                 [f"a -> {name} tcp/8080", f"outside -> {name} tcp/80"])


def carries_nothing(world, name="b"):
    world.expect([], [f"a -> {name} tcp/80", f"{name} -> a tcp/80",
                      f"node -> {name} tcp/80", f"{name} -> outside udp/53"])


def problem(world, port):
    """Why the status says that a port carries nothing, or None."""
    found, = [p for p in world.status()["ports"] if p["name"] == port]
    text = [line for line in world.state().splitlines()
            if line.strip() == f"{port}: {found['problem']}"]
    assert bool(text) == bool(found["problem"]), world.state()
    return found["problem"]


def pod_status(world, name):
    """The pod as the status has it, None when no port is its."""
    return next((p for p in world.status()["pods"] if p["name"] == name),
                None)


def ids(world, port):
    """The Interface's external_ids."""
    text = world.lab.ovs.vsctl("get", "Interface", port, "external_ids")
    return dict(re.findall(r'([\w-]+)="?([^",}]*)', text))


def realized(world, port):
    return ids(world, port).get("netpol-realized")


def becomes(world, port, value):
    """Wait until the row says so; it is written just after netpol/wait's
    answer may have come."""
    wait_until(lambda: realized(world, port) == value,
               f"netpol-realized of {port} to be {value}")


def set_ids(world, pod, **keys):
    world.lab.set_ids("Interface", pod.port, {
        key.replace("_", "-"): value for key, value in keys.items()})
    world.lab.wait()


# Who says what.

@pytest.mark.parametrize("cni, value", [
    ("ours", "uid"), ("ovn-kubernetes", "uid"), ("antrea", "true")])
def test_plugins_that_say_enough(world, cni, value):
    pod = world.lab.add_pod("data", "b", [IP], ports=PORTS, cni=cni)
    world.put_pods(wait=False)
    world.put("policies.json", isolate())
    works(world)
    assert problem(world, pod.port) is None
    assert pod_status(world, "b")["port"] == pod.port
    assert pod_status(world, "b")["mac"] == pod.mac
    becomes(world, pod.port, pod.uid if value == "uid" else "true")


@pytest.mark.parametrize("cni", ["kube-ovn", "ovs-cni"])
def test_plugins_that_do_not_say_the_mac(world, cni):
    """Nobody could tell the pod's frames from others'.  Whoever adds the key
    gets the rest, found by name or by UID, the address from the object."""
    pod = world.lab.add_pod("data", "b", [IP], ports=PORTS, cni=cni)
    world.put_pods(wait=False)
    world.put("policies.json", isolate())
    carries_nothing(world)
    assert problem(world, pod.port) == "its row has no attached-mac"
    assert pod_status(world, "b") is None
    assert "attached-mac" in world.status()["pods_without_port"][0]["reason"]
    assert realized(world, pod.port) is None
    set_ids(world, pod, attached_mac=pod.mac)
    works(world)
    becomes(world, pod.port, pod.uid if cni == "ovs-cni" else "true")


@pytest.mark.parametrize("cni", ["os-vif", "none"])
def test_ports_that_are_no_pods(world, cni):
    pod = world.lab.add_pod("data", "b", [IP], ports=PORTS, cni=cni)
    world.put_pods()
    carries_nothing(world)
    assert problem(world, pod.port) == "no key says what this port is"
    # Named at last, without the port being touched.
    table, keys = CNI["ours"](pod)
    world.lab.set_ids(table, pod.port, keys)
    world.lab.wait()
    world.expect(["a -> b tcp/80", "b -> a tcp/80"])


@pytest.mark.parametrize("keys, reason", [
    ({"iface_id": "data_B"}, '"data_B" is not NAMESPACE_POD'),
    ({"iface_id": "data_"}, "is not NAMESPACE_POD"),
    ({"iface_id": "data_nobody"}, "no pod data/nobody is known"),
    ({"iface_id": None}, "no key says what this port is"),
    ({"iface_id_ver": "other"}, 'iface-id-ver other is not the UID'),
    ({"attached_mac": None}, "no attached-mac"),
    ({"attached_mac": "0a:58"}, '"0a:58" is not a MAC address'),
    ({"attached_mac": "ff:ff:ff:ff:ff:ff"}, "is not a MAC address"),
    ({"attached_mac": "0a:58:0a:f4:00:0a"}, "has its MAC"),
    ({"ip_address": "10.244.0.300"}, '"10.244.0.300" is not the address'),
    ({"ip_address": f"{IP},10.0.0.0/8/8"}, "is not the address"),
    ({"ip_address": "127.0.0.1"}, "is not the address of a host"),
    ({"ip_address": "10.244.0.10"}, "10.244.0.10 is another port's address"),
    ({"ip_address": f"{IP},10.244.0.1"}, "10.244.0.1 is another port's"),
    ({"ip_address": f"{IP},192.0.2.1"}, "192.0.2.1 is another port's"),
    ({"netpol_role": "boss"}, '"boss" is neither gateway nor uplink'),
])
def test_rows_that_are_wrong(world, b, keys, reason):
    """A value that cannot be true opens nothing, and takes nothing from who
    is right; web/a goes on.  Put right, the port works again."""
    before = ids(world, b.port)
    set_ids(world, b, **keys)
    assert reason in problem(world, b.port)
    becomes(world, b.port, None)
    carries_nothing(world)
    world.expect(["a -> outside udp/53", "node -> a tcp/80"])
    set_ids(world, b, **{key: before.get(key.replace("_", "-"))
                         for key in keys})
    assert problem(world, b.port) is None
    becomes(world, b.port, b.uid)
    passes(world)


# Numbers of ports.

def test_the_network_device_is_missing(world, b):
    """The row is there and its device is not, as after a reboot; then the
    device comes."""
    lab = world.lab
    number = lab.ovs.ofport(b.port)
    lab.ovs.vsctl("del-port", b.port)
    netns.ip(lab.node_ns, "link", "set", b.port, "down", "name", "aside")
    table, keys = CNI["ours"](b)
    add = ["add-port", "br-int", b.port, "--", "set", table, b.port,
           *(f'external_ids:{key}="{value}"' for key, value in keys.items())]
    lab.ovs.vsctl(*add)
    assert lab.ovs.ofport(b.port) == -1
    lab.wait()
    assert "ofport -1" in problem(world, b.port)
    becomes(world, b.port, None)
    assert not [x for x in world.our_flows()
                if f"in_port={number}," in x or IP in x]
    with large_receive_buffers():
        netns.ip(lab.node_ns, "link", "set", "aside", "name", b.port, "up")
        wait_until(lambda: lab.ovs.ofport(b.port) > 0, "a port number")
    lab.wait()
    works(world)
    becomes(world, b.port, b.uid)


def test_a_port_changes_its_number(world, b):
    old = world.lab.ovs.ofport(b.port)
    world.lab.move_port(b, 77)
    world.lab.wait()
    assert pod_status(world, "b")["ofport"] == 77
    works(world)
    stale = [x for x in world.our_flows()
             if f"in_port={old}," in x or f"output:{old}" in x.split(",")]
    assert not stale, stale
    becomes(world, b.port, b.uid)


def test_a_number_goes_to_another_pod(world, b):
    """At once, in one transaction, and again while the daemon is away."""
    lab = world.lab
    number = lab.ovs.ofport(b.port)
    c = lab.add_pod("web", "c", ["10.244.0.21"], ports=PORTS)
    world.put_pods()
    with large_receive_buffers():
        lab.ovs.vsctl("del-port", b.port, "--", "set", "Interface", c.port,
                      f"ofport_request={number}")
    wait_until(lambda: lab.ovs.ofport(c.port) == number, "the number")
    lab.wait()
    assert pod_status(world, "c")["ofport"] == number
    assert pod_status(world, "b") is None
    # c is not isolated, and has an address of its own.
    world.expect(["a -> c tcp/80", "a -> c tcp/8080", "c -> a tcp/80"],
                 ["b -> a tcp/80"])


def test_two_pods_change_places(world, b, build_dir):
    """Each gets the other's number while the daemon is away: what it finds
    installed says the opposite of what is true."""
    lab = world.lab
    c = lab.add_pod("web", "c", ["10.244.0.21"], ports=PORTS)
    world.put_pods()
    numbers = lab.ovs.ofport(b.port), lab.ovs.ofport(c.port)
    assert lab.stop_daemon() == 0
    lab.move_port(b, 99)
    lab.move_port(c, numbers[0])
    lab.move_port(b, numbers[1])
    lab.start_daemon(build_dir)
    lab.wait()
    assert (pod_status(world, "b")["ofport"],
            pod_status(world, "c")["ofport"]) == numbers[::-1]
    works(world)
    world.expect(["c -> b tcp/80", "a -> c tcp/8080"], ["c -> b tcp/8080"])


# MACs and addresses.

def test_a_mac_changes(world, b):
    """Before the row says so, the pod is silenced; after it, it is not."""
    lab, new = world.lab, "0a:58:0a:f4:00:99"
    lab.exec(b, "ip", "link", "set", "eth0", "address", new)
    world.expect([], ["b -> a tcp/80", "a -> b tcp/80"])
    set_ids(world, b, attached_mac=new)
    lab.exec(lab.host("a"), "ip", "neigh", "flush", "all")
    works(world)
    assert not [x for x in world.our_flows() if MAC in x]


def test_addresses_come_and_go(world, b):
    """A pod's second address counts from when the row has it until it has
    not; its first one is not disturbed."""
    lab, ip = world.lab, "10.244.0.120"
    lab.exec(b, "ip", "addr", "add", f"{ip}/32", "dev", "eth0")
    second = world.hosts["second"] = Elsewhere("second", b.netns, [ip], PORTS)
    lab.serve(second)
    carries_nothing(world, "second")
    set_ids(world, b, ip_address=f"{IP},{ip}")
    passes(world)
    works(world, "second")
    # The object has only the first one, and the status says so.
    assert ip in pod_status(world, "b")["note"]
    set_ids(world, b, ip_address=IP)
    passes(world)
    carries_nothing(world, "second")
    assert not [x for x in world.our_flows() if ip in x]


def test_the_object_speaks_where_the_row_is_silent(world, b):
    set_ids(world, b, ip_address=None)
    works(world)
    world.put_pods(b=lambda pod: pod["status"].update(podIPs=[]) or
                   pod["status"].pop("podIP"))
    assert "has no address" in problem(world, b.port)
    carries_nothing(world)
    world.put_pods()
    works(world)


# Claims.

@pytest.fixture(name="thief")
def fixture_thief(world, b):
    """Another pod's port, whose row is made to say that it is b's."""
    pod = world.lab.add_pod("data", "thief", ["10.244.0.30"], ports=PORTS)
    set_ids(world, pod, iface_id="data_b", iface_id_ver="another")
    assert b.key == "data/b"
    return pod


def test_two_ports_claim_one_pod(world, b, thief):
    """The one with the pod's UID wins, whichever came first."""
    works(world)
    carries_nothing(world, "thief")
    assert "is not the UID of pod data/b" in problem(world, thief.port)
    becomes(world, thief.port, None)
    becomes(world, b.port, b.uid)
    # The pod was made again, and this is its new sandbox's port.
    world.put_pods(b=lambda pod: pod["metadata"].update(uid="another"))
    works(world, "thief")
    carries_nothing(world)
    becomes(world, thief.port, "another")
    becomes(world, b.port, None)


def test_two_ports_claim_one_pod_with_its_uid(world, b, thief):
    """One port alone is the pod's; without it the other one is."""
    set_ids(world, thief, iface_id_ver=b.uid)
    works(world, "thief")       # Its number is higher: it came later.
    carries_nothing(world)
    assert problem(world, b.port) == f"pod data/b is on port {thief.port}"
    becomes(world, b.port, None)
    world.lab.ovs.vsctl("del-port", thief.port)
    world.lab.wait()
    works(world)
    becomes(world, b.port, b.uid)


def test_who_claims_nothing_keeps_nothing(world, b, build_dir):
    """While the daemon was away a pod's object went, and a port's row."""
    lab = world.lab
    c = lab.add_pod("web", "c", ["10.244.0.21"], ports=PORTS)
    world.put_pods()
    becomes(world, c.port, c.uid)
    assert realized(world, b.port) == b.uid
    assert lab.stop_daemon() == 0
    lab.set_ids("Interface", c.port, {"iface-id": None, "iface-id-ver": None})
    objects = [item for item in manifest.describe(lab)
               if item["metadata"]["name"] != "b"]
    world.put("pods.json", *objects, wait=False)
    lab.start_daemon(build_dir)
    lab.wait()
    becomes(world, b.port, None)
    becomes(world, c.port, None)
    carries_nothing(world)
    carries_nothing(world, "c")
    world.put_pods()


def test_a_port_before_its_pod_and_a_pod_before_its_port(world):
    lab = world.lab
    early = lab.add_pod("data", "b", [IP], ports=PORTS)
    lab.wait()
    assert problem(world, early.port) == "no pod data/b is known"
    carries_nothing(world)
    world.put_pods()
    world.expect(["a -> b tcp/80", "b -> a tcp/80"])
    becomes(world, early.port, early.uid)
    # Its object goes first.
    objects = manifest.describe(lab)
    world.put("pods.json", *[item for item in objects
                             if item["metadata"]["name"] != "b"])
    becomes(world, early.port, None)
    carries_nothing(world)
    # Its port goes first.
    world.put("pods.json", *objects)
    lab.ovs.vsctl("del-port", early.port)
    lab.wait()
    assert [(p["name"], p["reason"])
            for p in world.status()["pods_without_port"]] == [
        ("b", "no port of the bridge names it")]
    assert "data/b: no port of the bridge names it" in world.state()


def test_a_port_tells_its_uid_anew(world, b):
    """What netpol-realized says is what the row says now."""
    uid = make_uid("another life")
    world.put_pods(b=lambda pod: pod["metadata"].update(uid=uid))
    becomes(world, b.port, None)
    set_ids(world, b, iface_id_ver=uid)
    becomes(world, b.port, uid)
    works(world)
    set_ids(world, b, iface_id_ver=None)
    becomes(world, b.port, "true")
    assert ids(world, b.port) == {
        "iface-id": "data_b", "attached-mac": b.mac, "ip-address": IP,
        "netpol-realized": "true"}


def test_strangers_come_later(world, b):
    """An unknown port on a bridge that is ours already: it carries nothing,
    hears nothing that is flooded, and disturbs nobody."""
    lab = world.lab
    stranger = lab.add_pod("data", "stranger", ["10.244.0.40"], cni="none")
    lab.wait()
    assert problem(world, stranger.port) == "no key says what this port is"
    works(world)
    wait_until(lambda: stranger.port in deaf_ports(lab), "its NO_FLOOD")
    assert {b.port, lab.host("a").port} <= deaf_ports(lab)
    assert not {"uplink", "br-int"} & deaf_ports(lab)


def deaf_ports(lab):
    """Ports that do not get what is flooded; OpenFlow 1.0 alone tells."""
    text = run("ovs-ofctl", "-O", "OpenFlow10", "show",
               f"unix:{lab.ovs.rundir}/br-int.mgmt")
    return {name for name, config in re.findall(
        r"^ \S+\((\S+)\): addr:.*\n +config: +(.*)", text, re.M)
        if "NO_FLOOD" in config}

"""Corners of the API, each with a table that a person wrote after the API's
documentation (NetworkPolicySpec and what it refers to), and what we chose
where it leaves a choice.  No name of upstream's stands for these."""

from case import (allow_from, allow_to, block, collector, directed, egress,
                  expression, expressions, ingress, labels, named, pods, port)
from lab.manifest import policy

CASES, case = collector()
A = labels(pod="a")
BOTH = ["Ingress", "Egress"]


# Which directions a policy governs.

@case("no policyTypes and no egress: egress stays open")
def _(state):
    state.policies = [policy("x", "p", podSelector=A,
                             ingress=[allow_from([pods(pod="b")])])]
    yield """no * -> x/a
             yes x/b -> x/a"""


@case("no policyTypes and an egress rule: both directions are governed")
def _(state):
    state.policies = [policy("x", "p", podSelector=A,
                             egress=[allow_to([pods(pod="b")])])]
    yield """no * -> x/a
             no x/a -> *
             yes x/a -> x/b"""


@case("no policyTypes and an empty list of egress rules: egress stays open")
def _(state):
    state.policies = [policy("x", "p", podSelector=A, egress=[])]
    yield "no * -> x/a"


@case("nothing but a selector: ingress is governed")
def _(state):
    state.policies = [policy("x", "p", podSelector=A)]
    yield "no * -> x/a"


@case("an empty list of policyTypes is none")
def _(state):
    state.policies = [policy("x", "p", podSelector=A, policyTypes=[],
                             egress=[{}])]
    yield "no * -> x/a"


@case("policyTypes of egress alone: ingress rules say nothing")
def _(state):
    state.policies = [policy("x", "p", podSelector=A, policyTypes=["Egress"],
                             ingress=[allow_from([pods(pod="b")])])]
    yield "no x/a -> *"


@case("policyTypes of ingress alone: egress rules say nothing")
def _(state):
    state.policies = [policy("x", "p", podSelector=A, policyTypes=["Ingress"],
                             egress=[allow_to([pods(pod="b")])])]
    yield "no * -> x/a"


@case("policyTypes may say the same twice")
def _(state):
    state.policies = [policy("x", "p", podSelector=A,
                             policyTypes=["Egress", "Egress"])]
    yield "no x/a -> *"


@case("no podSelector is everybody here")
def _(state):
    state.policies = [policy("x", "p", policyTypes=["Ingress"])]
    del state.policies[0]["spec"]["podSelector"]
    yield "no * -> x/*"


@case("a policy is of its own namespace alone")
def _(state):
    state.policies = [ingress("x", "p", A), egress("y", "p", A)]
    yield """no * -> x/a
             no y/a -> *"""


# Empty and absent lists.

@case("an empty rule allows everything")
def _(state):
    state.policies = [policy("x", "p", podSelector=A, policyTypes=BOTH,
                             ingress=[{}], egress=[{}])]
    yield ""


@case("empty lists of peers and ports are any")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([], [port(80)])]),
                      egress("x", "q", A, [allow_to([pods(pod="b")], [])])]
    yield """no * -> x/a
             yes * -> x/a tcp/80
             no x/a -> *
             yes x/a -> x/b"""


@case("null for a list is any")
def _(state):
    state.policies = [ingress("x", "p", A, [{"from": None,
                                             "ports": [port(80, "UDP")]}]),
                      ingress("x", "q", A, [{"from": [pods(pod="b")],
                                             "ports": None}])]
    yield """no * -> x/a
             yes * -> x/a udp/80
             yes x/b -> x/a"""


@case("an empty port is any TCP port")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from(ports=[{}])])]
    yield """no * -> x/a
             yes * -> x/a tcp"""


@case("a port without protocol is TCP's")
def _(state):
    state.policies = [egress("x", "p", A, [allow_to(ports=[port(81)])])]
    yield """no x/a -> *
             yes x/a -> * tcp/81"""


@case("rules add up, and each has its own peers and ports")
def _(state):
    state.policies = [ingress("x", "p", A, [
        allow_from([pods(pod="b")], [port(80)]),
        allow_from([pods(pod="c")], [port(81, "UDP")]),
        allow_from([named("y")])])]
    yield """no * -> x/a
             yes x/b -> x/a tcp/80
             yes x/c -> x/a udp/81
             yes y/* -> x/a"""


@case("ICMP needs a rule without ports")
def _(state):
    every = [port(protocol=p) for p in ("TCP", "UDP", "SCTP")]
    state.policies = [ingress("x", "p", {}, [allow_from(ports=every)]),
                      ingress("x", "q", A, [allow_from([pods(pod="b")])])]
    yield """no * -> x/* icmp
             yes x/b -> x/a icmp"""


# Selectors.

@case("a label with an empty value is there")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([
        {"namespaceSelector": {}, **pods(tier="")}])])]
    yield """no * -> x/a
             yes ?/b -> x/a"""


@case("NotIn and DoesNotExist hold for a label that is not there")
def _(state):
    def anywhere(*requirement):
        return {"namespaceSelector": {},
                "podSelector": expressions(expression(*requirement))}

    state.policies = [
        ingress("x", "p", A, [allow_from([anywhere("tier", "NotIn",
                                                   "front")])]),
        ingress("y", "p", A, [allow_from([anywhere("tier",
                                                   "DoesNotExist")])]),
        ingress("z", "p", A, [allow_from([anywhere("tier", "Exists")])])]
    yield """no * -> ?/a
             yes ?/b,?/c -> x/a
             yes ?/c -> y/a
             yes ?/a,?/b -> z/a"""


@case("In does not hold for a label that is not there")
def _(state):
    state.policies = [egress("x", "p", expressions(
        expression("tier", "In", "", "front", "back")))]
    yield "no x/a,x/b -> *"


@case("all of a selector must hold")
def _(state):
    both = {**labels(pod="b"), **expressions(
        expression("tier", "Exists"), expression("tier", "NotIn", "front"))}
    none = {**labels(pod="b"), **expressions(
        expression("tier", "In", "front"))}
    state.policies = [ingress("x", "p", both), ingress("y", "p", none)]
    yield "no * -> x/b"


@case("a pod's labels are not its namespace's")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([
        {"namespaceSelector": labels(pod="b")}, pods(ns="x")])])]
    yield "no * -> x/a"


@case("two selectors in one peer are both meant, in two peers either")
def _(state):
    state.policies = [
        ingress("x", "and", A, [allow_from([{**named("y"),
                                             **pods(pod="c")}])]),
        ingress("z", "or", A, [allow_from([named("y"), pods(pod="c")])])]
    yield """no * -> [xz]/a
             yes y/c -> x/a
             yes y/*,z/c -> z/a"""


@case("a namespace's labels may be anything")
def _(state):
    state.namespaces["y"]["stage"] = "test"
    state.namespaces["z"]["stage"] = "production"
    state.policies = [ingress("x", "p", {}, [allow_from([
        {"namespaceSelector": expressions(
            expression("stage", "NotIn", "production"),
            expression("stage", "Exists"))}])])]
    yield """no * -> x/*
             yes y/* -> x/*"""


# Ports.

@case("a name is another port on another pod (ingress)")
def _(state):
    state.policies = [ingress("x", "p", {}, [
        allow_from(ports=[port("own"), port("own", "SCTP")])])]
    yield """no * -> x/*
             yes * -> x/a tcp/80,sctp/80
             yes * -> x/b tcp/81,sctp/81"""


@case("a name is another port on another pod (egress)")
def _(state):
    state.policies = [egress("x", "p", A, [
        allow_to([{"namespaceSelector": {}}], [port("own", "UDP")])])]
    yield """no x/a -> *
             yes x/a -> ?/a udp/80
             yes x/a -> ?/b udp/81"""


@case("a name is one of its own protocol")
def _(state):
    state.policies = [
        ingress("x", "p", {}, [allow_from(ports=[port("serve-80-udp")])]),
        ingress("y", "p", {}, [allow_from(ports=[
            port("serve-80-udp", "UDP")])]),
        ingress("z", "p", {}, [allow_from(ports=[port("nowhere")])])]
    yield """no * -> ?/*
             yes * -> y/* udp/80"""


@case("ranges hold both their ends", services=[
    ("tcp", 79), ("tcp", 82), ("tcp", 1), ("tcp", 65535), ("udp", 82)])
def _(state):
    state.policies = [
        ingress("x", "p", {}, [allow_from(ports=[port(80, endPort=82)])]),
        ingress("y", "p", {}, [allow_from(ports=[
            port(82, "UDP", endPort=82)])]),
        ingress("z", "p", {}, [allow_from(ports=[
            port(1, endPort=79), port(82, endPort=65535)])])]
    yield """no * -> ?/*
             yes * -> x/* tcp/80,tcp/81,tcp/82
             yes * -> y/* udp/82
             yes * -> z/* tcp/1,tcp/79,tcp/82,tcp/65535"""


@case("ranges that overlap")
def _(state):
    state.policies = [
        ingress("x", "p", A, [allow_from([pods(pod="b")],
                                         [port(1, "SCTP", endPort=80)]),
                              allow_from([pods(pod="c")],
                                         [port(80, "SCTP", endPort=81)])]),
        ingress("x", "q", A, [allow_from(
            [pods()], [port(81, "SCTP", endPort=100)])])]
    yield """no * -> x/a
             yes x/b -> x/a sctp
             yes x/c -> x/a sctp"""


# Addresses.

@case("a block means pods' addresses too, of one version")
def _(state):
    state.policies = [ingress("x", "p", A, [
        allow_from([block("10.244.2.0/24")])])]
    yield """no * -> x/a
             yes y/* -> x/a v4"""


@case("host bits of a block do not matter")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([
        block("10.244.2.77/24"), block("fd00:10:244::2:77/112")])])]
    yield """no * -> x/a
             yes y/* -> x/a"""


@case("all of one version is nothing of the other")
def _(state):
    state.policies = [ingress("x", "p", {}, [
        allow_from([block("0.0.0.0/0")])]),
        egress("y", "p", {}, [allow_to([block("::/0")])])]
    yield """no * -> x/* v6
             no y/* -> * v4"""


@case("exceptions that overlap and touch")
def _(state):
    # .1 and .2 and .3 of each namespace; .2/31 is .2 and .3.
    state.policies = [egress("x", "p", {}, [allow_to([
        block("10.244.0.0/16", "10.244.2.2/31", "10.244.2.0/30",
              "10.244.3.1/32", "10.244.3.2/32"),
        block("fd00:10:244::/64", "fd00:10:244::2:0/112")])])]
    yield """no x/* -> y/*
             no x/* -> outside
             no x/* -> z/[ab] v4"""


@case("what one block excepts another may allow")
def _(state):
    state.policies = [ingress("x", "p", A, [
        allow_from([block("10.244.0.0/16", "10.244.2.0/24"),
                    block("10.244.2.2/32")]),
        allow_from([{**named("y"), **pods(pod="c")}], [port(80)])])]
    yield """no * -> x/a
             yes [xyz]/* -> x/a v4
             no y/[ac] -> x/a v4
             yes y/c -> x/a tcp/80"""


@case("all but one half of all")
def _(state):
    state.policies = [egress("x", "p", A, [allow_to([
        block("0.0.0.0/0", "0.0.0.0/1"), block("::/0", "8000::/1")])])]
    yield """no x/a -> *
             yes x/a -> outside"""


@case("the world outside")
def _(state):
    world = [block("203.0.113.0/24"), block("2001:db8:113::/64")]
    state.policies = [
        ingress("x", "p", {}, [allow_from(world, [port(80)])]),
        egress("x", "q", {}, [allow_to(world, [port(81, "UDP")])])]
    yield """no * -> x/*
             no x/* -> *
             yes outside -> x/* tcp/80
             yes x/* -> outside udp/81"""


@case("a pod's way to its node is judged as any")
def _(state):
    gateway = [block("10.244.0.1/32"), block("fd00:10:244::1/128")]
    state.policies = [egress("x", "p", A),
                      egress("x", "q", labels(pod="b"), [
                          allow_to(gateway, [port(80)])])]
    yield """no x/a,x/b -> *
             yes x/b -> node tcp/80"""


# Several policies.

@case("both sides must allow")
def _(state):
    state.policies = [
        egress("x", "out", A, [allow_to([named("y")],
                                        [port(80), port(81)])]),
        ingress("y", "in", labels(pod="b"), [
            allow_from([named("x")], [port(80), port(80, "UDP")])])]
    yield """no x/a -> *
             no * -> y/b
             yes x/a -> y/a,y/c tcp
             yes x/* -> y/b tcp/80,udp/80
             no x/a -> y/b udp/80"""


@case("nobody reaches anybody")
def _(state):
    state.policies = [policy(ns, "deny", policyTypes=BOTH) for ns in "xyz"]
    yield "no * -> *"


@case("policies that select the same pods in different ways add up")
def _(state):
    targets = [{}, A, labels(tier="front"),
               expressions(expression("pod", "NotIn", "b", "c")),
               expressions(expression("tier", "Exists"))]
    clients = ["x", "y", "z"]
    state.policies = [
        ingress("x", f"p{n}", target, [allow_from(
            [named(clients[n % 3])], [port(80 + n % 2, "UDP")])])
        for n, target in enumerate(targets)]
    yield """no * -> x/*
             yes x/* -> x/* udp/80
             yes y/* -> x/a udp/81
             yes z/* -> x/a udp/80
             yes x/* -> x/a udp/81
             yes y/* -> x/[ab] udp/80
             yes y/* -> x/a udp"""


# Pods of another node, who live beyond the uplink.

@case("a pod of another node is a peer")
def _(state):
    state.add_pod("y/r", remote=True)
    state.policies = [
        ingress("x", "p", A, [allow_from([{**named("y"),
                                           **pods(pod="r")}])]),
        egress("z", "p", A, [allow_to([{**named("y"), **pods(pod="r")}],
                                      [port(80, "SCTP")])])]
    yield """no * -> x/a
             yes y/r -> x/a
             no z/a -> *
             yes z/a -> y/r sctp/80"""


@case("a pod of another node is judged there, as a server and as a client")
def _(state):
    state.add_pod("y/r", remote=True)
    state.policies = [policy("y", "deny", policyTypes=BOTH)]
    yield """no * -> y/[abc]
             no y/[abc] -> *"""


@case("a pod of another node resolves names of ports")
def _(state):
    state.add_pod("y/r", remote=True).containers = [
        {"name": "main", "image": "lab", "ports": [
            {"name": "own", "containerPort": 81, "protocol": "TCP"}]}]
    state.policies = [egress("x", "p", {}, [
        allow_to([named("y")], [port("own")])])]
    yield """no x/* -> *
             yes x/* -> y/a tcp/80
             yes x/* -> y/b,y/r tcp/81"""


@case("a finished pod of another node is nobody")
def _(state):
    state.add_pod("y/r", remote=True)
    state.policies = [ingress("x", "p", A, [allow_from([named("y")])])]
    yield """no * -> x/a
             yes y/* -> x/a"""
    state.pods["y/r"].status = {"phase": "Succeeded"}
    yield """no * -> x/a
             yes y/[abc] -> x/a"""


@case("blocks hold pods of another node too")
def _(state):
    state.add_pod("y/r", remote=True)
    state.policies = [directed(
        "Egress", "x", "p", A, [allow_to([block(
            "10.244.2.0/24", "10.244.2.1/32")])])]
    yield """no x/a -> *
             yes x/a -> y/[bcr] v4"""

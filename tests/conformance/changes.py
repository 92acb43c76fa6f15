"""Changes while everything runs: of policies, of labels, of pods and of
namespaces.  Each step is a change, made without a pause, and a table."""

import copy

from case import (allow_from, allow_to, block, collector, egress, expression,
                  expressions, ingress, labels, named, pods, port)
from lab.manifest import policy

CASES, case = collector()
A = labels(pod="a")
BOTH = ["Ingress", "Egress"]


def spec(state, n=0):
    return state.policies[n]["spec"]


# Policies.

@case("policies come one after the other, and go in another order")
def _(state):
    deny = ingress("x", "deny")
    one = ingress("x", "one", A, [allow_from([pods(pod="b")])])
    two = ingress("x", "two", {}, [allow_from([named("y")], [port(80)])])
    only_deny = "no * -> x/*"
    with_one = only_deny + "\nyes x/b -> x/a"
    with_two = only_deny + "\nyes y/* -> x/* tcp/80"
    yield ""
    for state.policies, table in [
            ([deny], only_deny), ([deny, one], with_one),
            ([deny, one, two], with_one + "\nyes y/* -> x/* tcp/80"),
            ([one, two], "no * -> x/*\nyes x/b -> x/a\n"
                         "yes y/* -> x/* tcp/80"),
            ([deny, two], with_two), ([two], with_two),
            ([one], "no * -> x/a\nyes x/b -> x/a"), ([], "")]:
        yield table


@case("the peers of a rule are edited")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([pods(pod="b")])])]
    yield "no * -> x/a\nyes x/b -> x/a"
    for peer, who in [
            (pods(pod="c"), "x/c"), ({"namespaceSelector": {}}, "?/*"),
            (named("z"), "z/*"), ({**named("z"), **pods(pod="b")}, "z/b"),
            ({"podSelector": expressions(
                expression("tier", "DoesNotExist"))}, "x/c"),
            ({"podSelector": expressions(
                expression("tier", "Exists"))}, "x/[ab]")]:
        spec(state)["ingress"][0]["from"] = [peer]
        yield f"no * -> x/a\nyes {who} -> x/a"


@case("the ports of a rule are edited")
def _(state):
    state.policies = [egress("x", "p", A, [allow_to(ports=[port(80)])])]
    yield "no x/a -> *\nyes x/a -> * tcp/80"
    for ports, targets, what in [
            ([port(81)], "*", "tcp/81"), ([port(81, "UDP")], "*", "udp/81"),
            ([port(80, "SCTP", endPort=81)], "*", "sctp"),
            ([port("serve-80-tcp")], "?/*", "tcp/80"),
            ([port(protocol="UDP"), port(80)], "*", "udp,tcp/80"), ([], "*",
                                                                    "")]:
        spec(state)["egress"][0]["ports"] = ports
        yield f"no x/a -> *\nyes x/a -> {targets} {what}"


@case("the target of a policy is edited")
def _(state):
    state.policies = [policy("x", "p", policyTypes=BOTH)]
    for selector, who in [
            ({}, "x/*"), (A, "x/a"), (labels(tier=""), "x/b"),
            (expressions(expression("pod", "NotIn", "a")), "x/[bc]"),
            (labels(tier="back"), "nobody"), ({}, "x/*")]:
        spec(state)["podSelector"] = selector
        yield f"no * -> {who}\nno {who} -> *"


@case("policyTypes are edited")
def _(state):
    state.policies = [policy("x", "p", podSelector=A,
                             ingress=[allow_from([pods(pod="b")])],
                             egress=[allow_to([pods(pod="c")])])]
    into = "no * -> x/a\nyes x/b -> x/a\n"
    out = "no x/a -> *\nyes x/a -> x/c\n"
    yield into + out
    for types, table in [(["Ingress"], into), (["Egress"], out),
                         (BOTH, into + out), ([], into + out)]:
        spec(state)["policyTypes"] = types
        yield table
    del spec(state)["egress"]
    yield into


@case("a block and its exceptions are edited")
def _(state):
    state.policies = [egress("x", "p", A, [allow_to([
        block("10.244.0.0/16")])])]
    yield "no x/a -> *\nyes x/a -> ?/*,node v4"
    for cidr, exceptions, table in [
            ("10.244.2.0/24", [], "yes x/a -> y/* v4"),
            ("10.244.2.0/24", ["10.244.2.2/32"], "yes x/a -> y/[ac] v4"),
            ("10.244.2.0/24", ["10.244.2.0/31"], "yes x/a -> y/[bc] v4"),
            ("10.244.2.2/32", [], "yes x/a -> y/b v4"),
            ("0.0.0.0/0", ["10.0.0.0/8"], "yes x/a -> outside v4"),
            ("fd00:10:244::2:0/112", [], "yes x/a -> y/* v6")]:
        spec(state)["egress"][0]["to"] = [block(cidr, *exceptions)]
        yield f"no x/a -> *\n{table}"


@case("rules come and go")
def _(state):
    state.policies = [ingress("x", "p", A)]
    yield "no * -> x/a"
    rules = spec(state)["ingress"]
    rules.append(allow_from([named("y")]))
    yield "no * -> x/a\nyes y/* -> x/a"
    rules.append(allow_from(ports=[port(80)]))
    yield "no * -> x/a\nyes y/* -> x/a\nyes * -> x/a tcp/80"
    rules.pop(0)
    yield "no * -> x/a\nyes * -> x/a tcp/80"
    rules[0] = {}
    yield ""


@case("two policies are exchanged in one step")
def _(state):
    first = [ingress("x", "p", A, [allow_from([pods(pod="b")])])]
    second = [egress("y", "q", A, [allow_to([pods(pod="b")])])]
    for _ in range(3):
        state.policies = first
        yield "no * -> x/a\nyes x/b -> x/a"
        state.policies = second
        yield "no y/a -> *\nyes y/a -> y/b"


@case("a policy gets another name and is doubled: nothing changes")
def _(state):
    table = "no * -> x/a\nyes x/b -> x/a tcp/80"
    one = ingress("x", "p", A, [allow_from([pods(pod="b")], [port(80)])])
    other = copy.deepcopy(one)
    other["metadata"]["name"] = "q"
    for state.policies in ([one], [one, other], [other], [other, one], [one]):
        yield table


@case("a policy moves to another namespace")
def _(state):
    for ns in "xyzx":
        state.policies = [ingress(ns, "p", A, [allow_from([pods()])])]
        yield f"no * -> {ns}/a\nyes {ns}/* -> {ns}/a"


@case("very many policies at once, and none")
def _(state):
    many = [ingress(ns, f"p{n}", labels(pod="abc"[n % 3]), [
        allow_from([named("xyz"[n % 2])], [port(1000 + n)])])
        for ns in "xyz" for n in range(100)]
    allow = ingress("z", "allow", {}, [allow_from(ports=[port(80)])])
    state.policies = [*many, allow]
    yield "no * -> ?/*\nyes * -> z/* tcp/80"
    state.policies = []
    yield ""
    state.policies = many[:-1]
    yield "no * -> ?/*"


# Labels of namespaces.

@case("a namespace gets a label, another value, and loses it")
def _(state):
    state.policies = [
        ingress("x", "p", A, [allow_from([
            {"namespaceSelector": labels(env="prod")}])]),
        egress("z", "p", A, [allow_to([{"namespaceSelector": expressions(
            expression("env", "DoesNotExist"))}])])]
    before = """no * -> x/a
                no z/a -> *
                yes z/a -> ?/*
                no z/a -> x/a"""
    yield before
    state.namespaces["y"]["env"] = "prod"
    yield """no * -> x/a
             yes y/* -> x/a
             no z/a -> *
             yes z/a -> x/[bc],z/*"""
    state.namespaces["y"]["env"] = "test"
    yield """no * -> x/a
             no z/a -> *
             yes z/a -> x/[bc],z/*"""
    del state.namespaces["y"]["env"]
    yield before


@case("the labels of a policy's own namespace do not matter to its selector")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([pods(pod="b")])])]
    table = "no * -> x/a\nyes x/b -> x/a"
    yield table
    state.namespaces["x"] = {}
    yield table


# Labels of pods.

@case("a pod gets a label, another value, and loses it: as a peer")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([
        {"namespaceSelector": {}, **pods(role="client")}])])]
    yield "no * -> x/a"
    state.pods["y/b"].labels["role"] = "client"
    yield "no * -> x/a\nyes y/b -> x/a"
    state.pods["z/c"].labels["role"] = "client"
    yield "no * -> x/a\nyes y/b,z/c -> x/a"
    state.pods["y/b"].labels["role"] = "server"
    yield "no * -> x/a\nyes z/c -> x/a"
    del state.pods["z/c"].labels["role"]
    yield "no * -> x/a"


@case("a pod gets a label, another value, and loses it: as a target")
def _(state):
    state.policies = [policy("x", "p", podSelector=labels(lock="yes"),
                             policyTypes=BOTH)]
    yield ""
    state.pods["x/b"].labels["lock"] = "yes"
    yield "no * -> x/b\nno x/b -> *"
    state.pods["x/b"].labels["lock"] = "no"
    yield ""
    state.pods["x/c"].labels["lock"] = "yes"
    yield "no * -> x/c\nno x/c -> *"
    state.pods["x/c"].labels.clear()
    yield ""


@case("two pods exchange their labels")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([pods(pod="b")])])]
    yield "no * -> x/a\nyes x/b -> x/a"
    a, b = state.pods["x/a"], state.pods["x/b"]
    a.labels, b.labels = b.labels, a.labels
    yield "no * -> x/b\nyes x/a -> x/b"


# Pods.

@case("a pod is made and deleted")
def _(state):
    state.policies = [ingress("x", "p", {}, [allow_from([pods()])])]
    yield "no * -> x/*\nyes x/* -> x/*"
    state.add_pod("x/d")
    yield "no * -> x/*\nyes x/* -> x/*"
    state.add_pod("y/d")
    yield "no * -> x/*\nyes x/* -> x/*"
    del state.pods["x/d"]
    yield "no * -> x/*\nyes x/* -> x/*"


@case("a pod is made that nobody has named yet, and is named")
def _(state):
    state.policies = [
        ingress("x", "p", A, [allow_from([pods(pod="d")])]),
        policy("x", "q", podSelector=labels(pod="d"), policyTypes=BOTH,
               egress=[allow_to([pods(pod="a")], [port(80)])])]
    yield "no * -> x/a"
    state.add_pod("x/d")
    yield """no * -> x/a,x/d
             no x/d -> *
             yes x/d -> x/a tcp/80"""
    state.pods["x/d"].labels["pod"] = "e"
    yield "no * -> x/a"
    del state.pods["x/d"]
    yield "no * -> x/a"


@case("an address goes to another pod")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([pods(pod="d")])])]
    first = state.add_pod("x/d")
    first.ips = ("10.244.77.1", "fd00:10:244::77:1")
    yield "no * -> x/a\nyes x/d -> x/a"
    del state.pods["x/d"]
    state.add_pod("x/e").ips = first.ips
    yield "no * -> x/a"


@case("a pod comes back with another address")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([pods(pod="b")])]),
                      ingress("x", "q", labels(pod="b"))]
    yield "no * -> x/a,x/b\nyes x/b -> x/a"
    state.pods["x/b"].ips = ("10.244.77.2", "fd00:10:244::77:2")
    yield "no * -> x/a,x/b\nyes x/b -> x/a"


@case("a pod's port changes its number")
def _(state):
    state.policies = [ingress("x", "p", {}, [allow_from(
        ports=[port("own")])])]
    yield """no * -> x/*
             yes * -> x/a tcp/80
             yes * -> x/b tcp/81"""
    for name in "ab":
        state.pods[f"x/{name}"].containers = copy.deepcopy(
            state.pods["x/" + {"a": "b", "b": "a"}[name]].containers)
        yield {"a": "no * -> x/*\nyes * -> x/[ab] tcp/81",
               "b": "no * -> x/*\nyes * -> x/[ab] tcp/81"}[name]


@case("a pod of another node comes, is named, and goes")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([
        {"namespaceSelector": {}, **pods(role="far")}])])]
    state.add_pod("z/r", remote=True)
    yield "no * -> x/a"
    state.pods["z/r"].labels["role"] = "far"
    yield "no * -> x/a\nyes z/r -> x/a"
    del state.pods["z/r"]
    yield "no * -> x/a"


@case("a pod moves to this node, and away from it")
def _(state):
    state.policies = [policy("x", "p", podSelector=labels(pod="m"),
                             policyTypes=BOTH)]
    there = state.add_pod("x/m", remote=True)
    yield ""
    there.remote = False
    yield "no * -> x/m\nno x/m -> *"
    there.remote = True
    yield ""


# Namespaces.

@case("a namespace is made with its pods, and deleted")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([
        {"namespaceSelector": labels(ns="y")}])])]
    yield "no * -> x/a\nyes y/* -> x/a"
    state.add_pod("y-2/a")
    state.add_pod("y-2/b")
    state.namespaces["y-2"] = {"ns": "y"}
    yield "no * -> x/a\nyes y/*,y-2/* -> x/a"
    state.policies.append(ingress("y-2", "deny"))
    yield "no * -> x/a,y-2/*\nyes y/*,y-2/* -> x/a"
    del state.namespaces["y-2"], state.pods["y-2/a"], state.pods["y-2/b"]
    state.policies.pop()
    yield "no * -> x/a\nyes y/* -> x/a"


@case("everything changes in one step")
def _(state):
    state.policies = [ingress("x", "p", A, [allow_from([
        {"namespaceSelector": labels(env="prod"), **pods(role="client")}])])]
    yield "no * -> x/a"
    state.namespaces["y"]["env"] = state.namespaces["z"]["env"] = "prod"
    state.pods["y/b"].labels["role"] = "client"
    state.pods["x/b"].labels["pod"] = "a"
    state.add_pod("z/d", role="client")
    state.policies.append(egress("z", "q", labels(role="client"), [
        allow_to([named("x")], [port(80)])]))
    yield """no * -> x/[ab]
             yes y/b,z/d -> x/[ab]
             no z/d -> *
             yes z/d -> x/* tcp/80"""
    del state.pods["z/d"], state.namespaces["y"]["env"]
    state.policies.pop(0)
    yield ""

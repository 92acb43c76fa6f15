"""The behaviours that the Kubernetes end-to-end suite names, each with a table
that a person wrote after the policy, not after any program.

A case is called as upstream calls it (test/e2e/network/netpol/
network_policy.go of kubernetes/kubernetes; where the same name stands in
several contexts, the protocol is behind it).  Upstream looks at one or two
ports of one protocol; the tables here speak of all packets, of both IP
versions, and of the node and the world outside as well.
"""

from case import (allow_from, allow_to, block, collector, egress, expression,
                  expressions, ingress, labels, named, not_named, pods, port)
from lab.manifest import policy

CASES, case = collector()
A = labels(pod="a")


# Who may come in.

@case("should support a 'default-deny-ingress' policy")
def _(state):
    state.policies = [ingress("x", "deny-ingress")]
    yield "no * -> x/*"


@case("should support a 'default-deny-all' policy")
def _(state):
    state.policies = [policy("x", "deny-all",
                             policyTypes=["Ingress", "Egress"])]
    yield """no * -> x/*
             no x/* -> *"""


@case("should enforce policy to allow traffic from pods within server "
      "namespace based on PodSelector")
def _(state):
    state.policies = [ingress("x", "x-a-allows-x-b", A,
                              [allow_from([pods(pod="b")])])]
    yield """no * -> x/a
             yes x/b -> x/a"""


@case("should enforce policy to allow ingress traffic for a target")
def _(state):
    state.policies = [
        ingress("x", "deny-all"),
        ingress("x", "allow-all-to-a", A, [allow_from([
            {"podSelector": {}, "namespaceSelector": {}}])])]
    yield """no * -> x/*
             yes ?/* -> x/a"""


@case("should enforce policy to allow ingress traffic from pods in all "
      "namespaces")
def _(state):
    state.policies = [ingress("x", "allow-from-another-ns", A, [allow_from([
        {"namespaceSelector": {"matchLabels": {}}}])])]
    yield "no outside -> x/a"


@case("should enforce policy to allow traffic only from a different "
      "namespace, based on NamespaceSelector")
def _(state):
    state.policies = [ingress("x", "allow-client-a-via-ns-selector", A,
                              [allow_from([named("y")])])]
    yield """no * -> x/a
             yes y/* -> x/a"""


@case("should enforce policy based on PodSelector with MatchExpressions")
def _(state):
    state.policies = [ingress("x", "x-a-allows-x-b", A, [allow_from([
        {"podSelector": expressions(expression("pod", "In", "b"))}])])]
    yield """no * -> x/a
             yes x/b -> x/a"""


@case("should enforce policy based on NamespaceSelector with "
      "MatchExpressions")
def _(state):
    state.policies = [ingress("x", "allow-ns-y-match-selector", A, [
        allow_from([{"namespaceSelector": expressions(expression(
            "kubernetes.io/metadata.name", "In", "y"))}])])]
    yield """no * -> x/a
             yes y/* -> x/a"""


@case("should enforce policy based on PodSelector or NamespaceSelector")
def _(state):
    state.policies = [ingress("x", "allow-ns-y-match-selector", A, [
        allow_from([not_named("x"), pods(pod="b")])])]
    yield """no * -> x/a
             yes y/*,z/*,x/b -> x/a"""


@case("should enforce policy based on PodSelector and NamespaceSelector")
def _(state):
    state.policies = [ingress(
        "x", "allow-ns-y-podselector-and-nsselector", A,
        [allow_from([{**not_named("x"), **pods(pod="b")}])])]
    yield """no * -> x/a
             yes y/b,z/b -> x/a"""


@case("should enforce policy based on Multiple PodSelectors and "
      "NamespaceSelectors")
def _(state):
    state.policies = [ingress("x", "allow-ns-y-z-pod-b-c", A, [allow_from([
        {**not_named("x"), "podSelector": expressions(
            expression("pod", "In", "b", "c"))}])])]
    yield """no * -> x/a
             yes [yz]/[bc] -> x/a"""


@case("should enforce policy based on any PodSelectors")
def _(state):
    state.policies = [ingress("x", "allow-ns-x-pod-b-c", A, [
        allow_from([pods(pod="b"), pods(pod="c")])])]
    yield """no * -> x/a
             yes x/b,x/c -> x/a"""


@case("should enforce policy to allow traffic only from a pod in a different "
      "namespace based on PodSelector and NamespaceSelector")
def _(state):
    state.policies = [ingress(
        "x", "allow-ns-y-pod-a-via-namespace-pod-selector", A,
        [allow_from([{**named("y"), **pods(pod="a")}])])]
    yield """no * -> x/a
             yes y/a -> x/a"""


@case("should enforce policy based on Ports")
def _(state):
    state.policies = [ingress("x", "allow-client-a-via-ns-selector", A, [
        allow_from([named("y")], [port(81, "TCP")])])]
    yield """no * -> x/a
             yes y/* -> x/a tcp/81"""


@case("should enforce multiple, stacked policies with overlapping "
      "podSelectors")
def _(state):
    state.policies = [ingress("x", "allow-client-a-via-ns-selector", A, [
        allow_from([named("y")], [port(81, "TCP")])])]
    yield """no * -> x/a
             yes y/* -> x/a tcp/81"""
    state.policies.append(ingress(
        "x", "allow-client-a-via-ns-selector-80", A,
        [allow_from([named("y")], [port(80, "TCP")])]))
    yield """no * -> x/a
             yes y/* -> x/a tcp/80,tcp/81"""


@case("should support allow-all policy")
def _(state):
    state.policies = [ingress("x", "allow-all", labels(), [{}])]
    yield ""


@case("should allow ingress access on one named port")
def _(state):
    state.policies = [ingress("x", "allow-all", labels(), [
        allow_from(ports=[port("serve-81-tcp")])])]
    yield """no * -> x/*
             yes * -> x/* tcp/81"""


@case("should allow ingress access from namespace on one named port")
def _(state):
    state.policies = [ingress(
        "x", "allow-client-a-via-ns-selector-80", A,
        [allow_from([named("y")], [port("serve-80-tcp", "TCP")])])]
    yield """no * -> x/a
             yes y/* -> x/a tcp/80"""


@case("should allow egress access on one named port")
def _(state):
    # The world has no pod whose port could have that name.
    state.policies = [egress("x", "allow-egress", labels(), [
        allow_to(ports=[port("serve-80-tcp")])])]
    yield """no x/* -> *
             yes x/* -> ?/* tcp/80"""


# Changes.

@case("should enforce updated policy")
def _(state):
    state.policies = [ingress("x", "allow-all-mutate-to-deny-all", labels(),
                              [{}])]
    yield ""
    state.policies[0]["spec"]["ingress"] = []
    yield "no * -> x/*"


@case("should allow ingress access from updated namespace")
def _(state):
    state.policies = [ingress("x", "allow-client-a-via-ns-selector", A, [
        allow_from([{"namespaceSelector": labels(ns2="updated")}])])]
    yield "no * -> x/a"
    state.namespaces["y"]["ns2"] = "updated"
    yield """no * -> x/a
             yes y/* -> x/a"""


@case("should allow ingress access from updated pod")
def _(state):
    state.policies = [ingress("x", "allow-client-a-via-pod-selector", A, [
        allow_from([pods(pod="b", pod2="updated")])])]
    yield "no * -> x/a"
    state.pods["x/b"].labels["pod2"] = "updated"
    yield """no * -> x/a
             yes x/b -> x/a"""


@case("should deny ingress from pods on other namespaces")
def _(state):
    state.policies = [ingress("x", "deny-empty-policy", {}, [
        allow_from([pods()])])]
    yield """no * -> x/*
             yes x/* -> x/*"""


@case("should deny ingress access to updated pod")
def _(state):
    state.policies = [ingress("x", "deny-ingress-via-label-selector",
                              labels(target="isolated"))]
    yield ""
    state.pods["x/a"].labels["target"] = "isolated"
    yield "no * -> x/a"


# Who may go out.

@case("should deny egress from pods based on PodSelector")
def _(state):
    state.policies = [egress("x", "deny-egress-pod-a", A)]
    yield "no x/a -> *"


@case("should deny egress from all pods in a namespace")
def _(state):
    state.policies = [egress("x", "deny-egress-ns-x")]
    yield "no x/* -> *"


@case("should work with Ingress, Egress specified together")
def _(state):
    state.policies = [policy(
        "x", "allow-client-a-via-pod-selector", podSelector=A,
        policyTypes=["Egress", "Ingress"],
        ingress=[allow_from([pods(pod="b")])],
        egress=[allow_to(ports=[port(80)])])]
    yield """no * -> x/a
             yes x/b -> x/a
             no x/a -> *
             yes x/a -> * tcp/80"""


@case("should support denying of egress traffic on the client side (even if "
      "the server explicitly allows this traffic)")
def _(state):
    from_x_a = [allow_from([{**named("x"), **pods(pod="a")}])]
    state.policies = [
        egress("x", "allow-to-ns-y-pod-a", A,
               [allow_to([{**named("y"), **pods(pod="a")}])]),
        ingress("y", "allow-from-xa-on-ya-match-selector", A, from_x_a),
        ingress("y", "allow-from-xa-on-yb-match-selector", labels(pod="b"),
                from_x_a)]
    yield """no x/a -> *
             no * -> y/[ab]
             yes x/a -> y/a"""


@case("should enforce egress policy allowing traffic to a server in a "
      "different namespace based on PodSelector and NamespaceSelector")
def _(state):
    state.policies = [egress("x", "allow-to-ns-y-pod-a", A, [
        allow_to([{**named("y"), **pods(pod="a")}])])]
    yield """no x/a -> *
             yes x/a -> y/a"""


@case("should enforce ingress policy allowing any port traffic to a server "
      "on a specific protocol")
def _(state):
    state.policies = [ingress("x", "allow-ingress-by-proto", A, [
        allow_from(ports=[port(protocol="TCP")])])]
    yield """no * -> x/a
             yes * -> x/a tcp"""


# Policies add up.

@case("should enforce multiple ingress policies with ingress allow-all "
      "policy taking precedence")
def _(state):
    state.policies = [ingress("x", "allow-ingress-port-80", labels(), [
        allow_from(ports=[port(80)])])]
    yield """no * -> x/*
             yes * -> x/* tcp/80"""
    state.policies.append(ingress("x", "allow-ingress", labels(), [{}]))
    yield ""


@case("should enforce multiple egress policies with egress allow-all policy "
      "taking precedence")
def _(state):
    state.policies = [egress("x", "allow-egress-port-80", labels(), [
        allow_to(ports=[port(80)])])]
    yield """no x/* -> *
             yes x/* -> * tcp/80"""
    state.policies.append(egress("x", "allow-egress", labels(), [{}]))
    yield ""


@case("should stop enforcing policies after they are deleted")
def _(state):
    state.policies = [policy("x", "deny-all",
                             policyTypes=["Ingress", "Egress"])]
    yield """no * -> x/*
             no x/* -> *"""
    state.policies = []
    yield ""


# Addresses.  Upstream takes one version's; here each of both is named.

def only(state, key):
    """Blocks that hold this pod alone."""
    v4, v6 = state.ips(key)
    return [block(f"{v4}/32"), block(f"{v6}/128")]


def all_around(state, key):
    """Blocks of very many addresses around the pod, and not its own."""
    v4, v6 = state.ips(key)
    return [block("0.0.0.0/4", f"{v4}/32"), block("f000::/4", f"{v6}/128")]


@case("should allow egress access to server in CIDR block")
def _(state):
    state.policies = [egress("x", "allow-client-a-via-cidr-egress-rule", A,
                             [allow_to(only(state, "y/b"))])]
    yield """no x/a -> *
             yes x/a -> y/b"""


@case("should enforce except clause while egress access to server in CIDR "
      "block")
def _(state):
    # The world outside is not in the blocks, the node's gateway is.
    state.policies = [egress("x", "allow-client-a-via-cidr-egress-rule", A,
                             [allow_to(all_around(state, "x/b"))])]
    yield "no x/a -> x/b,outside"


@case("should ensure an IP overlapping both IPBlock.CIDR and IPBlock.Except "
      "is allowed")
def _(state):
    state.policies = [egress("x", "allow-client-a-via-cidr-egress-rule", A,
                             [allow_to(all_around(state, "x/b"))])]
    yield "no x/a -> x/b,outside"
    state.policies = [egress("x", "allow-client-a-via-cidr-egress-rule", A,
                             [allow_to(only(state, "x/b"))])]
    yield """no x/a -> *
             yes x/a -> x/b"""


@case("should enforce policies to check ingress and egress policies can be "
      "controlled independently based on PodSelector")
def _(state):
    state.policies = [egress("x", "allow-egress-for-target", A, [{}])]
    yield ""
    state.policies.append(ingress("x", "deny-ingress-via-label-selector", A))
    yield "no * -> x/a"


# Protocols.

@case("should not mistakenly treat 'protocol: SCTP' as 'protocol: TCP', even "
      "if the plugin doesn't support SCTP")
def _(state):
    state.policies = [
        ingress("x", "deny-ingress"),
        ingress("x", "allow-only-sctp-ingress-on-port-81", A,
                [allow_from(ports=[port(81, "SCTP")])])]
    yield """no * -> x/*
             yes * -> x/a sctp/81"""


@case("should properly isolate pods that are selected by a policy allowing "
      "SCTP, even if the plugin doesn't support SCTP")
def _(state):
    state.policies = [ingress("x", "allow-only-sctp-ingress-on-port-80", A, [
        allow_from(ports=[port(80, "SCTP")])])]
    yield """no * -> x/a
             yes * -> x/a sctp/80"""


@case("should not allow access by TCP when a policy specifies only UDP")
def _(state):
    state.policies = [ingress("x", "allow-only-udp-ingress-on-port-81", A, [
        allow_from(ports=[port(81, "UDP")])])]
    yield """no * -> x/a
             yes * -> x/a udp/81"""


# The label that each namespace has.

@case("should enforce policy to allow traffic based on NamespaceSelector "
      "with MatchLabels using default ns label")
def _(state):
    state.policies = [ingress(
        "x", "allow-client-a-via-ns-selector-for-immutable-ns-label", A,
        [allow_from([named("y")])])]
    yield """no * -> x/a
             yes y/* -> x/a"""


@case("should enforce policy based on NamespaceSelector with "
      "MatchExpressions using default ns label")
def _(state):
    state.policies = [egress(
        "x", "allow-ns-y-match-selector-for-immutable-ns-label", A,
        [allow_to([not_named("y")])])]
    yield """no x/a -> *
             yes x/a -> x/*,z/*"""


# What upstream asks again in contexts of their own, "NetworkPolicy between
# server and client using UDP" and "... using SCTP".

@case("should support a 'default-deny-ingress' policy (UDP)")
@case("should support a 'default-deny-ingress' policy (SCTP)")
def _(state):
    state.policies = [ingress("x", "deny-all")]
    yield "no * -> x/*"


def on_port_81(protocol):
    def steps(state):
        state.policies = [ingress("x", "allow-ingress-on-port-81-ns-x", A, [
            allow_from([named("y")], [port(81, protocol)])])]
        yield f"""no * -> x/a
                  yes y/* -> x/a {protocol.lower()}/81"""
    return steps


case("should enforce policy based on Ports (UDP)")(on_port_81("UDP"))
case("should enforce policy based on Ports (SCTP)")(on_port_81("SCTP"))


@case("should enforce policy to allow traffic only from a pod in a different "
      "namespace based on PodSelector and NamespaceSelector (UDP)")
@case("should enforce policy to allow traffic only from a pod in a different "
      "namespace based on PodSelector and NamespaceSelector (SCTP)")
def _(state):
    state.policies = [ingress(
        "x", "allow-ns-y-pod-a-via-namespace-pod-selector", A,
        [allow_from([{**named("y"), **pods(pod="a")}])])]
    yield """no * -> x/a
             yes y/a -> x/a"""

"""The table: what a policy can be made of, in every combination.

The oracle says what to expect.  `ALL` is everything; `SPREAD` is a part of it
in which each ingredient appears, for a run that has less time.
"""

import itertools

from case import (block, directed, expression, expressions, labels, named,
                  not_named, pods, port, rule, single)

DIRECTIONS = ("Ingress", "Egress")
PROTOCOLS = ("TCP", "UDP", "SCTP")
STRIDE = 37                     # has no divisor in common with the table

TARGETS = {
    "everybody": {},
    "a": labels(pod="a"),
    "a or b": expressions(expression("pod", "In", "a", "b")),
}
PEERS = {
    "any peer": None,
    "pod b": [pods(pod="b")],
    "pods but b": [{"podSelector": expressions(
        expression("pod", "NotIn", "b"))}],
    "namespace y": [named("y")],
    "namespaces but x": [not_named("x")],
    "pod b of namespace y": [{**named("y"), **pods(pod="b")}],
    "block": [block("10.244.2.0/24"), block("fd00:10:244::2:0/112")],
    "block but a part": [block("0.0.0.0/0", "10.244.2.0/30"),
                         block("::/0", "fd00:10:244::2:0/126")],
}


def port_kinds(protocol):
    name = protocol.lower()
    other = PROTOCOLS[PROTOCOLS.index(protocol) - 1].lower()
    return {
        f"all {protocol}": [port(protocol=protocol)],
        f"{protocol} number": [port(80, protocol)],
        f"{protocol} name": [port(f"serve-81-{name}", protocol)],
        f"{protocol} range": [port(81, protocol, endPort=90)],
        f"{protocol} several": [port(79, protocol), port("own", protocol),
                                port(81, protocol)],
        f"{protocol} name of another": [port(f"serve-80-{other}", protocol)],
    }


PORTS = {"all ports": None}
for _protocol in PROTOCOLS:
    PORTS |= port_kinds(_protocol)


def simple(name, direction, target=None, peers=None, ports=None):
    """A policy of one rule in namespace x."""
    return single(f"{direction}: {name}", directed(
        direction, "x", "policy", target, [rule(direction, peers, ports)]))


def product():
    for direction, target, peers, ports in itertools.product(
            DIRECTIONS, TARGETS, PEERS, PORTS):
        yield simple(f"{target}, {peers}, {ports}", direction,
                     TARGETS[target], PEERS[peers], PORTS[ports])


# Lists of ports: none, one, two.

SINGLE_PORTS = {
    f"{protocol or 'no protocol'} {number or 'no port'}":
    port(number, protocol)
    for protocol in (None, *PROTOCOLS)
    for number in (None, 81, "serve-81-tcp")}


def lists_of_ports():
    for direction in DIRECTIONS:
        yield simple("empty list of ports", direction, ports=[])
        for name, one in SINGLE_PORTS.items():
            yield simple(name, direction, ports=[one])
        for first, second in itertools.combinations(SINGLE_PORTS, 2):
            yield simple(f"{first} and {second}", direction, labels(pod="a"),
                         ports=[SINGLE_PORTS[first], SINGLE_PORTS[second]])


RANGES = [(1, 79), (1, 80), (80, 80), (80, 81), (81, 81), (81, 65535),
          (79, 82), (82, 65535), (1, 65535), (64, 95)]


def ranges():
    for direction, protocol in itertools.product(DIRECTIONS, PROTOCOLS):
        around = [(protocol.lower(), n) for n in (1, 79, 82, 65535)]
        for first, last in RANGES:
            yield single(
                f"{direction}: {protocol} {first} to {last}", directed(
                    direction, "x", "policy", labels(pod="a"), [rule(
                        direction, ports=[port(first, protocol,
                                               endPort=last)])]),
                services=around)


# Lists of peers: none, one, two.

SINGLE_PEERS = {
    "all pods here": pods(),
    "all pods of y": {**named("y"), **pods()},
    "all pods": {"namespaceSelector": {}, **pods()},
    "all namespaces": {"namespaceSelector": {}},
    "c here": pods(pod="c"),
    "c of y": {**named("y"), **pods(pod="c")},
    "all c": {"namespaceSelector": {}, **pods(pod="c")},
    "tier exists": {"namespaceSelector": {}, "podSelector": expressions(
        expression("tier", "Exists"))},
    "no tier": {"namespaceSelector": {}, "podSelector": expressions(
        expression("tier", "DoesNotExist"))},
    "empty tier": {"namespaceSelector": {}, **pods(tier="")},
    "tier not front": {"podSelector": expressions(
        expression("tier", "NotIn", "front"))},
    "nobody": {"namespaceSelector": labels(never="seen")},
    "addresses of y": block("10.244.2.0/24"),
    "outside": block("203.0.113.0/24"),
    "outside v6": block("2001:db8::/32"),
}


def lists_of_peers():
    for direction in DIRECTIONS:
        yield simple("empty list of peers", direction, peers=[])
        for name, one in SINGLE_PEERS.items():
            yield simple(name, direction, peers=[one])
    # Of two, in the one direction or the other.
    for n, (first, second) in enumerate(
            itertools.combinations(SINGLE_PEERS, 2)):
        yield simple(f"{first} or {second}", DIRECTIONS[n % 2],
                     labels(pod="a"),
                     [SINGLE_PEERS[first], SINGLE_PEERS[second]])


# Blocks of every size around y/b, 10.244.2.2 and fd00:10:244::2:2.

V4_LENGTHS = (0, 1, 5, 8, 15, 16, 22, 23, 24, 29, 30, 31, 32)
V6_LENGTHS = (0, 1, 7, 16, 63, 64, 65, 96, 110, 111, 112, 125, 126, 127, 128)


def blocks():
    for direction in DIRECTIONS:
        for address, lengths in (("10.244.2.2", V4_LENGTHS),
                                 ("fd00:10:244::2:2", V6_LENGTHS)):
            for length in lengths:
                cidr = f"{address}/{length}"
                yield simple(f"block {cidr}", direction, peers=[block(cidr)])
            for outer, inner in itertools.pairwise(lengths):
                yield simple(
                    f"block /{outer} of {address} but its /{inner}",
                    direction, labels(pod="a"),
                    [block(f"{address}/{outer}", f"{address}/{inner}")])


# Policies that seem to contradict each other.

RESTRICTIVE = {
    "no rule": [],
    "a block of nobody": [{"peers": [block("0.0.0.0/31")]}],
    "a namespace that is nowhere": [{"peers": [
        {"namespaceSelector": labels(never="seen")}]}],
    "another port": [{"ports": [port(79)]}],
    "another protocol": [{"ports": [port(80, "SCTP")]}],
    "another pod": [{"peers": [pods(pod="c")]}],
}
GENEROUS = {
    "nothing more": None,
    "everything": [{}],
    "all pods": [{"peers": [{"namespaceSelector": {}}]}],
    "all addresses": [{"peers": [block("0.0.0.0/0"), block("::/0")]}],
    "namespace y": [{"peers": [named("y")]}],
    "port 80": [{"ports": [port(80)]}],
}


def conflicts():
    for direction in DIRECTIONS:
        for (tight, few), (wide, many) in itertools.product(
                RESTRICTIVE.items(), GENEROUS.items()):
            policies = [directed(direction, "x", f"policy-{n}",
                                 labels(pod="b"),
                                 [rule(direction, **one) for one in rules])
                        for n, rules in enumerate([few, many])
                        if rules is not None]
            yield single(f"{direction}: {tight}, and {wide}", *policies)


def both_sides():
    """x/b may send what, and y/c may get what: both must agree."""
    choices = {"nothing": [], "everything": [{}],
               "all pods": [{"peers": [{"namespaceSelector": {}}]}],
               "port 80": [{"ports": [port(80)]}],
               "all SCTP": [{"ports": [port(protocol="SCTP")]}]}
    for (out, sent), (into, got) in itertools.product(choices.items(),
                                                      repeat=2):
        yield single(
            f"x/b sends {out}, y/c gets {into}",
            directed("Egress", "x", "out", labels(pod="b"),
                     [rule("Egress", **one) for one in sent]),
            directed("Ingress", "y", "in", labels(pod="c"),
                     [rule("Ingress", **one) for one in got]))


ALL = [*product(), *lists_of_ports(), *ranges(), *lists_of_peers(),
       *blocks(), *conflicts(), *both_sides()]
SPREAD = ALL[::STRIDE]

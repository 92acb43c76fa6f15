"""What a case is, and short words to write policies with."""

import dataclasses
import functools

from cluster import State
from lab.manifest import policy

NAME_LABEL = "kubernetes.io/metadata.name"


@dataclasses.dataclass
class Case:
    """A name, and a generator that changes the state it is given and yields
    once for each step: a table, or None where the oracle alone is asked."""

    name: str
    generator: object
    services: tuple = ()        # asked besides the usual ones

    def steps(self):
        """Yields the state, as changed, and the table of each step."""
        state = State()
        for table in self.generator(state):
            yield state, table


def collector():
    """A list of cases, and the decorator that puts functions into it."""
    cases = []

    def case(name, services=()):
        def add(function):
            cases.append(Case(name, function, services))
            return function
        return add

    return cases, case


def single(name, *policies, services=()):
    """A case of one step, without a table."""
    def steps(state):
        state.policies = list(policies)
        yield None

    return Case(name, steps, tuple(services))


# Selectors.

def labels(**wanted):
    return {"matchLabels": wanted}


def expression(key, operator, *values):
    return {"key": key, "operator": operator,
            **({"values": list(values)} if values else {})}


def expressions(*requirements):
    return {"matchExpressions": list(requirements)}


def pods(**wanted):
    return {"podSelector": labels(**wanted)}


def named(ns):
    """The namespace of this name, by the label that each has."""
    return {"namespaceSelector": {"matchLabels": {NAME_LABEL: ns}}}


def not_named(ns):
    return {"namespaceSelector": expressions(
        expression(NAME_LABEL, "NotIn", ns))}


def block(cidr, *exceptions):
    return {"ipBlock": {"cidr": cidr,
                        **({"except": list(exceptions)} if exceptions
                           else {})}}


# Policies.  A rule is a dict of the API, made by rule(); `ingress` and
# `egress` govern that direction alone.

def port(number=None, protocol=None, **more):
    return {**({} if protocol is None else {"protocol": protocol}),
            **({} if number is None else {"port": number}), **more}


def rule(direction, peers=None, ports=None):
    key = "from" if direction == "Ingress" else "to"
    return {**({} if peers is None else {key: list(peers)}),
            **({} if ports is None else {"ports": list(ports)})}


def directed(direction, ns, name, target=None, rules=()):
    return policy(ns, name, podSelector=target or {},
                  policyTypes=[direction],
                  **{direction.lower(): list(rules)})


ingress = functools.partial(directed, "Ingress")
egress = functools.partial(directed, "Egress")
allow_from = functools.partial(rule, "Ingress")
allow_to = functools.partial(rule, "Egress")

"""Who sends what to whom, and whether it may arrive.

Verdicts are written down here; the policies that mean them are in
`base_policies()`.  Each pair is a stream of its own over IPv4 and IPv6.
"""

import dataclasses

from lab import manifest

import frames as f

# The outside host's MAC.  Its addresses here are not those of its kernel,
# which would answer.
WORLD_MAC = "0a:58:cb:00:71:0a"
WORLD = {4: "203.0.113.20", 6: "2001:db8:113::20"}
EXCLUDED = {4: "203.0.113.70", 6: "2001:db8:113::46"}
EXCEPT = {4: ("203.0.113.0/24", "203.0.113.64/26"),
          6: ("2001:db8:113::/64", "2001:db8:113::40/122")}
SPORT = 5000

# Pods by name: namespace and last number of the addresses.  The kernels of
# those in KERNEL speak TCP; the others' are silent.
PODS = {"client": ("front", 10), "other": ("front", 11),
        "server": ("back", 12), "fellow": ("back", 13),
        "left": ("open", 14), "right": ("open", 15),
        "guest": ("guests", 18),
        "caller": ("front", 16), "answerer": ("back", 17)}
VISITOR_IPS = ["10.244.1.19", "fd00:10:244::1:19"]
KERNEL = ("caller", "answerer")
ROLES = {"caller": "client", "answerer": "server"}      # others: their name
TEAMS = {"front": "front", "back": "back"}

ALLOWED = [
    ("by-pod", "client", "server", 7000),
    ("by-namespace", "other", "server", 7001),
    ("by-block", "world", "server", 7002),
    ("to-block", "client", "world", 7003),
    ("any-port", "fellow", "server", 7777),
    ("open", "left", "right", 7000),
    ("open-back", "right", "left", 7001),
    ("half-open", "server", "left", 7004),
]
DENIED = [
    ("ingress", "other", "server", 7000),
    ("no-such-port", "client", "server", 7009),
    ("from-open", "left", "server", 7000),
    ("egress", "client", "left", 7000),
    ("egress-port", "client", "world", 7009),
    ("except", "excluded", "server", 7002),
    ("not-a-reply", "server", "client", 7009),
]
TCP = [("tcp-pod", "caller", "answerer", 7000),
       ("tcp-block", "outside", "answerer", 7002),
       ("tcp-to-block", "caller", "outside", 7003)]


@dataclasses.dataclass(frozen=True)
class Pair:
    """Frames of one kind from one host to another."""

    name: str
    allowed: bool
    source: str                 # whose port they enter by
    target: str
    mac: str
    src: str
    dst: str
    sport: int
    dport: int
    to_mac: str
    spoofed: bool = False

    def frame(self, trailer):
        return f.eth(self.to_mac, self.mac, f.ip(self.src, self.dst, f.udp(
            self.src, self.dst, self.sport, self.dport, trailer)))

    @property
    def csum_at(self):
        return 60 if f.is_v6(self.src) else 40


def pod_ips(name):
    number = PODS[name][1]
    return [f"10.244.1.{number}", f"fd00:10:244::1:{number}"]


class Hosts:
    """Addresses and MACs of everybody, by name."""

    def __init__(self, lab):
        self.lab = lab

    def ip(self, name, v):
        if name in ("world", "excluded"):
            return (WORLD if name == "world" else EXCLUDED)[v]
        return next(ip for ip in self.lab.host(name).ips
                    if f.is_v6(ip) == (v == 6))

    def mac(self, name):
        return (self.lab.host(name).mac if name in PODS else WORLD_MAC)

    def pair(self, row, v, allowed):
        name, source, target, dport = row
        return Pair(f"{name}-v{v}", allowed, source, target, self.mac(source),
                    self.ip(source, v), self.ip(target, v), SPORT, dport,
                    self.mac(target))

    def reply(self, v):
        """What answers `by-pod`; as a new connection it would be denied."""
        return dataclasses.replace(
            self.pair(("reply", "server", "client", SPORT), v, True),
            sport=7000)

    def spoofs(self, v):
        """Frames that are `by-pod` or `by-block`, but for who sends them."""
        pod = self.pair(("", "client", "server", 7000), v, False)
        block = self.pair(("", "world", "server", 7002), v, False)
        change = dataclasses.replace
        mine = {"source": "left", "mac": self.mac("left"), "spoofed": True}
        return [
            change(pod, name=f"spoofed-ip-v{v}", **mine),
            change(pod, name=f"spoofed-mac-v{v}",
                   **(mine | {"mac": pod.mac})),
            change(block, name=f"spoofed-world-v{v}", **mine),
            change(pod, name=f"spoofed-uplink-v{v}", source="world",
                   mac=WORLD_MAC, spoofed=True)]


def all_pairs(lab):
    """Every stream of frames."""
    hosts, pairs = Hosts(lab), []
    for v in 4, 6:
        pairs += [hosts.pair(row, v, True) for row in ALLOWED]
        pairs += [hosts.pair(row, v, False) for row in DENIED]
        pairs += [hosts.reply(v), *hosts.spoofs(v)]
    return pairs


# The policies, in several forms that mean the same.

def block(*_):
    return [{"ipBlock": {"cidr": cidr, "except": [but]}}
            for cidr, but in EXCEPT.values()]


def ports(number, form):
    if form == "ranges":
        return [{"protocol": protocol, "port": number, "endPort": number}
                for protocol in ("UDP", "TCP")]
    return [{"protocol": protocol, "port": number}
            for protocol in ("UDP", "TCP")]


def selector(form, **labels):
    if form == "expressions":
        return {"matchExpressions": [{"key": key, "operator": "In",
                                      "values": [value, "nobody"]}
                                     for key, value in labels.items()]}
    return {"matchLabels": labels}


def _ingress(form):
    front = selector(form, team="front")
    return [
        {"from": [{"namespaceSelector": front,
                   "podSelector": selector(form, role="client")}],
         "ports": ports(7000, form)},
        {"from": [{"namespaceSelector": front}], "ports": ports(7001, form)},
        {"from": block(), "ports": ports(7002, form)},
        {"from": [{"podSelector": selector(form, role="fellow")}]}]


def _egress(form):
    return [
        {"to": [{"namespaceSelector": selector(form, team="back")}],
         "ports": ports(7000, form) + ports(7001, form)},
        {"to": block(), "ports": ports(7003, form)}]


FORMS = ("plain", "expressions", "ranges", "split", "twice")


def base_policies(form="plain"):
    """`server` is isolated for ingress, `client` in both directions."""
    server = selector(form, role="server")
    client = selector(form, role="client")
    out = manifest.policy("front", "client", podSelector=client,
                          policyTypes=["Ingress", "Egress"],
                          egress=_egress(form))
    rules = _ingress(form)
    if form == "split":
        return [out, *(manifest.policy("back", f"server-{i}", ingress=[rule],
                                       podSelector=server)
                       for i, rule in enumerate(rules))]
    if form == "twice":
        rules = rules + _ingress("ranges")
    return [out, manifest.policy("back", "server", podSelector=server,
                                 ingress=rules)]

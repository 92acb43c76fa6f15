"""Turn our table into one that has addresses in its clauses.

Most controllers put each peer's address into the clause of each rule.  Here
the same table is written like that: identity tables load nothing but what
concerns isolation, and in the policy tables each clause on an identity
becomes one flow for each prefix.  All the rest stays, so that between the two
tables nothing differs but that.

The rules of the identity tables are read from the flows alone: an identity is
a set of prefixes, less the longer prefixes of other identities.
"""

import collections
import ipaddress
import re

SRC_IDENTITY, DST_IDENTITY = 30, 35
EGRESS, INGRESS = 55, 85
SIDES = {"reg1": ("nw_src", "ipv6_src"), "reg2": ("nw_dst", "ipv6_dst")}

FLOW = re.compile(r"(?P<head>cookie=\w+,table=(?P<table>\d+),"
                  r"priority=(?P<priority>\d+))(?:,(?P<match>[^ ]*?))?,?"
                  r"actions=(?P<actions>.*)")
CONJUNCTION = re.compile(r"conjunction\((\d+),(\d+/\d+)\)")


class Prefixes:
    """The longest-prefix table of one IP version."""

    def __init__(self, family):
        self.bits = 32 if family == 4 else 128
        self.identity = {}          # (address, length): identity
        self.lengths = []
        self.below = collections.defaultdict(list)

    def add(self, network, identity):
        self.identity[int(network.network_address), network.prefixlen] \
            = identity

    def finish(self):
        self.lengths = sorted({length for _, length in self.identity})
        for key in self.identity:
            if (parent := self.parent(key)) is not None:
                self.below[parent].append(key)

    def parent(self, key):
        address, length = key
        for shorter in reversed(self.lengths):
            if shorter < length:
                above = (address >> self.bits - shorter
                         << self.bits - shorter, shorter)
                if above in self.identity:
                    return above
        return None

    def cover(self, identities):
        """The fewest prefixes with all that is in `identities` and nothing
        else, as pairs of address and length."""
        for key, identity in self.identity.items():
            if identity in identities:
                parent = self.parent(key)
                if parent is None or self.identity[parent] not in identities:
                    yield from self.less(key, self.holes(key, identities))

    def holes(self, key, identities):
        for child in self.below[key]:
            if self.identity[child] in identities:
                yield from self.holes(child, identities)
            else:
                yield child

    def less(self, key, holes):
        """Prefix `key` without `holes`."""
        holes = list(holes)
        if key in holes:
            return
        if not holes:
            yield key
            return
        address, length = key
        for half in (address, address | 1 << self.bits - length - 1):
            part = half, length + 1
            yield from self.less(part, [
                hole for hole in holes
                if hole[0] >> self.bits - length - 1
                == half >> self.bits - length - 1])


def fields(match):
    """Of "ip,reg1=0x3": {"ip": None, "reg1": "0x3"}."""
    found = {}
    for item in filter(None, (match or "").split(",")):
        name, _, value = item.partition("=")
        found[name] = value or None
    return found


def text(match):
    return "".join(f",{name}" if value is None else f",{name}={value}"
                   for name, value in match.items())


class Converter:
    def __init__(self, flows):
        self.flows = [FLOW.fullmatch(line) for line in flows.splitlines()
                      if line.startswith("cookie=")]
        self.tables = {4: Prefixes(4), 6: Prefixes(6)}
        self.clauses = collections.defaultdict(
            lambda: collections.defaultdict(set))
        self.merged = collections.defaultdict(set)

    def read_identities(self):
        for flow in self.flows:
            if flow and int(flow["table"]) == SRC_IDENTITY:
                self.read_identity(flow)
        for table in self.tables.values():
            table.finish()

    def read_identity(self, flow):
        match = fields(flow["match"])
        found = re.search(r"set_field:(0x\w+)->reg1", flow["actions"])
        if found:
            family = 4 if "ip" in match else 6
            where = match.get(SIDES["reg1"][family == 6],
                              "0.0.0.0/0" if family == 4 else "::/0")
            self.tables[family].add(ipaddress.ip_network(where),
                                    int(found[1], 16))

    def convert(self):
        self.read_identities()
        lines = [line for flow in self.flows for line in self.one(flow)]
        for where, dimensions in self.clauses.items():
            for action, identities in dimensions.items():
                self.spread(where, action, identities)
        for (table, priority, match), actions in self.merged.items():
            lines.append(f"table={table},priority={priority}{match},actions="
                         + ",".join(f"conjunction({number},{part})"
                                    for number, part in sorted(actions)))
        return "\n".join(lines) + "\n"

    def one(self, flow):
        table = int(flow["table"])
        if table in (SRC_IDENTITY, DST_IDENTITY):
            yield from self.isolation(flow)
            return
        match = fields(flow["match"])
        named = [reg for reg in SIDES if reg in match]
        if table not in (EGRESS, INGRESS) or not named:
            yield flow[0]
            return
        actions = CONJUNCTION.findall(flow["actions"])
        if len(named) == 1 and actions:
            identity = int(match.pop(named[0]), 16)
            where = table, flow["priority"], named[0], text(match)
            for number, part in actions:
                self.clauses[where][int(number), part].add(identity)
            return
        yield from self.plain(flow, match, named)

    def isolation(self, flow):
        """Only of those who are not like any address of the world."""
        actions = re.sub(r"set_field:0x\w+->reg[12],?", "", flow["actions"])
        match = fields(flow["match"])
        if "set_field:0x10->" not in actions or not any(
                side in match for side in sum(SIDES.values(), ())):
            yield f"{flow['head']},{flow['match'] or ''},actions={actions}" \
                .replace(",,", ",")

    def plain(self, flow, match, named):
        """A rule that needs no conjunction, or one identity on either
        side: every pair of prefixes."""
        identities = {reg: int(match.pop(reg), 16) for reg in named}
        for family, table in self.tables.items():
            if any(name.endswith("6") != (family == 6) for name in match
                   if name in ("tcp", "udp", "sctp", "ip", "tcp6", "udp6",
                               "sctp6", "ipv6")):
                continue
            matches = [with_version(match, family)]
            for reg, identity in identities.items():
                matches = [one | {SIDES[reg][family == 6]:
                                  written(prefix, family)}
                           for one in matches
                           for prefix in table.cover({identity})]
            for one in matches:
                yield f"{flow['head']}{text(one)},actions={flow['actions']}"

    def spread(self, where, action, identities):
        table, priority, reg, rest = where
        match = fields(rest)
        for family, prefixes in self.tables.items():
            for prefix in prefixes.cover(identities):
                one = with_version(match, family) | {
                    SIDES[reg][family == 6]: written(prefix, family)}
                self.merged[table, priority, text(one)].add(action)


def with_version(match, family):
    if any(name.rstrip("6") in ("tcp", "udp", "sctp") for name in match):
        return dict(match)
    return {"ip" if family == 4 else "ipv6": None, **match}


def written(prefix, family):
    address, length = prefix
    kind = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    return f"{kind(address)}/{length}"


def convert(flows):
    """`flows` as `ovs-netpold --dry-run` prints them, with addresses in the
    clauses.  Only packets that open a connection are judged rightly then:
    give it a table of --established=keep."""
    return Converter(flows).convert()

"""Random flow tables and packets for them, in the words of ovs-ofctl(8).

Values come from small pools, so that packets meet flows.  Where OpenFlow
leaves open which of two flows of the same priority a packet meets, no such two
are made: only the clauses of conjunctions share a priority, and two
conjunctions that share one are told apart by in_port.  Packets are never
sent into connection tracking in circles; and not at all where they could
learn from each other, because a trace runs the copies of a packet in another
order than a datapath.
"""

import ipaddress
import random

PORTS = range(1, 7)
TABLES = 6
MACS = [f"0a:00:00:00:00:{n:02x}" for n in range(4)]
RELATIONS = ["new", "est", "rpl", "rel", "relrpl", "inv"]
CT_STATES = ["+trk", "-trk", "+new+trk", "-new+trk", "+est+trk", "+rpl+trk",
             "-rpl+trk", "+rel+trk", "+inv+trk", "-inv+trk", "-est+rel+trk"]
# protocol: (IP version, prefix of its ports' names)
PROTOCOLS = {"ip": (4, None), "ipv6": (6, None), "tcp": (4, "tcp"),
             "udp": (4, "udp"), "sctp": (4, "sctp"), "icmp": (4, None),
             "tcp6": (6, "tcp"), "udp6": (6, "udp"), "icmp6": (6, None),
             "arp": (None, None)}
ETHER_FIELDS = ["eth_src", "eth_dst"]


class Maker(random.Random):
    """Makes one table after another, all from one seed."""

    learns = False              # Do these tables learn?

    # Values.

    def v4(self):
        return str(ipaddress.IPv4Address(0x0a000000 + self.randrange(16)))

    def v6(self):
        return str(ipaddress.IPv6Address((0xfd << 120) + self.randrange(16)))

    def address(self, version, prefix=False):
        text = self.v4() if version == 4 else self.v6()
        if not prefix:
            return text
        full = 32 if version == 4 else 128
        length = self.choice([full, full, full - 1, full - 2, full - 3, 8])
        return str(ipaddress.ip_network(f"{text}/{length}", strict=False))

    def port(self):
        return 80 + self.randrange(16)

    def masked(self, value, masks):
        mask = self.choice([None, *masks])
        if mask is None:
            return f"{value:#x}"
        return f"{value & mask:#x}/{mask:#x}"

    def chance(self, share):
        return self.random() < share

    # Matches.

    def any_field(self):
        """A field that each packet has."""
        kind = self.randrange(12)
        if kind < 3:
            return f"in_port={self.choice(PORTS)}"
        if kind < 6:
            return (f"reg{self.randrange(4)}="
                    + self.masked(self.randrange(4), [1, 2, 3]))
        return [lambda: f"ct_state={self.choice(CT_STATES)}",
                lambda: f"metadata={self.masked(self.randrange(4), [1, 2])}",
                lambda: "ct_mark=" + self.masked(self.randrange(4), [1, 2]),
                lambda: f"ct_zone={self.randrange(4)}",
                lambda: f"pkt_mark={self.masked(self.randrange(4), [1, 2])}",
                lambda: f"dl_{self.choice(['src', 'dst'])}="
                        + self.choice(MACS)][kind - 6]()

    def protocol_fields(self, protocol):
        version, ports = PROTOCOLS[protocol]
        if protocol == "arp":
            return [f"arp_op={self.choice([1, 2])}"]
        name = "nw" if version == 4 else "ipv6"
        fields = [f"{name}_{self.choice(['src', 'dst'])}="
                  + self.address(version, prefix=True)]
        if self.chance(0.1):
            fields.append(f"nw_frag={self.choice(['no', 'first', 'later'])}")
        if self.chance(0.1):
            fields.append(f"nw_tos={self.choice([0, 8])}")
        if ports and "nw_frag=later" not in fields:
            fields.append(f"{ports}_{self.choice(['src', 'dst'])}="
                          + self.masked(self.port(), [0xfffe, 0xfffc, 0xfff8]))
            if ports == "tcp" and self.chance(0.2):
                fields.append("tcp_flags="
                              + self.choice(["+syn", "-syn", "+ack"]))
        return fields

    def match(self, protocol=None, vlan=None):
        """Fields of a match, as a list; at most one of each kind."""
        fields = [protocol] if protocol else []
        wanted = [self.any_field() for _ in range(self.randrange(3))]
        if protocol:
            wanted += self.sample(candidates := self.protocol_fields(protocol),
                                  self.randrange(len(candidates) + 1))
        if vlan is not None:
            wanted.append(f"vlan_tci={vlan:#x}/0x1000")
        seen = set()
        for field in wanted:
            name = field.partition("=")[0]
            if name not in seen:
                seen.add(name)
                fields.append(field)
        return fields

    # Actions.

    def subfields(self):
        """Two parts of registers of the same width."""
        width = self.choice([1, 2, 4, 8, 16, 24, 32])
        return [f"NXM_NX_REG{self.randrange(4)}[{start}..{start + width - 1}]"
                for start in (self.randrange(33 - width) for _ in range(2))]

    def write(self, protocol):
        """An action that changes the packet or its registers."""
        version, ports = PROTOCOLS.get(protocol, (None, None))
        source, target = self.subfields()
        choices = [
            lambda: f"set_field:{self.randrange(4)}->reg{self.randrange(4)}",
            lambda: f"set_field:{self.randrange(4)}->reg{self.randrange(4)}",
            lambda: "set_field:0x50/0xf0->reg1",
            lambda: f"move:{source}->{target}",
            lambda: f"load:{self.randrange(4)}->NXM_NX_XXREG0[30..40]",
            lambda: f"push:{source}",
            lambda: f"pop:{target}",
            lambda: f"push:{source},push:{target},pop:{source},pop:{target}",
            lambda: f"set_field:{self.randrange(4)}->metadata",
            lambda: f"set_field:{self.randrange(4)}->pkt_mark",
            lambda: f"set_field:{self.choice(MACS)}"
                    f"->{self.choice(ETHER_FIELDS)}",
            lambda: "set_field:00:00:00:00:07:00/00:00:00:00:ff:00->eth_dst",
            lambda: "move:NXM_OF_ETH_SRC[0..15]->NXM_NX_REG2[8..23]",
            lambda: "move:NXM_OF_IN_PORT[]->NXM_NX_REG3[0..15]",
            lambda: "ct_clear",
            lambda: "note:01.02"]
        if version:
            name = "nw" if version == 4 else "ipv6"
            field = f"{name}_{self.choice(['src', 'dst'])}"
            choices += [
                lambda: f"set_field:{self.address(version)}->{field}",
                lambda: "dec_ttl", lambda: "mod_nw_tos:8",
                lambda: f"mod_nw_ttl:{self.randrange(3)}"]
        if version == 4:
            choices += [lambda: "move:NXM_OF_IP_SRC[]->NXM_NX_REG0[]",
                        lambda: "set_field:0.0.0.5/0.0.0.7->nw_dst",
                        lambda: "move:NXM_NX_REG1[0..3]->NXM_OF_IP_DST[0..3]"]
        if ports:
            name = f"{ports}_{self.choice(['src', 'dst'])}"
            choices += [lambda: f"set_field:{self.port()}->{name}"]
        if ports == "tcp":
            choices += [lambda: "move:NXM_OF_TCP_DST[]->NXM_OF_TCP_SRC[]",
                        lambda: "move:NXM_NX_REG2[0..3]->NXM_OF_TCP_DST[4..7]"]
        return self.choice(choices)()

    def conntrack(self, table):
        parts = []
        if self.chance(0.5):
            parts.append("commit")
            if self.chance(0.2):
                parts.append("force")
        parts.append("zone=" + self.choice(
            ["1", "2", "3", "NXM_NX_REG1[0..15]"]))
        if table + 1 < TABLES and not self.learns and self.chance(0.8):
            parts.append(f"table={self.randrange(table + 1, TABLES)}")
        if "commit" in parts and self.chance(0.7):
            parts.append("exec(" + ",".join(self.sample([
                "set_field:2->ct_mark", "set_field:1/1->ct_mark",
                "move:NXM_NX_REG1[]->NXM_NX_CT_LABEL[0..31]",
                "set_field:0x700000000/0xf00000000->ct_label",
                "load:3->NXM_NX_CT_MARK[4..7]"],
                k=self.randrange(1, 3))) + ")")
        return f"ct({','.join(parts)})"

    def send(self):
        return self.choice([f"output:{self.choice(PORTS)}"] * 6
                           + ["IN_PORT", "LOCAL", "controller",
                              "output:NXM_NX_REG0[0..15]",
                              "output:NXM_NX_REG3[0..15]"])

    def resubmit(self, table, loops):
        if loops and self.chance(0.2):
            return f"resubmit(,{self.randrange(TABLES)})"
        if table + 1 >= TABLES:
            return self.send()
        target = self.randrange(table + 1, TABLES)
        port = self.choice(["", "", "", self.choice(PORTS)])
        return f"resubmit({port},{target})"

    def action(self, table, protocol, loops):
        kind = self.random()
        if kind < 0.45:
            return self.write(protocol)
        if kind < 0.65:
            return self.send()
        if kind < 0.8 or protocol in (None, "arp"):
            return self.resubmit(table, loops)
        if kind < 0.95 and not loops:
            return self.conntrack(table)
        if kind < 0.98:
            inner = [self.action(table, protocol, loops)
                     for _ in range(self.randrange(1, 3))]
            return f"clone({','.join(inner)})"
        return "exit"

    def actions(self, table, protocol, vlan, loops):
        actions = [self.action(table, protocol, loops)
                   for _ in range(self.randrange(1, 5))]
        if vlan == 0 and self.chance(0.7):
            actions.insert(self.randrange(len(actions) + 1),
                           "push_vlan:0x8100,set_field:4103->vlan_vid")
        elif vlan and self.chance(0.7):
            actions.insert(self.randrange(len(actions) + 1), self.choice(
                ["pop_vlan", "mod_vlan_vid:9", "mod_vlan_pcp:3"]))
        if table + 1 < TABLES and self.chance(0.15):
            actions.append(self.choice(
                ["", "write_metadata:0x3/0x1,"])
                + f"goto_table:{self.randrange(table + 1, TABLES)}")
        return ",".join(actions)

    # Flows.

    def plain(self, table, loops):
        """(match, actions) of an ordinary flow."""
        protocol = self.choice([None, *PROTOCOLS])
        vlan = self.choice([None] * 8 + [0, 0x1000])
        match = self.match(protocol, vlan)
        if self.chance(0.08):
            return match, "drop"
        if "nw_frag=later" in match:    # It has no ports to be written.
            protocol = "ip" if PROTOCOLS[protocol][0] == 4 else "ipv6"
        actions = self.actions(table, protocol, vlan, loops)
        if "ct_state=+inv+trk" in match and "commit" in actions:
            actions = "exit"    # What is invalid cannot be committed.
        return match, actions

    def dimension(self, kind):
        """Matches of the clauses of one dimension."""
        if kind == 0:
            field = self.choice(["nw_src", "nw_dst"])
            return [f"ip,{field}={self.address(4, prefix=True)}"
                    for _ in range(self.randrange(1, 5))]
        if kind == 1:
            field = self.choice(["tcp_dst", "tcp_src"])
            ports = [self.masked(self.port(), [0xfffe, 0xfffc, 0xfff8])
                     for _ in range(self.randrange(1, 5))]
            return [f"tcp,{field}={port}" for port in ports]
        number = self.randrange(4)
        return [f"reg{number}={self.masked(value, [1, 3])}"
                for value in self.sample(range(4), self.randrange(1, 4))]

    def conjunctions(self, table, first_id, loops):
        """Clauses {match: {(id, clause, of)}} of two conjunctions that may
        share some, and flows (match, actions) with the ids."""
        n = self.choice([2, 3])
        kinds = self.sample(range(3), n - 1)
        shared = [self.dimension(kind) for kind in kinds]
        ports = self.sample(PORTS, 6)
        clauses, heads = {}, []
        for i in range(2):
            number = first_id + i
            dims = [[f"in_port={port}" for port in ports[3 * i:3 * i + 3]]]
            dims += [dim if self.chance(0.6) else self.dimension(kind)
                     for kind, dim in zip(kinds, shared)]
            for k, dim in enumerate(dims):
                for match in dim:
                    clauses.setdefault(match, set()).add((number, k + 1, n))
            heads.append((f"conj_id={number},ip",
                          self.actions(table, "ip", None, loops)))
        return clauses, heads

    def flows(self):
        """The flows of one set of tables, as lines; each has a cookie of its
        own, by which it can be told."""
        loops = self.chance(0.1)
        self.learns = self.chance(0.3)
        lines = []

        def add(table, priority, match, actions):
            parts = [f"cookie={len(lines) + 1:#x}", f"table={table}",
                     f"priority={priority}", *([match] if match else [])]
            lines.append(f"{','.join(parts)},actions={actions}")

        for table in range(TABLES):
            priorities = self.sample(range(1, 1000), 40)
            for _ in range(self.randrange(3, 13)):
                match, actions = self.plain(table, loops)
                add(table, priorities.pop(), ",".join(match), actions)
            for group in range(self.choice([0, 1, 1, 2])):
                clauses, heads = self.conjunctions(
                    table, 10 * group + 1, loops)
                priority = priorities.pop()
                for match, members in clauses.items():
                    add(table, priority, match, ",".join(
                        f"conjunction({i},{k}/{n})"
                        for i, k, n in sorted(members)))
                for match, actions in heads:
                    add(table, self.choice([priority, priorities.pop()]),
                        match, actions)
            if table == 0 or self.chance(0.5):
                add(table, 0, "", self.actions(table, None, None, loops))
            if self.learns and self.chance(0.5):
                add(table, priorities.pop(), "", self.learn(priorities.pop()))
        return lines

    def learn(self, priority):
        limit = self.choice(["", "limit=2,result_dst=NXM_NX_REG0[0],"])
        return (f"learn(table={TABLES},priority={priority},cookie=0x9999,"
                f"{limit}NXM_OF_IN_PORT[],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
                f"load:NXM_NX_REG1[0..3]->NXM_NX_REG2[4..7],"
                f"output:NXM_OF_IN_PORT[]),resubmit(,{TABLES})")

    # Packets.

    def packet(self):
        """A packet as ofproto/trace takes it."""
        protocol = self.choice(list(PROTOCOLS))
        version, ports = PROTOCOLS[protocol]
        fields = [f"in_port={self.choice([*PORTS, 'LOCAL'])}",
                  f"dl_src={self.choice(MACS)}", f"dl_dst={self.choice(MACS)}"]
        if self.chance(0.3):
            fields.append(f"dl_vlan={self.choice([5, 9])}")
        fields.append(protocol)
        frag = self.choice(["no"] * 6 + ["first", "later"])
        if version:
            name = "nw" if version == 4 else "ipv6"
            fields += [f"{name}_src={self.address(version)}",
                       f"{name}_dst={self.address(version)}",
                       f"nw_ttl={self.choice([0, 1, 2, 64, 64, 64])}",
                       f"nw_tos={self.choice([0, 0, 8])}", f"nw_frag={frag}"]
        if protocol in ("ip", "ipv6"):
            # A switch takes 0 for "no IP header" and would change nothing.
            fields.append("nw_proto=89")
        if ports and frag != "later":
            fields += [f"{ports}_src={self.port()}",
                       f"{ports}_dst={self.port()}"]
        if ports == "tcp" and frag != "later":
            fields.append("tcp_flags="
                          + self.choice(["syn", "ack", "syn|ack"]))
        if protocol == "arp":
            fields.append(f"arp_op={self.choice([1, 2])}")
        for number in range(4):
            if self.chance(0.2):
                fields.append(f"reg{number}={self.randrange(4)}")
        return ",".join(fields)

    def zones(self):
        """What a packet is to each zone: {zone: relation}."""
        return {zone: self.choice(RELATIONS) for zone in range(5)}

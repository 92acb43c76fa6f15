"""The interpreter of flows against a real switch.

Each packet is put to both: to the interpreter (tests/unit/verify/interp-run)
and to `ofproto/trace` of ovs-vswitchd, over the same flows.  Compared are, for
each pass through the tables, the packet and its registers at the beginning and
at the end, and in order what is done: to which ports it goes and what it looks
like then, what connection tracking is asked, and what is learned.

A failure prints a seed; NETPOL_INTERP_SEEDS="12 13" replays these alone, and
NETPOL_INTERP_SEEDS=0-5000 runs more.
"""

import collections
import ipaddress
import os
import pathlib
import random
import re

import pytest

import dummy
import tables
from lab.netns import run

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
N_PACKETS = 40          # to each table
CT_NEXT = {"new": "trk,new", "est": "trk,est", "rpl": "trk,est,rpl",
           "rel": "trk,rel", "relrpl": "trk,rel,rpl", "inv": "trk,inv"}
ALL_PORTS = [*range(1, 8), *range(10, 73), 90]
LOCAL = 65534
WAY_OUT = 90            # stands for NORMAL, whose ports a trace would list


def seeds():
    text = os.environ.get("NETPOL_INTERP_SEEDS", "0-99")
    numbers = []
    for word in text.split():
        first, _, last = word.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


@pytest.fixture(scope="module", name="switch")
def fixture_switch():
    with dummy.running(ALL_PORTS) as switch:
        yield switch


@pytest.fixture(scope="module", name="program")
def fixture_program(build_dir):
    return build_dir / "tests/unit/verify/interp-run"


# A pass as both describe it: `start` and `end` are packets as text, `done` a
# list of ("output", port, packet), ("ct", ...) and ("controller",).
Pass = collections.namedtuple("Pass", "start end done")
Answer = collections.namedtuple("Answer", "passes aborted learned story")


def plain_flow(text):
    """A packet as text, without what a recirculation adds."""
    return re.sub(r"recirc_id=0x[0-9a-f]+,|\beth,", "", text)


def number(text):
    """Any value of a field, as a number."""
    if re.fullmatch(r"(..:){5}..", text):
        return int(text.replace(":", ""), 16)
    if ":" in text or text.count(".") == 3:
        return int(ipaddress.ip_address(text))
    return int(text, 0)


def looks(flow):
    """What one would see of a packet on the wire, from its text."""
    words = dict(word.partition("=")[::2]
                 for word in re.split(r",(?![^(]*\))", flow))
    seen = {name: number(words[name]) for name in
            ("dl_src", "dl_dst", "nw_src", "nw_dst", "ipv6_src", "ipv6_dst",
             "nw_ttl", "tp_src", "tp_dst", "pkt_mark") if name in words}
    if "nw_tos" in words:
        seen["tos"] = int(words["nw_tos"]) | int(words["nw_ecn"])
    if "dl_vlan" in words:
        seen["vlan"] = (int(words["dl_vlan"]), int(words["dl_vlan_pcp"]))
    seen.setdefault("pkt_mark", 0)
    return seen


# The interpreter's answer.

def value_and_mask(text):
    """"0x5/0xf", or numbers of 64 bits with a ":" between them."""
    parts = []
    for part in text.split("/"):
        high, _, low = part.rpartition(":")
        parts.append((int(high, 0) << 64 if high else 0) | int(low, 0))
    return tuple(parts)


def effect_of(words, flow):
    kind, *rest = words.split(" ", 1)
    if kind == "output":
        return ("output", int(rest[0]), looks(flow))
    if kind == "ct":
        args = dict(word.split("=") for word in rest[0].split())
        return ("ct", args["commit"] == "1", args["force"] == "1",
                int(args["zone"]), value_and_mask(args["mark"]),
                value_and_mask(args["label"]), args["recirc"] == "1")
    return (kind, *rest)


def in_switch_order(parents):
    """Passes run as the datapath comes to them; a trace lists those that the
    first pass sends on, then those that these send on, and so forth."""
    order = [0]
    for done in order:
        order += [i for i, parent in enumerate(parents) if parent == str(done)]
    return order


def read_answer(lines):
    parents, flows, done, learned, story = [], [], [], [], []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "pass":
            parent, start, end = rest.split("\t")
            parents.append(parent)
            flows.append((start, end))
            done.append([])
        elif word == "effect":
            index, words = rest.split(" ", 1)
            effect = effect_of(*words.split("\t"))
            if effect[0] == "learn":
                learned.append(effect[1])
            else:
                done[int(index)].append(effect)
        elif word == "#":
            story.append(rest)
        else:
            status, _, error = rest.partition(" ")
            assert status != "unknown", error
    passes = [Pass(*flows[i], done[i]) for i in in_switch_order(parents)]
    return Answer(passes, status == "aborted", learned, "\n".join(story))


def interpret(program, flows, packets, tmp_path):
    """What the interpreter says of each (packet, zones)."""
    path = tmp_path / "flows"
    path.write_text("".join(f"{flow}\n" for flow in flows))
    text = "".join(" ".join([*(f"{zone}:{relation}"
                               for zone, relation in zones.items()), packet])
                   + "\n" for packet, zones in packets)
    answers, lines = [], []
    for line in run(program, path, stdin=text).splitlines():
        lines.append(line)
        if line.startswith("end "):
            answers.append(read_answer(lines))
            lines = []
    assert len(answers) == len(packets)
    return answers


# The switch's answer.

def split(text, separator=","):
    """Split where SEPARATOR is not inside parentheses."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == separator and not depth:
            parts.append(text[start:i])
            start = i + 1
    return [*parts, text[start:]] if text else []


def arguments(text):
    """"src=1/2,dst=3" as {"src": (value, mask)}; without a mask, -1."""
    pairs = {}
    for part in split(text):
        name, _, value = part.partition("=")
        value, _, mask = value.partition("/")
        pairs[name] = (number(value or "1"), number(mask) if mask else -1)
    return pairs


FIELDS = {"eth": {"src": "dl_src", "dst": "dl_dst"},
          "ipv4": {"src": "nw_src", "dst": "nw_dst", "tos": "tos",
                   "ttl": "nw_ttl"},
          "ipv6": {"src": "ipv6_src", "dst": "ipv6_dst", "tclass": "tos",
                   "hlimit": "nw_ttl"},
          **dict.fromkeys(["tcp", "udp", "sctp"],
                          {"src": "tp_src", "dst": "tp_dst"})}


def set_fields(text, seen):
    """Do set(TEXT) of the datapath."""
    header, inner = re.fullmatch(r"(\w+)\((.*)\)", text).groups()
    if header == "skb_mark":
        values = {"pkt_mark": arguments(f"x={inner}")["x"]}
    else:
        values = {FIELDS[header].get(name): pair
                  for name, pair in arguments(inner).items()}
    for name, (value, mask) in values.items():
        if name:
            seen[name] = (seen[name] & ~mask) | (value & mask)


def ct_of(inner):
    args = arguments(inner)
    full = {"mark": (1 << 32) - 1, "label": (1 << 128) - 1}
    written = {}
    for name, ones in full.items():
        value, mask = args.get(name, (0, 0))
        written[name] = (value & mask & ones, mask & ones)
    return ("ct", "commit" in args or "force_commit" in args,
            "force_commit" in args, args.get("zone", (0, -1))[0],
            written["mark"], written["label"], False)


def execute(text, seen, odp, done):
    """What the datapath's actions do, appended to DONE."""
    for action in split(text):
        name, inner = re.fullmatch(r"([\w-]+)(?:\((.*)\))?", action).groups()
        if name.isdigit():
            done.append(("output", odp[int(name)], dict(seen)))
        elif name == "set":
            set_fields(inner, seen)
        elif name == "push_vlan":
            args = arguments(inner)
            seen["vlan"] = (args["vid"][0], args["pcp"][0])
        elif name == "pop_vlan":
            del seen["vlan"]
        elif name == "ct":
            done.append(ct_of(inner or ""))
        elif name == "recirc":
            done[-1] = (*done[-1][:-1], True)
        elif name == "clone":
            execute(inner, dict(seen), odp, done)
        elif name == "userspace":
            done.append(("controller",))
        else:
            assert name in ("ct_clear", "drop"), f"{name} in {text}"


def read_trace(text, odp):
    passes = []
    for start, end, actions in re.findall(
            r"^Flow: (.*?)$.*?^Final flow: (.*?)$.*?^Datapath actions: (.*?)$",
            text, re.M | re.S):
        start = plain_flow(start)
        done = []
        execute(actions, looks(start), odp, done)
        passes.append(Pass(start, start if end == "unchanged"
                           else plain_flow(end), done))
    return Answer(passes, "Translation failed" in text, [], text)


# One against the other.

def ct_next(answer, zones):
    """What conntrack answers in the order in which a trace asks."""
    return [CT_NEXT[zones.get(effect[3], "new")] for one in answer.passes
            for effect in one.done if effect[0] == "ct" and effect[-1]]


def compare(ours, theirs):
    """What differs, or "" if nothing does."""
    if ours.aborted != theirs.aborted:
        return f"aborted: {ours.aborted}, the switch: {theirs.aborted}"
    if len(ours.passes) != len(theirs.passes):
        return f"{len(ours.passes)} passes, the switch: {len(theirs.passes)}"
    for i, (a, b) in enumerate(zip(ours.passes, theirs.passes)):
        # No packet leaves by a port that is not there.
        a = a._replace(done=[e for e in a.done if e[0] != "output"
                             or e[1] in (*ALL_PORTS, LOCAL)])
        parts = Pass._fields if not ours.aborted else ["start", "done"]
        for name in parts:
            if getattr(a, name) != getattr(b, name):
                return (f"pass {i}, {name}:\n  {getattr(a, name)}\n"
                        f"the switch:\n  {getattr(b, name)}")
    return ""


def differences(switch, answers, packets):
    """(index of packet, what differs) for each that does."""
    for i, (ours, (packet, zones)) in enumerate(zip(answers, packets)):
        trace = switch.trace(packet, ct_next(ours, zones))
        problem = compare(ours, read_trace(trace, switch.odp))
        if problem:
            yield i, (f"{packet} {zones}\n{problem}\n\nthe interpreter:\n"
                      f"{ours.story}\n\nthe switch:\n{trace}")


def learned_flows(switch):
    dump = switch.ovs.ofctl("dump-flows", "br0", "cookie=0x9999/-1",
                            "--no-stats")
    return sorted(re.sub(r", ", ",", line.strip()).replace(" actions=",
                                                          ",actions=")
                  for line in dump.splitlines() if "cookie=" in line)


def random_case(seed):
    maker = tables.Maker(seed)
    return maker.flows(), [(maker.packet(), maker.zones())
                           for _ in range(N_PACKETS)]


def test_random_tables(switch, program, tmp_path):
    seen = collections.Counter()
    for seed in seeds():
        flows, packets = random_case(seed)
        answers = interpret(program, flows, packets, tmp_path)
        switch.load("".join(f"{flow}\n" for flow in flows))
        for _, problem in differences(switch, answers, packets):
            pytest.fail(f"NETPOL_INTERP_SEEDS={seed}\n{problem}",
                        pytrace=False)
        # Who learns the same again writes over it.
        learned = {flow.partition(",actions=")[0]: flow
                   for answer in answers for flow in answer.learned}
        assert sorted(learned.values()) == learned_flows(switch), \
            f"NETPOL_INTERP_SEEDS={seed}"
        for answer in answers:
            seen["packets"] += 1
            seen["aborted"] += answer.aborted
            seen["conjunction"] += "conj_id=" in answer.story
            seen["output"] += any(effect[0] == "output" for one in
                                  answer.passes for effect in one.done)
            seen["recirculated"] += len(answer.passes) > 1
            seen["learned"] += bool(answer.learned)
    print(dict(seen))
    if "NETPOL_INTERP_SEEDS" not in os.environ:
        assert all(seen[kind] for kind in seen)


# A comparison that cannot fail is none.

def mutated(flow, maker):
    """FLOW with a mistake in it, or None to leave it out."""
    head, _, actions = flow.partition(",actions=")
    kind = maker.randrange(4)
    if kind == 1 and (wider := re.sub(r"(nw_|ipv6_)(src|dst)=[^,]+,?", "",
                                      head).rstrip(",")) != head:
        return f"{wider},actions={actions}"
    if kind == 2 and "output:" in actions:
        return head + ",actions=" + re.sub(
            r"output:(\d)", lambda m: f"output:{int(m[1]) % 6 + 1}", actions)
    if kind == 3 and "resubmit(," in actions:
        return f"{head},actions={actions.replace('resubmit(,', 'resubmit(9,')}"
    return None


def one_dimension_less(flows, head):
    """FLOWS without a dimension of the conjunction whose flow is HEAD."""
    table = re.search(r"table=\d+,", head)[0]
    number = re.search(r"conj_id=(\d+)", head)[1]
    for flow in flows:
        if table in flow and f"conjunction({number},1/" in flow:
            flow = re.sub(rf"conjunction\({number},1/\d\),?", "",
                          flow).rstrip(",")
            if flow.endswith("actions="):
                continue
        yield flow


def with_mistake(flows, story, maker):
    """FLOWS, but wrong where STORY came along, and what is wrong."""
    met = [flow for flow in flows if f"{flow.split(',')[0]}," in story]
    conjunctions = [flow for flow in met if "conj_id=" in flow]
    if conjunctions and maker.random() < 0.5:
        head = maker.choice(conjunctions)
        return [*one_dimension_less(flows, head)], f"no first clause: {head}"
    victim = maker.choice(met)
    mutant = mutated(victim, maker)
    wrong = [mutant if flow == victim else flow for flow in flows]
    return [flow for flow in wrong if flow], f"{victim}\n  became {mutant}"


def test_mistakes_are_noticed(switch, program, tmp_path):
    """The interpreter gets tables with a mistake in a flow that packets met,
    the switch those without."""
    noticed, missed = 0, []
    for seed in range(10000, 10040):
        flows, packets = random_case(seed)
        story = "".join(answer.story for answer in
                        interpret(program, flows, packets, tmp_path))
        wrong, what = with_mistake(flows, story, random.Random(seed))
        answers = interpret(program, wrong, packets, tmp_path)
        switch.load("".join(f"{flow}\n" for flow in flows))
        if any(True for _ in differences(switch, answers, packets)):
            noticed += 1
        else:
            missed.append(f"{seed}: {what}")
    print(f"{noticed} noticed, not:", *missed, sep="\n")
    # Some change nothing: a flow that drops where a miss does, for one.
    assert noticed >= 32, "\n".join(missed)


# The pipeline itself.

def ports_of(flows):
    return sorted({int(n) for n in
                   re.findall(r"(?:in_port=|output:)(\d+)", flows)})


class Traffic(random.Random):
    """Packets out of the values that occur in flows."""

    def __init__(self, seed, flows):
        super().__init__(seed)
        self.pool = {}
        for name, pattern in {
                "in_port": r"in_port=(\w+)",
                "mac": r"(?:dl_...=|set_field:)((?:..:){5}..)",
                "v4": r"nw_(?:src|dst)=([\d./]+)",
                "v6": r"ipv6_(?:src|dst)=([0-9a-f:/]+)",
                "port": r"tp_(?:src|dst)=(\w+)(?:/\w+)?"}.items():
            self.pool[name] = sorted(set(re.findall(pattern, flows)))
        # Who may send from where: (port, MAC, address).
        self.senders = {version: re.findall(
            rf"table=5,.*in_port=(\d+),.*dl_src=([^,]+),.*{name}_src=([^,]+),",
            flows) for version, name in ((4, "nw"), (6, "ipv6"))}

    def address(self, version, extra):
        """One at the edge of a prefix, or next to it."""
        text = self.choice(self.pool[f"v{version}"] + extra)
        net = ipaddress.ip_network(text, strict=False)
        edge = self.choice([net[0], net[0], net[-1]])
        with_neighbours = int(edge) + self.choice([0, 0, 0, 0, -1, 1])
        return str(type(edge)(with_neighbours % (1 << edge.max_prefixlen)))

    def port(self):
        value = number(self.choice(self.pool["port"] + ["40000", "53"]))
        return (value + self.choice([0, 0, 0, -1, 1])) % 65536

    def mac(self):
        return self.choice(self.pool["mac"] + ["0a:00:00:00:99:99"])

    def packet(self):
        version = self.choice([4, 4, 6])
        protocol = self.choice(["tcp", "udp", "sctp", "icmp", "arp"])
        name, extra = (("nw", ["192.0.2.9"]) if version == 4 else
                       ("ipv6", ["2001:db8::9", "ff02::1"]))
        port, mac, source = (self.choice(self.pool["in_port"] or ["1"]),
                             self.mac(), self.address(version, extra))
        if self.senders[version] and self.random() < 0.7:
            port, mac, source = self.choice(self.senders[version])
        start = [f"in_port={port}", f"dl_src={mac}", f"dl_dst={self.mac()}"]
        if self.random() < 0.03:
            start.append("dl_vlan=5")
        if protocol == "arp":
            return ",".join([*start, "arp", f"arp_op={self.choice([1, 2])}",
                             f"arp_spa={self.address(4, ['192.0.2.9'])}",
                             f"arp_tpa={self.address(4, ['192.0.2.9'])}",
                             f"arp_sha={mac}"])
        fields = [*start, protocol + ("6" if version == 6 else ""),
                  f"{name}_src={source}",
                  f"{name}_dst={self.address(version, extra)}",
                  f"nw_ttl={self.choice([64, 255])}"]
        frag = self.choice(["no"] * 8 + ["first", "later"])
        fields.append(f"nw_frag={frag}")
        if protocol == "icmp" and frag != "later":
            fields.append(
                f"icmp_type={self.choice([8, 3])}" if version == 4 else
                f"icmpv6_type={self.choice([128, 1, 133, 134, 135, 136])}")
        elif frag != "later":
            fields += [f"{protocol}_src={self.port()}",
                       f"{protocol}_dst={self.port()}"]
            if protocol == "tcp":
                fields.append(
                    f"tcp_flags={self.choice(['syn', 'ack', 'syn|ack'])}")
        return ",".join(fields)

    def zones(self):
        return {zone: self.choice(["new", "new", *tables.RELATIONS])
                for zone in (64000, 64001)}


def compare_pipeline(switch, program, tmp_path, name, text):
    """The flows in `text`, with the way out a port, on both."""
    text = text.replace("NORMAL", f"output:{WAY_OUT}")
    assert set(ports_of(text)) <= set(ALL_PORTS), "a port the switch lacks"
    traffic = Traffic(name, text)
    packets = [(traffic.packet(), traffic.zones()) for _ in range(200)]
    answers = interpret(program, text.splitlines(), packets, tmp_path)
    switch.load(text)
    for _, problem in differences(switch, answers, packets):
        pytest.fail(f"{name}: {problem}", pytrace=False)
    judged = sum("table=55," in answer.story for answer in answers)
    passed = sum("output:" in answer.story.rpartition("table=")[2]
                 for answer in answers)
    print(f"{len(text.splitlines())} flows, {judged} judged, {passed} passed")
    assert not traffic.senders[4] or judged > 10 and 3 < passed < 197


@pytest.mark.parametrize("case", sorted(path.parent.name for path in
                                        GOLDEN.glob("*/objects.yaml")))
def test_pipeline(switch, program, build_dir, tmp_path, case):
    """The tables that the compiler makes of the cases of tests/golden."""
    text = run(build_dir / "tests/unit/verify/case-flows",
               GOLDEN / case / "objects.yaml", GOLDEN / case / "ports")
    compare_pipeline(switch, program, tmp_path, case, text)


@pytest.mark.parametrize("seed", [1, 3, 7, 10, 11, 15])
def test_cluster(switch, program, build_dir, tmp_path, seed):
    """Those of random clusters, in which the two judges agree."""
    run(build_dir / "tests/prop/prop", "--seed", seed, "--emit", tmp_path)
    text = run(build_dir / "tests/unit/verify/case-flows",
               tmp_path / "objects.yaml", tmp_path / "ports")
    # Which of several rules that allow a packet is named is chance.
    text = re.sub(r"set_field:0x\w+->reg([58])", r"set_field:0x1->reg\1", text)
    compare_pipeline(switch, program, tmp_path, f"seed {seed}", text)

"""Who was denied what: netpol/denials, held against known numbers of frames.

What the switch learned is counted in its flows, so the counts are exact, and
there are never more flows than a pod's account allows, whatever storms.
"""

import collections
import json
import random
import re
import urllib.request

import pytest

import frames as f
from lab import LabError, manifest, netns
from lab.ovs import wait_until
from net import Net, Way, allow_to, isolated

LIMIT = 64              # learned flows a pod
PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}

Denial = collections.namedtuple(
    "Denial", "src dst protocol port direction reply")


@pytest.fixture(scope="module", name="net")
def fixture_net(daemon_lab):
    with Net(daemon_lab) as net:
        net.pods("a", "b", "c")
        yield net


@pytest.fixture(autouse=True)
def fixture_forget(net):
    """Each test begins with empty accounts."""
    net.forget_connections()
    ofctl(net, "del-flows", f"cookie={cookie(0):#x}/0xffffff0000000000")


def cookie(ofport):
    return 0x4e50070100000000 | ofport


def ofctl(net, command, *args):
    lab = net.lab
    return lab.ovs.ofctl(command, lab.settings.bridge, *args)


def facts(net):
    """What the daemon tells once the datapath has told the switch."""
    net.lab.ovs.settle()
    return json.loads(net.lab.appctl("netpol/denials", "json"))


def key(denial):
    (protocol, fields), = denial["l4"].items()
    port = fields.get("destination_port", fields.get("source_port"))
    if port is None:
        port = (fields["type"], fields["code"])
    return Denial(denial["IP"]["source"], denial["IP"]["destination"],
                  protocol, port, denial["traffic_direction"],
                  denial["is_reply"])


class Count:
    """What comes to be counted while the body of `with` runs."""

    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.before = self.read()
        return self

    def __exit__(self, *_exc):
        pass

    def read(self):
        now = facts(self.net)
        counts = collections.Counter(
            {key(d): d["count"] for d in now["denials"]})
        for packets in ("egress", "ingress", "overflow"):
            counts[packets] = now["packets"][packets]
        return counts

    def new(self):
        after = self.read()
        after.subtract(self.before)
        return {key: n for key, n in after.items() if n}


def learned(net, table):
    dump = ofctl(net, "dump-flows", f"table={table}")
    return [line for line in dump.splitlines() if "cookie=0x4e5007" in line]


DENIED, QUIET = 132, 131


@pytest.mark.parametrize("version", [4, 6])
def test_exact_counts(net, version):
    """Many and few, each protocol, either direction, pods and the world."""
    net.policies(isolated("a", ingress=[]), isolated("b", egress=[]))
    ab = Way(net.ends["b"], net.ends["a"], version)
    ca = Way(net.ends["c"], net.ends["a"], version)
    oa = Way(net.ends["outside"], net.ends["a"], version)
    bo = Way(net.ends["b"], net.ends["outside"], version)
    echo = ("ICMPv4", (8, 0)) if version == 4 else ("ICMPv6", (128, 0))
    sent = [
        (ab, [ab.tcp(1000 + i, 80) for i in range(37)], ("TCP", 80),
         "EGRESS"),
        (ca, [ca.tcp(1000 + i, 80) for i in range(5)], ("TCP", 80),
         "INGRESS"),
        (ca, [ca.tcp(1000, 81)], ("TCP", 81), "INGRESS"),
        (ca, [ca.udp(1000, 53)] * 700, ("UDP", 53), "INGRESS"),
        (ca, [ca.sctp(1000 + i % 3, 5000) for i in range(9)],
         ("SCTP", 5000), "INGRESS"),
        (ca, [ca.echo(i) for i in range(4)], echo, "INGRESS"),
        (oa, [oa.tcp(1000 + i, 443) for i in range(12)], ("TCP", 443),
         "INGRESS"),
        (bo, [bo.udp(1000, 53)] * 2, ("UDP", 53), "EGRESS"),
    ]
    with Count(net) as count:
        for way, frames, _, _ in sent:
            way.src.wire.send(*frames)
            net.wait_all(way.src)
    expected = {
        Denial(*way.ips, *what, direction, False): len(frames)
        for way, frames, what, direction in sent}
    expected["egress"] = 39
    expected["ingress"] = 731
    assert count.new() == expected


def test_replies_of_what_was_revoked(net):
    """They tell of the connection, not of what the second zone said."""
    go = Way(net.ends["a"], net.ends["b"])
    back = go.back
    net.policies(isolated("a", egress=[allow_to("b", ("TCP", 80))]))
    assert net.heard(go.src, go.tcp(1000, 80)) == {"b"}
    assert net.heard(back.src, back.tcp(80, 1000, "SA")) == {"a"}
    assert net.heard(go.src, go.tcp(1000, 80, "A")) == {"b"}
    net.policies(isolated("a", egress=[]))
    with Count(net) as count:
        for _ in range(3):
            assert net.heard(go.src, go.tcp(1000, 80, "PA")) == set()
        for _ in range(5):
            assert net.heard(back.src, back.tcp(80, 1000, "PA")) == set()
    assert count.new() == {
        Denial(*go.ips, "TCP", 80, "EGRESS", False): 3,
        Denial(*back.ips, "TCP", 80, "EGRESS", True): 5,
        "egress": 8}


def test_errors(net):
    """About what is not allowed any more: it is for who opened that."""
    go = Way(net.ends["a"], net.ends["outside"])
    net.policies(isolated("a", egress=[{}]))
    quoted = go.udp(1000, 53)
    assert net.heard(go.src, quoted) == {"outside"}
    net.policies(isolated("a", egress=[]))
    with Count(net) as count:
        assert net.heard(go.dst, go.back.error(quoted)) == set()
    new = count.new()
    assert new.pop("egress") == 1
    (denial, n), = new.items()
    assert (n, denial.src, denial.protocol, denial.direction,
            denial.reply) == (1, go.ips[1], "ICMPv4", "EGRESS", True)
    told, = (d for d in facts(net)["denials"] if key(d) == denial)
    assert told["egress_denied_by"][0]["name"] == "a"


def test_what_is_no_policys(net):
    """Spoofed senders, invalid packets: counted by reason, not told."""
    way = Way(net.ends["b"], net.ends["a"])
    net.policies(isolated("a", ingress=[]))
    rng = random.Random(1)
    with Count(net) as count:
        for _ in range(200):
            source = f"172.{rng.randrange(16, 32)}.{rng.randrange(256)}.9"
            way.src.wire.send(way.frame(f.ip(source, way.ips[1], f.udp(
                source, way.ips[1], 1000, rng.randrange(1, 65536)))))
        net.wait_all(way.src)
    assert not count.new()
    assert not learned(net, DENIED) and not learned(net, QUIET)


def test_overflow(net):
    """One pod scans: its account is full, its packets are counted all the
    same; others' denials are told as before."""
    way = Way(net.ends["b"], net.ends["a"])
    other = Way(net.ends["c"], net.ends["a"])
    net.policies(isolated("a", ingress=[]))
    with Count(net) as count:
        ports = random.Random(2).sample(range(1024, 65536), 3000)
        for port in ports:
            way.src.wire.send(way.tcp(1000, port))
        net.wait_all(way.src)
        other.src.wire.send(*[other.tcp(1000 + i, 22) for i in range(6)])
        net.wait_all(other.src)
    new = count.new()
    assert len(learned(net, DENIED)) == LIMIT + 1
    assert len(learned(net, QUIET)) == 1
    assert new["ingress"] == 3006
    assert new[Denial(*other.ips, "TCP", 22, "INGRESS", False)] == 6
    scanned = {k: n for k, n in new.items()
               if isinstance(k, Denial) and k.src == way.ips[0]}
    assert len(scanned) == LIMIT and set(scanned.values()) == {1}
    assert new["overflow"] == 3000 - LIMIT
    overflow, = facts(net)["overflows"]
    assert overflow["source"] == {"namespace": "shop", "pod_name": "b"}


def test_overflow_from_outside(net):
    """The victim's account is what a storm from outside fills."""
    a, b = ("10.244.0.10", "10.244.0.11")
    net.policies(isolated("a", ingress=[]), isolated("b", ingress=[]))
    way = Way(net.ends["outside"], net.ends["a"])
    other = Way(net.ends["outside"], net.ends["b"])
    with Count(net) as count:
        for port in range(1, 201):
            way.src.wire.send(way.udp(1000, port))
        other.src.wire.send(other.udp(1000, 7))
        net.wait_all(way.src)
    new = count.new()
    assert new["ingress"] == 201 and new["overflow"] == 200 - LIMIT
    assert new[Denial(*other.ips, "UDP", 7, "INGRESS", False)] == 1
    assert (way.ips[1], other.ips[1]) == (a, b)
    assert [o["destination_ip"] for o in facts(net)["overflows"]
            if "destination_ip" in o] == [a]


# What the daemon makes of it.

def test_ended_flows_are_kept(net):
    """Whoever takes a learned flow away: what it had counted stays."""
    way = Way(net.ends["b"], net.ends["a"])
    net.policies(isolated("a", ingress=[]))
    denial = Denial(*way.ips, "TCP", 2222, "INGRESS", False)
    with Count(net) as count:
        for n in (3, 1, 5):
            way.src.wire.send(*[way.tcp(1000, 2222)] * n)
            net.wait_all(way.src)
            net.lab.ovs.settle()
            assert len(learned(net, DENIED)) == 1
            ofctl(net, "del-flows", f"table={DENIED},"
                  f"cookie={cookie(0):#x}/0xffffff0000000000")
    wait_until(lambda: count.new() == {denial: 9, "ingress": 9},
               "the ends to be told")


def test_words(net):
    """What it says to people, and how it is asked."""
    way = Way(net.ends["outside"], net.ends["a"])
    net.policies(isolated("a", ingress=[]),
                 manifest.policy("shop", "another", podSelector={}))
    way.src.wire.send(way.tcp(1000, 3333))
    net.wait_all(way.src)
    told, = (d for d in facts(net)["denials"]
             if key(d) == Denial(*way.ips, "TCP", 3333, "INGRESS", False))
    assert [p["name"] for p in told["ingress_denied_by"]] == ["a", "another"]
    assert told["source"] is None
    assert told["destination"] == {"namespace": "shop", "pod_name": "a"}
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    lines = net.lab.appctl("netpol/denials").splitlines()
    assert re.fullmatch(r"denied by policies: \d+ packets egress, "
                        r"\d+ ingress", lines[0])
    begin = lines[2].index("POLICIES")
    row, = (line for line in lines if " 3333 " in line)
    assert row[begin:] == "shop/a, shop/another"
    assert re.match(rf"203\.0\.113\.77 +shop/a \(10\.244\.0\.10\) +TCP +3333 +"
                    rf"ingress +1 +{stamp} +{stamp} +shop/a", row)
    with pytest.raises(LabError, match="usage: netpol/denials \\[json\\]"):
        net.lab.appctl("netpol/denials", "yaml")


def metric(net, name):
    with netns.inside(net.lab.node_ns):
        with urllib.request.urlopen("http://127.0.0.1:10361/metrics",
                                    timeout=30) as page:
            text = page.read().decode()
    return int(float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1]))


def test_metrics(net):
    """As of the last read, which the question before them was."""
    way = Way(net.ends["b"], net.ends["a"])
    net.policies(isolated("a", ingress=[]))
    total = 'ovs_netpol_denied_packets_total{reason="%s"}'
    spoofed = metric(net, total % "spoofed")
    way.src.wire.send(*[way.udp(1000, port) for port in range(1, 101)])
    source = "172.16.0.1"
    way.src.wire.send(way.frame(f.ip(source, way.ips[1], f.udp(
        source, way.ips[1], 1000, 53))))
    net.wait_all(way.src)
    packets = facts(net)["packets"]
    assert metric(net, total % "ingress") == packets["ingress"]
    assert metric(net, total % "egress") == packets["egress"]
    assert metric(net, total % "spoofed") == spoofed + 1
    name = "ovs_netpol_denials_overflow_packets_total"
    assert metric(net, name) == packets["overflow"] >= 100 - LIMIT


def test_the_switch_restarts(net):
    """Its counters are gone, ours are not."""
    lab, way = net.lab, Way(net.ends["b"], net.ends["a"])
    net.policies(isolated("a", ingress=[]))
    denial = Denial(*way.ips, "TCP", 4444, "INGRESS", False)
    with Count(net) as count:
        way.src.wire.send(*[way.tcp(1000, 4444)] * 6)
        net.wait_all(way.src)
        facts(net)
        lab.ovs.stop_vswitchd()
        wait_until(lambda: not json.loads(lab.appctl(
            "netpol/denials", "json"))["connected"], "the switch to be missed")
        assert "no connection" in lab.appctl("netpol/denials").splitlines()[0]
        lab.ovs.start_vswitchd()
        lab.wait()
        way.src.wire.send(*[way.tcp(1000, 4444)] * 2)
        net.wait_all(way.src)
    wait_until(lambda: count.new() == {denial: 8, "ingress": 8},
               "the counts to go on")

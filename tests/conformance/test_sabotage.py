"""The suite can fail: whatever is spoiled, in the switch, in a table or in the
oracle's objects, the comparison says so.

The daemon is stopped meanwhile, so that it cannot repair anything.
"""

import re

import pytest
from case import allow_from, allow_to, egress, ingress, labels, named, port
from cluster import State
from compare import Mismatch
from lab.manifest import write

TABLE = """no * -> x/a
           yes y/* -> x/a tcp/81
           no z/b -> *
           yes z/b -> x/[bc] udp"""


@pytest.fixture(scope="module", name="spoiled")
def fixture_spoiled(own_comparison):
    state = State()
    state.policies = [
        ingress("x", "in", labels(pod="a"), [
            allow_from([named("y")], [port(81)])]),
        egress("z", "out", labels(pod="b"), [
            allow_to([named("x")], [port(protocol="UDP")])])]
    own_comparison.cluster.realise(state)
    own_comparison.cluster.lab.stop_daemon()
    yield Spoiled(own_comparison, state)
    own_comparison.cluster.lab.start_daemon(
        own_comparison.cluster.lab.build_dir)


class Spoiled:
    """A switch with a right table, and what one can do to it."""

    def __init__(self, comparison, state):
        self.comparison, self.state = comparison, state
        self.lab = comparison.cluster.lab
        self.bridge = self.lab.settings.bridge
        self.right = self.flows()

    def flows(self):
        return [line.strip() for line in self.lab.ovs.ofctl(
            "dump-flows", self.bridge, "--no-stats", "--names").splitlines()
            if "actions=" in line]

    def find(self, *patterns):
        """The flows of the right table in which all of these are found."""
        found = [flow for flow in self.right
                 if all(re.search(p, flow) for p in patterns)]
        assert found, patterns
        return found

    def replace(self, flows):
        """Let these be the flows, for the datapath too."""
        self.lab.ovs.ofctl("replace-flows", self.bridge, "-", "--names",
                           "--bundle", stdin="\n".join(flows) + "\n")
        self.lab.ovs.settle()

    def without(self, *flows):
        self.replace([flow for flow in self.right if flow not in flows])

    def edited(self, pattern, by, *flows):
        """In these flows, what matches `pattern` becomes `by`."""
        assert all(re.search(pattern, flow) for flow in flows), flows
        self.replace([re.sub(pattern, by, flow) if flow in flows else flow
                      for flow in self.right])

    def compare(self):
        self.comparison.step("sabotage", self.state, TABLE)

    def report(self):
        """What the comparison has to say, which must be something."""
        with pytest.raises(Mismatch) as error:
            self.compare()
        return str(error.value)


@pytest.fixture(name="victim")
def fixture_victim(spoiled):
    spoiled.compare()
    yield spoiled
    spoiled.replace(spoiled.right)
    spoiled.compare()


def test_report(victim):
    """It says all that one needs to begin with."""
    victim.without(*victim.find("table=ingress,", r"tp_dst=81 "))
    report = victim.report()
    assert "kind: NetworkPolicy" in report and "name: in" in report
    assert ("y/a -> x/a tcp/81 v4: seen denied, oracle allowed (open "
            "allow:x/in[0]), expected allowed") in report
    assert "trace of y/a -> x/a tcp/81 v4:" in report
    assert "Datapath actions: drop" in report
    assert "more" not in report         # 3 pods, 2 versions: all are shown


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_clause_is_missing(victim, dimension):
    victim.without(*victim.find("table=ingress,",
                                rf"conjunction\(\d+,{dimension}/3\)"))
    assert "y/b -> x/a tcp/81 v6: seen denied" in victim.report()


def test_a_clause_is_too_wide(victim):
    victim.edited(r"tp_dst=81", "tp_dst=0x50/0xfffe",
                  *victim.find("table=ingress,", r"tcp,.*tp_dst=81 "))
    assert "y/a -> x/a tcp/80 v4: seen allowed" in victim.report()


def test_a_clause_is_of_another_protocol(victim):
    victim.edited(r"tcp6,", "sctp6,",
                  *victim.find("table=ingress,", r"tcp6,.*tp_dst=81 "))
    report = victim.report()
    assert "y/a -> x/a tcp/81 v6: seen denied" in report
    assert "y/a -> x/a sctp/81 v6: seen allowed" in report


def test_somebody_allows_more(victim):
    """A flow of others that lets one pod pass."""
    victim.replace(victim.right + [
        "cookie=0xbad,table=ingress,priority=65000,icmp,"
        "nw_src=10.244.3.3,nw_dst=10.244.1.1,actions=resubmit(,commit)"])
    report = victim.report()
    assert "z/c -> x/a icmp v4: seen allowed" in report
    assert "cookie 0xbad" in report     # the trace names the culprit


def test_the_default_is_open(victim):
    victim.edited(r"actions=.*", "actions=resubmit(,egress_baseline)",
                  *victim.find('table="egress_default",', "resubmit.,deny"))
    assert re.search(r"z/b -> \S+ \S+ v4: seen allowed", victim.report())


def test_a_pod_has_the_identity_of_another(victim):
    theirs, = {re.search(r"set_field:(0x\w+)->reg1", flow)[1]
               for flow in victim.find('table="src_identity",',
                                       r"nw_src=10\.244\.2\.1[, ]")}
    victim.edited(r"set_field:0x\w+->reg1", f"set_field:{theirs}->reg1",
                  *victim.find('table="src_identity",',
                               r"nw_src=10\.244\.3\.3[, ]"))
    report = victim.report()
    assert "z/c -> x/a tcp/81 v4: seen allowed" in report
    assert "z/c -> x/a tcp/81 v6" not in report


def test_a_third_pod_hears_it(victim):
    port_of_y_b = victim.comparison.cluster.ends["y/b"].port
    victim.edited(r"$", f',output:"{port_of_y_b}"',
                  *victim.find("table=forward,", r"nw_dst=10\.244\.2\.1[, ]"))
    assert re.search(r"-> y/a \S+ v4 came out at y/b", victim.report())


def test_a_pod_gets_what_is_anothers(victim):
    """The wrong port: neither where it should be nor nowhere."""
    ends = victim.comparison.cluster.ends
    victim.edited(f'output:"{ends["z/a"].port}"',
                  f'output:"{ends["z/c"].port}"',
                  *victim.find("table=forward,", "ipv6_dst=fd00:10:244::3:1"))
    report = victim.report()
    assert re.search(r"-> z/a \S+ v6: seen denied", report), report


def test_it_comes_twice(victim):
    port_of_y_a = victim.comparison.cluster.ends["y/a"].port
    victim.edited(r"$", f',output:"{port_of_y_a}"',
                  *victim.find("table=forward,", r"nw_dst=10\.244\.2\.1[, ]"))
    assert re.search(r"-> y/a \S+ v4 came out 2 times", victim.report())


def test_answers_are_lost(victim):
    victim.replace(victim.right + [
        "cookie=0xbad,table=conntrack,priority=65000,tcp,"
        "tcp_flags=+syn+ack,actions=drop"])
    report = victim.report()
    assert "tcp/8" in report and "the answer did not get back" in report
    assert ": seen " not in report


def test_a_pod_is_cut_off(victim):
    """Not even ARP: that is no verdict, and is not taken for one."""
    victim.without(*victim.find("table=classify,", 'in_port="' + re.escape(
        victim.comparison.cluster.ends["z/a"].port)))
    with pytest.raises(AssertionError, match="not even ARP"):
        victim.comparison.prober.fence(patience=1)


def test_a_wrong_table(victim):
    """Packets and oracle are of one opinion, and the person of another."""
    with pytest.raises(Mismatch) as error:
        victim.comparison.step("wrong", victim.state,
                               TABLE + "\nyes z/c -> x/a sctp/80 v6")
    lines = [line for line in str(error.value).splitlines() if ": seen" in line]
    assert lines == ["z/c -> x/a sctp/80 v6: seen denied, oracle denied "
                     "(open deny:x/in), expected allowed"]


def test_a_wrong_oracle(victim):
    """It reads objects that the switch's table was not made from."""
    other = ingress("x", "in", labels(pod="a"), [
        allow_from([named("z")], [port(81)])])
    path = write(victim.lab.manifests, "policies.json", other,
                 victim.state.policies[1])
    try:
        assert ("z/a -> x/a tcp/81 v4: seen denied, oracle allowed"
                in victim.report())
    finally:
        write(path.parent, path.name, *victim.state.policies)

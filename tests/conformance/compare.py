"""Three opinions on every packet: what the switch did with it, what the judge
of the objects says, and, for the cases that have one, a table that a person
wrote.  All must be the same."""

import dataclasses
import json
import pathlib
import subprocess
import time

import truth
from cluster import State
from probes import SERVICES, Prober

ORACLE = "tests/conformance/oracle"
TRIES = 3                       # of a packet that should have arrived
ANSWERS = 24                    # connections in a step that are answered
SHOWN = 10                      # packets in a report


class Mismatch(AssertionError):
    """Opinions differ; the text is the whole report."""


@dataclasses.dataclass
class Figures:
    """What was done so far."""

    cases: int = 0
    steps: int = 0
    questions: int = 0
    denied: int = 0
    answers: int = 0
    again: int = 0              # packets that came only when sent again
    mismatches: int = 0
    seconds: float = 0.0


class Oracle:
    """The judge of the objects, in a process of its own."""

    def __init__(self, build_dir, cluster):
        self.program = pathlib.Path(build_dir, ORACLE)
        self.cluster = cluster
        if not self.program.exists():
            raise FileNotFoundError(f"{self.program}: make check builds it")

    def judge(self, questions):
        """{question: (egress, ingress)} in the oracle's own words."""
        ends = self.cluster.ends
        lines = "".join(f"{ends[q.src].ip(q.version)} "
                        f"{ends[q.dst].ip(q.version)} {q.number} {q.port}\n"
                        for q in questions)
        done = subprocess.run(
            [self.program, self.cluster.lab.manifests,
             *self.cluster.node_addresses],
            input=lines, text=True, capture_output=True, check=False)
        if done.returncode or done.stderr:
            raise AssertionError(f"the oracle failed: {done.stderr}")
        return {q: tuple(line.split(" ")) for q, line in
                zip(questions, done.stdout.splitlines(), strict=True)}

    def allows(self, q, words):
        """Whether this node lets it pass: a switch judges what leaves its own
        pods, and what gets to them."""
        egress, ingress = words
        return not (q.src in self.cluster.pods and egress.startswith("deny")
                    or q.dst in self.cluster.pods
                    and ingress.startswith("deny"))


class Comparison:
    """Compares the opinions on a cluster, step after step."""

    def __init__(self, cluster, build_dir):
        self.cluster = cluster
        self.prober = Prober(cluster)
        self.oracle = Oracle(build_dir, cluster)
        self.figures = Figures()

    def begin(self):
        """Let the switch learn at which port the world is: until then, what
        goes there goes to the node as well."""
        self.cluster.realise(State())
        self.prober.fence()
        self.cluster.lab.wait()

    def run(self, case):
        """All steps of a case; raises Mismatch."""
        began = time.monotonic()
        try:
            for number, (state, table) in enumerate(case.steps(), 1):
                self.cluster.realise(state)
                self.step(f"{case.name}, step {number}", state, table,
                          case.services)
        finally:
            self.figures.cases += 1
            self.figures.seconds += time.monotonic() - began

    def step(self, title, state, table=None, services=()):
        """Compare what there is now with `state`, and `table` if any."""
        questions = self.prober.questions([*SERVICES, *services])
        words = self.oracle.judge(questions)
        judged = {q: self.oracle.allows(q, words[q]) for q in questions}
        wanted = truth.verdicts(table, questions) if table is not None \
            else judged
        seen, astray = self._ask(questions, judged)
        wrong = [q for q in questions
                 if not seen[q] == judged[q] == wanted[q]]
        figures = self.figures
        figures.steps += 1
        figures.questions += len(questions)
        figures.denied += sum(not seen[q] for q in questions)
        if wrong or astray:
            figures.mismatches += len(wrong) + len(astray)
            raise Mismatch(self._report(
                title, state, [f"{q}: seen {_word(seen[q])}, oracle "
                               f"{_word(judged[q])} ({' '.join(words[q])}), "
                               f"expected {_word(wanted[q])}"
                               for q in wrong] + astray,
                (wrong or [None])[0]))

    def _ask(self, questions, judged):
        """What the switch does: {question: whether it arrived}, and what went
        astray.

        The kernel of a busy machine may lose a frame, so one that should have
        arrived is sent again before it counts as denied.
        """
        port, catch = self.prober.ask(questions)
        seen, astray = {q: q in catch.seen for q in questions}, catch.astray
        astray += self._answer([q for q in questions
                                if judged[q] and seen[q]], port)
        for _ in range(TRIES - 1):
            lost = [q for q in questions if judged[q] and not seen[q]]
            if not lost:
                break
            _, catch = self.prober.ask(lost)
            astray += catch.astray
            for q in catch.seen:
                seen[q] = True
                self.figures.again += 1
        return seen, astray

    def _answer(self, allowed, port):
        """What is wrong with the answers to a few connections, others each
        time.  The node's kernel has answered for itself already, and SCTP's
        first packets are not answered here."""
        allowed = [q for q in allowed if q.protocol != "sctp"
                   and q.dst != "node"]
        every = len(allowed) // ANSWERS + 1
        sample = allowed[self.figures.steps % every::every]
        self.figures.answers += len(sample)
        astray, pending = [], sample
        for _ in range(TRIES):
            catch = self.prober.answer(pending, port)
            astray += catch.astray
            pending = [q for q in pending if q not in catch.seen]
            if not pending:
                break
        return astray + [f"{q}: the answer did not get back" for q in pending]

    # Reports.

    def _report(self, title, state, sentences, first):
        more = len(sentences) - SHOWN
        parts = [title, as_yaml(state.policies).rstrip(),
                 "pods: " + "; ".join(
                     f"{key} {json.dumps(pod.labels)}"
                     + (" on another node" if pod.remote else "")
                     for key, pod in state.pods.items()),
                 "namespaces: " + "; ".join(
                     f"{name} {json.dumps(labels)}"
                     for name, labels in state.namespaces.items()),
                 *sentences[:SHOWN]]
        if more > 0:
            parts.append(f"... and {more} more")
        if first is not None:
            parts += [f"trace of {first}:", self.trace(first)]
        return "\n".join(parts)

    def trace(self, q):
        """What the flow table does to the first packet of a connection."""
        src, dst = self.cluster.ends[q.src], self.cluster.ends[q.dst]
        port = self.cluster.lab.ovs.ofport(src.port)
        v6 = q.version == 6
        names = ("ipv6_src", "ipv6_dst") if v6 else ("nw_src", "nw_dst")
        flow = (f"in_port={'LOCAL' if q.src == 'node' else port},"
                f"{q.protocol}{'6' if v6 else ''},"
                f"dl_src={src.mac},dl_dst={dst.mac},"
                f"{names[0]}={src.ip(q.version)},"
                f"{names[1]}={dst.ip(q.version)},nw_ttl=64,"
                + (f"icmp_type={128 if v6 else 8},icmp_code=0"
                   if q.protocol == "icmp" else
                   f"{q.protocol}_src=9999,{q.protocol}_dst={q.port}")
                + (",tcp_flags=syn" if q.protocol == "tcp" else ""))
        return self.cluster.lab.ovs.appctl(
            "ovs-vswitchd", "ofproto/trace",
            self.cluster.lab.settings.bridge, flow, "--ct-next", "trk,new")


def _word(verdict):
    return "allowed" if verdict else "denied"


def as_yaml(objects):
    """Text for a person: what kubectl would print."""
    if not objects:
        return "# no policies"
    import yaml                 # late: only a report needs it
    return yaml.safe_dump_all(objects, sort_keys=False)

"""Who reaches whom, as a table that a person can read, write and compare.

A row asks and a column serves.  A cell names the protocols that get through,
"tcp", "udp" or both; "tcp4" means over IPv4 alone, "-" nothing.  A host's way
to itself does not pass the switch: ".".
"""

import ipaddress

from . import probe

NOTHING, ITSELF = "-", "."
WIDTH = 10
GREEN, RED, YELLOW, PLAIN = "\033[32m", "\033[31m", "\033[1;33m", "\033[0m"


def short(host):
    return host.key.split("/")[-1]


def parse(text):
    """{(row, column): cell} of a table; "#" starts a comment."""
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    lines = [line for line in lines if line]
    (_corner, *columns), *rows = lines
    cells = {}
    for row, *values in rows:
        if len(values) != len(columns):
            raise ValueError(f"row {row}: {len(values)} cells for "
                             f"{len(columns)} columns")
        cells |= {(row, column): value
                  for column, value in zip(columns, values)}
    return cells


def cell_text(verdicts):
    """The cell for [(protocol, IP version, reached)]."""
    words = []
    for protocol in ("tcp", "udp"):
        mine = {version: reached for name, version, reached in verdicts
                if name == protocol}
        open_versions = [version for version in sorted(mine) if mine[version]]
        if open_versions:
            words.append(protocol if len(open_versions) == len(mine)
                         else f"{protocol}{open_versions[0]}")
    return "+".join(words) or NOTHING


def allows(cell, question):
    """Whether the expectation `cell` says that `question` is answered."""
    words = (cell or "").split("+")
    version = ipaddress.ip_address(question.ip).version
    return bool({question.protocol, f"{question.protocol}{version}"}
                & set(words))


def measure(lab, expected=None):
    """Ask everybody about everybody else; {(row, column): cell}.

    `expected`, a table, only says where more patience is well spent.
    """
    hosts = lab.hosts()
    pairs = [(a, b) for a in hosts for b in hosts if a.key != b.key]
    questions = {(short(a), short(b)): lab.probes(a, b) for a, b in pairs}
    hoped = {question: probe.REACHED
             for pair, asked in questions.items() for question in asked
             if expected and allows(expected.get(pair), question)}
    verdicts = probe.ask([question for asked in questions.values()
                          for question in asked], hoped)
    cells = {(short(host), short(host)): ITSELF for host in hosts}
    for pair, asked in questions.items():
        cells[pair] = cell_text([
            (q.protocol, ipaddress.ip_address(q.ip).version,
             verdicts[q] == probe.REACHED) for q in asked])
    return cells


def differences(expected, seen):
    """[(row, column, expected cell, seen cell)] where the two disagree."""
    return [(*pair, expected.get(pair), seen.get(pair))
            for pair in sorted(expected.keys() | seen.keys())
            if expected.get(pair) != seen.get(pair)]


def _cell(pair, seen, before, expected, colour):
    """One cell: "!" before what was not expected, "*" before what changed."""
    text = seen[pair]
    mark, paint = " ", ""
    if expected is not None and expected.get(pair) != text:
        mark, paint = "!", YELLOW
    elif before is not None and before.get(pair) != text:
        gained = before.get(pair) == NOTHING or len(text) > len(before[pair])
        mark, paint = "*", GREEN if gained else RED
    padded = f"{mark + text:{WIDTH}}"
    return f"{paint}{padded}{PLAIN}" if paint and colour else padded


def render(lab, seen, before=None, expected=None, colour=False):
    """The table `seen` as lines of text."""
    hosts = lab.hosts()
    names = [short(host) for host in hosts]
    yield "from".ljust(WIDTH) + "".join(f" {n:{WIDTH - 1}}" for n in names)
    yield "#".ljust(WIDTH) + "".join(
        f" {'/'.join(map(str, host.ports['tcp'])):{WIDTH - 1}}"
        for host in hosts)
    for row in names:
        yield row.ljust(WIDTH) + "".join(
            _cell((row, column), seen, before, expected, colour)
            for column in names)

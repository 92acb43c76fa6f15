"""Who reaches whom, written down by a person.

A table is text.  Everything is allowed, then each line changes that, and of
several lines about one packet the last one counts:

    no   * -> x/*
    yes  y/a,z/* -> x/a  tcp/81
    no   x/b -> outside  udp,sctp v6

Names may hold the wildcards of a shell.  Two lines that need no policy stand
below every table: a pod reaches itself, and the node its pods.
"""

import dataclasses
import functools
from fnmatch import fnmatchcase

VERDICTS = {"yes": True, "no": False}


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a table."""

    verdict: bool
    sources: tuple
    targets: tuple
    services: tuple             # empty: all of them
    versions: tuple

    @classmethod
    def parse(cls, text):
        verdict, source, arrow, target, *rest = text.split()
        if arrow != "->":
            raise ValueError(f"{text}: no arrow where one should be")
        versions = tuple(int(word[1]) for word in rest if word in "v4 v6")
        services = [word for word in rest if word not in "v4 v6"]
        if len(services) > 1:
            raise ValueError(f"{text}: too many words")
        return cls(VERDICTS[verdict], tuple(source.split(",")),
                   tuple(target.split(",")),
                   tuple(services[0].split(",") if services else ()),
                   versions)

    def meets(self, q):
        """Is it about this question?"""
        return (_among(q.src, self.sources) and _among(q.dst, self.targets)
                and (not self.services or q.protocol in self.services
                     or f"{q.protocol}/{q.port}" in self.services)
                and (not self.versions or q.version in self.versions))


@functools.lru_cache(maxsize=None)
def _among(name, patterns):
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def verdicts(text, questions):
    """{question: whether it shall pass} by the table `text`."""
    lines = [Line.parse(line) for line in text.splitlines() if line.strip()]
    found = {}
    for q in questions:
        found[q] = (q.src == q.dst or q.src == "node" and "/" in q.dst or
                    next((line.verdict for line in reversed(lines)
                          if line.meets(q)), True))
    return found

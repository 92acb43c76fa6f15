"""What is to be said about a report of the streams."""

import dataclasses

# What is not lost has no reason to be on its way for longer than this, in
# seconds, on a machine with other work; nor has a byte of a TCP connection
# that lost a segment once, which costs it 200 ms.
STALL = 1.0


@dataclasses.dataclass
class Result:
    """A report, and what was counted beside it."""

    report: dict
    denied: set                 # names of streams that may not arrive
    way_out: set                # of those that go to what is not a pod
    switch_drops: int = 0       # frames for which the switch's sockets had
                                # no room
    traffic: object = None      # the streams themselves, while they run

    @property
    def streams(self):
        return self.report["streams"]

    def _wrong(self, denied):
        """Stretches by stream.  Replies may be sent before what they reply to
        was there, so of what is allowed only those count that end after
        everything has flowed once."""
        begin = 0 if denied else self.traffic.begin
        wrong = {name: [run for run in s["wrong"] if run[3] >= begin]
                 for name, s in self.streams.items()
                 if (name in self.denied) == denied}
        return {name: runs for name, runs in wrong.items() if runs}

    @property
    def lost(self):
        """Allowed frames that did not arrive."""
        return sum(last - first + 1 for runs in self._wrong(False).values()
                   for first, last, *_ in runs)

    @property
    def sent(self):
        return sum(s["sent"] for s in self.streams.values())

    def losses(self):
        """Each stretch of allowed frames that did not arrive, as text."""
        return [f"{name}: {last - first + 1} lost from number {first} on, "
                f"{until - since:.3f} s"
                for name, runs in self._wrong(False).items()
                for first, last, since, until in runs]

    def leaks(self):
        """Whatever must never be: denied frames that arrived, frames that
        came out somewhere else or twice, connections that broke."""
        found = [f"{name}: denied, but {last - first + 1} arrived from "
                 f"number {first} on, {until - since:.3f} s"
                 for name, runs in self._wrong(True).items()
                 for first, last, since, until in runs]
        for name, s in self.streams.items():
            if s["astray"] and name not in self.denied | self.way_out:
                found.append(f"{name}: {s['astray']} came out at "
                             f"{s['astray_at']}")
            if s["duplicates"] and name not in self.denied:
                found.append(f"{name}: {s['duplicates']} came twice")
            if s["error"]:
                found.append(f"{name}: {s['error']}")
            if not s["sent"]:
                found.append(f"{name}: nothing was sent")
        return found

    def floods(self):
        """What went the way out, and came out at a pod as well."""
        return [f"{name}: {s['astray']} came out at {s['astray_at']}"
                for name, s in self.streams.items()
                if s["astray"] and name in self.way_out]

    def leaks_after(self, when):
        """The same of denied frames that were sent after `when`."""
        return [f"{name}: denied, but arrived" for name, runs
                in self._wrong(True).items()
                if any(until > when for *_, until in runs)]

    def unheard(self):
        """Where the harness itself was too slow to know."""
        return [f"listener {name}: {n} frames not looked at"
                for name, n in self.report["drops"].items() if n]

    def stalls(self, most=STALL):
        return [f"{name}: on its way for {s['stall']:.3f} s"
                for name, s in self.streams.items() if s["stall"] > most]

    @property
    def stall(self):
        """The longest way of any frame, in seconds."""
        return max(s["stall"] for s in self.streams.values()
                   if not s["tcp"])

    @property
    def tcp_stall(self):
        """The longest way of any byte of a connection."""
        return max(s["stall"] for s in self.streams.values() if s["tcp"])

    def wrong_if_atomic(self, floor=0):
        """All that may not be when nothing at all should have happened."""
        found = (self.leaks() + self.floods() + self.unheard()
                 + self.stalls())
        if self.lost > floor + self.switch_drops:
            found += [f"{self.lost} allowed frames lost, of which "
                      f"{self.switch_drops} at the switch's sockets; the "
                      f"floor is {floor}", *self.losses()[:40]]
        return found

    def wrong_if_closed(self):
        """All that may not be even while traffic is interrupted; for floods
        see test_a_port_that_comes_hears_no_flood()."""
        return self.leaks() + self.unheard()

    def outage(self):
        """When allowed frames began to be lost, and when the last of them was
        sent, or None."""
        return span(self._wrong(False))

    def leak(self):
        """The same of denied frames that arrived."""
        return span(self._wrong(True))


def span(wrong):
    runs = [run for runs in wrong.values() for run in runs]
    if not runs:
        return None
    return min(run[2] for run in runs), max(run[3] for run in runs)

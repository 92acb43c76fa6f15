"""The streams while they run: see streams.c."""

import json
import struct
import subprocess
import tempfile
import time

from lab import LabError, netns
from lab.ovs import wait_until

import pairs as p

MAGIC = b"npol"
RATE = 4600                     # frames and bytes a second: 100 of each stream


class Traffic:
    """All streams, for as long as the body of `with` runs; `report` is there
    after it."""

    def __init__(self, lab, program, rate=RATE):
        self.pairs = p.all_pairs(lab)
        self.report = None
        self.begin = None       # when everything had flowed once
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._errors, text=True)
        self.tcp = []
        self._say(*self._listeners(lab), *self._frames(lab), *self._tcp(lab),
                  f"start {rate}")
        self.allowed = [q.name for q in self.pairs if q.allowed] + self.tcp

    def __enter__(self):
        self.flowing()
        self.begin = time.monotonic()
        return self

    def __exit__(self, *_exc):
        if self._process.poll() is None:
            self.report = self._ask("stop")
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()

    @staticmethod
    def _netns(lab, name):
        return netns.path(lab.host(name).netns if name in p.PODS
                          else lab.outside_ns)

    def _listeners(self, lab):
        return [f"listen {name} {self._netns(lab, name)} eth0"
                for name in [*p.PODS, "world"]]

    def _frames(self, lab):
        for i, pair in enumerate(self.pairs):
            frame = pair.frame(MAGIC + struct.pack("!II", i, 0))
            yield (f"frames {pair.name} "
                   f"{'allowed' if pair.allowed else 'denied'} "
                   f"{self._netns(lab, pair.source)} eth0 {pair.target} "
                   f"{pair.csum_at} {frame.hex()}")

    def _tcp(self, lab):
        hosts = p.Hosts(lab)
        for name, client, server, port in p.TCP:
            for v in 4, 6:
                self.tcp.append(f"{name}-v{v}")
                yield (f"tcp {self.tcp[-1]} {self._netns(lab, client)} "
                       f"{self._netns(lab, server)} {hosts.ip(client, v)} "
                       f"{hosts.ip(server, v)} {port}")

    def _say(self, *lines):
        try:
            self._process.stdin.write("".join(f"{line}\n" for line in lines))
            self._process.stdin.flush()
        except BrokenPipeError:
            self._ended()

    def _ended(self):
        self._process.wait()
        self._errors.seek(0)
        raise LabError(f"streams: {self._errors.read().strip()}")

    def _ask(self, word):
        self._say(word)
        answer = self._process.stdout.readline()
        if not answer:
            self._ended()
        return json.loads(answer)

    def flowing(self, patience=60):
        """Wait until every stream that may has brought something that was
        sent from now on."""
        begin = time.monotonic()

        def silent():
            newest = self._ask("newest")
            return [name for name in self.allowed if newest[name] < begin]

        try:
            wait_until(lambda: not silent(), "", patience=patience)
        except LabError:
            raise LabError(f"after {patience} s nothing arrives of "
                           f"{', '.join(silent())}") from None

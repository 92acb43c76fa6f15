"""Real connections, very many at once: who reaches whom.

One loop holds the sockets of every probe, each made in the namespace of its
client.  A probe that was denied can only be known by its silence, so the
silence of all of them is waited for together.
"""

import dataclasses
import errno
import selectors
import socket
import time

from . import netns
from .server import greeting

REACHED, DENIED = "reached", "denied"
REFUSED, UNREACHABLE, MISDELIVERED = "refused", "unreachable", "misdelivered"

ERRORS = {errno.ECONNREFUSED: REFUSED, errno.ECONNRESET: REFUSED,
          errno.EHOSTUNREACH: UNREACHABLE, errno.ENETUNREACH: UNREACHABLE}


@dataclasses.dataclass(frozen=True)
class Probe:
    """One question: does `netns` reach the server `name` at ip, port?"""

    netns: str
    name: str
    ip: str
    protocol: str               # "tcp" or "udp"
    port: int
    source_ip: str = None       # None: the kernel chooses

    @property
    def greeting(self):
        return greeting(self.name, self.port)


def open_socket(probe):
    """A socket in the client's namespace that is on its way to the server."""
    family = socket.AF_INET6 if ":" in probe.ip else socket.AF_INET
    kind = (socket.SOCK_STREAM if probe.protocol == "tcp"
            else socket.SOCK_DGRAM)
    sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    try:
        if probe.source_ip:
            sock.bind((probe.source_ip, 0))
        sock.connect_ex((probe.ip, probe.port))
        if probe.protocol == "udp":
            sock.send(b"knock")
    except OSError:
        sock.close()
        raise
    return sock


def listen(ip, protocol, port):
    """A server's socket in the calling thread's namespace."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((ip, port))
    if protocol == "tcp":
        sock.listen(128)
    return sock


def read_verdict(probe, sock):
    """What the readable `sock` tells about its probe."""
    try:
        data = sock.recv(4096)
    except BlockingIOError:
        return None
    except OSError as error:
        return ERRORS.get(error.errno, UNREACHABLE)
    return REACHED if data.startswith(probe.greeting) else MISDELIVERED


def _open_all(probes, verdicts, selector):
    by_client = {}
    for probe in probes:
        by_client.setdefault(probe.netns, []).append(probe)
    for client, mine in by_client.items():
        with netns.inside(client):
            for probe in mine:
                try:
                    selector.register(open_socket(probe),
                                      selectors.EVENT_READ, probe)
                except OSError as error:
                    verdicts[probe] = ERRORS.get(error.errno, UNREACHABLE)


def one_round(probes, patience):
    """Ask every probe once; the verdicts, DENIED where nothing came back
    within `patience` seconds."""
    verdicts = dict.fromkeys(probes, DENIED)
    with selectors.DefaultSelector() as selector:
        _open_all(verdicts, verdicts, selector)
        deadline = time.monotonic() + patience
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                break
            for key, _ in selector.select(left):
                verdict = read_verdict(key.data, key.fileobj)
                if verdict:
                    verdicts[key.data] = verdict
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
        for key in list(selector.get_map().values()):
            key.fileobj.close()
    return verdicts


def ask(probes, expected=None, patience=0.3, rounds=3, last_patience=3.0):
    """Verdicts of all probes.

    A packet may be lost on a busy machine, so silence counts only when it
    lasted `rounds` times.  `expected` maps a probe to the verdict that the
    caller hopes for: one more, patient, round goes to those that should have
    been reached, before they are called denied.
    """
    verdicts = {}
    pending = list(probes)
    for _ in range(rounds):
        verdicts |= one_round(pending, patience)
        pending = [p for p in pending if verdicts[p] != REACHED]
    hoped = [p for p in pending if (expected or {}).get(p) == REACHED]
    if hoped:
        verdicts |= one_round(hoped, last_patience)
    return verdicts

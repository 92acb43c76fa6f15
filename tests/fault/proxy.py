"""A man in the middle of the daemon's OpenFlow connection.

It takes the place of the bridge's socket.  Messages pass as they are, but on
demand it takes bundles apart, and sends what is in them one by one, with
gaps: an installer that is not atomic.  Or it cuts the connection in the midst
of a bundle.
"""

import contextlib
import socket
import struct
import threading
import time

CONTROL, ADD = 33, 34           # OFPT_BUNDLE_CONTROL, ..._ADD_MESSAGE
OPEN, COMMIT = 0, 4             # OFPBCT_..._REQUEST; a reply is one more


class Proxy:
    """Stands at `path`, the bridge's socket, for the body of `with`."""

    def __init__(self, path):
        self.path = path
        self.gap = None         # seconds between two flow-mods; None: atomic
        self.unpacked = 0       # flow-mods that were sent without a bundle
        self.cuts = []          # the last message before each cut
        self._cut_in = 0        # messages of bundles until the cut
        self._cut = threading.Event()
        self._sockets = []

    def __enter__(self):
        self._real = self.path.with_suffix(".real")
        self.path.rename(self._real)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc):
        # A thread that waits in accept() hears of a shutdown alone.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._real.rename(self.path)
        for sock in self._sockets:
            end(sock)

    def cut_in(self, n, patience):
        """Cut the connection behind the n-th message of bundles from now on;
        whether it came to that within `patience` seconds."""
        self._cut.clear()
        self._cut_in = n
        return self._cut.wait(patience)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            switch = socket.socket(socket.AF_UNIX)
            self._sockets += [client, switch]
            try:
                switch.connect(str(self._real))
            except OSError:
                end(client)
                continue
            threading.Thread(target=self._down, args=(client, switch),
                             daemon=True).start()
            threading.Thread(target=self._up, args=(client, switch),
                             daemon=True).start()

    @staticmethod
    def _down(client, switch):
        with contextlib.suppress(OSError):
            while data := switch.recv(65536):
                client.sendall(data)
        end(client)

    def _up(self, client, switch):
        bundle = []
        with contextlib.suppress(OSError):
            while message := read_message(client):
                kind = message[1]
                if kind not in (CONTROL, ADD):
                    switch.sendall(message)
                elif self.gap is None:
                    switch.sendall(message)
                    if self._is_the_last(message):
                        end(client)
                        break
                elif kind == ADD:
                    bundle.append(message[16:])
                else:
                    self._take_apart(bundle, message, client, switch)
        end(switch)

    def _is_the_last(self, message):
        self._cut_in -= 1
        if self._cut_in:
            return False
        self.cuts.append("add" if message[1] == ADD else
                         "commit" if control_type(message) == COMMIT else
                         "open")
        self._cut.set()
        return True

    def _take_apart(self, bundle, control, client, switch):
        """The switch never hears of a bundle."""
        asked = control_type(control)
        if asked == COMMIT:
            for message in bundle:
                switch.sendall(message)
                time.sleep(self.gap)
            self.unpacked += len(bundle)
        bundle.clear()
        client.sendall(control[:12] + struct.pack("!H", asked + 1)
                       + control[14:])


def control_type(message):
    return struct.unpack_from("!H", message, 12)[0]


def end(sock):
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            return b""
        data += more
    return data


def read_message(sock):
    """The next OpenFlow message, or nothing at the end."""
    header = read_exactly(sock, 8)
    if not header:
        return b""
    length = struct.unpack_from("!H", header, 2)[0]
    return header + read_exactly(sock, length - 8)

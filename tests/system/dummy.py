"""A switch without devices, for asking what it would do: ports are numbers,
nothing is ever sent, and `ofproto/trace` answers."""

import contextlib
import json
import pathlib
import re
import socket
import tempfile

from lab import netns
from lab.ovs import Ovs, wait_until


class DummyOvs(Ovs):
    """Open vSwitch with the datapath of its own tests."""

    def start_vswitchd(self, *args):
        super().start_vswitchd("--enable-dummy", *args)


class Switch:
    """One bridge, br0, with numbered ports."""

    def __init__(self, ovs):
        self.ovs = ovs
        self.odp = {}           # datapath's port numbers to OpenFlow's
        pid = (ovs.rundir / "ovs-vswitchd.pid").read_text().strip()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(ovs.rundir / f"ovs-vswitchd.{pid}.ctl"))
        self._decoder = json.JSONDecoder()

    def appctl(self, method, *params):
        """As ovs-appctl, whose process would cost more than the answer."""
        request = {"id": 0, "method": method, "params": list(params)}
        self._socket.sendall(json.dumps(request).encode())
        text = ""
        while True:
            received = self._socket.recv(1 << 16)
            assert received, "ovs-vswitchd hung up"
            text += received.decode()
            with contextlib.suppress(json.JSONDecodeError):
                reply, _ = self._decoder.raw_decode(text)
                break
        assert reply["error"] is None, f"{params}: {reply['error']}"
        return reply["result"]

    def add_ports(self, numbers):
        command = ["--may-exist", "add-br", "br0", "--", "set", "bridge",
                   "br0", "datapath_type=dummy", "fail_mode=secure"]
        for number in numbers:
            command += ["--", "add-port", "br0", f"p{number}", "--", "set",
                        "Interface", f"p{number}", "type=dummy",
                        f"ofport_request={number}"]
        self.ovs.vsctl(*command)
        wait_until(lambda: all(self.ovs.ofport(f"p{n}") == n
                               for n in numbers), "the ports")
        self.ovs.ofctl("set-frags", "br0", "nx-match")
        shown = self.appctl("dpif/show")
        self.odp = {int(odp): int(ofp) for ofp, odp in
                    re.findall(r"^\s+\S+ (\d+)/(\d+):", shown, re.M)}
        assert set(numbers) <= set(self.odp.values()), shown

    def load(self, flows):
        """Replace all flows by those of the text FLOWS."""
        self.ovs.ofctl("del-flows", "br0")
        self.ovs.ofctl("add-flows", "br0", "-", stdin=flows)

    def trace(self, packet, ct_next):
        """`ofproto/trace`: text, ct() answering CT_NEXT one after another."""
        options = [word for state in ct_next for word in ("--ct-next", state)]
        return self.appctl("ofproto/trace", "br0", packet, *options,
                           "-generate")


@contextlib.contextmanager
def running(numbers):
    """A switch with ports NUMBERS, for the body."""
    with tempfile.TemporaryDirectory(prefix="netpol-dummy-") as directory:
        namespace = f"np{pathlib.Path(directory).name[-8:]}-dummy"
        netns.create(namespace)
        try:
            ovs = DummyOvs(directory, namespace)
            ovs.start()
            switch = Switch(ovs)
            switch.add_ports(numbers)
            yield switch
        finally:
            netns.delete(namespace)

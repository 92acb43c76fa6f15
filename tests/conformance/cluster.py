"""The cluster under test: three namespaces of three pods each on one real
switch, the world outside, and pods of another node.

A `State` says what there shall be; `Cluster.realise()` makes it so, on a
switch and a daemon that run all the while.  A case changes the state it is
given, and the next one starts from the first state again.
"""

import dataclasses

from lab import manifest
from net import OUTSIDE_MAC, End, Net

NAMESPACES = "xyz"
PODS = "abc"
OTHER_NODE = "other-node"
# Besides a name for each port, which is the same everywhere, there is one that
# each pod gives to another port, and c to none.
OWN_PORT = {"a": 80, "b": 81}


def containers(name):
    """One for each protocol: within one of them a port's name is unique."""
    return [{"name": protocol.lower(), "image": "lab", "ports": [
        *({"name": f"serve-{port}-{protocol.lower()}", "containerPort": port,
           "protocol": protocol} for port in (80, 81)),
        *({"name": "own", "containerPort": OWN_PORT[name],
           "protocol": protocol} for _ in [0] if name in OWN_PORT)]}
        for protocol in ("TCP", "UDP", "SCTP")]


@dataclasses.dataclass
class PodState:
    """A pod as the API has it, and where it runs."""

    labels: dict
    containers: list
    remote: bool = False
    status: dict = dataclasses.field(default_factory=dict)  # overrides
    ips: tuple = ()             # else made from the name


class State:
    """What there shall be."""

    def __init__(self):
        self.namespaces = {ns: {"ns": ns} for ns in NAMESPACES}
        self.pods = {}
        self.policies = []
        for ns in NAMESPACES:
            for name in PODS:
                self.add_pod(f"{ns}/{name}")
        # A label of which a pod has one value, another the empty one, and
        # the third none.
        for ns in NAMESPACES:
            self.pods[f"{ns}/a"].labels["tier"] = "front"
            self.pods[f"{ns}/b"].labels["tier"] = ""

    def add_pod(self, key, remote=False, **labels):
        ns, name = key.split("/")
        self.pods[key] = PodState({"pod": name, **labels},
                                  containers(name), remote)
        self.namespaces.setdefault(ns, {"ns": ns})
        return self.pods[key]

    def ips(self, key):
        """x/a has .1.1, x/b .1.2, y/a .2.1; x-2/a shares no number with
        these."""
        if self.pods[key].ips:
            return list(self.pods[key].ips)
        ns, name = key.split("/")
        net = "_xyz".index(ns[0]) + (10 if len(ns) > 1 else 0)
        host = ord(name) - ord("a") + 1
        return [f"10.244.{net}.{host}", f"fd00:10:244::{net:x}:{host:x}"]

    def objects(self, node_name):
        """Everything, as the API would give it: each name once."""
        names = [(item["metadata"]["namespace"], item["metadata"]["name"])
                 for item in self.policies]
        if len(set(names)) != len(names):
            raise ValueError(f"two policies of one name: {names}")
        return [*(manifest.namespace(ns, **labels)
                  for ns, labels in self.namespaces.items()),
                *(self._pod(key, node_name) for key in self.pods)]

    def _pod(self, key, node_name):
        pod, (ns, name), ips = self.pods[key], key.split("/"), self.ips(key)
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"namespace": ns, "name": name,
                             "labels": dict(pod.labels)},
                "spec": {"nodeName": OTHER_NODE if pod.remote else node_name,
                         "containers": pod.containers},
                "status": {"phase": "Running", "podIP": ips[0],
                           "podIPs": [{"ip": ip} for ip in ips],
                           **pod.status}}


class Cluster(Net):
    """The lab, brought to one state after the other."""

    def __init__(self, lab):
        super().__init__(lab)
        self.pods = set()       # names of the ends that are local pods
        self._files = {}

    @property
    def node_addresses(self):
        settings = self.lab.settings
        return [*settings.node_ips,
                *(cidr.split("/")[0] for cidr in settings.gateway)]

    def realise(self, state):
        """Make `state` what there is, and wait until packets see it."""
        self._settle_ends(state)
        name = self.lab.settings.node_name
        self._write("cluster.json", manifest.node(self.lab.settings),
                    *state.objects(name))
        self._write("policies.json", *state.policies)
        self.lab.wait()

    def _write(self, name, *objects):
        if self._files.get(name) != objects:
            # A copy: the case goes on to change what it has given.
            self._files[name] = tuple(map(_copy, objects))
            manifest.write(self.lab.manifests, name, *objects)

    def _settle_ends(self, state):
        local = {key: state.ips(key) for key, pod in state.pods.items()
                 if not pod.remote}
        far = {key: state.ips(key) for key, pod in state.pods.items()
               if pod.remote}
        for key in list(self.ends):
            wanted = local if key in self.pods else local | far
            if "/" in key and wanted.get(key) != self.ends[key].ips:
                self._remove(key)
        for key, ips in local.items():
            if key not in self.pods:
                self._run(key, ips)
        for key, ips in far.items():
            # The world outside plays it.
            self.ends[key] = End(key, OUTSIDE_MAC, ips,
                                 self.ends["outside"].wire, "uplink")

    def _run(self, key, ips):
        pod = self.lab.add_pod(*key.split("/"), ips, raw=True)
        self.add(key, pod.mac, pod.ips, pod.netns, port=pod.port)
        self.pods.add(key)

    def _remove(self, key):
        end = self.ends.pop(key)
        if key in self.pods:
            self.pods.discard(key)
            end.wire.close()
            self.lab.del_pod(*key.split("/"))


def _copy(value):
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item) for item in value]
    return value

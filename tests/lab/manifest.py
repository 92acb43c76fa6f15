"""Kubernetes objects, in both directions: pods for the lab out of manifests,
and manifests out of the pods that the lab runs.

Objects are written as JSON, which is YAML as well; reading a person's YAML
needs Debian's python3-yaml.
"""

import json
import pathlib

from .netns import LabError

V1 = "v1"
NETWORKING = "networking.k8s.io/v1"


def load(path):
    """Every object of a YAML or JSON file, in the order of the file."""
    try:
        import yaml             # late: only readers of YAML need it
    except ImportError:
        raise LabError("reading manifests needs python3-yaml") from None
    with open(path, encoding="utf-8") as stream:
        return [item for item in yaml.safe_load_all(stream) if item]


def title(path):
    """The first sentence of the comment that opens a manifest."""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            return line.lstrip("# ")
    return pathlib.Path(path).name


def write(directory, name, *objects):
    """Put `objects` into the file `name` of `directory`, as one step: no
    reader ever sees half a file."""
    target = pathlib.Path(directory, name)
    temporary = target.with_name(f".{name}.new")
    temporary.write_text("".join("---\n" + json.dumps(item, indent=2) + "\n"
                                 for item in objects), encoding="utf-8")
    temporary.rename(target)
    return target


def publish(directory, source):
    """Copy a manifest into `directory`, as one step."""
    source = pathlib.Path(source)
    target = pathlib.Path(directory, source.name)
    temporary = target.with_name(f".{source.name}.new")
    temporary.write_bytes(source.read_bytes())
    temporary.rename(target)
    return target


def namespace(name, **labels):
    return {"apiVersion": V1, "kind": "Namespace", "metadata": {
        "name": name,
        "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def node(settings):
    """The Node object of a lab with these settings."""
    return {"apiVersion": V1, "kind": "Node",
            "metadata": {"name": settings.node_name},
            "status": {"addresses": [{"type": "InternalIP", "address": ip}
                                     for ip in settings.node_ips]}}


def pod(running, node_name, **status):
    """The Pod object of a pod that the lab runs; `status` overrides."""
    ports = [{"name": f"{protocol}-{port}", "containerPort": port,
              "protocol": protocol.upper()}
             for protocol, ports in running.ports.items() for port in ports]
    return {"apiVersion": V1, "kind": "Pod",
            "metadata": {"namespace": running.namespace, "name": running.name,
                         "uid": running.uid, "labels": dict(running.labels)},
            "spec": {"nodeName": node_name, "containers": [
                {"name": "main", "image": "lab", "ports": ports}]},
            "status": {"phase": "Running", "podIP": running.ips[0],
                       "podIPs": [{"ip": ip} for ip in running.ips],
                       **status}}


def policy(ns, name, **spec):
    """A NetworkPolicy; `spec` as in the API, podSelector {} by default."""
    return {"apiVersion": NETWORKING, "kind": "NetworkPolicy",
            "metadata": {"namespace": ns, "name": name},
            "spec": {"podSelector": {}, **spec}}


def describe(lab):
    """The objects of everything that the lab runs."""
    names = sorted({p.namespace for p in lab.pods.values()})
    return [node(lab.settings), *(namespace(name) for name in names),
            *(pod(p, lab.settings.node_name) for p in lab.pods.values())]


def node_settings(objects):
    """The settings of a lab that is to be the Node among `objects`."""
    for item in objects:
        if item["kind"] == "Node":
            return {"node_name": item["metadata"]["name"],
                    "node_ips": [entry["address"] for entry in
                                 item["status"]["addresses"]
                                 if entry["type"] == "InternalIP"]}
    return {}


def _container_ports(item):
    ports = {}
    for container in item["spec"]["containers"]:
        for port in container.get("ports", []):
            protocol = port.get("protocol", "TCP").lower()
            ports.setdefault(protocol, []).append(port["containerPort"])
    return ports


def run_pods(lab, objects):
    """Run each Pod among `objects` in the lab."""
    for item in objects:
        if item["kind"] == "Pod":
            meta = item["metadata"]
            lab.add_pod(meta["namespace"], meta["name"],
                        [entry["ip"] for entry in item["status"]["podIPs"]],
                        uid=meta.get("uid"), labels=meta.get("labels"),
                        ports=_container_ports(item))

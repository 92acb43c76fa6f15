"""What a pod is to the lab, and how each CNI plugin tells Open vSwitch which
pod is behind a port.

The lab is its own small CNI plugin.  The product has to understand the ports
of others as well, so a pod can be added in the manner of any of them.
"""

import dataclasses
import hashlib
import ipaddress
import uuid

INTERFACE, PORT = "Interface", "Port"


@dataclasses.dataclass
class Pod:
    """A pod that the lab runs: a network namespace behind a switch port."""

    namespace: str
    name: str
    ips: list
    mac: str
    uid: str
    netns: str                  # network namespace that holds eth0
    port: str                   # interface name on the switch
    ports: dict = dataclasses.field(default_factory=dict)
    labels: dict = dataclasses.field(default_factory=dict)

    @property
    def key(self):
        return f"{self.namespace}/{self.name}"


def address(ips, family):
    """The first of `ips` of IP version `family` (4 or 6), else None."""
    for ip in ips:
        if ipaddress.ip_address(ip).version == family:
            return ip
    return None


def make_uid(key):
    """A UID for a pod whose manifest has none: the same one each time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"pod:{key}"))


def make_mac(ips, key):
    """A MAC made from the IPv4 address, so that a person can read which pod
    a frame comes from; from the name when there is no such address."""
    v4 = address(ips, 4)
    tail = (ipaddress.ip_address(v4).packed if v4
            else hashlib.sha256(key.encode()).digest()[:4])
    return ":".join(f"{byte:02x}" for byte in b"\x0a\x58" + tail)


def short_name(key, limit):
    """A name for `key` that fits into `limit` characters, still readable."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:4]
    return f"{key.split('/')[-1][:limit - 5]}-{digest}"


def _ours(pod):
    return INTERFACE, {"iface-id": f"{pod.namespace}_{pod.name}",
                       "iface-id-ver": pod.uid,
                       "attached-mac": pod.mac,
                       "ip-address": ",".join(pod.ips)}


def _ovn_kubernetes(pod):
    lengths = {4: 24, 6: 64}
    cidrs = [f"{ip}/{lengths[ipaddress.ip_address(ip).version]}"
             for ip in pod.ips]
    return INTERFACE, {"iface-id": f"{pod.namespace}_{pod.name}",
                       "iface-id-ver": pod.uid,
                       "attached_mac": pod.mac,
                       "ip_addresses": ",".join(cidrs),
                       "sandbox": pod.uid.replace("-", "")}


def _antrea(pod):
    return PORT, {"antrea-type": "container",
                  "pod-namespace": pod.namespace,
                  "pod-name": pod.name,
                  "container-id": pod.uid.replace("-", ""),
                  "attached-mac": pod.mac,
                  "ip-address": ",".join(pod.ips)}


def _kube_ovn(pod):
    return INTERFACE, {"iface-id": f"{pod.name}.{pod.namespace}",
                       "vendor": "kube-ovn",
                       "pod_namespace": pod.namespace,
                       "pod_name": pod.name,
                       "ip": ",".join(pod.ips)}


def _ovs_cni(pod):
    return PORT, {"contPodUid": pod.uid,
                  "contNetns": f"/run/netns/{pod.netns}",
                  "contIface": "eth0",
                  "owner": "ovs-cni.network.kubevirt.io"}


def _os_vif(pod):
    return INTERFACE, {"iface-id": make_uid(f"neutron:{pod.key}"),
                       "attached-mac": pod.mac,
                       "vm-uuid": pod.uid,
                       "iface-status": "active"}


def _none(_pod):
    return INTERFACE, {}


CNI = {"ours": _ours, "ovn-kubernetes": _ovn_kubernetes, "antrea": _antrea,
       "kube-ovn": _kube_ovn, "ovs-cni": _ovs_cni, "os-vif": _os_vif,
       "none": _none}


def row_keys(pod, cni):
    """Table name and external_ids by which `cni` names this pod's port."""
    return CNI[cni](pod)

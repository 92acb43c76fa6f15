"""Changes that must not be noticed.

Each step writes one file anew, by rename.  What is in the files is
independent of each other: no policy here isolates a pod in a direction in
which it was open and spoken to, none allows what a stream that is denied
sends, and labels that change are asked for by such policies alone.  So every
mixture of old and new files gives the same verdicts, whichever the daemon
sees; what was really written is held against the judge of the objects
afterwards, state by state.

A step changes what the streams depend on: with a policy that names `client`
its identity splits from others' and gets another number, with rules beside
those of `server` its clauses are shared or moved, and so on.
"""

import contextlib
import json
import pathlib
import subprocess
import tempfile
import threading

from lab import LabError, manifest

import pairs as p

N_NOISE, N_REMOTE = 8, 40
UDP = 17


def noise_policy(i, random):
    """A policy that allows or denies what nobody sends: ports from 9000 on
    are no stream's, and of `guest` no stream knows."""
    port = {"protocol": random.choice(["UDP", "TCP"]), "port": 9000 + i,
            "endPort": 9000 + i + random.choice([0, 3, 80])}
    role = random.choice(["client", "other", "fellow", "left", "right"])
    peer = random.choice([
        {"podSelector": {"matchLabels": {"role": role}},
         "namespaceSelector": {}},
        {"namespaceSelector": {"matchLabels": {"tier": str(i % 3)}}},
        {"podSelector": {"matchLabels": {"spin": str(i % 3)}},
         "namespaceSelector": {}},
        {"ipBlock": {"cidr": "203.0.113.16/28"}},
        {"ipBlock": {"cidr": "2001:db8:113::/122"}}])
    kind = random.choice(["guest-in", "guest-out", "server", "client"])
    name = f"noise-{i}"
    if kind == "guest-in":
        return manifest.policy("guests", name, ingress=[
            {"from": [peer], "ports": [port]}])
    if kind == "guest-out":
        return manifest.policy("guests", name, policyTypes=["Egress"], egress=[
            {"to": [peer], "ports": [port]}])
    if kind == "server":
        return manifest.policy(
            "back", name, podSelector={"matchLabels": {"role": "server"}},
            ingress=[{"from": [peer], "ports": [port]}])
    return manifest.policy(
        "front", name, podSelector={"matchLabels": {"role": "client"}},
        policyTypes=["Egress"], egress=[{"to": [peer], "ports": [port]}])


def remote_pod(i, ns, **labels):
    """A pod of another node."""
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": ns, "name": f"remote-{i}",
                         "uid": f"remote-{i}", "labels": labels},
            "spec": {"nodeName": "elsewhere",
                     "containers": [{"name": "main", "image": "none"}]},
            "status": {"phase": "Running", "podIPs": [
                {"ip": f"10.244.9.{i + 1}"},
                {"ip": f"fd00:10:244::9:{i + 1:x}"}]}}


class Churn:
    """One random step after the other, in a thread, during the body of
    `with`."""

    def __init__(self, rig, pause=0.03):
        self.rig, self.random, self.pause = rig, rig.random, pause
        self.steps = 0
        self.error = None
        self._namespace_labels, self._pod_labels = {}, {}
        self._remote = {}
        # Files as they are, and each state that there was.
        self._files = {path.name: path.read_text()
                       for path in rig.lab.manifests.glob("*.json")}
        self.states = [dict(self._files)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._stop.set()
        self._thread.join()
        if self.error and not exc[0]:
            raise self.error

    def _run(self):
        try:
            while not self._stop.wait(self.random.uniform(0, 2 * self.pause)):
                self.step()
                # Often the daemon is made to look at once: left alone, it
                # waits until the directory is quiet.
                if self.random.random() < 0.7:
                    with contextlib.suppress(LabError):     # it is away
                        self.rig.lab.appctl("netpol/wait", "1")
        except Exception as error:      # pylint: disable=broad-except
            self.error = error

    def step(self):
        with self.rig.writing:
            self.random.choice([self.noise, self.noise, self.form, self.pods,
                                self.namespaces, self.remotes,
                                self.visitor])()
        self.steps += 1

    def _write(self, name, *objects):
        path = manifest.write(self.rig.lab.manifests, name, *objects)
        self._files[name] = path.read_text()
        self.states.append(dict(self._files))

    # Steps.

    def noise(self):
        """A policy comes, is edited or goes."""
        i = self.random.randrange(N_NOISE)
        name = f"noise-{i}.json"
        if name in self._files and self.random.random() < 0.4:
            (self.rig.lab.manifests / name).unlink()
            del self._files[name]
            self.states.append(dict(self._files))
        else:
            self._write(name, noise_policy(i, self.random))

    def form(self):
        """The policies say the same in other words."""
        self._write("policies.json",
                    *p.base_policies(self.random.choice(p.FORMS)))

    def _write_pods(self):
        self._write("pods.json", *self.rig.objects(self._namespace_labels,
                                                   self._pod_labels))

    def pods(self):
        """Some pods' labels change."""
        for name in self.random.sample(sorted(p.PODS), 3):
            self._pod_labels[name] = {"spin": str(self.random.randrange(3))}
        self._write_pods()

    def namespaces(self):
        """A namespace's labels change."""
        ns = self.random.choice(sorted({ns for ns, _ in p.PODS.values()}))
        self._namespace_labels[ns] = {"tier": str(self.random.randrange(3))}
        self._write_pods()

    def remotes(self):
        """Pods of other nodes come and go, also such as are in the same
        groups as those whose streams run."""
        for i in self.random.sample(range(N_REMOTE), 10):
            if i in self._remote and self.random.random() < 0.5:
                del self._remote[i]
            else:
                ns, role = self.random.choice(
                    [("front", "client"), ("front", "other"),
                     ("back", "fellow"), ("open", "left")])
                self._remote[i] = remote_pod(
                    i, ns, role=role, spin=str(self.random.randrange(3)))
        self._write("remote.json", *self._remote.values())

    def visitor(self):
        """A pod of this node comes or goes, with its port."""
        lab = self.rig.lab
        with self.rig.saving:
            if "guests/visitor" in lab.pods:
                lab.del_pod("guests", "visitor")
            else:
                role = self.random.choice(["client", "server", "left"])
                lab.add_pod("guests", "visitor", p.VISITOR_IPS, raw=True,
                            labels={"role": role})
        self._write_pods()


# Afterwards.

def _question(pair):
    return f"{pair.src} {pair.dst} {UDP} {pair.dport}"


def _ask(oracle, files, pairs, node_ips):
    """Which of `pairs` may open a connection, by the objects in `files`."""
    with tempfile.TemporaryDirectory(prefix="netpol-state-") as directory:
        for name, text in files.items():
            pathlib.Path(directory, name).write_text(text)
        answers = subprocess.run(
            [oracle, directory, *node_ips], text=True, check=True,
            capture_output=True,
            input="".join(f"{_question(pair)}\n" for pair in pairs)).stdout
    return {pair: "deny:" not in line
            for pair, line in zip(pairs, answers.splitlines(), strict=True)}


def judged(pair):
    """Is it a question for policies?  Not whether a sender lies, nor whether
    a packet is a reply."""
    return not pair.spoofed and not pair.name.startswith("reply")


def wrong_states(rig, states, pairs):
    """In which states the judge of the objects, whom `netpolctl check` asks,
    is of another opinion about a stream."""
    oracle = str(rig.build_dir / "tests" / "conformance" / "oracle")
    asked = [pair for pair in pairs if judged(pair)]
    wrong = []
    distinct = {json.dumps(files, sort_keys=True): i
                for i, files in reversed(list(enumerate(states)))}
    for text, i in distinct.items():
        seen = _ask(oracle, json.loads(text), asked,
                    rig.lab.settings.node_ips)
        wrong += [f"state {i}: {pair.name} would be "
                  f"{'allowed' if allowed else 'denied'}"
                  for pair, allowed in seen.items() if allowed != pair.allowed]
    return wrong

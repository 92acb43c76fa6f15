#!/usr/bin/python3
"""Measures what packets cost in our pipeline, beside what they must cost: see
README.md.

usage: datapath.py [--smoke] [--build DIR] [--only PART]...

Prints a row a line, as JSON; `run` makes one table of all parts.
"""

import argparse
import contextlib
import ipaddress
import os
import pathlib
import random
import re
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
from datapath_stats import compare, in_turns, show          # noqa: E402
from datapath_world import (ADMITTED, NODE, PORT, WORLD,    # noqa: E402
                            World)
import frames as frame                                      # noqa: E402
from lab import LabError, manifest                          # noqa: E402

CLAUSES = ("the same table with the peers' addresses in the clauses, "
           "established packets not judged")
BARE = "ct, +est and +rpl NORMAL, +new commit and NORMAL"
CHURN_CIDR = "10.64.0.0/10"     # Addresses of pods that come and go.
CHURN_PODS = 200
ALL_AT_ONCE = 1e9               # The ports' buffers hold them.
BURST, BURST_S = 20, 0.2        # 100 changes a second.


class Plan:
    """How much of it: all, or just enough to see that it runs."""

    def __init__(self, smoke):
        self.size = "S" if smoke else "M"
        self.pairs = 2 if smoke else 25
        self.upcall_pairs = 2 if smoke else 41
        self.count_pairs = 1 if smoke else 5
        self.seconds = 0.2 if smoke else 1
        self.churn_pairs = 2 if smoke else 15
        self.churn_seconds = 0.6 if smoke else 3
        self.warm = 0.05 if smoke else 0.3
        self.strangers = 200 if smoke else 2500
        self.clients = 500 if smoke else 10000
        self.real_clients = 200 if smoke else 4000


# Clients.

def some_of(network, n, rng):
    network = ipaddress.ip_network(network)
    return [str(network[i]) for i in
            rng.sample(range(1, network.num_addresses - 1), n)]


def first_packets(world, n, rng):
    """TCP's first packets of `n` clients, no two alike: half from pods of
    other nodes and half from the world, half of each to a pod that admits
    some of them and half to any pod of this node, on a port that it has."""
    pods = [ip for ip, _ in rng.sample(world.remote,
                                       min(n // 2, len(world.remote)))]
    found = []
    for client in pods + some_of(WORLD, n - len(pods), rng):
        pod, port = (rng.choice(world.targets) if rng.random() < 0.5
                     else (world.silent, PORT))
        segment = frame.tcp(client, pod.ips[0], rng.randrange(1024, 65536),
                            port, flags="S")
        found.append(frame.eth(pod.mac, "0a:58:cb:00:71:0a",
                               frame.ip(client, pod.ips[0], segment)))
    rng.shuffle(found)
    return found


# Parts.

def upcalls(world, plan, rng):
    """With every packet a stranger to the cache, and then with the cache."""
    packets = first_packets(world, plan.strangers, rng)

    def cost(table):
        world.use(table)
        with no_megaflows(world):
            cpu, change = world.send(packets, ALL_AT_ONCE)
        return cpu / misses(change) * 1e6, misses(change)

    ours, clauses = in_turns(plan.upcall_pairs, lambda: cost("judge"),
                             lambda: cost("clauses"))
    show(compare(
        "CPU per upcall", world.scale, "us", [cpu for cpu, _ in ours],
        [cpu for cpu, _ in clauses], floor_is=CLAUSES, at_most=1.0,
        note=f"{ours[0][1]:.0f} upcalls a run, with clauses "
             f"{clauses[0][1]:.0f}; {world.flows('judge')} flows, with "
             f"clauses {world.flows('clauses')}"))


@contextlib.contextmanager
def no_megaflows(world):
    world.vswitchd("upcall/disable-megaflows")
    try:
        yield
    finally:
        world.vswitchd("upcall/enable-megaflows")


def misses(change):
    return change["miss with success upcall"]


def crowd(world, plan, rng):
    packets = first_packets(world, plan.clients, rng)

    def visit(table):
        world.use(table)
        cpu, change = world.send(packets, 5000)
        return world.megaflows(), misses(change), cpu / len(packets) * 1e6

    ours, clauses = in_turns(plan.count_pairs, lambda: visit("judge"),
                             lambda: visit("clauses"))
    scale = f"{world.scale}, {len(packets)} clients"
    for i, (what, unit) in enumerate((
            ("megaflows under many clients", "flows"),
            ("upcalls under many clients", "upcalls"),
            ("CPU per new client", "us"))):
        show(compare(what, scale, unit, [one[i] for one in ours],
                     [one[i] for one in clauses], floor_is=CLAUSES,
                     at_most=1.0,
                     note="first packets, admitted and denied"))


def replies(world, plan, rng):
    pods = [ip for ip, labels in world.remote if labels["env"] == "prod"]
    n = plan.real_clients
    for who, sources in (
            ("the world", some_of(ADMITTED, n, rng)),
            ("pods of other nodes", rng.sample(pods, min(n, len(pods))))):
        def visit(table, sources=sources):
            world.use(table)
            world.connect_from(sources)
            return world.megaflows()

        ours, keep = in_turns(plan.count_pairs, lambda: visit("judge"),
                              lambda: visit("keep"))
        show(compare("megaflows with replies judged",
                     f"{world.scale}, {len(sources)} clients", "flows", ours,
                     keep, floor_is="--established=keep",
                     note=f"clients are {who}; each asks once, from an "
                          "address of its own"))


def fast_path(world, plan, _rng):
    """The two bridges in turns; each kind of load has its own turns, so that
    what is compared is seconds apart."""
    world.use("judge")
    for load, rows in (
            (stream, [("TCP stream pod to pod", "Mbit/s",
                       {"at_least": 0.97}),
                      ("the switch's CPU for it", "us/MB", {})]),
            (connections, [("short connections pod to pod", "1/s",
                            {"at_least": 0.97}),
                           ("the switch's CPU for each", "us", {})]),
            (round_trips, [("round trip pod to pod", "us",
                            {"at_most": 1 / 0.97}),
                           ("round trip pod to pod, p99", "us", {})])):
        visits = [lambda load=load, bare=bare: load(world, plan.seconds, bare)
                  for bare in (False, True)]
        in_turns(1, *visits)
        ours, floor = in_turns(plan.pairs, *visits)
        for i, (name, unit, limit) in enumerate(rows):
            show(compare(name, world.scale, unit, [one[i] for one in ours],
                         [one[i] for one in floor], floor_is=BARE, **limit))


def stream(world, seconds, bare):
    cpu = world.cpu()
    (rate,) = world.run("stream", seconds, bare=bare)
    return rate * 8 / 1e6, (world.cpu() - cpu) / (rate * seconds) * 1e12


def connections(world, seconds, bare):
    cpu = world.cpu()
    (rate,) = world.run("connect", seconds, bare=bare)
    cpu = world.cpu() - cpu
    world.vswitchd("dpctl/flush-conntrack")
    return rate, cpu / (rate * seconds) * 1e6


def round_trips(world, seconds, bare):
    return world.run("pingpong", seconds, bare=bare)


# Changes meanwhile.

class Churn:
    """Pods of other nodes, peers of the server's policies, that take another
    address, 100 a second: as `with churn:`."""

    def __init__(self, world):
        self.world = world
        self.addresses = ipaddress.ip_network(CHURN_CIDR)
        self.n = 0
        self.last = None
        self.stop = threading.Event()
        self.thread = None
        for _ in range(CHURN_PODS):
            self.change()

    def change(self):
        pod = self.n % CHURN_PODS
        self.n += 1
        self.last = str(self.addresses[self.n])
        name = f"client-{pod}"
        manifest.write(self.world.lab.manifests, f"churn-{pod}.json", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {
                "namespace": "bench", "name": name, "uid": f"uid-{name}",
                "labels": {"app": "client"}},
            "spec": {"nodeName": f"not-{NODE}",
                     "containers": [{"name": "main", "image": "none"}]},
            "status": {"phase": "Running", "podIP": self.last,
                       "podIPs": [{"ip": self.last}]}})

    def go_on(self):
        due = time.monotonic()
        while not self.stop.wait(max(0, due - time.monotonic())):
            due += BURST_S
            for _ in range(BURST):
                self.change()

    def __enter__(self):
        self.stop.clear()
        self.thread = threading.Thread(target=self.go_on)
        self.thread.start()

    def __exit__(self, *_exc):
        self.stop.set()
        self.thread.join()

    def check(self):
        """A daemon that did not follow would be no load."""
        self.world.lab.wait(300)
        if f"nw_src={self.last} " not in self.world.lab.ovs.ofctl(
                "dump-flows", "br-int", "--no-stats", "table=30"):
            raise LabError(f"{self.last}: no identity after the changes")


def installed(world):
    shown = world.lab.appctl("coverage/show")
    return [int(found[1]) if (found := re.search(
        rf"^{name} .*total: (\d+)", shown, re.M)) else 0
        for name in ("np_installer_bundle", "np_installer_flow_mod")]


def churn(world, plan, _rng):
    changes = Churn(world)
    world.use("judge")
    world.start_daemon()
    spent = {"quiet": [0.0] * 6, "churn": [0.0] * 6}

    def meters():
        return [time.monotonic(), changes.n, *installed(world),
                world.cpu(), world.cpu("ovs-netpold")]

    def load(kind):
        before = meters()
        found = []
        for what in ("stream", "connect"):
            world.run(what, plan.warm)
            found += world.run(what, plan.churn_seconds)
        spent[kind] = [total + now - then for total, now, then
                       in zip(spent[kind], meters(), before)]
        world.vswitchd("dpctl/flush-conntrack")
        return found[0] * 8 / 1e6, found[1]

    def quiet():
        world.lab.wait(300)
        return load("quiet")

    def busily():
        with changes:
            changes.stop.wait(2 * BURST_S)
            found = load("churn")
        changes.check()
        return found

    ours, floor = in_turns(plan.churn_pairs, busily, quiet)
    note = describe(spent)
    for i, (what, unit) in enumerate((("TCP stream", "Mbit/s"),
                                      ("short connections", "1/s"))):
        show(compare(f"{what}, 100 pod changes/s", world.scale, unit,
                     [one[i] for one in ours], [one[i] for one in floor],
                     floor_is="the same without changes", at_least=0.9,
                     note=note))


def describe(spent):
    rate = {kind: [value / values[0] for value in values]
            for kind, values in spent.items()}
    _, changes, bundles, flow_mods, vswitchd, netpold = rate["churn"]
    return (f"{changes:.0f} changes, {bundles:.1f} bundles and "
            f"{flow_mods:.0f} flow-mods a second; of a core, ovs-vswitchd "
            f"{100 * vswitchd:.0f} % (without {100 * rate['quiet'][4]:.0f} "
            f"%), ovs-netpold {100 * netpold:.0f} %")


# With few ports packets take the time: with many, the switch spends most of
# it on asking each port whether there is one.
PARTS = {"upcalls": (upcalls, 110), "crowd": (crowd, 110),
         "replies": (replies, 110), "fast-path": (fast_path, 10),
         "churn": (churn, 10)}


def parse():
    parser = argparse.ArgumentParser(
        description="Measures what packets cost in our pipeline.")
    parser.add_argument("--smoke", "--small", action="store_true",
                        help="small and few: does it all still run?")
    parser.add_argument("--build", type=pathlib.Path,
                        default=pathlib.Path("."), metavar="DIR",
                        help="where the project was built (default: here)")
    parser.add_argument("--only", action="append", choices=PARTS,
                        help="may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    args = parse()
    if os.geteuid():
        raise SystemExit("datapath.py: needs root, for network namespaces")
    plan = Plan(args.smoke)
    wanted = {name: part for name, part in PARTS.items()
              if not args.only or name in args.only}
    try:
        for local in sorted({local for _, local in wanted.values()},
                            reverse=True):
            with tempfile.TemporaryDirectory(prefix="npdata") as directory:
                measure(args, plan, directory, local,
                        [part for part, where in wanted.values()
                         if where == local])
    except LabError as error:
        raise SystemExit(f"datapath.py: {error}") from None


def measure(args, plan, directory, local, parts):
    if args.smoke:
        local = min(local, 20)
    with World(directory, args.build.absolute(), plan.size, local,
               args.seed) as world:
        for part in parts:
            part(world, plan, random.Random(args.seed))


if __name__ == "__main__":
    main()

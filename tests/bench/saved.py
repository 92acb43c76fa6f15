#!/usr/bin/python3
"""What saving the last good objects costs while pods change.

usage: tests/bench/saved.py --build DIR [--size M] [--seconds 120]

Runs the daemon alone, without a switch, on the files of a generated cluster
and some more pods, of which 100 a second get another label: ten files with
ten pods each.  In turns it can save its objects and has no directory to save
them in; the difference in processor time is what saving costs.  Needs no root.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
ROUNDS = 2
EVERY = 0.1                     # seconds from file to file, of ten pods


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / TICKS


def memory(pid, key):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{key}:")[1].split()[0]) / 1024


def write_pods(objects, number, version):
    pods = [{"apiVersion": "v1", "kind": "Pod",
             "metadata": {"namespace": "churn", "name": f"p{number}-{i}",
                          "uid": f"{number}-{i}", "labels": {
                              "app": "churn", "version": str(version),
                              "team": "one", "tier": "back"}},
             "spec": {"nodeName": "node-1", "containers": [{"ports": [
                 {"name": "http", "containerPort": 8080}]}]},
             "status": {"phase": "Running",
                        "podIP": f"10.9.{number}.{i}"}} for i in range(10)]
    path = objects / f"churn-{number}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(map(json.dumps, pods)))
    temporary.rename(path)


@contextlib.contextmanager
def daemon(build, objects, top, dbdir):
    child = subprocess.Popen(
        [build / "src/daemon/ovs-netpold", f"--source=dir:{objects}",
         "--metrics-bind-address=none", "-vconsole:off", "-vsyslog:off",
         f"unix:{top}/no.sock"],
        env=os.environ | {"OVS_RUNDIR": str(top), "OVS_LOGDIR": str(top),
                          "OVS_DBDIR": str(dbdir), "NODE_NAME": "node-0"})
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait()


def measure(args, objects, top, dbdir):
    """Percent of a core, and how much was written."""
    with daemon(args.build, objects, top, dbdir) as pid:
        time.sleep(2)
        while not list(dbdir.glob("*.objects")) and dbdir.exists():
            time.sleep(0.1)
        time.sleep(3)
        begin, busy = time.monotonic(), cpu_seconds(pid)
        written, version = 0, 0
        while time.monotonic() < begin + args.seconds:
            version += 1
            write_pods(objects, version % 10, version)
            time.sleep(max(0, begin + version * EVERY - time.monotonic()))
        share = (cpu_seconds(pid) - busy) / (time.monotonic() - begin)
        io = pathlib.Path(f"/proc/{pid}/io").read_text()
        written = int(io.split("wchar:")[1].split()[0]) / 1e6
        print(f"{'saving' if dbdir.exists() else 'not saving':<12}"
              f"{100 * share:6.2f} % of a core, {10 / EVERY:.0f} changes/s, "
              f"{written:.1f} MB written, RSS {memory(pid, 'VmRSS'):.0f} MB, "
              f"peak {memory(pid, 'VmHWM'):.0f} MB", flush=True)
    return 100 * share


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--size", default="M")
    parser.add_argument("--seconds", type=float, default=120)
    args = parser.parse_args()
    args.build = args.build.absolute()
    with tempfile.TemporaryDirectory(prefix="npsaved") as directory:
        top = pathlib.Path(directory)
        objects = top / "objects"
        objects.mkdir()
        subprocess.run([args.build / "tests/bench/gen", "--size", args.size,
                        objects], check=True)
        for number in range(10):
            write_pods(objects, number, 0)
        (top / "db").mkdir()
        shares = {}
        for _ in range(ROUNDS):
            for dbdir in (top / "db", top / "none"):
                shares.setdefault(dbdir, []).append(
                    measure(args, objects, top, dbdir))
        with_, without = (sum(v) / len(v) for v in shares.values())
        print(f"saving costs {with_ - without:.2f} % of a core (<= 1)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The show: a shop on one node, and the policies that shut it down to what it
needs, one file at a time.  After each file everybody tries to reach everybody
else, and what got through is held against what a person wrote down.

    python3 -m lab.shop LAB-DIRECTORY BUILD-DIRECTORY
"""

import os
import pathlib
import sys
import time

from . import manifest, matrix
from .core import Lab
from .netns import LabError

SHOP = pathlib.Path(__file__).parents[2] / "deploy" / "examples" / "shop"


def steps():
    """The policy files of the shop, in the order in which they are applied;
    the first holds the pods and no policy."""
    return sorted(SHOP.glob("[0-9]*.yaml"))


def expectation(step):
    path = SHOP / "expected" / f"{step.stem}.txt"
    return matrix.parse(path.read_text(encoding="utf-8"))


def build_lab(directory):
    """Start a lab that runs the shop's node and pods."""
    objects = manifest.load(steps()[0])
    lab = Lab(directory, **manifest.node_settings(objects))
    try:
        lab.start()
        manifest.run_pods(lab, objects)
    except BaseException:
        lab.stop()
        raise
    return lab


def apply(lab, step):
    """Put one file where the daemon reads, wait until the switch does what
    it says, and return the seconds that took."""
    began = time.monotonic()
    manifest.publish(lab.manifests, step)
    lab.wait()
    return time.monotonic() - began


def show_step(lab, step, before, colour):
    """Apply and measure one step; what was seen, and what was wrong."""
    took = apply(lab, step)
    began = time.monotonic()
    expected = expectation(step)
    seen = matrix.measure(lab, expected)
    wrong = matrix.differences(expected, seen)
    print(f"\n{step.name}: {manifest.title(step)}\n")
    for line in matrix.render(lab, seen, before, expected, colour):
        print(f"  {line}".rstrip())
    print(f"\n  in the switch after {took:.2f} s, asked in "
          f"{time.monotonic() - began:.1f} s: "
          + (f"{len(wrong)} cells are not as expected" if wrong
             else "all as expected"), flush=True)
    for row, column, wanted, got in wrong:
        print(f"  {row} to {column}: expected {wanted}, seen {got}")
    return seen, wrong


def show(directory, build_dir):
    """The whole show; True when everything was as expected.  The lab goes on
    running, so that what went wrong can be looked at."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print("Starting the node, its switch and the pods ...", flush=True)
    lab = build_lab(directory)
    # The daemon finds the shop's objects when it looks for the first time.
    manifest.publish(lab.manifests, steps()[0])
    lab.start_daemon(build_dir)
    before, all_wrong = None, []
    for step in steps():
        before, wrong = show_step(lab, step, before, colour)
        all_wrong += wrong
    return not all_wrong


def main(argv):
    if len(argv) != 3:
        print("usage: python3 -m lab.shop LAB-DIRECTORY BUILD-DIRECTORY",
              file=sys.stderr)
        return 2
    try:
        return 0 if show(argv[1], argv[2]) else 1
    except LabError as error:
        print(f"shop: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv))

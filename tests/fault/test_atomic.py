"""Nothing may be noticed: not one frame that is allowed is lost, not one that
is denied arrives, while everything changes."""

import time

import pytest

from churn import Churn, judged, wrong_states
from faults import ATOMIC, FULL, times

SECONDS = 60 if FULL else 8
FLOOR_TABLE = 250


def floor(rig, bundles, flow_mods, seconds):
    """How many allowed frames are lost during as many and as large bundles in
    a table through which no packet goes: the thread that reads the ports of
    the userspace datapath also serves OpenFlow."""
    size = max(flow_mods // max(bundles, 1), 1)
    flows = "\n".join(f"table={FLOOR_TABLE},priority={i + 1},actions=drop"
                      for i in range(size))
    with rig.streams() as result:
        deadline = time.monotonic() + seconds
        for _ in range(bundles):
            if time.monotonic() > deadline:
                break
            rig.ofctl("add-flows", "-", "--bundle", stdin=flows)
            time.sleep(max(seconds / bundles - 0.02, 0))
        rig.ofctl("del-flows", f"table={FLOOR_TABLE}")
    assert not result.wrong_if_closed()
    return max(result.lost - result.switch_drops, 0)


def check(rig, result, churn):
    """Neither frames nor the judge of the objects saw any change."""
    wrong = result.wrong_if_atomic()
    if wrong and result.lost:
        wrong = result.wrong_if_atomic(floor(rig, 100, 2000, 5))
    wrong += wrong_states(rig, churn.states, result.traffic.pairs)
    assert not wrong, "\n" + "\n".join(wrong)


def summary(result, churn):
    n_judged = sum(judged(pair) for pair in result.traffic.pairs)
    return (f"{result.sent} frames and bytes, {result.lost} allowed lost "
            f"({result.switch_drops} at the switch's sockets), "
            f"{len(result.leaks())} leaks, "
            f"slowest frame {result.stall:.3f} s, "
            f"slowest TCP byte {result.tcp_stall:.3f} s; "
            f"{churn.steps} changes, {len(churn.states)} states of "
            f"{n_judged} streams judged")


def test_churn(rig, figure):
    before = rig.status()["switch"]
    with rig.streams() as result, Churn(rig) as churn:
        time.sleep(SECONDS)
    after = rig.status()["switch"]
    bundles, flow_mods = (after[key] - before[key]
                          for key in ("bundles", "flow_mods"))
    lost = floor(rig, bundles, flow_mods, SECONDS)
    figure(f"{summary(result, churn)}; {bundles} bundles, {flow_mods} "
           f"flow-mods; floor: {lost} lost")
    assert bundles > SECONDS and flow_mods > 5 * bundles
    check(rig, result, churn)


@pytest.mark.parametrize("fault, few, many", ATOMIC,
                         ids=[fault.__name__ for fault, *_ in ATOMIC])
def test_not_noticed(rig, figure, fault, few, many):
    n, rig.cuts = times(few, many), []
    with rig.streams() as result, Churn(rig) as churn:
        for _ in range(n):
            fault(rig)
        rig.lab.wait()
    cuts = (f", behind {rig.cuts.count('add')} flow-mods and "
            f"{rig.cuts.count('commit')} commits" if rig.cuts else "")
    figure(f"{n} times{cuts}: {summary(result, churn)}")
    check(rig, result, churn)

"""The harness can fail: it notices an installer that is not atomic, and a
single wrong flow that was there for a moment."""

import time

import pytest

from churn import Churn

MOMENT = 0.3


def test_notices_an_installer_that_is_not_atomic(rig, figure):
    """The same daemon, but its bundles reach the switch one flow-mod after
    the other."""
    with rig.proxy() as proxy:
        proxy.gap = 0.002
        rig.kill_daemon()
        rig.start_daemon()
        rig.lab.wait()
        with rig.streams() as result, Churn(rig):
            time.sleep(6)
        assert proxy.unpacked > 100, proxy.unpacked
    rig.lab.wait()
    wrong = result.wrong_if_atomic()
    figure(f"{proxy.unpacked} flow-mods one by one: {result.lost} allowed "
           f"frames lost, {len(result.leaks())} streams leak")
    assert wrong


# A flow that is there for a moment, and of which stream what is to be said.
SABOTAGE = {
    "a denied frame arrives": (
        "table=ingress,priority=65000,udp,nw_src=10.244.1.11,tp_dst=7000,"
        "actions=resubmit(,commit)", "ingress-v4", "denied, but"),
    "a spoofed frame arrives": (
        "table=spoof_guard,priority=65000,udp,nw_src=203.0.113.20,"
        "actions=resubmit(,l2)", "spoofed-world-v4", "denied, but"),
    "an allowed frame does not": (
        "table=ingress,priority=65000,udp6,tp_dst=7001,actions=drop",
        "by-namespace-v6", "lost from"),
    "a frame comes twice": (
        "table=out,priority=65000,udp,tp_dst=7003,actions=NORMAL,NORMAL",
        "to-block-v4", "came twice"),
    "a third pod hears a frame": (
        "table=out,priority=65000,udp6,tp_dst=7003,actions=NORMAL,"
        "output:{guest}", "to-block-v6", "came out at guest"),
}


@pytest.mark.parametrize("flow, stream, words", SABOTAGE.values(),
                         ids=SABOTAGE)
def test_notices(rig, flow, stream, words):
    guest = rig.lab.ovs.ofport(rig.lab.host("guest").port)
    with rig.streams() as result:
        rig.ofctl("add-flow", f"cookie=0xbad,{flow.format(guest=guest)}",
                  "--names")
        time.sleep(MOMENT)
        rig.ofctl("del-flows", "cookie=0xbad/-1")
        time.sleep(MOMENT)
    wrong = result.wrong_if_atomic()
    assert [line for line in wrong
            if line.startswith(f"{stream}:") and words in line], wrong


def test_notices_nothing_where_nothing_is(rig):
    with rig.streams() as result:
        time.sleep(2)
    assert not result.wrong_if_atomic()

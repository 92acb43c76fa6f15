"""Where the switch itself is struck: what is allowed may stop, what is denied
stays so, and all is whole again by itself."""

import signal
import time

import pytest

from lab.ovs import large_receive_buffers
from lab.pods import row_keys

from faults import (ANEW, CLOSED, FULL, OPENED, bridge_remade, open_up,
                    repaired, tables, times, wipe)

MOMENT = 0.1                    # seconds


def check(result):
    wrong = result.wrong_if_closed()
    assert not wrong, "\n" + "\n".join(wrong)


class Outages:
    """How long allowed frames were lost, and how long still when all was
    running again."""

    def __init__(self):
        self.whole, self.healing, self.late = [], [], []
        self.flooded = 0        # frames

    def add(self, result, back):
        lost = result.outage()
        self.whole.append(lost[1] - lost[0] if lost else 0)
        self.healing.append(max(lost[1] - back, 0) if lost else 0)
        self.late.append(result.stall)
        self.flooded += sum(result.streams[name]["astray"]
                            for name in result.way_out)

    def __str__(self):
        def span(values):
            return f"{min(values):.2f} to {max(values):.2f} s"
        return (f"{len(self.whole)} times: allowed frames lost for "
                f"{span(self.whole)}, of which {span(self.healing)} after "
                f"everything ran again; others late by {span(self.late)}; "
                f"no leak; {self.flooded} frames flooded to pods")


@pytest.mark.parametrize("fault, few, many", CLOSED,
                         ids=[fault.__name__ for fault, *_ in CLOSED])
def test_fails_closed(rig, figure, fault, few, many):
    outages = Outages()
    for _ in range(times(few, many)):
        with rig.streams() as result:
            back = fault(rig)
            result.traffic.flowing()
        check(result)
        outages.add(result, back)
        rig.lab.wait()
    figure(outages)


@pytest.mark.xfail(strict=True, reason="NORMAL floods to a port that has just "
                   "come, until the daemon has flagged it no-flood")
def test_a_port_that_comes_hears_no_flood(rig, figure):
    """Of what goes the way out: the switch forgot where the outside is."""
    guest = rig.lab.host("guest")
    number = rig.lab.ovs.ofport(guest.port)
    with rig.streams() as result:
        for i in range(times(30, 100)):
            rig.lab.ovs.appctl("ovs-vswitchd", "fdb/flush", rig.bridge)
            rig.lab.move_port(guest, number + 1000 + i)
    check(result)
    figure(f"{len(result.floods())} streams flooded")
    assert not result.floods()


def test_a_bridge_remade_standalone(rig, figure):
    """It forwards by itself until the daemon has connected and has made it
    secure: no controller can prevent that, but it can be quick."""
    rig.lab.settings.fail_mode = ""
    try:
        with rig.streams() as result:
            bridge_remade(rig)
            result.traffic.flowing()
    finally:
        rig.lab.settings.fail_mode = "secure"
    leak = result.leak()
    figure(f"{len(result.leaks())} streams leak"
           + (f" for {leak[1] - leak[0]:.2f} s" if leak else ""))
    assert not result.unheard() and (not leak or leak[1] - leak[0] < 1)


@pytest.mark.xfail(strict=True, reason="a frame to a pod whose port has come, "
                   "but not yet its flows, goes the way out, where NORMAL "
                   "floods it to that port")
def test_a_port_that_comes_gets_nothing_unjudged(rig, figure):
    """What is denied by the pod's own policy stays denied."""
    server = rig.lab.host("server")
    with rig.streams() as result:
        for _ in range(times(20, 50)):
            rig.lab.ovs.vsctl("del-port", server.port)
            rig.lab.wait()
            readd(rig, server)
            rig.lab.wait()
    figure(f"{times(20, 50)} times: {len(result.leaks())} stretches "
           "of denied frames arrive")
    check(result)


def readd(rig, pod):
    """Plug a pod's port again."""
    table, keys = row_keys(pod, "ours")
    with large_receive_buffers():
        rig.lab.ovs.vsctl("add-port", rig.bridge, pod.port, "--", "set",
                          table, pod.port, *(f'external_ids:{key}="{value}"'
                                             for key, value in keys.items()))


@pytest.mark.parametrize("fault, few, many", ANEW,
                         ids=[fault.__name__ for fault, *_ in ANEW])
def test_closed_when_ports_are_back(rig, figure, fault, few, many):
    """While ports come anew there are two holes, each a few milliseconds
    wide: the one of the test above; and one of the userspace datapath, which
    deletes ports that get other numbers in one transaction before it adds
    them again, so that they come by each other's numbers in the datapath.
    Until its megaflows are looked at again a pod may speak as the one whose
    number it got, and no controller can help."""
    outages, leaking = Outages(), 0
    for _ in range(times(few, many)):
        with rig.streams() as result:
            back = fault(rig)
            result.traffic.flowing()
        leaking += len(result.leaks()) > 0
        late = result.leaks_after(back + MOMENT)
        assert not late and not result.unheard(), late
        outages.add(result, back)
        rig.lab.wait()
    figure(f"{outages}, {MOMENT} s after the ports were back; before, in "
           f"{leaking} of them")


# What an outsider does to the tables.

def some_tables(rig, few):
    """All of them at once, then single ones."""
    one_by_one = tables(rig)
    return [None, *(one_by_one if FULL
                    else rig.random.sample(one_by_one, few))]


def restart(rig):
    if rig.lab.daemon:
        rig.kill_daemon(signal.SIGTERM)
    rig.start_daemon()
    rig.lab.wait()


def test_a_wiped_table_lets_nothing_through(rig, figure):
    """Every miss drops, and every "open" is a flow."""
    wiped = some_tables(rig, 6)
    with rig.streams() as result:
        for table in wiped:
            wipe(rig, table)
            time.sleep(0.5)
            restart(rig)
    check(result)
    figure(f"{len(wiped)} times: no leak")


def test_a_wiped_table_is_repaired(rig, figure):
    """Within a second."""
    outages = Outages()
    for table in some_tables(rig, 3):
        with rig.streams() as result:
            back = wipe(rig, table)
            whole = repaired(result, 5)
            if not whole:
                restart(rig)
        check(result)
        assert whole, f"table {table} stays wiped"
        outages.add(result, back)
    figure(outages)
    assert max(outages.whole) <= 1


@pytest.mark.parametrize("table", OPENED)
def test_an_opened_table_is_closed(rig, figure, table):
    """Within a second; until then what the table denied does pass."""
    longest = 0
    for _ in range(times(2, 10)):
        with rig.streams() as result:
            begin = open_up(rig, table)
            time.sleep(2)
        assert not result.leaks_after(begin + 1) and not result.lost
        leak = result.leak()
        longest = max(longest, leak[1] - begin if leak else 0)
    figure(f"{times(2, 10)} times: denied frames passed for {longest:.2f} s "
           "at most")

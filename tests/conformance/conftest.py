"""Fixtures of the conformance suite: one lab, one daemon, for the whole run.

NETPOL_BUILD names the directory with the programs; NETPOL_FULL=1 asks for all
cases instead of a spread of them.
"""

import contextlib
import importlib.util
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for _directory in (HERE.parent, HERE.parent / "system", HERE):
    sys.path.insert(0, str(_directory))
sys.dont_write_bytecode = True


def _system_fixtures():
    """tests/system/conftest.py, under a name of its own."""
    path = HERE.parent / "system" / "conftest.py"
    spec = importlib.util.spec_from_file_location("system_fixtures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# pylint: disable=wrong-import-position
system = _system_fixtures()
fixture_build_dir = system.fixture_build_dir

from cluster import Cluster  # noqa: E402
from compare import Comparison  # noqa: E402
from lab import Lab  # noqa: E402

FIGURES = pytest.StashKey()
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items):
    if os.geteuid():
        skip = pytest.mark.skip(reason="needs root for network namespaces")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(skip)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    if outcome.get_result().failed:
        item.session.stash[FAILED] = True


@contextlib.contextmanager
def running_comparison(session, build_dir):
    """A lab on which ovs-netpold is at work, with three namespaces of three
    pods each, and what compares them with what they should be."""
    lab = Lab(tempfile.mkdtemp(prefix="netpol-lab-"))
    error = None
    try:
        lab.start()
        # The switch waits that long before it looks at its megaflows again
        # when nothing happens, and `netpol/wait --datapath` waits for it.
        lab.ovs.vsctl("set", "Open_vSwitch", ".",
                      "other_config:max-revalidator=100")
        lab.start_daemon(build_dir)
        with Cluster(lab) as cluster:
            comparison = Comparison(cluster, build_dir)
            comparison.begin()
            yield comparison
        error = system.end_daemon(lab)
        if error or session.stash.get(FAILED, False):
            kept = system.kept_logs(lab.ovs.logdir)
            shutil.copytree(lab.ovs.logdir, kept, dirs_exist_ok=True)
            print(f"logs kept in {kept}")
    finally:
        lab.stop()
    if error:
        pytest.fail(error)


@pytest.fixture(scope="session", name="comparison")
def fixture_comparison(request, build_dir):
    """The one comparison of the whole run: its daemon lives through all
    cases."""
    with running_comparison(request.session, build_dir) as comparison:
        request.config.stash[FIGURES] = comparison
        yield comparison


@pytest.fixture(scope="module", name="own_comparison")
def fixture_own_comparison(request, build_dir):
    """A comparison on a lab that a module may spoil."""
    with running_comparison(request.session, build_dir) as comparison:
        yield comparison


def pytest_terminal_summary(terminalreporter, config):
    comparison = config.stash.get(FIGURES, None)
    if comparison is not None:
        figures = comparison.figures
        terminalreporter.write_sep("-", "conformance")
        terminalreporter.write_line(
            f"{figures.cases} cases, {figures.steps} steps, "
            f"{comparison.prober.sent} packets sent for {figures.questions} "
            f"questions ({figures.denied} denied) and {figures.answers} "
            f"answers, {figures.again} sent again, "
            f"{figures.mismatches} mismatches, {figures.seconds:.1f} s")

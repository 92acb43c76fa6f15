"""Fixtures of the system tests: real packets between real pods.

They need root.  NETPOL_BUILD names the directory that holds the programs
under test; the build sets it.  When a test fails, the logs of its lab are
kept, and the report says where.
"""

import os
import pathlib
import shutil
import signal
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from lab import Lab, LabError, manifest  # noqa: E402


FAILED = pytest.StashKey[set]()     # paths of modules with a failed test
RUNNING = []                        # labs that are up


def pytest_configure(config):
    config.addinivalue_line("markers", "rootless: needs no root")


def pytest_collection_modifyitems(items):
    if os.geteuid():
        skip = pytest.mark.skip(reason="needs root for network namespaces")
        for item in items:
            if not item.get_closest_marker("rootless"):
                item.add_marker(skip)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Let fixtures know, when they end, whether a test of theirs failed."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.session.stash.setdefault(FAILED, set()).add(item.path)
        logs = [lab.ovs.logdir for lab in RUNNING]
        if logs:
            report.sections.append(("logs", "\n".join(
                f"kept from {directory}: {kept_logs(directory)}"
                for directory in logs)))


def kept_logs(directory):
    """Where the logs of a lab in `directory` go when a test fails."""
    base = pathlib.Path(os.environ.get("NETPOL_LOGS", tempfile.gettempdir()))
    return base / f"{directory.parent.name}-logs"


@pytest.fixture(scope="session", name="build_dir")
def fixture_build_dir():
    """The directory with the programs under test."""
    directory = os.environ.get("NETPOL_BUILD")
    if not directory:
        pytest.fail("NETPOL_BUILD does not say where the programs are")
    return pathlib.Path(directory)


def end_daemon(lab):
    """Stop the daemon as systemd would; what was wrong with it, or None."""
    if lab.daemon is None:
        return None
    alive = lab.daemon.poll() is None
    difference = self_check(lab) if alive else None
    status = lab.stop_daemon()
    errors = (lab.ovs.logdir / "ovs-netpold.err").read_text(encoding="utf-8")
    if not alive or status not in (0, -signal.SIGTERM):
        return f"ovs-netpold ended with status {status}: {errors}"
    if "Sanitizer" in errors or "runtime error" in errors:
        return errors
    return difference


def self_check(lab):
    """After all that the tests of a module did to it: is the daemon's state
    what it would have computed from scratch?  What is not, or None."""
    try:
        lab.appctl("netpol/self-check")
    except LabError as error:
        if "cannot compare now" not in str(error):
            return f"netpol/self-check: {error}"
    return None


@pytest.fixture(scope="module", name="make_lab")
def fixture_make_lab(request):
    """A function that starts labs, all removed when the module is done; a
    daemon that did not live until then is an error of the module."""
    mine = []

    def make(**settings):
        lab = Lab(tempfile.mkdtemp(prefix="netpol-lab-"), **settings)
        mine.append(lab)
        RUNNING.append(lab)
        return lab.start()

    yield make
    failed = request.path in request.session.stash.get(FAILED, set())
    wrong = []
    for lab in mine:
        error = end_daemon(lab)
        wrong += [error] if error else []
        if (failed or error) and lab.ovs.logdir.is_dir():
            shutil.copytree(lab.ovs.logdir, kept_logs(lab.ovs.logdir),
                            dirs_exist_ok=True)
        lab.stop()
        RUNNING.remove(lab)
    if wrong:
        pytest.fail("\n".join(wrong))


@pytest.fixture(scope="module", name="lab")
def fixture_lab(make_lab):
    """A lab of the module's own: a node and an outside, no pod yet."""
    return make_lab()


@pytest.fixture(scope="module", name="daemon_lab")
def fixture_daemon_lab(make_lab, build_dir):
    """The same, with ovs-netpold at work on it.  Add pods with add_pod(),
    objects with publish()."""
    lab = make_lab()
    manifest.write(lab.manifests, "node.json", manifest.node(lab.settings))
    lab.start_daemon(build_dir)
    return lab


@pytest.fixture(name="publish")
def fixture_publish(daemon_lab):
    """A function that puts objects where the daemon reads, waits for the
    switch, and takes them back when the test is done."""
    written = []

    def publish(name, *objects):
        written.append(manifest.write(daemon_lab.manifests, name, *objects))
        daemon_lab.wait()
        return written[-1]

    yield publish
    for path in written:
        path.unlink(missing_ok=True)
    daemon_lab.wait()

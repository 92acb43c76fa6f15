"""Fixtures of the fault tests.

NETPOL_BUILD names the directory with the programs; NETPOL_FULL=1 injects each
fault hundreds of times; NETPOL_SEED repeats a run's random choices, as far as
time is not one of them.
"""

import importlib.util
import os
import pathlib
import random
import sys

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
fixture_make_lab = system.fixture_make_lab
pytest_collection_modifyitems = system.pytest_collection_modifyitems
pytest_configure = system.pytest_configure
pytest_runtest_makereport = system.pytest_runtest_makereport

from rig import Rig  # noqa: E402

SEED = int(os.environ.get("NETPOL_SEED", random.randrange(2 ** 32)))
FIGURES = pytest.StashKey[list]()


@pytest.fixture(scope="module", name="rig")
def fixture_rig(make_lab, build_dir):
    """A node with pods, policies and the daemon.  Who makes a bridge makes
    it secure, as the CNI plugins do."""
    return Rig(make_lab(fail_mode="secure"), build_dir, SEED)


@pytest.fixture(name="figure")
def fixture_figure(request):
    """A function that takes a line for the end of the run."""
    lines = request.config.stash.setdefault(FIGURES, [])
    return lambda line: lines.append(f"{request.node.name}: {line}")


def pytest_report_header():
    return f"NETPOL_SEED={SEED}"


def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.write_sep("-", f"faults, NETPOL_SEED={SEED}")
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)

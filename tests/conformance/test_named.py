"""The behaviours that the Kubernetes end-to-end suite names."""

import pathlib
import re

import named
import pytest


@pytest.mark.parametrize("case", named.CASES, ids=lambda case: case.name)
def test_named(comparison, case):
    comparison.run(case)


def test_all_names_are_in_the_readme():
    """A reader finds upstream's names there, each once and no other."""
    text = pathlib.Path(__file__).with_name("README.md").read_text("utf-8")
    rows = re.findall(r"^\| (TCP|UDP|SCTP) \| (.*) \|$", text, re.M)
    listed = [name if protocol == "TCP" else f"{name} ({protocol})"
              for protocol, name in rows]
    assert sorted(listed) == sorted(case.name for case in named.CASES)

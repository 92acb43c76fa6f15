"""Every combination of what a policy can be made of; without NETPOL_FULL=1, a
spread of them."""

import os

import pytest
import table

CASES = table.ALL if os.environ.get("NETPOL_FULL") == "1" else table.SPREAD


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_table(comparison, case):
    comparison.run(case)

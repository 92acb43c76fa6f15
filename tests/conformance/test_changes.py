"""Changes while everything runs."""

import changes
import pytest


@pytest.mark.parametrize("case", changes.CASES, ids=lambda case: case.name)
def test_change(comparison, case):
    comparison.run(case)

"""The behaviours that the Kubernetes end-to-end suite names."""

import named
import pytest


@pytest.mark.parametrize("case", named.CASES, ids=lambda case: case.name)
def test_named(comparison, case):
    comparison.run(case)

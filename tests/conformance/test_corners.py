"""Corners of the API, and what we chose where it leaves a choice."""

import corners
import pytest


@pytest.mark.parametrize("case", corners.CASES, ids=lambda case: case.name)
def test_corner(comparison, case):
    comparison.run(case)

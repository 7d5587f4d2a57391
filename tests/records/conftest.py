from __future__ import annotations

import pytest

from tests.reports.county import ReportCounty


@pytest.fixture
def county(world):
    return ReportCounty(world)

from __future__ import annotations

import pytest

from tests.reports.county import County


@pytest.fixture
def county(world):
    return County(world)

from __future__ import annotations

import pytest

from tests.duties.assessing import Assessed
from tests.duties.making import Duties
from tests.unit_management.conftest import county, create_snapshot, post  # noqa: F401 – fixtures


@pytest.fixture
def duties(world):
    return Duties(world)


@pytest.fixture
def assessed(world):
    return Assessed(world)

from __future__ import annotations

import pytest

from tests.duties.assessing import Assessed
from tests.duties.making import Duties
from tests.unitbook.conftest import county, post  # noqa: F401 – fixtures
from tests.unitbook.test_freezing import freeze  # noqa: F401 – a fixture


@pytest.fixture
def duties(world):
    return Duties(world)


@pytest.fixture
def assessed(world):
    return Assessed(world)

from __future__ import annotations

import pytest

from tests.duties.assessing import Assessed
from tests.duties.making import Duties


@pytest.fixture
def duties(world):
    return Duties(world)


@pytest.fixture
def assessed(world):
    return Assessed(world)

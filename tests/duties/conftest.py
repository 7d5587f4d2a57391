from __future__ import annotations

import pytest

from tests.duties.making import Duties


@pytest.fixture
def duties(world):
    return Duties(world)

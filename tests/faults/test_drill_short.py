"""The short drill: kills of web, worker, Valkey and PostgreSQL, lost replies and duplicates, on a deployment of its own."""

from __future__ import annotations

import os

import pytest

from tests.faults.deployment import Deployment
from tests.faults.rows import ROWS

pytestmark = pytest.mark.drill
PEOPLE = 60
SHORT = ("F01", "F05", "F12", "F14", "F16", "F17", "F21", "F24", "F25")


@pytest.fixture(scope="module")
def site():
    with Deployment() as site:
        site.settle(PEOPLE, [ROWS[name].exam for name in SHORT])
        yield site


@pytest.mark.parametrize("name", SHORT)
def test_nothing_acknowledged_is_lost(site, name):
    result = ROWS[name].run(site, seed=int(os.environ.get("SEED", "1")), people=PEOPLE, is_short=True)
    assert result.acknowledged > 0
    assert result.lost == 0, result.faults
    assert not result.faults, "\n".join(result.faults)

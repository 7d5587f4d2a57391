import pytest

from tests.reports.county import County


@pytest.fixture
def county(world):
    """A small county whose roster holds every odd case."""
    return County(world)

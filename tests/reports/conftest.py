import pytest

from tests.reports.county import ReportCounty


@pytest.fixture
def county(world):
    """A small county whose roster holds every odd case."""
    return ReportCounty(world)

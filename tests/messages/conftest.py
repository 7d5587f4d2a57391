"""The county of the unit pages, for what is sent by rule."""

from tests.unit_management.conftest import county  # noqa: F401 – a fixture

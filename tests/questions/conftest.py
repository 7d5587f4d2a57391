"""What several tests of the bank need."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture
def alone(app, monkeypatch):
    """The setting of an office with one reviewer: it may review its own questions, and import them as active."""
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], review_alone=True))


@pytest.fixture(autouse=True)
def read_files_by_one_helper(shared_reader):
    """Read the files of all tests here by one helper."""

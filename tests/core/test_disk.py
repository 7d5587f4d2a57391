"""The alarm before a disk is full."""

from __future__ import annotations

import shutil as cli
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from examapp.delivery.grading import cli as grading_cli


@pytest.mark.parametrize(("used", "alarms"), [(79, 0), (80, 1), (100, 1)])
def test_the_alarm_is_raised_from_four_fifths_on(tmp_path, monkeypatch, used, alarms):
    monkeypatch.setattr(cli, "disk_usage", lambda _folder: SimpleNamespace(total=100, used=used))
    with capture_logs() as logs:
        grading_cli.warn_of_full_disk(tmp_path)
    assert [entry["event"] for entry in logs] == ["disk_filling"] * alarms

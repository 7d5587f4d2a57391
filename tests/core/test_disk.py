"""The alarm before a disk is full."""

from __future__ import annotations

from collections import namedtuple

import pytest
from structlog.testing import capture_logs

from examapp.grading import cli

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("used", "alarms"), [(79, 0), (80, 1), (100, 1)])
def test_the_alarm_is_raised_from_four_fifths_on(tmp_path, monkeypatch, used, alarms):
    monkeypatch.setattr(cli.shutil, "disk_usage", lambda _folder: Usage(100, used, 100 - used))
    with capture_logs() as logs:
        cli.warn_of_full_disk(tmp_path)
    assert [entry["event"] for entry in logs] == ["disk_filling"] * alarms

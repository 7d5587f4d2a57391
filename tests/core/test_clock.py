"""The one clock follows the database's, whatever the host's says."""

from __future__ import annotations

import time as module
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from examapp.clock import Clock

_DATABASE = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


class Hosts:
    """Times of two hosts, which the test moves: the database's, and this one's wall clock and monotonic one."""

    def __init__(self, monkeypatch, *, off_s: float) -> None:
        self.passed_s, self.off_s = 0.0, off_s
        monkeypatch.setattr(module, "monotonic", lambda: 1000.0 + self.passed_s)
        monkeypatch.setattr(module, "time", lambda: (_DATABASE + self._gone()).timestamp() + self.off_s)

    def _gone(self) -> timedelta:
        return timedelta(seconds=self.passed_s)

    def execution_options(self, **_options):
        return self

    @contextmanager
    def connect(self):
        yield self

    def execute(self, _statement):
        return self

    def scalar_one(self) -> datetime:
        return _DATABASE + self._gone()


def test_a_host_that_is_wrong_by_minutes_has_the_database_s_time(monkeypatch):
    for off_s in (-8 * 3600, -5.0, 3.0, 90.0):
        hosts, clock = Hosts(monkeypatch, off_s=off_s), Clock()
        clock.measure(cast("Any", hosts))
        assert abs((clock.now() - _DATABASE).total_seconds()) < 0.001


def test_the_host_s_clock_may_jump_between_two_measurements(monkeypatch):
    hosts, clock = Hosts(monkeypatch, off_s=3.0), Clock()
    clock.measure(cast("Any", hosts))
    hosts.passed_s, hosts.off_s = 7.0, -5.0
    assert abs((clock.now() - _DATABASE).total_seconds() - 7.0) < 0.001


def test_the_middle_of_the_exchange_is_what_was_measured(monkeypatch):
    hosts, clock = Hosts(monkeypatch, off_s=0.0), Clock()

    def slowly(_statement):
        hosts.passed_s += 0.4
        return hosts

    monkeypatch.setattr(hosts, "execute", slowly)
    monkeypatch.setattr(hosts, "scalar_one", lambda: _DATABASE + timedelta(seconds=0.2))
    clock.measure(cast("Any", hosts))
    assert abs((clock.now() - _DATABASE).total_seconds() - 0.4) < 0.001


def test_without_a_measurement_the_host_s_time_stands_in(monkeypatch):
    hosts = Hosts(monkeypatch, off_s=90.0)
    assert abs((Clock().now() - _DATABASE).total_seconds() - hosts.off_s) < 0.001

"""How the server asks savers to slow down."""

from __future__ import annotations

import pytest

from examapp.core import pace


@pytest.fixture(autouse=True)
def from_the_start(monkeypatch):
    monkeypatch.setattr(pace, "_mean_s", 0.0)


def note(seconds: float, times: int) -> int:
    for _ in range(times):
        pace.note(seconds)
    return pace.next_save_ms()


def test_nobody_is_slowed_while_saves_are_quick():
    assert note(0.02, 200) == pace.NEXT_SAVE_MS


def test_savers_are_slowed_as_saves_grow_slow_and_let_go_when_they_are_quick_again():
    slow, slower = note(0.3, 60), note(1.0, 60)
    assert pace.NEXT_SAVE_MS < slow < slower <= 20_000
    assert note(0.02, 60) == pace.NEXT_SAVE_MS


def test_one_slow_save_slows_nobody():
    note(0.01, 50)
    assert note(0.5, 1) == pace.NEXT_SAVE_MS


def test_a_save_that_fails_is_measured_too():
    with pytest.raises(ZeroDivisionError), pace.timed():
        _ = 1 / 0
    assert pace._mean_s > 0

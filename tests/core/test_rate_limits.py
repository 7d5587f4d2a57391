"""How the server asks savers to slow down."""

from __future__ import annotations

import time
import time as rate

import pytest
from cachetools import TTLCache

from examapp.security import rate_limits


@pytest.fixture(autouse=True)
def from_the_start(monkeypatch):
    monkeypatch.setattr(rate_limits, "_served_s", 0.0)
    monkeypatch.setattr(rate_limits, "_took_s", 0.0)
    monkeypatch.setattr(rate_limits, "_recent", TTLCache(100_000, 30, timer=lambda: time.monotonic()))  # noqa: PLW0108 – the one that a test puts in its stead
    monkeypatch.setattr(rate_limits, "_slots", 4)


def note(served_s: float, times: int, *, waited_s: float = 0.0, savers: int = 100) -> int:
    """Let so many attempts save, so often in all."""
    for number in range(times):
        if number < savers:
            rate_limits.check(number)
        rate_limits.observe(served_s, took_s=served_s + waited_s)
    return rate_limits.next_save_ms()


def test_nobody_is_slowed_while_saves_are_quick():
    assert note(0.02, 300) == rate_limits.NEXT_SAVE_MS


def test_savers_are_slowed_as_saves_grow_slow_and_let_go_when_they_are_quick_again():
    slow, slower = note(0.3, 200), note(0.5, 200)
    assert rate_limits.NEXT_SAVE_MS < slow < slower <= 20_000
    assert note(0.02, 200) == rate_limits.NEXT_SAVE_MS


def test_the_pause_is_what_so_many_savers_need_to_find_a_turn_each():
    """100 savers of 0.3 s, four turns of which 0.7 are to be filled: 100 × 0.3 / 2.8 s."""
    assert note(0.3, 300) == pytest.approx(10_714, rel=0.01)
    assert note(0.3, 300, savers=20) == pytest.approx(10_714, rel=0.01), "who paused for a moment still saves"


def test_a_wait_for_the_turn_slows_savers_too_even_where_each_is_served_quickly():
    assert note(0.05, 400, savers=400) == rate_limits.NEXT_SAVE_MS
    assert note(0.05, 400, waited_s=0.5, savers=400) == pytest.approx(7143, rel=0.01)


def test_one_slow_save_slows_nobody():
    note(0.01, 50)
    assert note(1.0, 1) == rate_limits.NEXT_SAVE_MS


def test_who_has_stopped_saving_is_counted_no_more(monkeypatch):
    note(0.3, 300)
    later = time.monotonic() + 31
    monkeypatch.setattr(rate, "monotonic", lambda: later)
    rate_limits.check(7)
    assert list(rate_limits._recent) == [7]


def test_a_save_that_fails_is_measured_too_from_its_arrival_on():
    with pytest.raises(ZeroDivisionError), rate_limits.timed(time.perf_counter() - 1):
        _ = 1 / 0
    assert rate_limits._served_s > 0
    assert rate_limits._took_s > 0.04


def test_a_save_comes_again_where_the_queue_is_long_and_not_where_the_machine_stood_still():
    note(0.3, 300)
    assert not rate_limits.should_shed(10, 0.0)
    assert rate_limits.should_shed(20, 0.0), "20 before it, each served for 0.3 s, at four turns"
    assert rate_limits.should_shed(5, 1.0)
    assert not rate_limits.should_shed(3, 5.0), "its turn comes in a moment"
    note(0.004, 300)
    assert not rate_limits.should_shed(200, 3.0), "saves are quick: what held them up is over as soon as it moves"

"""The queue before the start: a place that is kept, no clock while waiting, and nobody in it who sits already."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.delivery.attempt_starts.actions import clear_queue
from examapp.delivery.attempts.models import Admission, Attempt
from examapp.security import rate_limits
from examapp.security.rate_limits import StartGate, gate
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("papers")


class Timer:
    """The monotonic time of a gate, which the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer(monkeypatch):
    """Admission lets one in a second and begins empty."""
    timer = Timer()
    monkeypatch.setattr(gate, "_time_s", timer)
    gate.set_up(per_second=1, tokens=0)
    yield timer
    gate.set_up(per_second=40)


@pytest.fixture
def exam(world):
    make_bank(world)
    return world.exam(world.blueprint(KINDS))


def people(world, exam, count):
    return [CandidateClient(world, exam, world.person()) for _ in range(count)]


def test_who_finds_admission_full_gets_a_place_and_no_clock_runs(world, exam, timer, fixed_clock):
    first, second = people(world, exam, 2)
    answer = first.start()
    assert answer.status_code == 202
    assert answer.get_json() == {"state": "queued", "place": 1, "wait_s": 1}
    assert answer.headers["Retry-After"] == "1"
    assert second.start().get_json() == {"state": "queued", "place": 2, "wait_s": 2}
    assert world.session.query(Attempt).count() == 0
    timer.now += 1.0
    fixed_clock.at(NOON + timedelta(seconds=30))
    answer = first.start()
    assert answer.status_code == 201
    assert answer.get_json()["started_at"] == "2026-11-24T12:00:30.000+08:00"
    assert answer.get_json()["deadline_at"] == "2026-11-24T13:00:30.000+08:00"


def test_a_place_is_kept_and_a_newcomer_does_not_overtake(world, exam, timer):
    first, second, third = people(world, exam, 3)
    assert [first.start().get_json()["place"], second.start().get_json()["place"]] == [1, 2]
    timer.now += 1.0
    assert third.start().get_json()["place"] == 3
    assert second.start().get_json()["place"] == 2
    assert first.start().status_code == 201
    assert second.start().get_json()["place"] == 1


def test_who_gives_up_loses_only_the_own_place(world, exam, timer, fixed_clock):
    first, second, third = people(world, exam, 3)
    for candidate_client in (first, second, third):
        candidate_client.start()
    fixed_clock.at(NOON + timedelta(seconds=40))
    assert second.start().get_json()["place"] == 2
    assert third.start().get_json()["place"] == 3
    fixed_clock.at(NOON + timedelta(seconds=61))
    assert second.start().get_json()["place"] == 1
    assert first.start().get_json()["place"] == 3, "who comes back stands at the end"
    timer.now += 2.0
    assert [second.start().status_code, third.start().status_code] == [201, 201]


def test_a_live_attempt_is_never_queued(world, exam, timer):
    timer.now += 1.0
    candidate_client = people(world, exam, 1)[0]
    assert candidate_client.start().status_code == 201
    assert candidate_client.start().status_code == 200


def test_rejections_come_before_the_queue_and_cost_no_place(world, timer):
    make_bank(world)
    closed = world.exam(world.blueprint(KINDS), opens_in=timedelta(hours=1))
    assert CandidateClient(world, closed, world.person()).start().get_json()["error"] == "not_open_yet"
    assert world.session.query(Admission).count() == 0


def test_who_queued_in_time_is_not_late_for_it(world, timer, fixed_clock):
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), opens_in=timedelta(), lateness_s=60)
    in_time, late = people(world, exam, 2)
    fixed_clock.at(NOON + timedelta(seconds=50))
    assert in_time.start().status_code == 202
    fixed_clock.at(NOON + timedelta(seconds=70))
    timer.now += 1.0
    assert late.start().get_json()["error"] == "too_late_to_start"
    assert in_time.start().status_code == 201


def test_the_pause_asked_for_is_shorter_than_what_counts_as_given_up(world, exam, timer):
    candidate_clients = people(world, exam, 30)
    last = [candidate_client.start() for candidate_client in candidate_clients][-1]
    assert last.get_json()["wait_s"] == 30
    assert last.headers["Retry-After"] == "25"


def test_a_start_that_failed_after_admission_is_let_in_again(world, exam, timer):
    first, second = people(world, exam, 2)
    first.start()
    world.session.query(Admission).update({"admitted_at": NOON})
    assert second.start().status_code == 202
    assert first.start().status_code == 201


def test_old_places_are_forgotten(world, exam, timer, fixed_clock):
    people(world, exam, 1)[0].start()
    clear_queue(world.session, now=NOON + timedelta(minutes=30))
    assert world.session.query(Admission).count() == 1
    clear_queue(world.session, now=NOON + timedelta(hours=2))
    assert world.session.query(Admission).count() == 0


def test_a_small_exam_never_notices():
    gate = StartGate(time_s=Timer())
    gate.set_up(per_second=40)
    assert [gate.try_admit(ahead=0) for _ in range(120)] == [0.0] * 120
    assert gate.try_admit(ahead=0) > 0


def test_slow_saves_lower_admission(monkeypatch):
    gate = StartGate(time_s=Timer())
    assert gate.rate() == 40
    monkeypatch.setattr(rate_limits, "next_save_ms", lambda: 4 * rate_limits.NEXT_SAVE_MS)
    assert gate.rate() == 10
    monkeypatch.setattr(rate_limits, "next_save_ms", lambda: rate_limits.NEXT_SAVE_MS // 2)
    assert gate.rate() == 40


def test_web_processes_share_the_bucket_of_their_machine():
    """However unevenly the connections lead to them: behind nginx one process of two may get all calls for a while."""
    script = (
        "import os, sys; from examapp.security.rate_limits import StartGate; gate = StartGate(time_s=lambda: 7.0)\n"
        "gate.set_up(per_second=40, tokens=60)\n"
        "admit = lambda: sum(gate.try_admit(ahead=0) == 0 for _ in range(45))\n"
        "if child := os.fork(): os.waitpid(child, 0)\n"
        "print(admit(), flush=True)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["45", "15"], "first the forked process, then the other"


def test_machines_drain_the_one_queue_at_the_sum_of_their_rates():
    """Machines of 40 and of 20 a second, a queue of 300, of whom each calls when he was told to, and is led to one in turn."""
    timer = Timer()
    gates = [StartGate(time_s=timer) for _ in range(2)]
    for one, own, other in zip(gates, (40, 20), (20, 40), strict=True):
        one.set_up(per_second=own, tokens=0)
        one.set_peers(per_second=other)
    assert gates[0].try_admit(ahead=299) == pytest.approx(300 / 60)
    due, turn = dict.fromkeys(range(300), 0.0), itertools.cycle(gates)
    while due:
        timer.now += 0.05
        for place, number in enumerate(list(due)):
            if due[number] > timer.now:
                continue
            wait_s = next(turn).try_admit(ahead=place)
            due[number] = timer.now + math.ceil(wait_s)
            if wait_s == 0:
                del due[number]
    assert 300 / 60 <= timer.now < 300 / 60 + 2, "the last few seconds are told by the whole one"


@given(
    per_second=st.floats(1, 500),
    steps=st.lists(st.tuples(st.floats(0, 2), st.integers(0, 5))),
)
def test_no_more_are_let_in_than_the_rate_and_one_burst(per_second, steps):
    timer = Timer()
    gate = StartGate(time_s=timer)
    gate.set_up(per_second=per_second)
    burst, admitted = gate._burst, 0
    for pause, calls in steps:
        timer.now += pause
        admitted += sum(gate.try_admit(ahead=0) == 0 for _ in range(calls))
    assert admitted <= burst + timer.now * per_second + 1e-3

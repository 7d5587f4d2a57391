"""What is set aside of an attempt is bounded, and the newest content of each item is in it; events are bounded as well."""

from __future__ import annotations

import json
import threading
import time as rate
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from examapp.delivery.attempts import rules as attempt_rules
from examapp.delivery.attempts.models import AttemptEvent, QuarantinedSave
from examapp.organisation.people.models import SignIn
from examapp.security import rate_limits
from question_bank.model import Kind
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank, make_exam_with_candidates
from tests.conftest import NOON


@pytest.fixture
def moment(monkeypatch):
    """The pace's own clock, moved by hand: so a flood is counted as slow as the pace allows."""
    times = [1000.0]
    monkeypatch.setattr(rate, "monotonic", lambda: times[0])
    rate_limits._recent.clear()
    yield times
    rate_limits._recent.clear()


@pytest.fixture
def candidate_client(world):
    return make_exam_with_candidates(world)


def kept_of(world):
    rows = world.session.query(QuarantinedSave).order_by(QuarantinedSave.id).populate_existing().all()
    return rows, sum(len(json.dumps(row.changes, ensure_ascii=False).encode()) for row in rows)


@pytest.mark.parametrize("saves", [40, pytest.param(1500, marks=pytest.mark.long)])
def test_a_flood_of_saves_of_a_taken_over_epoch_leaves_bounded_rows_and_bytes(world, moment, saves):
    for _ in range(60):
        world.question(Kind.FILL_BLANK)
    candidate_client = CandidateClient(world, world.exam(world.blueprint([(Kind.FILL_BLANK, 60, "1")])), world.person())
    candidate_client.start()
    assert candidate_client.api.post(candidate_client.url("/epoch")).get_json() == {"epoch": 2}
    answers = []
    for number in range(saves):
        moment[0] += 0.06
        items = [(number * 5 + step) % 60 + 1 for step in range(5)]
        answers.append(candidate_client.save(*((item, number + 1, ["依" * 4000]) for item in items), epoch=1))
    assert {(answer.status_code, answer.get_json()["error"]) for answer in answers} == {
        (409, "taken_over"),
        (429, "slow_down"),
    }
    assert answers[0].status_code == 409
    assert all(answer.get_json()["next_save_ms"] for answer in answers if answer.status_code == 429)
    rows, size = kept_of(world)
    assert len(rows) <= attempt_rules.MAX_QUARANTINED_ROWS
    assert size <= attempt_rules.MAX_QUARANTINED_BYTES
    assert candidate_client.save(epoch=1).get_json()["error"] == "taken_over"
    assert candidate_client.save((1, 1, ["三十日"]), epoch=2).status_code == 200


def test_many_epochs_leave_no_more_than_fifty_rows(candidate_client, world, moment):
    for _ in range(60):
        candidate_client.api.post(candidate_client.url("/epoch"))
    found = []
    for epoch in range(1, 61):
        moment[0] += 1
        found.append(candidate_client.save((1, 1, ["A"]), epoch=epoch).status_code)
    assert found == [409] * 50 + [429] * 10
    assert len(kept_of(world)[0]) == 50
    assert candidate_client.save((1, 2, ["B"]), epoch=1).status_code == 409


def test_rejections_count_towards_the_pace(candidate_client, moment):
    candidate_client.api.post(candidate_client.url("/epoch"))
    found = [candidate_client.save((1, 1, ["A"]), epoch=1).status_code for _ in range(110)]
    assert found == [409] * 100 + [429] * 10


def test_who_has_no_live_sign_in_is_counted_nowhere(candidate_client, world, moment):
    """Else a dead cookie and invented numbers would slow down all who save."""
    world.session.execute(update(SignIn).values(ended_at=NOON))
    for number in range(20):
        answer = candidate_client.api.put(
            f"/api/v1/attempts/{10**9 + number}/answers", json={"epoch": 1, "changes": []}
        )
        assert answer.status_code == 401
    assert len(rate_limits._recent) == 0


def test_the_newest_content_of_each_item_is_kept_in_one_row_an_epoch(candidate_client, world):
    candidate_client.api.post(candidate_client.url("/epoch"))
    candidate_client.save((1, 1, ["A"]), (2, 2, ["B"]), epoch=1)
    candidate_client.save((1, 4, ["C"]), (5, 3, ["三十日"]), epoch=1)
    candidate_client.save((2, 1, ["A"]), (99, 7, ["A"]), epoch=1)
    assert [row.changes for row in kept_of(world)[0]] == [[[1, 4, ["C"]], [2, 2, ["B"]], [5, 3, ["三十日"]]]]


def test_what_was_judged_is_not_added_to_and_its_repeat_is_not_kept_again(candidate_client, world, fixed_clock):
    candidate_client.api.post(candidate_client.url("/epoch"))
    candidate_client.save((1, 1, ["A"]), epoch=1)
    row = kept_of(world)[0][0]
    row.judged_at = NOON
    world.session.commit()
    assert candidate_client.save((1, 1, ["A"]), epoch=1).status_code == 409
    assert len(kept_of(world)[0]) == 1
    candidate_client.save((1, 2, ["B"]), epoch=1)
    assert [one.changes for one in kept_of(world)[0]] == [[[1, 1, ["A"]]], [[1, 2, ["B"]]]]


def test_late_content_of_a_whole_paper_is_kept_in_batches(candidate_client, world, fixed_clock):
    fixed_clock.at(NOON + timedelta(hours=1, minutes=2))
    for item, response in ((1, ["A"]), (2, ["B"]), (3, ["A", "C"]), (4, ["B"]), (5, ["三十日"])):
        assert candidate_client.save((item, item, response)).get_json()["error"] == "deadline_passed"
    (row,) = kept_of(world)[0]
    assert [item for item, _, _ in row.changes] == [1, 2, 3, 4, 5]


def event(number, kind="resume"):
    return {"n": number, "type": kind, "client_at": None, "duration_ms": 800}


def count_events(world):
    return world.session.scalar(select(func.count()).select_from(AttemptEvent))


@pytest.mark.parametrize("events", [3000, pytest.param(80_000, marks=pytest.mark.slow)])
def test_a_flood_of_events_leaves_two_thousand(candidate_client, world, events):
    for start in range(0, events, 200):
        body = {"events": [event(start + step) for step in range(200)]}
        assert candidate_client.api.post(candidate_client.url("/events"), json=body).status_code == 204
    assert count_events(world) == attempt_rules.MAX_EVENTS_KEPT == 2000


def test_events_end_a_while_after_the_hand_in(candidate_client, world, fixed_clock):
    candidate_client.hand_in((1, 1, ["A"]))
    fixed_clock.at(NOON + timedelta(minutes=5))
    assert (
        candidate_client.api.post(candidate_client.url("/events"), json={"events": [event(1, "offline")]}).status_code
        == 204
    )
    fixed_clock.at(NOON + timedelta(minutes=5, seconds=1))
    assert (
        candidate_client.api.post(candidate_client.url("/events"), json={"events": [event(2, "offline")]}).status_code
        == 204
    )
    assert count_events(world) == 1


def test_events_sent_at_the_same_moment_do_not_pass_the_bound_together(race_world):
    make_bank(race_world)
    candidate_client = CandidateClient(race_world, race_world.exam(race_world.blueprint(KINDS)), race_world.person())
    race_world.commit()
    candidate_client.start()
    for start in range(0, 1800, 200):
        candidate_client.api.post(
            candidate_client.url("/events"), json={"events": [event(start + step) for step in range(200)]}
        )
    clients = [race_world.api(candidate_client.person) for _ in range(6)]
    race_world.commit()

    def send(number):
        body = {"events": [event(10_000 * (number + 1) + step) for step in range(200)]}
        clients[number].post(candidate_client.url("/events"), json=body)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count_events(race_world) == 2000

from datetime import timedelta

import pytest

from examapp.delivery.attempts.actions import close_overdue
from examapp.delivery.attempts.models import AnswerChange, Attempt
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import tasks as grading_tasks
from examapp.security.concurrency_limiter import REJECTED_QUEUE_DEPTH
from tests.attempts.candidate_clients import CandidateClient, make_exam_with_candidates, sheet_digest
from tests.conftest import NOON


@pytest.fixture
def candidate_client(world):
    return make_exam_with_candidates(world)


def test_hand_in_merges_the_sheet_and_gives_the_receipt(candidate_client):
    candidate_client.save((1, 1, ["A"]), (2, 2, ["B"]))
    answer = candidate_client.hand_in((2, 3, ["C"]), (3, 4, ["C", "A"]), (5, 5, [" "]))
    assert answer.status_code == 201
    receipt = answer.get_json()["receipt"]
    assert receipt["answered"] == 3
    assert receipt["total"] == 5
    assert receipt["forced"] is False
    assert receipt["submitted_at"] == "2026-11-24T12:00:00.000+08:00"
    assert receipt["sha256"] == sheet_digest(candidate_client.attempt["id"], [[1, ["A"]], [2, ["C"]], [3, ["A", "C"]]])


def test_any_repeat_gives_the_same_receipt(candidate_client):
    first = candidate_client.hand_in((1, 1, ["A"]))
    again = candidate_client.hand_in((1, 9, ["B"]))
    other_epoch = candidate_client.hand_in(epoch=7)
    assert (first.status_code, again.status_code, other_epoch.status_code) == (201, 200, 200)
    assert first.get_json()["receipt"] == again.get_json()["receipt"] == other_epoch.get_json()["receipt"]
    assert candidate_client.look()["receipt"] == first.get_json()["receipt"]


def test_rejected_items_of_the_sheet_are_left_out_and_listed(candidate_client):
    answer = candidate_client.hand_in((1, 1, ["A"]), (2, 2, ["Z"]), (88, 3, ["A"]))
    assert answer.get_json()["refused"] == {"2": "unknown_option", "88": "unknown_item"}
    assert answer.get_json()["receipt"]["answered"] == 1


def test_hand_in_of_an_older_device_is_rejected_and_closes_nothing(candidate_client):
    candidate_client.api.post(candidate_client.url("/epoch"))
    answer = candidate_client.hand_in((1, 1, ["A"]), epoch=1)
    assert (answer.status_code, answer.get_json()["error"], answer.get_json()["epoch"]) == (409, "taken_over", 2)
    assert candidate_client.look()["state"] == "in_progress"
    assert candidate_client.hand_in(epoch=9).status_code == 400


def test_hand_in_within_grace_counts_at_the_deadline(candidate_client, fixed_clock):
    fixed_clock.at(NOON + timedelta(hours=1, seconds=30))
    receipt = candidate_client.hand_in((1, 1, ["A"])).get_json()["receipt"]
    assert receipt["submitted_at"] == "2026-11-24T13:00:00.000+08:00"
    assert (receipt["forced"], receipt["answered"]) == (False, 1)


def test_hand_in_after_a_forced_close_gives_the_forced_receipt_and_keeps_the_late_answers_aside(
    candidate_client, fixed_clock, world
):
    candidate_client.save((1, 1, ["A"]))
    fixed_clock.at(NOON + timedelta(hours=1, minutes=5))
    answer = candidate_client.hand_in((1, 2, ["B"]), (2, 3, ["B"]))
    assert answer.status_code == 200
    assert answer.get_json()["receipt"]["forced"] is True
    assert answer.get_json()["receipt"]["answered"] == 1
    assert candidate_client.answers() == {1: ["A"]}


def test_sweep_closes_only_what_is_overdue_and_only_once(candidate_client, fixed_clock, session):
    assert close_overdue(session, now=NOON + timedelta(hours=1, seconds=59), limit=9) == 0
    assert close_overdue(session, now=NOON + timedelta(hours=1, seconds=60), limit=9) == 1
    assert close_overdue(session, now=NOON + timedelta(hours=3), limit=9) == 0


def test_one_round_of_the_sweep_closes_all_that_is_overdue_batch_by_batch(
    candidate_client, fixed_clock, session, world, monkeypatch
):
    monkeypatch.setattr(grading_tasks, "_CLOSED_AT_ONCE", 2)
    for number in range(4):
        CandidateClient(
            world, world.session.get(Exam, candidate_client.exam_id), world.person(name=f"同事{number}")
        ).start()
    fixed_clock.at(NOON + timedelta(hours=3))
    grading_tasks.sweep_once()
    session.expire_all()
    assert {attempt.is_forced for attempt in session.query(Attempt)} == {True}
    assert session.query(Attempt).count() == 5


def test_replaying_everything_changes_nothing(candidate_client, world):
    saves = [(1, 1, ["A"]), (1, 2, ["B"]), (3, 3, ["A"]), (5, 4, ["三十日"])]
    for save in saves:
        candidate_client.save(save)
    receipt = candidate_client.hand_in((4, 5, ["B"])).get_json()["receipt"]
    before = (
        candidate_client.answers(),
        world.session.query(AnswerChange).count(),
        candidate_client.result().get_json(),
    )
    for save in reversed(saves + saves):
        candidate_client.save(save)
    assert candidate_client.hand_in((4, 5, ["B"])).get_json()["receipt"] == receipt
    assert (
        candidate_client.answers(),
        world.session.query(AnswerChange).count(),
        candidate_client.result().get_json(),
    ) == before


def test_history_folds_to_the_answers(candidate_client, world):
    candidate_client.save((1, 1, ["A"]), (2, 2, ["B"]))
    candidate_client.save((1, 3, ["C"]))
    candidate_client.api.post(candidate_client.url("/epoch"))
    candidate_client.save((2, 1, []), epoch=2)
    folded = {
        change.item: change.response
        for change in world.session.query(AnswerChange).order_by(AnswerChange.epoch, AnswerChange.seq)
    }
    assert folded == candidate_client.answers() == {1: ["C"], 2: []}


def test_state_of_the_row_never_contradicts_itself(candidate_client, world):
    candidate_client.hand_in()
    attempt = world.session.get(Attempt, candidate_client.attempt["id"])
    assert attempt.receipt_number
    assert attempt.submitted_at == NOON


def test_a_save_without_a_turn_is_rejected_before_anything_is_read_and_comes_again(candidate_client):
    body = {"epoch": 1, "changes": [{"item": 1, "seq": 1, "response": ["A"]}]}
    rejected = candidate_client.api.put(
        candidate_client.url("/answers"), json=body, environ_overrides={REJECTED_QUEUE_DEPTH: 40}
    )
    assert (rejected.status_code, rejected.get_json()["error"], int(rejected.headers["Retry-After"]) >= 1) == (
        503,
        "try_again",
        True,
    )
    assert candidate_client.answers() == {}
    assert candidate_client.api.put(candidate_client.url("/answers"), json=body).status_code == 200


def test_handing_in_a_stored_sheet_costs_three_statements_and_a_changed_one_two_more(world, statements):
    candidate_client = make_exam_with_candidates(world)
    for item in (1, 2):
        candidate_client.save((item, item, ["A"]))
    other = CandidateClient(world, world.session.get(Exam, candidate_client.exam_id), world.person())
    other.start()
    with statements() as seen:
        assert candidate_client.hand_in((1, 1, ["A"]), (2, 2, ["A"])).status_code == 201
    assert len(seen) == 3, seen
    with statements() as seen:
        assert other.hand_in((1, 1, ["A"])).status_code == 201
    assert len(seen) == 5, seen

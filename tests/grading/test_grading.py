from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from examapp.content.blueprints.models import Paper
from examapp.content.questions.models import AnswerKey
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import actions as grading_actions
from examapp.delivery.grading import queries as grading_queries
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Correction, Grade, ItemMark, ItemRuling
from examapp.delivery.grading.rules import GradingRules, unpack_sheet
from tests.attempts.candidate_clients import CandidateClient, make_exam_with_candidates
from tests.conftest import NOON
from tests.helpers.grading import right_answers


def test_all_right_is_full_points_and_shown_at_once(world):
    candidate_client = make_exam_with_candidates(world, kind="mock", results_policy="at_once", keys_policy="at_once")
    assert candidate_client.result().get_json()["error"] == "not_submitted"
    candidate_client.hand_in(*right_answers(world, candidate_client))
    assert candidate_client.result().status_code == 202
    grading_tasks.sweep_once()
    body = candidate_client.result().get_json()
    assert (body["points"], body["points_possible"], body["percent"], body["band"], body["passed"]) == (
        "12.00",
        "12.00",
        "100.00",
        "excellent",
        True,
    )
    assert [item["points"] for item in body["items"]] == ["2.00", "2.00", "3.00", "1.00", "4.00"]
    assert all(item["key"] and item["explanation"] for item in body["items"])
    assert candidate_client.look()["state"] == "graded"


def test_nothing_answered_is_zero_and_fails(world):
    candidate_client = make_exam_with_candidates(world, results_policy="at_once", keys_policy="at_close")
    candidate_client.hand_in()
    grading_tasks.sweep_once()
    body = candidate_client.result().get_json()
    assert (body["points"], body["band"], body["passed"], body["items"]) == ("0.00", "fail", False, None)


def test_hidden_result_says_only_when_it_comes(world, fixed_clock):
    candidate_client = make_exam_with_candidates(world, results_policy="at_close", keys_policy="at_close")
    candidate_client.hand_in((1, 1, ["A"]))
    grading_tasks.sweep_once()
    body = candidate_client.result().get_json()
    assert set(body) == {"state", "published", "publish_at"}
    assert body["published"] is False
    fixed_clock.at(NOON + timedelta(days=2))
    assert candidate_client.result().get_json()["published"] is True
    assert candidate_client.result().get_json()["items"] is not None


def test_result_never_shown_has_no_instant(world):
    candidate_client = make_exam_with_candidates(world, results_policy="never", keys_policy="never")
    candidate_client.hand_in()
    grading_tasks.sweep_once()
    assert candidate_client.result().get_json() == {"state": "graded", "published": False, "publish_at": None}


def test_grading_twice_makes_one_grade(world, session):
    candidate_client = make_exam_with_candidates(world)
    candidate_client.hand_in((1, 1, ["A"]))
    ids = grading_actions.begin_batch(session, now=NOON)
    assert grading_actions.grade_batch(session, ids, now=NOON) == 1
    assert grading_actions.grade_batch(session, ids, now=NOON) == 0
    grading_tasks.sweep_once()
    assert session.query(Grade).count() == 1


def test_the_statements_of_grading_do_not_grow_with_the_papers(world, session, statements):
    """The rules and rulings of an exam are read once for all its papers of a batch."""
    exam, counts = make_exam_with_candidates(world).exam, []
    for papers in (1, 1, 3):  # the first reads keys, which a process keeps; later ones may need some more
        for _ in range(papers):
            candidate_client = CandidateClient(world, exam, world.person())
            candidate_client.start()
            candidate_client.hand_in((1, 1, ["A"]))
        ids = grading_actions.begin_batch(session, now=NOON)
        with statements() as seen:
            assert grading_actions.grade_batch(session, ids, now=NOON) == papers
        counts.append((len(seen), sum("item_rulings" in statement for statement in seen)))
    assert counts[2][0] <= counts[0][0] and counts[2][1] == 1


def test_a_batch_that_is_not_full_ends_the_task(world, statements):
    make_exam_with_candidates(world).hand_in((1, 1, ["A"]))
    with statements() as seen:
        assert grading_tasks.grade_waiting(max_batches=5) == 1
    assert sum("SKIP LOCKED" in statement for statement in seen) == 1


def test_grade_is_a_pure_function_of_answers_and_keys(world, session):
    candidate_client = make_exam_with_candidates(world)
    answers = right_answers(world, candidate_client)
    candidate_client.hand_in(answers[0], (2, 2, ["A"]), answers[2])
    grading_tasks.sweep_once()
    first = session.query(Grade).one()
    points = (first.points, first.item_points)
    session.delete(first)
    attempt = session.get(Attempt, candidate_client.attempt["id"])
    attempt.state, attempt.grading_retry_count = "submitted", 0
    session.flush()
    grading_tasks.sweep_once()
    again = session.query(Grade).one()
    assert (again.points, again.item_points) == points


def test_a_grade_names_what_it_is_made_of_and_stands_by_the_rules_of_its_day(world, session):
    """Rules changed afterwards, and by hand in the database, do not move what was graded: a regrade uses the frozen ones."""
    candidate_client = make_exam_with_candidates(world)
    candidate_client.hand_in(*right_answers(world, candidate_client))
    grading_tasks.sweep_once()
    grade = session.query(Grade).one()
    exam = session.get(Exam, candidate_client.exam.id)
    assert GradingRules.from_json(grade.rules) == grading_actions.rules_of(exam)
    assert (grade.ruling_ids, grade.mark_ids) == ([], [])
    paper = session.get(Paper, session.get(Attempt, candidate_client.attempt["id"]).paper_id)
    stored = unpack_sheet(paper.response_schema, grade.sheet, {"5": ["三十日"]})
    assert len(stored) == 5 and all(stored)
    exam.pass_percent = exam.good_percent = exam.excellent_percent = 100
    session.flush()
    (sheet,) = grading_queries.list_sheets(session, [grade.attempt_id])
    assert sheet.rules != grade.rules
    keys = grading_queries.newest_keys(session, sheet.version_ids)
    again = grading_actions.make_grade(replace(sheet, rules=grade.rules), keys, {})
    assert {name: getattr(grade, name) for name in ("points", "percent", "band", "sheet", "rules", "key_ids")} == {
        name: again[name] for name in ("points", "percent", "band", "sheet", "rules", "key_ids")
    }


def test_rulings_in_force_and_marks_given_by_persons_count_in_a_grade(world, session):
    candidate_client = make_exam_with_candidates(world)
    candidate_client.hand_in(*right_answers(world, candidate_client))
    attempt = session.get(Attempt, candidate_client.attempt["id"])
    (first, _), *_ = (
        [item[:2] for item in section["items"]] for section in session.get(Paper, attempt.paper_id).sections
    )
    correction = world.save(
        Correction(
            kind="item", change={}, exam_ids=[attempt.exam_id], reason="", public_reason="", is_published=False, fingerprint="", summary={},
            attempt_ids=[], state="asked", asked_by_id=candidate_client.person.id, asked_at=NOON,
        )
    )  # fmt: skip
    common = {"exam_id": attempt.exam_id, "key_ids": [], "correction_id": correction.id}
    old, new = (
        world.save(ItemRuling(question_version_id=first[0], part=first[1], treatment=treatment, **common))
        for treatment in ("full", "void")
    )
    elsewhere = world.save(
        ItemRuling(question_version_id=world.question().current_version_id, part=0, treatment="void", **common)
    )
    mark = world.save(ItemMark(attempt_id=attempt.id, item=2, number=1, points=Decimal("0.50"), source="review"))
    grading_tasks.sweep_once()
    grade = session.query(Grade).one()
    assert (grade.ruling_ids, grade.mark_ids) == ([new.id], [mark.id])
    assert old.id not in grade.ruling_ids and elsewhere.id not in grade.ruling_ids
    assert grade.item_points[:2] == ["0.00", "0.50"]
    assert grade.points_possible == Decimal("10.00")


@pytest.mark.parametrize(
    "change", ["UPDATE grades SET points = 0", "UPDATE grades SET rules = '{}'", "UPDATE answer_keys SET parts = '[]'"]
)
def test_what_a_grade_is_made_of_cannot_be_changed(world, session, change):
    candidate_client = make_exam_with_candidates(world)
    candidate_client.hand_in(*right_answers(world, candidate_client))
    grading_tasks.sweep_once()
    with pytest.raises(DBAPIError, match="never changes"), session.begin_nested():
        session.execute(text(change))
    session.execute(text("UPDATE grades SET is_current = false"))


def test_paper_that_cannot_be_graded_is_set_aside_after_three_tries_and_never_zero(world, session, fixed_clock):
    candidate_client = make_exam_with_candidates(world)
    candidate_client.hand_in((1, 1, ["A"]))
    session.query(AnswerKey).delete()
    session.flush()
    for minute in range(4):
        fixed_clock.at(NOON + timedelta(minutes=minute))
        grading_tasks.sweep_once()
    attempt = session.get(Attempt, candidate_client.attempt["id"])
    session.refresh(attempt)
    assert attempt.grading_retry_count == 3
    assert attempt.quarantined_at is not None
    assert session.query(Grade).count() == 0
    assert candidate_client.result().get_json() == {"state": "grading"}


def test_a_bad_paper_does_not_hold_up_the_others(world, session, fixed_clock):
    bad = make_exam_with_candidates(world)
    bad.hand_in((1, 1, ["A"]))
    session.get(Attempt, bad.attempt["id"]).response_schema = "S41"

    paper = session.get(Paper, session.get(Attempt, bad.attempt["id"]).paper_id)
    paper.sections = [{"title": "", "instructions": "", "items": [[999999, 0, "ABCD", "1.00"]]}]
    paper.response_schema = "S41"
    session.flush()
    good = make_exam_with_candidates(world)
    good.hand_in((1, 1, ["A"]))
    grading_tasks.sweep_once()
    fixed_clock.at(NOON + timedelta(minutes=1))
    grading_tasks.sweep_once()
    assert good.result().status_code == 200
    assert bad.result().status_code == 202

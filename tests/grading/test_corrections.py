"""Corrections of what grades are made of: a dry run, two persons or three, one transaction, and every grade as a grading from nothing gives it."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from examapp.content.questions.models import AnswerKey, QuestionUse
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.corrections import actions
from examapp.delivery.corrections.rules import CorrectionKind, GradeChange, fingerprint
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import actions as grading_actions
from examapp.delivery.grading import queries as grading_queries
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Correction, Grade, ItemRuling
from examapp.delivery.grading.rules import Treatment
from examapp.errors import BadRequestError, ConflictError, NotFoundError
from examapp.organisation.dual_control.actions import SamePersonError
from examapp.platform.audit.actions import ActionContext, Actor
from examapp.platform.audit.models import AuditEvent
from question_bank.model import Kind
from tests.attempts.candidate_clients import CandidateClient
from tests.conftest import NOON
from tests.helpers.grading import take_exam

VOID = Treatment.VOID


@pytest.fixture
def people(world, session):
    """The contexts of four persons of the office."""
    return [
        ActionContext(session, Actor(person_id=world.admin("publicity_office").id, address=None), NOON)
        for _ in range(4)
    ]


@pytest.fixture
def questions(world):
    return [world.question(Kind.SINGLE_CHOICE, key=(key,)) for key in "AB"]


@pytest.fixture
def exam(world, questions):
    """An exam of two questions, two points each, whose results are not yet out."""
    return world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="never", keys_policy="never")


def counts_for_all(question, treatment=Treatment.FULL, **fields):
    return GradeChange(kind=CorrectionKind.ITEM, version_id=question.current_version_id, treatment=treatment, **fields)


def current(session, exam):
    rows = (
        session.query(Grade)
        .join(Attempt, Grade.attempt_id == Attempt.id)
        .filter(Attempt.exam_id == exam.id, Grade.is_current)
    )
    return {grade.attempt_id: grade for grade in rows.populate_existing()}


def from_nothing(session, attempt_id):
    """Grade an attempt by what is in force, with the version's keys that its grade names: a newer key in the bank rules no exam by itself."""
    (sheet,) = grading_queries.list_sheets(session, [attempt_id])
    rulings = grading_queries.rulings_by_id(session, sheet.ruling_ids)
    return grading_actions.make_grade(sheet, grading_queries.newest_keys(session, sheet.version_ids), rulings)


def assert_grades_stand(session, exam):
    for attempt_id, grade in current(session, exam).items():
        made = from_nothing(session, attempt_id)
        assert [str(points) for points in made.pop("item_points")] == grade.item_points
        assert {name: getattr(grade, name) for name in made} == made


def apply(people, change, exam_ids):
    correction = actions.ask_correction(people[0], change=change, exam_ids=exam_ids, reason="法律修改")
    if correction.is_published:
        actions.check_correction(people[1], correction.id)
    return actions.approve_correction(people[2], correction.id)


def test_a_dry_run_writes_nothing_and_the_correction_does_what_it_said(world, session, exam, questions, people):
    by_first, by_none = take_exam(world, exam, right="A"), take_exam(world, exam, right="-")
    change = counts_for_all(questions[1])
    before = {attempt_id: grade.points for attempt_id, grade in current(session, exam).items()}
    said = actions.dry_run(session, change, [exam.id])
    assert {outcome.attempt_id: (outcome.points_before, outcome.points_after) for outcome in said} == {
        by_first.attempt["id"]: (Decimal(2), Decimal(4)),
        by_none.attempt["id"]: (Decimal(0), Decimal(2)),
    }
    assert session.query(ItemRuling).count() == session.query(Correction).count() == 0
    correction = apply(people, change, [exam.id])
    assert correction.fingerprint == fingerprint(said)
    after = current(session, exam)
    assert {outcome.attempt_id: (outcome.points_after, outcome.band_after) for outcome in said} == {
        attempt_id: (grade.points, grade.band) for attempt_id, grade in after.items()
    }
    log = session.query(Grade).filter_by(is_current=False)
    assert {grade.attempt_id: grade.points for grade in log} == before
    assert {(grade.number, grade.reason, grade.correction_id) for grade in after.values()} == {
        (2, "correction", correction.id)
    }
    assert session.get(Exam, exam.id).result_version == 2
    assert_grades_stand(session, exam)
    acts = [act for (act,) in session.query(AuditEvent.act).order_by(AuditEvent.id) if act.startswith("corrections.")]
    assert acts == ["corrections.ask", "corrections.approve"]


def test_what_is_graded_later_follows_the_ruling_too(world, session, exam, questions, people):
    take_exam(world, exam, right="A")
    apply(people, counts_for_all(questions[0], VOID), [exam.id])
    later = take_exam(world, exam, right="B")
    grade = current(session, exam)[later.attempt["id"]]
    assert (grade.points, grade.points_possible, grade.number) == (2, 2, 1)
    assert grade.ruling_ids == [session.query(ItemRuling).one().id]


def test_only_the_chosen_exams_are_corrected(world, session, exam, questions, people):
    other = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), results_policy="never", keys_policy="never")
    for each in (exam, other):
        take_exam(world, each, right="A")
    untouched = {grade.id for grade in current(session, other).values()}
    apply(people, counts_for_all(questions[1]), [exam.id])
    assert {grade.id for grade in current(session, other).values()} == untouched
    assert_grades_stand(session, other)


def test_published_results_need_three_persons_and_others_two(world, session, exam, questions, people):
    take_exam(world, exam, right="A")
    exam.results_policy = "at_once"
    session.flush()
    requester, checker, approver, _ = people
    correction = actions.ask_correction(
        requester, change=counts_for_all(questions[0]), exam_ids=[exam.id], reason="题目有误"
    )
    assert correction.is_published
    with pytest.raises(actions.AlreadyAskedError):
        actions.ask_correction(checker, change=counts_for_all(questions[0]), exam_ids=[exam.id], reason="题目有误")
    with pytest.raises(SamePersonError):
        actions.check_correction(requester, correction.id)
    with pytest.raises(ConflictError, match="先由一人审核"):
        actions.approve_correction(approver, correction.id)
    actions.check_correction(checker, correction.id)
    for same in (requester, checker):
        with pytest.raises(SamePersonError):
            actions.approve_correction(same, correction.id)
    actions.approve_correction(approver, correction.id)
    with pytest.raises(ConflictError, match="已经处理过"):
        actions.approve_correction(approver, correction.id)
    persons = {correction.asked_by_id, correction.checked_by_id, correction.approved_by_id}
    assert (len(persons), correction.state) == (3, "applied")
    with pytest.raises(IntegrityError), session.begin_nested():
        correction.approved_by_id = correction.checked_by_id
        session.flush()


def test_results_published_after_the_request_need_a_new_one(world, session, exam, questions, people):
    take_exam(world, exam, right="A")
    correction = actions.ask_correction(
        people[0], change=counts_for_all(questions[0]), exam_ids=[exam.id], reason="题目有误"
    )
    exam.results_policy = "at_once"
    session.flush()
    with pytest.raises(actions.OutdatedError, match="成绩已经公布"):
        actions.approve_correction(people[1], correction.id)


def test_an_outdated_dry_run_is_not_applied_and_papers_graded_since_are_no_reason(
    world, session, exam, questions, people
):
    take_exam(world, exam, right="A")
    first = actions.ask_correction(
        people[0], change=counts_for_all(questions[0]), exam_ids=[exam.id], reason="题目有误"
    )
    take_exam(world, exam, right="B")
    second = actions.ask_correction(
        people[0], change=counts_for_all(questions[1]), exam_ids=[exam.id], reason="题目有误"
    )
    actions.approve_correction(people[1], first.id)
    assert len(first.attempt_ids) == 1 and {grade.number for grade in current(session, exam).values()} == {2}
    with pytest.raises(actions.OutdatedError), session.begin_nested():
        actions.approve_correction(people[1], second.id)
    session.expire_all()
    assert second.state == "asked" and session.query(ItemRuling).count() == 1
    assert_grades_stand(session, exam)


def test_what_happened_between_request_and_approval_is_said(world, session, exam, questions, people):
    """An attempt was reopened, as extra time does it; then the exam was anonymised: nothing is done."""
    for right in "AB":
        take_exam(world, exam, right=right)
    correction = actions.ask_correction(
        people[0], change=counts_for_all(questions[0]), exam_ids=[exam.id], reason="题目有误"
    )
    session.query(Grade).filter_by(attempt_id=min(current(session, exam))).update({"is_current": False})
    with pytest.raises(actions.OutdatedError, match="重新试算"), session.begin_nested():
        actions.approve_correction(people[1], correction.id)
    session.get(Exam, exam.id).anonymised_at = NOON
    session.flush()
    for act in (
        lambda: actions.approve_correction(people[1], correction.id),
        lambda: actions.dry_run(session, counts_for_all(questions[1]), [exam.id]),
        lambda: apply(people, counts_for_all(questions[1]), [exam.id]),
    ):
        with pytest.raises(ConflictError, match="已经匿名"), session.begin_nested():
            act()
    session.expire_all()
    assert correction.state == "asked" and session.query(Grade).count() == 2


def test_a_correction_is_undone_only_by_one_back(world, session, exam, questions, people):
    candidate_client = take_exam(world, exam, right="A")
    key = session.query(AnswerKey).filter_by(question_version_id=questions[0].current_version_id).one()
    apply(people, counts_for_all(questions[0], VOID), [exam.id])
    apply(people, counts_for_all(questions[0], Treatment.KEY, key_ids=(key.id,)), [exam.id])
    log = session.query(Grade).filter_by(attempt_id=candidate_client.attempt["id"]).order_by(Grade.number)
    assert [(grade.points, grade.points_possible) for grade in log] == [(2, 4), (0, 2), (2, 4)]
    assert_grades_stand(session, exam)


def test_rules_and_an_attempt_are_corrected_too(world, session, exam, people):
    candidate_client = take_exam(world, exam, right="A")
    marks = {"pass_percent": "50.00", "good_percent": "80.00", "excellent_percent": "90.00"}
    apply(people, GradeChange(kind=CorrectionKind.RULES, rules=marks), [exam.id])
    (grade,) = current(session, exam).values()
    assert (grade.points, grade.is_passed, session.get(Exam, exam.id).pass_percent) == (2, True, 50)
    annulment = GradeChange(kind=CorrectionKind.ANNULMENT, attempt_id=candidate_client.attempt["id"], is_annulled=True)
    apply(people, annulment, [exam.id])
    (grade,) = current(session, exam).values()
    assert (grade.points, grade.points_possible, grade.is_passed) == (0, 4, False)
    assert_grades_stand(session, exam)
    apply(people, replace(annulment, is_annulled=False), [exam.id])
    (grade,) = current(session, exam).values()
    assert (grade.points, grade.is_passed) == (2, True)
    assert_grades_stand(session, exam)


def test_a_candidate_sees_what_a_correction_made_of_the_result(world, session, questions, people):
    """Points for all, then not counted: neither is a mistake; the rules are those of the grade."""
    exam = world.exam(
        world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)), kind="mock", results_policy="at_once", keys_policy="at_once"
    )
    candidate_client = take_exam(world, exam, right="A")
    address = f"/attempts/{candidate_client.attempt['id']}/result"
    assert "错题（1 题）" in candidate_client.api.get(address).text
    apply(people, counts_for_all(questions[1]), [exam.id])
    page = candidate_client.api.get(address).text
    assert "成绩作了更正" in page and "原 2 分，现 4 分" in page and "全部答对" in page
    apply(people, counts_for_all(questions[1], VOID), [exam.id])
    page = candidate_client.api.get(address).text
    assert "原 4 分，现 2 分" in page and "满分 2 分" in page and "全部答对" in page
    exam.pass_percent = 70
    session.flush()
    assert "得分率达到 60% 为合格" in candidate_client.api.get(address).text
    assert grading_actions.tally_questions(session, now=NOON) == 1
    assert [use.question_version_id for use in session.query(QuestionUse)] == [questions[0].current_version_id]


def test_what_cannot_be_corrected_is_said(world, session, exam, questions, people):
    unused = world.question(Kind.TRUE_FALSE)
    ask: dict[str, Any] = {"exam_ids": [exam.id], "reason": "题目有误"}
    with pytest.raises(BadRequestError, match="没有这样的已评分的答卷"):
        actions.ask_correction(people[0], change=counts_for_all(unused), **ask)
    take_exam(world, exam, right="A")
    with pytest.raises(BadRequestError, match="理由"):
        actions.ask_correction(people[0], change=counts_for_all(questions[0]), **(ask | {"reason": " "}))
    with pytest.raises(NotFoundError):
        actions.ask_correction(people[0], change=counts_for_all(questions[0]), **(ask | {"exam_ids": [exam.id, 0]}))
    apply(people, counts_for_all(questions[0], VOID), [exam.id])
    with pytest.raises(BadRequestError, match="没有可得的分"):
        actions.ask_correction(people[0], change=counts_for_all(questions[1], VOID), **ask)
    rejected = actions.ask_correction(people[0], change=counts_for_all(questions[1]), **ask)
    assert actions.reject_correction(people[1], rejected.id).state == "rejected"


def test_the_statements_do_not_grow_with_the_papers(world, session, exam, questions, people, statements):
    counts = []
    for treatment in (Treatment.FULL, VOID):
        for _ in range(3):
            take_exam(world, exam, right="A")
        correction = actions.ask_correction(
            people[0], change=counts_for_all(questions[0], treatment), exam_ids=[exam.id], reason="题目有误"
        )
        session.flush()
        with statements() as seen:
            actions.approve_correction(people[1], correction.id)
            session.flush()
        counts.append(len(seen))
    assert counts[1] <= counts[0] + 2, "but for reading the ruling of before, and its keys"


@pytest.mark.parametrize("seed", range(4))
def test_after_a_random_sequence_of_corrections_each_grade_equals_a_grading_from_nothing(world, session, people, seed):
    """All treatments and kinds of corrections, over two exams, with papers graded between them."""
    rng = random.Random(seed)
    bank = [
        world.question(kind, key=key)
        for kind, key in (
            (Kind.SINGLE_CHOICE, "A"),
            (Kind.SINGLE_CHOICE, "B"),
            (Kind.MULTIPLE_CHOICE, "AC"),
            (Kind.TRUE_FALSE, "B"),
        )
    ]
    bank.append(world.question(Kind.FILL_BLANK))
    sections = (
        (Kind.SINGLE_CHOICE, 2, "2"),
        (Kind.MULTIPLE_CHOICE, 1, "3"),
        (Kind.TRUE_FALSE, 1, "1"),
        (Kind.FILL_BLANK, 1, "4"),
    )
    exams = [world.exam(world.blueprint(sections), results_policy="never", keys_policy="never") for _ in range(2)]
    for _ in range(6):
        candidate_client = CandidateClient(world, rng.choice(exams), world.person())
        candidate_client.start()
        answers = [
            ["A"],
            ["B"],
            rng.choice([["A"], ["A", "C"], ["B"]]),
            rng.choice([["A"], ["B"]]),
            [rng.choice(["三十日", "十日"])],
        ]
        candidate_client.hand_in(
            *((item, item, response) for item, response in enumerate(answers, 1) if rng.random() < 0.8)
        )
        grading_tasks.sweep_once()
        graded = [grade.attempt_id for each in exams for grade in current(session, each).values()]
        chosen = rng.choice([exams[:1], exams[1:], exams])
        change = random_change(rng, session, bank, rng.choice(graded))
        if change.kind is CorrectionKind.ANNULMENT:
            chosen = [session.get(Exam, session.get(Attempt, change.attempt_id).exam_id)]
        if any(current(session, each) for each in chosen):
            said = actions.dry_run(session, change, [each.id for each in chosen])
            apply(people, change, [each.id for each in chosen])
            assert_done_as_said(session, chosen, said)
        for each in exams:
            assert_grades_stand(session, each)


def assert_done_as_said(session, exams, said):
    """Compare a dry run with what was applied after it, attempt by attempt, against the stored grades of before and after."""
    made = {attempt_id: grade for exam in exams for attempt_id, grade in current(session, exam).items()}
    for outcome in said:
        before, after = session.get(Grade, outcome.grade_id, populate_existing=True), made[outcome.attempt_id]
        assert (before.attempt_id, before.is_current, after.number) == (outcome.attempt_id, False, before.number + 1)
        found = [(grade.points, grade.percent, grade.band, grade.is_passed) for grade in (before, after)]
        assert found == [
            (outcome.points_before, outcome.percent_before, outcome.band_before, outcome.was_passed),
            (outcome.points_after, outcome.percent_after, outcome.band_after, outcome.is_passed),
        ]


def random_change(rng, session, bank, attempt_id):
    kind = rng.choice([CorrectionKind.ITEM, CorrectionKind.ITEM, CorrectionKind.RULES, CorrectionKind.ANNULMENT])
    if kind is CorrectionKind.RULES:
        marks = sorted(rng.sample(range(1, 99), 3))
        names = ("pass_percent", "good_percent", "excellent_percent")
        rule = rng.choice(["all_or_nothing", "half_for_incomplete", "per_option", "net_right"])
        return GradeChange(
            kind=kind,
            rules={"scoring_rule": rule} | {name: f"{mark}.00" for name, mark in zip(names, marks, strict=True)},
        )
    if kind is CorrectionKind.ANNULMENT:
        return GradeChange(kind=kind, attempt_id=attempt_id, is_annulled=rng.random() < 0.5)
    question = rng.choice(bank)
    keys = [key.id for key in session.query(AnswerKey).filter_by(question_version_id=question.current_version_id)]
    treatment = rng.choice([Treatment.KEY, Treatment.BEST_OF, Treatment.FULL, *([VOID] if question is bank[0] else [])])
    return counts_for_all(
        question, treatment, key_ids=tuple(keys) if treatment in {Treatment.KEY, Treatment.BEST_OF} else ()
    )

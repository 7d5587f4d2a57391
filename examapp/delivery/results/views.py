"""After the hand-in: the receipt to keep, the result by the exam's policy, and the list of mistakes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.delivery.attempts.actions import close_if_overdue
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.attempts.queries import get_own_attempt, list_attempts
from examapp.delivery.corrections.queries import list_grades
from examapp.delivery.exam_candidates.queries import CandidateExam, list_exams_of
from examapp.delivery.exams.models import SCORING_RULE_NAMES, Exam
from examapp.delivery.exams.rules import ExamPhase
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.rules import BAND_NAMES, Band, GradingRules
from examapp.delivery.results.queries import (
    Release,
    find_current_grade,
    release_to,
    review_items,
    shares_by_kind,
    shares_by_law,
)
from examapp.organisation.accounts.guards import are_keys_withheld, my_user, signed_in
from examapp.points import round_points
from question_bank.kinds.registry import KIND_NAMES

blueprint = Blueprint("grading", __name__)
_COUNTING_RULE_LABELS = {"best": "取最高成绩", "last": "取最后一次成绩", "first": "取第一次成绩"}


@blueprint.get("/attempts/<int:attempt_id>/receipt")
@signed_in
def show_receipt(attempt_id: int) -> str | AnyResponse:
    """Show the receipt of a hand-in, to keep or print."""
    attempt, exam = _closed_attempt(attempt_id)
    if attempt.state == AttemptState.IN_PROGRESS:
        return redirect(url_for("attempts.before_start", exam_id=exam.id))
    return render_template("grading/receipt.html", attempt=attempt, exam=exam)


@blueprint.get("/attempts/<int:attempt_id>/result")
@signed_in
def show_result(attempt_id: int) -> str | AnyResponse:
    """Show the result as far as the exam's policy shows it now; waits on the page while it is being graded."""
    attempt, exam = _closed_attempt(attempt_id)
    if attempt.state == AttemptState.IN_PROGRESS:
        return redirect(url_for("attempts.before_start", exam_id=exam.id))
    session = read_session()
    grade = find_current_grade(session, attempt.id)
    release = release_to(session, exam, are_keys_withheld=are_keys_withheld, now=clock.now())
    if grade is None or not release.are_results_out:
        return render_template(
            "grading/result_waiting.html", attempt=attempt, exam=exam, is_graded=grade is not None, release=release
        )
    return _result_page(session, attempt, exam, grade, release)


def _result_page(session: Session, attempt: Attempt, exam: Exam, grade: Grade, release: Release) -> str:
    reviewed = review_items(session, attempt, grade) if release.are_keys_out else []
    mistakes = [item for item in reviewed if not item.result.is_right]
    rules = GradingRules.from_json(grade.rules)
    grades = list_grades(session, attempt.id)
    before = grades[-2].points if len(grades) > 1 and grade.reason != "first" else grade.points
    return render_template(
        "grading/result.html",
        attempt=attempt,
        exam=exam,
        grade=grade,
        release=release,
        grades=grades,
        points_before=before if before != grade.points else None,
        band_name=BAND_NAMES[Band(grade.band)],
        rules=rules,
        scoring_words=SCORING_RULE_NAMES[rules.scoring_rule],
        counting_words=_COUNTING_RULE_LABELS[exam.counting_rule],
        shares=shares_by_law([item.result for item in reviewed]),
        kind_shares=shares_by_kind(reviewed),
        points_missing=_points_missing(rules, grade),
        mistakes=mistakes,
        kind_names=_kind_names(),
        **_what_comes_next(session, exam),
    )


def _points_missing(rules: GradingRules, grade: Grade) -> Decimal | None:
    """Give by how many points a result failed; None for a pass."""
    return None if grade.is_passed else round_points(rules.pass_percent * grade.points_possible / 100) - grade.points


def _closed_attempt(attempt_id: int) -> tuple[Attempt, Exam]:
    attempt = get_own_attempt(read_session(), attempt_id, person_id=my_user().person_id)
    if attempt.state == AttemptState.IN_PROGRESS:
        with transaction() as session:
            attempt = close_if_overdue(session, attempt_id, person_id=my_user().person_id, now=clock.now())
    return attempt, read_session().get_one(Exam, attempt.exam_id)  # meant: a number out of one's own row


def _kind_names() -> dict[str, str]:
    return {str(kind): name for kind, name in KIND_NAMES.items()}


def _what_comes_next(session: Session, exam: Exam) -> dict[str, Any]:
    """Give whether this exam may be sat again now, and the make-up that this person may still sit."""
    now = clock.now()
    mine = list_exams_of(session, my_user().person_id, now)
    return {
        "may_sit_again": any(c.exam.id == exam.id and _may_start_again(session, c, now) for c in mine),
        "makeup": next(
            (c for c in mine if c.exam.main_exam_id == exam.id and c.phase(now) is not ExamPhase.CLOSED), None
        ),
    }


def _may_start_again(session: Session, candidate: CandidateExam, now: datetime) -> bool:
    allowed = candidate.attempts_allowed
    if candidate.start_rejection(now) is not None or allowed == 1:
        return False
    return allowed is None or len(list_attempts(session, candidate.exam.id, candidate.person_id)) < allowed

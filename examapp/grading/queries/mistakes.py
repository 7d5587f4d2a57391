"""A graded paper item by item as its candidate reads it again, and the sittings whose keys are released to a person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from examapp.attempts.models import Attempt
from examapp.exams.models import Exam
from examapp.grading.models import Grade
from examapp.grading.queries.results import ItemResult, Release, list_item_results, release_of
from examapp.papers.models import Paper
from examapp.papers.queries import get_paper, items_of, render_paper

_MOST_SITTINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedItem:
    """One item of a graded paper: what was asked, what was answered, what is right and why."""

    result: ItemResult
    asked: dict[str, Any]
    """The item as the delivery protocol's paper writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedSitting:
    """A graded attempt with its exam and the grade that counts."""

    attempt: Attempt
    exam: Exam
    grade: Grade


def review_items(session: Session, attempt: Attempt, grade: Grade) -> list[ReviewedItem]:
    """List a graded attempt's items with words and keys; only after the keys' release."""
    paper = get_paper(session, attempt.paper_id)
    asked = {item["item"]: item for section in render_paper(session, paper)["sections"] for item in section["items"]}
    return [
        ReviewedItem(result=result, asked=asked[result.item]) for result in list_item_results(session, attempt, grade)
    ]


def list_sittings_with_keys(session: Session, person_id: int, *, now: datetime) -> list[GradedSitting]:
    """List a person's graded attempts whose keys are released, the latest first; at most 200."""
    rows = session.execute(
        select(Attempt, Exam, Grade)
        .join(Exam, Attempt.exam_id == Exam.id)
        .join(Grade, (Grade.attempt_id == Attempt.id) & Grade.is_current)
        .where(Attempt.person_id == person_id)
        .order_by(Attempt.submitted_at.desc(), Attempt.id.desc())
        .limit(_MOST_SITTINGS)
    ).all()
    releases: dict[int, Release] = {}
    for _, exam, _ in rows:
        if exam.id not in releases:
            releases[exam.id] = release_of(session, exam, now=now)
    return [
        GradedSitting(attempt=attempt, exam=exam, grade=grade)
        for attempt, exam, grade in rows
        if releases[exam.id].are_keys_out
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAnswers:
    """An attempt as training learns from it by one of its grades: which parts of which versions were right, which were marked unsure."""

    attempt_id: int
    grade_id: int
    exam_id: int
    person_id: int
    unit_id: int
    submitted_at: datetime
    items: tuple[tuple[int, int, bool, bool], ...]
    """Version, part (from 0), right, unsure."""


def list_released_exams(session: Session, *, known: Select[int], now: datetime) -> list[int]:
    """List the exams whose keys are out and that have graded attempts besides the known ones."""
    graded = (
        select(Attempt.exam_id)
        .join(Grade, (Grade.attempt_id == Attempt.id) & Grade.is_current)
        .where(Attempt.id.not_in(known))
        .distinct()
    )
    exams = session.scalars(select(Exam).where(Exam.id.in_(graded)).order_by(Exam.id)).all()
    return [exam.id for exam in exams if release_of(session, exam, now=now).are_keys_out]


def list_graded_answers(session: Session, exam_id: int, *, known: Select[int], most: int) -> list[GradedAnswers]:
    """List graded attempts of an exam besides the known ones, with their items; the caller has made sure that the keys are out."""
    wanted = _WITH_PAPER.where(Grade.is_current, Attempt.exam_id == exam_id, Attempt.id.not_in(known))
    return _answers(session, wanted.limit(most))


def list_answers_of_grades(session: Session, grade_ids: Collection[int] | Select[int]) -> list[GradedAnswers]:
    """List the attempts of grades, current or not, each as that grade has it; the caller has made sure that the keys are out."""
    return _answers(session, _WITH_PAPER.where(Grade.id.in_(grade_ids)))


def list_newer_grades(session: Session, *, known: Select[int | None], most: int) -> list[tuple[int, int]]:
    """List the known grades that count no longer, each with the grade of its attempt that does; at most so many."""
    old = aliased(Grade)
    rows = session.execute(
        select(old.id, Grade.id)
        .join(Grade, (Grade.attempt_id == old.attempt_id) & Grade.is_current)
        .where(Grade.number > 1, Grade.id != old.id, old.id.in_(known))
        .order_by(old.id)
        .limit(most)
    )
    return [(row[0], row[1]) for row in rows]


_WITH_PAPER = (
    select(Attempt, Grade, Paper)
    .join(Grade, Grade.attempt_id == Attempt.id)
    .join(Paper, Attempt.paper_id == Paper.id)
    .order_by(Attempt.id, Grade.number)
)


def _answers(session: Session, statement: Select[Attempt, Grade, Paper]) -> list[GradedAnswers]:
    return [
        GradedAnswers(
            attempt_id=attempt.id,
            grade_id=grade.id,
            exam_id=attempt.exam_id,
            person_id=attempt.person_id,
            unit_id=attempt.unit_id,
            submitted_at=attempt.submitted_at or attempt.started_at,
            items=tuple(
                (item.version_id, item.part, Decimal(points) == item.points, item.item in attempt.unsure)
                for item, points in zip(items_of(paper), grade.item_points, strict=True)
            ),
        )
        for attempt, grade, paper in session.execute(statement)
    ]

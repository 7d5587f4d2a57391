"""Reads for grading, and graded attempts as their candidates see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from examapp.content.blueprints.models import Paper
from examapp.content.questions.models import AnswerKey, QuestionUse
from examapp.delivery.attempts.models import Answer, Attempt, AttemptState
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.models import Grade
from examapp.jobs.models import MAX_RETRIES


@dataclass(frozen=True, slots=True)
class VersionKey:
    """The newest key of a question version: the row it comes from, and one entry a part."""

    id: int
    parts: Sequence[dict[str, Any]]


def claim_ungraded(
    session: Session,
    *,
    most: int,
    is_first: bool = False,
    lease_over_at: datetime | None = None,
    ids: Sequence[int] | None = None,
) -> list[Attempt]:
    """Lock attempts that wait for a grade, oldest first: those that nobody else holds, or exactly `ids`, which the caller has begun.

    For those it waits: a hand-in repeated at this moment holds the row too, and a row passed over would wait for its lease to end.

    `is_first`: never tried before; `lease_over_at`: tried, but begun before this instant and not yet as often as may be.
    """
    statement = (
        select(Attempt)
        .where(Attempt.state == AttemptState.SUBMITTED, Attempt.quarantined_at.is_(None))
        .order_by(Attempt.submitted_at)
        .limit(most)
        .with_for_update(skip_locked=ids is None)
        .execution_options(populate_existing=True)
    )
    if is_first:
        statement = statement.where(Attempt.grading_retry_count == 0)
    if lease_over_at is not None:
        statement = statement.where(
            Attempt.grading_retry_count.between(1, MAX_RETRIES - 1), Attempt.grading_began_at <= lease_over_at
        )
    if ids is not None:
        statement = statement.where(Attempt.id.in_(ids))
    return list(session.scalars(statement))


def list_exhausted(session: Session, *, lease_over_at: datetime) -> Sequence[Attempt]:
    """Lock attempts whose grading failed as often as it may."""
    return session.scalars(
        select(Attempt)
        .where(Attempt.state == AttemptState.SUBMITTED, Attempt.quarantined_at.is_(None))
        .where(Attempt.grading_retry_count >= MAX_RETRIES, Attempt.grading_began_at <= lease_over_at)
        .with_for_update(skip_locked=True)
    ).all()


def papers_by_id(session: Session, ids: Iterable[int]) -> dict[int, Paper]:
    """Give papers by id, in one statement."""
    return {paper.id: paper for paper in session.scalars(select(Paper).where(Paper.id.in_(set(ids))))}


def exams_by_id(session: Session, ids: Iterable[int]) -> dict[int, Exam]:
    """Give exams by id, in one statement."""
    return {exam.id: exam for exam in session.scalars(select(Exam).where(Exam.id.in_(set(ids))))}


def answers_by_attempt(session: Session, ids: Sequence[int]) -> dict[int, dict[int, list[str]]]:
    """Give responses by attempt and item, in one statement."""
    found: dict[int, dict[int, list[str]]] = {attempt_id: {} for attempt_id in ids}
    for attempt_id, item, response in session.execute(
        select(Answer.attempt_id, Answer.item, Answer.response).where(Answer.attempt_id.in_(ids))
    ):
        found[attempt_id][item] = response
    return found


def newest_keys(session: Session, version_ids: Iterable[int]) -> dict[int, VersionKey]:
    """Give the newest key of each question version, in one statement."""
    rows = session.execute(
        select(AnswerKey.question_version_id, AnswerKey.id, AnswerKey.parts)
        .where(AnswerKey.question_version_id.in_(set(version_ids)))
        .ext(distinct_on(AnswerKey.question_version_id))
        .order_by(AnswerKey.question_version_id, AnswerKey.number.desc())
    )
    return {version_id: VersionKey(key_id, parts) for version_id, key_id, parts in rows}


def last_grade_numbers(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Give the number of the last grade of attempts that were graded before."""
    rows = session.execute(
        select(Grade.attempt_id, func.max(Grade.number)).where(Grade.attempt_id.in_(ids)).group_by(Grade.attempt_id)
    )
    return {attempt_id: number for attempt_id, number in rows}  # noqa: C416 – rows are no plain tuples for the type checker


def count_ungraded(session: Session) -> tuple[int, int]:
    """Count the attempts that wait for a grade, and those set aside after three tries, for monitoring."""
    row = session.execute(
        select(
            func.count().filter(Attempt.quarantined_at.is_(None)),
            func.count().filter(Attempt.quarantined_at.is_not(None)),
        ).where(Attempt.state == AttemptState.SUBMITTED)
    ).one()
    return row[0], row[1]


_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class GradedPaper:
    """A paper as it was drawn, and what its items brought."""

    sections: Sequence[dict[str, Any]]
    item_points: Sequence[str]


def exams_to_tally(session: Session) -> list[tuple[int, str]]:
    """List the exams with grades younger than their last count: id and title."""
    counted = (
        select(QuestionUse.exam_id, func.max(QuestionUse.counted_at).label("at"))
        .group_by(QuestionUse.exam_id)
        .subquery()
    )
    graded = (
        select(Attempt.exam_id, func.max(Grade.graded_at).label("at"))
        .join(Attempt, Grade.attempt_id == Attempt.id)
        .where(Grade.is_current)
        .group_by(Attempt.exam_id)
        .subquery()
    )
    rows = session.execute(
        select(Exam.id, Exam.title)
        .join(graded, graded.c.exam_id == Exam.id)
        .outerjoin(counted, counted.c.exam_id == Exam.id)
        .where(or_(counted.c.at.is_(None), graded.c.at > counted.c.at))
        .order_by(Exam.id)
    )
    return [(row.id, row.title) for row in rows]


def iter_graded_papers(session: Session, exam_id: int) -> Iterator[GradedPaper]:
    """Give every graded paper of an exam, streamed."""
    rows = session.execute(
        select(Paper.sections, Grade.item_points)
        .join(Attempt, Grade.attempt_id == Attempt.id)
        .join(Paper, Attempt.paper_id == Paper.id)
        .where(Attempt.exam_id == exam_id, Grade.is_current)
        .execution_options(yield_per=_AT_ONCE)
    )
    for sections, item_points in rows:
        yield GradedPaper(sections, item_points)

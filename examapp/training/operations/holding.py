"""Hold back from practice what a coming exam would give away, and keep the office's marks (docs/decisions/0010)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.exams.models import Exam, ExamAudience, ExamKind, ExamState
from examapp.papers.models import BlueprintSection
from examapp.papers.queries import select_pool
from examapp.questions.models import Question
from examapp.training.models import PracticeHold, PracticeMark

HELD_FROM = 3
"""A question is held where a candidate's paper draws at least every third of the questions that it may draw from."""


def hold_back(session: Session, *, now: datetime) -> int:
    """Write anew which questions coming exams hold back; gives how many holds there are. Safe to run twice."""
    wanted = {(question_id, exam_id) for exam_id, question_id in _narrow(session, now)}
    present = {
        (hold.question_id, hold.exam_id)
        for hold in session.execute(select(PracticeHold.question_id, PracticeHold.exam_id))
    }
    for question_id, exam_id in present - wanted:
        session.execute(
            delete(PracticeHold).where(PracticeHold.question_id == question_id, PracticeHold.exam_id == exam_id)
        )
    if new := wanted - present:
        rows = [{"question_id": question_id, "exam_id": exam_id} for question_id, exam_id in sorted(new)]
        session.execute(insert(PracticeHold).on_conflict_do_nothing(), rows)
    return len(wanted)


def _narrow(session: Session, now: datetime) -> Iterator[tuple[int, int]]:
    """Give exam and question of every pool that a coming exam draws at least a third of."""
    counts: dict[int, set[int]] = {}
    for exam_id, section in _sections(session, now):
        if section.id not in counts:
            counts[section.id] = _given_away(session, section)
        for question_id in counts[section.id]:
            yield exam_id, question_id


def _sections(session: Session, now: datetime) -> list[tuple[int, BlueprintSection]]:
    """List the sections of the blueprints of exams that are planned or under way; mock exams are no secret."""
    own = select(ExamAudience.blueprint_id).where(ExamAudience.exam_id == Exam.id)
    rows = session.execute(
        select(Exam.id, BlueprintSection)
        .join(
            BlueprintSection,
            (BlueprintSection.blueprint_id == Exam.blueprint_id) | BlueprintSection.blueprint_id.in_(own),
        )
        .where(Exam.state != ExamState.CANCELLED, Exam.kind != ExamKind.MOCK, Exam.closes_at > now)
        .order_by(Exam.id, BlueprintSection.id)
    )
    return [(row[0], row[1]) for row in rows]


def _given_away(session: Session, section: BlueprintSection) -> set[int]:
    """Give the questions of a section that are drawn so often; each difficulty's share is looked at by itself, and the whole."""
    held: set[int] = set()
    for difficulty, count in [*section.difficulties.items(), (None, section.count)]:
        statement = select_pool(section)
        if difficulty is not None:
            statement = statement.where(Question.difficulty == difficulty)
        ids = set(session.scalars(statement))
        if ids and count * HELD_FROM >= len(ids):
            held |= ids
    return held


def mark_law(session: Session, *, law: str, is_open: bool | None, actor: Actor, now: datetime) -> int:
    """Mark all questions of a law as open for practice, as never practised, or (None) leave them to the holds; gives how many."""
    ids = select(Question.id).where(Question.law_name == law)
    if is_open is None:
        session.execute(delete(PracticeMark).where(PracticeMark.question_id.in_(ids)))
    else:
        statement = insert(PracticeMark).from_select(
            ["question_id", "is_open", "marked_by_id", "marked_at"],
            select(
                Question.id,
                literal(is_open, Boolean),
                literal(actor.person_id, BigInteger),
                literal(now, DateTime(timezone=True)),
            ).where(Question.law_name == law),
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["question_id"],
                set_={name: statement.excluded[name] for name in ("is_open", "marked_by_id", "marked_at")},
            )
        )
    found = session.execute(select(func.count()).select_from(ids.subquery())).scalar_one()
    record(
        session,
        "training.mark_practice",
        actor=actor,
        now=now,
        object_type="law",
        details={"law": law, "is_open": is_open, "questions": found},
    )
    return found

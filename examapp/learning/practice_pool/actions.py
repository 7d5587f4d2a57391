"""The practice pool as the office sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, delete, distinct, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.content.blueprints.models import BlueprintSection
from examapp.content.blueprints.queries import select_pool
from examapp.content.questions.models import BankQuestion, QuestionState, QuestionVersion
from examapp.delivery.exams.models import Exam, ExamAudience, ExamKind, ExamState
from examapp.learning.practice.models import PracticeHold, PracticeMark
from examapp.learning.practice.queries import fitting
from examapp.learning.practice.rules import Wanted
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"training.mark_practice": "设置练习范围"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LawPool:
    """A law's active questions: how many there are, may be practised, are held back, were opened and were closed by the office."""

    law: str
    active: int
    practisable: int
    held: int
    opened: int
    closed: int


def pool_by_law(session: Session) -> list[LawPool]:
    """Give the pool law by law, by name. Two statements."""
    rows = session.execute(
        select(
            BankQuestion.law_name,
            func.count(distinct(BankQuestion.id)),
            func.count(distinct(PracticeHold.question_id)),
            func.count(distinct(BankQuestion.id)).filter(PracticeMark.is_open.is_(True)),
            func.count(distinct(BankQuestion.id)).filter(PracticeMark.is_open.is_(False)),
        )
        .outerjoin(PracticeHold, PracticeHold.question_id == BankQuestion.id)
        .outerjoin(PracticeMark, PracticeMark.question_id == BankQuestion.id)
        .where(BankQuestion.state == QuestionState.ACTIVE, BankQuestion.law_name != "")
        .group_by(BankQuestion.law_name)
        .order_by(BankQuestion.law_name)
    ).all()
    able = session.execute(
        fitting(select(BankQuestion.law_name, func.count(distinct(QuestionVersion.question_id))), Wanted()).group_by(
            BankQuestion.law_name
        )
    )
    practisable = {row[0]: row[1] for row in able}
    return [
        LawPool(law=law, active=active, practisable=practisable.get(law, 0), held=held, opened=opened, closed=closed)
        for law, active, held, opened, closed in rows
    ]


def exams_on_hold(session: Session, *, now: datetime) -> list[tuple[str, datetime, int]]:
    """List the coming exams that hold questions back: title, end, how many."""
    rows = session.execute(
        select(Exam.title, Exam.closes_at, func.count())
        .join(PracticeHold, PracticeHold.exam_id == Exam.id)
        .where(Exam.closes_at > now)
        .group_by(Exam.id)
        .order_by(Exam.closes_at)
    )
    return [(row[0], row[1], row[2]) for row in rows]


HELD_FROM = 3
"""A question is held where a candidate's paper draws at least every third of the questions that it may draw from."""


def hold_back(session: Session, *, now: datetime) -> int:
    """Write again which questions coming exams hold back; gives how many holds there are. Safe to run twice."""
    wanted = {(question_id, exam_id) for exam_id, question_id in _apply_filter(session, now)}
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


def _apply_filter(session: Session, now: datetime) -> Iterator[tuple[int, int]]:
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
            statement = statement.where(BankQuestion.difficulty == difficulty)
        ids = set(session.scalars(statement))
        if ids and count * HELD_FROM >= len(ids):
            held |= ids
    return held


def mark_law(context: ActionContext, *, law: str, is_open: bool | None) -> int:
    """Mark all questions of a law as open for practice, as never practised, or (None) leave them to the holds; gives how many."""
    session = context.session
    ids = select(BankQuestion.id).where(BankQuestion.law_name == law)
    if is_open is None:
        session.execute(delete(PracticeMark).where(PracticeMark.question_id.in_(ids)))
    else:
        statement = insert(PracticeMark).from_select(
            ["question_id", "is_open", "marked_by_id", "marked_at"],
            select(
                BankQuestion.id,
                literal(is_open, Boolean),
                literal(context.actor.person_id, BigInteger),
                literal(context.now, DateTime(timezone=True)),
            ).where(BankQuestion.law_name == law),
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["question_id"],
                set_={name: statement.excluded[name] for name in ("is_open", "marked_by_id", "marked_at")},
            )
        )
    found = session.execute(select(func.count()).select_from(ids.subquery())).scalar_one()
    record(
        context,
        "training.mark_practice",
        object_type="law",
        details={"law": law, "is_open": is_open, "questions": found},
    )
    return found

"""Exams as an organiser meets them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, selectinload

from examapp.core.errors import NotFoundError
from examapp.exams.models import Exam, ExamAudience, ExamState, PreparedPaper
from examapp.exams.queries.audience import ON_ROSTER, audience_clause, excused, in_audience_of
from examapp.org.models import Unit
from examapp.people.models import Person
from examapp.people.queries import within
from examapp.people.rules import Reach


def concerns(reach: Reach) -> ColumnElement[bool]:
    """Give the condition on `Exam` "somebody within the reach belongs to it"."""
    return (
        select(Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(ON_ROSTER, within(reach), in_audience_of(Exam.id, Exam.kind))
        .correlate(Exam)
        .exists()
    )


def list_organiser_exams(session: Session, reach: Reach) -> list[Exam]:
    """List the published exams that somebody within the reach belongs to, the latest first."""
    statement = select(Exam).where(Exam.state == ExamState.PUBLISHED).order_by(Exam.opens_at.desc(), Exam.id.desc())
    if not reach.is_everything:
        statement = statement.where(concerns(reach))
    return list(session.scalars(statement))


def list_exams(session: Session, reading: Reach, *, may_write: bool) -> list[Exam]:
    """List exams for the back office, the latest first; drafts and cancelled ones only for those who write exams."""
    statement = select(Exam).order_by(Exam.opens_at.desc(), Exam.id.desc())
    if not may_write:
        statement = statement.where(Exam.state == ExamState.PUBLISHED)
    if not reading.is_everything:
        statement = statement.where(concerns(reading))
    return list(session.scalars(statement))


def get_exam(session: Session, exam_id: int) -> Exam:
    """Get an exam with its sessions and audience; raises NotFoundError."""
    exam = session.scalar(
        select(Exam).where(Exam.id == exam_id).options(selectinload(Exam.sessions), selectinload(Exam.audiences))
    )
    if exam is None:
        raise NotFoundError
    return exam


def get_organiser_exam(session: Session, exam_id: int, reach: Reach) -> Exam:
    """Get an exam that concerns somebody within the reach, whatever its state; raises NotFoundError."""
    exam = get_exam(session, exam_id)
    if not reach.is_everything and session.scalar(select(Exam.id).where(Exam.id == exam_id, concerns(reach))) is None:
        raise NotFoundError
    return exam


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How far the making of papers has come."""

    eligible: int
    prepared: int

    @property
    def is_ready(self) -> bool:
        """Whether everybody has a paper."""
        return self.prepared >= self.eligible


def readiness(session: Session, exam: Exam) -> Readiness:
    """Count the eligible candidates of an exam and those among them with a paper made ahead, in two statements."""
    row = session.execute(
        select(func.count(Person.id), func.count(PreparedPaper.paper_id))
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(
            PreparedPaper,
            (PreparedPaper.exam_id == exam.id) & (PreparedPaper.person_id == Person.id) & (PreparedPaper.number == 1),
        )
        .where(ON_ROSTER, audience_clause(session, exam), ~excused(exam.id))
    ).one()
    return Readiness(eligible=row[0], prepared=row[1])


def list_exams_to_prepare(session: Session, *, now: datetime) -> list[int]:
    """List the ids of published exams that have not closed: the sweep looks whether anybody lacks a paper."""
    return list(
        session.scalars(
            select(Exam.id).where(Exam.state == ExamState.PUBLISHED, Exam.closes_at > now).order_by(Exam.opens_at)
        )
    )


def list_blueprint_ids(session: Session, exam: Exam) -> list[int]:
    """List the blueprints that an exam draws from: its own and those of its audience's parts."""
    of_parts = session.scalars(
        select(ExamAudience.blueprint_id).where(ExamAudience.exam_id == exam.id, ExamAudience.blueprint_id.is_not(None))
    )
    return list(dict.fromkeys(i for i in [exam.blueprint_id, *of_parts] if i is not None))


def list_using_exams(session: Session, blueprint_id: int) -> list[Exam]:
    """List the published exams whose papers are drawn from a blueprint."""
    parts = select(ExamAudience.exam_id).where(ExamAudience.blueprint_id == blueprint_id)
    return list(
        session.scalars(
            select(Exam).where(
                Exam.state == ExamState.PUBLISHED, or_(Exam.blueprint_id == blueprint_id, Exam.id.in_(parts))
            )
        )
    )

"""What is known and what is not, by law and knowledge point: for oneself by card, for a unit in sums without names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, distinct, func, or_, select
from sqlalchemy.orm import Session

from examapp.core.points import round_points
from examapp.exams.models import Exam
from examapp.org.models import Unit
from examapp.people.models import Person, PersonState
from examapp.questions.models import KnowledgePoint, Question, QuestionState, question_knowledge_points
from examapp.training.models import Chapter, Course, CourseState, DueCount, ReviewCard, UnitWeakness

FEWEST_PEOPLE = 5
"""Sums over fewer people would point at persons: they are not shown."""
_WEAK_BELOW = Decimal(80)
_MOST_WEAK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """How a law or knowledge point stands."""

    name: str
    bank: int
    """Active questions; 0 where not counted."""
    answered: int
    right: int
    due: int = 0
    people: int = 1

    @property
    def share(self) -> Decimal | None:
        """Right answers at the last try, per cent of those answered; None where nothing was answered."""
        return round_points(Decimal(100 * self.right) / self.answered) if self.answered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A law or point in an exam, with the exam before, and the courses that teach it."""

    kind: str
    known: Known
    before: Decimal | None
    courses: tuple[tuple[int, str], ...] = ()


def my_map(session: Session, person_id: int, *, now: datetime) -> tuple[list[Known], list[Known]]:
    """Give one's own map by law and by knowledge point, the weakest first. Two statements."""
    cards = (
        select(
            ReviewCard.question_id,
            func.bool_and(ReviewCard.is_right).label("is_right"),
            func.bool_or(ReviewCard.due_at <= now).label("is_due"),
        )
        .where(ReviewCard.person_id == person_id)
        .group_by(ReviewCard.question_id)
        .subquery()
    )
    sums = (
        func.count(Question.id),
        func.count(cards.c.question_id),
        func.count().filter(cards.c.is_right),
        func.count().filter(cards.c.is_due),
    )
    by_law = (
        select(Question.law_name, *sums)
        .outerjoin(cards, cards.c.question_id == Question.id)
        .where(Question.state == QuestionState.ACTIVE, Question.law_name != "")
        .group_by(Question.law_name)
    )
    link = question_knowledge_points
    by_point = (
        select(KnowledgePoint.name, *sums)
        .join(link, link.c.knowledge_point_id == KnowledgePoint.id)
        .join(Question, Question.id == link.c.question_id)
        .outerjoin(cards, cards.c.question_id == Question.id)
        .where(Question.state == QuestionState.ACTIVE)
        .group_by(KnowledgePoint.name)
    )
    return _known(session, by_law), _known(session, by_point)


def _known(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Known]:
    found = [
        Known(name=row[0], bank=row[1], answered=row[2], right=row[3], due=row[4]) for row in session.execute(statement)
    ]
    return sorted(found, key=lambda known: (known.share is None, known.share or 0, known.name))


def unit_map(session: Session, unit: Unit) -> list[Known]:
    """Give a unit's map by law, its sub-units included: sums over at least five people, the weakest first. One statement."""
    rows = session.execute(
        select(
            Question.law_name,
            func.count(distinct(ReviewCard.person_id)),
            func.count(),
            func.count().filter(ReviewCard.is_right),
        )
        .join(Question, ReviewCard.question_id == Question.id)
        .join(Person, ReviewCard.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(
            Unit.region_path.like(unit.region_path + "%"),
            Person.state == PersonState.ON_ROSTER,
            Question.law_name != "",
        )
        .group_by(Question.law_name)
        .having(func.count(distinct(ReviewCard.person_id)) >= FEWEST_PEOPLE)
    )
    found = [Known(name=row[0], people=row[1], bank=0, answered=row[2], right=row[3]) for row in rows]
    return sorted(found, key=lambda known: (known.share or 0, known.name))


def unit_due(session: Session, unit: Unit) -> tuple[int, int] | None:
    """Give how many people of a unit have reviews due, and how many, as of the last count; None below five people with a book."""
    row = session.execute(
        select(func.count(), func.count().filter(DueCount.due > 0), func.coalesce(func.sum(DueCount.due), 0))
        .select_from(DueCount)
        .join(Person, DueCount.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Unit.region_path.like(unit.region_path + "%"), Person.state == PersonState.ON_ROSTER)
    ).one()
    return (row[1], int(row[2])) if row[0] >= FEWEST_PEOPLE else None


def exams_with_weaknesses(session: Session, unit: Unit) -> list[Exam]:
    """List the exams whose keys are out and in which people of a unit have sat, the latest first."""
    sat = _of_unit(select(UnitWeakness.exam_id), unit).distinct()
    return list(session.scalars(select(Exam).where(Exam.id.in_(sat)).order_by(Exam.closes_at.desc(), Exam.id.desc())))


def _of_unit(statement: Select[*tuple[Any, ...]], unit: Unit) -> Select[*tuple[Any, ...]]:
    return statement.join(Unit, UnitWeakness.unit_id == Unit.id).where(Unit.region_path.like(unit.region_path + "%"))


def weaknesses(session: Session, unit: Unit, exam: Exam, *, before: Exam | None) -> list[Weakness]:
    """List how a unit fared in an exam by law and point, the weakest first, each beside the exam before it. Sums over five sitters or more."""
    now = _sums(session, unit, exam.id)
    then = {(row.kind, row.name): row for row in _sums(session, unit, before.id)} if before else {}
    weak = [row for row in now if row.kind == "law" and row.right * 100 < _WEAK_BELOW * row.asked][:_MOST_WEAK]
    courses = _courses_for(session, unit, [row.name for row in weak])
    return [
        Weakness(
            kind=row.kind,
            known=Known(name=row.name, bank=0, answered=row.asked, right=row.right, people=row.sitters),
            before=_share(then.get((row.kind, row.name))),
            courses=tuple(courses.get(row.name, ())) if row.kind == "law" else (),
        )
        for row in now
    ]


def _share(row: Row[Any] | None) -> Decimal | None:
    return None if row is None else round_points(Decimal(100 * row.right) / row.asked)


def _sums(session: Session, unit: Unit, exam_id: int) -> Sequence[Row[Any]]:
    asked, right = func.sum(UnitWeakness.asked), func.sum(UnitWeakness.right_count)
    statement = select(
        UnitWeakness.kind,
        UnitWeakness.name,
        func.sum(UnitWeakness.sitters).label("sitters"),
        asked.label("asked"),
        right.label("right"),
    )
    return session.execute(
        _of_unit(statement, unit)
        .where(UnitWeakness.exam_id == exam_id)
        .group_by(UnitWeakness.kind, UnitWeakness.name)
        .having(func.sum(UnitWeakness.sitters) >= FEWEST_PEOPLE)
        .order_by(right * 100 / asked, UnitWeakness.kind, UnitWeakness.name)
    ).all()


def _courses_for(session: Session, unit: Unit, laws: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
    rows = session.execute(
        select(Chapter.law, Course.id, Course.title)
        .join(Course, Chapter.course_id == Course.id)
        .outerjoin(Unit, Course.unit_id == Unit.id)
        .where(Course.state == CourseState.PUBLISHED, Chapter.law.in_(laws), _covers(unit))
        .distinct()
        .order_by(Course.id)
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for law, course_id, title in rows:
        found.setdefault(law, []).append((course_id, title))
    return found


def _covers(unit: Unit) -> ColumnElement[bool]:
    """Give the condition "the course, joined with its unit, is for this unit"."""
    return or_(Course.unit_id.is_(None), func.starts_with(unit.region_path, Unit.region_path))

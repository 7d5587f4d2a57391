"""What one knows and what not, by law and knowledge point."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from examapp.content.questions.models import BankQuestion, KnowledgePoint, QuestionState, question_knowledge_points
from examapp.delivery.exams.models import Exam
from examapp.learning.courses.models import Chapter, Course, CourseCompletion, CourseState
from examapp.learning.courses.queries import in_audience
from examapp.learning.spaced_repetition.models import DueCount, ReviewCard, UnitMastery, UnitWeakness
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.points import round_points


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
        func.count(BankQuestion.id),
        func.count(cards.c.question_id),
        func.count().filter(cards.c.is_right),
        func.count().filter(cards.c.is_due),
    )
    by_law = (
        select(BankQuestion.law_name, *sums)
        .outerjoin(cards, cards.c.question_id == BankQuestion.id)
        .where(BankQuestion.state == QuestionState.ACTIVE, BankQuestion.law_name != "")
        .group_by(BankQuestion.law_name)
    )
    link = question_knowledge_points
    by_point = (
        select(KnowledgePoint.name, *sums)
        .join(link, link.c.knowledge_point_id == KnowledgePoint.id)
        .join(BankQuestion, BankQuestion.id == link.c.question_id)
        .outerjoin(cards, cards.c.question_id == BankQuestion.id)
        .where(BankQuestion.state == QuestionState.ACTIVE)
        .group_by(KnowledgePoint.name)
    )
    return _known(session, by_law), _known(session, by_point)


def _known(session: Session, statement: Select[*tuple[Any, ...]]) -> list[Known]:
    found = [
        Known(name=row[0], bank=row[1], answered=row[2], right=row[3], due=row[4]) for row in session.execute(statement)
    ]
    return sorted(found, key=lambda known: (known.share is None, known.share or 0, known.name))


MIN_PEOPLE = 5
"""Sums over fewer people would point at persons: they are not shown."""


def hidden_subjects(session: Session, unit: Unit, counted: Select[*tuple[Any, ...]]) -> set[tuple[str, str]]:
    """List the subjects `(kind, name)` of which a unit's sum is hidden though it covers five people or more.

    `counted` gives `kind, name, unit_id, people` of each unit's own people. Below a unit whose sum is hidden all are; so what can be
    worked out from shown sums are what they leave of their parents' alone, and of these none covers one to four people. One statement
    for each unit above, none for the top.
    """
    own, hidden = counted.subquery("counted"), set[tuple[str, str]]()
    ids = unit.region_path.strip("/").split("/")
    for depth in range(1, len(ids)):
        above = f"/{'/'.join(ids[:depth])}/"
        hidden.update((row[0], row[1]) for row in session.execute(_hidden_below(above, ids[depth], own)))
    return hidden


def _hidden_below(above: str, child_id: str, own: Any) -> Select[*tuple[Any, ...]]:
    """Select the subjects of which one child of a unit stays hidden so that the others do not give its siblings away.

    Parts of the unit's sum: each child's subtree, and the unit's own people. Own people and children with too few stand apart; where they
    are fewer than five together, the smallest of the other children is hidden with them.
    """
    child = func.split_part(func.substr(Unit.region_path, len(above) + 1), "/", 1)
    parts = (
        select(own.c.kind, own.c.name, child.label("child"), func.sum(own.c.people).label("people"))
        .join(Unit, Unit.id == own.c.unit_id)
        .where(func.starts_with(Unit.region_path, above))
        .group_by(own.c.kind, own.c.name, child)
        .subquery("parts")
    )
    stands_apart = or_(parts.c.child == "", parts.c.people < MIN_PEOPLE)
    of_subject = [parts.c.kind, parts.c.name]
    apart = func.sum(parts.c.people).filter(stands_apart).over(partition_by=of_subject)
    place = func.row_number().over(partition_by=of_subject, order_by=[stands_apart, parts.c.people, parts.c.child])
    ranked = select(parts, apart.label("apart"), place.label("place")).subquery("ranked")
    return select(ranked.c.kind, ranked.c.name).where(
        ranked.c.child == child_id, ranked.c.place == 1, ranked.c.apart.between(1, MIN_PEOPLE - 1)
    )


WEAK_BELOW = Decimal(80)
"""Per cent of right answers below which a law or point asks for a course."""
_MAX_WEAK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMap:
    """How a unit stands by law and by point, the weakest first, as the last count found it."""

    laws: tuple[Known, ...]
    points: tuple[Known, ...]
    counted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamWeakness:
    """A law or point in an exam, beside the exam before it."""

    kind: str
    known: Known
    before: Decimal | None

    @property
    def is_weak(self) -> bool:
        """Whether it asks for a course."""
        return self.known.share is not None and self.known.share < WEAK_BELOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A course that a unit should study after an exam: for which weak laws and points, how many are to learn it and have."""

    course_id: int
    title: str
    reasons: tuple[str, ...]
    learners: int
    done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What follows for a unit from an exam."""

    laws: tuple[ExamWeakness, ...]
    points: tuple[ExamWeakness, ...]
    courses: tuple[Proposed, ...]
    untaught: tuple[str, ...]
    """Weak laws without a course that is for this unit."""


def unit_map(session: Session, unit: Unit) -> UnitMap:
    """Give a unit's map, its sub-units included, without the sums that `hidden_subjects` hides."""
    hidden = hidden_subjects(
        session, unit, select(UnitMastery.kind, UnitMastery.name, UnitMastery.unit_id, UnitMastery.people)
    )
    found = session.execute(
        select(
            UnitMastery.kind,
            UnitMastery.name,
            func.sum(UnitMastery.people).label("people"),
            func.sum(UnitMastery.answered).label("answered"),
            func.sum(UnitMastery.right_count).label("right"),
            func.max(UnitMastery.counted_at).label("counted_at"),
        )
        .join(Unit, UnitMastery.unit_id == Unit.id)
        .where(Unit.region_path.like(unit.region_path + "%"))
        .group_by(UnitMastery.kind, UnitMastery.name)
        .having(func.sum(UnitMastery.people) >= MIN_PEOPLE)
    )
    rows = [row for row in found if (row.kind, row.name) not in hidden]
    by_kind: dict[str, list[Known]] = {"law": [], "point": []}
    for row in rows:
        by_kind[row.kind].append(
            Known(name=row.name, people=row.people, bank=0, answered=row.answered, right=row.right)
        )
    for known in by_kind.values():
        known.sort(key=lambda each: (each.share or 0, each.name))
    return UnitMap(
        laws=tuple(by_kind["law"]),
        points=tuple(by_kind["point"]),
        counted_at=max((row.counted_at for row in rows), default=None),
    )


def unit_due(session: Session, unit: Unit) -> tuple[int, int] | None:
    """Give how many people of a unit have reviews due, and how many, as of the last count; None where that sum is hidden."""
    with_book = (
        select(literal("due").label("kind"), literal("").label("name"), Person.unit_id, func.count().label("people"))
        .join(DueCount, DueCount.person_id == Person.id)
        .where(Person.state == PersonState.ON_ROSTER)
        .group_by(Person.unit_id)
    )
    if hidden_subjects(session, unit, with_book):
        return None
    row = session.execute(
        select(func.count(), func.count().filter(DueCount.due > 0), func.coalesce(func.sum(DueCount.due), 0))
        .select_from(DueCount)
        .join(Person, DueCount.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Unit.region_path.like(unit.region_path + "%"), Person.state == PersonState.ON_ROSTER)
    ).one()
    return (row[1], int(row[2])) if row[0] >= MIN_PEOPLE else None


def exams_with_weaknesses(session: Session, unit: Unit) -> list[Exam]:
    """List the exams whose keys are out and in which people of a unit have sat, the latest first."""
    exam_ids = _of_unit(select(UnitWeakness.exam_id), unit).distinct()
    return list(
        session.scalars(select(Exam).where(Exam.id.in_(exam_ids)).order_by(Exam.closes_at.desc(), Exam.id.desc()))
    )


def _of_unit(statement: Select[*tuple[Any, ...]], unit: Unit) -> Select[*tuple[Any, ...]]:
    return statement.join(Unit, UnitWeakness.unit_id == Unit.id).where(Unit.region_path.like(unit.region_path + "%"))


def advise(session: Session, unit: Unit, exam: Exam, *, before: Exam | None) -> Advice:
    """Say how a unit fared in an exam by law and point, the weakest first, each beside the exam before it, and what to study now.

    Without the sums that `hidden_subjects` hides. Of the weakest laws and points below eighty per cent the first five of each ask for courses.
    """
    now = _sums(session, unit, exam.id)
    then = {(row.kind, row.name): row for row in _sums(session, unit, before.id)} if before else {}
    rows = [
        ExamWeakness(
            kind=row.kind,
            known=Known(name=row.name, bank=0, answered=row.asked, right=row.right, people=row.candidate_count),
            before=_share(then.get((row.kind, row.name))),
        )
        for row in now
    ]
    laws = tuple(row for row in rows if row.kind == "law")
    points = tuple(row for row in rows if row.kind == "point")
    weak_laws = [row.known.name for row in laws if row.is_weak][:_MAX_WEAK]
    weak_points = [row.known.name for row in points if row.is_weak][:_MAX_WEAK]
    courses, untaught = _proposed(session, unit, weak_laws, weak_points)
    return Advice(laws=laws, points=points, courses=courses, untaught=untaught)


def _share(row: Row[Any] | None) -> Decimal | None:
    return None if row is None else round_points(Decimal(100 * row.right) / row.asked)


def _sums(session: Session, unit: Unit, exam_id: int) -> Sequence[Row[Any]]:
    asked, right = func.sum(UnitWeakness.asked), func.sum(UnitWeakness.right_count)
    statement = select(
        UnitWeakness.kind,
        UnitWeakness.name,
        func.sum(UnitWeakness.candidate_count).label("candidate_count"),
        asked.label("asked"),
        right.label("right"),
    )
    exam_ids = select(
        UnitWeakness.kind, UnitWeakness.name, UnitWeakness.unit_id, UnitWeakness.candidate_count.label("people")
    )
    hidden = hidden_subjects(session, unit, exam_ids.where(UnitWeakness.exam_id == exam_id))
    rows = session.execute(
        _of_unit(statement, unit)
        .where(UnitWeakness.exam_id == exam_id)
        .group_by(UnitWeakness.kind, UnitWeakness.name)
        .having(func.sum(UnitWeakness.candidate_count) >= MIN_PEOPLE)
        .order_by(right * 100 / asked, UnitWeakness.kind, UnitWeakness.name)
    )
    return [row for row in rows if (row.kind, row.name) not in hidden]


def _proposed(
    session: Session, unit: Unit, laws: Sequence[str], points: Sequence[str]
) -> tuple[tuple[Proposed, ...], tuple[str, ...]]:
    """Give the courses for weak laws first, then those for the laws that weak points belong to; and the weak laws without any."""
    laws_of = _laws_of_points(session, points)
    reasons: dict[str, list[str]] = {law: [f"《{law}》"] for law in laws}
    for point in points:
        for law in laws_of.get(point, ()):
            reasons.setdefault(law, []).append(f"知识点“{point}”")
    found = _courses_for(session, unit, list(reasons))
    why: dict[int, list[str]] = {}
    titles: dict[int, str] = {}
    for law, text in reasons.items():
        for course_id, title in found.get(law, ()):
            titles[course_id] = title
            why.setdefault(course_id, []).extend(text)
    counts = _learners(session, unit, titles.keys())
    courses = tuple(
        Proposed(
            course_id=course_id,
            title=titles[course_id],
            reasons=tuple(text),
            learners=counts[course_id][0],
            done=counts[course_id][1],
        )
        for course_id, text in why.items()
    )
    return courses, tuple(law for law in laws if law not in found)


def _laws_of_points(session: Session, points: Sequence[str]) -> dict[str, list[str]]:
    link = question_knowledge_points
    rows = session.execute(
        select(KnowledgePoint.name, BankQuestion.law_name)
        .join(link, link.c.knowledge_point_id == KnowledgePoint.id)
        .join(BankQuestion, BankQuestion.id == link.c.question_id)
        .where(KnowledgePoint.name.in_(points), BankQuestion.state == QuestionState.ACTIVE, BankQuestion.law_name != "")
        .distinct()
        .order_by(KnowledgePoint.name, BankQuestion.law_name)
    )
    found: dict[str, list[str]] = {}
    for point, law in rows:
        found.setdefault(point, []).append(law)
    return found


def _courses_for(session: Session, unit: Unit, laws: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
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


def _learners(session: Session, unit: Unit, course_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Count a unit's people who are to learn each course, and of these who have completed it."""
    rows = session.execute(
        select(Course.id, func.count(Person.id), func.count(CourseCompletion.person_id))
        .select_from(Course)
        .join(Unit, func.starts_with(Unit.region_path, unit.region_path))
        .join(Person, and_(Person.unit_id == Unit.id, Person.state == PersonState.ON_ROSTER))
        .outerjoin(
            CourseCompletion, and_(CourseCompletion.course_id == Course.id, CourseCompletion.person_id == Person.id)
        )
        .where(Course.id.in_(course_ids), in_audience())
        .group_by(Course.id)
    )
    counted = {row[0]: (row[1], row[2]) for row in rows}
    return {course_id: counted.get(course_id, (0, 0)) for course_id in course_ids}


def _covers(unit: Unit) -> ColumnElement[bool]:
    """Give the condition "the course, joined with its unit, is for this unit"."""
    return or_(Course.unit_id.is_(None), func.starts_with(unit.region_path, Unit.region_path))

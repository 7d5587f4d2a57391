"""Who still lacks what an exam asks to be studied: for unit admins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session

from examapp import points
from examapp.clock import local
from examapp.delivery.exams.models import Exam, ExamState, StudyClearance
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause, excused
from examapp.learning.courses.models import Course, CourseCompletion
from examapp.learning.courses.queries import credits_of
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingStudy:
    """A person who may not start yet, with what is there so far."""

    name: str
    staff_number: str
    unit_name: str
    required: Decimal
    elective: Decimal
    courses: tuple[str, ...]
    """Titles of asked courses that are not completed."""


def gated_exams(session: Session, *, now: datetime) -> list[Exam]:
    """List the published exams with a study gate that are not over, the next to close first."""
    return list(
        session.scalars(
            select(Exam)
            .where(Exam.state == ExamState.PUBLISHED, Exam.closes_at > now, Exam.study_gate != {})
            .order_by(Exam.closes_at, Exam.id)
        )
    )


def count_cleared(session: Session, exam: Exam, access: AccessScope) -> tuple[int, int]:
    """Count the people of an access scope who belong to an exam and are not excused, and of these the cleared. Two statements."""
    row = session.execute(
        select(func.count(), func.count(StudyClearance.person_id))
        .select_from(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(StudyClearance, (StudyClearance.exam_id == exam.id) & (StudyClearance.person_id == Person.id))
        .where(audience_clause(session, exam), ON_ROSTER, within(access), ~excused(exam.id))
    ).one()
    return row[0], row[1]


def list_missing_study(session: Session, exam: Exam, access: AccessScope, *, limit: int) -> list[MissingStudy]:
    """List who lacks the clearance of an exam within an access scope, by unit and staff number; at most so many. Three statements."""
    done = _completed_in(local(exam.opens_at).year)
    rows = session.execute(
        select(
            Person.name,
            Person.staff_number,
            Unit.name.label("unit_name"),
            func.coalesce(done.c.required, 0).label("required"),
            func.coalesce(done.c.elective, 0).label("elective"),
            done.c.course_ids,
        )
        .select_from(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .outerjoin(done, done.c.person_id == Person.id)
        .outerjoin(StudyClearance, (StudyClearance.exam_id == exam.id) & (StudyClearance.person_id == Person.id))
        .where(
            audience_clause(session, exam),
            ON_ROSTER,
            within(access),
            ~excused(exam.id),
            StudyClearance.person_id.is_(None),
        )
        .order_by(Unit.code, Person.staff_number)
        .limit(limit)
    ).all()
    titles = course_titles(session, exam)
    return [
        MissingStudy(
            name=row.name,
            staff_number=row.staff_number,
            unit_name=row.unit_name,
            required=row.required,
            elective=row.elective,
            courses=tuple(title for course_id, title in titles.items() if course_id not in (row.course_ids or ())),
        )
        for row in rows
    ]


def _completed_in(year: int) -> Subquery:
    """Select by person the credits and the courses that were completed in a year."""
    return (
        select(
            CourseCompletion.person_id,
            func.sum(CourseCompletion.credits).filter(CourseCompletion.is_required).label("required"),
            func.sum(CourseCompletion.credits).filter(~CourseCompletion.is_required).label("elective"),
            func.array_agg(CourseCompletion.course_id).label("course_ids"),
        )
        .where(CourseCompletion.year == year)
        .group_by(CourseCompletion.person_id)
        .subquery()
    )


def course_titles(session: Session, exam: Exam) -> dict[int, str]:
    """Give the titles of the courses that an exam's gate names, by id."""
    ids = exam.study_gate.get("courses") or []
    if not ids:
        return {}
    rows = session.execute(select(Course.id, Course.title).where(Course.id.in_(ids)).order_by(Course.id))
    return {row[0]: row[1] for row in rows}


def titles_not_completed(session: Session, exam: Exam, person_id: int) -> dict[int, str]:
    """Give the titles of the courses that an exam's gate names and that a person has not completed, by id."""
    asked = course_titles(session, exam)
    if not asked:
        return {}
    done = set(
        session.scalars(
            select(CourseCompletion.course_id).where(
                CourseCompletion.person_id == person_id, CourseCompletion.course_id.in_(asked)
            )
        )
    )
    return {course_id: title for course_id, title in asked.items() if course_id not in done}


def needs_missing(session: Session, exam: Exam, person_id: int) -> list[str]:
    """Name what an exam's gate still asks of a person: `required` or `elective` credits, `courses`; what nobody here can meet is missing."""
    have = credits_of(session, person_id, year=local(exam.opens_at).year)
    met = {
        "required": have.required >= Decimal(exam.study_gate.get("required", 0)),
        "elective": have.elective >= Decimal(exam.study_gate.get("elective", 0)),
        "courses": not titles_not_completed(session, exam, person_id),
    }
    return [need for need in exam.study_gate if not met.get(need, False)]


def missing_study_label(session: Session, exam: Exam, person_id: int) -> str:
    """Say what an exam's gate still asks of a person, as `您还差必修 6 学分、2 门课程，学完即可参加考试。`; empty where nothing is missing."""
    have = credits_of(session, person_id, year=local(exam.opens_at).year)
    missing = [
        (name, Decimal(exam.study_gate.get(need, 0)) - got)
        for need, name, got in (("required", "必修", have.required), ("elective", "选修", have.elective))
    ]
    labels = [f"{name} {points.for_people(count)} 学分" for name, count in missing if count > 0]
    if titles := titles_not_completed(session, exam, person_id):
        labels.append("课程" + "".join(f"“{title}”" for title in titles.values()))
    return f"您还差{'、'.join(labels)}，学完即可参加考试。" if labels else ""

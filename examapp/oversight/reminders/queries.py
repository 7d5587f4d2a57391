"""Whom to remind: counts by unit and people by group, on the very select that every report stands on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from examapp.delivery.attempts.queries import has_attempts_left
from examapp.delivery.exams.models import Exam, ExamState, ReleasePolicy
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause
from examapp.delivery.exams.rules import results_visible_at
from examapp.errors import NotFoundError
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.oversight.reminders.models import ExamMessageRun, ExamReminder
from examapp.oversight.reminders.rules import OVERDUE, REMINDER_KINDS, RESULTS_RULE, find_reminder_issue, read_once_key
from examapp.oversight.statistics.queries import counts_by_unit
from examapp.oversight.statistics_definitions.rules import Counts, Scope, UnitStatsRow, rollup
from examapp.oversight.statistics_people.queries import PersonRow, list_people
from examapp.oversight.statistics_population.queries import people_of
from examapp.oversight.statistics_scope.queries import PeopleFilter, ReportContext, UnitTree, get_report_context


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueTable:
    """Whom to remind in a unit: the whole's counts, and the units just below it that have anybody to remind."""

    total: Counts
    below: list[UnitStatsRow]


def get_overdue_table(session: Session, report_context: ReportContext, units: UnitTree) -> OverdueTable:
    """Count whom to remind, in one statement; units by code, never by how many."""
    counts = counts_by_unit(session, report_context, PeopleFilter(unit_ids=units.unit_ids))
    rows = rollup(units.nodes, counts, depth=1)
    return OverdueTable(
        total=rows[0].counts,
        below=[row for row in rows[1:] if any(getattr(row.counts, group) for group in OVERDUE)],
    )


def list_overdue(
    session: Session, report_context: ReportContext, units: UnitTree, *, group: str, offset: int, limit: int
) -> tuple[list[PersonRow], int]:
    """List a page of a group by unit code and staff number, and count it."""
    return list_people(
        session, report_context, PeopleFilter(unit_ids=units.unit_ids), group=group, offset=offset, limit=limit
    )


def list_overdue_ids(
    session: Session, report_context: ReportContext, units: UnitTree | None, *, group: str, limit: int, now: datetime
) -> list[int]:
    """List the ids of a group's people whom a reminder still helps, at most so many; of all units where none is named.

    They are on the roster today, whatever a frozen one says; make-ups have not settled it; and there is an exam they may begin.
    """
    wanted = PeopleFilter(unit_ids=units.unit_ids if units else None)
    query = _helped(session, report_context, wanted, group=group, now=now)
    ids = list(session.scalars(query.order_by(Person.id).limit(limit)))
    if report_context.scope is Scope.FINAL or not report_context.makeups:
        return ids
    final = replace(report_context, scope=Scope.FINAL)
    still = set(session.scalars(_helped(session, final, wanted, group=group, now=now)))
    return [person_id for person_id in ids if person_id in still]


def _helped(
    session: Session, report_context: ReportContext, wanted: PeopleFilter, *, group: str, now: datetime
) -> Select[int]:
    people = people_of(session, report_context, wanted)
    return (
        select(Person.id)
        .join(people.of, people.of.c.person_id == Person.id)
        .join(Unit, Unit.id == Person.unit_id)
        .where(people.group(group), ON_ROSTER, _has_a_chance(session, report_context, group, now=now))
    )


def _has_a_chance(session: Session, report_context: ReportContext, group: str, *, now: datetime) -> ColumnElement[bool]:
    """Give the condition that a `Person` may begin an exam of a basis: an open one, or for who has failed one still to come."""
    if group == "in_progress" or (group == "failed" and report_context.makeups and now < report_context.exam.closes_at):
        return true()  # who may sit a make-up is written down only once the main exam has ended
    exams = (exam for exam in (report_context.exam, *report_context.makeups) if now < exam.closes_at)
    chances = (
        and_(audience_clause(session, exam), has_attempts_left(exam))
        for exam in exams
        if group == "failed" or exam.opens_at <= now
    )
    return or_(false(), *chances)


def is_out_of_date(session: Session, *, person_id: int, kind: str, once_key: str, now: datetime) -> bool:
    """Tell whether a message put down for the gateway says by now what is not so any more: sat since, closed, exempt, gone."""
    if kind not in REMINDER_KINDS.values():
        return False
    exam_id, day = read_once_key(once_key)
    reminder = session.get(ExamReminder, (exam_id, person_id, day))
    if reminder is None:
        return True
    try:
        report_context = get_report_context(session, exam_id, scope=Scope.FINAL, now=now)
    except NotFoundError:  # withdrawn since
        return True
    if find_reminder_issue(reminder.group, (report_context.exam, *report_context.makeups), now=now):
        return True
    wanted = PeopleFilter(person_id=person_id)
    return session.scalar(_helped(session, report_context, wanted, group=reminder.group, now=now)) is None


def list_closing(session: Session, *, within: timedelta, now: datetime) -> Sequence[Exam]:
    """List the open exams that close so soon; a mock exam is nobody's duty."""
    return session.scalars(
        select(Exam)
        .where(
            Exam.state == ExamState.PUBLISHED,
            Exam.kind != "mock",
            Exam.opens_at <= now,
            Exam.closes_at > now,
            Exam.closes_at <= now + within,
        )
        .order_by(Exam.id)
    ).all()


def list_released(session: Session, *, since: datetime, now: datetime) -> list[Exam]:
    """List the exams whose results have come out for all at one time since an instant, and of which nobody was told yet."""
    notified = select(ExamMessageRun.exam_id).where(
        ExamMessageRun.exam_id == Exam.id, ExamMessageRun.rule == RESULTS_RULE
    )
    exams = session.scalars(
        select(Exam).where(
            Exam.state == ExamState.PUBLISHED,
            Exam.results_policy.in_([ReleasePolicy.AT_CLOSE, ReleasePolicy.AT_TIME]),
            or_(Exam.closes_at > since - timedelta(days=1), Exam.results_at > since),
            Exam.anonymised_at.is_(None),
            ~notified.exists(),
        )
    )
    return [exam for exam in exams if (at := results_visible_at(exam)) is not None and since < at <= now]


def list_graded_ids(session: Session, report_context: ReportContext) -> tuple[list[int], bool]:
    """List who is on the roster and has a result of an exam, and tell whether a handed-in attempt still has none."""
    people = people_of(session, report_context)
    rows = session.execute(
        select(Person.id, people.group("ungraded").label("is_ungraded"))
        .join(people.of, people.of.c.person_id == Person.id)
        .where(people.group("participated"), ON_ROSTER)
        .order_by(Person.id)
    ).all()
    return [row.id for row in rows if not row.is_ungraded], any(row.is_ungraded for row in rows)


def left_among(session: Session, person_ids: Collection[int]) -> set[int]:
    """Give those of these people who stand on the roster no more: a frozen one still counts them, nobody reminds or calls them."""
    return set(session.scalars(select(Person.id).where(Person.id.in_(person_ids), ~ON_ROSTER)))


def last_reminders(session: Session, exam_id: int, person_ids: Collection[int]) -> dict[int, date]:
    """Give the day on which each of these people was last reminded of an exam."""
    rows = session.execute(
        select(ExamReminder.person_id, func.max(ExamReminder.reminded_on).label("day"))
        .where(ExamReminder.exam_id == exam_id, ExamReminder.person_id.in_(person_ids))
        .group_by(ExamReminder.person_id)
    )
    return {row.person_id: row.day for row in rows}


def find_reminder(session: Session, *, person_id: int, exam_id: int) -> datetime | None:
    """Find when a person was last reminded of an exam, for the own home page."""
    return session.scalar(
        select(func.max(ExamReminder.reminded_at)).where(
            ExamReminder.person_id == person_id, ExamReminder.exam_id == exam_id
        )
    )

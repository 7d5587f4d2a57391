"""Who gets the reports that are made by themselves, and whether an exam's papers are graded."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.exam_candidates.queries import longest_extension_of
from examapp.delivery.exams.models import Exam, ExamKind, ExamState
from examapp.delivery.exams.rules import last_end
from examapp.errors import ConflictError, NotFoundError
from examapp.organisation.access.queries import list_grants
from examapp.organisation.access.rules import PERMISSION_HOLDERS, access_of
from examapp.organisation.people.models import Person, PersonState, RoleGrant
from examapp.organisation.units.models import AREA_KINDS, Tree, Unit
from examapp.oversight.report_exports.actions import request_export
from examapp.oversight.report_exports.models import Export, ReportSchedule
from examapp.oversight.report_files.rules import ReportRequest
from examapp.oversight.statistics_definitions.rules import USUAL_SCHEDULES, Moment, Plan
from examapp.platform.audit.actions import ActionContext, Actor, record

AUDIT_ACTS = {"reports.set_schedule": "设置定期报表"}
AUDIT_OBJECTS = {"report_schedule": "定期报表"}


def list_administrators(session: Session, *, now: datetime, state: str) -> list[tuple[int, int, Tree]]:
    """List who may export, with the unit and tree of each role; a role over everything stands at the county. `state` is left out."""
    county = (
        select(Unit.id)
        .where(Unit.parent_id.is_(None), Unit.kind.in_(AREA_KINDS))
        .order_by(Unit.code)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(RoleGrant.person_id, RoleGrant.unit_id, RoleGrant.tree, county.label("county_id"))
        .join(Person, Person.id == RoleGrant.person_id)
        .where(
            RoleGrant.role.in_(PERMISSION_HOLDERS["reports:score:export"]),
            or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > now),
            Person.state != state,
        )
        .order_by(RoleGrant.person_id, RoleGrant.id)
    )
    places = ((row.person_id, row.unit_id or row.county_id, Tree(row.tree)) for row in session.execute(query))
    return list(dict.fromkeys(place for place in places if place[1] is not None))


def awaits_grades(session: Session, exam_id: int) -> bool:
    """Tell whether a paper of an exam is still open or waits for its grade; what grading has set aside waits for a person instead."""
    is_waiting = and_(Attempt.state == AttemptState.SUBMITTED, Attempt.quarantined_at.is_(None))
    unfinished = select(Attempt.id).where(
        Attempt.exam_id == exam_id, or_(Attempt.state == AttemptState.IN_PROGRESS, is_waiting)
    )
    return session.scalar(unfinished.limit(1)) is not None


_MONDAY_HOUR = 7
"""From seven in the morning of a Monday."""
_CLOSE_SEEN = timedelta(days=2)
"""How long after its last attempt has ended an exam is still looked at: a night's outage loses no report."""
_MAX_BEYOND = timedelta(days=5)
"""Longer beyond the close nobody sits, with every extension."""
_GRADING_AWAITED = timedelta(hours=1)
"""So long the report of the close waits for papers that are still being graded."""
_MAX_AT_ONCE = 50


def list_schedules(session: Session) -> list[Plan]:
    """List what is made by itself, at each moment."""
    rows = {row.moment: row for row in session.scalars(select(ReportSchedule))}
    plans = []
    for usual in USUAL_SCHEDULES:
        row = rows.get(usual.moment)
        plans.append(
            usual if row is None else Plan(moment=usual.moment, content=row.content, format=row.format, is_on=row.is_on)
        )
    return plans


def set_schedule(
    context: ActionContext,
    moment: Moment,
    *,
    content: str,
    format: str,  # noqa: A002 – the protocol's word
    is_on: bool,
) -> None:
    """Say what is made at a moment; the last word of two counts."""
    context.session.merge(
        ReportSchedule(
            moment=moment,
            content=content,
            format=format,
            is_on=is_on,
            changed_by_id=context.actor.person_id,
            changed_at=context.now,
        )
    )
    details = {"moment": moment, "content": content, "format": format, "is_on": is_on}
    record(context, "reports.set_schedule", object_type="report_schedule", details=details)


def lay_out_scheduled(session: Session, *, now: datetime) -> int:
    """Ask for the reports that are due and not asked for yet, for every administrator at the units of his roles; gives how many.

    Each run of a schedule is one row, whoever starts it and however often. Few at a time, the next sweep goes on.
    """
    plans = [plan for plan in list_schedules(session) if plan.is_on]
    due = [(plan, exam, day) for plan in plans for exam, day in _due_exams(session, plan.moment, now)]
    if not due:
        return 0
    known = set(session.scalars(select(Export.schedule_key).where(Export.schedule_key.is_not(None), Export.created_at > now - timedelta(days=9))))  # fmt: skip
    asked = 0
    for person_id, unit_id, tree in list_administrators(session, now=now, state=PersonState.LEFT):
        for plan, exam_id, day in due:
            schedule_key = f"{plan.moment}:{day}:{exam_id}:{unit_id}:{tree}:{person_id}"
            if schedule_key in known or asked >= _MAX_AT_ONCE:
                continue
            access = access_of("reports:score:export", list_grants(session, person_id, now=now))
            report_request = ReportRequest(
                exam_id=exam_id, unit_id=unit_id, content=plan.content, format=plan.format, tree=tree
            )
            if access is None:
                continue
            try:
                request_export(
                    ActionContext(session, Actor(person_id=person_id), now),
                    report_request,
                    access=access,
                    schedule_key=schedule_key,
                )
            except (NotFoundError, ConflictError):
                continue
            asked += 1
    return asked


def _due_exams(session: Session, moment: Moment, now: datetime) -> list[tuple[int, str]]:
    """Give the exams for which the moment is now, with the day that names the run."""
    here = local(now)
    takes_place = (Exam.state == ExamState.PUBLISHED, Exam.kind != ExamKind.MOCK)
    if moment is Moment.MONDAY:
        if here.weekday() != 0 or here.hour < _MONDAY_HOUR:
            return []
        open_now = select(Exam.id).where(*takes_place, Exam.opens_at <= now, Exam.closes_at > now)
        return [(exam_id, str(here.date())) for exam_id in session.scalars(open_now)]
    closed = select(Exam).where(*takes_place, Exam.closes_at <= now, Exam.closes_at > now - _CLOSE_SEEN - _MAX_BEYOND)
    exams = [exam for exam in session.scalars(closed) if _has_settled(session, exam, now)]
    return [(exam.id, str(local(exam.closes_at).date())) for exam in exams]


def _has_settled(session: Session, exam: Exam, now: datetime) -> bool:
    """Tell whether the last attempt has ended, not long ago, and its papers are graded or have been waited for."""
    end = last_end(exam, longest_extension_s=longest_extension_of(session, exam.id))
    if not end <= now < end + _CLOSE_SEEN:
        return False
    return now >= end + _GRADING_AWAITED or not awaits_grades(session, exam.id)

"""The rates that fill a score table by themselves: of a unit with its whole subtree, from the same counts as every report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import false, func, or_, select
from sqlalchemy.orm import Session

from examapp.clock import day_of, start_of
from examapp.delivery.exams.models import Exam, RosterSnapshotUnit
from examapp.learning.study_events.models import EventState, StudyEvent
from examapp.organisation.units.models import Unit
from examapp.oversight.assessments.models import Assessment, VoteTally
from examapp.oversight.assessments.rules import (
    COUNTED_KINDS,
    EVENTS_A_YEAR,
    STUDY_GROUPS_A_YEAR,
    Indicator,
    Opinion,
    satisfaction,
    share_of_events,
)
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord
from examapp.oversight.duty_lists.rules import Progress, progress_of
from examapp.oversight.statistics.queries import counts_by_unit
from examapp.oversight.statistics_definitions.rules import Counts, Scope
from examapp.oversight.statistics_scope.queries import PeopleFilter, get_report_context
from examapp.oversight.study_progress.queries import study_counts
from examapp.oversight.study_progress.rules import StudyCounts
from examapp.points import percentage

Rates = Mapping[Indicator, Decimal | None]
"""Rates in per cent by indicator; None over nothing."""
_FEW = 20
"""Up to so many units their subtrees are named in the query; beyond, everybody is read once."""


def list_years_exams(session: Session, year: int) -> list[Exam]:
    """List the published main exams that opened in or about a year, for the office to choose the one that counts."""
    query = select(Exam).where(
        Exam.state == "published",
        Exam.main_exam_id.is_(None),
        func.extract("year", Exam.opens_at).in_((year, year + 1)),
    )
    return list(session.scalars(query.order_by(Exam.opens_at)))


def rates_of(session: Session, assessment: Assessment, unit_ids: Collection[int], *, now: datetime) -> dict[int, Rates]:
    """Give the rates of units, each with its whole subtree; a handful of statements, however many units."""
    counts = _exam_counts(session, assessment, unit_ids, now=now)
    studied = _study_counts(session, assessment.year, unit_ids)
    on_time = _on_time_counts(session, assessment.year, unit_ids, today=day_of(now))
    votes = count_votes(session, assessment.id, unit_ids)
    events = _event_counts(session, assessment.year, unit_ids)
    return {
        unit_id: {
            Indicator.PARTICIPATION: counts[unit_id].participation_rate,
            Indicator.PASS: counts[unit_id].pass_rate,
            Indicator.STUDY: studied[unit_id].study_rate,
            Indicator.ON_TIME: percentage(*on_time[unit_id]),
            Indicator.VOTE: satisfaction(votes.get(unit_id, {})),
            Indicator.STUDY_GROUP: share_of_events(events[unit_id][Indicator.STUDY_GROUP], STUDY_GROUPS_A_YEAR),
            Indicator.EVENTS: share_of_events(events[unit_id][Indicator.EVENTS], EVENTS_A_YEAR),
        }
        for unit_id in unit_ids
    }


def _ancestors(
    session: Session, unit_ids: Collection[int], *, snapshot_exam_id: int | None = None
) -> dict[int, list[int]]:
    """Give for every unit in the subtrees of some the ones of these that it counts for: now, or when an exam's roster was frozen."""
    column, path = Unit.id, Unit.region_path
    query = select(column, path)
    if snapshot_exam_id is not None:
        column, path = RosterSnapshotUnit.unit_id, RosterSnapshotUnit.region_path
        query = select(column, path).where(RosterSnapshotUnit.exam_id == snapshot_exam_id)
    if len(unit_ids) <= _FEW:
        tops = session.execute(query.where(column.in_(unit_ids))).all()
        query = query.where(or_(false(), *(path.startswith(top.region_path, autoescape=True) for top in tops)))
    wanted = set(unit_ids)
    return {
        unit_id: [above for above in _path_ids(its_path) if above in wanted]
        for unit_id, its_path in session.execute(query)
    }


def _path_ids(path: str) -> Iterator[int]:
    return (int(part) for part in path.split("/") if part)


def _exam_counts(
    session: Session, assessment: Assessment, unit_ids: Collection[int], *, now: datetime
) -> Mapping[int, Counts]:
    sums: dict[int, Counts] = defaultdict(Counts)
    if assessment.exam_id is None:
        return sums
    report_context = get_report_context(session, assessment.exam_id, scope=Scope.FINAL, now=now)
    above = _ancestors(session, unit_ids, snapshot_exam_id=report_context.snapshot_exam_id)
    wanted = PeopleFilter(unit_ids=list(above) if len(unit_ids) <= _FEW else None)
    for unit_id, counts in counts_by_unit(session, report_context, wanted).items():
        for target in above.get(unit_id, ()):
            sums[target] += counts
    return sums


def _study_counts(session: Session, year: int, unit_ids: Collection[int]) -> Mapping[int, StudyCounts]:
    """Count study as the records do; nobody where the year has no required course."""
    sums: dict[int, StudyCounts] = defaultdict(StudyCounts)
    above = _ancestors(session, unit_ids)
    for unit_id, counts in study_counts(session, year, list(above) if len(unit_ids) <= _FEW else None).items():
        for target in above.get(unit_id, ()):
            sums[target] += counts
    return sums


def _event_counts(session: Session, year: int, unit_ids: Collection[int]) -> Mapping[int, Counter[Indicator]]:
    """Count the settled events of a year by the indicator that their kind belongs to."""
    sums: dict[int, Counter[Indicator]] = defaultdict(Counter)
    above = _ancestors(session, unit_ids)
    rows = session.execute(
        select(StudyEvent.unit_id, StudyEvent.kind, func.count())
        .where(StudyEvent.state == EventState.HELD, StudyEvent.starts_at >= start_of(date(year, 1, 1)))
        .where(StudyEvent.starts_at < start_of(date(year + 1, 1, 1)))
        .group_by(StudyEvent.unit_id, StudyEvent.kind)
    )
    for unit_id, kind, count in rows:
        for target in above.get(unit_id, ()):
            sums[target].update({Indicator(name): count for name, kinds in COUNTED_KINDS.items() if kind in kinds})
    return sums


def _on_time_counts(
    session: Session, year: int, unit_ids: Collection[int], *, today: date
) -> Mapping[int, tuple[int, int]]:
    first = (
        select(DutyRecord.item_id, func.min(DutyRecord.done_on).label("on"))
        .where(DutyRecord.withdrawn_at.is_(None))
        .group_by(DutyRecord.item_id)
        .subquery()
    )
    rows = session.execute(
        select(DutyList.unit_id, DutyItem.due_on, first.c.on)
        .join(DutyItem, DutyItem.list_id == DutyList.id)
        .outerjoin(first, first.c.item_id == DutyItem.id)
        .where(
            DutyList.year == year,
            DutyList.unit_id.in_(unit_ids),
            DutyList.published_at.is_not(None),
            DutyItem.withdrawn_at.is_(None),
        )
    )
    sums: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for unit_id, due_on, done_on in rows:
        progress = progress_of(due_on, done_on, today=today)
        if progress in {Progress.DONE, Progress.DONE_LATE, Progress.OVERDUE}:
            kept, all_ = sums[unit_id]
            sums[unit_id] = (kept + (progress == Progress.DONE), all_ + 1)
    return sums


def count_votes(session: Session, assessment_id: int, unit_ids: Collection[int]) -> dict[int, dict[Opinion, int]]:
    """Count the opinions that units were given."""
    rows = session.execute(
        select(VoteTally.unit_id, VoteTally.opinion, VoteTally.votes).where(
            VoteTally.assessment_id == assessment_id, VoteTally.unit_id.in_(unit_ids)
        )
    )
    votes: dict[int, dict[Opinion, int]] = defaultdict(dict)
    for unit_id, opinion, count in rows:
        votes[unit_id][Opinion(opinion)] = count
    return dict(votes)

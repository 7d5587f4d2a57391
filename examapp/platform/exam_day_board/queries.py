"""The exam-day boards: how the attempts of an exam, the machine, and the people of one unit stand at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.exams.queries import list_organiser_exams, readiness
from examapp.jobs.models import JobState
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Tree
from examapp.oversight.statistics.queries import counts_by_unit
from examapp.oversight.statistics_definitions.rules import Counts, Scope, UnitStatsRow, rollup
from examapp.oversight.statistics_people.queries import PersonRow, iter_people
from examapp.oversight.statistics_scope.queries import (
    PeopleFilter,
    ReportContext,
    UnitTree,
    get_report_context,
    get_tree_of,
)
from examapp.platform.exam_day import queries as exam_day_queries
from examapp.platform.setup import queries as setup_queries
from examapp.platform.setup.models import Rehearsal
from examapp.platform.setup.rules import is_alive
from examapp.web.metrics import list_reports, rates_by_machine

_SHOWN_AROUND = timedelta(days=3)
_MAX_NAMED = 300
"""People of a unit who are named on its board; a larger unit is looked at by its sub-units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How the machine stands: rates are of the last minute, times the worst of the web processes."""

    processes: int
    saves_per_second: float
    save_p95_ms: int
    starts_per_minute: int
    hand_ins_per_minute: int
    failures_per_minute: int
    is_slowed: bool
    """Whether savers are asked to save less often."""
    starts_per_second: int | None
    beat: datetime | None
    is_sweeper_alive: bool
    waiting_jobs: int
    failed_jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything that the board shows."""

    exam: Exam
    eligible: int
    status: exam_day_queries.ExamDayStatus
    stuck: list[exam_day_queries.AttemptLine]
    set_aside: list[exam_day_queries.AttemptLine]
    late: list[exam_day_queries.LateLine]
    machine: Machine
    rehearsal: Rehearsal | None
    at: datetime


def board(session: Session, exam: Exam, access: AccessScope, *, now: datetime) -> Board:
    """Read the board of one exam, of the people within the access scope."""
    status = exam_day_queries.get_exam_day_status(session, exam.id, access, now=now)
    return Board(
        exam=exam,
        eligible=readiness(session, exam).eligible,
        status=status,
        stuck=exam_day_queries.list_stuck(session, exam.id, access, now=now) if status.stuck else [],
        set_aside=exam_day_queries.list_set_aside(session, exam.id, access) if status.set_aside else [],
        late=exam_day_queries.list_late_attempts(session, exam.id, access) if status.undecided else [],
        machine=machine(session, now=now),
        rehearsal=find_last_rehearsal(session),
        at=now,
    )


def machine(session: Session, *, now: datetime) -> Machine:
    """Read how the machine stands, from what its web processes reported and from the rows of the work."""
    reports = list_reports(session, now=now)
    beat, jobs = setup_queries.heartbeats(session).get(setup_queries.SWEEPER), setup_queries.count_jobs(session)
    return Machine(
        processes=len(reports),
        saves_per_second=round(sum(report.saves for report in reports) / 60, 1),
        save_p95_ms=max((report.save_p95_ms for report in reports), default=0),
        starts_per_minute=sum(report.starts for report in reports),
        hand_ins_per_minute=sum(report.hand_ins for report in reports),
        failures_per_minute=sum(report.rejected for report in reports),
        is_slowed=any(report.next_save_ms > 2000 for report in reports),
        starts_per_second=sum(map(min, rates_by_machine(reports).values())) if reports else None,
        beat=beat,
        is_sweeper_alive=is_alive(beat, now=now),
        waiting_jobs=sum(counts.waiting for counts in jobs),
        failed_jobs=sum(counts.failed for counts in jobs),
    )


def find_last_rehearsal(session: Session) -> Rehearsal | None:
    """Find the last rehearsal that came to a verdict."""
    return session.scalar(
        select(Rehearsal).where(Rehearsal.state == JobState.DONE).order_by(Rehearsal.id.desc()).limit(1)
    )


def list_rehearsals(session: Session, *, limit: int = 10) -> list[Rehearsal]:
    """List the last rehearsals, newest first."""
    return list(session.scalars(select(Rehearsal).order_by(Rehearsal.id.desc()).limit(limit)))


def list_exams_around(session: Session, *, now: datetime) -> list[Exam]:
    """List the published exams that are open, or open or close within three days."""
    return list(
        session.scalars(
            select(Exam)
            .where(Exam.state == ExamState.PUBLISHED)
            .where(Exam.opens_at < now + _SHOWN_AROUND, Exam.closes_at > now - _SHOWN_AROUND)
            .order_by(Exam.opens_at.desc())
            .limit(30)
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNow:
    """A person of a unit's board; `deadline_at` and `seen_at` of the attempt in progress, None for who sits none."""

    row: PersonRow
    deadline_at: datetime | None
    seen_at: datetime | None
    is_stuck: bool
    """Whether the attempt in progress was not heard of for five minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitBoard:
    """How the people of one unit and of what is below it stand in an exam; names only where they are few enough to be read."""

    report_context: ReportContext
    units: UnitTree
    total: Counts
    own: Counts
    """Of the people of the unit itself, without what is below it."""
    below: list[UnitStatsRow]
    is_named: bool
    people: list[PersonNow]

    @property
    def not_started(self) -> list[PersonNow]:
        """Who has not begun."""
        return [one for one in self.people if one.row.started_at is None and not one.row.has_submitted]

    @property
    def in_progress(self) -> list[PersonNow]:
        """Who has begun and handed nothing in."""
        return [one for one in self.people if one.row.started_at is not None and not one.row.has_submitted]

    @property
    def handed_in(self) -> list[PersonNow]:
        """Who has handed in."""
        return [one for one in self.people if one.row.has_submitted]

    @property
    def stuck(self) -> list[PersonNow]:
        """Who sits and was not heard of for five minutes."""
        return [one for one in self.people if one.is_stuck]


def unit_board(
    session: Session, exam_id: int, unit_id: int, *, tree: Tree, access: AccessScope, now: datetime
) -> UnitBoard:
    """Read the board of one unit within the access scope; raises NotFoundError for a unit beyond it and for an exam that concerns nobody within it."""
    report_context = get_report_context(session, exam_id, scope=Scope.THIS, now=now, access=access)
    units = get_tree_of(session, report_context, unit_id, tree=tree, access=access)
    wanted = PeopleFilter(unit_ids=units.unit_ids)
    counts = counts_by_unit(session, report_context, wanted)
    rows = rollup(units.nodes, counts, depth=1)
    is_named = rows[0].counts.eligible <= _MAX_NAMED
    people: list[PersonRow] = []
    if is_named:
        people = list(iter_people(session, report_context, wanted, group="eligible"))
    attempts = exam_day_queries.map_attempts_in_progress(session, exam_id, [row.person_id for row in people])
    return UnitBoard(
        report_context=report_context,
        units=units,
        total=rows[0].counts,
        own=counts.get(unit_id, Counts()),
        below=[row for row in rows[1:] if row.counts.eligible],
        is_named=is_named,
        people=[_person_now(row, *attempts.get(row.person_id, (None, None)), now=now) for row in people],
    )


def _person_now(row: PersonRow, deadline_at: datetime | None, seen_at: datetime | None, *, now: datetime) -> PersonNow:
    is_silent = seen_at is not None and seen_at < now - exam_day_queries.RECENTLY
    is_stuck = is_silent and deadline_at is not None and deadline_at > now
    return PersonNow(row=row, deadline_at=deadline_at, seen_at=seen_at, is_stuck=is_stuck)


def list_unit_exams_around(session: Session, access: AccessScope, *, now: datetime) -> list[Exam]:
    """List the exams of these days that concern somebody within an access scope."""
    return [
        exam
        for exam in list_organiser_exams(session, access)
        if exam.opens_at < now + _SHOWN_AROUND and exam.closes_at > now - _SHOWN_AROUND
    ]

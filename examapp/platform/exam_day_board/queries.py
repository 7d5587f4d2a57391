"""The exam-day board: how the attempt and the machine stand at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.exams.queries import readiness
from examapp.jobs.models import JobState
from examapp.organisation.access.rules import AccessScope
from examapp.platform.exam_day import queries as exam_day_queries
from examapp.platform.setup import queries as setup_queries
from examapp.platform.setup.models import Rehearsal
from examapp.platform.setup.rules import is_alive
from examapp.web.metrics import list_reports, rates_by_machine

_SHOWN_AROUND = timedelta(days=3)


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
    """Read the board of one exam, of the people within the reach."""
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

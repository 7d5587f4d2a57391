"""A rehearsal (演练): a whole synthetic sitting on this machine, against a shadow database that is made for it and dropped after it.

A database of its own is the safe choice: whatever the synthetic candidates do, no row of the county's own database can move, since no
process of the rehearsal is connected to it. It runs on the same PostgreSQL server and the same processors, with the same program and
settings, so the figures are this deployment's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from examapp.delivery.attempts.queries import count_in_progress
from examapp.errors import DomainError
from examapp.jobs.columns import JobState
from examapp.jobs.publisher import nudge_after_commit
from examapp.organisation.people.models import Person, PersonState
from examapp.platform.audit.actions import Actor, record
from examapp.platform.rehearsals.rules import is_go, judge, verdict_words
from examapp.platform.setup.models import Rehearsal

STEPS = 9
_MAX_LENGTH = timedelta(minutes=10)
_OVERDUE = timedelta(minutes=1)


class RehearsalRefusedError(DomainError):
    """A rehearsal now would harm somebody, or one is running already."""

    code = "rehearsal_refused"


def request_rehearsal(
    session: Session, *, actor: Actor, now: datetime, roster: int | None = None, is_nudged: bool = True
) -> Rehearsal:
    """Ask for a rehearsal, judged for the whole roster or for so many, by a worker where it is nudged; raises RehearsalRefusedError while somebody sits an exam."""
    if count_in_progress(session):
        raise RehearsalRefusedError("现在有人正在考试。演练会占满服务器，请等所有人交卷后再做。")
    running = select(Rehearsal.id).where(Rehearsal.state.in_((JobState.WAITING, JobState.RUNNING)))
    if session.scalar(running.where(Rehearsal.created_at > now - _MAX_LENGTH)) is not None:
        raise RehearsalRefusedError("一次演练正在进行，请等它结束。")
    on_roster = select(func.count()).where(Person.state == PersonState.ON_ROSTER)
    size = roster or session.execute(on_roster).scalar_one()
    rehearsal = Rehearsal(created_by_id=actor.person_id, roster=max(1, size), total=STEPS, created_at=now)
    session.add(rehearsal)
    session.flush()
    record(session, "admin.request_rehearsal", actor=actor, now=now, object_type="rehearsal", object_id=rehearsal.id)
    if is_nudged:
        nudge_after_commit(session, "admin.rehearse", rehearsal.id)
    return rehearsal


def begin_rehearsal(session: Session, rehearsal_id: int, *, now: datetime) -> int | None:
    """Begin a rehearsal that waits: for how many candidates; None where another has begun it."""
    rehearsal = session.get(Rehearsal, rehearsal_id, with_for_update={"skip_locked": True})
    if rehearsal is None or rehearsal.state != JobState.WAITING:
        return None
    rehearsal.begin(now=now)
    return rehearsal.roster


def conclude_rehearsal(
    session: Session, rehearsal_id: int, measured: Mapping[str, float], *, now: datetime
) -> Rehearsal:
    """Judge what was measured, and store the verdict."""
    rehearsal = session.get_one(Rehearsal, rehearsal_id)
    lines = judge(measured, roster=rehearsal.roster)
    rehearsal.figures, rehearsal.is_go = [line.as_json() for line in lines], is_go(lines)
    rehearsal.succeed(now=now, message=verdict_words(lines, roster=rehearsal.roster))
    return rehearsal


def fail_rehearsal(session: Session, rehearsal_id: int, message: str, *, now: datetime) -> None:
    """Note that a rehearsal did not come to an end; that is a no-go."""
    rehearsal = session.get_one(Rehearsal, rehearsal_id)
    rehearsal.is_go = False
    rehearsal.fail(now=now, message=message)


def list_lost_rehearsals(session: Session, *, now: datetime) -> Sequence[Rehearsal]:
    """List rehearsals that wait for a worker too long, or that began long ago and never ended."""
    return session.scalars(
        select(Rehearsal).where(
            or_(
                (Rehearsal.state == JobState.WAITING) & (Rehearsal.created_at < now - _OVERDUE),
                (Rehearsal.state == JobState.RUNNING) & (Rehearsal.started_at < now - _MAX_LENGTH),
            )
        )
    ).all()

"""A rehearsal (演练): a whole synthetic attempt on this machine, against a shadow database that is made for it and dropped after it.

A database of its own is the safe choice: whatever the synthetic candidates do, no row of the county's own database can move, since no
process of the rehearsal is connected to it. It runs on the same PostgreSQL server and the same processors, with the same program and
settings, so the figures are this deployment's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.delivery.attempts.queries import count_in_progress
from examapp.errors import DomainError
from examapp.jobs.actions import publish_after_commit
from examapp.jobs.models import ACTIVE
from examapp.jobs.runner import JobRun
from examapp.organisation.people.models import Person, PersonState
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.rehearsals.rules import is_go, judge, verdict_text
from examapp.platform.setup.models import Rehearsal

AUDIT_ACTS = {"admin.request_rehearsal": "开始演练"}
AUDIT_OBJECTS = {"rehearsal": "演练"}

STEPS = 9
_MAX_LENGTH = timedelta(minutes=10)


class InvalidRehearsalError(DomainError):
    """A rehearsal now would harm somebody, or one is running already."""

    code = "rehearsal_refused"


def request_rehearsal(context: ActionContext, *, roster: int | None = None, is_published: bool = True) -> Rehearsal:
    """Enqueue a rehearsal, judged for the whole roster or for so many; raises InvalidRehearsalError while somebody sits an exam."""
    session, now = context.session, context.now
    if count_in_progress(session):
        raise InvalidRehearsalError("现在有人正在考试。演练会占满服务器，请等所有人交卷后再做。")
    running = select(Rehearsal.id).where(Rehearsal.state.in_(ACTIVE))
    if session.scalar(running.where(Rehearsal.created_at > now - _MAX_LENGTH)) is not None:
        raise InvalidRehearsalError("一次演练正在进行，请等它结束。")
    on_roster = select(func.count()).where(Person.state == PersonState.ON_ROSTER)
    size = roster or session.execute(on_roster).scalar_one()
    rehearsal = Rehearsal(created_by_id=context.actor.person_id, roster=max(1, size), total=STEPS, created_at=now)
    session.add(rehearsal)
    session.flush()
    record(context, "admin.request_rehearsal", object_type="rehearsal", object_id=rehearsal.id)
    if is_published:
        publish_after_commit(session, rehearsal.id, Rehearsal.KIND)
    return rehearsal


def conclude_rehearsal(session: Session, run: JobRun, measured: Mapping[str, float]) -> None:
    """Judge what was measured, store the verdict and complete the job."""
    rehearsal = session.get_one(Rehearsal, run.id)
    lines = judge(measured, roster=rehearsal.roster)
    rehearsal.figures, rehearsal.is_go = [line.as_json() for line in lines], is_go(lines)
    run.complete(session, total=STEPS, message=verdict_text(lines, roster=rehearsal.roster))


def note_no_go(session: Session, rehearsal_id: int) -> None:
    """Note that a rehearsal that did not end is no permission to open the exam."""
    session.get_one(Rehearsal, rehearsal_id).is_go = False

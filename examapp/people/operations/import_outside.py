"""Rows whose ID number belongs to somebody beyond the importer's reach: not told at the preview, held back for the office when the file is taken over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, func, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent
from examapp.audit.operations import Actor, record
from examapp.core.errors import DomainError
from examapp.people.models import RosterImport
from examapp.people.operations.import_plan import Planned

MOST_FILES_A_DAY = 20
"""Files that somebody brings in who does not reach the whole county."""
MOST_HELD_A_DAY = 20
"""People of other units of whom such a person learns in a day, by files taken over, that their numbers are known here."""
CHECKED, HELD = "people.check_outside_numbers", "people.hold_outside_numbers"
ADVICE = "这个身份证号已登记在别的单位，这一行没有导入。请报普法办核对，办理调动。"
_UPLOADED = "people.upload_roster"
_DAY = timedelta(hours=24)


class TooManyFilesError(DomainError):
    """Somebody who does not reach the whole county has brought in many files today."""

    code = "too_many_files"
    status = 429
    message = f"24 小时内最多上传 {MOST_FILES_A_DAY} 个名册文件，您已用完。请把人员合在一个文件里，明天再上传；急用的，请报普法办导入。"


class TooManyHeldError(DomainError):
    """A file names many people of other units by their ID numbers."""

    code = "too_many_outside"
    status = 422
    message = f"文件里有很多身份证号已登记在别的单位（24 小时内最多 {MOST_HELD_A_DAY} 个），整个文件没有导入。请把名册报普法办导入。"


def refuse_many_files(session: Session, *, actor: Actor, now: datetime) -> None:
    """Raise TooManyFilesError where a person has used up the day's files."""
    files = select(func.count()).select_from(AuditEvent)
    if (session.scalar(files.where(*_of(actor, _UPLOADED, now))) or 0) >= MOST_FILES_A_DAY:
        raise TooManyFilesError(retry_after=int(_DAY.total_seconds()))


def note_outside(session: Session, job: RosterImport, planned: Sequence[Planned], *, now: datetime) -> None:
    """Write into the log how many rows of a file that was only looked at name people beyond the importer's reach."""
    count = sum(plan.is_outside for plan in planned)
    if count:
        _record(session, CHECKED, job, count, now)


def hold_outside(
    session: Session, job: RosterImport, taken: Sequence[Planned], *, now: datetime
) -> tuple[list[Planned], list[Planned]]:
    """Part the rows to be written from those held back, with a line in the log; raises TooManyHeldError, the file's rows unwritten."""
    held = [plan for plan in taken if plan.is_outside]
    if held:
        actor = Actor(person_id=job.created_by_id)
        before = select(func.sum(AuditEvent.details["rows"].as_string().cast(Integer)))
        if len(held) + (session.scalar(before.where(*_of(actor, HELD, now))) or 0) > MOST_HELD_A_DAY:
            raise TooManyHeldError
        _record(session, HELD, job, len(held), now)
    return [plan for plan in taken if not plan.is_outside], held


def _of(actor: Actor, act: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return AuditEvent.actor_id == actor.person_id, AuditEvent.act == act, AuditEvent.at > now - _DAY


def _record(session: Session, act: str, job: RosterImport, count: int, now: datetime) -> None:
    record(
        session, act, actor=Actor(person_id=job.created_by_id), now=now, object_type="roster_import", object_id=job.id,
        details={"rows": count},
    )  # fmt: skip

"""Show one person's whole numbers to somebody who may and says why: written into the log before anything is shown."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.audit.models import AuditEvent
from examapp.audit.operations import Actor, record
from examapp.core.crypto import Sealer
from examapp.core.errors import DomainError
from examapp.people.models import Person
from examapp.people.queries import numbers_of

ACT = "people.reveal_numbers"
MOST_A_DAY = 30
"""More than one needs who checks a number, fewer than one needs who collects them: whole lists go by the export that two people allow."""
_DAY = timedelta(hours=24)


class TooManyRevealsError(DomainError):
    """One person has looked at many numbers today."""

    code = "too_many_reveals"
    status = 429
    message = f"24 小时内最多查看 {MOST_A_DAY} 人的完整号码，您已用完。需要名单的，请在“报表”中申请导出；或明天再查。"


def reveal_numbers(
    session: Session, person: Person, *, reason: str, sealer: Sealer, actor: Actor, now: datetime
) -> tuple[str, str]:
    """Give a person's whole ID number and mobile; raises TooManyRevealsError. Who looks twice in a row is counted twice."""
    session.get(Person, actor.person_id, with_for_update=True)
    seen = session.scalar(
        select(func.count())
        .select_from(AuditEvent)
        .where(AuditEvent.actor_id == actor.person_id, AuditEvent.at > now - _DAY, AuditEvent.act == ACT)
    )
    if (seen or 0) >= MOST_A_DAY:
        raise TooManyRevealsError(retry_after=int(_DAY.total_seconds()))
    record(
        session,
        ACT,
        actor=actor,
        now=now,
        object_type="person",
        object_id=person.id,
        person_id=person.id,
        details={"reason": reason},
    )
    return numbers_of(session, [person.id], sealer, is_whole=True)[person.id]

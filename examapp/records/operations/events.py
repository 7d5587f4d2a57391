"""A unit plans an event, opens and ends its check-in, settles or cancels it."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import DomainError
from examapp.people.queries import get_unit_within
from examapp.people.rules import Reach
from examapp.records.models import EventState, StudyEvent
from examapp.records.queries.events import count_present, get_event
from examapp.records.rules.events import CODE_EARLIEST, LATEST_CODE_AFTER, LONGEST_CHECK_IN

_SEED_BYTES = 20


class EventRefusedError(DomainError):
    """An act does not fit an event as it stands; the message says what to do."""

    code = "event_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """What the organiser fills in."""

    kind: str
    theme: str
    laws: str
    speaker: str
    place: str
    audience: str
    summary: str
    starts_at: datetime
    ends_at: datetime


def plan_event(
    session: Session, *, unit_id: int, settings: EventSettings, reach: Reach, actor: Actor, now: datetime
) -> StudyEvent:
    """Plan an event of a unit within reach; it may also be one that has been held already."""
    get_unit_within(session, unit_id, reach)
    event = StudyEvent(
        unit_id=unit_id,
        code_seed=secrets.token_bytes(_SEED_BYTES),
        created_by_id=actor.person_id,
        created_at=now,
        updated_at=now,
        **asdict(settings),
    )
    session.add(event)
    session.flush()
    record(session, "records.plan_event", actor=actor, now=now, object_type="study_event", object_id=event.id)
    return event


def change_event(
    session: Session, *, event_id: int, settings: EventSettings, reach: Reach, actor: Actor, now: datetime
) -> StudyEvent:
    """Change an event that is not over; raises EventRefusedError."""
    event = _open_event(session, event_id, reach)
    for name, value in asdict(settings).items():
        setattr(event, name, value)
    event.updated_at = now
    record(session, "records.change_event", actor=actor, now=now, object_type="study_event", object_id=event.id)
    return event


def _open_event(session: Session, event_id: int, reach: Reach) -> StudyEvent:
    event = get_event(session, event_id, reach, is_locked=True)
    if event.state == EventState.HELD:
        raise EventRefusedError("活动已办结，不能再改。要更正请先点「重新打开」。")
    if event.state == EventState.CANCELLED:
        raise EventRefusedError("活动已取消，不能再改。请新建一个活动。")
    return event


def open_check_in(session: Session, *, event_id: int, reach: Reach, actor: Actor, now: datetime) -> StudyEvent:
    """Let people in the room put themselves down by the code, for two hours at most and not long after the end."""
    event = _open_event(session, event_id, reach)
    if now < event.starts_at - CODE_EARLIEST:
        raise EventRefusedError("离活动开始还早，开始前一小时内才能打开签到。")
    if now >= event.ends_at + LATEST_CODE_AFTER:
        raise EventRefusedError("活动已结束半小时以上，不能再用签到码。请在下面按名单登记。")
    event.code_opened_at = now
    event.code_closes_at = min(now + LONGEST_CHECK_IN, event.ends_at + LATEST_CODE_AFTER)
    event.code_seed = secrets.token_bytes(_SEED_BYTES)
    event.updated_at = now
    record(session, "records.open_check_in", actor=actor, now=now, object_type="study_event", object_id=event.id)
    return event


def end_check_in(session: Session, *, event_id: int, reach: Reach, actor: Actor, now: datetime) -> None:
    """Take no more codes."""
    event = _open_event(session, event_id, reach)
    event.code_opened_at = event.code_closes_at = None
    event.updated_at = now
    record(session, "records.end_check_in", actor=actor, now=now, object_type="study_event", object_id=event.id)


def settle_event(session: Session, *, event_id: int, reach: Reach, actor: Actor, now: datetime) -> StudyEvent:
    """Settle an event that has begun and that somebody attended: from now on it counts; raises EventRefusedError."""
    event = _open_event(session, event_id, reach)
    if now < event.starts_at:
        raise EventRefusedError("活动还没有开始，不能办结。")
    if not count_present(session, event.id):
        raise EventRefusedError("还没有登记到场人员。请先登记，再办结；没有举行的请取消活动。")
    event.state, event.updated_at = EventState.HELD, now
    event.code_opened_at = event.code_closes_at = None
    record(session, "records.settle_event", actor=actor, now=now, object_type="study_event", object_id=event.id)
    return event


def reopen_event(session: Session, *, event_id: int, reach: Reach, actor: Actor, now: datetime) -> None:
    """Open a settled event for a correction; until it is settled again it does not count."""
    event = get_event(session, event_id, reach, is_locked=True)
    if event.state != EventState.HELD:
        raise EventRefusedError("只有已办结的活动才能重新打开。")
    event.state, event.updated_at = EventState.PLANNED, now
    record(session, "records.reopen_event", actor=actor, now=now, object_type="study_event", object_id=event.id)


def cancel_event(session: Session, *, event_id: int, reach: Reach, actor: Actor, now: datetime) -> None:
    """Cancel an event that is not over; it stays in the list."""
    event = _open_event(session, event_id, reach)
    event.state, event.updated_at = EventState.CANCELLED, now
    event.code_opened_at = event.code_closes_at = None
    record(session, "records.cancel_event", actor=actor, now=now, object_type="study_event", object_id=event.id)

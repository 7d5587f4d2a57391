"""A unit plans an event, opens and ends its check-in, settles or cancels it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import DomainError
from examapp.learning.study_events.models import Attendance, CodeTry, EventMaterial, EventState, StudyEvent
from examapp.learning.study_events.queries import (
    count_present,
    find_attendance,
    find_people,
    get_event,
    get_material,
    get_my_event,
    list_of_day,
)
from examapp.learning.study_events.rules import (
    CODE_EARLIEST,
    KIND_NAMES,
    LATEST_CODE_AFTER,
    MAX_CHECK_IN_LENGTH,
    MAX_WRONG_CODES,
    WRONG_CODE_WINDOW,
    clean_code,
    is_like,
    is_room_code,
)
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.platform.audit.actions import ActionContext, record
from examapp.uploads.actions import drop_file, store_file
from examapp.uploads.models import FileKind, StoredFile

AUDIT_ACTS = {
    "records.add_material": "上传活动材料",
    "records.cancel_event": "取消学法活动",
    "records.change_event": "修改学法活动",
    "records.check_in": "活动签到",
    "records.remove_material": "删除活动材料",
    "records.end_check_in": "结束签到",
    "records.open_check_in": "开始签到",
    "records.plan_event": "新建学法活动",
    "records.record_attendance": "登记到场人员",
    "records.reopen_event": "重新打开活动登记",
    "records.settle_event": "办结学法活动",
    "records.withdraw_attendance": "撤销到场登记",
}
AUDIT_OBJECTS = {"study_event": "学法活动"}

_SEED_BYTES = 20


class InvalidEventError(DomainError):
    """An act does not fit an event as it stands; the message says what to do."""

    code = "event_refused"


class LikeEventError(InvalidEventError):
    """An event of that day, kind and theme or place is recorded already; the organiser is asked whether this is another one."""

    code = "event_like_another"
    field = "is_distinct"


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
    outside_count: int = 0
    is_distinct: bool = False


def plan_event(context: ActionContext, *, unit_id: int, settings: EventSettings, access: AccessScope) -> StudyEvent:
    """Plan an event of a unit within the access scope; it may also be one that has been held already."""
    session, now = context.session, context.now
    get_unit_within(session, unit_id, access)
    _ask_about_like(session, settings)
    event = StudyEvent(
        unit_id=unit_id,
        code_seed=secrets.token_bytes(_SEED_BYTES),
        created_by_id=context.actor.person_id,
        created_at=now,
        updated_at=now,
        **asdict(settings),
    )
    session.add(event)
    session.flush()
    record(context, "records.plan_event", object_type="study_event", object_id=event.id)
    return event


def change_event(context: ActionContext, *, event_id: int, settings: EventSettings, access: AccessScope) -> StudyEvent:
    """Change an event that is not over; raises InvalidEventError. That it is another one than a like one is asked again once it moves."""
    event = _open_event(context.session, event_id, access)
    is_known = event.is_distinct and _marks_of(event) == _marks_of(settings)
    settings = replace(settings, is_distinct=settings.is_distinct or is_known)
    _ask_about_like(context.session, settings, but=event_id)
    for name, value in asdict(settings).items():
        setattr(event, name, value)
    event.updated_at = context.now
    record(context, "records.change_event", object_type="study_event", object_id=event.id)
    return event


def _marks_of(event: StudyEvent | EventSettings) -> tuple[str, str, str, date]:
    """Give what two events are held to be alike by."""
    return event.kind, event.theme, event.place, day_of(event.starts_at)


def _ask_about_like(session: Session, settings: EventSettings, *, but: int = 0) -> None:
    """Raise LikeEventError where a like event of that day is recorded, until the organiser says that it is another one."""
    if settings.is_distinct:
        return
    for event, unit_name in list_of_day(session, settings.kind, settings.starts_at, but=but):
        if is_like(settings.theme, settings.place, other_theme=event.theme, other_place=event.place):
            raise LikeEventError(
                f"{unit_name}已登记同一天的{KIND_NAMES[event.kind]}“{event.theme}”"
                f"{f'（{event.place}）' if event.place else ''}。如是同一场，不用再登记，请由一个单位登记；不是同一场的，请勾选下面一项再保存。"
            )


def _open_event(session: Session, event_id: int, access: AccessScope) -> StudyEvent:
    event = get_event(session, event_id, access, is_locked=True)
    if event.state == EventState.HELD:
        raise InvalidEventError("活动已办结，不能再改。要更正请先点“重新打开”。")
    if event.state == EventState.CANCELLED:
        raise InvalidEventError("活动已取消，不能再改。请新建一个活动。")
    return event


def open_check_in(context: ActionContext, *, event_id: int, access: AccessScope) -> StudyEvent:
    """Let people in the room put themselves down by the code, for two hours at most and not long after the end."""
    now = context.now
    event = _open_event(context.session, event_id, access)
    if now < event.starts_at - CODE_EARLIEST:
        raise InvalidEventError("离活动开始还早，开始前一小时内才能打开签到。")
    if now >= event.ends_at + LATEST_CODE_AFTER:
        raise InvalidEventError("活动已结束半小时以上，不能再用签到码。请在下面按名单登记。")
    event.code_opened_at = now
    event.code_closes_at = min(now + MAX_CHECK_IN_LENGTH, event.ends_at + LATEST_CODE_AFTER)
    event.code_seed = secrets.token_bytes(_SEED_BYTES)
    event.updated_at = now
    record(context, "records.open_check_in", object_type="study_event", object_id=event.id)
    return event


def end_check_in(context: ActionContext, *, event_id: int, access: AccessScope) -> None:
    """Take no more codes."""
    event = _open_event(context.session, event_id, access)
    event.code_opened_at = event.code_closes_at = None
    event.updated_at = context.now
    record(context, "records.end_check_in", object_type="study_event", object_id=event.id)


def settle_event(context: ActionContext, *, event_id: int, access: AccessScope) -> StudyEvent:
    """Settle an event that has begun and that reached somebody: from now on it counts; raises InvalidEventError."""
    event = _open_event(context.session, event_id, access)
    if context.now < event.starts_at:
        raise InvalidEventError("活动还没有开始，不能办结。")
    if not count_present(context.session, event.id) and not event.outside_count:
        raise InvalidEventError(
            "还没有登记到场人员。请先登记，面向群众的请在“修改活动”中填写人数，再办结；没有举行的请取消活动。"
        )
    event.state, event.updated_at = EventState.HELD, context.now
    event.code_opened_at = event.code_closes_at = None
    record(context, "records.settle_event", object_type="study_event", object_id=event.id)
    return event


def reopen_event(context: ActionContext, *, event_id: int, access: AccessScope) -> None:
    """Open a settled event for a correction; until it is settled again it does not count."""
    event = get_event(context.session, event_id, access, is_locked=True)
    if event.state != EventState.HELD:
        raise InvalidEventError("只有已办结的活动才能重新打开。")
    event.state, event.updated_at = EventState.PLANNED, context.now
    record(context, "records.reopen_event", object_type="study_event", object_id=event.id)


def cancel_event(context: ActionContext, *, event_id: int, access: AccessScope) -> None:
    """Cancel an event that is not over; it stays in the list."""
    event = _open_event(context.session, event_id, access)
    event.state, event.updated_at = EventState.CANCELLED, context.now
    event.code_opened_at = event.code_closes_at = None
    record(context, "records.cancel_event", object_type="study_event", object_id=event.id)


MAX_LINES = 2000


class CheckIn(StrEnum):
    """What became of a typed code; a wrong one is counted, so it is told and not raised."""

    DONE = "done"
    WRONG = "wrong"
    CLOSED = "closed"
    TOO_OFTEN = "too_often"


def check_in(context: ActionContext, *, event_id: int, typed: str) -> CheckIn:
    """Put oneself down by the code that the room shows; twice is once. Raises NotFoundError for another unit's event."""
    session, actor, now = context.session, context.actor, context.now
    get_my_event(session, event_id, actor.person_id or 0)
    event = session.scalars(select(StudyEvent).where(StudyEvent.id == event_id).with_for_update(read=True)).one()
    if find_attendance(session, event_id, actor.person_id or 0) is not None:
        return CheckIn.DONE
    if event.state != EventState.PLANNED or event.code_closes_at is None or event.code_closes_at <= now:
        return CheckIn.CLOSED
    if not _may_try(context, event_id):
        return CheckIn.TOO_OFTEN
    if not is_room_code(event.code_seed, clean_code(typed), now):
        _count_wrong(context, event_id)
        return CheckIn.WRONG
    unit_id = session.scalars(select(Person.unit_id).where(Person.id == actor.person_id)).one()
    _note(context, event_id, [(actor.person_id or 0, unit_id)], way="code")
    record(context, "records.check_in", object_type="study_event", object_id=event_id, person_id=actor.person_id)
    return CheckIn.DONE


def _may_try(context: ActionContext, event_id: int) -> bool:
    """Tell whether a person may type another code; the row is locked, so tries beside each other count one by one."""
    session, person_id, now = context.session, context.actor.person_id, context.now
    session.execute(
        insert(CodeTry).values(event_id=event_id, person_id=person_id, wrong=0, first_at=now).on_conflict_do_nothing()
    )
    row = session.scalars(
        select(CodeTry)
        .where(CodeTry.event_id == event_id, CodeTry.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.first_at + WRONG_CODE_WINDOW <= now:
        row.wrong, row.first_at = 0, now
    return row.wrong < MAX_WRONG_CODES


def _count_wrong(context: ActionContext, event_id: int) -> None:
    context.session.execute(
        update(CodeTry)
        .where(CodeTry.event_id == event_id, CodeTry.person_id == context.actor.person_id)
        .values(wrong=CodeTry.wrong + 1, first_at=func.least(CodeTry.first_at, context.now))
    )


def _note(context: ActionContext, event_id: int, people: Sequence[tuple[int, int]], *, way: str) -> int:
    rows = [
        {"event_id": event_id, "person_id": person_id, "unit_id": unit_id, "way": way, "noted_at": context.now, "noted_by_id": context.actor.person_id}
        for person_id, unit_id in people
    ]  # fmt: skip
    if not rows:
        return 0
    done = context.session.scalars(
        insert(Attendance).values(rows).on_conflict_do_nothing().returning(Attendance.person_id)
    )
    return len(done.all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What became of a list: how many were put down again, and which lines were not taken, each with why."""

    added: int
    problems: tuple[str, ...]


def put_down(context: ActionContext, *, event_id: int, lines: Sequence[str], access: AccessScope) -> Listed:
    """Put people of the event's unit down by staff number or name, a line each; a name that two people bear is not guessed at."""
    event = _changeable(context.session, event_id, access)
    wanted = list(dict.fromkeys(line for raw in lines if (line := raw.strip())))
    if len(wanted) > MAX_LINES:
        raise InvalidEventError(f"一次最多登记 {MAX_LINES} 人，请分几次登记。")
    found = find_people(context.session, event.unit, wanted)
    by_word: dict[str, dict[int, int]] = {}
    for person_id, staff_number, name, unit_id in found:
        by_word.setdefault(staff_number, {})[person_id] = unit_id
        by_word.setdefault(name, {})[person_id] = unit_id
    people: dict[int, int] = {}
    problems: list[str] = []
    for word in wanted:
        matches = by_word.get(word, {})
        if len(matches) == 1:
            people |= matches
        elif matches:
            problems.append(f"{word}：有 {len(matches)} 人同名，请改填工号。")
        else:
            problems.append(f"{word}：本单位在册人员中没有找到，请核对姓名或工号。")
    added = _note(context, event_id, sorted(people.items()), way="list")
    record(context, "records.record_attendance", object_type="study_event", object_id=event_id, details={"added": added})  # fmt: skip
    return Listed(added=added, problems=tuple(problems))


def take_back(context: ActionContext, *, event_id: int, person_id: int, access: AccessScope) -> None:
    """Take a person off the attendance of an event that is not settled; twice is once."""
    _changeable(context.session, event_id, access)
    context.session.execute(
        delete(Attendance).where(Attendance.event_id == event_id, Attendance.person_id == person_id)
    )
    record(context, "records.withdraw_attendance", object_type="study_event", object_id=event_id, person_id=person_id)


def _changeable(session: Session, event_id: int, access: AccessScope) -> StudyEvent:
    event = get_event(session, event_id, access, is_locked=True)
    if event.state != EventState.PLANNED:
        raise InvalidEventError("活动已办结或取消，到场名单不能再改。要更正请先点“重新打开”。")
    return event


_ROOM = "records"
_KINDS = frozenset({FileKind.PDF, FileKind.DOCX, FileKind.XLSX, FileKind.IMAGE, FileKind.MP3})
MAX_FILES = 20


def add_material(
    context: ActionContext, *, event_id: int, name: str, content: bytes, access: AccessScope
) -> StoredFile:
    """Attach a file that came at once; raises InvalidFileError, and InvalidEventError where there are twenty already."""
    session = context.session
    get_event(session, event_id, access, is_locked=True)
    count = session.scalar(select(func.count()).where(EventMaterial.event_id == event_id)) or 0
    if count >= MAX_FILES:
        raise InvalidEventError(f"一次活动最多 {MAX_FILES} 份资料，请先删除不用的。")
    file = store_file(
        session, room=_ROOM, name=name, content=content, by_id=context.actor.person_id, now=context.now, kinds=_KINDS
    )
    session.add(EventMaterial(event_id=event_id, file_id=file.id))
    session.flush()
    record(context, "records.add_material", object_type="study_event", object_id=event_id)
    return file


def drop_material(context: ActionContext, *, event_id: int, file_id: int, access: AccessScope) -> None:
    """Take a file away for good; raises NotFoundError."""
    session = context.session
    get_event(session, event_id, access, is_locked=True)
    material = get_material(session, event_id, file_id)
    file = material.file
    session.delete(material)
    session.flush()
    drop_file(session, file)
    record(context, "records.remove_material", object_type="study_event", object_id=event_id)

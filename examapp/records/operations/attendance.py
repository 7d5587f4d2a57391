"""Note who was at an event: by the room's code, by list, and take a wrong entry back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.people.models import Person
from examapp.people.rules import Reach
from examapp.records.models import Attendance, CodeTry, EventState, StudyEvent
from examapp.records.operations.events import EventRefusedError
from examapp.records.queries.events import find_attendance, find_people, get_event, get_my_event
from examapp.records.rules.events import MOST_WRONG_CODES, WRONG_CODE_WINDOW, clean_code, is_room_code

MOST_LINES = 2000


class CheckIn(StrEnum):
    """What became of a typed code; a wrong one is counted, so it is told and not raised."""

    DONE = "done"
    WRONG = "wrong"
    CLOSED = "closed"
    TOO_OFTEN = "too_often"


def check_in(session: Session, *, event_id: int, typed: str, actor: Actor, now: datetime) -> CheckIn:
    """Put oneself down by the code that the room shows; twice is once. Raises NotFoundError for another unit's event."""
    get_my_event(session, event_id, actor.person_id or 0)
    event = session.scalars(select(StudyEvent).where(StudyEvent.id == event_id).with_for_update(read=True)).one()
    if find_attendance(session, event_id, actor.person_id or 0) is not None:
        return CheckIn.DONE
    if event.state != EventState.PLANNED or event.code_closes_at is None or event.code_closes_at <= now:
        return CheckIn.CLOSED
    if not _may_try(session, event_id, actor, now=now):
        return CheckIn.TOO_OFTEN
    if not is_room_code(event.code_seed, clean_code(typed), now):
        _count_wrong(session, event_id, actor, now=now)
        return CheckIn.WRONG
    unit_id = session.scalars(select(Person.unit_id).where(Person.id == actor.person_id)).one()
    _note(session, event_id, [(actor.person_id or 0, unit_id)], way="code", actor=actor, now=now)
    record(session, "records.check_in", actor=actor, now=now, object_type="study_event", object_id=event_id, person_id=actor.person_id)  # fmt: skip
    return CheckIn.DONE


def _may_try(session: Session, event_id: int, actor: Actor, *, now: datetime) -> bool:
    """Tell whether a person may type another code; the row is locked, so tries beside each other count one by one."""
    session.execute(
        insert(CodeTry)
        .values(event_id=event_id, person_id=actor.person_id, wrong=0, first_at=now)
        .on_conflict_do_nothing()
    )
    row = session.scalars(
        select(CodeTry)
        .where(CodeTry.event_id == event_id, CodeTry.person_id == actor.person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.first_at + WRONG_CODE_WINDOW <= now:
        row.wrong, row.first_at = 0, now
    return row.wrong < MOST_WRONG_CODES


def _count_wrong(session: Session, event_id: int, actor: Actor, *, now: datetime) -> None:
    session.execute(
        update(CodeTry)
        .where(CodeTry.event_id == event_id, CodeTry.person_id == actor.person_id)
        .values(wrong=CodeTry.wrong + 1, first_at=func.least(CodeTry.first_at, now))
    )


def _note(
    session: Session, event_id: int, people: Sequence[tuple[int, int]], *, way: str, actor: Actor, now: datetime
) -> int:
    rows = [
        {"event_id": event_id, "person_id": person_id, "unit_id": unit_id, "way": way, "noted_at": now, "noted_by_id": actor.person_id}
        for person_id, unit_id in people
    ]  # fmt: skip
    if not rows:
        return 0
    done = session.scalars(insert(Attendance).values(rows).on_conflict_do_nothing().returning(Attendance.person_id))
    return len(done.all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What became of a list: how many were put down anew, and which lines were not taken, each with why."""

    added: int
    problems: tuple[str, ...]


def put_down(
    session: Session, *, event_id: int, lines: Sequence[str], reach: Reach, actor: Actor, now: datetime
) -> Listed:
    """Put people of the event's unit down by staff number or name, a line each; a name that two people bear is not guessed at."""
    event = _changeable(session, event_id, reach)
    wanted = list(dict.fromkeys(line for raw in lines if (line := raw.strip())))
    if len(wanted) > MOST_LINES:
        raise EventRefusedError(f"一次最多登记 {MOST_LINES} 人，请分几次登记。")
    found = find_people(session, event.unit, wanted)
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
    added = _note(session, event_id, sorted(people.items()), way="list", actor=actor, now=now)
    record(session, "records.put_down", actor=actor, now=now, object_type="study_event", object_id=event_id, details={"added": added})  # fmt: skip
    return Listed(added=added, problems=tuple(problems))


def take_back(session: Session, *, event_id: int, person_id: int, reach: Reach, actor: Actor, now: datetime) -> None:
    """Take a person off the attendance of an event that is not settled; twice is once."""
    _changeable(session, event_id, reach)
    session.execute(delete(Attendance).where(Attendance.event_id == event_id, Attendance.person_id == person_id))
    record(session, "records.take_back", actor=actor, now=now, object_type="study_event", object_id=event_id, person_id=person_id)  # fmt: skip


def _changeable(session: Session, event_id: int, reach: Reach) -> StudyEvent:
    event = get_event(session, event_id, reach, is_locked=True)
    if event.state != EventState.PLANNED:
        raise EventRefusedError("活动已办结或取消，到场名单不能再改。要更正请先点「重新打开」。")
    return event

"""Carry a line of a list of changes out on the roster, by the roster's own moves."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.errors import DomainError
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.roster import actions as roster_actions
from examapp.organisation.roster.actions import PersonFacts
from examapp.organisation.roster_change_requests.models import (
    ChangeKind,
    LineState,
    RosterChangeItem,
    RosterChangeRequest,
)
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext
from examapp.security.ciphers import FieldCipher


class InvalidRosterChangeError(DomainError):
    """A change cannot be written down, or carried out, so."""

    code = "change_refused"


_FROM_ELSEWHERE = frozenset({ChangeKind.JOIN, ChangeKind.TRANSFER_IN})


def find_subject(session: Session, kind: str, *, staff_number: str, unit_id: int) -> Person | None:
    """Find whom a change of a unit's own people concerns; None for who comes from elsewhere, which says nothing about other units."""
    if kind in _FROM_ELSEWHERE:
        return None
    person = session.scalar(
        select(Person)
        .join(Unit, Person.unit_id == Unit.id)
        .where(Person.staff_number == staff_number, Unit.region_path.startswith(_path_of(session, unit_id)))
    )
    if person is None:
        raise InvalidRosterChangeError("本单位（含下级单位）没有这个工号，请核对后重填。")
    if person.state == PersonState.LEFT and kind != ChangeKind.CORRECTION:
        raise InvalidRosterChangeError(f"“{person.name}”已经离开名册，不用再办理。")
    return person


def apply_line(
    context: ActionContext, row: RosterChangeRequest, line: RosterChangeItem, *, cipher: FieldCipher
) -> None:
    """Carry a line out now, under its day; raises the roster's own rejections, and InvalidRosterChangeError where the person is another or gone."""
    session = context.session
    if line.kind == ChangeKind.JOIN:
        line.person_id = _join(context, line, cipher=cipher)
    else:
        person = _come_in(session, line) if line.kind == ChangeKind.TRANSFER_IN else _own(session, row, line)
        line.person_id = person.id
        _move(context, person, line, cipher=cipher)
    line.state, line.applied_at = LineState.APPLIED, context.now
    session.flush()


def _join(context: ActionContext, line: RosterChangeItem, *, cipher: FieldCipher) -> int:
    facts = PersonFacts(
        staff_number=line.staff_number,
        name=line.name,
        rank=line.rank,
        position=line.position,
        id_number=None,
        mobile=None,
    )
    unit = context.session.get_one(Unit, line.to_unit_id)
    return roster_actions.create_person(context, facts, unit, cipher=cipher, on=line.effective_on).id


def _move(context: ActionContext, person: Person, line: RosterChangeItem, *, cipher: FieldCipher) -> None:
    to = context.session.get(Unit, line.to_unit_id) if line.to_unit_id is not None else None
    if line.kind == ChangeKind.CORRECTION:
        roster_actions.edit_person(context, person, _corrected(person, line), cipher=cipher)
    elif to is None:
        kind = "retire" if line.kind == ChangeKind.RETIRE else "leave"
        roster_actions.let_person_leave(context, person, kind=kind, on=line.effective_on, note=line.note)
    elif person.state == PersonState.LEFT:
        roster_actions.take_person_back(context, person, to, on=line.effective_on)
    else:
        kind = "secondment" if line.kind == ChangeKind.SECONDMENT else "transfer"
        roster_actions.transfer_person(context, person, to, on=line.effective_on, note=line.note, kind=kind)


def _corrected(person: Person, line: RosterChangeItem) -> PersonFacts:
    return PersonFacts(
        staff_number=person.staff_number,
        name=line.name or person.name,
        rank=line.rank or person.rank,
        position=line.position or person.position,
        id_number=None,
        mobile=None,
        is_on_roster=person.state != PersonState.OFF_ROSTER,
    )


def _come_in(session: Session, line: RosterChangeItem) -> Person:
    person = _lock(session, Person.staff_number == line.staff_number)
    if person is None or person.name != line.name:
        raise InvalidRosterChangeError(
            "名册里没有这个工号和姓名都相符的人员。请与单位核对；名册里没有的人员应按“新进”办理。"
        )
    return person


def _own(session: Session, row: RosterChangeRequest, line: RosterChangeItem) -> Person:
    person = _lock(session, Person.id == line.person_id)
    if person is None:
        raise InvalidRosterChangeError("没有找到这个人员，请与单位核对。")
    unit = session.get_one(Unit, person.unit_id)
    if not unit.region_path.startswith(_path_of(session, row.unit_id)):
        raise InvalidRosterChangeError(f"此人现在已在“{unit.name}”，不在提交名单的单位。请与单位核对后不同意这一项。")
    return person


def _lock(session: Session, condition: object) -> Person | None:
    return session.scalar(
        select(Person).where(condition).with_for_update().execution_options(populate_existing=True)  # type: ignore[arg-type]  # a condition
    )


def _path_of(session: Session, unit_id: int) -> str:
    return session.get_one(Unit, unit_id).region_path

"""The roster: people are taken on, changed, moved, leave and come back; their results stay with them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.errors import DomainError
from examapp.organisation.accounts.actions import end_sign_ins
from examapp.organisation.passwords.actions import (
    end_grants_left_behind,
    end_grants_of,
    ensure_not_privileged,
    is_allowed,
    is_separated,
    open_account,
)
from examapp.organisation.people.models import Account, Person, PersonState, PlannedMove, RosterMove
from examapp.organisation.people.queries import numbers_of
from examapp.organisation.people.rules import (
    ID_NUMBER_PURPOSE,
    MOBILE_PURPOSE,
    find_id_number_issue,
    find_mobile_issue,
    id_number_binding,
    mobile_binding,
)
from examapp.organisation.roster_moves.queries import OFF_ROSTER_MOVE, TAKEN_OFF
from examapp.organisation.units.actions import InvalidUnitError, close_unit
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.audit.models import AuditEvent
from examapp.security.ciphers import FieldCipher

AUDIT_ACTS = {
    "people.create_person": "新增人员",
    "people.disable_account": "停用账号",
    "people.edit_person": "修改人员信息",
    "people.enable_account": "恢复账号",
    "people.record_leaver": "办理离任",
    "people.reveal_numbers": "查看完整号码",
    "people.reinstate_person": "恢复在册",
    "people.transfer_person": "办理调动",
}
AUDIT_OBJECTS = {"person": "人员"}

_SEPARATED = "系统、安全、审计管理员的工号、身份证号、手机号，要收回角色后才能改。"


class InvalidPersonError(DomainError):
    """A person cannot be so; `field` names where."""

    code = "person_refused"
    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """What is written down about a person; numbers normalised, None leaves what stands."""

    staff_number: str
    name: str
    rank: str
    position: str
    id_number: str | None
    mobile: str | None
    is_on_roster: bool = True


def create_person(context: ActionContext, facts: PersonFacts, unit: Unit, *, cipher: FieldCipher, on: date) -> Person:
    """Take a person on, with an account and a random first password; raises InvalidPersonError."""
    session, now = context.session, context.now
    ensure_unit_is_open(session, unit)
    person = Person(
        staff_number=facts.staff_number,
        name=facts.name,
        unit_id=unit.id,
        rank=facts.rank,
        position=facts.position,
        state=PersonState.ON_ROSTER if facts.is_on_roster else PersonState.OFF_ROSTER,
        created_at=now,
        updated_at=now,
    )
    _check(session, facts, cipher=cipher, own_id=0)
    session.add(person)
    _flush(session)
    _write_numbers(person, facts, cipher=cipher)
    session.add(open_account(person, cipher=cipher))
    _flush(session)
    if facts.is_on_roster:
        _add_move(context, person, "join", None, unit.id, on=on)
    _note(context, "people.create_person", person, details={"unit_id": unit.id})
    return person


def edit_person(
    context: ActionContext, person: Person, facts: PersonFacts, *, cipher: FieldCipher, may_touch_guarded: bool = False
) -> None:
    """Change what is written down about a person; the login name follows the staff number.

    Numbers are what people sign in by: raises GuardedAccountError where an administrator's would change, and InvalidPersonError.
    """
    session, now = context.session, context.now
    if facts.staff_number != person.staff_number or facts.id_number or facts.mobile:
        ensure_not_privileged(context, person, may_touch_guarded=may_touch_guarded)
        if person.id != context.actor.person_id and is_separated(session, person.id, now=now):
            raise InvalidPersonError("staff_number", _SEPARATED)
    _check(session, facts, cipher=cipher, own_id=person.id)
    changed = [
        name for name in ("staff_number", "name", "rank", "position") if getattr(person, name) != getattr(facts, name)
    ]
    for name in changed:
        setattr(person, name, getattr(facts, name))
    _set_on_roster(context, person, is_on=facts.is_on_roster)
    _write_numbers(person, facts, cipher=cipher)
    person.updated_at = now
    account = session.scalar(select(Account).where(Account.person_id == person.id))
    if account is not None and "staff_number" in changed:
        account.login_name = facts.staff_number
    _flush(session)
    changed += [name for name in ("id_number", "mobile") if getattr(facts, name)]
    _note(context, "people.edit_person", person, details={"changed": changed})


def transfer_person(
    context: ActionContext, person: Person, to: Unit, *, on: date, note: str, kind: str = "transfer"
) -> None:
    """Move a person to another unit (`transfer` or `secondment`); attempts keep the unit of the day on which they were sat.

    Roles over the unit that is left end with it.
    """
    session = context.session
    ensure_unit_is_open(session, to)
    if to.id == person.unit_id:
        raise InvalidPersonError("unit_id", "这个人已经在该单位，不需要调动。")
    ensure_not_before_latest_move(session, person, on=on)
    kind = OFF_ROSTER_MOVE if person.state == PersonState.OFF_ROSTER else kind
    left, person.unit_id, person.updated_at = person.unit_id, to.id, context.now
    session.flush()
    end_grants_left_behind(context, {person.id: (left, to.id)})
    _add_move(context, person, kind, left, to.id, on=on, note=note)
    _note(
        context,
        "people.transfer_person",
        person,
        details={"from_unit_id": left, "to_unit_id": to.id, "on": on.isoformat()},
    )


def let_person_leave(context: ActionContext, person: Person, *, kind: str, on: date, note: str) -> None:
    """Take a person off the roster (`leave` or `retire`): the account is closed, roles and their deputies' end, all results stay.

    An administrator's roles have to be taken back before; raises GuardedAccountError, InvalidPersonError.
    """
    session, now = context.session, context.now
    ensure_not_privileged(context, person, may_touch_guarded=False)
    if person.state == PersonState.LEFT:
        raise InvalidPersonError("kind", "这个人已经离开名册。")
    ensure_not_before_latest_move(session, person, on=on)
    left = person.unit_id if person.state == PersonState.ON_ROSTER else None
    person.state, person.updated_at = PersonState.LEFT, now
    session.flush()
    end_grants_of(context, person.id)
    account = session.scalar(select(Account).where(Account.person_id == person.id).with_for_update())
    if account is not None:
        account.disabled_at = account.disabled_at or now
        end_sign_ins(session, account.id, now=now)
    _add_move(context, person, kind, left, None, on=on, note=note)
    _note(context, "people.record_leaver", person, details={"kind": kind, "on": on.isoformat()})


def take_person_back(context: ActionContext, person: Person, to: Unit, *, on: date) -> None:
    """Put a person who had left back on the roster of a unit, with the account opened again."""
    session = context.session
    ensure_unit_is_open(session, to)
    ensure_not_before_latest_move(session, person, on=on)
    person.state, person.unit_id, person.updated_at = PersonState.ON_ROSTER, to.id, context.now
    account = session.scalar(select(Account).where(Account.person_id == person.id))
    if account is not None:
        account.disabled_at = None
    _add_move(context, person, "return", None, to.id, on=on)
    _note(context, "people.reinstate_person", person, details={"unit_id": to.id})


def set_account_open(
    context: ActionContext, person: Person, *, is_open: bool, may_touch_guarded: bool, reason: str = ""
) -> bool:
    """Disable a person's account, which ends all its sign-ins at once, or open it again; raises GuardedAccountError.

    False where a second person has been asked first.
    """
    ensure_not_privileged(context, person, may_touch_guarded=may_touch_guarded)
    act = "people.enable_account" if is_open else "people.disable_account"
    if not is_allowed(context, act, person, reason=reason):
        return False
    account = context.session.scalars(select(Account).where(Account.person_id == person.id).with_for_update()).one()
    account.disabled_at = None if is_open else context.now
    if not is_open:
        end_sign_ins(context.session, account.id, now=context.now)
    _note(context, act, person)
    return True


def close_empty_unit(context: ActionContext, unit: Unit) -> None:
    """Close a unit in which nobody is left; raises InvalidUnitError."""
    remaining = context.session.scalar(
        select(func.count()).select_from(Person).where(Person.unit_id == unit.id, Person.state != PersonState.LEFT)
    )
    if remaining:
        raise InvalidUnitError("closed_at", f"单位里还有 {remaining} 人，请先把他们调到其他单位或办理离任。")
    close_unit(context, unit)


def end_waiting_moves(session: Session, person_ids: Collection[int], *, now: datetime) -> None:
    """Give up the moves that wait for people who have moved otherwise: nobody is carried anywhere by an older word."""
    session.execute(
        update(PlannedMove)
        .where(PlannedMove.person_id.in_(person_ids), PlannedMove.ended_at.is_(None))
        .values(ended_at=now, outcome="cancelled")
    )


def _check(session: Session, facts: PersonFacts, *, cipher: FieldCipher, own_id: int) -> None:
    if facts.id_number and (issue := find_id_number_issue(facts.id_number)):
        raise InvalidPersonError("id_number", issue)
    if facts.mobile and (issue := find_mobile_issue(facts.mobile)):
        raise InvalidPersonError("mobile", issue)
    same_number = select(Person.id).where(Person.staff_number == facts.staff_number, Person.id != own_id)
    same_login = select(Account.id).where(Account.login_name == facts.staff_number, Account.person_id != own_id)
    if session.scalar(same_number) or session.scalar(same_login):
        raise InvalidPersonError("staff_number", f"人员编号“{facts.staff_number}”已经用过，请核对是否重复登记。")
    if facts.id_number:
        indexes = cipher.blind_indexes(facts.id_number, purpose=ID_NUMBER_PURPOSE)
        if session.scalar(select(Person.id).where(Person.id_number_index.in_(indexes), Person.id != own_id)):
            raise InvalidPersonError("id_number", "这个身份证号已登记在另一人名下，请核对；调入人员请办理调动。")


def _write_numbers(person: Person, facts: PersonFacts, *, cipher: FieldCipher) -> None:
    if facts.id_number:
        person.id_number_encrypted = cipher.seal(facts.id_number, associated_data=id_number_binding(person.id))
        person.id_number_index = cipher.blind_index(facts.id_number, purpose=ID_NUMBER_PURPOSE)
    if facts.mobile:
        person.mobile_encrypted = cipher.seal(facts.mobile, associated_data=mobile_binding(person.id))
        person.mobile_index = cipher.blind_index(facts.mobile, purpose=MOBILE_PURPOSE)


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise InvalidPersonError("staff_number", "人员编号或身份证号刚刚被别人登记，请刷新后核对。") from None


def ensure_unit_is_open(session: Session, unit: Unit) -> None:
    """Reject a unit that is closed, with the one that took its people over where there is one; raises InvalidPersonError."""
    if unit.closed_at is not None:
        successor = session.get(Unit, unit.successor_id) if unit.successor_id is not None else None
        advice = "请选择其他单位。" if successor is None else f"人员已并入“{successor.name}”，请改选该单位。"
        raise InvalidPersonError("unit_id", f"“{unit.name}”已撤销。{advice}")


def ensure_not_before_latest_move(session: Session, person: Person, *, on: date) -> None:
    """Reject a day before the person's latest move: the roster of the days between would have two answers. Raises InvalidPersonError."""
    latest = session.scalar(select(func.max(RosterMove.effective_on)).where(RosterMove.person_id == person.id))
    if latest is not None and on < latest:
        raise InvalidPersonError(
            "on",
            f"此人最近一次变动在 {latest.isoformat()} 生效，日期不能早于这一天。请改为 {latest.isoformat()} 或以后。",
        )


def _set_on_roster(context: ActionContext, person: Person, *, is_on: bool) -> None:
    state = PersonState.ON_ROSTER if is_on else PersonState.OFF_ROSTER
    if person.state in (PersonState.LEFT, state):
        return
    person.state = state
    left, to = (None, person.unit_id) if is_on else (person.unit_id, None)
    _add_move(context, person, "on_roster" if is_on else TAKEN_OFF, left, to, on=day_of(context.now))


def _add_move(
    context: ActionContext, person: Person, kind: str, left: int | None, to: int | None, *, on: date, note: str = ""
) -> None:
    if kind not in ("on_roster", TAKEN_OFF):
        end_waiting_moves(context.session, [person.id], now=context.now)
    context.session.add(
        RosterMove(
            person_id=person.id,
            kind=kind,
            from_unit_id=left,
            to_unit_id=to,
            effective_on=on,
            recorded_at=context.now,
            recorded_by_id=context.actor.person_id,
            note=note,
        )
    )


def _note(context: ActionContext, act: str, person: Person, *, details: dict[str, object] | None = None) -> None:
    record(context, act, object_type="person", object_id=person.id, person_id=person.id, details=details)


ACT = "people.reveal_numbers"
MAX_A_DAY = 30
"""More than one needs who checks a number, fewer than one needs who collects them: whole lists go by the export that two people allow."""
_DAY = timedelta(hours=24)


class TooManyRevealsError(DomainError):
    """One person has looked at many numbers today."""

    code = "too_many_reveals"
    status = 429
    message = f"24 小时内最多查看 {MAX_A_DAY} 人的完整号码，您已用完。需要名单的，请在“报表”中申请导出；或明天再查。"


def reveal_numbers(context: ActionContext, person: Person, *, reason: str, cipher: FieldCipher) -> tuple[str, str]:
    """Give a person's whole ID number and mobile; raises TooManyRevealsError. Who looks twice in a row is counted twice."""
    session, actor = context.session, context.actor
    session.get(Person, actor.person_id, with_for_update=True)
    seen = session.scalar(
        select(func.count())
        .select_from(AuditEvent)
        .where(AuditEvent.actor_id == actor.person_id, AuditEvent.at > context.now - _DAY, AuditEvent.act == ACT)
    )
    if (seen or 0) >= MAX_A_DAY:
        raise TooManyRevealsError(retry_after=int(_DAY.total_seconds()))
    record(context, ACT, object_type="person", object_id=person.id, person_id=person.id, details={"reason": reason})
    return numbers_of(session, [person.id], cipher, is_whole=True)[person.id]

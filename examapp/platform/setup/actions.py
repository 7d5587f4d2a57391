"""Writes of the frame: the first set-up, facts of the installation, rehearsals."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.documents.html import normalise
from examapp.errors import DomainError
from examapp.jobs.actions import enqueue
from examapp.organisation.access.rules import SEPARATED_ROLES, Role
from examapp.organisation.accounts.rules import SignInPolicy, clean_login_name
from examapp.organisation.people.models import Account, Person, PersonState, RoleGrant
from examapp.organisation.people.rules import first_password_binding
from examapp.organisation.units.models import Unit, UnitKind
from examapp.platform.audit.actions import SYSTEM, ActionContext, Actor, record
from examapp.platform.setup.models import SIGN_IN_POLICY, SITE_TEXTS, ContentLoad, PlatformFlag
from examapp.platform.setup.queries import has_accounts
from examapp.security.ciphers import FieldCipher
from examapp.security.password_hashing import NO_HASH

AUDIT_ACTS = {
    "admin.add_administrator": "新增管理账号",
    "admin.load_content": "装入随平台提供的内容",
    "admin.set_sign_in_policy": "修改考生登录的保留时间",
    "admin.set_site_texts": "修改平台名称、落款和咨询电话",
    "admin.set_up": "首次设置",
}
AUDIT_OBJECTS = {"content_load": "随平台提供的内容", "site": "平台"}
AUDIT_DETAILS = {
    "site_name": "平台名称",
    "organisation": "落款单位",
    "help_line": "咨询电话",
    "days": "保留天数",
    "is_kept_for_exam": "保留到考试结束",
}
AUDIT_VALUES = {"wrong_setup_code": "设置码不对"}

_SET_UP_LOCK = 430_528
"""The advisory lock under which the first set-up runs, so that two browsers cannot both be the first."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""What a first password is made of: nothing that looks like something else on paper."""
_FIRST_PASSWORD_LENGTH = 12


class AlreadySetUpError(DomainError):
    """Somebody has set the platform up already."""

    code = "already_set_up"
    message = "平台已经设置过了。请用管理员账号登录。"


class LoginNameTakenError(DomainError):
    """Another account has this login name, or no account may have it."""

    code = "login_name_taken"


class SeparatedRolesError(DomainError):
    """One person would hold two of the roles that must be apart (GB/T 22239, level 3)."""

    code = "separated_roles"
    message = "系统、安全、审计三个管理员必须由不同的人担任，且不能与普法办管理员同名同号。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """A person to make: name, login name and role."""

    name: str
    login_name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedFirstPassword:
    """What is shown once, to be handed over: who signs in under which name with which first password."""

    name: str
    login_name: str
    role: Role
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What the first set-up asks for: the county, the one who sits there (with the hash of a password of their own), and others."""

    county_name: str
    county_code: str
    first: Administrator
    password_hash: str
    others: Sequence[Administrator]
    content: Sequence[str] = ()
    """Keys of CONTENT_PARTS that were ticked, to be loaded in the background."""
    site_texts: Mapping[str, str] | None = None
    """How the site and its office are to be called, where the environment does not say it."""


def set_up(
    session: Session, plan: SetUp, *, cipher: FieldCipher, address: str | None, now: datetime
) -> list[IssuedFirstPassword]:
    """Make the county and its first administrators, once; give the others' first passwords.

    Raises AlreadySetUpError where an account exists, SeparatedRolesError, LoginNameTakenError.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SET_UP_LOCK})
    if has_accounts(session):
        raise AlreadySetUpError
    everybody = [plan.first, *plan.others]
    if len({one.login_name.lower() for one in everybody}) < len(everybody):
        raise SeparatedRolesError
    county = _make_county(session, plan, now=now)
    if plan.site_texts is not None:
        set_fact(session, SITE_TEXTS, dict(plan.site_texts), now=now)
    person = _make_person(session, plan.first, county, now=now)
    session.add(
        Account(
            person_id=person.id,
            login_name=person.staff_number,
            password_hash=plan.password_hash,
            must_change_password=False,
            password_changed_at=now,
        )
    )
    context = ActionContext(session, Actor(person_id=person.id, address=address), now)
    record(context, "admin.set_up", object_type="unit", object_id=county.id)
    if plan.content:
        load_content(context, parts=plan.content)
    return [_make_with_first_password(context, one, county, cipher=cipher) for one in plan.others]


def load_content(context: ActionContext, *, parts: Sequence[str]) -> ContentLoad:
    """Enqueue the loading of shipped content; what is there already is left as the office has it."""
    row = ContentLoad(created_by_id=context.actor.person_id, parts=list(parts), created_at=context.now)
    enqueue(context.session, row)
    record(context, "admin.load_content", object_type="content_load", object_id=row.id, details={"parts": list(parts)})
    return row


def set_site_texts(context: ActionContext, texts: Mapping[str, str]) -> None:
    """Keep how the site and its office are called; every process says so within seconds."""
    set_fact(context.session, SITE_TEXTS, dict(texts), now=context.now)
    record(context, "admin.set_site_texts", object_type="site", details=dict(texts))


def set_sign_in_policy(context: ActionContext, policy: SignInPolicy) -> None:
    """Keep how long candidates stay signed in; it holds for sign-ins begun before as well."""
    set_fact(context.session, SIGN_IN_POLICY, asdict(policy), now=context.now)
    record(context, "admin.set_sign_in_policy", object_type="site", details=asdict(policy))


def add_administrator(
    session: Session, administrator: Administrator, *, unit_code: str, cipher: FieldCipher, now: datetime
) -> IssuedFirstPassword:
    """Make an administrator from the machine's own console, for who has locked himself out; raises LoginNameTakenError.

    Raises DomainError where there is no such unit.
    """
    unit = session.scalars(select(Unit).where(Unit.code == unit_code)).one_or_none()
    if unit is None:
        raise DomainError(f"没有代码为“{unit_code}”的单位。")
    return _make_with_first_password(ActionContext(session, SYSTEM, now), administrator, unit, cipher=cipher)


def _make_county(session: Session, plan: SetUp, *, now: datetime) -> Unit:
    county = Unit(
        code=plan.county_code,
        name=normalise(plan.county_name),
        kind=UnitKind.COUNTY,
        region_path="/0/",
        created_at=now,
    )
    session.add(county)
    session.flush()
    county.region_path = f"/{county.id}/"
    return county


def _make_person(session: Session, administrator: Administrator, unit: Unit, *, now: datetime) -> Person:
    login_name = clean_login_name(administrator.login_name)
    if login_name is None:
        raise LoginNameTakenError(f"登录名“{administrator.login_name}”不能用：不能含空格，最多 64 个字符。")
    taken = select(Person.id).where(Person.staff_number == login_name)
    if session.scalars(taken.union_all(select(Account.id).where(Account.login_name == login_name))).first():
        raise LoginNameTakenError(f"登录名“{login_name}”已有人使用，请换一个。")
    person = Person(
        staff_number=login_name,
        name=normalise(administrator.name),
        unit_id=unit.id,
        state=PersonState.OFF_ROSTER,
        created_at=now,
        updated_at=now,
    )
    session.add(person)
    session.flush()
    access = unit.id if administrator.role not in SEPARATED_ROLES | {Role.PUBLICITY_OFFICE} else None
    session.add(RoleGrant(person_id=person.id, role=administrator.role, unit_id=access, granted_at=now))
    return person


def _make_with_first_password(
    context: ActionContext, administrator: Administrator, unit: Unit, *, cipher: FieldCipher
) -> IssuedFirstPassword:
    person = _make_person(context.session, administrator, unit, now=context.now)
    password = "".join(secrets.choice(_LETTERS) for _ in range(_FIRST_PASSWORD_LENGTH))
    context.session.add(
        Account(
            person_id=person.id,
            login_name=person.staff_number,
            password_hash=NO_HASH,
            first_password_encrypted=cipher.seal(password, associated_data=first_password_binding(person.id)),
            must_change_password=True,
        )
    )
    record(
        context,
        "admin.add_administrator",
        object_type="person",
        object_id=person.id,
        person_id=person.id,
        details={"role": administrator.role},
    )
    return IssuedFirstPassword(
        name=person.name, login_name=person.staff_number, role=administrator.role, password=password
    )


def set_fact(session: Session, name: str, value: Any, *, now: datetime) -> None:
    """Write a fact of this installation over what stood there."""
    session.execute(
        insert(PlatformFlag)
        .values(name=name, value=value, set_at=now)
        .on_conflict_do_update(index_elements=[PlatformFlag.name], set_={"value": value, "set_at": now})
    )

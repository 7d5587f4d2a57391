"""Persons, their accounts, sign-ins, roles and roster moves, and roster imports."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.session import Base, BigInt, DateCol, EncryptedColumn, Id, JsonB, Str, UtcDateTime, encrypted_columns
from examapp.jobs.models import Job, JobId
from examapp.organisation.people.rules import (
    ID_NUMBER_PURPOSE,
    MOBILE_PURPOSE,
    first_password_binding,
    id_number_binding,
    import_file_binding,
    mobile_binding,
    second_factor_binding,
)
from examapp.organisation.units.models import Unit


class PersonState(StrEnum):
    """Whether a person stands on the roster."""

    ON_ROSTER = "on_roster"
    OFF_ROSTER = "off_roster"
    """Works with the platform but is no candidate: a system administrator, say."""
    LEFT = "left"
    """Retired or gone; results stay."""
    ANONYMOUS = "anonymous"
    """Nobody: stands in for whoever sat an exam so long ago that the results are parted from the names (privacy)."""


class Person(Base):
    """A public official (国家工作人员). The identity is this row: never the phone number, which changes hands."""

    __tablename__ = "persons"
    __table_args__ = (
        CheckConstraint("state IN ('on_roster', 'off_roster', 'left', 'anonymous')", name="state"),
        Index("ix_persons_unit_id_state", "unit_id", "state"),
        Index("uq_persons_id_number_index", "id_number_index", unique=True),
        Index("ix_persons_mobile_index", "mobile_index"),
    )

    id: Mapped[Id]
    staff_number: Mapped[Str] = mapped_column(unique=True)
    name: Mapped[Str]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    unit: Mapped[Unit] = relationship()
    state: Mapped[Str] = mapped_column(default=PersonState.ON_ROSTER)
    rank: Mapped[Str] = mapped_column(default="")
    """职级, as the roster writes it: 一级科员, 四级调研员 …"""
    position: Mapped[Str] = mapped_column(default="")
    """职务: 局长, 科员 …"""
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    mobile_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    mobile_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]


class RosterMove(Base):
    """A change of a person's place on the roster, effective from a day: join, transfer, secondment, leaving."""

    __tablename__ = "roster_moves"
    __table_args__ = (Index("ix_roster_moves_person_id_effective_on", "person_id", "effective_on"),)

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    kind: Mapped[Str]
    """`join`, `transfer`, `secondment`, `leave`, `retire`, `return`."""
    from_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    to_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    effective_on: Mapped[DateCol]
    recorded_at: Mapped[UtcDateTime]
    recorded_by_id: Mapped[BigInt | None]
    note: Mapped[Str] = mapped_column(default="")


class PlannedMove(Base):
    """A move of the roster whose day is still to come; a sweep carries it out, or says here why it could not."""

    __tablename__ = "planned_moves"
    __table_args__ = (
        Index("uq_planned_moves_waiting", "person_id", unique=True, postgresql_where="ended_at IS NULL"),
        Index("ix_planned_moves_due", "effective_on", postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    kind: Mapped[Str]
    to_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    effective_on: Mapped[DateCol]
    until_on: Mapped[DateCol | None]
    """Of a secondment: its last day."""
    note: Mapped[Str] = mapped_column(default="")
    recorded_by_id: Mapped[BigInt | None]
    recorded_at: Mapped[UtcDateTime]
    ended_at: Mapped[UtcDateTime | None]
    """Carried out, taken back, or found impossible."""
    outcome: Mapped[Str] = mapped_column(default="")
    """`done`, `cancelled`, or in Chinese why it could not be done."""


class Account(Base):
    """The means of signing in of one person."""

    __tablename__ = "accounts"

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), unique=True)
    person: Mapped[Person] = relationship()
    login_name: Mapped[Str] = mapped_column(unique=True)
    password_hash: Mapped[Str]
    first_password_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The random first password until it is changed, sealed, for the one sheet that the unit admin prints."""
    must_change_password: Mapped[bool] = mapped_column(default=True)
    password_changed_at: Mapped[UtcDateTime | None]
    disabled_at: Mapped[UtcDateTime | None]
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    first_failure_at: Mapped[UtcDateTime | None]
    locked_until: Mapped[UtcDateTime | None]
    is_demo: Mapped[bool] = mapped_column(default=False)
    has_second_factor: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A confirmed one-time-password device stands in `second_factors`; here too, since every request asks."""
    has_elder_mode: Mapped[bool | None]
    """Whether this person wants the version for older eyes (适老版), on every device; None while they never chose."""


class UnknownSignIn(Base):
    """Failures under a login name that no account has: counted as an account's, so that the answer does not tell the two apart."""

    __tablename__ = "unknown_login_names"

    name_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """A keyed digest: people type passwords into the name field."""
    failures: Mapped[int] = mapped_column(SmallInteger)
    first_failure_at: Mapped[UtcDateTime]
    locked_until: Mapped[UtcDateTime]


class AddressFailure(Base):
    """The last failure of a login name from an address: so many names from one address bring the captcha."""

    __tablename__ = "address_failures"
    __table_args__ = (Index("ix_address_failures_address_failed_at", "address", "failed_at"),)

    address: Mapped[Str] = mapped_column(primary_key=True)
    name_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """A digest: of the account's id, or of a name that no account has."""
    failed_at: Mapped[UtcDateTime]


class UsedCaptcha(Base):
    """A captcha that has been answered, so that it is good for one try."""

    __tablename__ = "used_captchas"
    __table_args__ = (Index("ix_used_captchas_address", "address", "used_at", postgresql_where="is_waited"),)

    nonce: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[UtcDateTime]
    address: Mapped[Str]
    is_waited: Mapped[bool]
    """Passed by waiting, without digits."""


class LoginToken(Base):
    """A one-use ticket for who forgot the password; on paper its code, here a keyed digest."""

    __tablename__ = "login_tokens"
    __table_args__ = (
        Index("uq_sign_in_tickets_code_index", "code_index", unique=True),
        Index("ix_sign_in_tickets_account_id", "account_id"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    code_index: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[UtcDateTime]
    made_by_id: Mapped[BigInt | None]
    expires_at: Mapped[UtcDateTime]
    used_at: Mapped[UtcDateTime | None]
    is_reset_code: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Sent to the holder's phone on his own wish, short and soon void, instead of printed."""


class SignIn(Base):
    """One signed-in browser. The cookie holds a random token, this row its digest; ended means dead at the next request."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        Index("uq_sign_ins_token_digest", "token_digest", unique=True),
        Index("ix_sign_ins_account_id", "account_id", postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    token_digest: Mapped[bytes] = mapped_column(LargeBinary)
    started_at: Mapped[UtcDateTime]
    ended_at: Mapped[UtcDateTime | None]
    seen_at: Mapped[UtcDateTime | None]
    """When an administrator was last at work, to the minute; not kept for candidates."""
    address: Mapped[Str | None]
    device: Mapped[Str] = mapped_column(default="")
    ticket_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("login_tokens.id"))
    """The ticket that it was begun with, where it was."""
    awaits_code: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The password was right and the one-time code is still to come: this opens nothing yet."""


class RoleGrant(Base):
    """A role of a person over a unit's subtree in one of the trees; without a unit, over everything."""

    __tablename__ = "role_grants"
    __table_args__ = (
        CheckConstraint("tree IN ('region', 'sector')", name="tree"),
        Index("ix_role_grants_person_id", "person_id"),
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    role: Mapped[Str]
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    tree: Mapped[Str] = mapped_column(default="region")
    granted_at: Mapped[UtcDateTime]
    granted_by_id: Mapped[BigInt | None]
    ends_at: Mapped[UtcDateTime | None]
    deputy_of_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("role_grants.id"), index=True)
    """The grant whose holder this one stands in for (代理): it ends with that one at the latest."""


class ApprovalState(StrEnum):
    """The life of an act that needs a second person."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Approval(Base):
    """An act that one administrator asked for and another one must allow. Kept with the audit log: it proves the two persons.

    Personal data: ids of the two administrators and of the person it is about, and a reason in words.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn', 'expired')", name="state"),
        CheckConstraint("state NOT IN ('approved', 'refused') OR decided_by_id <> requested_by_id", name="two_persons"),
        Index("uq_approvals_waiting", "act", "request_key", unique=True, postgresql_where="state = 'waiting'"),
        Index("ix_approvals_requested_at", "requested_at"),
    )

    id: Mapped[Id]
    act: Mapped[Str]
    """A key of `rules.TWO_PERSON_ACTS`."""
    request_key: Mapped[Str]
    """What the act is about: while one such request waits, a second press finds it."""
    person_id: Mapped[BigInt | None]
    unit_id: Mapped[BigInt | None]
    """Whose matter it is: only who reaches this unit decides; null where it is everybody's."""
    details: Mapped[JsonB]
    reason: Mapped[Str]
    state: Mapped[Str] = mapped_column(default=ApprovalState.WAITING)
    """One that still waits when its time is over is void, whether or not the row says so already."""
    expires_at: Mapped[UtcDateTime]
    """Until when it may be decided; of an approved one whose deed is the asker's, until when it may be done."""
    requested_by_id: Mapped[BigInt]
    requested_at: Mapped[UtcDateTime]
    decided_by_id: Mapped[BigInt | None]
    decided_at: Mapped[UtcDateTime | None]


class SecondFactor(Base):
    """An account's one-time-password device (TOTP, RFC 6238). Kept while it is in use.

    Personal data: none but the secret, sealed and bound to the account, which proves who signs in.
    """

    __tablename__ = "second_factors"

    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"), primary_key=True)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[UtcDateTime]
    confirmed_at: Mapped[UtcDateTime | None]
    last_step: Mapped[BigInt] = mapped_column(default=0)
    """The newest half minute of which a code was accepted: none up to it is accepted again."""
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    first_failure_at: Mapped[UtcDateTime | None]
    locked_until: Mapped[UtcDateTime | None]


class RecoveryCode(Base):
    """A code on paper that stands for the one-time-password device once; only its keyed digest is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index("uq_recovery_codes_account_id_code_index", "account_id", "code_index", unique=True),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    code_index: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[UtcDateTime | None]


class FormerPassword(Base):
    """Hashes of an account's last passwords, so that none comes back; only kept under the profile that asks for it, five an account."""

    __tablename__ = "former_passwords"
    __table_args__ = (Index("ix_former_passwords_account_id", "account_id"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    password_hash: Mapped[Str]
    set_at: Mapped[UtcDateTime]


class ResetRequest(Base):
    """Somebody asked for a code to set a new password; a row for each try, whether an account has the name or not.

    Personal data: the address it came from; deleted after a day.
    """

    __tablename__ = "reset_requests"
    __table_args__ = (
        Index("ix_reset_requests_unsent", "id", postgresql_where="handled_at IS NULL"),
        Index("ix_reset_requests_address_asked_at", "address", "asked_at"),
        Index("ix_reset_requests_account_id", "account_id"),
    )

    id: Mapped[Id]
    account_id: Mapped[BigInt | None]
    """Null where no account has the name: the row costs the same."""
    address: Mapped[Str]
    asked_at: Mapped[UtcDateTime]
    handled_at: Mapped[UtcDateTime | None]


class RosterImport(Job):
    """A roster file on its way in: checked first (preview), then, when somebody presses the button, taken over."""

    __tablename__ = "roster_imports"
    KIND = "people.import_roster"

    id: Mapped[JobId]
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """The subtree that the importer may touch; null for all."""
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    is_whole: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The file names everybody of the unit's subtree: who is not in it is gone, and every kind of difference is agreed to apart."""
    summary: Mapped[JsonB] = mapped_column(default=dict)
    """Counts (new, changed, unchanged, refused) and the first problems, for the preview."""
    annotated: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The user's own file with the reasons written beside the rows."""


encrypted_columns += [
    EncryptedColumn(
        "身份证号",
        Person.id_number_sealed,
        Person.id,
        Person.id,
        id_number_binding,
        Person.id_number_index,
        ID_NUMBER_PURPOSE,
    ),
    EncryptedColumn(
        "手机号", Person.mobile_sealed, Person.id, Person.id, mobile_binding, Person.mobile_index, MOBILE_PURPOSE
    ),
    EncryptedColumn("初始密码", Account.first_password_sealed, Account.id, Account.person_id, first_password_binding),
    EncryptedColumn(
        "动态口令密钥",
        SecondFactor.secret_sealed,
        SecondFactor.account_id,
        SecondFactor.account_id,
        second_factor_binding,
    ),
    EncryptedColumn("导入的名册", RosterImport.content, RosterImport.id, RosterImport.id, import_file_binding),
    EncryptedColumn("批注的名册", RosterImport.annotated, RosterImport.id, RosterImport.id, import_file_binding),
]

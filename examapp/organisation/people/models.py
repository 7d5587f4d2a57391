"""Persons, their accounts, sign-ins, roles and roster moves, and roster imports."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import (
    ACCOUNT,
    OTHERS,
    ROSTER,
    SEALED,
    STAFF,
    TECHNICAL,
    UNREADABLE,
    RetentionPolicy,
    shown,
)
from examapp.db.session import Base, BigInt, DateCol, EncryptedColumn, Id, JsonB, Str, UtcDateTime, encrypted_columns
from examapp.jobs.models import Job, JobId
from examapp.organisation.people.rules import (
    ID_NUMBER_PURPOSE,
    MOBILE_PURPOSE,
    first_password_binding,
    id_number_binding,
    import_file_binding,
    mobile_binding,
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
    __personal_data__ = ROSTER.of(
        "登记资料",
        "确定谁应当参加学法考试，按单位、职级安排试卷并统计；身份证号和手机号用于核对身份、登录和通知",
        owner="id",
    )
    __table_args__ = (
        CheckConstraint("state IN ('on_roster', 'off_roster', 'left', 'anonymous')", name="state"),
        Index("ix_persons_unit_id_state", "unit_id", "state"),
        Index("uq_persons_id_number_index", "id_number_index", unique=True),
        Index("ix_persons_mobile_index", "mobile_index"),
    )

    id: Mapped[Id]
    staff_number: Mapped[Str] = mapped_column(unique=True, info=shown("工号"))
    name: Mapped[Str] = mapped_column(info=shown("姓名"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("单位"))
    unit: Mapped[Unit] = relationship()
    state: Mapped[Str] = mapped_column(default=PersonState.ON_ROSTER, info=shown("状态"))
    rank: Mapped[Str] = mapped_column(default="", info=shown("职级"))
    """职级, as the roster writes it: 一级科员, 四级调研员 …"""
    position: Mapped[Str] = mapped_column(default="", info=shown("职务"))
    """职务: 局长, 科员 …"""
    id_number_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary, info=SEALED)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=UNREADABLE)
    mobile_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary, info=SEALED)
    mobile_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=UNREADABLE)
    created_at: Mapped[UtcDateTime] = mapped_column(info=shown("登记时间"))
    updated_at: Mapped[UtcDateTime] = mapped_column(info=shown("更新时间"))


class RosterMove(Base):
    """A change of a person's place on the roster, effective from a day: join, transfer, secondment, leaving."""

    __tablename__ = "roster_moves"
    __personal_data__ = ROSTER.of("名册变动", "调动、离开后仍按当时的单位统计成绩", order="effective_on")
    __table_args__ = (Index("ix_roster_moves_person_id_effective_on", "person_id", "effective_on"),)

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    kind: Mapped[Str] = mapped_column(info=shown("事项"))
    """`join`, `transfer`, `secondment`, `leave`, `retire`, `return`."""
    from_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("原单位"))
    to_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("现单位"))
    effective_on: Mapped[DateCol] = mapped_column(info=shown("生效日期"))
    recorded_at: Mapped[UtcDateTime] = mapped_column(info=shown("登记时间"))
    recorded_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    note: Mapped[Str] = mapped_column(default="", info=shown("备注"))


class PlannedMove(Base):
    """A move of the roster whose day is still to come; a sweep carries it out, or says here why it could not."""

    __tablename__ = "planned_moves"
    __personal_data__ = ROSTER.of("待生效的名册变动", "到日子自动办理调动、借调、退休、离开", order="effective_on")
    __table_args__ = (
        Index("uq_planned_moves_waiting", "person_id", unique=True, postgresql_where="ended_at IS NULL"),
        Index("ix_planned_moves_due", "effective_on", postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    kind: Mapped[Str] = mapped_column(info=shown("事项"))
    to_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("到"))
    effective_on: Mapped[DateCol] = mapped_column(info=shown("生效日期"))
    until_on: Mapped[DateCol | None] = mapped_column(info=shown("借调到"))
    """Of a secondment: its last day."""
    note: Mapped[Str] = mapped_column(default="", info=shown("备注"))
    recorded_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    recorded_at: Mapped[UtcDateTime] = mapped_column(info=shown("登记时间"))
    ended_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("办结时间"))
    """Carried out, taken back, or found impossible."""
    outcome: Mapped[Str] = mapped_column(default="", info=shown("结果"))
    """`done`, `cancelled`, or in Chinese why it could not be done."""


class Account(Base):
    """The means of signing in of one person."""

    __tablename__ = "accounts"
    __personal_data__ = ACCOUNT.of(
        "账号", "登录和防止他人冒用", term=RetentionPolicy.LEAVER, seen_by="本人、本单位管理员、普法办、系统管理员"
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), unique=True)
    person: Mapped[Person] = relationship()
    login_name: Mapped[Str] = mapped_column(unique=True, info=shown("登录名"))
    password_hash: Mapped[Str] = mapped_column(info=UNREADABLE)
    first_password_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary, info=UNREADABLE)
    """The random first password until it is changed, sealed, for the one sheet that the unit admin prints."""
    must_change_password: Mapped[bool] = mapped_column(default=True, info=shown("须修改初始密码"))
    password_changed_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("上次改密码"))
    disabled_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("停用时间"))
    failures: Mapped[int] = mapped_column(SmallInteger, default=0, info=shown("近期输错次数"))
    first_failure_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    locked_until: Mapped[UtcDateTime | None] = mapped_column(info=shown("暂停登录至"))
    is_demo: Mapped[bool] = mapped_column(default=False, info=TECHNICAL)
    has_second_factor: Mapped[bool] = mapped_column(default=False, server_default=false(), info=shown("已启用动态口令"))
    """A confirmed one-time-password device stands in `second_factors`; here too, since every request asks."""
    has_elder_mode: Mapped[bool | None] = mapped_column(info=shown("使用适老版"))
    """Whether this person wants the version for older eyes (适老版), on every device; None while they never chose."""


class UnknownSignIn(Base):
    """Failures under a login name that no account has: counted as an account's, so that the answer does not tell the two apart."""

    __tablename__ = "unknown_login_names"
    __personal_data__ = ACCOUNT.of("不存在的登录名的失败次数", "不让人试出哪些登录名存在", owner=None)

    name_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, info=UNREADABLE)
    """A keyed digest: people type passwords into the name field."""
    failures: Mapped[int] = mapped_column(SmallInteger, info=shown("次数"))
    first_failure_at: Mapped[UtcDateTime] = mapped_column(info=shown("第一次"))
    locked_until: Mapped[UtcDateTime] = mapped_column(info=shown("暂停至"))


class AddressFailure(Base):
    """The last failure of a login name from an address: so many names from one address bring the captcha."""

    __tablename__ = "address_failures"
    __personal_data__ = ACCOUNT.of("登录失败的来源地址", "阻止成批猜密码", owner=None)
    __table_args__ = (Index("ix_address_failures_address_failed_at", "address", "failed_at"),)

    address: Mapped[Str] = mapped_column(primary_key=True, info=shown("来源地址"))
    name_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, info=UNREADABLE)
    """A digest: of the account's id, or of a name that no account has."""
    failed_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))


class UsedCaptcha(Base):
    """A captcha that has been answered, so that it is good for one try."""

    __tablename__ = "used_captchas"
    __personal_data__ = ACCOUNT.of("用过的验证码图片", "一张图片只能用一次", owner=None)
    __table_args__ = (Index("ix_used_captchas_address", "address", "used_at", postgresql_where="is_waited"),)

    nonce: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True, info=UNREADABLE)
    used_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
    address: Mapped[Str] = mapped_column(info=shown("来源地址"))
    is_waited: Mapped[bool] = mapped_column(info=shown("以等待代替"))
    """Passed by waiting, without digits."""


class LoginToken(Base):
    """A one-use ticket for who forgot the password; on paper its code, here a keyed digest."""

    __tablename__ = "login_tokens"
    __personal_data__ = ACCOUNT.of(
        "一次性登录码",
        "忘记密码时凭条登录一次",
        owner="account_id",
        order="made_at",
        term=RetentionPolicy.SIGN_INS,
        seen_by="审计管理员",
    )
    __table_args__ = (
        Index("uq_sign_in_tickets_code_index", "code_index", unique=True),
        Index("ix_sign_in_tickets_account_id", "account_id"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    code_index: Mapped[bytes] = mapped_column(LargeBinary, info=UNREADABLE)
    made_at: Mapped[UtcDateTime] = mapped_column(info=shown("发放时间"))
    made_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    expires_at: Mapped[UtcDateTime] = mapped_column(info=shown("有效期至"))
    used_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("使用时间"))
    is_reset_code: Mapped[bool] = mapped_column(default=False, server_default=false(), info=shown("短信验证码"))
    """Sent to the holder's phone at his own request, short and soon void, instead of printed."""


class SignIn(Base):
    """One signed-in browser. The cookie holds a random token, this row its digest; ended means dead at the next request."""

    __tablename__ = "sign_ins"
    __personal_data__ = ACCOUNT.of(
        "登录记录",
        "本人可查看并退出各处登录，发生冒用时可追查",
        owner="account_id",
        order="started_at",
        term=RetentionPolicy.SIGN_INS,
        seen_by="本人、审计管理员",
    )
    __table_args__ = (
        Index("uq_sign_ins_token_digest", "token_digest", unique=True),
        Index("ix_sign_ins_account_id", "account_id", postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, info=UNREADABLE)
    started_at: Mapped[UtcDateTime] = mapped_column(info=shown("登录时间"))
    ended_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("退出时间"))
    seen_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("最近操作"))
    """When an administrator was last at work, to the minute; not kept for candidates."""
    address: Mapped[Str | None] = mapped_column(info=shown("来源地址"))
    device: Mapped[Str] = mapped_column(default="", info=shown("设备"))
    ticket_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("login_tokens.id"), info=TECHNICAL)
    """The ticket that it was begun with, where it was."""
    awaits_code: Mapped[bool] = mapped_column(default=False, server_default=false(), info=TECHNICAL)
    """The password was right and the one-time code is still to come: this opens nothing yet."""


class RoleGrant(Base):
    """A role of a person over a unit's subtree in one of the trees; without a unit, over everything."""

    __tablename__ = "role_grants"
    __personal_data__ = STAFF.of(
        "管理角色",
        "确定可以办理哪些业务、管到哪些单位",
        order="granted_at",
        term=RetentionPolicy.LEAVER,
        seen_by="安全管理员、审计管理员",
    )
    __table_args__ = (
        CheckConstraint("tree IN ('region', 'sector')", name="tree"),
        Index("ix_role_grants_person_id", "person_id"),
    )

    id: Mapped[Id]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    role: Mapped[Str] = mapped_column(info=shown("角色"))
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("管理范围"))
    tree: Mapped[Str] = mapped_column(default="region", info=shown("按单位层级或按主管系统"))
    granted_at: Mapped[UtcDateTime] = mapped_column(info=shown("授予时间"))
    granted_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    ends_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("到期"))
    deputy_of_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("role_grants.id"), index=True, info=TECHNICAL
    )
    """The grant whose holder this one stands in for (代理): it ends with that one at the latest."""


class ApprovalState(StrEnum):
    """The life of an act that needs a second person."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Approval(Base):
    """An act that one administrator asked for and another one must allow. Kept with the audit log: it proves the two persons."""

    __tablename__ = "approvals"
    __personal_data__ = STAFF.of(
        "关于本人的审批",
        "重要事项须两人办理，留作证明",
        order="requested_at",
        term=RetentionPolicy.AUDIT,
        seen_by="申请人、审批人、审计管理员",
    )
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn', 'expired')", name="state"),
        CheckConstraint("state NOT IN ('approved', 'refused') OR decided_by_id <> requested_by_id", name="two_persons"),
        Index("uq_approvals_waiting", "act", "request_key", unique=True, postgresql_where="state = 'waiting'"),
        Index("ix_approvals_requested_at", "requested_at"),
    )

    id: Mapped[Id]
    act: Mapped[Str] = mapped_column(info=shown("事项"))
    """A key of `rules.TWO_PERSON_ACTS`."""
    request_key: Mapped[Str] = mapped_column(info=TECHNICAL)
    """What the act is about: while one such request waits, a second press finds it."""
    person_id: Mapped[BigInt | None]
    unit_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    """Whose matter it is: only who reaches this unit decides; null where it is everybody's."""
    details: Mapped[JsonB] = mapped_column(info=TECHNICAL)
    reason: Mapped[Str] = mapped_column(info=shown("理由"))
    state: Mapped[Str] = mapped_column(default=ApprovalState.WAITING, info=shown("结果"))
    """One that still waits when its time is over is void, whether or not the row says so already."""
    expires_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    """Until when it may be decided; of an approved one whose deed is the requester's, until when it may be done."""
    requested_by_id: Mapped[BigInt] = mapped_column(info=OTHERS)
    requested_at: Mapped[UtcDateTime] = mapped_column(info=shown("申请时间"))
    decided_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    decided_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("审批时间"))


class RosterImport(Job):
    """A roster file on its way in: checked first (preview), then, when somebody presses the button, taken over."""

    __tablename__ = "roster_imports"
    __personal_data__ = ROSTER.of(
        "导入的名册文件",
        "检查、写入名册，下载检查结果；文件加密保存",
        owner=None,
        term=RetentionPolicy.FILES,
        seen_by="导入的管理员",
    )
    KIND = "people.import_roster"

    id: Mapped[JobId]
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("单位"))
    """The subtree that the importer may touch; null for all."""
    content: Mapped[bytes | None] = mapped_column(LargeBinary, info=SEALED)
    is_confirmed: Mapped[bool] = mapped_column(default=False, info=TECHNICAL)
    is_whole: Mapped[bool] = mapped_column(default=False, server_default=false(), info=TECHNICAL)
    """The file names everybody of the unit's subtree: who is not in it is gone, and every kind of difference is agreed to apart."""
    summary: Mapped[JsonB] = mapped_column(default=dict, info=TECHNICAL)
    """Counts (new, changed, unchanged, rejected) and the first problems, for the preview."""
    annotated: Mapped[bytes | None] = mapped_column(LargeBinary, info=SEALED)
    """The user's own file with the reasons written beside the rows."""


encrypted_columns += [
    EncryptedColumn(
        "身份证号",
        Person.id_number_encrypted,
        Person.id,
        Person.id,
        id_number_binding,
        Person.id_number_index,
        ID_NUMBER_PURPOSE,
    ),
    EncryptedColumn(
        "手机号", Person.mobile_encrypted, Person.id, Person.id, mobile_binding, Person.mobile_index, MOBILE_PURPOSE
    ),
    EncryptedColumn(
        "初始密码", Account.first_password_encrypted, Account.id, Account.person_id, first_password_binding
    ),
    EncryptedColumn("导入的名册", RosterImport.content, RosterImport.id, RosterImport.id, import_file_binding),
    EncryptedColumn("批注的名册", RosterImport.annotated, RosterImport.id, RosterImport.id, import_file_binding),
]

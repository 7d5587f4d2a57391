"""Tables beside an account: the second factor and its recovery codes, former passwords, requests for a new one."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import ACCOUNT, TECHNICAL, UNREADABLE, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, EncryptedColumn, Id, Str, UtcDateTime, encrypted_columns
from examapp.organisation.people.rules import second_factor_binding


class SecondFactor(Base):
    """An account's one-time-password device (TOTP, RFC 6238). Kept while it is in use.

    The secret is sealed and bound to the account.
    """

    __tablename__ = "second_factors"
    __personal_data__ = ACCOUNT.of(
        "动态口令", "管理账号登录时的第二道核对", owner="account_id", term=RetentionPolicy.WITH_PERSON, seen_by="本人"
    )

    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"), primary_key=True)
    secret_encrypted: Mapped[bytes] = mapped_column(LargeBinary, info=UNREADABLE)
    made_at: Mapped[UtcDateTime] = mapped_column(info=shown("设置时间"))
    confirmed_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("启用时间"))
    last_step: Mapped[BigInt] = mapped_column(default=0, info=TECHNICAL)
    """The newest half minute of which a code was accepted: none up to it is accepted again."""
    failures: Mapped[int] = mapped_column(SmallInteger, default=0, info=shown("近期输错次数"))
    first_failure_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    locked_until: Mapped[UtcDateTime | None] = mapped_column(info=shown("暂停至"))


class RecoveryCode(Base):
    """A code on paper that stands for the one-time-password device once; only its keyed digest is kept."""

    __tablename__ = "recovery_codes"
    __personal_data__ = ACCOUNT.of(
        "动态口令备用码", "手机丢失时使用", owner="account_id", term=RetentionPolicy.WITH_PERSON
    )
    __table_args__ = (Index("uq_recovery_codes_account_id_code_index", "account_id", "code_index", unique=True),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    code_index: Mapped[bytes] = mapped_column(LargeBinary, info=UNREADABLE)
    used_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("使用时间"))


class FormerPassword(Base):
    """Hashes of an account's last passwords, so that none comes back; only kept under the profile that asks for it, five an account."""

    __tablename__ = "former_passwords"
    __personal_data__ = ACCOUNT.of(
        "用过的密码",
        "按等保要求不得重复使用前 5 次的密码",
        owner="account_id",
        order="set_at",
        term=RetentionPolicy.WITH_PERSON,
    )
    __table_args__ = (Index("ix_former_passwords_account_id", "account_id"),)

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("accounts.id"))
    password_hash: Mapped[Str] = mapped_column(info=UNREADABLE)
    set_at: Mapped[UtcDateTime] = mapped_column(info=shown("设置时间"))


class ResetRequest(Base):
    """Somebody asked for a code to set a new password; a row for each try, whether an account has the name or not."""

    __tablename__ = "reset_requests"
    __personal_data__ = ACCOUNT.of(
        "找回密码的申请", "发送验证码、防止滥用", owner="account_id", order="requested_at", first="requested_at"
    )
    __table_args__ = (
        Index("ix_reset_requests_unsent", "id", postgresql_where="handled_at IS NULL"),
        Index("ix_reset_requests_address_asked_at", "address", "requested_at"),
        Index("ix_reset_requests_account_id", "account_id"),
    )

    id: Mapped[Id]
    account_id: Mapped[BigInt | None]
    """Null where no account has the name: the row costs the same."""
    address: Mapped[Str] = mapped_column(info=shown("来源地址"))
    requested_at: Mapped[UtcDateTime] = mapped_column(info=shown("申请时间"))
    handled_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("处理时间"))


encrypted_columns += [
    EncryptedColumn(
        "动态口令密钥",
        SecondFactor.secret_encrypted,
        SecondFactor.account_id,
        SecondFactor.account_id,
        second_factor_binding,
    )
]

"""The audit log, and the chain of digests over it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.personal_data import OTHERS, STAFF, TECHNICAL, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, Id, JsonB, Str, UtcDateTime


class AuditEvent(Base):
    """One act: who did what to what, when, from where; never changed or deleted by the application."""

    __tablename__ = "audit_events"
    __personal_data__ = STAFF.of(
        "操作记录",
        "网络安全法要求留存的日志，发生争议和冒用时查证",
        owner="actor_id",
        order="at",
        term=RetentionPolicy.AUDIT,
    )
    __table_args__ = (
        Index("ix_audit_events_at", "at"),
        Index("ix_audit_events_actor_id_at", "actor_id", "at"),
        Index("ix_audit_events_object", "object_type", "object_id"),
    )

    id: Mapped[Id]
    at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
    actor_id: Mapped[BigInt | None]
    """The person who acted; null for the system itself."""
    act: Mapped[Str] = mapped_column(info=shown("操作"))
    """`feature.verb_noun`, as the action is called: `exams.publish_exam`."""
    object_type: Mapped[Str] = mapped_column(info=TECHNICAL)
    object_id: Mapped[BigInt | None] = mapped_column(info=TECHNICAL)
    person_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    """The person touched by the act, where there is one."""
    address: Mapped[Str | None] = mapped_column(info=shown("来源地址"))
    details: Mapped[JsonB] = mapped_column(default=dict, info=TECHNICAL)


class AuditSeal(Base):
    """A link of the chain over the log: one row a line, made within seconds after it, and like the line never changed or deleted.

    It stands beside the line, so that the program needs no right to change the log, and who acts waits for no chain.
    """

    __tablename__ = "audit_seals"
    __table_args__ = (Index("uq_audit_seals_event_id", "event_id", unique=True),)

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The place in the chain: 1, 2, 3 … without a gap."""
    event_id: Mapped[BigInt]
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    """The digest of the link before."""
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[UtcDateTime]
    key_id: Mapped[Str]
    """The key that the digest was made with: links outlive a change of keys."""
    horizon: Mapped[BigInt]
    """The lowest transaction id that was still running when the lines of this sealing were looked for: what older ones wrote was seen."""
    next_xid: Mapped[BigInt]
    """The lowest transaction id that had not begun then."""


class AuditArchive(Base):
    """A piece of the chain that was written into a signed file and taken out of the tables; the chain goes on from its last link."""

    __tablename__ = "audit_archives"

    last_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_number: Mapped[BigInt]
    last_digest: Mapped[bytes] = mapped_column(LargeBinary)
    through_event_id: Mapped[BigInt]
    """The highest number of an archived line."""
    file_name: Mapped[Str]
    sha256: Mapped[Str]
    """Of the file: the next one names it, so that none goes missing."""
    archived_at: Mapped[UtcDateTime]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of this row, keyed: else whoever owns the tables could take lines away and say that they were archived."""
    key_id: Mapped[Str | None]

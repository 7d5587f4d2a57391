"""Attempts, their answers with history, events, quarantined saves, the queue before the start, and reopenings."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, BigInt, Id, JsonB, Str, UtcDateTime


class AttemptState(StrEnum):
    """The life of an attempt; it never goes back but by an audited reopening."""

    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    GRADED = "graded"


class Attempt(Base):
    """One attempt at an exam (作答). The row holds all that a save must know, so that a save reads no other feature's table."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("exam_id", "person_id", "number"),
        UniqueConstraint("receipt_number"),
        CheckConstraint("state IN ('in_progress', 'submitted', 'graded')", name="state"),
        CheckConstraint("epoch >= 1", name="epoch"),
        CheckConstraint("closes_at >= deadline_at", name="closes_after_deadline"),
        CheckConstraint("(state = 'in_progress') = (submitted_at IS NULL)", name="submitted_once"),
        CheckConstraint("(submitted_at IS NULL) = (receipt_number IS NULL)", name="receipt_with_submission"),
        Index("uq_attempts_live", "exam_id", "person_id", unique=True, postgresql_where=text("state = 'in_progress'")),
        Index("ix_attempts_person_id", "person_id"),
        Index("ix_attempts_overdue", "closes_at", postgresql_where=text("state = 'in_progress'")),
        Index("ix_attempts_ungraded", "submitted_at", postgresql_where=text("state = 'submitted'")),
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    number: Mapped[int]
    paper_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("papers.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    """The person's unit at the start: a snapshot that stands beside the score."""
    state: Mapped[Str] = mapped_column(default=AttemptState.IN_PROGRESS)
    started_at: Mapped[UtcDateTime]
    deadline_at: Mapped[UtcDateTime]
    closes_at: Mapped[UtcDateTime]
    """Deadline plus grace: from here on nothing is accepted."""
    epoch: Mapped[int] = mapped_column(default=1)
    response_schema: Mapped[Str]
    """The paper's response schema (see papers.models.Paper)."""
    unsure: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    submitted_at: Mapped[UtcDateTime | None]
    is_forced: Mapped[bool] = mapped_column(default=False)
    receipt_number: Mapped[Str | None]
    receipt_sha256: Mapped[Str | None]
    answered: Mapped[int | None]
    total: Mapped[int]
    grading_retry_count: Mapped[int] = mapped_column(default=0)
    grading_began_at: Mapped[UtcDateTime | None]
    """When the last try of grading began: a lease, after which another may try."""
    quarantined_at: Mapped[UtcDateTime | None]
    """Grading failed three times: shown to an administrator, never scored as zero."""


class Answer(Base):
    """The newest accepted answer to an item."""

    __tablename__ = "answers"

    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    seq: Mapped[BigInt]
    response: Mapped[JsonB]
    saved_at: Mapped[UtcDateTime]


class AnswerChange(Base):
    """Every accepted change, append-only; folding it gives the answers."""

    __tablename__ = "answer_history"
    __table_args__ = (Index("ix_answer_history_attempt_id", "attempt_id"),)

    id: Mapped[Id]
    attempt_id: Mapped[BigInt]
    person_id: Mapped[BigInt]
    item: Mapped[int]
    epoch: Mapped[int]
    seq: Mapped[BigInt]
    response: Mapped[JsonB]
    saved_at: Mapped[UtcDateTime]


class AttemptEvent(Base):
    """An event of the exam page: focus loss, screen off, offline, resume; recorded, by default without consequence."""

    __tablename__ = "attempt_events"

    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    type: Mapped[Str]
    client_at: Mapped[UtcDateTime | None]
    """The device's own time: informative only."""
    duration_ms: Mapped[BigInt | None]
    received_at: Mapped[UtcDateTime]


class QuarantinedSave(Base):
    """The content of a save that came too late or from an older device: kept once, for an administrator to judge."""

    __tablename__ = "quarantined_saves"
    __table_args__ = (UniqueConstraint("attempt_id", "digest"),)

    id: Mapped[Id]
    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"))
    reason: Mapped[Str]
    """`deadline_passed` or `taken_over`."""
    epoch: Mapped[int]
    changes: Mapped[JsonB]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[UtcDateTime]
    judged_at: Mapped[UtcDateTime | None]
    judged_by_id: Mapped[BigInt | None]
    is_accepted: Mapped[bool | None]
    judged_reason: Mapped[Str] = mapped_column(default="", server_default="")


class Admission(Base):
    """Somebody's place in the queue before the start (排队); a row only for who found admission full."""

    __tablename__ = "admissions"
    __table_args__ = (Index("ix_admissions_waiting", "ticket", postgresql_where=text("admitted_at IS NULL")),)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    ticket: Mapped[int] = mapped_column(BigInteger, Identity())
    """Rises with each who comes; the lowest that still calls is the next."""
    queued_at: Mapped[UtcDateTime]
    called_at: Mapped[UtcDateTime]
    """The last call: who has not called for a while has given up the place, and nobody waits behind it."""
    admitted_at: Mapped[UtcDateTime | None]


class AttemptContact(Base):
    """When an attempt's page was last heard of; written in batches, lost without harm (the table is not logged)."""

    __tablename__ = "attempt_contacts"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 – SQLAlchemy reads it as a class attribute

    attempt_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seen_at: Mapped[UtcDateTime]


class AttemptReopening(Base):
    """An attempt that the office opened again; `request_key` makes a second press of the button harmless."""

    __tablename__ = "attempt_reopenings"
    __table_args__ = (UniqueConstraint("attempt_id", "request_key"), CheckConstraint("seconds > 0", name="seconds"))

    id: Mapped[Id]
    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"))
    request_key: Mapped[Str]
    seconds: Mapped[int]
    reason: Mapped[Str]
    reopened_by_id: Mapped[BigInt | None]
    reopened_at: Mapped[UtcDateTime]
    is_after_keys: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Opened again though the exam's keys were out, as the request says."""

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

from examapp.db.personal_data import EXAM, OTHERS, TECHNICAL, shown
from examapp.db.session import Base, BigInt, Id, JsonB, Str, UtcDateTime


class AttemptState(StrEnum):
    """The life of an attempt; it never goes back but by an audited reopening."""

    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    GRADED = "graded"


class Attempt(Base):
    """One attempt at an exam (作答). The row holds all that a save must know, so that a save reads no other feature's table."""

    __tablename__ = "attempts"
    __personal_data__ = EXAM.of(
        "考试作答",
        "进行考试，统计参考情况",
        order="started_at",
        first="exam_id number unit_id state started_at deadline_at submitted_at is_forced answered total",
    )
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
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    number: Mapped[int] = mapped_column(info=shown("第几次"))
    paper_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("papers.id"), info=TECHNICAL)
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("作答时单位"))
    """The person's unit at the start: a snapshot that stands beside the score."""
    state: Mapped[Str] = mapped_column(default=AttemptState.IN_PROGRESS, info=shown("状态"))
    started_at: Mapped[UtcDateTime] = mapped_column(info=shown("开始时间"))
    deadline_at: Mapped[UtcDateTime] = mapped_column(info=shown("截止时间"))
    closes_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    """Deadline plus grace: from here on nothing is accepted."""
    epoch: Mapped[int] = mapped_column(default=1, info=TECHNICAL)
    response_schema: Mapped[Str] = mapped_column(info=TECHNICAL)
    """The paper's response schema (see papers.models.Paper)."""
    unsure: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list, info=TECHNICAL)
    submitted_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("交卷时间"))
    is_forced: Mapped[bool] = mapped_column(default=False, info=shown("系统强制交卷"))
    receipt_number: Mapped[Str | None] = mapped_column(info=shown("回执编号"))
    receipt_sha256: Mapped[Str | None] = mapped_column(info=shown("回执校验值"))
    answered: Mapped[int | None] = mapped_column(info=shown("已答题数"))
    total: Mapped[int] = mapped_column(info=shown("总题数"))
    grading_retry_count: Mapped[int] = mapped_column(default=0, info=TECHNICAL)
    grading_began_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    """When the last try of grading began: a lease, after which another may try."""
    quarantined_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    """Grading failed three times: shown to an administrator, never scored as zero."""
    is_annulled: Mapped[bool] = mapped_column(default=False, server_default=false(), info=shown("作答无效"))
    """Counts for nothing since a correction; see grading.rules.GradingRules."""


class Answer(Base):
    """The newest accepted answer to an item."""

    __tablename__ = "answers"
    __personal_data__ = EXAM.of(
        "答案", "评分", owner="attempt_id", order="saved_at", seen_by="本人；更正答案时由程序重新评分"
    )

    attempt_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("attempts.id"), primary_key=True, info=shown("作答编号")
    )
    item: Mapped[int] = mapped_column(primary_key=True, info=shown("题号"))
    epoch: Mapped[int] = mapped_column(info=TECHNICAL)
    seq: Mapped[BigInt] = mapped_column(info=TECHNICAL)
    response: Mapped[JsonB] = mapped_column(info=shown("答案"))
    saved_at: Mapped[UtcDateTime] = mapped_column(info=shown("保存时间"))


class AnswerChange(Base):
    """Every accepted change, append-only; folding it gives the answers."""

    __tablename__ = "answer_history"
    __personal_data__ = EXAM.of(
        "改过的答案", "证明每次保存都已收到", order="saved_at", seen_by="发生争议时由普法办查证"
    )
    __table_args__ = (Index("ix_answer_history_attempt_id", "attempt_id"),)

    id: Mapped[Id]
    attempt_id: Mapped[BigInt] = mapped_column(info=shown("作答编号"))
    person_id: Mapped[BigInt]
    item: Mapped[int] = mapped_column(info=shown("题号"))
    epoch: Mapped[int] = mapped_column(info=TECHNICAL)
    seq: Mapped[BigInt] = mapped_column(info=TECHNICAL)
    response: Mapped[JsonB] = mapped_column(info=shown("答案"))
    saved_at: Mapped[UtcDateTime] = mapped_column(info=shown("保存时间"))


class AttemptEvent(Base):
    """An event of the exam page: focus loss, screen off, offline, resume; recorded, by default without consequence."""

    __tablename__ = "attempt_events"
    __personal_data__ = EXAM.of(
        "考试页面的情况", "记录切屏、断网，发生争议时查证", owner="attempt_id", order="received_at", seen_by="普法办"
    )

    attempt_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("attempts.id"), primary_key=True, info=shown("作答编号")
    )
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, info=TECHNICAL)
    type: Mapped[Str] = mapped_column(info=shown("情况"))
    client_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("本机时间"))
    """The device's own time: informative only."""
    duration_ms: Mapped[BigInt | None] = mapped_column(info=shown("毫秒"))
    received_at: Mapped[UtcDateTime] = mapped_column(info=shown("收到时间"))


class QuarantinedSave(Base):
    """The content of a save that came too late or from an older device: kept once, for an administrator to judge."""

    __tablename__ = "quarantined_saves"
    __personal_data__ = EXAM.of(
        "超时上传的答案",
        "由普法办决定是否采纳",
        owner="attempt_id",
        order="received_at",
        seen_by="普法办",
        first="attempt_id reason received_at is_accepted",
    )
    __table_args__ = (UniqueConstraint("attempt_id", "digest"),)

    id: Mapped[Id]
    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), info=shown("作答编号"))
    reason: Mapped[Str] = mapped_column(info=shown("原因"))
    """`deadline_passed` or `taken_over`."""
    epoch: Mapped[int] = mapped_column(info=TECHNICAL)
    changes: Mapped[JsonB] = mapped_column(info=TECHNICAL)
    digest: Mapped[bytes] = mapped_column(LargeBinary, info=TECHNICAL)
    received_at: Mapped[UtcDateTime] = mapped_column(info=shown("收到时间"))
    judged_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("决定时间"))
    judged_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    is_accepted: Mapped[bool | None] = mapped_column(info=shown("已采纳"))
    judged_reason: Mapped[Str] = mapped_column(default="", server_default="", info=shown("理由"))


class Admission(Base):
    """Somebody's place in the queue before the start (排队); a row only for who found admission full."""

    __tablename__ = "admissions"
    __personal_data__ = EXAM.of("开考排队", "人多时依次放行", order="queued_at", seen_by="无人")
    __table_args__ = (Index("ix_admissions_waiting", "ticket", postgresql_where=text("admitted_at IS NULL")),)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    ticket: Mapped[int] = mapped_column(BigInteger, Identity(), info=TECHNICAL)
    """Rises with each who comes; the lowest that still calls is the next."""
    queued_at: Mapped[UtcDateTime] = mapped_column(info=shown("排队时间"))
    called_at: Mapped[UtcDateTime] = mapped_column(info=shown("叫号时间"))
    """The last call: who has not called for a while has given up the place, and nobody waits behind it."""
    admitted_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("放行时间"))


class AttemptContact(Base):
    """When an attempt's page was last heard of; written in batches, lost without harm (the table is not logged)."""

    __tablename__ = "attempt_contacts"
    __personal_data__ = EXAM.of(
        "考试中最近一次联系", "考试日看出谁掉线", owner="attempt_id", seen_by="普法办、本单位管理员（考试日页面）"
    )
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 – SQLAlchemy reads it as a class attribute

    attempt_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, info=shown("作答编号"))
    seen_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))


class AttemptReopening(Base):
    """An attempt that the office opened again; `request_key` makes a second press of the button harmless."""

    __tablename__ = "attempt_reopenings"
    __personal_data__ = EXAM.of(
        "重新打开的作答", "补时的依据", owner="attempt_id", order="reopened_at", seen_by="普法办"
    )
    __table_args__ = (UniqueConstraint("attempt_id", "request_key"), CheckConstraint("seconds > 0", name="seconds"))

    id: Mapped[Id]
    attempt_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("attempts.id"), info=shown("作答编号"))
    request_key: Mapped[Str] = mapped_column(info=TECHNICAL)
    seconds: Mapped[int] = mapped_column(info=shown("秒数"))
    reason: Mapped[Str] = mapped_column(info=shown("理由"))
    reopened_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    reopened_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
    is_after_keys: Mapped[bool] = mapped_column(default=False, server_default=false(), info=shown("答案已公布"))
    """Opened again though the exam's keys were out, as the request says."""

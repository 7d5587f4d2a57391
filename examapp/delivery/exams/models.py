"""Exams with their settings, sessions, audiences, exemptions with their reasons, extensions, papers made ahead and clearances."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.session import Base, BigInt, Id, JsonB, Points, Str, UtcDateTime
from question_bank.kinds.base import ScoringRule


class ExamKind(StrEnum):
    """What an exam is held for."""

    ANNUAL = "annual"
    MAKEUP = "makeup"
    MOCK = "mock"
    PRE_APPOINTMENT = "pre_appointment"
    ENFORCEMENT_QUALIFICATION = "enforcement_qualification"


EXAM_KIND_NAMES = {
    ExamKind.ANNUAL: "年度考试",
    ExamKind.MAKEUP: "补考",
    ExamKind.MOCK: "模拟考试",
    ExamKind.PRE_APPOINTMENT: "任前法律知识考试",
    ExamKind.ENFORCEMENT_QUALIFICATION: "行政执法资格考试",
}


class ExamState(StrEnum):
    """Whether candidates see an exam; open and closed follow from its window."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


SCORING_RULE_NAMES = {
    ScoringRule.ALL_OR_NOTHING: "多选、少选、错选均不得分",
    ScoringRule.HALF_FOR_INCOMPLETE: "少选且无错得一半分，错选不得分",
    ScoringRule.PER_OPTION: "选对几项得几项的分，有错选不得分",
    ScoringRule.NET_RIGHT: "选对的项数减选错的项数计分，最低零分",
}


class CountingRule(StrEnum):
    """Which attempt counts."""

    BEST = "best"
    LAST = "last"
    FIRST = "first"


class ReleasePolicy(StrEnum):
    """When results, or keys with explanations, are shown."""

    AT_ONCE = "at_once"
    AT_CLOSE = "at_close"
    AT_TIME = "at_time"
    NEVER = "never"


class Exam(Base):
    """An exam."""

    __tablename__ = "exams"
    __table_args__ = (
        CheckConstraint("closes_at > opens_at", name="window"),
        CheckConstraint("duration_s > 0", name="duration"),
        CheckConstraint("grace_s >= 0", name="grace"),
        CheckConstraint("attempts_allowed IS NULL OR attempts_allowed > 0", name="attempts_allowed"),
        CheckConstraint("pass_percent <= good_percent AND good_percent <= excellent_percent", name="bands"),
        CheckConstraint("(kind = 'makeup') = (main_exam_id IS NOT NULL)", name="makeup_has_main"),
    )

    id: Mapped[Id]
    title: Mapped[Str]
    kind: Mapped[Str]
    state: Mapped[Str] = mapped_column(default=ExamState.DRAFT)
    main_exam_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True)
    blueprint_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("blueprints.id"))
    instructions: Mapped[Str] = mapped_column(default="")
    opens_at: Mapped[UtcDateTime]
    closes_at: Mapped[UtcDateTime]
    duration_s: Mapped[int]
    lateness_s: Mapped[int | None]
    """How long after the opening (of the window or session) a start is still let in; null for no limit."""
    is_full_duration: Mapped[bool] = mapped_column(default=False)
    """Whether a late start keeps the full duration beyond the end of the window."""
    grace_s: Mapped[int] = mapped_column(default=60)
    attempts_allowed: Mapped[int | None]
    """Null for unlimited."""
    counting_rule: Mapped[Str] = mapped_column(default=CountingRule.BEST)
    scoring_rule: Mapped[Str] = mapped_column(default=ScoringRule.ALL_OR_NOTHING)
    pass_percent: Mapped[Points] = mapped_column(default=60)
    """Marks of pass and bands in per cent of the paper's points."""
    good_percent: Mapped[Points] = mapped_column(default=80)
    excellent_percent: Mapped[Points] = mapped_column(default=90)
    results_policy: Mapped[Str] = mapped_column(default=ReleasePolicy.AT_ONCE)
    results_at: Mapped[UtcDateTime | None]
    keys_policy: Mapped[Str] = mapped_column(default=ReleasePolicy.AT_CLOSE)
    keys_at: Mapped[UtcDateTime | None]
    focus_loss_limit: Mapped[int | None]
    """Null: focus loss is only recorded."""
    study_gate: Mapped[JsonB] = mapped_column(default=dict)
    """`{}` for none; else what a clearance row is asked for."""
    frozen_at: Mapped[UtcDateTime | None]
    """The moment whose roster figures stand on from then on; it may lie ahead."""
    anonymised_at: Mapped[UtcDateTime | None]
    """Since when its results belong to nobody by name (privacy); the figures are as they were."""
    frozen_taken_at: Mapped[UtcDateTime | None]
    """When that roster was written into `roster_snapshot_people`; null while figures still stand on the present roster."""
    corrections: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many corrections of the frozen roster the office has accepted since."""
    has_outside_results: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether results from another platform stand beside the attempts; written by grading, so that figures look for them only here."""
    cached_roster_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    """Digests of what reports keep the figures of; written by reports, so that figures look for them only here."""
    sitting_notice: Mapped[Str] = mapped_column(default="", server_default="")
    """What those who sit are told on their page with its next exchange; empty for nothing."""
    were_keys_out: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its keys had been shown when it was prolonged, reopened or released anew: what is granted later still needs the tick."""
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]
    published_at: Mapped[UtcDateTime | None]

    sessions: Mapped[list[ExamSession]] = relationship(
        back_populates="exam", order_by="ExamSession.opens_at", cascade="all, delete-orphan"
    )
    audiences: Mapped[list[ExamAudience]] = relationship(back_populates="exam", cascade="all, delete-orphan")


class ExamSession(Base):
    """A session (场次) of an exam: a window within the window."""

    __tablename__ = "exam_sessions"
    __table_args__ = (CheckConstraint("closes_at > opens_at", name="window"),)

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True)
    exam: Mapped[Exam] = relationship(back_populates="sessions")
    name: Mapped[Str]
    opens_at: Mapped[UtcDateTime]
    closes_at: Mapped[UtcDateTime]


class ExamAudience(Base):
    """One part of an exam's audience: people below a unit, of a sector, of ranks. A person in any part belongs to it.

    Without any part the exam is open to the whole roster; `person` parts name people one by one.
    """

    __tablename__ = "exam_audiences"

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True)
    exam: Mapped[Exam] = relationship(back_populates="audiences")
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Subtree of the region tree; null for any."""
    sector_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Subtree of the sector tree; null for any."""
    ranks: Mapped[JsonB] = mapped_column(default=list)
    """Ranks; empty for any."""
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"))
    blueprint_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("blueprints.id"))
    """A paper of its own for this part; null for the exam's."""


class ExemptionKind(StrEnum):
    """免考 or 缓考."""

    EXEMPTION = "exemption"
    DEFERRAL = "deferral"


class Exemption(Base):
    """A person's exemption from, or deferral of, an exam: asked for with a reason, counted once approved."""

    __tablename__ = "exemptions"
    __table_args__ = (
        CheckConstraint("kind IN ('exemption', 'deferral')", name="kind"),
        Index(
            "uq_exemptions_live",
            "exam_id",
            "person_id",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND refused_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), index=True)
    kind: Mapped[Str] = mapped_column(default=ExemptionKind.EXEMPTION)
    reason: Mapped[Str]
    requested_by_id: Mapped[BigInt | None]
    requested_at: Mapped[UtcDateTime]
    approved_by_id: Mapped[BigInt | None]
    approved_at: Mapped[UtcDateTime | None]
    refused_at: Mapped[UtcDateTime | None]
    withdrawn_at: Mapped[UtcDateTime | None]
    answer: Mapped[Str] = mapped_column(default="")
    file_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("stored_files.id"))
    """A paper that proves the reason, where somebody chose to hang one on. Personal data: kept as long as the request."""


class ExemptionReason(Base):
    """A reason that a request may name, as the office words it; requests keep the words of their day."""

    __tablename__ = "exemption_reasons"

    id: Mapped[Id]
    words: Mapped[Str] = mapped_column(unique=True)
    needs_details: Mapped[bool] = mapped_column(default=False)
    """Whether the reason says nothing by itself (其他), so that details are asked for."""
    retired_at: Mapped[UtcDateTime | None]
    """From here on it is no longer offered."""


class ExamExtension(Base):
    """Extra time for a unit's subtree or one person; `request_key` makes a second press of the button harmless."""

    __tablename__ = "exam_extensions"
    __table_args__ = (
        UniqueConstraint("exam_id", "request_key"),
        Index("ix_exam_extensions_unapplied", "id", postgresql_where=text("applied_at IS NULL")),
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    request_key: Mapped[Str]
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"))
    seconds: Mapped[int]
    reason: Mapped[Str]
    granted_by_id: Mapped[BigInt | None]
    granted_at: Mapped[UtcDateTime]
    applied_at: Mapped[UtcDateTime | None]
    """When the attempts room has moved the deadlines of sittings under way; it sweeps the rows where this is null."""
    is_after_keys: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Granted though the exam's keys were out, as whoever granted it has ticked."""


class PreparedPaper(Base):
    """The paper made ahead for a person's n-th attempt, so that a start is one read."""

    __tablename__ = "prepared_papers"

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("papers.id"))


class StudyClearance(Base):
    """Written by training: this person has met the exam's study gate."""

    __tablename__ = "study_clearances"

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    cleared_at: Mapped[UtcDateTime]


class MakeupEligibility(Base):
    """Written by grading: this person may sit the make-up bound to the main exam."""

    __tablename__ = "makeup_eligibilities"

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    """The make-up exam."""
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    reason: Mapped[Str]
    """`absent` or `failed`."""


class RosterSnapshotUnit(Base):
    """A unit as it stood in both trees when an exam's roster was frozen: old names stay with old exams. Kept as long as the exam."""

    __tablename__ = "roster_snapshot_units"

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), primary_key=True)
    code: Mapped[Str]
    name: Mapped[Str]
    kind: Mapped[Str]
    parent_id: Mapped[BigInt | None]
    sector_parent_id: Mapped[BigInt | None]
    region_path: Mapped[Str]
    sector_path: Mapped[Str | None]
    closed_at: Mapped[UtcDateTime | None]


class RosterSnapshotPerson(Base):
    """A person of an exam's frozen roster: in which unit, and whether exempt or deferred. Every figure of the exam counts these rows.

    Personal data: where somebody belonged, rank and position on that day; kept as long as the exam's results.
    """

    __tablename__ = "roster_snapshot_people"
    __table_args__ = (
        CheckConstraint("excuse IN ('exemption', 'deferral')", name="excuse"),
        Index("ix_frozen_people_person_id", "person_id"),
    )

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    rank: Mapped[Str]
    position: Mapped[Str]
    excuse: Mapped[Str | None]
    """Null for who is to sit."""


class RosterCorrection(Base):
    """A correction (更正) of a frozen roster that the office accepted: what stood there and what stands there since, for good."""

    __tablename__ = "roster_corrections"
    __table_args__ = (Index("ix_roster_corrections_exam_id", "exam_id"),)

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    old_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Null: was not on the frozen roster."""
    old_excuse: Mapped[Str | None]
    new_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """Null: taken off it."""
    new_excuse: Mapped[Str | None]
    reason: Mapped[Str] = mapped_column(default="")
    accepted_by_id: Mapped[BigInt | None]
    accepted_at: Mapped[UtcDateTime]

"""Exams with their settings, sessions, audiences, exemptions with their reasons, extensions, papers made ahead and clearances."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import BEFORE_START, EXAM, OTHERS, TECHNICAL, shown
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
    has_pledge: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a candidate ticks the pledge of honesty (诚信承诺书) on the page before the start."""
    study_gate: Mapped[JsonB] = mapped_column(default=dict)
    """`{}` for none; else what a clearance row is asked for."""
    snapshot_due_at: Mapped[UtcDateTime | None]
    """The moment whose roster figures stand on from then on; it may lie ahead."""
    has_snapshot_at_close: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the roster freezes when the window closes, where no other moment is declared."""
    anonymised_at: Mapped[UtcDateTime | None]
    """Since when its results belong to nobody by name (privacy); the figures are as they were."""
    snapshot_created_at: Mapped[UtcDateTime | None]
    """When that roster was written into `roster_snapshot_people`; null while figures still stand on the present roster."""
    result_version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Which version its results are; each applied correction of grades begins another."""
    corrections: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many corrections of the frozen roster the office has accepted since."""
    has_external_results: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether results from another platform stand beside the attempts; written by grading, so that figures look for them only here."""
    cached_roster_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    """Digests of what reports keep the figures of; written by reports, so that figures look for them only here."""
    exam_notice: Mapped[Str] = mapped_column(default="", server_default="")
    """What those who sit are told on their page with its next exchange; empty for nothing."""
    were_keys_out: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its keys had been shown when it was prolonged, reopened or released again: what is granted later still needs the tick."""
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
    __personal_data__ = EXAM.of("指定参加的考试", "按名单安排考试", seen_by="普法办")

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), index=True, info=shown("考试"))
    exam: Mapped[Exam] = relationship(back_populates="audiences")
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=TECHNICAL)
    """Subtree of the region tree; null for any."""
    sector_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=TECHNICAL)
    """Subtree of the sector tree; null for any."""
    ranks: Mapped[JsonB] = mapped_column(default=list, info=TECHNICAL)
    """Ranks; empty for any."""
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"))
    blueprint_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("blueprints.id"), info=TECHNICAL)
    """A paper of its own for this part; null for the exam's."""


class ExemptionKind(StrEnum):
    """免考 or 缓考."""

    EXEMPTION = "exemption"
    DEFERRAL = "deferral"


class Exemption(Base):
    """A person's exemption from, or deferral of, an exam: asked for with a reason, counted once approved."""

    __tablename__ = "exemptions"
    __personal_data__ = EXAM.of(
        "免考、缓考", "审批免考、缓考，从应考人数中扣除；理由可能涉及健康状况，只给审批所需的人看", order="requested_at"
    )
    __table_args__ = (
        CheckConstraint("kind IN ('exemption', 'deferral')", name="kind"),
        Index(
            "uq_exemptions_live",
            "exam_id",
            "person_id",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND rejected_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), index=True)
    kind: Mapped[Str] = mapped_column(default=ExemptionKind.EXEMPTION, info=shown("类别"))
    reason: Mapped[Str] = mapped_column(info=shown("理由"))
    requested_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    requested_at: Mapped[UtcDateTime] = mapped_column(info=shown("申请时间"))
    approved_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    approved_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("批准时间"))
    rejected_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("退回时间"))
    withdrawn_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("撤回时间"))
    answer: Mapped[Str] = mapped_column(default="", info=shown("答复"))
    file_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("stored_files.id"), info=TECHNICAL)
    """A paper that proves the reason, where somebody chose to hang one on."""


class ExemptionReason(Base):
    """A reason that a request may name, as the office words it; requests keep the words of their day."""

    __tablename__ = "exemption_reasons"

    id: Mapped[Id]
    text: Mapped[Str] = mapped_column(unique=True)
    needs_details: Mapped[bool] = mapped_column(default=False)
    """Whether the reason says nothing by itself (其他), so that details are asked for."""
    retired_at: Mapped[UtcDateTime | None]
    """From here on it is no longer offered."""


class ExamExtension(Base):
    """What is granted beyond an exam's settings: extra time to a unit's subtree or one person, and to one person a window of its own and more attempts.

    `request_key` makes a second press of the button harmless.
    """

    __tablename__ = "exam_extensions"
    __personal_data__ = EXAM.of(
        "个人的延时和另行安排", "补偿停电、断网，另行安排考试", order="granted_at", seen_by="普法办"
    )
    __table_args__ = (
        UniqueConstraint("exam_id", "request_key"),
        CheckConstraint("num_nonnulls(opens_at, closes_at) <> 1 AND closes_at > opens_at", name="window"),
        CheckConstraint("person_id IS NOT NULL OR (opens_at IS NULL AND more_attempts = 0)", name="person"),
        Index("ix_exam_extensions_unapplied", "id", postgresql_where=text("applied_at IS NULL")),
    )

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    request_key: Mapped[Str] = mapped_column(info=TECHNICAL)
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=TECHNICAL)
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("persons.id"))
    seconds: Mapped[int] = mapped_column(info=shown("秒数"))
    opens_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("另定的开始时间"))
    closes_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("另定的结束时间"))
    """The window of this person alone, beside the exam's own; also after that."""
    more_attempts: Mapped[int] = mapped_column(default=0, server_default="0", info=shown("增加的次数"))
    reason: Mapped[Str] = mapped_column(info=shown("理由"))
    granted_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    granted_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
    applied_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    """When `attempt_changes` has moved the deadlines of attempts under way; it sweeps the rows where this is null."""
    is_after_keys: Mapped[bool] = mapped_column(default=False, server_default=false(), info=shown("答案已公布"))
    """Granted though the exam's keys were out, as whoever granted it has ticked."""


class PreparedPaper(Base):
    """The paper made ahead for a person's n-th attempt, so that a start is one read."""

    __tablename__ = "prepared_papers"
    __personal_data__ = EXAM.of("备好的试卷", "开考时不用等待组卷", seen_by="无人")

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, info=shown("第几次"))
    paper_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("papers.id"), info=BEFORE_START)


class StudyClearance(Base):
    """Written by training: this person has met the exam's study gate."""

    __tablename__ = "study_clearances"
    __personal_data__ = EXAM.of("学习达标", "学完规定内容才能开考", order="cleared_at")

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    cleared_at: Mapped[UtcDateTime] = mapped_column(info=shown("达标时间"))


class ExamPledge(Base):
    """A candidate has ticked the pledge of honesty before the first start."""

    __tablename__ = "exam_pledges"
    __personal_data__ = EXAM.of("诚信承诺", "考试前承诺独立作答", order="pledged_at")

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    pledged_at: Mapped[UtcDateTime] = mapped_column(info=shown("承诺时间"))


class MakeupEligibility(Base):
    """Written by grading: this person may sit the make-up bound to the main exam."""

    __tablename__ = "makeup_eligibilities"
    __personal_data__ = EXAM.of("补考资格", "确定谁参加补考", needs_release=True)

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, info=shown("补考"))
    """The make-up exam."""
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    reason: Mapped[Str] = mapped_column(info=shown("原因"))
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
    """A person of an exam's frozen roster: in which unit, and whether exempt or deferred. Every figure of the exam counts these rows."""

    __tablename__ = "roster_snapshot_people"
    __personal_data__ = EXAM.of("冻结的考试名册", "参考率、合格率按冻结日的名册计算，以后调动不影响")
    __table_args__ = (
        CheckConstraint("excuse IN ('exemption', 'deferral')", name="excuse"),
        Index("ix_roster_snapshot_people_person_id", "person_id"),
    )

    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), primary_key=True, info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("单位"))
    rank: Mapped[Str] = mapped_column(info=shown("职级"))
    position: Mapped[Str] = mapped_column(info=shown("职务"))
    excuse: Mapped[Str | None] = mapped_column(info=shown("免考缓考"))
    """Null for who is to sit."""


class RosterCorrection(Base):
    """A correction (更正) of a frozen roster that the office accepted: what stood there and what stands there since, for good."""

    __tablename__ = "roster_corrections"
    __personal_data__ = EXAM.of("冻结名册的更正", "冻结后发现名册有误，逐人更正并留下依据", order="accepted_at")
    __table_args__ = (Index("ix_roster_corrections_exam_id", "exam_id"),)

    id: Mapped[Id]
    exam_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("exams.id"), info=shown("考试"))
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    old_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("原单位"))
    """Null: was not on the frozen roster."""
    old_excuse: Mapped[Str | None] = mapped_column(info=shown("原情况"))
    new_unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("现单位"))
    """Null: taken off it."""
    new_excuse: Mapped[Str | None] = mapped_column(info=shown("现情况"))
    reason: Mapped[Str] = mapped_column(default="", info=shown("理由"))
    accepted_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    accepted_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))

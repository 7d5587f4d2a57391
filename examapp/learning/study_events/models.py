"""Events of legal education with who was there and how many of the public they reached, and certificates with their templates, plans and jobs."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from examapp.db.personal_data import OTHERS, STUDY, TECHNICAL, UNREADABLE, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, Id, Str, UtcDateTime
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.uploads.models import StoredFile


class EventState(StrEnum):
    """The life of an event."""

    PLANNED = "planned"
    HELD = "held"
    """Over, its attendance settled: it counts in the study records."""
    CANCELLED = "cancelled"


class StudyEvent(Base):
    """An event of legal education (学法普法活动) that a unit holds, for people of its subtree or for the public."""

    __tablename__ = "study_events"
    __personal_data__ = STUDY.of(
        "学法活动的主讲人", "活动台账", owner=None, term=RetentionPolicy.OFFICE, seen_by="参加活动的单位"
    )
    __table_args__ = (
        CheckConstraint(
            "kind IN ('study_group', 'report', 'lecture', 'night_school', 'court', 'outreach', 'case', 'culture', 'other')",
            name="kind",
        ),
        CheckConstraint("outside_count >= 0", name="outside_count"),
        Index("ix_study_events_starts_at", "starts_at"),
        CheckConstraint("state IN ('planned', 'held', 'cancelled')", name="state"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("(code_opened_at IS NULL) = (code_closes_at IS NULL)", name="code"),
        Index("ix_study_events_unit_id_starts_at", "unit_id", "starts_at"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=TECHNICAL)
    unit: Mapped[Unit] = relationship()
    kind: Mapped[Str] = mapped_column(info=TECHNICAL)
    theme: Mapped[Str] = mapped_column(info=shown("主题"))
    laws: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    speaker: Mapped[Str] = mapped_column(default="", info=shown("主讲人"))
    place: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    audience: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    """For whom, in words; who may be put down is the unit's subtree."""
    summary: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    starts_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    ends_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    outside_count: Mapped[int] = mapped_column(default=0, info=TECHNICAL)
    """How many of the public and of those served were reached, as the organiser counted; officials stand in the attendance."""
    is_distinct: Mapped[bool] = mapped_column(default=False, info=TECHNICAL)
    """The organiser was asked about a like event of that day, and said that this is another one."""
    state: Mapped[Str] = mapped_column(default=EventState.PLANNED, info=TECHNICAL)
    code_seed: Mapped[bytes] = mapped_column(LargeBinary, info=UNREADABLE)
    """What the room's codes are made of; never shown."""
    code_opened_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    code_closes_at: Mapped[UtcDateTime | None] = mapped_column(info=TECHNICAL)
    created_by_id: Mapped[BigInt | None] = mapped_column(info=shown("经办人"))
    created_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)
    updated_at: Mapped[UtcDateTime] = mapped_column(info=TECHNICAL)


class Attendance(Base):
    """A person was at an event: for the person's study record, kept as long as the person's results are."""

    __tablename__ = "event_attendances"
    __personal_data__ = STUDY.of("学法活动签到", "记入学法档案", order="noted_at", seen_by="本人、本单位管理员、普法办")
    __table_args__ = (CheckConstraint("way IN ('code', 'list')", name="way"),)

    event_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("study_events.id"), primary_key=True, info=shown("活动")
    )
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True, index=True)
    person: Mapped[Person] = relationship()
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("单位"))
    """The person's unit at that moment."""
    way: Mapped[Str] = mapped_column(info=shown("方式"))
    """By the code shown in the room, or put down from the list."""
    noted_at: Mapped[UtcDateTime] = mapped_column(info=shown("时间"))
    noted_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)


class EventMaterial(Base):
    """A file that belongs to an event: its slides, the paper that was read, a sign-in sheet. Kept as long as the event."""

    __tablename__ = "event_materials"

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("study_events.id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("stored_files.id"), primary_key=True)
    file: Mapped[StoredFile] = relationship()


class CodeTry(Base):
    """How often a person has recently typed a wrong code of an event, so that codes cannot be tried through; of no use once it is over."""

    __tablename__ = "event_code_attempts"
    __personal_data__ = STUDY.of("签到码输错次数", "防止猜签到码", seen_by="无人")

    event_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("study_events.id"), primary_key=True, info=shown("活动")
    )
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    wrong: Mapped[int] = mapped_column(SmallInteger, info=shown("次数"))
    first_at: Mapped[UtcDateTime] = mapped_column(info=shown("第一次"))

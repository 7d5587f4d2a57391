"""Events of study in the room with who was there, and certificates with their templates, plans and jobs."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from examapp.core.db import Base, BigInt, Day, Id, Instant, Words
from examapp.core.jobs import JobColumns
from examapp.core.uploads.models import StoredFile
from examapp.org.models import Unit
from examapp.people.models import Person


class EventState(StrEnum):
    """The life of an event."""

    PLANNED = "planned"
    HELD = "held"
    """Over, its attendance settled: it counts in the study records."""
    CANCELLED = "cancelled"


class StudyEvent(Base):
    """An event of study in the room (学法活动) that a unit holds for people of its subtree."""

    __tablename__ = "study_events"
    __table_args__ = (
        CheckConstraint("kind IN ('study_group', 'report', 'lecture', 'night_school', 'court', 'other')", name="kind"),
        CheckConstraint("state IN ('planned', 'held', 'cancelled')", name="state"),
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("(code_opened_at IS NULL) = (code_closes_at IS NULL)", name="code"),
        Index("ix_study_events_unit_id_starts_at", "unit_id", "starts_at"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    unit: Mapped[Unit] = relationship()
    kind: Mapped[Words]
    theme: Mapped[Words]
    laws: Mapped[Words] = mapped_column(default="")
    speaker: Mapped[Words] = mapped_column(default="")
    place: Mapped[Words] = mapped_column(default="")
    audience: Mapped[Words] = mapped_column(default="")
    """For whom, in words; who may be put down is the unit's subtree."""
    summary: Mapped[Words] = mapped_column(default="")
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant]
    state: Mapped[Words] = mapped_column(default=EventState.PLANNED)
    code_seed: Mapped[bytes] = mapped_column(LargeBinary)
    """What the room's codes are made of; never shown."""
    code_opened_at: Mapped[Instant | None]
    code_closes_at: Mapped[Instant | None]
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class Attendance(Base):
    """A person was at an event: for the person's study record, kept as long as the person's results are."""

    __tablename__ = "event_attendances"
    __table_args__ = (CheckConstraint("way IN ('code', 'list')", name="way"),)

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("study_events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True, index=True)
    person: Mapped[Person] = relationship()
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"))
    """The person's unit at that moment."""
    way: Mapped[Words]
    """By the code shown in the room, or put down from the list."""
    noted_at: Mapped[Instant]
    noted_by_id: Mapped[BigInt | None]


class EventMaterial(Base):
    """A file that belongs to an event: its slides, the paper that was read, a sign-in sheet. Kept as long as the event."""

    __tablename__ = "event_materials"

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("study_events.id"), primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("stored_files.id"), primary_key=True)
    file: Mapped[StoredFile] = relationship()


class CodeTry(Base):
    """How often a person has lately typed a wrong code of an event, so that codes cannot be tried through; of no use once it is over."""

    __tablename__ = "event_code_tries"

    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("study_events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"), primary_key=True)
    wrong: Mapped[int] = mapped_column(SmallInteger)
    first_at: Mapped[Instant]


class CertificateTemplate(Base):
    """How a certificate is worded, who signs it, and the picture of the seal."""

    __tablename__ = "certificate_templates"

    id: Mapped[Id]
    name: Mapped[Words] = mapped_column(unique=True)
    heading: Mapped[Words]
    body: Mapped[Words]
    """Words with the places of `records.rules.certificates.PLACES`."""
    signer: Mapped[Words]
    seal: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """PNG, made anew from what was uploaded."""
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class CertificatePlan(Base):
    """What a kind of certificate is given for: an exam passed, or a set of courses completed."""

    __tablename__ = "certificate_plans"

    id: Mapped[Id]
    title: Mapped[Words]
    prefix: Mapped[Words] = mapped_column(unique=True)
    """What the numbers begin with."""
    template_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("certificate_templates.id"))
    template: Mapped[CertificateTemplate] = relationship()
    exam_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("exams.id"))
    """Null where courses are asked for."""
    last_serial: Mapped[int] = mapped_column(default=0)
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[Instant]

    courses: Mapped[list[PlanCourse]] = relationship(cascade="all, delete-orphan")


class PlanCourse(Base):
    """A course that a plan asks for."""

    __tablename__ = "certificate_plan_courses"

    plan_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("certificate_plans.id"), primary_key=True)
    course_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("courses.id"), primary_key=True)


class Certificate(Base):
    """A certificate (合格证) as it was issued; its words never change: a corrected result withdraws it and issues another.

    Name and unit are kept as they were printed, so that it can be printed again and checked; kept as long as the result.
    """

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("number"),
        Index(
            "uq_certificates_live",
            "plan_id",
            "person_id",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_certificates_person_id", "person_id"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why = '')", name="withdrawn"),
    )

    id: Mapped[Id]
    plan_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("certificate_plans.id"))
    plan: Mapped[CertificatePlan] = relationship()
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    number: Mapped[Words]
    name: Mapped[Words]
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), index=True)
    unit_name: Mapped[Words]
    heading: Mapped[Words]
    words: Mapped[Words]
    result: Mapped[Words]
    signer: Mapped[Words]
    issued_on: Mapped[Day]
    salt: Mapped[Words]
    """Random: without it nobody finds a name behind a digest."""
    digest: Mapped[Words]
    """SHA-256 over everything that is printed, and the salt."""
    grade_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grades.id"), index=True)
    replaces_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("certificates.id"))
    issued_at: Mapped[Instant]
    issued_by_id: Mapped[BigInt | None]
    withdrawn_at: Mapped[Instant | None]
    withdrawn_why: Mapped[Words] = mapped_column(default="")


class CertificateJob(JobColumns, Base):
    """A batch in the workers: certificates issued and corrected, or a unit's certificates put into one PDF."""

    __tablename__ = "certificate_jobs"

    id: Mapped[Id]
    kind: Mapped[Words]
    """`issue` or `pdf`."""
    plan_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("certificate_plans.id"), index=True)
    plan: Mapped[CertificatePlan] = relationship()
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"))
    """The subtree whose certificates are printed; null for all."""
    site_url: Mapped[Words] = mapped_column(default="")
    """Where the code on the paper leads."""
    file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    file_name: Mapped[Words] = mapped_column(default="")
    expires_at: Mapped[Instant | None]
    created_by_id: Mapped[BigInt]

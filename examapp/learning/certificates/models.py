"""Tables of certificates, their plans and jobs."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from examapp.db.personal_data import EXAM, OTHERS, STAFF, TECHNICAL, UNREADABLE, RetentionPolicy, shown
from examapp.db.session import Base, BigInt, DateCol, Id, Str, UtcDateTime
from examapp.jobs.models import Job, JobId


class CertificateTemplate(Base):
    """How a certificate is worded, who signs it, and the picture of the seal."""

    __tablename__ = "certificate_templates"

    id: Mapped[Id]
    name: Mapped[Str] = mapped_column(unique=True)
    heading: Mapped[Str]
    body: Mapped[Str]
    """Words with the places of `records.rules.certificates.PLACES`."""
    signer: Mapped[Str]
    seal: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """PNG, made again from what was uploaded."""
    created_at: Mapped[UtcDateTime]
    updated_at: Mapped[UtcDateTime]


class CertificatePlan(Base):
    """What a kind of certificate is given for: an exam passed, or a set of courses completed."""

    __tablename__ = "certificate_plans"

    id: Mapped[Id]
    title: Mapped[Str]
    prefix: Mapped[Str] = mapped_column(unique=True)
    """What the numbers begin with."""
    template_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("certificate_templates.id"))
    template: Mapped[CertificateTemplate] = relationship()
    exam_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("exams.id"))
    """Null where courses are asked for."""
    last_serial: Mapped[int] = mapped_column(default=0)
    created_by_id: Mapped[BigInt | None]
    created_at: Mapped[UtcDateTime]

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
    __personal_data__ = EXAM.of(
        "证书",
        "证明考试或学习合格，并可核验",
        order="issued_at",
        term=RetentionPolicy.OFFICE,
        seen_by="本人、本单位管理员、普法办；持证书编号的人可核验真伪",
    )
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
    plan_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("certificate_plans.id"), info=TECHNICAL)
    plan: Mapped[CertificatePlan] = relationship()
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("persons.id"))
    number: Mapped[Str] = mapped_column(info=shown("编号"))
    name: Mapped[Str] = mapped_column(info=shown("姓名"))
    unit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("units.id"), index=True, info=TECHNICAL)
    unit_name: Mapped[Str] = mapped_column(info=shown("单位"))
    heading: Mapped[Str] = mapped_column(info=shown("名称"))
    text: Mapped[Str] = mapped_column(info=shown("正文"))
    result: Mapped[Str] = mapped_column(info=shown("结果"))
    signer: Mapped[Str] = mapped_column(info=shown("落款"))
    issued_on: Mapped[DateCol] = mapped_column(info=shown("日期"))
    salt: Mapped[Str] = mapped_column(info=UNREADABLE)
    """Random: without it nobody finds a name behind a digest."""
    digest: Mapped[Str] = mapped_column(info=TECHNICAL)
    """SHA-256 over everything that is printed, and the salt."""
    grade_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grades.id"), index=True, info=TECHNICAL)
    replaces_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("certificates.id"), info=TECHNICAL)
    issued_at: Mapped[UtcDateTime] = mapped_column(info=shown("发证时间"))
    issued_by_id: Mapped[BigInt | None] = mapped_column(info=OTHERS)
    withdrawn_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("撤销时间"))
    withdrawn_why: Mapped[Str] = mapped_column(default="", info=shown("撤销原因"))


class CertificateJob(Job):
    """A batch in the workers: certificates issued and corrected, or a unit's certificates put into one PDF."""

    __tablename__ = "certificate_jobs"
    __personal_data__ = STAFF.of("成批的证书文件", "打印证书；到期自动删除", owner=None, seen_by="办理证书的人")
    KIND = "records.run_job"

    id: Mapped[JobId]
    purpose: Mapped[Str] = mapped_column(info=TECHNICAL)
    """`issue` or `pdf`."""
    plan_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("certificate_plans.id"), index=True, info=shown("证书"))
    plan: Mapped[CertificatePlan] = relationship()
    unit_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("units.id"), info=shown("单位"))
    """The subtree whose certificates are printed; null for all."""
    site_url: Mapped[Str] = mapped_column(default="", info=TECHNICAL)
    """Where the code on the paper leads."""
    file: Mapped[bytes | None] = deferred(mapped_column(LargeBinary, info=TECHNICAL))
    expires_at: Mapped[UtcDateTime | None] = mapped_column(info=shown("删除时间"))

"""Certificates, their plans and templates, and who has earned one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from examapp.delivery.corrections.queries import select_passed_by_correction
from examapp.delivery.exams.models import Exam, ExamKind, ExamState
from examapp.delivery.grading.models import Grade
from examapp.delivery.grading.rules import BAND_NAMES, Band
from examapp.delivery.results.queries import release_of
from examapp.errors import NotFoundError
from examapp.learning.certificates.models import (
    Certificate,
    CertificateJob,
    CertificatePlan,
    CertificateTemplate,
    PlanCourse,
)
from examapp.learning.certificates.rules import ALL_COURSES, Printed
from examapp.learning.courses.models import Course, CourseCompletion
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit
from examapp.oversight.statistics_definitions.rules import Scope
from examapp.oversight.statistics_population.queries import people_of
from examapp.oversight.statistics_scope.queries import get_report_context
from examapp.points import for_people

_STREAM_ROWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEligibility:
    """How a person stands to a plan: earned or not, None while it is being graded; and what a certificate would say."""

    person_id: int
    name: str
    unit_id: int
    unit_name: str
    has_earned: bool | None
    result: str
    grade_id: int | None


def list_templates(session: Session) -> list[CertificateTemplate]:
    """List the templates by name."""
    return list(session.scalars(select(CertificateTemplate).order_by(CertificateTemplate.name)))


def get_template(session: Session, template_id: int) -> CertificateTemplate:
    """Get a template; raises NotFoundError."""
    template = session.get(CertificateTemplate, template_id)
    if template is None:
        raise NotFoundError
    return template


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan in the list: how many certificates are valid, and how many withdrawn, within the access scope."""

    plan: CertificatePlan
    valid: int
    withdrawn: int


def list_plans(session: Session, access: AccessScope) -> list[PlanRow]:
    """List the plans, the newest first, with their certificates of units within the access scope."""
    valid, withdrawn = (
        func.count(Certificate.id).filter(Unit.id.is_not(None), condition)
        for condition in (Certificate.withdrawn_at.is_(None), Certificate.withdrawn_at.is_not(None))
    )
    rows = session.execute(
        select(CertificatePlan, valid, withdrawn)
        .outerjoin(Certificate, Certificate.plan_id == CertificatePlan.id)
        .outerjoin(Unit, (Unit.id == Certificate.unit_id) & within(access))
        .group_by(CertificatePlan.id)
        .order_by(CertificatePlan.id.desc())
    )
    return [PlanRow(plan=plan, valid=count, withdrawn=back) for plan, count, back in rows]


def get_plan(session: Session, plan_id: int, *, is_locked: bool = False) -> CertificatePlan:
    """Get a plan, locked for issuing if asked for; raises NotFoundError."""
    statement = select(CertificatePlan).where(CertificatePlan.id == plan_id)
    if is_locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    plan = session.scalars(statement).one_or_none()
    if plan is None:
        raise NotFoundError
    return plan


def list_exams_with_results(session: Session) -> list[Exam]:
    """List the exams that certificates may be given for: published ones that are no mock and no make-up of another."""
    kinds = (ExamKind.MOCK, ExamKind.MAKEUP)
    return list(
        session.scalars(
            select(Exam)
            .where(Exam.state == ExamState.PUBLISHED, Exam.kind.not_in(kinds))
            .order_by(Exam.opens_at.desc(), Exam.id.desc())
        )
    )


def course_titles(session: Session, plan: CertificatePlan) -> list[str]:
    """List the titles of the courses that a plan asks for."""
    rows = session.scalars(
        select(Course.title)
        .join(PlanCourse, PlanCourse.course_id == Course.id)
        .where(PlanCourse.plan_id == plan.id)
        .order_by(Course.id)
    )
    return list(rows)


def standings(session: Session, plan: CertificatePlan, *, now: datetime) -> dict[int, PlanEligibility]:
    """Give how everybody stands to a plan, by person; anyone who has sat nothing and learnt nothing is left out.

    An exam counts with those of its make-ups whose results are out; before its own are, nobody stands anywhere.
    """
    rows = _exam_standings(session, plan.exam_id, now=now) if plan.exam_id else _course_standings(session, plan)
    return {row.person_id: row for row in rows}


def _exam_standings(session: Session, exam_id: int, *, now: datetime) -> list[PlanEligibility]:
    report_context = get_report_context(session, exam_id, scope=Scope.FINAL, now=now)
    if not release_of(session, report_context.exam, now=now).are_results_out:
        return []
    makeups = tuple(other for other in report_context.makeups if release_of(session, other, now=now).are_results_out)
    report_context = replace(report_context, makeups=makeups, scope=Scope.FINAL if makeups else Scope.THIS)
    columns = people_of(session, report_context).of.c
    rows = session.execute(
        select(
            columns.person_id,
            columns.name,
            columns.unit_id,
            columns.unit_name,
            columns.is_passed,
            columns.band,
            columns.points,
            Grade.id.label("grade_id"),
        )
        .outerjoin(Grade, (Grade.attempt_id == columns.attempt_id) & Grade.is_current)
        .where(columns.attempt_id.is_not(None))
    )
    return [
        PlanEligibility(
            person_id=row.person_id,
            name=row.name,
            unit_id=row.unit_id,
            unit_name=row.unit_name,
            has_earned=row.is_passed,
            result=exam_result_label(row.band, row.points) if row.band else "",
            grade_id=row.grade_id,
        )
        for row in rows
    ]


def exam_result_label(band: str, points: object) -> str:
    """Write a result as a certificate has it: 优秀（92 分）."""
    return f"{BAND_NAMES[Band(band)]}（{for_people(points)}分）"  # type: ignore[arg-type]  # a Decimal from the row


def _course_standings(session: Session, plan: CertificatePlan) -> list[PlanEligibility]:
    wanted = select(PlanCourse.course_id).where(PlanCourse.plan_id == plan.id)
    count = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = session.execute(
        select(Person.id, Person.name, Unit.id, Unit.name, func.count())
        .select_from(CourseCompletion)
        .join(Person, CourseCompletion.person_id == Person.id)
        .join(Unit, Person.unit_id == Unit.id)
        .where(CourseCompletion.course_id.in_(wanted), Person.state == PersonState.ON_ROSTER)
        .group_by(Person.id, Unit.id)
    )
    return [
        PlanEligibility(
            person_id=row[0],
            name=row[1],
            unit_id=row[2],
            unit_name=row[3],
            has_earned=row[4] == count,
            result=ALL_COURSES,
            grade_id=None,
        )
        for row in rows
    ]


def live_certificates(session: Session, plan_id: int) -> dict[int, Certificate]:
    """Give a plan's valid certificates by person."""
    rows = session.scalars(
        select(Certificate).where(Certificate.plan_id == plan_id, Certificate.withdrawn_at.is_(None))
    )
    return {row.person_id: row for row in rows}


def regraded(session: Session, plan_id: int) -> dict[int, Grade]:
    """Give the grade that counts now of each attempt whose certificate stands on an older one, by certificate."""
    old = aliased(Grade)
    rows = session.execute(
        select(Certificate.id, Grade)
        .join(old, Certificate.grade_id == old.id)
        .join(Grade, (Grade.attempt_id == old.attempt_id) & Grade.is_current)
        .where(Certificate.plan_id == plan_id, Certificate.withdrawn_at.is_(None), Grade.id != old.id)
    )
    return {row[0]: row[1] for row in rows}


def plans_to_revise(session: Session, *, now: datetime) -> list[int]:
    """List the plans with a valid certificate whose grade was replaced by another, and those under which somebody newly passed has none."""
    old, new = aliased(Grade), aliased(Grade)
    rows = session.scalars(
        select(Certificate.plan_id)
        .join(old, Certificate.grade_id == old.id)
        .join(new, (new.attempt_id == old.attempt_id) & new.is_current)
        .where(Certificate.withdrawn_at.is_(None), old.is_current.is_(False))
        .distinct()
    )
    return sorted({*rows, *session.scalars(_plans_with_newly_passed(now))})


def _plans_with_newly_passed(now: datetime) -> Select[int]:
    """Select the plans already issued under which a correction of the last day let somebody pass who has no valid certificate."""
    newly = select_passed_by_correction(since=now - timedelta(days=1)).subquery()
    of_plan = select(Certificate.id).where(Certificate.plan_id == CertificatePlan.id)
    has_one = of_plan.where(Certificate.withdrawn_at.is_(None), Certificate.person_id == newly.c.person_id)
    return (
        select(CertificatePlan.id)
        .join(newly, newly.c.exam_id == CertificatePlan.exam_id)
        .where(of_plan.exists(), ~has_one.exists())
    )


def printed_of(certificate: Certificate) -> Printed:
    """Give what a certificate says."""
    return Printed(
        number=certificate.number,
        heading=certificate.heading,
        text=certificate.text,
        name=certificate.name,
        unit_name=certificate.unit_name,
        result=certificate.result,
        signer=certificate.signer,
        issued_on=certificate.issued_on,
    )


def find_by_number(session: Session, number: str) -> Certificate | None:
    """Find a certificate, valid or withdrawn."""
    return session.scalars(select(Certificate).where(Certificate.number == number)).one_or_none()


def list_own_certificates(session: Session, person_id: int) -> list[Certificate]:
    """List a person's valid certificates, the newest first."""
    return list(
        session.scalars(
            select(Certificate)
            .where(Certificate.person_id == person_id, Certificate.withdrawn_at.is_(None))
            .order_by(Certificate.issued_at.desc(), Certificate.id.desc())
        )
    )


def get_own_certificate(session: Session, certificate_id: int, person_id: int) -> Certificate:
    """Get one's own valid certificate; raises NotFoundError."""
    certificate = session.get(Certificate, certificate_id)
    if certificate is None or certificate.person_id != person_id or certificate.withdrawn_at is not None:
        raise NotFoundError
    return certificate


def list_certificates(
    session: Session, plan_id: int, access: AccessScope, *, offset: int, limit: int
) -> tuple[list[tuple[Certificate, str]], int]:
    """List a page of a plan's certificates of units within the access scope with their replacement's number, and count them."""
    newer = aliased(Certificate)
    where = (Certificate.plan_id == plan_id, within(access))
    rows = session.execute(
        select(Certificate, func.coalesce(newer.number, ""))
        .join(Unit, Certificate.unit_id == Unit.id)
        .outerjoin(newer, newer.replaces_id == Certificate.id)
        .where(*where)
        .order_by(Unit.code, Certificate.number)
        .offset(offset)
        .limit(limit)
    )
    total = session.scalar(
        select(func.count()).select_from(Certificate).join(Unit, Certificate.unit_id == Unit.id).where(*where)
    )
    return [(certificate, number) for certificate, number in rows], total or 0


def iter_of_subtree(session: Session, plan_id: int, unit: Unit | None) -> Iterator[Certificate]:
    """Stream a plan's valid certificates of a unit's subtree, by unit code and number."""
    query = (
        select(Certificate)
        .join(Unit, Certificate.unit_id == Unit.id)
        .where(Certificate.plan_id == plan_id, Certificate.withdrawn_at.is_(None))
        .order_by(Unit.code, Certificate.number)
    )
    if unit is not None:
        query = query.where(Unit.region_path.startswith(unit.region_path))
    yield from session.scalars(query.execution_options(yield_per=_STREAM_ROWS))


def count_of_subtree(session: Session, plan_id: int, unit: Unit | None) -> int:
    """Count what `iter_of_subtree` gives."""
    query = select(func.count()).select_from(Certificate).join(Unit, Certificate.unit_id == Unit.id)
    query = query.where(Certificate.plan_id == plan_id, Certificate.withdrawn_at.is_(None))
    if unit is not None:
        query = query.where(Unit.region_path.startswith(unit.region_path))
    return session.scalar(query) or 0


def list_jobs(session: Session, plan_id: int, person_id: int) -> Sequence[CertificateJob]:
    """List the latest jobs of a plan that a person has asked for."""
    return session.scalars(
        select(CertificateJob)
        .where(CertificateJob.plan_id == plan_id, CertificateJob.created_by_id == person_id)
        .order_by(CertificateJob.id.desc())
        .limit(5)
    ).all()


def get_own_job(session: Session, job_id: int, person_id: int | None) -> CertificateJob:
    """Get a job of one's own; raises NotFoundError."""
    job = session.get(CertificateJob, job_id)
    if job is None or job.created_by_id != person_id:
        raise NotFoundError
    return job

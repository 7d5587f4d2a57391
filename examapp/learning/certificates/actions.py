"""Issue a plan's certificates, correct them when results were corrected, and put a unit's into one PDF: jobs of the workers."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.delivery.corrections.queries import select_passed_by_correction
from examapp.delivery.grading.models import Grade
from examapp.errors import DomainError
from examapp.jobs.actions import enqueue
from examapp.jobs.models import ACTIVE
from examapp.jobs.runner import JobRun
from examapp.learning.certificates.models import Certificate, CertificateJob, CertificatePlan
from examapp.learning.certificates.queries import (
    PlanEligibility,
    count_of_subtree,
    exam_result_label,
    get_plan,
    iter_of_subtree,
    live_certificates,
    plans_to_revise,
    printed_of,
    regraded,
    standings,
)
from examapp.learning.certificates.rules import Printed, day_label, fill, number_of
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Unit
from examapp.platform.audit.actions import SYSTEM, ActionContext, Actor, record

AUDIT_ACTS = {
    "records.download_certificates": "下载证书",
    "records.issue_certificates": "发放证书",
    "records.revise_certificates": "更正证书",
    "records.request_issue": "申请发放证书",
    "records.request_pdf": "申请证书 PDF",
}
AUDIT_OBJECTS = {"certificate_job": "证书任务"}

KEPT = timedelta(days=7)
_AT_ONCE = 500
_PROGRESS_EVERY = 200
_SALT_BYTES = 16
NOT_PASSED = "成绩更正后未达到合格"
CORRECTED = "成绩更正，已换发新证"
NOT_DONE = "不再符合发证条件"


class NotYetError(DomainError):
    """A file is not there."""

    code = "not_ready"
    message = "文件还没有生成好或已过期，请重新生成。"


def request_job(
    context: ActionContext,
    *,
    plan_id: int,
    purpose: str,
    unit_id: int | None = None,
    site_url: str = "",
    access: AccessScope,
) -> CertificateJob:
    """Ask the workers to issue a plan's certificates, or for the PDF of a unit's within the access scope; one waiting job is enough."""
    session, actor = context.session, context.actor
    get_plan(session, plan_id, is_locked=True)
    _check_access(session, unit_id, access)
    of_unit = CertificateJob.unit_id.is_(None) if unit_id is None else CertificateJob.unit_id == unit_id
    same = (
        CertificateJob.plan_id == plan_id,
        CertificateJob.purpose == purpose,
        of_unit,
        CertificateJob.state.in_(ACTIVE),
    )
    existing_job = session.scalars(select(CertificateJob).where(*same, CertificateJob.created_by_id == actor.person_id))
    if (found := existing_job.first()) is not None:
        return found
    job = CertificateJob(
        purpose=purpose,
        plan_id=plan_id,
        unit_id=unit_id,
        site_url=site_url,
        created_by_id=actor.person_id,
        created_at=context.now,
    )
    enqueue(session, job)
    record(context, f"records.request_{purpose}", object_type="certificate_job", object_id=job.id, details={"plan_id": plan_id, "unit_id": unit_id})  # fmt: skip
    return job


def _check_access(session: Session, unit_id: int | None, access: AccessScope) -> None:
    """Reject a unit beyond the access scope, and the whole to who does not reach everything; raises NotFoundError."""
    if unit_id is not None or not access.is_everything:
        get_unit_within(session, unit_id or 0, access)


def run_job(session: Session, run: JobRun, *, now: datetime) -> None:
    """Issue or print certificates, whole or not at all, and complete the job."""
    session.execute(text("SET LOCAL statement_timeout = '300s'"))
    job = session.get_one(CertificateJob, run.id)
    act = _issue if job.purpose == "issue" else _print
    run.complete(session, message=act(session, job, run, now=now))


def _issue(session: Session, job: CertificateJob, run: JobRun, *, now: datetime) -> str:
    plan = get_plan(session, job.plan_id, is_locked=True)
    context = ActionContext(session, Actor(person_id=job.created_by_id), now)
    withdrawn, replaced = _revise(context, plan)
    live = live_certificates(session, plan.id)
    earned = [row for row in standings(session, plan, now=now).values() if row.has_earned and row.person_id not in live]
    earned.sort(key=lambda row: (row.unit_id, row.person_id))
    for start in range(0, len(earned), _AT_ONCE):
        rows = [_row(context, plan, existing_job) for existing_job in earned[start : start + _AT_ONCE]]
        session.execute(insert(Certificate), rows)
        run.progress(start + len(rows), len(earned))
    counts = {"issued": len(earned), "withdrawn": withdrawn, "replaced": replaced}
    record(context, "records.issue_certificates", object_type="certificate_plan", object_id=plan.id, details=counts)
    more = f"，更正换发 {replaced} 张，收回 {withdrawn} 张" if withdrawn or replaced else ""
    return f"新发 {len(earned)} 张{more}。"


def _row(
    context: ActionContext, plan: CertificatePlan, existing_job: PlanEligibility, *, replaces_id: int | None = None
) -> dict[str, object]:
    """Make a certificate's row with the plan's next number; the plan is locked."""
    plan.last_serial += 1
    day, template, salt = day_of(context.now), plan.template, secrets.token_hex(_SALT_BYTES)
    values = {
        "姓名": existing_job.name,
        "单位": existing_job.unit_name,
        "项目": plan.title,
        "成绩": existing_job.result,
        "日期": day_label(day),
    }
    printed = Printed(
        number=number_of(plan.prefix, plan.last_serial),
        heading=template.heading,
        text=fill(template.body, values),
        name=existing_job.name,
        unit_name=existing_job.unit_name,
        result=existing_job.result,
        signer=template.signer,
        issued_on=day,
    )
    return {
        "plan_id": plan.id, "person_id": existing_job.person_id, "unit_id": existing_job.unit_id, "grade_id": existing_job.grade_id,
        "number": printed.number, "heading": printed.heading, "text": printed.text, "name": printed.name, "unit_name": printed.unit_name,
        "result": printed.result, "signer": printed.signer, "issued_on": day, "salt": salt, "digest": printed.digest(salt),
        "replaces_id": replaces_id, "issued_at": context.now, "issued_by_id": context.actor.person_id, "withdrawn_why": "",
    }  # fmt: skip


def _revise(context: ActionContext, plan: CertificatePlan) -> tuple[int, int]:
    """Withdraw the certificates that corrected results no longer bear out, and issue again those that say another result.

    Who has left the roster keeps what was earned, unless the very attempt was graded again.
    """
    session, now = context.session, context.now
    eligibility_of = standings(session, plan, now=now)
    changed = regraded(session, plan.id)
    withdrawn = replaced = 0
    for person_id, certificate in live_certificates(session, plan.id).items():
        eligibility_now = eligibility_of.get(person_id) or _eligibility_from(certificate, changed)
        if eligibility_now is None or eligibility_now.has_earned is None:
            continue
        if not eligibility_now.has_earned:
            _withdraw(certificate, NOT_PASSED if plan.exam_id else NOT_DONE, now=now)
            withdrawn += 1
        elif eligibility_now.result != certificate.result:
            _withdraw(certificate, CORRECTED, now=now)
            session.flush()
            row = _row(context, plan, eligibility_now, replaces_id=certificate.id)
            session.execute(insert(Certificate), [row])
            replaced += 1
        else:
            certificate.grade_id = eligibility_now.grade_id
    session.flush()
    return withdrawn, replaced


def _issue_to_newly_passed(context: ActionContext, plan: CertificatePlan) -> int:
    """Issue the certificates of who has earned one by a correction; gives how many."""
    session = context.session
    if plan.exam_id is None:
        return 0
    rows = session.execute(select_passed_by_correction(exam_id=plan.exam_id))
    newly, live = {row.person_id for row in rows}, live_certificates(session, plan.id)
    eligible = standings(session, plan, now=context.now).values()
    earned = [row for row in eligible if row.has_earned and row.person_id in newly and row.person_id not in live]
    if earned:
        earned.sort(key=lambda row: row.person_id)
        session.execute(insert(Certificate), [_row(context, plan, row) for row in earned])
    return len(earned)


def _eligibility_from(certificate: Certificate, changed: dict[int, Grade]) -> PlanEligibility | None:
    grade = changed.get(certificate.id)
    if grade is None:
        return None
    return PlanEligibility(
        person_id=certificate.person_id,
        name=certificate.name,
        unit_id=certificate.unit_id,
        unit_name=certificate.unit_name,
        has_earned=grade.is_passed,
        result=exam_result_label(grade.band, grade.points),
        grade_id=grade.id,
    )


def _withdraw(certificate: Certificate, why: str, *, now: datetime) -> None:
    certificate.withdrawn_at, certificate.withdrawn_why = now, why


def _print(session: Session, job: CertificateJob, run: JobRun, *, now: datetime) -> str:
    from examapp.learning.certificates.render_pdf import Page, draw_certificates

    unit = session.get_one(Unit, job.unit_id) if job.unit_id is not None else None
    plan, total = job.plan, count_of_subtree(session, job.plan_id, unit)
    title = f"{plan.title}证书" + (f"（{unit.name}）" if unit else "")

    def pages() -> Iterator[Page]:
        for number, certificate in enumerate(iter_of_subtree(session, plan.id, unit), 1):
            yield Page(printed=printed_of(certificate), digest=certificate.digest)
            if number % _PROGRESS_EVERY == 0:
                run.progress(number, total)

    if not total:
        return "这个单位还没有可打印的证书。"
    job.file = draw_certificates(pages(), site_url=job.site_url, seal=plan.template.seal, made_at=now, title=title)
    job.file_name, job.expires_at = f"{title}.pdf", now + KEPT
    return f"共 {total} 张。"


def expire_files(session: Session, *, now: datetime) -> None:
    """Delete the PDFs whose time is over."""
    expired = select(CertificateJob).where(CertificateJob.expires_at <= now, CertificateJob.file.is_not(None))
    for job in session.scalars(expired.with_for_update(skip_locked=True)):
        job.file, job.file_name, job.message = None, "", "文件已过期，请重新生成。"


def revise_certificates(session: Session, *, now: datetime) -> int:
    """Correct the certificates of every plan under which a grade has changed; gives how many were withdrawn, replaced or issued. Safe to run twice."""
    context, count = ActionContext(session, SYSTEM, now), 0
    for plan_id in plans_to_revise(session, now=now):
        plan = get_plan(session, plan_id, is_locked=True)
        withdrawn, replaced = _revise(context, plan)
        issued = _issue_to_newly_passed(context, plan)
        count += withdrawn + replaced + issued
        details = {"withdrawn": withdrawn, "replaced": replaced, "issued": issued}
        record(
            context, "records.revise_certificates", object_type="certificate_plan", object_id=plan.id, details=details
        )
    return count


def download(context: ActionContext, job: CertificateJob, *, access: AccessScope) -> tuple[bytes, str]:
    """Hand out a job's file with an audit line while its unit is within the access scope; raises NotFoundError, NotYetError."""
    _check_access(context.session, job.unit_id, access)
    if job.file is None or (job.expires_at is not None and job.expires_at <= context.now):
        raise NotYetError
    record(context, "records.download_certificates", object_type="certificate_job", object_id=job.id)
    return job.file, job.file_name

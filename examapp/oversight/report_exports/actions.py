"""Exports: asked for with an audit line, built by a worker, expired by the sweep, downloaded with another audit line."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from examapp.clock import local
from examapp.delivery.exams.models import Exam
from examapp.errors import BadRequestError, ConflictError, DomainError, NotFoundError
from examapp.jobs.actions import publish_after_commit
from examapp.jobs.models import ACTIVE, Job, JobState
from examapp.jobs.runner import JobRun
from examapp.organisation.access.queries import list_grants
from examapp.organisation.access.rules import AccessScope, access_of
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.issuers.queries import find_issuer
from examapp.organisation.people.models import Approval
from examapp.organisation.people.queries import find_name
from examapp.oversight.report_exports.models import Export
from examapp.oversight.report_exports.queries import REISSUED, get_own_export, list_superseded
from examapp.oversight.report_files import actions as report_file_actions
from examapp.oversight.report_files import queries as report_file_queries
from examapp.oversight.report_files.rules import REQUEST_FIELDS, ReportRequest, TooLongForPaperError
from examapp.oversight.report_templates.actions import current_template
from examapp.oversight.report_templates.models import ReportTemplate
from examapp.oversight.statistics_definitions.rules import PiiDisclosure
from examapp.oversight.statistics_scope.queries import (
    data_fingerprint,
    ensure_unit_in_report_scope,
    get_report_context,
    get_tree_of,
)
from examapp.platform.audit.actions import ActionContext, Actor, record
from examapp.platform.outgoing_messages.actions import send_out_many
from examapp.security.ciphers import FieldCipher

KEPT = timedelta(days=7)
"""How long a file may be downloaded."""
_REST_SHARE = 12
"""While candidates save a worker rests after a file so many times as long as it worked on it …"""
_MAX_REST_S = 0.35
"""… but never longer: 120 files that were asked for at once are there within a minute."""
_OUT_OF_SCOPE = "您已没有这个单位的导出权限，文件没有生成。"


class NotReadyError(DomainError):
    """The file is not there yet, or no longer."""

    code = "not_ready"
    message = "文件还没有生成好，请稍候再下载。"


class ConsentNeededError(DomainError):
    """Whole ID numbers and mobiles are given only with a second person's consent."""

    code = "consent_needed"
    status = 403
    message = "导出完整的身份证号、手机号，须另一位同事审批。请先提交申请。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportJobRef:
    """The job of a file that is under way, or there."""

    id: int
    state: JobState


def _record_request(context: ActionContext, export_id: int, request_fields: dict[str, Any]) -> None:
    details = {name: str(value) for name, value in request_fields.items() if value not in (None, "")}
    record(context, "reports.request_export", object_type="export", object_id=export_id, details=details)


def request_export(
    context: ActionContext,
    report_request: ReportRequest,
    *,
    access: AccessScope,
    approval_id: int | None = None,
    schedule_key: str | None = None,
) -> ReportJobRef:
    """Ask for a file of figures of a unit within the access scope; the same request on the same data gives the file that is there or under way.

    Raises NotFoundError, BadRequestError for an unknown content or format, ConsentNeededError for whole numbers without an approval.
    """
    session, actor, now = context.session, context.actor, context.now
    if report_request.format not in report_file_actions.formats_of(report_request.content):
        raise BadRequestError
    if report_request.holds_whole_numbers and approval_id is None:
        raise ConsentNeededError
    report_context = get_report_context(
        session, report_request.exam_id, scope=report_request.scope, now=now, access=access
    )
    ensure_unit_in_report_scope(session, report_context, report_request.unit_id, access=access)
    template = current_template(session, report_request.content, report_request.format)
    version = data_fingerprint(session, report_context)
    report_request = report_request.settled(report_context.scope)
    values = {
        **report_request.to_row(),
        "template_id": template.id if template else None,
        "approval_id": approval_id,
        "schedule_key": schedule_key,
    }
    asked = {**values, "created_by_id": actor.person_id}
    issuer = find_issuer(session, access, report_request.unit_id)
    key = hashlib.sha256(repr([version, issuer, *sorted((k, str(v)) for k, v in asked.items())]).encode()).hexdigest()
    values |= {"data_version": version, "watermark": _watermark(context)}
    export_id = _insert(session, values, key=key, created_by_id=actor.person_id, now=now)
    if export_id is None:
        return _live(session, key)
    request_fields = {
        name: value for name, value in asked.items() if name != "filters"
    } | report_request.filters.as_json()
    _record_request(context, export_id, request_fields)
    publish_after_commit(session, export_id, Export.KIND)
    return ReportJobRef(id=export_id, state=JobState.QUEUED)


_JOBS, _EXPORTS = cast("Table", Job.__table__), cast("Table", Export.__table__)
_INSERT_JOB = insert(_JOBS).on_conflict_do_nothing().returning(_JOBS.c.id)
_INSERT_EXPORT = insert(_EXPORTS).on_conflict_do_nothing().returning(_EXPORTS.c.id)
"""Statements compiled once, past the mapper: all unit admins may ask in the same minute."""


def _insert(
    session: Session, values: dict[str, Any], *, key: str, created_by_id: int | None, now: datetime
) -> int | None:
    """Insert an export with its job; None where a live one with the same key, or one of the same schedule key, exists."""
    connection = session.connection()
    job = {"kind": Export.KIND, "key": key, "state": JobState.QUEUED, "created_by_id": created_by_id}
    job_id: int | None = connection.execute(
        _INSERT_JOB, {**job, "created_at": now, "run_after": now}
    ).scalar_one_or_none()
    if job_id is None or connection.execute(_INSERT_EXPORT, {**values, "id": job_id}).scalar_one_or_none() is not None:
        return job_id
    connection.execute(delete(_JOBS).where(_JOBS.c.id == job_id))
    return None


def _live(session: Session, key: str) -> ReportJobRef:
    found = select(Job.id, Job.state).where(Job.key == key, Job.state.in_((*ACTIVE, JobState.DONE)))
    export = session.execute(found).one_or_none()
    if export is None:
        raise ConflictError
    return ReportJobRef(id=export.id, state=JobState(export.state))


def _watermark(context: ActionContext) -> str:
    requester_id = context.actor.person_id
    name = find_name(context.session, requester_id) if requester_id is not None else ""
    return f"{name} {local(context.now):%Y-%m-%d %H:%M} 导出".strip()


class ExportFailedError(DomainError):
    """A file cannot be made; the message says why."""

    code = "export_failed"


def build_export(
    session: Session, run: JobRun, *, now: datetime, issuer: str = "", cipher: FieldCipher | None = None
) -> None:
    """Build the file of an export and complete its job; the rights of who asked are looked up again. Raises ExportFailedError."""
    export = session.scalars(select(Export).where(Export.id == run.id)).one()
    try:
        order = _order_of(session, export, now=now, issuer=issuer, cipher=cipher)
        with tempfile.TemporaryDirectory(prefix="export-") as folder:
            path = Path(folder) / "file"
            total = report_file_actions.write(session, path, order, note_progress=run.progress)
            content = path.read_bytes()
    except NotFoundError:
        raise ExportFailedError(_OUT_OF_SCOPE) from None
    except TooLongForPaperError as error:
        raise ExportFailedError(error.text) from None
    export.file, export.sha256 = content, hashlib.sha256(content).hexdigest()
    export.as_of, export.expires_at = order.report_context.as_of, now + KEPT
    export.file_name = report_file_queries.file_name(order)
    run.complete(session, total=total)


def _order_of(
    session: Session, export: Export, *, now: datetime, issuer: str, cipher: FieldCipher | None
) -> report_file_queries.ReportSpec:
    """Give what the file stands on: as of the asking while the data are the same, so that every run writes the same bytes."""
    grants = list_grants(session, export.created_by_id or 0, now=now)
    access = access_of("reports:score:export", grants)
    may_whole = access_of("reports:number:export", grants) is not None
    if access is None or (export.numbers == PiiDisclosure.WHOLE and not may_whole):
        raise NotFoundError
    request = ReportRequest.from_row({name: getattr(export, name) for name in REQUEST_FIELDS})
    report_context = get_report_context(session, request.exam_id, scope=request.scope, now=export.created_at)
    if data_fingerprint(session, report_context) != export.data_version:
        report_context = get_report_context(session, request.exam_id, scope=request.scope, now=now)
    template = session.get_one(ReportTemplate, export.template_id) if export.template_id is not None else None
    own_issuer = find_issuer(session, access, request.unit_id)
    return report_file_queries.ReportSpec(
        request=request,
        report_context=report_context,
        nodes=get_tree_of(session, report_context, request.unit_id, tree=request.tree, access=access).nodes,
        watermark=export.watermark,
        issuer=own_issuer or issuer,
        is_of_unit=own_issuer is not None,
        template=template.file if template else None,
        cipher=cipher,
    )


def reissue_corrected(session: Session, *, now: datetime) -> int:
    """Ask again, as their requesters who still have the right, for the files that a correction has made untrue, and tell them; gives how many.

    A file is replaced once, and its replacement by the next correction; some at a time, the next sweep goes on. Whole numbers need another approval.
    """
    asked: dict[int, str] = {}
    for export in list_superseded(session):
        person_id = export.created_by_id or 0
        access = access_of("reports:score:export", list_grants(session, person_id, now=now))
        if access is None or len(asked) >= _MAX_REISSUED:
            continue
        report_request = ReportRequest.from_row({name: getattr(export, name) for name in REQUEST_FIELDS})
        context = ActionContext(session, Actor(person_id=person_id), now)
        try:
            request_export(context, report_request, access=access, schedule_key=f"{REISSUED}{export.id}")
        except (BadRequestError, ConflictError, NotFoundError):
            continue
        asked[person_id] = f"reissued:{export.id}"
    send_out_many(session, list(asked.items()), kind="reports.reissued", text=_REISSUED_TEXT, now=now)
    return len(asked)


_MAX_REISSUED = 50
_REISSUED_TEXT = (
    "您导出过的成绩文件因成绩更正已被更正，系统正在按更正后的成绩重新生成，请在“我的导出”中下载新的文件，旧的不要再用。"
)


def rest_s(worked_s: float) -> float:
    """Give how long to leave the machine to candidates who save, after so long a work, in seconds."""
    return min(_REST_SHARE * worked_s, _MAX_REST_S)


def expire_exports(session: Session, *, now: datetime) -> None:
    """Delete the files whose time is over; the same request then makes a new one."""
    expired = list(session.scalars(select(Export.id).where(Export.expires_at <= now, Export.file.is_not(None))))
    if expired:
        session.execute(update(_EXPORTS).where(_EXPORTS.c.id.in_(expired)).values(file=None))
        session.execute(
            update(_JOBS).where(_JOBS.c.id.in_(expired)).values(key=None, message="文件已过期，请重新导出。")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file as it is handed out."""

    content: bytes
    file_name: str
    content_type: str


def download_export(context: ActionContext, export_id: int, *, access: AccessScope) -> Download:
    """Hand out one's own file while its unit is still within the access scope, with an audit line; raises NotFoundError, NotReadyError."""
    export = get_own_export(context.session, export_id, person_id=context.actor.person_id, access=access)
    if export.is_active:
        raise NotReadyError
    if export.file is None or (export.expires_at is not None and export.expires_at <= context.now):
        raise NotReadyError("文件已过期或没有生成成功，请重新导出。")
    record(context, "reports.download_export", object_type="export", object_id=export.id)
    content_type = report_file_actions.RENDERERS[export.format].content_type
    return Download(content=export.file, file_name=export.file_name, content_type=content_type)


ACT = "reports.export_numbers"
MIN_REASON = 5
_OF_EVERY_APPROVAL = {"content": "scores", "numbers": PiiDisclosure.WHOLE, "reason": ""}
"""What an approval does not keep of a request, for it is the same in all; the reason is its own."""


class ReasonNeededError(DomainError):
    """Whole ID numbers and mobiles are given only for a reason."""

    code = "reason_needed"
    status = 400
    message = "导出完整的身份证号、手机号，请写明用途（至少 5 个字），会记入审计日志。"


def request_numbers(context: ActionContext, report_request: ReportRequest, *, access: AccessScope) -> int:
    """Ask for a file with whole numbers of a unit within the access scope; gives the request's id. A second person allows it.

    Raises NotFoundError, BadRequestError, ReasonNeededError, AlreadyRequestedError.
    """
    session = context.session
    if report_request.format not in report_file_actions.formats_of(report_request.content):
        raise BadRequestError
    if len(report_request.reason.strip()) < MIN_REASON:
        raise ReasonNeededError
    report_context = get_report_context(
        session, report_request.exam_id, scope=report_request.scope, now=context.now, access=access
    )
    unit = get_tree_of(session, report_context, report_request.unit_id, tree=report_request.tree, access=access).top
    values = report_request.settled(report_context.scope).to_row()
    details = {name: value for name, value in values.items() if name not in _OF_EVERY_APPROVAL}
    details["exam_title"] = session.get_one(Exam, report_request.exam_id).title
    key = ":".join(str(part) for part in (context.actor.person_id, *details.values()))
    return dual_control_actions.ask(
        context, ACT, request_key=key, unit_id=unit.unit_id, details=details, reason=report_request.reason
    )


def export_numbers(session: Session, approval: Approval, *, now: datetime) -> ReportJobRef:
    """Put the file down that a second person has allowed, as its requester's; raises ConflictError where the requester has lost the right."""
    details = approval.details
    grants = list_grants(session, approval.requested_by_id, now=now)
    access = access_of("reports:score:export", grants)
    if access is None or access_of("reports:number:export", grants) is None:
        raise ConflictError("申请人现在已没有导出完整号码的权限，不能同意。请退回。")
    report_request = ReportRequest.from_row(details | {**_OF_EVERY_APPROVAL, "reason": approval.reason})
    requester = Actor(person_id=approval.requested_by_id, address=None)
    return request_export(
        ActionContext(session, requester, now), report_request, access=access, approval_id=approval.id
    )

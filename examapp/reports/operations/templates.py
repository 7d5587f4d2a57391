"""The office's own forms of reports: brought in and checked, looked at, put into use, taken back; every version stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import BadRequestError
from examapp.reports.models import ReportTemplate
from examapp.reports.operations import circular, sheet_form
from examapp.reports.operations.forms_of_paper import refuse_unfit
from examapp.reports.queries.templates import get_template
from examapp.reports.rules import TEMPLATE_FORMATS

_LOCK = 0x7265_7074


def add_template(
    session: Session, *, content: str, file: bytes, file_name: str, note: str, actor: Actor, now: datetime
) -> ReportTemplate:
    """Take in a new version of a form, not yet in use; raises UnfitTemplateError naming what is wrong."""
    if content not in TEMPLATE_FORMATS:
        raise BadRequestError
    refuse_unfit(content, file)
    _fill_with_example(content, file)
    return _enter(session, content, file, file_name=file_name, note=note, actor=actor, now=now)


def use_template(session: Session, template_id: int, *, actor: Actor, now: datetime) -> ReportTemplate:
    """Put a version into use from now on, instead of the one before; a second press changes nothing."""
    template = get_template(session, template_id)
    _lock(session)
    session.refresh(template)
    if not template.is_current:
        _set_current(session, template)
        _record(session, "reports.use_template", template, actor=actor, now=now)
    return template


def use_shipped(session: Session, content: str, *, actor: Actor, now: datetime) -> ReportTemplate:
    """Go back to the shipped form, as a version of its own."""
    if content not in TEMPLATE_FORMATS:
        raise BadRequestError
    _lock(session)
    query = select(ReportTemplate).where(ReportTemplate.content == content, ReportTemplate.is_current)
    current = session.scalars(query).one_or_none()
    if current is not None and current.file is None:
        return current
    template = _enter(session, content, None, file_name="", note="改回随产品提供的样式", actor=actor, now=now)
    _set_current(session, template)
    return template


def form_file(template: ReportTemplate | None, content: str) -> bytes:
    """Give a form as a file for changing; the shipped one for None."""
    if template is not None and template.file is not None:
        return template.file
    return circular.shipped_template() if content == "circular" else sheet_form.shipped_form()


def preview(template: ReportTemplate | None, content: str) -> bytes:
    """Fill a form with made-up figures, to be looked at before it is put into use."""
    return _fill_with_example(content, form_file(template, content))


def _fill_with_example(content: str, form: bytes) -> bytes:
    if content == "circular":
        return circular.fill(form, _EXAMPLE)
    people = [[n, f"示例{n}", "示例单位", "科员", None, "", "未开始"] for n in range(1, 4)]
    return sheet_form.fill_form(form, _EXAMPLE, people)


def _example() -> dict[str, Any]:
    counts = ("120", "2", "1", "117", "110", "7", "104", "30", "50", "94.02%", "94.55%", "88.89%", "45.45%", "86.50")
    unit = dict(zip(circular.UNIT_PLACES, ("001", "示例单位", *counts), strict=True))
    words = dict.fromkeys(circular.PLACES, "示例") | unit
    dates = {"开始日期": "2026年11月1日", "结束日期": "2026年11月30日", "落款日期": "2026年12月4日"}
    return words | dates | {"考试名称": "示例考试", "年份": "2026", circular.LIST_PLACE: [unit, unit | {"编码": "002"}]}


_EXAMPLE = _example()


def _enter(
    session: Session, content: str, file: bytes | None, *, file_name: str, note: str, actor: Actor, now: datetime
) -> ReportTemplate:
    _lock(session)
    last = session.scalar(select(func.max(ReportTemplate.number)).where(ReportTemplate.content == content)) or 0
    template = ReportTemplate(
        content=content,
        number=last + 1,
        file=file,
        file_name=file_name[:200],
        note=note[:200],
        created_by_id=actor.person_id,
        created_at=now,
        is_current=False,
    )
    session.add(template)
    session.flush()
    _record(session, "reports.add_template", template, actor=actor, now=now)
    return template


def _set_current(session: Session, template: ReportTemplate) -> None:
    others = (ReportTemplate.content == template.content, ReportTemplate.is_current)
    session.execute(update(ReportTemplate).where(*others).values(is_current=False))
    template.is_current = True
    session.flush()


def _lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _record(session: Session, act: str, template: ReportTemplate, *, actor: Actor, now: datetime) -> None:
    details = {"content": template.content, "number": template.number}
    record(session, act, actor=actor, now=now, object_type="report_template", object_id=template.id, details=details)

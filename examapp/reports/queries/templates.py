"""Reads about the office's own forms of reports."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.core.errors import NotFoundError
from examapp.reports.models import ReportTemplate
from examapp.reports.rules import TEMPLATE_FORMATS


def current_template(session: Session, content: str, format_: str) -> ReportTemplate | None:
    """Give the office's own form of a report; None where the shipped one holds, or the format has no form."""
    if format_ not in TEMPLATE_FORMATS.get(content, ()):
        return None
    query = select(ReportTemplate).where(ReportTemplate.content == content, ReportTemplate.is_current)
    template = session.scalars(query).one_or_none()
    return template if template is not None and template.file is not None else None


def list_templates(session: Session) -> list[ReportTemplate]:
    """List all versions of all forms, the newest first."""
    return list(session.scalars(select(ReportTemplate).order_by(ReportTemplate.content, ReportTemplate.number.desc())))


def get_template(session: Session, template_id: int) -> ReportTemplate:
    """Get one version of a form; raises NotFoundError."""
    template = session.get(ReportTemplate, template_id)
    if template is None:
        raise NotFoundError
    return template

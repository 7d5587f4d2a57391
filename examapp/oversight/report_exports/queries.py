"""Reads about exports: only one's own, and only while the unit is within the access scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Text, any_, cast, func, select
from sqlalchemy.orm import Session, aliased, defer

from examapp.delivery.exams.models import Exam
from examapp.delivery.grading.models import Correction
from examapp.errors import NotFoundError
from examapp.jobs.models import ACTIVE, Job
from examapp.organisation.access.queries import within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import Unit
from examapp.oversight.report_exports.models import Export
from examapp.oversight.statistics_definitions.rules import PiiDisclosure
from examapp.oversight.statistics_scope.rules import ReportFilter

REISSUED = "correction:"
"""How the schedule key of a file begins that was made again after a correction; the number of the file that it replaces follows."""


def _own(person_id: int | None, access: AccessScope) -> Select[Export]:
    return select(Export).join(Unit, Unit.id == Export.unit_id).where(Export.created_by_id == person_id, within(access))


def get_own_export(session: Session, export_id: int, *, person_id: int | None, access: AccessScope) -> Export:
    """Get an export of this person, with its file; raises NotFoundError."""
    export = session.scalars(_own(person_id, access).where(Export.id == export_id)).one_or_none()
    if export is None:
        raise NotFoundError
    return export


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """An export in the list of one's own, without its file."""

    id: int
    exam_id: int
    exam_title: str
    unit_id: int
    unit_name: str
    content: str
    format: str
    scope: str
    client_state: str
    done: int
    total: int
    message: str
    created_at: datetime
    expires_at: datetime | None
    filters: dict[str, str]
    is_superseded: bool
    """Whether results of its exam were corrected after it was made."""
    is_reissued: bool
    """Whether it was made by itself in place of such a one."""

    @property
    def filter_label(self) -> str:
        """Whom it is filtered to, in words; empty for everybody."""
        return ReportFilter.of_json(self.filters).text


def list_own_exports(
    session: Session, *, person_id: int, access: AccessScope, export_id: int | None = None, limit: int = 100
) -> list[ExportRow]:
    """List this person's exports, the newest first, or the one that is asked for."""
    own = _own(person_id, access)
    rows = session.execute(
        (own if export_id is None else own.where(Export.id == export_id))
        .join(Exam, Exam.id == Export.exam_id)
        .with_only_columns(
            Export.id,
            Export.exam_id,
            Exam.title.label("exam_title"),
            Export.unit_id,
            Unit.name.label("unit_name"),
            Export.content,
            Export.format,
            Export.scope,
            Export.client_state.label("client_state"),
            Export.done,
            Export.total,
            Export.message,
            Export.created_at,
            Export.expires_at,
            Export.filters,
            _was_corrected_since().label("is_superseded"),
            func.coalesce(Export.schedule_key, "").startswith(REISSUED).label("is_reissued"),
        )
        .order_by(Export.created_at.desc(), Export.id.desc())
        .limit(limit)
    )
    return [ExportRow(**row._mapping) for row in rows]  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping


def list_superseded(session: Session) -> Sequence[Export]:
    """List the files at hand that a correction has made untrue and that were not asked for again for it, those with whole numbers apart: these need a person's consent."""
    again, key = aliased(Export), func.concat(REISSUED, cast(Export.id, Text))
    is_there = (Export.file.is_not(None), Export.numbers != PiiDisclosure.WHOLE, Export.created_by_id.is_not(None))
    statement = select(Export).where(*is_there, _was_corrected_since())
    statement = statement.where(~select(again.id).where(again.schedule_key == key).exists())
    return session.scalars(statement.order_by(Export.id).options(defer(Export.file))).all()


def _was_corrected_since() -> ColumnElement[bool]:
    is_later = Correction.decided_at > Export.as_of
    of_exam = Export.exam_id == any_(Correction.exam_ids)
    return select(Correction.id).where(Correction.state == "applied", is_later, of_exam).correlate(Export).exists()


def count_ahead(session: Session, export: Export) -> int:
    """Count what will be built before an export that waits."""
    ahead = select(func.count()).where(Job.kind == Export.KIND, Job.id < export.id, Job.state.in_(ACTIVE))
    return session.scalars(ahead).one()


def get_export_row(session: Session, export_id: int, *, person_id: int, access: AccessScope) -> Export:
    """Get an export of this person for its progress, leaving the file where it is; raises NotFoundError."""
    export = session.scalars(
        _own(person_id, access).where(Export.id == export_id).options(defer(Export.file))
    ).one_or_none()
    if export is None:
        raise NotFoundError
    return export

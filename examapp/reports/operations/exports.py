"""Exports: asked for with an audit line, built by a worker, expired by the sweep, downloaded with another audit line."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.errors import BadRequestError, DomainError, NotFoundError
from examapp.core.jobs import MOST_TRIES, JobState
from examapp.core.nudge import nudge_after_commit
from examapp.core.permissions import Permission
from examapp.org.models import Tree
from examapp.people.queries import list_grants
from examapp.people.rules import Reach, reach_of
from examapp.reports.models import Export
from examapp.reports.operations import files
from examapp.reports.queries.basis import get_basis, get_unit_tree
from examapp.reports.queries.exports import get_own_export
from examapp.reports.rules import CONTENT_NAMES, Scope

log = structlog.get_logger()
KEPT = timedelta(days=7)
"""How long a file may be downloaded."""
LEASE = timedelta(seconds=60)
"""How long a begun run is left alone before the sweep looks whether it still lives."""
_LOCK_CLASS = 0x7265_7073
_FAILED = "导出没有成功，请重新导出。如仍不成功，请通过页面下方的「意见建议」告诉我们。"
_OUT_OF_REACH = "您已没有这个单位的导出权限，文件没有生成。"


class NotReadyError(DomainError):
    """The file is not there yet, or no longer."""

    code = "not_ready"
    message = "文件还没有生成好，请稍候再下载。"


def request_export(
    session: Session,
    *,
    exam_id: int,
    unit_id: int,
    content: str,
    format: str,  # noqa: A002 – the protocol's word
    tree: Tree,
    scope: Scope | None,
    reach: Reach,
    actor: Actor,
    now: datetime,
) -> Export:
    """Ask for a file of figures of a unit within reach; raises NotFoundError, or BadRequestError for an unknown content or format."""
    if content not in CONTENT_NAMES or format not in ("xlsx", "csv") or (content, format) == ("score_sheet", "csv"):
        raise BadRequestError
    basis = get_basis(session, exam_id, scope=scope, now=now)
    unit = get_unit_tree(session, unit_id, tree=tree, reach=reach).top
    export = Export(
        exam_id=exam_id,
        unit_id=unit.unit_id,
        tree=tree,
        content=content,
        format=format,
        scope=basis.scope,
        created_by_id=actor.person_id,
        created_at=now,
    )
    session.add(export)
    session.flush()
    details = {"exam_id": exam_id, "unit_id": unit_id, "content": content, "format": format, "scope": basis.scope}
    record(
        session,
        "reports.request_export",
        actor=actor,
        now=now,
        object_type="export",
        object_id=export.id,
        details=details,
    )
    nudge_after_commit(session, "reports.build_export", export.id)
    return export


def begin_export(session: Session, export_id: int, *, now: datetime) -> bool:
    """Count a try of an export that still waits, or whose run has died; False where there is nothing to do.

    Commit before `build_export`, so that a crash counts too.
    """
    export = session.scalars(select(Export).where(Export.id == export_id).with_for_update()).one_or_none()
    if export is None or export.state not in (JobState.WAITING, JobState.RUNNING):
        return False
    if export.state == JobState.RUNNING and not _lock(session, export_id):
        return False
    if export.tries >= MOST_TRIES:
        log.error("export_set_aside", export_id=export.id, tries=export.tries)
        export.fail(now=now, message=_FAILED)
        return False
    export.begin(now=now)
    return True


def build_export(session: Session, export_id: int, *, now: datetime, note_progress: Callable[[int, int], None]) -> None:
    """Build the file of a begun export, whole or not at all; a second run beside or after it changes nothing.

    The reach of who asked is looked up again. `note_progress` is told done and total, and commits them apart from this transaction.
    """
    if not _lock(session, export_id):
        return
    export = session.scalars(select(Export).where(Export.id == export_id)).one()
    if export.state != JobState.RUNNING:
        return
    reach = reach_of(Permission.REPORTS_EXPORT, list_grants(session, export.created_by_id, now=now))
    try:
        order = _order_of(session, export, reach, now=now)
    except NotFoundError:
        export.fail(now=now, message=_OUT_OF_REACH)
        return
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / "file"
        total = files.write(session, path, order, note_progress=note_progress)
        content = path.read_bytes()
    session.refresh(export)
    export.file, export.file_name = content, files.file_name(order)
    export.as_of, export.expires_at, export.total = now, now + KEPT, total
    export.succeed(now=now)


def _order_of(session: Session, export: Export, reach: Reach | None, *, now: datetime) -> files.Order:
    if reach is None:
        raise NotFoundError
    basis = get_basis(session, export.exam_id, scope=Scope(export.scope), now=now)
    nodes = get_unit_tree(session, export.unit_id, tree=Tree(export.tree), reach=reach).nodes
    return files.Order(basis=basis, nodes=nodes, tree=Tree(export.tree), content=export.content, format=export.format)


def _lock(session: Session, export_id: int) -> bool:
    """Hold the export for this transaction; False where another run holds it."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(_LOCK_CLASS, export_id))))


def note_progress(session: Session, export_id: int, *, done: int, total: int) -> None:
    """Write how far a run has come."""
    session.execute(
        update(Export).where(Export.id == export_id, Export.state == JobState.RUNNING).values(done=done, total=total)
    )


def sweep_exports(session: Session, *, now: datetime) -> list[int]:
    """Expire old files, and list the exports whose nudge or run was lost."""
    session.execute(
        update(Export)
        .where(Export.state == JobState.READY, Export.expires_at <= now)
        .values(state=JobState.EXPIRED, file=None, message="文件已过期，请重新导出。")
    )
    lost = select(Export.id).where(
        ((Export.state == JobState.WAITING) & (Export.created_at <= now - timedelta(seconds=15)))
        | ((Export.state == JobState.RUNNING) & (Export.started_at <= now - LEASE))
    )
    return list(session.scalars(lost.order_by(Export.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file as it is handed out."""

    content: bytes
    file_name: str


def download_export(session: Session, export_id: int, *, reach: Reach, actor: Actor, now: datetime) -> Download:
    """Hand out one's own file while its unit is still within reach, with an audit line; raises NotFoundError, NotReadyError."""
    export = get_own_export(session, export_id, person_id=actor.person_id, reach=reach)
    if export.state in (JobState.WAITING, JobState.RUNNING):
        raise NotReadyError
    if export.file is None or (export.expires_at is not None and export.expires_at <= now):
        raise NotReadyError("文件已过期或没有生成成功，请重新导出。")
    record(session, "reports.download_export", actor=actor, now=now, object_type="export", object_id=export.id)
    return Download(content=export.file, file_name=export.file_name)

"""Ask for a base backup. The page writes a row and no more: it takes the right to replicate to make one, which web processes and workers have not."""

from __future__ import annotations

from sqlalchemy import func, select

from examapp.errors import DomainError
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.backups.models import BackupRequest
from examapp.platform.backups.queries import view_backups
from examapp.platform.backups.rules import MIN_PAUSE, RequestState

AUDIT_ACTS = {"backups.request": "提交立即备份"}
AUDIT_OBJECTS = {"backup_request": "备份请求"}
_REQUEST_LOCK = 430_529
"""The advisory lock under which a request is made, so that two at the same moment are one."""


class BackupRejectedError(DomainError):
    """A backup cannot be asked for now."""

    code = "backup_rejected"


def request_backup(context: ActionContext) -> BackupRequest:
    """Write a request; give the open one where there is one. Raises BackupRejectedError without a backup process, or right after a backup."""
    session = context.session
    session.execute(select(func.pg_advisory_xact_lock(_REQUEST_LOCK)))
    view = view_backups(session, now=context.now)
    newest = view.request
    if newest is not None and newest.finished_at is None:
        return newest
    if not view.is_served:
        raise BackupRejectedError("备份进程没有运行，没有提交。请按本页的说明在服务器上执行备份命令。")
    if newest is not None and newest.state == RequestState.DONE and newest.finished_at is not None:
        minutes = int(MIN_PAUSE.total_seconds()) // 60
        if context.now - newest.finished_at < MIN_PAUSE:
            raise BackupRejectedError(f"刚刚完成过一次备份。两次备份至少间隔 {minutes} 分钟，请稍后再提交。")
    row = BackupRequest(requested_by_id=context.actor.person_id, requested_at=context.now)
    session.add(row)
    session.flush()
    record(context, "backups.request", object_type="backup_request", object_id=row.id)
    return row

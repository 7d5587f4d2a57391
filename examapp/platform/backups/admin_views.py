"""The page of backups: when the last one was made, how the one asked for stands, and the button."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session
from examapp.ops.backup import KEEP_DAYS
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, requires
from examapp.platform.backups.actions import request_backup
from examapp.platform.backups.queries import view_backups
from examapp.platform.backups.rules import BackupStatus, size_label
from examapp.platform.security_checklist.queries import backup_at
from examapp.web.submit import submit

PERMISSIONS = {"backups:backup:request": {Role.SYSTEM_ADMIN}}
admin_blueprint = Blueprint("backups_admin", __name__, url_prefix="/admin/backups")
_OPEN_LABELS = {
    BackupStatus.WAITING: "已提交，等待备份进程接手（几秒钟）",
    BackupStatus.UNTAKEN: "已提交，但一直没有备份进程接手",
    BackupStatus.RUNNING: "正在备份",
    BackupStatus.SILENT: "备份进程没有应答",
}


@admin_blueprint.get("/")
@menu_entry("数据备份", position=245, group="系统")
@requires("backups:backup:request")
def show_backups() -> str:
    """Show the last backup, the newest request and, where a process takes requests, the button."""
    now, settings = clock.now(), current_app.config["SETTINGS"]
    view = view_backups(read_session(), now=now)
    return render_template(
        "admin/backups.html",
        view=view,
        label=_OPEN_LABELS.get(view.status, ""),
        size=size_label(view.request.size_bytes) if view.request else "",
        last_at=backup_at(settings),
        keep_days=KEEP_DAYS,
    )


@admin_blueprint.get("/state")
@requires("backups:backup:request")
def show_state() -> Response:
    """Give the newest request's state as the page's script follows it."""
    view = view_backups(read_session(), now=clock.now())
    state = "waiting" if view.is_open else "ready"
    return jsonify({"state": state, "done": 0, "total": 0, "message": _OPEN_LABELS.get(view.status, "")})


@admin_blueprint.post("/")
@requires("backups:backup:request")
def start_backup() -> AnyResponse:
    """Ask for a backup now; a second request while one is open changes nothing."""
    with submit(back=url_for(".show_backups")) as context:
        request_backup(context)
    return redirect(url_for(".show_backups"), 303)

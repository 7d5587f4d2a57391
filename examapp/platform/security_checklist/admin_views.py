"""Back-office pages of the frame: the office's inbox and notices, the exam-day board, requests for two persons, the audit log, the settings."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version

from flask import Blueprint, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.jobs import actions as job_actions
from examapp.jobs.models import Job
from examapp.jobs.registry import list_kinds
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, requires
from examapp.platform.audit.actions import record
from examapp.platform.security_checklist.queries import find_findings
from examapp.platform.security_checklist.rules import Level, judge
from examapp.platform.setup import queries as setup_queries
from examapp.platform.setup.queries import list_open_jobs
from examapp.platform.setup.rules import group_settings, is_alive, list_production_issues
from examapp.web.submit import submit

PERMISSIONS = {
    "admin:setting:write": {Role.SYSTEM_ADMIN},
    # The security checklist of the running deployment.
    "admin:security:read": {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN},
}

AUDIT_ACTS = {"jobs.cancel": "取消后台任务", "jobs.retry": "重新运行后台任务"}
AUDIT_OBJECTS = {"job": "后台任务"}


admin_blueprint = Blueprint("admin_admin", __name__, url_prefix="/admin/settings")
_PACKAGES = ("Flask", "SQLAlchemy", "celery", "psycopg", "granian")
_MAX_JOBS = 200


@admin_blueprint.get("/")
@menu_entry("设置", position=250, group="系统")
@requires("admin:setting:write")
def show_settings() -> str:
    """Show settings without secrets, versions, the database's own settings, and whether everything is alive."""
    session, now = read_session(), clock.now()
    database = setup_queries.database_settings(session)
    beat = setup_queries.heartbeats(session).get(setup_queries.SWEEPER)
    settings = current_app.config["SETTINGS"]
    issues = list_production_issues(settings, database, has_demo_accounts=setup_queries.has_demo_accounts(session))
    return render_template(
        "admin/settings.html",
        settings=group_settings(settings),
        database=database,
        versions=[("Python", platform.python_version()), *((name, version(name)) for name in _PACKAGES)],
        schema=setup_queries.schema_version(session),
        beat=beat,
        is_sweeper_alive=is_alive(beat, now=now),
        jobs=setup_queries.count_jobs(session),
        issues=issues,
        mode=settings.app_mode,
    )


@admin_blueprint.get("/jobs")
@requires("admin:setting:write")
def list_jobs() -> str:
    """List the background jobs that run, wait, failed or are quarantined, the newest first."""
    rows = list_open_jobs(read_session(), limit=_MAX_JOBS)
    kinds = {kind.name: kind for kind in list_kinds()}
    return render_template("admin/jobs.html", rows=rows, kinds=kinds, limit=_MAX_JOBS)


@admin_blueprint.post("/jobs/<int:job_id>/cancel")
@requires("admin:setting:write")
def cancel_job(job_id: int) -> Response:
    """Cancel a job that waits or runs."""
    return _change_job(job_id, job_actions.cancel, "jobs.cancel", "已取消。")


@admin_blueprint.post("/jobs/<int:job_id>/retry")
@requires("admin:setting:write")
def retry_job(job_id: int) -> Response:
    """Queue a quarantined or cancelled job again."""
    return _change_job(job_id, job_actions.retry, "jobs.retry", "已重新排队。")


def _change_job(job_id: int, act: Callable[..., Job], name: str, text: str) -> Response:
    with submit(text) as context:
        job = act(context.session, job_id, now=clock.now())
        details = {"kind": job.kind}
        record(context, name, object_type="job", object_id=job_id, details=details)
    return redirect(url_for(".list_jobs"), 303)


checklist_blueprint = Blueprint("checklist_admin", __name__, url_prefix="/admin/checklist")
_LEVEL_LABELS = {Level.BAD: "必须整改", Level.LOOK: "建议整改", Level.GOOD: "正常"}


@checklist_blueprint.get("/")
@menu_entry("安全检查单", position=240, group="系统")
@requires("admin:security:read")
def show_checklist() -> str:
    """Look at everything now, and show it with the red points first."""
    settings, now = current_app.config["SETTINGS"], clock.now()
    found = find_findings(read_session(), settings, cipher=current_app.extensions["cipher"], now=now)
    points = judge(settings, found, now=now)
    counts = {level: sum(point.level is level for point in points) for level in _LEVEL_LABELS}
    return render_template("admin/checklist.html", points=points, counts=counts, text=_LEVEL_LABELS, as_of=now)

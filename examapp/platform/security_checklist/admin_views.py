"""Back-office pages of the frame: the office's inbox and notices, the exam-day board, requests for two persons, the audit log, the settings."""

from __future__ import annotations

import platform
from importlib.metadata import version

from flask import Blueprint, current_app, render_template

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.accounts.guards import requires
from examapp.platform.security_checklist.queries import find_findings
from examapp.platform.security_checklist.rules import Level, judge
from examapp.platform.setup import queries as setup_queries
from examapp.platform.setup.rules import is_alive, production_faults, shown_settings
from examapp.security.permissions import Permission

admin_blueprint = Blueprint("admin_admin", __name__, url_prefix="/admin/settings")
_PACKAGES = ("Flask", "SQLAlchemy", "celery", "psycopg", "granian")
_JOB_WORDS = {"roster_import": "名册导入", "question_import": "试题导入", "export": "报表导出"}


@admin_blueprint.get("/")
@requires(Permission.SETTINGS_WRITE)
def show_settings() -> str:
    """Show settings without secrets, versions, the database's own settings, and whether everything is alive."""
    session, now = read_session(), clock.now()
    database = setup_queries.database_settings(session)
    beat = setup_queries.heartbeats(session).get(setup_queries.SWEEPER)
    settings = current_app.config["SETTINGS"]
    faults = production_faults(settings, database, has_demo_accounts=setup_queries.has_demo_accounts(session))
    return render_template(
        "admin/settings.html",
        settings=shown_settings(settings),
        database=database,
        versions=[("Python", platform.python_version()), *((name, version(name)) for name in _PACKAGES)],
        schema=setup_queries.schema_version(session),
        beat=beat,
        is_sweeper_alive=is_alive(beat, now=now),
        jobs=[(_JOB_WORDS[counts.kind], counts) for counts in setup_queries.count_jobs(session)],
        faults=faults,
        mode=settings.mode,
    )


checklist_blueprint = Blueprint("checklist_admin", __name__, url_prefix="/admin/checklist")
_WORDS = {Level.BAD: "必须整改", Level.LOOK: "建议整改", Level.GOOD: "正常"}


@checklist_blueprint.get("/")
@requires(Permission.SECURITY_READ)
def show_checklist() -> str:
    """Look at everything now, and show it with the red points first."""
    settings, now = current_app.config["SETTINGS"], clock.now()
    found = find_findings(read_session(), settings, sealer=current_app.extensions["sealer"], now=now)
    points = judge(settings, found, now=now)
    counts = {level: sum(point.level is level for point in points) for level in _WORDS}
    return render_template("admin/checklist.html", points=points, counts=counts, words=_WORDS, as_of=now)

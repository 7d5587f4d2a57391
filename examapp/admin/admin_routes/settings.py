"""The settings page: what this installation runs with, to read only; changing them takes the machine's own console."""

from __future__ import annotations

import platform
from importlib.metadata import version

from flask import Blueprint, current_app, render_template

from examapp.admin.queries import state
from examapp.admin.rules.starting import is_alive, production_faults, shown_settings
from examapp.core import clock
from examapp.core.db import reading
from examapp.core.permissions import Permission
from examapp.people.access import requires

admin_blueprint = Blueprint("admin_admin", __name__, url_prefix="/admin/settings")
_PACKAGES = ("Flask", "SQLAlchemy", "celery", "psycopg", "granian")
_JOB_WORDS = {"roster_import": "名册导入", "question_import": "试题导入", "export": "报表导出"}


@admin_blueprint.get("/")
@requires(Permission.SETTINGS_WRITE)
def show_settings() -> str:
    """Show settings without secrets, versions, the database's own settings, and whether everything is alive."""
    session, now = reading(), clock.now()
    database = state.database_settings(session)
    beat = state.heartbeats(session).get(state.SWEEPER)
    settings = current_app.config["SETTINGS"]
    faults = production_faults(settings, database, has_demo_accounts=state.has_demo_accounts(session))
    return render_template(
        "admin/settings.html",
        settings=shown_settings(settings),
        database=database,
        versions=[("Python", platform.python_version()), *((name, version(name)) for name in _PACKAGES)],
        schema=state.schema_version(session),
        beat=beat,
        is_sweeper_alive=is_alive(beat, now=now),
        jobs=[(_JOB_WORDS[counts.kind], counts) for counts in state.count_jobs(session)],
        faults=faults,
        mode=settings.mode,
    )

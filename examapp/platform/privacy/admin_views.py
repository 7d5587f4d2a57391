"""What is about to be let go, and what was: for those who keep the platform."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import requires
from examapp.platform.privacy.actions import look_ahead, purge_expired
from examapp.platform.privacy.queries import list_runs
from examapp.platform.privacy.rules import PURGED_LABELS, Terms
from examapp.web.submit import request_transaction

PERMISSIONS = {
    "privacy:retention:run": {Role.SYSTEM_ADMIN},
}


admin_blueprint = Blueprint("privacy_admin", __name__, url_prefix="/admin/privacy")
_MAX_RUNS = 50


@admin_blueprint.get("/")
@requires("privacy:retention:run")
def show_retention() -> str:
    """Show, without changing anything, what the next run lets go, and the runs so far."""
    session, terms = read_session(), Terms.from_settings(current_app.config["SETTINGS"])
    due = look_ahead(session, terms=terms, now=clock.now(), today=clock.today())
    return render_template(
        "privacy/retention.html", due=due, runs=list_runs(session, limit=_MAX_RUNS), terms=terms, text=PURGED_LABELS
    )


@admin_blueprint.post("/run")
@requires("privacy:retention:run")
def run_retention() -> Response:
    """Let go now what would be let go at night."""
    terms = Terms.from_settings(current_app.config["SETTINGS"])
    with request_transaction() as context:
        done = purge_expired(context, terms=terms, today=clock.today())
    flash("没有到期的信息。" if done.is_nothing else "已清除到期的信息，明细见下。", "success")
    return redirect(url_for("privacy_admin.show_retention"), 303)

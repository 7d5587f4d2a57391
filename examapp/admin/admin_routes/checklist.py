"""The security checklist page: how the running deployment stands, point by point, and what to do."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template

from examapp.admin.queries.checklist import find_findings
from examapp.admin.rules.checklist import Level, judge
from examapp.core import clock
from examapp.core.db import reading
from examapp.core.permissions import Permission
from examapp.people.access import requires

admin_blueprint = Blueprint("checklist_admin", __name__, url_prefix="/admin/checklist")
_WORDS = {Level.BAD: "必须整改", Level.LOOK: "建议整改", Level.GOOD: "正常"}


@admin_blueprint.get("/")
@requires(Permission.SECURITY_READ)
def show_checklist() -> str:
    """Look at everything now, and show it with the red points first."""
    settings, now = current_app.config["SETTINGS"], clock.now()
    found = find_findings(reading(), settings, sealer=current_app.extensions["sealer"], now=now)
    points = judge(settings, found, now=now)
    counts = {level: sum(point.level is level for point in points) for level in _WORDS}
    return render_template("admin/checklist.html", points=points, counts=counts, words=_WORDS, as_of=now)

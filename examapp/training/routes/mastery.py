"""What one knows and what not, for oneself."""

from __future__ import annotations

from flask import render_template

from examapp.core import clock
from examapp.core.db import reading
from examapp.people.access import me, signed_in
from examapp.training.queries.mastery import my_map
from examapp.training.routes.frame import blueprint


@blueprint.get("/practice/map")
@signed_in
def show_map() -> str:
    """Show one's own map by law and by knowledge point."""
    laws, points = my_map(reading(), me().person_id, now=clock.now())
    return render_template("training/map.html", laws=laws, points=points)

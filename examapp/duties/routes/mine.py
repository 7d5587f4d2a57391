"""One's own duties: the items that who is signed in answers for."""

from __future__ import annotations

from functools import partial

from flask import render_template

from examapp.core import clock
from examapp.core.db import reading
from examapp.duties import rules
from examapp.duties.queries.key_days import key_days
from examapp.duties.queries.mine import list_own_items
from examapp.duties.routes.frame import blueprint
from examapp.people.access import me, signed_in


@blueprint.get("/duties/mine")
@signed_in
def my_duties() -> str:
    """List this year's items that name who is signed in, by due date."""
    today = clock.today()
    return render_template(
        "duties/mine.html",
        year=today.year,
        items=list_own_items(reading(), me().person_id, today.year, today=today),
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        key_day_name=partial(rules.key_day_name, names=key_days(reading())),
    )

"""A unit's yearly page, to read and to print."""

from __future__ import annotations

from flask import render_template

from examapp.core import clock
from examapp.core.db import reading
from examapp.duties import queries, rules
from examapp.duties.admin_routes.frame import WRITE, admin_blueprint, chosen_year, my_hands
from examapp.duties.queries.yearly import unit_page
from examapp.people.access import requires
from examapp.people.queries.reach import get_unit_within
from examapp.reports.rules import SCOPE_NAMES


@admin_blueprint.get("/units/<int:unit_id>")
@requires(WRITE)
def show_unit_year(unit_id: int) -> str:
    """Show a unit's year: duties, what was done, participation, score."""
    session, year, now = reading(), chosen_year(), clock.now()
    unit = get_unit_within(session, unit_id, my_hands().write)
    return render_template(
        "duties/unit_year.html",
        page=unit_page(session, unit, year, now=now),
        period=rules.period_of(year, queries.list_periods(session)),
        as_of=now,
        scope_names=SCOPE_NAMES,
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        kind_names=rules.ITEM_KIND_NAMES,
    )

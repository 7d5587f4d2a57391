"""The calendar of a year's items: due, overdue, done."""

from __future__ import annotations

from collections import Counter
from functools import partial

from flask import render_template, request

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.numbers import sent_number
from examapp.duties import queries, rules
from examapp.duties.admin_routes.frame import WRITE, admin_blueprint, chosen_year, my_hands
from examapp.duties.queries.key_days import key_days, months_of
from examapp.duties.rules import Progress
from examapp.people.access import requires


@admin_blueprint.get("/calendar")
@requires(WRITE)
def show_calendar() -> str:
    """Show the year's key dates and the items within reach by month, with how far each has come."""
    session, year, reach = reading(), chosen_year(), my_hands().write
    units = queries.list_units_with_lists(session, year, reach)
    unit_id = request.args.get("unit", type=sent_number)
    chosen = unit_id if unit_id in {unit.id for unit in units} else None
    rows = queries.list_calendar(session, year, reach, today=clock.today(), unit_id=chosen)
    names = key_days(session)
    wanted = request.args.get("progress", "")
    counts = Counter(row.progress for row in rows)
    shown = [row for row in rows if wanted not in set(Progress) or row.progress == wanted]
    return render_template(
        "duties/calendar.html",
        year=year,
        units=units,
        unit_id=chosen,
        wanted=wanted,
        counts=counts,
        months=months_of(shown, names),
        is_empty=not shown,
        is_office=my_hands().is_office,
        is_cut=len(rows) == queries.MOST_CALENDAR_ROWS,
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        key_day_name=partial(rules.key_day_name, names=names),
    )

"""What the public reads: a unit's published responsibility list."""

from __future__ import annotations

from functools import partial

from flask import render_template, request

from examapp.core import clock
from examapp.core.db import reading
from examapp.core.numbers import read_year
from examapp.duties import queries, rules
from examapp.duties.queries.key_days import key_days
from examapp.duties.routes.frame import blueprint
from examapp.people.access import public


@blueprint.get("/duties/<unit_code>")
@public
def show_public_list(unit_code: str) -> str:
    """Show a unit's published list, the newest where the address names no year; nothing else of the house."""
    year = read_year(request.args.get("year"), least=0, most=9999)
    session = reading()
    unit, duty_list, years = queries.get_published(session, unit_code.replace("\0", ""), year)
    return render_template(
        "duties/public.html",
        unit=unit,
        duty_list=duty_list,
        years=years,
        period=rules.period_of(duty_list.year, queries.list_periods(session)),
        rows=queries.item_rows(session, duty_list.id, today=clock.today()),
        kind_names=rules.ITEM_KIND_NAMES,
        key_day_name=partial(rules.key_day_name, names=key_days(session)),
    )

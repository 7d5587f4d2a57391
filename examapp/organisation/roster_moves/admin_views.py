"""The roster of a unit as it was on any day, to read and to take along."""

from __future__ import annotations

import tempfile
from datetime import date
from io import BytesIO
from pathlib import Path

from flask import flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.accounts.guards import my_access, requires
from examapp.organisation.roster_moves.actions import write_roster_file
from examapp.organisation.roster_moves.queries import count_roster, list_roster
from examapp.organisation.units.admin_views import READ, admin_blueprint, units_within
from examapp.organisation.units.models import Unit
from examapp.web.params import chosen_page
from examapp.web.submit import request_transaction

_PAGE = 50
MAX_IN_FILE = 20_000


def _day() -> date:
    """Give the day that the address asks for; today where it is nonsense or still to come."""
    try:
        day = date.fromisoformat(request.args.get("on", ""))
    except ValueError:
        return clock.today()
    return min(day, clock.today()) if day.year > 1900 else clock.today()


@admin_blueprint.get("/roster")
@requires(READ)
def choose_roster() -> AnyResponse | str:
    """Lead to the roster of the unit that is asked for, or of the first one within the access scope."""
    units = units_within(read_session(), my_access(READ))
    asked = request.args.get("unit", "")
    chosen = next((unit for unit in units if str(unit.id) == asked), units[0] if units else None)
    if chosen is None:
        return render_template("people/roster.html", unit=None, units=[], rows=[], total=0, day=_day())
    return redirect(url_for("people_admin.show_roster", unit_id=chosen.id, on=_day().isoformat()), 303)


@admin_blueprint.get("/units/<int:unit_id>/roster")
@requires(READ)
def show_roster(unit_id: int) -> str:
    """Show who stood on a unit's roster on a day."""
    session, day, page = read_session(), _day(), chosen_page()
    unit = _unit(unit_id)
    total = count_roster(session, unit, day)
    return render_template(
        "people/roster.html",
        unit=unit,
        units=units_within(session, my_access(READ)),
        day=day,
        today=clock.today(),
        total=total,
        rows=list_roster(session, unit, day, offset=(page - 1) * _PAGE, limit=_PAGE),
        page=page,
        page_count=-(-total // _PAGE),
    )


@admin_blueprint.get("/units/<int:unit_id>/roster.xlsx")
@requires(READ)
def export_roster(unit_id: int) -> AnyResponse:
    """Hand the roster of a day out as a workbook, without ID numbers and mobiles; the log keeps it."""
    day = _day()
    unit = _unit(unit_id)
    if count_roster(read_session(), unit, day) > MAX_IN_FILE:
        flash(f"超过 {MAX_IN_FILE} 人，一个文件放不下。请选下级单位分别导出。", "danger")
        return redirect(url_for("people_admin.show_roster", unit_id=unit_id, on=day.isoformat()), 303)
    with tempfile.TemporaryDirectory() as folder, request_transaction() as context:
        path = Path(folder) / "roster.xlsx"
        write_roster_file(context, path, unit, day)
        content = path.read_bytes()
    name = f"名册-{unit.name}-{day.isoformat()}.xlsx"
    return send_file(BytesIO(content), download_name=name, as_attachment=True, max_age=0)


def _unit(unit_id: int) -> Unit:
    return get_unit_within(read_session(), unit_id, my_access(READ))

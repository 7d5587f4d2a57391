"""What a unit's people know and lack: sums without names, and after an exam what to study next."""

from __future__ import annotations

from flask import render_template, request

from examapp.core.db import reading
from examapp.core.numbers import sent_number
from examapp.core.permissions import Permission
from examapp.exams.queries.organiser import list_units_within
from examapp.org.models import Unit
from examapp.people.access import may, my_reach, requires
from examapp.people.queries import get_unit_within
from examapp.training.admin_routes.frame import admin_blueprint
from examapp.training.queries.hiding import FEWEST_PEOPLE
from examapp.training.queries.units import advise, exams_with_weaknesses, unit_due, unit_map

_READ = Permission.REPORTS_READ
_MOST_POINTS = 20


@admin_blueprint.get("/mastery")
@requires(_READ)
def show_unit_map() -> str:
    """Show a unit's map by law and point; after an exam, what to study now, and the change since the one before."""
    session, reach = reading(), my_reach(_READ)
    units = list_units_within(session, reach)
    unit = _chosen(units)
    exams = exams_with_weaknesses(session, unit) if unit else []
    wanted = request.args.get("exam", type=sent_number)
    place = next((n for n, exam in enumerate(exams) if exam.id == wanted), 0)
    exam = exams[place] if exams else None
    before = exams[place + 1] if len(exams) > place + 1 else None
    return render_template(
        "training/unit_map.html",
        units=units,
        unit=unit,
        known=unit_map(session, unit) if unit else None,
        due=unit_due(session, unit) if unit else None,
        exams=exams,
        exam=exam,
        before=before,
        advice=advise(session, unit, exam, before=before) if unit and exam else None,
        most_points=_MOST_POINTS,
        fewest=FEWEST_PEOPLE,
        may_make=may(Permission.TRAINING_WRITE),
    )


def _chosen(units: list[Unit]) -> Unit | None:
    wanted = request.args.get("unit", type=sent_number)
    if wanted is not None:
        return get_unit_within(reading(), wanted, my_reach(_READ))
    return units[0] if units else None

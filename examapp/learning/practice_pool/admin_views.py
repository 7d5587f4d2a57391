"""What practice may draw, law by law: what a coming exam holds back, and the office's own word."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.exams.queries import list_units_within
from examapp.errors import BadRequestError, NotFoundError
from examapp.learning.course_contents.admin_views import admin_blueprint
from examapp.learning.mastery.queries import MIN_PEOPLE, advise, exams_with_weaknesses, unit_due, unit_map
from examapp.learning.practice_pool.actions import exams_on_hold, hold_back, mark_law, pool_by_law
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.accounts.guards import may, my_access, requires
from examapp.organisation.units.models import Unit
from examapp.web.params import chosen_number
from examapp.web.submit import request_transaction

_WRITE = "training:course:write"
_CHOICES = {"open": True, "closed": False, "auto": None}


@admin_blueprint.get("/pool")
@requires(_WRITE)
def show_pool() -> str:
    """Show how many questions of each law may be practised, and why not the others."""
    _ensure_whole_bank_in_scope()
    return render_template(
        "training/pool.html", rows=pool_by_law(read_session()), exams=exams_on_hold(read_session(), now=clock.now())
    )


@admin_blueprint.post("/pool")
@requires(_WRITE)
def mark_pool() -> Response:
    """Open a law's questions for practice, close them, or leave them to the coming exams."""
    _ensure_whole_bank_in_scope()
    law, choice = request.form.get("law", "")[:200], request.form.get("choice", "")
    if choice not in _CHOICES or not law:
        raise BadRequestError
    with request_transaction() as context:
        found = mark_law(context, law=law, is_open=_CHOICES[choice])
        hold_back(context.session, now=clock.now())
    flash(f"《{law}》的 {found} 道题已按所选设置。", "success")
    return redirect(url_for(".show_pool"))


def _ensure_whole_bank_in_scope() -> None:
    """The bank is the county's: anyone who reaches only a part of it does not decide about it."""
    if not my_access(_WRITE).is_everything:
        raise NotFoundError


_READ = "reports:participation:read"
_MAX_POINTS = 20


@admin_blueprint.get("/mastery")
@requires(_READ)
def show_unit_map() -> str:
    """Show a unit's map by law and point; after an exam, what to study now, and the change since the one before."""
    session, access = read_session(), my_access(_READ)
    units = list_units_within(session, access)
    unit = _chosen(units)
    exams = exams_with_weaknesses(session, unit) if unit else []
    wanted = chosen_number("exam")
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
        most_points=_MAX_POINTS,
        fewest=MIN_PEOPLE,
        may_make=may("training:course:write"),
    )


def _chosen(units: list[Unit]) -> Unit | None:
    wanted = chosen_number("unit")
    if wanted is not None:
        return get_unit_within(read_session(), wanted, my_access(_READ))
    return units[0] if units else None

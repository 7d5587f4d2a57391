"""What practice may draw, law by law: what a coming exam holds back, and the office's own word."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import BadRequestError, NotFoundError
from examapp.core.permissions import Permission
from examapp.people.access import actor, my_reach, requires
from examapp.training.admin_routes.frame import admin_blueprint
from examapp.training.operations.holding import hold_back, mark_law
from examapp.training.queries.pool import holding_exams, pool_by_law

_WRITE = Permission.TRAINING_WRITE
_CHOICES = {"open": True, "closed": False, "auto": None}


@admin_blueprint.get("/pool")
@requires(_WRITE)
def show_pool() -> str:
    """Show how many questions of each law may be practised, and why not the others."""
    _refuse_part()
    return render_template(
        "training/pool.html", rows=pool_by_law(reading()), exams=holding_exams(reading(), now=clock.now())
    )


@admin_blueprint.post("/pool")
@requires(_WRITE)
def mark_pool() -> Response:
    """Open a law's questions for practice, close them, or leave them to the coming exams."""
    _refuse_part()
    law, choice = request.form.get("law", "")[:200], request.form.get("choice", "")
    if choice not in _CHOICES or not law:
        raise BadRequestError
    with transaction() as session:
        found = mark_law(session, law=law, is_open=_CHOICES[choice], actor=actor(), now=clock.now())
        hold_back(session, now=clock.now())
    flash(f"《{law}》的 {found} 道题已按所选设置。", "success")
    return redirect(url_for(".show_pool"))


def _refuse_part() -> None:
    """The bank is the county's: whoever reaches only a part of it does not decide about it."""
    if not my_reach(_WRITE).is_everything:
        raise NotFoundError

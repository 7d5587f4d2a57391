"""The page of plan periods, which the office keeps."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import NotFoundError
from examapp.duties import queries
from examapp.duties.admin_routes.frame import APPROVE, admin_blueprint, my_hands, status_of
from examapp.duties.forms import PeriodForm
from examapp.duties.operations import periods
from examapp.duties.operations.changing import DutyRefusedError
from examapp.people.access import actor, requires


@admin_blueprint.route("/periods", methods=["GET", "POST"])
@requires(APPROVE)
def list_periods() -> Response | tuple[str, int]:
    """List the plan periods; add one, or set the years of one by its name."""
    if not my_hands().is_office:
        raise NotFoundError
    form, problem = PeriodForm(), ""
    if form.validate_on_submit():
        try:
            with transaction() as session:
                periods.set_period(session, period=form.period(), hands=my_hands(), actor=actor(), now=clock.now())
            flash("规划周期已保存。", "success")
            return redirect(url_for(".list_periods"))
        except DutyRefusedError as refusal:
            problem = refusal.text
    page = render_template("duties/periods.html", form=form, problem=problem, periods=queries.list_periods(reading()))
    return page, status_of(form)

"""The calendar of a year's items: due, overdue, done."""

from __future__ import annotations

from collections import Counter
from functools import partial

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import requires
from examapp.oversight.duty_calendar import actions
from examapp.oversight.duty_lists import queries as duty_list_queries
from examapp.oversight.duty_lists import rules as duty_list_rules
from examapp.oversight.duty_lists.admin_views import APPROVE, WRITE, admin_blueprint, current_duty_scope
from examapp.oversight.duty_lists.forms import KeyDayForm, PeriodForm
from examapp.oversight.duty_lists.queries import key_days, months_of
from examapp.oversight.duty_lists.rules import Progress
from examapp.web.params import chosen_number, chosen_year
from examapp.web.submit import status_of, submit

_SHOWN_OPEN = 25
"""With more items than these, only the present month stands open."""


@admin_blueprint.get("/calendar")
@requires(WRITE)
def show_calendar() -> str:
    """Show the year's key dates and the items within the access scope by month, with how far each has come."""
    session, year, access = read_session(), chosen_year(), current_duty_scope().write
    units = duty_list_queries.list_units_with_lists(session, year, access)
    unit_id = chosen_number("unit")
    chosen = unit_id if unit_id in {unit.id for unit in units} else None
    rows = duty_list_queries.list_calendar(session, year, access, today=clock.today(), unit_id=chosen)
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
        is_short=len(shown) <= _SHOWN_OPEN,
        this_month=f"{clock.today().month} 月" if year == clock.today().year else "",
        is_office=current_duty_scope().is_office,
        is_cut=len(rows) == duty_list_queries.MAX_CALENDAR_ROWS,
        progress_names=duty_list_rules.PROGRESS_NAMES,
        progress_states=duty_list_rules.PROGRESS_STATES,
        key_day_name=partial(duty_list_rules.key_day_name, names=names),
    )


@admin_blueprint.route("/key-days", methods=["GET", "POST"])
@requires(APPROVE)
def list_key_days() -> Response | tuple[str, int]:
    """List the key dates; add one, name one again, or take one off."""
    if not current_duty_scope().is_office:
        raise NotFoundError
    form = KeyDayForm()
    if form.validate_on_submit():
        message = "重要时间节点已保存。" if form.name.data else "已从重要时间节点中删除。"
        with submit(message, form=form) as context:
            actions.set_key_day(context, **form.key_day(), duty_scope=current_duty_scope())
        if not form.is_rejected:
            return redirect(url_for(".list_key_days"))
    days = [(duty_list_rules.key_span_label(span), name) for span, name in key_days(read_session()).items()]
    page = render_template("duties/key_days.html", form=form, days=days)
    return page, status_of(form)


@admin_blueprint.route("/periods", methods=["GET", "POST"])
@requires(APPROVE)
def list_periods() -> Response | tuple[str, int]:
    """List the plan periods; add one, or set the years of one by its name."""
    if not current_duty_scope().is_office:
        raise NotFoundError
    form = PeriodForm()
    if form.validate_on_submit():
        with submit("规划周期已保存。", form=form) as context:
            actions.set_period(context, period=form.period(), duty_scope=current_duty_scope())
        if not form.is_rejected:
            return redirect(url_for(".list_periods"))
    page = render_template("duties/periods.html", form=form, periods=duty_list_queries.list_periods(read_session()))
    return page, status_of(form)

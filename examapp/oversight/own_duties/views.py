"""Pages of the responsibility system outside the back office: the published list, one's own duties, reviews, the vote."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.accounts.guards import my_user, public, signed_in
from examapp.oversight.duty_lists import queries as duty_list_queries
from examapp.oversight.duty_lists import rules as duty_list_rules
from examapp.oversight.duty_lists.forms import RecordForm
from examapp.oversight.duty_lists.queries import DutyScope, key_days
from examapp.oversight.duty_records.actions import record_deed
from examapp.oversight.own_duties.queries import get_own_item, list_own_items
from examapp.web.params import read_year
from examapp.web.submit import status_of, submit

blueprint = Blueprint("duties", __name__)


@blueprint.get("/duties/mine")
@signed_in
def my_duties() -> str:
    """List this year's items that name who is signed in, by due date."""
    today = clock.today()
    return render_template(
        "duties/mine.html",
        year=today.year,
        items=list_own_items(read_session(), my_user().person_id, today.year, today=today),
        progress_names=duty_list_rules.PROGRESS_NAMES,
        progress_states=duty_list_rules.PROGRESS_STATES,
        key_day_name=partial(duty_list_rules.key_day_name, names=key_days(read_session())),
    )


@blueprint.route("/duties/mine/items/<int:item_id>", methods=["GET", "POST"])
@signed_in
def record_own_deed(item_id: int) -> Response | tuple[str, int]:
    """Record what was done on an item that names who is signed in."""
    own = get_own_item(read_session(), my_user().person_id, item_id, today=clock.today())
    form = RecordForm()
    scope = DutyScope(write=AccessScope(is_everything=False, region_paths=(own.unit.region_path,)))
    if form.validate_on_submit():
        with submit("履职记录已保存，列入本单位台账。", form=form) as context:
            record_deed(context, item_id=item_id, deed=form.deed(), duty_scope=scope)
        if not form.is_rejected:
            return redirect(url_for(".my_duties"))
    return render_template("duties/record.html", form=form, item=own.item, is_own=True), status_of(form)


@blueprint.get("/duties/<unit_code>")
@public
def show_public_list(unit_code: str) -> str:
    """Show a unit's published list, the newest where the address names no year; nothing else of the application."""
    year = read_year(request.args.get("year"), minimum=0, limit=9999)
    session = read_session()
    unit, duty_list, years = duty_list_queries.get_published(session, unit_code.replace("\0", ""), year)
    return render_template(
        "duties/public.html",
        unit=unit,
        duty_list=duty_list,
        years=years,
        period=duty_list_rules.period_of(duty_list.year, duty_list_queries.list_periods(session)),
        rows=duty_list_queries.item_rows(session, duty_list.id, today=clock.today()),
        kind_names=duty_list_rules.ITEM_KIND_NAMES,
        names_only=duty_list_rules.names_only,
        key_day_name=partial(duty_list_rules.key_day_name, names=key_days(session)),
    )

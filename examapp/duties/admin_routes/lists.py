"""Pages of lists: the year's overview, one list, and the way from draft to publication."""

from __future__ import annotations

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.numbers import sent_number
from examapp.duties import queries, rules
from examapp.duties.admin_routes.frame import (
    APPROVE,
    WRITE,
    admin_blueprint,
    check_form,
    chosen_page,
    chosen_year,
    my_hands,
    posted_year,
)
from examapp.duties.forms import SendBackForm, VersionForm
from examapp.duties.operations import lists
from examapp.duties.queries.key_days import key_days
from examapp.people.access import actor, requires


@admin_blueprint.get("/")
@requires(WRITE)
def overview() -> str:
    """List the units of one's reach with their lists of a year, and what waits for approval."""
    session, hands, year, page = reading(), my_hands(), chosen_year(), chosen_page()
    return render_template(
        "duties/overview.html",
        year=year,
        period=rules.period_of(year, queries.list_periods(session)),
        rows=queries.list_overview(session, year, hands.write, today=clock.today(), page=page),
        page=page,
        pages_count=-(-queries.count_units(session, year, hands.write) // queries.PAGE),
        proposed=queries.list_proposed(session, hands.approve) if hands.approve else [],
        is_office=hands.is_office,
        common=queries.find_list(session, None, year) if hands.is_office else None,
        state_names=rules.LIST_STATE_NAMES,
    )


@admin_blueprint.post("/open")
@requires(WRITE)
def open_list() -> Response:
    """Open a unit's list of a year, or the common one, empty or from last year's."""
    year = posted_year()
    with transaction() as session:
        duty_list = lists.open_list(
            session,
            unit_id=request.form.get("unit_id", type=sent_number),
            year=year,
            hands=my_hands(),
            actor=actor(),
            now=clock.now(),
            is_copied=request.form.get("copied") == "1",
        )
        list_id = duty_list.id
    flash("清单已建好。请添加事项，或从表格导入。", "success")
    return redirect(url_for(".show_list", list_id=list_id))


@admin_blueprint.get("/lists/<int:list_id>")
@requires(WRITE)
def show_list(list_id: int) -> str:
    """Show a list with how far each item has come, and what may be done with it."""
    session, hands = reading(), my_hands()
    duty_list = queries.get_list(session, list_id, hands)
    return render_template(
        "duties/list.html",
        duty_list=duty_list,
        unit=queries.unit_of(session, duty_list),
        rows=queries.item_rows(session, list_id, today=clock.today()),
        is_editable=duty_list.state == rules.ListState.DRAFT,
        may_approve=hands.approve is not None,
        send_back=SendBackForm(data={"version": duty_list.version}),
        state_names=rules.LIST_STATE_NAMES,
        kind_names=rules.ITEM_KIND_NAMES,
        progress_names=rules.PROGRESS_NAMES,
        progress_states=rules.PROGRESS_STATES,
        key_day_name=partial(rules.key_day_name, names=key_days(session)),
    )


@admin_blueprint.post("/lists/<int:list_id>/propose")
@requires(WRITE)
def propose_list(list_id: int) -> Response:
    """Hand a list to the office."""
    form = VersionForm()
    check_form(form)
    with transaction() as session:
        lists.propose_list(
            session, list_id=list_id, version=form.version.data, hands=my_hands(), actor=actor(), now=clock.now()
        )
    return _back(list_id, "清单已报送，请等普法办审核。")


@admin_blueprint.post("/lists/<int:list_id>/take-back")
@requires(WRITE)
def take_back_list(list_id: int) -> Response:
    """Take a proposed list back for changes."""
    with transaction() as session:
        lists.take_back_list(session, list_id=list_id, hands=my_hands(), actor=actor(), now=clock.now())
    return _back(list_id, "清单已收回，可以修改。改好后请重新报送。")


@admin_blueprint.post("/lists/<int:list_id>/publish")
@requires(APPROVE)
def publish_list(list_id: int) -> Response:
    """Approve a list and publish it."""
    form = VersionForm()
    check_form(form)
    with transaction() as session:
        lists.publish_list(
            session, list_id=list_id, version=form.version.data, hands=my_hands(), actor=actor(), now=clock.now()
        )
    return _back(list_id, "清单已审核公布。")


@admin_blueprint.post("/lists/<int:list_id>/send-back")
@requires(APPROVE)
def send_back_list(list_id: int) -> Response:
    """Give a list back to its unit with a reason."""
    form = SendBackForm()
    check_form(form)
    with transaction() as session:
        lists.send_back_list(
            session,
            list_id=list_id,
            version=form.version.data,
            remark=form.remark.data,
            hands=my_hands(),
            actor=actor(),
            now=clock.now(),
        )
    return _back(list_id, "清单已退回单位修改。")


def _back(list_id: int, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for(".show_list", list_id=list_id))

"""The page of the year's key dates, which the office keeps."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import NotFoundError
from examapp.duties.admin_routes.frame import APPROVE, admin_blueprint, my_hands, status_of
from examapp.duties.forms import KeyDayForm
from examapp.duties.operations import key_days as operations
from examapp.duties.operations.changing import DutyRefusedError
from examapp.duties.queries.key_days import key_days
from examapp.people.access import actor, requires


@admin_blueprint.route("/key-days", methods=["GET", "POST"])
@requires(APPROVE)
def list_key_days() -> Response | tuple[str, int]:
    """List the key dates; add one, name one anew, or take one off."""
    if not my_hands().is_office:
        raise NotFoundError
    form, problem = KeyDayForm(), ""
    if form.validate_on_submit():
        try:
            with transaction() as session:
                operations.set_key_day(session, **form.key_day(), hands=my_hands(), actor=actor(), now=clock.now())
            flash("重要时间节点已保存。" if form.name.data else "这一天已从重要时间节点中删除。", "success")
            return redirect(url_for(".list_key_days"))
        except DutyRefusedError as refusal:
            problem = refusal.text
    page = render_template("duties/key_days.html", form=form, problem=problem, days=key_days(reading()))
    return page, status_of(form)

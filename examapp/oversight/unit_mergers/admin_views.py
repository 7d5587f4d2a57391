"""The shape of what is filled in in the unit book."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from examapp import clock
from examapp.db.session import read_session
from examapp.organisation.access.queries import get_unit_within, within
from examapp.organisation.accounts.guards import my_access, requires
from examapp.organisation.roster_change_requests.admin_views import admin_blueprint
from examapp.organisation.roster_change_requests.forms import _tidy
from examapp.organisation.units.models import Unit, UnitKind
from examapp.organisation.units.queries import list_units
from examapp.oversight.unit_mergers import actions, queries
from examapp.oversight.unit_mergers.actions import NewUnit
from examapp.oversight.unit_mergers.models import UNIT_CHANGE_NAMES
from examapp.platform.audit.actions import ActionContext
from examapp.web.forms import FlaskForm
from examapp.web.params import chosen_number, sent_number
from examapp.web.submit import submit

_RELOAD = "页面内容不完整，没有办理。请刷新页面后重试。"


_REASON_MISSING = "请写明依据或原因，例如：县委编办〔2026〕12 号文。"


class MergerForm(FlaskForm):
    """Into which unit, and why."""

    target = SelectField("并入哪个单位", coerce=sent_number, validators=[InputRequired("请选择单位。")])
    seen = HiddenField()
    reason = StringField("依据或原因", filters=[_tidy], validators=[DataRequired(_REASON_MISSING), Length(max=200)])


class SplitForm(FlaskForm):
    """The unit that is split off, and who goes there."""

    code = StringField(
        "新单位编码",
        filters=[_tidy],
        validators=[Regexp(r"^[0-9A-Za-z._-]{1,32}$", message="编码只用数字、字母和 . _ -，最多 32 位。")],
    )
    name = StringField("新单位名称", filters=[_tidy], validators=[DataRequired("请填写名称。"), Length(max=100)])
    staff_numbers = TextAreaField("划入新单位的人员工号", validators=[Length(max=40_000, message="内容过长。")])
    reason = StringField("依据或原因", filters=[_tidy], validators=[DataRequired(_REASON_MISSING), Length(max=200)])


class RenameForm(FlaskForm):
    """A unit's new name."""

    name = StringField("新名称", filters=[_tidy], validators=[DataRequired("请填写新名称。"), Length(max=100)])
    reason = StringField("依据或原因", filters=[_tidy], validators=[DataRequired(_REASON_MISSING), Length(max=200)])


_WRITE = "exams:exam:write"
"""The office alone: audiences of exams change with it."""
_BETWEEN = re.compile(r"[\s,，、;；]+")


@admin_blueprint.get("/unit-changes")
@requires(_WRITE)
def list_unit_changes() -> str:
    """Show what was merged, split and renamed, and the units to begin with."""
    access, session = my_access(_WRITE), read_session()
    return render_template(
        "unit_management/unit_changes.html",
        rows=queries.list_unit_changes(session, access),
        names=UNIT_CHANGE_NAMES,
        units=[unit for unit in list_units(session, within(access)) if unit.kind != UnitKind.SECTOR],
    )


@admin_blueprint.get("/unit-changes/new")
@requires(_WRITE)
def choose_unit_change() -> AnyResponse:
    """Lead to the page of the act that was chosen for a unit."""
    acts = {"merge": "merge_unit", "split": "split_unit", "rename": "rename_unit"}
    act, unit_id = acts.get(request.args.get("act", "")), chosen_number("unit")
    if act is None or unit_id is None:
        return redirect(url_for("unit_management_admin.list_unit_changes"), 303)
    return redirect(url_for(f"unit_management_admin.{act}", unit_id=unit_id), 303)


def _unit(unit_id: int) -> Unit:
    return get_unit_within(read_session(), unit_id, my_access(_WRITE))


@admin_blueprint.route("/units/<int:unit_id>/merge", methods=["GET", "POST"])
@requires(_WRITE)
def merge_unit(unit_id: int) -> AnyResponse | str:
    """Show what merging a unit away would do, and do it."""
    unit, access = _unit(unit_id), my_access(_WRITE)
    form = MergerForm()
    others = [other for other in list_units(read_session(), within(access)) if other.kind != UnitKind.SECTOR]
    form.target.choices = [(other.id, f"{other.code}　{other.name}") for other in others if other.id != unit.id]

    def act(context: ActionContext) -> str:
        source, target = (get_unit_within(context.session, number, access) for number in (unit.id, form.target.data))
        actions.merge_units(context, source, target, reason=form.reason.data, seen=form.seen.data)
        return f"已合并：“{source.name}”并入“{target.name}”。"

    if form.validate_on_submit() and _did(form, act):
        return redirect(url_for("unit_management_admin.list_unit_changes"), 303)
    now = clock.now()
    consequences = queries.get_consequences(read_session(), unit, now=now)
    form.seen.data = consequences.mark
    return _page("merge", form, unit, consequences=consequences)


@admin_blueprint.route("/units/<int:unit_id>/split", methods=["GET", "POST"])
@requires(_WRITE)
def split_unit(unit_id: int) -> AnyResponse | str:
    """Split a new unit off."""
    unit, form = _unit(unit_id), SplitForm()

    def act(context: ActionContext) -> str:
        source = get_unit_within(context.session, unit.id, my_access(_WRITE))
        numbers = tuple(dict.fromkeys(word for word in _BETWEEN.split(form.staff_numbers.data or "") if word))
        new = NewUnit(code=form.code.data, name=form.name.data, staff_numbers=numbers)
        actions.split_unit(context, source, new, reason=form.reason.data)
        return f"已从“{source.name}”分设“{new.name}”，划入 {len(numbers)} 人。"

    if form.validate_on_submit() and _did(form, act):
        return redirect(url_for("unit_management_admin.list_unit_changes"), 303)
    return _page("split", form, unit)


@admin_blueprint.route("/units/<int:unit_id>/rename", methods=["GET", "POST"])
@requires(_WRITE)
def rename_unit(unit_id: int) -> AnyResponse | str:
    """Give a unit a new name."""
    unit, form = _unit(unit_id), RenameForm()

    def act(context: ActionContext) -> str:
        found = get_unit_within(context.session, unit.id, my_access(_WRITE))
        old = found.name
        actions.rename_unit(context, found, form.name.data, reason=form.reason.data)
        return f"已更名：“{old}”改为“{form.name.data}”。"

    if form.validate_on_submit() and _did(form, act):
        return redirect(url_for("unit_management_admin.list_unit_changes"), 303)
    return _page("rename", form, unit)


def _did(form: FlaskForm, act: Callable[[ActionContext], str]) -> bool:
    with submit(form=form) as context:
        text = act(context)
    if not form.is_rejected:
        flash(text, "success")
    return not form.is_rejected


def _page(act: str, form: FlaskForm, unit: Unit, **more: object) -> AnyResponse:
    page = render_template("unit_management/unit_change.html", act=act, form=form, unit=unit, **more)
    return Response(page, 422 if form.is_submitted() else 200)

"""Pages of the back office: the two trees of units."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms.fields.choices import SelectChoice

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import NotFoundError
from examapp.core.numbers import read_whole
from examapp.core.permissions import Permission
from examapp.org import operations
from examapp.org.models import UNIT_KIND_NAMES, Tree, Unit
from examapp.org.operations import UnitFacts, UnitRefusedError
from examapp.org.queries import list_units as units_of
from examapp.org.rules import normalise_uscc
from examapp.people.access import actor, my_reach, requires
from examapp.people.admin_routes.frame import NOTHING, unit_choices, units_blueprint
from examapp.people.forms import UnitForm
from examapp.people.operations.roster import close_empty_unit
from examapp.people.queries import get_unit_within, list_unit_rows, within


@units_blueprint.get("/units")
@requires(Permission.UNITS_READ)
def list_units() -> str:
    """Show a tree of units with the people on their rosters."""
    tree = Tree.SECTOR if request.args.get("tree") == Tree.SECTOR else Tree.REGION
    with_closed = request.args.get("closed") == "1"
    rows = list_unit_rows(reading(), my_reach(Permission.UNITS_READ), tree=tree, with_closed=with_closed)
    return render_template("org/units.html", rows=rows, tree=tree, with_closed=with_closed, kind_names=UNIT_KIND_NAMES)


@units_blueprint.route("/units/new", methods=["GET", "POST"])
@requires(Permission.UNITS_WRITE)
def create_unit() -> AnyResponse:
    """Found a unit."""
    form = _form(None)
    if request.method == "GET" and (parent := read_whole(request.args.get("parent"))):
        form.parent_id.data = parent
    if form.validate_on_submit() and _save(form, None):
        flash(f"已新增「{form.name.data}」。", "success")
        return redirect(url_for("org_admin.list_units"), 303)
    return _page(form, None)


@units_blueprint.route("/units/<int:unit_id>", methods=["GET", "POST"])
@requires(Permission.UNITS_WRITE)
def edit_unit(unit_id: int) -> AnyResponse:
    """Change a unit, or hang it elsewhere."""
    unit = get_unit_within(reading(), unit_id, my_reach(Permission.UNITS_WRITE))
    form = _form(unit)
    if form.validate_on_submit() and _save(form, unit):
        flash(f"「{form.name.data}」已保存。", "success")
        return redirect(url_for("org_admin.list_units"), 303)
    return _page(form, unit)


@units_blueprint.post("/units/<int:unit_id>/close")
@requires(Permission.UNITS_WRITE)
def close_unit(unit_id: int) -> AnyResponse:
    """Close a unit in which nobody is left."""
    return _close_or_open(unit_id, is_closing=True)


@units_blueprint.post("/units/<int:unit_id>/reopen")
@requires(Permission.UNITS_WRITE)
def reopen_unit(unit_id: int) -> AnyResponse:
    """Open a closed unit again."""
    return _close_or_open(unit_id, is_closing=False)


def _close_or_open(unit_id: int, *, is_closing: bool) -> AnyResponse:
    act = close_empty_unit if is_closing else operations.reopen_unit
    try:
        with transaction() as session:
            unit = get_unit_within(session, unit_id, my_reach(Permission.UNITS_WRITE))
            act(session, unit, actor=actor(), now=clock.now())
    except UnitRefusedError as refusal:
        flash(refusal.text, "error")
        return redirect(url_for("org_admin.edit_unit", unit_id=unit_id), 303)
    flash("单位已撤销。成绩和记录仍保留。" if is_closing else "单位已恢复。", "success")
    return redirect(url_for("org_admin.list_units"), 303)


def _form(unit: Unit | None) -> UnitForm:
    reach = my_reach(Permission.UNITS_WRITE)
    units = units_of(reading(), within(reach))
    form = UnitForm(obj=unit)
    regions = [other for other in units if other.kind != "sector"]
    sectors = [other for other in units if other.sector_path is not None]
    needs_parent = not reach.is_everything
    form.parent_id.choices = unit_choices(regions, None if needs_parent else "（无上级）")
    form.sector_parent_id.choices = unit_choices(sectors, "（不挂条线）")
    if unit is not None:
        _add_present_parents(form, unit)
    if request.method == "GET":
        form.parent_id.data = (unit and unit.parent_id) or NOTHING
        form.sector_parent_id.data = (unit and unit.sector_parent_id) or NOTHING
    return form


def _add_present_parents(form: UnitForm, unit: Unit) -> None:
    """Keep the parents that a unit has now among the choices, even beyond the editor's reach."""
    for field, parent_id in ((form.parent_id, unit.parent_id), (form.sector_parent_id, unit.sector_parent_id)):
        value = str(parent_id or NOTHING)
        if value not in {choice.value for choice in field.choices}:
            field.choices = [SelectChoice(value, "（保持现在的上级）"), *field.choices]


def _save(form: UnitForm, unit: Unit | None) -> bool:
    uscc = normalise_uscc(form.uscc.data or "")
    facts = UnitFacts(
        code=form.code.data,
        name=form.name.data,
        kind=form.kind.data,
        uscc=uscc or None,
        parent_id=form.parent_id.data or None,
        sector_parent_id=form.sector_parent_id.data or None,
    )
    try:
        with transaction() as session:
            if unit is None:
                _refuse_root_beyond_reach(facts)
                operations.create_unit(session, facts, actor=actor(), now=clock.now())
            else:
                operations.edit_unit(session, unit, facts, actor=actor(), now=clock.now())
    except UnitRefusedError as refusal:
        field = form[refusal.field]
        field.errors = [*field.errors, refusal.text]
        return False
    return True


def _refuse_root_beyond_reach(facts: UnitFacts) -> None:
    if facts.parent_id is None and not my_reach(Permission.UNITS_WRITE).is_everything:
        raise NotFoundError


def _page(form: UnitForm, unit: Unit | None) -> AnyResponse:
    page = render_template("org/unit_form.html", form=form, unit=unit)
    return Response(page, 422 if form.errors else 200)

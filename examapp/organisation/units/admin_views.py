"""Pages of the back office: units, people, roles, first passwords, roster imports; one module each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import segno
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse
from wtforms.fields.choices import SelectChoice

from examapp.db.session import read_session
from examapp.documents.tables import Grid, UnreadableTableError, cell_text, find_head, read_grids
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import get_unit_within, within
from examapp.organisation.access.rules import AccessScope, Role
from examapp.organisation.accounts.guards import menu_entry, my_access, my_grants, requires
from examapp.organisation.people.queries import list_unit_rows
from examapp.organisation.people.rules import holds_number
from examapp.organisation.roster.actions import close_empty_unit
from examapp.organisation.roster.forms import TableForm, UnitForm, UnitsImportForm
from examapp.organisation.units import actions, queries
from examapp.organisation.units.actions import UnitFacts
from examapp.organisation.units.models import AREA_KINDS, UNIT_KIND_NAMES, Tree, Unit, UnitKind
from examapp.organisation.units.rules import UNIT_HEADS, normalise_uscc
from examapp.web.params import chosen_number
from examapp.web.query_encryption import encrypt_query_param
from examapp.web.submit import submit

PERMISSIONS = {
    "org:unit:read": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE, Role.LEADER, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN},
    "org:unit:write": {Role.PUBLICITY_OFFICE, Role.SYSTEM_ADMIN},
}


admin_blueprint = Blueprint("people_admin", __name__, url_prefix="/admin/people")
units_blueprint = Blueprint("org_admin", __name__, url_prefix="/admin/org")
"""Units are shown from here: `units` lies below the feature that knows who may see what."""

READ = "people:person:read"
WRITE = "people:person:write"
SECOND_PERSON_REQUESTED = "这是系统、安全或审计管理员的账号，须两人办理。申请已提交，请另一名安全管理员在“审批”中同意，同意后 24 小时内在本页再点一次即办理。"
NOTHING = 0
"""The choice that stands for no unit."""


def units_within(session: Session, access: AccessScope) -> list[Unit]:
    """List the open units of an access scope, by code."""
    return queries.list_units(session, within(access))


def unit_choices(units: Iterable[Unit], nothing: str | None = None) -> list[SelectChoice]:
    """Give the choices of a select field; `nothing` is the words for none."""
    choices = [SelectChoice(str(unit.id), f"{unit.code}　{unit.name}") for unit in units]
    return choices if nothing is None else [SelectChoice(str(NOTHING), nothing), *choices]


def may_touch_guarded() -> bool:
    """Tell whether who is signed in may change the accounts of administrators."""
    return any(grant.role == Role.SYSTEM_ADMIN for grant in my_grants())


def address_of_search(endpoint: str, *more: str) -> BaseResponse | None:
    """Lead from a posted search (words, unit and more) to its address, words sealed; None where a person's number was typed, which stays in the body."""
    text = request.form.get("q", "")
    asked: dict[str, Any] = {name: request.form[name] for name in ("unit", *more) if request.form.get(name)}
    return (
        None if holds_number(text) else redirect(url_for(endpoint, s=encrypt_query_param(text) or None, **asked), 303)
    )


def ticket_picture(address: str) -> Markup:
    """Draw a QR code; the code stands behind the `#`, which browsers do not send, so that no log holds it."""
    return _draw_qr(address, is_scalable=False)


def scalable_qr(address: str) -> Markup:
    """Draw a QR code that fills whatever it stands in."""
    return _draw_qr(address, is_scalable=True)


def _draw_qr(address: str, *, is_scalable: bool) -> Markup:
    svg = segno.make_qr(address, error="m").svg_inline(scale=3, border=2, omitsize=is_scalable)
    return Markup(svg)  # noqa: S704 – segno's own drawing of squares


@units_blueprint.get("/units")
@menu_entry("单位", position=170, group="单位与人员")
@requires("org:unit:read")
def list_units() -> str:
    """Show a tree of units with the people on their rosters."""
    tree = Tree.SECTOR if request.args.get("tree") == Tree.SECTOR else Tree.REGION
    with_closed = request.args.get("closed") == "1"
    rows = list_unit_rows(read_session(), my_access("org:unit:read"), tree=tree, with_closed=with_closed)
    return render_template(
        "org/units.html",
        rows=rows,
        tree=tree,
        with_closed=with_closed,
        kind_names=UNIT_KIND_NAMES,
        stray=queries.sort_roots(row.unit for row in rows)[1:] if my_access("org:unit:read").is_everything else [],
    )


@units_blueprint.route("/units/new", methods=["GET", "POST"])
@requires("org:unit:write")
def create_unit() -> BaseResponse:
    """Found a unit."""
    form = _form(None)
    if request.method == "GET" and (parent := chosen_number("parent")):
        form.parent_id.data = parent
    if form.validate_on_submit() and _save(form, None, f"已新增“{form.name.data}”。"):
        return redirect(url_for("org_admin.list_units"), 303)
    return _page(form, None)


@units_blueprint.route("/units/<int:unit_id>", methods=["GET", "POST"])
@requires("org:unit:write")
def edit_unit(unit_id: int) -> BaseResponse:
    """Change a unit, or hang it elsewhere."""
    unit = get_unit_within(read_session(), unit_id, my_access("org:unit:write"))
    form = _form(unit)
    if form.validate_on_submit() and _save(form, unit, f"“{form.name.data}”已保存。"):
        return redirect(url_for("org_admin.list_units"), 303)
    return _page(form, unit)


@units_blueprint.post("/units/<int:unit_id>/close")
@requires("org:unit:write")
def close_unit(unit_id: int) -> BaseResponse:
    """Close a unit in which nobody is left."""
    return _close_or_open(unit_id, is_closing=True)


@units_blueprint.post("/units/<int:unit_id>/delete")
@requires("org:unit:write")
def delete_unit(unit_id: int) -> BaseResponse:
    """Delete a unit that was created by mistake."""
    with submit("单位已删除。", back=url_for("org_admin.edit_unit", unit_id=unit_id)) as context:
        actions.delete_unit(context, get_unit_within(context.session, unit_id, my_access("org:unit:write")))
    return redirect(url_for("org_admin.list_units"), 303)


@units_blueprint.post("/units/<int:unit_id>/reopen")
@requires("org:unit:write")
def reopen_unit(unit_id: int) -> BaseResponse:
    """Open a closed unit again."""
    return _close_or_open(unit_id, is_closing=False)


def _close_or_open(unit_id: int, *, is_closing: bool) -> BaseResponse:
    act = close_empty_unit if is_closing else actions.reopen_unit
    message = "单位已撤销。成绩和记录仍保留。" if is_closing else "单位已恢复。"
    with submit(message, back=url_for("org_admin.edit_unit", unit_id=unit_id)) as context:
        unit = get_unit_within(context.session, unit_id, my_access("org:unit:write"))
        act(context, unit)
    return redirect(url_for("org_admin.list_units"), 303)


def _form(unit: Unit | None) -> UnitForm:
    access = my_access("org:unit:write")
    units = queries.list_units(read_session(), within(access))
    form = UnitForm(obj=unit)
    regions = [other for other in units if other.kind != "sector" and not _is_below(other.region_path, unit)]
    sectors = [other for other in units if other.sector_path is not None and not _is_below(other.sector_path, unit)]
    roots = queries.sort_roots(units)
    form.parent_id.choices = unit_choices(regions, "（无上级，只用于县和系统）" if access.is_everything else None)
    form.sector_parent_id.choices = unit_choices(sectors, "（不属于垂直系统）")
    if unit is not None:
        _add_present_parents(form, unit)
    if request.method == "GET":
        form.parent_id.data = ((roots[0].id if roots else None) if unit is None else unit.parent_id) or NOTHING
        form.sector_parent_id.data = (unit and unit.sector_parent_id) or NOTHING
    return form


def _is_below(path: str, unit: Unit | None) -> bool:
    """Tell whether a path leads through the unit: neither itself nor what hangs below it can be its parent."""
    return unit is not None and f"/{unit.id}/" in path


def _add_present_parents(form: UnitForm, unit: Unit) -> None:
    """Keep the parents that a unit has now among the choices, even beyond the editor's access scope."""
    for field, parent_id in ((form.parent_id, unit.parent_id), (form.sector_parent_id, unit.sector_parent_id)):
        value = str(parent_id or NOTHING)
        if value not in {choice.value for choice in field.choices}:
            field.choices = [SelectChoice(value, "（保持现在的上级）"), *field.choices]


def _save(form: UnitForm, unit: Unit | None, message: str) -> bool:
    uscc = normalise_uscc(form.uscc.data or "")
    facts = UnitFacts(
        code=form.code.data,
        name=form.name.data,
        kind=form.kind.data,
        uscc=uscc or None,
        parent_id=form.parent_id.data or None,
        sector_parent_id=form.sector_parent_id.data or None,
    )
    with submit(message, form=form) as context:
        if unit is None:
            _ensure_root_in_scope(facts)
            actions.create_unit(context, facts)
        else:
            actions.edit_unit(context, unit, facts)
    return not form.is_rejected


def _ensure_root_in_scope(facts: UnitFacts) -> None:
    if facts.parent_id is None and not my_access("org:unit:write").is_everything:
        raise NotFoundError


def _page(form: UnitForm, unit: Unit | None) -> BaseResponse:
    page = render_template("org/unit_form.html", form=form, unit=unit)
    return Response(page, 422 if form.errors else 200)


@units_blueprint.route("/units/import", methods=["GET", "POST"])
@requires("org:unit:write")
def import_units() -> BaseResponse:
    """Take units from a file or a pasted table: checked and counted first, created by a second click; with one wrong row none is."""
    if not my_access("org:unit:write").is_everything:
        raise NotFoundError
    form, counts = UnitsImportForm(), None
    units = [unit for unit in queries.list_units(read_session()) if unit.kind != UnitKind.SECTOR]
    form.parent_id.choices = unit_choices(units, "（表中都写明了上级）")
    if request.method == "GET":
        county = next((unit.id for unit in queries.sort_roots(units) if unit.kind in AREA_KINDS), NOTHING)
        form.parent_id.data = chosen_number("parent") or county
    if form.validate_on_submit() and (grids := read_table(form, UNIT_HEADS, bare_head="单位名称\t类别")):
        is_confirmed = bool(form.is_confirmed.data and not form.file.data)
        act = actions.import_units if is_confirmed else actions.preview_units
        with submit(form=form, field="text") as context:
            counts = act(context, grids, parent=next((unit for unit in units if unit.id == form.parent_id.data), None))
        if counts is not None and is_confirmed:
            flash(f"已新增 {counts['new']} 个单位，更新 {counts['changed']} 个。", "success")
            return redirect(url_for("org_admin.list_units"), 303)
    page = render_template("org/import_units.html", form=form, counts=counts)
    return Response(page, 422 if form.errors else 200)


def read_table(form: TableForm, aliases: Mapping[str, Sequence[str]], *, bare_head: str = "") -> list[Grid]:
    """Return the table that was sent, and leave it in the form as text, where it can be put right; empty with the reason in the form.

    With a `bare_head`, a mere column gets these heads: its own first and an empty one beside it.
    """
    try:
        if form.file.data:
            form.text.data = _text_of_file(form.file.data, aliases)
        text = (form.text.data or "").strip("\r\n")
        if not text.strip():
            form.reject("请选择文件，或粘贴表格。", "text")
            return []
        if bare_head and not any(sign in text for sign in "\t,，;；"):
            first = bare_head.split("\t", maxsplit=1)[0]
            text = form.text.data = f"{bare_head}\n{text.removeprefix(first).lstrip()}"
        return read_grids(text.encode(), name="table.csv", aliases=aliases)
    except UnreadableTableError as rejection:
        form.reject(rejection.text, "text")
        return []


def _text_of_file(file: FileStorage, aliases: Mapping[str, Sequence[str]]) -> str:
    grids = [grid for grid in read_grids(file.read(), name=file.filename or "", aliases=aliases) if not grid.is_hidden]
    chosen = next((grid for grid in grids if find_head(grid.rows, aliases)), grids[0] if grids else None)
    rows = chosen.rows if chosen else []
    return "\n".join("\t".join(" ".join(cell_text(cell).split()) for cell in row) for row in rows)

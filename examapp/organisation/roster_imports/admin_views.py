"""Pages of the back office: a roster file is uploaded, previewed, confirmed; its result is given back."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path, PurePath

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.db.session import read_session
from examapp.documents.html import normalise
from examapp.documents.spreadsheets import SheetColumn, SheetLayout, write_xlsx
from examapp.errors import ConflictError
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import cipher, my_access, my_user, requires
from examapp.organisation.people.models import RosterImport
from examapp.organisation.roster.forms import RosterUploadForm
from examapp.organisation.roster_imports import actions
from examapp.organisation.roster_imports.actions import InvalidImportError, RosterUpload
from examapp.organisation.roster_imports.queries import get_import
from examapp.organisation.roster_imports.queries import list_imports as imports_of
from examapp.organisation.roster_imports.rules import FIELD_NAMES, HEAD_ALIASES
from examapp.organisation.roster_reconciliation.actions import KINDS, Choice
from examapp.organisation.units.admin_views import admin_blueprint, unit_choices, units_within
from examapp.web.submit import submit

PERMISSIONS = {
    "people:roster:import": {Role.UNIT_ADMIN, Role.PUBLICITY_OFFICE},
}


_IMPORT = "people:roster:import"
_TEMPLATE_ROWS = 500
_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv"}


@admin_blueprint.route("/imports", methods=["GET", "POST"])
@requires(_IMPORT)
def list_imports() -> AnyResponse:
    """Show the imports so far, and take a new file."""
    access = my_access(_IMPORT)
    form = RosterUploadForm()
    nothing = "按文件里的单位列" if access.is_everything else None
    form.unit_id.choices = unit_choices(units_within(read_session(), access), nothing)
    if form.validate_on_submit() and (import_id := _upload(form)):
        return redirect(url_for("people_admin.show_import", import_id=import_id), 303)
    page = render_template(
        "people/imports.html",
        form=form,
        imports=imports_of(read_session(), created_by_id=my_user().person_id, is_all=access.is_everything),
        aliases=HEAD_ALIASES,
        is_limited=not access.is_everything,
    )
    return Response(page, 422 if form.errors else 200)


@admin_blueprint.get("/imports/template")
@requires(_IMPORT)
def download_roster_template() -> AnyResponse:
    """Give an empty workbook with the heads of a roster; its cells are text, so that Excel cuts no ID number."""
    sheet = SheetLayout(
        name="名册",
        columns=[SheetColumn(head=head, width=22 if name == "id_number" else 14) for name, head in FIELD_NAMES.items()],
        rows=[[""] * len(FIELD_NAMES)] * _TEMPLATE_ROWS,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster.xlsx"
        write_xlsx(path, [sheet])
        content = io.BytesIO(path.read_bytes())
    return send_file(content, mimetype=_TYPES["xlsx"], as_attachment=True, download_name="名册模板.xlsx")


def _upload(form: RosterUploadForm) -> int | None:
    name = normalise(PurePath(form.file.data.filename or "").name) or "名册"
    is_limited = not my_access(_IMPORT).is_everything
    upload = RosterUpload(name=name, content=form.file.data.read(), is_whole=form.is_whole.data, is_limited=is_limited)
    with submit(form=form, field="file", shown=InvalidImportError) as context:
        unit = get_unit_within(context.session, form.unit_id.data, my_access(_IMPORT)) if form.unit_id.data else None
        import_id = actions.upload_roster(context, upload, unit, cipher=cipher()).id
    return None if form.is_rejected else import_id


def _get(import_id: int) -> RosterImport:
    is_all = my_access(_IMPORT).is_everything
    return get_import(read_session(), import_id, created_by_id=my_user().person_id, is_all=is_all)


@admin_blueprint.get("/imports/<int:import_id>")
@requires(_IMPORT)
def show_import(import_id: int) -> str:
    """Show where an import stands: checking, preview with the problems found, taking over, result."""
    return render_template("people/import.html", job=_get(import_id), kinds=KINDS)


@admin_blueprint.post("/imports/<int:import_id>/confirm")
@requires(_IMPORT)
def confirm_import(import_id: int) -> AnyResponse:
    """Have a checked file taken over."""
    with submit(shown=ConflictError) as context:
        actions.confirm_import(context, _get(import_id), only_good=request.form.get("rows") == "good")
    return redirect(url_for("people_admin.show_import", import_id=import_id), 303)


@admin_blueprint.post("/imports/<int:import_id>/undo")
@requires(_IMPORT)
def undo_import(import_id: int) -> AnyResponse:
    """Have the people whom a file has taken on taken off the roster again."""
    with submit(shown=ConflictError) as context:
        actions.undo_import(context, _get(import_id))
    return redirect(url_for("people_admin.show_import", import_id=import_id), 303)


@admin_blueprint.post("/imports/<int:import_id>/approve")
@requires(_IMPORT)
def approve_difference(import_id: int) -> AnyResponse:
    """Have the ticked parts of a whole roster's difference carried out."""
    kinds = frozenset(request.form.getlist("kind")) & KINDS.keys()
    ticked = set(request.form.getlist("row"))
    with submit(shown=ConflictError) as context:
        job = _get(import_id)
        shown = {row["key"] for row in job.summary.get("rows", ()) if row["kind"] in kinds}
        choice = Choice(kinds=frozenset(kinds), left_out=frozenset(shown - ticked))
        actions.approve_difference(context, job, choice)
    return redirect(url_for("people_admin.show_import", import_id=import_id), 303)


@admin_blueprint.get("/imports/<int:import_id>/file")
@requires(_IMPORT)
def download_annotated(import_id: int) -> AnyResponse:
    """Give the user's own file back with what became of each row."""
    job = _get(import_id)
    try:
        content = actions.open_file(job.annotated, job.id, cipher())
    except InvalidImportError as rejection:
        flash(rejection.text, "danger")
        return redirect(url_for("people_admin.show_import", import_id=import_id), 303)
    ending = job.summary.get("ending", "xlsx")
    name = f"{PurePath(job.file_name).stem}-{'导入结果' if job.is_confirmed else '检查结果'}.{ending}"
    return send_file(io.BytesIO(content), mimetype=_TYPES[ending], as_attachment=True, download_name=name)

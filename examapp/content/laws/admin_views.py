"""The shape of what the office types and uploads about laws."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf.file import FileRequired, MultipleFileField
from werkzeug.wrappers import Response
from wtforms.validators import Optional

from examapp import clock
from examapp.content.laws import actions, queries
from examapp.content.laws.rules import ArticleChange, ArticleOutcome
from examapp.db.session import read_session
from examapp.documents.text_diff import SideBySide, compare_texts
from examapp.errors import NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, requires
from examapp.web.forms import DateField, FlaskForm
from examapp.web.submit import request_transaction

PERMISSIONS = {
    "laws:law:write": {Role.PUBLICITY_OFFICE},
}


class UploadLawsForm(FlaskForm):
    """Files of laws' texts."""

    files = MultipleFileField("法律文本", validators=[FileRequired("请选择文件。")])


class DatesForm(FlaskForm):
    """From when a version is in force, and until when."""

    effective_on = DateField("施行日期", validators=[Optional()])
    repealed_on = DateField("废止日期", validators=[Optional()])


admin_blueprint = Blueprint("laws_admin", __name__, url_prefix="/admin/laws")


@admin_blueprint.get("/")
@menu_entry("法律法规", position=150, group="题库")
@requires("laws:law:write")
def list_laws() -> str:
    """Show all versions of all laws with their days and how many articles were imported."""
    text = request.args.get("q", "").strip()[:40]
    rows = queries.list_versions(read_session(), text=text)
    imports = queries.list_imports(read_session())
    return render_template("laws/admin_list.html", rows=rows, text=text, today=clock.today(), imports=imports)


@admin_blueprint.post("/import")
@requires("laws:law:write")
def import_texts() -> Response:
    """Take uploaded texts of laws, hundreds and archives too; each succeeds or is rejected by itself, in the background."""
    form = UploadLawsForm()
    files = [file for file in form.files.data or () if file.filename] if form.validate_on_submit() else []
    if not files:
        flash("请选择法律文本文件（docx、txt、md，或打包的 zip）后再导入。", "danger")
        return redirect(url_for("laws_admin.list_laws"))
    with request_transaction() as context:
        row = actions.upload_laws(context, files=[(file.filename or "", file.read()) for file in files])
        import_id = row.id
    return redirect(url_for("laws_admin.show_import", import_id=import_id))


@admin_blueprint.get("/imports/<int:import_id>")
@requires("laws:law:write")
def show_import(import_id: int) -> str:
    """Show how far an import is, and its one summary."""
    return render_template("laws/import.html", row=queries.get_import(read_session(), import_id))


@admin_blueprint.route("/versions/<int:version_id>/dates", methods=["GET", "POST"])
@requires("laws:law:write")
def set_dates(version_id: int) -> Response | str:
    """Set from when a version is in force."""
    row = queries.get_version_row(read_session(), version_id)
    form = DatesForm(data={"effective_on": row.effective_on, "repealed_on": row.repealed_on})
    if not form.validate_on_submit():
        return render_template("laws/dates.html", row=row, form=form)
    with request_transaction() as context:
        actions.set_dates(
            context,
            version_id=version_id,
            effective_on=form.effective_on.data,
            repealed_on=form.repealed_on.data,
        )
    flash(f"《{row.law}》（{row.version_on}）的日期已保存。", "success")
    return redirect(url_for("laws_admin.list_laws"))


@admin_blueprint.post("/versions/<int:version_id>/withdraw")
@requires("laws:law:write")
def withdraw_text(version_id: int) -> Response:
    """Take back a text that was imported by mistake."""
    with request_transaction() as context:
        row = queries.get_version_row(context.session, version_id)
        count = actions.withdraw_text(context, version_id=version_id)
    flash(f"《{row.law}》（{row.version_on}）的原文 {count} 条已撤下。", "success")
    return redirect(url_for("laws_admin.list_laws"))


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """What became of an article, with both texts side by side."""

    change: ArticleChange
    texts: SideBySide


@admin_blueprint.get("/compare/<int:old_id>/<int:new_id>")
@requires("laws:law:write")
def compare(old_id: int, new_id: int) -> str:
    """Show two versions of a law side by side, article by article."""
    session = read_session()
    old, new = queries.get_version_row(session, old_id), queries.get_version_row(session, new_id)
    if old.law != new.law:
        raise NotFoundError("这是两部不同的法律，不能对照。请从法律法规重新选择。")
    compared = queries.compare_versions(session, old_id, new_id)
    texts = [{a.label: a.text for a in queries.list_articles(session, each)} for each in (old_id, new_id)]
    only = request.args.get("only", "")
    rows = [
        ComparedRow(each, compare_texts(texts[0].get(each.old or "", ""), texts[1].get(each.new or "", "")))
        for each in compared.changes
        if only in {"", str(each.change)}
    ]
    return render_template(
        "laws/compare.html",
        old=old,
        new=new,
        compared=compared,
        rows=rows,
        only=only if only in set(ArticleOutcome) else "",
    )

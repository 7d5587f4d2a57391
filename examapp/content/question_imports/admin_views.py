"""Views of imports: upload, preview, confirmation, undo."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.content.question_editing.forms import ConfirmForm, QuestionUploadForm
from examapp.content.question_imports import actions
from examapp.content.question_imports.render_xlsx import write_for_sender
from examapp.content.question_imports.rules import (
    HOW_READ,
    CorrectedQuestion,
    group_problems,
    is_correctable,
    one_line,
    source_lines,
)
from examapp.content.question_intake import actions as question_intake_actions
from examapp.content.question_intake.rules import describe
from examapp.content.questions import queries as question_queries
from examapp.content.questions.admin_views import admin_blueprint, may_review_alone
from examapp.content.questions.models import QuestionImport, QuestionState
from examapp.db.session import read_session
from examapp.documents.decoding import decode_text
from examapp.documents.spreadsheets import SheetColumn, csv_text
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import requires
from examapp.web.params import chosen_number, chosen_page, page_count
from examapp.web.submit import request_transaction, submit
from question_bank.formats import registry
from question_bank.formats.heuristics.table_columns import column_choices
from question_bank.model import ReadQuestion

PERMISSIONS = {"questions:bank:import": {Role.PUBLICITY_OFFICE}}


_PAGE = 10
"""Problems on a page."""
_GROUPS = 6
"""Sorts of problems of one list on the preview."""
_PROBLEMS = {
    "refused": "不能导入", "doubtful": "答案待核对", "duplicates": "重复的题", "losses": "请留意（已自动处理）", "remarks": "文件的说明", "imported": "读出的题",
}  # fmt: skip
"""Lists of a preview, in the order in which they matter."""
_TEXT_FORMATS = frozenset({"text", "csv", "aiken", "gift", "examtext", "missingword", "moodle-cloze"})
"""Formats of files that are plain text: their lines are shown beside the questions."""
_PASTED = "粘贴的文字.txt"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LABELS = {each.name: each.label for each in registry.FORMATS} | {registry.AUTO: "自动识别"}


@admin_blueprint.route("/imports/", methods=["GET", "POST"])
@requires("questions:bank:import")
def list_imports() -> AnyResponse | str:
    """Show past imports and the upload form."""
    form = QuestionUploadForm()
    if form.validate_on_submit():
        file, second = form.file.data, form.answers.data
        import_id = 0
        with submit(form=form, field="file") as context:
            import_id = actions.upload_import(
                context,
                content=file.read() if file else form.text.data.encode(),
                file_name=(file.filename or "") if file else _PASTED,
                format_name=form.format.data,
                answers=(second.read(), second.filename or "") if second else None,
            ).id
        if import_id:
            return redirect(url_for(".show_import", import_id=import_id))
    session = read_session()
    rows = question_intake_actions.list_imports(session)
    names = question_queries.names_of(session, [row.created_by_id for row in rows])
    return render_template("questions/imports.html", form=form, rows=rows, names=names)


@admin_blueprint.get("/imports/<int:import_id>")
@requires("questions:bank:import")
def show_import(import_id: int) -> str:
    """Show the preview of a file: what can be imported, with what is lost, what is in doubt and what is rejected, each with its place."""
    session = read_session()
    row = question_intake_actions.get_import(session, import_id)
    earlier = question_intake_actions.find_earlier_import(session, row)
    label = _LABELS.get(row.format, row.format)
    form = ConfirmForm()
    if not may_review_alone():
        form.state.choices = form.state.choices[:1]
    return render_template(
        "questions/import.html",
        row=row, label=label, form=form, earlier=earlier, group_problems=group_problems, max_groups=_GROUPS, column_choices=column_choices(), how_read=HOW_READ,
    )  # fmt: skip


@admin_blueprint.route("/imports/<int:import_id>/problems", methods=["GET", "POST"])
@requires("questions:bank:import")
def show_import_problems(import_id: int) -> AnyResponse | str | tuple[str, int]:
    """Show the problems of one sort page by page, doubtful questions beside their source; take corrections of these."""
    name = request.args.get("list", "doubtful")
    if name not in _PROBLEMS:
        abort(404)
    typed: dict[str, CorrectedQuestion] = {}
    if request.method == "POST":
        typed = _typed()
        is_taken = False
        with submit(f"已改好 {len(typed)} 题，正在与题库比较。") as context:
            actions.correct_questions(context, import_id=import_id, corrections=list(typed.values()))
            is_taken = True
        if is_taken:
            return redirect(request.full_path, 303)
    row = question_intake_actions.get_import(read_session(), import_id)
    chosen = chosen_number("group")
    notes = map(_note_of, actions.list_read_questions(row)) if name == "imported" else row.summary.get(name, [])
    notes = list(notes)
    if chosen is not None:
        notes = next((group.notes for group in group_problems(notes) if group.number == chosen), [])
        if not notes and row.client_state == "ready":  # all of the sort are put right
            return redirect(url_for(".show_import", import_id=import_id), 303)
    last_page = page_count(len(notes), _PAGE)
    page = chosen_page(last_page)
    shown = render_template(
        "questions/import_problems.html",
        row=row, name=name, title=_PROBLEMS[name], notes=notes[(page - 1) * _PAGE : page * _PAGE], count=len(notes), page=page, last_page=last_page,
        page_url=lambda number: url_for(".show_import_problems", import_id=import_id, list=name, group=chosen, page=number),
        source_of=_sources_of(row), is_correctable=is_correctable, one_line=one_line, typed=typed,
    )  # fmt: skip
    return (shown, 422) if request.method == "POST" else shown


def _note_of(item: ReadQuestion) -> dict[str, Any]:
    """Return a question that was read in the shape of a problem, its stem in the place of the reason."""
    question = describe(item.question)
    return {"where": item.where, "reason": question["stem"], "code": "imported", "question": question}


def _typed() -> dict[str, CorrectedQuestion]:
    """Return by place what the form says about the questions whose answer is filled in."""
    numbers = [key.removesuffix("-where") for key in request.form if key.endswith("-where")]
    corrections = [
        CorrectedQuestion(
            **{part: request.form.get(f"{number}-{part}", "") for part in ("where", "kind", "options", "answer")}
        )
        for number in numbers
        if request.form.get(f"{number}-answer", "").strip()
    ]
    return {correction.where: correction for correction in corrections}


def _sources_of(row: QuestionImport) -> Callable[[dict[str, str]], Sequence[tuple[int | str, str]]]:
    """Return what gives the lines of the file around a problem: those that its reading has kept, or those of a plain text."""
    kept = actions.read_sources(row)
    text = decode_text(row.content) if row.content and row.format in _TEXT_FORMATS else ""
    return lambda note: kept.get(note["where"]) or source_lines(text, note["where"])


@admin_blueprint.post("/imports/<int:import_id>/columns")
@requires("questions:bank:import")
def set_import_columns(import_id: int) -> AnyResponse:
    """Read a previewed table again, with what the form says that its columns hold."""
    choices = column_choices()
    row = question_intake_actions.get_import(read_session(), import_id)
    said: list[dict[str, str]] = []
    for number, table in enumerate(row.summary.get("tables", [])):
        is_headless = f"t{number}-headless" in request.form
        codes = [request.form.get(f"t{number}-c{index}", "") for index in range(len(table["keys"]))]
        said.append(
            {
                f"#{index}" if is_headless else key: code if code in {*choices, *table["fields"]} else ""
                for index, (key, code) in enumerate(zip(table["keys"], codes, strict=True))
            }
        )
    with submit(back=url_for(".show_import", import_id=import_id)) as context:
        actions.set_columns(context, import_id=import_id, tables=said)
    return redirect(url_for(".show_import", import_id=import_id))


@admin_blueprint.post("/imports/<int:import_id>/confirm")
@requires("questions:bank:import")
def confirm_import(import_id: int) -> AnyResponse:
    """Confirm the import of a previewed file."""
    form = ConfirmForm()
    state = QuestionState(form.state.data) if form.validate_on_submit() else QuestionState.DRAFT
    with request_transaction() as context:
        actions.confirm_import(
            context,
            import_id=import_id,
            state=state,
            is_alone_allowed=may_review_alone(),
            is_census_seen=form.is_census_seen.data,
        )
    return redirect(url_for(".show_import", import_id=import_id))


@admin_blueprint.post("/imports/<int:import_id>/undo")
@requires("questions:bank:import")
def undo_import(import_id: int) -> AnyResponse:
    """Undo an import as one act."""
    with request_transaction() as context:
        deleted, retired = actions.undo_import(context, import_id=import_id)
    text = f"，{retired} 道已用于试卷的题改为停用" if retired else ""
    flash(f"已撤销这次导入：删除 {deleted} 道题{text}。", "success")
    return redirect(url_for(".show_import", import_id=import_id))


@admin_blueprint.post("/imports/<int:import_id>/discard")
@requires("questions:bank:import")
def discard_import(import_id: int) -> AnyResponse:
    """Discard a file that was not imported."""
    with request_transaction("文件已放弃，题库没有变化。") as context:
        actions.discard_import(context, import_id=import_id)
    return redirect(url_for(".list_imports"))


@admin_blueprint.get("/imports/<int:import_id>/notes")
@requires("questions:bank:import")
def download_notes(import_id: int) -> Response:
    """Return all that was rejected, doubtful or lost as a table."""
    row = question_intake_actions.get_import(read_session(), import_id)
    columns = [SheetColumn(head=head) for head in ("结果", "位置", "原因", "题干")]
    lists = (
        ("不能导入", "refused"),
        ("答案待核对", "doubtful"),
        ("没有保留", "losses"),
        ("题目以外", "remarks"),
        ("重复", "duplicates"),
    )
    rows = [
        (word, note["where"], note["reason"], note.get("question", {}).get("stem", ""))
        for word, name in lists
        for note in row.summary.get(name, [])
    ]
    response = Response("\ufeff" + csv_text(columns, rows), content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"导入核对-{import_id}.csv")
    return response


@admin_blueprint.get("/imports/<int:import_id>/returned")
@requires("questions:bank:import")
def download_returned(import_id: int) -> Response:
    """Return what the file's sender has to put right, as a workbook that can be filled in and uploaded."""
    row = question_intake_actions.get_import(read_session(), import_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "returned.xlsx"
        write_for_sender(path, row.summary, file_name=row.file_name)
        content = io.BytesIO(path.read_bytes())
    return send_file(content, mimetype=_XLSX, as_attachment=True, download_name=f"待补正-{import_id}.xlsx")

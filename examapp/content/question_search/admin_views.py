"""Views of the question list: search, filters, bulk changes, export."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.content.question_editing.forms import BulkForm, FilterForm, StateForm
from examapp.content.question_law_changes import queries as question_law_change_queries
from examapp.content.question_review import actions as question_review_actions
from examapp.content.question_search import actions, queries
from examapp.content.question_search.actions import MAX_AT_ONCE, BulkChange
from examapp.content.question_search.queries import PAGE_SIZE, QuestionFilter
from examapp.content.questions.admin_views import admin_blueprint, may_review_alone
from examapp.content.questions.models import QuestionState
from examapp.db.session import read_session
from examapp.errors import BadRequestError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, requires
from examapp.platform.audit.actions import record
from examapp.web.params import page_count, read_whole
from examapp.web.submit import name_some, request_transaction
from question_bank.formats import registry
from question_bank.formats.export import ExportedFile

PERMISSIONS = {"questions:bank:export": {Role.PUBLICITY_OFFICE}}


MAX_EXPORTED = 5000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@admin_blueprint.get("/")
@menu_entry("题库", position=110, group="题库")
@requires("questions:question:read")
def list_questions() -> str:
    """Show the questions of a filter, 50 a page; the filter is in the query string."""
    form = FilterForm(request.args)
    wanted = wanted_of(form)
    session = read_session()
    count = queries.count_questions(session, wanted)
    pages = page_count(count, PAGE_SIZE)
    page = min(max(1, form.page.data or 1), pages)
    return render_template(
        "questions/list.html",
        form=form,
        rows=queries.list_questions(session, wanted, page=page),
        count=count,
        page=page,
        pages=pages,
        laws=queries.list_law_names(session),
        topics=queries.list_topics(session),
        authors=queries.list_authors(session),
        flagged=question_law_change_queries.count_flagged(session),
        page_url=lambda number: here(".list_questions", page=str(number)),
        export_url=here(".choose_export"),
        ticked_url=here(".act_on_ticked"),
    )


def wanted_of(form: FilterForm) -> QuestionFilter:
    """Return the filter of a query string; invalid values do not narrow it."""

    def choice(field: Any) -> str:
        known = {choice.value for choice in field.choices}
        return field.data if field.data in known else ""

    def number(field: Any) -> int | None:
        return field.data if field.data and field.data > 0 else None

    return QuestionFilter(
        text=(form.q.data or "").strip()[:200],
        law=(form.law.data or "").strip(),
        article=(form.article.data or "").strip()[:40],
        topic=(form.topic.data or "").strip(),
        knowledge_point=(form.point.data or "").strip(),
        kind=choice(form.kind),
        difficulty=choice(form.difficulty),
        state=choice(form.state),
        flag=choice(form.flag),
        author_id=number(form.author),
        import_id=number(form.import_id),
    )


def here(endpoint: str, **more: str) -> str:
    """Return the address of a view with the filters of this one."""
    filters = {name: value for name, value in request.args.items() if name != "page" and value} | more
    return f"{url_for(endpoint)}?{urlencode(filters)}" if filters else url_for(endpoint)


@admin_blueprint.post("/ticked")
@requires("questions:question:read")
def act_on_ticked() -> AnyResponse:
    """Redirect the ticked questions to the chosen act, which checks its own permission."""
    return redirect(here(".preview_bulk" if "scope" in request.form else ".set_states"), code=307)


@admin_blueprint.post("/states")
@requires("questions:question:review")
def set_states() -> AnyResponse:
    """Set the state of the ticked questions; name those that cannot change, by their reason."""
    form = StateForm()
    if not form.validate_on_submit() or not form.ids.data:
        flash("请先勾选题目，再选择要做的操作。", "danger")
        return redirect(here(".list_questions"))
    with request_transaction() as context:
        moved, reasons = question_review_actions.set_states(
            context,
            ids=form.ids.data[:1000],
            state=QuestionState(form.state.data),
            is_alone_allowed=may_review_alone(),
        )
    if moved:
        flash(f"{moved} 道题已改为“{question_review_actions.STATE_NAMES[QuestionState(form.state.data)]}”。", "success")
    for reason, codes in reasons.items():
        flash(f"{len(codes)} 道题没有改动（{name_some(codes)}）：{reason}", "warning")
    return redirect(here(".list_questions"))


@admin_blueprint.get("/export/choose")
@requires("questions:bank:export")
def choose_export() -> str:
    """Ask for the format of an export."""
    count = queries.count_questions(read_session(), wanted_of(FilterForm(request.args)))
    filters = {name: value for name, value in request.args.items() if value and name not in {"page", "format"}}
    return render_template(
        "questions/export.html", count=count, limit=MAX_EXPORTED, formats=registry.writable(), filters=filters
    )


@admin_blueprint.get("/export")
@requires("questions:bank:export")
def export_questions() -> Response:
    """Return the questions of a filter as a file that can be imported again; what the format cannot say is in a file beside it."""
    wanted = wanted_of(FilterForm(request.args))
    session = read_session()
    count = queries.count_questions(session, wanted)
    if count > MAX_EXPORTED:
        reason = f"一次最多导出 {MAX_EXPORTED} 题，现在有 {count} 题。请用法律、题型等条件缩小范围后再导出。"
        raise BadRequestError(reason)
    known = {each.name: each for each in registry.writable()}
    chosen = known.get(request.args.get("format", "excel"), known["excel"])
    written = registry.write_file(list(queries.iter_questions(session, wanted)), chosen.name)
    with request_transaction() as context:
        details = {"count": count, "format": chosen.name, "losses": len(written.dropped)}
        record(context, "questions.export", object_type="question", details=details)
    name = f"题库-{clock.today()}"
    if not written.dropped or "bare" in request.args:
        return _download(written.content, f"{name}{chosen.suffix}")
    return _download(_with_dropped_content(written, f"{name}{chosen.suffix}"), f"{name}-{chosen.name}.zip")


def _with_dropped_content(written: ExportedFile, name: str) -> bytes:
    """Zip a file with the list of what it could not say."""
    lines = [f"{note.where}：{note.reason}" for note in written.dropped]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, written.content)
        archive.writestr("没有写入的内容.txt", "\ufeff" + "\r\n".join(lines) + "\r\n")
    return packed.getvalue()


@admin_blueprint.get("/template")
@requires("questions:bank:import")
def download_template() -> Response:
    """Return the empty workbook to fill in."""
    from question_bank.formats.excel import template

    return _download(template(), "题库导入模板.xlsx")


def _download(content: bytes, name: str) -> Response:
    kind = _XLSX if name.endswith(".xlsx") else "application/octet-stream"
    response = Response(content, content_type=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


_SHOWN = 200


@admin_blueprint.post("/bulk/preview")
@requires("questions:question:write")
def preview_bulk() -> AnyResponse | str:
    """Ask what to change of the chosen questions, then show the preview."""
    ids = _ids_chosen()
    if not ids:
        flash("请先勾选题目，再选择成批修改。", "danger")
        return redirect(here(".list_questions"))
    form = BulkForm()
    form.ids.data = ",".join(map(str, ids))
    if "asked" not in request.form:
        return render_template("questions/bulk.html", form=form, count=len(ids), rows=None, rejection="")
    try:
        rows = actions.preview_bulk(read_session(), ids=ids, change=_change(form))
    except BadRequestError as error:
        return render_template("questions/bulk.html", form=form, count=len(ids), rows=None, rejection=error.text)
    return render_template(
        "questions/bulk.html",
        form=form,
        count=len(ids),
        rows=rows[:_SHOWN],
        changed=len(rows),
        shown=_SHOWN,
        texts={row.id: row.text for row in queries.list_rows(read_session(), [row.id for row in rows[:_SHOWN]])},
        rejection="",
    )


@admin_blueprint.post("/bulk/apply")
@requires("questions:question:write")
def apply_bulk() -> AnyResponse:
    """Apply the previewed change to the previewed questions."""
    form = BulkForm()
    ids = _numbers(form.ids.data or "")
    if not form.csrf_token.validate(form) or not ids:
        flash("没有选中题目，题库没有变化。", "danger")
        return redirect(url_for(".list_questions"))
    with request_transaction() as context:
        changed = actions.apply_bulk(context, ids=ids, change=_change(form))
    flash(f"已修改 {changed} 道题的属性，题干和答案没有变化。", "success")
    return redirect(url_for(".list_questions"))


def _ids_chosen() -> list[int]:
    if "asked" in request.form:
        return _numbers(request.form.get("ids", ""))
    if request.form.get("scope") == "all":
        return queries.list_ids(read_session(), wanted_of(FilterForm(request.args)), limit=MAX_AT_ONCE + 1)
    return StateForm().ids.data or []


def _numbers(text: str) -> list[int]:
    return [number for part in text.split(",")[: MAX_AT_ONCE + 1] if (number := read_whole(part)) is not None]


def _change(form: BulkForm) -> BulkChange:
    def chosen(value: str | None) -> str | None:
        return None if value in {None, "keep"} else (value or "").removeprefix("none")

    return BulkChange(
        difficulty=chosen(form.difficulty.data),
        topic=chosen(form.topic.data),
        added_point=(form.added_point.data or "").strip()[:60],
        removed_point=(form.removed_point.data or "").strip()[:60],
    )

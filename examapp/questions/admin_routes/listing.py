"""The list of questions: search, filters, states of many at once, export."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.audit.operations import record
from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import BadRequestError
from examapp.core.permissions import Permission
from examapp.people.access import actor, requires
from examapp.questions import operations, queries
from examapp.questions.admin_routes.frame import admin_blueprint
from examapp.questions.forms import FilterForm, StateForm
from examapp.questions.models import QuestionState
from examapp.questions.queries import PAGE_SIZE, Filter
from question_bank.formats import excel, registry

MOST_EXPORTED = 5000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@admin_blueprint.get("/")
@requires(Permission.QUESTIONS_READ)
def list_questions() -> str:
    """Show the questions of a filter, 50 a page; the filter stands in the address."""
    form = FilterForm(request.args)
    wanted = _wanted(form)
    session = reading()
    count = queries.count_questions(session, wanted)
    pages = max(1, -(-count // PAGE_SIZE))
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
        page_url=lambda number: _here(".list_questions", page=str(number)),
        export_url=_here(".export_questions"),
        states_url=_here(".set_states"),
    )


def _wanted(form: FilterForm) -> Filter:
    def choice(field: Any) -> str:
        known = {choice.value for choice in field.choices}
        return field.data if field.data in known else ""

    return Filter(
        words=(form.q.data or "").strip()[:200],
        law=(form.law.data or "").strip(),
        topic=(form.topic.data or "").strip(),
        knowledge_point=(form.point.data or "").strip(),
        kind=choice(form.kind),
        difficulty=choice(form.difficulty),
        state=choice(form.state),
        is_doubtful=bool(form.doubtful.data),
        import_id=form.import_id.data if (form.import_id.data or 0) < 2**63 else None,
    )


def _here(endpoint: str, **more: str) -> str:
    """Give the address of a view with the filters of this one."""
    filters = {name: value for name, value in request.args.items() if name != "page" and value} | more
    return f"{url_for(endpoint)}?{urlencode(filters)}" if filters else url_for(endpoint)


@admin_blueprint.post("/states")
@requires(Permission.QUESTIONS_REVIEW)
def set_states() -> AnyResponse:
    """Bring the ticked questions to a state; what cannot go there is counted with its reason."""
    form = StateForm()
    if not form.validate_on_submit() or not form.ids.data:
        flash("请先勾选题目，再选择要做的操作。", "error")
        return redirect(_here(".list_questions"))
    with transaction() as session:
        moved, reasons = operations.set_states(
            session, ids=form.ids.data[:1000], state=QuestionState(form.state.data), actor=actor(), now=clock.now()
        )
    flash(f"{moved} 道题已改为「{operations.STATE_NAMES[QuestionState(form.state.data)]}」。", "success")
    for reason, count in reasons.items():
        flash(f"{count} 道题没有改动：{reason}", "warning")
    return redirect(_here(".list_questions"))


@admin_blueprint.get("/export")
@requires(Permission.QUESTIONS_EXPORT)
def export_questions() -> Response:
    """Give the questions of a filter as a workbook that can be imported again."""
    wanted = _wanted(FilterForm(request.args))
    session = reading()
    count = queries.count_questions(session, wanted)
    if count > MOST_EXPORTED:
        raise BadRequestError(
            f"一次最多导出 {MOST_EXPORTED} 题，现在有 {count} 题。请用法律、题型等条件缩小范围后再导出。"
        )
    written = registry.write_file(list(queries.iter_questions(session, wanted)), "excel")
    with transaction() as session:
        details = {"count": count, "losses": len(written.losses)}
        record(session, "questions.export", actor=actor(), now=clock.now(), object_type="question", details=details)
    return _download(written.content, f"题库-{clock.today()}.xlsx")


@admin_blueprint.get("/template")
@requires(Permission.QUESTIONS_IMPORT)
def download_template() -> Response:
    """Give the empty workbook to fill in."""
    return _download(excel.template(), "题库导入模板.xlsx")


def _download(content: bytes, name: str) -> Response:
    response = Response(content, content_type=_XLSX)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response

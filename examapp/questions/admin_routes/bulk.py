"""Change many questions at once: which, what, the preview, the change."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import BadRequestError
from examapp.core.numbers import read_whole
from examapp.core.permissions import Permission
from examapp.people.access import actor, requires
from examapp.questions import operations, queries
from examapp.questions.admin_routes.frame import admin_blueprint
from examapp.questions.admin_routes.listing import here, wanted_of
from examapp.questions.forms import BulkForm, FilterForm, StateForm
from examapp.questions.operations import MOST_AT_ONCE, BulkChange

_SHOWN = 200


@admin_blueprint.post("/bulk/preview")
@requires(Permission.QUESTIONS_WRITE)
def preview_bulk() -> AnyResponse | str:
    """Ask what to change of the questions chosen in the list; once that is said, show what it comes to."""
    ids = _ids_chosen()
    if not ids:
        flash("请先勾选题目，再选择成批修改。", "error")
        return redirect(here(".list_questions"))
    form = BulkForm()
    form.ids.data = ",".join(map(str, ids))
    if "asked" not in request.form:
        return render_template("questions/bulk.html", form=form, count=len(ids), rows=None, refusal="")
    try:
        rows = operations.preview_bulk(reading(), ids=ids, change=_change(form))
    except BadRequestError as error:
        return render_template("questions/bulk.html", form=form, count=len(ids), rows=None, refusal=error.text)
    return render_template(
        "questions/bulk.html",
        form=form,
        count=len(ids),
        rows=rows[:_SHOWN],
        changed=len(rows),
        shown=_SHOWN,
        texts={row.id: row.text for row in queries.list_rows(reading(), [row.id for row in rows[:_SHOWN]])},
        refusal="",
    )


@admin_blueprint.post("/bulk/apply")
@requires(Permission.QUESTIONS_WRITE)
def apply_bulk() -> AnyResponse:
    """Make the change that was previewed, on the very questions that were previewed."""
    form = BulkForm()
    ids = _numbers(form.ids.data or "")
    if not form.csrf_token.validate(form) or not ids:
        flash("没有选中题目，题库没有变化。", "error")
        return redirect(url_for(".list_questions"))
    with transaction() as session:
        changed = operations.apply_bulk(session, ids=ids, change=_change(form), actor=actor(), now=clock.now())
    flash(f"已修改 {changed} 道题的属性，题干和答案没有变化。", "success")
    return redirect(url_for(".list_questions"))


def _ids_chosen() -> list[int]:
    if "asked" in request.form:
        return _numbers(request.form.get("ids", ""))
    if request.form.get("scope") == "all":
        return queries.list_ids(reading(), wanted_of(FilterForm(request.args)), most=MOST_AT_ONCE + 1)
    return StateForm().ids.data or []


def _numbers(text: str) -> list[int]:
    return [number for part in text.split(",")[: MOST_AT_ONCE + 1] if (number := read_whole(part)) is not None]


def _change(form: BulkForm) -> BulkChange:
    def chosen(value: str | None) -> str | None:
        return None if value in {None, "keep"} else (value or "").removeprefix("none")

    return BulkChange(
        difficulty=chosen(form.difficulty.data),
        topic=chosen(form.topic.data),
        added_point=(form.added_point.data or "").strip()[:60],
        removed_point=(form.removed_point.data or "").strip()[:60],
    )

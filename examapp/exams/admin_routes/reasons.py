"""The reasons for exemptions and deferrals: the office words, adds and retires them."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.acting import telling
from examapp.core.db import reading
from examapp.core.html import normalise
from examapp.core.permissions import Permission
from examapp.exams.admin_routes.exams import admin_blueprint
from examapp.exams.forms import ReasonForm
from examapp.exams.operations import reasons
from examapp.exams.queries.exemptions import list_reasons
from examapp.people.access import actor, requires


@admin_blueprint.get("/exemptions/reasons")
@requires(Permission.EXEMPTIONS_APPROVE)
def show_reasons() -> str:
    """List the reasons that requests may name."""
    rows = list_reasons(reading(), with_retired=True)
    return render_template("exams/reasons.html", rows=rows, form=ReasonForm(formdata=None))


@admin_blueprint.post("/exemptions/reasons")
@requires(Permission.EXEMPTIONS_APPROVE)
def add_reason() -> Response:
    """Offer one more reason."""
    return _act(
        ReasonForm(),
        lambda session, form: reasons.add_reason(
            session,
            words=normalise(form.words.data),
            needs_details=form.needs_details.data,
            actor=actor(),
            now=clock.now(),
        ),
        "已增加，从现在起可以选用。",
    )


@admin_blueprint.post("/exemptions/reasons/<int:reason_id>")
@requires(Permission.EXEMPTIONS_APPROVE)
def change_reason(reason_id: int) -> Response:
    """Word a reason anew."""
    return _act(
        ReasonForm(),
        lambda session, form: reasons.change_reason(
            session,
            reason_id=reason_id,
            words=normalise(form.words.data),
            needs_details=form.needs_details.data,
            actor=actor(),
            now=clock.now(),
        ),
        "已修改。以前的申请保留当时的原因。",
    )


@admin_blueprint.post("/exemptions/reasons/<int:reason_id>/offer")
@requires(Permission.EXEMPTIONS_APPROVE)
def offer_reason(reason_id: int) -> Response:
    """Offer a reason again."""
    return _offer(reason_id, is_offered=True, words="已恢复使用。")


@admin_blueprint.post("/exemptions/reasons/<int:reason_id>/retire")
@requires(Permission.EXEMPTIONS_APPROVE)
def retire_reason(reason_id: int) -> Response:
    """Offer a reason no longer."""
    return _offer(reason_id, is_offered=False, words="已停用，今后的申请不再提供这一项。")


def _offer(reason_id: int, *, is_offered: bool, words: str) -> Response:
    return _act(
        None,
        lambda session, _form: reasons.offer_reason(
            session, reason_id=reason_id, is_offered=is_offered, actor=actor(), now=clock.now()
        ),
        words,
    )


def _act(form: ReasonForm | None, act: Callable[..., object], words: str) -> Response:
    if form is not None and not form.validate():
        flash("没有保存：" + " ".join(str(error) for errors in form.errors.values() for error in errors), "danger")
        return redirect(url_for(".show_reasons"), 303)
    with telling(words) as session:
        act(session, form)
    return redirect(url_for(".show_reasons"), 303)

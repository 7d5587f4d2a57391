"""Publish, withdraw, cancel, prolong, extend and close an exam."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import cast

from flask import current_app, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp import clock
from examapp.clock import from_local, local
from examapp.db.session import read_session
from examapp.delivery.exam_publication import actions
from examapp.delivery.exams import actions as exam_actions
from examapp.delivery.exams import queries as exam_queries
from examapp.delivery.exams.admin_views import admin_blueprint, indented
from examapp.delivery.exams.forms import ExtensionForm, ProlongForm, ReleaseForm, offer
from examapp.delivery.exams.models import Exam, ExamState, ReleasePolicy
from examapp.delivery.exams.rules import Window
from examapp.errors import NotFoundError
from examapp.organisation.access.queries import get_named_person
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.accounts.guards import my_access, requires
from examapp.platform.audit.actions import ActionContext
from examapp.web.forms import FlaskForm
from examapp.web.submit import submit


def _act(exam_id: int, act: Callable[..., object], text: str) -> Response:
    access = my_access("exams:exam:write")
    with submit(text) as context:
        act(context, exam_id=exam_id, access=access)
    return redirect(url_for("exams_admin.show_exam", exam_id=exam_id))


@admin_blueprint.post("/<int:exam_id>/publish")
@requires("exams:exam:write")
def publish_exam(exam_id: int) -> Response:
    """Publish a draft."""
    return _act(exam_id, actions.publish_exam, "考试已发布，正在为每位应考人员生成试卷。")


@admin_blueprint.post("/<int:exam_id>/register")
@requires("exams:exam:write")
def register_exam(exam_id: int) -> Response:
    """Publish a draft that was held on another platform."""
    return _act(exam_id, actions.register_exam, "已登记。请导入那边的成绩。")


@admin_blueprint.post("/<int:exam_id>/withdraw")
@requires("exams:exam:write")
def withdraw_exam(exam_id: int) -> Response:
    """Make a published exam a draft again."""
    return _act(exam_id, actions.withdraw_exam, "考试已撤回为草稿，考生暂时看不到。改好后请重新发布。")


@admin_blueprint.post("/<int:exam_id>/cancel")
@requires("exams:exam:write")
def cancel_exam(exam_id: int) -> Response:
    """Cancel an exam that has not opened."""
    return _act(exam_id, actions.cancel_exam, "考试已取消。")


@admin_blueprint.post("/<int:exam_id>/close")
@requires("exams:exam:write")
def close_exam(exam_id: int) -> Response:
    """Close an open exam now."""
    return _act(exam_id, actions.close_exam, "考试已结束，不能再开始作答；正在作答的人可以答到各自的截止时间。")


def _page(exam: Exam, form: FlaskForm, template: str) -> str:
    are_out = _keys_out()(read_session(), exam, now=clock.now())
    return render_template(f"exams/{template}.html", exam=exam, form=form, are_keys_out=are_out)


def _keys_out() -> exam_actions.KeysOut:
    """Give the function that tells whether an exam's keys are out, which `results` provides."""
    return cast("exam_actions.KeysOut", current_app.extensions["are_keys_out"])


def _get(session: Session, exam_id: int) -> Exam:
    access = my_access("exams:exam:write")
    exam_queries.ensure_exam_in_scope(session, exam_id, access)
    exam = exam_queries.get_exam(session, exam_id)
    if exam.state == ExamState.CANCELLED or not exam_actions.may_hold(session, exam.audiences, access):
        raise NotFoundError
    return exam


@admin_blueprint.route("/<int:exam_id>/prolong", methods=["GET", "POST"])
@requires("exams:exam:write")
def prolong_window(exam_id: int) -> str | Response:
    """Move the end of the window to a later instant."""
    exam = _get(read_session(), exam_id)
    form = ProlongForm(data={"closes_at": local(exam.closes_at)})
    if form.validate_on_submit():
        with submit("考试结束时间已推迟。", form=form) as context:
            actions.prolong_window(
                context,
                exam_id=exam_id,
                closes_at=from_local(form.closes_at.data),
                keys_out=_keys_out(),
                is_known=form.is_known.data,
                access=my_access("exams:exam:write"),
            )
        if not form.is_rejected:
            return redirect(url_for("exams_admin.show_exam", exam_id=exam_id))
    return _page(exam, form, "prolong")


@admin_blueprint.route("/<int:exam_id>/release", methods=["GET", "POST"])
@requires("exams:exam:write")
def change_release(exam_id: int) -> str | Response:
    """Change when results and keys are shown."""
    exam = _get(read_session(), exam_id)
    times = {name: value and local(value) for name in ("results_at", "keys_at") if (value := getattr(exam, name))}
    form = ReleaseForm(data={"results_policy": exam.results_policy, "keys_policy": exam.keys_policy, **times})
    if form.validate_on_submit():
        with submit("公布方式已修改，立即生效。", form=form) as context:
            actions.change_release(
                context,
                exam_id=exam_id,
                results_policy=ReleasePolicy(form.results_policy.data),
                results_at=form.results_instant,
                keys_policy=ReleasePolicy(form.keys_policy.data),
                keys_at=form.keys_instant,
                keys_out=_keys_out(),
                access=my_access("exams:exam:write"),
            )
        if not form.is_rejected:
            return redirect(url_for("exams_admin.show_exam", exam_id=exam_id))
    return _page(exam, form, "release")


@admin_blueprint.route("/<int:exam_id>/extensions", methods=["GET", "POST"])
@requires("exams:exam:write")
def extend(exam_id: int) -> str | Response:
    """Grant extra time to a unit or to one person, to a person also a window and more attempts; a second press of the button counts once."""
    exam, access = _get(read_session(), exam_id), my_access("exams:exam:write")
    named = request.args.get("staff_number", "")[:40]
    form = ExtensionForm(data={"request_key": secrets.token_urlsafe(16), "staff_number": named})
    units = exam_queries.list_units_within(read_session(), access)
    form.unit_id.choices = offer("不按单位", [(unit.id, indented(unit)) for unit in units])
    if form.validate_on_submit():
        with submit(form=form) as context:
            is_new = _extend(context, exam_id, form, access)
        if not form.is_rejected:
            text = "已办理。延长的时间，正在作答的人一分钟内会看到；另定的时间和增加的次数立即有效，请通知本人。"
            flash(text if is_new else "这次已经办理过，没有重复办理。", "success")
            return redirect(url_for("exams_admin.show_exam", exam_id=exam_id))
    return _page(exam, form, "extend")


def _window_of(form: ExtensionForm) -> Window | None:
    """Give the window that one person is granted; raises InvalidExamError for half of one."""
    opens_at, closes_at = form.opens_at.data, form.closes_at.data
    if opens_at is None and closes_at is None:
        return None
    if opens_at is None or closes_at is None:
        raise exam_actions.InvalidExamError("另定时间要同时填写开始和结束时间。")
    return Window(from_local(opens_at), from_local(closes_at))


def _extend(context: ActionContext, exam_id: int, form: ExtensionForm, access: AccessScope) -> bool:
    person_id = None
    if form.staff_number.data:
        person_id = get_named_person(context.session, form.staff_number.data, access).id
    grant = actions.ExtensionGrant(
        unit_id=form.unit_id.data,
        person_id=person_id,
        seconds=(form.minutes.data or 0) * 60,
        reason=form.reason.data.strip(),
        request_key=form.request_key.data,
        window=_window_of(form),
        more_attempts=form.more_attempts.data or 0,
    )
    return actions.extend(
        context, grant, exam_id=exam_id, keys_out=_keys_out(), is_known=form.is_known.data, access=access
    )

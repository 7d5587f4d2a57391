"""The office's side of messages: the inbox of opinions, and notices from draft to withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.documents.html import html_to_text
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.platform.feedback import actions, queries
from examapp.platform.notices import actions as notice_actions
from examapp.platform.notices.actions import NoticeDraft
from examapp.platform.notices.forms import FeedbackAnswerForm, NoticeForm
from examapp.platform.notices.models import Notice
from examapp.uploads.actions import get_file
from examapp.uploads.views import serve_file
from examapp.web.params import chosen_page, read_id
from examapp.web.submit import request_transaction, submit

PERMISSIONS = {
    "messages:notice:write": {Role.PUBLICITY_OFFICE},
    "messages:feedback:answer": {Role.PUBLICITY_OFFICE},
}


admin_blueprint = Blueprint("messages_admin", __name__, url_prefix="/admin/messages")
_A_PAGE = 30
_ALL = "all"


@admin_blueprint.get("/feedback")
@menu_entry("意见", position=220, group="单位与人员")
@requires("messages:feedback:answer")
def list_feedback() -> str:
    """List opinions, unanswered ones first."""
    access, session = my_access("messages:feedback:answer"), read_session()
    number, is_waiting_only = chosen_page(), request.args.get("state") == "waiting"
    total = queries.count_feedback(session, access, is_waiting_only=is_waiting_only)
    return render_template(
        "messages/inbox.html",
        lines=queries.list_feedback(
            session, access, is_waiting_only=is_waiting_only, limit=_A_PAGE, skip=(number - 1) * _A_PAGE
        ),
        waiting=queries.count_feedback(session, access, is_waiting_only=True),
        is_waiting_only=is_waiting_only,
        number=number,
        pages=ceil(total / _A_PAGE),
    )


@admin_blueprint.route("/feedback/<int:feedback_id>", methods=["GET", "POST"])
@requires("messages:feedback:answer")
def answer_feedback(feedback_id: int) -> tuple[str, int] | Response:
    """Show an opinion, and answer it."""
    line = queries.get_feedback(read_session(), feedback_id, my_access("messages:feedback:answer"))
    form = FeedbackAnswerForm()
    if form.validate_on_submit():
        with request_transaction("答复已发出，对方下次打开平台即可看到。") as context:
            notice_actions.answer_feedback(context, feedback_id, answer=form.answer.data)
        return redirect(url_for("messages_admin.list_feedback"), 303)
    return render_template("messages/answer.html", line=line, form=form), 422 if form.errors else 200


@admin_blueprint.get("/notices")
@menu_entry("通知", position=210, group="单位与人员")
@requires("messages:notice:write")
def list_notices() -> str:
    """List the notices that the office has written, newest first."""
    access, number = my_access("messages:notice:write"), chosen_page()
    total = queries.count_office_notices(read_session(), access)
    notices = queries.list_office_notices(read_session(), access, limit=_A_PAGE, skip=(number - 1) * _A_PAGE)
    return render_template("messages/office_notices.html", notices=notices, number=number, pages=ceil(total / _A_PAGE))


@admin_blueprint.route("/notices/new", methods=["GET", "POST"])
@requires("messages:notice:write")
def write_notice() -> tuple[str, int] | Response:
    """Write a notice as a draft, to be looked at before it is published."""
    form = _notice_form()
    if form.validate_on_submit():
        with request_transaction("通知已存为草稿。请核对后发布。") as context:
            notice = notice_actions.write_notice(context, _draft(form))
            notice_id = notice.id
        return redirect(url_for("messages_admin.show_notice", notice_id=notice_id), 303)
    return render_template("messages/notice_form.html", form=form, notice=None), 422 if form.errors else 200


@admin_blueprint.get("/notices/<int:notice_id>")
@requires("messages:notice:write")
def show_notice(notice_id: int) -> str:
    """Show a notice as its readers see it, with what can be done to it now."""
    notice = queries.get_office_notice(read_session(), notice_id, my_access("messages:notice:write"))
    session, now, is_out = read_session(), clock.now(), notice.published_at is not None
    return render_template(
        "messages/office_notice.html",
        notice=notice,
        readings=queries.list_readings_by_unit(session, notice, now=now) if is_out else [],
        receipts=queries.list_receipts(session, notice, now=now) if is_out and notice.asks_receipt else [],
        files=actions.list_notice_files(session, notice_id),
    )


@admin_blueprint.post("/notices/<int:notice_id>/files")
@requires("messages:notice:write")
def attach_notice_file(notice_id: int) -> Response:
    """Keep a file with a notice."""
    sent = request.files.get("file")
    name, content = (sent.filename or "", sent.read()) if sent else ("", b"")
    with submit("附件已上传。") as context:
        unit_ids = queries.units_within(my_access("messages:notice:write"))
        actions.attach_file(context, notice_id, name=name, content=content, unit_ids=unit_ids)
    return redirect(url_for("messages_admin.show_notice", notice_id=notice_id), 303)


@admin_blueprint.get("/notices/<int:notice_id>/files/<token>")
@requires("messages:notice:write")
def fetch_notice_file(notice_id: int, token: str) -> Response:
    """Give a file of a notice."""
    queries.get_office_notice(read_session(), notice_id, my_access("messages:notice:write"))
    return serve_file(get_file(read_session(), token.replace("\0", ""), room=actions.room_of(notice_id)))


@admin_blueprint.post("/notices/<int:notice_id>/files/<token>/remove")
@requires("messages:notice:write")
def remove_notice_file(notice_id: int, token: str) -> Response:
    """Take a file off a notice."""
    with submit("附件已删除。") as context:
        unit_ids = queries.units_within(my_access("messages:notice:write"))
        actions.remove_file(context, notice_id, token.replace("\0", ""), unit_ids=unit_ids)
    return redirect(url_for("messages_admin.show_notice", notice_id=notice_id), 303)


@admin_blueprint.route("/notices/<int:notice_id>/edit", methods=["GET", "POST"])
@requires("messages:notice:write")
def change_notice(notice_id: int) -> tuple[str, int] | Response:
    """Change a draft."""
    access = my_access("messages:notice:write")
    notice = queries.get_office_notice(read_session(), notice_id, access)
    form = _notice_form(notice)
    if form.validate_on_submit():
        with request_transaction("草稿已修改。") as context:
            notice_actions.change_notice(context, notice_id, _draft(form), unit_ids=queries.units_within(access))
        return redirect(url_for("messages_admin.show_notice", notice_id=notice_id), 303)
    return render_template("messages/notice_form.html", form=form, notice=notice), 422 if form.errors else 200


@admin_blueprint.post("/notices/<int:notice_id>/publish")
@requires("messages:notice:write")
def publish_notice(notice_id: int) -> Response:
    """Show a draft to its readers."""
    return _move(notice_id, notice_actions.publish_notice, "通知已发布，有关人员在首页即可看到。")


@admin_blueprint.post("/notices/<int:notice_id>/withdraw")
@requires("messages:notice:write")
def withdraw_notice(notice_id: int) -> Response:
    """Take a notice back."""
    return _move(notice_id, notice_actions.withdraw_notice, "通知已撤回，不再显示。")


def _move(notice_id: int, act: Callable[..., Notice], text: str) -> Response:
    access = my_access("messages:notice:write")
    with submit(text) as context:
        act(context, notice_id, unit_ids=queries.units_within(access))
    return redirect(url_for("messages_admin.show_notice", notice_id=notice_id), 303)


def _notice_form(notice: queries.OfficeNotice | None = None) -> NoticeForm:
    """Make the form with the units within the access scope as choices; what is not among them is rejected as no choice."""
    form = NoticeForm()
    access = my_access("messages:notice:write")
    choices = [(str(unit_id), name) for unit_id, name in queries.list_unit_choices(read_session(), access)]
    form.unit_ids.choices = [(_ALL, "全部单位"), *choices] if access.is_everything else choices
    if notice is not None and request.method == "GET":
        form.title.data, form.text.data = notice.title, html_to_text(notice.body)
        form.unit_ids.data = [_ALL] if notice.unit_ids is None else [str(unit_id) for unit_id in notice.unit_ids]
        form.is_for_admins.data, form.asks_receipt.data = notice.is_for_admins, notice.asks_receipt
    return form


def _draft(form: NoticeForm) -> NoticeDraft:
    units = form.unit_ids.data or []
    return NoticeDraft(
        title=form.title.data,
        text=form.text.data,
        unit_ids=None if _ALL in units else sorted(filter(None, map(read_id, units))),
        is_for_admins=form.is_for_admins.data,
        asks_receipt=form.asks_receipt.data,
    )

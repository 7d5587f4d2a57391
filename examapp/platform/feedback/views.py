"""Pages of messages for everybody: write an opinion and see its answer, read notices."""

from __future__ import annotations

from math import ceil

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.organisation.accounts.guards import my_grants, my_user, signed_in
from examapp.platform.feedback.actions import list_notice_files, room_of
from examapp.platform.feedback.queries import get_reader
from examapp.platform.notices import actions as notice_actions
from examapp.platform.notices.forms import FeedbackForm
from examapp.platform.notices.queries import (
    NoticeReader,
    count_notices,
    find_signed_at,
    get_notice,
    list_notices,
    list_own_feedback,
)
from examapp.platform.notices.rules import clean_page
from examapp.uploads.actions import get_file
from examapp.uploads.views import serve_file
from examapp.web.params import chosen_number, chosen_page
from examapp.web.submit import request_transaction, submit

blueprint = Blueprint("messages", __name__)
_A_PAGE = 20


def reader() -> NoticeReader:
    """Give whose notices are to be shown: the ones for administrators only to who holds a role."""
    return get_reader(read_session(), my_user().person_id, is_admin=bool(my_grants()))


@blueprint.route("/feedback", methods=["GET", "POST"])
@signed_in
def write_feedback() -> tuple[str, int] | Response:
    """Show the form with one's own opinions and their answers, which are seen thereby; store a new opinion."""
    form = FeedbackForm()
    if form.validate_on_submit():
        with request_transaction("意见已提交，普法办答复后会显示在本页和首页。") as context:
            notice_actions.write_feedback(context, text=form.text.data, page=form.page.data or "")
        return redirect(url_for("messages.write_feedback"), 303)
    if request.method == "GET":
        form.page.data = clean_page(request.args.get("page"))
        if item := chosen_number("item"):
            form.text.data = f"第 {item} 题有疑问："
    own = list_own_feedback(read_session(), my_user().person_id)
    page = render_template("messages/feedback.html", form=form, own=own)
    if any(one.answered_at and not one.answer_seen_at for one in own):
        with transaction() as session:
            notice_actions.note_answers_seen(session, my_user().person_id, now=clock.now())
    return page, 422 if form.errors else 200


@blueprint.get("/notices")
@signed_in
def list_all_notices() -> str:
    """List the notices published for who is signed in."""
    number = chosen_page()
    whose = reader()
    total = count_notices(read_session(), whose)
    notices = list_notices(read_session(), whose, limit=_A_PAGE, skip=(number - 1) * _A_PAGE)
    return render_template("messages/notices.html", notices=notices, number=number, pages=ceil(total / _A_PAGE))


@blueprint.get("/notices/<int:notice_id>")
@signed_in
def show_notice(notice_id: int) -> str:
    """Show a notice, and note that it was read."""
    notice = get_notice(read_session(), notice_id, reader())
    files, is_admin = list_notice_files(read_session(), notice_id), bool(my_grants())
    signed_at = find_signed_at(read_session(), notice_id, my_user().person_id) if notice.asks_receipt else None
    page = render_template("messages/notice.html", notice=notice, files=files, signed_at=signed_at, is_admin=is_admin)
    with transaction() as session:
        notice_actions.note_notice_read(session, notice_id, person_id=my_user().person_id, now=clock.now())
    return page


@blueprint.post("/notices/<int:notice_id>/sign")
@signed_in
def sign_notice(notice_id: int) -> Response:
    """Sign for a notice; it counts for the unit that one administers."""
    with submit("已签收。") as context:
        notice_actions.sign_notice(context, get_notice(context.session, notice_id, reader()))
    return redirect(url_for("messages.show_notice", notice_id=notice_id), 303)


@blueprint.get("/notices/<int:notice_id>/files/<token>")
@signed_in
def fetch_notice_file(notice_id: int, token: str) -> Response:
    """Give a file of a notice to whom it is meant for."""
    get_notice(read_session(), notice_id, reader())
    return serve_file(get_file(read_session(), token.replace("\0", ""), room=room_of(notice_id)))

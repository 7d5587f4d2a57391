"""The office's page of external reviewers' links."""

from __future__ import annotations

from flask import current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from examapp import clock
from examapp.content.external_reviews import actions, queries
from examapp.content.external_reviews.queries import DraftChoice
from examapp.content.question_search.queries import list_law_names
from examapp.content.questions.admin_views import admin_blueprint
from examapp.db.session import read_session
from examapp.errors import BadRequestError
from examapp.organisation.accounts.guards import requires
from examapp.web.forms import FlaskForm, IntegerField
from examapp.web.submit import request_transaction, status_of, submit
from examapp.web.trusted_hosts import address_of


class ReviewTicketForm(FlaskForm):
    """Who is to read which drafts."""

    reviewer = StringField(
        "外部审核人姓名", validators=[InputRequired("请填写姓名。"), Length(max=40, message="最多 40 个字。")]
    )
    workplace = StringField(
        "工作单位和职务", validators=[InputRequired("请填写工作单位。"), Length(max=80, message="最多 80 个字。")]
    )
    law = StringField("只送这部法律的题", validators=[Length(max=80, message="最多 80 个字。")])
    import_id = IntegerField(
        "只送第几次导入的题", validators=[Optional(), NumberRange(min=1, message="请填写导入编号。")]
    )
    limit = IntegerField(
        "最多送多少题",
        default=50,
        validators=[
            InputRequired("请填写 1 到 200。"),
            NumberRange(min=1, max=actions.MAX_QUESTIONS, message="请填写 1 到 200。"),
        ],
    )


def is_external_review_on() -> bool:
    """Return whether the setting lets people from outside read drafts."""
    is_set: bool = current_app.config["SETTINGS"].external_review
    return is_set


@admin_blueprint.route("/tickets/", methods=["GET", "POST"])
@requires("questions:question:review")
def list_review_tickets() -> tuple[str, int]:
    """List the links of external reviewers; issue one, whose address the page shows this once."""
    form, link = ReviewTicketForm(), ""
    if form.validate_on_submit():
        if not is_external_review_on():
            raise BadRequestError("没有启用外部审核。请系统管理员把设置 EXTERNAL_REVIEW 改为 1。")
        with submit(form=form, field="limit") as context:
            choice = DraftChoice(
                law=(form.law.data or "").strip(), import_id=form.import_id.data, limit=form.limit.data or 1
            )
            _, token = actions.issue_ticket(
                context, reviewer=form.reviewer.data or "", workplace=form.workplace.data or "", choice=choice
            )
            link = address_of("external_reviews.open_ticket", token=token)
    session = read_session()
    page = render_template(
        "external_reviews/tickets.html",
        form=form,
        link=link,
        tickets=[(ticket, queries.count_verdicts(ticket)) for ticket in queries.list_tickets(session)],
        is_on=is_external_review_on(),
        laws=list_law_names(session),
        now_at=clock.now(),
    )
    return page, status_of(form)


@admin_blueprint.post("/tickets/<int:ticket_id>/revoke")
@requires("questions:question:review")
def revoke_review_ticket(ticket_id: int) -> Response:
    """Revoke a link."""
    with request_transaction("链接已收回，打不开了。已经审过的题不受影响。") as context:
        actions.revoke_ticket(context, ticket_id=ticket_id)
    return redirect(url_for(".list_review_tickets"))

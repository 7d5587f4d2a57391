"""A person's own page: whether reminders come to the phone, and an e-mail address where that is a channel."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField
from wtforms.validators import Length, Optional, Regexp

from examapp.config_messages import channel_names
from examapp.db.session import read_session
from examapp.organisation.accounts.guards import cipher, my_user, signed_in
from examapp.platform.message_channels.actions import choose_messages
from examapp.platform.message_channels.queries import find_emails, find_preference
from examapp.web.forms import FlaskForm
from examapp.web.submit import request_transaction

blueprint = Blueprint("message_channels", __name__)
_EMAIL = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4}\Z"


class MessagePreferenceForm(FlaskForm):
    """Whether and where reminders come."""

    wants_reminders = BooleanField("考试提醒发到我的手机（或企业微信、钉钉、邮箱）")
    email = StringField(
        "邮箱",
        filters=[lambda text: text.strip() if text else text],
        validators=[Optional(), Length(max=200), Regexp(_EMAIL, message="请填写正确的邮箱地址，如 zhang@example.cn。")],
    )


@blueprint.route("/my/messages", methods=["GET", "POST"])
@signed_in
def show_preferences() -> tuple[str, int] | Response:
    """Show and change how one is written to outside the site."""
    person_id, form = my_user().person_id, MessagePreferenceForm()
    has_mail = "smtp" in channel_names(current_app.config["SETTINGS"].message_gateway)
    if form.validate_on_submit():
        with request_transaction("消息设置已保存。") as context:
            email = form.email.data if has_mail else None
            choose_messages(context, wants_reminders=form.wants_reminders.data, email=email, cipher=cipher())
        return redirect(url_for("message_channels.show_preferences"), 303)
    if not form.is_submitted():
        chosen = find_preference(read_session(), person_id)
        form.wants_reminders.data = chosen is None or chosen.unsubscribed_at is None
        form.email.data = find_emails(read_session(), [person_id], cipher=cipher()).get(person_id, "")
    page = render_template("messages/preferences.html", form=form, has_mail=has_mail)
    return page, 422 if form.errors else 200

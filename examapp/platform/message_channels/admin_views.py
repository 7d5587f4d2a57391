"""The office's page of the message gateway: how each channel is, and a button that sends a test to who presses it."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.clock import local
from examapp.db.session import read_session
from examapp.errors import BadRequestError, ConflictError, NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, requires
from examapp.platform.audit.actions import ActionContext, record
from examapp.platform.message_channels.actions import open_channels
from examapp.platform.message_channels.queries import get_queue, list_channels
from examapp.platform.outgoing_messages.actions import resume_channel, send_out
from examapp.platform.outgoing_messages.rules import KINDS, TEST_KIND
from examapp.web.submit import submit

PERMISSIONS = {"messages:channel:test": {Role.PUBLICITY_OFFICE, Role.SYSTEM_ADMIN}}
AUDIT_ACTS = {"messages.test_channel": "测试消息通道"}
AUDIT_OBJECTS = {"message_channel": "消息通道"}
AUDIT_DETAILS = {"channel": "通道"}

admin_blueprint = Blueprint("message_channels_admin", __name__, url_prefix="/admin/messages/channels")


@admin_blueprint.get("")
@menu_entry("短信与消息", position=223, group="单位与人员")
@requires("messages:channel:test", everywhere=True)
def show_channels() -> str:
    """Show each channel with its last success and rejection, the queue, the cost, and the texts to be filed with operators."""
    settings, session, now = current_app.config["SETTINGS"], read_session(), clock.now()
    return render_template(
        "messages/channels.html",
        channels=list_channels(session, list(open_channels(settings)), now=now),
        queue=get_queue(session, now=now),
        kinds=[(name, kind, settings.find_sms_template(name)) for name, kind in KINDS.items()],
        settings=settings,
    )


@admin_blueprint.post("/test")
@requires("messages:channel:test", everywhere=True)
def test_channel() -> Response:
    """Let a channel be tried again at once, and send a test by it to who asks."""
    back, name = url_for("message_channels_admin.show_channels"), request.form.get("channel", "")
    if name not in open_channels(current_app.config["SETTINGS"]):
        raise BadRequestError("没有这个通道，请刷新页面后重试。")
    with submit(
        "测试消息已交给后台，发给您本人（名册上的手机，邮件发到“消息设置”里的邮箱）。半分钟后刷新本页看结果。",
        back=back,
    ) as context:
        _put_test(context, name)
    return redirect(back, 303)


def _put_test(context: ActionContext, name: str) -> None:
    if context.actor.person_id is None:
        raise NotFoundError
    is_new = send_out(
        context.session,
        person_id=context.actor.person_id,
        kind=TEST_KIND,
        text=f"{KINDS[TEST_KIND].template}（{local(context.now):%H:%M}）",
        once_key=f"test:{name}:{context.now:%Y%m%d%H%M}",
        now=context.now,
        urgent=True,
        channel=name,
    )
    if not is_new:
        raise ConflictError("刚刚已经发过一条测试消息，请过一分钟再试。")
    resume_channel(context.session, name, now=context.now)
    record(context, "messages.test_channel", object_type="message_channel", details={"channel": name})

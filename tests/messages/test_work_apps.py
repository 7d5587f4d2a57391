"""WeCom, DingTalk and e-mail against servers that the test runs; and who does not want to be written to."""

from __future__ import annotations

import ssl

import pytest

from examapp import clock
from examapp.config import Settings
from examapp.platform.message_channels import actions as channels
from examapp.platform.message_operators.actions import DingTalkApp, WeComApp, forget_tokens
from examapp.platform.notices.models import MessagePreference, OutgoingMessage
from examapp.platform.notices.rules import email_binding
from examapp.platform.outgoing_messages.actions import send_out
from examapp.platform.outgoing_messages.rules import Claimed, DeliveryOutcome
from tests.helpers.forms import post
from tests.helpers.mail_server import make_certificate, run_mail_server
from tests.helpers.messages import gateway
from tests.helpers.operators import run_operator

MESSAGE = Claimed(id=7, person_id=1, kind="test", text="测试", parameters=(), once_key="k")
TOKEN = (200, {"errcode": 0, "errmsg": "ok", "access_token": "t1", "expires_in": 7200})
USER = (200, {"errcode": 0, "errmsg": "ok", "userid": "zhangsan"})
SENT = (200, {"errcode": 0, "errmsg": "ok", "msgid": "m1"})


@pytest.fixture(autouse=True)
def no_tokens():
    forget_tokens()
    yield
    forget_tokens()


def wecom(url):
    return WeComApp(
        settings=Settings(wecom_url=url, wecom_corp_id="corp", wecom_secret="secret", wecom_agent_id="1000002")
    )


def dingtalk(url):
    return DingTalkApp(
        settings=Settings(
            dingtalk_url=url, dingtalk_app_key="key", dingtalk_app_secret="secret", dingtalk_agent_id="123"
        )
    )


def send(channel, address="13800000001"):
    return channel.deliver(MESSAGE, address, now=clock.now())


def test_wecom_is_asked_for_the_member_of_the_number_with_a_token_that_is_kept():
    with run_operator(TOKEN, USER, SENT, USER, SENT) as operator:
        assert send(wecom(operator.url)).operator_id == "m1"
        assert send(wecom(operator.url)).is_taken
    assert [sent.path for sent in operator.seen] == [
        "/cgi-bin/gettoken",
        *("/cgi-bin/user/getuserid", "/cgi-bin/message/send") * 2,
    ]
    assert operator.seen[0].query == {"corpid": "corp", "corpsecret": "secret"}
    assert operator.seen[2].query == {"access_token": "t1"}
    assert operator.seen[2].json["touser"] == "zhangsan" and operator.seen[2].json["agentid"] == 1000002


def test_a_token_that_is_over_is_fetched_again_once():
    over = (200, {"errcode": 42001, "errmsg": "access_token expired"})
    with run_operator(TOKEN, over, TOKEN, USER, SENT) as operator:
        assert send(wecom(operator.url)).is_taken
    forget_tokens()
    with run_operator(TOKEN, over, TOKEN, over) as operator:
        assert send(wecom(operator.url)).outcome is DeliveryOutcome.CHANNEL_REJECTED
        assert len(operator.seen) == 4


@pytest.mark.parametrize(
    ("answers", "outcome", "sentence"),
    [
        ([(200, {"errcode": 40001, "errmsg": "invalid secret"})], DeliveryOutcome.CHANNEL_REJECTED, "密钥、编号"),
        (
            [TOKEN, (200, {"errcode": 46004, "errmsg": "user not found"})],
            DeliveryOutcome.RECIPIENT_REJECTED,
            "没有这个手机号",
        ),
        ([TOKEN, (200, {"errcode": 60020, "errmsg": "not allow ip"})], DeliveryOutcome.CHANNEL_REJECTED, "可信 IP"),
        ([TOKEN, USER, (200, {"errcode": 45009, "errmsg": "freq"})], DeliveryOutcome.BUSY, "自动再发"),
        (
            [TOKEN, USER, (200, {"errcode": 0, "invaliduser": "zhangsan"})],
            DeliveryOutcome.RECIPIENT_REJECTED,
            "没有激活",
        ),
        (
            [TOKEN, USER, (200, {"errcode": 0, "unlicenseduser": "zhangsan"})],
            DeliveryOutcome.RECIPIENT_REJECTED,
            "接口许可",
        ),
        ([TOKEN, USER, (200, {"msgid": "m1"})], DeliveryOutcome.BUSY, "无错误码"),
        ([TOKEN, USER, (200, b"not json")], DeliveryOutcome.UNREACHABLE, "看不懂"),
    ],
)
def test_wecom_rejects_inside_a_200_and_it_is_said_what_to_do(answers, outcome, sentence):
    with run_operator(*answers) as operator:
        found = send(wecom(operator.url))
    assert found.outcome is outcome and sentence in found.reason


def test_dingtalk_takes_a_notice_as_a_task_and_rejects_with_its_finer_code():
    user = (200, {"errcode": 0, "result": {"userid": "u1"}})
    with run_operator(TOKEN, user, (200, {"errcode": 0, "task_id": 256271667526})) as operator:
        assert send(dingtalk(operator.url)).operator_id == "256271667526"
    assert [sent.path for sent in operator.seen] == [
        "/gettoken",
        "/topapi/v2/user/getbymobile",
        "/topapi/message/corpconversation/asyncsend_v2",
    ]
    assert operator.seen[2].json["userid_list"] == "u1" and operator.seen[2].json["agent_id"] == 123
    forget_tokens()
    no_right = (
        200,
        {"errcode": 88, "sub_code": "60011", "errmsg": "ding talk error", "sub_msg": "没有调用该接口的权限"},
    )
    with run_operator(TOKEN, no_right) as operator:
        found = send(dingtalk(operator.url))
    assert found.outcome is DeliveryOutcome.CHANNEL_REJECTED and "88.60011" in found.reason


def mail(port, **more):
    url = f"smtp://pufa%40example.cn@localhost:{port}"
    settings = Settings(smtp_url=url, smtp_sender="pufa@example.cn", smtp_password="secret", **more)
    return channels.SmtpMail(settings=settings)


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    path = make_certificate(tmp_path / "server.pem")
    monkeypatch.setattr(channels, "tls_context", lambda: ssl.create_default_context(cafile=path))
    return path


def test_a_letter_goes_out_over_tls_after_signing_in_with_the_same_id_at_every_try(certificate):
    with run_mail_server(certificate) as server:
        first, second = (send(mail(server.port), "zhang@example.cn") for _ in range(2))
    assert first.is_taken and second.is_taken
    assert server.commands[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    one, other = server.letters
    assert one["To"] == "zhang@example.cn" and one["Message-ID"] == other["Message-ID"]
    assert one["Subject"] == "学法考试平台：测试" and one.get_content().split()[0] == "测试"


def test_a_mail_server_without_encryption_gets_neither_password_nor_letter():
    with run_mail_server() as server:
        found = send(mail(server.port), "zhang@example.cn")
    assert found.outcome is DeliveryOutcome.CHANNEL_REJECTED and "不支持加密" in found.reason
    assert not server.letters and "AUTH" not in server.commands


def test_a_certificate_that_nobody_vouches_for_is_rejected(tmp_path):
    with run_mail_server(make_certificate(tmp_path / "own.pem")) as server:
        assert send(mail(server.port), "zhang@example.cn").outcome is DeliveryOutcome.UNREACHABLE
    assert not server.letters and "AUTH" not in server.commands


@pytest.mark.parametrize(
    ("rejections", "outcome"),
    [
        ({"RCPT": "550 no such user"}, DeliveryOutcome.RECIPIENT_REJECTED),
        ({"RCPT": "451 greylisted"}, DeliveryOutcome.BUSY),
        ({"AUTH": "535 wrong"}, DeliveryOutcome.CHANNEL_REJECTED),
        ({"DATA": "554 spam"}, DeliveryOutcome.RECIPIENT_REJECTED),
    ],
)
def test_a_mail_servers_rejection_is_told_by_its_code(certificate, rejections, outcome):
    with run_mail_server(certificate, **rejections) as server:
        found = send(mail(server.port), "zhang@example.cn")
    assert found.outcome is outcome and "zhang" not in found.reason


def test_who_wants_no_reminders_gets_none_but_still_gets_a_code(app, session, world, letters):
    person = world.person()
    client = world.client(person)
    page = "/my/messages"
    assert "checked" in client.get(page).text
    assert post(client, page, {}).status_code == 303
    assert "checked" not in client.get(page).text
    for key, urgent in (("a", False), ("code", True)):
        send_out(session, person_id=person.id, kind="test", text="x", once_key=key, now=clock.now(), urgent=urgent)
    app.extensions["celery"].tasks["messages.send_waiting"]()
    session.expire_all()
    states = {row.once_key: row.state for row in session.query(OutgoingMessage)}
    assert states == {"a": "waiting", "code": "failed"}  # no mobile number on the roster: it was tried
    assert post(client, page, {"wants_reminders": "y"}).status_code == 303
    session.expire_all()
    assert session.get(MessagePreference, person.id).unsubscribed_at is None


def test_an_address_is_kept_sealed_and_may_be_taken_away_again(app, session, world):
    client, page = world.client(person := world.person()), "/my/messages"
    with gateway(app, message_gateway="smtp", smtp_url="smtp://localhost:9", smtp_sender="a@b.cn"):
        assert post(client, page, {"wants_reminders": "y", "email": "zhang@"}).status_code == 422
        post(client, page, {"wants_reminders": "y", "email": " zhang@example.cn "})
        session.expire_all()
        sealed = session.get(MessagePreference, person.id).email_encrypted
        assert b"zhang" not in sealed and "zhang@example.cn" in client.get(page).text
        opened = app.extensions["cipher"].decrypt(sealed, associated_data=email_binding(person.id))
        assert opened == "zhang@example.cn"
        post(client, page, {"wants_reminders": "y", "email": ""})
        session.expire_all()
        assert session.get(MessagePreference, person.id).email_encrypted is None

"""Reminders by rule, reports of operators, answers that ask for no more: each once, however often it comes."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.config import SettingsError, read_settings
from examapp.delivery.exams.models import Exam
from examapp.organisation.people.rules import MOBILE_PURPOSE, mobile_binding
from examapp.oversight.reminders.rules import due_rules, is_last_call, reminder_due_at
from examapp.platform.message_operators.rules import (
    find_aliyun_report,
    find_dingtalk_report,
    find_tencent_report,
    is_unsubscribing,
    rejection,
)
from examapp.platform.notices.models import MessagePreference, OutgoingMessage
from examapp.platform.outgoing_messages.actions import note_channel, resume_channel, send_out
from tests.helpers.messages import gateway
from tests.helpers.operators import run_operator

MOBILE, TOKEN = "13800000001", "a-token-of-twenty-characters"
QUIET = (time(20), time(8))


def at(text):
    """An instant of the county's clock."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def exam_of(closes, opens="2026-11-01T09:00"):
    return SimpleNamespace(opens_at=at(opens), closes_at=at(closes))


@pytest.mark.parametrize(
    ("closes", "hours", "due"),
    [
        ("2026-11-30T18:00", 72, "2026-11-27T18:00"),
        ("2026-11-30T18:00", 2, "2026-11-30T16:00"),
        ("2026-11-30T23:59", 24, "2026-11-29T23:59"),  # waits in the queue until the morning
        ("2026-11-30T23:59", 2, "2026-11-30T19:00"),  # an hour before the quiet begins
        ("2026-11-30T08:30", 2, "2026-11-29T19:00"),
    ],
)
def test_the_last_call_comes_before_the_quiet_hours_that_would_swallow_it(closes, hours, due):
    assert reminder_due_at(exam_of(closes), hours, quiet=QUIET) == at(due)


def test_a_rule_whose_moment_came_before_the_opening_is_none():
    exam = exam_of("2026-11-30T18:00", opens="2026-11-29T20:00")
    assert due_rules(exam, (72, 24, 2), quiet=QUIET, now=at("2026-11-30T15:00")) == []
    assert due_rules(exam, (72, 24, 2), quiet=QUIET, now=at("2026-11-30T16:00")) == [(2, "2h@2026-11-30T10:00")]
    assert is_last_call(2, (72, 24, 2)) and not is_last_call(24, (72, 24, 2)) and not is_last_call(72, (72,))


@pytest.mark.parametrize("hours", ["1,1", "0", "721", "two", "2,"])
def test_wrong_hours_of_reminders_are_rejected_at_the_start(hours):
    with pytest.raises(SettingsError):
        read_settings({"MESSAGE_REMINDER_HOURS": hours})


@pytest.mark.parametrize(
    ("text", "expected"), [("T", True), (" ｔｄ ", True), ("退订。", True), ("好的T", False), ("", False)]
)
def test_the_words_by_which_people_ask_for_no_more(text, expected):
    assert is_unsubscribing(text) is expected


def test_what_operators_answer_when_asked_is_read_and_anything_else_is_not_a_report():
    def aliyun(status):
        row = {"SendStatus": status, "ErrCode": "DELIVERED"}
        return find_aliyun_report({"SmsSendDetailDTOs": {"SmsSendDetailDTO": [row]}}, "b")

    assert aliyun(1) is None and aliyun(3).is_delivered and not aliyun(2).is_delivered
    rows = [{"SerialNo": "s", "ReportStatus": "FAIL", "Description": "UNDELIV"}]
    assert find_tencent_report({"PullSmsSendStatusSet": rows}, "s").code == "UNDELIV"
    assert find_tencent_report({"PullSmsSendStatusSet": rows}, "other") is None
    assert find_dingtalk_report({"send_result": {"unread_user_id_list": ["u"]}}, "1").is_delivered
    assert not find_dingtalk_report({"send_result": {"forbidden_user_id_list": ["u"]}}, "1").is_delivered
    for odd in ({}, {"SmsSendDetailDTOs": []}, {"PullSmsSendStatusSet": {}}, {"send_result": []}):
        assert find_aliyun_report(odd, "b") is find_tencent_report(odd, "b") is find_dingtalk_report(odd, "b") is None


@pytest.fixture
def person(app, world):
    person, cipher = world.person(), app.extensions["cipher"]
    person.mobile_encrypted = cipher.seal(MOBILE, associated_data=mobile_binding(person.id))
    person.mobile_index = cipher.blind_index(MOBILE, purpose=MOBILE_PURPOSE)
    world.session.flush()
    return person


@pytest.fixture
def sent(session, person):
    """A message that Alibaba Cloud has taken."""
    now = clock.now()
    message = OutgoingMessage(
        person_id=person.id, kind="chase", text="x", once_key="k", state="sent", delivery_count=1, created_at=now,
        try_at=now, expires_at=now, sent_at=now, channel="aliyun", operator_id="b^0", segment_count=1,
        cost=Decimal("0.05"), poll_at=now + timedelta(minutes=10),
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def test_a_report_is_taken_at_the_secret_address_once_however_often_it_comes(app, session, world, sent):
    client = world.client()
    row = {"biz_id": "b^0", "phone_number": MOBILE, "success": False, "err_code": "MK:0001", "sms_size": "2"}
    good = row | {"success": True, "err_code": "DELIVERED", "sms_size": "1"}
    with gateway(app, message_gateway="aliyun", message_callback_token=TOKEN):
        assert client.post(f"/messages/reports/aliyun/{TOKEN}x", json=[row]).status_code == 404
        for rows in ([row], [row, row], [good]):
            answer = client.post(f"/messages/reports/aliyun/{TOKEN}", json=rows)
            assert answer.status_code == 200 and answer.json == {"code": 0, "msg": "接收成功"}
        assert client.post(f"/messages/reports/aliyun/{TOKEN}", data=b"[[").status_code == 400
        assert client.post(f"/messages/reports/wecom/{TOKEN}", json=[row]).status_code == 404
    session.expire_all()
    assert (sent.report, sent.segment_count, sent.cost, sent.poll_at) == ("undelivered", 2, Decimal("0.1"), None)
    assert "MK:0001" in sent.reason and MOBILE not in sent.reason
    assert client.post(f"/messages/reports/aliyun/{TOKEN}", json=[row]).status_code == 404


def test_a_report_of_a_message_whose_reply_was_lost_ends_it_so_that_it_goes_once(app, session, world, person):
    row = {"biz_id": "b^9", "phone_number": MOBILE, "success": True, "err_code": "DELIVERED", "sms_size": "2"}
    send_out(
        session, person_id=person.id, kind="results.opened", text="x", once_key="lost", now=clock.now(),
        parameters=["年度考试"],
    )  # fmt: skip
    message = session.scalars(select(OutgoingMessage)).one()
    fields: dict[str, Any] = {"aliyun_access_key_id": "id", "aliyun_access_key_secret": "x", "sms_sign_name": "x"}
    fields |= {
        "sms_templates": ("results.opened=SMS_2",),
        "sms_price": Decimal("0.05"),
        "message_callback_token": TOKEN,
    }

    def report(number):
        assert (
            world.client().post(f"/messages/reports/aliyun/{TOKEN}", json=[row | {"out_id": number}]).status_code == 200
        )
        session.expire_all()
        return message.state

    with (
        run_operator((500, b"")) as operator,
        gateway(app, message_gateway="aliyun", aliyun_sms_url=operator.url, **fields),
    ):
        assert report(str(message.id)) == "waiting"  # nobody has been asked to send it yet
        app.extensions["celery"].tasks["messages.send_waiting"]()
        assert [report(odd) for odd in (str(message.id + 1), "", None, "9" * 30, "x")] == ["waiting"] * 5
        assert report(str(message.id)) == report(str(message.id)) == "sent"
    assert (message.report, message.operator_id, message.cost) == ("delivered", "b^9", Decimal("0.10"))
    assert message.sent_on == clock.today()  # the day's message


def test_the_countys_own_gateway_reports_with_a_fresh_signature(app, session, world, sent):
    sent.channel, sent.operator_id = "http", ""
    session.flush()
    body = json.dumps([{"id": "k", "delivered": True}]).encode()

    def post(stamp, secret="a-secret-of-the-gateway"):
        signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Timestamp": str(stamp), "X-Signature": f"sha256={signature}"}
        return world.client().post("/messages/reports/http", data=body, headers=headers).status_code

    now = int(clock.now().timestamp())
    with gateway(app, message_gateway="http://x", message_gateway_secret="a-secret-of-the-gateway"):
        assert [post(now - 301), post("x"), post(now, secret="another-secret-of-it")] == [404, 404, 404]
        assert post(now) == 200
    session.expire_all()
    assert sent.report == "delivered"


def test_who_answers_with_a_t_is_not_reminded_any_more(app, session, world, person):
    client, reply = world.client(), {"phone_number": MOBILE, "content": "td"}
    with gateway(app, message_gateway="aliyun", message_callback_token=TOKEN):
        for row in (reply | {"content": "收到"}, reply, reply):
            assert client.post(f"/messages/replies/aliyun/{TOKEN}", json=[row]).status_code == 200
    session.expire_all()
    chosen = session.scalars(select(MessagePreference)).one()
    assert (chosen.person_id, chosen.unsubscribed_by) == (person.id, "reply")


ODD = ("\0", "9" * 5000, -1, 1e308, None, True, [], {"a": {}}, "\ud800", "字" * 500, "9999-12-31")
REPORT_FIELDS = (
    "biz_id", "phone_number", "success", "err_code", "sms_size", "content", "sid", "mobile", "report_status", "errmsg",
    "text", "user_receive_time", "id", "delivered", "reason",
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_an_odd_report_or_reply_breaks_nothing(app, world, sent, odd):
    client, stamp = world.client(), str(int(clock.now().timestamp()))
    rows = [dict.fromkeys(REPORT_FIELDS, odd), {"biz_id": "b^0", "sid": "b^0", "id": "k", "sms_size": odd}, {}]
    body = json.dumps(rows).encode()
    signature = hmac.new(b"a-secret-of-the-gateway", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-Timestamp": stamp, "X-Signature": f"sha256={signature}", "Content-Type": "application/json"}
    fields = {"message_callback_token": TOKEN, "message_gateway_secret": "a-secret-of-the-gateway"}
    with gateway(app, message_gateway="aliyun", **fields):
        for path in (
            f"{what}/{channel}/{TOKEN}" for what in ("reports", "replies") for channel in ("aliyun", "tencent")
        ):
            assert client.post(f"/messages/{path}", data=body, headers=headers).status_code in {200, 400, 422}, path
        assert client.post("/messages/reports/http", data=body, headers=headers).status_code in {200, 400, 422}


def test_an_operator_is_asked_what_became_of_a_message_until_it_knows(app, session, world, sent, fixed_clock):
    ask = app.extensions["celery"].tasks["messages.ask_reports"]
    unknown = (200, {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [{"SendStatus": 1}]}})
    known = (200, {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": [{"SendStatus": 3}]}})
    with (
        run_operator(unknown, (500, b""), known) as operator,
        gateway(app, message_gateway="aliyun", aliyun_sms_url=operator.url),
    ):
        ask()
        assert operator.seen == []
        note_channel(
            session, "aliyun", "test", rejection("aliyun", "test", "isv.AMOUNT_NOT_ENOUGH", ""), now=sent.poll_at
        )
        fixed_clock.at(sent.poll_at + timedelta(minutes=1))
        ask()
        assert operator.seen == []  # a channel that is left alone is not asked
        resume_channel(session, "aliyun", now=clock.now())
        for hours in (1, 2, 3, 4):
            fixed_clock.at(sent.sent_at + timedelta(hours=hours, minutes=10 * hours))
            ask()
            session.expire_all()
    assert [exchange.query["BizId"] for exchange in operator.seen] == ["b^0"] * 3
    assert (sent.report, sent.poll_at) == ("delivered", None)


def run_rules(app, tmp_path):
    with gateway(app, message_gateway=f"file:{tmp_path}/letters"):
        app.extensions["celery"].tasks["reminders.send_by_rule"]()


def test_each_rule_reminds_once_who_still_lacks_and_the_last_call_goes_beside_the_days_message(
    app, county, world, session, fixed_clock, tmp_path
):
    late, done = world.person(county.bureau), world.person(county.bureau)
    county.attempt(done, points=90)
    exam = county.exam
    exam.opens_at = exam.closes_at - timedelta(days=20)
    session.flush()

    def sent_at(before):
        fixed_clock.at(exam.closes_at - before)
        run_rules(app, tmp_path)
        run_rules(app, tmp_path)
        rows = session.scalars(select(OutgoingMessage).where(OutgoingMessage.person_id == late.id)).all()
        assert not session.scalars(select(OutgoingMessage).where(OutgoingMessage.person_id == done.id)).all()
        return [row.is_last_call for row in sorted(rows, key=lambda row: row.id)]

    assert sent_at(timedelta(hours=73)) == []
    assert sent_at(timedelta(hours=72)) == [False]
    assert sent_at(timedelta(hours=24)) == [False, False]
    last = reminder_due_at(exam, 2, quiet=QUIET)
    assert sent_at(exam.closes_at - last) == [False, False, True]


def test_without_a_gateway_no_rule_runs(app, county, world, session, fixed_clock):
    world.person(county.bureau)
    fixed_clock.at(county.exam.closes_at - timedelta(hours=1))
    app.extensions["celery"].tasks["reminders.send_by_rule"]()
    assert session.query(OutgoingMessage).count() == 0


def test_results_that_come_out_are_told_once_without_points(app, county, world, session, fixed_clock, tmp_path):
    person, absent = world.person(county.bureau), world.person(county.bureau)
    county.attempt(person, points=55)
    exam = session.get(Exam, county.exam.id)
    exam.results_policy = "at_close"
    session.flush()
    run_rules(app, tmp_path)
    assert session.query(OutgoingMessage).filter_by(kind="results.opened").count() == 0
    fixed_clock.at(exam.closes_at + timedelta(hours=2))
    run_rules(app, tmp_path)
    run_rules(app, tmp_path)
    [message] = session.query(OutgoingMessage).filter_by(kind="results.opened").all()
    assert message.person_id == person.id != absent.id
    assert "55" not in message.text and exam.title in message.text

"""The channels of the message gateway against operators that the test runs: signatures, rejections inside a 200, silence, and the office's page."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.config import SettingsError, read_settings
from examapp.organisation.people.rules import mobile_binding
from examapp.platform.message_operators.actions import exchange_json
from examapp.platform.message_operators.rules import acs3_headers, rejection, tc3_headers
from examapp.platform.notices.models import MessageChannel, OutgoingMessage
from examapp.platform.outgoing_messages.actions import send_out
from examapp.platform.outgoing_messages.rules import KINDS, DeliveryOutcome, cut_parameters, pause_after
from examapp.security import http_client
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.helpers.forms import post
from tests.helpers.messages import gateway
from tests.helpers.operators import dripping, half_open, run_operator

MOBILE = "13800000001"
TAKEN = (200, {"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0", "RequestId": "F655A8D5"})
ALIYUN = {
    "message_gateway": "aliyun",
    "sms_sign_name": "某县普法办",
    "sms_templates": ("sign_in_code=SMS_1", "results.opened=SMS_2", "test=SMS_9"),
    "sms_price": Decimal("0.05"),
    "aliyun_access_key_id": "id",
    "aliyun_access_key_secret": "secret",
}
TENCENT = {
    "message_gateway": "tencent",
    "sms_sign_name": "某县普法办",
    "sms_templates": ("results.opened=1001", "test=1009"),
    "tencent_secret_id": "id",
    "tencent_secret_key": "key",
    "tencent_sms_app_id": "1400006666",
}


def test_the_signature_of_alibaba_cloud_is_that_of_its_published_example():
    """From help.aliyun.com, "V3 request syntax and signature method"."""
    headers = acs3_headers(
        "RunInstances",
        version="2014-05-26",
        host="ecs.cn-shanghai.aliyuncs.com",
        query={"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"},
        key_id="YourAccessKeyId",
        secret="YourAccessKeySecret",
        nonce="3156853299f313e23d1673dc12e1703d",
        now=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
    )
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_the_signature_of_tencent_cloud_is_that_of_its_published_example():
    """From cloud.tencent.com/document/api/213/30654, "TC3-HMAC-SHA256"."""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = tc3_headers(
        "DescribeInstances",
        service="cvm",
        version="2017-03-12",
        region="ap-guangzhou",
        host="cvm.tencentcloudapi.com",
        body=body,
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret_key="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        now=datetime.fromtimestamp(1551113065, UTC),
    )
    assert headers["Authorization"] == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


@pytest.mark.parametrize(
    ("channel", "code", "outcome"),
    [
        ("aliyun", "isv.SMS_TEMPLATE_ILLEGAL", DeliveryOutcome.TEMPLATE_REJECTED),
        ("aliyun", "isv.BUSINESS_LIMIT_CONTROL", DeliveryOutcome.BUSY),
        ("aliyun", "isv.MOBILE_NUMBER_ILLEGAL", DeliveryOutcome.RECIPIENT_REJECTED),
        ("aliyun", "isv.AMOUNT_NOT_ENOUGH", DeliveryOutcome.CHANNEL_REJECTED),
        ("aliyun", "isv.NEVER_HEARD_OF", DeliveryOutcome.BUSY),
        ("tencent", "FailedOperation.TemplateIncorrectOrUnapproved", DeliveryOutcome.TEMPLATE_REJECTED),
        ("tencent", "FailedOperation.InsufficientBalanceInSmsPackage", DeliveryOutcome.CHANNEL_REJECTED),
        ("tencent", "AuthFailure.SignatureExpire", DeliveryOutcome.CHANNEL_REJECTED),
        ("tencent", "LimitExceeded.PhoneNumberDailyLimit", DeliveryOutcome.BUSY),
    ],
)
def test_a_rejection_says_in_chinese_what_to_do_and_holds_no_number(channel, code, outcome):
    found = rejection(channel, "chase", code, f"号码{MOBILE}不行")
    assert found.outcome is outcome
    assert code in found.reason and MOBILE not in found.reason and "。（运营商答复：" in found.reason


def test_a_channel_that_fails_is_left_alone_from_the_third_time_and_longer_each_time():
    pauses = [pause_after(DeliveryOutcome.UNREACHABLE, count) for count in (1, 2, 3, 4, 9, 999)]
    assert pauses == [None, None, *(timedelta(minutes=n) for n in (1, 2, 30, 30))]
    assert pause_after(DeliveryOutcome.BUSY, 9) is None and pause_after(
        DeliveryOutcome.TEMPLATE_REJECTED, 1
    ) == timedelta(minutes=30)


def test_templates_have_room_for_no_marks_and_are_written_as_each_operator_wants():
    assert KINDS["chase"].for_aliyun().startswith("${exam}将于${closes}截止")
    assert KINDS["chase"].for_tencent().startswith("{1}将于{2}截止")
    assert {name for kind in KINDS.values() for name in kind.parameters} == {"code", "exam", "closes"}
    assert [len(value) for value in cut_parameters(["长" * 80, " a \n b "])] == [30, 3]


def test_what_the_channels_lack_is_listed_at_once():
    given = {"APP_MODE": "testing", "DATABASE_URL": "x", "REDIS_URL": "x", "MESSAGE_GATEWAY": "tencent,aliyun"}
    with pytest.raises(SettingsError) as rejected:
        read_settings(given | {"SMS_SIGN_NAME": "x", "ALIYUN_ACCESS_KEY_ID": "x"}).check()
    assert [issue.split("，")[0] for issue in rejected.value.issues] == [
        "MESSAGE_GATEWAY 里有 tencent",
        "MESSAGE_GATEWAY 里有 aliyun",
    ]
    assert "ALIYUN_ACCESS_KEY_SECRET、SMS_TEMPLATES" in str(rejected.value)


@pytest.fixture
def send_waiting(app):
    return app.extensions["celery"].tasks["messages.send_waiting"]


@pytest.fixture
def person(app, world):
    person = world.person()
    person.mobile_encrypted = app.extensions["cipher"].seal(MOBILE, associated_data=mobile_binding(person.id))
    world.session.flush()
    return person


def put(session, person, key, kind="results.opened", **fields):
    more: dict[str, Any] = {
        "text": "《年度考试》的成绩已经公布",
        "parameters": ["年度考试"],
        "now": clock.now(),
    } | fields
    send_out(session, person_id=person.id, kind=kind, once_key=key, **more)


def row_of(session, key):
    session.expire_all()
    return session.scalars(select(OutgoingMessage).where(OutgoingMessage.once_key == key)).one()


def test_alibaba_cloud_takes_a_message_by_its_template_and_the_cost_is_kept(app, session, person, send_waiting):
    put(session, person, "a")
    with run_operator(TAKEN) as operator, gateway(app, **ALIYUN, aliyun_sms_url=operator.url):
        send_waiting()
    [sent] = operator.seen
    assert sent.query == {
        "PhoneNumbers": MOBILE,
        "SignName": "某县普法办",
        "TemplateCode": "SMS_2",
        "TemplateParam": '{"exam": "年度考试"}',
        "OutId": str(row_of(session, "a").id),
    }
    assert sent.headers["x-acs-action"] == "SendSms" and sent.headers["Authorization"].startswith("ACS3-HMAC-SHA256 ")
    row = row_of(session, "a")
    assert (row.state, row.channel, row.operator_id) == ("sent", "aliyun", "900619746936498440^0")
    assert (row.segment_count, row.cost) == (1, Decimal("0.05"))


def test_tencent_cloud_takes_a_message_and_says_what_it_charges(app, session, person, send_waiting):
    status = {"SerialNo": "5000:1045710669157053657849499619", "Fee": 2, "Code": "Ok", "Message": "send success"}
    answer = (200, {"Response": {"SendStatusSet": [status], "RequestId": "a"}})
    put(session, person, "a")
    with run_operator(answer) as operator, gateway(app, **TENCENT, tencent_sms_url=operator.url):
        send_waiting()
    [sent] = operator.seen
    assert sent.json["PhoneNumberSet"] == [f"+86{MOBILE}"]
    assert sent.json["TemplateParamSet"] == ["年度考试"] and sent.json["TemplateId"] == "1001"
    assert sent.headers["X-TC-Action"] == "SendSms" and "/sms/tc3_request" in sent.headers["Authorization"]
    row = row_of(session, "a")
    assert (row.state, row.operator_id, row.segment_count) == ("sent", status["SerialNo"], 2)


def test_a_template_rejected_inside_a_200_holds_its_kind_alone_until_somebody_has_seen_to_it(
    app, session, world, person, send_waiting
):
    other = world.person()
    other.mobile_encrypted = app.extensions["cipher"].seal(MOBILE, associated_data=mobile_binding(other.id))
    put(session, person, "a")
    put(session, other, "b")
    put(session, other, "code", kind="sign_in_code", parameters=["12345678"], urgent=True)
    rejected = (200, {"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "模板未审核通过"})
    with (
        run_operator(lambda sent: rejected if sent.query["TemplateCode"] == "SMS_2" else TAKEN) as operator,
        gateway(app, **ALIYUN, aliyun_sms_url=operator.url),
    ):
        send_waiting()
        send_waiting()
        assert [sent.query["TemplateCode"] for sent in operator.seen] == ["SMS_1", "SMS_2"]
        row, code = row_of(session, "a"), row_of(session, "code")
        assert (row.state, row.delivery_count, row.sent_on) == ("waiting", 0, None)
        assert "请到运营商控制台核对“成绩公布”的模板" in row.reason
        assert (code.state, code.text, code.parameters) == ("sent", "", [])
        page = world.client(world.admin()).get("/admin/messages/channels").text
        assert "“成绩公布”发不出去" in page and "模板未审核通过" in page


def test_wrong_keys_pause_the_channel_and_a_test_lets_it_be_tried_at_once(app, session, world, person, send_waiting):
    office = world.admin()
    office.mobile_encrypted = app.extensions["cipher"].seal("13900000009", associated_data=mobile_binding(office.id))
    client = world.client(office)
    put(session, person, "a")
    with (
        run_operator((400, {"Code": "SignatureDoesNotMatch", "Message": "no"}), TAKEN) as operator,
        gateway(app, **ALIYUN, aliyun_sms_url=operator.url),
    ):
        send_waiting()
        send_waiting()
        assert len(operator.seen) == 1
        assert "接口密钥不对" in client.get("/admin/messages/channels").text
        page = "/admin/messages/channels"
        assert post(client, f"{page}/test", {"channel": "aliyun"}, page=page).status_code == 303
        send_waiting()
        text = client.get(page).text
    assert [sent.query["PhoneNumbers"] for sent in operator.seen[1:]] == ["13900000009", MOBILE]
    assert ">正常<" in text and "已发出，请看手机是否收到" in text and "13900000009" not in text


def test_a_silent_operator_is_given_up_within_its_limit_and_left_alone_after_three(
    app, session, world, person, send_waiting, monkeypatch
):
    monkeypatch.setattr(http_client, "STEP_TIMEOUT_S", 0.05)
    for number in range(5):
        other = world.person()
        other.mobile_encrypted = app.extensions["cipher"].seal(MOBILE, associated_data=mobile_binding(other.id))
        put(session, other, f"k{number}")
    with half_open() as url, gateway(app, **ALIYUN, aliyun_sms_url=url):
        send_waiting()
    rows = [row_of(session, f"k{number}") for number in range(5)]
    assert [row.delivery_count for row in rows] == [1, 1, 1, 0, 0]
    assert {row.state for row in rows} == {"waiting"} and "对方没有答复，已超时" in rows[0].reason
    state = session.get(MessageChannel, ("aliyun", ""))
    assert state.failure_count == 3 and state.paused_until > clock.now()


def test_an_exam_never_speaks_with_a_gateway_that_hangs(app, world):
    candidate = make_exam_with_candidates(world)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        gateway(app, **ALIYUN, aliyun_sms_url=f"http://127.0.0.1:{server.getsockname()[1]}"),
    ):
        put(world.session, candidate.person, "a")
        assert candidate.save((1, 1, ["A"])).get_json()["acked"] == {"1": 1}
        assert candidate.hand_in().status_code == 201
        assert candidate.api.get("/").status_code == 200
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has connected: sending is the worker's alone
            server.accept()


def test_a_reply_that_drips_is_cut_at_the_limit_of_the_exchange(monkeypatch):
    monkeypatch.setattr(http_client, "EXCHANGE_LIMIT_S", 0.2)
    with dripping() as url:
        found = exchange_json(url, headers={})
    assert found.outcome is DeliveryOutcome.UNREACHABLE


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, b"[" * 60_000), (502, {"Code": "OK"}), (200, b"[]")])
def test_an_answer_that_is_no_answer_is_tried_again_and_never_taken_for_a_yes(answer):
    with run_operator(answer) as operator:
        found = exchange_json(operator.url, headers={})
    assert found.outcome is DeliveryOutcome.UNREACHABLE


def test_the_next_channel_is_tried_only_where_the_one_before_surely_has_not_sent(
    app, session, person, tmp_path, send_waiting
):
    path = tmp_path / "letters"
    both = ALIYUN | {"message_gateway": f"aliyun,file:{path}"}
    put(session, person, "a")
    with run_operator((500, b"")) as operator, gateway(app, **both, aliyun_sms_url=operator.url):
        send_waiting()
        assert row_of(session, "a").state == "waiting" and not path.exists()
        operator.answers[:] = [(200, {"Code": "isv.AMOUNT_NOT_ENOUGH", "Message": ""})]
        put(session, person, "code", kind="sign_in_code", parameters=["1"], urgent=True)
        send_waiting()
    assert row_of(session, "code").channel == "file" and path.exists()


def test_the_page_says_how_to_begin_and_only_the_offices_see_it(world):
    assert "还没有启用" in world.client(world.admin()).get("/admin/messages/channels").text
    assert world.client(world.admin("unit_admin", world.unit())).get("/admin/messages/channels").status_code == 404

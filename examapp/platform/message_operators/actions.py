"""Adapters for operators of messages: SMS of Alibaba Cloud and Tencent Cloud, application messages of WeCom, work notices of DingTalk."""

from __future__ import annotations

import json
import socket
import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from examapp.clock import local
from examapp.config import Settings
from examapp.platform.message_operators.rules import (
    acs3_headers,
    canonical_query,
    count_segments,
    find_aliyun_report,
    find_dingtalk_report,
    find_tencent_report,
    missing_template,
    rejection,
    tc3_headers,
    text_of,
    unreadable,
)
from examapp.platform.outgoing_messages.rules import (
    ANY_KIND,
    KINDS,
    Claimed,
    Delivery,
    DeliveryOutcome,
    DeliveryReport,
    SentMessage,
)
from examapp.security.http_client import ExchangeError, exchange


def exchange_json(url: str, *, body: bytes = b"", headers: Mapping[str, str], method: str = "POST") -> Any:
    """Exchange and give the JSON object of the reply, or the delivery that an answer of another kind or none comes to."""
    try:
        status, content = exchange(url, body=body, headers=headers, method=method)
    except ExchangeError as error:
        return unreachable(error)
    try:
        reply = json.loads(content)
    except (ValueError, RecursionError):
        return unreadable(status)
    is_known = isinstance(reply, dict) and status < HTTPStatus.INTERNAL_SERVER_ERROR
    return reply if is_known else unreadable(status)


_CONNECTION_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "对方没有答复，已超时"),
    (ConnectionRefusedError, "对方拒绝连接"),
    (socket.gaierror, "找不到这个主机名"),
    (ssl.SSLCertVerificationError, "对方的证书不可信"),
)


def unreachable(error: Exception) -> Delivery:
    """Give what a connection that failed, was cut or timed out comes to; the message may have been taken."""
    said = next((text for kind, text in _CONNECTION_ERRORS if isinstance(error, kind)), "连接中断")
    reason = f"通道没有连通（{said}），会自动再发。一直如此的，请系统管理员检查服务器能否访问这个地址。"
    return Delivery(outcome=DeliveryOutcome.UNREACHABLE, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliyunSms:
    """Sends by Alibaba Cloud's SendSms (2017-05-25). A rejection comes as a `Code` other than OK, mostly with status 200."""

    settings: Settings
    name: str = "aliyun"
    address_kind: str = "mobile"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Send a short message by the template of its kind."""
        template = self.settings.find_sms_template(message.kind)
        if template is None:
            return missing_template(message.kind)
        reply = self._call("SendSms", self._fields(message, address, template), now=now)
        if isinstance(reply, Delivery):
            return reply
        if (code := text_of(reply, "Code")) != "OK":
            return rejection(self.name, message.kind, code or "无错误码", text_of(reply, "Message"))
        segments = count_segments(message, self.settings.sms_sign_name)
        return Delivery(outcome=DeliveryOutcome.TAKEN, operator_id=text_of(reply, "BizId"), segment_count=segments)

    def find_report(self, message: SentMessage, address: str, *, now: datetime) -> DeliveryReport | None:
        """Ask QuerySendDetails what became of a message."""
        wanted = {
            "PhoneNumber": address,
            "BizId": message.operator_id,
            "SendDate": f"{local(message.sent_at):%Y%m%d}",
            "PageSize": "10",
            "CurrentPage": "1",
        }
        reply = self._call("QuerySendDetails", wanted, now=now)
        return None if isinstance(reply, Delivery) else find_aliyun_report(reply, message.operator_id)

    def _fields(self, message: Claimed, address: str, template: str) -> dict[str, str]:
        names = KINDS[message.kind].parameters if message.kind in KINDS else ()
        values = dict(zip(names, message.parameters, strict=False))
        return {
            "PhoneNumbers": address,
            "SignName": self.settings.sms_sign_name,
            "TemplateCode": template,
            "TemplateParam": json.dumps(values, ensure_ascii=False),
            "OutId": str(message.id),
        }

    def _call(self, action: str, query: dict[str, str], *, now: datetime) -> Any:
        settings = self.settings
        headers = acs3_headers(
            action,
            version="2017-05-25",
            host=urlsplit(settings.aliyun_sms_url).netloc,
            query=query,
            key_id=settings.aliyun_access_key_id,
            secret=settings.aliyun_access_key_secret,
            nonce=uuid.uuid4().hex,
            now=now,
        )
        return exchange_json(f"{settings.aliyun_sms_url}/?{canonical_query(query)}", headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TencentSms:
    """Sends by Tencent Cloud's SendSms (2021-01-11). A rejection comes with status 200, as `Error` or as the number's own `Code`."""

    settings: Settings
    name: str = "tencent"
    address_kind: str = "mobile"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:
        """Send a short message by the template of its kind."""
        template = self.settings.find_sms_template(message.kind)
        if template is None:
            return missing_template(message.kind)
        wanted = {
            "PhoneNumberSet": [f"+86{address}"],
            "SmsSdkAppId": self.settings.tencent_sms_app_id,
            "SignName": self.settings.sms_sign_name,
            "TemplateId": template,
            "TemplateParamSet": list(message.parameters),
            "SessionContext": str(message.id),
        }
        reply = self._call("SendSms", wanted, now=now)
        return reply if isinstance(reply, Delivery) else self._read(message.kind, reply)

    def find_report(self, message: SentMessage, address: str, *, now: datetime) -> DeliveryReport | None:
        """Ask PullSmsSendStatusByPhoneNumber what became of a message."""
        wanted = {
            "BeginTime": int(message.sent_at.timestamp()) - 60,
            "Offset": 0,
            "Limit": 100,
            "PhoneNumber": f"+86{address}",
            "SmsSdkAppId": self.settings.tencent_sms_app_id,
        }
        reply = self._call("PullSmsSendStatusByPhoneNumber", wanted, now=now)
        return None if isinstance(reply, Delivery) else find_tencent_report(reply, message.operator_id)

    def _read(self, kind: str, reply: dict[str, Any]) -> Delivery:
        if isinstance(error := reply.get("Error"), dict):
            return rejection(self.name, kind, text_of(error, "Code"), text_of(error, "Message"))
        match reply.get("SendStatusSet"):
            case [{"Code": "Ok"} as status]:
                fee = status.get("Fee")
                segments = fee if isinstance(fee, int) and 0 <= fee <= 100 else 1
                return Delivery(
                    outcome=DeliveryOutcome.TAKEN, operator_id=text_of(status, "SerialNo"), segment_count=segments
                )
            case [dict() as status]:
                return rejection(self.name, kind, text_of(status, "Code"), text_of(status, "Message"))
        return unreadable(HTTPStatus.OK)

    def _call(self, action: str, wanted: dict[str, Any], *, now: datetime) -> Any:
        settings, body = self.settings, json.dumps(wanted, ensure_ascii=False).encode()
        headers = tc3_headers(
            action,
            service="sms",
            version="2021-01-11",
            region=settings.tencent_sms_region,
            host=urlsplit(settings.tencent_sms_url).netloc,
            body=body,
            secret_id=settings.tencent_secret_id,
            secret_key=settings.tencent_secret_key,
            now=now,
        )
        reply = exchange_json(settings.tencent_sms_url, body=body, headers=headers)
        if isinstance(reply, Delivery):
            return reply
        inner = reply.get("Response")
        return inner if isinstance(inner, dict) else unreadable(HTTPStatus.OK)


_JSON = {"Content-Type": "application/json; charset=utf-8"}
_tokens: dict[str, tuple[str, float]] = {}
"""Access tokens with the end of their life by this process's monotonic clock, by the address that gave each; in memory only."""
_TOKEN_MARGIN_S, _MAX_TOKEN_LIFE_S = 300.0, 86_400
_TOKEN_OVER = frozenset({"40014", "42001", "41001", "88.40014", "88.42001"})
"""Codes by which both say that a token is over or unknown; a new one is fetched, once."""


def forget_tokens() -> None:
    """Forget all access tokens."""
    _tokens.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkApp:
    """An application inside a work messenger, which asks with an access token. A rejection comes as an `errcode` inside a 200."""

    settings: Settings
    address_kind: str = "mobile"

    @property
    def name(self) -> str:
        """The channel's name."""
        raise NotImplementedError

    def _token_address(self) -> str:
        """Give the address at which an access token is fetched."""
        raise NotImplementedError

    def find_report(self, message: SentMessage, address: str, *, now: datetime) -> DeliveryReport | None:  # noqa: ARG002 – as its kinds have it
        """Say that nothing is known."""
        return None

    def _ask(self, kind: str, address: str, wanted: Mapping[str, Any]) -> Any:
        """Ask with the token, once with a new one where it is over; gives the reply or what its rejection means."""
        body, code, reply = json.dumps(wanted, ensure_ascii=False).encode(), "", {}
        for _ in range(2):
            token = self._find_token(kind)
            if isinstance(token, Delivery):
                return token
            reply = exchange_json(f"{address}?{canonical_query({'access_token': token})}", body=body, headers=_JSON)
            if isinstance(reply, Delivery) or (code := error_code(reply)) == "0":
                return reply
            if code not in _TOKEN_OVER:
                break
            _tokens.pop(self._token_address(), None)
        return rejection(self.name, kind, code, text_of(reply, "errmsg"))

    def _find_token(self, kind: str) -> str | Delivery:
        address = self._token_address()
        token, expires_at = _tokens.get(address, ("", 0.0))
        if token and time.monotonic() < expires_at:
            return token
        reply = exchange_json(address, headers={}, method="GET")
        if isinstance(reply, Delivery):
            return reply
        if (code := error_code(reply)) != "0":
            return rejection(self.name, kind, code, text_of(reply, "errmsg"))
        life, token = reply.get("expires_in"), text_of(reply, "access_token")
        life_s = float(life) if isinstance(life, int) and 0 < life <= _MAX_TOKEN_LIFE_S else 0.0
        _tokens[address] = token, time.monotonic() + life_s - _TOKEN_MARGIN_S
        return token or unreadable(HTTPStatus.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComApp(WorkApp):
    """Sends by a WeCom application, to the member whose mobile number it is."""

    @property
    def name(self) -> str:
        """The channel's name."""
        return "wecom"

    def _token_address(self) -> str:
        query = {"corpid": self.settings.wecom_corp_id, "corpsecret": self.settings.wecom_secret}
        return f"{self.settings.wecom_url}/cgi-bin/gettoken?{canonical_query(query)}"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:  # noqa: ARG002 – other channels sign with it
        """Send a text message; a second one of the same content within four hours is dropped by WeCom."""
        url = f"{self.settings.wecom_url}/cgi-bin"
        user = self._ask(message.kind, f"{url}/user/getuserid", {"mobile": address})
        if isinstance(user, Delivery):
            return user
        wanted = {
            "touser": text_of(user, "userid"),
            "msgtype": "text",
            "agentid": int(self.settings.wecom_agent_id),
            "text": {"content": message.text},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 14_400,
        }
        reply = self._ask(message.kind, f"{url}/message/send", wanted)
        if isinstance(reply, Delivery):
            return reply
        for field in ("invaliduser", "unlicenseduser"):
            if reply.get(field):
                return rejection(self.name, message.kind, field, "")
        return Delivery(outcome=DeliveryOutcome.TAKEN, operator_id=text_of(reply, "msgid"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DingTalkApp(WorkApp):
    """Sends work notices by a DingTalk application, to the member whose mobile number it is."""

    @property
    def name(self) -> str:
        """The channel's name."""
        return "dingtalk"

    def _token_address(self) -> str:
        query = {"appkey": self.settings.dingtalk_app_key, "appsecret": self.settings.dingtalk_app_secret}
        return f"{self.settings.dingtalk_url}/gettoken?{canonical_query(query)}"

    def deliver(self, message: Claimed, address: str, *, now: datetime) -> Delivery:  # noqa: ARG002 – other channels sign with it
        """Send a text message; DingTalk takes it as a task, whose result is asked later."""
        url = f"{self.settings.dingtalk_url}/topapi"
        user = self._ask(message.kind, f"{url}/v2/user/getbymobile", {"mobile": address})
        if isinstance(user, Delivery):
            return user
        found = user.get("result")
        wanted = {
            "agent_id": int(self.settings.dingtalk_agent_id),
            "userid_list": text_of(found, "userid") if isinstance(found, dict) else "",
            "msg": {"msgtype": "text", "text": {"content": message.text}},
        }
        reply = self._ask(message.kind, f"{url}/message/corpconversation/asyncsend_v2", wanted)
        if isinstance(reply, Delivery):
            return reply
        return Delivery(outcome=DeliveryOutcome.TAKEN, operator_id=str(reply.get("task_id", "")))

    def find_report(self, message: SentMessage, address: str, *, now: datetime) -> DeliveryReport | None:  # noqa: ARG002 – as above
        """Ask getsendresult what became of a notice."""
        wanted = {"agent_id": int(self.settings.dingtalk_agent_id), "task_id": int(message.operator_id or 0)}
        url = f"{self.settings.dingtalk_url}/topapi/message/corpconversation/getsendresult"
        reply = self._ask(ANY_KIND, url, wanted)
        return None if isinstance(reply, Delivery) else find_dingtalk_report(reply, message.operator_id)


def error_code(reply: Mapping[str, Any]) -> str:
    """Read the code of a reply of WeCom or DingTalk, with DingTalk's finer one after a point; an answer without one is no success."""
    code, finer = reply.get("errcode"), reply.get("sub_code")
    if not isinstance(code, int):
        return "无错误码"
    return f"{code}.{finer}" if code and isinstance(finer, str) and finer else str(code)

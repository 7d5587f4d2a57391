"""Request signatures of the operators, and what their rejections mean: what to do, in Chinese."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard
from urllib.parse import quote

from examapp.platform.outgoing_messages.rules import (
    KINDS,
    LONG_NUMBER,
    Claimed,
    Delivery,
    DeliveryOutcome,
    DeliveryReport,
    kind_label,
)

_FIRST_SEGMENT, _SEGMENT = 70, 67
_MAX_DIGITS = 18
"""Of a number that is still a bigint."""


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Write parameters sorted and percent-encoded by RFC 3986, as they are signed and sent."""
    return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(parameters.items()))


def acs3_headers(
    action: str,
    *,
    version: str,
    host: str,
    query: Mapping[str, str],
    key_id: str,
    secret: str,
    nonce: str,
    now: datetime,
) -> dict[str, str]:
    """Give the headers of a POST without a body, signed by Alibaba Cloud's ACS3-HMAC-SHA256.

    Source: help.aliyun.com, "V3 request syntax and signature method"; its worked example stands in the tests.
    """
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": _hash(b""),
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = "\n".join(["POST", "/", canonical_query(query), lines, names, _hash(b"")])
    signature = _hmac(secret.encode(), f"ACS3-HMAC-SHA256\n{_hash(request.encode())}").hex()
    credential = f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}"
    return headers | {"Authorization": credential}


def tc3_headers(
    action: str,
    *,
    service: str,
    version: str,
    region: str,
    host: str,
    body: bytes,
    secret_id: str,
    secret_key: str,
    now: datetime,
) -> dict[str, str]:
    """Give the headers of a POST of JSON, signed by Tencent Cloud's TC3-HMAC-SHA256.

    Source: cloud.tencent.com/document/api/382/52072, "Signature v3"; its worked example stands in the tests.
    """
    stamp, day = str(int(now.timestamp())), now.astimezone(UTC).strftime("%Y-%m-%d")
    signed = {"content-type": "application/json; charset=utf-8", "host": host}
    names = ";".join(signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    request = "\n".join(["POST", "/", "", lines, names, _hash(body)])
    scope = f"{day}/{service}/tc3_request"
    key = _hmac(_hmac(_hmac(f"TC3{secret_key}".encode(), day), service), "tc3_request")
    signature = _hmac(key, f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{_hash(request.encode())}").hex()
    return signed | {
        "Authorization": f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={signature}",
        "X-TC-Action": action,
        "X-TC-Timestamp": stamp,
        "X-TC-Version": version,
        "X-TC-Region": region,
    }


def count_segments(message: Claimed, sign_name: str) -> int:
    """Count the short messages that operators charge for a text: one up to 70 characters, then one for every 67."""
    kind = KINDS.get(message.kind)
    text = (
        kind.template.format(**dict(zip(kind.parameters, message.parameters, strict=False))) if kind else message.text
    )
    length = len(sign_name) + 2 + len(text)
    return 1 if length <= _FIRST_SEGMENT else -(-length // _SEGMENT)


_KEYS = "接口密钥不对、已停用或没有短信权限。请系统管理员核对密钥设置后重启，再按“测试”。"
_MONEY = "账户欠费、停用或没有开通短信服务。请到运营商控制台充值或开通，再按“测试”。"
_TEMPLATE = "短信模板或签名没有审核通过，或与变量不符。请到运营商控制台核对“{kind}”的模板，改好 SMS_TEMPLATES、SMS_SIGN_NAME 后重启，再按“测试”。"
_NUMBER = "对方号码不对、已停用或拒收。请单位核对本人手机号，或用其他方式通知。"
_LIMIT = "运营商限制了发送频率，会自动再发，不用处理。"
_CLOCK = "服务器的时间不准，运营商不认签名。请系统管理员校准时间，再按“测试”。"
_USER = "企业通讯录里没有这个手机号的人，或本人没有激活。请单位核对名册手机号，或让本人先加入。"
_LICENCE = "这个人没有应用的接口许可。请企业管理员分配后再发。"
_APP = "应用的密钥、编号、可信 IP 或接口权限不对。请企业管理员在后台核对，改好设置后重启，再按“测试”。"
_SAME = "今天已经发过同样的内容，对方软件不再重复显示，不用处理。"
_OTHER = "运营商没有收下，会自动再发；多次不成的，请把括号里的话告诉运营商客服。"

_REJECTIONS: dict[str, dict[str, tuple[DeliveryOutcome, str]]] = {
    "aliyun": {
        "isv.SMS_TEMPLATE_ILLEGAL": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "isv.SMS_SIGNATURE": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "isv.SMS_SIGN_ILLEGAL": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "isv.TEMPLATE": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "isv.INVALID_JSON_PARAM": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "isv.PARAM": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "isv.MOBILE": (DeliveryOutcome.RECIPIENT_REJECTED, _NUMBER),
        "isv.BUSINESS_LIMIT_CONTROL": (DeliveryOutcome.BUSY, _LIMIT),
        "isv.DAY_LIMIT_CONTROL": (DeliveryOutcome.BUSY, _LIMIT),
        "Throttling": (DeliveryOutcome.BUSY, _LIMIT),
        "isv.AMOUNT_NOT_ENOUGH": (DeliveryOutcome.CHANNEL_REJECTED, _MONEY),
        "isv.OUT_OF_SERVICE": (DeliveryOutcome.CHANNEL_REJECTED, _MONEY),
        "isv.PRODUCT_UN_SUBSCRIPT": (DeliveryOutcome.CHANNEL_REJECTED, _MONEY),
        "isv.ACCOUNT": (DeliveryOutcome.CHANNEL_REJECTED, _MONEY),
        "isp.RAM_PERMISSION_DENY": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
        "Forbidden": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
        "NoPermission": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
        "InvalidAccessKeyId": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
        "SignatureDoesNotMatch": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
        "IncompleteSignature": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
        "InvalidTimeStamp": (DeliveryOutcome.CHANNEL_REJECTED, _CLOCK),
    },
    "tencent": {
        "FailedOperation.SignatureIncorrectOrUnapproved": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "FailedOperation.Template": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "FailedOperation.MissingTemplate": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "FailedOperation.MissingSignature": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "InvalidParameterValue.Template": (DeliveryOutcome.TEMPLATE_REJECTED, _TEMPLATE),
        "InvalidParameterValue.IncorrectPhoneNumber": (DeliveryOutcome.RECIPIENT_REJECTED, _NUMBER),
        "FailedOperation.PhoneNumberInBlacklist": (DeliveryOutcome.RECIPIENT_REJECTED, _NUMBER),
        "LimitExceeded": (DeliveryOutcome.BUSY, _LIMIT),
        "RequestLimitExceeded": (DeliveryOutcome.BUSY, _LIMIT),
        "FailedOperation.InsufficientBalance": (DeliveryOutcome.CHANNEL_REJECTED, _MONEY),
        "UnauthorizedOperation": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
        "AuthFailure.SignatureExpire": (DeliveryOutcome.CHANNEL_REJECTED, _CLOCK),
        "AuthFailure": (DeliveryOutcome.CHANNEL_REJECTED, _KEYS),
    },
    "wecom": {
        **dict.fromkeys(
            ("60111", "46004", "60103", "81013", "82001", "invaliduser"), (DeliveryOutcome.RECIPIENT_REJECTED, _USER)
        ),
        "unlicenseduser": (DeliveryOutcome.RECIPIENT_REJECTED, _LICENCE),
        **dict.fromkeys(("-1", "45009", "45033"), (DeliveryOutcome.BUSY, _LIMIT)),
        **dict.fromkeys(
            ("40001", "40013", "40056", "40091", "48002", "60011", "60020", "301002", "42001", "40014"),
            (DeliveryOutcome.CHANNEL_REJECTED, _APP),
        ),
    },
    "dingtalk": {
        **dict.fromkeys(("60121", "60111", "33012"), (DeliveryOutcome.RECIPIENT_REJECTED, _USER)),
        **dict.fromkeys(("143106", "143206"), (DeliveryOutcome.RECIPIENT_REJECTED, _SAME)),
        **dict.fromkeys(("-1", "90002", "90018", "143103", "143104", "143105"), (DeliveryOutcome.BUSY, _LIMIT)),
        **dict.fromkeys(
            ("88", "40089", "40096", "60011", "60020", "42001", "40014"), (DeliveryOutcome.CHANNEL_REJECTED, _APP)
        ),
    },
}
"""By operator and the beginning of its code, the first that fits: what it says about the message, and what to do. Source: their lists of error codes."""


def rejection(channel: str, kind: str, code: str, text: str) -> Delivery:
    """Give what a rejection means, with the operator's words, without any number of a person in them; an unknown one is tried again."""
    found = next((found for start, found in _REJECTIONS[channel].items() if code.startswith(start)), None)
    outcome, sentence = found or (DeliveryOutcome.BUSY, _OTHER)
    said = LONG_NUMBER.sub("…", f"{code} {text}".strip())[:120]
    return Delivery(outcome=outcome, reason=f"{sentence.format(kind=kind_label(kind))}（运营商答复：{said}）")


def missing_template(kind: str) -> Delivery:
    """Give the rejection of a message for whose kind no template is set: nothing was sent."""
    name = kind_label(kind)
    reason = f"没有为“{name}”设置短信模板。请把本页的文字报运营商审核，通过后把 {kind}=模板编号 加进 SMS_TEMPLATES 并重启，再按“测试”。"
    return Delivery(outcome=DeliveryOutcome.TEMPLATE_REJECTED, reason=reason)


def unreadable(status: int) -> Delivery:
    """Give what an answer that is no JSON or says nothing known means: it may have been taken."""
    return Delivery(outcome=DeliveryOutcome.UNREACHABLE, reason=f"通道的答复看不懂（状态 {status}），会自动再发。")


def text_of(reply: Mapping[str, Any], name: str) -> str:
    """Read a text of an operator's reply, whatever it holds there."""
    value = reply.get(name)
    return value if isinstance(value, str) else ""


def _is_reply(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)


def _read_count(value: object) -> int | None:
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 3 else None


def _read_number(value: object) -> int | None:
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def read_aliyun_report(row: Mapping[str, Any]) -> DeliveryReport:
    """Read a row of Alibaba Cloud's SmsReport."""
    return DeliveryReport(
        operator_id=text_of(row, "biz_id"),
        is_delivered=row.get("success") is True,
        code=text_of(row, "err_code"),
        message_id=_read_number(row.get("out_id")),
        segment_count=_read_count(row.get("sms_size")),
    )


def read_tencent_report(row: Mapping[str, Any]) -> DeliveryReport:
    """Read a row of Tencent Cloud's status callback."""
    return DeliveryReport(
        operator_id=text_of(row, "sid"),
        is_delivered=text_of(row, "report_status") == "SUCCESS",
        code=text_of(row, "errmsg"),
    )


def read_http_report(row: Mapping[str, Any]) -> DeliveryReport:
    """Read a row of what the county's own gateway reports: `id` as it was posted, `delivered`, `reason`."""
    return DeliveryReport(
        once_key=text_of(row, "id") or "–", is_delivered=row.get("delivered") is True, code=text_of(row, "reason")
    )


REPORT_READERS: dict[str, Callable[[Mapping[str, Any]], DeliveryReport]] = {
    "aliyun": read_aliyun_report,
    "tencent": read_tencent_report,
    "http": read_http_report,
}


def find_aliyun_report(reply: Mapping[str, Any], operator_id: str) -> DeliveryReport | None:
    """Read QuerySendDetails: status 1 is without a report yet, 2 failed, 3 delivered."""
    rows = reply.get("SmsSendDetailDTOs")
    match rows.get("SmsSendDetailDTO") if _is_reply(rows) else None:
        case [{"SendStatus": 2 | 3 as status} as row, *_]:
            return DeliveryReport(operator_id=operator_id, is_delivered=status == 3, code=text_of(row, "ErrCode"))
    return None


def find_tencent_report(reply: Mapping[str, Any], operator_id: str) -> DeliveryReport | None:
    """Read PullSmsSendStatusByPhoneNumber: the row of this message, if it is there."""
    rows = reply.get("PullSmsSendStatusSet")
    for row in rows if isinstance(rows, list) else []:
        if _is_reply(row) and row.get("SerialNo") == operator_id:
            is_delivered = row.get("ReportStatus") == "SUCCESS"
            return DeliveryReport(operator_id=operator_id, is_delivered=is_delivered, code=text_of(row, "Description"))
    return None


def find_dingtalk_report(reply: Mapping[str, Any], operator_id: str) -> DeliveryReport | None:
    """Read getsendresult of a task with one recipient: read or unread is delivered; failed, forbidden or invalid is not."""
    result = reply.get("send_result")
    if not _is_reply(result):
        return None
    if result.get("read_user_id_list") or result.get("unread_user_id_list"):
        return DeliveryReport(operator_id=operator_id, is_delivered=True)
    for name in ("failed_user_id_list", "forbidden_user_id_list", "invalid_user_id_list", "forbidden_list"):
        if result.get(name):
            return DeliveryReport(operator_id=operator_id, is_delivered=False, code=name)
    return None


def is_unsubscribing(text: str) -> bool:
    """Tell whether the answer to a short message asks for no more: the words that operators print, in any width or case."""
    word = unicodedata.normalize("NFKC", text).strip(" 。.!！").upper()
    return word in {"T", "TD", "R", "N", "0000", "退订", "拒收", "取消"}

"""The settings of the message gateway: which channels, their keys and templates, when messages may go out; a part of the settings in config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
_MAX_PRICE = 10
_SMS = ("sms_sign_name", "sms_templates")
CHANNEL_SETTINGS = {
    "aliyun": ("aliyun_access_key_id", "aliyun_access_key_secret", *_SMS),
    "tencent": ("tencent_secret_id", "tencent_secret_key", "tencent_sms_app_id", *_SMS),
    "wecom": ("wecom_corp_id", "wecom_secret", "wecom_agent_id"),
    "dingtalk": ("dingtalk_app_key", "dingtalk_app_secret", "dingtalk_agent_id"),
    "smtp": ("smtp_url", "smtp_sender"),
}
"""The channels that the setting MESSAGE_GATEWAY names by a word, each with the settings that it needs."""
_WEB_ADDRESS = "https://主机 这样的地址"


def setting(default: T, meaning: str, *, read: Callable[[str], Any] | None = None, expected: str = "") -> T:
    """Declare a setting; `read` makes its value of text where its type alone does not, and `expected` says of what text."""
    return field(default=default, metadata={"meaning": meaning, "read": read, "expected": expected})


def channel_names(gateway: str) -> list[str]:
    """List the channels of the setting MESSAGE_GATEWAY in their order; a file and an address are each a channel by themselves."""
    return [] if gateway == "off" else [part.strip() for part in gateway.split(",")]


def _read_gateway(text: str) -> str:
    names = channel_names(text)
    kinds = [name.split(":")[0] for name in names]
    is_known = all(name in CHANNEL_SETTINGS or name.startswith(("file:/", "http://", "https://")) for name in names)
    if not is_known or len(set(kinds)) != len(kinds):
        raise ValueError(text)
    return text


def _read_templates(text: str) -> tuple[str, ...]:
    """Read `kind=template, …`, at most one template a kind of message."""
    pairs = tuple("=".join(map(str.strip, part.split("=", 1))) for part in text.split(","))
    if any("=" not in pair.strip("=") for pair in pairs) or len({pair.split("=")[0] for pair in pairs}) != len(pairs):
        raise ValueError(text)
    return pairs


def _read_price(text: str) -> Decimal:
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not price.is_finite() or not 0 <= price <= _MAX_PRICE:
        raise ValueError(text)
    return price


def _read_web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.port == 0:
        raise ValueError(text)
    return text.rstrip("/")


def _read_smtp_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.password or parts.path not in {"", "/"}:
        raise ValueError(text)
    return text


def _read_number(text: str) -> str:
    return str(int(text))


def _read_quiet_hours(text: str) -> tuple[time, time] | None:
    if text == "off":
        return None
    first, last = (time.fromisoformat(part.strip()) for part in text.split("-"))
    return first, last


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSettings:
    """Settings of the message gateway, as read from environment variables of the same names in capitals."""

    message_gateway: str = setting(
        "off",
        "提醒、登录验证码的对外网关，可写几个通道，排在前面的先用：aliyun 阿里云短信，tencent 腾讯云短信，wecom 企业微信，dingtalk 钉钉，smtp 电子邮件，file:路径 写入文件，http(s)://地址 以签名的 JSON 推送；off 不发",
        read=_read_gateway,
        expected="off，或以逗号分隔的通道：aliyun、tencent、wecom、dingtalk、smtp、file:/绝对路径、http(s):// 开头的地址，每种一个",
    )
    message_gateway_secret: str = setting("", "推送网关的签名密钥；网关为 http(s) 地址时必须设置")
    message_quiet_hours: tuple[time, time] | None = setting(
        (time(20), time(8)),
        "免打扰时段（县里时间），其间不发提醒，验证码除外；off 为不设",
        read=_read_quiet_hours,
        expected="20:00-08:00 这样的时段，或 off",
    )
    sms_sign_name: str = setting("", "短信签名：在运营商处审核通过的名称，不带【】")
    sms_templates: tuple[str, ...] = setting(
        (),
        "各类短信在运营商处审核通过的模板编号，如 sign_in_code=SMS_1001,chase=SMS_1002；各类应报审的文字见“短信与消息”页",
        read=_read_templates,
        expected="类别=模板编号，几个以逗号分隔",
    )
    sms_price: Decimal = setting(  # noqa: RUF009 – a field
        Decimal("0.045"),
        "每条短信的单价（元），用于估算费用；长短信按运营商回报的条数计",
        read=_read_price,
        expected=f"0 至 {_MAX_PRICE} 的数",
    )
    aliyun_access_key_id: str = setting("", "阿里云短信的 AccessKey ID，宜用只授短信权限的子账号")
    aliyun_access_key_secret: str = setting("", "阿里云短信的 AccessKey Secret")
    aliyun_sms_url: str = setting(
        "https://dysmsapi.aliyuncs.com", "阿里云短信接口的地址", read=_read_web_address, expected=_WEB_ADDRESS
    )
    tencent_secret_id: str = setting("", "腾讯云短信的 SecretId，宜用只授短信权限的子账号")
    tencent_secret_key: str = setting("", "腾讯云短信的 SecretKey")
    tencent_sms_app_id: str = setting("", "腾讯云短信的 SdkAppId，如 1400006666")
    tencent_sms_region: str = setting("ap-guangzhou", "腾讯云短信的地域")
    tencent_sms_url: str = setting(
        "https://sms.tencentcloudapi.com", "腾讯云短信接口的地址", read=_read_web_address, expected=_WEB_ADDRESS
    )

    wecom_corp_id: str = setting("", "企业微信的企业 ID")
    wecom_secret: str = setting(
        "", "企业微信自建应用的 Secret；应用的可信 IP 要有本服务器，通讯录权限要有“根据手机号查成员”"
    )
    wecom_agent_id: str = setting("", "企业微信自建应用的 AgentId", read=_read_number, expected="整数")
    wecom_url: str = setting(
        "https://qyapi.weixin.qq.com",
        "企业微信接口的地址；政务微信、私有部署时改",
        read=_read_web_address,
        expected=_WEB_ADDRESS,
    )
    dingtalk_app_key: str = setting("", "钉钉企业内部应用的 AppKey（Client ID）")
    dingtalk_app_secret: str = setting("", "钉钉企业内部应用的 AppSecret（Client Secret）")
    dingtalk_agent_id: str = setting("", "钉钉企业内部应用的 AgentId", read=_read_number, expected="整数")
    dingtalk_url: str = setting(
        "https://oapi.dingtalk.com", "钉钉接口的地址；专有钉钉时改", read=_read_web_address, expected=_WEB_ADDRESS
    )
    smtp_url: str = setting(
        "",
        "发信的邮件服务器：smtps://账号@主机:465 全程加密，smtp://账号@主机:587 以 STARTTLS 加密（对方不支持即不发）；账号里的 @ 写成 %40",
        read=_read_smtp_url,
        expected="smtp:// 或 smtps:// 开头的地址，不带密码",
    )
    smtp_password: str = setting("", "发信账号的密码或授权码")
    smtp_sender: str = setting("", "发件人地址，如 pufa@example.gov.cn")

    def find_sms_template(self, kind: str) -> str | None:
        """Find the operator's template of a kind of message."""
        return dict(pair.split("=", 1) for pair in self.sms_templates).get(kind)

    def missing_message_settings(self) -> list[str]:
        """List what the channels need and do not have."""
        issues = []
        for channel in channel_names(self.message_gateway):
            if channel.startswith("http") and len(self.message_gateway_secret) < 16:
                issues.append("MESSAGE_GATEWAY_SECRET 未设置或太短（至少 16 个字符）：推送的短信必须签名。")
            missing = [name.upper() for name in CHANNEL_SETTINGS.get(channel, ()) if not getattr(self, name)]
            if missing:
                issues.append(f"MESSAGE_GATEWAY 里有 {channel}，还要设置 {'、'.join(missing)}。")
        return issues

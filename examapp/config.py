"""Every setting with its default and meaning; read from the environment once, at start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import time
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

_INSECURE_SECRETS = frozenset({"", "change-me", "dev", "secret"})


_DATA_KEY = re.compile(r"(?P<id>[A-Za-z0-9_-]+):(?P<key>[0-9a-fA-F]{64})")
PLAIN_HTTP = "HTTPS 不是 1：正式运行只能经由 https 访问。请在前面的 nginx 配好证书，并设 HTTPS=1。"


class Mode(StrEnum):
    """How strict the program is with itself."""

    PRODUCTION = "production"
    TRYOUT = "tryout"
    TESTING = "testing"


class SettingsError(Exception):
    """A setting is missing or would be dangerous; the message names it and says what to do, in Chinese."""


def _setting(default: str, meaning: str) -> str:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings as read from environment variables of the same names in capitals."""

    app_mode: str = _setting("production", "运行方式：production 正式，tryout 试用（make run），testing 测试")
    database_url: str = _setting("", "PostgreSQL 地址，如 postgresql+psycopg://用户:口令@主机/库；试用时留空则自带")
    redis_url: str = _setting("", "Redis 协议服务地址，如 redis://主机:6379/0；试用时留空则自带")
    secret_key: str = _setting("", "会话与表单签名密钥，至少 32 个字符；正式运行必须设置")
    data_keys: str = _setting(
        "",
        "身份证号、手机号的加密密钥，「编号:64位十六进制」以逗号分隔，第一个用于加密，其余只用于读取旧数据；正式运行必须设置",
    )
    data_cipher: str = _setting(
        "aes-256-gcm",
        "身份证号、手机号的加密算法：aes-256-gcm，或国密 sm4-gcm；改动后执行 flask keys rotate 改写已有数据",
    )
    data_dir: str = _setting(".data", "数据目录：自带数据库、日志、演示账号、静态文件副本")
    backup_dir: str = _setting("", "备份目录（flask backup）；留空为数据目录下的 backup，正式运行应放在另一块磁盘上")
    port: str = _setting("8000", "网站端口")
    host: str = _setting("127.0.0.1", "网站监听地址")
    demo: str = _setting("1", "试用时首次启动是否装入演示县：1 是，0 否")
    web_workers: str = _setting("2", "网页进程数，建议等于处理器核数")
    max_concurrent_requests: str = _setting(
        "4", "每个网页进程同时处理的请求数（管理、报表请求最多占四分之一，排在考生之后），其余在线程中等待；建议 4"
    )
    db_pool_size: str = _setting("10", "每个进程保持的数据库连接数上限")
    hash_queue: str = _setting(
        "30",
        "每个网页进程允许排队等待核对口令的登录数，超过即请稍后再试；一半只给再来的人，同一地址最多占用还空着的那么多，用过的设备不受此限",
    )
    starts_per_second: str = _setting("40", "本机每秒放行的开考人数，超出的考生排队；按演练测得的数值设置")
    trusted_proxies: str = _setting("0", "前面有几层可信反向代理（nginx 为 1）")
    https: str = _setting("0", "是否经由 https 访问：1 时 cookie 带 Secure 与 __Host- 前缀；正式运行必须为 1")
    admin_idle_minutes: str = _setting("30", "管理员账号无操作多少分钟后须重新登录，0 为不限；考试中的不受影响")
    practice_answers_a_day: str = _setting(
        "300", "每人每天最多练习多少题（含章节练习、模拟卷，每答一题就显示答案）；达到上限记入审计日志，1 至 100000"
    )
    second_factor: str = _setting(
        "optional",
        "管理员的动态口令（手机令牌）：off 不用，optional 本人可自行启用，required 有管理角色的人登录后须先启用",
    )
    password_profile: str = _setting(
        "asvs",
        "密码规则：asvs 长度与常见密码检查；dengbao 另须大小写字母、数字、符号齐全，不得与前 5 次相同，管理员每 90 天更换",
    )
    oidc_issuer: str = _setting(
        "", "统一身份认证（OIDC）的签发地址，如 https://主机/realm；留空为不用。登录页会出现“用统一身份登录”"
    )
    oidc_client_id: str = _setting("", "在统一身份认证处登记的客户端编号")
    oidc_client_secret: str = _setting("", "在统一身份认证处登记的客户端密钥")
    oidc_staff_number_claim: str = _setting(
        "staff_number", "统一身份认证的令牌里，哪一项是人员编号（工号）；按它找到账号，不自动建账号"
    )
    oidc_name: str = _setting("统一身份", "登录页上统一身份认证的名称，如 省统一身份、企业微信")
    setup_code: str = _setting("", "首次设置页 /setup 要求填写的设置码；留空则不能在网页上首次设置")
    metrics_token: str = _setting("", "读取 /metrics 的口令（Authorization: Bearer …）；留空则只允许本机读取")
    review_alone: str = _setting(
        "0",
        "题目审核：0 撰写人与审核人必须是两个人，导入的题一律先存为草稿；1 只有一名审核人的单位可由本人审核、导入后可直接启用，每次记入审计日志",
    )
    log_level: str = _setting("INFO", "日志级别")
    keep_leavers_days: str = _setting("180", "离开名册满多少天后清除身份证号、手机号、账号和登录记录")
    keep_results_years: str = _setting("5", "考试结束满多少年后，成绩与姓名脱离（匿名），只留作统计")
    keep_sign_ins_days: str = _setting("365", "登录记录、登录条、发出的短信保留多少天，至少 200")
    keep_audit_days: str = _setting("1095", "审计记录在数据库中保留多少天，至少 200；到期先归档再清除")
    message_gateway: str = _setting(
        "off", "提醒短信、登录验证码的对外网关：off 不发，file:路径 写入文件，http(s)://地址 以签名的 JSON 推送"
    )
    message_gateway_secret: str = _setting("", "推送网关的签名密钥；网关为 http(s) 地址时必须设置")
    message_quiet_hours: str = _setting("20:00-08:00", "免打扰时段（县里时间），其间不发提醒，验证码除外；off 为不设")
    site_url: str = _setting(
        "",
        "网站对外的地址（如 https://xuefa.example.gov.cn），印在证书和登录条的二维码里；设置后只应答这个域名（本机和健康检查除外）；留空则用办理时浏览器里的地址",
    )
    site_name: str = _setting("学法考试平台", "页面抬头显示的名称")
    organisation: str = _setting("县普法办公室", "落款单位名称")

    @property
    def mode(self) -> Mode:
        """The mode as a word of the closed list; raises SettingsError for another."""
        try:
            return Mode(self.app_mode)
        except ValueError:
            raise SettingsError(f"APP_MODE 不能是「{self.app_mode}」，请用 production、tryout 或 testing。") from None

    @property
    def data_path(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data_dir).resolve()

    @property
    def max_practice_answers_a_day(self) -> int:
        """How many practice answers of one person a day show their keys."""
        return int(self.practice_answers_a_day)

    @property
    def quiet_hours(self) -> tuple[time, time] | None:
        """The hours at which nobody is written to, None for none; raises SettingsError where they cannot be read."""
        if self.message_quiet_hours == "off":
            return None
        try:
            first, last = (time.fromisoformat(part.strip()) for part in self.message_quiet_hours.split("-"))
        except ValueError:
            raise SettingsError("MESSAGE_QUIET_HOURS 应写成 20:00-08:00 这样的时段，或 off。") from None
        return first, last

    def _check_gateway(self) -> None:
        gateway = self.message_gateway
        if gateway != "off" and not gateway.startswith(("file:/", "http://", "https://")):
            raise SettingsError("MESSAGE_GATEWAY 应为 off、file:/绝对路径，或 http(s):// 开头的地址。")
        if gateway.startswith("http") and len(self.message_gateway_secret) < 16:
            raise SettingsError("MESSAGE_GATEWAY_SECRET 未设置或太短（至少 16 个字符）：推送的短信必须签名。")

    def _check_site_url(self) -> None:
        if self.site_url and not _is_address(self.site_url):
            raise SettingsError("SITE_URL 应为 https://域名 这样的完整地址，后面不带网页的路径。")

    def _check_doors(self) -> None:
        if self.data_cipher not in {"aes-256-gcm", "sm4-gcm"}:
            raise SettingsError(f"DATA_CIPHER 不能是「{self.data_cipher}」，请用 aes-256-gcm 或 sm4-gcm。")
        if self.second_factor not in {"off", "optional", "required"}:
            raise SettingsError(f"SECOND_FACTOR 不能是「{self.second_factor}」，请用 off、optional 或 required。")
        if self.password_profile not in {"asvs", "dengbao"}:
            raise SettingsError(f"PASSWORD_PROFILE 不能是「{self.password_profile}」，请用 asvs 或 dengbao。")
        if self.oidc_issuer and self.mode is Mode.PRODUCTION and not self.oidc_issuer.startswith("https://"):
            raise SettingsError("OIDC_ISSUER 必须是 https 地址。")
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            raise SettingsError("设置了 OIDC_ISSUER，还要设置 OIDC_CLIENT_ID 和 OIDC_CLIENT_SECRET。")

    def _check_terms(self) -> None:
        pace = self.practice_answers_a_day
        if not (pace.isascii() and pace.isdigit() and 1 <= int(pace) <= 100_000):
            raise SettingsError(f"PRACTICE_ANSWERS_A_DAY 应为 1 至 100000 的整数，现在是「{pace}」。")
        least = {
            "keep_leavers_days": 1,
            "keep_results_years": 1,
            "keep_sign_ins_days": 200,
            "keep_audit_days": 200,
        }
        for name, days in least.items():
            value = getattr(self, name)
            if not (value.isascii() and value.isdigit() and days <= int(value) <= 36_500):
                raise SettingsError(f"{name.upper()} 应为不小于 {days} 的整数，现在是「{value}」。")

    def check(self) -> None:
        """Refuse a start that would be dangerous; raises SettingsError."""
        self._check_gateway()
        _ = self.quiet_hours
        read_data_keys(self.data_keys)
        self._check_site_url()
        self._check_doors()
        self._check_terms()
        if not self.database_url or not self.redis_url:
            raise SettingsError("未设置 DATABASE_URL 或 REDIS_URL。请设置，或用 make run 启动自带的数据库。")
        if self.mode is not Mode.PRODUCTION:
            return
        if self.https != "1":
            raise SettingsError(PLAIN_HTTP)
        if self.secret_key in _INSECURE_SECRETS or len(self.secret_key) < 32:
            raise SettingsError(
                'SECRET_KEY 未设置或太短（至少 32 个字符）。可用 python -c "import secrets;print(secrets.token_hex(32))" 生成。'
            )
        if not self.data_keys:
            raise SettingsError(
                "DATA_KEYS 未设置。可用 python -c \"import secrets;print('k1:'+secrets.token_hex(32))\" 生成，并与数据库分开备份。"
            )


def read_data_keys(text: str) -> dict[str, bytes]:
    """Read the setting DATA_KEYS as keys of 256 bits by their ids, the first one first; raises SettingsError, which says nothing of a key."""
    keys: dict[str, bytes] = {}
    for number, pair in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        found = _DATA_KEY.fullmatch(pair)
        if found is None or found["id"] in keys:
            raise SettingsError(
                f"DATA_KEYS 的第 {number} 个密钥不对：应写成「编号:64位十六进制」，编号用字母、数字，互不相同。"
            )
        keys[found["id"]] = bytes.fromhex(found["key"])
    return keys


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.path in {"", "/"} and parts.port != 0
        )
    except ValueError:
        return False


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from environment variables."""
    known = {f.name: environment[f.name.upper()] for f in fields(Settings) if environment.get(f.name.upper())}
    return Settings(**known)


def settings_table() -> str:
    """Write the table of all settings in Markdown, as it stands in docs/operations.md."""
    rows = [
        f"| `{f.name.upper()}` | {f'`{f.default}`' if f.default else '（空）'} | {f.metadata['meaning']} |"
        for f in fields(Settings)
    ]
    return "\n".join(["| 变量 | 默认 | 含义 |", "|---|---|---|", *rows])

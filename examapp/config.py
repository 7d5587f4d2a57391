"""Every setting with its type, default, bounds and meaning; read from the environment once, at start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from datetime import time
from enum import EnumType, StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from examapp.config_messages import MessageSettings, setting

_INSECURE_SECRETS = frozenset({"", "change-me", "dev", "secret"})
_DATA_KEY = re.compile(r"(?P<id>[A-Za-z0-9_-]+):(?P<key>[0-9a-fA-F]{64})")
_MAX_SHOWN_CHARACTERS = 60
DEFAULT_ORGANISATION = "县普法办公室"
PLAIN_HTTP = "HTTPS 不是 1：正式运行只能经由 https 访问。请在前面的 nginx 配好证书，并设 HTTPS=1。"


class Mode(StrEnum):
    """How strict the program is with itself."""

    PRODUCTION = "production"
    TRYOUT = "tryout"
    TESTING = "testing"


class PasswordProfile(StrEnum):
    """Which rules new passwords are held to."""

    ASVS = "asvs"
    """OWASP ASVS 5.0, 6.2: long enough, none that everybody uses, nothing about its make-up."""
    DENGBAO = "dengbao"
    """GB/T 22239, level 3, as inspectors read it: four classes, five former ones barred, renewed by administrators every 90 days."""


class SettingsError(ValueError):
    """Settings are missing, do not parse or would be dangerous; the message names each and says what to do, in Chinese."""

    def __init__(self, *issues: str) -> None:
        super().__init__("\n".join(issues))
        self.issues = issues


def read_data_keys(text: str) -> dict[str, bytes]:
    """Read the setting DATA_KEYS as keys of 256 bits by their ids, the first one first; raises SettingsError, which says nothing of a key."""
    keys: dict[str, bytes] = {}
    for number, pair in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        found = _DATA_KEY.fullmatch(pair)
        if found is None or found["id"] in keys:
            raise SettingsError(
                f"DATA_KEYS 的第 {number} 个密钥不对：应写成“编号:64位十六进制”，编号用字母、数字，互不相同。"
            )
        keys[found["id"]] = bytes.fromhex(found["key"])
    return keys


def _read_keys_text(text: str) -> str:
    read_data_keys(text)
    return text


def _read_hex_key(text: str) -> str:
    if len(bytes.fromhex(text)) != 32:
        raise ValueError("length")
    return text


def _read_site_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.port == 0:
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(MessageSettings):
    """Settings as read from environment variables of the same names in capitals."""

    app_mode: Mode = setting(Mode.PRODUCTION, "运行方式：production 正式，tryout 试用（make run），testing 测试")  # noqa: RUF009 – a field
    database_url: str = setting(
        "",
        "PostgreSQL 地址，如 postgresql+psycopg://用户:口令@主机/库；两台机器互备的写 …@/库?host=主机1:5432&host=主机2:5432，只连主库；试用时留空则自带",
    )
    redis_url: str = setting("", "Redis 协议服务地址，如 redis://主机:6379/0；试用时留空则自带")
    secret_key: str = setting("", "会话与表单签名密钥，至少 32 个字符；正式运行必须设置")
    data_keys: str = setting(
        "",
        "身份证号、手机号的加密密钥，“编号:64位十六进制”以逗号分隔，第一个用于加密，其余只用于读取旧数据；正式运行必须设置",
        read=_read_keys_text,
        expected="编号:64位十六进制，可有几个，以逗号分隔",
    )
    data_cipher: Literal["aes-256-gcm", "sm4-gcm"] = setting(
        "aes-256-gcm",
        "身份证号、手机号的加密算法：aes-256-gcm，或国密 sm4-gcm；改动后执行 flask keys rotate 改写已有数据",
    )
    evidence_key: str = setting(
        "",
        "考试证据包的签名密钥（Ed25519），64 位十六进制；留空则由 DATA_KEYS 的第一个密钥导出。更换后旧包仍用旧公钥核对",
        read=_read_hex_key,
        expected="64 位十六进制",
    )
    data_dir: str = setting(".data", "数据目录：自带数据库、日志、演示账号、静态文件副本")
    backup_dir: str = setting("", "备份目录（flask backup）；留空为数据目录下的 backup，正式运行应放在另一块磁盘上")
    uploads_dir: str = setting(
        "",
        "上传文件的目录（课程视频、附件）；留空为数据目录下的 uploads。几台网页服务器共用这一个目录，数据目录各用各的",
    )
    cell: Annotated[int, Meta(ge=0, le=999)] = setting(
        0, "本站是全省的第几个分区（1 至 999），在空数据库上用 flask cell begin 划定编号；0 为单独一个县，或省级汇总站"
    )
    province: bool = setting(
        False,
        "本站是否为省级汇总站：1 是，0 否。省级站不办考试，只下发考试、题库，汇总各分区的名册和成绩；只运行不改动各分区数据的定时任务",
    )
    port: Annotated[int, Meta(ge=1, le=65535)] = setting(8000, "网站端口")
    host: str = setting("127.0.0.1", "网站监听地址")
    demo: bool = setting(True, "试用时首次启动是否装入演示县：1 是，0 否")
    web_workers: Annotated[int, Meta(ge=1, le=256)] = setting(2, "网页进程数，建议等于处理器核数")
    max_concurrent_requests: Annotated[int, Meta(ge=1, le=4096)] = setting(
        4, "每个网页进程同时处理的请求数（管理、报表请求最多占四分之一，排在考生之后），其余在线程中等待；建议 4"
    )
    db_pool_size: Annotated[int, Meta(ge=1, le=1000)] = setting(10, "每个进程保持的数据库连接数上限")
    hash_queue: Annotated[int, Meta(ge=0, le=100_000)] = setting(
        30,
        "每个网页进程允许排队等待核对口令的登录数，超过即请稍后再试；一半只给再来的人，同一地址最多占用还空着的那么多，用过的设备不受此限",
    )
    hashes_at_once: Annotated[int, Meta(ge=0, le=1024)] = setting(
        0, "本机同时核对的口令数，由各网页进程分摊，每个进程至少 1；0 为处理器核数的一半，至少 2"
    )
    starts_per_second: Annotated[float, Meta(gt=0, le=1_000_000)] = setting(
        40.0, "本机每秒放行的开考人数，超出的考生排队；按演练测得的数值设置"
    )
    trusted_proxies: Annotated[int, Meta(ge=0, le=10)] = setting(0, "前面有几层可信反向代理（nginx 为 1）")
    https: bool = setting(False, "是否经由 https 访问：1 时 cookie 带 Secure 与 __Host- 前缀；正式运行必须为 1")
    admin_idle_minutes: Annotated[int, Meta(ge=0, le=100_000)] = setting(
        30, "管理员账号无操作多少分钟后须重新登录，0 为不限；考试中的不受影响"
    )
    practice_answers_a_day: Annotated[int, Meta(ge=1, le=100_000)] = setting(
        300, "每人每天最多练习多少题（含章节练习、模拟卷，每答一题就显示答案）；达到上限记入审计日志，1 至 100000"
    )
    second_factor: Literal["off", "optional", "required"] = setting(
        "optional",
        "管理员的动态口令（手机令牌）：off 不用，optional 本人可自行启用，required 有管理角色的人登录后须先启用",
    )
    password_profile: PasswordProfile = setting(  # noqa: RUF009 – a field
        PasswordProfile.ASVS,
        "密码规则：asvs 长度与常见密码检查；dengbao 另须大小写字母、数字、符号齐全，不得与前 5 次相同，管理员每 90 天更换",
    )
    oidc_issuer: str = setting(
        "", "统一身份认证（OIDC）的签发地址，如 https://主机/realm；留空为不用。登录页会出现“用统一身份登录”"
    )
    oidc_client_id: str = setting("", "在统一身份认证处登记的客户端编号")
    oidc_client_secret: str = setting("", "在统一身份认证处登记的客户端密钥")
    oidc_staff_number_claim: str = setting(
        "staff_number", "统一身份认证的令牌里，哪一项是人员编号（工号）；按它找到账号，不自动建账号"
    )
    oidc_name: str = setting("统一身份", "登录页上统一身份认证的名称，如 省统一身份、企业微信")
    setup_code: str = setting("", "首次设置页 /setup 要求填写的设置码；留空则不能在网页上首次设置")
    metrics_token: str = setting("", "读取 /metrics 的口令（Authorization: Bearer …）；留空则只允许本机读取")
    review_alone: bool = setting(
        False,
        "题目审核：0 撰写人与审核人必须是两个人，导入的题一律先存为草稿；1 只有一名审核人的单位可由本人审核、导入后可直接启用，每次记入审计日志",
    )
    external_review: bool = setting(
        False,
        "外部审核：1 允许普法办把没有用过的草稿用 7 天有效的链接交给外部人员审核，实名、记入审计日志、可收回；0 不允许",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = setting("INFO", "日志级别")
    keep_leavers_days: Annotated[int, Meta(ge=1, le=36_500)] = setting(
        180, "离开名册满多少天后清除身份证号、手机号、账号和登录记录"
    )
    keep_results_years: Annotated[int, Meta(ge=1, le=36_500)] = setting(
        5, "考试结束满多少年后，成绩与姓名脱离（匿名），只留作统计"
    )
    keep_sign_ins_days: Annotated[int, Meta(ge=200, le=36_500)] = setting(
        365, "登录记录、一次性登录码、发出的短信保留多少天，至少 200"
    )
    keep_audit_days: Annotated[int, Meta(ge=200, le=36_500)] = setting(
        1095, "审计记录在数据库中保留多少天，至少 200；到期先归档再清除"
    )
    site_url: str = setting(
        "",
        "网站对外的地址（如 https://xuefa.example.gov.cn），印在证书和一次性登录码的二维码里；设置后只应答这个域名（本机和健康检查除外）；留空则用办理时浏览器里的地址",
        read=_read_site_url,
        expected="https://域名 这样的完整地址，后面不带网页的路径",
    )
    site_name: str = setting("学法考试平台", "页面抬头显示的名称")
    organisation: str = setting(DEFAULT_ORGANISATION, "落款单位名称")
    help_line: str = setting(
        "", "登录、修改密码和出错页面上的帮助电话，如 0591-12345678（工作日 8:30–17:30）；留空则只写落款单位名称"
    )

    @property
    def data_path(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.data_dir).resolve()

    @property
    def backup_path(self) -> Path:
        """The backup folder as an absolute path."""
        return Path(self.backup_dir).resolve() if self.backup_dir else self.data_path / "backup"

    @property
    def uploads_path(self) -> Path:
        """The folder of uploaded files as an absolute path."""
        return Path(self.uploads_dir).resolve() if self.uploads_dir else self.data_path / "uploads"

    def check(self) -> None:
        """Ensure that nothing is missing or dangerous; raises SettingsError with all that is."""
        issues = self._missing_settings()
        if self.app_mode is Mode.PRODUCTION:
            issues += self._dangers()
        if issues:
            raise SettingsError(*issues)

    def _missing_settings(self) -> list[str]:
        issues = []
        if not self.database_url or not self.redis_url:
            issues.append("未设置 DATABASE_URL 或 REDIS_URL。请设置，或用 make run 启动自带的数据库。")
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            issues.append("设置了 OIDC_ISSUER，还要设置 OIDC_CLIENT_ID 和 OIDC_CLIENT_SECRET。")
        return issues + self.missing_message_settings()

    def _dangers(self) -> list[str]:
        """List what a production start may not have."""
        issues = []
        if self.oidc_issuer and not self.oidc_issuer.startswith("https://"):
            issues.append("OIDC_ISSUER 必须是 https 地址。")
        if not self.https:
            issues.append(PLAIN_HTTP)
        if self.secret_key in _INSECURE_SECRETS or len(self.secret_key) < 32:
            issues.append(
                'SECRET_KEY 未设置或太短（至少 32 个字符）。可用 python -c "import secrets;print(secrets.token_hex(32))" 生成。'
            )
        if not self.data_keys:
            issues.append(
                "DATA_KEYS 未设置。可用 python -c \"import secrets;print('k1:'+secrets.token_hex(32))\" 生成，并与数据库分开备份。"
            )
        return issues


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from environment variables, empty ones as unset; raises SettingsError, which lists all that do not parse."""
    values: dict[str, Any] = {}
    issues: list[str] = []
    for each in list_settings():
        if text := environment.get(each.name.upper()):
            try:
                values[each.name] = _parse(each, text)
            except SettingsError as error:
                issues += error.issues
            except (ValueError, msgspec.ValidationError):
                given = text[:_MAX_SHOWN_CHARACTERS]
                issues.append(f"{each.name.upper()} 应为：{_expected(each)}；现在是“{given}”。")
    if issues:
        raise SettingsError(*issues)
    return Settings(**values)


def list_settings() -> list[Field[Any]]:
    """List the settings, those of the message gateway last."""
    inherited = {each.name for each in fields(MessageSettings)}
    return sorted(fields(Settings), key=lambda each: each.name in inherited)


def _parse(each: Field[Any], text: str) -> Any:
    read = each.metadata["read"]
    return read(text) if read else msgspec.convert(text, _types()[each.name], strict=False)


@cache
def _types() -> dict[str, Any]:
    return get_type_hints(Settings, include_extras=True)


def _expected(each: Field[Any]) -> str:
    """Say in Chinese which texts a setting may have."""
    kind = _types()[each.name]
    if each.metadata["expected"] or kind is str:
        return each.metadata["expected"] or "文字"
    if get_origin(kind) is Annotated:
        number, bounds = get_args(kind)
        if number is float:
            return f"大于 {bounds.gt} 且不超过 {bounds.le} 的数"
        return f"{bounds.ge} 至 {bounds.le} 的整数"
    text = ["1", "0"] if kind is bool else list(kind) if isinstance(kind, EnumType) else get_args(kind)
    return f"{'、'.join(text[:-1])} 或 {text[-1]}"


def setting_text(value: object) -> str:
    """Write the value of a setting as its environment variable would have it."""
    if isinstance(value, tuple):
        is_span = all(isinstance(each, time) for each in value) and value
        return "-".join(f"{hour:%H:%M}" for hour in value) if is_span else ",".join(map(str, value))
    if isinstance(value, bool | float):
        return f"{value:g}"
    return "off" if value is None else str(value)


def settings_table() -> str:
    """Write the table of all settings in Markdown, as it stands in docs/operations.md."""
    rows = [
        f"| `{f.name.upper()}` | {f'`{text}`' if (text := setting_text(f.default)) else '（空）'} | {_expected(f)} | {f.metadata['meaning']} |"
        for f in list_settings()
    ]
    return "\n".join(["| 变量 | 默认 | 取值 | 含义 |", "|---|---|---|---|", *rows])

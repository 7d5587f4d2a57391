"""When a production start is rejected, which settings may be shown, and when a process that beats is alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from examapp.config import PLAIN_HTTP, Mode, Settings, list_settings, setting_text
from examapp.config_messages import MessageSettings
from examapp.db.addresses import TIME_LIMITS, host_names

BEAT_LIMIT = timedelta(seconds=60)
"""The sweeper beats every few seconds; older than this it is taken for dead."""
SCHEDULE_LIMIT = timedelta(seconds=90)
"""The schedule beats every ten seconds, and may wait for a queue that is away."""

CONTENT_PARTS = {
    "questions": ("试题", "三千余道，附答案、解析、依据，直接启用。"),
    "laws": ("法律名称和条文要点", "试题和课程引用的条文，逐条写有要点；法律原文可以随后在法律法规批量导入。"),
    "courses": ("课程", "作为本年度的选修课程发布，章节练习取自试题。"),
    "blueprints": ("组卷规则", "年度考试、模拟考试、执法资格考试各一套，选好规则即可发布考试。"),
    "duties": ("普法责任清单范本", "本年度共性清单的草稿，改好后公布。报表样式平台自带，不用装入。"),
}
"""The content that ships with the application, in the order of loading: what it is called at the set-up, and what it is."""

SECRET_SETTINGS = frozenset(
    {
        "secret_key",
        "data_keys",
        "evidence_key",
        "setup_code",
        "metrics_token",
        "message_gateway_secret",
        "aliyun_access_key_secret",
        "tencent_secret_key",
        "wecom_secret",
        "dingtalk_app_secret",
        "smtp_password",
        "message_callback_token",
        "oidc_client_secret",
    }
)
_ADDRESSES = frozenset({"database_url", "redis_url"})
_WEAK_SECRETS = frozenset({"", "change-me", "changeme", "dev", "secret"})
_SHORTEST_SECRET = 32
DURABILITY_ISSUES = {
    "fsync": "数据库的 fsync 已关闭，断电会丢失已保存的答案。请在 postgresql.conf 中设 fsync = on 后重启数据库。",
    "full_page_writes": "数据库的 full_page_writes 已关闭，断电会损坏数据。请设 full_page_writes = on 后重载数据库。",
    "synchronous_commit": "数据库的 synchronous_commit 已关闭，故障时会丢失已确认保存的答案。请设 synchronous_commit = on 后重载数据库。",
}

TIME_LIMIT_ISSUE = (
    "数据库会话没有时限（{}），一个卡住的操作会一直占着连接和锁。请用属主账号执行 flask audit restrict 程序账号（migrate 会自动执行）；"
    "前面有 PgBouncer 的，时限由它丢掉了，同样办理后重启它。"
)


def list_production_issues(
    settings: Settings,
    database_settings: Mapping[str, str],
    *,
    has_demo_accounts: bool,
    eviction_policy: str | None = None,
) -> list[str]:
    """Say in Chinese why a production start must be rejected, and what to do; empty where it may go ahead or is no production.

    `eviction_policy` is what Redis does when full, None where it did not say.
    """
    if settings.app_mode is not Mode.PRODUCTION:
        return []
    issues = list_secret_issues(settings)
    if not settings.https:
        issues.append(PLAIN_HTTP)
    issues += [text for name, text in DURABILITY_ISSUES.items() if database_settings.get(name, "off") == "off"]
    if unlimited := [name for name in TIME_LIMITS if database_settings.get(name) == "0"]:
        issues.append(TIME_LIMIT_ISSUE.format("、".join(unlimited)))
    if has_demo_accounts:
        issues.append("库中有演示账号（口令公开）。正式运行请换用空数据库，不要在演示库上继续。")
    if eviction_policy not in {None, "noeviction"}:
        issues.append(
            f"Redis 的 maxmemory-policy 是 {eviction_policy}，内存满时会悄悄丢掉任务消息。请设为 noeviction。"
        )
    return issues


def list_secret_issues(settings: Settings) -> list[str]:
    """Say which of the secrets are missing, too short or an example."""
    issues = []
    if len(settings.secret_key) < _SHORTEST_SECRET or settings.secret_key.lower().startswith(
        tuple(_WEAK_SECRETS - {""})
    ):
        issues.append("SECRET_KEY 未设置、太短或仍是示例值。请用至少 32 个随机字符。")
    if not settings.data_keys or _is_repetitive(settings.data_keys):
        issues.append("DATA_KEYS 未设置或仍是示例值。请生成随机密钥，并与数据库分开备份。")
    return issues


def _is_repetitive(data_keys: str) -> bool:
    return any(len(set(key.rpartition(":")[2])) < 6 for key in data_keys.split(","))


def shown_settings(settings: Settings) -> list[tuple[str, str, str]]:
    """Give every setting as name, value and meaning; secrets and passwords in addresses are not among the values."""
    return [
        (f.name.upper(), _shown(f.name, setting_text(getattr(settings, f.name))), f.metadata["meaning"])
        for f in list_settings()
    ]


def group_settings(settings: Settings) -> dict[str, list[tuple[str, str, str]]]:
    """Give the settings in the groups of their page: those set here, those left as they are, those of messages; none empty."""
    groups: dict[str, list[tuple[str, str, str]]] = {
        "本站设定的": [],
        "没有另设的（默认值）": [],
        "短信和消息的（默认值）": [],
    }
    set_here, left, of_messages = groups
    messages = {each.name for each in fields(MessageSettings)}
    for each, row in zip(list_settings(), shown_settings(settings), strict=True):
        is_set = getattr(settings, each.name) != each.default
        groups[set_here if is_set else of_messages if each.name in messages else left].append(row)
    return {name: rows for name, rows in groups.items() if rows}


def _shown(name: str, value: str) -> str:
    if name in SECRET_SETTINGS:
        return "已设置（不显示）" if value else "未设置"
    if name in _ADDRESSES or (name == "message_gateway" and value.startswith("http")):
        return _without_credentials(value, host_names(value) if name == "database_url" else [])
    return value or "（空）"


def _without_credentials(address: str, hosts: list[str]) -> str:
    parts = urlsplit(address)
    place = "、".join(hosts) if len(hosts) > 1 else parts.netloc.rpartition("@")[2] or "本机"
    return f"{parts.scheme}://{place}{parts.path}"


def is_alive(beat_at: datetime | None, *, now: datetime, limit: timedelta = BEAT_LIMIT) -> bool:
    """Tell whether a process that beats is alive."""
    return beat_at is not None and now - beat_at <= limit

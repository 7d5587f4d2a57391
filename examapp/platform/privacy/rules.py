"""How long personal data is kept, how it is said to its owner, and the register as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from examapp.config import Settings
from examapp.db.personal_data import RetentionPolicy, list_personal_data
from examapp.delivery.grading.rules import BAND_NAMES
from examapp.documents.spreadsheets import as_text
from examapp.organisation.access.rules import ROLE_NAMES
from examapp.platform.audit.rules import act_label
from examapp.platform.outgoing_messages.rules import CHANNEL_LABELS, KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """For how long things are kept, as the settings say."""

    leaver_days: int
    result_years: int
    sign_in_days: int
    audit_days: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Terms:
        """Read the terms out of the settings, which were checked at the start."""
        return cls(
            leaver_days=settings.keep_leavers_days,
            result_years=settings.keep_results_years,
            sign_in_days=settings.keep_sign_ins_days,
            audit_days=settings.keep_audit_days,
        )

    def text(self, term: RetentionPolicy) -> str:
        """Say a term for people."""
        return {
            RetentionPolicy.LEAVER: f"在册期间；离开名册满 {self.leaver_days} 天后清除号码、账号和登录记录",
            RetentionPolicy.RESULTS: f"考试结束满 {self.result_years} 年后匿名：与姓名脱离，只留作统计",
            RetentionPolicy.STUDY: f"在册期间；离开名册满 {self.result_years} 年后删除",
            RetentionPolicy.SIGN_INS: f"{self.sign_in_days} 天",
            RetentionPolicy.AUDIT: f"{self.audit_days} 天（不少于 200 天），到期归档",
            RetentionPolicy.FILES: "30 天以内，到期自动删除",
            RetentionPolicy.DAYS: "几分钟至 30 天，用完即删",
            RetentionPolicy.WITH_PERSON: "本人停用、删除，或账号清除时删除",
            RetentionPolicy.OFFICE: "按档案管理规定，由普法办留存",
        }[term]


_VALUES = {
    **CHANNEL_LABELS,
    **{name: kind.label for name, kind in KINDS.items()},
    "delivered": "已送到",
    "undelivered": "没有送到",
    "person": "本人在平台设置",
    "reply": "回复短信",
    "on_roster": "在册",
    "off_roster": "不参加考试",
    "left": "已离开",
    "join": "登记",
    "transfer": "调动",
    "return": "重新登记",
    "leave": "离职、调出",
    "retire": "退休",
    "region": "按单位层级",
    "sector": "按主管系统",
    "waiting": "等待",
    "approved": "同意",
    "refused": "退回",
    "withdrawn": "撤回",
    "in_progress": "正在作答",
    "submitted": "已交卷",
    "graded": "已评分",
    "focus_loss": "切屏",
    "screen_off": "熄屏",
    "offline": "断网",
    "resume": "恢复",
    "exemption": "免考",
    "deferral": "缓考",
    "absent": "缺考",
    "failed": "未成功或不合格",
    "not_started": "未开始",
    "sending": "正在发送",
    "sent": "已发送",
    "expired": "已过期",
    "sign_in_code": "验证码",
    "chase": "考试提醒",
    "code": "签到码",
    "hand": "工作人员登记",
    "after_deadline": "超过截止时间",
    "late": "超过截止时间",
    "stale_epoch": "旧页面提交",
    **{str(band): name for band, name in BAND_NAMES.items()},
    **{str(role): name for role, name in ROLE_NAMES.items()},
}


def value_label(column: str, value: object) -> str:
    """Say a stored value for people; the county's time, no word of the program."""
    if column == "act":
        return act_label(str(value))
    if isinstance(value, list):
        return "、".join(value_label("", part) for part in value)
    if isinstance(value, Mapping):
        return "；".join(f"{key} {value_label('', part)}" for key, part in value.items())
    if isinstance(value, bool) or value is None:
        return {True: "是", False: "否", None: ""}[value]
    return as_text(value) if isinstance(value, datetime) else _VALUES.get(str(value), str(value))


def plain_value(value: object) -> Any:
    """Give a stored value as JSON can hold it: instants with their offset, marks as text, so that nothing is rounded."""
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, str | int | bool | list | dict):
        return value
    return (
        str(value) if isinstance(value, Decimal) else value.isoformat() if hasattr(value, "isoformat") else str(value)
    )


def register_rows(terms: Terms) -> list[tuple[str, str, str, str, str, str]]:
    """Give the register as a table: group, title, what, why, how long, by whom."""
    return [
        (
            category.group,
            category.title,
            "、".join(category.shown.values()),
            category.purpose,
            terms.text(category.term),
            category.seen_by,
        )
        for category in list_personal_data()
    ]


def register_markdown(terms: Terms) -> str:
    """Write the register as it stands in docs/personal-data.md."""
    head = ["| 类别 | 名称 | 内容 | 用途 | 保存期限 | 谁能看到 |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in register_rows(terms))])


PURGED_LABELS = {
    "leavers": "离开人员的号码和账号（人）",
    "unnamed": "离开已久人员的姓名（人）",
    "exams": "匿名的考试（场）",
    "people_of_exams": "匿名考试的参加人（人）",
    "sign_ins": "登录记录（条）",
    "login_tokens": "一次性登录码（个）",
    "outgoing_messages": "发出的短信（条）",
    "reset_requests": "找回密码的申请（条）",
}
"""What a run lets go, as its page says it."""

"""The words in which people read the log: what each act was, and what it was done to; and the chain over its lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

DETAIL_LABELS = {
    "added": "新增",
    "changed": "变动",
    "content": "内容",
    "count": "数量",
    "exam_id": "考试",
    "done": "完成项数",
    "format": "格式",
    "from": "原",
    "from_unit_id": "原单位",
    "is_after_keys": "答案已公布",
    "answers": "答题数",
    "is_open": "可练习",
    "law": "法律",
    "items": "题号",
    "key": "密钥编号",
    "kind": "类型",
    "new": "新增",
    "number": "编号",
    "on": "生效日期",
    "position": "职务",
    "questions": "题数",
    "rank": "职级",
    "reason": "理由",
    "refused": "未通过",
    "rows": "行数",
    "scope": "统计范围",
    "seconds": "秒数",
    "state": "状态",
    "title": "名称",
    "to": "改为",
    "to_unit_id": "现单位",
    "tree": "隶属关系",
    "unit_id": "单位",
    "until": "交卷止",
    "year": "年度",
    "attempt_id": "作答",
    "created_by_id": "申请人",
    "day": "日期",
    "exam_title": "考试",
    "files": "文件数",
    "has_new_seal": "换了印章",
    "issued": "新发",
    "limit": "上限",
    "moment": "时点",
    "name": "名称",
    "numbers": "证件和手机号码",
    "parts": "内容",
    "people": "人数",
    "plan_id": "发证项目",
    "sent": "发出",
    "unit_ids": "单位",
    "withdrawn": "收回",
}
"""Labels of the details that acts of several features have; features add their own."""
ACT_LABELS: dict[str, str] = {}
OBJECT_LABELS: dict[str, str] = {}
VALUE_LABELS: dict[str, str] = {}
"""Labels of values, by the value, or by detail and value (`verdict=passed`) where one word means different things."""


def declare_labels(
    *, acts: Mapping[str, str], objects: Mapping[str, str], details: Mapping[str, str], values: Mapping[str, str]
) -> None:
    """Add the labels that a feature declares; raises ValueError where another feature has declared the same act otherwise."""
    for known, declared in (
        (ACT_LABELS, acts),
        (OBJECT_LABELS, objects),
        (DETAIL_LABELS, details),
        (VALUE_LABELS, values),
    ):
        for name, label in declared.items():
            if known.setdefault(name, label) != label:
                raise ValueError(f"{name!r} has two labels: {known[name]!r} and {label!r}")


ACCEPT_LINE = "audit.accept_line"
"""The act by which somebody at the console accounts for a line that is not on the chain; what the digest in it is keyed for."""
CHAIN_PURPOSE = "audit_chain"
"""What the digests of the chain are keyed for."""
ARCHIVE_PURPOSE = "audit_archive_row"
"""What the digests of the rows that stand for archived pieces are keyed for."""
HEAD_PURPOSE = "audit_head"
"""What the file that holds the chain's head is keyed for."""
FIRST_LINK = bytes(32)
"""What stands before the first link of the chain."""
LATEST_COMMIT = timedelta(minutes=15)
"""How long after its instant a line may still turn up: no transaction here lasts longer."""
SETTLED_AFTER = timedelta(seconds=60)
"""How long a statement may stand between taking a line's id and writing the line, twice over (its time limit is 30 s)."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last link of the chain at some time, kept outside the database."""

    count: int = 0
    digest: bytes = FIRST_LINK
    newest_at: datetime | None = None
    """The latest instant of a linked line; None where none was linked."""

    def __str__(self) -> str:
        """Write the head as people copy it: NUMBER:DIGEST."""
        return f"{self.count}:{self.digest.hex()}"

    @property
    def oldest_allowed(self) -> datetime | None:
        """The instant before which no further line is linked: what is dated earlier was inserted afterwards."""
        return None if self.newest_at is None else self.newest_at - LATEST_COMMIT

    def after(self, count: int, digest: bytes, at: datetime) -> ChainHead:
        """Give the head with one more link."""
        return ChainHead(count, digest, at if self.newest_at is None else max(self.newest_at, at.astimezone(UTC)))


def link_text(number: int, previous: bytes, facts: list[Any]) -> str:
    """Write what a link's digest is taken of: its place, the digest before, and all of its line, always in the same letters."""
    return json.dumps([number, previous.hex(), *facts], ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def act_label(act: str) -> str:
    """Give the label of an act; an act of no feature is no program's name on the page."""
    return ACT_LABELS.get(act, "系统：其他操作")


def object_label(object_type: str, object_id: int | None) -> str:
    """Say what an act was done to: `考试 12`."""
    word = OBJECT_LABELS.get(object_type, "其他")
    return word if object_id is None else f"{word} {object_id}"


def detail_label(details: dict[str, Any]) -> str:
    """Say an act's particulars in one line: `数量 12；格式 xlsx`."""
    labels = {
        name: _FOR_ALL.get(name, "无") if value is None else _value(value, name) for name, value in details.items()
    }
    return "；".join(f"{DETAIL_LABELS.get(name, name)} {text}" for name, text in labels.items())


_FOR_ALL = {"unit_ids": "全部"}
"""Particulars whose absence means everybody."""


def _value(value: object, name: str) -> str:
    if value is None:
        return "无"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_value(part, name) for part in value) or "无"
    if isinstance(value, dict):
        return "，".join(
            f"{DETAIL_LABELS.get(str(each), str(each))} {_value(part, str(each))}" for each, part in value.items()
        )
    text = str(value)
    return VALUE_LABELS.get(f"{name}={text}") or VALUE_LABELS.get(text) or DETAIL_LABELS.get(text, text)

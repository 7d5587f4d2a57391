"""The words in which people read the log: what each act was, and what it was done to; and the chain over its lines."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from examapp.audit.rules.words import ACT_WORDS, DETAIL_WORDS, OBJECT_WORDS, ROOM_WORDS, VALUE_WORDS

__all__ = [
    "ACT_WORDS",
    "ARCHIVE_PURPOSE",
    "CHAIN_PURPOSE",
    "FIRST_LINK",
    "LATEST_COMMIT",
    "LATE_IDS",
    "OBJECT_WORDS",
    "act_words",
    "detail_words",
    "link_text",
    "object_words",
]

CHAIN_PURPOSE = "audit_chain"
"""What the digests of the chain are keyed for."""
ARCHIVE_PURPOSE = "audit_archive_row"
"""What the digests of the rows that stand for archived pieces are keyed for."""
FIRST_LINK = bytes(32)
"""What stands before the first link of the chain."""
LATEST_COMMIT = timedelta(minutes=15)
"""How long after its instant a line may still turn up: no transaction here lasts longer."""
LATE_IDS = 20_000
"""How far behind the newest id a late line may lie."""


def link_text(number: int, previous: bytes, facts: list[Any]) -> str:
    """Write what a link's digest is taken of: its place, the digest before, and all of its line, always in the same letters."""
    return json.dumps([number, previous.hex(), *facts], ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def act_words(act: str) -> str:
    """Say an act in Chinese; an act without words is named by its room, so that no reader meets a program's name alone."""
    room = act.partition(".")[0]
    return ACT_WORDS.get(act) or f"{ROOM_WORDS.get(room, '系统')}：其他操作"


def object_words(object_type: str, object_id: int | None) -> str:
    """Say what an act was done to: `考试 12`."""
    word = OBJECT_WORDS.get(object_type, "其他")
    return word if object_id is None else f"{word} {object_id}"


def detail_words(details: dict[str, Any]) -> str:
    """Say an act's particulars in one line: `数量 12；格式 xlsx`."""
    return "；".join(f"{DETAIL_WORDS.get(name, name)} {_value(value)}" for name, value in details.items())


def _value(value: object) -> str:
    if value is None:
        return "无"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(_value(part) for part in value) or "无"
    if isinstance(value, dict):
        return "，".join(f"{DETAIL_WORDS.get(str(name), str(name))} {_value(part)}" for name, part in value.items())
    words = str(value)
    return VALUE_WORDS.get(words) or DETAIL_WORDS.get(words, words)

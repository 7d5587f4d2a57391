"""The words in which people read the log: what each act was, and what it was done to; and the chain over its lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from examapp.platform.audit_detail_labels.rules import DETAIL_WORDS, VALUE_WORDS
from examapp.platform.audit_labels.rules import ACT_WORDS, OBJECT_WORDS, ROOM_WORDS

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
LATE_IDS = 20_000
"""How far behind the newest id a late line may lie."""


@dataclass(frozen=True, slots=True)
class Head:
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

    def after(self, count: int, digest: bytes, at: datetime) -> Head:
        """Give the head with one more link."""
        return Head(count, digest, at if self.newest_at is None else max(self.newest_at, at.astimezone(UTC)))


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

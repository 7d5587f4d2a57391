"""How the register of personal data is written: one holding a table, with every column named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Term(StrEnum):
    """How long something is kept: each has one meaning, said in words and carried out by one job or by the room itself."""

    LEAVER = "leaver"
    RESULTS = "results"
    STUDY = "study"
    SIGN_INS = "sign_ins"
    AUDIT = "audit"
    FILES = "files"
    DAYS = "days"
    WITH_PERSON = "with_person"
    OFFICE = "office"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A table that holds personal data: what for, until when, who sees it, whose a row is, and every column's part in it."""

    table: str
    title: str
    group: str
    purpose: str
    term: Term
    seen_by: str
    owner: str | None
    """The column that leads to the person: a person's, account's or attempt's id. None: rows that belong to nobody alone, listed only."""
    shown: Mapping[str, str]
    """What the owner reads, with its words."""
    hidden: Mapping[str, str] = field(default_factory=dict)
    """What the owner does not read, with the reason."""
    order: str = ""
    """The column by which rows are read, newest first."""
    needs_release: bool = False
    """Rows of an exam whose results are not out yet are held back."""


def words(text: str) -> dict[str, str]:
    """Read `column=词 column=词` into a mapping; spaces part the pairs."""
    return dict(pair.split("=", 1) for pair in text.split())


_REASONS = {
    "technical": "内部编号和程序状态",
    "unreadable": "密码、密钥或验证码的加密值，任何人都看不到原文",
    "others": "经办人是另一个人",
    "sealed": "加密保存，在“登记资料”中以可读形式列出",
    "with_keys": "逐题得分随答案公布，见“成绩”页面",
    "before_start": "试卷开考前不公开",
    "in_mistakes": "对错见“错题”页面",
    "may_hold_code": "正文可能含验证码",
}


def hide(**columns: str) -> dict[str, str]:
    """Read `reason="column column"` into a mapping of columns to the words of their reason."""
    return {column: _REASONS[reason] for reason, names in columns.items() for column in names.split()}

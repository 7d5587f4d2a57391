"""Notes on tables and columns that hold personal data: what for, until when, who sees them; the register of personal data is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import Any

from examapp.db.session import Base

_SHOWN, _HIDDEN = "personal_data", "personal_data_hidden"


class RetentionPolicy(StrEnum):
    """How long something is kept: each has one meaning, said in words and carried out by one job or by the feature itself."""

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
class PersonalData:
    """What a table that holds personal data is for; its `__personal_data__`. Every column of it has `info=shown(…)` or the reason why not."""

    group: str
    term: RetentionPolicy
    seen_by: str
    title: str = ""
    purpose: str = ""
    owner: str | None = "person_id"
    """The column that leads to the person: a person's, account's or attempt's id. None: rows that belong to nobody alone, listed only."""
    order: str = ""
    """The column by which rows are read, newest first."""
    needs_release: bool = False
    """Rows of an exam whose results are not out yet are held back."""
    first: str = ""
    """The columns that are shown first; the others follow in the table's order."""
    table: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    """What the owner reads, with its labels."""
    hidden: Mapping[str, str] = field(default_factory=dict)
    """What the owner does not read, with the reason."""

    def of(self, title: str, purpose: str, **changes: Any) -> PersonalData:
        """Give the note of one table of this group."""
        return replace(self, title=title, purpose=purpose, **changes)


_OFFICES = "本人、本单位管理员、普法办"
ROSTER = PersonalData(group="登记资料", term=RetentionPolicy.LEAVER, seen_by=f"{_OFFICES}、系统管理员")
ACCOUNT = PersonalData(group="账号与登录", term=RetentionPolicy.DAYS, seen_by="无人")
TALK = PersonalData(group="通知与意见", term=RetentionPolicy.STUDY, seen_by="本人、普法办")
STAFF = PersonalData(group="管理工作", term=RetentionPolicy.FILES, seen_by="审计管理员")
EXAM = PersonalData(group="考试", term=RetentionPolicy.RESULTS, seen_by=_OFFICES)
STUDY = PersonalData(group="学习", term=RetentionPolicy.STUDY, seen_by="本人")
DUTY = PersonalData(group="普法责任制", term=RetentionPolicy.OFFICE, seen_by="普法办")
GROUPS = tuple(each.group for each in (ROSTER, ACCOUNT, TALK, STAFF, EXAM, STUDY, DUTY))
"""In the order in which they are read."""


def shown(label: str) -> dict[str, str]:
    """Mark a column that its owner reads, under this label."""
    return {_SHOWN: label}


def _hidden(reason: str) -> dict[str, str]:
    return {_HIDDEN: reason}


TECHNICAL = _hidden("内部编号和程序状态")
"""The reason of a table's `id` and owner too, where they have no note."""
UNREADABLE = _hidden("密码、密钥或验证码的加密值，任何人都看不到原文")
OTHERS = _hidden("经办人是另一个人")
SEALED = _hidden("加密保存，在“登记资料”中以可读形式列出")
ON_OWN_PAGE = _hidden("加密保存，本人在“消息设置”中可读")
WITH_KEYS = _hidden("逐题得分随答案公布，见“成绩”页面")
BEFORE_START = _hidden("试卷开考前不公开")
IN_MISTAKES = _hidden("对错见“错题”页面")
MAY_HOLD_CODE = _hidden("正文可能含验证码")


@cache
def list_personal_data() -> tuple[PersonalData, ...]:
    """List the tables that hold personal data, by group and feature, with what their columns' notes say; once every model is imported."""
    tables = list(Base.metadata.tables)
    classes = [mapper.class_ for mapper in Base.registry.mappers if "__personal_data__" in vars(mapper.class_)]
    found = [(each.__module__, tables.index(each.__tablename__), _read_notes(each)) for each in classes]
    return tuple(note for *_, note in sorted(found, key=lambda row: (GROUPS.index(row[2].group), *row[:2])))


def _read_notes(model: Any) -> PersonalData:
    note: PersonalData = model.__personal_data__
    columns = model.__table__.columns
    labels = {column.name: column.info[_SHOWN] for column in columns if _SHOWN in column.info}
    order = dict.fromkeys([*note.first.split(), *labels])
    technical = dict.fromkeys({"id", note.owner or "id"} & set(columns.keys()) - set(labels), TECHNICAL[_HIDDEN])
    reasons = {column.name: column.info[_HIDDEN] for column in columns if _HIDDEN in column.info}
    return replace(
        note, table=model.__tablename__, shown={name: labels[name] for name in order}, hidden=technical | reasons
    )

"""What in a case may name a real person; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum


class CaseState(StrEnum):
    """The life of a case."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"


STATE_NAMES = {CaseState.DRAFT: "草稿", CaseState.SUBMITTED: "待审核", CaseState.PUBLISHED: "已入库"}
STATE_STYLES = {CaseState.DRAFT: "", CaseState.SUBMITTED: "state-wait", CaseState.PUBLISHED: "state-good"}
TEXTS = {"facts": "案情", "holding": "处理结果和理由", "lesson": "启示"}

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭林罗郑梁谢宋唐许韩冯邓曹彭肖田董袁潘蒋蔡杜叶苏魏吕丁沈姚卢姜崔钟谭陆汪廖贾夏邹熊孟秦阎薛尹雷侯黎贺顾毛郝龚邵钱严覃戴莫孔汤"
"""Common family names that are seldom the beginning of another word."""
_ROLES = "原告人?|被告人?|被?上诉人|被?申请人|当事人|第三人|受害人|被害人|嫌疑人|违法行为人|行为人|法定代表人|负责人|经营者|业主|村民|居民|司机|驾驶人"
_NAMED = re.compile(rf"(?:{_ROLES})[为是：:，,（(]?([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})")
_HIDDEN = re.compile(r"[某×xX*＊甲乙丙丁]|先生|女士|公司|局|厂|店|村|镇")
_ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


def find_numbers(text: str) -> list[str]:
    """Say which numbers of a person stand in a text: these may never stay."""
    found = ["身份证号"] if _ID_NUMBER.search(text) else []
    return [*found, *(["手机号"] if _MOBILE.search(text) else [])]


def find_names(text: str, *, known: Iterable[str] = ()) -> list[str]:
    """Find what may be the name of a real person: one beside a role such as 当事人 that is not hidden (王某), and names that are known."""
    named = [found for found in _NAMED.findall(text) if not _HIDDEN.search(found)]
    return list(dict.fromkeys([*named, *(name for name in known if name in text)]))
